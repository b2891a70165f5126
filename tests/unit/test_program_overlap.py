"""Rules that never come to bear are mistakes."""

from typing import Any

import pytest

from tests.support.documents import BONUS, Finding, asks, document, flat, found_in, plan


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        pytest.param(
            document(routing={"rules": [{"reps": ["x"]}, {"reps": ["y"], "countries": ["US"]}]}),
            [
                (
                    "$.routing.rules[1]",
                    "an earlier rule takes every lead",
                    "move the catch-all to the end",
                )
            ],
            id="behind a catch-all",
        ),
        pytest.param(
            document(
                routing={
                    "rules": [
                        {"reps": ["x"], "countries": ["US", "CA"]},
                        {"reps": ["y"], "countries": ["US"], "products": ["fibre"]},
                    ]
                }
            ),
            [
                (
                    "$.routing.rules[1]",
                    "rule 0 takes all that it would",
                    "put the narrower rule first",
                )
            ],
            id="behind a wider rule",
        ),
        pytest.param(
            document(
                routing={
                    "rules": [
                        {"reps": ["x", "y"], "products": ["fibre"]},
                        {"reps": [{"rep": "y"}], "products": ["fibre"]},
                    ]
                }
            ),
            [
                (
                    "$.routing.rules[1]",
                    "rule 0 takes all that it would",
                    "put the narrower rule first",
                )
            ],
            id="the same again",
        ),
        pytest.param(
            document(
                audiences={"friends": {"name": "F", "lead_countries": ["DE"]}},
                routing={"rules": [{"reps": ["x"], "countries": ["US"]}]},
            ),
            [
                (
                    "$.routing.rules[0].countries",
                    "no lead can come from its countries",
                    "name countries where leads may be",
                )
            ],
            id="countries without leads",
        ),
        pytest.param(
            document(
                plan(),
                plan(
                    id="b",
                    calculation=flat(4000),
                    audiences=["friends"],
                    condition=asks("lead.size", "gt", 3),
                ),
            ),
            [
                (
                    "$.rewards[1]",
                    "bounty always pays at least as much, so it never counts",
                    "narrow the other's condition, pay more, or give it a group of its own",
                )
            ],
            id="plan that pays less",
        ),
        pytest.param(
            document(plan(), plan(id="b")),
            [
                (
                    "$.rewards[1]",
                    "bounty always pays at least as much, so it never counts",
                    "narrow the other's condition, pay more, or give it a group of its own",
                )
            ],
            id="plan that pays the same",
        ),
        pytest.param(
            document(
                plan(
                    id="b",
                    trigger={"on": "invoice_paid", "months": 6},
                    group="g",
                    calculation={"kind": "percent", "basis_points": 500, "cap_minor": 900},
                ),
                plan(
                    trigger={"on": "invoice_paid"},
                    group="g",
                    calculation={"kind": "percent", "basis_points": 1000},
                ),
            ),
            [
                (
                    "$.rewards[0]",
                    "bounty always pays at least as much, so it never counts",
                    "narrow the other's condition, pay more, or give it a group of its own",
                )
            ],
            id="percent below percent",
        ),
    ],
)
def test_rules_that_never_count_are_found(sent: dict[str, Any], expected: list[Finding]) -> None:
    """A rule hidden by another one is found; what is only a reserve is not."""
    assert expected == found_in(sent)


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param(
            document(routing={"rules": [{"reps": ["x"]}, {"reps": ["y"]}]}),
            id="a reserve for the hour when the first have no room",
        ),
        pytest.param(
            document(
                routing={
                    "rules": [
                        {"reps": ["x"], "hours": "require"},
                        {"reps": ["x"], "countries": ["DE"]},
                    ]
                }
            ),
            id="others at night",
        ),
        pytest.param(
            document(plan(), plan(id="b", calculation=flat(4000), bonuses=[BONUS])),
            id="a lower plan with a bonus",
        ),
        pytest.param(
            document(plan(audiences=["partners"]), plan(id="b", calculation=flat(4000))),
            id="another audience",
        ),
        pytest.param(
            document(plan(condition=asks("lead.size", "gt", 9)), plan(id="b", calculation=flat(9))),
            id="only where a condition holds",
        ),
        pytest.param(
            document(plan(), plan(id="b", calculation={"kind": "percent", "basis_points": 1})),
            id="amounts that depend on the sale",
        ),
        pytest.param(
            document(plan(), plan(id="b", calculation=flat(9), type="credit")), id="another type"
        ),
    ],
)
def test_rules_that_may_count_are_left_alone(sent: dict[str, Any]) -> None:
    """Only what is certain never to count is refused."""
    assert [] == found_in(sent)
