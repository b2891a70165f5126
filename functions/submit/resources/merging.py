"""Two referrals that turned out to be of one lead become one: for managers.

The later one ends as a duplicate of the first and earns nothing any more. Everything that led
to it is kept with the first as evidence, and what the lead is known by protects the first.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from introducer import life
from introducer.command import Absorb, MarkDuplicate
from introducer.errors import InvalidInputError, NotFoundError
from introducer.referral import Referral, Touch
from introducer.tables import claims, leads, people, programs, referrals
from introducer.tables.referrals import Detail
from introducer.tables.store import Transaction
from submit import inputs
from submit.acting import MANAGER
from submit.http import Answer, Call, Resource
from submit.inputs import Input

_TOUCHES_AT_ONCE = 70
"""Of the hundred items of a transaction; the referrals, claims and contacts need the rest."""
_COPY = "~"
"""Stands in a copied touch's id between its own and that of the referral it came from."""

resource = Resource(__name__)


class Merge(Input, frozen=True, kw_only=True):
    """The referral that stays."""

    into: inputs.Word


class Merged(msgspec.Struct, frozen=True, kw_only=True):
    """The referral that ended, and the one that stays."""

    id: str
    status: str
    into: str


@resource.endpoint(
    "POST",
    "/v1/programs/{program}/referrals/{referral}/merge",
    roles=MANAGER,
    body=Merge,
    answer=Merged,
    codes=("unknown_referral", "not_the_first", "transition_not_allowed"),
)
def merge(call: Call[Merge, Any]) -> Answer:
    """Join a referral with the earlier one of the same lead.

    It becomes a duplicate, and what it earned so far is taken back. A referral that was won is
    joined with nothing; the other one may be joined with it, also when it came first.
    """
    ending = referrals.detail(call.path["referral"])
    if ending.referral.program != call.path["program"]:
        raise NotFoundError("no such referral")
    staying = _staying(call.body.into, ending.referral)
    writes = Transaction()
    cause = f"merge:{ending.referral.id}"
    for before, command in (
        (ending.referral, MarkDuplicate(of=staying.referral.id)),
        (staying.referral, Absorb(referral=ending.referral.id)),
    ):
        document = programs.version(before.program, before.program_version).document
        after, event = life.apply(
            before, command, document, now=call.now, actor=call.caller.name, cause=cause
        )
        referrals.save(writes, before, after, event)
    _move_claims(writes, ending.referral, staying.referral, call.now)
    _copy_touches(writes, ending, staying)
    answer = Merged(id=ending.referral.id, status="duplicate", into=staying.referral.id)
    return Answer(body=answer, writes=writes)


def missing(own: Sequence[Touch], touches: Sequence[Touch], of: str) -> list[Touch]:
    """Return what a referral with *own* touches lacks of the *touches* of the referral *of*.

    A click is the same wherever it is kept. Other ids are unique within a referral only, so a
    copy's names the referral it was first of: the same touches give the same copies, in
    whatever order referrals are joined.
    """
    copies = [msgspec.structs.replace(touch, id=_name(touch, of), late=True) for touch in touches]
    known = {(touch.at, touch.id) for touch in own}
    return [touch for touch in copies if (touch.at, touch.id) not in known]


def _name(touch: Touch, of: str) -> str:
    if touch.kind == "click" or _COPY in touch.id:
        return touch.id
    return f"{touch.id}{_COPY}{of}"


def _staying(name: str, ending: Referral) -> Detail:
    """Return the referral that stays.

    Raises:
        InvalidInputError: It is none of the program, or it came later and was not won.
    """
    try:
        found = referrals.detail(name)
    except NotFoundError as failure:
        raise _unknown() from failure
    staying = found.referral
    if staying.program != ending.program or staying.id == ending.id:
        raise _unknown()
    came_first = (staying.submitted_at, staying.id) < (ending.submitted_at, ending.id)
    if not came_first and not staying.won_at:
        message = "it came later: join it with the other one"
        raise InvalidInputError("into", message, code="not_the_first")
    return found


def _unknown() -> InvalidInputError:
    return InvalidInputError("into", "no such other referral", code="unknown_referral")


def _move_claims(writes: Transaction, ending: Referral, staying: Referral, now: str) -> None:
    """Add the passing of everything the ending referral protects, and who is to be erased by it."""
    contact = people.contact(ending.lead)
    held = leads.held(contact.claims, ending.id, now=now) if contact else []
    if contact is None or not held:
        return
    for claim in held:
        claims.hand_over(writes, claim, staying.id)
    moved = [claim.pk for claim in held]
    left = [pk for pk in contact.claims if pk not in moved]
    people.change_contact(writes, ending.lead, msgspec.structs.replace(contact, claims=left))
    other = people.contact(staying.lead)
    if other:
        both = [*other.claims, *(pk for pk in moved if pk not in other.claims)]
        people.change_contact(writes, staying.lead, msgspec.structs.replace(other, claims=both))


def _copy_touches(writes: Transaction, ending: Detail, staying: Detail) -> None:
    """Add copies of the touches that are not there yet.

    Where there are too many for one transaction, the first of them are written at once: should
    the rest fail, they are evidence that counts for nothing, and the same when it is tried again.
    """
    wanted = missing(staying.touches, ending.touches, ending.referral.id)
    while len(wanted) > _TOUCHES_AT_ONCE:
        first = Transaction()
        for touch in wanted[:_TOUCHES_AT_ONCE]:
            referrals.add_touch(first, staying.referral, touch)
        first.commit()
        wanted = wanted[_TOUCHES_AT_ONCE:]
    for touch in wanted:
        referrals.add_touch(writes, staying.referral, touch)
