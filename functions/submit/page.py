"""A page of a few lines, for people who sent a form without a script."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Iterable
from html import escape

_STYLE = (
    "body{font:1rem/1.5 system-ui,sans-serif;max-width:36rem;margin:0 auto;padding:2rem 1.25rem;"
    "overflow-wrap:anywhere}h1{font-size:1.4rem;line-height:1.25}"
)
_STYLE_HASH = b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_ADVICE = "Go back in your browser: what you typed is still there."

HEADERS = {
    "content-type": "text/html; charset=utf-8",
    "content-security-policy": (
        f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; frame-ancestors 'none'"
    ),
}


def render(title: str, lines: Iterable[str]) -> str:
    """Return an HTML page with *title*, one paragraph for each of *lines*, and what to do now.

    Everything is escaped; the page follows the reader's light or dark setting.
    """
    paragraphs = "".join(f"<p>{escape(line)}</p>" for line in (*lines, _ADVICE))
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        '<meta name="color-scheme" content="light dark">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style>"
        f"<main><h1>{escape(title)}</h1>{paragraphs}</main></html>"
    )
