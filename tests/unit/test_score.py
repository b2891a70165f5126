"""A lead's score: the program's own rules, with the reasons."""

from typing import Any

import pytest

from introducer import score
from introducer.document.audience import Score
from introducer.referral import Touch
from introducer.score import Reason, Scored
from tests.support.life import NOW, document, new_referral

BIG = {
    "id": "big",
    "name": "Large company",
    "condition": {"field": "lead.size", "op": "gte", "value": 50},
    "points": 30,
}
HOME = {
    "id": "home",
    "condition": {"field": "lead.country", "op": "eq", "value": "DE"},
    "points": 15,
}
POOR = {
    "id": "poor",
    "condition": {"field": "answers.budget", "op": "eq", "value": "none"},
    "points": -60,
}
RULES: dict[str, Any] = {
    "questions": {
        "budget": {"text": "Which budget?", "type": "choice", "options": ["none", "high"]}
    },
    "score": {"base": 20, "most": 60, "rules": [BIG, HOME, POOR]},
}


@pytest.mark.parametrize(
    ("facts", "expected", "held"),
    [
        ({}, 35, ["home"]),
        ({"lead.size": 49}, 35, ["home"]),
        ({"lead.size": 50}, 60, ["big", "home"]),
        ({"answers.budget": "none"}, 0, ["home", "poor"]),
    ],
)
def test_score_is_the_base_and_the_points_that_hold(
    facts: dict[str, Any], expected: int, held: list[str]
) -> None:
    """Never below 0 nor above the most; what is not known gives and takes nothing."""
    rules = document(**RULES)
    scored = score.score(rules.score, score.facts_of(new_referral(facts=facts)))
    assert scored is not None
    assert (expected, held) == (scored.score, [each.rule for each in scored.reasons])


def test_no_rules_are_no_score() -> None:
    """A score that says nothing would make every condition on it hold."""
    assert score.score(Score(base=50), {"lead.size": 50}) is None


def test_the_reasons_are_kept_and_explained_in_the_programs_words() -> None:
    """The touch holds ids and numbers; the version names the rules."""
    rules = document(**RULES)
    scored = score.score(rules.score, score.facts_of(new_referral(facts={"lead.size": 80})))
    assert scored is not None
    kept = score.touch_of(scored, at=NOW)
    assert kept == Touch(
        id="score",
        kind="score",
        at=NOW,
        data={"score": "60", "rule.big": "30", "rule.home": "15"},
    )
    expected = Scored(
        score=60,
        base=20,
        most=60,
        reasons=[
            Reason(rule="big", name="Large company", points=30),
            Reason(rule="home", name="home", points=15),
        ],
    )
    assert expected == scored == score.explain([kept], rules)


def test_a_lead_without_a_score_has_nothing_to_explain() -> None:
    """Other touches are none."""
    click = Touch(id="c", kind="click", at=NOW, data={"score": "9"})
    assert score.explain([click], document()) is None


def test_facts_are_what_conditions_on_a_lead_ask_for() -> None:
    """Country and product stand in the referral itself; unknown ones are left out."""
    made = new_referral(product="fibre", facts={"lead.language": "de"})
    assert {
        "lead.language": "de",
        "lead.country": "DE",
        "lead.product": "fibre",
        "referral.channel": "form",
    } == score.facts_of(made)
    assert {"referral.channel": "form"} == score.facts_of(new_referral(country=""))
