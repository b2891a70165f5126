"""What one referral's whole life costs: ``make bench NAME=cost``.

Submission, seven transitions, a sale, two rewards, their accrual and a payout, without
mail: with a hundred others in the same nightly runs and the same batch, and all alone.
Everything is counted from the calls the handlers really made (see ``bench/life.py``) and
priced from ``bench/prices.json``.
"""

from __future__ import annotations

import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

from bench import life, prices, report
from bench.meter import Call, Invocation
from bench.world import World, measured, running

TOGETHER = 100
NAIVE_WRITE_UNITS = 493
"""A plain design without ledger or audit trail, from the task that set the aim."""
STEPS = (
    "submit",
    "screening",
    "assigned",
    "accepted",
    "qualified",
    "proposal",
    "won, sale",
    "2 rewards",
    "retained",
    "accrual",
    "payout",
    "nightly jobs",
)
SERVICES = {
    "DynamoDB writes": ("dynamodb_write_unit",),
    "DynamoDB reads": ("dynamodb_read_unit",),
    "DynamoDB Streams": ("stream_read",),
    "Lambda": ("lambda_request", "lambda_gb_s"),
    "API Gateway": ("api_request",),
    "EventBridge": ("event",),
    "SQS": ("sqs_request",),
    "Step Functions": ("state_transition", "express_request", "express_gb_s"),
    "S3": ("s3_put", "s3_get"),
    "KMS": ("kms_request",),
    "CloudWatch Logs": ("log_byte",),
    "X-Ray": ("trace",),
}
_S3 = {"GetObject": "s3_get", "PutObject": "s3_put", "ListObjectsV2": "s3_put"}
_PLATFORM_LINES = 3  # start, end, report
_EXPRESS_MB = 64
_EXPRESS_MS = 100

Bill = dict[str, Counter[str]]
"""Quantities of what is priced, by step."""


def main() -> None:
    """Measure, print the tables, write the figures."""
    with tempfile.TemporaryDirectory() as folder, running(Path(folder)) as emulator:
        bills = {}
        for size in (1, TOGETHER):  # the lone one first: it also warms the process
            print(f"{size} referral{'s' if size > 1 else ''} …", file=sys.stderr)
            bills[size] = measure(World(emulator, f"-{size}"), size)
    together, alone = bills[TOGETHER], bills[1]
    _print_steps(together)
    _print_services(together, alone)
    report.write("cost", figures(together, alone))


def measure(world: World, size: int) -> Bill:
    """Return the bill of one of *size* referrals that live together."""
    cohort = life.Cohort(world, size)
    world.now = life.ENROLLED
    with measured(world):
        cohort.prepare()
        cohort.idle()
        world.meter.invocations.clear()
        world.extras.clear()
        cohort.live()
    _require_whole(world)
    bill: Bill = {step: Counter() for step in STEPS}
    for invocation in world.meter.invocations:
        for name, amount in _quantities(invocation, world.template).items():
            bill[invocation.step][name] += amount * invocation.weight / size
    for (step, name), amount in world.extras.items():
        bill[step][name] += amount / size
        if name == "api_request":
            bill[step]["log_byte"] += amount / size * prices.assumed("access_log_bytes")
        if name == "express_request":
            gb_s = _EXPRESS_MB / 1024 * _EXPRESS_MS / 1000
            bill[step]["express_gb_s"] += amount / size * gb_s
    return bill


def figures(together: Bill, alone: Bill) -> dict[str, float]:
    """Return the flat figures of both bills."""
    found = {}
    for prefix, bill in (("life", together), ("life_alone", alone)):
        total = _total(bill)
        found |= {
            f"{prefix}_write_units": round(total["dynamodb_write_unit"], 2),
            f"{prefix}_read_units": round(total["dynamodb_read_unit"], 2),
            f"{prefix}_usd_per_million": round(usd(total) * 1e6, 2),
        }
    return found


def usd(quantities: Counter[str]) -> float:
    """Return the price of *quantities*."""
    return sum(prices.usd(name) * amount for name, amount in quantities.items())


def _quantities(invocation: Invocation, template: dict[str, Any]) -> Counter[str]:
    """Return what one run of a function adds to the bill."""
    wait_ms = sum(_latency_ms(call) for call in invocation.calls)
    start_ms = prices.assumed("start_share") * prices.assumed("start_share", "cpu_ms")
    running_usd = prices.compute_usd(
        invocation.cpu_s * 1000 + start_ms, wait_ms, _memory_mb(invocation.function, template)
    )
    lines = invocation.log_lines + _PLATFORM_LINES
    found: Counter[str] = Counter(
        {
            "lambda_request": 1,
            "lambda_gb_s": running_usd / prices.usd("lambda_gb_s"),
            "log_byte": invocation.log_bytes
            + prices.assumed("platform_log_bytes")
            + lines * prices.assumed("log_line_overhead_bytes"),
            "trace": prices.assumed("trace_sampled_share"),
        }
    )
    for call in invocation.calls:
        found["dynamodb_write_unit"] += call.write_units
        found["dynamodb_read_unit"] += call.read_units
        if call.operation == "PutEvents":
            found["event"] += len(call.params["Entries"])
        elif call.service == "s3":
            found[_S3[call.operation]] += 1
        elif call.service == "kms":
            found["kms_request"] += 1
    return found


def _latency_ms(call: Call) -> float:
    kind = "dynamodb_transaction" if call.operation == "TransactWriteItems" else call.service
    return prices.assumed("latency_ms", kind)


def _memory_mb(function: str, template: dict[str, Any]) -> int:
    common = template["Globals"]["Function"]["MemorySize"]
    return int(template["Resources"][function]["Properties"].get("MemorySize", common))


def _total(bill: Bill) -> Counter[str]:
    total: Counter[str] = Counter()
    for quantities in bill.values():
        for name, amount in quantities.items():
            total[name] += amount
    return total


def _require_whole(world: World) -> None:
    """Stop when the meter's idea of the tables is not what they hold: it missed a write."""
    dynamodb = world.client("dynamodb")
    for table in {place[0] for place in world.meter.items}:
        pages = dynamodb.get_paginator("scan").paginate(TableName=table, ConsistentRead=True)
        stored = sum(len(page["Items"]) for page in pages)
        known = sum(place[0] == table for place in world.meter.items)
        assert stored == known, (table, stored, known)


def _print_steps(bill: Bill) -> None:
    rows = [_row(step, quantities) for step, quantities in bill.items()]
    rows.append(_row("total", _total(bill)))
    report.grid(
        f"One referral's life, {TOGETHER} at the same pace in the nightly runs and one batch",
        ("step", "write units", "read units", "runs of functions", "USD per million"),
        rows,
    )


def _row(step: str, quantities: Counter[str]) -> tuple[str, ...]:
    return (
        step,
        f"{quantities['dynamodb_write_unit']:.2f}",
        f"{quantities['dynamodb_read_unit']:.2f}",
        f"{quantities['lambda_request']:.2f}",
        f"{usd(quantities) * 1e6:.2f}",
    )


def _print_services(together: Bill, alone: Bill) -> None:
    totals = [_total(bill) for bill in (together, alone)]
    rows = []
    for service, names in SERVICES.items():
        parts = [Counter({name: total[name] for name in names}) for total in totals]
        rows.append((service, *(f"{usd(part) * 1e6:.2f}" for part in parts)))
    rows.append(("total", *(f"{usd(total) * 1e6:.2f}" for total in totals)))
    rows.append(("write units", *(f"{total['dynamodb_write_unit']:.2f}" for total in totals)))
    rows.append(("write units, a naive design", f"{NAIVE_WRITE_UNITS}", ""))
    report.grid(
        "By service, USD per million referrals",
        ("service", f"batch of {TOGETHER}", "batch of 1"),
        rows,
    )


if __name__ == "__main__":
    main()
