"""Reconciliation: the ledger, the batches, the files and the bank must tell the same story.

For every partner whose books moved lately: the balance is the fold of the journals, the
chain of hashes is whole, pending is what the rewards say, reserved and in transit are what
the payouts say. For every batch of the last weeks: its payouts are its file, and what is
paid or returned is what the bank booked. Differences are listed in a report in the bucket;
when sums of the books themselves are broken, payouts are halted.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import msgspec
from aws_lambda_powertools.utilities.typing import LambdaContext

from introducer import clock, ledger, metric, payout
from introducer.clock import Instant
from introducer.errors import LedgerError
from introducer.ledger import ACCOUNTS, Balance, Journal, Kind
from introducer.payout import Batch, Payout
from introducer.rails.registry import file_rail
from introducer.tables import ledger as books
from introducer.tables import payouts, programs, rewards
from payout import files, settle
from payout.edge import logger

_DAYS_BACK = 2
_BATCH_DAYS = 35
_ATTEMPTS = 3

Difference = dict[str, str | int]


class Report(msgspec.Struct, kw_only=True):
    """What one run looked at and what did not agree."""

    at: Instant
    balances: int = 0
    journals: int = 0
    batches: int = 0
    totals: dict[str, dict[str, int]] = {}
    """Sum of the accounts looked at, by currency."""
    unmatched: int = 0
    differences: list[Difference] = []


def handler(event: dict[str, int], context: LambdaContext) -> dict[str, object]:  # noqa: ARG001
    """Compare, report, and halt payouts when the books are broken: ``{"days": …}`` or empty."""
    now = clock.now()
    report = reconcile(now, days=int(event.get("days", _DAYS_BACK)))
    key = f"reports/reconcile/{now}.json"
    files.write_once(key, msgspec.json.encode(report), kind="application/json")
    done: dict[str, object] = {"differences": len(report.differences), "report": key}
    logger.info("reconciled", extra=done)
    return done


def reconcile(now: Instant, *, days: int) -> Report:
    """Compare everything that moved in the last *days* days; return the report."""
    report = Report(at=now)
    settle.retry_unmatched(now=now)
    for program in programs.all_ids():
        for partner, currency in sorted(_moved(program, now, days)):
            _check_balance(program, partner, currency, report)
        since = clock.instant(clock.moment(now) - timedelta(days=_BATCH_DAYS))
        for batch in _batches(program, since):
            _check_batch(batch, report)
    for booking in payouts.unmatched():
        report.unmatched += 1
        report.differences.append(
            {"kind": "unmatched_booking", "booking": booking.key, "problem": booking.problem}
        )
    if report.differences:
        metric.count("ReconcileDifference", len(report.differences))
    return report


def _moved(program: str, now: Instant, days: int) -> set[tuple[str, str]]:
    """Return partner and currency of every balance that moved lately."""
    found = set()
    for back in range(days + 1):
        day = clock.day(clock.instant(clock.moment(now) - timedelta(days=back)))
        journal_ids = [journal_id for journal_id, _ in sorted(books.day_keys(program, day))]
        for journal in books.journals_by_id(journal_ids):
            found.add((journal.partner, journal.currency))
    return found


def _check_balance(program: str, partner: str, currency: str, report: Report) -> None:
    """Compare one balance with its journals, rewards and payouts."""
    for _ in range(_ATTEMPTS):
        balance = books.balance(partner, currency)
        journals = books.journals(partner, currency, first=1, last=balance.version)
        differences = [
            *_fold_differences(program, balance, journals, report.at),
            *_state_differences(balance, journals),
        ]
        # A posting in between makes two true readings differ: look again.
        if not differences or books.balance(partner, currency).version == balance.version:
            break
    report.balances += 1
    report.journals += len(journals)
    sums = report.totals.setdefault(currency, dict.fromkeys(ACCOUNTS, 0))
    for account, amount_minor in balance.accounts.items():
        sums[account] += amount_minor
    report.differences += differences


def _fold_differences(
    program: str, balance: Balance, journals: list[Journal], now: Instant
) -> Iterator[Difference]:
    where: Difference = {"partner": balance.partner, "currency": balance.currency}
    try:
        folded = ledger.fold(balance.partner, balance.currency, journals)
    except LedgerError as error:
        books.halt(program, error.message, now=now)
        yield {"kind": "journals_broken", "problem": error.message, **where}
        return
    if (folded.accounts, folded.head) != (balance.accounts, balance.head):
        books.halt(program, "a balance is not the fold of its journals", now=now)
        yield {"kind": "balance_is_not_fold", **where}


def _state_differences(balance: Balance, journals: list[Journal]) -> Iterator[Difference]:
    """Yield where the books and the rewards and payouts they were moved with disagree."""
    expected = {"pending": 0, "reserved": 0, "in_transit": 0, "paid": 0}
    earned = [each.refs for each in journals if each.kind is Kind.REWARD_EARNED]
    for reward in rewards.of_refs(earned, balance.partner):
        if reward.status == "pending":
            expected["pending"] += reward.left_minor
    before = (each for each in journals if each.kind is Kind.REWARD_IMPORTED)
    expected["paid"] += sum(each.amount_minor for each in before)
    references = {each.refs["payout"] for each in journals if each.kind is Kind.PAYOUT_CREATED}
    account = {"created": "reserved", "in_transit": "in_transit", "paid": "paid"}
    for each in payouts.find_many(sorted(references)).values():
        if each.status in account:
            expected[account[each.status]] += each.amount_minor
    for name, amount_minor in expected.items():
        if balance.account(name) != amount_minor:
            yield {
                "kind": f"{name}_unexplained",
                "partner": balance.partner,
                "currency": balance.currency,
                "ledger_minor": balance.account(name),
                "explained_minor": amount_minor,
            }


def _batches(program: str, since: Instant) -> Iterator[Batch]:
    start = None
    while True:
        found, page = payouts.list_batches(program, start=start)
        for batch in found:
            if batch.created_at < since and batch.status in {"settled", "cancelled"}:
                return
            yield batch
        if not page.next:
            return
        start = page.next


def _check_batch(batch: Batch, report: Report) -> None:
    """Compare a batch with its payouts, its file and the bookings."""
    report.batches += 1
    members = payouts.of_batch(batch.id)
    found = [] if not batch.file else list(_file_differences(batch, members))
    if batch.status == "cancelled" and any(each.status == "created" for each in members):
        found.append({"kind": "cancelled_batch_holds_money"})
    if batch.status == "settled" and any(each.status not in payout.DONE for each in members):
        found.append({"kind": "settled_with_open_payouts"})
    report.differences += [{**difference, "batch": batch.id} for difference in found]


def _file_differences(batch: Batch, members: list[Payout]) -> Iterator[Difference]:
    """Yield where batch, payouts, file and bank disagree about what was sent and booked."""
    sent = {
        each.reference: each
        for each in members
        if each.status in {"in_transit", "paid", "returned"}
    }
    content, ordered_in = files.read(batch.file) or b"", batch.sent_currency or batch.currency
    ordered = file_rail(batch.method).amounts_in(content, ordered_in)
    if ordered != {reference: each.ordered[0] for reference, each in sent.items()}:
        yield {"kind": "file_is_not_payouts"}
    if (batch.file_count, batch.file_total_minor) != (len(ordered), sum(ordered.values())):
        yield {"kind": "file_is_not_batch"}
    booked = [
        each
        for each in payouts.bookings_of(batch.id)
        if each.status == "matched" and each.reference and each.fact in {"paid", "returned"}
    ]
    debited = {each.reference: each.amount_minor for each in booked if each.fact == "paid"}
    if debited != {each.reference: each.amount_minor for each in sent.values() if each.booked_on}:
        yield {"kind": "debits_are_not_payouts"}
    returned = {each.reference: each.amount_minor for each in booked if each.fact == "returned"}
    if returned != {
        each.reference: each.amount_minor for each in sent.values() if each.returned_on
    }:
        yield {"kind": "returns_are_not_payouts"}
