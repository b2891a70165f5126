"""One's own payouts: what was paid, what it was made of, and what to do when it came back."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from introducer import statement
from introducer.errors import NotFoundError
from introducer.ledger import Journal, Kind
from introducer.partner import Partner
from introducer.payout import Payout
from introducer.statement import Contents
from introducer.tables import accounts_at, ledger, payouts
from introducer.wording import Language, language
from submit.acting import PARTNER, partner_of
from submit.http import Answer, Call, Resource
from submit.inputs import Input, Paging

resource = Resource(__name__)

Locale = Annotated[
    str, Meta(pattern=r"^([a-z]{2}(-[A-Z]{2})?)?$(?!\n)", description="Language of the words")
]
_PAGE, _MOST = 200, 2_000
"""Bookings read at once, and at most, on the way back to the payout before."""


class PayoutWords(Input, frozen=True, kw_only=True):
    """In which language it is told; the partner's own unless said."""

    locale: Locale = ""


class OwnPayout(msgspec.Struct, frozen=True, kw_only=True):
    """One payout. ``gross_minor`` left the account: ``amount_minor`` and ``withheld_minor``.

    Both are minor units of ``currency``. ``sent_minor`` of ``sent_currency`` is what was sent
    where that is another currency.
    """

    reference: str
    batch: str
    status: str
    currency: str
    gross_minor: int
    withheld_minor: int
    amount_minor: int
    sent_minor: int
    sent_currency: str
    created_at: str
    booked_on: str
    returned_on: str
    reason: str


class OwnPayouts(msgspec.Struct, frozen=True, kw_only=True):
    """One page of payouts, newest first; a page may hold few while ``next`` goes on."""

    items: list[OwnPayout]
    next: str


class PayoutPart(msgspec.Struct, frozen=True, kw_only=True):
    """One booking that changed what was payable, by ``amount_minor``."""

    kind: str
    at: str
    amount_minor: int
    referral: str
    payout: str
    reason: str


class PayoutFee(msgspec.Struct, frozen=True, kw_only=True):
    """What a bank or provider took."""

    amount_minor: int
    currency: str


class OwnPayoutRead(msgspec.Struct, frozen=True, kw_only=True):
    """A payout and what it was made of.

    A payout pays what is payable, not single rewards: ``carried_minor`` and ``parts`` since the
    payout before add up to ``gross_minor`` and ``left_minor``. Where they are too many,
    ``complete`` is false and ``carried_minor`` holds the earlier ones. ``rate`` is decimal text;
    ``fees`` is what banks and providers took, borne by the program. ``advice`` says what to do
    about a payout that came back, ``explanation`` the rest in words.
    """

    payout: OwnPayout
    method: str
    rate: str
    rate_source: str
    rate_at: str
    fees: list[PayoutFee]
    carried_minor: int
    parts: list[PayoutPart]
    left_minor: int
    complete: bool
    advice: str
    explanation: list[str]


@resource.endpoint(
    "GET", "/v1/me/payouts", roles=PARTNER, query=Paging, answer=OwnPayouts, codes=("not_enrolled",)
)
def list_payouts(call: Call[Any, Paging]) -> Answer:
    """List one's own payouts, newest first, without the runs that paid one nothing."""
    partner = partner_of(call)
    found, following = payouts.of_partner(partner.id, limit=call.query.limit, start=call.start())
    rows = [_row(each) for each in found if each.status != "skipped"]
    return Answer(body=OwnPayouts(items=rows, next=call.next(following)))


@resource.endpoint(
    "GET",
    "/v1/me/payouts/{payout}",
    roles=PARTNER,
    query=PayoutWords,
    answer=OwnPayoutRead,
    codes=("not_enrolled", "period_too_busy"),
)
def read_payout(call: Call[Any, PayoutWords]) -> Answer:
    """Read one of one's own payouts: what it was made of, what was sent, and what comes next."""
    partner = partner_of(call)
    payout = own(partner, call.path["payout"])
    words = language(call.query.locale or partner.locale)
    made_of = contents_of(payout)
    return Answer(
        body=OwnPayoutRead(
            payout=_row(payout),
            method=method_of(payout),
            rate=payout.rate,
            rate_source=payout.rate_source,
            rate_at=payout.rate_at,
            fees=_fees(payout),
            carried_minor=made_of.carried_minor,
            parts=[PayoutPart(**msgspec.structs.asdict(each)) for each in made_of.parts],
            left_minor=made_of.left_minor,
            complete=made_of.complete,
            advice=statement.advice(payout, words),
            explanation=_explained(payout, made_of, words),
        )
    )


def own(partner: Partner, reference: str) -> Payout:
    """Return a payout of *partner*.

    Raises:
        NotFoundError: There is none of that reference, or it is somebody else's.
    """
    found = payouts.find(reference)
    if found is None or found.partner != partner.id or found.status == "skipped":
        raise NotFoundError("no such payout")
    return found


def method_of(payout: Payout) -> str:
    """Return the way of the money that *payout* took."""
    return payouts.get_batch(payout.batch).method


def contents_of(payout: Payout) -> Contents:
    """Return what *payout* was made of, back to the one before it or :data:`_MOST` bookings.

    Raises:
        ContentionError: The index of journals has not caught up yet.
    """
    created = ledger.journal(f"payout:{payout.reference}:created")
    if created is None:
        return Contents(carried_minor=0, parts=[], left_minor=0, complete=True)
    now = ledger.balance(payout.partner, payout.currency)
    before = accounts_at.after(now, created.seq - 1)
    found, complete = _since_the_last(created)
    return statement.contents(found, before, payout.gross_minor, complete=complete)


def _since_the_last(created: Journal) -> tuple[list[Journal], bool]:
    """Return what was booked since the payout before, oldest first, and whether that is all."""
    found: list[Journal] = []
    last = created.seq - 1
    while last > 0 and len(found) < _MOST:
        first = max(1, last - _PAGE + 1)
        page = ledger.journals(created.partner, created.currency, first=first, last=last)
        earlier = [n for n, each in enumerate(page) if each.kind is Kind.PAYOUT_CREATED]
        if earlier:
            return page[earlier[-1] + 1 :] + found, True
        found = page + found
        last = first - 1
    return found, last == 0


def _fees(payout: Payout) -> list[PayoutFee]:
    """Return what banks or providers took for *payout*, when it was paid and when it came back."""
    found = []
    for fact in ("paid", "returned"):
        told = ledger.journal(f"payout:{payout.reference}:{fact}")
        key = told.refs.get("booking", "") if told else ""
        booking = payouts.find_booking(key) if key else None
        if booking and booking.fee_minor:
            fee = PayoutFee(amount_minor=booking.fee_minor, currency=booking.fee_currency)
            found.append(fee)
    return found


def _explained(payout: Payout, made_of: Contents, words: Language) -> list[str]:
    said = [
        f"{label}: {text}"
        for label, text in statement.payout_facts(
            payout, name="", method=method_of(payout), language=words
        )
    ]
    notes = ["payout.contents"] if made_of.complete else ["payout.contents", "payout.cut"]
    return [*said, *(words.say(key) for key in (*notes, "payout.fees"))]


def _row(each: Payout) -> OwnPayout:
    return OwnPayout(
        reference=each.reference,
        batch=each.batch,
        status=each.status,
        currency=each.currency,
        gross_minor=each.gross_minor,
        withheld_minor=each.withheld_minor,
        amount_minor=each.amount_minor,
        sent_minor=each.sent_minor,
        sent_currency=each.sent_currency,
        created_at=each.created_at,
        booked_on=each.booked_on,
        returned_on=each.returned_on,
        reason=each.reason,
    )
