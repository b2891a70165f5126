"""What a link may be: its code, its tags and who may change it."""

from __future__ import annotations

from typing import Any

import pytest

from introducer import link
from introducer.errors import InvalidInputError, TransitionError
from introducer.event import Event
from introducer.link import Link

NOW = "2026-11-22T11:17:00.000Z"


def new_link(**overrides: Any) -> Link:
    """Return an active link of Pia's."""
    values = {
        "code": "maria-s",
        "program": "acme",
        "partner": "pia",
        "destination": "https://www.acme.example/start",
        "created_at": "2026-11-20T00:00:00.000Z",
        "campaign": "autumn",
        "channel": "linkedin",
    }
    return Link(**(values | overrides))


@pytest.mark.parametrize("code", ["maria-s", "abc", "7up", "a_b", "x" * 22, "olivia-may", "0-0"])
def test_check_code_takes_chosen_codes(code: str) -> None:
    """3 to 22 of a-z, 0-9, hyphen and underscore."""
    link.check_code(code)


@pytest.mark.parametrize(
    "code",
    [
        "ab",
        "x" * 23,
        "-abc",
        "_abc",
        "Maria",
        "mär-ia",
        "a b",
        "abc\n",
        "a/b",
        "a.b",
        "admin",
        "sign_in",
        "well-known",
        "7km2p9xwq",
        "7km-2p9-xwq",
    ],
)
def test_check_code_refuses_shapes_reserved_words_and_cards(code: str) -> None:
    """Nobody can choose a word of ours or what reads like a print card."""
    with pytest.raises(InvalidInputError) as caught:
        link.check_code(code)
    assert ("code", "code_not_allowed") == (caught.value.field, caught.value.code)


def test_filled_puts_in_what_the_link_says() -> None:
    """Every placeholder is filled; a tag that comes out empty is no tag."""
    tags = {
        "utm_source": "{partner}",
        "utm_medium": "{channel}",
        "utm_campaign": "{campaign}-{code}",
        "utm_content": "{asset}",
        "utm_term": "fixed",
    }
    assert {
        "utm_source": "pia",
        "utm_medium": "linkedin",
        "utm_campaign": "autumn-maria-s",
        "utm_term": "fixed",
    } == link.filled(tags, new_link())


@pytest.mark.parametrize(
    ("tag", "code"),
    [
        ("{secret}", "unknown_placeholder"),
        ("{}", "unknown_placeholder"),
        ("{code.__class__}", "unknown_placeholder"),
        ("{campaign}" * 20, "invalid_input"),
    ],
)
def test_filled_refuses_what_it_does_not_know_and_what_grows_too_long(tag: str, code: str) -> None:
    """Nothing of a link but five of its fields can be asked for."""
    with pytest.raises(InvalidInputError) as caught:
        link.filled({"utm_source": tag}, new_link())
    assert ("utm.utm_source", code) == (caught.value.field, caught.value.code)


def test_changed_names_what_is_new() -> None:
    """One version on, with one event that holds no address."""
    before = new_link()
    wanted = new_link(status="suspended", destination="https://www.acme.example/other")
    after, event = link.changed(before, wanted, now=NOW, actor="PARTNER#pia")
    assert (2, "suspended") == (after.version, after.status)
    assert (
        Event(
            type="LinkChanged",
            entity="LINK#maria-s",
            seq=2,
            program="acme",
            at=NOW,
            actor="PARTNER#pia",
            data={"partner": "pia", "changed": "destination status", "status": "suspended"},
        )
        == event
    )


def test_used_counts_and_names_the_asset() -> None:
    """Taking a text is an event of the link that carries it."""
    after, event = link.used(new_link(asset="hello"), 3, now=NOW, actor="PARTNER#pia")
    assert (1, 2) == (after.uses, after.version)
    assert ("AssetUsed", 2) == (event.type, event.seq)
    assert {
        "partner": "pia",
        "asset": "hello",
        "asset_version": 3,
        "channel": "linkedin",
    } == event.data


def test_partner_cannot_change_what_the_program_suspended() -> None:
    """Only the program ends its own suspension; the partner's own is theirs."""
    stopped = link.suspended(new_link(), "spam")
    assert ("suspended", "spam") == (stopped.status, stopped.reason)
    with pytest.raises(TransitionError):
        link.check_own(stopped)
    link.check_own(new_link(status="suspended"))
    assert new_link() == link.suspended(stopped, "")


@pytest.mark.parametrize(
    ("overrides", "expected"),
    [
        ({}, True),
        ({"status": "suspended"}, False),
        ({"expires_at": NOW}, False),
        ({"expires_at": "2026-11-22T11:17:00.001Z"}, True),
    ],
)
def test_usable_until_suspended_or_expired(overrides: dict[str, str], *, expected: bool) -> None:
    """It leads nowhere from the very instant of its expiry."""
    assert expected == link.usable(new_link(**overrides), NOW)
