"""``/p/{slug}``: who gets which page, what its form stores, and what it never tells."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from introducer import clickid, clock
from introducer.errors import UncertainError
from introducer.tables import people, programs, referrals, store
from introducer.tables.store import Table
from submit.landing_page import handler
from tests.support import life, pages
from tests.support.tables import everything

EARLIER = "2026-11-22T09:30:00.000Z"
SHOWN = "2026-11-22T11:17:00.000Z"
LATER = "2026-11-22T11:17:05.000Z"
THANKS = (303, "piacode1?sent=yes&lang=en")

pytestmark = pytest.mark.usefixtures("aws")


@pytest.fixture(autouse=True)
def program(aws: None, frozen: Callable[[str], None]) -> Callable[[str], None]:  # noqa: ARG001
    """A program with a page, and Pia with the link `piacode1`; the value moves the clock."""
    pages.program()
    life.enrol("pia")
    pages.link()
    return frozen


def filled(frozen: Callable[[str], None], query: str = "", **changes: str) -> dict[str, str]:
    """Return the fields of a form as somebody sends it back five seconds later."""
    frozen(SHOWN)
    fields = pages.get(query=query).form.fields
    frozen(LATER)
    return fields | {
        "name": "Lena Lead",
        "email": " Lena.Lead@Customers.example ",
        "country": "DE",
        "phone": "030 901820",
        "company": "Lead GmbH",
        "product": "fibre",
        "industry": "retail",
        "size": " 120 ",
        "note": "one\ntwo",
        "answers.sites": "3",
        "answers.decides": "true",
        "answers.when": "later",
        "metadata.contract": "C-17",
        "metadata.urgent": "true",
        "consent.given": "on",
        **changes,
    }


def stored() -> list[dict[str, Any]]:
    """Return the referrals there are, as stored."""
    found = [item for item in everything() if item["sk"] == "STATE"]
    return [item for item in found if item["pk"].startswith("REFERRAL#")]


def click(code: str = pages.CODE) -> str:
    """Return a genuine click id."""
    (key,) = clickid.keys_of(programs.click_salts(), life.NOW).values()
    visitor = clickid.visitor(key, EARLIER[:10], "192.0.2.1", "Firefox")
    return clickid.make(code, clickid.hour_of(clock.epoch_s(EARLIER)), visitor, key)


def test_form_becomes_a_referral(program: Callable[[str], None]) -> None:
    """Every field arrives where the API would put it, with the consent that was shown."""
    fields = filled(program, query="utm_source=news&utm_medium=%40x&gclid=1")
    assert THANKS == pages.send(fields).location()
    (state,) = stored()
    detail = referrals.detail(state["id"])
    assert ("page", "DE", "fibre", pages.CODE) == (
        detail.referral.channel,
        detail.referral.country,
        detail.referral.product,
        detail.referral.link,
    )
    facts = {name: value for name, value in detail.referral.facts.items() if "score" not in name}
    assert {
        "answers.sites": 3,
        "answers.decides": True,
        "answers.when": "later",
        "metadata.contract": "C-17",
        "metadata.urgent": True,
        "lead.language": "en",
        "lead.size": 120,
        "lead.industry": "retail",
    } == facts
    assert [("code", "pia", {}), ("form", "", {"utm_source": "news"})] == [
        (touch.kind, touch.partner, touch.utm) for touch in detail.touches
    ]
    assert {
        "consent": "given",
        "consent_text": "2026-11",
        "consent_locale": "en",
    } == detail.touches[-1].data
    contact = people.contact(detail.referral.lead)
    assert contact is not None
    assert (
        "Lena Lead",
        "Lena.Lead@customers.example",
        "+4930901820",
        "Lead GmbH",
        "one\ntwo",
        "en",
    ) == (
        contact.name,
        contact.email,
        contact.phone,
        contact.company,
        contact.note,
        contact.locale,
    )
    outside = str([item for item in everything() if not item["pk"].startswith("PERSON#")])
    assert "Lena" not in outside
    assert "901820" not in outside


def test_form_sent_again_is_answered_alike_and_stored_once(program: Callable[[str], None]) -> None:
    """The hidden key makes it one request, whoever repeats it."""
    fields = filled(program)
    assert [THANKS] * 3 == [pages.send(fields).location() for _ in range(3)]
    assert 1 == len(stored())


def test_form_whose_answer_was_lost_is_stored_once(
    program: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The visitor is told to send it again, and that finds what was stored."""
    fields, real = filled(program), store.Transaction.commit

    def lose(writes: store.Transaction) -> None:
        real(writes)
        message = "the store did not answer"
        raise UncertainError(message)

    monkeypatch.setattr(store.Transaction, "commit", lose)
    lost = pages.send(fields)
    monkeypatch.setattr(store.Transaction, "commit", real)
    assert (303, 303) == (lost.status, pages.send(fields).status)
    assert 1 == len(stored())


def test_form_that_could_not_be_stored_comes_back_filled_in(
    program: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A store that does not answer costs the visitor one more press, nothing typed."""
    fields, real = filled(program), store.Transaction.commit

    def refuse(writes: store.Transaction) -> None:
        del writes
        message = "the store did not answer"
        raise UncertainError(message)

    monkeypatch.setattr(store.Transaction, "commit", refuse)
    page = pages.send(fields)
    monkeypatch.setattr(store.Transaction, "commit", real)
    assert (503, fields) == (page.status, page.form.fields)
    assert "Nothing is lost" in page.body
    assert THANKS == pages.send(page.form.fields).location()
    assert 1 == len(stored())


def test_duplicate_is_thanked_like_everybody(program: Callable[[str], None]) -> None:
    """Whether somebody was referred before is not told."""
    first = pages.send(filled(program))
    second = pages.send(filled(program))
    assert (first.status, first.headers, first.body) == (
        second.status,
        second.headers,
        second.body,
    )
    before, after = sorted(stored(), key=lambda each: each.get("duplicate_of", ""))
    assert before["id"] == after["duplicate_of"]


@pytest.mark.parametrize("way", ["hidden", "cookie"])
def test_click_stands_for_the_code_of_its_own_link(
    program: Callable[[str], None], way: str
) -> None:
    """By the address or by the cookie, the click of this link credits it, once."""
    query = f"introducer_click={click()}" if way == "hidden" else ""
    cookies = [f"{clickid.COOKIE}={click()}"] if way == "cookie" else []
    assert 303 == pages.send(filled(program, query=query), cookies=cookies).status
    (state,) = stored()
    touches = referrals.detail(state["id"]).touches
    assert [("click", pages.CODE), ("form", "")] == [(each.kind, each.link) for each in touches]


def test_click_of_another_link_is_kept_beside_the_code(program: Callable[[str], None]) -> None:
    """Somebody else's earlier click is a touch of its own; this page's partner comes last."""
    life.enrol("paul")
    pages.link("paulcode", "paul")
    fields = filled(program)
    assert 303 == pages.send([*fields.items(), ("clicks", click("paulcode"))]).status
    (state,) = stored()
    touches = referrals.detail(state["id"]).touches
    assert ["paul", "pia", ""] == [each.partner for each in touches]


def test_trap_is_thanked_and_forgotten(program: Callable[[str], None]) -> None:
    """Whoever fills in the hidden field sees no difference, and nothing is stored."""
    fields = filled(program, website="https://spam.example")
    before = everything()
    assert THANKS == pages.send(fields).location()
    assert before == everything()


def test_form_tells_everything_that_is_wrong_at_once(program: Callable[[str], None]) -> None:
    """Status 422, a link to each field, everything typed still there, nothing stored."""
    wrong = {"name": "", "email": "@", "size": "-1", "answers.decides": "", "consent.given": ""}
    fields = filled(program, **wrong)
    before = everything()
    page = pages.send(fields)
    shown = page.form.fields
    assert (422, ["name", "email", "size", "answers-decides", "consent-given"]) == (
        page.status,
        page.form.errors,
    )
    assert {name: value for name, value in fields.items() if name in shown} == shown
    assert before == everything()


@pytest.mark.parametrize("stamp", ["", "x", "1.x", "1795346220.", "1795346220." + "0" * 32])
def test_form_with_a_made_up_stamp_is_shown_again(
    program: Callable[[str], None], stamp: str
) -> None:
    """Nothing is stored, nothing is lost, and with its new stamp it can be sent."""
    fields = filled(program, stamp=stamp)
    page = pages.send(fields)
    assert (422, []) == (page.status, stored())
    again = page.form.fields
    assert "Lena Lead" == again["name"]
    program("2026-11-22T11:17:09.000Z")
    assert THANKS == pages.send(again | {"consent.given": "on"}).location()


def test_form_of_another_page_or_language_does_not_pass(program: Callable[[str], None]) -> None:
    """A stamp belongs to one link and to the words that were shown."""
    pages.link("piacode2")
    fields = filled(program)
    assert 422 == pages.send(fields, "piacode2").status
    assert 422 == pages.send(fields | {"locale": "de"}).status
    assert [] == stored()


@pytest.mark.parametrize(
    ("at", "status"),
    [
        ("2026-11-22T11:17:00.000Z", 422),
        ("2026-11-22T11:17:01.999Z", 422),
        ("2026-11-22T11:17:02.000Z", 303),
        ("2026-11-23T11:17:00.000Z", 303),
        ("2026-11-23T11:17:01.000Z", 422),
    ],
)
def test_form_counts_from_two_seconds_to_a_day(
    program: Callable[[str], None], at: str, status: int
) -> None:
    """Nobody types faster; and what was agreed to yesterday is read again."""
    fields = filled(program)
    program(at)
    assert status == pages.send(fields).status


def test_consent_to_words_that_changed_is_asked_again(program: Callable[[str], None]) -> None:
    """A new version of the text is shown, its box is empty, and the old one is not recorded."""
    fields = filled(program)
    pages.program(consent={**pages.CONSENT, "version": "2027-01"})
    page = pages.send(fields)
    again = page.form.fields
    assert (422, "2027-01", False) == (
        page.status,
        again["consent.text_version"],
        "consent.given" in again,
    )
    assert [] == stored()


def test_key_used_for_other_details_leads_to_a_new_one(program: Callable[[str], None]) -> None:
    """Who goes back and changes something is asked once more instead of losing it."""
    fields = filled(program)
    pages.send(fields)
    page = pages.send(fields | {"email": "otto@customers.example"})
    again = page.form.fields
    assert (422, True) == (page.status, "sent before with other details" in page.body)
    assert fields["idempotency_key"] != again["idempotency_key"]
    assert THANKS == pages.send(again).location()
    assert 2 == len(stored())


def switched_off() -> str:
    """Store a link that its partner has switched off."""
    return pages.link("offcode1", status="suspended").code


def expired() -> str:
    """Store a link whose time is over."""
    return pages.link("oldcode1", expires_at="2026-11-22T11:16:59.999Z").code


def foreign() -> str:
    """Store a link of a program there is not."""
    return pages.link("othrcode", program="other").code


def plain() -> str:
    """Let the program have no words for a page."""
    life.publish()
    return pages.CODE


def closed() -> str:
    """Let the program take no leads from pages."""
    pages.program(channels=["api"])
    return pages.CODE


@pytest.mark.parametrize("make", [switched_off, expired, foreign, plain, closed])
def test_what_leads_nowhere_is_one_page(
    make: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Unknown, switched off, expired: the same answer, and for codes the same one read."""
    slug, reads, real = make(), [], store.get

    def count(table: Table, pk: str, sk: str, **options: Any) -> Any:
        reads.append(pk)
        return real(table, pk, sk, **options)

    monkeypatch.setattr(store, "get", count)
    unknown = pages.get("nosuchcd")
    found = pages.get(slug)
    assert (404, unknown.headers, unknown.body) == (found.status, found.headers, found.body)
    if make in (switched_off, expired):
        assert ["LINK#nosuchcd", f"LINK#{slug}"] == reads
    sent = pages.send({"name": "Lena"}, slug)
    assert (404, unknown.headers, unknown.body) == (sent.status, sent.headers, sent.body)


@pytest.mark.parametrize("slug", ["", "-", "%00", "a" * 300, "../r/x", "a/b", "ä", "<script>"])
def test_impossible_slug_leads_nowhere(slug: str) -> None:
    """Nothing of it comes back in the page."""
    page = pages.get(slug)
    assert (404, "This page does not exist") == (page.status, page.form.text.split("\n")[7].strip())


@pytest.mark.parametrize(
    ("query", "header", "expected"),
    [("lang=de", "en", "de"), ("", "en-GB,de;q=0.5", "en"), ("", "fr", "de")],
)
def test_language_is_asked_for_then_the_browsers_then_the_audiences(
    query: str, header: str, expected: str
) -> None:
    """The partner's audience speaks German here."""
    audiences = {"partners": {"name": "Partners", "locale": "de"}}
    pages.program(audiences=audiences)
    page = pages.get(query=query, accept_language=header)
    assert (200, expected, expected) == (
        page.status,
        page.form.language,
        page.headers["content-language"],
    )


def test_page_in_a_language_without_words_of_ours_says_so() -> None:
    """Built-in labels are English and marked as English; what the program says is French."""
    text = {name: said for name, said in pages.TEXTS["en"].items() if name != "labels"}
    consent = {"version": "1", "texts": {"fr": "J'accepte."}}
    pages.program(texts={"fr": {**text, "headline": "Bonjour"}}, consent=consent)
    page = pages.get()
    assert "fr" == page.form.language
    for marked in (
        '<form method="post" novalidate lang="en">',
        '<label for="name">Your name</label>',
        '<label for="answers-sites" lang="fr">How many sites?',
        '<label for="consent-given" lang="fr">J&#39;accepte.</label>',
    ):
        assert marked in page.body


def test_greeting_is_shown_as_text_where_the_partner_wants_it() -> None:
    """On every page of the partner's links; hidden, it is not there at all."""
    pages.link("piacode2")
    said = "Call <b>me</b>\nhttps://evil.example"
    pages.greet(message=said)
    for slug in (pages.CODE, "piacode2"):
        page = pages.get(slug)
        assert "Pia Partner" in page.body
        assert "Call &lt;b&gt;me&lt;/b&gt;\nhttps://evil.example" in page.body
        assert 'href="https://evil' not in page.body
    pages.greet(message=said, show=False)
    assert "Pia Partner" not in pages.get().body


def test_reading_a_page_stores_nothing() -> None:
    """A scanner that looks at every page leaves no trace."""
    pages.get()  # makes the secret of the stamps, once
    before = everything()
    for query in ("", f"introducer_click={click()}", "sent=yes", "lang=de&utm_source=x"):
        assert 200 == pages.get(query=query).status
    assert before == everything()


def test_page_carries_the_safe_headers() -> None:
    """Nothing is cached, framed, indexed, fetched from elsewhere or told to it."""
    headers = pages.get().headers
    style = headers["content-security-policy"].split("'")[3]
    assert style.startswith("sha256-")
    assert {
        "cache-control": "no-store",
        "content-language": "en",
        "content-security-policy": f"default-src 'none'; style-src '{style}'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
        "content-type": "text/html; charset=utf-8",
        "referrer-policy": "no-referrer",
        "x-content-type-options": "nosniff",
        "x-request-id": "req-1",
        "x-robots-tag": "noindex, nofollow",
    } == headers
    assert "<script" not in pages.get().body


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b'{"name": "Lena"}', "application/json", 415),
        (b"a=b", "text/plain", 415),
        (b"\xff\xfe", pages.FORM, 422),
        (b"name=%FF", pages.FORM, 422),
        (b"a=1&" * 300 + b"a=1", pages.FORM, 422),
        (b"note=" + b"x" * 70_000, pages.FORM, 422),
        (b"", pages.FORM, 422),
    ],
)
def test_what_is_no_form_is_refused_with_a_page(body: bytes, kind: str, status: int) -> None:
    """Other media types, broken text and a megabyte end in words, not in a fault."""
    before = everything()
    page = pages.call("POST", pages.CODE, body=body, headers={"content-type": kind})
    assert (status, "en") == (page.status, page.form.language)
    kept = [item for item in everything() if not item["pk"].startswith("KEY#")]
    assert before == kept


def test_broken_base64_is_refused_with_a_page() -> None:
    """What the gateway could not have sent is no fault of ours."""
    event = {
        "requestContext": {"requestId": "r", "http": {"method": "POST"}},
        "headers": {"content-type": pages.FORM},
        "pathParameters": {"slug": pages.CODE},
        "body": "%%%",
        "isBase64Encoded": True,
    }
    made = handler.handler(event, None)
    assert (400, "text/html; charset=utf-8") == (
        made["statusCode"],
        made["headers"]["content-type"],
    )
