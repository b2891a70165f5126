"""Payout batches are started: every hour by the calendars, at any time by hand.

The batch's id is derived from program, region, currency, method, period and run, and is
the name of its execution: starting it twice is starting it once. The period is a day in the
program's time zone. A calendar asks for one batch a day of its own, and what it asked for is
kept before anything is started; whoever starts by hand gets another run whenever something is
payable and the run before is over: its money on its way, or given back.

An execution that failed or timed out is continued, with the same batch: every step finds what
was done already.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import msgspec
from aws_lambda_powertools.utilities.typing import LambdaContext
from botocore.exceptions import ClientError

from introducer import clock, metric, payday, paying, payout
from introducer.clients import client
from introducer.clock import Instant
from introducer.document.payout import PayoutRule
from introducer.errors import IntroducerError, MissingRateError, NotFoundError
from introducer.payout import Batch
from introducer.program import Program
from introducer.settings import setting
from introducer.tables import batches, ledger, payouts, programs
from introducer.tables.batches import Asked
from payout import exchange, files, members
from payout.edge import logger

SCHEDULE = "schedule"
_OVER = frozenset({"in_transit", "settled", "cancelled"})
_CANCELLED_S = 3600
"""So long whoever cancelled a batch has to give its money back."""


def handler(event: dict[str, str], context: LambdaContext) -> dict[str, list[str]]:  # noqa: ARG001
    """Start what is to be paid: ``{"started_by": "user:…"}``, or by the calendars when empty.

    With ``program``, ``region``, ``currency`` and ``method`` besides, that one rule.
    """
    started_by, now = event.get("started_by") or SCHEDULE, clock.now()
    if event.get("program"):
        started = start_one(event, now, started_by=started_by)
    else:
        started = start_all(now, started_by=started_by)
    logger.info("batches started", extra={"batches": started})
    return {"batches": started}


def start_all(now: Instant, *, started_by: str) -> list[str]:
    """Start the batches of every program that are due, by hand of every rule; return their ids.

    Raises:
        IntroducerError: What stood against the last of those programs that failed, when every
            other has been looked at.
    """
    started = []
    failure: IntroducerError | None = None
    for version in programs.begun(now):
        try:
            started += _start_of(version.document, now, started_by=started_by)
        except IntroducerError as error:
            failure = error
            logger.exception("a program was not started", extra={"program": version.program})
    if failure is not None:
        raise failure
    return started


def _start_of(document: Program, now: Instant, *, started_by: str) -> list[str]:
    if reason := ledger.halted(document.id):
        logger.warning("payouts are halted", extra={"program": document.id, "reason": reason})
        return []
    _go_on(document.id, now)
    started = [
        start_due(document, rule, now)
        if started_by == SCHEDULE
        else start(document, rule, now, started_by=started_by)
        for rule in document.payouts
    ]
    return [batch for batch in started if batch]


def start_one(name: Mapping[str, str], now: Instant, *, started_by: str) -> list[str]:
    """Start the next batch of the one rule called *name* by hand; return its id, if there is one.

    Raises:
        NotFoundError: The program has no such rule.
    """
    if reason := ledger.halted(name["program"]):
        logger.warning("payouts are halted", extra={"program": name["program"], "reason": reason})
        return []
    document = programs.current(name["program"], now).document
    batch = start(document, files.rule_by_name(document, name), now, started_by=started_by)
    return [batch] if batch else []


def start_due(document: Program, rule: PayoutRule, now: Instant) -> str:
    """Start the batch that the calendar of *rule* asks for; return its id.

    Empty when none is due, its batch is over, or there was nobody to pay when it was first
    asked: what became payable since is the next day's.
    A new rule begins with its next day. Without a fresh rate the day stays open.
    """
    day = payday.due(rule.calendar, document.time_zone, now) if rule.automatic else None
    if day is None:
        return ""
    period = day.isoformat()
    kept = batches.asked(document.id, rule)
    if kept is None and not _existed(document, rule, day):
        return ""
    if kept is None or kept.period < period:
        run, known = _next_run(document, rule, period)
        anybody = known is not None or _anybody(document, rule, now)
        if anybody and not _has_rate(document, rule, now):
            return ""
        name = payout.batch_id(**_identity(document, rule, period), run=run) if anybody else ""
        asked = Asked(period=period, batch=name, run=run, at=now)
        kept = batches.keep_asked(document.id, rule, asked)
    if not kept.batch:
        return ""
    known = payouts.find_batch(kept.batch)
    if known is not None and known.status in _OVER:
        return ""
    if known is None and not _has_rate(document, rule, now):
        return ""
    identity = _identity(document, rule, kept.period)
    _execute(kept.batch, identity, kept.run, known.started_by if known else SCHEDULE, now)
    return kept.batch


def start(document: Program, rule: PayoutRule, now: Instant, *, started_by: str) -> str:
    """Start the next batch of one rule by hand; return its id, empty when nobody is to be paid."""
    period = payday.today(document.time_zone, now).isoformat()
    run, known = _next_run(document, rule, period)
    if known is None and not (_anybody(document, rule, now) and _has_rate(document, rule, now)):
        return ""
    identity = _identity(document, rule, period)
    name = payout.batch_id(**identity, run=run)
    _execute(name, identity, run, known.started_by if known else started_by, now)
    return name


def _existed(document: Program, rule: PayoutRule, day: date) -> bool:
    """Return whether the program had the rule already when it would have paid on *day*."""
    try:
        before = programs.current(
            document.id, payday.cutoff(rule.calendar, document.time_zone, day)
        ).document
    except NotFoundError:
        return False
    old = paying.named(before, region=rule.region, currency=rule.currency, method=rule.method)
    return old is not None and old.automatic


def _next_run(document: Program, rule: PayoutRule, period: str) -> tuple[int, Batch | None]:
    """Return the first run of a period that is not over, and its batch if there is one."""
    identity = _identity(document, rule, period)
    run = 1
    while (known := payouts.find_batch(payout.batch_id(**identity, run=run))) is not None:
        if known.status not in _OVER:
            break
        run += 1
    return run, known


def _identity(document: Program, rule: PayoutRule, period: str) -> dict[str, str]:
    return {
        "program": document.id,
        "region": rule.region,
        "currency": rule.currency,
        "method": rule.method,
        "period": period,
    }


def _anybody(document: Program, rule: PayoutRule, now: Instant) -> bool:
    return next(members.eligible(document, rule, now), None) is not None


def _has_rate(document: Program, rule: PayoutRule, now: Instant) -> bool:
    """Return whether *rule* has the rate that it needs; a missing one is told there, loudly."""
    if not rule.pays_in or rule.pays_in == rule.currency:
        return True
    try:
        exchange.rate_for(document, rule, now)
    except MissingRateError:
        return False
    return True


def _go_on(program: str, now: Instant) -> None:
    """Wake machines that may not have heard of a decision; continue executions that stopped.

    Every batch that is under way is looked at, however old; one that was cancelled until all
    its money is payable again.
    """
    for batch in batches.under_way(program):
        if batch.status == "approved" and batch.approved_by:
            payouts.wake(batch.id)
        runs = _continue(batch.id, now)
        given_up = batch.status == "cancelled"
        if given_up and not runs and clock.plus(batch.updated_at, seconds=_CANCELLED_S) < now:
            _take_over(batch, now)


def _execute(batch: str, identity: dict[str, str], run: int, started_by: str, now: Instant) -> None:
    try:
        _start(batch, _values(identity, run, started_by))
    except client("stepfunctions").exceptions.ExecutionAlreadyExists:
        logger.info("started before", extra={"batch": batch})
        _continue(batch, now)


def _continue(batch: str, now: Instant) -> bool:
    """Let an execution that failed or timed out go on where it stopped; return whether one runs.

    One that a person aborted stays as it is. Where it cannot be redriven, after two weeks or by a
    service that does not know how, another one takes over, once a day, under the batch's name and
    the day; whichever of them does a step, it is done once.
    """
    states = client("stepfunctions")
    machine = setting("BATCH_MACHINE_ARN")
    arn = f"{machine.replace(':stateMachine:', ':execution:')}:{batch}"
    try:
        stopped = states.describe_execution(executionArn=arn)
    except states.exceptions.ExecutionDoesNotExist:
        return False
    if stopped["status"] not in {"FAILED", "TIMED_OUT"}:
        return bool(stopped["status"] == "RUNNING")
    metric.count("BatchesContinued")
    logger.warning("a batch that stopped goes on", extra={"batch": batch})
    try:
        states.redrive_execution(executionArn=arn, clientToken=f"{batch}-{now[:13]}")
    except ClientError:
        _start_another(batch, stopped["input"], now)
    return True


def _take_over(batch: Batch, now: Instant) -> None:
    """Let another execution give back the money of a batch, whoever stopped the first."""
    parts = ("program", "region", "currency", "method", "period")
    identity = {part: str(getattr(batch, part)) for part in parts}
    metric.count("BatchesContinued")
    logger.warning("another execution takes a batch over", extra={"batch": batch.id})
    _start_another(batch.id, _values(identity, batch.run, batch.started_by), now)


def _start_another(batch: str, values: str, now: Instant) -> None:
    try:
        _start(f"{batch}-{clock.day(now)}", values)
    except client("stepfunctions").exceptions.ExecutionAlreadyExists:
        logger.info("taken over before", extra={"batch": batch})


def _values(identity: Mapping[str, str], run: int, started_by: str) -> str:
    values = {**identity, "run": str(run), "started_by": started_by}
    return msgspec.json.encode(values, order="sorted").decode()


def _start(name: str, values: str) -> None:
    client("stepfunctions").start_execution(
        stateMachineArn=setting("BATCH_MACHINE_ARN"), name=name, input=values
    )
