"""Stored values come back as they went in, and what cannot is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from introducer.tables import codec

values = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**37), 10**37) | st.text() | st.binary(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(values)
def test_values_survive_storage(value: object) -> None:
    """Integers stay integers however large; text is not touched."""
    assert value == codec.decode(codec.encode(value))


@pytest.mark.parametrize("value", [0.1, float("nan"), {"amount": 1.0}, [2.5], object()])
def test_floats_are_refused(value: object) -> None:
    """A float never reaches the table, at any depth."""
    with pytest.raises(TypeError, match="is not stored"):
        codec.encode(value)
