"""Who is credited for a referral, computed from its touches and nothing else."""

from __future__ import annotations

from collections.abc import Sequence

from introducer import clock, money
from introducer.clock import Instant
from introducer.document.credit import Attribution
from introducer.referral import Touch


def credit(touches: Sequence[Touch], rule: Attribution, *, at: Instant) -> dict[str, int]:
    """Return each credited partner's part in basis points; the parts make 10,000.

    Args:
        touches: In any order; those without a partner are ignored.
        rule: The program version's model and window.
        at: When the lead was submitted. Touches after it, or from before the
            window, do not count.

    Returns:
        An empty dictionary when no touch counts.
    """
    opens = clock.plus(at, days=-rule.window_days)
    counted = sorted(
        {
            touch.id: touch for touch in touches if touch.partner and opens <= touch.at <= at
        }.values(),
        key=lambda touch: (touch.at, touch.id),
    )
    if not counted:
        return {}
    match rule.model:
        case "first_touch":
            return {counted[0].partner: money.BASIS_POINTS}
        case "last_touch":
            return {counted[-1].partner: money.BASIS_POINTS}
        case "linear":
            return _linear(counted)


def _linear(touches: Sequence[Touch]) -> dict[str, int]:
    weights: dict[str, int] = {}
    for touch in touches:
        weights[touch.partner] = weights.get(touch.partner, 0) + 1
    parts = money.split(money.BASIS_POINTS, list(weights.values()))
    return dict(zip(weights, parts, strict=True))
