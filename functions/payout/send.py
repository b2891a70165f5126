"""Payouts that are calls: each is ordered from its provider until the provider has answered.

The attempt is written down before the call and what came of it after: a crash in between, a
lost answer or a second worker leads to the same call again, with the payout's reference as its
idempotency key, which the provider pays once. What it answers moves the payout through
:func:`payout.settle.take`, as everything that is told about money does. Nothing is ever given
back because nobody answered: in the end a person is asked to look.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from http import HTTPStatus

import msgspec
from aws_lambda_powertools.utilities.typing import LambdaContext

from introducer import clock, outbound, paying, payout
from introducer.clock import Instant
from introducer.document.payout import PayoutRule
from introducer.errors import (
    ContentionError,
    IntroducerError,
    InvalidInputError,
    StaleError,
    UncertainError,
)
from introducer.payout import Batch, Payout
from introducer.rails import answers, reply
from introducer.rails.rail import Outcome, Payment, Provider, Request
from introducer.rails.registry import call_rail
from introducer.settlement import Booking
from introducer.tables import ledger, partners, payouts, people, programs, providers
from introducer.tables.store import Transaction
from payout import files, members, settle
from payout.edge import logger

DELAYS_S = (5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400)
"""How long is waited after each attempt: the schedule of Standard Webhooks."""
_LAST_WAIT_S = 300
_RESERVE_MS = 45_000
_ATTEMPTS = 5
_UNKNOWN = Outcome(verdict="unknown")
_BUSY = (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS)
_NOT_LET_IN = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND)
_BROKEN = HTTPStatus.INTERNAL_SERVER_ERROR


class Line:
    """How the payouts of one batch are ordered: rule, rail and provider, read once.

    Raises:
        NotFoundError: The provider is not configured, or not of the method's kind.
    """

    def __init__(self, batch: Batch) -> None:
        """Read what the batch is bound to, and the provider as it is configured now."""
        self.batch = batch
        self.document = programs.version(batch.program, batch.program_version).document
        self.rail = call_rail(batch.method)
        rule = files.rule_of(self.document, batch)
        self.provider = providers.for_paying(batch.program, rule.provider or "", batch.method)
        self.out_of_order = False
        """Whether the provider, not the payment, is why the last call brought nothing."""
        self.nothing_paid = False
        """Whether the last call certainly paid nothing: it was not made, or not let in."""
        self._signed_in: Provider | None = None

    @property
    def whose(self) -> tuple[str, str]:
        """Return program and provider: what is out of order is so for all their batches."""
        return self.batch.program, self.provider.name

    def order(self, payment: Payment, *, now: Instant) -> tuple[Outcome, int]:
        """Make the call; return what it means, and after how many seconds to ask again."""
        self.out_of_order = self.nothing_paid = True
        provider = self._signed_in or self._sign_in()
        if provider is None:
            return _UNKNOWN, 0
        answer, sent = _call(self.rail.request(payment, provider, now=now))
        if answer is None:
            self.nothing_paid = not sent
            return _UNKNOWN, 0
        self.nothing_paid = answer.status in _NOT_LET_IN
        self.out_of_order = answer.status in _BUSY or answer.status >= _BROKEN
        outcome = self.rail.outcome(answer.status, answer.body)
        if outcome.verdict == "unknown":
            self._signed_in = None  # perhaps the token has run out
            logger.warning(
                "the provider gave no verdict",
                extra={"provider": provider.name, "status": answer.status},
            )
        return outcome, answer.retry_after_s

    def _sign_in(self) -> Provider | None:
        request = self.rail.sign_in(self.provider)
        if request is None:
            self._signed_in = self.provider
            return self.provider
        answer, _ = _call(request)
        if answer is None or not reply.is_success(answer.status):
            logger.warning("signing in failed", extra={"provider": self.provider.name})
            return None
        token = reply.secret(reply.read(answer.body), "access_token")
        if not token:
            return None
        self._signed_in = msgspec.structs.replace(self.provider, secret=token)
        return self._signed_in


def handler(event: dict[str, str], context: LambdaContext) -> dict[str, int]:  # noqa: ARG001
    """Ask every provider that is to be asked again by now.

    Raises:
        UncertainError: Some payouts could not be asked about; they stay due.
    """
    asked, failed = send_due(
        clock.now, enough=lambda: context.get_remaining_time_in_millis() > _RESERVE_MS
    )
    logger.info("providers asked", extra={"asked": asked, "failed": failed})
    if failed:
        message = "some payouts could not be asked about"
        raise UncertainError(message, count=failed)
    return {"asked": asked}


def send(batch: Batch, holder: str, *, now: Instant, line: Line | None = None) -> None:
    """Order the payout to *holder* in *batch* for the first time; later attempts are the clock's.

    Raises:
        NotFoundError: The provider is not configured; nothing was asked.
        StaleError: The payee's account is gone; nothing was asked.
    """
    stored = payouts.find(payout.reference(batch.id, holder))
    if stored is None or stored.status != "in_transit" or stored.attempts:
        return
    _ask(line or Line(batch), stored, now=now)


def send_all(batch: Batch, holders: Sequence[str], tick: Callable[[], Instant]) -> None:
    """Do :func:`send` for each of *holders*; *tick* tells the present instant, anew each time."""
    line = Line(batch)
    for holder in holders:
        send(batch, holder, now=tick(), line=line)


def send_due(tick: Callable[[], Instant], *, enough: Callable[[], bool]) -> tuple[int, int]:
    """Ask about every payout that is due; return how many were asked about, and how many not.

    A provider that is out of order is asked once: the rest of its payouts stay due, so that it
    takes no time from the others. A batch that cannot be asked about counts once.

    Args:
        tick: Tells the present instant, anew for each call.
        enough: Whether there is time for another call.
    """
    lines: dict[str, Line | None] = {}
    aside: set[tuple[str, str]] = set()
    asked = failed = 0
    for seen in payouts.due_to_send(tick()):
        if not enough():
            break
        try:
            if seen.batch not in lines:
                lines[seen.batch] = None  # should it fail, it would for each of its payouts
                lines[seen.batch] = _line_of(seen)
            line = lines[seen.batch]
            if line is None or line.whose in aside or not (stored := _still_due(seen)):
                continue
            _ask(line, stored, now=tick())
            asked += 1
            if line.out_of_order:
                aside.add(line.whose)
        except IntroducerError as failure:
            failed += 1
            logger.warning("not asked", extra={"payout": seen.reference, "why": failure.code})
    for batch in sorted(batch for batch, line in lines.items() if line):
        members.settle_if_done(batch, now=tick())
    return asked, failed


def require_provider(program: str, rule: PayoutRule) -> None:
    """Refuse to begin a batch that nobody could be asked to pay.

    Raises:
        NotFoundError: The rule's provider is not configured, or of another kind.
    """
    if rule.method in paying.CALLS:
        providers.for_paying(program, rule.provider or "", rule.method)


def _still_due(seen: Payout) -> Payout | None:
    stored = payouts.find(seen.reference)
    return stored if stored and stored.status == "in_transit" and stored.next_at else None


def _line_of(stored: Payout) -> Line | None:
    """Return the line of a payout's batch, None while nothing may be sent."""
    batch = payouts.get_batch(stored.batch)
    if batch.status not in {"in_transit", "settled"} or ledger.halted(batch.program):
        return None
    return Line(batch)


def _ask(line: Line, stored: Payout, *, now: Instant) -> None:
    if _is_over(line, stored, now):
        _give_up(stored, now=now)
        return
    payment = _payment(line, stored)
    wait_s = DELAYS_S[stored.attempts] if stored.attempts < len(DELAYS_S) else _LAST_WAIT_S
    claimed = msgspec.structs.replace(
        stored,
        version=stored.version + 1,
        updated_at=now,
        attempts=stored.attempts + 1,
        asked_at=stored.asked_at or now,
        provider=line.provider.name,
        provider_account=line.provider.account,
        next_at=clock.plus(now, seconds=wait_s),
    )
    try:
        _save(stored, claimed)
    except StaleError:
        return  # somebody else is asking, or the answer came in this moment
    outcome, retry_after_s = line.order(payment, now=now)
    if line.nothing_paid and outcome.verdict == "unknown" and not stored.provider_account:
        _note(claimed, now=now, provider_account=0)
    _take(claimed, outcome, retry_after_s, now=now)


def _take(claimed: Payout, outcome: Outcome, retry_after_s: int, *, now: Instant) -> None:
    """Write down what an attempt brought."""
    match outcome.verdict:
        case "accepted":
            _note(claimed, now=now, provider_id=outcome.provider_id, next_at="")
        case "paid" | "refused":
            # Still due: should this be cut short, the same answer is fetched again.
            if outcome.provider_id:
                _note(claimed, now=now, provider_id=outcome.provider_id)
            settle.take(_booking(claimed, outcome, now), now=now)
        case "unknown":
            later = clock.plus(now, seconds=retry_after_s)
            if claimed.attempts > len(DELAYS_S):
                _give_up(claimed, now=now)
            elif later > claimed.next_at:
                _note(claimed, now=now, next_at=later)


def _is_over(line: Line, stored: Payout, now: Instant) -> bool:
    """Return whether asking once more would be one too many, or might pay a second time."""
    if not stored.attempts:
        return False
    forgotten = clock.plus(stored.asked_at, seconds=line.rail.remembers_hours * 3_600)
    # Another account does not know the key of a call that the first one may have paid.
    moved = stored.provider_account not in {0, line.provider.account}
    return moved or stored.attempts > len(DELAYS_S) or now >= forgotten


def _give_up(stored: Payout, *, now: Instant) -> None:
    """List the payout for a person to look at; the money stays in transit.

    What they may say is that nothing was paid: that it was, the provider tells by a message.
    """
    unanswered = msgspec.structs.replace(
        _statement(stored, "unanswered", now),
        fact="rejected",
        reason="unanswered",
        problem="unknown_status",
    )
    settle.take(unanswered, now=now)
    _note(stored, now=now, next_at="")


def _booking(claimed: Payout, outcome: Outcome, now: Instant) -> Booking:
    if outcome.verdict == "paid":
        told = _statement(claimed, "paid", now)
        return msgspec.structs.replace(
            told,
            fact="paid",
            direction="debit",
            booked_on=clock.day(now),
            fee_minor=outcome.fee_minor,
            fee_currency=outcome.fee_currency,
        )
    # The provider may tell of it again by a message: that is the same fact.
    told = _statement(claimed, "returned", now)
    return msgspec.structs.replace(told, fact="rejected", reason=outcome.reason)


def _statement(about: Payout, fact: str, now: Instant) -> Booking:
    """Return what is common to everything that is said of a payout here."""
    amount_minor, currency = about.ordered
    return Booking(
        key=answers.booking_key(about.program, about.provider, about.reference, fact),
        fact=fact,
        status="matched",
        at=now,
        file="",
        kind="call",
        amount_minor=amount_minor,
        currency=currency,
        reference=about.reference,
        batch=about.batch,
        program=about.program,
        provider=about.provider,
    )


def _payment(line: Line, stored: Payout) -> Payment:
    profile = partners.find_partner(stored.partner) if "." not in stored.partner else None
    # An account confirmed since is paid to by the next batch, after its cooling-off.
    payee = people.payee(profile.person, at=line.batch.submitted_at) if profile else None
    if payee is None and line.batch.method in paying.NEEDS_PAYEE:
        message = "the payee is gone"
        raise StaleError(message, reference=stored.reference)
    return files.payment(stored, payee, line.document)


def _note(seen: Payout, *, now: Instant, **changes: object) -> None:
    """Write *changes* down while the payout is in transit, whatever else happened to it."""
    for _ in range(_ATTEMPTS):
        before = payouts.find(seen.reference)
        if before is None or before.status != "in_transit":
            return
        after = msgspec.structs.replace(
            before, version=before.version + 1, updated_at=now, **changes
        )
        try:
            _save(before, after)
        except StaleError:
            continue
        return
    message = "the payout kept changing"
    raise ContentionError(message, reference=seen.reference)


def _save(before: Payout, after: Payout) -> None:
    writes = Transaction()
    payouts.change(writes, before, after)
    writes.commit()


def _call(request: Request) -> tuple[outbound.Reply | None, bool]:
    """Return the answer, None when there was none, and whether anything was sent."""
    try:
        return outbound.call(request, networks=outbound.opened()), True
    except outbound.NoAnswerError as lost:
        logger.warning("no answer", extra={"why": str(lost)})
        return None, not isinstance(lost, outbound.NotReachedError)
    except (outbound.RefusedAddressError, InvalidInputError) as refused:
        logger.warning("address refused", extra={"why": str(refused)})
        return None, False
