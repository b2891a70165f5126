"""Leads nobody takes: reminded once, taken back, and given to somebody else."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest

from introducer.command import Accept, Assign, Clear, Hold, Reject
from introducer.errors import NotFoundError, TransitionError
from introducer.tables import referrals
from introducer.tables.store import Table, Transaction
from route import overdue
from route.assign import assign
from tests.support import life

ASSIGNED = "2026-11-22T11:17:00.000Z"
REMINDED = "2026-11-22T15:17:00.000Z"
OVER = "2026-11-23T11:17:00.000Z"
SLA = {"accept_within_hours": 24, "remind_after_hours": 4}
NOTHING = {"reminded": 0, "taken_back": 0}

Clock = Callable[[str], None]


@pytest.fixture
def clock(aws: None, frozen: Clock) -> Clock:  # noqa: ARG001
    """A lead that was given to Anna, in a program that wants it taken within a day."""
    life.enrol("pia")
    life.add_rep("anna")
    life.add_rep("ben")
    given(SLA)
    return frozen


def given(sla: dict[str, object] | None, name: str = "r1", version: int = 1) -> None:
    """Publish these limits and give a lead out under them."""
    life.publish(routing={"rules": [{"reps": ["anna", "ben"]}], "sla": sla})
    life.submit(name, lead_key=f"key-{name}", program_version=version)
    life.move(name, Clear(partner="pia", audience="partners"))
    assign(name, cause="e1")


def run() -> dict[str, int]:
    """Run the job as the schedule does."""
    done = overdue.handler({}, None)
    assert 0 == done.pop("invited")
    return done


def types(name: str = "r1") -> list[str]:
    """Return the types of what happened since the assignment."""
    return [event.type for event in referrals.detail(name).events[3:]]


def test_nothing_happens_early(clock: Clock) -> None:
    """A millisecond before its time a lead is not due."""
    for moment in (ASSIGNED, "2026-11-22T15:16:59.999Z"):
        clock(moment)
        assert NOTHING == run()
    assert [] == types()


def test_the_rep_is_reminded_once(clock: Clock) -> None:
    """The lead stays theirs; running again, then and later, reminds nobody."""
    clock(REMINDED)
    before = referrals.get("r1")
    assert {"reminded": 1, "taken_back": 0} == run()
    assert msgspec.structs.replace(
        before, version=4, remind_at="", updated_at=REMINDED
    ) == referrals.get("r1")
    assert NOTHING == run()
    clock("2026-11-23T11:16:59.999Z")
    assert NOTHING == run()
    assert ["ReferralReminded"] == types()


def test_when_the_time_is_over_somebody_else_gets_it(clock: Clock) -> None:
    """Taken back, then routed past who let it lie; nobody left: a person decides."""
    clock(REMINDED)
    run()
    clock(OVER)
    assert {"reminded": 0, "taken_back": 1} == run()
    state = referrals.get("r1")
    assert ("screening", "", ["anna"], "") == (
        state.status,
        state.rep,
        state.passed,
        state.accept_by,
    )
    assert NOTHING == run()
    assign("r1", cause="e2")
    state = referrals.get("r1")
    assert ("assigned", "ben", "2026-11-24T11:17:00.000Z") == (
        state.status,
        state.rep,
        state.accept_by,
    )
    clock("2026-11-24T11:17:00.000Z")
    assert {"reminded": 0, "taken_back": 1} == run()
    assign("r1", cause="e3")
    assert ("review", ["anna", "ben"]) == (
        referrals.get("r1").status,
        referrals.get("r1").passed,
    )
    assert [
        "ReferralReminded",
        "ReferralReturned",
        "ReferralAssigned",
        "ReferralReturned",
        "ReferralReviewRequested",
    ] == types()


def test_a_job_that_was_late_takes_back_without_a_reminder(clock: Clock) -> None:
    """Who is out of time need not be told to hurry."""
    clock("2026-11-25T00:00:00.000Z")
    assert {"reminded": 0, "taken_back": 1} == run()
    assert ["ReferralReturned"] == types()


def test_a_program_may_want_a_person_to_decide(clock: Clock) -> None:
    """Then it goes to the review queue, and says why."""
    given({**SLA, "then": "review"}, "r2", 2)
    clock(OVER)
    assert {"reminded": 0, "taken_back": 2} == run()
    state = referrals.get("r2")
    assert ("review", "sla", "") == (state.status, state.reason, state.rep)
    assert ["r2"] == [row.id for row in referrals.in_queue("acme", "review", limit=5)[0]]


def test_a_program_without_a_limit_waits_for_ever(clock: Clock) -> None:
    """Nothing is due that nobody asked for."""
    given(None, "r2", 2)
    life.move("r1", Accept())
    clock("2027-11-22T11:17:00.000Z")
    assert NOTHING == run()


@pytest.mark.parametrize("command", [Accept(), Reject(reason="no_interest")])
def test_who_answered_is_left_alone(clock: Clock, command: Accept | Reject) -> None:
    """Taken or declined: the time limit is over, however late it is."""
    life.move("r1", command)
    clock(OVER)
    assert NOTHING == run()


def test_a_hold_stops_no_limit(clock: Clock) -> None:
    """Rewards wait, the lead does not."""
    life.move("r1", Hold(reason="checked_by_hand"))
    clock(OVER)
    assert {"reminded": 0, "taken_back": 1} == run()


def test_accepting_after_the_limit_and_before_the_job_counts(clock: Clock) -> None:
    """Better late than somebody else's."""
    clock(OVER)
    life.move("r1", Accept(), now=OVER)
    assert NOTHING == run()
    assert "accepted" == referrals.get("r1").status


def test_a_rep_who_accepts_at_the_last_moment_wins(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The job had read the lead already: its write fails and nothing else happens."""
    clock(OVER)
    _meanwhile(monkeypatch, lambda: life.move("r1", Accept(), now=OVER))
    assert NOTHING == run()
    assert ["ReferralAccepted"] == types()
    assert ("accepted", "anna") == (referrals.get("r1").status, referrals.get("r1").rep)


def test_a_rep_who_is_a_moment_too_late_is_told(clock: Clock) -> None:
    """The lead is somebody else's to take by then."""
    clock(OVER)
    run()
    with pytest.raises(TransitionError):
        life.move("r1", Accept(), now=OVER)


@pytest.mark.parametrize("moment", [REMINDED, OVER])
def test_two_jobs_at_once_are_one(
    clock: Clock, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    """A second run does everything between what the first one reads and what it writes."""
    clock(moment)
    _meanwhile(monkeypatch, run)
    assert NOTHING == run()
    assert 1 == len(types())


def test_many_leads_are_all_found(clock: Clock) -> None:
    """Over every shard of the index."""
    life.move("r1", Accept())
    names = [f"m{number}" for number in range(30)]
    for name in names:
        life.submit(name, lead_key=f"key-{name}")
        life.move(name, Clear(partner="pia", audience="partners"))
        life.move(name, Assign(rep="anna"))
    clock(OVER)
    assert {"reminded": 0, "taken_back": 30} == run()


def test_a_lead_that_cannot_be_moved_holds_up_no_other(clock: Clock) -> None:
    """Its program version is gone: the others are taken back, and the failure is raised after."""
    life.submit("lost", lead_key="key-lost")
    life.move("lost", Clear(partner="pia", audience="partners"))
    lost = life.move("lost", Assign(rep="anna"))
    writes = Transaction()
    gone = msgspec.structs.replace(lost, program_version=9)
    index = {"gsi3pk": "DUE#overdue#0", "gsi3sk": "2026-11-01T00:00:00.000Z"}
    writes.put(Table.CORE, lost.entity, "STATE", gone, index=index)
    writes.commit()
    clock(OVER)
    with pytest.raises(NotFoundError):
        run()
    assert ("screening", "assigned") == (
        referrals.get("r1").status,
        referrals.get("lost").status,
    )


def _meanwhile(monkeypatch: pytest.MonkeyPatch, happen: Callable[[], object]) -> None:
    """Let something happen once, just before the job's first write."""
    commit = Transaction.commit
    left = [happen]

    def commit_late(writes: Transaction) -> None:
        if left:
            left.pop()()
        commit(writes)

    monkeypatch.setattr(Transaction, "commit", commit_late)
