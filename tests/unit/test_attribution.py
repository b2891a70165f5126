"""Who is credited, by model and window."""

from typing import Any

import pytest

from introducer import attribution
from introducer.document.credit import Attribution, Creditable
from introducer.referral import Touch
from tests.support.life import NOW, touch

PIA = touch("pia", id="a", at="2026-11-01T00:00:00.000Z")
EMIL = touch("emil", id="b", at="2026-11-02T00:00:00.000Z")
PIA_AGAIN = touch("pia", id="c", at="2026-11-03T00:00:00.000Z")


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ("first_touch", {"pia": 10_000}),
        ("last_touch", {"emil": 10_000}),
        ("linear", {"pia": 5_000, "emil": 5_000}),
    ],
)
def test_credit_follows_the_model(model: str, expected: dict[str, int]) -> None:
    """Two touches, three models."""
    rule = Attribution(model=model)  # type: ignore[arg-type]
    assert expected == attribution.credit([EMIL, PIA], rule, at=NOW)


def test_credit_linear_counts_touches_and_adds_up() -> None:
    """Two of three touches are two thirds, and the unit left over goes to the larger remainder."""
    parts = attribution.credit([PIA, EMIL, PIA_AGAIN], Attribution(model="linear"), at=NOW)
    assert {"pia": 6_667, "emil": 3_333} == parts


def test_credit_of_nothing_is_nobody() -> None:
    """No touch, no partner."""
    assert {} == attribution.credit([], Attribution(), at=NOW)


def test_credit_ignores_touches_without_a_partner() -> None:
    """A flag or an unknown link earns nobody anything, even as the last touch."""
    flag = Touch(id="z", kind="flag", at=NOW)
    assert {"pia": 10_000} == attribution.credit([PIA, flag], Attribution(), at=NOW)


@pytest.mark.parametrize(
    ("at", "counts"),
    [
        ("2026-10-23T09:59:59.999Z", False),
        ("2026-10-23T10:00:00.000Z", True),
        ("2026-11-22T10:00:00.000Z", True),
        ("2026-11-22T10:00:00.001Z", False),
    ],
)
def test_credit_window_includes_both_ends(at: str, *, counts: bool) -> None:
    """Thirty days to the millisecond before the lead count, and nothing after it."""
    parts = attribution.credit([touch("pia", at=at)], Attribution(window_days=30), at=NOW)
    assert ({"pia": 10_000} if counts else {}) == parts


def test_credit_of_the_same_moment_goes_by_id() -> None:
    """Two touches in one millisecond have one order."""
    both = [touch("emil", id="2", at=NOW), touch("pia", id="1", at=NOW)]
    assert {"emil": 10_000} == attribution.credit(both, Attribution(), at=NOW)
    assert {"emil": 10_000} == attribution.credit(both[::-1], Attribution(), at=NOW)


def _credit(*names: str, **rule: Any) -> dict[str, int]:
    """Return the credit of touches, one a day, of the partners named."""
    touches = [
        touch(name, id=f"{day}", at=f"2026-11-{day:02}T00:00:00.000Z")
        for day, name in enumerate(names, 1)
    ]
    return attribution.credit(touches, Attribution(**rule), at=NOW)


@pytest.mark.parametrize(
    ("names", "parts", "expected"),
    [
        (["pia"], {}, {"pia": 10_000}),
        (["pia"], {"first_basis_points": 0}, {"pia": 10_000}),
        (["pia", "emil"], {}, {"pia": 5_000, "emil": 5_000}),
        (
            ["pia", "emil"],
            {"first_basis_points": 6000, "last_basis_points": 2000},
            {"pia": 7_500, "emil": 2_500},
        ),
        (
            ["pia", "emil"],
            {"first_basis_points": 0, "last_basis_points": 0},
            {"pia": 5_000, "emil": 5_000},
        ),
        (["pia", "emil", "zoe"], {}, {"pia": 4_000, "emil": 2_000, "zoe": 4_000}),
        (
            ["pia", "emil", "ole", "ada", "zoe"],
            {},
            {"pia": 4_000, "emil": 667, "ole": 667, "ada": 666, "zoe": 4_000},
        ),
        (["pia", "emil", "emil", "pia"], {}, {"pia": 8_000, "emil": 2_000}),
        (
            ["pia", "emil", "zoe"],
            {"first_basis_points": 10_000, "last_basis_points": 0},
            {"pia": 10_000},
        ),
    ],
)
def test_credit_by_position(
    names: list[str], parts: dict[str, int], expected: dict[str, int]
) -> None:
    """First and last have their part, the rest is spread evenly; two share by their parts."""
    assert expected == _credit(*names, model="position_based", **parts)


@pytest.mark.parametrize(
    ("names", "shares", "expected"),
    [
        (["pia", "emil"], [7000, 3000], {"pia": 7_000, "emil": 3_000}),
        (["emil", "pia"], [7000, 3000], {"emil": 7_000, "pia": 3_000}),
        (["pia", "pia", "emil"], [7000, 3000], {"pia": 7_000, "emil": 3_000}),
        (["pia"], [7000, 3000], {"pia": 10_000}),
        (["pia", "emil"], [5000, 3000, 2000], {"pia": 6_250, "emil": 3_750}),
        (["pia", "emil", "zoe"], [7000, 3000], {"pia": 7_000, "emil": 3_000}),
        (["pia", "emil"], [0, 10_000], {"emil": 10_000}),
        (["pia", "emil"], [], {"pia": 5_000, "emil": 5_000}),
    ],
)
def test_credit_by_fixed_shares(
    names: list[str], shares: list[int], expected: dict[str, int]
) -> None:
    """Co-referrers take the shares in turn; what nobody takes goes to them in proportion."""
    assert expected == _credit(*names, model="fixed", shares_basis_points=shares)


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ("first_touch", {"pia": 10_000}),
        ("last_touch", {"pia": 10_000}),
        ("position_based", {"pia": 10_000}),
        ("linear", {"pia": 5_000, "emil": 5_000}),
        ("fixed", {"pia": 8_000, "emil": 2_000}),
    ],
)
def test_credit_of_a_named_co_referrer(model: str, expected: dict[str, int]) -> None:
    """Who is only named beside another shares, and never takes a first or last touch from them."""
    named = touch(
        "emil", id="n", kind="code", at=NOW, data={attribution.ROLE: attribution.CO_REFERRER}
    )
    rule = Attribution(model=model, shares_basis_points=[8000, 2000])  # type: ignore[arg-type]
    assert expected == attribution.credit([named, PIA], rule, at=NOW)


def test_credit_counts_the_kinds_of_touch_that_the_program_names() -> None:
    """A later click counts for nothing where only codes are credited."""
    code = touch("pia", id="1", kind="code", at="2026-11-01T00:00:00.000Z")
    click = touch("emil", id="2", at="2026-11-02T00:00:00.000Z")
    rule = Attribution(creditable=Creditable(touches=["code"]))
    assert {"pia": 10_000} == attribution.credit([click, code], rule, at=NOW)
    assert {} == attribution.credit([click], rule, at=NOW)


def test_explanation_names_why_each_touch_does_not_count() -> None:
    """Every reason there is, once; what counts has none."""
    named = {attribution.ROLE: attribution.CO_REFERRER}
    rule = Attribution(window_days=30, creditable=Creditable(touches=["click", "code"]))
    found = [
        touch("pia", id="old", at="2026-10-01T00:00:00.000Z"),
        touch("pia", id="twice", at="2026-11-01T00:00:00.000Z"),
        touch("pia", id="twice", at="2026-11-02T00:00:00.000Z"),
        touch("", id="flag", at="2026-11-03T00:00:00.000Z"),
        touch("gone", id="gone", at="2026-11-04T00:00:00.000Z"),
        touch("emil", id="form", kind="form", at="2026-11-05T00:00:00.000Z"),
        touch("emil", id="named", at="2026-11-06T00:00:00.000Z", data=named),
        touch("emil", id="late", at="2026-11-07T00:00:00.000Z", late=True),
        touch("emil", id="after", at="2026-12-01T00:00:00.000Z"),
    ]
    weighed = attribution.explain(found, rule, at=NOW, uncredited={"gone"})
    assert [
        ("old", "before_window", 0),
        ("twice", "", 1),
        ("twice", "repeated", 0),
        ("flag", "no_partner", 0),
        ("gone", "uncredited", 0),
        ("form", "kind", 0),
        ("named", "co_referrer", 0),
        ("late", "late", 0),
        ("after", "after_lead", 0),
    ] == [(each.touch.id, each.why, each.weight) for each in weighed]
    assert {"pia": 10_000} == attribution.parts(weighed)
