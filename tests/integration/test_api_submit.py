"""``POST /v1/programs/{program}/referrals``: what is stored, what is refused, and forms."""

from __future__ import annotations

from typing import Any

import pytest

from introducer import clickid, clock, ids
from introducer.link import Link
from introducer.referral import Touch
from introducer.tables import links, people, programs, referrals, store
from introducer.tables.store import Table, Transaction
from tests.support import life
from tests.support.api import Reply, call, post_form
from tests.support.tables import everything

PATH = "/v1/programs/acme/referrals"
SUBMITTED_AT = "2026-11-22T11:17:00.000Z"

pytestmark = pytest.mark.usefixtures("aws", "frozen")


@pytest.fixture(autouse=True)
def program(aws: None) -> None:  # noqa: ARG001  (pytest orders fixtures by it)
    """A program with Pia, who has the link `piacode1`, and another program with `othrcode`."""
    life.publish()
    programs.ensure_click_salt(life.NOW)
    life.enrol("pia")
    add_link("piacode1", "pia")
    add_link("othrcode", "pia", program="other")


def add_link(code: str, partner: str, program: str = "acme", status: str = "active") -> None:
    """Store a link."""
    link = Link(
        code=code,
        program=program,
        partner=partner,
        destination="https://www.acme.example/start",
        created_at=life.NOW,
        status=status,
    )
    writes = Transaction()
    links.add(writes, link, actor="user:1")
    writes.commit()


def click(code: str = "piacode1", at: str = "2026-11-22T09:30:00.000Z") -> str:
    """Return a genuine click id."""
    (key,) = clickid.keys_of(programs.click_salts(), life.NOW).values()
    visitor = clickid.visitor(key, at[:10], "192.0.2.1", "Firefox")
    return clickid.make(code, clickid.hour_of(clock.epoch_s(at)), visitor, key)


def lead(**overrides: Any) -> dict[str, Any]:
    """Return a valid body, without what leads to a partner."""
    return {
        "name": "Lena Lead",
        "email": "Lena.Lead@Customers.Example",
        "country": "DE",
        "consent": {"text_version": "2026-11", "given": True},
        **overrides,
    }


def stored_nothing(before: list[dict[str, Any]]) -> bool:
    """Return whether the tables are as they were."""
    return before == everything()


def test_submit_stores_referral_touches_and_contact() -> None:
    """The answer is an id; everything of the lead is in People and nothing of it elsewhere."""
    sent = lead(
        phone="030 901820",
        company="Lead GmbH",
        product="fibre",
        note="Please call\nafter six",
        locale="de-DE",
        clicks=[click()],
        utm={"utm_source": "news"},
    )
    reply = call("POST", PATH, sent)
    assert (201, "submitted") == (reply.status, reply.body["status"])
    assert {"id", "status"} == reply.body.keys()
    detail = referrals.detail(reply.body["id"])
    assert ("submitted", "api", "DE", "fibre", "piacode1", "") == (
        detail.referral.status,
        detail.referral.channel,
        detail.referral.country,
        detail.referral.product,
        detail.referral.link,
        detail.referral.duplicate_of,
    )
    assert [
        Touch(
            id=click(),
            kind="click",
            at="2026-11-22T09:00:00.000Z",
            link="piacode1",
            partner="pia",
        ),
        Touch(
            id="form",
            kind="form",
            at=SUBMITTED_AT,
            utm={"utm_source": "news"},
            data={"consent": "given", "consent_text": "2026-11"},
        ),
    ] == detail.touches
    assert [("ReferralSubmitted", "public")] == [(e.type, e.actor) for e in detail.events]
    contact = people.contact(detail.referral.lead)
    assert contact is not None
    assert (
        "Lena Lead",
        "Lena.Lead@customers.example",
        "+4930901820",
        "Lead GmbH",
        "Please call\nafter six",
        "de-DE",
    ) == (
        contact.name,
        contact.email,
        contact.phone,
        contact.company,
        contact.note,
        contact.locale,
    )
    outside = str([item for item in everything() if not item["pk"].startswith("PERSON#")])
    assert [] == [
        word
        for word in ("Lena", "lena", "customers", "901820", "GmbH", "after six")
        if word in outside
    ]


def test_submit_takes_a_typed_code_in_any_case() -> None:
    """A code from a business card counts as a touch of its own."""
    reply = call("POST", PATH, lead(code=" PIACODE1 "))
    assert 201 == reply.status
    touches = referrals.detail(reply.body["id"]).touches
    assert ["code", "form"] == [touch.kind for touch in touches]
    assert "pia" == touches[0].partner


def test_submit_reads_the_first_party_cookie() -> None:
    """Earlier clicks come with the cookie; each counts once, the newest link is the referral's."""
    add_link("piacode2", "pia")
    early, late = click(at="2026-11-21T08:00:00.000Z"), click("piacode2")
    cookie = f"a=b; {clickid.COOKIE}={clickid.join_cookie([early], late)}; c=d"
    reply = call("POST", PATH, lead(clicks=[late]), headers={"Cookie": cookie})
    detail = referrals.detail(reply.body["id"])
    assert [early, late, "form"] == [touch.id for touch in detail.touches]
    assert "piacode2" == detail.referral.link


def test_submit_does_not_reveal_a_lead_that_is_taken() -> None:
    """The second referral of a lead gets the same answer and is stored as its duplicate."""
    first = call("POST", PATH, lead(code="piacode1"))
    second = call("POST", PATH, lead(code="piacode1", email="lena.lead+x@customers.example"))
    assert (201, first.body.keys()) == (second.status, second.body.keys())
    assert first.body["id"] != second.body["id"]
    assert first.body["id"] == referrals.get(second.body["id"]).duplicate_of


def test_submit_decides_anew_when_the_lead_is_taken_meanwhile(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A lead claimed between our look and our write is still only a duplicate."""
    first = call("POST", PATH, lead(code="piacode1"))
    real = store.get
    blinded: list[str] = []

    def blind_once(table: Table, pk: str, sk: str, **options: Any) -> Any:
        if "#lead_email#" in pk and not blinded:
            blinded.append(pk)
            return None
        return real(table, pk, sk, **options)

    monkeypatch.setattr(store, "get", blind_once)
    second = call("POST", PATH, lead(code="piacode1"))
    assert (1, 201) == (len(blinded), second.status)
    assert first.body["id"] == referrals.get(second.body["id"]).duplicate_of


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        (lead(), (422, "no_partner", "clicks")),
        (lead(clicks=["nonsense"]), (422, "no_partner", "clicks")),
        (lead(clicks=["piacode1.A" + "A" * 24]), (422, "no_partner", "clicks")),
        (lead(code="nosuchcd"), (422, "unknown_code", "code")),
        (lead(code="othrcode"), (422, "unknown_code", "code")),
        (lead(code="x#LINK y"), (422, "unknown_code", "code")),
        (lead(code="piacode1", product="yacht"), (422, "unknown_product", "product")),
        (lead(code="piacode1", email="lena@nowhere"), (422, "invalid_email", "email")),
        (lead(code="piacode1", phone="12345678901234567890"), (422, "invalid_phone", "phone")),
        (
            lead(code="piacode1", consent={"text_version": "1"}),
            (400, "missing_field", "consent.given"),
        ),
        (lead(code="piacode1", partner="pia"), (400, "unknown_field", "partner")),
        (lead(code="piacode1", name="Lena\r\nBcc: all@x.example"), (400, "invalid_input", "name")),
        (lead(code="piacode1", note="x" * 1001), (400, "invalid_input", "note")),
        (
            lead(code="piacode1", utm={"utm_term": "lena@x.example"}),
            (400, "invalid_input", "utm[...]"),
        ),
        (lead(code="piacode1", name=5), (400, "invalid_input", "name")),
    ],
)
def test_submit_refuses_and_stores_nothing(
    sent: dict[str, Any], expected: tuple[int, str, str]
) -> None:
    """Bad input is a problem document with a stable code that names the field."""
    before = everything()
    assert expected == call("POST", PATH, sent).field()
    assert stored_nothing(before)


def test_submit_refuses_a_suspended_link() -> None:
    """A link that was switched off earns nothing and is unknown."""
    add_link("offcode1", "pia", status="suspended")
    assert (422, "unknown_code", "code") == call("POST", PATH, lead(code="offcode1")).field()
    assert (422, "no_partner", "clicks") == call(
        "POST", PATH, lead(clicks=[click("offcode1")])
    ).field()


@pytest.mark.parametrize(
    ("body", "headers", "expected"),
    [
        ("{", {}, (400, "malformed_json")),
        (b"\xff\xfe", {}, (400, "malformed_json")),
        ("x" * 1_000_000, {}, (413, "body_too_large")),
        ("a=b", {"Content-Type": "text/plain"}, (415, "unsupported_media_type")),
    ],
)
def test_submit_refuses_what_it_cannot_read(
    body: str | bytes, headers: dict[str, str], expected: tuple[int, str]
) -> None:
    """Broken JSON, other media types and a megabyte are problem documents too."""
    before = everything()
    reply = call("POST", PATH, body, headers=headers, encoded=isinstance(body, bytes))
    assert expected == reply.problem()
    assert stored_nothing(before)


def test_submit_refuses_a_broken_base64_body() -> None:
    """What the gateway could not have sent is malformed, not an internal error."""
    reply = call("POST", PATH, b"\xff", encoded=False)
    assert (400, "malformed_body") == reply.problem()


def test_submit_answers_404_for_an_unknown_program() -> None:
    """So does a name that can be none."""
    for program in ("nosuch", "acme%23HEAD", "..", "a" * 200):
        reply = call("POST", f"/v1/programs/{program}/referrals", lead(code="piacode1"))
        assert (404, "not_found") == reply.problem()


def form(**overrides: str) -> dict[str, str]:
    """Return the fields of a valid HTML form."""
    return {
        "name": "Lena Lead",
        "email": "lena@customers.example",
        "country": "DE",
        "code": "piacode1",
        "consent.given": "on",
        "consent.text_version": "2026-11",
        "utm_source": "news",
        "note": "one\r\ntwo",
        "phone": "",
        "website": "",
        "idempotency_key": "form-key-1",
        **overrides,
    }


def only_referral() -> str:
    """Return the id of the one referral there is."""
    (found,) = [
        i["pk"] for i in everything() if i["pk"].startswith("REFERRAL#") and i["sk"] == "STATE"
    ]
    return str(found.partition("#")[2])


def test_form_redirects_to_the_landing_page() -> None:
    """A browser without script is sent on; sent twice, the form makes one referral."""
    reply = post_form(PATH, form())
    assert (303, "https://www.acme.example/start?introducer=submitted", "") == (
        reply.status,
        reply.headers["location"],
        reply.body,
    )
    again = post_form(PATH, form())
    assert (303, reply.headers["location"]) == (again.status, again.headers["location"])
    detail = referrals.detail(only_referral())
    assert ("form", {"utm_source": "news"}) == (detail.referral.channel, detail.touches[-1].utm)
    contact = people.contact(detail.referral.lead)
    assert contact is not None
    assert "one\ntwo" == contact.note


def test_form_with_the_trap_filled_in_is_thanked_and_forgotten() -> None:
    """A bot sees no difference, and nothing is stored."""
    before = everything()
    reply = post_form(PATH, form(website="https://spam.example"))
    assert (303, "https://www.acme.example/start?introducer=submitted") == (
        reply.status,
        reply.headers["location"],
    )
    assert stored_nothing(before)


def page_of(reply: Reply) -> str:
    """Return the page, which must not run anything."""
    assert "text/html; charset=utf-8" == reply.headers["content-type"]
    assert "default-src 'none'" in reply.headers["content-security-policy"]
    return str(reply.body)


def test_form_problems_are_a_page() -> None:
    """People without script read what is wrong; their own text comes back escaped or not at all."""
    reply = post_form(PATH, form(country="<b>"))
    assert (400, True) == (reply.status, "country:" in page_of(reply))
    fields = form()
    del fields["idempotency_key"]
    assert 400 == post_form(PATH, fields).status
    unknown = post_form(PATH, form(**{"<script>alert(1)</script>": "1"}))
    assert (400, False) == (unknown.status, "<script>" in page_of(unknown))
    unticked = form()
    del unticked["consent.given"]
    assert "consent.given" in page_of(post_form(PATH, unticked))


def test_new_ids_do_not_collide_with_each_other() -> None:
    """Two leads at once are two referrals."""
    one = call("POST", PATH, lead(code="piacode1", email=f"{ids.new_id()}@x.example"))
    two = call("POST", PATH, lead(code="piacode1", email=f"{ids.new_id()}@x.example"))
    assert one.body["id"] != two.body["id"]
