"""Any document at all is published and works, or is refused with the places to mend."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import msgspec
from hypothesis import event, given, settings
from hypothesis import strategies as st

from introducer.check import document as document_check
from introducer.check.inherit import resolve
from introducer.earning.evaluate import evaluate
from introducer.earning.occasion import Case
from introducer.earning.rules import Rules
from introducer.errors import InvalidProgramError, MissingRateError
from introducer.program import Program
from tests.support.documents import BONUS, BUDGET, CAP, PROMOTION, VARIANT, document, plan
from tests.support.drawn import cases

SLICE = settings(max_examples=150, deadline=None)

Path_ = tuple[str | int, ...]
FOLDER = Path("infra/programs")
FULL = document(
    plan(variants=[VARIANT], bonuses=[BONUS], caps=[CAP], audiences=["partners"]),
    budgets=[BUDGET],
    promotions=[PROMOTION],
)
VALID: list[dict[str, Any]] = [
    FULL,
    *(
        json.loads((FOLDER / f"{name}.json").read_text())
        for name in ("telecom", "telecom-us", "saas", "insurance", "marketplace")
    ),
]
TELECOM = VALID[1]

LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.sampled_from([-1, 0, 1, 2, 30, 10_000, 10_001, 10**15, 10**16, 10**40]),
    st.floats(),
    st.sampled_from(
        ["", "x", "DE", "US", "EUR", "PTS", "USD", "won", "points", "partners", "\ud800"]
    ),
    st.sampled_from(["eq", "between", "history.count", "lead.size", "2026-12-01T00:00:00.000Z"]),
    st.text(max_size=8),
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=5,
)


def _places(node: Any, here: Path_ = ()) -> list[Path_]:
    """Return the way to everything below *node*."""
    found: list[Path_] = []
    pairs = node.items() if isinstance(node, dict) else enumerate(node)
    for key, value in pairs:
        found.append((*here, key))
        if isinstance(value, dict | list):
            found += _places(value, (*here, key))
    return found


def _at(node: Any, place: Path_) -> Any:
    for key in place:
        node = node[key]
    return node


@st.composite
def mutations(draw: st.DrawFn) -> dict[str, Any]:
    """A valid document of which some node was dropped, replaced, doubled or moved."""
    mutated = copy.deepcopy(draw(st.sampled_from(VALID)))
    for _ in range(draw(st.integers(1, 3))):
        places = _places(mutated)
        if not places:
            break
        place = draw(st.sampled_from(places))
        holder, key = _at(mutated, place[:-1]), place[-1]
        match draw(st.sampled_from(["drop", "replace", "double", "move"])):
            case "drop":
                del holder[key]
            case "replace":
                holder[key] = draw(VALUES)
            case "double" if isinstance(holder, list):
                holder.append(copy.deepcopy(holder[key]))
            case "double":
                holder[draw(st.sampled_from(["x", "condition", "id"]))] = copy.deepcopy(holder[key])
            case "move":
                holder[key] = copy.deepcopy(_at(mutated, draw(st.sampled_from(places))))
    return mutated


def _stored(program: str, version: int) -> dict[str, Any] | None:
    return TELECOM if (program, version) == ("telecom", 1) else None


def _parsed(body: bytes) -> Program | None:
    """Return the document, or None once every finding was looked at."""
    try:
        return document_check.parse(body, _stored)
    except InvalidProgramError as refused:
        findings = refused.findings
    assert findings
    for finding in findings:
        assert {"path", "problem", "remedy"} == finding.keys()
        assert finding["path"].startswith("$")
        assert all(finding.values())
        assert len(json.dumps(finding)) < 2000
    json.dumps(findings, ensure_ascii=False).encode()  # an answer can carry them
    return None


@given(mutations(), cases())
@SLICE
def test_a_mutation_is_published_and_evaluates_or_is_refused(
    mutated: dict[str, Any], case: Case
) -> None:
    """There is no document that is accepted and then cannot be computed with."""
    parsed = _parsed(json.dumps(mutated).encode())
    event("refused" if parsed is None else "published")
    if parsed is None:
        return
    assert parsed == document_check.parse(msgspec.json.encode(parsed))
    try:
        evaluate(Rules(parsed), case)
    except MissingRateError:
        event("no rate")  # the case was sold in a currency the program does not know


@given(st.binary(max_size=60) | VALUES.map(lambda value: json.dumps(value).encode()))
@SLICE
def test_anything_at_all_is_refused_with_a_path(body: bytes) -> None:
    """What is no document is told so, whatever it is."""
    assert _parsed(body) is None


@given(st.sampled_from([each for each in VALID if "extends" not in each]), mutations())
@SLICE
def test_inheriting_the_same_changes_nothing(base: dict[str, Any], source: dict[str, Any]) -> None:
    """Saying nothing, or the same again, is the base; the base itself is never changed."""
    plain = {key: value for key, value in base.items() if key != "$schema"}
    before = copy.deepcopy(base)

    assert plain == resolve({}, base)
    assert plain == resolve(base, base)
    assert {"extends", "$schema"}.isdisjoint(resolve(source, base))
    assert before == base
