"""The steps of the state machine PayoutBatch.

Every step may run again, at any time and more than once: what it does is guarded by the
versions of the batch, the payouts and the balances. Money is in transit before the file
appears; a file is written once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from introducer import clock, paying, payout
from introducer.clock import Instant
from introducer.errors import InvalidInputError, LedgerError, StaleError
from introducer.payout import OPEN, Batch
from introducer.rails.rail import Payment
from introducer.tables import ledger, payouts, programs
from payout import files, members
from payout.edge import logger

SYSTEM = "system"
Answer = dict[str, str | int | bool]


def handler(event: dict[str, Any], context: LambdaContext) -> Answer:  # noqa: ARG001
    """Do one step: ``{"step": …, "batch": …}``, the map steps with ``Items`` of partners."""
    answer = _STEPS[event["step"]](event, clock.now())
    logger.info("batch step done", extra={"step": event["step"], "batch": event["batch"]})
    return answer


def prepare(event: dict[str, Any], now: Instant) -> Answer:
    """Fix who may be in the batch, then let it exist.

    Raises:
        PayoutsHaltedError: The books do not agree.
        InvalidInputError: The execution's name is not the batch's id.
    """
    ledger.require_running(event["program"])
    version = programs.current(event["program"], now)
    names = ("program", "region", "currency", "method", "period")
    identity: dict[str, Any] = {**{name: event[name] for name in names}, "run": int(event["run"])}
    if payout.batch_id(**identity) != event["batch"]:
        field = "batch"
        raise InvalidInputError(field, "the execution's name is not the batch's id")
    rule = files.rule_by_name(version.document, identity)
    found = sorted(members.eligible(version.document, rule))
    partners = files.write_list(event["batch"], found)
    batch = Batch(
        id=event["batch"],
        program_version=version.version,
        status="created",
        version=1,
        started_by=event.get("started_by") or "schedule",
        created_at=now,
        updated_at=now,
        partners=len(partners),
        **identity,
    )
    try:
        payouts.create_batch(batch)
    except StaleError:
        logger.info("the batch exists", extra={"batch": batch.id})
    return {
        "batch": batch.id,
        "count": len(partners),
        "bucket": files.bucket(),
        "key": files.work_key(batch.id),
    }


def reserve(event: dict[str, Any], now: Instant) -> Answer:
    """Move what is payable to reserved, for each partner in the items."""
    batch = payouts.get_batch(event["batch"])
    ledger.require_running(batch.program)
    if batch.status == "created":
        for item in event["Items"]:
            members.reserve(batch, item["partner"], now=now)
    return {"batch": batch.id, "count": len(event["Items"])}


def close(event: dict[str, Any], now: Instant) -> Answer:
    """Let nobody join any more; the sum decides whether a person must approve."""
    batch = payouts.get_batch(event["batch"])
    if batch.status == "created":
        batch = _closed(batch, now)
    return {
        "batch": batch.id,
        "payouts": batch.count,
        "needs_approval": batch.status == "awaiting_approval",
    }


def await_approval(event: dict[str, Any], now: Instant) -> Answer:  # noqa: ARG001
    """Keep the token that the approval hands back; hand it back if that has happened."""
    # The token first: whoever comes second, this or the approval, sees the other.
    payouts.keep_token(event["batch"], event["token"])
    if payouts.get_batch(event["batch"]).approved_by:
        payouts.wake(event["batch"])
    return {"batch": event["batch"]}


def submit(event: dict[str, Any], now: Instant) -> Answer:
    """Pass the point of no return: from here on only the bank cancels a payout."""
    batch = payouts.get_batch(event["batch"])
    if batch.status == "approved":
        ledger.require_running(batch.program)
        payouts.move_batch(batch.id, "submitted", now=now, actor=SYSTEM, submitted_at=now)
    elif batch.status in OPEN | {"cancelled"}:
        message = "a batch is submitted after its approval only"
        raise InvalidInputError("batch", message, code="not_approved")
    return {"batch": batch.id}


def mark(event: dict[str, Any], now: Instant) -> Answer:
    """Move what is reserved to in transit, for each partner in the items."""
    batch = payouts.get_batch(event["batch"])
    ledger.require_running(batch.program)
    if batch.status == "submitted":
        for item in event["Items"]:
            members.mark(batch, item["partner"], now=now)
    return {"batch": batch.id, "count": len(event["Items"])}


def write(event: dict[str, Any], now: Instant) -> Answer:
    """Write the file for the bank, once, and say so; where each payout is a call there is none.

    Raises:
        LedgerError: There is another file of this batch, or one that orders more than was
            approved; payouts are halted.
    """
    batch = payouts.get_batch(event["batch"])
    answer: Answer = {"batch": batch.id, "calls": batch.method in paying.CALLS}
    if batch.status != "submitted":
        return answer
    ledger.require_running(batch.program)
    orders = members.payments(batch)
    try:
        key = _order(batch, orders)
    except LedgerError as error:
        ledger.halt(batch.program, error.message, now=now)
        raise
    payouts.move_batch(
        batch.id,
        "in_transit",
        now=now,
        actor=SYSTEM,
        file=key,
        file_count=len(orders),
        file_total_minor=sum(order.amount_minor for order in orders),
    )
    return answer


def finish(event: dict[str, Any], now: Instant) -> Answer:
    """Close a batch with nothing to send; settle one that the bank has answered already."""
    batch = payouts.get_batch(event["batch"])
    if batch.status == "created" and not batch.partners:
        batch = _closed(batch, now)
    members.settle_if_done(batch.id, now=now)
    return {"batch": batch.id, "status": batch.status}


def cancel(event: dict[str, Any], now: Instant) -> Answer:
    """Give a batch up before it is submitted, by hand: all its money becomes payable again."""
    batch = payouts.get_batch(event["batch"])
    if batch.status == "created":
        for partner in files.read_list(batch.id):  # nobody joins any more
            members.skip(batch, partner, "batch_cancelled", now=now)
    reason = str(event.get("reason") or "cancelled_by_hand")
    payouts.move_batch(batch.id, "cancelled", now=now, actor=SYSTEM, reason=reason)
    members.give_back(batch, reason="batch_cancelled", now=now)
    return {"batch": batch.id}


def _order(batch: Batch, orders: list[Payment]) -> str:
    """Write the file that orders *orders* and return its key, empty when there is none to write."""
    if not batch.sent_currency and sum(each.amount_minor for each in orders) > batch.total_minor:
        message = "the file would order more than was approved"
        raise LedgerError(message, batch=batch.id)
    if not orders or batch.method in paying.CALLS:
        return ""
    document = programs.version(batch.program, batch.program_version).document
    return files.write_order(batch, files.order(batch, files.rule_of(document, batch), orders))


def _closed(batch: Batch, now: Instant) -> Batch:
    partners = files.read_list(batch.id)
    for partner in partners:
        # Whoever has no payout by now never gets one: the note takes the reference.
        members.skip(batch, partner, "not_reserved", now=now)
    references = [payout.reference(batch.id, partner) for partner in partners]
    found = payouts.find_many(references).values()
    amounts = [each.amount_minor for each in found if each.status == "created"]
    sums = {
        "count": len(amounts),
        "total_minor": sum(amounts),
        "skipped": sum(each.status == "skipped" for each in found),
    }
    if not amounts:
        return payouts.move_batch(
            batch.id, "cancelled", now=now, actor=SYSTEM, reason="nothing_payable", **sums
        )
    document = programs.version(batch.program, batch.program_version).document
    limit_minor = files.rule_of(document, batch).approval_above_minor
    status: payout.BatchStatus = (
        "awaiting_approval" if sums["total_minor"] > limit_minor else "approved"
    )
    return payouts.move_batch(batch.id, status, now=now, actor=SYSTEM, **sums)


_STEPS: dict[str, Callable[[dict[str, Any], Instant], Answer]] = {
    "prepare": prepare,
    "reserve": reserve,
    "close": close,
    "await_approval": await_approval,
    "submit": submit,
    "mark": mark,
    "write": write,
    "finish": finish,
    "cancel": cancel,
}
