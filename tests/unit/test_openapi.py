"""The committed description is the code's, and says true things."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from openapi_spec_validator import validate

from infra import openapi, openapi_examples
from submit import inputs
from submit.http import Endpoint

SPECS = [spec for app in openapi.APPS.values() for spec in app.endpoints]


def test_openapi_has_not_drifted() -> None:
    """The committed file is what the endpoints give; `make openapi` writes it anew."""
    assert openapi.FILE.read_text() == openapi.render()


def test_openapi_is_valid() -> None:
    """It is OpenAPI 3.1, and every reference leads somewhere."""
    document = openapi.document()
    validate(document)
    names = set(document["components"]["schemas"])
    assert set() == {name for name in _references(document) if name not in names}


def test_openapi_names_every_endpoint_once() -> None:
    """Each route of the four functions is described under its own operation id."""
    described = openapi.document()["paths"]
    operations = [entry["operationId"] for path in described.values() for entry in path.values()]
    assert len(SPECS) == len(operations) == len(set(operations))
    assert {(spec.route, spec.method.lower()) for spec in SPECS} == {
        (route, method) for route, path in described.items() for method in path
    }


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.name)
def test_openapi_examples_are_accepted(spec: Endpoint) -> None:
    """Every example decodes as its route decodes it, and every body has one."""
    examples = openapi_examples.BODIES.get(spec.name, {})
    assert bool(examples) == (spec.body is not None and spec.name not in openapi_examples.BODYLESS)
    for example in examples.values():
        raw = msgspec.json.encode(example)
        assert (spec.parse(raw) if spec.parse else inputs.from_json(raw, spec.body)) is not None


def _references(part: Any) -> set[str]:
    match part:
        case {"$ref": str(reference), **rest}:
            return {reference.rpartition("/")[2], *_references(rest)}
        case dict():
            return set().union(*(_references(value) for value in part.values()))
        case list():
            return set().union(*(_references(value) for value in part))
    return set()
