"""Whether payouts of a program are halted: ``PROGRAM#{id}`` / ``HALT`` in the Ledger table.

Set when the books do not agree, and lifted by a person who has put them right; each time that
happened is a ``RESUMED#{time}`` beside it.
"""

from __future__ import annotations

import msgspec
from pynamodb.expressions.operand import Path

from introducer import metric
from introducer.clock import Instant
from introducer.errors import AlreadyExistsError, PayoutsHaltedError, StaleError
from introducer.tables import store
from introducer.tables.store import Table, Transaction


class Resumed(msgspec.Struct, frozen=True, kw_only=True):
    """One time that payouts were let go on: by whom, why, and what had stopped them when."""

    at: Instant
    by: str
    why: str
    halted_at: Instant
    halted_for: str


def halt(program: str, reason: str, *, now: Instant) -> None:
    """Stop the payouts of *program* and raise the alarm; the first reason stays."""
    metric.count("LedgerBroken")
    try:
        store.put(
            Table.LEDGER,
            f"PROGRAM#{program}",
            "HALT",
            {"program": program, "reason": reason, "at": now},
            condition=store.absent() | (Path("reason") == ""),
            error=AlreadyExistsError("halted already"),
        )
    except AlreadyExistsError:
        return


def resume(program: str, *, by: str, why: str, now: Instant) -> bool:
    """Let the payouts of *program* go on: a person has looked and put the books right.

    Returns:
        Whether they were halted.

    Raises:
        StaleError: They were halted or resumed anew at this moment.
    """
    present = store.get(Table.LEDGER, f"PROGRAM#{program}", "HALT")
    if present is None or not present["reason"]:
        return False
    told = {"program": program, "reason": "", "at": present["at"], "resumed_at": now}
    writes = Transaction()
    writes.put(
        Table.LEDGER,
        f"PROGRAM#{program}",
        "HALT",
        told,
        condition=(Path("at") == present["at"]) & (Path("reason") == present["reason"]),
        error=StaleError("somebody else let it go on"),
    )
    writes.put(
        Table.LEDGER,
        f"PROGRAM#{program}",
        f"RESUMED#{now}",
        Resumed(at=now, by=by, why=why, halted_at=present["at"], halted_for=present["reason"]),
        condition=store.absent(),
        error=StaleError("somebody else let it go on"),
    )
    writes.commit()
    return True


def resumed(program: str) -> list[Resumed]:
    """Return every time that the payouts of *program* were let go on, newest first."""
    found = store.query_all(
        Table.LEDGER, f"PROGRAM#{program}", prefix="RESUMED#", newest_first=True
    )
    return [store.load(Resumed, each) for each in found]


def halted_at(program: str) -> Instant:
    """Return since when the payouts of *program* are halted, empty when they are not."""
    stored = store.get(Table.LEDGER, f"PROGRAM#{program}", "HALT")
    return str(stored["at"]) if stored and stored["reason"] else ""


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
