"""``python -m tests.simulation``: let the money live through so many steps, or crash everywhere.

The exit code is 1 when something was true that never may be; the seed of that world is printed,
and with it and its number of steps exactly the same happens again.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
import traceback
from typing import TextIO

WORLD_STEPS = 4_000
"""How long one world lasts; then memory is given back and the next one begins."""


def main() -> int:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("what", choices=["simulate", "crash-points"])
    parser.add_argument("--steps", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--every", type=int, default=1, help="only every n-th crash point")
    asked = parser.parse_args()
    if os.environ.get("PYTHONHASHSEED") != "0":
        # The order of a set would be another in every process, and no seed would replay.
        environment = {**os.environ, "PYTHONHASHSEED": "0"}
        again = [sys.executable, "-m", "tests.simulation", *sys.argv[1:]]
        os.execve(sys.executable, again, environment)  # noqa: S606  (ourselves)
    if asked.what == "simulate":
        return simulate(asked.steps, asked.seed)
    return crash_points(asked.every)


def simulate(steps: int, seed: int) -> int:
    """Let worlds live, one after the other, for *steps* steps; return 1 after a violation."""
    from tests.simulation.books import Violation
    from tests.simulation.world import World

    began = told = time.monotonic()
    done = worlds = journals = faults = 0
    while done < steps:
        world = World(derived(seed, worlds))
        wanted = min(WORLD_STEPS, steps - done)
        try:
            world.run(wanted)
        except (Violation, Exception) as violation:  # noqa: BLE001  (all of it is news)
            if not isinstance(violation, Violation):
                traceback.print_exc()
            _say(f"\n{type(violation).__name__}: {violation}", file=sys.stderr)
            _say(f"seed {world.seed}, step {world.steps}; again with:", file=sys.stderr)
            _say(f"  make simulate STEPS={wanted} SEED={world.seed}", file=sys.stderr)
            return 1
        done += min(world.steps, wanted)
        journals += world.books.journals
        faults += world.aws.met
        worlds += 1
        if time.monotonic() - told > 30:
            told = time.monotonic()
            _say(f"{done:,} steps, {done / (told - began):,.0f} a second")
    took_s = time.monotonic() - began
    _say(
        f"{done:,} steps in {worlds:,} worlds from seed {seed}: nothing wrong. "
        f"{journals:,} journals, {faults:,} faults, {done / took_s:,.0f} steps a second"
    )
    return 0


def _say(text: str, file: TextIO | None = None) -> None:
    print(text, file=file, flush=True)


def derived(seed: int, number: int) -> int:
    """Return the seed of world *number*; the first one's is *seed* itself."""
    return seed if not number else (seed * 1_000_003 + number * 7_919) % 2**62


def crash_points(every: int) -> int:
    """Walk with every fault at every call; return 1 when one changes what is stored."""
    from tests.simulation import crash_points as points

    began = time.monotonic()
    result = points.enumerate_all(every)
    for each in result.differences:
        _say(f"call {each.call}, {each.fault}: {each.what}", file=sys.stderr)
    _say(
        f"{result.runs:,} walks over {result.calls} calls, {len(result.differences)} that end "
        f"otherwise, {time.monotonic() - began:.0f} s"
    )
    return 1 if result.differences else 0


if __name__ == "__main__":
    sys.exit(main())
