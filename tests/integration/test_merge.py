"""Two referrals that turned out to be of one lead become one, on the embedded tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from introducer.command import Accept, Advance, Assign, Clear, Win
from introducer.errors import UncertainError
from introducer.event import Event
from introducer.referral import Sale, Share, Touch
from introducer.tables import people, programs, referrals
from introducer.tables.store import Transaction
from payout import earn, reconcile
from submit import intake
from submit.intake import Lead
from tests.support import life, money
from tests.support.api import Reply, call, login
from tests.support.tables import everything

MANAGER = login("sub-m", "manager")
NOW = "2026-11-22T11:17:00.000Z"
LATER = "2026-11-23T11:17:00.000Z"

EARLY = [
    {
        "id": "lead_fee",
        "trigger": {"on": "submitted"},
        "calculation": {"kind": "flat", "amount_minor": 2_000, "currency": "EUR"},
        "milestones": [{"id": "whole", "share_basis_points": 10_000, "when": "earned"}],
    },
    {
        "id": "qualified",
        "trigger": {"on": "stage", "stage": "qualified"},
        "calculation": {"kind": "flat", "amount_minor": 5_000, "currency": "EUR"},
        "milestones": [{"id": "whole", "share_basis_points": 10_000, "when": "earned"}],
    },
]


@pytest.fixture(autouse=True)
def program(engine: str) -> None:
    """A program that pays for leads and stages, with Pia, Emil and Anna."""
    assert engine
    money.publish(rewards=EARLY)
    money.enrol("pia")
    money.enrol("emil")
    life.add_rep("anna")


def refer(
    name: str,
    partner: str,
    touches: Sequence[Touch] | None = None,
    *,
    at: str = NOW,
    assigned: bool = True,
    **lead: Any,
) -> None:
    """Store a referral of *partner*'s, given to Anna unless said otherwise."""
    made = intake.submit(
        programs.current("acme", at),
        Lead(name="Lena Lead", country="DE", **lead),
        [life.touch(partner)] if touches is None else touches,
        channel="api",
        actor="public",
        now=at,
        referral_id=name,
    )
    referrals.add_share(
        made.writes,
        made.referral,
        Share(partner=partner, basis_points=10_000, audience="partners"),
    )
    made.writes.commit()
    life.move(name, Clear(partner=partner, audience="partners"), now=at)
    if assigned:
        life.move(name, Assign(rep="anna"), now=at)


def merge(name: str, into: str, **options: Any) -> Reply:
    """Join a referral with another one."""
    path = f"/v1/programs/acme/referrals/{name}/merge"
    return call("POST", path, {"into": into}, claims=MANAGER, **options)


def state(name: str) -> tuple[str, str, str]:
    """Return a referral's status, whose duplicate it is, and why."""
    found = referrals.get(name)
    return found.status, found.duplicate_of, found.reason


def last(name: str) -> Event:
    """Return a referral's newest event."""
    return referrals.detail(name).events[-1]


def test_the_later_one_ends_and_the_first_one_keeps_everything() -> None:
    """One transaction: both states, an event of each with one cause, the touches, the claims."""
    form = Touch(id="form", kind="form", at=NOW)
    refer("r1", "pia", [life.touch("pia"), form], phone="030 901820")
    late = Touch(id="form", kind="form", at=NOW, data={"consent": "given"})
    refer("r2", "emil", [life.touch("emil"), late], at=LATER, email="lena@gmail.com")

    reply = merge("r2", "r1")

    assert {"id": "r2", "status": "duplicate", "into": "r1"} == reply.body
    assert ("duplicate", "r1", "duplicate") == state("r2")
    assert ("assigned", "", "") == state("r1")
    assert ("ReferralDuplicate", "LeadMerged", "user:sub-m") == (
        last("r2").type,
        last("r1").type,
        last("r1").actor,
    )
    assert {"referral": "r2", "status": "assigned"} == last("r1").data
    assert last("r1").cause == last("r2").cause
    kept = referrals.detail("r1").touches
    assert [
        ("click-emil", "emil", True),
        ("click-pia", "pia", False),
        ("form", "", False),
        ("form~r2", "", True),
    ] == sorted((each.id, each.partner, each.late) for each in kept)
    assert [life.touch("emil"), late] == referrals.detail("r2").touches, "and nothing is taken away"


def test_whoever_is_known_by_either_is_a_duplicate_of_the_first() -> None:
    """The claims move, their time does not, and they can be found when a person is erased."""
    refer("r1", "pia", phone="030 901820")
    refer("r2", "emil", at=LATER, email="lena@gmail.com")
    merge("r2", "r1")
    for number, lead in enumerate(({"phone": "030 901820"}, {"email": "Le.Na@gmail.com"})):
        made = intake.submit(
            programs.current("acme", LATER),
            Lead(name="Lena", country="DE", **lead),  # type: ignore[arg-type]
            [life.touch()],
            channel="api",
            actor="public",
            now=LATER,
            referral_id=f"new-{number}",
        )
        assert "r1" == made.referral.duplicate_of
    first, second = (people.contact(referrals.get(name).lead) for name in ("r1", "r2"))
    assert first is not None
    assert second is not None
    assert ["lead_phone", "lead_email"] == [pk.split("#")[2] for pk in first.claims]
    assert [] == second.claims


def test_what_was_earned_on_the_later_one_is_taken_back() -> None:
    """A duplicate earns nothing, also when it had been let through and got to a stage."""
    refer("r1", "pia", phone="030 901820")
    refer("r2", "emil", at=LATER, email="lena@gmail.com")
    life.move("r2", Accept(), now=LATER)
    life.move("r2", Advance(stage="qualified", source_at=LATER), now=LATER)
    for name in ("r1", "r2"):
        earn.converge(name, now=LATER)
    assert ({"pending": 2_000}, {"pending": 7_000}) == (accounts("pia"), accounts("emil"))

    merge("r2", "r1")
    assert 1 == last("r2").data["earns"]
    for _ in range(2):
        for name in ("r1", "r2"):
            earn.converge(name, now=LATER)

    assert ({"pending": 2_000}, {}) == (accounts("pia"), accounts("emil"))
    taken = [each for each in money.journals("emil") if each.reason]
    assert [("duplicate", 2_000), ("duplicate", 5_000)] == sorted(
        (each.reason, each.amount_minor) for each in taken
    )
    assert {"reversed"} == {each["status"] for each in referrals.detail("r2").rewards}
    assert () == tuple(reconcile.reconcile(LATER, days=2).differences)


def accounts(partner: str) -> dict[str, int]:
    """Return what a partner's accounts hold."""
    return money.accounts(partner)


def test_a_referral_that_was_won_stays() -> None:
    """Its money is real: the other one is joined with it, also when it came first."""
    refer("r1", "pia", phone="030 901820")
    refer("r2", "emil", at=LATER, email="lena@gmail.com")
    sale = Sale(id="s1", amount_minor=9_900, currency="EUR", occurred_at=LATER, source="crm")
    life.move("r2", Win(sale=sale), now=LATER)
    assert (409, "transition_not_allowed") == merge("r2", "r1").problem()
    assert 200 == merge("r1", "r2").status
    assert (("duplicate", "r2", "duplicate"), ("won", "", "")) == (state("r1"), state("r2"))


def test_what_cannot_be_joined_is_refused_and_nothing_stored() -> None:
    """The earlier one into the later, itself, nothing, another program's, one that ended."""
    refer("r1", "pia", phone="030 901820")
    refer("r2", "emil", at=LATER, email="lena@gmail.com")
    life.submit("other", program="other", lead_key="x")
    refer("r3", "emil", at="2026-11-24T00:00:00.000Z", email="lena@gmx.de")
    merge("r3", "r2")
    before = everything()
    assert (422, "not_the_first", "into") == merge("r1", "r2").field()
    for into in ("r2", "none", "other"):
        assert (422, "unknown_referral", "into") == merge("r2", into).field()
    assert (404, "not_found") == merge("other", "r1").problem()
    assert (404, "not_found") == merge("none", "r1").problem()
    assert (409, "transition_not_allowed") == merge("r3", "r1").problem()
    assert before == everything()


def test_a_chain_of_joins_ends_at_the_first_with_all_touches() -> None:
    """Whichever are joined first, everything is kept once and every key leads to the first."""
    for number, partner in enumerate(("pia", "emil", "pia", "emil")):
        at = f"2026-11-22T11:17:0{number}.000Z"
        form = Touch(id="form", kind="form", at=NOW, data={"consent_text": str(number)})
        refer(f"r{number}", partner, [form], at=at, email=f"lena{number}@gmail.com")
    for name, into in (("r3", "r2"), ("r1", "r0"), ("r2", "r0")):
        assert 200 == merge(name, into).status
    kept = referrals.detail("r0").touches
    assert ["form", "form~r1", "form~r2", "form~r3"] == sorted(each.id for each in kept)
    assert ["0", "1", "2", "3"] == sorted(each.data["consent_text"] for each in kept)
    claims = [item for item in everything() if "lead_email" in item["pk"]]
    assert ["r0"] * 4 == [item["target"] for item in claims]


def test_many_touches_take_more_than_one_transaction() -> None:
    """All of them arrive; the answer is given when all are there."""
    many = [Touch(id=f"c{number:03}", kind="click", at=NOW, partner="emil") for number in range(75)]
    refer("r1", "pia", phone="030 901820")
    refer("r2", "emil", many, at=LATER, email="lena@gmail.com")
    for group in range(2):
        writes = Transaction()
        for number in range(50):
            touch = Touch(id=f"d{group}{number:03}", kind="click", at=NOW, partner="emil")
            referrals.add_touch(writes, referrals.get("r2"), touch)
        writes.commit()
    assert 200 == merge("r2", "r1").status
    assert 176 == len(referrals.detail("r1").touches)


def test_a_lost_answer_is_told_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """The write happened and nobody heard: the same key gets the same answer, done once."""
    refer("r1", "pia", phone="030 901820")
    refer("r2", "emil", at=LATER, email="lena@gmail.com")
    real = Transaction.commit
    lost: list[int] = []

    def lose(writes: Transaction) -> None:
        real(writes)
        if not lost:
            lost.append(1)
            message = "no answer"
            raise UncertainError(message)

    monkeypatch.setattr(Transaction, "commit", lose)
    first = merge("r2", "r1", key="joining-once")
    again = merge("r2", "r1", key="joining-once")
    assert (200, 200, first.body) == (first.status, again.status, again.body)
    assert 1 == sum(each.type == "LeadMerged" for each in referrals.detail("r1").events)


def test_two_joins_at_once_do_not_make_a_circle(monkeypatch: pytest.MonkeyPatch) -> None:
    """While one referral is joined with another, that one cannot end as a duplicate too."""
    refer("r0", "pia", email="lena0@gmail.com")
    refer("r1", "pia", at=LATER, phone="030 901820")
    refer("r2", "emil", at="2026-11-24T00:00:00.000Z", email="lena@gmail.com")
    real = Transaction.commit
    done: list[int] = []

    def late(writes: Transaction) -> None:
        if not done:
            done.append(1)
            assert 200 == merge("r1", "r0").status
        real(writes)

    monkeypatch.setattr(Transaction, "commit", late)
    assert (409, "transition_not_allowed") == merge("r2", "r1").problem()
    assert ("assigned", "duplicate") == (state("r2")[0], state("r1")[0])
