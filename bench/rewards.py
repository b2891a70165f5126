"""Evaluations of reward rules a second and core, one by one and in bulk; previews of large pasts.

A rule is a plan with typed conditions (two or three tests each: equality, membership, ranges,
beginnings, presence), as reward conditions of such products are; all compete in one group. Every
figure is taken in a process of its own.
"""

from __future__ import annotations

import csv
import itertools
import json
import math
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import msgspec

from bench import report
from introducer.program import Program

RULES = (1, 10, 100)
DUB_PER_S = {1: 2_300_000, 10: 403_000, 100: 53_700}
"""Dub's evaluator in JavaScript on a comparable core, by number of rules."""
BULK_ROWS = 200_000
BULK_ROUNDS = 5
SINGLE_ROUNDS = 5
SINGLE_S = 0.5
PASTS = (10_000, 100_000, 1_000_000)
_COUNTRIES = ("DE", "AT", "FR", "NL", "US")
_PRODUCTS = ("fibre", "mobile", "cloud_voice")
_INDUSTRIES = ("law", "retail", "health", "construction", "software")


def main() -> None:
    """Measure, print and write everything."""
    print("Run it on a quiet machine: wall times are of the moment, processor times less so.")
    figures: dict[str, float] = {}
    rows: list[tuple[str, ...]] = []
    for rules in RULES:
        alone = _child("bulk", rules, threads=1)
        wide = _child("bulk", rules, threads=os.cpu_count() or 1)
        single = _child("single", rules, threads=1)
        figures[f"bulk_rules_{rules}_per_s"] = alone["per_cpu_s"]
        figures[f"single_rules_{rules}_per_s"] = single["per_cpu_s"]
        rows.append(
            (
                f"{rules} rules",
                f"{alone['per_cpu_s']:,.0f}",
                f"{wide['per_s']:,.0f}",
                f"{single['per_cpu_s']:,.0f}",
                f"{DUB_PER_S[rules]:,}",
                f"{alone['per_cpu_s'] / DUB_PER_S[rules]:.1f}x",
            )
        )
    header = ("evaluations", "bulk /cpu s", "bulk, all cores /s", "single /cpu s", "Dub JS /s", "")
    report.grid("Evaluations a second; one core unless it says all", header, rows)
    figures |= _previews()
    report.write("rewards", dict(sorted(figures.items())))


def _previews() -> dict[str, float]:
    """Preview pasts of growing size, draft against live, and return how time grows."""
    found: dict[int, dict[str, float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for referrals in PASTS:
            path = Path(folder) / f"past-{referrals}.csv"
            write_past(path, referrals)
            found[referrals] = _child("preview", path, threads=os.cpu_count() or 1)
            path.unlink()
    least, most = PASTS[0], PASTS[-1]
    exponent = math.log(found[most]["wall_s"] / found[least]["wall_s"]) / math.log(most / least)
    rows = [
        (
            f"{referrals:,} referrals",
            f"{each['wall_s']:.2f}",
            f"{each['cpu_s']:.2f}",
            f"{each['peak_mb']:.0f}",
            f"{referrals / each['wall_s']:,.0f}",
        )
        for referrals, each in found.items()
    ]
    header = ("preview, draft and live", "wall s", "cpu s", "peak MB", "referrals /s")
    report.grid("A preview from a CSV to its report", header, rows)
    report.table(
        "Growth",
        [("time, 10 k to 1 M", exponent, "exponent; 1 is in proportion")],
    )
    return {
        "preview_1m_s": found[most]["wall_s"],
        "preview_1m_peak_mb": found[most]["peak_mb"],
        "preview_growth_exponent": exponent,
    }


def _child(what: str, argument: object, *, threads: int) -> dict[str, float]:
    ran = subprocess.run(  # noqa: S603  (ourselves)
        [sys.executable, "-m", "bench.rewards", what, str(argument)],
        env={**os.environ, "POLARS_MAX_THREADS": str(threads)},
        stdout=subprocess.PIPE,
        check=True,
    )
    answer: dict[str, float] = json.loads(ran.stdout)
    return answer


# ---- in a process of its own


def bulk(rules: int) -> dict[str, float]:
    """Evaluate many occasions in columns, compiled once; the best of several rounds."""
    import polars as pl

    from introducer.earning.rules import rules_of
    from payout.preview.awards import awards
    from payout.preview.layout import Findings, shapes
    from payout.preview.limits import limited
    from payout.preview.normal import normal
    from payout.preview.reading import read_csv
    from payout.preview.sheet import Sheet
    from payout.preview.whole import whole

    document = program(rules)
    findings = Findings()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "past.csv"
        write_past(path, BULK_ROWS, shared=False)
        pieces = list(read_csv(path, shapes(document), "UTC", findings))
    table = whole(normal(pl.concat(pieces), findings), findings)
    assert not findings.total, findings.first
    best = {"per_cpu_s": 0.0, "per_s": 0.0}
    for _ in range(BULK_ROUNDS):
        cpu, wall = time.process_time(), time.perf_counter()
        sheet = Sheet(rules_of(document), table)
        found = limited(sheet, awards(sheet))
        cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
        assert len(found), "nobody earned anything"
        best["per_cpu_s"] = max(best["per_cpu_s"], len(table) / cpu)
        best["per_s"] = max(best["per_s"], len(table) / wall)
    return best


def single(rules: int) -> dict[str, float]:
    """Evaluate cases one by one, as when a reward is booked."""
    from introducer.earning.evaluate import evaluate
    from introducer.earning.occasion import Case
    from introducer.earning.rules import rules_of
    from introducer.referral import Referral, Sale, Share

    at = "2026-03-01T10:00:00.000Z"
    chosen = random.Random(7)  # noqa: S311  (the same numbers in every run)
    cases = [
        Case(
            referral=Referral(
                id=f"r{number}",
                program="bench",
                program_version=1,
                version=1,
                status="won",
                submitted_at=at,
                updated_at=at,
                channel="link",
                lead="person",
                won_at=at,
                facts={
                    "lead.country": chosen.choice(_COUNTRIES),
                    "lead.size": chosen.randrange(1, 2_000),
                    "lead.industry": chosen.choice(_INDUSTRIES),
                },
            ),
            shares=[Share(partner="p", basis_points=10_000, audience="partners")],
            sales=[
                Sale(
                    id="s",
                    amount_minor=chosen.randrange(1_000, 1_000_000),
                    currency="EUR",
                    occurred_at=at,
                    source="billing",
                    product=chosen.choice(_PRODUCTS),
                )
            ],
        )
        for number in range(200)
    ]
    compiled = rules_of(program(rules))
    assert any(evaluate(compiled, case).rewards for case in cases), "nobody earned anything"
    best = 0.0
    for _ in range(SINGLE_ROUNDS):
        count = 0
        began = time.process_time()
        for case in itertools.cycle(cases):
            evaluate(compiled, case)
            count += 1
            if not count % 100 and time.process_time() - began > SINGLE_S:
                break
        best = max(best, count / (time.process_time() - began))
    return {"per_cpu_s": best}


def preview(path: Path) -> dict[str, float]:
    """Run a draft and a live version over a file; what it took, the process's start included."""
    import resource

    from payout.preview.engine import run

    began = time.perf_counter()
    found = run(rich(700), rich(500), [path])
    found.report.json()
    for _ in found.partners_csv():
        pass
    used = resource.getrusage(resource.RUSAGE_SELF)
    return {
        "wall_s": time.perf_counter() - began,
        "cpu_s": used.ru_utime + used.ru_stime,
        "peak_mb": used.ru_maxrss / 1024,
    }


# ---- what is measured


def program(rules: int) -> Program:
    """Return a document with so many plans, each with conditions of its own."""
    return _document([_rule(number) for number in range(rules)])


def rich(basis_points: int) -> Program:
    """Return a document as companies have it: tiers, caps, a bonus, a promotion, both sides."""
    whole = [{"id": "all", "share_basis_points": 10_000, "when": "won"}]
    percent = {"kind": "percent", "basis_points": basis_points}
    return _document(
        [
            {
                "id": "commission",
                "calculation": percent,
                "escalation": {
                    "measure": "count",
                    "period": "year",
                    "tiers": [
                        {"from": 3, "calculation": {**percent, "basis_points": basis_points + 200}},
                        {"from": 8, "calculation": {**percent, "basis_points": basis_points + 500}},
                    ],
                },
                "bonuses": [
                    {
                        "id": "large",
                        "condition": {"field": "lead.size", "op": "gte", "value": 1_000},
                        "effect": {"kind": "flat", "amount_minor": 5_000, "currency": "EUR"},
                    }
                ],
                "caps": [
                    {
                        "id": "year",
                        "per": "partner",
                        "amount_minor": 2_000_000,
                        "currency": "EUR",
                        "period": "year",
                    }
                ],
                "milestones": [
                    {"id": "purchase", "share_basis_points": 2_500, "when": "won"},
                    {
                        "id": "loyalty",
                        "share_basis_points": 7_500,
                        "when": "retained",
                        "after_days": 180,
                    },
                ],
            },
            {
                "id": "welcome",
                "trigger": {"on": "won"},
                "beneficiary": "customer",
                "type": "credit",
                "calculation": {"kind": "flat", "amount_minor": 2_500, "currency": "EUR"},
                "milestones": whole,
            },
        ],
        promotions=[
            {
                "id": "spring",
                "name": "Spring",
                "starts_at": "2026-03-01T00:00:00.000Z",
                "ends_at": "2026-06-01T00:00:00.000Z",
                "effect": {"kind": "multiplier", "basis_points": 12_000},
            }
        ],
        ceiling={"amount_minor": 300_000, "currency": "EUR"},
        time_zone="Europe/Berlin",
    )


def _document(plans: list[dict[str, Any]], **more: Any) -> Program:  # noqa: ANN401
    return msgspec.convert(
        {
            "id": "bench",
            "name": "Bench",
            "currency": "EUR",
            "audiences": {"partners": {"name": "Partners"}},
            "destinations": ["www.example.com"],
            "landing_url": "https://www.example.com/",
            "products": list(_PRODUCTS),
            "rewards": plans,
            **more,
        },
        type=Program,
    )


def _rule(number: int) -> dict[str, Any]:
    low = number * 37 % 1_500
    tests = [
        [
            {"field": "lead.country", "op": "eq", "value": _COUNTRIES[number % 5]},
            {"field": "sale.amount_minor", "op": "gte", "value": number * 9_973 % 900_000},
        ],
        [
            {"field": "lead.industry", "op": "in", "value": [_INDUSTRIES[number % 5], "law"]},
            {"field": "lead.size", "op": "between", "value": [low, low + 400]},
        ],
        [
            {"field": "lead.country", "op": "ne", "value": _COUNTRIES[number % 5]},
            {"field": "sale.product", "op": "starts_with", "value": _PRODUCTS[number % 3][:2]},
            {"field": "lead.size", "op": "lt", "value": low + 100},
        ],
        [
            {"field": "sale.product", "op": "not_in", "value": [_PRODUCTS[number % 3]]},
            {
                "any": [
                    {"field": "lead.size", "op": "gt", "value": low},
                    {"field": "lead.industry", "op": "exists", "value": False},
                ]
            },
        ],
    ]
    return {
        "id": f"plan{number}",
        "condition": {"all": tests[number % 4]},
        "calculation": {"kind": "percent", "basis_points": 300 + number * 7 % 1_000},
        "milestones": [{"id": "all", "share_basis_points": 10_000, "when": "won"}],
    }


def write_past(path: Path, referrals: int, *, shared: bool = True) -> None:
    """Write a past: a tenth as many partners as referrals; one in twenty has two partners."""
    chosen = random.Random(11)  # noqa: S311  (the same past in every run)
    header = (
        "referral partner audience share_basis_points lead.country lead.size lead.industry "
        "submitted_at won_at sale.amount_minor sale.currency sale.product"
    )
    partners = max(1, referrals // 10)
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(header.split())
        for number in range(referrals):
            month, day = chosen.randrange(2, 12), chosen.randrange(1, 29)
            who = chosen.randrange(partners)
            several = shared and number % 20 == 0 and partners > 1
            facts = (
                chosen.choice(_COUNTRIES),
                chosen.randrange(1, 2_000),
                chosen.choice(_INDUSTRIES),
                f"2026-01-{day:02}T08:00:00Z",
                f"2026-{month:02}-{day:02}T{chosen.randrange(24):02}:30:00Z",
                chosen.randrange(1_000, 1_000_000),
                "EUR",
                chosen.choice(_PRODUCTS),
            )
            # Co-referrers are neighbours, as colleagues are: not everybody hangs together.
            parts = [(who, 6_000), (who ^ 1, 4_000)] if several else [(who, 10_000)]
            for partner, part in parts:
                writer.writerow((f"r{number:08}", f"p{partner:07}", "partners", part, *facts))


if __name__ == "__main__":
    if len(sys.argv) == 3:
        measure = {
            "bulk": lambda text: bulk(int(text)),
            "single": lambda text: single(int(text)),
            "preview": lambda text: preview(Path(text)),
        }[sys.argv[1]]
        print(json.dumps(measure(sys.argv[2])))
    else:
        main()
