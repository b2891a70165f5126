"""The fraud sweep: on a schedule, or by hand.

One rule: a partner must not refer themselves. It is checked at submission too; this
catches the partner who enrolled, or whose address became known, only afterwards. Looked
at are the referrals of today and yesterday and every reward that is due soon, so that nothing
is released unseen.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from aws_lambda_powertools.utilities.typing import LambdaContext

from introducer import clock, life, metric
from introducer.clock import Instant
from introducer.command import Hold
from introducer.errors import StaleError, TransitionError
from introducer.referral import Referral
from introducer.tables import events, partners, programs, referrals, rewards
from introducer.tables.store import Transaction
from payout.edge import logger

REASON = "self_referral"
# Every reward is looked at in the night of its release, half an hour before. To look at a month
# of referrals each time as well would cost more than everything else that happens to them.
_DAYS_BACK = 1
_DAYS_AHEAD = 1


def handler(event: dict[str, int], context: LambdaContext) -> dict[str, int]:  # noqa: ARG001
    """Hold the rewards of every partner who referred themselves."""
    done = sweep(clock.now(), days=int(event.get("days", _DAYS_BACK)))
    logger.info("swept", extra=done)
    return done


def sweep(now: Instant, *, days: int) -> dict[str, int]:
    """Look at recent referrals and at rewards due soon; return how many were seen and held."""
    seen: set[str] = set()
    held = 0
    for candidate in _candidates(now, days):
        if candidate not in seen:
            seen.add(candidate)
            held += _hold_if_own(candidate, now)
    if held:
        metric.count("SelfReferral", held)
    return {"seen": len(seen), "held": held}


def _candidates(now: Instant, days: int) -> Iterator[str]:
    for program in programs.all_ids():
        for back in range(days + 1):
            day = clock.day(clock.instant(clock.moment(now) - timedelta(days=back)))
            for entity in events.made_on("REFERRAL", program, day):
                yield entity.partition("#")[2]
    soon = clock.plus(now, days=_DAYS_AHEAD)
    for shard in range(rewards.SHARDS):
        for reward in rewards.due(shard, soon):
            yield reward.referral


def _hold_if_own(referral_id: str, now: Instant) -> bool:
    """Hold a referral whose lead is a credited partner; return whether it was done now."""
    before = referrals.find(referral_id)
    if before is None or before.hold or not _is_own(before, now) or _was_decided(before):
        return False
    document = programs.version(before.program, before.program_version).document
    if document.fraud.self_referral != "hold":
        logger.info("self referral is only flagged", extra={"referral": referral_id})
        return False
    try:
        after, event = life.apply(before, Hold(reason=REASON), document, now=now, actor="system")
        writes = Transaction()
        referrals.save(writes, before, after, event)
        writes.commit()
    except (StaleError, TransitionError):
        return False  # it moved this moment, or nothing of it can be paid any more
    return True


def _is_own(before: Referral, now: Instant) -> bool:
    if not before.lead_key:
        return False  # known by a number alone
    owner = partners.partner_by_email_key(before.program, before.lead_key, now=now)
    if not owner:
        return False
    return owner == before.partner or any(
        share.partner == owner for share in referrals.detail(before.id).shares
    )


def _was_decided(before: Referral) -> bool:
    """Return whether a person has let the referral go again: the sweep does not overrule them."""
    return any(each.type == "ReferralReleased" for each in events.of_entity(before.entity))
