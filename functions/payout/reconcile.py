"""Reconciliation: the ledger, the batches, the files and the bank must tell the same story.

For every holder whose books moved lately: the balance is the fold of the journals, the chain
of hashes is whole, pending is what the rewards say, reserved and in transit are what the
payouts say. The fold starts from the closing balance before last month's, which was proved
by the runs of last month; last month's own is proved on the way. With ``full`` it starts
from the first journal. For every batch of the last weeks: :mod:`payout.agreement`.
Differences are listed in a report in the bucket; when sums of the books themselves are
broken, payouts are halted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta

import msgspec
from aws_lambda_powertools.utilities.typing import LambdaContext

from introducer import clock, ledger, metric
from introducer.clock import Instant
from introducer.errors import LedgerError
from introducer.ledger import ACCOUNTS, Balance, Journal, Kind
from introducer.payout import Batch, Payout
from introducer.tables import accounts_at, payouts, programs, rewards
from introducer.tables import ledger as books
from payout import agreement, files, settle
from payout.agreement import Difference
from payout.edge import logger

_DAYS_BACK = 2
_BATCH_DAYS = 35
_ATTEMPTS = 3
_PAYOUT_STATUS = {
    Kind.PAYOUT_CREATED: "created",
    Kind.PAYOUT_SUBMITTED: "in_transit",
    Kind.PAYOUT_PAID: "paid",
    Kind.PAYOUT_RETURNED: "returned",
    Kind.PAYOUT_CANCELLED: "cancelled",
}
"""What a payout is after a journal of that kind."""


class Report(msgspec.Struct, kw_only=True):
    """What one run looked at and what did not agree."""

    at: Instant
    balances: int = 0
    journals: int = 0
    batches: int = 0
    full: bool = False
    totals: dict[str, dict[str, int]] = {}
    """Sum of the accounts looked at, by currency."""
    unmatched: int = 0
    differences: list[Difference] = []


def handler(event: dict[str, int], context: LambdaContext) -> dict[str, object]:  # noqa: ARG001
    """Compare, report, and halt payouts when the books are broken.

    Args:
        event: Empty, or ``{"days": …, "full": 1}``.
        context: Not used.
    """
    now = clock.now()
    days, full = int(event.get("days", _DAYS_BACK)), bool(event.get("full"))
    report = reconcile(now, days=days, full=full)
    key = f"reports/reconcile/{now}.json"
    files.write_once(key, msgspec.json.encode(report), kind="application/json")
    done: dict[str, object] = {"differences": len(report.differences), "report": key}
    logger.info("reconciled", extra=done)
    return done


def reconcile(now: Instant, *, days: int, full: bool = False) -> Report:
    """Compare everything that moved in the last *days* days; return the report."""
    report = Report(at=now, full=full)
    since = clock.instant(clock.moment(now) - timedelta(days=_BATCH_DAYS))
    settle.retry_unmatched(now=now)
    for program in programs.all_ids():
        for partner, currency in sorted(_moved(program, now, days)):
            _check_balance(program, partner, currency, report)
        for batch in _batches(program, since):
            report.batches += 1
            found = agreement.of_batch(batch, now)
            report.differences += [{**each, "batch": batch.id} for each in found]
    report.differences += agreement.of_statements(clock.day(since))
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
        closings = books.closings(partner, currency)
        start = Balance(partner=partner, currency=currency)
        if not report.full:
            start = _proved(closings, report.at) or start
        journals = accounts_at.booked(partner, currency, start.version + 1, balance.version)
        closed = [each for each in closings if each.version > start.version]
        differences = [
            *_fold_differences(program, start, [*closed, balance], journals, report.at),
            *_state_differences(start, balance, journals),
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


def _proved(closings: list[Balance], now: Instant) -> Balance | None:
    """Return the newest closing balance that last month's runs have proved."""
    last_month = clock.instant(clock.moment(f"{now[:7]}-01T00:00:00.000Z") - timedelta(days=1))[:7]
    before = [each for each in closings if each.posted_at[:7] < last_month]
    return before[-1] if before else None


def _fold_differences(
    program: str, start: Balance, stored: list[Balance], journals: list[Journal], now: Instant
) -> Iterator[Difference]:
    """Yield where the journals after *start* do not add up to each *stored* balance in turn."""
    where: Difference = {"partner": start.partner, "currency": start.currency}
    folded = start
    for balance in stored:
        part = journals[folded.version - start.version : balance.version - start.version]
        try:
            folded = ledger.fold(start.partner, start.currency, part, folded)
        except LedgerError as error:
            books.halt(program, error.message, now=now)
            yield {"kind": "journals_broken", "problem": error.message, **where}
            return
        if (folded.accounts, folded.head) != (balance.accounts, balance.head):
            books.halt(program, "a balance is not the fold of its journals", now=now)
            yield {"kind": "balance_is_not_fold", **where}


def _state_differences(
    start: Balance, balance: Balance, journals: list[Journal]
) -> Iterator[Difference]:
    """Yield where the books and the rewards and payouts they were moved with disagree.

    From the first journal on, whole accounts are explained. From a closing on it is each
    payout that moved since, by what its last journal says, and each reward earned since.
    """
    references = {each.refs["payout"] for each in journals if each.kind in _PAYOUT_STATUS}
    found = payouts.find_many(sorted(references))
    if start.version:
        yield from _moved_payouts(balance, journals, found)
        return
    expected = {"pending": 0, "reserved": 0, "in_transit": 0, "paid": 0}
    earned = [each.refs for each in journals if each.kind is Kind.REWARD_EARNED]
    for reward in rewards.of_refs(earned, balance.partner):
        if reward.status == "pending":
            expected["pending"] += reward.left_minor
    before = (each for each in journals if each.kind is Kind.REWARD_IMPORTED)
    expected["paid"] += sum(each.amount_minor for each in before)
    account = {"created": "reserved", "in_transit": "in_transit", "paid": "paid"}
    for each in found.values():
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


def _moved_payouts(
    balance: Balance, journals: list[Journal], found: Mapping[str, Payout]
) -> Iterator[Difference]:
    """Yield the payouts whose state is not what their last journal says."""
    last = {each.refs["payout"]: each for each in journals if each.kind in _PAYOUT_STATUS}
    for reference, journal in last.items():
        stored = found.get(reference)
        status = _PAYOUT_STATUS[journal.kind]
        moved = {abs(change) for change in journal.legs.values()}
        amounts = {stored.amount_minor, stored.gross_minor} if stored else set()
        if stored is None or stored.status != status or moved.isdisjoint(amounts):
            yield {
                "kind": "payout_unexplained",
                "partner": balance.partner,
                "currency": balance.currency,
                "payout": reference,
            }


def _batches(program: str, since: Instant) -> Iterator[Batch]:
    start = None
    while True:
        found, page = payouts.list_batches(program, start=start)
        for batch in found:
            # An old one that is still open may lie behind newer ones that are done.
            if batch.created_at >= since or batch.status not in {"settled", "cancelled"}:
                yield batch
        if not page.next:
            return
        start = page.next
