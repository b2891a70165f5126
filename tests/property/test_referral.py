"""No sequence of commands breaks the referral state machine."""

from typing import Any

import msgspec
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from introducer import clock, life
from introducer.command import Command
from introducer.errors import OutdatedError, TransitionError
from introducer.event import Event
from introducer.referral import FINAL, Referral
from tests.support.commands import ALLOWED, COMMANDS, STATUSES
from tests.support.life import NOW, document, new_referral

DOCUMENT = document(
    routing={
        "rules": [{"reps": ["anna"]}],
        "sla": {"accept_within_hours": 24, "remind_after_hours": 4},
    }
)


class ReferralLife(RuleBasedStateMachine):
    """Throw commands at a referral, in any order and with the source's clock going both ways."""

    def __init__(self) -> None:
        super().__init__()
        self.now = NOW
        self.referral = new_referral()
        self.events: list[Event] = [life.submitted(self.referral, actor="public")]

    @rule(
        command=st.sampled_from(COMMANDS),
        passed_s=st.integers(0, 100_000),
        source_behind_s=st.integers(0, 200_000),
    )
    def send(self, command: Command, passed_s: int, source_behind_s: int) -> None:
        """Send a command and check what became of it against the table written by hand."""
        self.now = clock.plus(self.now, seconds=passed_s)
        source_at = clock.plus(self.now, seconds=-source_behind_s)
        command = _at(command, source_at)
        before = self.referral
        allowed = before.status in ALLOWED[type(command).__name__]
        outdated = hasattr(command, "source_at") and source_at < before.source_at
        try:
            after, event = life.apply(before, command, DOCUMENT, now=self.now, actor="system")
        except TransitionError:
            assert not allowed
        except OutdatedError:
            assert allowed
            assert outdated
        else:
            assert allowed
            assert not outdated
            self._check_move(before, after, event)
            self.referral = after
            self.events.append(event)

    def _check_move(self, before: Referral, after: Referral, event: Event) -> None:
        assert before.version + 1 == after.version == event.seq
        assert after.status == event.data["status"]
        assert self.now == after.updated_at == event.at
        for name in ("id", "program", "program_version", "submitted_at", "lead", "lead_key"):
            assert getattr(before, name) == getattr(after, name)
        assert before.passed == after.passed[: len(before.passed)]

    @invariant()
    def is_sound(self) -> None:
        """The status is a known one and the fields agree with it."""
        state = self.referral
        assert state.status in STATUSES
        assert len(self.events) == state.version
        if state.status in {"assigned", "accepted", "qualified", "proposal"}:
            assert state.rep
        if state.status == "screening":
            assert not state.rep
        assert bool(state.accept_by) == (state.status == "assigned")
        assert state.remind_at < state.accept_by or state.remind_at == ""
        if state.status in {"won", "retained"}:
            assert state.won_at
            assert state.won_at < state.retain_at
        if state.status == "duplicate":
            assert state.duplicate_of

    @invariant()
    def events_are_numbered_without_a_gap(self) -> None:
        """The events are the audit trail: none is missing and none stands twice."""
        assert list(range(1, len(self.events) + 1)) == [event.seq for event in self.events]
        assert len({event.id for event in self.events}) == len(self.events)

    @invariant()
    def nothing_follows_an_end(self) -> None:
        """A final status stays; what may still be corrected is whose credit it was."""
        statuses = [event.data.get("status", "submitted") for event in self.events]
        ended = next((each for each in statuses if each in FINAL), "")
        assert not ended or {ended} == set(statuses[statuses.index(ended) :])


def _at(command: Command, source_at: str) -> Command:
    fields: dict[str, Any] = {"source_at": source_at} if hasattr(command, "source_at") else {}
    return msgspec.structs.replace(command, **fields)


TestReferralLife = ReferralLife.TestCase
TestReferralLife.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
