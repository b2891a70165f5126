"""The life of a referral: a state machine without a database or a clock.

:func:`apply` takes a referral, a command and the time and returns the referral
after it together with the one event that says what happened. A move that the
present status does not allow raises; nothing is ever silently ignored.

::

    submitted → screening → assigned → accepted → (stages) → won → retained
        │           │           │          └────────► lost
        │           │           └► screening (handed back) | rejected
        └► review ◄─┘            duplicate | ineligible | withdrawn | expired
    won, retained → refunded | churned
"""

from __future__ import annotations

from typing import assert_never

import msgspec

from introducer import clock
from introducer.clock import Instant
from introducer.command import (
    Absorb,
    Accept,
    Advance,
    Annul,
    Assess,
    Assign,
    Churn,
    Clear,
    Command,
    Expire,
    Hold,
    Identify,
    Lose,
    MarkDuplicate,
    MarkIneligible,
    RecordEvent,
    RecordRefund,
    RecordSale,
    Recredit,
    Reject,
    Release,
    Remind,
    Retain,
    SendToReview,
    TakeBack,
    Win,
    Withdraw,
)
from introducer.document.plan import Happened, StageReached, Submitted
from introducer.errors import OutdatedError, TransitionError
from introducer.event import Event
from introducer.program import Program
from introducer.referral import (
    ANNULLED,
    EARLY,
    HANDED_BACK,
    OVERDUE,
    SOLD,
    Facts,
    Referral,
    Sale,
)

_HOUR_S = 3600

_Outcome = tuple[str, dict[str, object], dict[str, str | int]]
"""The event's type, the changed fields and the event's data."""


def submitted(referral: Referral, *, actor: str, cause: str = "") -> Event:
    """Return the first event of a referral that was just made."""
    data: dict[str, str | int] = {"channel": referral.channel, "lead": referral.lead}
    if referral.link:
        data["link"] = referral.link
    return Event(
        type="ReferralSubmitted",
        entity=referral.entity,
        seq=referral.version,
        program=referral.program,
        at=referral.submitted_at,
        actor=actor,
        data=data,
        cause=cause,
    )


def imported(referral: Referral, *, actor: str, cause: str) -> Event:
    """Return the first event of a referral that was brought in from another system."""
    return Event(
        type="ReferralImported",
        entity=referral.entity,
        seq=referral.version,
        program=referral.program,
        at=referral.updated_at,
        actor=actor,
        data={
            "lead": referral.lead,
            "partner": referral.partner,
            "status": referral.status,
            "submitted_at": referral.submitted_at,
        },
        cause=cause,
    )


def apply(
    referral: Referral,
    command: Command,
    document: Program,
    *,
    now: Instant,
    actor: str,
    cause: str = "",
) -> tuple[Referral, Event]:
    """Return *referral* after *command*, and the event that tells of it.

    Args:
        referral: As it was read.
        command: What is to happen.
        document: The program version the referral was made under.
        now: The present instant.
        actor: Who does it: ``PARTNER#…``, ``REP#…``, ``user:…``, ``source:…`` or ``system``.
        cause: The event or message that led to it.

    Raises:
        TransitionError: The status does not allow it.
        OutdatedError: The source has since told us something newer.
    """
    _require_allowed(referral, command, document)
    kind, changes, data = _outcome(referral, command, document)
    status = changes.get("status", referral.status)
    if isinstance(command, Assign):
        changes |= _deadlines(document, now)
    elif status != "assigned":
        changes |= {"accept_by": "", "remind_at": ""}
    after = msgspec.structs.replace(
        referral, version=referral.version + 1, updated_at=now, **changes
    )
    event = Event(
        type=kind,
        entity=referral.entity,
        seq=after.version,
        program=referral.program,
        at=now,
        actor=actor,
        data={**data, "status": after.status, **_earns(command, document)},
        cause=cause,
    )
    return after, event


def allows(referral: Referral, command: type, document: Program) -> bool:
    """Return whether the referral's status admits a command of this kind."""
    return referral.status in _sources(command, document)


def _sources(command: type, document: Program) -> frozenset[str]:
    """Return the statuses from which *command* may start."""
    working = frozenset({"accepted", *document.stages})
    still_open = EARLY | working
    table: dict[type, frozenset[str]] = {
        Clear: frozenset({"submitted"}),
        MarkDuplicate: still_open,
        Absorb: still_open | SOLD | {"lost"},
        MarkIneligible: frozenset({"submitted", "screening", "review"}),
        SendToReview: frozenset({"submitted", "screening"}),
        Assign: frozenset({"screening", "review"}),
        Remind: frozenset({"assigned"}),
        TakeBack: frozenset({"assigned"}),
        Assess: working | {"assigned"},
        Accept: frozenset({"assigned"}),
        Reject: frozenset({"assigned", "review"}),
        Advance: working | {"assigned"},
        Win: working | {"assigned", "lost"},
        Lose: working | {"assigned"},
        RecordSale: SOLD,
        Identify: still_open | SOLD | {"lost"},
        RecordEvent: still_open | SOLD,
        RecordRefund: SOLD,
        Retain: frozenset({"won"}),
        Churn: SOLD,
        Withdraw: still_open,
        Expire: still_open,
        Hold: still_open | SOLD | {"lost"},
        Release: still_open | SOLD | {"lost"},
        Annul: still_open | SOLD | {"lost"},
        # Also when it is over: what was earned and kept may be somebody else's.
        Recredit: (still_open - {"submitted"}) | SOLD | {"lost", "refunded", "churned"},
    }
    return table[command]


def _require_allowed(referral: Referral, command: Command, document: Program) -> None:
    if not allows(referral, type(command), document):
        message = f"a referral that is {referral.status} cannot {_verb(command)}"
        raise TransitionError(message, status=referral.status, command=type(command).__name__)
    source_at = getattr(command, "source_at", "")
    if source_at and source_at < referral.source_at:
        message = "the source has reported something newer since"
        raise OutdatedError(message, newest=referral.source_at)


def _outcome(  # noqa: PLR0911  (one line for each command)
    referral: Referral, command: Command, document: Program
) -> _Outcome:
    """Return the event's type, the changed fields and the event's data."""
    match command:
        case Clear() | SendToReview() | Assign():
            return _placed(referral, command)
        case MarkDuplicate() | Absorb():
            return _joined(referral, command)
        case MarkIneligible(reason=reason):
            return _ended("ReferralIneligible", "ineligible", reason)
        case Remind() | TakeBack() | Assess():
            return _with_rep(referral, command)
        case Accept():
            return "ReferralAccepted", {"status": "accepted"}, {"rep": referral.rep}
        case Reject(reason=reason) if reason in HANDED_BACK and referral.rep:
            return (
                "ReferralReturned",
                {"status": "screening", "rep": "", "passed": [*referral.passed, referral.rep]},
                {"reason": reason, "rep": referral.rep},
            )
        case Reject(reason=reason):
            return _ended("ReferralRejected", "rejected", reason)
        case Annul(reason=reason):
            return _ended(ANNULLED, "rejected", reason)
        case Withdraw(reason=reason):
            return _ended("ReferralWithdrawn", "withdrawn", reason)
        case Expire():
            return "ReferralExpired", {"status": "expired"}, {}
        case Hold() | Release() | Recredit():
            return _of_rewards(referral, command)
        case Identify(external=external):
            return "ReferralIdentified", {}, {"tied": 1, "external": external}
        case RecordSale(sale=sale):
            return "SaleRecorded", _earlier_win(referral, sale, document), _sale_data(sale)
        case _:
            return _customer_outcome(command, document)


def _placed(referral: Referral, command: Clear | SendToReview | Assign) -> _Outcome:
    match command:
        case Clear(partner=partner, hold=hold, reserved_for=rep, reason=reason):
            changes: dict[str, object] = {
                "status": "screening",
                "partner": partner,
                "audience": command.audience,
                "hold": hold,
                "reserved_for": rep or referral.reserved_for,
            }
            told = _present(partner=partner, hold=hold, reserved_for=rep, reason=reason)
            return "ReferralScreened", changes, told
        case SendToReview(reason=reason, passed_over=passed_over, hold=hold):
            kind, changes, data = _ended("ReferralReviewRequested", "review", reason)
            changes |= {"hold": hold} if hold else {}
            return kind, changes, data | _present(passed_over=passed_over, hold=hold)
        case Assign(rep=rep, rule=rule, passed_over=passed_over, partner=partner):
            changes = {"status": "assigned", "rep": rep, "reason": ""}
            if partner:
                changes |= {"partner": partner, "audience": command.audience}
            told = _present(rep=rep, rule=rule, passed_over=passed_over, partner=partner)
            return "ReferralAssigned", changes, told
        case _:
            assert_never(command)


def _joined(referral: Referral, command: MarkDuplicate | Absorb) -> _Outcome:
    match command:
        case MarkDuplicate(of=of, reason=reason):
            kind, changes, data = _ended("ReferralDuplicate", "duplicate", reason)
            # What it earned when it was let through is taken back.
            earned: dict[str, str | int] = {"earns": 1} if referral.partner else {}
            return kind, {**changes, "duplicate_of": of}, data | earned
        case Absorb(referral=other):
            return "LeadMerged", {}, {"referral": other}
        case _:
            assert_never(command)


def _with_rep(referral: Referral, command: Remind | TakeBack | Assess) -> _Outcome:
    match command:
        case Remind():
            return "ReferralReminded", {"remind_at": ""}, {"rep": referral.rep}
        case TakeBack(then=then):
            changes: dict[str, object] = {"rep": "", "passed": [*referral.passed, referral.rep]}
            data: dict[str, str | int] = {"reason": OVERDUE, "rep": referral.rep}
            if then == "review":
                changes |= {"status": "review", "reason": OVERDUE}
                return "ReferralReviewRequested", changes, data
            return "ReferralReturned", {**changes, "status": "screening"}, data
        case Assess(rating=rating, involvement=involvement):
            parts = " ".join(f"{partner}:{part}" for partner, part in sorted(involvement.items()))
            facts: Facts = {**referral.facts, "lead.rating": rating}
            rated: dict[str, str | int] = {"rating": rating}
            return "ReferralAssessed", {"facts": facts}, rated | _present(involvement=parts)
        case _:
            assert_never(command)


def _of_rewards(referral: Referral, command: Hold | Release | Recredit) -> _Outcome:
    match command:
        case Hold(reason=reason):
            return "ReferralHeld", {"hold": reason}, {"reason": reason}
        case Release(reason=reason):
            return "ReferralReleased", {"hold": ""}, {"reason": reason}
        case Recredit(dispute=dispute, reason=reason, parts=parts):
            changes: dict[str, object] = {"dispute": dispute}
            # Of a lead that was not let through yet a person says so, by the new shares.
            if referral.partner:
                changes |= {"partner": command.partner, "audience": command.audience}
            credit = " ".join(f"{partner}:{part}" for partner, part in sorted(parts.items()))
            return (
                "ReferralRecredited",
                changes,
                {"dispute": dispute, "credit": credit, "reason": reason},
            )
        case _:
            assert_never(command)


def _earns(command: Command, document: Program) -> dict[str, str | int]:
    """Return the mark of a move before the sale that some plan pays for.

    The bus hands moves with the mark to the books; so they cost nothing where no plan does.
    """
    match command:
        case Assign(partner=""):
            paying = False
        case Clear() | Assign():  # events may have been reported while a person had to decide
            paying = any(
                isinstance(plan.trigger, Submitted | Happened) for plan in document.rewards
            )
        case Advance():
            paying = any(isinstance(plan.trigger, StageReached) for plan in document.rewards)
        case Accept():  # now the rep is known who brings it to an end
            paying = any(
                isinstance(plan.trigger, StageReached)
                or (isinstance(plan.trigger, Submitted) and plan.beneficiary == "rep")
                for plan in document.rewards
            )
        case _:
            paying = False
    return {"earns": 1} if paying else {}


def _deadlines(document: Program, now: Instant) -> dict[str, object]:
    """Return until when a lead given out *now* must be taken, and when its rep is reminded."""
    sla = document.routing.sla
    if sla is None:
        return {"accept_by": "", "remind_at": ""}
    accept_by = clock.plus(now, seconds=sla.accept_within_hours * _HOUR_S)
    remind_at = clock.plus(now, seconds=(sla.remind_after_hours or 0) * _HOUR_S)
    reminded = sla.remind_after_hours is not None and remind_at < accept_by
    return {"accept_by": accept_by, "remind_at": remind_at if reminded else ""}


def _customer_outcome(
    command: Advance | Win | Lose | RecordEvent | RecordRefund | Retain | Churn,
    document: Program,
) -> _Outcome:
    match command:
        case Advance(stage=stage, source_at=at):
            if stage not in document.stages:
                message = f"the program has no stage {stage}"
                raise TransitionError(message, stage=stage)
            return "ReferralAdvanced", {"status": stage, "source_at": at}, {"stage": stage}
        case Win(sale=sale):
            changes: dict[str, object] = {
                "status": "won",
                "won_at": sale.occurred_at,
                "retain_at": clock.plus(sale.occurred_at, days=document.retention_days),
                "source_at": sale.occurred_at,
                "reason": "",
            }
            return "ReferralWon", changes, _sale_data(sale)
        case Lose(reason=reason, source_at=at):
            return (
                "ReferralLost",
                {"status": "lost", "reason": reason, "source_at": at},
                {"reason": reason},
            )
        case RecordEvent():
            return "ReferralEventRecorded", {}, _event_data(command, document)
        case RecordRefund(sale=sale_id, refund=refund, amount_minor=amount, nothing_left=gone):
            data: dict[str, str | int] = {"sale": sale_id, "refund": refund, "amount_minor": amount}
            if gone:
                return "ReferralRefunded", {"status": "refunded"}, data
            return "SaleRefunded", {}, data
        case Retain():
            return "ReferralRetained", {"status": "retained"}, {}
        case Churn(source_at=at):
            return "ReferralChurned", {"status": "churned", "source_at": at}, {}
        case _:
            assert_never(command)


def _earlier_win(referral: Referral, sale: Sale, document: Program) -> dict[str, object]:
    """Return what changes when a sale is told of late that came before the one which won.

    So the referral is the same in whatever order its sales are told.
    """
    if referral.status != "won" or sale.occurred_at >= referral.won_at:
        return {}
    changes: dict[str, object] = {
        "won_at": sale.occurred_at,
        "retain_at": clock.plus(sale.occurred_at, days=document.retention_days),
    }
    if referral.source_at == referral.won_at:
        changes["source_at"] = sale.occurred_at
    return changes


def _ended(kind: str, status: str, reason: str) -> _Outcome:
    return kind, {"status": status, "reason": reason}, {"reason": reason}


def _sale_data(sale: Sale) -> dict[str, str | int]:
    return {"sale": sale.id, "amount_minor": sale.amount_minor, "currency": sale.currency}


def _event_data(command: RecordEvent, document: Program) -> dict[str, str | int]:
    if command.event not in document.events:
        message = f"the program has no event {command.event}"
        raise TransitionError(message, event=command.event)
    data: dict[str, str | int] = {"event": command.event, "id": command.id, "at": command.at}
    if command.currency:
        data |= {"amount_minor": command.amount_minor, "currency": command.currency}
    return data


def _present(**values: str) -> dict[str, str | int]:
    return {key: value for key, value in values.items() if value}


def _verb(command: Command) -> str:
    name = type(command).__name__
    return "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in name).strip()
