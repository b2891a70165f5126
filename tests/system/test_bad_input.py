"""What the deployed API refuses: each a problem document with a stable code, nothing stored."""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from infra.api import Answer, Stack
from tests.support.deployed import items, until
from tests.support.journey import Journey, Partner, unique

FORM = "application/x-www-form-urlencoded"


@pytest.fixture(scope="module")
def journey(stack: Stack) -> Journey:
    """One program for all refusals: none of them may leave anything in it."""
    return Journey(stack)


@pytest.fixture(scope="module")
def partner(journey: Journey) -> Partner:
    """A partner with an account on file."""
    return journey.partner()


@pytest.fixture(scope="module")
def code(journey: Journey, partner: Partner) -> str:
    """A link of theirs."""
    return journey.link(partner)


@pytest.fixture(scope="module")
def referral(journey: Journey, code: str) -> str:
    """A referral that a rep has, its mails sent: nothing about it is under way any more."""
    made = journey.assigned(code)
    until(
        lambda: [each for each in journey.stored("core") if made in each["pk"]],
        lambda read: 2 == sum(each.get("target") == "sent" for each in read),
    )
    return made


def holdings(journey: Journey) -> dict[str, list[dict[str, Any]]]:
    """Return everything the program has stored, but for the seals that come by themselves."""
    return {
        table: [each for each in journey.stored(table) if not each["pk"].startswith("SEAL#")]
        for table in ("core", "ledger", "clicks")
    }


def problem(answer: Answer) -> tuple[int, str, tuple[str, ...]]:
    """Return status, code and faulty fields of a problem document, whose shape is checked."""
    assert "application/problem+json" == answer.headers["content-type"], answer
    assert {"type", "title", "status", "code", "detail", "request_id"} <= answer.body.keys()
    assert answer.status == answer.body["status"]
    fields = tuple(fault["field"] for fault in answer.body.get("errors", ()))
    return answer.status, answer.body["code"], fields


SUBMISSIONS: dict[str, tuple[dict[str, Any], tuple[int, str, tuple[str, ...]]]] = {
    "unknown field": ({"vip": True}, (400, "unknown_field", ("vip",))),
    "unknown field inside": (
        {"consent": {"text_version": "1", "given": True, "by": "me"}},
        (400, "unknown_field", ("consent.by",)),
    ),
    "wrong type": ({"name": 7}, (400, "invalid_input", ("name",))),
    "null": ({"name": None}, (400, "invalid_input", ("name",))),
    "list for text": ({"email": ["a@b.example"]}, (400, "invalid_input", ("email",))),
    "too long": ({"name": "x" * 201}, (400, "invalid_input", ("name",))),
    "too many clicks": ({"clicks": ["x"] * 21}, (400, "invalid_input", ("clicks",))),
    "line feed in a name": ({"name": "Lena\nBcc: all"}, (400, "invalid_input", ("name",))),
    "right-to-left override": ({"name": "Lena\u202egpj"}, (400, "invalid_input", ("name",))),
    "no consent": (
        {"consent": {"text_version": "1", "given": False}},
        (400, "invalid_input", ("consent.given",)),
    ),
    "no address": ({"email": "lena at home"}, (400, "invalid_input", ("email",))),
    "no domain": ({"email": "lena@localhost"}, (422, "invalid_email", ("email",))),
    "no phone": ({"phone": "((((((("}, (422, "invalid_phone", ("phone",))),
    "unknown code": ({"code": "zzzzzzzz"}, (422, "unknown_code", ("code",))),
    "a code that is a key": ({"code": "../HEAD#"}, (422, "unknown_code", ("code",))),
    "no partner": ({"code": ""}, (422, "no_partner", ("clicks",))),
    "forged click": (
        {"code": "", "clicks": ["abcdefgh." + "A" * 25]},
        (422, "no_partner", ("clicks",)),
    ),
    "unknown product": ({"product": "yacht"}, (422, "unknown_product", ("product",))),
    "no country": ({"country": "Germany"}, (400, "invalid_input", ("country",))),
    "address as a tag": (
        {"utm": {"utm_source": "lena@customers.example"}},
        (400, "invalid_input", ("utm[...]",)),
    ),
}


@pytest.mark.usefixtures("referral")
def test_submission_that_is_wrong_is_refused(stack: Stack, journey: Journey, code: str) -> None:
    """Each fault of a submission has its code and names its field; nothing is stored."""
    before, lead = holdings(journey), journey.lead(code, company="Refused & Sons")
    path = f"/v1/programs/{journey.program}/referrals"
    assert {case: expected for case, (_, expected) in SUBMISSIONS.items()} == {
        case: problem(stack.call("POST", path, lead | overrides))
        for case, (overrides, _) in SUBMISSIONS.items()
    }
    assert before == holdings(journey)
    assert [] == items(stack, "people", "Refused & Sons")


RAW: dict[str, tuple[bytes, dict[str, str], tuple[int, str]]] = {
    "malformed": (b'{"name": ', {}, (400, "malformed_json")),
    "deep": (b'{"name": ' + b"[" * 5000, {}, (400, "invalid_input")),
    "a list": (b"[]", {}, (400, "invalid_input")),
    "empty": (b"", {}, (400, "missing_field")),
    "a megabyte": (b'{"name": "' + b"x" * 2**20 + b'"}', {}, (413, "body_too_large")),
    "XML": (b"<a/>", {"content-type": "application/xml"}, (415, "unsupported_media_type")),
    "plain text": (b"{}", {"content-type": "text/plain"}, (415, "unsupported_media_type")),
    "short key": (b"{}", {"idempotency-key": "1"}, (400, "missing_field")),
}


@pytest.mark.usefixtures("referral")
def test_body_that_cannot_be_read_is_refused(stack: Stack, journey: Journey) -> None:
    """Bytes that are no JSON, too many of them, or of another kind: nothing is stored."""
    before = holdings(journey)
    path = f"/v1/programs/{journey.program}/referrals"
    assert {case: expected for case, (_, _, expected) in RAW.items()} == {
        case: problem(stack.call("POST", path, raw, headers=headers))[:2]
        for case, (raw, headers, _) in RAW.items()
    }
    assert before == holdings(journey)


@pytest.mark.usefixtures("referral")
def test_request_without_a_usable_idempotency_key_is_refused(
    stack: Stack, journey: Journey, code: str
) -> None:
    """A POST needs a key of 8 to 128 printable characters."""
    before = holdings(journey)
    path = f"/v1/programs/{journey.program}/referrals"
    for key in ("short", "x" * 129, "with\tcontrol"):
        answer = stack.call("POST", path, journey.lead(code), key=key)
        assert (400, "idempotency_key_invalid", ()) == problem(answer)
    headers = {"idempotency-key": ""}
    answer = stack.call("POST", path, journey.lead(code), headers=headers)
    assert 400 == problem(answer)[0]
    assert before == holdings(journey)


@pytest.mark.usefixtures("referral")
def test_form_that_is_wrong_is_refused_with_a_page(stack: Stack, journey: Journey) -> None:
    """Whoever sent a form gets a page that says what is wrong, everything in it escaped."""
    before = holdings(journey)
    path = f"/v1/programs/{journey.program}/referrals"
    raw = f"idempotency_key={uuid.uuid4()}&<script>=1&name=Lena".encode()
    answer = stack.call("POST", path, raw, headers={"content-type": FORM})
    assert 400 == answer.status
    assert "text/html; charset=utf-8" == answer.headers["content-type"]
    assert "<script>" not in answer.body
    assert before == holdings(journey)


@pytest.mark.usefixtures("referral")
def test_form_that_fell_into_the_trap_is_thanked_and_not_stored(
    stack: Stack, journey: Journey, code: str
) -> None:
    """A robot that fills in the hidden field sees success and leaves nothing behind."""
    before = holdings(journey)
    path = f"/v1/programs/{journey.program}/referrals"
    raw = f"website=spam&name=Bot&email=bot%40customers.example&code={code}".encode()
    answer = stack.call("POST", path, raw, headers={"content-type": FORM})
    assert 303 == answer.status
    assert before == holdings(journey)


QUERIES: dict[str, tuple[str, tuple[int, str]]] = {
    "unknown parameter": ("/v1/me/links?offset=3", (400, "unknown_field")),
    "limit of nothing": ("/v1/me/links?limit=0", (400, "invalid_input")),
    "limit too large": ("/v1/me/links?limit=101", (400, "invalid_input")),
    "given twice": ("/v1/me/links?limit=1&limit=2", (400, "invalid_input")),
    "no currency": ("/v1/me/statement", (400, "missing_field")),
    "currency in small letters": ("/v1/me/statement?currency=eur", (400, "invalid_input")),
    "a day that is none": (
        "/v1/me/statement?currency=EUR&from=2026-02-30",
        (422, "invalid_period"),
    ),
    "a key for an id": ("/v1/me/referrals/REFERRAL%23x", (404, "not_found")),
}


def test_query_that_is_wrong_is_refused(stack: Stack, partner: Partner) -> None:
    """Unknown, repeated and impossible parameters are errors, never ignored."""
    assert {case: expected for case, (_, expected) in QUERIES.items()} == {
        case: problem(stack.call("GET", path, token=partner.token))[:2]
        for case, (path, _) in QUERIES.items()
    }


PARTNERS: dict[str, tuple[str, str, dict[str, Any], tuple[int, str]]] = {
    "wrong IBAN": (
        "PUT",
        "/v1/me/payee",
        {"name": "P", "iban": "DE75512108001245126198", "town": "Hamburg", "country": "DE"},
        (422, "invalid_iban"),
    ),
    "foreign host": (
        "POST",
        "/v1/me/links",
        {"destination": "https://evil.example/"},
        (422, "destination_not_allowed"),
    ),
    "host in disguise": (
        "POST",
        "/v1/me/links",
        {"destination": "https://www.northwind-telecom.example@evil.example/"},
        (422, "destination_not_allowed"),
    ),
    "no https": ("POST", "/v1/me/links", {"destination": "javascript:x"}, (400, "invalid_input")),
}


@pytest.mark.usefixtures("referral")
def test_partner_who_sends_something_wrong_is_refused(
    stack: Stack, journey: Journey, partner: Partner
) -> None:
    """Accounts are checked, links lead to the program's hosts only; nothing is stored."""
    before = holdings(journey)
    assert {case: expected for case, (*_, expected) in PARTNERS.items()} == {
        case: problem(stack.call(method, path, body, token=partner.token))[:2]
        for case, (method, path, body, _) in PARTNERS.items()
    }
    assert before == holdings(journey)


MESSAGES: dict[str, tuple[str, dict[str, Any], tuple[int, str]]] = {
    "wrong currency": ("sale.recorded", {"currency": "USD"}, (422, "wrong_currency")),
    "no currency": ("sale.recorded", {"currency": "XQX"}, (422, "unknown_currency")),
    "fraction": ("sale.recorded", {"amount_minor": 1.5}, (400, "invalid_input")),
    "text for a number": ("sale.recorded", {"amount_minor": "100"}, (400, "invalid_input")),
    "nothing": ("sale.recorded", {"amount_minor": 0}, (400, "invalid_input")),
    "debt": ("sale.recorded", {"amount_minor": -1}, (400, "invalid_input")),
    "too much": ("sale.recorded", {"amount_minor": 2**63}, (400, "invalid_input")),
    "tomorrow's sale": (
        "sale.recorded",
        {"occurred_at": "2999-01-01T00:00:00Z"},
        (422, "invalid_time"),
    ),
    "no zone": ("sale.recorded", {"occurred_at": "2026-11-22T11:17:00"}, (422, "invalid_time")),
    "unknown referral": ("sale.recorded", {"referral": "nobody"}, (404, "not_found")),
    "unknown kind": ("sale.imagined", {}, (400, "invalid_input")),
    "unknown field": ("sale.recorded", {"customer": "Lena"}, (400, "unknown_field")),
}


def test_signed_message_that_is_wrong_is_refused(journey: Journey, referral: str) -> None:
    """A signature does not make a message right; nothing is stored."""
    before = holdings(journey)
    assert {case: expected for case, (*_, expected) in MESSAGES.items()} == {
        case: problem(journey.send(kind, journey.sale(referral) | overrides))[:2]
        for case, (kind, overrides, _) in MESSAGES.items()
    }
    assert before == holdings(journey)


def test_message_that_is_not_authentic_is_refused(journey: Journey, referral: str) -> None:
    """A wrong signature, an old time, one ahead, another message's signature: all the same."""
    before, sale = holdings(journey), journey.sale(referral)
    now = datetime.now(UTC)
    answers = [
        journey.send("sale.recorded", sale, signature="v1,AAAA"),
        journey.send("sale.recorded", sale, signature="v2,AAAA"),
        journey.send("sale.recorded", sale, signature="x"),
        journey.send("sale.recorded", sale, at=now - timedelta(minutes=6)),
        journey.send("sale.recorded", sale, at=now + timedelta(minutes=6)),
        journey.stack.call("POST", f"/v1/inbound/{journey.program}/billing", {}),
        journey.stack.call("POST", f"/v1/inbound/{journey.program}/crm", {}),
        journey.stack.call("POST", "/v1/inbound/nothing/billing", {}),
    ]
    assert [(401, "invalid_signature", ())] * 8 == [problem(answer) for answer in answers]
    assert 1 == len({answer.body["detail"] for answer in answers})
    assert before == holdings(journey)


def test_message_that_is_replayed_changes_nothing(stack: Stack) -> None:
    """The same message again gets the same answer; its id with another body is refused."""
    journey = Journey(stack)  # its sale goes on having effects, which must not disturb the others
    referral = journey.assigned(journey.link(journey.partner()))
    sale, message = journey.sale(referral), unique("msg")
    first = journey.send("sale.recorded", sale, message=message).expect(200)
    after = _told(journey, referral)
    again = journey.send("sale.recorded", sale, message=message).expect(200)
    assert (first.body, "true") == (again.body, again.headers["idempotent-replayed"])
    other = journey.send("sale.recorded", sale | {"amount_minor": 1}, message=message)
    assert (422, "idempotency_key_reused", ()) == problem(other)
    assert after == _told(journey, referral)


def _told(journey: Journey, referral: str) -> list[dict[str, Any]]:
    """Return what is stored of a referral, but for the rewards that follow by themselves."""
    return [
        each
        for each in items(journey.stack, "core", referral)
        if each["pk"] == f"REFERRAL#{referral}" and not each["sk"].startswith("REWARD#")
    ]


def test_program_document_that_is_wrong_tells_every_fault(journey: Journey) -> None:
    """A document is refused with all findings at once, and the version that counts stays."""
    document = json.loads(json.dumps(journey.document))
    document["currency"] = "XQX"
    document["rewards"][0]["milestones"][0]["share_basis_points"] = 1
    before = holdings(journey)
    answer = journey.post("versions", document)
    assert (422, "invalid_program", ()) == problem(answer)
    assert ["$.currency", "$.rewards[0].milestones"] == [
        finding["path"] for finding in answer.body["findings"]
    ]
    assert before == holdings(journey)


def test_method_or_path_that_does_not_exist_is_a_problem_document(
    stack: Stack, partner: Partner
) -> None:
    """The gateway's own word for an unknown route is a problem document as well."""
    answers = [
        stack.call("GET", "/v1/nothing", token=partner.token),
        stack.call("PUT", "/v1/me", {}, token=partner.token),
        stack.call("GET", "/v1/jobs/payout", token=partner.token),
    ]
    expected = {"type": "about:blank", "title": "Not Found", "status": 404, "code": "not_found"}
    assert [expected] * 3 == [answer.body for answer in answers]
    assert {"application/problem+json"} == {answer.headers["content-type"] for answer in answers}
