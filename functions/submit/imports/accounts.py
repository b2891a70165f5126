"""The company's own lists from a file: its customers, open opportunities and named accounts."""

from __future__ import annotations

from introducer.errors import InvalidInputError, SeveralFaultsError
from introducer.tables.store import Transaction
from submit import accounts
from submit.accounts import NewAccount
from submit.imports import rows
from submit.imports.rows import Context, Kind, Outcome
from submit.imports.sheet import Columns, Row

_PLACE = "accounts[0]."


def take(context: Context, row: Row, said: NewAccount) -> Outcome:
    """Put somebody on a list or take them off it.

    Raises:
        InvalidInputError: Something about them cannot be accepted.
        StaleError: Somebody else told of them meanwhile.
    """
    writes = Transaction()
    actor = context.job.requested_by
    try:
        accounts.entry(writes, context.version, said, now=context.now, actor=actor)
    except SeveralFaultsError as failure:
        first = failure.faults[0]
        field = first.field.removeprefix(_PLACE)
        raise InvalidInputError(field, first.message, code=first.code) from failure
    return context.commit(writes, row, "") if len(writes) else rows.known("")


KIND = Kind(
    columns=Columns(known=NewAccount.__struct_fields__, needed=("kind",)),
    shape=NewAccount,
    act=take,
)
