"""``GET /v1/openapi.json``: what this API is, as it was generated and committed."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from submit.http import Answer, Call, Resource

resource = Resource(__name__)


@resource.endpoint("GET", "/v1/openapi.json", answer=dict)
def read_openapi(_: Call[Any, Any]) -> Answer:
    """Read this description of the API."""
    return Answer(body=_document())


@cache
def _document() -> msgspec.Raw:
    return msgspec.Raw((Path(__file__).parents[1] / "openapi.json").read_bytes())
