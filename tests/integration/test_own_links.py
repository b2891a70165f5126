"""Links, cards and uses asked for by many at once, on the embedded AWS with real transactions."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from introducer import card
from introducer.card import Batch
from introducer.tables import cards, events, links
from introducer.tables.store import Transaction
from submit import own_links
from tests.support import life
from tests.support.api import call, login

PIA = login("login-pia", "partner")
MONA = login("login-mona", "manager")
ASSET = {"kind": "social", "channel": "x", "texts": {"en": {"body": "{text} {link}", "fields": [
    {"id": "text", "label": "Text", "default": "Look:"}
]}}}  # fmt: skip

pytestmark = pytest.mark.usefixtures("engine")


@pytest.fixture(autouse=True)
def program(engine: str) -> None:  # noqa: ARG001  (pytest orders fixtures by it)
    """A program with a partner."""
    life.publish()
    life.enrol("pia")


def at_once(count: int, work: Any) -> list[Any]:
    """Return what *count* calls of *work* give that run at the same time."""
    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(lambda _: work(), range(count)))


def kinds(code: str) -> list[str]:
    """Return the types of a link's events."""
    return [each.type for each in events.of_entity(f"LINK#{code}")]


def test_many_who_ask_for_a_use_at_once_get_one_link() -> None:
    """One link, one event, the same answer to everybody."""
    document, pia = life.document(), life.new_partner()
    made = at_once(
        8, lambda: own_links.link_for(pia, document, channel="x", asset="a", now=life.NOW)
    )
    assert [made[0]] * 8 == made
    assert ["LinkCreated"] == kinds(made[0].code)
    assert [made[0]] == links.of_partner("pia", limit=10)[0]


def test_many_who_choose_one_code_at_once_share_nothing() -> None:
    """One gets it; the others are told that it is taken."""
    replies = at_once(6, lambda: call("POST", "/v1/me/links", {"code": "spring"}, claims=PIA))
    assert [201, *[409] * 5] == sorted(reply.status for reply in replies)
    assert ["LinkCreated"] == kinds("spring")


def test_one_use_sent_many_times_at_once_counts_once() -> None:
    """The claim of the text and the link's version let one of them through."""
    call("PUT", "/v1/programs/acme/assets/hello", ASSET, claims=MONA)
    replies = at_once(
        6, lambda: call("POST", "/v1/me/assets/hello/render", {}, claims=PIA, key=None)
    )
    assert [(200, replies[0].body)] * 6 == [(each.status, each.body) for each in replies]
    assert ["LinkCreated", "AssetUsed"] == kinds(replies[0].body["code"])


def test_batch_completed_by_many_at_once_has_each_card_once() -> None:
    """Whoever comes first makes a link; nobody makes a second."""
    batch = Batch(
        id="b1",
        program="acme",
        partner="pia",
        created_at=life.NOW,
        destination="https://www.acme.example/start",
        codes=cards.free_codes(60),
    )
    writes = Transaction()
    cards.add(writes, batch, actor="PARTNER#pia")
    writes.commit()
    found = at_once(4, lambda: [link.code for link in cards.complete(batch)])
    assert [batch.codes] * 4 == found
    assert [["LinkCreated"]] * 60 == [kinds(code) for code in batch.codes]
    assert all(card.is_right(code) for code in batch.codes)
