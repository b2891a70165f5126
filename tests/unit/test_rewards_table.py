"""The rewards table: the same document as rows of data and of plain words."""

from __future__ import annotations

from typing import Any

import pytest

from introducer import rewards_table
from introducer.document.plan import Promotion
from introducer.program import Program
from introducer.rewards_table import Group
from tests.support.plans import SALE, flat, plan, program, promotion

NOW = "2026-11-22T11:17:00.000Z"


def table(document: Program, audience: str = "partners", locale: str = "en") -> Group:
    """Return the table of one audience."""
    (found,) = rewards_table.groups(document, NOW, audience=audience, locale=locale)
    return found


CASES: list[tuple[dict[str, Any], list[str], list[str]]] = [
    (
        plan(),
        [
            "For every sale to the lead: you get 10% of the sale.",
            "100% is due at once.",
            "A refund takes back its part.",
        ],
        [
            "Für jeden Verkauf an den Kontakt: Sie erhalten 10\u00a0% des Verkaufs.",
            "100\u00a0% sind sofort fällig.",
            "Eine Erstattung nimmt ihren Anteil zurück.",
        ],
    ),
    (
        plan(
            trigger={"on": "invoice_paid", "months": 12},
            calculation={
                "kind": "percent",
                "basis_points": 250,
                "products": ["fibre", "mobile"],
                "cap_minor": 50_000,
                "min_minor": 100,
            },
            type="credit",
            hold_days=30,
            clawback={"policy": "full", "within_days": 60},
        ),
        [
            (
                "For every sale to the lead within 12 months of the first: you get 2.5% of what it "
                "brings for fibre and mobile, at least 1.00 EUR, at most 500.00 EUR as account "
                "credit."
            ),
            "100% is due after 30 days, if the sale stands.",
            "A refund within 60 days of the sale takes back all of it.",
        ],
        [
            (
                "Für jeden Verkauf an den Kontakt innerhalb von 12 Monaten nach dem ersten: Sie "
                "erhalten 2,5\u00a0% dessen, was er für fibre und mobile bringt, "
                "mindestens 1,00 EUR, "
                "höchstens 500,00 EUR als Guthaben."
            ),
            "100\u00a0% sind nach 30 Tagen fällig, wenn der Verkauf Bestand hat.",
            "Eine Erstattung innerhalb von 60 Tagen nach dem Verkauf nimmt alles zurück.",
        ],
    ),
    (
        plan(
            trigger={"on": "won"},
            beneficiary="customer",
            calculation=flat(2500),
            type="gift_card",
            clawback={"policy": "none"},
        ),
        [
            "When the lead buys for the first time: the customer gets 25.00 EUR as a gift card.",
            "100% is due at once.",
            "A refund takes nothing back.",
        ],
        [
            "Wenn der Kontakt zum ersten Mal kauft: der Kunde erhält 25,00 EUR als Gutschein.",
            "100\u00a0% sind sofort fällig.",
            "Eine Erstattung nimmt nichts zurück.",
        ],
    ),
    (
        plan(
            trigger={"on": "submitted"},
            beneficiary="organization",
            type="points",
            calculation={"kind": "points", "points": 100, "per_unit": 1},
            milestones=[{**SALE, "when": "earned"}],
        ),
        [
            (
                "When a lead is submitted and passes our check: your company gets 100 points and "
                "1 point for each whole EUR."
            ),
            "100% is due at once.",
            "A refund takes back its part.",
        ],
        [
            (
                "Wenn ein Kontakt eingereicht ist und unsere Prüfung besteht: Ihre Firma erhält "
                "100 Punkte und 1 Punkt je volle Einheit EUR."
            ),
            "100\u00a0% sind sofort fällig.",
            "Eine Erstattung nimmt ihren Anteil zurück.",
        ],
    ),
    (
        plan(
            trigger={"on": "retained", "days": 180},
            calculation=flat(5000),
            condition={"field": "lead.size", "op": "gte", "value": 50},
            milestones=[
                {"id": "a", "share_basis_points": 2500},
                {
                    "id": "b",
                    "share_basis_points": 7500,
                    "after_days": 20,
                    "condition": {"field": "lead.rating", "op": "gte", "value": 3},
                    "until_days": 30,
                },
            ],
        ),
        [
            "When the customer is still one 180 days after the first sale: you get 50.00 EUR.",
            "Only if the lead has at least 50 employees.",
            "25% is due after 180 days, if the customer is still one then.",
            (
                "75% is due after 200 days, if the customer is still one then, if the sales "
                "representative's rating of the lead is at least 3, and lapses when that does not "
                "hold within 30 days more."
            ),
            "A refund takes back its part.",
        ],
        [
            (
                "Wenn der Kunde nach 180 Tagen seit dem ersten Verkauf noch einer ist: "
                "Sie erhalten "
                "50,00 EUR."
            ),
            "Nur unter der Bedingung: der Kontakt hat mindestens 50 Beschäftigte.",
            "25\u00a0% sind nach 180 Tagen fällig, wenn der Kunde dann noch einer ist.",
            (
                "75\u00a0% sind nach 200 Tagen fällig, wenn der Kunde dann noch einer "
                "ist, unter der "
                "Bedingung: die Bewertung des Kontakts durch den Vertrieb ist mindestens 3; sie "
                "verfallen, wenn das auch nach weiteren 30 Tagen nicht gilt."
            ),
            "Eine Erstattung nimmt ihren Anteil zurück.",
        ],
    ),
    (
        plan(
            trigger={"on": "stage", "stage": "qualified"},
            calculation=flat(1000),
            milestones=[{**SALE, "when": "earned"}],
            escalation={
                "measure": "count",
                "period": "quarter",
                "tiers": [{"from": 5, "calculation": flat(2000)}],
            },
            bonuses=[
                {
                    "id": "fast",
                    "condition": {"field": "lead.score", "op": "gt", "value": 80},
                    "effect": flat(500),
                }
            ],
            variants=[
                {
                    "id": "big",
                    "condition": {"field": "lead.size", "op": "gt", "value": 500},
                    "calculation": flat(1500),
                }
            ],
            caps=[
                {
                    "id": "c",
                    "per": "partner",
                    "amount_minor": 100_000,
                    "currency": "EUR",
                    "period": "month",
                }
            ],
        ),
        [
            "When the referral reaches the stage “qualified”: you get 10.00 EUR.",
            "If the lead has more than 500 employees, 15.00 EUR, when that is more.",
            "From success number 5 in a quarter on: 20.00 EUR.",
            "If the lead's score is more than 80, 5.00 EUR more.",
            "One partner gets 1,000.00 EUR in a month at most.",
            "100% is due at once.",
            "A refund takes back its part.",
        ],
        [
            "Wenn die Empfehlung die Stufe „qualified“ erreicht: Sie erhalten 10,00 EUR.",
            (
                "Unter der Bedingung: der Kontakt hat mehr als 500 Beschäftigte, gibt es "
                "15,00 EUR, "
                "wenn das mehr ist."
            ),
            "Ab Erfolg Nummer 5 im Quartal: 20,00 EUR.",
            (
                "Unter der Bedingung: die Punktzahl des Kontakts ist mehr als 80, gibt es 5,00 EUR "
                "mehr."
            ),
            "Ein Partner erhält im Monat höchstens 1.000,00 EUR.",
            "100\u00a0% sind sofort fällig.",
            "Eine Erstattung nimmt ihren Anteil zurück.",
        ],
    ),
    (
        plan(
            trigger={"on": "event", "event": "review"},
            calculation={
                "kind": "per_product",
                "currency": "EUR",
                "rates": [
                    {"product": "fibre", "amount_minor": 1000},
                    {"product": "mobile", "basis_points": 500},
                ],
            },
            type="donation",
            escalation={
                "measure": "value",
                "period": "ever",
                "tiers": [{"from": 1_000_000, "calculation": flat(9900)}],
            },
            milestones=[{**SALE, "when": "earned"}],
        ),
        [
            (
                "Each time “A good review” is reported: you get a donation of 10.00 EUR for each "
                "fibre and 5% of the price of mobile."
            ),
            "From successes worth 10,000.00 EUR in all on: 99.00 EUR.",
            "100% is due at once.",
            "A refund takes back its part.",
        ],
        [
            (
                "Jedes Mal, wenn „A good review“ gemeldet wird: Sie erhalten eine Spende von "
                "10,00 EUR je fibre und 5\u00a0% vom Preis für mobile."
            ),
            "Ab Erfolgen im Wert von 10.000,00 EUR insgesamt: 99,00 EUR.",
            "100\u00a0% sind sofort fällig.",
            "Eine Erstattung nimmt ihren Anteil zurück.",
        ],
    ),
]


@pytest.mark.parametrize(("made", "english", "german"), CASES, ids=lambda each: str(each)[:30])
def test_every_part_of_a_plan_has_words(
    made: dict[str, Any], english: list[str], german: list[str]
) -> None:
    """What earns, what one gets, on which condition, where it ends, when it is due."""
    document = program(made, events={"review": {"name": "A good review"}})
    assert english == table(document).rows[0].words
    assert german == table(document, locale="de").rows[0].words


def test_promotions_running_or_to_come_stand_in_the_table_with_their_dates() -> None:
    """The last day is told, not the instant after it; what is over is gone."""
    over = promotion(id="over", starts_at="2026-10-01T00:00:00.000Z", ends_at=NOW)
    document = program(
        plan(),
        promotions=[
            over,
            promotion(),
            promotion(
                id="big",
                name="Big deals",
                ends_at="2026-12-31T17:30:00.000Z",
                effect={"kind": "percent", "basis_points": 200},
                condition={"field": "sale.number", "op": "eq", "value": 1},
            ),
            promotion(id="staff", name="Staff", audiences=["employees"]),
            promotion(id="reps", name="Reps", beneficiary="rep"),
        ],
    )
    (row,) = table(document).rows
    assert ["december", "big"] == [each.id for each in row.promotions]
    assert [
        "December weeks, from 1 December 2026 to 31 December 2026: 1.5 times the amount.",
        (
            "Big deals, from 1 December 2026 to 31 December 2026, 18:30, if the number of the sale "
            "is 1: a further 2% of the sale."
        ),
    ] == row.words[1:3]
    assert isinstance(row.promotions[0], Promotion)


def test_a_draw_is_called_a_draw() -> None:
    """Nobody takes a chance for a prize."""
    (row,) = table(program(plan(by_chance=True, type="experience"))).rows
    assert row.by_chance
    assert "It is a chance in a draw, not the prize itself." == row.words[1]


def test_plans_compete_as_they_are_evaluated() -> None:
    """Recurring and for ever are one group; another group, or another type, adds up."""
    document = program(
        plan(id="a", trigger={"on": "invoice_paid", "months": 12}),
        plan(id="b"),
        plan(id="c", type="credit"),
        plan(id="d", group="own"),
    )
    told = {
        row.plan: [line for line in row.words if "counts" in line] for row in table(document).rows
    }
    assert {
        "a": ["Of this and “B” the best-paying counts."],
        "b": ["Of this and “A” the best-paying counts."],
        "c": [],
        "d": [],
    } == told


def test_what_is_the_companys_affair_stays_out() -> None:
    """Rewards of reps, budgets and accounting are not for partners."""
    document = program(
        plan(),
        plan(id="for_reps", beneficiary="rep", name="Rep bonus"),
        budgets=[{"id": "secret", "amount_minor": 10**9, "currency": "EUR"}],
    )
    found = str(rewards_table.groups(document, NOW))
    assert "commission" in found
    assert not any(word in found for word in ("for_reps", "Rep bonus", "secret", "accounting"))


def test_each_audience_sees_its_own_plans_in_its_own_language() -> None:
    """A plan without audiences is everybody's; those that compete name each other."""
    document = program(
        plan(name="Commission"),
        plan(id="bounty", audiences=["employees"], calculation=flat(100)),
        audiences={
            "employees": {"name": "Staff", "locale": "de-DE"},
            "partners": {"name": "Partners", "engagement": {"referrals": 3, "successes": 1}},
        },
        caps=[{"id": "all", "per": "lead", "amount_minor": 50_000, "currency": "EUR"}],
        ceiling={"amount_minor": 100_000, "currency": "EUR"},
    )
    staff, partners = rewards_table.groups(document, NOW)
    assert ("employees", "de", ["commission", "bounty"]) == (
        staff.audience,
        staff.locale,
        [row.plan for row in staff.rows],
    )
    assert "Von diesem und „Bounty“ zählt, was am meisten bringt." in staff.rows[0].words
    assert ("partners", "en", ["commission"]) == (
        partners.audience,
        partners.locale,
        [row.plan for row in partners.rows],
    )
    assert [
        "One lead brings 500.00 EUR in all at most.",
        "One referral brings 1,000.00 EUR at most, everything together.",
        "It is paid out after 3 referrals of yours.",
        "It is paid out after 1 successes of yours.",
    ] == partners.words
    assert [] == rewards_table.groups(document, NOW, audience="nosuch")
