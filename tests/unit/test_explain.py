"""How an amount came about and what a condition asks, in plain words of two languages."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from introducer import catalogue, explain, wording
from introducer.document.condition import Condition
from introducer.program import Program
from introducer.words import de, en
from tests.support import life

RULE = {
    "step": "rule",
    "plan": "commission",
    "kind": "percent",
    "base_minor": 123_456,
    "basis_points": 1250,
    "amount_minor": 15_432,
    "currency": "EUR",
}
PERCENT_DE = "Der Plan „commission“ gibt 12,5\u00a0% von 1.234,56 EUR: 154,32 EUR."
STEPS: list[tuple[dict[str, Any], list[str], list[str]]] = [
    (
        RULE,
        ["The plan “commission” gives 12.5% of 1,234.56 EUR: 154.32 EUR."],
        [PERCENT_DE],
    ),
    (
        {**RULE, "amount_minor": 10_000, "exact_minor": 15_432},
        [
            (
                "The plan “commission” gives 12.5% of 1,234.56 EUR: 154.32 EUR, "
                "which its own limits make 100.00 EUR."
            )
        ],
        [
            (
                "Der Plan „commission“ gibt 12,5\u00a0% von 1.234,56 EUR: 154,32 EUR, "
                "nach seinen eigenen Grenzen 100,00 EUR."
            )
        ],
    ),
    (
        {**RULE, "rounding_ten_thousandths": -2500, "variant": "big_deal", "tier": 2, "count": 5},
        [
            "The plan “commission” gives 12.5% of 1,234.56 EUR: 154.32 EUR.",
            "It is success number 5 of the period.",
            "That is tier 2.",
            "The rate “big deal” applies.",
            "Rounding took off 0.25 of the smallest unit.",
        ],
        [
            PERCENT_DE,
            "Es ist Erfolg Nummer 5 des Zeitraums.",
            "Das ist Stufe 2.",
            "Es gilt der Satz „big deal“.",
            "Das Runden nahm 0,25 der kleinsten Einheit.",
        ],
    ),
    (
        {**RULE, "rounding_ten_thousandths": 5000, "tier": 0, "value_minor": 1_000_000},
        [
            "The plan “commission” gives 12.5% of 1,234.56 EUR: 154.32 EUR.",
            "With it the period's successes come to 10,000.00 EUR.",
            "Rounding added 0.5 of the smallest unit.",
        ],
        [
            PERCENT_DE,
            "Damit kommen die Erfolge des Zeitraums auf 10.000,00 EUR.",
            "Das Runden brachte 0,5 der kleinsten Einheit.",
        ],
    ),
    (
        {"step": "rule", "plan": "b", "kind": "flat", "amount_minor": 5000, "currency": "EUR"},
        ["The plan “b” gives a fixed 50.00 EUR."],
        ["Der Plan „b“ gibt fest 50,00 EUR."],
    ),
    (
        {
            "step": "rule",
            "plan": "b",
            "kind": "per_product",
            "pieces": 3,
            "amount_minor": 5000,
            "currency": "JPY",
        },
        ["The plan “b” gives 5,000 JPY for 3 pieces."],
        ["Der Plan „b“ gibt 5.000 JPY für 3 Stück."],
    ),
    (
        {
            "step": "rule",
            "plan": "b",
            "kind": "points",
            "units": 7,
            "amount_minor": 1,
            "currency": "PTS",
        },
        ["The plan “b” gives 1 point."],
        ["Der Plan „b“ gibt 1 Punkt."],
    ),
    (
        {"step": "bonus", "id": "fast_close", "amount_minor": 20_000},
        ["The bonus “fast close” makes it 200.00 EUR."],
        ["Mit dem Bonus „fast close“ sind es 200,00 EUR."],
    ),
    (
        {"step": "promotion", "id": "spring", "amount_minor": 20_000},
        ["The promotion “spring” makes it 200.00 EUR."],
        ["Mit der Aktion „spring“ sind es 200,00 EUR."],
    ),
    (
        {"step": "best", "of": 3},
        ["Of 3 plans that apply this one pays most."],
        ["Von 3 zutreffenden Plänen zahlt dieser am meisten."],
    ),
    (
        {"step": "cap", "id": "yearly", "per": "partner", "cut_minor": 1, "amount_minor": 99},
        ["The limit “yearly” for one partner takes off 0.01 EUR and leaves 0.99 EUR."],
        ["Die Grenze „yearly“ je Partner nimmt 0,01 EUR weg, es bleiben 0,99 EUR."],
    ),
    (
        {"step": "cap", "id": "yearly", "per": "lead", "cut_minor": 1, "amount_minor": 99},
        ["The limit “yearly” for one lead takes off 0.01 EUR and leaves 0.99 EUR."],
        ["Die Grenze „yearly“ je Kontakt nimmt 0,01 EUR weg, es bleiben 0,99 EUR."],
    ),
    (
        {"step": "exchange", "from": "USD", "to": "EUR", "rate": "0.92"},
        ["It is exchanged at 1 USD = 0.92 EUR."],
        ["Umgerechnet wird mit 1 USD = 0.92 EUR."],
    ),
    (
        {"step": "share", "basis_points": 3333, "amount_minor": 6666},
        ["The part of the credit is 33.33%: 66.66 EUR."],
        ["Der Anteil am Verdienst ist 33,33\u00a0%: 66,66 EUR."],
    ),
    (
        {"step": "share", "basis_points": 5000, "part_minor": 5000},
        ["The part of the credit is 50%: 50.00 EUR."],
        ["Der Anteil am Verdienst ist 50\u00a0%: 50,00 EUR."],
    ),
    (
        {"step": "ceiling", "cut_minor": 100, "amount_minor": 400},
        ["All one referral may cost is reached: 1.00 EUR less, 4.00 EUR are left."],
        [
            (
                "Eine Empfehlung darf insgesamt nicht mehr kosten: "
                "1,00 EUR weniger, es bleiben 4,00 EUR."
            )
        ],
    ),
    (
        {"step": "milestone", "id": "loyalty", "basis_points": 7500, "amount_minor": 750},
        ["The part “loyalty” is 75% of it: 7.50 EUR."],
        ["Der Teil „loyalty“ ist 75\u00a0% davon: 7,50 EUR."],
    ),
    (
        {"step": "rounding", "ten_thousandths": 1},
        ["Rounding added 0.0001 of the smallest unit."],
        ["Das Runden brachte 0,0001 der kleinsten Einheit."],
    ),
    (
        {"step": "budget", "id": "year", "cut_minor": 100, "amount_minor": 400},
        ["The budget “year” holds no more: 1.00 EUR less, 4.00 EUR are left."],
        ["Das Budget „year“ gibt nicht mehr her: 1,00 EUR weniger, es bleiben 4,00 EUR."],
    ),
    (
        {"step": "magic_touch", "how_much": 7, "why": "{amount}"},
        ["Magic touch: how much 7, why {amount}."],
        ["Magic touch: how much 7, why {amount}."],
    ),
    ({"step": "wonder"}, ["Wonder."], ["Wonder."]),
    ({"step": "bonus", "id": "x"}, ["Bonus: id x."], ["Bonus: id x."]),
    ({"step": "cap", "id": "x", "per": "moon"}, ["Cap: id x, per moon."], ["Cap: id x, per moon."]),
    ({"step": "rule", "kind": "x"}, ["Rule: kind x."], ["Rule: kind x."]),
    (
        {"step": "share", "basis_points": "?"},
        ["Share: basis points ?."],
        ["Share: basis points ?."],
    ),
    ({}, ["."], ["."]),
]


@pytest.mark.parametrize(("step", "english", "german"), STEPS, ids=lambda each: str(each)[:40])
def test_every_step_is_a_sentence_in_both_languages(
    step: dict[str, Any], english: list[str], german: list[str]
) -> None:
    """Amounts, rates and numbers as each language writes them; what is unknown is still told."""
    assert english == explain.words([step], "EUR", "en-GB")
    assert german == explain.words([step], "EUR", "de-AT")


def test_steps_stay_in_their_order() -> None:
    """A trace is read from the rule to the milestone."""
    trace = [step for step, _, _ in STEPS]
    assert [line for _, lines, _ in STEPS for line in lines] == explain.words(trace, "EUR", "en")


def test_plans_and_promotions_are_called_by_their_names() -> None:
    """The document knows what its author called them."""
    document = life.document(
        rewards=[
            {
                "id": "commission",
                "name": "Partner commission",
                "calculation": {"kind": "percent", "basis_points": 1000},
                "milestones": [{"id": "sale", "share_basis_points": 10000}],
            }
        ],
        promotions=[
            {
                "id": "spring",
                "name": "Spring weeks",
                "starts_at": "2027-03-01T00:00:00.000Z",
                "ends_at": "2027-04-01T00:00:00.000Z",
                "effect": {"kind": "multiplier", "basis_points": 15000},
            }
        ],
    )
    trace = [RULE, {"step": "promotion", "id": "spring", "amount_minor": 1}]
    assert [
        "The plan “Partner commission” gives 12.5% of 1,234.56 EUR: 154.32 EUR.",
        "The promotion “Spring weeks” makes it 0.01 EUR.",
    ] == explain.words(trace, "EUR", "fr", document)


@pytest.mark.parametrize(
    ("amount_minor", "unit", "english", "german"),
    [
        (1_234_567, "EUR", "12,345.67 EUR", "12.345,67 EUR"),
        (-5, "EUR", "-0.05 EUR", "-0,05 EUR"),
        (0, "EUR", "0.00 EUR", "0,00 EUR"),
        (1000, "JPY", "1,000 JPY", "1.000 JPY"),
        (1_234_567, "BHD", "1,234.567 BHD", "1.234,567 BHD"),
        (1000, "PTS", "1,000 points", "1.000 Punkte"),
        (5000, "EUR.credit", "50.00 EUR as account credit", "50,00 EUR als Guthaben"),
        (5000, "EUR.gift_card", "50.00 EUR as a gift card", "50,00 EUR als Gutschein"),
        (5000, "EUR.donation", "a donation of 50.00 EUR", "eine Spende von 50,00 EUR"),
        (
            5000,
            "EUR.experience",
            "an experience worth 50.00 EUR",
            "ein Erlebnis im Wert von 50,00 EUR",
        ),
        (5000, "EUR.vouchers", "50.00 EUR", "50,00 EUR"),
        (5000, "???", "5,000 ???", "5.000 ???"),
    ],
)
def test_amounts_are_written_as_the_language_does(
    amount_minor: int, unit: str, english: str, german: str
) -> None:
    """Every digit of the minor unit, the right signs, and the kind of reward."""
    assert (english, german) == (
        explain.amount(amount_minor, unit, "en"),
        explain.amount(amount_minor, unit, "de"),
    )


@pytest.mark.parametrize(
    ("at", "last", "english"),
    [
        ("2026-12-31T23:00:00.000Z", False, "1 January 2027"),
        ("2026-12-31T23:00:00.000Z", True, "31 December 2026"),
        ("2027-06-30T22:00:00.000Z", False, "1 July 2027"),
        ("2027-06-30T16:30:00.000Z", True, "30 June 2027, 18:30"),
    ],
)
def test_dates_are_those_of_the_programs_time_zone(at: str, last: bool, english: str) -> None:  # noqa: FBT001
    """In summer and in winter; what ends at midnight ended the day before."""
    assert english == wording.language("en").date(at, "Europe/Berlin", last=last)


def program() -> Program:
    """Return a program with a question and a field of its own."""
    return life.document(
        questions={"budget": {"text": "Is there a budget?", "type": "flag"}},
        fields={"plan": {"type": "text"}},
    )


CONDITIONS: list[tuple[dict[str, Any], str, str]] = [
    (
        {"field": "lead.size", "op": "gte", "value": 50},
        "the lead has at least 50 employees",
        "der Kontakt hat mindestens 50 Beschäftigte",
    ),
    (
        {"field": "lead.size", "op": "between", "value": [10, 1500]},
        "the lead has 10 to 1,500 employees",
        "der Kontakt hat 10 bis 1.500 Beschäftigte",
    ),
    (
        {"field": "lead.size", "op": "exists", "value": False},
        "the number of the lead's employees is not known",
        "die Zahl der Beschäftigten des Kontakts ist nicht bekannt",
    ),
    (
        {"field": "lead.country", "op": "in", "value": ["DE", "AT", "CH"]},
        "the lead's country is DE, AT or CH",
        "das Land des Kontakts ist DE, AT oder CH",
    ),
    (
        {"field": "lead.country", "op": "not_in", "value": ["US", "CA"]},
        "the lead's country is neither of US or CA",
        "das Land des Kontakts ist keines von US oder CA",
    ),
    (
        {"field": "sale.amount_minor", "op": "gt", "value": 100_000},
        "the amount of the sale is more than 1,000.00 EUR",
        "der Betrag des Verkaufs ist mehr als 1.000,00 EUR",
    ),
    (
        {"field": "sale.products", "op": "contains_any", "value": ["cloud_voice", "fibre"]},
        "the products sold include cloud voice or fibre",
        "die verkauften Produkte enthalten cloud voice oder fibre",
    ),
    (
        {"field": "partner.share", "op": "lt", "value": 5000},
        "the partner's part of the credit is less than 50%",
        "der Anteil des Partners am Verdienst ist weniger als 50\u00a0%",
    ),
    (
        {"field": "partner.audience", "op": "eq", "value": "employees"},
        "the partner's group is “Employees”",
        "die Gruppe des Partners ist „Employees“",
    ),
    (
        {"field": "partner.involvement", "op": "ne", "value": "co_sold"},
        "the partner's involvement is not sold together",
        "die Mitwirkung des Partners ist nicht gemeinsam verkauft",
    ),
    (
        {"field": "answers.budget", "op": "eq", "value": True},
        "the answer to “Is there a budget?” is yes",
        "die Antwort auf „Is there a budget?“ ist ja",
    ),
    (
        {"field": "metadata.plan", "op": "starts_with", "value": "pro"},
        "“plan” begins with pro",
        "„plan“ beginnt mit pro",
    ),
    (
        {
            "all": [
                {"field": "lead.size", "op": "gt", "value": 9},
                {
                    "any": [
                        {"field": "sale.number", "op": "eq", "value": 1},
                        {"not": {"field": "sale.currency", "op": "eq", "value": "EUR"}},
                    ]
                },
            ]
        },
        (
            "the lead has more than 9 employees and (the number of the sale is 1 or "
            "it does not hold that the currency of the sale is EUR)"
        ),
        (
            "der Kontakt hat mehr als 9 Beschäftigte und (die Nummer des Verkaufs ist 1 oder "
            "es gilt nicht: die Währung des Verkaufs ist EUR)"
        ),
    ),
]


@pytest.mark.parametrize(
    ("asked", "english", "german"), CONDITIONS, ids=lambda each: str(each)[:30]
)
def test_conditions_are_part_of_a_sentence(
    asked: dict[str, Any], english: str, german: str
) -> None:
    """Names of the catalogue, operators and values in words."""
    made = msgspec.convert(asked, Condition)
    assert (english, german) == (
        explain.condition(made, "en", program()),
        explain.condition(made, "de", program()),
    )


def test_no_condition_says_nothing() -> None:
    """Whoever asks for nothing needs no words."""
    assert "" == explain.condition(None, "en")


@pytest.mark.parametrize("locale", ["en", "de"])
def test_every_fact_with_every_operator_has_words(locale: str) -> None:
    """Whatever the catalogue admits can be told, with the document and without."""
    samples: dict[str, dict[str, Any]] = {
        "text": {"": "x", "in": ["x", "y"], "not_in": ["x"], "exists": True},
        "number": {"": 7, "in": [7, 8], "not_in": [7], "between": [1, 2], "exists": False},
        "flag": {"": True, "exists": True},
        "list": {"": "x", "contains_any": ["x"], "exists": True},
    }
    for name in catalogue.names(program()):
        entry = catalogue.entry(name, program())
        assert entry is not None
        for op in catalogue.OPERATORS[entry.type]:
            value = samples[entry.type].get(op, samples[entry.type][""])
            asked = Condition(field=name, op=op, value=value)
            for document in (program(), None):
                text = explain.condition(asked, locale, document)
                assert text
                assert "{" not in text


def test_both_languages_have_the_same_words_and_know_the_whole_catalogue() -> None:
    """A new fact, step or sentence is not forgotten in one of them."""
    assert set(en.WORDS) == set(de.WORDS)
    assert set(catalogue.FIELDS) == set(en.FACTS) == set(de.FACTS)
    assert set(en.COUNTED) == set(de.COUNTED)
    assert set(en.VALUES) == set(de.VALUES)
