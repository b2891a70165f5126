"""Work queues: what waits for a person's decision."""

from __future__ import annotations

from typing import Any

import msgspec

from introducer import life, screening
from introducer.command import Assign
from introducer.errors import InvalidInputError, NotFoundError
from introducer.referral import Referral
from introducer.tables import programs, referrals, reps
from introducer.tables.store import Transaction
from submit import inputs, words
from submit.acting import MANAGER, READERS
from submit.http import Answer, Call, Resource
from submit.inputs import Input, Paging
from submit.resources.my_referrals import Reason
from submit.resources.rep_work import ReferralMoved

QUEUES = frozenset({"review"})

resource = Resource(__name__)


class QueueRow(msgspec.Struct, frozen=True, kw_only=True):
    """A referral that waits, and why."""

    id: str
    partner: str
    country: str
    product: str
    submitted_at: str
    waiting_since: str
    reason: Reason


class QueueList(msgspec.Struct, frozen=True, kw_only=True):
    """One page of a queue, longest waiting first; ``next`` is empty on the last."""

    items: list[QueueRow]
    next: str


class Assignment(Input, frozen=True, kw_only=True):
    """Who shall take the lead."""

    rep: inputs.Word


@resource.endpoint(
    "GET",
    "/v1/programs/{program}/queues/{queue}",
    roles=READERS,
    query=Paging,
    answer=QueueList,
)
def list_queue(call: Call[Any, Paging]) -> Answer:
    """List what waits in a queue: `review`."""
    if call.path["queue"] not in QUEUES:
        raise NotFoundError("no such queue")
    found, page = referrals.in_queue(
        call.path["program"], call.path["queue"], limit=call.query.limit, start=call.start()
    )
    rows = [
        QueueRow(
            id=each.id,
            partner=each.partner,
            country=each.country,
            product=each.product,
            submitted_at=each.submitted_at,
            waiting_since=each.updated_at,
            reason=Reason(code=each.reason, text=words.of_reason(each.reason)),
        )
        for each in found
    ]
    return Answer(body=QueueList(items=rows, next=call.next(page.next)))


@resource.endpoint(
    "POST",
    "/v1/programs/{program}/referrals/{referral}/assign",
    roles=MANAGER,
    body=Assignment,
    answer=ReferralMoved,
    codes=("unknown_rep", "transition_not_allowed"),
)
def assign(call: Call[Assignment, Any]) -> Answer:
    """Give a waiting referral to a rep."""
    before = referrals.get(call.path["referral"])
    if before.program != call.path["program"]:
        raise NotFoundError("no such referral")
    rep = reps.find(call.body.rep)
    if rep is None or rep.program != before.program or not rep.active:
        raise InvalidInputError("rep", "no such rep who takes leads", code="unknown_rep")
    document = programs.version(before.program, before.program_version).document
    after, event = life.apply(
        before, _command(before, rep.id), document, now=call.now, actor=call.caller.name
    )
    writes = Transaction()
    referrals.save(writes, before, after, event)
    return Answer(body=ReferralMoved(id=after.id, status=after.status), writes=writes)


def _command(before: Referral, rep: str) -> Assign:
    """Return the assignment; it also credits those whom screening left to a person's decision."""
    shares = [] if before.partner else referrals.detail(before.id).shares
    if not shares:
        return Assign(rep=rep)
    main = screening.main_share(shares)
    return Assign(rep=rep, partner=main.partner, audience=main.audience)
