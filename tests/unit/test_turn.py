"""Taking turns by weight."""

from collections import Counter

import pytest

from introducer import turn
from introducer.turn import Turn

START = Turn(program="acme", rule="dach")


def taken(count: int, weights: dict[str, int], start: Turn = START) -> tuple[list[str], Turn]:
    """Return who took the next *count* turns, and where the round is then."""
    names, now = [], start
    for _ in range(count):
        names.append(turn.whose(now, weights))
        now = turn.take(now, weights)
    return names, now


def test_equal_weights_take_turns_in_the_rules_order() -> None:
    """Plain round robin; after a round everything is as at its beginning."""
    names, after = taken(6, {"anna": 1, "ben": 1, "cleo": 1})
    assert ["anna", "ben", "cleo"] * 2 == names
    assert Turn(program="acme", rule="dach", version=6) == after


def test_weights_are_exact_over_a_round_and_spread_within_it() -> None:
    """Five to one to one: nobody waits until somebody else has had all theirs."""
    names, after = taken(7, {"anna": 5, "ben": 1, "cleo": 1})
    assert ["anna", "anna", "ben", "anna", "cleo", "anna", "anna"] == names
    assert {} == after.credit


@pytest.mark.parametrize(
    "weights", [{"a": 3, "b": 2}, {"a": 100, "b": 1}, {"a": 7, "b": 7, "c": 2}]
)
def test_weights_are_exact_over_every_round(weights: dict[str, int]) -> None:
    """From any point on, as many turns as the weights add up to are one exact round."""
    total = sum(weights.values())
    names, _ = taken(4 * total, weights)
    for begin in range(2 * total):
        assert weights == Counter(names[begin : begin + total])


def test_who_cannot_take_a_turn_is_not_owed_one_for_it() -> None:
    """Ben is away for a while: afterwards turns go on as before, without a run of his."""
    everybody, without_ben = {"anna": 1, "ben": 1, "cleo": 1}, {"anna": 1, "cleo": 1}
    _, now = taken(3, everybody)
    names, now = taken(10, without_ben, now)
    assert {"anna": 5, "cleo": 5} == Counter(names)
    names, _ = taken(6, everybody, now)
    assert ["anna", "ben", "cleo"] * 2 == names


def test_turns_of_somebody_new_begin_at_once() -> None:
    """Joining a rule in mid-round is being there from the next turn on."""
    _, now = taken(3, {"anna": 1, "ben": 1})
    names, _ = taken(6, {"anna": 1, "ben": 1, "dora": 1}, now)
    assert {"anna": 2, "ben": 2, "dora": 2} == Counter(names)
