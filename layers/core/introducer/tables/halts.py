"""Whether payouts of a program are halted: ``PROGRAM#{id}`` / ``HALT`` in the Ledger table.

Set when the books do not agree, and taken away by a person who has put them right.
"""

from __future__ import annotations

from introducer import metric
from introducer.clock import Instant
from introducer.errors import AlreadyExistsError, PayoutsHaltedError, StaleError
from introducer.tables import store
from introducer.tables.store import Table, Transaction


def halt(program: str, reason: str, *, now: Instant) -> None:
    """Stop the payouts of *program* and raise the alarm; the first reason stays."""
    metric.count("LedgerBroken")
    try:
        store.put(
            Table.LEDGER,
            f"PROGRAM#{program}",
            "HALT",
            {"program": program, "reason": reason, "at": now},
            condition=store.absent(),
            error=AlreadyExistsError("halted already"),
        )
    except AlreadyExistsError:
        return


def resume(program: str) -> None:
    """Let the payouts of *program* go on: a person has looked and put the books right."""
    present = store.get(Table.LEDGER, f"PROGRAM#{program}", "HALT")
    if present is None:
        return
    writes = Transaction()
    writes.delete(
        Table.LEDGER,
        f"PROGRAM#{program}",
        "HALT",
        condition=~store.absent(),
        error=StaleError("somebody else let it go on"),
    )
    writes.commit()


def halted(program: str) -> str:
    """Return why the payouts of *program* are halted, empty when they are not."""
    stored = store.get(Table.LEDGER, f"PROGRAM#{program}", "HALT")
    return str(stored["reason"]) if stored else ""


def require_running(program: str) -> None:
    """Refuse to move money to the bank while the books do not agree.

    Raises:
        PayoutsHaltedError: The payouts of *program* are halted.
    """
    reason = halted(program)
    if reason:
        metric.count("PayoutsHalted")
        message = "payouts are halted until a person has looked at the books"
        raise PayoutsHaltedError(message, program=program, reason=reason)
