"""Which rep gets a lead."""

from collections import Counter
from typing import Any

import pytest

from introducer import routing
from tests.support.life import document, new_referral

EVERYBODY = {"anna", "ben", "cleo", "dora"}


def _rules(*rules: dict[str, Any]) -> Any:
    return document(routing={"rules": list(rules)})


@pytest.mark.parametrize(("country", "expected"), [("AT", "cleo"), ("FR", None), ("", None)])
def test_choose_rep_by_country(country: str, expected: str | None) -> None:
    """A lead from a country no rule names is for a person to place."""
    assert expected == routing.choose_rep(
        new_referral(country=country), document(), active=EVERYBODY
    )


def test_choose_rep_by_product_and_country_together() -> None:
    """All conditions of a rule must hold."""
    narrow = {"reps": ["anna"], "countries": ["DE"], "products": ["fibre"]}
    rules = _rules(narrow, {"reps": ["dora"]})
    fibre = new_referral(product="fibre")
    mobile = new_referral(product="mobile")
    assert "anna" == routing.choose_rep(fibre, rules, active=EVERYBODY)
    assert "dora" == routing.choose_rep(mobile, rules, active=EVERYBODY)


def test_choose_rep_takes_the_first_rule_with_somebody_left() -> None:
    """A rule whose reps are all away does not end the search."""
    rules = _rules({"reps": ["anna"], "countries": ["DE"]}, {"reps": ["dora"]})
    assert "dora" == routing.choose_rep(new_referral(), rules, active={"dora", "cleo"})


def test_choose_rep_does_not_ask_again_who_handed_it_back() -> None:
    """When everybody has passed, a person must decide."""
    once = new_referral(passed=["anna"])
    assert "ben" == routing.choose_rep(once, document(), active=EVERYBODY)
    twice = new_referral(passed=["anna", "ben"])
    assert routing.choose_rep(twice, document(), active=EVERYBODY) is None


def test_choose_rep_is_the_same_each_time_and_even_over_many() -> None:
    """The lead's id decides, so a repeated delivery chooses the same rep."""
    chosen = [
        routing.choose_rep(new_referral(f"r{number}"), document(), active=EVERYBODY)
        for number in range(1_000)
    ]
    again = [
        routing.choose_rep(new_referral(f"r{number}"), document(), active=EVERYBODY)
        for number in range(1_000)
    ]
    assert chosen == again
    counts = Counter(chosen)
    assert {"anna", "ben"} == set(counts)
    assert 400 < counts["anna"] < 600


def test_candidates_names_each_rep_once() -> None:
    """A rep in several rules is read once."""
    rules = _rules({"reps": ["anna", "ben"], "countries": ["DE"]}, {"reps": ["ben", "cleo"]})
    assert ["anna", "ben", "cleo"] == routing.candidates(rules)
