"""Links and the salt as the click function knows them: read together, remembered a while.

Standard library and the small client only, so it reads the two items in DynamoDB's own
JSON. Their keys are those of ``introducer.tables.links`` and ``introducer.clickid``.
"""

from __future__ import annotations

import os

from introducer import clickid, lean
from introducer.landing import Landing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any, Protocol

    class Store(Protocol):
        """The one method of :class:`introducer.lean.Client` that clicks use."""

        def call(
            self,
            operation: str,
            request: Mapping[str, object],
            *,
            timeout_s: float,
            repeatable: bool,
        ) -> dict[str, Any]:
            """Call DynamoDB."""


READ_TIMEOUT_S = 2.0
REFRESH_TIMEOUT_S = 0.3
"""With an old answer at hand: the visitor does not wait long for a newer one."""

LINK_FRESH_S = 45.0
UNKNOWN_FRESH_S = 15.0
SALT_FRESH_S = 600.0
AGAIN_AFTER_ERROR_S = 5.0
STALE_LIMIT_S = 3600.0
CACHE_LIMIT = 2000


_ACTIVE = {"S": "active"}
_LABELS = ("campaign", "channel", "asset")
_KEPT_DAYS = 90
_LONGEST_KEPT_DAYS = 730


class Link:
    """What of a stored link a click needs."""

    __slots__ = (
        "active",
        "clicks_days",
        "code",
        "expires_at",
        "fallback",
        "labels",
        "landings",
        "partner",
        "program",
        "weights",
    )

    def __init__(self, item: Mapping[str, Any]) -> None:
        """Read a link item in DynamoDB's JSON.

        Raises:
            KeyError: It lacks an attribute.
            ValueError: A destination is not a plain https URL, or a number is out of bounds.
        """
        tags = {name: value["S"] for name, value in item.get("utm", {}).get("M", {}).items()}
        fallback = item.get("fallback", {}).get("S")
        self.code: str = item["code"]["S"]
        self.program: str = item["program"]["S"]
        self.partner: str = item["partner"]["S"]
        # A link is stored without the values that are its defaults.
        self.active: bool = item.get("status", _ACTIVE)["S"] == _ACTIVE["S"]
        self.expires_at: str = item.get("expires_at", {}).get("S", "")
        self.labels = [(name, item[name]["S"]) for name in _LABELS if name in item]
        """What its clicks are counted by besides."""
        self.clicks_days = int(item.get("clicks_days", {}).get("N", _KEPT_DAYS))
        variants = [each["M"] for each in item.get("variants", {}).get("L", ())]
        self.weights = [int(each.get("weight", {}).get("N", 1)) for each in variants]
        """Each destination's part of the visitors; empty when there is but one."""
        if not 0 < self.clicks_days <= _LONGEST_KEPT_DAYS or min(self.weights, default=1) < 1:
            message = "days and weights are positive"
            raise ValueError(message)
        self.landings = [Landing(each["destination"]["S"], tags) for each in variants or (item,)]
        """Where it leads, one for each weight, or the one."""
        self.fallback = Landing(fallback, {}) if fallback else None

    def is_over(self, now: float) -> bool:
        """Tell whether it has expired at *now*, in seconds since 1970."""
        return bool(self.expires_at) and self.expires_at <= clickid.instant(now)


class Links:
    """Looks links up, at the price of one read for each code and about 45 seconds.

    What is remembered is used past its time while the table cannot be read. Codes that
    do not exist are remembered apart, so that guessing cannot push links out.
    """

    def __init__(
        self,
        store: Store,
        table: str,
        clock: Callable[[], float],
        report: Callable[[str, str, Exception], None],
    ) -> None:
        """Set up with nothing remembered.

        Args:
            store: Where to read.
            table: Name of the Core table.
            clock: Seconds since 1970. Wall time: a frozen function's monotonic clock stands still.
            report: Told what went wrong (what, code, why) where nobody is told by raising.
        """
        self.salt: clickid.Key | None = None
        """The key that signs; None until one was read."""
        self.visitors: clickid.Key | None = None
        """The key of visitor hashes, another one every day; None until one was read."""
        self._store = store
        self._table = table
        self._clock = clock
        self._report = report
        self._known: dict[str, tuple[float, Link]] = {}
        self._unknown: dict[str, tuple[float, None]] = {}
        self._salt_until = 0.0

    def find(self, code: str) -> Link | None:
        """Return the link, or None when there is no usable one.

        Raises:
            lean.NoAnswerError: It could not be read and is not remembered.
            lean.CallError: Likewise, and the store said why.
        """
        now = self._clock()
        remembered = self._known.get(code)
        if remembered and remembered[1].is_over(now):
            del self._known[code]
            remembered = None
        if remembered and now < remembered[0]:
            return remembered[1]
        if now < self._unknown.get(code, (0.0, None))[0]:
            return None
        try:
            link = self._read(code, now, REFRESH_TIMEOUT_S if remembered else READ_TIMEOUT_S)
        except (lean.NoAnswerError, lean.CallError) as failure:
            if not remembered or now > remembered[0] + STALE_LIMIT_S:
                raise
            self._report("link_not_refreshed", code, failure)
            self._known[code] = (now + AGAIN_AFTER_ERROR_S, remembered[1])
            return remembered[1]
        self._known.pop(code, None)
        if link is None:
            _remember(self._unknown, code, (now + _jittered(UNKNOWN_FRESH_S), None))
        else:
            _remember(self._known, code, (now + _jittered(LINK_FRESH_S), link))
        return link

    def _read(self, code: str, now: float, timeout_s: float) -> Link | None:
        keys = [_key(f"LINK#{code}", "LINK")]
        if now >= self._salt_until:
            keys += [_key(pk, clickid.SALT_SK) for pk in (clickid.SALT_PK, clickid.VISITOR_PK)]
        answer = self._store.call(
            "BatchGetItem",
            {"RequestItems": {self._table: {"Keys": keys}}},
            timeout_s=timeout_s,
            repeatable=True,
        )
        if answer.get("UnprocessedKeys"):
            message = "keys were left unread"
            raise lean.NoAnswerError(message)
        found = {item["pk"]["S"]: item for item in answer["Responses"].get(self._table, [])}
        if len(keys) > 1:
            self._take_salts(found, now)
        stored = found.get(f"LINK#{code}")
        try:
            link = Link(stored) if stored else None
        except (KeyError, ValueError) as failure:
            self._report("link_unusable", code, failure)
            return None
        # A suspended link that leads nowhere, and one that has expired, are unknown from
        # here on, so that no difference in answer or work tells them apart.
        usable = link and not link.is_over(now) and (link.active or link.fallback)
        return link if usable else None

    def _take_salts(self, found: Mapping[str, Mapping[str, Any]], now: float) -> None:
        try:
            self.salt = _salt(found.get(clickid.SALT_PK, {}))
        except ValueError as failure:
            self._report("salt_unusable", "", failure)
            return
        # Until the first day is over there is none of the day's own.
        daily = found.get(clickid.VISITOR_PK)
        self.visitors = _salt(daily) if daily else self.salt
        self._salt_until = now + _jittered(SALT_FRESH_S)


def _salt(item: Mapping[str, Mapping[str, str]]) -> clickid.Key:
    plain = {name: text for name, value in item.items() for text in value.values()}
    return clickid.key_of(plain)


def _key(pk: str, sk: str) -> dict[str, dict[str, str]]:
    return {"pk": {"S": pk}, "sk": {"S": sk}}


def _jittered(seconds: float) -> float:
    # A fifth less to a fifth more, so that many warm functions do not read at one moment.
    return seconds * (0.8 + os.urandom(1)[0] / 640)


def _remember(cache: dict[str, Any], code: str, entry: tuple[float, object]) -> None:
    cache.pop(code, None)
    cache[code] = entry
    if len(cache) > CACHE_LIMIT:
        del cache[next(iter(cache))]
