"""Credit that waits: a verbal referral for somebody unknown, the money, and what becomes of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from introducer import clock
from introducer.command import Reject
from introducer.errors import UncertainError
from introducer.partner import Partner
from introducer.referral import Touch
from introducer.reward import Reward
from introducer.tables import partners, people, referrals, rewards
from introducer.tables.store import Transaction
from payout import accrue
from tests.support import life, money
from tests.support.api import call, login
from tests.support.invited import NINA, enter, invitation, invite, join, place, win

NOW = money.NOW
NINAS = login("login-nina", "partner", email=NINA)


@pytest.fixture
def moved(engine: str, frozen: Callable[[str], None]) -> Callable[[str], None]:
    """A program that pays, with two reps; returns what moves the clock."""
    assert engine
    money.publish(intake={"waiting_days": 30})
    life.add_rep("anna")
    life.add_rep("ben")
    return frozen


def partner_of(mailbox_owner: str) -> Partner:
    """Return a partner as they are stored."""
    found = partners.find_partner(mailbox_owner)
    assert found is not None
    return found


def purchase(referral: str) -> Reward:
    """Return the reward that the purchase earned."""
    stored = rewards.load(referrals.detail(referral).rewards)
    return next(each for each in stored if each.milestone == "purchase")


def told_and_sold() -> tuple[str, str]:
    """Enter a verbal referral of somebody unknown and let its lead buy; return it and them."""
    made = enter().body
    place(made["id"])
    win(made["id"])
    return made["id"], made["partner"]


@pytest.mark.usefixtures("moved")
def test_a_verbal_referral_invites_whoever_is_unknown() -> None:
    """Referral, touch, consent and invitation are one transaction; the lead stays with the rep."""
    reply = enter()
    body = reply.body
    assert (201, "submitted", "invited") == (reply.status, body["status"], body["partner_status"])
    detail = referrals.detail(body["id"])
    assert ("verbal", "anna") == (detail.referral.channel, detail.referral.reserved_for)
    assert [
        Touch(
            id="verbal-anna",
            kind="verbal",
            at="2026-11-20T09:30:00.000Z",
            partner=body["partner"],
            data={
                "rep": "anna",
                "consent": "given",
                "consent_text": "7",
                "consent_channel": "verbal",
                "consent_at": "2026-11-20T09:31:00.000Z",
            },
        )
    ] == detail.touches
    lead = people.contact(detail.referral.lead)
    assert lead is not None
    assert ("Lena Lead", "lena@customer.example", "Told me at the fair") == (
        lead.name,
        lead.email,
        lead.note,
    )
    made = partner_of(body["partner"])
    assert ("invited", "anna", "REP#anna") == (made.status, made.owner, made.invited_by)

    place(body["id"])
    placed = referrals.detail(body["id"])
    assert ("assigned", "anna", body["partner"]) == (
        placed.referral.status,
        placed.referral.rep,
        placed.referral.partner,
    )
    assert [(body["partner"], 10_000)] == [
        (each.partner, each.basis_points) for each in placed.shares
    ]


@pytest.mark.usefixtures("moved")
def test_a_lead_the_rep_hands_back_goes_to_another() -> None:
    """Reserved means asked first, not asked alone."""
    referral = enter().body["id"]
    place(referral)
    life.move(referral, Reject(reason="no_capacity"))
    place(referral)
    assert "ben" == referrals.get(referral).rep


@pytest.mark.usefixtures("moved")
def test_two_verbal_referrals_of_one_person_are_one_partner() -> None:
    """The second finds the invitation of the first."""
    first = enter().body
    second = enter(name="Leo Lead", email="leo@customer.example").body
    assert (first["partner"], "known") == (second["partner"], second["partner_status"])
    assert 1 == len(life.raw_items(f"PARTNER#{first['partner']}"))


@pytest.mark.usefixtures("moved")
def test_a_partner_is_named_by_id_or_by_a_mailbox_they_verified() -> None:
    """Who enrolled with an address they never verified is not credited by that address."""
    life.enrol("pia")
    by_id = enter(partner={"id": "pia"})
    assert ("pia", "known") == (by_id.body["partner"], by_id.body["partner_status"])
    join(sub="login-eve", verified="")
    assert (422, "partner_not_verified", "partner.email") == enter(
        email="leo@customer.example"
    ).field()


@pytest.mark.usefixtures("moved")
@pytest.mark.parametrize(
    ("overrides", "expected"),
    [
        ({"partner": {"id": "nobody"}}, (422, "unknown_partner", "partner.id")),
        ({"partner": {}}, (422, "missing_field", "partner.name")),
        ({"partner": {"name": "Nina"}}, (422, "missing_field", "partner.email")),
        (
            {"partner": invitation(country="FR")},
            (422, "country_not_eligible", "country"),
        ),
        ({"email": ""}, (422, "no_contact", "email")),
        ({"product": "nothing"}, (422, "unknown_product", "product")),
        ({"said_at": "yesterday, I think"}, (422, "invalid_time", "said_at")),
        (
            {"consent": {"text_version": "7", "given": False, "at": "2026-11-20T09:31:00Z"}},
            (400, "invalid_input", "consent.given"),
        ),
    ],
)
def test_what_cannot_be_entered_stores_nothing(
    overrides: dict[str, Any], expected: tuple[int, str, str]
) -> None:
    """Neither a referral nor an invitation."""
    before = money.everything(life.Table.CORE)
    assert expected == enter(**overrides).field()
    assert before == money.everything(life.Table.CORE)


@pytest.mark.usefixtures("moved")
def test_a_lead_who_was_referred_before_invites_all_the_same() -> None:
    """It becomes a duplicate; the answer does not say so."""
    life.enrol("pia")
    enter(partner={"id": "pia"})
    made = enter().body
    assert ("submitted", "invited") == (made["status"], made["partner_status"])
    place(made["id"])
    assert "duplicate" == referrals.get(made["id"]).status


@pytest.mark.usefixtures("moved")
def test_what_an_invited_partner_earns_waits_until_they_enrol() -> None:
    """Booked as pending, never payable, in no batch; after enrolling it is theirs in full."""
    referral, partner = told_and_sold()
    money.release()
    money.release()
    assert {"pending": 10_000} == money.accounts(partner)
    assert ("pending", "not_enrolled") == (purchase(referral).status, purchase(referral).waiting)
    batch = money.pay_out()
    assert [] == money.payouts.of_batch(batch)

    assert partner == join().body["id"]
    money.release()
    assert {"pending": 7_500, "payable": 2_500} == money.accounts(partner)
    assert ("released", "") == (purchase(referral).status, purchase(referral).waiting)
    statement = call("GET", "/v1/me/statement?currency=EUR", claims=NINAS).body
    assert ["RewardEarned", "RewardEarned", "RewardReleased"] == sorted(
        each["kind"] for each in statement["movements"]
    )
    assert (7_500, 2_500) == (
        statement["balance"]["pending"],
        statement["balance"]["payable"],
    )
    money.set_payee(partner)
    paid = money.pay_out(2)
    assert [(partner, 2_500)] == [
        (each.partner, each.amount_minor) for each in money.payouts.of_batch(paid)
    ]


def test_credit_that_nobody_claims_is_forfeited(moved: Callable[[str], None]) -> None:
    """By journals, with the reason, once; enrolling later brings nothing of it back."""
    referral, partner = told_and_sold()
    moved("2026-12-22T11:16:59.999Z")
    money.release(clock.now())
    assert {"pending": 10_000} == money.accounts(partner)
    moved("2026-12-22T11:17:00.000Z")
    money.release(clock.now())
    money.release(clock.now())
    assert {"pending": 7_500} == money.accounts(partner)
    last = money.journals(partner)[-1]
    assert ("RewardReversed", "not_enrolled", {"pending": -2_500}) == (
        last.kind,
        last.reason,
        {name: amount for name, amount in last.legs.items() if name == "pending"},
    )
    assert ("reversed", True, "not_enrolled") == (
        purchase(referral).status,
        purchase(referral).forfeited,
        purchase(referral).waiting,
    )
    join()
    money.deliver(referral)
    money.release(clock.now())
    assert {"pending": 7_500} == money.accounts(partner)
    assert not money.ledger.halted(life.PROGRAM)


def test_credit_earned_long_after_the_invitation_waits_as_long(
    moved: Callable[[str], None],
) -> None:
    """The days count from earning it: nobody loses what they never had the time to claim."""
    partner = invite().body["id"]
    moved("2027-01-22T11:17:00.000Z")
    made = enter(said_at="2027-01-20T09:30:00Z").body
    place(made["id"])
    win(made["id"], at="2027-01-22T11:00:00.000Z")
    money.release(clock.now())
    assert {"pending": 10_000} == money.accounts(partner)
    assert partner == made["partner"]


@pytest.mark.usefixtures("moved")
def test_a_lost_answer_of_enrolling_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The commit happened and nobody heard: the repeated call is answered as the first was."""
    _, partner = told_and_sold()
    real = Transaction.commit
    lost: list[int] = []

    def commit(self: Transaction) -> None:
        real(self)
        if not lost:
            lost.append(1)
            message = "lost"
            raise UncertainError(message)

    monkeypatch.setattr(Transaction, "commit", commit)
    assert (201, partner) == ((reply := join()).status, reply.body["id"])
    money.release()
    assert {"pending": 7_500, "payable": 2_500} == money.accounts(partner)


@pytest.mark.usefixtures("moved")
def test_accrual_while_they_enrol_releases_at_most_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """They enrol, and another run releases, between what a run reads and what it writes."""
    _, partner = told_and_sold()
    join()
    money.intrude(monkeypatch, lambda: accrue.release(NOW))
    accrue.release(NOW)
    assert {"pending": 7_500, "payable": 2_500} == money.accounts(partner)
    assert 3 == len(money.journals(partner))
