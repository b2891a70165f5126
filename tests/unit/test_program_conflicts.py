"""What is said of conflicts must be able to happen."""

from __future__ import annotations

from typing import Any

import pytest

from introducer.errors import InvalidProgramError
from tests.support.life import document


@pytest.mark.parametrize("how", ["ignore", "unique"])
@pytest.mark.parametrize("rule", ["review", "ineligible"])
def test_a_rule_for_companies_that_are_not_looked_up_is_refused(how: str, rule: str) -> None:
    """Whoever writes it expects something that would never happen."""
    with pytest.raises(InvalidProgramError) as refused:
        document(intake={"identity": {"domain": how}}, conflicts={"domain": rule})
    assert ["$.conflicts.domain"] == [each["path"] for each in refused.value.findings]


@pytest.mark.parametrize(
    "parts",
    [
        {},
        {"conflicts": {"domain": "ineligible"}},
        {"intake": {"identity": {"domain": "unique"}}},
        {"intake": {"identity": {"domain": "ignore"}}, "conflicts": {"domain": "accept"}},
    ],
)
def test_what_can_happen_is_accepted(parts: dict[str, Any]) -> None:
    """The usual words, and none, stand with any of the others."""
    assert "acme" == document(**parts).id


@pytest.mark.parametrize(
    ("part", "value"),
    [("customer", "assign"), ("domain", "assign"), ("open", "reject"), ("strangers", "flag")],
)
def test_other_words_are_refused(part: str, value: str) -> None:
    """A customer has no rep to be given to, and what nobody knows is not stored."""
    with pytest.raises(InvalidProgramError) as refused:
        document(conflicts={part: value})
    assert refused.value.findings[0]["path"].startswith("$.conflicts")
