"""Who is credited for a referral, computed from its touches and nothing else."""

from __future__ import annotations

from collections.abc import Sequence

from introducer import clock, money
from introducer.clock import Instant
from introducer.document.credit import Attribution
from introducer.referral import Touch

ROLE = "role"
CO_REFERRER = "co_referrer"
"""What a touch says under :data:`ROLE` when its partner was named beside another in a
submission. It is shared with, under ``linear`` and ``fixed``; it never takes the credit
of a first or last touch."""


def credit(touches: Sequence[Touch], rule: Attribution, *, at: Instant) -> dict[str, int]:
    """Return each credited partner's part in basis points; the parts make 10,000.

    Args:
        touches: In any order; those without a partner are ignored. Whether a partner may be
            credited at all is the caller's to know.
        rule: The program version's model, window and creditable kinds of touch.
        at: When the lead was submitted. Touches after it, or from before the
            window, do not count.

    Returns:
        Partners in the order of their first touch; nobody without a part. An empty
        dictionary when no touch counts.
    """
    counted = _counted(touches, rule, at)
    weights: dict[str, int] = {}
    for touch, weight in zip(counted, _weights(counted, rule), strict=True):
        weights[touch.partner] = weights.get(touch.partner, 0) + weight
    if not weights:
        return {}
    if not any(weights.values()):
        weights = dict.fromkeys(weights, 1)
    parts = money.split(money.BASIS_POINTS, list(weights.values()))
    return {partner: part for partner, part in zip(weights, parts, strict=True) if part}


def _counted(touches: Sequence[Touch], rule: Attribution, at: Instant) -> list[Touch]:
    """Return the touches that count, each once, oldest first."""
    opens = clock.plus(at, days=-rule.window_days)
    kinds = frozenset[str](rule.creditable.touches)
    shared = rule.model in {"linear", "fixed"}
    counted = {
        touch.id: touch
        for touch in touches
        if touch.partner
        and opens <= touch.at <= at
        and (not kinds or touch.kind in kinds)
        and (shared or touch.data.get(ROLE) != CO_REFERRER)
    }
    return sorted(counted.values(), key=lambda touch: (touch.at, touch.id))


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
