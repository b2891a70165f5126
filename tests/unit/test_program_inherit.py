"""A program may hold only what differs from another one."""

import copy
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from introducer.check import document as document_check
from introducer.check.inherit import resolve
from introducer.errors import InvalidProgramError
from tests.support.documents import document, flat, found_in, plan

BASE = document(plan(), plan(id="second", group="second"))
REGION = {"id": "acme-us", "extends": {"program": "acme", "version": 3}}


def _stored(**programs: dict[str, Any]) -> Any:
    return lambda program, version: programs.get(f"{program}_{version}".replace("-", "_"))


@pytest.mark.parametrize(
    ("source", "base", "expected"),
    [
        pytest.param({"a": 1}, {"b": 2}, {"b": 2, "a": 1}, id="adds"),
        pytest.param({"a": 1}, {"a": 2}, {"a": 1}, id="replaces"),
        pytest.param({"a": None}, {"a": 2, "b": 3}, {"b": 3}, id="removes"),
        pytest.param({"a": None}, {}, {}, id="removes what is not there"),
        pytest.param(
            {"a": {"b": {"c": 1}}},
            {"a": {"b": {"d": 2}}},
            {"a": {"b": {"d": 2, "c": 1}}},
            id="deep",
        ),
        pytest.param({"a": {"b": None}}, {"a": 5}, {"a": {}}, id="an object for a value"),
        pytest.param(
            {"effect": {"kind": "flat", "n": 1}},
            {"effect": {"kind": "percent", "m": 2}},
            {"effect": {"kind": "flat", "n": 1}},
            id="another kind replaces",
        ),
        pytest.param(
            {"effect": {"kind": "flat", "n": 1}},
            {"effect": {"kind": "flat", "m": 2}},
            {"effect": {"kind": "flat", "m": 2, "n": 1}},
            id="the same kind merges",
        ),
        pytest.param(
            {"crm": {"on": "won"}},
            {"crm": {"on": "lost", "off": "won"}},
            {"crm": {"on": "won", "off": "won"}},
            id="a word of the CRM is no kind",
        ),
        pytest.param(
            {"condition": {"any": [{"field": "x"}]}},
            {"condition": {"field": "y", "op": "eq", "value": 1}},
            {"condition": {"any": [{"field": "x"}]}},
            id="a condition replaces",
        ),
        pytest.param({"a": [3]}, {"a": [1, 2]}, {"a": [3]}, id="another list replaces"),
        pytest.param({"a": []}, {"a": [{"id": "x"}]}, {"a": []}, id="an empty list empties"),
        pytest.param(
            {"a": [{"id": "y", "n": 2}, {"id": "z"}]},
            {"a": [{"id": "x"}, {"id": "y", "m": 1}]},
            {"a": [{"id": "x"}, {"id": "y", "m": 1, "n": 2}, {"id": "z"}]},
            id="lists by id",
        ),
        pytest.param(
            {"a": [{"id": "x", "remove": True}]},
            {"a": [{"id": "x"}, {"id": "y"}]},
            {"a": [{"id": "y"}]},
            id="removes by id",
        ),
        pytest.param(
            {"a": [{"id": "y"}, {"n": 1}]},
            {"a": [{"id": "x"}]},
            {"a": [{"id": "y"}, {"n": 1}]},
            id="one without id replaces",
        ),
        pytest.param(
            {"$schema": "s", "extends": {}, "a": 1},
            {"$schema": "t", "extends": {}},
            {"a": 1},
            id="what is for reading only",
        ),
    ],
)
def test_resolve_merges(source: Any, base: Any, expected: Any) -> None:
    """Objects merge, null removes, lists with ids merge by id, others replace."""
    before = copy.deepcopy((source, base))
    assert expected == resolve(source, base)
    assert before == (source, base)


def test_a_region_is_the_base_with_what_differs() -> None:
    """One region changes an amount, drops a plan and adds one; the rest stays the base's."""
    region = REGION | {
        "name": "Acme US",
        "stages": ["proposal"],
        "rewards": [
            {"id": "bounty", "calculation": {"amount_minor": 7000}},
            {"id": "second", "remove": True},
            plan(id="third", group="third"),
        ],
    }
    whole = document_check.parse(json.dumps(region).encode(), _stored(acme_3=BASE))
    by_hand = document(
        plan(calculation=flat(7000)),
        plan(id="third", group="third"),
        id="acme-us",
        name="Acme US",
        stages=["proposal"],
    )
    assert document_check.parse(json.dumps(by_hand).encode()) == whole


def test_a_base_may_be_stored_with_every_default() -> None:
    """What the store keeps, as bytes and with nulls, is as good a base as what was written."""
    stored = msgspec.json.encode(document_check.parse(json.dumps(BASE).encode()))
    whole = document_check.parse(json.dumps(REGION).encode(), _stored(acme_3=stored))
    assert ("acme-us", "Acme", ["bounty", "second"]) == (
        whole.id,
        whole.name,
        [each.id for each in whole.rewards],
    )


def test_bases_may_extend_others() -> None:
    """A country extends a region, which extends the world."""
    region = REGION | {"name": "Region", "currency": "EUR"}
    country = {"id": "acme-ny", "extends": {"program": "acme-us", "version": 1}, "name": "Country"}
    lookup = _stored(acme_3=BASE, acme_us_1=region)
    assert "Country" == document_check.parse(json.dumps(country).encode(), lookup).name


CHAIN = {
    f"acme-{n}": document(id=f"acme-{n}", extends={"program": f"acme-{n + 1}", "version": 1})
    for n in range(9)
}


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        pytest.param(
            REGION | {"extends": {"program": "acme", "version": 4}},
            ("$.extends", "there is no version 4 of acme", "name a published version"),
            id="no such version",
        ),
        pytest.param(
            REGION | {"extends": "acme"},
            (
                "$.extends",
                "this does not name a program and its version",
                'write {"program": "…", "version": 1}',
            ),
            id="no name",
        ),
        pytest.param(
            {"extends": {"program": "acme", "version": 3}},
            ("$.id", "id is missing", "a program needs an id of its own"),
            id="no id of its own",
        ),
        pytest.param(
            REGION | {"id": "acme"},
            (
                "$.extends",
                "acme would extend itself",
                "give this program an id of its own and extend another",
            ),
            id="its base's id",
        ),
        pytest.param(
            {"id": "acme-x", "extends": {"program": "ring", "version": 1}},
            (
                "$.extends",
                "acme-x would extend itself",
                "give this program an id of its own and extend another",
            ),
            id="a ring",
        ),
        pytest.param(
            CHAIN["acme-0"],
            (
                "$.extends",
                "more than 5 documents extend one another",
                "extend a document nearer to the root",
            ),
            id="too long a chain",
        ),
        pytest.param(
            REGION | {"extends": {"program": "list", "version": 1}},
            ("$.extends", "version 1 of list is no document", "name another version"),
            id="no document",
        ),
        pytest.param(
            REGION | {"rewards": [{"id": "thrid", "remove": True}, plan(group="g")]},
            (
                "$.rewards[2]",
                "there is no “thrid” to remove",
                "name an id of the base document, or leave it out",
            ),
            id="nothing to remove",
        ),
        pytest.param(
            REGION | {"name": None},
            ("$.name", "name is missing", "add name"),
            id="removed what is needed",
        ),
        pytest.param(
            REGION | {"stages": None},
            None,
            id="removed what is not needed",
        ),
    ],
)
def test_what_cannot_be_resolved_is_found(source: dict[str, Any], expected: Any) -> None:
    """A base that is missing, or would never end, is a finding; so is what becomes of it."""
    ring = {"id": "ring", "extends": {"program": "acme-x", "version": 1}}
    chain = {f"{key.replace('-', '_')}_1": value for key, value in CHAIN.items()}
    stored: dict[str, Any] = {"acme_3": BASE, "ring_1": ring, "list_1": b"[]", **chain}
    try:
        document_check.parse(json.dumps(source).encode(), _stored(**stored))
        found: Any = None
    except InvalidProgramError as refused:
        told = refused.findings[0]
        found = (told["path"], told["problem"], told["remedy"])
    assert expected == found


def test_without_a_store_nothing_is_extended() -> None:
    """Where bases cannot be looked up, a document that needs one is refused."""
    assert [("$.extends", "there is no version 3 of acme", "name a published version")] == found_in(
        REGION
    )


def test_a_whole_that_is_too_large_is_refused() -> None:
    """A small document cannot become one that no item of the store holds."""
    huge = BASE | {"sender_name": "x" * 300_000}
    with pytest.raises(InvalidProgramError) as refused:
        document_check.parse(json.dumps(REGION).encode(), _stored(acme_3=huge))
    assert [
        {
            "path": "$",
            "problem": "with its base the document has more than 262144 bytes",
            "remedy": "extend a smaller one",
        }
    ] == refused.value.findings


def test_telecom_in_america_is_valid() -> None:
    """The regional example extends the seeded one."""
    folder = Path("infra/programs")
    telecom = (folder / "telecom.json").read_bytes()
    region = (folder / "telecom-us.json").read_bytes()
    whole = document_check.parse(region, _stored(telecom_1=telecom))
    assert ("telecom-us", "USD", ["america", "small"], ["commission", "bounty"]) == (
        whole.id,
        whole.currency,
        [rule.id for rule in whole.routing.rules],
        [each.id for each in whole.rewards],
    )
