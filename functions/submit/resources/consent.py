"""A referred person takes back their consent: told to a rep or a manager, and honoured.

The referral ends, its partner is told why, and nobody is shown any more how to reach the lead.
That it was taken back, when and in which way stays beside the consent that was given.
"""

from __future__ import annotations

from typing import Any, Literal

from introducer import life
from introducer.command import Withdraw
from introducer.errors import NotFoundError
from introducer.referral import Referral, Touch
from introducer.tables import programs, referrals
from introducer.tables.store import Transaction
from submit.acting import MANAGER, REP, rep_of
from submit.http import Answer, Call, Resource
from submit.inputs import Input
from submit.resources.rep_work import ReferralMoved

REASON = "consent_withdrawn"

resource = Resource(__name__)
own = Resource(f"{__name__}.own")
"""The part that reps call."""


class Withdrawal(Input, frozen=True, kw_only=True):
    """In which way the person told."""

    channel: Literal["phone", "email", "letter", "in_person", "other"]


@own.endpoint(
    "POST",
    "/v1/rep/referrals/{referral}/withdraw",
    roles=REP,
    body=Withdrawal,
    answer=ReferralMoved,
    codes=("not_enrolled", "transition_not_allowed"),
)
def withdraw_own(call: Call[Withdrawal, Any]) -> Answer:
    """Note that a lead of the caller takes back their consent, and leave them alone."""
    rep = rep_of(call)
    before = referrals.get(call.path["referral"])
    if before.rep != rep.id:
        raise NotFoundError("no such referral")
    return _withdrawn(call, before, rep.entity)


@resource.endpoint(
    "POST",
    "/v1/programs/{program}/referrals/{referral}/withdraw",
    roles=MANAGER,
    body=Withdrawal,
    answer=ReferralMoved,
    codes=("transition_not_allowed",),
)
def withdraw(call: Call[Withdrawal, Any]) -> Answer:
    """Note that a lead takes back their consent, and leave them alone."""
    before = referrals.get(call.path["referral"])
    if before.program != call.path["program"]:
        raise NotFoundError("no such referral")
    return _withdrawn(call, before, call.caller.name)


def _withdrawn(call: Call[Withdrawal, Any], before: Referral, actor: str) -> Answer:
    document = programs.version(before.program, before.program_version).document
    after, event = life.apply(before, Withdraw(reason=REASON), document, now=call.now, actor=actor)
    told = Touch(
        id="consent-withdrawn",
        kind="consent",
        at=call.now,
        data={"consent": "withdrawn", "channel": call.body.channel},
    )
    writes = Transaction()
    referrals.save(writes, before, after, event)
    referrals.add_touch(writes, after, told)
    return Answer(body=ReferralMoved(id=after.id, status=after.status), writes=writes)
