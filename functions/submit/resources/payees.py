"""Where a partner's money goes: the account, and the confirmation of another one."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from introducer import clock, ids, keyring, payee
from introducer.bank import account as accounts
from introducer.clock import Instant
from introducer.errors import InvalidInputError, TransitionError
from introducer.identity import check_email
from introducer.tables import partners, people, programs
from introducer.tables.people import Payee, PayeeRequest
from introducer.tables.store import Transaction
from submit import inputs
from submit.acting import PARTNER, active_partner_of, partner_of
from submit.http import Answer, Call, Resource
from submit.inputs import Input

resource = Resource(__name__)

PAUSE_S = 60
"""Between two wishes to be paid elsewhere: each is a mail to the partner."""
_SECONDS_PER_HOUR = 3_600
_FIELDS: dict[str, tuple[str, ...]] = {
    "bank": ("iban",),
    "ach": ("routing", "account", "account_type"),
    "stripe": ("provider_account",),
    "paypal": ("provider_account",),
}
_PARTS = ("iban", "bic", "routing", "account", "account_type", "holder_type", "provider_account")
_WELCOME = {"bank": ("bic",), "ach": ("holder_type",)}
"""What each kind of account is made of, and what may be told besides."""


class NewPayee(Input, frozen=True, kw_only=True):
    """Whom to pay: a name, an account, and the town and country banks ask for.

    ``bank`` is an IBAN; ``ach`` is ``routing``, ``account`` and ``account_type`` of a bank in
    the United States, and its ``holder_type`` when it is a company's; ``stripe`` and ``paypal``
    are the ``provider_account`` there.
    """

    name: inputs.ShortLine
    town: Annotated[str, Meta(min_length=1, max_length=35, pattern=inputs.LINE)]
    country: inputs.Country
    method: Literal["bank", "ach", "stripe", "paypal"] = "bank"
    iban: Annotated[
        str, Meta(max_length=42, pattern=r"^([A-Za-z0-9][A-Za-z0-9 ]{13,40}[A-Za-z0-9])?$(?!\n)")
    ] = ""
    bic: Annotated[str, Meta(pattern=r"^([A-Z]{4}[A-Z]{2}[A-Z0-9]{2}([A-Z0-9]{3})?)?$(?!\n)")] = ""
    routing: Annotated[str, Meta(pattern=r"^([0-9 -]{9,17})?$(?!\n)")] = ""
    account: Annotated[str, Meta(pattern=r"^([0-9 -]{4,34})?$(?!\n)")] = ""
    account_type: Literal["", "checking", "savings"] = ""
    holder_type: Literal["", "individual", "company"] = ""
    provider_account: Annotated[str, Meta(max_length=254, pattern=r"^([!-~]{3,254})?$(?!\n)")] = ""


class PayeeSet(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is told of the account on file.

    ``last4`` is its end; of the address of an account at PayPal ``j…@example.com``.
    ``confirm_by`` is there when the account only counts after ``POST /v1/me/payee/confirm``
    with the code that was mailed; ``usable_at`` when nothing is paid to it before.
    """

    last4: str
    set_at: str
    confirm_by: str = ""
    usable_at: str = ""


class PayeeOnFile(msgspec.Struct, frozen=True, kw_only=True):
    """The account on file, empty for none, and the one that waits for its code.

    Of both the end is shown; of the address of an account at PayPal ``j…@example.com``.
    ``problem`` is why the bank sent money back; nothing is paid until another account is given.
    """

    method: str
    last4: str
    set_at: str
    usable_at: str
    problem: str
    waiting_last4: str
    confirm_by: str
    tries_left: int


class Confirmation(Input, frozen=True, kw_only=True):
    """The code from the mail; how it is spaced and written makes no difference."""

    code: Annotated[str, Meta(min_length=8, max_length=20, pattern=r"^[A-Za-z0-9 -]+$(?!\n)")]


class PayeeConfirmed(msgspec.Struct, frozen=True, kw_only=True):
    """From when the new account is paid to."""

    set_at: str
    usable_at: str


@resource.endpoint(
    "GET", "/v1/me/payee", roles=PARTNER, answer=PayeeOnFile, codes=("not_enrolled",)
)
def read_payee(call: Call[Any, Any]) -> Answer:
    """Read which account is on file, from when it is paid to, and what waits to be confirmed."""
    partner = partner_of(call)
    waiting = _waiting(partner.person, call.now)
    return Answer(
        body=PayeeOnFile(
            method=(partner.payee_method or "bank") if partner.payee_set_at else "",
            last4=people.payee_last4(partner.person) if partner.payee_set_at else "",
            set_at=partner.payee_set_at,
            usable_at=partner.payee_usable_at,
            problem=partner.payee_problem,
            waiting_last4=waiting.last4 if waiting else "",
            confirm_by=waiting.confirm_by if waiting else "",
            tries_left=max(0, payee.MOST_TRIES - waiting.tries) if waiting else 0,
        )
    )


@resource.endpoint(
    "PUT",
    "/v1/me/payee",
    roles=PARTNER,
    body=NewPayee,
    answer=PayeeSet,
    codes=(
        "invalid_iban",
        "invalid_bic",
        "invalid_routing",
        "invalid_account",
        "invalid_provider_account",
        "missing_field",
        "not_of_this_method",
        "transition_not_allowed",
        "not_enrolled",
    ),
)
def set_payee(call: Call[NewPayee, Any]) -> Answer:
    """Say where the caller's rewards are paid to.

    The first account counts at once. Another one waits for the code that is mailed to the
    partner's address; until it is confirmed the old account stays. Another wish meanwhile
    replaces the one that waits, and its mail says so.
    """
    partner = active_partner_of(call)
    account = _account(call.body)
    writes = Transaction()
    if not partner.payee_set_at:
        partners.set_payee(writes, partner, account, now=call.now, actor=partner.entity)
        return Answer(body=PayeeSet(last4=account.last4, set_at=call.now), writes=writes)
    waiting = _waiting(partner.person, call.now)
    if waiting and clock.plus(waiting.at, seconds=PAUSE_S) > call.now:
        raise TransitionError("a code was mailed a moment ago", status="waiting")
    rules = programs.current(partner.program, call.now).document.payees
    keyring.secret(keyring.CONFIRM)  # made now, so that whoever mails the code finds it
    request = PayeeRequest(
        id=ids.new_id(),
        at=call.now,
        confirm_by=clock.plus(call.now, seconds=rules.confirm_within_hours * _SECONDS_PER_HOUR),
        last4=account.last4,
        replaces=waiting.last4 if waiting else "",
    )
    partners.request_payee(writes, partner, request, account, actor=partner.entity)
    body = PayeeSet(last4=account.last4, set_at=partner.payee_set_at, confirm_by=request.confirm_by)
    return Answer(body=body, writes=writes)


@resource.endpoint(
    "POST",
    "/v1/me/payee/confirm",
    roles=PARTNER,
    body=Confirmation,
    answer=PayeeConfirmed,
    codes=("nothing_to_confirm", "code_expired", "too_many_tries", "wrong_code", "not_enrolled"),
)
def confirm_payee(call: Call[Confirmation, Any]) -> Answer:
    """Confirm another account with the code from the mail; the old one gets nothing from then on.

    Five codes may be tried; after that the account is given anew.
    """
    partner = active_partner_of(call)
    request = people.payee_request(partner.person)
    if request is None:
        raise InvalidInputError("code", "no change waits for a code", code="nothing_to_confirm")
    if request.confirm_by <= call.now:
        raise InvalidInputError("code", "the code has run out", code="code_expired")
    if request.tries >= payee.MOST_TRIES:
        raise InvalidInputError("code", "too many codes were tried", code="too_many_tries")
    # Counted before it is looked at: many at the same moment are not one try.
    people.count_try(partner.person, request)
    if not payee.is_code(call.body.code, keyring.secret(keyring.CONFIRM), partner.id, request.id):
        raise InvalidInputError("code", "not the code from the mail", code="wrong_code")
    hours = programs.current(partner.program, call.now).document.payees.cooling_off_hours
    usable_at = clock.plus(call.now, seconds=hours * _SECONDS_PER_HOUR) if hours else ""
    writes = Transaction()
    partners.set_payee(
        writes,
        partner,
        people.next_payee(partner.person, request),
        now=call.now,
        actor=partner.entity,
        usable_at=usable_at,
        confirmed=request.id,
    )
    people.confirm_payee(writes, partner.person, request, now=call.now)
    return Answer(body=PayeeConfirmed(set_at=call.now, usable_at=usable_at), writes=writes)


def _waiting(person: str, now: Instant) -> PayeeRequest | None:
    """Return the change that can still be confirmed, or None."""
    waiting = people.payee_request(person)
    return waiting if waiting and waiting.confirm_by > now else None


def _account(body: NewPayee) -> Payee:
    """Return the account in the form in which it is stored.

    Raises:
        InvalidInputError: A part is missing, belongs to another kind, or cannot be.
    """
    wanted = _FIELDS[body.method]
    allowed = (*wanted, *_WELCOME.get(body.method, ()))
    for field in _PARTS:
        given = bool(getattr(body, field))
        if field in wanted and not given:
            raise InvalidInputError(field, "needed for this method", code="missing_field")
        if given and field not in allowed:
            message = "has no place in an account of this method"
            raise InvalidInputError(field, message, code="not_of_this_method")
    return Payee(
        name=body.name,
        town=body.town,
        country=body.country,
        method=body.method,
        iban=accounts.iban(body.iban) if body.iban else "",
        bic=accounts.bic(body.bic) if body.bic else "",
        routing=accounts.routing(body.routing) if body.routing else "",
        account=accounts.us_account(body.account) if body.account else "",
        account_type=body.account_type,
        holder_type=body.holder_type or "individual",
        provider_account=_provider_account(body) if body.provider_account else "",
    )


def _provider_account(body: NewPayee) -> str:
    """Return what the provider knows the payee by: Stripe's account id, or an address."""
    field, given = "provider_account", body.provider_account
    if body.method == "stripe":
        if given.startswith("acct_") and given[5:].isalnum():
            return given
        message = "not an account id of Stripe's: it begins with acct_"
        raise InvalidInputError(field, message, code="invalid_provider_account")
    try:
        return check_email(given)
    except InvalidInputError as failure:
        message = "not the e-mail address of an account"
        raise InvalidInputError(field, message, code="invalid_provider_account") from failure
