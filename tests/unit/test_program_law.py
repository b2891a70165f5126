"""What the law forbids somewhere is not published for there."""

from typing import Any

import pytest

from tests.support.documents import ATTESTED, DRAWS, EARNED, Finding, asks, document, found_in, plan


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        pytest.param(
            document(trade="health_care", countries=["US", "DE", "FR"]),
            [
                (
                    "$.rewards[0]",
                    (
                        "a reward in cash is forbidden in US for health_care: Anti-Kickback "
                        "Statute, 42 U.S.C. 1320a-7b(b): no remuneration for referring federal "
                        "health care business"
                    ),
                    ("keep the plan out of there by audience or condition, or reward otherwise"),
                ),
                (
                    "$.rewards[0]",
                    (
                        "a reward in cash is forbidden in DE for health_care: Sections 299a, "
                        "299b StGB and section 7 HWG: no advantage for referring patients, "
                        "small gifts apart"
                    ),
                    ("keep the plan out of there by audience or condition, or reward otherwise"),
                ),
            ],
            id="health care",
        ),
        pytest.param(
            document(
                plan(calculation={"kind": "percent", "basis_points": 100}),
                trade="law",
                countries=["GB"],
            ),
            [
                (
                    "$.rewards[0]",
                    (
                        "a reward in cash and a share of revenue needs an attestation in GB for"
                        " law: LASPO 2012, section 56: referral fees in personal injury matters"
                        " are forbidden; others must be disclosed"
                    ),
                    "let somebody answer for it in attestations.gb_law_injury",
                )
            ],
            id="law",
        ),
        pytest.param(
            document(plan(type="experience", by_chance=True)),
            [
                (
                    "$.rewards[0]",
                    (
                        "a prize draw needs an attestation: A draw that only a referral enters "
                        "is a lottery: prize, chance and price together, in most countries' "
                        "gaming law"
                    ),
                    "let somebody answer for it in attestations.draw_by_referral",
                )
            ],
            id="draw",
        ),
        pytest.param(
            document(
                plan(trigger={"on": "submitted"}, milestones=EARNED),
                jurisdictions=[DRAWS | {"mechanics": ["payment_for_lead"]}],
            ),
            [
                (
                    "$.rewards[0]",
                    "payment before a sale is forbidden in DE: our lawyers say so",
                    ("keep the plan out of there by audience or condition, or reward otherwise"),
                )
            ],
            id="own entry",
        ),
        pytest.param(
            document(
                plan(beneficiary="customer", type="credit"),
                plan(id="b", beneficiary="rep"),
                jurisdictions=[
                    DRAWS | {"mechanics": ["customer_reward", "rep_reward", "gift", "cash_reward"]}
                ],
            ),
            [
                (
                    "$.rewards[0]",
                    "a reward for the customer is forbidden in DE: our lawyers say so",
                    ("keep the plan out of there by audience or condition, or reward otherwise"),
                ),
                (
                    "$.rewards[1]",
                    "a reward for the rep is forbidden in DE: our lawyers say so",
                    ("keep the plan out of there by audience or condition, or reward otherwise"),
                ),
            ],
            id="customers and reps",
        ),
        pytest.param(
            document(jurisdictions=[DRAWS | {"id": "de_law"}], attestations={"nothing": ATTESTED}),
            [
                (
                    "$.jurisdictions[0].id",
                    "de_law is an entry of the built-in table",
                    "choose another id",
                ),
                (
                    "$.attestations.nothing",
                    "there is no jurisdiction nothing",
                    "use the id of an entry in jurisdictions",
                ),
            ],
            id="ids",
        ),
    ],
)
def test_mechanics_are_lawful_where_they_apply(
    sent: dict[str, Any], expected: list[Finding]
) -> None:
    """A forbidden mechanic, and one nobody answers for, is found with the law that says so."""
    assert expected == found_in(sent)


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param(document(trade="health_care", countries=["FR"]), id="another country"),
        pytest.param(document(trade="telecom", countries=["US"]), id="another trade"),
        pytest.param(
            document(plan(type="donation"), trade="health_care", countries=["US"]),
            id="another mechanic",
        ),
        pytest.param(
            document(
                plan(
                    condition={
                        "all": [
                            asks("partner.country", "eq", "FR"),
                            asks("lead.country", "in", ["FR", "BE"]),
                        ]
                    }
                ),
                trade="health_care",
            ),
            id="kept out by a condition",
        ),
        pytest.param(
            document(
                plan(audiences=["friends"]),
                trade="health_care",
                audiences={
                    "friends": {"name": "F", "countries": ["FR"], "lead_countries": ["FR"]},
                    "partners": {"name": "P"},
                },
            ),
            id="kept out by the audience",
        ),
        pytest.param(
            document(
                plan(type="experience", by_chance=True), attestations={"draw_by_referral": ATTESTED}
            ),
            id="answered for",
        ),
    ],
)
def test_mechanics_elsewhere_are_left_alone(sent: dict[str, Any]) -> None:
    """What is lawful, or answered for, is published."""
    assert [] == found_in(sent)


def test_a_condition_on_one_side_does_not_keep_the_law_out() -> None:
    """Partner and lead may live under different laws; either one's forbids."""
    sent = document(
        plan(condition=asks("lead.country", "eq", "FR")),
        trade="health_care",
        countries=["US", "FR"],
    )
    assert ["$.rewards[0]"] == [path for path, _, _ in found_in(sent)]
