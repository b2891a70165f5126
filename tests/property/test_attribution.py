"""Attribution does not depend on how the touches arrived."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from introducer import attribution, clock
from introducer.document.credit import Attribution
from introducer.referral import Touch
from tests.support.life import NOW

touches = st.lists(
    st.builds(
        lambda number, partner, seconds: Touch(
            # One id is one touch: what it tells never differs.
            id=f"t{number}",
            kind="click",
            partner=partner,
            at=clock.plus(NOW, seconds=-seconds),
        ),
        st.integers(0, 10_000),
        st.sampled_from(["", "pia", "emil", "zoe", "ole"]),
        st.integers(-100_000, 10_000_000),
    ),
    max_size=12,
    unique_by=lambda touch: touch.id,
)
rules = st.builds(
    Attribution,
    model=st.sampled_from(["first_touch", "last_touch", "linear"]),
    window_days=st.integers(1, 120),
)


@given(touches, rules)
def test_parts_make_the_whole(given_touches: list[Touch], rule: Attribution) -> None:
    """The parts make 10,000 or there are none, and nobody outside the window has one."""
    parts = attribution.credit(given_touches, rule, at=NOW)
    opens = clock.plus(NOW, days=-rule.window_days)
    entitled = {
        touch.partner for touch in given_touches if touch.partner and opens <= touch.at <= NOW
    }
    assert sum(parts.values()) == (10_000 if entitled else 0)
    assert parts.keys() <= entitled
    assert all(part > 0 for part in parts.values())


@given(touches, rules, st.data())
def test_order_and_repetition_change_nothing(
    given_touches: list[Touch], rule: Attribution, data: Any
) -> None:
    """Any permutation of the touches, each any number of times, credits the same partners."""
    expected = attribution.credit(given_touches, rule, at=NOW)
    repeated = given_touches + data.draw(
        st.lists(st.sampled_from(given_touches), max_size=8) if given_touches else st.just([])
    )
    shuffled = data.draw(st.permutations(repeated))
    assert list(expected.items()) == list(attribution.credit(shuffled, rule, at=NOW).items())
