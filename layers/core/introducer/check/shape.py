"""The shape of a document: against the JSON Schema, every fault at once, in plain words.

A document that has faults is also mended, with harmless stand-ins, so that its meaning can
be checked in the same go; what is found at the mended places is not told.
"""

from __future__ import annotations

import copy
import itertools
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, cast

import msgspec

from introducer.check.finding import MOST, Finding, child, meant, path_of, shorten, shown
from introducer.check.standin import Fault, Json, mend, wanted

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator

_ROUNDS = 4
_TYPES = {
    "string": "a text",
    "integer": "a whole number",
    "boolean": "true or false",
    "array": "a list",
    "object": "an object",
    "null": "null",
}


def check(document: Json) -> tuple[list[Finding], Json | None]:
    """Return the faults of *document*'s shape, and it mended; None when it cannot be."""
    errors = _errors(document)
    if not errors:
        return [], document
    every = (finding for error in errors for finding in _findings(error))
    found = {(each.path, each.problem): each for each in itertools.islice(every, 2 * MOST)}
    return list(found.values()), _mended(document, errors) if len(found) <= MOST else None


def schema() -> Json:
    """Return the JSON Schema of documents, as it was generated."""
    return dict(_schema())


@cache
def _schema() -> Json:
    text = Path(__file__).with_name("program.schema.json").read_bytes()
    decoded: Json = msgspec.json.decode(text)
    return decoded


@cache
def _validator() -> Draft202012Validator:
    from jsonschema import Draft202012Validator  # 90 ms, only to publish

    return Draft202012Validator(_schema())


def _errors(document: Json) -> list[Fault]:
    return [
        Fault(
            keys=tuple(error.absolute_path),
            rule=str(error.validator),
            schema=cast("Json", error.schema),
            value=error.instance,
            limit=error.validator_value,
            of_key="propertyNames" in error.absolute_schema_path,
        )
        for error in itertools.islice(_validator().iter_errors(document), MOST + 1)
    ]


def _mended(document: Json, errors: list[Fault]) -> Json | None:
    mended = copy.deepcopy(document)
    for _ in range(_ROUNDS):
        for error in errors:
            mend(mended, error, _schema())
        errors = _errors(mended)
        if not errors:
            return mended
    return None


def _findings(fault: Fault) -> Iterator[Finding]:
    path = path_of(fault.keys)
    if fault.of_key:
        yield Finding(child(path, str(fault.value)), "this is no key", wanted(fault.schema))
        return
    match fault.rule:
        case "additionalProperties":
            known = fault.schema["properties"]
            for key in fault.value:
                if key not in known:
                    yield _unknown(child(path, key), key, known)
        case "required":
            for key in fault.limit:
                if key not in fault.value:
                    yield Finding(child(path, key), f"{key} is missing", _add(fault.schema, key))
        case "dependentRequired":
            for key, needed in fault.limit.items():
                for other in needed:
                    if key in fault.value and other not in fault.value:
                        problem = f"{key} is there without {other}"
                        yield Finding(child(path, other), problem, f"add {other}")
        case "oneOf":
            choices = ", ".join(key for option in fault.limit for key in option["required"])
            yield Finding(path, "not clear what it asks", f"give exactly one of {choices}")
        case _:
            yield Finding(path, *_of_value(fault))


def _unknown(path: str, key: str, known: Json) -> Finding:
    remedy = meant(key, known, "leave it out, or see the published schema")
    return Finding(path, f"there is no field {shorten(key)} here", remedy)


def _add(schema: Json, key: str) -> str:
    choices = schema.get("properties", {}).get(key, {}).get("enum")
    return f"add one of {', '.join(choices)}" if choices else f"add {key}"


def _of_value(fault: Fault) -> tuple[str, str]:
    """Return what is wrong with a single value, and how to mend it."""
    said, limit = shown(fault.value), fault.limit
    match fault.rule:
        case "type":
            types = [limit] if isinstance(limit, str) else limit
            words = " or ".join(_TYPES[each] for each in types if each != "null")
            told = f"{said} is not {words}", f"write {words}"
        case "enum":
            choices = [each for each in limit if each is not None]
            offered = f"use one of {', '.join(choices)}"
            named = isinstance(fault.value, str)
            remedy = meant(fault.value, choices, offered) if named else offered
            told = f"{said} is not one of the choices", remedy
        case "pattern":
            told = f"{said} is not written as it must be", wanted(fault.schema)
        case "minimum" | "maximum":
            small = fault.rule == "minimum"
            size, end = ("small", "least") if small else ("large", "most")
            told = f"{said} is too {size}", f"{limit} is the {end}"
        case "minLength" | "maxLength":
            most = "most" if fault.rule == "maxLength" else "least"
            told = f"the text has {len(fault.value)} characters", f"{limit} are the {most}"
        case "minItems" | "minProperties" | "maxItems" | "maxProperties":
            most = "most" if fault.rule.startswith("max") else "least"
            told = f"there are {len(fault.value)} entries", f"{limit} are the {most}"
        case other:
            told = f"this breaks the rule {other}", "see the published schema"
    return told
