"""Who is calling: from the verified token or the signature, never from the body."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from introducer.errors import ForbiddenError
from submit.problem import UnauthenticatedError

_GROUP = re.compile(r"[^\[\], ]+")
_REGISTERED_ALONE = frozenset({"partner"})
"""Staff get their group from an administrator; who has none signed up by themselves."""


class Caller(msgspec.Struct, frozen=True, kw_only=True):
    """Who makes a request.

    ``name`` is what events and idempotency keep: ``user:{subject}``, ``public`` or
    ``source:{program}/{source}``. ``key`` is the idempotency key when the caller's own
    protocol has one (a webhook's message id).
    """

    name: str
    sub: str = ""
    email: str = ""
    groups: frozenset[str] = frozenset()
    key: str = ""


ANYBODY = Caller(name="public")


def from_token(context: Mapping[str, Any]) -> Caller:
    """Return the caller that the API's authorizer verified.

    Args:
        context: The event's ``requestContext``.

    Raises:
        UnauthenticatedError: There are no verified claims, or they are not an ID token's.
    """
    claims = (context.get("authorizer") or {}).get("claims") or {}
    sub = claims.get("sub")
    if not sub or claims.get("token_use", "id") != "id":
        raise UnauthenticatedError("sign in and send the ID token")
    # API Gateway sends `a,b`; the embedded AWS sends `[a, b]`.
    groups = frozenset(_GROUP.findall(str(claims.get("cognito:groups", ""))))
    verified = str(claims.get("email_verified", "false")).lower() == "true"
    return Caller(
        name=f"user:{sub}",
        sub=str(sub),
        email=str(claims.get("email", "")) if verified else "",
        groups=groups or _REGISTERED_ALONE,
    )


def require_role(caller: Caller, roles: frozenset[str]) -> None:
    """Refuse a caller who has none of *roles*.

    Raises:
        ForbiddenError: None of the caller's groups is among them.
    """
    if not caller.groups & roles:
        raise ForbiddenError("your role may not do this")
