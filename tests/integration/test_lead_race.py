"""Many submissions of one lead at the same moment, through the API, on the embedded tables."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from introducer import ids
from introducer.link import Link
from introducer.referral import Referral
from introducer.tables import links, programs, referrals, store
from introducer.tables.store import Table, Transaction
from route.screen import screen
from tests.support import life
from tests.support.api import Reply, call
from tests.support.tables import everything

PATH = "/v1/programs/acme/referrals"
AT_ONCE = 64
SPELLINGS = ("{}@gmail.com", "{}+{n}@gmail.com", "{}@googlemail.com", "L.e.n.a{rest}@Gmail.com")


@pytest.fixture(autouse=True)
def program(engine: str) -> None:
    """A program, and four partners each with a link."""
    assert engine
    life.publish()
    programs.ensure_click_salt(life.NOW)
    for name in ("pia", "emil", "zoe", "quin"):
        life.enrol(name)
        writes = Transaction()
        link = Link(
            code=f"{name}code",
            program="acme",
            partner=name,
            destination="https://www.acme.example/start",
            created_at=life.NOW,
        )
        links.add(writes, link, actor="user:1")
        writes.commit()


def at_once(send: Callable[[int], Reply]) -> list[Reply]:
    """Send as many requests as there are, all together."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(send, range(AT_ONCE)))


def lead(number: int, **overrides: Any) -> dict[str, Any]:
    """Return a body with one of the partners' codes."""
    return {
        "name": "Lena Lead",
        "country": "DE",
        "consent": {"text_version": "1", "given": True},
        "code": f"{('pia', 'emil', 'zoe', 'quin')[number % 4]}code",
        **overrides,
    }


def spelled(number: int) -> str:
    """Return one of many spellings of Lena's mailbox."""
    return SPELLINGS[number % 4].format("lenalead", n=number, rest="lead")


def screened(replies: list[Reply]) -> list[Referral]:
    """Return the referrals of *replies* after each was screened."""
    assert {201: AT_ONCE} == Counter(reply.status for reply in replies), [
        reply.body for reply in replies if reply.status != 201
    ]
    names = [reply.body["id"] for reply in replies]
    assert AT_ONCE == len(set(names))
    for name in names:
        screen(name, cause=ids.new_id())
    return [referrals.get(name) for name in names]


@pytest.mark.parametrize(
    "told",
    [
        lambda number: {"email": spelled(number)},
        lambda number: {"email": f"lena{number}@gmail.com", "phone": "030 901820"},
        lambda number: {"email": spelled(number), "phone": f"030 9018{number:02}"},
    ],
    ids=["one mailbox", "one number", "one mailbox and other numbers"],
)
def test_all_at_once_make_one_live_referral(told: Callable[[int], dict[str, Any]]) -> None:
    """Everybody gets an answer; one goes on, the others are its duplicates and say why."""
    replies = at_once(lambda number: call("POST", PATH, lead(number, **told(number))))
    found = screened(replies)
    (live,) = [each for each in found if each.status == "screening"]
    others = [each for each in found if each.id != live.id]
    assert {("duplicate", live.id, "duplicate")} == {
        (each.status, each.duplicate_of, each.reason) for each in others
    }
    kept = [item for item in everything() if item["pk"].startswith("REFERRAL#")]
    clicks = Counter(item["pk"] for item in kept if item.get("kind") == "code")
    assert {1} == set(clicks.values()), "each keeps what led to it"
    assert AT_ONCE == len(clicks)


def test_the_same_request_at_once_is_done_once() -> None:
    """One key, one referral, one answer for everybody."""
    body = lead(0, email="lena@lead.example", phone="030 901820")
    replies = at_once(lambda _number: call("POST", PATH, body, key="the-same-key"))
    assert {201: AT_ONCE} == Counter(reply.status for reply in replies)
    (name,) = {reply.body["id"] for reply in replies}
    states = [
        item["id"]
        for item in everything()
        if item["pk"].startswith("REFERRAL#") and item["sk"] == "STATE"
    ]
    assert [name] == states
    claim = store.get(Table.CORE, f"CLAIM#acme#lead_email#{referrals.get(name).lead_key}", "CLAIM")
    assert claim is not None
    assert name == claim["target"]
