"""A screened or handed-back referral: give it to a rep, or to a person who decides."""

from __future__ import annotations

from introducer import clock, referral, routing
from introducer.referral import Assign, SendToReview
from introducer.tables import partners, programs, referrals
from introducer.tables.store import Transaction


def assign(referral_id: str, *, cause: str) -> None:
    """Place a referral if it waits for a rep.

    Args:
        referral_id: Which one.
        cause: The id of the event that asks for it.

    Raises:
        NotFoundError: There is no such referral.
        StaleError: It moved while a rep was looked for.
    """
    before = referrals.get(referral_id)
    if before.status != "screening":
        return
    document = programs.version(before.program, before.program_version).document
    active = partners.active_reps(document.id, routing.candidates(document))
    rep = routing.choose_rep(before, document, active=active)
    command = Assign(rep=rep) if rep else SendToReview(reason="no_rep")
    after, event = referral.apply(
        before, command, document, now=clock.now(), actor="system", cause=cause
    )
    writes = Transaction()
    referrals.save(writes, before, after, event)
    writes.commit()
