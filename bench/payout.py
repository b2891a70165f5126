"""Payout batches of a thousand, ten thousand and a hundred thousand partners: time, memory, units.

The state machine's steps run one after the other in one process, the real code on the store in
memory of ``tests/simulation``, each size in a process of its own. Partners are made by
multiplying the stored items of one. Memory is what a step needs at its peak beyond what the
process held before it, from the kernel, so that the store's own growth in ``close`` and
``write``, the two steps that see the whole batch at once, is next to nothing.
"""

from __future__ import annotations

import json
import math
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from bench import report, units
from bench.units import Item

SIZES = (1_000, 10_000, 100_000)
CHUNK = 25
"""Partners a map step gets, as the state machine batches them."""
_MODEL = "pia"
_WHOLE = ("prepare", "close", "write", "finish")
"""Steps that are one call for the whole batch."""


def main() -> None:
    """Measure every size up to the first argument, print and write."""
    most = int(sys.argv[1]) if len(sys.argv) > 1 else SIZES[-1]
    found: dict[int, dict[str, float]] = {}
    for size in (each for each in SIZES if each <= most):
        print(f"{size:,} partners …", flush=True)
        found[size] = _child(size)
    rows = [
        (
            f"{size:,} partners",
            f"{each['wall_s']:.1f}",
            f"{each['cpu_s']:.1f}",
            f"{each['own_share'] * 100:.0f} %",
            f"{each['peak_mb']:.1f}",
            f"{each['units']:.2f}",
            f"{each['write_units']:.2f}",
            f"{each['read_units']:.2f}",
            f"{each['floor']:.2f}",
            f"{each['units'] / each['floor']:.2f}x",
        )
        for size, each in found.items()
    ]
    header = ("", "wall s", "cpu s", "ours", "peak MB", "units", "write", "read", "floor", "")
    report.grid(
        "A batch from prepare to the written file; units are for each partner", header, rows
    )
    steps = [
        (
            name,
            *(f"{each[f'{name}_s']:.2f}" for each in found.values()),
            *(f"{each.get(f'{name}_calls', 0):,.0f}" for each in found.values()),
        )
        for name in ("prepare", "reserve", "close", "submit", "mark", "write", "finish")
    ]
    titles = (*(f"s at {size:,}" for size in found), *(f"calls at {size:,}" for size in found))
    report.grid("Seconds and AWS calls by step, the maps in one process", ("", *titles), steps)
    report.write("payout", _figures(found))


def _figures(found: dict[int, dict[str, float]]) -> dict[str, float]:
    least, most = min(found), max(found)
    growth = 1.0
    if most > least:
        growth = math.log(found[most]["cpu_s"] / found[least]["cpu_s"]) / math.log(most / least)
    figures = {
        "units_per_partner": found[most]["units"],
        "units_floor_per_partner": found[most]["floor"],
        "growth_exponent": growth,
        "own_share": found[most]["own_share"],
    }
    for size, each in found.items():
        name = f"{size // 1_000}k"
        figures |= {f"peak_mb_{name}": each["peak_mb"], f"seconds_{name}": each["cpu_s"]}
    return figures


def _child(size: int) -> dict[str, float]:
    ran = subprocess.run(  # noqa: S603  (ourselves)
        [sys.executable, "-m", "bench.payout", "batch", str(size)],
        stdout=subprocess.PIPE,
        check=True,
    )
    answer: dict[str, float] = json.loads(ran.stdout.splitlines()[-1])
    return answer


# ---- in a process of its own


class Gauge:
    """Adds up what the store was asked for, in units, and how long it took to answer."""

    def __init__(self, aws: Any) -> None:  # noqa: ANN401  (tests' own)
        self.aws = aws
        self.operation = ""
        self.writes = self.reads = self.floor = 0.0
        self.store_s = 0.0
        self._schemas = {name: each.schema for name, each in aws.dynamodb.tables.items()}
        aws.turn = self._next
        aws.dynamodb.watchers.append(self._wrote)
        aws.dynamodb.readers.append(self._read)
        real = aws.dynamodb.call

        def call(operation: str, params: dict[str, Any]) -> Any:  # noqa: ANN401
            began = time.process_time()
            try:
                return real(operation, params)
            finally:
                self.store_s += time.process_time() - began

        aws.dynamodb.call = call

    def _next(self, operation: str) -> None:
        self.operation = operation

    def _wrote(self, writes: list[Any]) -> None:
        together = self.operation == "TransactWriteItems"
        for each in writes:
            cost = units.write_units(
                self._schemas[each.table], each.before, each.after, transactional=together
            )
            self.writes += sum(cost.values())
            if together and each.before is not each.after:
                self.floor += sum(cost.values())

    def _read(self, operation: str, sizes: list[int], consistent: bool) -> None:  # noqa: FBT001
        together = operation == "Query"
        self.reads += units.read_units(sizes or [0], consistent=consistent, together=together)


def batch(size: int) -> dict[str, float]:
    """Run one batch of *size* partners; return what it took."""
    from tests.simulation.aws import Aws
    from tests.support import money

    aws = Aws()
    with aws.installed():
        # Nobody has to approve it: the sum is not what is measured.
        money.publish(payouts=[{**money.EUROS, "approval_above_minor": 10**11}])
        money.enrol(_MODEL)
        money.sell()
        money.deliver("r1")
        money.release()
        _multiply(aws, size)
        for table in aws.dynamodb.tables.values():
            table.streamed = False
        gauge = Gauge(aws)
        return _measured(aws, gauge, size)


def _measured(aws: Any, gauge: Gauge, size: int) -> dict[str, float]:  # noqa: ANN401
    from payout import batch as steps
    from payout import files
    from tests.support import money

    event = money.batch_event()
    found: dict[str, float] = {}
    members: list[dict[str, Any]] = []
    peak_mb = 0.0
    began, wall = time.process_time(), time.perf_counter()
    for name in ("prepare", "reserve", "close", "submit", "mark", "write", "finish"):
        asked = [event]
        if name in {"reserve", "mark"}:
            asked = [{**event, "Items": members[at : at + CHUNK]} for at in range(0, size, CHUNK)]
        step_began, calls = time.process_time(), aws.calls
        for each in asked:
            before = _begin_peak() if name in _WHOLE else 0.0
            answer = getattr(steps, name)(each, money.NOW)
            if name in _WHOLE:
                peak_mb = max(peak_mb, _peak_mb() - before)
        found |= {f"{name}_s": time.process_time() - step_began, f"{name}_calls": aws.calls - calls}
        if name == "prepare":
            members = json.loads(files.read(str(answer["key"])) or b"[]")
            assert len(members) == size, "not everybody is payable"
    cpu_s = time.process_time() - began
    stored = money.the_batch(event["batch"])
    assert (stored.status, stored.file_count) == ("in_transit", size), stored
    return found | {
        "wall_s": time.perf_counter() - wall,
        "cpu_s": cpu_s,
        "own_share": 1 - gauge.store_s / cpu_s,
        "peak_mb": peak_mb,
        "write_units": gauge.writes / size,
        "read_units": gauge.reads / size,
        "units": (gauge.writes + gauge.reads) / size,
        "floor": gauge.floor / size,
    }


def _multiply(aws: Any, size: int) -> None:  # noqa: ANN401
    """Make *size* partners, each with an account of their own, of the one there is."""
    from introducer import ids, keyring
    from introducer.tables import people

    model = people.payee(f"person-{_MODEL}")
    assert model is not None
    plain = json.dumps(
        {"name": model.name, "iban": model.iban, "town": model.town, "country": "DE"}
    )
    for table in ("CORE_TABLE", "PEOPLE_TABLE", "LEDGER_TABLE"):
        name = aws.environment[table]
        every = [item for _, item in aws.dynamodb.everything(name)]
        theirs = [
            item for item in every if item["sk"]["S"].startswith(("PROFILE", "PAYEE", "BALANCE"))
        ]
        made = [item for item in every if item not in theirs]
        for number in range(size):
            holder = f"{_MODEL}{number:06}"
            for item in theirs:
                text = json.dumps(item, default=_bytes).replace(_MODEL, holder)
                copy: Item = json.loads(text)
                if "sealed" in copy:
                    pk = copy["pk"]["S"]
                    copy["sealed"]["B"] = keyring.encrypt(
                        keyring.PAYEE, plain.encode(), bound_to=pk
                    )
                if "payee_key" in copy:
                    copy["payee_key"]["S"] = f"{number:064}"
                if "gsi3pk" in copy:
                    start, _, _ = copy["gsi3pk"]["S"].rpartition("#")
                    copy["gsi3pk"]["S"] = f"{start}#{ids.shard(holder, 4)}"
                made.append(copy)
        aws.dynamodb.replace(name, made)


def _bytes(_: bytes) -> str:
    return ""  # what is sealed is sealed anew


def _begin_peak() -> float:
    """Begin a new peak of memory; return what the process holds now, in MB."""
    Path("/proc/self/clear_refs").write_text("5")
    return _memory_mb("VmRSS")


def _peak_mb() -> float:
    return _memory_mb("VmHWM")


def _memory_mb(name: str) -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    found = next(line for line in lines if line.startswith(f"{name}:"))
    return int(found.split()[1]) / 1024


if __name__ == "__main__":
    if sys.argv[1:2] == ["batch"]:
        print(json.dumps(batch(int(sys.argv[2]))))
    else:
        main()
