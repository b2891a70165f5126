"""Reading JSON that others wrote: what a decoder would pass over or trip on is a finding.

JSON lets an object name a key twice, and Python's decoder takes fractions, NaN, lone
surrogates and numbers of any length. None of that may decide about money.
"""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

from introducer.check.finding import Finding, child, shorten

MAX_BYTES = 262_144
"""The largest document; what it becomes with its base counts too."""
MAX_LEVELS = 32
"""How deep objects and lists may be nested; conditions of the greatest depth need 24."""
_LONGEST_NUMBER = 18


class _Object(dict[str, Any]):
    """An object as it was written, with the keys it names twice."""

    twice: tuple[str, ...] = ()


class _Odd(int):
    """A number that is none of ours, standing for itself until its place is known."""

    problem: str = ""


def read(body: bytes) -> tuple[dict[str, Any] | None, list[Finding]]:
    """Return the object in *body* and what is wrong with its writing; None if there is none."""
    if len(body) > MAX_BYTES:
        problem = f"the document has {len(body)} bytes, {MAX_BYTES} are the most"
        return None, [Finding("$", problem, "move parts of it into another program")]
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return None, [Finding("$", "this is not UTF-8 text", "save the document as UTF-8")]
    try:
        raw = json.loads(
            text,
            object_pairs_hook=_object,
            parse_float=_fraction,
            parse_int=_whole,
            parse_constant=_constant,
        )
    except json.JSONDecodeError as failure:
        place = f"line {failure.lineno}, column {failure.colno}"
        said = f"this is not JSON: {failure.msg.lower()}"
        return None, [Finding("$", said, f"look at {place}")]
    except RecursionError:
        return None, [_too_deep("$")]
    if not isinstance(raw, dict):
        return None, [Finding("$", "this is not an object", "send a program document")]
    found: list[Finding] = []
    return _plain(raw, "$", found, MAX_LEVELS), found


def _object(pairs: list[tuple[str, Any]]) -> _Object:
    made = _Object(pairs)
    if len(made) < len(pairs):
        times = Counter(key for key, _ in pairs)
        made.twice = tuple(key for key in made if times[key] > 1)
    return made


def _fraction(text: str) -> _Odd:
    odd = _Odd(0)
    odd.problem = f"{shorten(text)} is not a whole number"
    return odd


def _constant(text: str) -> _Odd:
    odd = _Odd(0)
    odd.problem = f"{text} is not a number"
    return odd


def _whole(text: str) -> int:
    if len(text) <= _LONGEST_NUMBER:
        return int(text)
    odd = _Odd(0)
    odd.problem = f"a number of {len(text)} digits is too large"
    return odd


def _plain(node: Any, path: str, found: list[Finding], levels: int) -> Any:  # noqa: ANN401
    """Return *node* of plain types; what is odd about it is added to *found*."""
    match node:
        case _Odd():
            found.append(Finding(path, node.problem, "write a whole number, such as minor units"))
            return int(node)
        case str():
            return _text(node, path, found)
        case dict() | list() if levels == 0:
            found.append(_too_deep(path))
            return None
        case dict():
            return _keys(node, path, found, levels)
        case list():
            return [
                _plain(value, child(path, index), found, levels - 1)
                for index, value in enumerate(node)
            ]
        case _:
            return node


def _keys(node: dict[str, Any], path: str, found: list[Finding], levels: int) -> dict[str, Any]:
    twice = getattr(node, "twice", ())
    found += [
        Finding(child(path, key), "the key is there twice", "keep one of them") for key in twice
    ]
    return {
        _text(key, child(path, key), found): _plain(value, child(path, key), found, levels - 1)
        for key, value in node.items()
    }


def _text(text: str, path: str, found: list[Finding]) -> str:
    if text.isascii():
        return text
    clean = text.encode(errors="replace").decode()
    if clean != text:
        problem = "the text has half of a character (a lone surrogate)"
        found.append(Finding(path, problem, "write the whole character"))
    return clean


def _too_deep(path: str) -> Finding:
    return Finding(path, "nested too deep", f"nest at most {MAX_LEVELS} levels")
