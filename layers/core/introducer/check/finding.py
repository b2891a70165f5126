"""A finding: where in a document something is wrong, what, and how to mend it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, NamedTuple

_PLAIN = re.compile(r"[A-Za-z_$][A-Za-z0-9_$-]*\Z")
_LAST = re.compile(r"(\.[A-Za-z_$][A-Za-z0-9_$-]*|\[[0-9]+\]|\[\"(?:[^\"\\]|\\.)*\"\])\Z")
_LONGEST_SHOWN = 40

MOST = 500
"""So many findings are told at most."""


class Finding(NamedTuple):
    """One fault. ``path`` is written like ``$.rewards[0].calculation.basis_points``."""

    path: str
    problem: str
    remedy: str
    source: str = ""
    """Where the thing it misses would be declared; it is not told when that is broken itself."""

    def told(self) -> dict[str, str]:
        """Return what whoever publishes is told."""
        return {"path": self.path, "problem": self.problem, "remedy": self.remedy}


def child(path: str, key: str | int) -> str:
    """Return the path of what lies at *key* below *path*."""
    if isinstance(key, int):
        return f"{path}[{key}]"
    if _PLAIN.match(key):
        return f"{path}.{key}"
    quoted = shorten(key).replace("\\", "\\\\").replace('"', '\\"')
    return f'{path}["{quoted}"]'


def path_of(keys: Iterable[str | int]) -> str:
    """Return the path of what lies at *keys*, one below the other."""
    path = "$"
    for key in keys:
        path = child(path, key)
    return path


def parent(path: str) -> str:
    """Return the path of what holds *path*; the root is its own."""
    return _LAST.sub("", path) if path != "$" else path


def holds(outer: str, inner: str) -> bool:
    """Return whether *inner* is *outer* or lies within it."""
    return inner == outer or inner.startswith((f"{outer}.", f"{outer}["))


def shorten(text: str) -> str:
    """Return *text* fit to be shown: short, on one line, and possible to encode."""
    clean = "".join(letter if letter.isprintable() else "?" for letter in text[:_LONGEST_SHOWN])
    return clean + ("…" if len(text) > _LONGEST_SHOWN else "")


def shown(value: Any) -> str:  # noqa: ANN401
    """Return a value of a document in words, never at length."""
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case str():
            return f"“{shorten(value)}”"
        case int():
            return str(value) if abs(value) < 10**20 else "a huge number"
        case list():
            return f"a list of {len(value)}"
        case _:
            return "an object"


def meant(name: str, known: Iterable[str], otherwise: str) -> str:
    """Return a remedy for the unknown *name*: the nearest *known* one, or *otherwise*."""
    from difflib import get_close_matches  # 5 ms, only when something is wrong

    near = get_close_matches(name[:100], list(known), n=1)
    return f"did you mean {near[0]}?" if near else otherwise


def in_order(findings: Iterable[Finding], document: Any) -> list[Finding]:  # noqa: ANN401
    """Return *findings* in the order in which their places stand in *document*."""
    places: dict[str, int] = {}
    _number(document, "$", places)

    def place(finding: Finding) -> int:
        path = finding.path
        while path not in places and path != parent(path):
            path = parent(path)
        return places.get(path, 0)

    unique = dict.fromkeys(findings)  # two checks may find the same
    return sorted(unique, key=place)


def _number(node: Any, path: str, places: dict[str, int]) -> None:  # noqa: ANN401
    places[path] = len(places)
    if isinstance(node, dict):
        for key, value in node.items():
            _number(value, child(path, key), places)
    elif isinstance(node, list):
        for index, value in enumerate(node):
            _number(value, child(path, index), places)
