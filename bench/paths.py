"""Where the code under measurement lies: importing this makes it importable, as pytest does."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SOURCES = (ROOT, ROOT / "layers/core", ROOT / "functions")

for _source in reversed(SOURCES):
    if str(_source) not in sys.path:
        sys.path.insert(0, str(_source))
