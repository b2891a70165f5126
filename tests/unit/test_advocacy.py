"""Which act of advocacy starts an ask."""

from __future__ import annotations

import pytest

from introducer import advocacy
from introducer.advocacy import Act
from tests.support import life
from tests.support.documents import document, found_in

NOW = "2026-11-22T11:17:00.000Z"
RULES = {
    "promoters": {"event": "survey", "audience": "partners", "min_score": 9},
    "staff": {"event": "survey", "audience": "employees", "again_after_days": 30},
    "renewed": {"event": "renewal", "audience": "partners", "asset": "one_pager"},
}


def rule(event: str, audience: str = "", *, score: int | None = None, at: str = NOW) -> str:
    """Return the key of the rule that an act meets, empty for none."""
    rules = life.document(advocacy=RULES)
    found = advocacy.rule_for(rules, Act(event=event, at=at, score=score), audience, NOW)
    return found.key if found else ""


@pytest.mark.parametrize(
    ("expected", "event", "audience", "score"),
    [
        ("promoters", "survey", "partners", 9),
        ("", "survey", "partners", 8),
        ("", "survey", "partners", None),
        ("staff", "survey", "employees", 10),
        ("promoters", "survey", "", 10),
        ("staff", "survey", "", 8),
        ("renewed", "renewal", "", None),
        ("", "renewal", "employees", None),
        ("", "review", "", 10),
    ],
)
def test_the_first_rule_whose_event_score_and_audience_fit(
    expected: str, event: str, audience: str, score: int | None
) -> None:
    """A score that is asked for and not told is not met; a stranger fits every audience."""
    assert expected == rule(event, audience, score=score)


def test_an_act_older_than_the_pause_is_history() -> None:
    """Somebody who sends last year's surveys asks nobody."""
    assert "staff" == rule("survey", "employees", at="2026-10-23T11:17:00.001Z")
    assert "" == rule("survey", "employees", at="2026-10-23T11:17:00.000Z")


def test_a_rule_names_an_audience_that_there_is() -> None:
    """What it would invite people to must exist."""
    rules = {"renewed": {"event": "renewal", "audience": "freinds"}}
    assert [
        (
            "$.advocacy.renewed.audience",
            "there is no audience freinds",
            "did you mean friends?",
        )
    ] == found_in(document(advocacy=rules))
