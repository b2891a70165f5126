"""A referral that was no honest one: its end, and the end of everything it earned."""

from __future__ import annotations

from typing import Any, Literal

from introducer import life
from introducer.command import Annul
from introducer.errors import NotFoundError
from introducer.tables import programs, referrals
from introducer.tables.store import Transaction
from submit.acting import MANAGER
from submit.http import Answer, Call, Resource
from submit.inputs import Input
from submit.resources.rep_work import ReferralMoved

resource = Resource(__name__)


class Annulment(Input, frozen=True, kw_only=True):
    """What was found out; the partner reads it."""

    reason: Literal["self_referral", "fraud"]


@resource.endpoint(
    "POST",
    "/v1/programs/{program}/referrals/{referral}/annul",
    roles=MANAGER,
    body=Annulment,
    answer=ReferralMoved,
    codes=("transition_not_allowed",),
)
def annul(call: Call[Annulment, Any]) -> Answer:
    """End a referral that was fraud: what it earned is taken back, also what was paid."""
    before = referrals.get(call.path["referral"])
    if before.program != call.path["program"]:
        raise NotFoundError("no such referral")
    document = programs.version(before.program, before.program_version).document
    command = Annul(reason=call.body.reason)
    after, event = life.apply(before, command, document, now=call.now, actor=call.caller.name)
    writes = Transaction()
    referrals.save(writes, before, after, event)
    return Answer(body=ReferralMoved(id=after.id, status=after.status), writes=writes)
