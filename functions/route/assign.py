"""A screened or handed-back referral: give it to a rep, or to a person who decides."""

from __future__ import annotations

import random
import time

from introducer import clock, life, routing
from introducer.command import Assign, SendToReview
from introducer.partner import Rep
from introducer.program import Program
from introducer.referral import Referral
from introducer.routing import Choice, Desk
from introducer.tables import partners, programs, referrals, reps
from introducer.tables.reps import TurnTakenError
from introducer.tables.store import Transaction

_ATTEMPTS = 12
"""Somebody wins every race for a turn, so as many leads at once are given out in time."""


def assign(referral_id: str, *, cause: str) -> None:
    """Place a referral if it waits for a rep.

    Args:
        referral_id: Which one.
        cause: The id of the event that asks for it.

    Raises:
        NotFoundError: There is no such referral.
        StaleError: It moved while a rep was looked for, or others kept taking the turn.
    """
    for attempt in range(_ATTEMPTS):
        try:
            _place(referrals.get(referral_id), cause)
        except TurnTakenError:
            if attempt + 1 == _ATTEMPTS:
                raise
            time.sleep(random.uniform(0, 0.01 * (attempt + 1)))  # noqa: S311  (jitter)
        else:
            return


def _place(before: Referral, cause: str) -> None:
    if before.status != "screening":
        return
    document = programs.version(before.program, before.program_version).document
    now = clock.now()
    choice = _choose(before, document, now)
    passed_over = routing.written(choice.trail)
    command: Assign | SendToReview
    if choice.rep:
        command = Assign(rep=choice.rep, rule=choice.rule, passed_over=passed_over)
    else:
        command = SendToReview(reason="no_rep", passed_over=passed_over)
    after, event = life.apply(before, command, document, now=now, actor="system", cause=cause)
    writes = Transaction()
    referrals.save(writes, before, after, event)
    if choice.turn:
        reps.save_turn(writes, choice.turn)
    writes.commit()


def _choose(before: Referral, document: Program, now: str) -> Choice:
    rules = document.routing
    partner = partners.find_partner(before.partner) if rules.owner_first else None
    main = None
    if routing.asks_about_partner(document):
        main = referrals.share(before.id, before.partner)
    working = ("assigned", "accepted", *document.stages)

    def open_leads(rep: Rep) -> int:
        return referrals.open_leads(rep.id, working, most=rep.capacity)

    return routing.choose(
        before,
        routing.facts_of(before, main),
        document,
        Desk(
            reps=reps.find_all,
            turn=lambda rule: reps.turn(before.program, rule),
            open_leads=open_leads,
        ),
        owner=partner.owner if partner else "",
        now=now,
    )
