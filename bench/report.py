"""What every benchmark ends with: a table to read and a file to compare."""

from __future__ import annotations

import json
from pathlib import Path

OUT = Path(__file__).parent / "out"
Row = tuple[str, float | str, str]
"""What was measured, the value, and what it is compared with or means."""


def table(title: str, rows: list[Row]) -> None:
    """Print *rows* under *title*, values aligned right."""
    texts = [(label, _text(value), note) for label, value, note in rows]
    label_width = max(len(label) for label, _, _ in texts)
    value_width = max(len(value) for _, value, _ in texts)
    print(f"\n{title}\n{'-' * len(title)}")
    for label, value, note in texts:
        print(f"{label:<{label_width}}  {value:>{value_width}}  {note}".rstrip())


def grid(title: str, header: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
    """Print *rows* of texts under *header*, all but the first column aligned right."""
    widths = [max(len(row[place]) for row in (header, *rows)) for place in range(len(header))]
    print(f"\n{title}\n{'-' * len(title)}")
    for row in (header, *rows):
        first, *rest = zip(row, widths, strict=True)
        cells = [f"{first[0]:<{first[1]}}", *(f"{text:>{width}}" for text, width in rest)]
        print("  ".join(cells).rstrip())


def write(name: str, figures: dict[str, float]) -> Path:
    """Write *figures* to ``bench/out/{name}.json`` and return where that is."""
    OUT.mkdir(exist_ok=True)
    path = OUT / f"{name}.json"
    rounded = {key: round(value, 4) for key, value in figures.items()}
    path.write_text(json.dumps({"name": name, "figures": rounded}, indent=2) + "\n")
    print(
        f"\nwritten to {path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path}"
    )
    return path


def _text(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:,.3f}".rstrip("0").rstrip(".")
