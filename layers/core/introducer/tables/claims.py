"""Claims: whoever puts the item first owns the value.

``pk`` ``CLAIM#{scope}#{kind}#{value}``, ``sk`` ``CLAIM``. A claim that has run
out may be taken over, so its expiry is part of the condition; DynamoDB's own
expiry only tidies up. Values that identify a person are keyed hashes.
"""

from __future__ import annotations

import msgspec
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.operand import Path

from introducer import clock
from introducer.clock import Instant
from introducer.errors import AlreadyExistsError, StaleError
from introducer.tables import store
from introducer.tables.store import Table, Transaction

FOREVER: Instant = "9999-12-31T00:00:00.000Z"


class Claim(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Something that only one entity may hold at a time."""

    scope: str
    kind: str
    value: str
    target: str
    """The entity that holds it, or the answer that was given."""
    expires_at: Instant = FOREVER
    fingerprint: str = ""
    """For idempotency: the keyed hash of the body the key was first used with."""
    status: int = 0
    """For idempotency: the HTTP status that was answered."""
    body: dict[str, str | int] = {}
    """For idempotency: the ids and links that were answered."""

    @property
    def pk(self) -> str:
        """Return the key it is stored under."""
        return key(self.scope, self.kind, self.value)


def key(scope: str, kind: str, value: str) -> str:
    """Return the partition key of a claim."""
    return f"CLAIM#{scope}#{kind}#{value}"


def add(writes: Transaction, claim: Claim, *, now: Instant, error: AlreadyExistsError) -> None:
    """Add the taking of *claim*; *error* is raised when another holds it at *now*."""
    extra = {}
    if claim.expires_at != FOREVER:
        extra["ttl"] = clock.epoch_s(claim.expires_at)
    writes.put(
        Table.CORE,
        claim.pk,
        "CLAIM",
        {**msgspec.structs.asdict(claim), **extra},
        condition=_free(now),
        error=error,
    )


def take(claim: Claim, *, now: Instant) -> bool:
    """Take *claim* by itself, outside a transaction; return whether it was free."""
    try:
        store.put(
            Table.CORE,
            claim.pk,
            "CLAIM",
            msgspec.structs.asdict(claim),
            condition=_free(now),
            error=AlreadyExistsError("held by another"),
        )
    except AlreadyExistsError:
        return False
    return True


def settle(claim: Claim) -> None:
    """Write how the holder of a taken *claim* left it, over whatever it took it with."""
    store.put(
        Table.CORE,
        claim.pk,
        "CLAIM",
        {**msgspec.structs.asdict(claim), "ttl": clock.epoch_s(claim.expires_at)},
    )


def find(scope: str, kind: str, value: str, *, now: Instant) -> Claim | None:
    """Return the claim on this value if it still holds at *now*."""
    stored = store.get(Table.CORE, key(scope, kind, value), "CLAIM")
    if stored is None:
        return None
    claim = store.load(Claim, stored)
    return claim if claim.expires_at > now else None


def hand_over(writes: Transaction, claim: Claim, target: str) -> None:
    """Add the passing of *claim* to *target*, to the same end of its time.

    The transaction fails with :class:`StaleError` when somebody else holds it by then.
    """
    after = msgspec.structs.replace(claim, target=target)
    extra = {} if claim.expires_at == FOREVER else {"ttl": clock.epoch_s(claim.expires_at)}
    writes.put(
        Table.CORE,
        claim.pk,
        "CLAIM",
        {**msgspec.structs.asdict(after), **extra},
        condition=Path("target") == claim.target,
        error=StaleError("somebody else holds this now"),
    )


def release(writes: Transaction, claim: Claim, *, now: Instant) -> None:
    """Add the end of *claim*, which its holder gives up at *now*; anybody may take it then."""
    ended = msgspec.structs.replace(claim, expires_at=now)
    body = {**msgspec.structs.asdict(ended), "ttl": clock.epoch_s(now)}
    writes.put(Table.CORE, claim.pk, "CLAIM", body)


def held(error: AlreadyExistsError) -> Claim | None:
    """Return the claim that stood in the way of a transaction, if one did."""
    return store.load(Claim, error.existing) if error.existing else None


def _free(now: Instant) -> Condition:
    free: Condition = store.absent() | (Path("expires_at") <= now)
    return free
