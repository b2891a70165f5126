"""Programs on the command line: ``python -m infra.program validate|schema``.

Needs ``layers/core`` on ``PYTHONPATH``; the same checks run when a program is published.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

import msgspec

from introducer.check import document
from introducer.check.inherit import Lookup
from introducer.errors import InvalidProgramError


def main(arguments: list[str] | None = None) -> int:
    """Run one command; return 0 when all is well, 1 when a document has findings, else 2."""
    parser = argparse.ArgumentParser(prog="infra.program", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    check = commands.add_parser("validate", help="tell everything that is wrong with a document")
    check.add_argument("file", type=Path)
    check.add_argument("--base", type=Path, action="append", default=[], help="what it extends")
    commands.add_parser("schema", help="write the JSON Schema of documents")
    chosen = parser.parse_args(arguments)
    return validate(chosen.file, chosen.base) if chosen.command == "validate" else write_schema()


def validate(file: Path, bases: list[Path]) -> int:
    """Print every finding about *file*; return 0 when there is none, 1, or 2 if it cannot be read.

    A base that is not named is looked for beside *file*, as ``{program}.json``.
    """
    try:
        body = file.read_bytes()
        program = document.parse(body, lookup(file, bases))
    except OSError as failure:
        print(f"cannot read {failure.filename}: {failure.strerror}", file=sys.stderr)
        return 2
    except InvalidProgramError as refused:
        for finding in refused.findings:
            print(f"{finding['path']}\n  wrong: {finding['problem']}\n  mend:  {finding['remedy']}")
        count = len(refused.findings)
        print(f"{file} has {count} finding{'s' if count > 1 else ''}", file=sys.stderr)
        return 1
    plans = len(program.rewards)
    print(
        f"{file} is valid: program {program.id}, {len(program.audiences)} audiences, {plans} plans"
    )
    return 0


def write_schema() -> int:
    """Write the JSON Schema where it is committed."""
    from infra import program_schema  # reads sources; not for validating

    program_schema.FILE.write_text(program_schema.render())
    print(f"wrote {program_schema.FILE}")
    return 0


def lookup(file: Path, bases: list[Path]) -> Lookup:
    """Return what finds bases in files. A file has no version: the one it holds is taken."""

    def find(program: str, _: int) -> dict[str, Any] | None:
        for path in (*bases, file.parent / f"{program}.json"):
            if path not in bases and not path.exists():
                continue
            try:
                held = msgspec.json.decode(path.read_bytes())
            except msgspec.DecodeError:
                continue
            if isinstance(held, dict) and held.get("id") == program:
                return held
        return None

    return find


if __name__ == "__main__":
    sys.exit(main())
