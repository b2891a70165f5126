"""Names in a program document: each declared, and only once."""

from typing import Any

import pytest

from tests.support.documents import (
    BONUS,
    BUDGET,
    CAP,
    DRAWS,
    EARNED,
    MESSAGE,
    PROMOTION,
    SCORED,
    TWICE,
    VARIANT,
    Finding,
    document,
    found_in,
    payout,
    plan,
)


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        pytest.param(
            document(plan(), plan(trigger={"on": "submitted"}, milestones=EARNED)),
            [("$.rewards[1].id", "the id bounty is used twice", "give each its own id")],
            id="plan id twice",
        ),
        pytest.param(
            document(plan(milestones=[{"id": "a", "share_basis_points": 5000}] * 2)),
            [("$.rewards[0].milestones[1].id", "the id a is used twice", "give each its own id")],
            id="milestone id twice",
        ),
        pytest.param(
            document(plan(variants=[VARIANT] * 2, bonuses=[BONUS] * 2)),
            [
                (
                    "$.rewards[0].variants[1].id",
                    "the id large is used twice",
                    "give each its own id",
                ),
                ("$.rewards[0].bonuses[1].id", "the id fast is used twice", "give each its own id"),
            ],
            id="variant and bonus id twice",
        ),
        pytest.param(
            document(plan(caps=[CAP]), caps=[CAP]),
            [("$.caps[0].id", "the id most is used twice", "give each its own id")],
            id="cap id in plan and program",
        ),
        pytest.param(
            document(budgets=[BUDGET, BUDGET]),
            [("$.budgets[1].id", "the id year is used twice", "give each its own id")],
            id="budget id twice",
        ),
        pytest.param(
            document(promotions=[PROMOTION, PROMOTION | {"effect": TWICE}]),
            [("$.promotions[1].id", "the id winter is used twice", "give each its own id")],
            id="promotion id twice",
        ),
        pytest.param(
            document(
                score={"rules": [SCORED, SCORED]},
                routing={
                    "rules": [
                        {"id": "a", "reps": ["x"], "countries": ["DE"]},
                        {"id": "a", "reps": ["x"], "countries": ["FR"]},
                    ]
                },
            ),
            [
                ("$.score.rules[1].id", "the id big is used twice", "give each its own id"),
                ("$.routing.rules[1].id", "the id a is used twice", "give each its own id"),
            ],
            id="score and routing id twice",
        ),
        pytest.param(
            document(jurisdictions=[DRAWS, DRAWS]),
            [("$.jurisdictions[1].id", "the id draws is used twice", "give each its own id")],
            id="jurisdiction id twice",
        ),
        pytest.param(
            document(products=["fibre", "fibre", "mobile"]),
            [("$.products[1]", "fibre is listed twice", "list it once")],
            id="product listed twice",
        ),
        pytest.param(
            document(partner_types=["reseller", "reseller"]),
            [("$.partner_types[1]", "reseller is listed twice", "list it once")],
            id="partner type listed twice",
        ),
        pytest.param(
            document(plan(audiences=["freinds"]), attribution={"creditable": {"audiences": ["x"]}}),
            [
                (
                    "$.rewards[0].audiences[0]",
                    "there is no audience freinds",
                    "did you mean friends?",
                ),
                (
                    "$.attribution.creditable.audiences[0]",
                    "there is no audience x",
                    "declare it in audiences",
                ),
            ],
            id="unknown audience",
        ),
        pytest.param(
            document(
                promotions=[PROMOTION | {"audiences": ["nobody"]}],
                messages=[MESSAGE | {"audiences": ["nobody"]}],
            ),
            [
                (
                    "$.promotions[0].audiences[0]",
                    "there is no audience nobody",
                    "declare it in audiences",
                ),
                (
                    "$.messages[0].audiences[0]",
                    "there is no audience nobody",
                    "declare it in audiences",
                ),
            ],
            id="unknown audience in a promotion and message",
        ),
        pytest.param(
            document(
                audiences={
                    "friends": {"name": "F", "types": ["reseler"]},
                    "partners": {"name": "P"},
                },
                partner_types=["reseller"],
            ),
            [
                (
                    "$.audiences.friends.types[0]",
                    "there is no partner type reseler",
                    "did you mean reseller?",
                )
            ],
            id="unknown type",
        ),
        pytest.param(
            document(
                plan(calculation={"kind": "percent", "basis_points": 100, "products": ["fiber"]}),
                routing={"rules": [{"reps": ["x"], "products": ["tv"]}]},
            ),
            [
                (
                    "$.rewards[0].calculation.products[0]",
                    "there is no product fiber",
                    "did you mean fibre?",
                ),
                (
                    "$.routing.rules[0].products[0]",
                    "there is no product tv",
                    "declare it in products",
                ),
            ],
            id="unknown product",
        ),
        pytest.param(
            document(
                plan(
                    calculation={
                        "kind": "per_product",
                        "currency": "EUR",
                        "rates": [
                            {"product": "fibre", "amount_minor": 1},
                            {"product": "fibre", "amount_minor": 2},
                            {"product": "tv", "amount_minor": 2},
                        ],
                    }
                )
            ),
            [
                (
                    "$.rewards[0].calculation.rates[1].product",
                    "fibre has a rate already",
                    "keep one of them",
                ),
                (
                    "$.rewards[0].calculation.rates[2].product",
                    "there is no product tv",
                    "declare it in products",
                ),
            ],
            id="unknown and repeated product rate",
        ),
        pytest.param(
            document(
                plan(trigger={"on": "stage", "stage": "qualifed"}, milestones=EARNED),
                plan(id="b", trigger={"on": "event", "event": "joined"}, milestones=EARNED),
            ),
            [
                (
                    "$.rewards[0].trigger.stage",
                    "there is no stage qualifed",
                    "did you mean qualified?",
                ),
                ("$.rewards[1].trigger.event", "there is no event joined", "declare it in events"),
            ],
            id="unknown stage and event",
        ),
        pytest.param(
            document(
                audiences={
                    "friends": {
                        "name": "F",
                        "eligibility": {"agreements": ["terms"], "declarations": ["none"]},
                        "engagement": {"agreements": ["code"]},
                    }
                }
            ),
            [
                (
                    "$.audiences.friends.eligibility.agreements[0]",
                    "there is no agreement terms",
                    "declare it in agreements",
                ),
                (
                    "$.audiences.friends.eligibility.declarations[0]",
                    "there is no declaration none",
                    "declare it in declarations",
                ),
                (
                    "$.audiences.friends.engagement.agreements[0]",
                    "there is no agreement code",
                    "declare it in agreements",
                ),
            ],
            id="unknown agreement and declaration",
        ),
        pytest.param(
            document(
                promotions=[PROMOTION | {"plans": ["bountty"]}], budgets=[BUDGET | {"plans": ["x"]}]
            ),
            [
                ("$.promotions[0].plans[0]", "there is no plan bountty", "did you mean bounty?"),
                ("$.budgets[0].plans[0]", "there is no plan x", "declare it in rewards"),
            ],
            id="unknown plan",
        ),
        pytest.param(
            document(countries=["UK", "ZZ"]),
            [
                ("$.countries[0]", "UK is not a country", "did you mean GB?"),
                ("$.countries[1]", "ZZ is not a country", "use an ISO 3166-1 code of two letters"),
            ],
            id="no country",
        ),
        pytest.param(
            document(payouts=[payout(address={"town": "London", "country": "UK"})]),
            [("$.payouts[0].debtor.address.country", "UK is not a country", "did you mean GB?")],
            id="no country of a bank",
        ),
    ],
)
def test_names_are_declared_once(sent: dict[str, Any], expected: list[Finding]) -> None:
    """A name nobody declared, or one given twice, is found where it stands."""
    assert expected == found_in(sent)
