"""Ids are unguessable where they must be and repeatable where a retry must meet itself."""

import re

from introducer import ids


def test_new_ids_are_different_and_plain() -> None:
    """A thousand ids, no two alike, nothing that needs escaping."""
    made = {ids.new_id() for _ in range(1_000)}
    assert 1_000 == len(made)
    assert all(re.fullmatch("[0-9a-hjkmnp-tv-z]{20}", each) for each in made)


def test_codes_have_no_look_alikes() -> None:
    """A code read from paper is typed right."""
    for _ in range(200):
        code = ids.new_code()
        assert 8 == len(code)
        assert not set(code) & set("01ilou")


def test_bank_references_fit_every_rail_and_repeat() -> None:
    """The same payout has the same reference, 15 characters of A-Z and 0-9."""
    reference = ids.bank_reference("batch", "partner")
    assert reference == ids.bank_reference("batch", "partner")
    assert reference != ids.bank_reference("batchp", "artner")
    assert re.fullmatch("P[0-9A-Z]{14}", reference)


def test_shards_are_even() -> None:
    """No shard carries more than its part, give or take."""
    counts = [0] * 8
    for number in range(8_000):
        counts[ids.shard(str(number), 8)] += 1
    assert all(800 < count < 1_200 for count in counts)
