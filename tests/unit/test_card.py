"""Codes of print cards: readable, typable, and wrong when anything in them is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from introducer import card, clickid

CODES = st.builds(
    lambda first, rest: card.with_check(first + rest),
    st.sampled_from("23456789"),
    st.text(card.ALPHABET, min_size=7, max_size=7),
)


def test_new_code_is_a_link_code_without_characters_that_look_alike() -> None:
    """Every generated code is right, fits a link, and holds no i, l, o, u or z."""
    codes = [card.new_code() for _ in range(500)]
    assert all(card.is_right(code) and clickid.is_code(code) for code in codes)
    assert set() == set("".join(codes)) & set("ilouz")
    assert 500 == len(set(codes))


@given(CODES, st.data())
def test_one_wrong_character_always_shows(code: str, data: st.DataObject) -> None:
    """Whichever character is replaced by whichever other, the code is not right."""
    place = data.draw(st.integers(0, card.LENGTH - 1))
    other = data.draw(st.sampled_from([each for each in card.ALPHABET if each != code[place]]))
    assert not card.is_right(code[:place] + other + code[place + 1 :])


@given(CODES, st.data())
def test_two_that_changed_places_always_show(code: str, data: st.DataObject) -> None:
    """Adjacent or not, unless they are the same character."""
    one = data.draw(st.integers(0, card.LENGTH - 1))
    two = data.draw(st.integers(0, card.LENGTH - 1))
    swapped = list(code)
    swapped[one], swapped[two] = swapped[two], swapped[one]
    assert (code[one] == code[two]) == card.is_right("".join(swapped))


@given(CODES)
def test_code_is_read_as_people_type_it(code: str) -> None:
    """Groups, hyphens, capitals and the letters that look like digits are all the same code."""
    shown = card.shown(code)
    assert 11 == len(shown)
    for typed in (
        shown,
        shown.replace(" ", "-"),
        shown.replace("1", "I").replace("0", "O"),
        shown.lower().replace("1", "l").replace("2", "z").replace("v", "u"),
        f" {code} ",
    ):
        assert code == card.read(typed)
        assert card.looks_like(typed)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", False),
        ("k7m2p9xw", False),
        ("maria-s", False),
        ("christina", False),
        ("7km2p9xwqq", False),
        ("7km2p9xw\N{SUPERSCRIPT TWO}", False),
        ("7km2p9xw!", False),
        ("7KM 2P9 XWQ", True),
    ],
)
def test_looks_like_knows_cards_by_their_shape(text: str, *, expected: bool) -> None:
    """Nine letters and digits led by a digit; no other code is made like that."""
    assert expected == card.looks_like(text)
