"""What banks said of whole accounts, in the Ledger table.

``STATEMENT#{account}`` / ``{day}#{number:08}#{page:04}``, on ``gsi1`` ``STATEMENTS`` / the same
with the account. The amounts of a statement are bookings of their own; kept here is what proves
that none is missing: its number, its balances and the sum of what it lists.
"""

from __future__ import annotations

import msgspec

from introducer.bank.camt053 import Statement
from introducer.tables import store
from introducer.tables.store import Table


def keep(statement: Statement) -> None:
    """Store a statement, or a page of one; the same one again changes nothing."""
    place = f"{statement.day}#{statement.number:08}#{statement.page:04}"
    fields = msgspec.to_builtins(msgspec.structs.replace(statement, bookings=()))
    index = {"gsi1pk": "STATEMENTS", "gsi1sk": f"{place}#{statement.account}"}
    told = {name: value for name, value in fields.items() if value is not None}
    store.put(Table.LEDGER, f"STATEMENT#{statement.account}", place, {**told, **index})


def since(day: str) -> list[Statement]:
    """Return the statements of every account from *day* on, without bookings, oldest first."""
    found = store.query_all(Table.LEDGER, "STATEMENTS", between=(day, "9999"), index="gsi1")
    return [store.load(Statement, stored) for stored in found]
