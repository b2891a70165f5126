"""What the state machine tells the books: moves a plan pays for, and events of a program's own."""

from typing import Any

import pytest

from introducer import life
from introducer.command import Accept, Advance, Clear, Command, RecordEvent
from introducer.errors import TransitionError
from tests.support.commands import LATER
from tests.support.life import NOW, document, new_referral

DOCUMENT = document()
FLAT = {"kind": "flat", "amount_minor": 500, "currency": "EUR"}
WHOLE = [{"id": "all", "share_basis_points": 10_000, "when": "earned"}]
EARLY_MOVES: list[tuple[str, Command]] = [
    ("submitted", Clear(partner="pia", audience="partners")),
    ("assigned", Accept()),
    ("accepted", Advance(stage="qualified", source_at=LATER)),
]


@pytest.mark.parametrize(
    ("plan", "expected"),
    [
        ({}, []),
        ({"trigger": {"on": "submitted"}}, ["Clear"]),
        ({"trigger": {"on": "submitted"}, "beneficiary": "rep"}, ["Clear", "Accept"]),
        ({"trigger": {"on": "event", "event": "demo_held"}}, ["Clear"]),
        ({"trigger": {"on": "stage", "stage": "qualified"}}, ["Accept", "Advance"]),
    ],
)
def test_moves_before_the_sale_are_marked_where_a_plan_pays_for_them(
    plan: dict[str, Any], expected: list[str]
) -> None:
    """The books hear of them then, and only then."""
    rules = document(rewards=[{"id": "p", "calculation": FLAT, "milestones": WHOLE, **plan}])
    marked = []
    for status, command in EARLY_MOVES:
        before = new_referral(status=status, rep="anna")
        _, event = life.apply(before, command, rules, now=LATER, actor="system")
        marked += [type(command).__name__] if event.data.get("earns") else []
    assert expected == marked


def test_an_event_of_the_programs_own_tells_what_was_reported() -> None:
    """The status stays; an event without an amount has neither amount nor currency."""
    before = new_referral(status="accepted", rep="anna")
    upgrade = RecordEvent(event="upgraded", id="u1", at=NOW, amount_minor=900, currency="EUR")
    after, event = life.apply(before, upgrade, DOCUMENT, now=LATER, actor="source:acme/crm")
    told = {"event": "upgraded", "id": "u1", "at": NOW, "amount_minor": 900, "currency": "EUR"}
    assert ("ReferralEventRecorded", told | {"status": "accepted"}) == (event.type, event.data)
    assert "accepted" == after.status
    demo = RecordEvent(event="demo_held", id="d1", at=NOW)
    _, event = life.apply(before, demo, DOCUMENT, now=LATER, actor="source:acme/crm")
    assert {"event": "demo_held", "id": "d1", "at": NOW, "status": "accepted"} == event.data


def test_an_event_the_program_does_not_have_is_refused() -> None:
    """What is not declared never gets into the history."""
    command = RecordEvent(event="party", id="e1", at=NOW)
    with pytest.raises(TransitionError):
        life.apply(new_referral(), command, DOCUMENT, now=LATER, actor="source:acme/crm")
