"""Weighted turns are fair whatever the weights, and whoever is away in between."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from introducer import turn
from introducer.turn import Turn

START = Turn(program="acme", rule="dach")
WEIGHTS = st.dictionaries(
    st.sampled_from(("anna", "ben", "cleo", "dora", "emil")),
    st.integers(1, 100),
    min_size=2,
)


@given(weights=WEIGHTS, rounds=st.integers(1, 3), begin=st.integers(0, 200))
def test_every_stretch_as_long_as_a_round_is_exact(
    weights: dict[str, int], rounds: int, begin: int
) -> None:
    """Wherever it begins, everybody has exactly their weight of turns in it."""
    now, names = START, []
    length = rounds * sum(weights.values())
    for _ in range(begin + length):
        names.append(turn.whose(now, weights))
        now = turn.take(now, weights)
    expected = {rep: rounds * weight for rep, weight in weights.items()}
    assert expected == Counter(names[begin:])


@given(weights=WEIGHTS, data=st.data())
def test_nobody_is_ever_far_ahead_or_behind(weights: dict[str, int], data: st.DataObject) -> None:
    """Whoever is away at any turn: credits make nothing together and stay within two rounds."""
    now = START
    for _ in range(60):
        here = data.draw(st.sets(st.sampled_from(sorted(weights)), min_size=1))
        able = {rep: weight for rep, weight in weights.items() if rep in here}
        before = now
        now = turn.take(before, able)
        assert before.version + 1 == now.version
        assert 0 == sum(now.credit.values())
        assert all(abs(credit) <= 2 * sum(weights.values()) for credit in now.credit.values())
        away = weights.keys() - here
        assert all(now.credit.get(rep, 0) == before.credit.get(rep, 0) for rep in away)
