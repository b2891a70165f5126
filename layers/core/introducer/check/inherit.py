"""Inheritance: a program that holds only what differs from another one.

Objects merge as in RFC 7396: what is there replaces, ``null`` removes. Lists whose elements
all have an ``id`` merge by it, ``{"id": …, "remove": true}`` takes one out; every other list
replaces the base's, and so do conditions and what is of another ``kind`` or ``on``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from introducer.check.finding import Finding, child, shown
from introducer.document.base import Part, ProgramId

Json = dict[str, Any]
Lookup = Callable[[str, int], "bytes | Json | None"]
"""Returns the stored document of a program's version, or None when there is none."""

_TAGS = {"trigger": "on", "calculation": "kind", "effect": "kind"}
MAX_CHAIN = 5
"""How many documents may extend one another, one after the other."""


class Extends(Part, frozen=True):
    """The published version that this document starts from."""

    program: ProgramId
    version: Annotated[int, Meta(ge=1, le=1_000_000_000)]


def resolve(source: Json, base: Json) -> Json:
    """Return *base* with what *source* says differently. Neither is changed.

    ``extends`` and ``$schema`` of both are left out.
    """
    left_out = {"extends", "$schema"}
    whole: Json = _merge(
        {key: value for key, value in source.items() if key not in left_out},
        {key: value for key, value in base.items() if key not in left_out},
    )
    return whole


def complete(source: Json, lookup: Lookup | None) -> tuple[Json | None, list[Finding]]:
    """Return *source* made whole with all its bases, and what is wrong; None if it cannot be.

    Args:
        source: A document, with ``extends`` or without.
        lookup: Finds the bases; without it no document may extend another.
    """
    chain, seen = [source], {str(source.get("id"))}
    while "extends" in chain[-1]:
        base, problem = _base(chain[-1], lookup, seen)
        if base is None:
            return None, [problem] if problem else []
        chain.append(base)
        if len(chain) > MAX_CHAIN:
            said = f"more than {MAX_CHAIN} documents extend one another"
            return None, [Finding("$.extends", said, "extend a document nearer to the root")]
    whole = chain.pop()
    whole = {key: value for key, value in whole.items() if key != "$schema"}
    while chain:
        whole = resolve(chain.pop(), whole)
    found: list[Finding] = []
    whole = _settled(whole, "$", found)
    return whole, found


def _settled(node: Any, path: str, found: list[Finding]) -> Any:  # noqa: ANN401
    """Return *node* without what was to be removed and is not there; that is added to *found*."""
    if isinstance(node, dict):
        return {key: _settled(value, child(path, key), found) for key, value in node.items()}
    if not isinstance(node, list):
        return node
    for index, each in enumerate(node):
        if _is_removal(each):
            problem = f"there is no {shown(each['id'])} to remove"
            remedy = "name an id of the base document, or leave it out"
            found.append(Finding(child(path, index), problem, remedy))
    kept = [each for each in node if not _is_removal(each)]
    return [_settled(each, child(path, index), found) for index, each in enumerate(kept)]


def _is_removal(element: Any) -> bool:  # noqa: ANN401
    return isinstance(element, dict) and element.get("remove") is True and "id" in element


def _base(
    document: Json, lookup: Lookup | None, seen: set[str]
) -> tuple[Json | None, Finding | None]:
    path = "$.extends"
    try:
        extends = msgspec.convert(document["extends"], Extends)
    except msgspec.ValidationError:
        remedy = 'write {"program": "…", "version": 1}'
        return None, Finding(path, "this does not name a program and its version", remedy)
    if "id" not in document:
        return None, Finding("$.id", "id is missing", "a program needs an id of its own")
    if extends.program in seen:
        remedy = "give this program an id of its own and extend another"
        return None, Finding(path, f"{extends.program} would extend itself", remedy)
    seen.add(extends.program)
    stored = lookup(extends.program, extends.version) if lookup else None
    if stored is None:
        said = f"there is no version {extends.version} of {extends.program}"
        return None, Finding(path, said, "name a published version")
    base = msgspec.json.decode(stored) if isinstance(stored, bytes) else stored
    if not isinstance(base, dict):
        said = f"version {extends.version} of {extends.program} is no document"
        return None, Finding(path, said, "name another version")
    return base, None


def _merge(source: Any, base: Any) -> Any:  # noqa: ANN401
    if isinstance(source, dict):
        merged = dict(base) if isinstance(base, dict) else {}
        for key, value in source.items():
            if value is None:
                merged.pop(key, None)
            else:
                before = merged.get(key)
                other = isinstance(value, dict) and _is_other(key, value, before)
                merged[key] = _merge(value, None if other else before)
        return merged
    if isinstance(source, list) and _have_ids(source):
        return _merge_by_id(source, base if isinstance(base, list) and _have_ids(base) else [])
    return source


def _is_other(key: str, source: Json, base: Any) -> bool:  # noqa: ANN401
    """Return whether what *source* says at *key* is another thing than *base* and takes its place.

    A condition is no object with properties to change one by one; and what is left of a trigger
    or a calculation would not belong to one of another kind.
    """
    if not isinstance(base, dict):
        return True
    tag = _TAGS.get(key, "")
    return key == "condition" or (tag in source and source[tag] != base.get(tag, source[tag]))


def _have_ids(elements: list[Any]) -> bool:
    return bool(elements) and all(
        isinstance(each, dict) and isinstance(each.get("id"), str) for each in elements
    )


def _merge_by_id(source: list[Json], base: list[Json]) -> list[Json]:
    merged = {each["id"]: each for each in base}
    for each in source:
        known = each["id"] in merged
        if _is_removal(each) and known:
            del merged[each["id"]]
        else:  # one to remove that is not there stays, and is found later
            merged[each["id"]] = _merge(each, merged.get(each["id"]))
    return list(merged.values())
