"""The steps of the state machine PayoutBatch.

Every step may run again, at any time and more than once: what it does is guarded by the
versions of the batch, the payouts and the balances. Money is in transit before the file
appears; a file is written once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from introducer import clock, paying, payout
from introducer.clock import Instant
from introducer.document.payout import PayoutRule
from introducer.errors import InvalidInputError, LedgerError, StaleError, TransitionError
from introducer.payout import OPEN, Batch
from introducer.program import Program
from introducer.rails.rail import Payment
from introducer.rates import Quote
from introducer.tables import batches, ledger, payouts, programs
from introducer.tables.rates import Rate
from payout import exchange, files, members
from payout import send as sending
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
        MissingRateError: What is sent is another currency, and there is no fresh rate.
        InvalidInputError: The execution's name is not the batch's id.
    """
    # An execution that took over from another adds to the name.
    name = event["batch"].partition("-")[0]
    names = ("program", "region", "currency", "method", "period")
    identity: dict[str, Any] = {**{each: event[each] for each in names}, "run": int(event["run"])}
    if payout.batch_id(**identity) != name:
        field = "batch"
        raise InvalidInputError(field, "the execution's name is not the batch's id")
    if payouts.find_batch(name) is None:
        ledger.require_running(event["program"])
        _begin(name, identity, event.get("started_by") or "schedule", now)
    return {
        "batch": name,
        "count": payouts.get_batch(name).partners,
        "bucket": files.bucket(),
        "key": files.work_key(name),
    }


def reserve(event: dict[str, Any], now: Instant) -> Answer:
    """Move what is payable to reserved, for each partner in the items."""
    batch = payouts.get_batch(event["batch"])
    ledger.require_running(batch.program)
    if batch.status == "created":
        for item in event["Items"]:
            members.reserve(batch, item["partner"], now=now, reason=item.get("reason", ""))
    return {"batch": batch.id, "count": len(event["Items"])}


def close(event: dict[str, Any], now: Instant) -> Answer:
    """Let nobody join any more; the sum decides whether a person must approve."""
    batch = payouts.get_batch(event["batch"])
    if batch.status == "created":
        batch = _closed(batch, now)
    return {
        "batch": batch.id,
        "payouts": 0 if batch.status == "cancelled" else batch.count,
        "needs_approval": batch.status == "awaiting_approval",
    }


def await_approval(event: dict[str, Any], now: Instant) -> Answer:  # noqa: ARG001
    """Keep the token that whoever decides hands back; hand it back if that has happened."""
    # The token first: whoever comes second, this or the decision, sees the other.
    payouts.keep_token(event["batch"], event["token"])
    if payouts.get_batch(event["batch"]).status != "awaiting_approval":
        payouts.wake(event["batch"])
    return {"batch": event["batch"]}


def expire(event: dict[str, Any], now: Instant) -> Answer:
    """Give up a batch that nobody approved in time; one that somebody did goes on."""
    batch = payouts.get_batch(event["batch"])
    if batch.status == "awaiting_approval":
        # Only as it was read: somebody may approve it in this moment.
        _move(batch, "cancelled", now, reason="approval_timed_out")
    return {"batch": batch.id}


def submit(event: dict[str, Any], now: Instant) -> Answer:
    """Pass the point of no return: from here on only the bank cancels a payout.

    Answers ``cancelled`` for a batch that was given up before.
    """
    batch = payouts.get_batch(event["batch"])
    if batch.status == "approved":
        ledger.require_running(batch.program)
        try:
            batch = payouts.move_batch(
                batch.id, "submitted", now=now, actor=SYSTEM, submitted_at=now
            )
        except TransitionError:  # cancelled in this moment
            batch = payouts.get_batch(batch.id)
    if batch.status in OPEN:
        message = "a batch is submitted after its approval only"
        raise InvalidInputError("batch", message, code="not_approved")
    return {"batch": batch.id, "cancelled": batch.status == "cancelled"}


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


def send(event: dict[str, Any], now: Instant) -> Answer:  # noqa: ARG001  (calls take their time)
    """Order the payouts in the items from the provider; see :mod:`payout.send`."""
    batch = payouts.get_batch(event["batch"])
    ledger.require_running(batch.program)
    if batch.status == "in_transit":
        sending.send_all(batch, [item["partner"] for item in event["Items"]], clock.now)
    return {"batch": batch.id, "count": len(event["Items"])}


def finish(event: dict[str, Any], now: Instant) -> Answer:
    """Close a batch with nothing to send, settle an answered one, give back a cancelled one."""
    batch = payouts.get_batch(event["batch"])
    if batch.status == "created" and not batch.partners:
        batch = _closed(batch, now)
    if batch.status == "cancelled":
        members.give_back(batch, now=now)
    if batch.status == "in_transit" and not batch.file_count:
        # Nothing was sent, so nobody will answer: an index that is behind must not keep it open.
        payouts.move_batch(batch.id, "settled", now=now, actor=SYSTEM)
    members.settle_if_done(batch.id, now=now)
    return {"batch": batch.id, "status": batch.status}


def cancel(event: dict[str, Any], now: Instant) -> Answer:
    """Give a batch up before it is submitted: all its money becomes payable again."""
    reason = str(event.get("reason") or "cancelled_by_hand")
    batches.cancel(event["batch"], reason=reason, actor=SYSTEM, now=now)
    members.give_back(payouts.get_batch(event["batch"]), now=now)
    return {"batch": event["batch"]}


def _begin(name: str, identity: dict[str, Any], started_by: str, now: Instant) -> None:
    """Fix who is in a batch and at which rate, and let it exist."""
    version = programs.current(identity["program"], now)
    rule = files.rule_by_name(version.document, identity)
    sending.require_provider(version.document.id, rule)
    rate = _rate(version.document, rule, now)
    stock = members.take_stock(version.document, rule, now)
    jumped = {"rate_jumped": 1} if rate and rate.jumped else {}
    holders = files.write_list(name, stock.members)
    batch = Batch(
        id=name,
        program_version=version.version,
        status="created",
        version=1,
        started_by=started_by,
        created_at=now,
        updated_at=now,
        partners=len(holders),
        findings=stock.findings | jumped,
        # By ten times the rate ten times the money is sent: who sets it has a hand in the batch.
        preparers=[rate.entered_by] if rate else [],
        **_exchange(rule, rate),
        **identity,
    )
    try:
        payouts.create_batch(batch)
    except StaleError:
        logger.info("the batch exists", extra={"batch": batch.id})


def _rate(document: Program, rule: PayoutRule, now: Instant) -> Rate | None:
    if not rule.pays_in or rule.pays_in == rule.currency:
        return None
    return exchange.rate_for(document, rule, now)


def _exchange(rule: PayoutRule, rate: Rate | None) -> dict[str, Any]:
    """Return the fields of a batch that say what is sent at which rate; none without exchange."""
    if rate is None:
        return {}
    return {
        "sent_currency": rule.pays_in,
        "rate": rate.rate,
        "rate_source": rate.source,
        "rate_at": rate.at,
    }


def _order(batch: Batch, orders: list[Payment]) -> str:
    """Write the file that orders *orders* and return its key, empty when there is none to write."""
    if sum(each.amount_minor for each in orders) > _most(batch):
        message = "the file would order more than was approved"
        raise LedgerError(message, batch=batch.id)
    if not orders or batch.method in paying.CALLS:
        return ""
    document = programs.version(batch.program, batch.program_version).document
    return files.write_order(batch, files.order(batch, files.rule_of(document, batch), orders))


def _most(batch: Batch) -> int:
    """Return the most that a batch may order: what was approved, in the currency that is sent."""
    if not batch.sent_currency:
        return batch.total_minor
    quote = Quote(rate=batch.rate, source=batch.rate_source, at=batch.rate_at)
    whole = exchange.convert(batch.total_minor, batch.currency, batch.sent_currency, quote)
    return whole + batch.count  # each payout was rounded by itself


def _closed(batch: Batch, now: Instant) -> Batch:
    found = list(members.shut(batch, now=now))
    amounts = [each.amount_minor for each in found if each.status == "created"]
    skipped = Counter(each.reason for each in found if each.status == "skipped")
    sums: dict[str, Any] = {
        "count": len(amounts),
        "total_minor": sum(amounts),
        "skipped": skipped.total(),
    }
    findings = Counter(batch.findings) + skipped
    if not amounts:
        return _move(
            batch, "cancelled", now, reason="nothing_payable", findings=dict(findings), **sums
        )
    document = programs.version(batch.program, batch.program_version).document
    rule = files.rule_of(document, batch)
    too_much = 0 < rule.batch_most_minor < sums["total_minor"]
    if too_much:
        findings["above_batch_most"] = sums["total_minor"] - rule.batch_most_minor
    doubtful = "rate_jumped" in findings
    status: payout.BatchStatus = (
        "awaiting_approval"
        if too_much or doubtful or sums["total_minor"] > rule.approval_above_minor
        else "approved"
    )
    return _move(batch, status, now, findings=dict(findings), **sums)


def _move(batch: Batch, status: payout.BatchStatus, now: Instant, **changes: object) -> Batch:
    """Move a batch that is still as it was read.

    Raises:
        StaleError: Somebody changed it; the step is done again.
    """
    after, event = payout.move_batch(batch, status, now=now, actor=SYSTEM, **changes)
    payouts.save_batch(batch, after, event)
    return after


_STEPS: dict[str, Callable[[dict[str, Any], Instant], Answer]] = {
    "prepare": prepare,
    "reserve": reserve,
    "close": close,
    "await_approval": await_approval,
    "expire": expire,
    "submit": submit,
    "mark": mark,
    "write": write,
    "send": send,
    "finish": finish,
    "cancel": cancel,
}
