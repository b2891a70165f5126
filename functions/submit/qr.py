"""QR codes of links, as pictures for screens and for print."""

from __future__ import annotations

import io
from typing import Any

SVG = "image/svg+xml"
PNG = "image/png"
_QUIET = 4
"""Modules left white around the code, as ISO/IEC 18004 asks for."""


def svg(url: str, *, scale: int) -> str:
    """Return *url* as a QR code of error level M; *scale* is the pixels of one module."""
    return _picture(url, kind="svg", scale=scale).decode()


def inline(url: str) -> str:
    """Return *url* as a QR code to stand inside a page, which says how large it is."""
    return _picture(url, kind="svg", scale=1, xmldecl=False, omitsize=True, nl=False).decode()


def png(url: str, *, scale: int) -> bytes:
    """Return *url* as a QR code of error level M; *scale* is the pixels of one module."""
    return _picture(url, kind="png", scale=scale)


def _picture(url: str, **options: Any) -> bytes:  # noqa: ANN401  (what segno can be told)
    import segno  # 50 ms, only where codes are drawn

    file = io.BytesIO()
    # White is drawn too: on a dark page a transparent code cannot be read.
    segno.make_qr(url, error="m").save(file, border=_QUIET, light="#fff", **options)
    return file.getvalue()
