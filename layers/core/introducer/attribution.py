"""Who is credited for a referral, computed from its touches and nothing else.

:func:`explain` is the one computation: what became of each touch, and why. :func:`credit` adds
it up.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Literal

import msgspec

from introducer import clock, money
from introducer.clock import Instant
from introducer.document.credit import Attribution
from introducer.referral import Referral, Touch

ROLE = "role"
CO_REFERRER = "co_referrer"
"""What a touch says under :data:`ROLE` when its partner was named beside another in a
submission. It is shared with, under ``linear`` and ``fixed``; it never takes the credit
of a first or last touch."""

Why = Literal[
    "",
    "no_partner",
    "uncredited",
    "late",
    "after_lead",
    "before_window",
    "kind",
    "co_referrer",
    "repeated",
]
"""Why a touch does not count, empty when it does. ``uncredited``: its partner could not be
credited when the lead was screened; ``late``: it became known only after that."""


class Weighed(msgspec.Struct, frozen=True, kw_only=True):
    """A touch and what the model makes of it.

    ``weight`` is in proportion to its credit among the touches that count; one that counts may
    have none, such as all but the last under ``last_touch``.
    """

    touch: Touch
    why: Why = ""
    weight: int = 0

    @property
    def counted(self) -> bool:
        """Return whether it was one of those the model chose from."""
        return not self.why


def explain(
    touches: Iterable[Touch],
    rule: Attribution,
    *,
    at: Instant,
    uncredited: Collection[str] = (),
) -> list[Weighed]:
    """Return every touch, oldest first and each once, with what became of it.

    Args:
        touches: In any order, repeated or not.
        rule: The program version's model, window and creditable kinds of touch.
        at: When the lead was submitted. Touches after it, or from before the
            window, do not count.
        uncredited: Partners who could not be credited when the lead was screened.
    """
    ordered = sorted(
        {(touch.at, touch.id): touch for touch in touches}.values(),
        key=lambda touch: (touch.at, touch.id),
    )
    seen: set[str] = set()
    judged: list[tuple[Touch, Why]] = []
    for touch in ordered:
        why = _why(touch, rule, at, uncredited)
        if not why and touch.id in seen:
            why = "repeated"
        if not why:
            seen.add(touch.id)
        judged.append((touch, why))
    weights = iter(_weighed([touch for touch, why in judged if not why], rule))
    return [
        Weighed(touch=touch, why=why, weight=0 if why else next(weights)) for touch, why in judged
    ]


def parts(weighed: Iterable[Weighed]) -> dict[str, int]:
    """Return each credited partner's part in basis points, added up from what counted.

    Returns:
        Partners in the order of their first touch; nobody without a part. The parts make
        10,000; an empty dictionary when no touch counts.
    """
    weights: dict[str, int] = {}
    for each in weighed:
        if each.counted:
            partner = each.touch.partner
            weights[partner] = weights.get(partner, 0) + each.weight
    if not weights:
        return {}
    split = money.split(money.BASIS_POINTS, list(weights.values()))
    return {partner: part for partner, part in zip(weights, split, strict=True) if part}


def credit(
    touches: Iterable[Touch],
    rule: Attribution,
    *,
    at: Instant,
    uncredited: Collection[str] = (),
) -> dict[str, int]:
    """Return each credited partner's part in basis points: :func:`parts` of :func:`explain`."""
    return parts(explain(touches, rule, at=at, uncredited=uncredited))


def explained(referral: Referral, touches: Iterable[Touch], rule: Attribution) -> list[Weighed]:
    """Return what became of the touches of a stored *referral* when it was screened.

    It gives the same at any later time: who could not be credited then is kept with the
    referral, and a touch that was added since is marked ``late``.
    """
    return explain(touches, rule, at=referral.submitted_at, uncredited=referral.uncredited)


def _why(touch: Touch, rule: Attribution, at: Instant, uncredited: Collection[str]) -> Why:
    """Return why *touch* does not count, empty when it does."""
    kinds = rule.creditable.touches
    shared = rule.model in {"linear", "fixed"}
    reasons: tuple[tuple[Why, bool], ...] = (
        ("no_partner", not touch.partner),
        ("late", touch.late),
        ("uncredited", touch.partner in uncredited),
        ("after_lead", touch.at > at),
        ("before_window", touch.at < clock.plus(at, days=-rule.window_days)),
        ("kind", bool(kinds) and touch.kind not in kinds),
        ("co_referrer", not shared and touch.data.get(ROLE) == CO_REFERRER),
    )
    return next((why for why, holds in reasons if holds), "")


def _weighed(touches: Sequence[Touch], rule: Attribution) -> list[int]:
    """Return the weights of the touches that count; somebody always has one."""
    weights = _weights(touches, rule)
    if any(weights):
        return weights
    # The model gives to places that nobody took: everybody who was there shares alike.
    partners = [touch.partner for touch in touches]
    return [int(partner not in partners[:place]) for place, partner in enumerate(partners)]


def _weights(touches: Sequence[Touch], rule: Attribution) -> list[int]:
    """Return the weight of each touch, whole numbers in proportion to its credit."""
    count = len(touches)
    match rule.model:
        case "first_touch":
            return [1 if place == 0 else 0 for place in range(count)]
        case "last_touch":
            return [1 if place == count - 1 else 0 for place in range(count)]
        case "linear":
            return [1] * count
        case "position_based":
            return _by_position(count, rule)
        case "fixed":
            return _by_share(touches, rule)


def _by_position(count: int, rule: Attribution) -> list[int]:
    first, last = rule.first_basis_points, rule.last_basis_points
    between = count - 2
    if between <= 0:
        return [first, last][:count]
    # Times the number between, so that each of them gets a whole number.
    rest = max(money.BASIS_POINTS - first - last, 0)
    return [first * between, *[rest] * between, last * between]


def _by_share(touches: Sequence[Touch], rule: Attribution) -> list[int]:
    shares = iter(rule.shares_basis_points)
    seen: set[str] = set()
    weights = []
    for touch in touches:
        weights.append(0 if touch.partner in seen else next(shares, 0))
        seen.add(touch.partner)
    return weights
