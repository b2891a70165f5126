"""Taking turns by weight: smooth, and exact over a round.

Everybody who could take a turn is credited with their weight; who then has most takes it
and pays for it the weights of all. Over a round of as many turns as the weights add up to
each has exactly their weight of turns, spread as evenly as they can be. (The scheme is the one
nginx balances its upstream servers by.) Who could not take a turn is not credited for it.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec


class Turn(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Where a rule's reps are in their round; ``version`` counts the turns taken."""

    program: str
    rule: str
    version: int = 0
    credit: dict[str, int] = {}
    """By rep; who is not here has none. All together make nothing."""


def whose(turn: Turn, weights: Mapping[str, int]) -> str:
    """Return who is next.

    Args:
        turn: As the last one left it.
        weights: Those who could take it, each with their weight, in the rule's order,
            which decides where credits are equal; not empty.
    """
    return max(weights, key=lambda rep: turn.credit.get(rep, 0) + weights[rep])


def take(turn: Turn, weights: Mapping[str, int]) -> Turn:
    """Return the turn after the one who is next has taken it; arguments as in :func:`whose`."""
    credit = turn.credit | {rep: turn.credit.get(rep, 0) + weights[rep] for rep in weights}
    credit[whose(turn, weights)] -= sum(weights.values())
    left = {rep: value for rep, value in credit.items() if value}
    return msgspec.structs.replace(turn, version=turn.version + 1, credit=left)
