"""Reading a program document: its writing, its shape, its meaning, every fault at once."""

from __future__ import annotations

from typing import Any

import msgspec

from introducer.check import inherit, reading
from introducer.check.finding import MOST, Finding, holds, in_order, parent
from introducer.check.inherit import Lookup
from introducer.errors import InvalidProgramError
from introducer.program import Program


def parse(body: bytes, base: Lookup | None = None) -> Program:
    """Return the document in *body*, made whole when it extends another.

    Paths of findings are those of the whole document.

    Args:
        body: JSON. ``$schema`` may be there for editors and is not kept.
        base: Finds what ``extends`` names; without it, no document may extend another.

    Raises:
        InvalidProgramError: Its writing, shape or meaning is wrong; every finding is listed,
            in the order of the document.
    """
    from introducer.check import meaning, shape  # 15 ms, only to publish

    source, written = reading.read(body)
    if source is None:
        raise _refusal(written, {})
    whole, found = inherit.complete(source, base)
    if whole is None:
        raise _refusal([*written, *found], source)
    if "extends" in source and len(msgspec.json.encode(whole)) > reading.MAX_BYTES:
        problem = f"with its base the document has more than {reading.MAX_BYTES} bytes"
        raise _refusal([*written, Finding("$", problem, "extend a smaller one")], source)
    faults, mended = shape.check(whole)
    # What could not be read was replaced, and is no fault of its own.
    faults = [*written, *(each for each in faults if not _within(each, written))]
    program = _decoded(mended, faults) if mended is not None else None
    if program is not None:
        broken = {_broken(each.path) for each in faults}
        faults += [each for each in meaning.findings(program) if not _doubtful(each, broken)]
    faults += found
    if faults or program is None:
        raise _refusal(faults, whole)
    return program


def findings(document: Program) -> list[dict[str, str]]:
    """Return every fault of meaning: its path, what is wrong and how to mend it."""
    from introducer.check import meaning  # as above

    found = in_order(meaning.findings(document), msgspec.to_builtins(document))
    return [each.told() for each in found]


def _decoded(document: dict[str, Any], faults: list[Finding]) -> Program | None:
    try:
        return msgspec.convert(document, Program)
    except msgspec.ValidationError as failure:
        if not faults:  # what the schema let pass, the decoder still refuses
            problem, _, path = str(failure).partition(" - at ")
            faults.append(Finding(path.strip("`") or "$", problem, "see the published schema"))
        return None


def _broken(path: str) -> str:
    """Return what a fault at *path* leaves unclear: without its tag, the whole object."""
    return parent(path) if path.endswith((".on", ".kind")) else path


def _within(finding: Finding, others: list[Finding]) -> bool:
    return any(holds(each.path, finding.path) for each in others)


def _doubtful(finding: Finding, broken: set[str]) -> bool:
    """Return whether *finding* may only be there because something else is broken."""
    return any(
        holds(each, finding.path)
        or (finding.path != "$" and holds(finding.path, each))
        or (finding.source and holds(each, finding.source))
        for each in broken
    )


def _refusal(found: list[Finding], document: dict[str, Any]) -> InvalidProgramError:
    told = [each.told() for each in in_order(found, document)]
    if len(told) > MOST:
        more = Finding("$", f"only the first {MOST} findings are told", "mend them first")
        told = [*told[:MOST], more.told()]
    return InvalidProgramError(told)
