"""The JSON Schema of program documents, made from the code that decodes them.

What the structs say becomes a schema that speaks clearly: a union with a tag first asks for
the tag and then for that one shape, so that neither an editor nor a validator answers with
"matches none of six". What no struct can say of conditions is added here.
"""

from __future__ import annotations

import ast
import itertools
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from introducer.check.inherit import Extends
from introducer.program import Program

Json = dict[str, Any]

FILE = Path("layers/core/introducer/check/program.schema.json")
"""The one copy: it ships with the code that checks; ``infra/programs`` links to it."""

_CORE = Path("layers/core/introducer")
_MODULES = (_CORE / "program.py", *(_CORE / "document").glob("*.py"))
_TEXT = {"type": "string"}
_NUMBER = {"type": "integer"}
_SHAPE_BY_OPERATOR: dict[tuple[str, ...], Json] = {
    ("in", "not_in", "contains_any"): {"type": "array"},
    ("between",): {"type": "array", "items": _NUMBER, "minItems": 2, "maxItems": 2},
    ("gt", "gte", "lt", "lte"): _NUMBER,
    ("starts_with", "ends_with", "contains"): _TEXT,
    ("eq", "ne"): {"type": ["string", "integer", "boolean"]},
    ("exists",): {"type": "boolean"},
}


def render() -> str:
    """Return the schema as it is committed; the same code always gives the same bytes."""
    return json.dumps(schema(), indent=1, ensure_ascii=False) + "\n"


def schema() -> Json:
    """Return the schema of a document; with ``extends``, its root asks for much less."""
    _, components = msgspec.json.schema_components(
        [Program, Extends], ref_template="#/$defs/{name}"
    )
    parts = {_short(name): _clear(part) for name, part in components.items()}
    _describe(parts)
    _ask_of_conditions(parts["Condition"])
    program = parts["Program"]
    link = {"type": "string", "description": "Where this schema is, for editors"}
    program["properties"] = {"$schema": link, **program["properties"]}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "https://introducer.example/schemas/program.schema.json",
        "title": "Introducer program document",
        "description": "One version of a referral program. What it means: docs/programs.md.",
        "type": "object",
        "if": {"required": ["extends"]},
        "then": {
            "description": "Holds what differs from another program; the whole is checked.",
            "required": ["id"],
            "properties": {
                "$schema": link,
                "id": program["properties"]["id"],
                "extends": {"$ref": "#/$defs/Extends"},
            },
        },
        "else": {"$ref": "#/$defs/Program"},
        "$defs": dict(sorted(parts.items())),
    }


def _describe(parts: dict[str, Json]) -> None:
    """Add what stands below a field in the source: decoders do not keep it."""
    for module in sorted(_MODULES):
        for node in ast.walk(ast.parse(Path(module).read_text())):
            if isinstance(node, ast.ClassDef):
                own = f"{Path(module).stem}_{node.name}"
                part = parts.get(own) or parts.get(node.name, {})
                for field, text in _notes(node):
                    if field in part.get("properties", {}):
                        described = {"description": _plain(text)}
                        part["properties"][field] = described | part["properties"][field]


def _notes(node: ast.ClassDef) -> Iterator[tuple[str, str]]:
    for field, note in itertools.pairwise(node.body):
        match field, note:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(
                value=ast.Constant(value=str(text))
            ):
                yield name, text


def _short(name: str) -> str:
    """Return a name without dots: ``introducer.document.plan.Points`` is ``plan_Points``."""
    return "_".join(name.split(".")[-2:])


def _clear(node: Any) -> Any:  # noqa: ANN401
    """Return *node* of the generated schema in words that tell what exactly is wrong."""
    if isinstance(node, list):
        return [_clear(each) for each in node]
    if not isinstance(node, dict):
        return node
    clear = {key: _clear(value) for key, value in node.items() if key != "discriminator"}
    if "$ref" in clear:
        clear["$ref"] = "#/$defs/" + _short(clear["$ref"].removeprefix("#/$defs/"))
    if "description" in clear and isinstance(clear["description"], str):
        clear["description"] = _plain(clear["description"])
    if "pattern" in clear:  # `$` also matches before a final line break
        clear["pattern"] = re.sub(r"\$$", r"$(?!\\n)", clear["pattern"])
    if "discriminator" in node:
        return _tagged(node["discriminator"], clear)
    if "anyOf" in clear:
        return _merged(clear.pop("anyOf")) | clear
    return clear


def _plain(docstring: str) -> str:
    """Return a docstring's first paragraph on one line, without its quoting marks."""
    first = docstring.split("\n\n", 1)[0]
    return re.sub(r"\s+", " ", first).replace("``", "`")


def _tagged(discriminator: Json, clear: Json) -> Json:
    tag, mapping = discriminator["propertyName"], discriminator["mapping"]
    del clear["anyOf"]
    usual = clear.get("default", {}).get(tag)
    choices = [
        {
            "if": {"required": [tag], "properties": {tag: {"const": name}}},
            "then": {"$ref": "#/$defs/" + _short(target.removeprefix("#/$defs/"))},
        }
        for name, target in mapping.items()
    ]
    return {
        "type": "object",
        "required": [tag],
        "properties": {tag: {"enum": sorted(mapping, key=lambda name: (name != usual, name))}},
        "allOf": choices,
        **clear,
    }


def _merged(options: list[Json]) -> Json:
    """Return *options* of different types as one schema; each keyword asks its type alone."""
    types: list[str] = []
    merged: Json = {}
    for option in options:
        if "$ref" in option or "allOf" in option:
            types.append("object")
            merged |= {"if": {"type": "object"}, "then": option}
        elif "enum" in option:
            types.append("string")
            merged["enum"] = [*option["enum"], None]
        else:
            types.append(option["type"])
            merged |= {key: value for key, value in option.items() if key != "type"}
    return {"type": types, **merged}


def _ask_of_conditions(condition: Json) -> None:
    """Add what a condition must be: one of four, and a value that fits its operator."""
    for name, part in condition["properties"].items():
        part["type"] = [each for each in part["type"] if each != "null"]
        if len(part["type"]) == 1:
            part["type"] = part["type"][0]
        part.pop("default", None)
        if "enum" in part:
            part["enum"] = [each for each in part["enum"] if each is not None]
        if name == "not":
            part |= {"$ref": part.pop("then")["$ref"]}
            del part["if"]
    condition["oneOf"] = [{"required": [name]} for name in ("field", "all", "any", "not")]
    condition["dependentRequired"] = {
        "field": ["op", "value"],
        "op": ["field"],
        "value": ["field"],
    }
    condition["allOf"] = [
        {
            "if": {"required": ["op"], "properties": {"op": {"enum": list(operators)}}},
            "then": {"properties": {"value": shape}},
        }
        for operators, shape in _SHAPE_BY_OPERATOR.items()
    ]
