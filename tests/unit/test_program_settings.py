"""What surrounds the rules of a program must be possible."""

from typing import Any

import pytest

from tests.support.documents import (
    EARLY,
    LATE,
    MESSAGE,
    PROMOTION,
    SCORED,
    Finding,
    document,
    found_in,
)


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        pytest.param(
            document(time_zone="Mars/Olympus"),
            [("$.time_zone", "unknown time zone", "use an IANA name such as Europe/Berlin")],
            id="time zone",
        ),
        pytest.param(
            document(destinations=["not a host"], landing_url="https://evil.example/x"),
            [
                ("$.destinations[0]", "not a host name", "write it like www.example.com"),
                ("$.landing_url", "its host is not a destination", "add it to destinations"),
            ],
            id="destination and landing page",
        ),
        pytest.param(
            document(stages=["won", "qualified", "qualified"]),
            [
                ("$.stages[0]", "won is a status of its own", "choose another name"),
                ("$.stages[2]", "qualified is listed twice", "list each stage once"),
            ],
            id="stage named like a status, and twice",
        ),
        pytest.param(
            document(disputes={"open_within_days": 0}),
            [
                (
                    "$.disputes.open_within_days",
                    "nobody could ever dispute a credit",
                    "allow at least a day",
                )
            ],
            id="disputes",
        ),
        pytest.param(
            document(stage_map={"crm": {"Closed Won": "wonn"}}),
            [('$.stage_map.crm["Closed Won"]', "there is no stage wonn", "did you mean won?")],
            id="stage map",
        ),
        pytest.param(
            document(promotions=[PROMOTION | {"starts_at": "2026-02-30T00:00:00.000Z"}]),
            [
                (
                    "$.promotions[0].starts_at",
                    "there is no such instant as 2026-02-30T00:00:00.000Z",
                    "use a day of the calendar",
                )
            ],
            id="no such day",
        ),
        pytest.param(
            document(questions={"size": {"text": "Size?", "type": "choice"}}),
            [("$.questions.size.options", "a choice without options", "list what can be answered")],
            id="choice without options",
        ),
        pytest.param(
            document(
                questions={"size": {"text": "Size?", "type": "number", "options": ["big", "big"]}}
            ),
            [
                (
                    "$.questions.size.options",
                    "a number has no options",
                    'leave them out, or use "choice"',
                ),
                ("$.questions.size.options[1]", "big is listed twice", "list it once"),
            ],
            id="number with options",
        ),
        pytest.param(
            document(
                attribution={
                    "model": "position_based",
                    "first_basis_points": 6000,
                    "last_basis_points": 5000,
                }
            ),
            [
                (
                    "$.attribution.first_basis_points",
                    "first and last touch together get 11000 basis points",
                    "let them have at most 10000",
                )
            ],
            id="position based over all",
        ),
        pytest.param(
            document(attribution={"model": "fixed", "shares_basis_points": [7000, 2000]}),
            [
                (
                    "$.attribution.shares_basis_points",
                    "the shares add up to 9000 basis points",
                    "make them add up to 10000",
                )
            ],
            id="fixed shares",
        ),
        pytest.param(
            document(attribution={"model": "linear", "shares_basis_points": [7000, 3000]}),
            [
                (
                    "$.attribution.shares_basis_points",
                    "the model linear has no fixed shares",
                    'leave them out, or use "fixed"',
                )
            ],
            id="shares of another model",
        ),
        pytest.param(
            document(score={"base": 200, "rules": [SCORED | {"points": 0}]}),
            [
                (
                    "$.score.base",
                    "it begins with 200, above its most of 100",
                    "begin lower, or raise most",
                ),
                (
                    "$.score.rules[0].points",
                    "the rule changes nothing",
                    "give points, or leave it out",
                ),
            ],
            id="score",
        ),
        pytest.param(
            document(routing={"sla": {"accept_within_hours": 4, "remind_after_hours": 4}}),
            [
                (
                    "$.routing.sla.remind_after_hours",
                    "the reminder comes after 4 hours, when time is up",
                    "remind earlier",
                )
            ],
            id="sla",
        ),
        pytest.param(
            document(
                audiences={
                    "friends": {"name": "F", "eligibility": {"opens_at": LATE, "closes_at": EARLY}}
                }
            ),
            [
                (
                    "$.audiences.friends.eligibility.closes_at",
                    "it closes before it opens",
                    "let it close later",
                )
            ],
            id="closes before it opens",
        ),
        pytest.param(
            document(audiences={"friends": {"name": "F", "eligibility": {"rollout": {}}}}),
            [
                (
                    "$.audiences.friends.eligibility.rollout",
                    "the roll-out admits nobody",
                    "name segments, a score or a share",
                )
            ],
            id="roll-out to nobody",
        ),
        pytest.param(
            document(forecast={"usual_sale_minor": {"tv": 1}, "chance_basis_points": {"won": 1}}),
            [
                (
                    "$.forecast.usual_sale_minor.tv",
                    "there is no product tv",
                    "declare it in products",
                ),
                (
                    "$.forecast.chance_basis_points.won",
                    "there is no stage won",
                    "use a stage or a status before the sale",
                ),
            ],
            id="forecast",
        ),
        pytest.param(
            document(messages=[MESSAGE, MESSAGE]),
            [
                (
                    "$.messages[1]",
                    "there is a text for “ReferralWon” in this language already",
                    "keep one of them",
                )
            ],
            id="message twice",
        ),
    ],
)
def test_settings_are_possible(sent: dict[str, Any], expected: list[Finding]) -> None:
    """Hosts, dates, shares and options that cannot be are found where they stand."""
    assert expected == found_in(sent)
