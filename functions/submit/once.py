"""Doing a request once: the idempotency key is claimed in the transaction of its effect.

The claim keeps the status, ids and links that were answered, under a keyed hash of the
key and with a keyed fingerprint of path and body. It stands for 30 days.
"""

from __future__ import annotations

import hashlib
import hmac

import msgspec

from introducer import clock, identity, keyring
from introducer.clock import Instant
from introducer.errors import AlreadyExistsError, IdempotencyError
from introducer.tables import claims
from introducer.tables.claims import Claim
from introducer.tables.store import Transaction
from submit.problem import RequestError

KEPT_DAYS = 30
SHORTEST_KEY, LONGEST_KEY = 8, 128
_KIND = "idempotency"

Stored = dict[str, str | int]


class KeyTakenError(AlreadyExistsError):
    """The same key was claimed between our look and our write."""


class Once(msgspec.Struct, frozen=True, kw_only=True):
    """One request with its key."""

    scope: str
    value: str
    fingerprint: str
    now: Instant

    def find(self) -> Claim | None:
        """Return what was answered to this request before, or None.

        Raises:
            IdempotencyError: The key was used for another request.
        """
        claim = claims.find(self.scope, _KIND, self.value, now=self.now)
        if claim is not None and not hmac.compare_digest(claim.fingerprint, self.fingerprint):
            raise IdempotencyError("this key was used for another request")
        return claim

    def add(self, writes: Transaction, status: int, body: Stored) -> None:
        """Add the claim of the key, holding the answer; fails when it is taken."""
        claim = Claim(
            scope=self.scope,
            kind=_KIND,
            value=self.value,
            target=self.scope,
            expires_at=clock.plus(self.now, days=KEPT_DAYS),
            fingerprint=self.fingerprint,
            status=status,
            body=body,
        )
        claims.add(writes, claim, now=self.now, error=KeyTakenError("this key was just used"))


def check_key(key: str) -> None:
    """Refuse a key that is missing or not 8 to 128 printable ASCII characters.

    Raises:
        RequestError: It is so.
    """
    if not key:
        raise RequestError("idempotency_key_missing", "send an Idempotency-Key")
    if not SHORTEST_KEY <= len(key) <= LONGEST_KEY or not (key.isascii() and key.isprintable()):
        raise RequestError(
            "idempotency_key_invalid", "an Idempotency-Key has 8 to 128 printable ASCII characters"
        )


def once(scope: str, key: str, path: dict[str, str], body: object, now: Instant) -> Once:
    """Return the request's claim-to-be.

    Args:
        scope: Program, caller and route: keys of others are other keys.
        key: As the caller sent it.
        path: Path parameters; the same key on another thing is another request.
        body: The decoded body, so that spelling does not matter.
        now: The present instant.
    """
    secret = keyring.secret(keyring.IDEMPOTENCY)
    canonical = msgspec.json.encode([path, body], order="deterministic")
    return Once(
        scope=scope,
        value=identity.keyed_hash(key, secret),
        fingerprint=hmac.new(secret, canonical, hashlib.sha256).hexdigest(),
        now=now,
    )
