"""For whom a login acts."""

from __future__ import annotations

from typing import Any

from introducer.errors import ForbiddenError
from introducer.partner import Partner, Rep
from introducer.tables import partners, reps
from submit.http import Call
from submit.problem import NotEnrolledError

PARTNER = frozenset({"partner"})
REP = frozenset({"rep"})
MANAGER = frozenset({"manager"})
FINANCE = frozenset({"manager", "finance"})
READERS = frozenset({"manager", "finance", "auditor"})


def partner_of(call: Call[Any, Any]) -> Partner:
    """Return the partner the caller's login acts for.

    Raises:
        NotEnrolledError: It acts for none.
    """
    found = partners.partner_of_login(call.caller.sub, now=call.now)
    if found is None:
        raise NotEnrolledError("this login is not enrolled in a program")
    return found


def active_partner_of(call: Call[Any, Any]) -> Partner:
    """Return the partner the caller's login acts for, who may still change things.

    Raises:
        NotEnrolledError: It acts for none.
        ForbiddenError: The partner was deactivated.
    """
    found = partner_of(call)
    if found.status != "active":
        raise ForbiddenError("this partner is not active")
    return found


def rep_of(call: Call[Any, Any]) -> Rep:
    """Return the rep the caller's login acts for.

    Raises:
        NotEnrolledError: It acts for none.
    """
    found = reps.of_login(call.caller.sub, now=call.now)
    if found is None:
        raise NotEnrolledError("this login belongs to no rep")
    return found
