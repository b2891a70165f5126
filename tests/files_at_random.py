"""Payment files of as many random orders as wanted, each proven: ``make payment-files COUNT=…``.

    python -m tests.files_at_random COUNT [SEED]

Orders are made in chunks, each from a seed of its own that follows from SEED, so a failing
one is repeated alone by giving its seed and a count of one chunk. The exit code is 1 when a
file was wrong; the smallest order that shows it is printed.
"""

from __future__ import annotations

import os
import sys
import time
from concurrent.futures import ProcessPoolExecutor, as_completed

import hypothesis
from hypothesis import HealthCheck, Phase, given, settings

from introducer.rails.rail import Order
from tests.support.payment_orders import orders, prove

CHUNK = 500


def run_chunk(seed: int, count: int) -> tuple[int, int]:
    """Prove *count* orders made from *seed*; return how many files were written, and refused."""
    told = [0, 0]

    @hypothesis.seed(seed)
    @settings(
        max_examples=count,
        deadline=None,
        database=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    @given(orders())
    def proof(order: Order) -> None:
        told[0 if prove(order) else 1] += 1

    proof()
    return told[0], told[1]


def main(count: int, seed: int) -> int:
    """Prove *count* orders on every processor and return the exit code."""
    chunks = {seed + n: min(CHUNK, count - n * CHUNK) for n in range(-(-count // CHUNK))}
    started, written, refused = time.monotonic(), 0, 0
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        running = {pool.submit(run_chunk, each, size): each for each, size in chunks.items()}
        for done in as_completed(running):
            failure = done.exception()
            if failure is not None:
                pool.shutdown(cancel_futures=True)
                print(f"FAILED at seed {running[done]}", failure, sep="\n")  # noqa: T201
                print(*getattr(failure, "__notes__", ()), sep="\n")  # noqa: T201
                return 1
            written, refused = written + done.result()[0], refused + done.result()[1]
    seconds = time.monotonic() - started
    print(f"{written} files right, {refused} orders refused with reason, {seconds:.0f} s")  # noqa: T201
    return 0


if __name__ == "__main__":
    numbers = [int(each) for each in sys.argv[1:]]
    sys.exit(main(*(numbers + [1000, 1][len(numbers) :])))
