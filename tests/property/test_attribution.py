"""Attribution does not depend on how the touches arrived, and its parts make the whole."""

from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from introducer import attribution, clock
from introducer.document.credit import Attribution, Creditable
from introducer.referral import Touch
from tests.support.life import NOW

MODELS = ["first_touch", "last_touch", "linear", "position_based", "fixed"]

kinds = st.sampled_from(["click", "code", "form", "email"])
touches = st.lists(
    st.builds(
        lambda number, partner, seconds, kind, data: Touch(
            # One id is one touch: what it tells never differs.
            id=f"t{number}",
            kind=kind,
            partner=partner,
            at=clock.plus(NOW, seconds=-seconds),
            data=data,
        ),
        st.integers(0, 10_000),
        st.sampled_from(["", "pia", "emil", "zoe", "ole"]),
        st.integers(-100_000, 10_000_000),
        kinds,
        st.sampled_from([{}, {}, {attribution.ROLE: attribution.CO_REFERRER}]),
    ),
    max_size=12,
    unique_by=lambda touch: touch.id,
)
rules = st.builds(
    Attribution,
    model=st.sampled_from(MODELS),
    window_days=st.integers(1, 120),
    first_basis_points=st.integers(0, 10_000),
    last_basis_points=st.integers(0, 10_000),
    shares_basis_points=st.lists(st.integers(0, 10_000), max_size=5),
    creditable=st.builds(Creditable, touches=st.lists(kinds, max_size=2)),
)


def counts(touch: Touch, rule: Attribution) -> bool:
    """Return whether a touch may be credited, as the documentation says it."""
    opens = clock.plus(NOW, days=-rule.window_days)
    named = touch.data.get(attribution.ROLE) == attribution.CO_REFERRER
    wanted = rule.creditable.touches
    return (
        touch.partner != ""
        and opens <= touch.at <= NOW
        and (touch.kind in wanted or not wanted)
        and (rule.model in ("linear", "fixed") or not named)
    )


@given(touches, rules)
def test_parts_make_the_whole(given_touches: list[Touch], rule: Attribution) -> None:
    """The parts make 10,000 or there are none, and nobody outside the window has one."""
    parts = attribution.credit(given_touches, rule, at=NOW)
    entitled = {touch.partner for touch in given_touches if counts(touch, rule)}
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


@given(touches, touches, rules)
def test_touches_that_do_not_count_change_nothing(
    given_touches: list[Touch], others: list[Touch], rule: Attribution
) -> None:
    """Outside the window, of a kind that is not credited, or of nobody: as if it were not there."""
    # Of ids that no counted touch has.
    without = [
        msgspec.structs.replace(touch, id=f"x{touch.id}")
        for touch in others
        if not counts(touch, rule)
    ]
    expected = attribution.credit(given_touches, rule, at=NOW)
    assert expected == attribution.credit([*without, *given_touches], rule, at=NOW)


@given(touches, rules)
def test_one_partner_alone_has_everything(given_touches: list[Touch], rule: Attribution) -> None:
    """Whatever the model and its parts, there is nobody to share with."""
    alone = [msgspec.structs.replace(touch, partner="pia") for touch in given_touches]
    expected = {"pia": 10_000} if any(counts(touch, rule) for touch in alone) else {}
    assert expected == attribution.credit(alone, rule, at=NOW)
