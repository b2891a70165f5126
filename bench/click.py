"""What a click costs: start-up, a warm click, reads and writes, dollars; each beside its baseline.

Processor time is taken in processes of their own, as the smallest of several rounds: noise
only ever adds. Our client and botocore write the same item to the same local server, in turn.
"""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from typing import Any

from bench import agent_check, paths, rates, report
from bench.dynamodb_stub import Server
from bench.prices import MILLION, assumed, compute_usd, usd
from tests.support.clicks import link_item, request, salt_item
from tests.support.stream import click_record

HOT = (
    "functions/submit/click.py",
    "functions/submit/click_item.py",
    "functions/submit/click_links.py",
    "functions/submit/click_variants.py",
    "layers/core/introducer/agent_words.py",
    "layers/core/introducer/agents.py",
    "layers/core/introducer/clickid.py",
    "layers/core/introducer/landing.py",
    "layers/core/introducer/lean.py",
    "layers/core/introducer/settings.py",
)
"""Everything of ours that a click loads; a unit test holds the list to it."""

STARTS = 15
ROUNDS = 12
CLICKS_A_ROUND = 300
CLICK_MEMORY_MB = 256
COUNT_MEMORY_MB = 512
KEPT_MONTHS = 3
STORAGE_OVERHEAD_BYTES = 100  # DynamoDB adds them to every item it bills storage for

OURS = "import submit.click; submit.click.service()"
BOTOCORE = (
    "import botocore.session; "
    "botocore.session.get_session().create_client('dynamodb', region_name='us-east-1')"
)
ENVIRONMENT = {
    "AWS_REGION": "us-east-1",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_ACCESS_KEY_ID": "bench",
    "AWS_SECRET_ACCESS_KEY": "bench",
    "AWS_SESSION_TOKEN": "t" * 600,  # about as long as a real one
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_ACCOUNT_ID_ENDPOINT_MODE": "disabled",
    "CORE_TABLE": "core",
    "CLICKS_TABLE": "clicks",
    "ROLLUPS_TABLE": "rollups",
    "COUNT_DEAD_URL": "",
    "POWERTOOLS_SERVICE_NAME": "bench",
    "POWERTOOLS_LOG_LEVEL": "ERROR",
}


def main() -> None:
    """Measure, print and write the figures."""
    modules = standard_modules()
    floor = f"import {', '.join(modules)}"
    with tempfile.TemporaryDirectory() as compiled:
        starts = {
            name: start_cpu_ms(code, compiled)
            for name, code in (("floor", floor), ("ours", OURS), ("botocore", BOTOCORE))
        }
    with Server() as server:
        measured = in_process(server.endpoint)
    figures = {
        "click_init_cpu_ms": starts["ours"],
        "click_init_floor_cpu_ms": starts["floor"],
        "click_warm_cpu_us": measured["warm_cpu_us"],
        "click_warm_botocore_cpu_us": measured["botocore_cpu_us"],
        "click_warm_reads": measured["warm"]["read_units"] / measured["clicks"],
        "click_cold_link_reads": measured["cold_link"]["read_units"],
        "click_write_units": measured["warm"]["write_units"] / measured["clicks"],
        "click_record_bytes": measured["warm"]["largest_item_bytes"],
    }
    items = cost_items(figures, measured)
    figures["click_usd_per_million"] = sum(items.values())
    figures["bot_check_us"] = measured["bot_check_us"]
    figures["click_storage_usd_per_million"] = storage_usd(figures["click_record_bytes"])
    figures |= rates.clicks()
    show(figures, starts["botocore"], measured, items)
    report.write("click", figures)


def standard_modules() -> list[str]:
    """Return the standard modules that the click's own files import, type-only ones left out."""
    names: set[str] = set()
    for file in HOT:
        for node in ast.parse((paths.ROOT / file).read_text()).body:
            if isinstance(node, ast.Import):
                names.update(alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module:
                names.add(node.module)
    return sorted(n for n in names if n.split(".")[0] not in ("introducer", "submit"))


def start_cpu_ms(code: str, compiled: str) -> float:
    """Return the processor time of *code* in a new process, everything compiled beforehand."""
    timed = (
        "import sys, time\n"
        f"sys.path[:0] = {[str(source) for source in paths.SOURCES]!r}\n"
        f"began = time.process_time()\n{code}\nprint(time.process_time() - began)"
    )
    environment = {**os.environ, **ENVIRONMENT, "PYTHONPYCACHEPREFIX": compiled}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    times = [
        float(
            subprocess.run(  # noqa: S603  (ourselves)
                [sys.executable, "-c", timed],
                env=environment,
                capture_output=True,
                check=True,
                text=True,
            ).stdout
        )
        for _ in range(STARTS)
    ]
    return min(times) * 1000


def in_process(endpoint: str) -> dict[str, Any]:
    """Return what :func:`measure` says in a process of its own."""
    ran = subprocess.run(  # noqa: S603  (ourselves)
        [sys.executable, "-m", "bench.click", "measure", endpoint],
        cwd=paths.ROOT,
        env={**os.environ, **ENVIRONMENT, "AWS_ENDPOINT_URL": endpoint},
        stdout=subprocess.PIPE,
        check=True,
        text=True,
    )
    result: dict[str, Any] = json.loads(ran.stdout.splitlines()[-1])
    return result


def measure(endpoint: str) -> dict[str, Any]:
    """Click, and write the same through botocore, in turn; count what was asked of the store."""
    from submit import click

    server = Server()
    server.endpoint = endpoint
    for item in (salt_item(), link_item(), link_item("second")):
        server.call("PutItem", {"TableName": "core", "Item": item})
    server.call("Usage")

    def one(number: int, code: str = "abcdefgh") -> None:
        event = request(
            code,
            query="utm_source=news&utm_medium=email&gclid=Cj0KCQiA",
            address=f"203.0.{number // 250}.{number % 250}",
            headers={"referer": "https://blog.example.org/post", "cookie": "a=b"},
            cookies=["a=b"],
        )
        response = click.handler(event, None)
        assert response["statusCode"] == 302, response

    one(0)
    cold_start = server.call("Usage")
    one(0, "second")
    cold_link = server.call("Usage")
    put = botocore_put(one)
    server.call("Usage")
    ours, theirs, number = [], [], 1
    for _ in range(ROUNDS):
        ours.append(cpu_us(one, number))
        warm = server.call("Usage")
        theirs.append(cpu_us(put, number))
        server.call("Usage")
        number += CLICKS_A_ROUND
    return {
        "clicks": CLICKS_A_ROUND,
        "warm_cpu_us": min(ours),
        "botocore_cpu_us": min(theirs),
        "cold_start": cold_start,
        "cold_link": cold_link,
        "warm": warm,
        "count": count_batch(server),
        "bot_check_us": agent_check.check_us(agent_check.usual_agents()),
    }


def cpu_us(action: Callable[[int], None], first: int) -> float:
    """Return the processor time of one *action*, averaged over a round."""
    began = time.process_time()
    for number in range(first, first + CLICKS_A_ROUND):
        action(number)
    return (time.process_time() - began) / CLICKS_A_ROUND * 1_000_000


def botocore_put(one: Callable[[int], None]) -> Callable[[int], None]:
    """Return the same write through botocore: same item, same condition, another key."""
    import botocore.session
    from botocore.config import Config

    from introducer import lean

    client = botocore.session.get_session().create_client(
        "dynamodb", config=Config(connect_timeout=1, read_timeout=2)
    )
    seen: dict[str, Any] = {}
    original = lean.Client.call

    def spy(self: lean.Client, operation: str, asked: Any, **options: Any) -> Any:  # noqa: ANN401
        seen[operation] = asked
        return original(self, operation, asked, **options)

    lean.Client.call = spy  # type: ignore[method-assign]
    one(249)
    lean.Client.call = original  # type: ignore[method-assign]
    wanted = seen["PutItem"]

    def put(number: int) -> None:
        item = {**wanted["Item"], "pk": {"S": f"{wanted['Item']['pk']['S'][:-8]}{number:08}"}}
        client.put_item(**{**wanted, "Item": item})

    put(0)
    return put


def count_batch(server: Server) -> dict[str, float]:
    """Return what counting one batch of clicks on one link costs: units and processor time."""
    from route import count

    size = int(assumed("clicks_per_counter_write"))

    def batch(number: int) -> None:
        records = [click_record(number * size + each) for each in range(size)]
        count.handler({"Records": records}, None)

    batch(0)
    server.call("Usage")
    batch(1)
    used = server.call("Usage")
    times = [cpu_us(batch, 2 + turn * CLICKS_A_ROUND) for turn in range(2)]
    return {"units": used["transaction_units"], "cpu_ms": min(times) / 1000}


def cost_items(figures: dict[str, float], measured: dict[str, Any]) -> dict[str, float]:
    """Return the dollars of a million clicks, item by item."""
    click_cpu_ms = figures["click_warm_cpu_us"] / 1000
    wait_ms = assumed("latency_ms", "dynamodb")
    start = assumed("start_share") * compute_usd(
        figures["click_init_cpu_ms"], wait_ms, CLICK_MEMORY_MB
    )
    batches = 1 / assumed("clicks_per_counter_write")
    count = measured["count"]
    count_compute = compute_usd(
        count["cpu_ms"], assumed("latency_ms", "dynamodb_transaction"), COUNT_MEMORY_MB
    )
    reads = figures["click_cold_link_reads"] / assumed("clicks_per_link_read")
    each = {
        "HTTP API request": usd("http_api_request"),
        "Lambda request": usd("lambda_request"),
        "Lambda time": compute_usd(click_cpu_ms, wait_ms, CLICK_MEMORY_MB) + start,
        "link reads": reads * usd("dynamodb_read_unit"),
        "click write": figures["click_write_units"] * usd("dynamodb_write_unit"),
        "counter writes": batches * count["units"] * usd("dynamodb_write_unit"),
        "counting function": batches * (usd("lambda_request") + count_compute),
    }
    return {name: dollars * MILLION for name, dollars in each.items()}


def storage_usd(record_bytes: float) -> float:
    """Return what keeping a million clicks until their end costs, with point-in-time recovery."""
    gigabytes = (record_bytes + STORAGE_OVERHEAD_BYTES) * MILLION / 1e9
    return gigabytes * KEPT_MONTHS * (usd("dynamodb_gb_month") + usd("backup_gb_month"))


def show(
    figures: dict[str, float],
    botocore_start_ms: float,
    measured: dict[str, Any],
    items: dict[str, float],
) -> None:
    """Print the tables."""
    init, floor = figures["click_init_cpu_ms"], figures["click_init_floor_cpu_ms"]
    warm, theirs = figures["click_warm_cpu_us"], figures["click_warm_botocore_cpu_us"]
    report.table(
        "Start-up, CPU ms",
        [
            ("click function", init, f"{init / floor:.2f} x floor (aim: 1.3)"),
            ("floor", floor, "bare import of the standard modules it uses"),
            ("botocore client", botocore_start_ms, "for comparison"),
        ],
    )
    report.table(
        "A warm click, CPU us",
        [
            ("whole click", warm, f"{warm / theirs:.2f} x botocore (aim: 0.4)"),
            ("botocore", theirs, "the same write alone"),
            ("of it: person or bot", figures["bot_check_us"], "a usual browser, seen first"),
        ],
    )
    lost = figures["click_rps_c10_lost_pct"]
    report.table(
        "Requests a second, 10 connections, the same front",
        [
            ("click function", figures["click_rps_c10"], f"embedded AWS; {lost:.2f} % lost"),
            ("pinax-referrals", figures["pinax_rps_c10"], "Django and SQLite"),
        ],
    )
    report.table(
        "DynamoDB units",
        [
            ("reads, warm click", figures["click_warm_reads"], "aim: 0"),
            ("reads, link not known yet", figures["click_cold_link_reads"], "the link"),
            ("reads, new process", measured["cold_start"]["read_units"], "link and both salts"),
            ("writes, any click", figures["click_write_units"], "aim: 1"),
            ("bytes of the record", figures["click_record_bytes"], "aim: 400"),
            ("writes, batch of clicks", measured["count"]["units"], "3 counters, 1 marker, x 2"),
        ],
    )
    total = figures["click_usd_per_million"]
    report.table(
        "Dollars per million clicks (list price; platform log lines off)",
        [
            *((name, dollars, "") for name, dollars in items.items()),
            ("sum", total, "aim: 2.2; naive designs 15, floor 1.2"),
            (
                "not in the sum: kept 90 days",
                figures["click_storage_usd_per_million"],
                "storage and point-in-time recovery",
            ),
        ],
    )


if __name__ == "__main__":
    if sys.argv[1:2] == ["measure"]:
        print(json.dumps(measure(sys.argv[2])))
    else:
        main()
