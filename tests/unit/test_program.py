"""A program document is published only when its shape is right; every fault is told at once."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from jsonschema import Draft202012Validator

from infra import program_schema
from introducer.check import document as document_check
from introducer.check import shape
from introducer.errors import InvalidProgramError
from tests.support.documents import (
    BUDGET,
    DRAWS,
    Finding,
    asks,
    document,
    flat,
    found_in,
    holding,
    nested,
    plan,
)

ROOT = "$.rewards[0]"
FOLDER = Path("infra/programs")


def test_ten_faults_of_shape_and_meaning_are_told_at_once() -> None:
    """Who mends a document sees everything that is wrong with it, in the document's order."""
    sent = document(
        plan(
            audiences=["freinds"],
            trigger={"on": "sold"},
            calculation={"kind": "percent", "basis_points": 20_000},
            milestones=[{"id": "a", "share_basis_points": 9000}],
            colour="red",
        ),
        plan(
            id="second",
            condition=asks("lead.contry", "eq", "DE"),
            caps=[{"id": "c", "per": "partner", "currency": "EUR"}],
        ),
        currency="XYZ",
        time_zone="Mars/Olympus",
        retention_day=3,
    )
    assert [
        ("$.currency", "XYZ is not a currency", "use an ISO 4217 code"),
        (
            f"{ROOT}.trigger.on",
            "“sold” is not one of the choices",
            "use one of invoice_paid, event, retained, stage, submitted, won",
        ),
        (f"{ROOT}.calculation.basis_points", "20000 is too large", "10000 is the most"),
        (
            f"{ROOT}.milestones",
            "the shares add up to 9000 basis points",
            "make them add up to 10000",
        ),
        (f"{ROOT}.audiences[0]", "there is no audience freinds", "did you mean friends?"),
        (
            f"{ROOT}.colour",
            "there is no field colour here",
            "leave it out, or see the published schema",
        ),
        (
            "$.rewards[1].condition.field",
            "there is no field “lead.contry”",
            "did you mean lead.country?",
        ),
        ("$.rewards[1].caps[0].amount_minor", "amount_minor is missing", "add amount_minor"),
        ("$.time_zone", "unknown time zone", "use an IANA name such as Europe/Berlin"),
        ("$.retention_day", "there is no field retention_day here", "did you mean retention_days?"),
    ] == found_in(sent)


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        (
            plan(calculation={"amount_minor": 5}),
            (
                "calculation.kind",
                "kind is missing",
                "add one of flat, per_product, percent, points",
            ),
        ),
        (
            plan(calculation={"kind": "flat", "currency": "EUR"}),
            ("calculation.amount_minor", "amount_minor is missing", "add amount_minor"),
        ),
        (
            plan(calculation=flat(5) | {"basis_points": 3}),
            (
                "calculation.basis_points",
                "there is no field basis_points here",
                "leave it out, or see the published schema",
            ),
        ),
        (plan(calculation=5), ("calculation", "5 is not an object", "write an object")),
        (
            plan(calculation=flat(-1)),
            ("calculation.amount_minor", "-1 is too small", "0 is the least"),
        ),
        (
            plan(id="Bounty!"),
            (
                "id",
                "“Bounty!” is not written as it must be",
                "begin with a small letter; then small letters, digits and _, 32 at most",
            ),
        ),
        (
            plan(id="bounty\n"),
            (
                "id",
                "“bounty?” is not written as it must be",
                "begin with a small letter; then small letters, digits and _, 32 at most",
            ),
        ),
        (plan(name=""), ("name", "the text has 0 characters", "1 are the least")),
        (plan(name="x" * 201), ("name", "the text has 201 characters", "200 are the most")),
        (plan(name=["x"] * 9), ("name", "a list of 9 is not a text", "write a text")),
        (plan(milestones=[]), ("milestones", "there are 0 entries", "1 are the least")),
        (
            plan(type="cahs"),
            ("type", "“cahs” is not one of the choices", "did you mean cash?"),
        ),
        (plan(by_chance="yes"), ("by_chance", "“yes” is not true or false", "write true or false")),
        (
            plan(condition={}),
            ("condition", "not clear what it asks", "give exactly one of field, all, any, not"),
        ),
        (
            plan(condition=asks("lead.size", "gt", 1) | {"all": [asks("lead.size", "gt", 1)]}),
            ("condition", "not clear what it asks", "give exactly one of field, all, any, not"),
        ),
        (
            plan(condition={"field": "lead.size", "op": "gt"}),
            ("condition.value", "field is there without value", "add value"),
        ),
        (
            plan(condition=asks("lead.size", "gt", "1")),
            ("condition.value", "“1” is not a whole number", "write a whole number"),
        ),
        (
            plan(condition=asks("lead.size", "between", [1, 2, 3])),
            ("condition.value", "there are 3 entries", "2 are the most"),
        ),
        (
            plan(condition=asks("lead.country", "in", "DE")),
            ("condition.value", "“DE” is not a list", "write a list"),
        ),
        (
            plan(condition=asks("lead.country", "exists", "yes")),
            ("condition.value", "“yes” is not true or false", "write true or false"),
        ),
    ],
)
def test_shape_is_told_in_plain_words(sent: dict[str, Any], expected: Finding) -> None:
    """A finding names the very place, and says what to write there."""
    path, problem, remedy = expected
    assert [(f"{ROOT}.{path}", problem, remedy)] == [
        each for each in found_in(document(sent)) if "is there without op" not in each[1]
    ]


def test_keys_are_checked_too() -> None:
    """What objects are keyed by is named in conditions and links, so it is a key."""
    sent = document(audiences={"My Friends": {"name": "Friends"}, "partners": {"name": "P"}})
    assert [
        (
            '$.audiences["My Friends"]',
            "this is no key",
            "begin with a small letter; then small letters, digits and _, 32 at most",
        )
    ] == found_in(sent)


def test_what_is_broken_raises_no_further_finding() -> None:
    """A broken list of audiences does not make every audience an unknown one."""
    sent = document(plan(audiences=["friends"]), audiences=[])
    assert [("$.audiences", "a list of 0 is not an object", "write an object")] == found_in(sent)


TEXT = json.dumps(document())


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        (b"", ("$", "this is not JSON: expecting value", "look at line 1, column 1")),
        (b'{"id": }', ("$", "this is not JSON: expecting value", "look at line 1, column 8")),
        (b"[]", ("$", "this is not an object", "send a program document")),
        (b"\xff\xfe", ("$", "this is not UTF-8 text", "save the document as UTF-8")),
        (b"[" * 200_000, ("$", "nested too deep", "nest at most 32 levels")),
        (
            b" " * 262_145,
            (
                "$",
                "the document has 262145 bytes, 262144 are the most",
                "move parts of it into another program",
            ),
        ),
        (
            TEXT[:-1].encode() + b', "id": "acme"}',
            ("$.id", "the key is there twice", "keep one of them"),
        ),
        (
            TEXT.replace("5000", "50.5").encode(),
            (
                f"{ROOT}.calculation.amount_minor",
                "50.5 is not a whole number",
                "write a whole number, such as minor units",
            ),
        ),
        (
            TEXT.replace("5000", "NaN").encode(),
            (
                f"{ROOT}.calculation.amount_minor",
                "NaN is not a number",
                "write a whole number, such as minor units",
            ),
        ),
        (
            TEXT.replace("5000", "9" * 5000).encode(),
            (
                f"{ROOT}.calculation.amount_minor",
                "a number of 5000 digits is too large",
                "write a whole number, such as minor units",
            ),
        ),
        (
            TEXT.replace('"Acme"', '"Acme\\ud800"').encode(),
            (
                "$.name",
                "the text has half of a character (a lone surrogate)",
                "write the whole character",
            ),
        ),
        (
            json.dumps(holding(nested(40))).encode(),
            (
                f"{ROOT}.condition" + ".not" * 29,
                "nested too deep",
                "nest at most 32 levels",
            ),
        ),
    ],
)
def test_hostile_writing_is_a_finding(sent: bytes, expected: Finding) -> None:
    """Broken or malicious input is told like any other fault and never a crash."""
    assert [expected] == found_in(sent)


def test_a_flood_of_faults_is_cut_short() -> None:
    """An answer stays small however much is wrong, and says that there is more."""
    found = found_in(document(countries=["ZZ"] * 30_000))
    assert ("$", "only the first 500 findings are told", "mend them first") == found[-1]
    assert 501 == len(found)
    assert 501 == len(found_in(json.dumps({f"k{n}": n for n in range(10_000)}).encode()))


def test_values_are_never_told_at_length() -> None:
    """What somebody pasted by mistake does not come back in the answer."""
    (told,) = found_in(document(plan(type="secret" * 1000)))
    assert "“secretsecretsecretsecretsecretsecretsecr…” is not one of the choices" == told[1]


def test_schema_is_the_code_s_own() -> None:
    """The committed schema is what the code generates: ``make program-schema``."""
    assert program_schema.FILE.read_text() == program_schema.render()
    assert (FOLDER / "program.schema.json").read_text() == program_schema.render()
    Draft202012Validator.check_schema(shape.schema())


def test_every_pattern_is_told_in_words() -> None:
    """No finding shows a regular expression, or nothing but a reference."""
    patterns = [node for node in _nodes(shape.schema()) if isinstance(node.get("pattern"), str)]
    assert [] == [node for node in patterns if shape.wanted(node) == "see the published schema"]


def test_schema_pointer_is_for_editors_only() -> None:
    """A document may say where its schema is; that is not kept."""
    body = json.dumps(document(**{"$schema": "program.schema.json"})).encode()
    parsed = msgspec.to_builtins(document_check.parse(body))
    assert "$schema" not in parsed


@pytest.mark.parametrize("name", ["telecom", "saas", "insurance", "marketplace"])
def test_examples_are_valid(name: str) -> None:
    """The documents that ship can be published, and a validator of any make agrees."""
    body = (FOLDER / f"{name}.json").read_bytes()
    parsed = document_check.parse(body)
    assert name == parsed.id
    assert [] == list(Draft202012Validator(shape.schema()).iter_errors(json.loads(body)))
    assert [] == document_check.findings(parsed)


def test_a_regional_document_needs_only_what_differs() -> None:
    """An editor does not mark what a document leaves to its base."""
    sent = json.loads((FOLDER / "telecom-us.json").read_bytes())
    validator = Draft202012Validator(shape.schema())
    assert [] == list(validator.iter_errors(sent))
    assert ["required"] == [
        error.validator for error in validator.iter_errors({"extends": sent["extends"]})
    ]


def test_a_stored_document_can_be_published_again() -> None:
    """What was published and read back, with every default written out, is valid."""
    for name in ("telecom", "saas", "insurance", "marketplace"):
        parsed = document_check.parse((FOLDER / f"{name}.json").read_bytes())
        assert parsed == document_check.parse(msgspec.json.encode(parsed))


def test_telecom_has_its_five_audiences() -> None:
    """The example that is seeded is the program the product replaces."""
    parsed = document_check.parse((FOLDER / "telecom.json").read_bytes())
    assert ["employees", "customers", "partners", "affiliates", "companies"] == list(
        parsed.audiences
    )


def test_an_error_carries_its_findings() -> None:
    """The edge answers with the findings, each of path, problem and remedy."""
    with pytest.raises(InvalidProgramError) as refused:
        document_check.parse(json.dumps(document(budgets=[BUDGET, BUDGET])).encode())
    assert [
        {
            "path": "$.budgets[1].id",
            "problem": "the id year is used twice",
            "remedy": "give each its own id",
        }
    ] == refused.value.findings
    assert refused.value.data == {"findings": refused.value.findings}


def test_an_unused_law_of_its_own_is_fine() -> None:
    """A document may keep what its lawyers forbid, though no plan does it."""
    assert [] == found_in(document(jurisdictions=[DRAWS]))


def _nodes(node: Any) -> list[dict[str, Any]]:
    inner = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    own = [node] if isinstance(node, dict) else []
    return own + [each for part in inner for each in _nodes(part)]
