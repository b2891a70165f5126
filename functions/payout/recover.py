"""Debts that nobody will pay, written off by the program's policy: once a day, or by hand.

Debts are found by the index that they hang on while they are open. Whoever earns again in
between has had the debt netted, and hangs on it no more.
"""

from __future__ import annotations

from collections.abc import Sequence

from aws_lambda_powertools.utilities.typing import LambdaContext

from introducer import clock, metric, recovery
from introducer.clock import Instant
from introducer.document.payout import Recovery
from introducer.ledger import Balance
from introducer.tables import ledger, programs
from introducer.tables.ledger import Entry
from payout.edge import logger


def handler(event: dict[str, object], context: LambdaContext) -> dict[str, int]:  # noqa: ARG001
    """Write off what the programs' policies say."""
    done = recover(clock.now())
    logger.info("recovered", extra=done)
    return done


def recover(now: Instant) -> dict[str, int]:
    """Look at every open debt; return how many there were and how many were written off."""
    done = {"debts": 0, "written_off": 0}
    for version in programs.begun(now):
        for holder, currency in ledger.debtors(version.program):
            done["debts"] += 1
            done["written_off"] += _write_off(version.document.recovery, holder, currency, now)
    if done["written_off"]:
        metric.count("DebtWrittenOff", done["written_off"])
    return done


def _write_off(policy: Recovery, holder: str, currency: str, now: Instant) -> bool:
    """Write off what *policy* says of one debt; return whether it was done now."""
    planned = ""

    def plan(balance: Balance) -> Sequence[Entry]:
        nonlocal planned
        found = recovery.write_off(policy, balance, now)
        if found is None:
            return []
        posting = recovery.posting(balance, found, now)
        planned = posting.id
        return [Entry(postings=(posting,), writes=0)]

    ledger.post_all(holder, currency, plan, now=now)
    return bool(planned) and ledger.journal(planned) is not None
