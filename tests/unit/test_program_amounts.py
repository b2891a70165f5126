"""Amounts in a program document can be computed and compared."""

from typing import Any

import pytest

from tests.support.documents import (
    BONUS,
    BUDGET,
    CAP,
    EARNED,
    POINTS,
    VARIANT,
    Finding,
    document,
    flat,
    found_in,
    payout,
    plan,
    rate,
)


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        pytest.param(
            document(
                plan(calculation=flat(1, "EUO")),
                currency="XXX",
                audiences={"friends": {"name": "F", "currency": "ABC"}},
            ),
            [
                ("$.currency", "XXX is not a currency", "use an ISO 4217 code"),
                ("$.audiences.friends.currency", "ABC is not a currency", "use an ISO 4217 code"),
                (
                    "$.rewards[0].calculation.currency",
                    "EUO is not a currency",
                    "use an ISO 4217 code",
                ),
            ],
            id="no currency",
        ),
        pytest.param(
            document(
                plan(calculation=flat(1, "PTS")), ceiling={"amount_minor": 5, "currency": "PTS"}
            ),
            [
                (
                    "$.rewards[0].calculation.currency",
                    "points are not a currency",
                    "use an ISO 4217 code",
                ),
                ("$.ceiling.currency", "points are not a currency", "use an ISO 4217 code"),
                (
                    "$.ceiling.currency",
                    "no plan that it limits pays points",
                    "use the unit they pay in",
                ),
            ],
            id="points as a currency",
        ),
        pytest.param(
            document(
                exchange={
                    "policy": "fixed",
                    "rates": [
                        rate("EUR", "USD", "0.0"),
                        rate("USD", "EUR"),
                        rate("CHF", "CHF"),
                        rate("EUR", "PTS"),
                    ],
                }
            ),
            [
                ("$.exchange.rates[0].rate", "a rate of zero", "write what one unit is worth"),
                (
                    "$.exchange.rates[1]",
                    "there is a rate between USD and EUR already",
                    "keep one; it serves its inverse too",
                ),
                ("$.exchange.rates[2]", "a rate from CHF to itself", "leave it out"),
                ("$.exchange.rates[3].to", "points are not a currency", "use an ISO 4217 code"),
            ],
            id="rates",
        ),
        pytest.param(
            document(exchange={"policy": "fixed"}),
            [
                (
                    "$.exchange.rates",
                    "the policy is fixed rates, and there are none",
                    'list rates, or use "refuse"',
                )
            ],
            id="policy without rates",
        ),
        pytest.param(
            document(exchange={"rates": [rate("EUR", "USD")]}),
            [
                (
                    "$.exchange.policy",
                    "there are rates, and the policy refuses to use them",
                    'use "fixed", or leave the rates out',
                )
            ],
            id="rates without policy",
        ),
        pytest.param(
            document(plan(calculation=flat(5, "USD")), payouts=[payout(), payout()]),
            [
                (
                    "$.rewards[0].calculation",
                    "cash in USD, which no payout rule pays",
                    "add USD to payouts, or pay in another currency",
                ),
                (
                    "$.payouts[1]",
                    "sepa pays EUR in the region default already",
                    "keep one of them, or give this one its own region",
                ),
            ],
            id="payouts",
        ),
        pytest.param(
            document(plan(calculation=flat(5, "USD")), plan(id="b")),
            [
                (
                    "$.rewards[0].calculation.currency",
                    "USD must be compared with EUR, and there is no rate",
                    (
                        'give exchange the policy "fixed" and a rate between them, or use one '
                        "currency"
                    ),
                )
            ],
            id="best plan without a rate",
        ),
        pytest.param(
            document(
                plan(caps=[CAP | {"currency": "USD"}]),
                ceiling={"amount_minor": 9999, "currency": "CHF"},
                budgets=[BUDGET | {"currency": "GBP"}],
            ),
            [
                (
                    "$.rewards[0].caps[0].currency",
                    "USD must be compared with EUR, and there is no rate",
                    (
                        'give exchange the policy "fixed" and a rate between them, or use one '
                        "currency"
                    ),
                ),
                (
                    "$.ceiling.currency",
                    "CHF must be compared with EUR, and there is no rate",
                    (
                        'give exchange the policy "fixed" and a rate between them, or use one '
                        "currency"
                    ),
                ),
                (
                    "$.budgets[0].currency",
                    "GBP must be compared with EUR, and there is no rate",
                    (
                        'give exchange the policy "fixed" and a rate between them, or use one '
                        "currency"
                    ),
                ),
            ],
            id="limits without a rate",
        ),
        pytest.param(
            document(audiences={"friends": {"name": "F", "currency": "USD"}}),
            [
                (
                    "$.audiences.friends.currency",
                    "USD must be compared with EUR, and there is no rate",
                    (
                        'give exchange the policy "fixed" and a rate between them, or use one '
                        "currency"
                    ),
                )
            ],
            id="audience without a rate",
        ),
        pytest.param(
            document(plan(type="points")),
            [
                (
                    "$.rewards[0].calculation.kind",
                    "a plan of type points pays money",
                    'use the kind "points"',
                )
            ],
            id="money as points",
        ),
        pytest.param(
            document(plan(calculation={"kind": "points", "points": 5})),
            [
                (
                    "$.rewards[0].calculation.kind",
                    "a plan of type cash pays points",
                    'use another kind, or the type "points"',
                )
            ],
            id="points as money",
        ),
        pytest.param(
            document(plan(**POINTS, bonuses=[BONUS], caps=[CAP])),
            [
                (
                    "$.rewards[0].bonuses[0].effect.kind",
                    "money cannot be added to points",
                    'use the kind "multiplier"',
                ),
                ("$.rewards[0].caps[0].currency", "a cap in EUR does not limit points", "use PTS"),
            ],
            id="money added to points",
        ),
        pytest.param(
            document(
                plan(
                    variants=[VARIANT | {"calculation": flat(5, "USD")}],
                    bonuses=[BONUS | {"effect": flat(5, "GBP")}],
                )
            ),
            [
                (
                    "$.rewards[0].variants[0].calculation",
                    "it pays in USD, the plan's own calculation in EUR",
                    "let a plan pay in one currency",
                ),
                (
                    "$.rewards[0].bonuses[0].effect.currency",
                    "an amount in GBP adds nothing to bounty, paid in EUR",
                    "use EUR, or name other plans",
                ),
            ],
            id="variants in two currencies",
        ),
        pytest.param(
            document(
                plan(
                    trigger={"on": "submitted"},
                    milestones=EARNED,
                    calculation={"kind": "percent", "basis_points": 100},
                )
            ),
            [
                (
                    "$.rewards[0].calculation",
                    "a share of revenue, and its trigger has none",
                    "use a flat amount, or a trigger with an amount",
                )
            ],
            id="share of nothing",
        ),
        pytest.param(
            document(
                plan(
                    trigger={"on": "event", "event": "joined"},
                    milestones=EARNED,
                    calculation={"kind": "percent", "basis_points": 100},
                    bonuses=[BONUS | {"effect": {"kind": "percent", "basis_points": 5}}],
                    escalation={"measure": "value", "tiers": [{"from": 5, "calculation": flat(9)}]},
                ),
                events={"joined": {"name": "J"}},
            ),
            [
                (
                    "$.rewards[0].calculation",
                    "a share of revenue, and the event joined has none",
                    "use a flat amount, or a trigger with an amount",
                ),
                (
                    "$.rewards[0].bonuses[0].effect",
                    "a share of revenue, and the event joined of bounty has none",
                    "use a flat amount or a multiplier",
                ),
                (
                    "$.rewards[0].escalation.measure",
                    "it adds up values, and the event joined has none",
                    'use "count"',
                ),
            ],
            id="share of an event without amount",
        ),
        pytest.param(
            document(
                plan(
                    trigger={"on": "event", "event": "order"},
                    milestones=EARNED,
                    calculation={"kind": "percent", "basis_points": 100, "products": ["fibre"]},
                ),
                plan(
                    id="b",
                    trigger={"on": "event", "event": "order"},
                    milestones=EARNED,
                    calculation={
                        "kind": "per_product",
                        "currency": "EUR",
                        "rates": [{"product": "fibre", "amount_minor": 1}],
                    },
                ),
                events={"order": {"name": "O", "amount": True}},
            ),
            [
                (
                    "$.rewards[0].calculation.products",
                    "the event order has no products",
                    "leave products out, or use a sale",
                ),
                (
                    "$.rewards[1].calculation",
                    "amounts by product, and the event order has no products",
                    "use a sale",
                ),
            ],
            id="products of an event",
        ),
    ],
)
def test_amounts_can_be_computed(sent: dict[str, Any], expected: list[Finding]) -> None:
    """A missing rate, a share of nothing, points taken for money: found before anybody earns."""
    assert expected == found_in(sent)
