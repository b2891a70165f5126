"""Assignment by rules, with what is stored: turns, capacity, owners, and many leads at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from introducer import referral
from introducer.command import Accept, Clear, Hold, Reject, Win
from introducer.errors import StaleError
from introducer.event import Event
from introducer.life import apply
from introducer.partner import owner_changed
from introducer.tables import partners, referrals, reps, store
from introducer.tables.store import Transaction
from introducer.turn import Turn
from route import assign as assigning
from route.assign import assign
from tests.support import life
from tests.support.commands import SALE


@pytest.fixture
def office(aws: None, frozen: Callable[[str], None]) -> None:  # noqa: ARG001
    """A partner, three reps, and no program yet."""
    life.enrol("pia")
    for name in ("anna", "ben", "cleo"):
        life.add_rep(name)


def publish(*rules: dict[str, Any], **routing: Any) -> None:
    """Publish a program with these rules."""
    life.publish(routing={"rules": list(rules), **routing})


def screened(name: str, **lead: Any) -> None:
    """Store a lead that waits for a rep."""
    life.submit(name, lead_key=f"key-{name}", **lead)
    before = referrals.get(name)
    after, event = apply(
        before,
        Clear(partner="pia", audience="partners"),
        life.document(),
        now=life.NOW,
        actor="system",
    )
    writes = Transaction()
    referrals.save(writes, before, after, event)
    referrals.add_share(
        writes, after, referral.Share(partner="pia", basis_points=10_000, audience="partners")
    )
    writes.commit()


def given(name: str, **lead: Any) -> str:
    """Store a lead, assign it, and return who got it; empty when it is in review."""
    screened(name, **lead)
    assign(name, cause="e1")
    return referrals.get(name).rep


def last(name: str) -> Event:
    """Return the newest event of a referral."""
    return referrals.detail(name).events[-1]


@pytest.mark.usefixtures("office")
def test_turns_go_on_from_lead_to_lead() -> None:
    """The turn is stored with each assignment; its version counts them."""
    publish({"id": "all", "reps": [{"rep": "anna", "weight": 2}, "ben"]})
    assert ["anna", "ben", "anna"] * 2 == [given(f"r{number}") for number in range(6)]
    assert Turn(program="acme", rule="all", version=6) == reps.turn("acme", "all")
    assert {"rep": "anna", "rule": "all", "status": "assigned"} == last("r0").data


@pytest.mark.usefixtures("office")
@pytest.mark.parametrize(
    ("country", "expected"), [("DE", (1, 1, 2)), ("AT", (2, 1, 3))], ids=["one rep", "two reps"]
)
def test_an_ordinary_assignment_costs_no_more_than_its_turn(
    country: str, expected: tuple[int, int, int]
) -> None:
    """Single reads, batch reads, items written: a turn is one read and one item more."""
    publish({"reps": ["anna"], "countries": ["DE"]}, {"reps": ["anna", "ben"], "countries": ["AT"]})
    assert given("r0")  # so that the program's version is in memory, as it is in a warm function
    screened("r1", country=country)
    calls = [_calls(each) for each in ("GetItem", "BatchGetItem", "Query", "TransactWriteItems")]
    assign("r1", cause="e1")
    reads, batches, queries, (writes,) = calls
    assert [] == queries
    assert expected == (len(reads), len(batches), len(writes["TransactItems"]))


def _calls(operation: str) -> list[dict[str, Any]]:
    calls: list[dict[str, Any]] = []
    store.connection().client.meta.events.register(
        f"provide-client-params.dynamodb.{operation}", lambda params, **_: calls.append(params)
    )
    return calls


@pytest.mark.usefixtures("office")
def test_a_typed_condition_decides_and_the_way_is_kept() -> None:
    """Large leads go to Anna, the others to Ben; why is in the event, in codes."""
    large = {"field": "lead.size", "op": "gte", "value": 250}
    publish({"id": "large", "reps": ["anna"], "condition": large}, {"id": "rest", "reps": ["ben"]})
    assert "anna" == given("r1", facts={"lead.size": 250})
    assert "ben" == given("r2", facts={"lead.size": 249})
    assert {
        "rep": "ben",
        "rule": "rest",
        "passed_over": "large:condition",
        "status": "assigned",
    } == last("r2").data


@pytest.mark.usefixtures("office")
def test_a_rule_may_ask_about_the_partner() -> None:
    """The share of the partner credited with most is read for it."""
    partners_first = {"field": "partner.audience", "op": "eq", "value": "partners"}
    publish({"reps": ["cleo"], "condition": partners_first}, {"reps": ["ben"]})
    assert "cleo" == given("r1")


@pytest.mark.usefixtures("office")
def test_capacity_counts_the_leads_still_open() -> None:
    """Assigned, accepted and every stage count; won and handed back do not."""
    life.add_rep("dora", capacity=2)
    publish({"reps": ["dora"]}, {"reps": ["ben"]})
    assert ["dora", "dora", "ben"] == [given(name) for name in ("r1", "r2", "r3")]
    assert "0/dora:full" == last("r3").data["passed_over"]
    life.move("r1", Accept())
    assert "ben" == given("r4")
    life.move("r1", Win(sale=SALE))
    assert "dora" == given("r5")
    life.move("r2", Reject(reason="no_interest"))
    assert "dora" == given("r6")
    assert "ben" == given("r7")


@pytest.mark.usefixtures("office")
def test_the_partners_own_rep_gets_the_lead_first() -> None:
    """As long as they take leads; the profile as it stands now decides."""
    publish({"reps": ["anna", "ben"]}, owner_first=True)
    assert "anna" == given("r1")
    pia = partners.find_partner("pia")
    assert pia is not None
    writes = Transaction()
    after, event = owner_changed(pia, "cleo", now=life.NOW, actor="user:1")
    partners.save(writes, pia, after, event)
    writes.commit()
    assert "cleo" == given("r2")
    assert {"rep": "cleo", "rule": "owner", "status": "assigned"} == last("r2").data
    life.move("r2", Reject(reason="not_my_territory"))
    assign("r2", cause="e9")
    assert "ben" == referrals.get("r2").rep


@pytest.mark.usefixtures("office")
def test_nobody_left_is_told_with_its_reasons() -> None:
    """The manager who finds it in the queue sees who was passed over, and why."""
    publish({"id": "at", "reps": ["ben"], "countries": ["AT"]}, {"reps": ["anna", "nobody"]})
    assert "" == given("r1", passed=["anna"])
    assert {
        "reason": "no_rep",
        "passed_over": "at:country 1/anna:handed_back 1/nobody:unknown",
        "status": "review",
    } == last("r1").data
    assert ["r1"] == [row.id for row in referrals.in_queue("acme", "review", limit=5)[0]]


@pytest.mark.usefixtures("office")
def test_a_turn_taken_meanwhile_is_decided_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another lead of the rule came first: this one goes to the next rep, not to the same."""
    publish({"reps": ["anna", "ben"]})
    screened("r1")
    screened("r2")
    _interrupt(monkeypatch, [lambda: assign("r2", cause="e2")])
    assign("r1", cause="e1")
    assert ("ben", "anna") == (referrals.get("r1").rep, referrals.get("r2").rep)
    assert 2 == reps.turn("acme", "0").version


@pytest.mark.usefixtures("office")
def test_a_lead_that_moved_meanwhile_takes_no_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    """State, event and turn are written together or not at all."""
    publish({"reps": ["anna", "ben"]})
    screened("r1")
    _interrupt(monkeypatch, [lambda: life.move("r1", Hold(reason="checked_by_hand"))])
    with pytest.raises(StaleError, match="changed the referral first"):
        assign("r1", cause="e1")
    assert 0 == reps.turn("acme", "0").version
    assign("r1", cause="e1")
    assert ("anna", 1) == (referrals.get("r1").rep, reps.turn("acme", "0").version)


@pytest.mark.usefixtures("office")
def test_a_turn_that_is_always_taken_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """After enough attempts the event is left to the retry queue; nothing is half done."""
    publish({"reps": ["anna", "ben"]})
    screened("r1")

    def taken(*_: object) -> None:
        raise reps.TurnTakenError("another lead took this turn")

    monkeypatch.setattr(assigning.reps, "save_turn", taken)
    monkeypatch.setattr(assigning.time, "sleep", lambda _: None)
    with pytest.raises(reps.TurnTakenError):
        assign("r1", cause="e1")
    assert "screening" == referrals.get("r1").status


def test_many_leads_at_once_take_exact_turns(engine: str) -> None:
    """Eight workers, forty leads, weights 2 to 1 to 1: twenty, ten and ten, none lost."""
    assert engine
    life.enrol("pia")
    for name in ("anna", "ben", "cleo"):
        life.add_rep(name)
    publish({"id": "all", "reps": [{"rep": "anna", "weight": 2}, "ben", "cleo"]})
    names = [f"r{number}" for number in range(40)]
    for name in names:
        screened(name)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda name: assign(name, cause="e1"), names))
    assert {"anna": 20, "ben": 10, "cleo": 10} == Counter(referrals.get(name).rep for name in names)
    assert Turn(program="acme", rule="all", version=40) == reps.turn("acme", "all")
    assert [3] * 40 == [referrals.get(name).version for name in names]


def _interrupt(monkeypatch: pytest.MonkeyPatch, meanwhile: list[Callable[[], object]]) -> None:
    """Let something happen between reading the turn and writing it."""
    choose = assigning.routing.choose

    def choose_slowly(*arguments: Any, **options: Any) -> Any:
        choice = choose(*arguments, **options)
        if meanwhile:
            meanwhile.pop()()
        return choice

    monkeypatch.setattr(assigning.routing, "choose", choose_slowly)
