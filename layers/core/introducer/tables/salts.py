"""The keys of click ids and of visitor hashes, replaced by the clock.

``SALT#click`` / ``CURRENT`` signs; a retired one moves to its ``kid`` and is believed as long
as a program may credit clicks. ``SALT#visitor`` / ``CURRENT`` is overwritten every day, and
what it hid stays hidden. :mod:`introducer.clickid` says what a salt holds.
"""

from __future__ import annotations

import secrets

from pynamodb.expressions.operand import Path

from introducer import clickid, clock
from introducer.clickid import SALT_PK, SALT_SK, VISITOR_PK
from introducer.clock import Instant
from introducer.errors import AlreadyExistsError, StaleError
from introducer.tables import store
from introducer.tables.store import Table, Transaction

SIGNS_DAYS = 30
BELIEVED_DAYS = 760
"""The longest window in which clicks are credited is two years; 32 key ids last longer."""
_SECRET_BYTES = 32


def renew_visitors(now: Instant) -> bool:
    """Replace the key of visitor hashes if it is of an earlier day; return whether it was."""
    today = f"{clock.day(now)}T00:00:00.000Z"
    salt = clickid.new_salt(_secret(), today, clock.plus(today, days=1))
    since = Path("since")
    try:
        store.put(
            Table.CORE,
            VISITOR_PK,
            SALT_SK,
            salt,
            condition=store.absent() | (since < today),
            error=AlreadyExistsError("it is of today"),
        )
    except AlreadyExistsError:
        return False
    return True


def renew_signing(now: Instant) -> bool:
    """Replace the key that signs if it has signed long enough; return whether it was.

    Raises:
        UncertainError: The store did not answer; the job comes again.
    """
    current = store.get(Table.CORE, SALT_PK, SALT_SK)
    if current is None or clock.plus(current["since"], days=SIGNS_DAYS) > now:
        return False  # no program, or not yet
    fields = {name: current[name] for name in ("kid", "secret", "since")}
    believed_until = clock.plus(now, days=BELIEVED_DAYS)
    retired = {**fields, "expires": believed_until, "ttl": clock.epoch_s(believed_until)}
    fresh = clickid.new_salt(_secret(), now, believed_until, after=current["kid"])
    writes = Transaction()
    writes.put(Table.CORE, SALT_PK, current["kid"], retired)
    writes.put(
        Table.CORE,
        SALT_PK,
        SALT_SK,
        fresh,
        condition=Path("kid") == current["kid"],
        error=StaleError("it was replaced by somebody else"),
    )
    try:
        writes.commit()
    except StaleError:
        return False
    return True


def _secret() -> bytes:
    return secrets.token_bytes(_SECRET_BYTES)
