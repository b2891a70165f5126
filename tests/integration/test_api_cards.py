"""Print cards: batches, their codes, the sheet, and codes as people type them."""

from __future__ import annotations

import re
from collections.abc import Callable
from html.parser import HTMLParser
from typing import Any

import pytest

from introducer import card
from introducer.clients import client
from introducer.link import Link, leads_to_own_page
from introducer.tables import cards, events, links, referrals, store
from introducer.tables.people import Contact
from introducer.tables.store import Transaction
from tests.support import life, qr
from tests.support.api import Reply, call, login
from tests.support.environment import INTAKE_BUCKET
from tests.support.tables import everything

PIA = login("login-pia", "partner")
PAUL = login("login-paul", "partner")
NASTY = "<script>alert('x')</script>\"&{{ 7*7 }}"

pytestmark = pytest.mark.usefixtures("aws", "frozen")


@pytest.fixture(autouse=True)
def program(aws: None) -> None:  # noqa: ARG001  (pytest orders fixtures by it)
    """A program with two partners."""
    life.publish()
    life.enrol("pia", contact=Contact(name=NASTY, email="pia@partners.example"))
    life.enrol("paul")


def make(count: int = 3, *, key: str = "", **body: Any) -> Reply:
    """Make a batch of cards."""
    return call("POST", "/v1/me/cards", {"count": count, **body}, claims=PIA, key=key)


def read(batch: str, claims: dict[str, str] = PIA) -> Reply:
    """Read a batch."""
    return call("GET", f"/v1/me/cards/{batch}", claims=claims)


def codes_of(batch: str) -> list[str]:
    """Return the codes of a batch."""
    return [each["code"] for each in read(batch).body["cards"]]


def submit(code: str) -> Reply:
    """Send the public form with a typed code."""
    body = {
        "name": "Lena Lead",
        "email": "lena@customers.example",
        "country": "DE",
        "code": code,
        "consent": {"text_version": "1", "given": True},
    }
    return call("POST", "/v1/programs/acme/referrals", body)


def test_batch_is_links_of_the_partner() -> None:
    """Each card is a link with the batch as its asset; each thing made has one event."""
    made = make(campaign="fair", expires_at="2027-01-01T00:00:00Z")
    batch = made.body["id"]
    assert (201, {"id": batch, "count": 3}, f"cards/{batch}") == (
        made.status,
        made.body,
        made.headers["location"],
    )
    row = {
        "id": batch,
        "count": 3,
        "campaign": "fair",
        "expires_at": "2027-01-01T00:00:00.000Z",
        "created_at": "2026-11-22T11:17:00.000Z",
    }
    codes = codes_of(batch)
    assert {
        "batch": row,
        "cards": [
            {
                "code": code,
                "shown": f"{code[:3]} {code[3:6]} {code[6:]}".upper(),
                "url": f"https://go.example.com/r/{code}",
                "status": "active",
            }
            for code in codes
        ],
    } == read(batch).body
    assert {"items": [row], "next": ""} == call("GET", "/v1/me/cards", claims=PIA).body
    assert all(card.is_right(code) for code in codes)
    assert Link(
        code=codes[0],
        program="acme",
        partner="pia",
        destination="https://www.acme.example/start",
        created_at="2026-11-22T11:17:00.000Z",
        campaign="fair",
        channel="card",
        asset=batch,
        batch=batch,
        expires_at="2027-01-01T00:00:00.000Z",
    ) == links.find(codes[0])
    assert [("CardsMade", {"partner": "pia", "count": 3})] == [
        (each.type, each.data) for each in events.of_entity(f"CARDS#{batch}")
    ]
    assert ["LinkCreated"] == [each.type for each in events.of_entity(f"LINK#{codes[0]}")]
    # They are not among the links one makes by hand.
    assert [] == call("GET", "/v1/me/links", claims=PIA).body["items"]


def test_cards_lead_to_pages_of_their_own_where_the_program_hosts_them() -> None:
    """Each to its own, as every other link of the program does."""
    words = {"headline": "H", "intro": "I", "button": "B", "thanks": "T"}
    page = {"hosted": True, "texts": {"en": words}}
    life.publish(intake={"page": page, "consent": {"texts": {"en": "Call me."}}})
    codes = codes_of(make(2).body["id"])
    found = links.find_all(codes)
    assert [(code, True) for code in codes] == [
        (code, leads_to_own_page(found[code])) for code in codes
    ]


def test_largest_batch_is_whole() -> None:
    """A hundred cards are more than one transaction; all of them are there, all different."""
    batch = make(100).body["id"]
    assert 100 == len(set(codes_of(batch)))
    assert 100 == len([item for item in everything() if item["sk"] == "LINK"])


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"count": 0}, (400, "invalid_input", "count")),
        ({"count": 101}, (400, "invalid_input", "count")),
        ({"expires_at": "2026-11-22T11:17:00Z"}, (422, "invalid_time", "expires_at")),
        ({"campaign": "<b>"}, (400, "invalid_input", "campaign")),
        ({"partner": "paul"}, (400, "unknown_field", "partner")),
    ],
)
def test_cards_refuse_and_store_nothing(
    body: dict[str, Any], expected: tuple[int, str, str]
) -> None:
    """Nothing is printed that could not count."""
    before = everything()
    assert expected == make(**body).field()
    assert before == everything()


def test_batch_cut_off_in_the_middle_is_completed_by_whoever_asks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The batch is stored first; after a crash a repeat of the request makes the missing links."""
    whole = cards._make

    def broken(batch: Any, codes: list[str]) -> None:
        whole(batch, codes[:1])
        raise RuntimeError

    with monkeypatch.context() as patched:
        patched.setattr(cards, "_make", broken)
        assert 500 == make(key="one-and-the-same").status
    replayed = make(key="one-and-the-same")
    assert (201, "true") == (replayed.status, replayed.headers["idempotent-replayed"])
    stored = [item for item in everything() if item["sk"] == "LINK"]
    assert sorted(codes_of(replayed.body["id"])) == sorted(item["code"] for item in stored)
    assert 3 == len(stored)


def test_reading_completes_a_batch_too() -> None:
    """Links that are missing are there when the codes are told."""
    batch = make(2).body["id"]
    gone = codes_of(batch)[1]
    for name in ("LINK", "EVENT#000001"):
        client("dynamodb").delete_item(
            TableName=store.name(store.Table.CORE),
            Key={"pk": {"S": f"LINK#{gone}"}, "sk": {"S": name}},
        )
    assert gone in codes_of(batch)
    assert links.find(gone) is not None


def test_code_that_somebody_took_meanwhile_is_left_out() -> None:
    """It stays theirs, and the batch is a card short."""
    codes = cards.free_codes(2)
    foreign = Link(
        code=codes[0],
        program="acme",
        partner="paul",
        destination="https://www.acme.example/start",
        created_at=life.NOW,
    )
    batch = card.Batch(
        id="b1",
        program="acme",
        partner="pia",
        created_at=life.NOW,
        destination="https://www.acme.example/start",
        codes=codes,
    )
    writes = Transaction()
    links.add(writes, foreign, actor="x")
    cards.add(writes, batch, actor="x")
    writes.commit()
    assert [codes[1]] == [link.code for link in cards.complete(batch)]
    assert foreign == links.find(codes[0])


def test_batch_of_another_does_not_exist() -> None:
    """Nor does one that never was: the same answer."""
    batch = make().body["id"]
    assert (404, "not_found") == read(batch, PAUL).problem()
    assert read("nosuch", PAUL).body == read(batch, PAUL).body
    sheet = call("GET", f"/v1/me/cards/{batch}/sheet", claims=PAUL)
    assert (404, "not_found") == sheet.problem()


class _Tags(HTMLParser):
    """Counts tags and keeps the text outside of style sheets."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: Any) -> None:  # noqa: ARG002
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        self.text += data


def test_sheet_shows_every_card_and_executes_nothing() -> None:
    """Ten a page with program, name, code, address, end and a QR code that says the address."""
    life.publish(name="Acme & <Söhne>")
    batch = make(12, expires_at="2027-01-01T00:00:00Z").body["id"]
    codes = codes_of(batch)
    call("PUT", f"/v1/me/links/{codes[0]}", {"status": "suspended"}, claims=PIA)
    made = call("GET", f"/v1/me/cards/{batch}/sheet", claims=PIA)
    assert ("2026-11-22T11:32:00.000Z", True) == (
        made.body["until"],
        f"cards/{batch}.html?" in made.body["url"],
    )
    stored = client("s3").get_object(Bucket=INTAKE_BUCKET, Key=f"cards/{batch}.html")
    assert "text/html; charset=utf-8" == stored["ContentType"]
    page = stored["Body"].read().decode()
    seen = _Tags()
    seen.feed(page)
    assert (2, 11, 11, 0) == tuple(
        seen.tags.count(tag) for tag in ("main", "article", "svg", "script")
    )
    # The program's name is the page's title too.
    assert (11, 12, 11) == tuple(
        seen.text.count(text) for text in (NASTY, "Acme & <Söhne>", "2026-12-31")
    )
    drawn = re.findall(r"<svg.*?</svg>", page, re.DOTALL)
    assert [f"https://go.example.com/r/{code}" for code in codes[1:]] == [
        qr.read_svg(each) for each in drawn
    ]
    shown = [card.shown(code) for code in codes]
    assert [0, *[1] * 11] == [seen.text.count(each) for each in shown]
    assert 11 == seen.text.count("go.example.com/r/")


@pytest.mark.parametrize(
    "spell",
    [
        card.shown,
        lambda code: card.shown(code).replace(" ", "-"),
        lambda code: f"  {code} ",
        lambda code: code.upper().replace("0", "O").replace("1", "I"),
        lambda code: code.replace("1", "l").replace("2", "z").replace("v", "U"),
    ],
)
def test_typed_card_credits_its_partner(spell: Callable[[str], str]) -> None:
    """However it is typed, the touch names the card's link."""
    code = codes_of(make(1).body["id"])[0]
    referral = submit(spell(code)).body["id"]
    touches = referrals.detail(referral).touches
    assert [(code, "pia")] == [(each.link, each.partner) for each in touches if each.kind == "code"]


def test_mistyped_card_is_told_without_a_look_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """A wrong character or two that changed places; no link is looked for."""
    code = codes_of(make(1).body["id"])[0]
    looked_for: list[str] = []
    monkeypatch.setattr(links, "find", looked_for.append)
    other = "3" if code[4] != "3" else "4"
    at = next(place for place in range(1, 8) if code[place] != code[place + 1])
    swapped = code[:at] + code[at + 1] + code[at] + code[at + 2 :]
    for wrong in (code[:4] + other + code[5:], swapped):
        assert (422, "mistyped_code", "code") == submit(card.shown(wrong)).field()
    assert [] == looked_for
    # With a wrong first character it does not look like a card; the answer is the same.
    assert (422, "mistyped_code", "code") == submit("q" + code[1:]).field()
    assert ["q" + code[1:]] == looked_for


def test_unknown_disabled_and_expired_cards_get_one_answer(
    frozen: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody learns by trying whether a card exists: same words, one look-up each."""
    expired = codes_of(make(1, expires_at="2026-11-22T12:00:00Z").body["id"])[0]
    suspended = codes_of(make(1).body["id"])[0]
    call("PUT", f"/v1/me/links/{suspended}", {"status": "suspended"}, claims=PIA)
    (unknown,) = cards.free_codes(1)
    frozen("2026-11-22T12:00:00.000Z")
    find, looked_for = links.find, []

    def counted(code: str, **how: bool) -> Link | None:
        looked_for.append(code)
        return find(code, **how)

    monkeypatch.setattr(links, "find", counted)
    replies = [submit(code) for code in (unknown, suspended, expired)]
    assert (422, "unknown_code", "code") == replies[0].field()
    assert [replies[0].body] * 3 == [each.body for each in replies]
    assert [unknown, suspended, expired] == looked_for
