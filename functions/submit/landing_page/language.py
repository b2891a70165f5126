"""Which language a page is shown in: asked for, else the browser's, else the partner's."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

_TAG = re.compile(r"([A-Za-z]{2})(?:[-_]([A-Za-z]{2}))?")
_HEADER_LIMIT = 500


def choose(available: Collection[str], asked: str, header: str, usual: str) -> str:
    """Return the locale of *available* that suits best.

    Args:
        available: What there is, in the document's order; not empty.
        asked: The query's ``lang``.
        header: ``Accept-Language`` (RFC 9110, 12.5.4).
        usual: The locale of the partner's audience.
    """
    for wanted in (asked, *accepted(header), usual):
        found = _match(wanted, available)
        if found:
            return found
    return next(iter(available))


def accepted(header: str) -> list[str]:
    """Return the languages of an ``Accept-Language`` header, the most welcome first."""
    weighed = sorted(_weighed(header[:_HEADER_LIMIT]), key=lambda each: -each[0])
    return [tag for weight, tag in weighed if weight > 0]


def _weighed(header: str) -> Iterator[tuple[float, str]]:
    for part in header.split(","):
        tag, _, parameter = part.partition(";")
        name, _, value = parameter.strip().partition("=")
        try:
            yield (float(value) if name.strip() == "q" else 1.0), tag.strip()
        except ValueError:
            continue


def _match(wanted: str, available: Collection[str]) -> str:
    tag = _TAG.match(wanted)
    if not tag:
        return ""
    language, region = tag[1].lower(), (tag[2] or "").upper()
    best = (f"{language}-{region}", language)
    near = [each for each in available if each[:2] == language]
    return next((each for each in best if each in available), near[0] if near else "")
