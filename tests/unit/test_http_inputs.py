"""What comes in is strict, bounded, and refused by the name of its field."""

from __future__ import annotations

from typing import Any

import pytest

from introducer.errors import InvalidInputError
from submit import inputs
from submit.lead_form import NewReferral
from submit.problem import MediaTypeError, RequestError, TooLargeError
from submit.resources.webhooks import Message

NOW = "2026-11-22T11:17:00.000Z"
GOOD = (
    '"name":"Lena","email":"l@x.example","country":"DE","consent":{"text_version":"1","given":true}'
)


def refused(raw: bytes, kind: Any = NewReferral) -> tuple[str, str]:
    """Return the code and the field with which a body is refused."""
    with pytest.raises(RequestError) as caught:
        inputs.from_json(raw, kind)
    faults = caught.value.faults
    return caught.value.code, faults[0].field if faults else ""


@pytest.mark.parametrize(
    "raw",
    [
        b"{",
        GOOD.join("{}").encode() + b" x",
        b"nonsense",
        b'{"name":"\xff"}',
        b'{"name":"\\ud800"}',
        b"\x00",
        '{"name":"Lena"'.encode("utf-16"),
    ],
)
def test_from_json_refuses_what_is_not_json(raw: bytes) -> None:
    """Broken syntax, broken UTF-8 and lone surrogates are malformed, not wrong."""
    assert ("malformed_json", "") == refused(raw)


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ((GOOD + ',"admin":true').join("{}"), ("unknown_field", "admin")),
        ('{"name":"Lena"}', ("missing_field", "email")),
        ("[]", ("invalid_input", "body")),
        ("[" * 60_000, ("invalid_input", "body")),
        ((GOOD + ',"clicks":"x"').join("{}"), ("invalid_input", "clicks")),
        ((GOOD + ',"clicks":[1]').join("{}"), ("invalid_input", "clicks[0]")),
        ((GOOD + ',"utm":{"evil":"x"}').join("{}"), ("invalid_input", "utm")),
        (GOOD.replace('"DE"', '"de"').join("{}"), ("invalid_input", "country")),
        (GOOD.replace('"DE"', '"DE\\n"').join("{}"), ("invalid_input", "country")),
        (GOOD.replace("true", "false").join("{}"), ("invalid_input", "consent.given")),
        (GOOD.replace('"given":true', '"x":1').join("{}"), ("unknown_field", "consent.x")),
        (GOOD.replace("Lena", "L" * 201).join("{}"), ("invalid_input", "name")),
        (GOOD.replace("Lena", "  ").join("{}"), ("invalid_input", "name")),
        (GOOD.replace("Lena", "Lena\\r\\nBcc: x").join("{}"), ("invalid_input", "name")),
        (GOOD.replace("Lena", "Lena\\n").join("{}"), ("invalid_input", "name")),
        (GOOD.replace("Lena", "Lena\\u0000").join("{}"), ("invalid_input", "name")),
        (GOOD.replace("Lena", "Lena\\u202e").join("{}"), ("invalid_input", "name")),
        (GOOD.replace('"Lena"', "7").join("{}"), ("invalid_input", "name")),
        (GOOD.replace('"Lena"', "null").join("{}"), ("invalid_input", "name")),
    ],
)
def test_from_json_names_the_field(raw: str, expected: tuple[str, str]) -> None:
    """Every refusal has a stable code and says where."""
    assert expected == refused(raw.encode())


def test_from_json_takes_unicode() -> None:
    """Names of any script are names."""
    for name in ("Żółć", "李小龍", "محمد", "O'Néill-Ærø", "Nguyễn 🎉"):
        body = inputs.from_json(GOOD.replace("Lena", name).join("{}").encode(), NewReferral)
        assert name == body.name


def test_from_json_knows_messages_by_type() -> None:
    """A message of a type nobody knows is refused at its type."""
    assert ("invalid_input", "type") == refused(b'{"type":"x","data":{}}', Message)
    assert ("missing_field", "type") == refused(b'{"data":{}}', Message)
    assert ("invalid_input", "data.amount_minor") == refused(
        b'{"type":"sale.refunded","data":{"sale":"1","refund":"2","amount_minor":0}}', Message
    )


def test_from_query_is_strict() -> None:
    """Unknown, repeated and wrong parameters are errors; text becomes numbers."""
    assert 7 == inputs.from_query({"limit": ["7"]}, inputs.Paging).limit
    assert 25 == inputs.from_query(None, inputs.Paging).limit
    for parameters, field in (
        ({"limit": ["0"]}, "limit"),
        ({"limit": ["101"]}, "limit"),
        ({"limit": ["1.5"]}, "limit"),
        ({"limit": ["x"]}, "limit"),
        ({"limit": ["1", "2"]}, "limit"),
        ({"offset": ["1"]}, "offset"),
        ({"<script>": ["1"]}, "?script?"),
    ):
        with pytest.raises(RequestError) as caught:
            inputs.from_query(parameters, inputs.Paging)
        assert field == caught.value.faults[0].field


def test_media_type_takes_json_and_forms_where_allowed() -> None:
    """Parameters of the type do not matter; another type, or a missing one, does."""
    assert inputs.JSON == inputs.media_type("application/json; charset=utf-8", b"{}", forms=False)
    assert inputs.JSON == inputs.media_type("", b"", forms=False)
    assert inputs.FORM == inputs.media_type(inputs.FORM, b"a=1", forms=True)
    for header in ("text/plain", "", inputs.FORM, "multipart/form-data", "application/jsonp"):
        with pytest.raises(MediaTypeError):
            inputs.media_type(header, b"{}", forms=False)


def test_check_size_has_a_limit() -> None:
    """One byte more is too much."""
    inputs.check_size(b"12", 2)
    with pytest.raises(TooLargeError):
        inputs.check_size(b"123", 2)


def test_form_pairs_refuses_what_is_no_form() -> None:
    """Other bytes, broken escapes and too many fields are malformed."""
    assert [("a", "1"), ("a", "ü"), ("b", "")] == inputs.form_pairs(b"a=1&a=%C3%BC&b=")
    assert [] == inputs.form_pairs(b"")
    for raw in (b"\xff", b"a=%FF", b"nonsense", b"&".join([b"a=1"] * (inputs.MAX_FIELDS + 1))):
        with pytest.raises(RequestError) as caught:
            inputs.form_pairs(raw)
        assert "malformed_form" == caught.value.code


def test_instant_needs_an_offset_and_no_future() -> None:
    """Any RFC 3339 time is brought to UTC; naive, absurd and future ones are refused."""
    assert NOW == inputs.instant("at", "2026-11-22T12:17:00+01:00", NOW)
    for text in (
        "2026-11-22T11:17:00",
        "yesterday",
        "2026-11-24T11:17:00Z",
        "2026-13-01T00:00:00Z",
    ):
        with pytest.raises(InvalidInputError) as caught:
            inputs.instant("at", text, NOW)
        assert ("at", "invalid_time") == (caught.value.field, caught.value.code)
