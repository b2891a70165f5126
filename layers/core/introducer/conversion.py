"""Reported conversions that wait: for a referral that explains them, or until it may take them.

What is kept says nothing about a person: an e-mail address is kept as its keyed hash only.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec

from introducer.clock import Instant
from introducer.errors import TransitionError
from introducer.event import Event

UNMATCHED = "unmatched"
"""Nothing in it leads to a referral."""
AMBIGUOUS = "ambiguous_click"
"""Its click led to several referrals, and nothing else tells them apart."""
NOT_READY = "not_ready"
"""Its referral is still being screened or given to a rep."""
NO_SALE = "no_sale_yet"
"""It takes back something that was not reported yet."""
ENDED = "referral_ended"
"""Its referral came to an end without a sale, or after one; a person decides."""


class Tie(msgspec.Struct, frozen=True, kw_only=True):
    """A sender's id that becomes a referral's for good."""

    scope: str
    """``{program}/{source}``: each sender's ids are its own."""
    external_id: str
    key: str
    """What messages wait under that bring it."""

    @property
    def mark(self) -> dict[str, str | int]:
        """What an event says so that messages waiting under this id are looked at again."""
        return {"tied": 1, "external": self.key}


class Conversion(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A message that waits, or did. ``version`` is the number of its last event."""

    id: str
    program: str
    source: str
    channel: Literal["webhook", "api", "csv"]
    message_id: str
    version: int
    status: Literal["waiting", "applied", "dismissed"]
    kept_at: Instant
    at: Instant
    """When it happened, by its sender's clock: the order in which messages are applied."""
    type: str
    body: str
    """The message as JSON, without the address and without the lead's data."""
    actor: str
    email_key: str = ""
    """Keyed hash of the address it named."""
    keys: list[str] = []
    """What it is found again by: ``referral#``, ``external.{source}#``, ``email#``, ``click#``."""
    referral: str = ""
    """The referral it belongs to as far as is known."""
    reason: str = ""
    """Why it waits, or why it was dismissed."""

    @property
    def entity(self) -> str:
        """Return the name its events carry."""
        return f"CONVERSION#{self.id}"


def kept(conversion: Conversion, tie: Tie | None) -> Event:
    """Return the first event of a conversion that has to wait."""
    return _event("ConversionKept", conversion, conversion.kept_at, conversion.actor, "", tie)


def matched(
    before: Conversion,
    *,
    referral: str,
    reason: str,
    keys: Sequence[str],
    body: str,
    now: Instant,
    actor: str,
    tie: Tie | None,
) -> tuple[Conversion, Event]:
    """Return the conversion that now waits for *referral*, and the event."""
    after = _moved(before, referral=referral, reason=reason, keys=list(keys), body=body)
    return after, _event("ConversionMatched", after, now, actor, before.message_id, tie)


def refused(before: Conversion, *, code: str, now: Instant) -> tuple[Conversion, Event]:
    """Return the conversion that cannot be applied for the reason *code*, and the event."""
    after = _moved(before, reason=code)
    return after, _event("ConversionRefused", after, now, "system", before.message_id, None)


def applied(
    before: Conversion, *, referral: str, now: Instant, actor: str
) -> tuple[Conversion, Event]:
    """Return the conversion that became part of *referral*, and the event."""
    after = _moved(before, status="applied", referral=referral, reason="", keys=[])
    return after, _event("ConversionApplied", after, now, actor, before.message_id, None)


def dismissed(
    before: Conversion, *, reason: str, now: Instant, actor: str
) -> tuple[Conversion, Event]:
    """Return the conversion that somebody put aside for *reason*, and the event."""
    after = _moved(before, status="dismissed", reason=reason, keys=[])
    return after, _event("ConversionDismissed", after, now, actor, before.message_id, None)


def _moved(before: Conversion, **changes: object) -> Conversion:
    if before.status != "waiting":
        message = f"a conversion that is {before.status} waits no more"
        raise TransitionError(message, status=before.status)
    return msgspec.structs.replace(before, version=before.version + 1, **changes)


def _event(
    kind: str, after: Conversion, now: Instant, actor: str, cause: str, tie: Tie | None
) -> Event:
    data = {"type": after.type, "source": after.source, "referral": after.referral}
    known: dict[str, str | int] = {key: value for key, value in data.items() if value}
    if after.reason:
        known["reason"] = after.reason
    return Event(
        type=kind,
        entity=after.entity,
        seq=after.version,
        program=after.program,
        at=now,
        actor=actor,
        data=known | (tie.mark if tie else {}),
        cause=cause or after.message_id,
    )
