"""Changes of bank data: who confirms them, from when they count, and when two accounts are one.

The first account counts at once. Every later one waits until a code from a mail to the
partner's address is given back; from then on the old account gets nothing, and the new one
nothing until a cooling-off period is over. So whoever takes over a login, but not the mailbox,
moves no money, and whoever has both is seen by the owner before it moves.
"""

from __future__ import annotations

import hashlib
import hmac

from introducer import ids
from introducer import partner as partners
from introducer.clock import Instant
from introducer.event import Event
from introducer.partner import Partner

MOST_TRIES = 5
"""Codes that may be tried of one request: five of 2^40."""
_CODE_LENGTH = 8
_TYPED = str.maketrans("OIL", "011", "- ")


def account_key(secret: bytes, method: str, number: str) -> str:
    """Return the keyed hash of an account, the same for everybody who gives the same one."""
    text = f"payee\x1f{method}\x1f{number}".encode()
    return hmac.digest(secret, text, hashlib.sha256).hex()


def code(secret: bytes, partner: str, request: str) -> str:
    """Return the code that confirms a *request* of *partner*: ``K7M2-P9XW``.

    It is derived, so that it is stored nowhere; without the secret nobody can tell it from
    the request's id, which events carry.
    """
    text = f"confirm\x1f{partner}\x1f{request}".encode()
    plain = ids.derived_id(hmac.digest(secret, text, hashlib.sha256).hex())[:_CODE_LENGTH].upper()
    return f"{plain[:4]}-{plain[4:]}"


def is_code(typed: str, secret: bytes, partner: str, request: str) -> bool:
    """Return whether *typed* is the code, however it is spaced; in constant time."""
    wanted = code(secret, partner, request).translate(_TYPED)
    given = typed.upper().translate(_TYPED)
    return hmac.compare_digest(given.encode(), wanted.encode())


def requested(partner: Partner, request: str, *, now: Instant, actor: str) -> tuple[Partner, Event]:
    """Return *partner* who wishes to be paid elsewhere, and the event. Nothing changes yet."""
    return partners.changed(partner, "PayeeChangeRequested", {"request": request}, now, actor)


def changed(
    partner: Partner,
    *,
    method: str,
    key: str,
    usable_at: Instant,
    request: str,
    now: Instant,
    actor: str,
) -> tuple[Partner, Event]:
    """Return *partner* with another account, and the event. The data itself is in People.

    What the bank said of the old account is past; the new holder's name is screened anew.

    Args:
        partner: As they are.
        method: What kind of account it is.
        key: Of :func:`account_key`.
        usable_at: Nothing is paid to it before; empty for at once.
        request: The request that was confirmed; empty for a first account.
        now: The present instant.
        actor: Who changes it.
    """
    data = {"method": method, "usable_at": usable_at, "request": request}
    return partners.changed(
        partner,
        "PayeeChanged",
        {name: value for name, value in data.items() if value},
        now,
        actor,
        payee_set_at=now,
        payee_method=method,
        payee_key=key,
        payee_usable_at=usable_at,
        payee_problem="",
        screening="",
        screened_with="",
    )
