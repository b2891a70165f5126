"""A page of a few lines, for people who sent a form without a script."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

HEADERS = {
    "content-type": "text/html; charset=utf-8",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
}


def render(title: str, lines: Iterable[str]) -> str:
    """Return an HTML page with *title* and one paragraph for each of *lines*, all escaped."""
    paragraphs = "".join(f"<p>{escape(line)}</p>" for line in lines)
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        f"<title>{escape(title)}</title><h1>{escape(title)}</h1>{paragraphs}</html>"
    )
