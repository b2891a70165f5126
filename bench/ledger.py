"""Journals a second on the embedded AWS, and what each costs, one by one and thirty together.

A posting is :func:`introducer.tables.ledger.post_all` from reading the balance to the answer of
the transaction, without what earns it. The floor is the transactional write of the journal and
of the balance, indexes included: the items that must change.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any

from bench import report
from bench.meter import Invocation
from bench.world import World, running
from introducer.ledger import MAX_GROUP, Kind, Posting

POSTINGS = 300
PARTNERS = 20
ROUNDS = 3
_NOW = "2026-11-22T11:17:00.000Z"


def main() -> None:
    """Measure, print and write everything."""
    with tempfile.TemporaryDirectory() as folder, running(Path(folder)) as emulator:
        world = World(emulator, "-ledger")
        alone = [_post(world, f"one{number}", 1) for number in range(ROUNDS)]
        together = [_post(world, f"many{number}", MAX_GROUP) for number in range(ROUNDS)]
    one, many = max(alone, key=_rate), max(together, key=_rate)
    rows = [
        (
            name,
            f"{each['per_s']:,.0f}",
            f"{each['cpu_us']:,.0f}",
            f"{each['units']:.2f}",
            f"{each['floor']:.2f}",
            f"{each['units'] / each['floor']:.2f}x",
        )
        for name, each in (("one by one", one), (f"{MAX_GROUP} of a partner together", many))
    ]
    header = ("journals", "a second", "our cpu us", "units", "floor", "")
    report.grid("Posting on the embedded AWS, one process; the best of three rounds", header, rows)
    report.write(
        "ledger",
        {
            "postings_per_s": one["per_s"],
            "units_per_posting": one["units"],
            "units_floor_per_posting": one["floor"],
            "posting_cpu_us": one["cpu_us"],
            "grouped_postings_per_s": many["per_s"],
            "grouped_units_per_posting": many["units"],
            "grouped_units_floor_per_posting": many["floor"],
        },
    )


def _rate(found: dict[str, float]) -> float:
    return found["per_s"]


def _post(world: World, name: str, together: int) -> dict[str, float]:
    """Post :data:`POSTINGS` journals, *together* at a time; return what one takes."""
    from introducer.tables import ledger
    from introducer.tables.ledger import Entry

    def post(number: int) -> None:
        partner = f"{name}-{number % PARTNERS}"
        entries = [
            Entry(postings=(_posting(partner, f"{number}-{part}"),), writes=0)
            for part in range(together)
        ]
        ledger.post_all(partner, "EUR", lambda _: entries, now=_NOW)

    def all_of_them() -> None:
        for number in range(POSTINGS // together):
            post(number)

    with world.meter.attached():
        invocation, _ = world.meter.invoke("Earn", "posting", all_of_them)
    began = time.perf_counter()
    for number in range(POSTINGS // together):
        post(POSTINGS + number)
    took_s = time.perf_counter() - began
    return _figures(invocation, took_s)


def _figures(invocation: Invocation, took_s: float) -> dict[str, float]:
    calls = invocation.calls
    used = sum(each.write_units + each.read_units for each in calls)
    floor = sum(each.write_units for each in calls if each.operation == "TransactWriteItems")
    return {
        "per_s": POSTINGS / took_s,
        "cpu_us": invocation.cpu_s / POSTINGS * 1e6,
        "units": used / POSTINGS,
        "floor": floor / POSTINGS,
    }


def _posting(partner: str, fact: str) -> Posting:
    refs: dict[str, Any] = {
        "referral": f"referral-{fact}",
        "plan": "commission",
        "milestone": "purchase",
        "occasion": "invoice-1",
        "sale": "invoice-1",
        "class": "commission",
    }
    return Posting(
        id=f"reward:{fact}:commission:purchase:invoice-1:{partner}",
        kind=Kind.REWARD_EARNED,
        program="telecom",
        partner=partner,
        currency="EUR",
        amount_minor=2_500,
        at=_NOW,
        refs=refs,
    )


if __name__ == "__main__":
    main()
