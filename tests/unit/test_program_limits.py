"""Limits and promotions must be able to bear."""

from typing import Any

import pytest

from tests.support.documents import (
    BUDGET,
    CAP,
    EARLY,
    LATE,
    POINTS,
    PROMOTION,
    Finding,
    document,
    flat,
    found_in,
    plan,
)


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        pytest.param(
            document(
                plan(caps=[CAP | {"amount_minor": 4000}]),
                ceiling={"amount_minor": 3000, "currency": "EUR"},
                budgets=[BUDGET | {"amount_minor": 2000}],
            ),
            [
                (
                    "$.rewards[0].caps[0].amount_minor",
                    "4000 is less than the 5000 that bounty gives at once",
                    "raise it, or lower the reward",
                ),
                (
                    "$.ceiling.amount_minor",
                    "3000 is less than the 5000 that bounty gives at once",
                    "raise it, or lower the reward",
                ),
                (
                    "$.budgets[0].amount_minor",
                    "2000 is less than the 5000 that bounty gives at once",
                    "raise it, or lower the reward",
                ),
                (
                    "$.budgets[0].amount_minor",
                    "the budget is smaller than the cap most of 4000",
                    "raise it, or lower the cap at $.rewards[0].caps[0]",
                ),
            ],
            id="below a flat amount",
        ),
        pytest.param(
            document(plan(caps=[CAP]), budgets=[BUDGET | {"amount_minor": 9000}]),
            [
                (
                    "$.budgets[0].amount_minor",
                    "the budget is smaller than the cap most of 10000",
                    "raise it, or lower the cap at $.rewards[0].caps[0]",
                )
            ],
            id="budget below a cap",
        ),
        pytest.param(
            document(plan(**POINTS), caps=[CAP]),
            [
                (
                    "$.caps[0].currency",
                    "no plan that it limits pays money",
                    "use the unit they pay in",
                )
            ],
            id="limit in another unit",
        ),
        pytest.param(
            document(promotions=[PROMOTION | {"starts_at": LATE, "ends_at": EARLY}]),
            [("$.promotions[0].ends_at", "it ends before it begins", "let it end later")],
            id="promotion that ends first",
        ),
        pytest.param(
            document(promotions=[PROMOTION | {"beneficiary": "rep"}]),
            [
                (
                    "$.promotions[0]",
                    "there is no plan of a rep that it adds to",
                    "name other plans or audiences",
                )
            ],
            id="promotion without a plan",
        ),
        pytest.param(
            document(plan(**POINTS), promotions=[PROMOTION]),
            [
                (
                    "$.promotions[0].effect.kind",
                    "money cannot be added to points",
                    'use the kind "multiplier"',
                )
            ],
            id="promotion of money for points",
        ),
        pytest.param(
            document(
                promotions=[
                    PROMOTION,
                    PROMOTION | {"id": "other", "starts_at": "2026-12-10T00:00:00.000Z"},
                ]
            ),
            [
                (
                    "$.promotions[1]",
                    "it gives the same as winter at the same time",
                    "let one end before the other",
                )
            ],
            id="promotion twice at once",
        ),
        pytest.param(
            document(promotions=[PROMOTION | {"effect": flat(100, "USD")}]),
            [
                (
                    "$.promotions[0].effect.currency",
                    "an amount in USD adds nothing to bounty, paid in EUR",
                    "use EUR, or name other plans",
                )
            ],
            id="promotion in another currency",
        ),
    ],
)
def test_limits_can_be_reached(sent: dict[str, Any], expected: list[Finding]) -> None:
    """A limit below what it limits, or a promotion of nothing, is found."""
    assert expected == found_in(sent)
