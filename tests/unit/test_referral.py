"""The referral state machine: what each command does, and what it may never do."""

import msgspec
import pytest

from introducer import life
from introducer.command import (
    Accept,
    Advance,
    Assess,
    Assign,
    Churn,
    Clear,
    Command,
    Hold,
    Lose,
    Reject,
    Release,
    Remind,
    SendToReview,
    TakeBack,
    Win,
    Withdraw,
)
from introducer.errors import OutdatedError, TransitionError
from introducer.event import Event
from introducer.referral import FINAL, Referral
from tests.support.commands import ALLOWED, COMMANDS, LATER, SALE, STATUSES
from tests.support.life import NOW, document, new_referral

DOCUMENT = document()


def _apply(before: Referral, command: Command) -> tuple[Referral, Event]:
    return life.apply(before, command, DOCUMENT, now=LATER, actor="system", cause="c1")


def _name(value: object) -> str:
    return value if isinstance(value, str) else type(value).__name__


@pytest.mark.parametrize("command", COMMANDS, ids=_name)
@pytest.mark.parametrize("status", STATUSES)
def test_apply_allows_exactly_the_listed_moves(status: str, command: Command) -> None:
    """Every command against every status: allowed ones move by one version, others raise."""
    before = new_referral(status=status, rep="anna", version=7)
    if status in ALLOWED[type(command).__name__]:
        after, event = _apply(before, command)
        assert (8, 8, after.status) == (after.version, event.seq, event.data["status"])
    else:
        with pytest.raises(TransitionError) as raised:
            _apply(before, command)
        assert {"status": status, "command": type(command).__name__} == raised.value.data


def test_final_statuses_admit_nothing() -> None:
    """What has ended stays ended: no command starts there but the one that moves no status."""
    starts = {status: command for command, found in ALLOWED.items() for status in found & FINAL}
    assert {"refunded": "Recredit", "churned": "Recredit"} == starts


def test_submitted_is_the_first_event() -> None:
    """It holds the ids a consumer needs and nobody's name."""
    expected = Event(
        type="ReferralSubmitted",
        entity="REFERRAL#r1",
        seq=1,
        program="acme",
        at=NOW,
        actor="public",
        data={"channel": "form", "lead": "lead-r1", "link": "abcd2345"},
        cause="k1",
    )
    before = new_referral(link="abcd2345")
    assert expected == life.submitted(before, actor="public", cause="k1")


def test_clear_credits_the_partner_and_may_hold() -> None:
    """The whole state and the whole event."""
    before = new_referral()
    after, event = _apply(before, Clear(partner="pia", audience="partners", hold="self_referral"))
    assert (
        msgspec.structs.replace(
            before,
            status="screening",
            version=2,
            updated_at=LATER,
            partner="pia",
            audience="partners",
            hold="self_referral",
        )
        == after
    )
    assert (
        Event(
            type="ReferralScreened",
            entity="REFERRAL#r1",
            seq=2,
            program="acme",
            at=LATER,
            actor="system",
            data={"partner": "pia", "hold": "self_referral", "status": "screening"},
            cause="c1",
        )
        == event
    )


def test_reject_with_a_reason_of_the_rep_hands_the_lead_back() -> None:
    """The lead goes to routing again and remembers who passed."""
    before = new_referral(status="assigned", rep="ben", passed=["anna"])
    after, event = _apply(before, Reject(reason="not_my_territory"))
    assert ("screening", "", ["anna", "ben"]) == (after.status, after.rep, after.passed)
    assert "ReferralReturned" == event.type
    assert {"reason": "not_my_territory", "rep": "ben", "status": "screening"} == event.data


def test_reject_with_a_reason_of_the_lead_ends_it() -> None:
    """The reason is kept, for the partner to read."""
    after, event = _apply(new_referral(status="assigned", rep="ben"), Reject(reason="no_interest"))
    assert ("rejected", "no_interest") == (after.status, after.reason)
    assert ("ReferralRejected", {"reason": "no_interest", "status": "rejected"}) == (
        event.type,
        event.data,
    )


def test_reject_from_review_ends_it_whatever_the_reason() -> None:
    """Where no rep holds it there is nobody to hand it back."""
    after, event = _apply(new_referral(status="review"), Reject(reason="no_capacity"))
    assert ("rejected", "ReferralRejected") == (after.status, event.type)


def test_assign_from_review_clears_the_reason() -> None:
    """Once placed, why a person had to look is history."""
    after, _ = _apply(new_referral(status="review", reason="no_rep"), Assign(rep="anna"))
    assert ("assigned", "anna", "") == (after.status, after.rep, after.reason)


PRESSED = document(
    routing={
        "rules": [{"reps": ["anna", "ben"]}],
        "sla": {"accept_within_hours": 24, "remind_after_hours": 4},
    }
)
ACCEPT_BY, REMIND_AT = "2026-11-24T10:00:00.000Z", "2026-11-23T14:00:00.000Z"


def _pressed(before: Referral, command: Command) -> tuple[Referral, Event]:
    return life.apply(before, command, PRESSED, now=LATER, actor="system")


def test_assign_says_until_when_and_why() -> None:
    """The program's times count from the assignment; the event keeps what routing looked at."""
    before = new_referral(status="screening")
    command = Assign(rep="anna", rule="dach", passed_over="at:country")
    after, event = _pressed(before, command)
    assert (ACCEPT_BY, REMIND_AT) == (after.accept_by, after.remind_at)
    assert {
        "rep": "anna",
        "rule": "dach",
        "passed_over": "at:country",
        "status": "assigned",
    } == event.data


@pytest.mark.parametrize(
    ("sla", "expected"),
    [
        (None, ("", "")),
        ({"accept_within_hours": 24}, (ACCEPT_BY, "")),
        ({"accept_within_hours": 720}, ("2026-12-23T10:00:00.000Z", "")),
    ],
)
def test_assign_without_a_limit_or_a_reminder(
    sla: dict[str, int] | None, expected: tuple[str, str]
) -> None:
    """A program that says nothing waits for ever; one that names no reminder sends none."""
    rules = document(routing={"rules": [{"reps": ["anna"]}], "sla": sla})
    before = new_referral(status="review", accept_by="old", remind_at="old")
    after, _ = life.apply(before, Assign(rep="anna"), rules, now=LATER, actor="user:1")
    assert expected == (after.accept_by, after.remind_at)


@pytest.mark.parametrize(
    "command",
    [
        Accept(),
        Reject(reason="no_capacity"),
        Reject(reason="no_interest"),
        Advance(stage="qualified", source_at=LATER),
        Win(sale=SALE),
        Lose(reason="budget", source_at=LATER),
        Withdraw(reason="by_lead"),
        TakeBack(then="review"),
        TakeBack(then="reroute"),
    ],
    ids=_name,
)
def test_the_time_limit_ends_with_the_assignment(command: Command) -> None:
    """Whatever happens next, nobody waits for the rep's answer any more."""
    after, _ = _pressed(_waiting(), command)
    assert ("", "") == (after.accept_by, after.remind_at)


def test_a_hold_does_not_stop_the_clock() -> None:
    """Rewards are held, the lead still wants to be called."""
    after, _ = _pressed(_waiting(), Hold(reason="self_referral"))
    assert (ACCEPT_BY, REMIND_AT) == (after.accept_by, after.remind_at)


def _waiting() -> Referral:
    return new_referral(
        status="assigned", rep="ben", passed=["anna"], accept_by=ACCEPT_BY, remind_at=REMIND_AT
    )


def test_remind_is_done_once() -> None:
    """Afterwards only the limit is left; the event names the rep."""
    after, event = _pressed(_waiting(), Remind())
    assert (ACCEPT_BY, "") == (after.accept_by, after.remind_at)
    assert ("ReferralReminded", {"rep": "ben", "status": "assigned"}) == (event.type, event.data)


@pytest.mark.parametrize(
    ("then", "kind", "status", "reason"),
    [
        ("reroute", "ReferralReturned", "screening", ""),
        ("review", "ReferralReviewRequested", "review", "sla"),
    ],
)
def test_take_back_remembers_who_let_it_lie(then: str, kind: str, status: str, reason: str) -> None:
    """Nobody holds it then, and routing does not ask the same rep again."""
    command = TakeBack(then="review" if then == "review" else "reroute")
    after, event = _pressed(_waiting(), command)
    assert (status, reason, "", ["anna", "ben"]) == (
        after.status,
        after.reason,
        after.rep,
        after.passed,
    )
    assert (kind, {"reason": "sla", "rep": "ben", "status": status}) == (event.type, event.data)


def test_assess_keeps_the_rating_among_the_facts() -> None:
    """Conditions ask for it there; the event says what was said, in codes."""
    before = new_referral(status="accepted", rep="ben", facts={"lead.size": 12})
    command = Assess(rating=4, involvement={"quin": "assisted", "pia": "co_sold"})
    after, event = _apply(before, command)
    assert {"lead.size": 12, "lead.rating": 4} == after.facts
    assert (
        "ReferralAssessed",
        {"rating": 4, "involvement": "pia:co_sold quin:assisted", "status": "accepted"},
    ) == (event.type, event.data)


def test_review_tells_why_nobody_was_found() -> None:
    """A manager sees what routing looked at."""
    command = SendToReview(reason="no_rep", passed_over="0/anna:full")
    _, event = _apply(new_referral(status="screening"), command)
    assert {
        "reason": "no_rep",
        "passed_over": "0/anna:full",
        "status": "review",
    } == event.data


def test_accept_names_the_rep() -> None:
    """The event tells who accepted without a read."""
    _, event = _apply(new_referral(status="assigned", rep="anna"), Accept())
    assert {"rep": "anna", "status": "accepted"} == event.data


def test_advance_to_an_unknown_stage_raises() -> None:
    """A stage the program does not have changes nothing."""
    with pytest.raises(TransitionError) as raised:
        _apply(new_referral(status="accepted"), Advance(stage="signed", source_at=LATER))
    assert {"stage": "signed"} == raised.value.data


@pytest.mark.parametrize(
    "command",
    [
        Advance(stage="qualified", source_at=NOW),
        Lose(reason="budget", source_at=NOW),
    ],
    ids=_name,
)
def test_an_older_word_of_the_source_changes_nothing(command: Command) -> None:
    """Updates that arrive out of order are refused by the source's own clock."""
    before = new_referral(status="accepted", source_at=LATER)
    with pytest.raises(OutdatedError) as raised:
        _apply(before, command)
    assert {"newest": LATER} == raised.value.data


def test_an_older_churn_changes_nothing() -> None:
    """The same rule holds after the sale."""
    with pytest.raises(OutdatedError):
        _apply(new_referral(status="won", source_at=LATER), Churn(source_at=NOW))


def test_a_word_of_the_source_with_the_same_time_counts() -> None:
    """Two updates in one second of the CRM are both taken, in the order they came."""
    before = new_referral(status="qualified", source_at=LATER)
    after, _ = _apply(before, Advance(stage="proposal", source_at=LATER))
    assert "proposal" == after.status


def test_win_starts_the_retention_time_at_the_sale() -> None:
    """Retention counts from when the customer bought, not from when we heard."""
    after, event = _apply(new_referral(status="accepted"), Win(sale=SALE))
    assert ("won", LATER, "2027-05-22T10:00:00.000Z", LATER) == (
        after.status,
        after.won_at,
        after.retain_at,
        after.source_at,
    )
    assert {"sale": "s1", "amount_minor": 50_000, "currency": "EUR", "status": "won"} == event.data


def test_win_after_lost_clears_the_reason() -> None:
    """A lost lead that buys after all is won."""
    after, _ = _apply(new_referral(status="lost", reason="budget"), Win(sale=SALE))
    assert ("won", "") == (after.status, after.reason)


def test_hold_and_release_leave_the_status() -> None:
    """A hold stops rewards, not the sale."""
    before = new_referral(status="won")
    held, _ = _apply(before, Hold(reason="self_referral"))
    assert ("won", "self_referral") == (held.status, held.hold)
    free, _ = _apply(held, Release(reason="reviewed"))
    assert ("won", "") == (free.status, free.hold)


def test_apply_leaves_the_referral_it_was_given() -> None:
    """Values are frozen, the list of reps who passed included."""
    before = new_referral(status="assigned", rep="ben", passed=["anna"])
    _apply(before, Reject(reason="no_capacity"))
    assert ["anna"] == before.passed
