"""Write the API's OpenAPI 3.1 description from its endpoints: ``python -m infra.openapi``.

Needs ``layers/core`` and ``functions`` on ``PYTHONPATH``. The output is committed and
served; the same endpoints always give the same bytes, and a test fails on drift.
"""

from __future__ import annotations

import json
import re
from importlib import import_module
from pathlib import Path
from typing import Any

import msgspec

from infra import openapi_examples
from submit import (
    fairness,
    finance,
    inbound,
    partner,
    problem,
    public,
    rep,
    rules,
    staff,
    statement,
)
from submit.app import App
from submit.http import KEY_FIELD, TRAP_FIELD, Endpoint
from submit.once import LONGEST_KEY, SHORTEST_KEY

FILE = Path(__file__).resolve().parent.parent / "functions" / "submit" / "openapi.json"
APPS: dict[str, App] = {
    "public": public.app,
    "partner": partner.app,
    "rep": rep.app,
    "fairness": fairness.app,
    "staff": staff.app,
    "rules": rules.app,
    "finance": finance.app,
    "statement": statement.app,
    "inbound": inbound.app,
}
Json = dict[str, Any]

_REFS = "#/components/schemas/{name}"
_ABOUT = (
    "Referral programs from a click to money in the bank. Amounts are whole minor units "
    "with an ISO 4217 code. Errors are RFC 9457 problem documents with a stable `code`. "
    "Every POST that stores something needs an `Idempotency-Key`: the same key and body get "
    "the stored answer with `Idempotent-Replayed: true`, the same key and another body get 422. "
    "Lists go on with `cursor`. Unknown fields and parameters are errors."
)


def main() -> None:
    """Write the description beside the code that serves it."""
    FILE.write_text(render())
    print(f"wrote {FILE}")


def render() -> str:
    """Return the description as it is committed."""
    return json.dumps(document(), indent=1, ensure_ascii=False) + "\n"


def document() -> Json:
    """Return the description of all four functions' endpoints."""
    specs = [(tag, spec) for tag, app in APPS.items() for spec in app.endpoints]
    kinds = [kind for _, spec in specs for kind in _kinds(spec)]
    found, components = msgspec.json.schema_components(
        [problem.Problem, *kinds], ref_template=_REFS
    )
    schemas = dict(zip([problem.Problem, *kinds], found, strict=True))
    paths: dict[str, Json] = {}
    for tag, spec in specs:
        operation = _operation(tag, spec, schemas, components)
        paths.setdefault(spec.route, {})[spec.method.lower()] = operation
    bodies = {getattr(spec.body, "__name__", "") for _, spec in specs}
    queries = {spec.query.__name__ for _, spec in specs} - bodies
    return {
        "openapi": "3.1.0",
        "info": {"title": "Introducer", "version": "1", "description": _ABOUT},
        "servers": [{"url": "/api"}],
        "tags": [{"name": tag, "description": _text(_doc(tag))} for tag in APPS],
        "paths": dict(sorted(paths.items())),
        "components": {
            "schemas": {
                name: _clean(schema)
                for name, schema in sorted(components.items())
                if name not in queries
            },
            "securitySchemes": {
                "login": {
                    "type": "http",
                    "scheme": "bearer",
                    "bearerFormat": "JWT",
                    "description": "The Cognito ID token; its groups are the roles.",
                },
                "signature": {
                    "type": "apiKey",
                    "in": "header",
                    "name": "webhook-signature",
                    "description": "Standard Webhooks: over id, timestamp and raw body.",
                },
            },
        },
    }


def _kinds(spec: Endpoint) -> list[Any]:
    return [kind for kind in (spec.answer, spec.body, spec.query) if kind is not None]


def _operation(tag: str, spec: Endpoint, schemas: dict[Any, Json], components: Json) -> Json:
    summary, _, more = spec.summary.partition("\n")
    operation: Json = {
        "operationId": _camel(spec.name),
        "tags": [tag],
        "summary": _text(summary).rstrip("."),
    }
    if more.strip():
        operation["description"] = _text(more)
    if spec.roles:
        operation["x-roles"] = sorted(spec.roles)
        operation["security"] = [{"login": []}]
    elif spec.identify:
        operation["security"] = [{"signature": []}]
    else:
        operation["security"] = []
    if spec.codes:
        operation["x-problem-codes"] = sorted(spec.codes)
    parameters = [*_path_parameters(spec), *_header_parameters(spec)]
    parameters += _query_parameters(components[spec.query.__name__])
    if parameters:
        operation["parameters"] = parameters
    if spec.body is not None:
        operation["requestBody"] = _request_body(spec, _clean(schemas[spec.body]))
    operation["responses"] = _responses(spec, _clean(schemas[spec.answer]))
    return operation


def _path_parameters(spec: Endpoint) -> list[Json]:
    return [
        {
            "name": name,
            "in": "path",
            "required": True,
            "schema": {"type": "string", "maxLength": 128},
            "example": openapi_examples.PATH.get(name, "example"),
        }
        for name in re.findall(r"{(\w+)}", spec.route)
    ]


def _header_parameters(spec: Endpoint) -> list[Json]:
    if spec.identify:
        return [
            {"name": name, "in": "header", "required": True, "schema": {"type": "string"}}
            for name in ("webhook-id", "webhook-timestamp", "webhook-signature")
        ]
    if not spec.once:
        return []
    schema = {"type": "string", "minLength": SHORTEST_KEY, "maxLength": LONGEST_KEY}
    # A form sends it as a hidden field instead.
    return [
        {
            "name": "Idempotency-Key",
            "in": "header",
            "required": spec.form is None,
            "schema": schema,
            "example": "7f9c2ba4-e88f-4cf0-9c2b-1c1f1a3e1f10",
        }
    ]


def _query_parameters(schema: Json) -> list[Json]:
    required = schema.get("required", [])
    parameters = []
    for name, raw in schema["properties"].items():
        described = _clean(raw)
        text = described.pop("description", "")
        parameter = {"name": name, "in": "query", "required": name in required}
        if text:
            parameter["description"] = text
        parameters.append({**parameter, "schema": described})
    return parameters


def _request_body(spec: Endpoint, schema: Json) -> Json:
    media: Json = {"schema": schema}
    examples = openapi_examples.BODIES.get(spec.name)
    if examples:
        media["examples"] = {name: {"value": value} for name, value in examples.items()}
    content = {"application/json": media}
    if spec.form:
        content["application/x-www-form-urlencoded"] = {
            "schema": {
                "type": "object",
                "description": (
                    "The fields of the JSON body, flat: `consent.text_version`, "
                    "`consent.given`, `utm_…`; `clicks` may be repeated. "
                    f"`{TRAP_FIELD}` stays empty."
                ),
                "properties": {
                    KEY_FIELD: {"type": "string"},
                    TRAP_FIELD: {"type": "string", "maxLength": 0},
                },
                "required": [KEY_FIELD],
                "additionalProperties": {"type": "string"},
            }
        }
    return {"required": spec.name not in openapi_examples.BODYLESS, "content": content}


def _responses(spec: Endpoint, schema: Json) -> Json:
    ok: Json = {
        "description": "Done",
        "content": {spec.media: {"schema": schema}},
    }
    if spec.once:
        ok["headers"] = {
            "Idempotent-Replayed": {
                "description": "`true` when this was answered before",
                "schema": {"type": "string", "enum": ["true"]},
            }
        }
    if spec.location:
        ok.setdefault("headers", {})["Location"] = {
            "description": "Where it is read",
            "schema": {"type": "string", "format": "uri-reference"},
        }
    answers: Json = {str(spec.status): ok}
    if spec.form:
        answers["303"] = {
            "description": "A form was taken; the landing page follows",
            "headers": {"Location": {"schema": {"type": "string", "format": "uri"}}},
        }
    for status in _problem_statuses(spec):
        answers[status] = {
            "description": problem.phrase(int(status)),
            "content": {
                "application/problem+json": {"schema": {"$ref": _REFS.format(name="Problem")}}
            },
        }
    return answers


def _problem_statuses(spec: Endpoint) -> list[str]:
    statuses = {"400", "500", "503"}
    if spec.roles or spec.identify:
        statuses.add("401")
    if spec.roles:
        statuses |= {"403", "404"}
    if "{" in spec.route:
        statuses.add("404")
    if spec.body is not None:
        statuses |= {"413", "415", "422"}
    if spec.once or spec.method == "PUT":
        statuses.add("409")
    return sorted(statuses)


def _clean(schema: Any) -> Any:  # noqa: ANN401  (any part of a JSON schema)
    """Return *schema* with texts as Markdown and without titles, which repeat the names."""
    if isinstance(schema, dict):
        return {
            key: _text(value) if key == "description" and isinstance(value, str) else _clean(value)
            for key, value in schema.items()
            if not (key == "title" and isinstance(value, str))
        }
    if isinstance(schema, list):
        return [_clean(each) for each in schema]
    return schema


def _text(docstring: str) -> str:
    """Return the words of a docstring as Markdown on one line."""
    marked = re.sub(r":\w+:`~?([\w.]+)`", r"`\1`", docstring.replace("``", "`"))
    return " ".join(marked.split())


def _doc(tag: str) -> str:
    return import_module(f"submit.{tag}").__doc__ or ""


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.title() for word in rest)


if __name__ == "__main__":
    main()
