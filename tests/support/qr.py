"""Reading QR codes with a decoder that has nothing to do with how they were drawn."""

from __future__ import annotations

import re
import struct
import zlib

import zxingcpp

Rows = list[list[bool]]
_SCALE = 4


def read_svg(svg: str) -> str:
    """Return what the QR code of an SVG says: its dark modules are strokes of one unit."""
    (path,) = re.findall(r'stroke="#000"[^>]* d="([^"]+)"', svg) or re.findall(
        r'd="([^"]+)"[^>]* stroke="#000"', svg
    )
    (size,) = re.findall(r'fill="#fff" d="M0 0h(\d+)', svg)
    rows = [[False] * int(size) for _ in range(int(size))]
    x, y = 0.0, 0.0
    for command, first, second in re.findall(r"([Mmh])(-?[\d.]+)(?:[ ,]?(-?[\d.]+))?", path):
        if command == "M":
            x, y = float(first), float(second)
        elif command == "m":
            x, y = x + float(first), y + float(second or 0)
        else:
            for column in range(int(x), int(x + float(first))):
                rows[int(y)][column] = True
            x += float(first)
    return _read(rows)


def read_png(png: bytes) -> str:
    """Return what the QR code of a PNG of one bit a pixel says."""
    assert b"\x89PNG\r\n\x1a\n" == png[:8]
    data, at, header = b"", 8, (0, 0, 0, 0)
    while at < len(png):
        length, kind = struct.unpack(">I4s", png[at : at + 8])
        body = png[at + 8 : at + 8 + length]
        if kind == b"IHDR":
            header = struct.unpack(">IIBB", body[:10])
        elif kind == b"IDAT":
            data += body
        at += length + 12
    width, height, depth, _ = header
    assert 1 == depth
    raw, stride = zlib.decompress(data), (width + 7) // 8 + 1
    lines, above = [], bytes(stride - 1)
    for row in range(height):
        how, line = raw[row * stride], raw[row * stride + 1 : (row + 1) * stride]
        assert how in {0, 2}  # as it is, or what differs from the line above
        above = bytes((a + b) % 256 for a, b in zip(line, above, strict=True)) if how else line
        lines.append(above)
    return _read([[not line[x // 8] >> (7 - x % 8) & 1 for x in range(width)] for line in lines])


def _read(dark: Rows) -> str:
    rows = [
        bytes(0 if module else 255 for module in row for _ in range(_SCALE))
        for row in dark
        for _ in range(_SCALE)
    ]
    picture = memoryview(b"".join(rows)).cast("B", (len(rows), len(rows[0])))  # type: ignore[call-overload]
    (found,) = zxingcpp.read_barcodes(picture)
    return str(found.text)
