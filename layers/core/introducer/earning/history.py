"""What a partner achieved before: the tallies that tiers and caps are counted in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import msgspec

from introducer.clock import Instant

Position = tuple[Instant, str, str]
"""Business time, referral, occasion: the one order of successes."""


class TallyKey(NamedTuple):
    """One tally: whose, of what, and in which period.

    ``scope`` is ``plan.{id}`` for the successes of a plan and ``cap.{id}`` for the awards
    under a cap; ``period`` is ``2026-11``, ``2026-Q4``, ``2026`` or ``ever``.
    """

    holder: str
    scope: str
    period: str


class Success(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One entry of a tally: what an occasion is worth, or what was awarded for it.

    ``count`` is 1, 0 for one that no longer counts, or more for several rolled into one.
    """

    at: Instant
    referral: str
    occasion: str
    count: int = 1
    value_minor: int = 0
    award_minor: int = 0

    @property
    def position(self) -> Position:
        """Return its place in the order of successes."""
        return self.at, self.referral, self.occasion


class Tally(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The successes of all other referrals.

    ``count``, ``value_minor`` and ``used_minor`` sum up those that lie before everything of
    the referral evaluated; ``others`` lists, in order, those that may lie between or after.
    """

    count: int = 0
    value_minor: int = 0
    used_minor: int = 0
    others: tuple[Success, ...] = ()


History = Mapping[TallyKey, Tally]
EMPTY = Tally()


class Standing:
    """Reads a history and remembers what the evaluation itself adds to it."""

    def __init__(self, history: History) -> None:
        self._history = history
        self._own: dict[TallyKey, dict[Position, Success]] = {}

    def before(self, key: TallyKey, position: Position) -> Tally:
        """Return what stands in tally *key* before *position*, own earlier successes included."""
        tally = self._history.get(key, EMPTY)
        count, value, used = tally.count, tally.value_minor, tally.used_minor
        for each in (*tally.others, *self._own.get(key, {}).values()):
            if each.position < position:
                count += each.count
                value += each.value_minor
                used += each.award_minor
        return Tally(count=count, value_minor=value, used_minor=used)

    def own(self, key: TallyKey, position: Position) -> Success | None:
        """Return what was added at *position*."""
        return self._own.get(key, {}).get(position)

    def add(self, key: TallyKey, success: Success) -> None:
        """Remember a success, in the place of an earlier one of the same position."""
        self._own.setdefault(key, {})[success.position] = success

    @property
    def successes(self) -> dict[TallyKey, tuple[Success, ...]]:
        """Return everything that was added, in order."""
        return {
            key: tuple(sorted(found.values(), key=lambda each: each.position))
            for key, found in self._own.items()
        }
