"""Joining referrals never loses a touch, in whatever order they are joined."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from introducer.referral import Touch
from submit.resources.merging import missing

NAMES = ("a", "b", "c", "d")
"""Four referrals of one lead, the first of which stays in the end."""
TOUCHES = st.lists(
    st.builds(
        Touch,
        id=st.sampled_from(["form", "code-x", "click-1", "click-2"]),
        kind=st.just("form"),
        at=st.sampled_from([f"2026-11-2{day}T09:00:00.000Z" for day in range(3)]),
        partner=st.sampled_from(["pia", "emil", ""]),
    ).map(lambda touch: _as_click(touch) if touch.id.startswith("click") else touch),
    max_size=6,
    unique_by=lambda touch: (touch.at, touch.id),
)


def _as_click(touch: Touch) -> Touch:
    # A click's id says whose link it was and when, so equal ids are equal clicks.
    number = int(touch.id[-1])
    at = f"2026-11-2{number}T08:00:00.000Z"
    return Touch(id=touch.id, kind="click", at=at, partner=f"p{number}")


@st.composite
def _orders(draw: st.DrawFn) -> list[tuple[str, str]]:
    """Return joins (ending, staying) after which only the first referral is left."""
    left = list(NAMES)
    joins = []
    while len(left) > 1:
        ending = draw(st.sampled_from(left[1:]))
        staying = draw(st.sampled_from(left[: left.index(ending)]))
        left.remove(ending)
        joins.append((ending, staying))
    return joins


def _joined(
    start: dict[str, list[Touch]], order: list[tuple[str, str]], times: int = 1
) -> list[Touch]:
    held = {name: list(touches) for name, touches in start.items()}
    for ending, staying in order:
        for _ in range(times):
            held[staying] += missing(held[staying], held[ending], ending)
    return sorted(held["a"], key=lambda touch: (touch.at, touch.id))


@given(start=st.fixed_dictionaries(dict.fromkeys(NAMES, TOUCHES)), one=_orders(), other=_orders())
def test_any_order_of_joins_keeps_every_touch(
    start: dict[str, list[Touch]], one: list[tuple[str, str]], other: list[tuple[str, str]]
) -> None:
    """The one that stays has its own as they were and all others as evidence, each once."""
    found = _joined(start, one)
    assert found == _joined(start, other) == _joined(start, one, times=2)
    own = {(touch.at, touch.id) for touch in start["a"]}
    assert start["a"] == [touch for touch in start["a"] if touch in found], (
        "its own are as they were"
    )
    assert all(touch.late for touch in found if (touch.at, touch.id) not in own)
    clicks = {touch.id for name in NAMES for touch in start[name] if touch.kind == "click"}
    others = sum(touch.kind != "click" for name in NAMES for touch in start[name])
    assert len(clicks) + others == len(found)
