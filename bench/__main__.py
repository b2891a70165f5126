"""``python -m bench click``: run one benchmark by name, like ``python -m bench.click``."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

_BENCHMARKS = sorted(
    path.stem for path in Path(__file__).parent.glob("*.py") if "def main(" in path.read_text()
)

if __name__ == "__main__":
    if len(sys.argv) < 2 or sys.argv[1] not in _BENCHMARKS:
        sys.exit(f"usage: python -m bench {{{'|'.join(_BENCHMARKS)}}}")
    name = sys.argv.pop(1)
    runpy.run_module(f"bench.{name}", run_name="__main__")
