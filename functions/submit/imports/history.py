"""Referrals of another system, as they stand there: they hold the lead and earn nothing here.

The row's id there makes the referral's id. What is not given to a rep yet is no history: it
comes as a lead, in a file of referrals.
"""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from introducer import clock, identity, ids, keyring, life
from introducer.clock import Instant
from introducer.errors import InvalidInputError
from introducer.partner import Partner
from introducer.referral import FINAL, SOLD, Referral, Sale, Share
from introducer.tables import leads, partners, referrals
from introducer.tables.people import Contact
from introducer.tables.store import Transaction
from submit import inputs
from submit.imports import amounts, invitations, rows
from submit.imports.rows import Context, Kind, Outcome
from submit.imports.sheet import Columns, Row
from submit.inputs import Input

_BOUGHT = SOLD | {"refunded", "churned"}
_ENDED = (FINAL | SOLD | {"lost"}) - {"duplicate"}
_SALE = "migrated"


class PastRow(Input, frozen=True, kw_only=True):
    """A referral as the other system knows it; who bought has a time and an amount."""

    external_id: inputs.External
    partner: Annotated[str, Meta(min_length=1, max_length=254)]
    status: Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]{0,31}$(?!\n)")]
    submitted_at: Annotated[str, Meta(max_length=40)]
    name: inputs.Line
    country: inputs.Country
    email: inputs.Email = ""
    phone: inputs.Phone = ""
    company: Annotated[str, Meta(max_length=200, pattern=inputs.LINE_OR_EMPTY)] = ""
    product: Annotated[str, Meta(pattern=r"^([a-z][a-z0-9_]{0,31})?$(?!\n)")] = ""
    note: inputs.Lines = ""
    locale: inputs.Locale = "en"
    rep: Annotated[str, Meta(pattern=r"^([a-z0-9][a-z0-9-]{1,31})?$(?!\n)")] = ""
    reason: Annotated[str, Meta(pattern=r"^([a-z][a-z0-9_]{0,31})?$(?!\n)")] = ""
    won_at: Annotated[str, Meta(max_length=40)] = ""
    amount: amounts.Amount = ""
    amount_minor: amounts.AmountMinor = None
    currency: Annotated[str, Meta(pattern=r"^([A-Z]{3})?$(?!\n)")] = ""


def take(context: Context, row: Row, said: PastRow) -> Outcome:
    """Bring in a referral, unless it is there already.

    Raises:
        InvalidInputError: Something about it cannot be accepted.
        LeadTakenError: Somebody referred the lead meanwhile.
    """
    referral_id = id_of(context, said.external_id)
    if referrals.find(referral_id):
        return rows.known(referral_id)
    document = context.version.document
    partner, contact = context.partner(said.partner), _contact(said)
    made = _referral(context, said, partner, contact, referral_id)
    rule = document.intake.identity
    protected_until = clock.plus(made.submitted_at, days=document.attribution.protection_days)
    taken, _ = leads.holder(made, rule, now=made.updated_at)
    made = msgspec.structs.replace(made, duplicate_of=taken)
    writes = Transaction()
    referrals.bring_in(
        writes,
        made,
        life.imported(made, actor=context.job.requested_by, cause=context.job.entity),
        contact=contact,
        share=Share(
            partner=partner.id, basis_points=10_000, audience=partner.audience, org=partner.org
        ),
        protected_until=protected_until,
        rule=rule,
    )
    _add_sale(writes, made, said)
    if made.status in SOLD:
        partners.add_success(writes, partner.id, made.id, now=made.won_at)
    if taken:
        context.commit(writes, row, made.id, "duplicate")
        return rows.duplicate(made.id)
    return context.commit(writes, row, made.id)


def id_of(context: Context, external_id: str) -> str:
    """Return the id here of a referral of another system."""
    return ids.derived_id("past", context.program, external_id)


def referral_of(context: Context, external_id: str) -> str:
    """Return the id here of a referral that was brought in.

    Raises:
        InvalidInputError: ``unknown_referral``.
    """
    found = referrals.find(id_of(context, external_id))
    if found is None:
        message = "no such referral was brought in"
        raise InvalidInputError("referral", message, code="unknown_referral")
    return found.id


def _referral(
    context: Context, said: PastRow, partner: Partner, contact: Contact, referral_id: str
) -> Referral:
    now, document = context.now, context.version.document
    _check(context, said)
    won_at = _won_at(said, now)
    secret = keyring.secret(keyring.IDENTITY)
    return Referral(
        id=referral_id,
        program=context.program,
        program_version=context.version.version,
        version=1,
        status=said.status,
        submitted_at=rows.moment("submitted_at", said.submitted_at, now),
        updated_at=now,
        channel="migration",
        lead=ids.new_id(),
        lead_key=identity.email_key(contact.email, secret) if contact.email else "",
        keys=identity.keys(secret, email=contact.email, phone=contact.phone),
        partner=partner.id,
        audience=partner.audience,
        rep=said.rep,
        country=said.country,
        product=said.product,
        reason=said.reason,
        won_at=won_at,
        retain_at=clock.plus(won_at, days=document.retention_days) if won_at else "",
        source_at=won_at,
        facts={"lead.language": said.locale[:2]},
    )


def _check(context: Context, said: PastRow) -> None:
    """Refuse what the program does not know, or nobody works on yet."""
    document = context.version.document
    working = {"accepted", *document.stages}
    if said.status not in _ENDED | working:
        message = "import leads nobody works on yet as referrals"
        raise InvalidInputError("status", message, code="unknown_status")
    if said.status in working and not said.rep:
        message = "who works on it must be named"
        raise InvalidInputError("rep", message, code="missing_value")
    invitations.check_rep(context, said.rep, "rep")
    if said.product and said.product not in document.products:
        raise InvalidInputError("product", "there is no such product", code="unknown_product")


def _won_at(said: PastRow, now: Instant) -> Instant:
    if said.status not in _BOUGHT:
        return ""
    if not said.won_at:
        message = "when they bought must be there"
        raise InvalidInputError("won_at", message, code="missing_value")
    return rows.moment("won_at", said.won_at, now)


def _contact(said: PastRow) -> Contact:
    if not said.email and not said.phone:
        message = "an e-mail address or a telephone number is needed"
        raise InvalidInputError("email", message, code="no_contact")
    return Contact(
        name=said.name,
        email=identity.check_email(said.email) if said.email else "",
        phone=identity.check_phone(said.phone, said.country) if said.phone else "",
        company=said.company,
        note=said.note,
        locale=said.locale,
    )


def _add_sale(writes: Transaction, made: Referral, said: PastRow) -> None:
    """Add what was bought, where the row says for how much; it earns nothing here."""
    if not made.won_at or not (said.amount or said.amount_minor):
        return
    if not said.currency:
        message = "an amount has a currency"
        raise InvalidInputError("currency", message, code="missing_value")
    worth = amounts.minor(said.amount, said.amount_minor, said.currency)
    gone = made.status == "refunded"
    sale = Sale(
        id=_SALE,
        amount_minor=worth,
        currency=said.currency,
        occurred_at=made.won_at,
        source="migration",
        product=said.product,
        refunded_minor=worth if gone else 0,
        refunds={_SALE: worth} if gone else {},
    )
    referrals.add_sale(writes, made, sale)


KIND = Kind(
    columns=Columns(
        known=PastRow.__struct_fields__,
        needed=("external_id", "partner", "status", "submitted_at", "name"),
    ),
    shape=PastRow,
    act=take,
)
