"""A submitted referral: credit its partners and let it through, turn it down or ask a person."""

from __future__ import annotations

import msgspec

from introducer import clock, life, prospect, screening
from introducer.command import Clear
from introducer.conflicts import Found
from introducer.partner import Partner
from introducer.referral import Referral, Share
from introducer.tables import programs, prospects, referrals
from introducer.tables.store import Transaction
from route import claimed


def screen(referral_id: str, *, cause: str) -> None:
    """Screen a referral if nobody has.

    Args:
        referral_id: Which one.
        cause: The id of the event that asks for it.

    Raises:
        NotFoundError: There is no such referral.
        StaleError: It moved while it was screened.
    """
    detail = referrals.detail(referral_id)
    before = detail.referral
    if before.status != "submitted":
        return
    document = programs.version(before.program, before.program_version).document
    known = claimed.partners_of(detail.touches)
    found = Found()
    if not before.duplicate_of:
        credited = screening.credited(before, detail.touches, known, document)
        found = claimed.look(before, document, [share.partner for share in credited], known)
    verdict = screening.judge(before, detail.touches, known, document, found)
    without = screening.uncredited(before, detail.touches, known, document)
    before = msgspec.structs.replace(before, uncredited=without)
    after, event = life.apply(
        before, verdict.command, document, now=clock.now(), actor="system", cause=cause
    )
    writes = Transaction()
    referrals.save(writes, before, after, event)
    for share in verdict.shares:
        referrals.add_share(writes, after, share)
    for flag in verdict.flags:
        referrals.add_touch(writes, after, flag)
    if isinstance(verdict.command, Clear):
        _note_first_referrals(writes, after, verdict.shares, known, cause)
    writes.commit()


def _note_first_referrals(
    writes: Transaction,
    cleared: Referral,
    shares: list[Share],
    known: dict[str, Partner],
    cause: str,
) -> None:
    """Add the note of a first referral for partners who came from the company's list."""
    listed = [known[share.partner] for share in shares if known[share.partner].listed]
    for partner in listed:
        before = prospects.find(partner.program, partner.email_key)
        if before is None or before.state != "enrolled":
            continue
        after, event = prospect.referred(before, cleared.id, now=cleared.updated_at, cause=cause)
        prospects.save(writes, before, after, event)
