"""QR codes of one's own links."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from submit import files, qr
from submit.acting import PARTNER, partner_of
from submit.http import Answer, Call, Resource
from submit.inputs import Input
from submit.own_links import url_of
from submit.resources.links import own

resource = Resource(__name__)


class Size(Input, frozen=True, kw_only=True):
    """How large the picture is."""

    scale: Annotated[int, Meta(ge=1, le=40, description="Pixels of one module")] = 8


class Pictures(msgspec.Struct, frozen=True, kw_only=True):
    """Where the pictures are read for a quarter of an hour, without a login."""

    svg_url: str
    png_url: str


@resource.endpoint(
    "GET",
    "/v1/me/links/{code}/qr.svg",
    roles=PARTNER,
    query=Size,
    answer=str,
    media=qr.SVG,
    codes=("not_enrolled",),
)
def draw_qr(call: Call[Any, Size]) -> Answer:
    """Draw the QR code of one's own link."""
    link = own(partner_of(call), call.path["code"])
    return Answer(body=msgspec.Raw(qr.svg(url_of(link.code), scale=call.query.scale).encode()))


@resource.endpoint(
    "GET",
    "/v1/me/links/{code}/qr",
    roles=PARTNER,
    query=Size,
    answer=Pictures,
    codes=("not_enrolled",),
)
def store_qr(call: Call[Any, Size]) -> Answer:
    """Make the QR code of one's own link as files, SVG and PNG."""
    link = own(partner_of(call), call.path["code"])
    url, scale = url_of(link.code), call.query.scale
    name = f"cards/qr/{link.code}-{scale}"
    return Answer(
        body=Pictures(
            svg_url=files.publish(f"{name}.svg", qr.svg(url, scale=scale).encode(), qr.SVG),
            png_url=files.publish(f"{name}.png", qr.png(url, scale=scale), qr.PNG),
        )
    )
