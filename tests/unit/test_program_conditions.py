"""Conditions must ask what is known, in its type."""

from typing import Any

import pytest

from tests.support.documents import (
    EARNED,
    SCORED,
    Finding,
    asks,
    document,
    found_in,
    holding,
    nested,
    plan,
)


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        pytest.param(
            holding(asks("lead.contry", "eq", "DE")),
            [
                (
                    "$.rewards[0].condition.field",
                    "there is no field “lead.contry”",
                    "did you mean lead.country?",
                )
            ],
            id="unknown field",
        ),
        pytest.param(
            holding({"all": [asks("answers.size", "gt", 1), asks("metadata.plan", "eq", "x")]}),
            [
                (
                    "$.rewards[0].condition.all[0].field",
                    "there is no field “answers.size”",
                    "use a field of the catalogue, a question or a field",
                ),
                (
                    "$.rewards[0].condition.all[1].field",
                    "there is no field “metadata.plan”",
                    "use a field of the catalogue, a question or a field",
                ),
            ],
            id="unknown answer and metadata",
        ),
        pytest.param(
            holding(asks("lead.size", "starts_with", "x")),
            [
                (
                    "$.rewards[0].condition.op",
                    "lead.size is a number, which starts_with does not compare",
                    "use one of between, eq, exists, gt, gte, in, lt, lte, ne, not_in",
                )
            ],
            id="operator",
        ),
        pytest.param(
            holding(
                {
                    "any": [
                        asks("lead.size", "gt", 5),
                        asks("lead.size", "eq", "five"),
                        asks("lead.industry", "in", ["x", 5]),
                    ]
                }
            ),
            [
                (
                    "$.rewards[0].condition.any[1].value",
                    "“five” is not a whole number, as lead.size is",
                    "write a whole number",
                ),
                (
                    "$.rewards[0].condition.any[2].value[1]",
                    "5 is not a text, as lead.industry is",
                    "write a text",
                ),
            ],
            id="type of value",
        ),
        pytest.param(
            holding(asks("lead.size", "eq", value=True)),
            [
                (
                    "$.rewards[0].condition.value",
                    "true is not a whole number, as lead.size is",
                    "write a whole number",
                )
            ],
            id="a flag for a number",
        ),
        pytest.param(
            holding(asks("lead.size", "between", [9, 3])),
            [
                (
                    "$.rewards[0].condition.value",
                    "the first number is above the second",
                    "write the lower one first",
                )
            ],
            id="between",
        ),
        pytest.param(
            holding(
                {"any": [asks("lead.industry", "eq", ""), asks("lead.industry", "in", ["a", "a"])]}
            ),
            [
                (
                    "$.rewards[0].condition.any[0].value",
                    "an empty text says nothing",
                    "write what is compared",
                ),
                ("$.rewards[0].condition.any[1].value[1]", "“a” is listed twice", "list it once"),
            ],
            id="empty and repeated",
        ),
        pytest.param(
            holding(asks("history.count", "gte", 3)),
            [
                (
                    "$.rewards[0].condition.field",
                    "history.count is not known here: the plan would count itself",
                    "ask for it in a variant, bonus or promotion, or use an escalation",
                )
            ],
            id="counting itself",
        ),
        pytest.param(
            document(
                plan(
                    milestones=[
                        {
                            "id": "a",
                            "share_basis_points": 10000,
                            "until_days": 3,
                            "condition": asks("history.count", "gte", 3),
                        }
                    ]
                )
            ),
            [
                (
                    "$.rewards[0].milestones[0].condition.field",
                    "history.count is not known here: the plan would count itself",
                    "ask for it in a variant, bonus or promotion, or use an escalation",
                )
            ],
            id="history at a milestone",
        ),
        pytest.param(
            document(
                score={"rules": [SCORED | {"condition": asks("partner.country", "eq", "DE")}]},
                routing={
                    "rules": [{"reps": ["x"], "condition": asks("partner.country", "eq", "DE")}]
                },
            ),
            [
                (
                    "$.score.rules[0].condition.field",
                    "partner.country is not known yet when this is asked",
                    "ask for facts of the lead",
                )
            ],
            id="a score does not know the partner, routing does",
        ),
        pytest.param(
            holding(asks("referral.status", "eq", "won")),
            [
                (
                    "$.rewards[0].condition.field",
                    "referral.status changes, and a reward may not with it",
                    "ask for it in a milestone",
                )
            ],
            id="a status that changes",
        ),
        pytest.param(
            document(
                plan(
                    trigger={"on": "submitted"},
                    milestones=EARNED,
                    condition=asks("sale.items", "gt", 3),
                )
            ),
            [
                (
                    "$.rewards[0].condition.field",
                    "sale.items is never known: what triggers this is no sale",
                    "use another trigger",
                )
            ],
            id="sale before there is one",
        ),
        pytest.param(
            holding(asks("event.amount_minor", "gt", 3)),
            [
                (
                    "$.rewards[0].condition.field",
                    ("event.amount_minor is never known: no event with an amount triggers this"),
                    "use such an event",
                )
            ],
            id="event where there is none",
        ),
        pytest.param(
            document(
                routing={"rules": [{"reps": ["x"], "condition": asks("sale.items", "gt", 3)}]},
                score={"rules": [SCORED | {"condition": asks("lead.score", "gt", 3)}]},
            ),
            [
                (
                    "$.routing.rules[0].condition.field",
                    "sale.items is not known yet when this is asked",
                    "ask for facts of the lead or the partner",
                ),
                (
                    "$.score.rules[0].condition.field",
                    "lead.score is not known yet when this is asked",
                    "ask for facts of the lead",
                ),
            ],
            id="routing and score ask too early",
        ),
        pytest.param(
            holding(nested(9)),
            [
                (
                    "$.rewards[0].condition",
                    "conditions are nested deeper than 8",
                    "say it with fewer levels",
                )
            ],
            id="too deep",
        ),
        pytest.param(
            holding({"any": [{"any": [asks("lead.size", "gt", n) for n in range(100)]}] * 3}),
            [
                (
                    "$.rewards[0].condition",
                    "one condition has 300 tests",
                    "200 are the most; use in with a list",
                )
            ],
            id="too many",
        ),
    ],
)
def test_conditions_can_be_asked(sent: dict[str, Any], expected: list[Finding]) -> None:
    """A typo in a condition is a finding and never a silent no."""
    assert expected == found_in(sent)
