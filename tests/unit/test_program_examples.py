"""The documents that ship pay what they say."""

from pathlib import Path

import pytest

from introducer.check import document as document_check
from introducer.earning.occasion import Case
from introducer.program import Program
from introducer.referral import Item
from tests.support.cases import case, earned, event, sale, share, won

FOLDER = Path("infra/programs")
Paid = tuple[str, str, str, str, int]


def example(name: str) -> Program:
    """Return the example called *name*, with its base when it has one."""
    base = (FOLDER / "telecom.json").read_bytes()
    return document_check.parse((FOLDER / f"{name}.json").read_bytes(), lambda *_: base)


def bought(
    audience: str, amount_minor: int, currency: str, product: str = "", stage: str = ""
) -> Case:
    """Return a lead of *audience* who bought on the day they were referred."""
    items = [Item(product=product, amount_minor=amount_minor)] if product else []
    sold = sale(amount_minor, currency, product=product, items=items)
    referral = won(rep="lucia", product=product)
    events = [event("ReferralAdvanced", 5, {"stage": stage})] if stage else []
    return case(sold, referral=referral, shares=[share(audience=audience)], events=events)


@pytest.mark.parametrize(
    ("name", "given", "expected"),
    [
        pytest.param(
            "telecom",
            bought("partners", 100_000, "EUR"),
            [
                ("commission", "purchase", "ann", "EUR", 2_500),
                ("commission", "loyalty", "ann", "EUR", 7_500),
            ],
            id="telecom partner",
        ),
        pytest.param(
            "telecom-us",
            bought("partners", 100_000, "USD"),
            [
                ("commission", "purchase", "ann", "USD", 2_000),
                ("commission", "loyalty", "ann", "USD", 6_000),
            ],
            id="american partner",
        ),
        pytest.param(
            "telecom-us",
            bought("customers", 100_000, "USD"),
            [
                ("bounty", "purchase", "ann", "USD.gift_card", 1_875),
                ("bounty", "loyalty", "ann", "USD.gift_card", 5_625),
            ],
            id="american customer",
        ),
        pytest.param(
            "saas",
            bought("consultants", 100_000, "EUR", "enterprise"),
            [
                ("recurring", "paid", "ann", "EUR", 25_000),  # a fifth, and 5 % for the fast close
                ("welcome", "start", "customer", "EUR.credit", 10_000),
                ("rep_thanks", "won", "rep", "EUR", 5_000),
            ],
            id="consultant",
        ),
        pytest.param(
            "saas",
            bought("customers", 100_000, "EUR", "team"),
            [
                ("advocate", "stayed", "ann", "EUR.credit", 15_000),
                ("welcome", "start", "customer", "EUR.credit", 10_000),
            ],
            id="advocate",
        ),
        pytest.param(
            "insurance",
            bought("policyholders", 90_000, "USD", "farm", "quoted"),
            [
                ("fire_brigade", "insured", "ann", "USD.donation", 2_500),
                ("thanks", "quoted", "ann", "USD.gift_card", 1_500),
            ],
            id="farm",
        ),
        pytest.param(
            "insurance",
            bought("policyholders", 90_000, "USD", "auto", "quoted"),
            [("thanks", "quoted", "ann", "USD.gift_card", 1_500)],
            id="car",
        ),
        pytest.param(
            "marketplace",
            bought("buyers", 2_550, "EUR"),
            [
                ("friend_buys", "order", "ann", "PTS", 210),  # 500, and 25 for whole euros
                ("friend_buys", "second_look", "ann", "PTS", 315),
                ("welcome_points", "order", "customer", "PTS", 1_000),
            ],
            id="friend",
        ),
    ],
)
def test_examples_pay_what_they_say(name: str, given: Case, expected: list[Paid]) -> None:
    """Who gets what for which part, in which unit."""
    assert expected == [
        (each.plan, each.milestone, each.partner.split(".")[0], each.unit, each.amount_minor)
        for each in earned(example(name), given)
    ]
