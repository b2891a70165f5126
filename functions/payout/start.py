"""Payout batches are started: on a schedule, or by hand.

The batch's id is derived from program, region, currency, method, period and run, and is
the name of its execution: starting it twice is starting it once. The period is the day in
the program's time zone. A run whose file has gone to the bank, or that was cancelled, is
over; what has become payable since is the next run's.
"""

from __future__ import annotations

from datetime import date
from zoneinfo import ZoneInfo

import msgspec
from aws_lambda_powertools.utilities.typing import LambdaContext

from introducer import clock, payout
from introducer.clients import client
from introducer.clock import Instant
from introducer.document.payout import PayoutRule
from introducer.program import Program
from introducer.settings import setting
from introducer.tables import ledger, payouts, programs
from payout import members
from payout.edge import logger

_OVER = frozenset({"in_transit", "settled", "cancelled"})


def handler(event: dict[str, str], context: LambdaContext) -> dict[str, list[str]]:  # noqa: ARG001
    """Start what is to be paid: ``{"started_by": "user:…"}``, or by the schedule when empty."""
    started_by = event.get("started_by") or "schedule"
    started = start_all(clock.now(), started_by=started_by)
    logger.info("batches started", extra={"batches": started})
    return {"batches": started}


def start_all(now: Instant, *, started_by: str) -> list[str]:
    """Start the batch of every program and payout rule that has something to pay."""
    started = []
    for program in programs.all_ids():
        if reason := ledger.halted(program):
            logger.warning("payouts are halted", extra={"program": program, "reason": reason})
            continue
        _wake_approved(program)
        document = programs.current(program, now).document
        for rule in document.payouts:
            batch = start(document, rule, now, started_by=started_by)
            if batch:
                started.append(batch)
    return started


def start(document: Program, rule: PayoutRule, now: Instant, *, started_by: str) -> str:
    """Start the batch of one payout rule and return its id, empty when nobody is to be paid."""
    period = _period(document, now).isoformat()
    identity = {
        "program": document.id,
        "region": rule.region,
        "currency": rule.currency,
        "method": rule.method,
        "period": period,
    }
    run = 1
    while (known := payouts.find_batch(payout.batch_id(**identity, run=run))) is not None:
        if known.status not in _OVER:
            break
        run += 1
    if known is None and next(members.eligible(document, rule), None) is None:
        return ""
    batch = payout.batch_id(**identity, run=run)
    _execute(
        batch,
        {
            **identity,
            "run": str(run),
            "started_by": known.started_by if known else started_by,
        },
    )
    return batch


def _execute(batch: str, values: dict[str, str]) -> None:
    states = client("stepfunctions")
    try:
        states.start_execution(
            stateMachineArn=setting("BATCH_MACHINE_ARN"),
            name=batch,
            input=msgspec.json.encode(values, order="sorted").decode(),
        )
    except states.exceptions.ExecutionAlreadyExists:
        logger.info("started before", extra={"batch": batch})


def _wake_approved(program: str) -> None:
    """Tell the state machines again that were approved and may not have heard of it."""
    for batch in payouts.open_batches(program):
        if batch.status == "approved" and batch.approved_by:
            payouts.wake(batch.id)


def _period(document: Program, now: Instant) -> date:
    return clock.moment(now).astimezone(ZoneInfo(document.time_zone)).date()
