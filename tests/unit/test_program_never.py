"""Tests that can never hold are mistakes."""

from typing import Any

import pytest

from tests.support.documents import SCORED, Finding, asks, document, found_in, holding, plan


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        pytest.param(
            holding(
                {
                    "all": [
                        asks("lead.industry", "eq", "a"),
                        {"all": [asks("lead.industry", "eq", "b")]},
                    ]
                }
            ),
            [
                (
                    "$.rewards[0].condition",
                    "no lead.industry can meet all its tests together",
                    "take one of them out, or use any",
                )
            ],
            id="two values at once",
        ),
        pytest.param(
            holding({"all": [asks("lead.size", "gt", 10), asks("lead.size", "lte", 10)]}),
            [
                (
                    "$.rewards[0].condition",
                    "no lead.size can meet all its tests together",
                    "take one of them out, or use any",
                )
            ],
            id="no number left",
        ),
        pytest.param(
            holding(
                {
                    "all": [
                        asks("lead.industry", "in", ["a", "b"]),
                        asks("lead.industry", "not_in", ["b", "a"]),
                    ]
                }
            ),
            [
                (
                    "$.rewards[0].condition",
                    "no lead.industry can meet all its tests together",
                    "take one of them out, or use any",
                )
            ],
            id="excluded at once",
        ),
        pytest.param(
            holding(
                {
                    "not": {
                        "all": [
                            asks("lead.size", "exists", value=False),
                            asks("lead.size", "gt", 1),
                        ]
                    }
                }
            ),
            [
                (
                    "$.rewards[0].condition.not",
                    "no lead.size can meet all its tests together",
                    "take one of them out, or use any",
                )
            ],
            id="missing and known",
        ),
        pytest.param(
            holding(
                {
                    "all": [
                        asks("lead.size", "exists", value=True),
                        asks("lead.size", "exists", value=False),
                    ]
                }
            ),
            [
                (
                    "$.rewards[0].condition",
                    "no lead.size can meet all its tests together",
                    "take one of them out, or use any",
                )
            ],
            id="known and missing",
        ),
        pytest.param(
            holding(
                asks("partner.country", "in", ["US", "CA"]),
                audiences={"friends": {"name": "F", "countries": ["DE", "AT"]}},
            ),
            [
                (
                    "$.rewards[0].condition.value",
                    "the test never holds: only AT, DE can be met",
                    "name one of them, or leave the test out",
                )
            ],
            id="country outside",
        ),
        pytest.param(
            holding(
                asks("lead.country", "eq", "US"),
                audiences={"friends": {"name": "F", "lead_countries": ["DE"]}},
            ),
            [
                (
                    "$.rewards[0].condition.value",
                    "the test never holds: only DE can be met",
                    "name one of them, or leave the test out",
                )
            ],
            id="lead's country outside",
        ),
        pytest.param(
            document(
                plan(audiences=["friends"], condition=asks("partner.audience", "eq", "partners"))
            ),
            [
                (
                    "$.rewards[0].condition.value",
                    "the test never holds: only friends can be met",
                    "name one of them, or leave the test out",
                )
            ],
            id="audience of another plan",
        ),
        pytest.param(
            holding(
                {"any": [asks("lead.country", "eq", "UK"), asks("lead.product", "eq", "fiber")]}
            ),
            [
                ("$.rewards[0].condition.any[0].value", "UK is not a country", "did you mean GB?"),
                (
                    "$.rewards[0].condition.any[1].value",
                    "lead.product is never “fiber”",
                    "did you mean fibre?",
                ),
            ],
            id="no country, no product",
        ),
        pytest.param(
            document(
                plan(
                    milestones=[
                        {
                            "id": "a",
                            "share_basis_points": 10000,
                            "until_days": 3,
                            "condition": asks("referral.status", "ne", "dead"),
                        }
                    ]
                )
            ),
            [
                (
                    "$.rewards[0].milestones[0].condition.value",
                    "referral.status is never “dead”",
                    (
                        "use one of accepted, assigned, churned, duplicate, expired, "
                        "ineligible, lost, qualified, refunded, rejected, retained, review, "
                        "screening, submitted, withdrawn, won"
                    ),
                )
            ],
            id="no status",
        ),
        pytest.param(
            holding(asks("sale.currency", "in", ["EUR", "PTS", "XXX"])),
            [
                (
                    "$.rewards[0].condition.value[1]",
                    "this is not a currency",
                    "use an ISO 4217 code",
                ),
                (
                    "$.rewards[0].condition.value[2]",
                    "this is not a currency",
                    "use an ISO 4217 code",
                ),
            ],
            id="no currency",
        ),
        pytest.param(
            holding(
                asks("answers.size", "eq", "huge"),
                questions={
                    "size": {"text": "Size?", "type": "choice", "options": ["small", "big"]}
                },
            ),
            [
                (
                    "$.rewards[0].condition.value",
                    "answers.size is never “huge”",
                    "use one of small, big",
                )
            ],
            id="no option",
        ),
        pytest.param(
            holding(
                {
                    "any": [
                        asks("partner.type", "eq", "friend"),
                        asks("partner.involvement", "eq", "cosold"),
                    ]
                }
            ),
            [
                (
                    "$.rewards[0].condition.any[0].value",
                    "partner.type is never “friend”",
                    "declare it first",
                ),
                (
                    "$.rewards[0].condition.any[1].value",
                    "partner.involvement is never “cosold”",
                    "did you mean co_sold?",
                ),
            ],
            id="no type, no involvement",
        ),
        pytest.param(
            holding(
                {
                    "any": [
                        asks("partner.share", "gt", 10000),
                        asks("lead.rating", "eq", 6),
                        asks("sale.number", "in", [2, 3]),
                    ]
                }
            ),
            [
                (
                    "$.rewards[0].condition.any[0].value",
                    "the test never holds: partner.share is a number from 0 to 10000",
                    "choose a number that can be met",
                ),
                (
                    "$.rewards[0].condition.any[1].value",
                    "the test never holds: lead.rating is a number from 1 to 5",
                    "choose a number that can be met",
                ),
                (
                    "$.rewards[0].condition.any[2].value",
                    "the test never holds: sale.number is a number from 1 to 1",
                    "choose a number that can be met",
                ),
            ],
            id="out of range",
        ),
        pytest.param(
            document(
                plan(condition=asks("lead.score", "gte", 50)), score={"base": 10, "rules": [SCORED]}
            ),
            [
                (
                    "$.rewards[0].condition.value",
                    "the test never holds: lead.score is a number from 0 to 30",
                    "choose a number that can be met",
                )
            ],
            id="score out of reach",
        ),
    ],
)
def test_tests_that_never_hold_are_found(sent: dict[str, Any], expected: list[Finding]) -> None:
    """Tests that exclude one another, and values that do not exist, are found."""
    assert expected == found_in(sent)
