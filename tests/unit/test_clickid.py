"""Click ids: made from link, hour, visitor and key, and believed only when genuine."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from introducer import clickid, clock
from introducer.clickid import ClickId, Key

KEY = Key("A", b"k" * 32)
OTHER = Key("B", b"o" * 32)
KEYS = {"A": KEY}
HOUR = 498_851  # 2026-11-28T11

codes = st.from_regex(r"[a-z0-9][a-z0-9_-]{2,21}", fullmatch=True)
hours = st.integers(0, 2**24 - 1)
visitors = st.binary(min_size=1, max_size=40).map(
    lambda raw: clickid.visitor(KEY, "2026-11-22", "203.0.113.7", raw.hex())
)


@given(codes, hours, visitors)
def test_click_id_reads_back_what_it_was_made_from(code: str, hour: int, visitor: str) -> None:
    """Every id is URL-safe, at most 48 characters, and says its link, hour and visitor."""
    made = clickid.make(code, hour, visitor, KEY)
    assert clickid.read(made, KEYS) == ClickId(code, hour, visitor)
    assert len(made) == len(code) + 26 <= 48
    assert made == "".join(c for c in made if c.isascii() and (c.isalnum() or c in "-_."))


def test_click_id_is_stable() -> None:
    """The format is a contract with ids already in cookies: this one stays readable."""
    visitor = clickid.visitor(KEY, "2026-11-22", "203.0.113.7", "Mozilla/5.0")
    assert visitor == "UK56N0EQ"
    assert clickid.make("abcdefgh", HOUR, visitor, KEY) == "abcdefgh.AB5yjUK56N0EQaAeYiFzNDHku"


@given(codes, hours, visitors, st.data())
def test_click_id_with_any_character_changed_is_refused(
    code: str, hour: int, visitor: str, data: st.DataObject
) -> None:
    """No single character can be altered, dropped or added."""
    made = clickid.make(code, hour, visitor, KEY)
    place = data.draw(st.integers(0, len(made) - 1))
    character = data.draw(st.sampled_from("abAB01-_.~%"))
    changed = made[:place] + character + made[place + 1 :]
    if changed != made:
        assert clickid.read(changed, KEYS) is None
    assert clickid.read(made[:place] + made[place + 1 :], KEYS) is None
    assert clickid.read(made[:place] + character + made[place:], KEYS) is None


@given(st.text(max_size=60))
def test_click_id_from_hostile_text_is_refused_quietly(text: str) -> None:
    """Any text whatever is answered with None, never an exception."""
    assert clickid.read(text, KEYS) is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        ".",
        "abc.A" + "A" * 24 + "\n",
        "abc\x00.A" + "A" * 24,
        "x" * 1_000_000,
        "äbc.A" + "A" * 24,
    ],
)
def test_click_id_of_the_wrong_shape_is_refused(text: str) -> None:
    """Line ends, zero bytes, other alphabets and megabytes are refused by shape alone."""
    assert clickid.looks_right(text) is False
    assert clickid.read(text, KEYS) is None


def test_click_id_of_another_salt_is_refused() -> None:
    """A key with the same name but other bytes does not verify, nor does an unknown name."""
    made = clickid.make("abcdefgh", HOUR, "AAAAAAAA", OTHER)
    assert clickid.read(made, KEYS) is None
    assert clickid.read(made, {"B": Key("B", b"x" * 32)}) is None
    assert clickid.read(made, {"B": OTHER}) == ClickId("abcdefgh", HOUR, "AAAAAAAA")


def test_click_id_tells_its_hour_as_an_instant() -> None:
    """The conversion side learns when the click was, to the hour."""
    hour = clickid.hour_of(clock.epoch_s("2026-11-22T11:59:59.999Z"))
    assert ClickId("abc", hour, "AAAAAAAA").at == "2026-11-22T11:00:00.000Z"


@given(st.integers(0, 4_000_000_000_000))
def test_instant_is_what_the_clock_would_write(milliseconds: int) -> None:
    """The click function's cheap time text equals the one used everywhere else."""
    seconds = milliseconds / 1000
    assert clock.epoch_s(clickid.instant(seconds)) == int(seconds)
    assert len(clickid.instant(seconds)) == len(clock.EPOCH)


def test_visitor_changes_with_day_address_browser_and_salt() -> None:
    """Nobody can be followed to the next day, and two people differ."""
    hashes = {
        clickid.visitor(KEY, "2026-11-22", "203.0.113.7", "Firefox"),
        clickid.visitor(KEY, "2026-11-23", "203.0.113.7", "Firefox"),
        clickid.visitor(KEY, "2026-11-22", "203.0.113.8", "Firefox"),
        clickid.visitor(KEY, "2026-11-22", "203.0.113.7", "Chrome"),
        clickid.visitor(OTHER, "2026-11-22", "203.0.113.7", "Firefox"),
    }
    assert len(hashes) == 5


def test_visitor_with_broken_text_still_has_a_hash() -> None:
    """A lone surrogate in a header is no reason to fail."""
    assert len(clickid.visitor(KEY, "2026-11-22", "203.0.113.7", "\ud800")) == 8


@pytest.mark.parametrize("code", ["abc", "0a-b_c", "a" * 22])
def test_code_that_can_exist(code: str) -> None:
    """Three to 22 lower-case letters, digits, dashes and underscores."""
    assert clickid.is_code(code) is True


@pytest.mark.parametrize(
    "code", ["", "ab", "-ab", "_ab", "ABC", "a" * 23, "ab.c", "ab c", "abç", "abc\n"]
)
def test_code_that_cannot_exist(code: str) -> None:
    """Anything else is not worth a read."""
    assert clickid.is_code(code) is False


def test_cookie_keeps_the_last_ten_ids_oldest_first() -> None:
    """The eleventh id pushes the first out; a known id moves to the end."""
    ids = [clickid.make("abcdefgh", hour, "AAAAAAAA", KEY) for hour in range(11)]
    value = ""
    for click_id in ids:
        value = clickid.join_cookie(clickid.split_cookie(value), click_id)
    assert clickid.split_cookie(value) == ids[1:]
    again = clickid.join_cookie(clickid.split_cookie(value), ids[5])
    assert clickid.split_cookie(again) == [*ids[1:5], *ids[6:], ids[5]]


def test_cookie_drops_what_is_not_an_id() -> None:
    """A visitor's own additions disappear, and a swollen cookie is not even read."""
    good = clickid.make("abcdefgh", HOUR, "AAAAAAAA", KEY)
    assert clickid.split_cookie(f"~x~{good}~<script>~") == [good]
    assert clickid.split_cookie("~".join([good] * 40)) == []
    assert clickid.split_cookie("") == []


def test_salt_makes_the_key_it_was_made_for() -> None:
    """The stored attributes, with the secret as text or bytes, give the same key."""
    salt = clickid.new_salt(b"s" * 32, "2026-11-22T00:00:00.000Z", "2027-12-22T00:00:00.000Z")
    assert salt == {
        "kid": "A",
        "secret": "c3Nzc3Nzc3Nzc3Nzc3Nzc3Nzc3Nzc3Nzc3Nzc3Nzc3M=",
        "since": "2026-11-22T00:00:00.000Z",
        "expires": "2027-12-22T00:00:00.000Z",
    }
    assert clickid.key_of(salt).secret == b"s" * 32
    assert clickid.key_of({**salt, "secret": b"s" * 32}).secret == b"s" * 32


def test_salt_rotation_keeps_old_ids_until_the_old_salt_ends() -> None:
    """After a rotation both keys count; after its end the old one does not."""
    old = clickid.new_salt(b"o" * 32, "2026-01-01T00:00:00.000Z", "2026-12-01T00:00:00.000Z")
    new = clickid.new_salt(
        b"n" * 32, "2026-11-01T00:00:00.000Z", "2027-11-01T00:00:00.000Z", after=old["kid"]
    )
    stored = [{**old, "sk": old["kid"]}, {**new, "sk": "CURRENT"}]
    made = clickid.make("abcdefgh", HOUR, "AAAAAAAA", clickid.key_of(old))
    during = clickid.keys_of(stored, "2026-11-22T00:00:00.000Z")
    after = clickid.keys_of(stored, "2026-12-01T00:00:00.000Z")
    assert sorted(during) == ["A", "B"]
    assert clickid.read(made, during) == ClickId("abcdefgh", HOUR, "AAAAAAAA")
    assert sorted(after) == ["B"]
    assert clickid.read(made, after) is None


def test_salt_in_use_counts_past_its_end() -> None:
    """A rotation that nobody ran does not cost partners their clicks."""
    salt = clickid.new_salt(b"s" * 32, "2025-01-01T00:00:00.000Z", "2026-01-01T00:00:00.000Z")
    assert sorted(clickid.keys_of([{**salt, "sk": "CURRENT"}], "2026-11-22T00:00:00.000Z")) == ["A"]


def test_salt_key_ids_come_round() -> None:
    """After the last key id comes the first again, long after its salt has ended."""
    kid = ""
    seen = []
    for _ in range(33):
        kid = clickid.new_salt(b"s" * 32, "2026", "2027", after=kid)["kid"]
        seen.append(kid)
    assert "".join(seen) == "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567A"


@pytest.mark.parametrize(
    "salt",
    [
        {},
        {"kid": "A"},
        {"kid": "A", "secret": "c2hvcnQ="},
        {"kid": "A", "secret": "not base64!"},
        {"kid": "AB", "secret": "c" * 44},
        {"kid": "a", "secret": "c" * 44},
    ],
)
def test_salt_that_is_none_is_refused(salt: dict[str, object]) -> None:
    """A damaged salt is an error by name, not a weak key."""
    with pytest.raises(ValueError, match=r"key|salt"):
        clickid.key_of(salt)


def test_salt_that_is_too_short_or_over_at_once_cannot_be_made() -> None:
    """Fewer than 32 bytes, or an end before the beginning, is refused."""
    with pytest.raises(ValueError, match="at least 32 bytes"):
        clickid.new_salt(b"s" * 31, "2026", "2027")
    with pytest.raises(ValueError, match="expires after"):
        clickid.new_salt(b"s" * 32, "2027", "2027")
