"""Touches and conversions in any order, and many at once: the end is the same."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from introducer.errors import IntroducerError
from introducer.tables import claims, referrals, waiting
from submit import waiting as consumer
from tests.support import life
from tests.support.conversions import (
    Bus,
    click,
    form,
    open_program,
    refund,
    sale,
    sign_up,
    take,
)
from tests.support.tables import everything

LATER = "2026-11-22T11:00:00Z"
WAYS = (
    "form",
    "sign-up",
    "sale by click",
    "sale by address",
    "later sale by the sender's id",
    "refund by address",
    "event by the sender's id",
)
_numbers = itertools.count(1)


def told(number: int) -> dict[str, Callable[[], object]]:
    """Return the ways to hear of one customer, each doable any number of times."""
    email, customer, seen = (
        f"lena{number}@customer{number}.example",
        f"c-{number}",
        click(str(number)),
    )
    first, second, third = (f"INV-{number}-{place}" for place in (1, 2, 3))
    demo = {"event": "demo_held", "id": f"E-{number}", "at": LATER, "external_id": customer}
    return {
        "form": lambda: form(email, clicks=[seen]),
        "sign-up": lambda: take(sign_up(email=email, external_id=customer), customer),
        "sale by click": lambda: take(sale(first, click=seen)),
        "sale by address": lambda: take(sale(second, email=email)),
        "later sale by the sender's id": lambda: take(
            sale(third, external_id=customer, occurred_at=LATER)
        ),
        "refund by address": lambda: take(refund(second, email=email)),
        "event by the sender's id": lambda: take({"type": "event.recorded", "data": demo}),
    }


def outcome(number: int) -> dict[str, Any]:
    """Return what is known of a customer in the end, without what says how it became so."""
    made = claims.find("acme/billing", "external", f"c-{number}", now=life.NOW)
    assert made is not None
    detail = referrals.detail(made.target)
    state = detail.referral
    return {
        "status": state.status,
        "won_at": state.won_at,
        "retain_at": state.retain_at,
        "shares": [(each.partner, each.basis_points) for each in detail.shares],
        "sales": sorted(
            (each.id.rpartition("-")[2], each.occurred_at, each.refunded_minor)
            for each in detail.sales
        ),
        "events": [
            each.data["event"] for each in detail.events if each.type == "ReferralEventRecorded"
        ],
        "waiting": [
            each["pk"]
            for each in everything()
            if each["pk"].startswith("WAITING#") or each.get("gsi2pk", "").endswith("unmatched")
        ],
    }


END = {
    "status": "won",
    "won_at": "2026-11-22T10:30:00.000Z",
    "retain_at": "2027-05-21T10:30:00.000Z",
    "shares": [("pia", 10_000)],
    "sales": [
        ("1", "2026-11-22T10:30:00.000Z", 0),
        ("2", "2026-11-22T10:30:00.000Z", 4_000),
        ("3", "2026-11-22T11:00:00.000Z", 0),
    ],
    "events": ["demo_held"],
    "waiting": [],
}


@pytest.mark.usefixtures("engine", "frozen")
def test_any_order_of_touches_and_conversions_ends_the_same() -> None:
    """Each told once or twice, in any order, events handed over late, shuffled and twice."""
    open_program()

    @settings(
        max_examples=8,
        deadline=None,
        derandomize=True,
        phases=[Phase.generate],  # smaller examples would take minutes to find
        suppress_health_check=list(HealthCheck),
    )
    @given(
        order=st.permutations(WAYS),
        again=st.lists(st.sampled_from(WAYS[1:]), max_size=2),
        pauses=st.lists(st.booleans(), min_size=9, max_size=9),
        seed=st.integers(0, 999),
    )
    def check(order: list[str], again: list[str], pauses: list[bool], seed: int) -> None:
        number = next(_numbers)
        ways, bus = told(number), Bus(random.Random(seed), times=1 + seed % 2)
        for way, pause in zip([*order, *again], pauses, strict=False):
            ways[way]()
            if pause:
                bus.run()
        bus.run()
        assert outcome(number) == END

    check()


@pytest.mark.usefixtures("engine", "frozen")
def test_one_sale_told_by_many_at_once_is_one_sale() -> None:
    """Eight deliveries under eight ids race the form and each other: one sale, one win."""
    open_program()
    bus = Bus()

    def tell(number: int) -> object:
        if number == 4:
            return form("lena@customer.example", clicks=[click()])
        return take(sale(click=click(), email="lena@customer.example"), f"delivery {number}")

    with ThreadPoolExecutor(9) as pool:
        list(pool.map(tell, range(9)))
    bus.run()
    events = [each["type"] for each in everything() if each["sk"].startswith("EVENT#")]
    assert (1, 0) == (events.count("ReferralWon"), events.count("SaleRecorded"))
    assert 1 == len([each for each in everything() if each["sk"].startswith("SALE#")])
    assert [] == [each for each in everything() if each["pk"].startswith("WAITING#")]


@pytest.mark.usefixtures("engine", "frozen")
def test_consumers_at_once_apply_each_message_once_and_in_order() -> None:
    """Eight workers get the same event: what waits is applied once, the earliest sale wins."""
    open_program()
    for name, at in (("INV-2", "2026-11-22T11:00:00Z"), ("INV-1", "2026-11-22T10:30:00Z")):
        take(sale(name, email="lena@customer.example", occurred_at=at))
    take(refund("INV-1", email="lena@customer.example"))
    bus = Bus()
    listening = []
    real = consumer.look

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(consumer, "look", listening.append)
        referral = str(form("lena@customer.example", clicks=[click()]).body["id"])
        bus.run()
    (last,) = [each for each in listening if each["type"] == "ReferralAssigned"]
    for event in listening[:-1]:
        real(event)

    def work(_: int) -> None:
        try:
            real(last)
        except IntroducerError:
            real(last)  # the queue brings it again

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))
    detail = referrals.detail(referral)
    assert ["ReferralWon", "SaleRecorded", "SaleRefunded"] == [
        each.type for each in detail.events[-3:]
    ]
    assert ("won", "2026-11-22T10:30:00.000Z") == (detail.referral.status, detail.referral.won_at)
    assert [("INV-1", 4_000), ("INV-2", 0)] == [
        (each.id, each.refunded_minor) for each in detail.sales
    ]
    assert [] == waiting.found_by("acme", [f"referral#{referral}"])
