"""Who user agents are, on the command line: ``make classify-agents FILE=agents.txt``.

One user agent a line in; verdict, reason and agent, parted by tabs, a line out. Needs
``layers/core`` on ``PYTHONPATH``. The redirect decides by the same code, and by headers.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from introducer import agents


def main(arguments: list[str] | None = None) -> int:
    """Classify a file, or standard input for ``-``; return 0, or 2 when it cannot be read."""
    parser = argparse.ArgumentParser(prog="infra.agents", description=__doc__)
    parser.add_argument("file", help="one user agent a line; - for standard input")
    file = parser.parse_args(arguments).file
    try:
        raw = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except OSError as failure:
        print(f"cannot read {failure.filename}: {failure.strerror}", file=sys.stderr)
        return 2
    sys.stdout.buffer.writelines(line.encode() for line in classified(lines(raw)))
    return 0


def lines(raw: bytes) -> list[str]:
    r"""Return the lines of a file as written: only ``\n`` and ``\r\n`` end one."""
    text = raw.decode("utf-8", "replace").removeprefix("\ufeff")
    found = [line.removesuffix("\r") for line in text.split("\n")]
    return found if found[-1] else found[:-1]


def classified(given: Iterable[str]) -> Iterator[str]:
    """Yield ``verdict<TAB>reason<TAB>agent`` for each agent; an empty one is a bot's."""
    for agent in given:
        verdict, reason = agents.classify(agent)
        yield f"{verdict}\t{reason}\t{agent}\n"


if __name__ == "__main__":
    sys.exit(main())
