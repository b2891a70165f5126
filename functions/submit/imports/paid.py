"""Rewards that another system has paid: history in the books, of which nothing is payable.

The row's number there makes the journal's id. What it says is compared before it is booked:
a journal found with other facts would count as broken books and stop all payouts.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from msgspec import Meta

from introducer import ids
from introducer.errors import InvalidInputError
from introducer.ledger import Balance, Journal, Posting
from introducer.ledger import Kind as JournalKind
from introducer.tables import imports
from introducer.tables import ledger as books
from introducer.tables.ledger import Entry
from introducer.tables.store import Transaction
from submit import inputs
from submit.imports import amounts, history, rows
from submit.imports.rows import Context, Kind, Outcome
from submit.imports.sheet import Columns, Row
from submit.inputs import Input


class PaidRow(Input, frozen=True, kw_only=True):
    """A reward that was paid: to whom, how much, when, and for which referral.

    ``amount`` is in whole units with decimals, ``amount_minor`` in the smallest; one is needed.
    """

    reward_id: inputs.External
    partner: Annotated[str, Meta(min_length=1, max_length=254)]
    currency: inputs.Currency
    paid_at: Annotated[str, Meta(max_length=40)]
    amount: amounts.Amount = ""
    amount_minor: amounts.AmountMinor = None
    referral: Annotated[str, Meta(pattern=r"^([A-Za-z0-9][A-Za-z0-9._:/-]{0,99})?$(?!\n)")] = ""
    reference: Annotated[str, Meta(pattern=r"^([A-Za-z0-9][A-Za-z0-9._:/-]{0,99})?$(?!\n)")] = ""


def take(context: Context, row: Row, said: PaidRow) -> Outcome:
    """Book a reward that was paid elsewhere, unless it is booked already.

    Raises:
        InvalidInputError: ``unknown_partner``, ``unknown_referral``, ``invalid_amount``,
            ``invalid_time`` or ``differs``.
    """
    posting = _posting(context, said)

    def plan(_: Balance) -> Sequence[Entry]:
        if books.journal(posting.id):
            return []
        return [Entry(postings=(posting,), write=note)]

    def note(writes: Transaction) -> None:
        imports.note_row(writes, context.job, row.number, posting.id, "created", now=context.now)

    before = books.journal(posting.id)
    if before is None:
        books.post_all(posting.partner, posting.currency, plan, now=context.now)
        before = books.journal(posting.id)
    if before is None or _facts(before) != _facts(posting):
        message = "a reward with this id is booked with other facts"
        raise InvalidInputError("reward_id", message, code="differs")
    # Whether it was this row that booked it, its note tells.
    return rows.known(posting.id)


def _posting(context: Context, said: PaidRow) -> Posting:
    partner = context.partner(said.partner)
    refs = {"external": said.reward_id}
    if said.reference:
        refs["reference"] = said.reference
    if said.referral:
        refs["referral"] = history.referral_of(context, said.referral)
    return Posting(
        id=f"imported:{ids.derived_id('reward', context.program, said.reward_id)}",
        kind=JournalKind.REWARD_IMPORTED,
        program=context.program,
        partner=partner.id,
        currency=said.currency,
        amount_minor=amounts.minor(said.amount, said.amount_minor, said.currency),
        at=rows.moment("paid_at", said.paid_at, context.now),
        refs=refs,
    )


def _facts(booked: Journal | Posting) -> tuple[object, ...]:
    return (
        booked.kind,
        booked.program,
        booked.partner,
        booked.currency,
        booked.amount_minor,
        booked.at,
        booked.refs,
    )


KIND = Kind(
    columns=Columns(
        known=PaidRow.__struct_fields__, needed=("reward_id", "partner", "currency", "paid_at")
    ),
    shape=PaidRow,
    act=take,
)
