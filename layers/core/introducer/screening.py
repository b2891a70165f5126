"""What screening decides about a new referral, from what is stored about it and nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from introducer import attribution, calendar, conflicts
from introducer.command import Clear, MarkDuplicate, MarkIneligible, SendToReview
from introducer.conflicts import Found, Ruling
from introducer.document.credit import Creditable
from introducer.identity import DOMAIN, PHONE
from introducer.partner import Partner
from introducer.program import Program
from introducer.referral import Facts, Referral, Share, Touch

SELF_REFERRAL = "self_referral"
OWN_COMPANY = "own_company"
DUPLICATE = "duplicate"
SAME_COMPANY = conflicts.SAME_COMPANY
CREDITED = frozenset({"active", "invited"})
"""Partners who may be credited; what an invited one earns waits for them."""


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What is to happen to a referral, who is credited, and what it is marked with."""

    command: Clear | MarkDuplicate | MarkIneligible | SendToReview
    shares: list[Share]
    """Also of a lead that is turned down: its partners shall see what became of it."""
    flags: list[Touch]
    """Signals to be kept beside the referral; they belong to no partner and earn nothing."""


def judge(
    referral: Referral,
    touches: Sequence[Touch],
    partners: Mapping[str, Partner],
    document: Program,
    found: Found = Found(),  # noqa: B008  (frozen)
) -> Verdict:
    """Return the verdict on a submitted *referral*.

    Args:
        referral: As it was submitted.
        touches: Everything that led to it.
        partners: By id, those of the touches' partners who exist.
        document: The program version it was made under.
        found: What others have to do with the lead.
    """
    shares = credited(referral, touches, partners, document)
    if referral.duplicate_of:
        known = MarkDuplicate(of=referral.duplicate_of, reason=referral.reason or DUPLICATE)
        return Verdict(command=known, shares=shares, flags=[])
    if not shares:
        return Verdict(command=SendToReview(reason="no_partner"), shares=[], flags=[])
    main = main_share(shares)
    if not _country_fits(referral, main, document):
        return Verdict(command=MarkIneligible(reason="country"), shares=shares, flags=[])
    rulings = conflicts.rulings(found, document.conflicts)
    signals = [each.reason for each in rulings if each.treatment == "flag"]
    own = _own(referral, [partners[share.partner] for share in shares], found)
    held = own == SELF_REFERRAL and document.fraud.self_referral == "hold"
    signals += [own] if own and not held else []
    command = _decided(rulings, main, SELF_REFERRAL if held else "")
    return Verdict(
        command=command, shares=shares, flags=[_flag(referral, signal) for signal in signals]
    )


def main_share(shares: Sequence[Share]) -> Share:
    """Return the largest part; the earliest touched of them where several are as large."""
    return max(shares, key=lambda share: share.basis_points)


def _decided(
    rulings: Sequence[Ruling], main: Share, hold: str
) -> Clear | MarkIneligible | SendToReview:
    """Return what the strictest of *rulings* asks for."""
    first = rulings[0] if rulings else Ruling(treatment="accept", reason="")
    if first.treatment == "ineligible":
        return MarkIneligible(reason=first.reason)
    if first.treatment == "review":
        return SendToReview(reason=first.reason, hold=hold)
    reserved = next((each for each in rulings if each.treatment == "assign" and each.rep), None)
    return Clear(
        partner=main.partner,
        audience=main.audience,
        hold=hold,
        reserved_for=reserved.rep if reserved else "",
        reason=reserved.reason if reserved else "",
    )


def credited(
    referral: Referral,
    touches: Sequence[Touch],
    partners: Mapping[str, Partner],
    document: Program,
) -> list[Share]:
    """Return the parts of the credit, making 10,000, or none when nobody may be credited.

    A touch counts when its partner is active or invited, takes part in the referral's program
    and is of an audience and type that may be credited.
    """
    without = uncredited(referral, touches, partners, document)
    parts = attribution.credit(
        touches, document.attribution, at=referral.submitted_at, uncredited=without
    )
    return [share_of(partners[name], part, referral) for name, part in parts.items()]


def uncredited(
    referral: Referral,
    touches: Sequence[Touch],
    partners: Mapping[str, Partner],
    document: Program,
) -> dict[str, str]:
    """Return the partners of *touches* who may not be credited, each with the reason's code.

    It is kept with the referral, so that the credit can be computed again at any time.
    """
    rule = document.attribution.creditable
    named = dict.fromkeys(touch.partner for touch in touches if touch.partner)
    reasons = {name: barred(partners.get(name), referral.program, rule) for name in named}
    return {name: why for name, why in reasons.items() if why}


def share_of(partner: Partner, basis_points: int, referral: Referral) -> Share:
    """Return *partner*'s part of the credit for *referral*, with what is known of them now."""
    return Share(
        partner=partner.id,
        basis_points=basis_points,
        audience=partner.audience,
        org=partner.org,
        facts=facts_of(partner, referral),
    )


def facts_of(partner: Partner, referral: Referral) -> Facts:
    """Return what is known of *partner* at the time of *referral*, by the catalogue's names.

    Kept with the share, so that nobody has to read the partner again; what is not known is
    left out.
    """
    known: dict[str, str | int | None] = {
        "partner.audience": partner.audience,
        "partner.type": partner.type,
        "partner.country": partner.country,
        "partner.organization": partner.org,
        "partner.segment": partner.segment,
        "partner.score": partner.score,
        "partner.days": _days(partner, referral),
    }
    return {name: value for name, value in known.items() if value not in {None, ""}}


def _days(partner: Partner, referral: Referral) -> int | None:
    since = partner.member_since or partner.enrolled_at
    if not since:
        return None  # invited: nobody knows whether they ever will
    return max(calendar.days_between(since, referral.submitted_at), 0)


def barred(partner: Partner | None, program: str, rule: Creditable) -> str:
    """Return why *partner* may not be credited in *program*, empty when they may."""
    if partner is None or partner.program != program:
        return "unknown"
    if partner.status not in CREDITED:
        return "inactive"
    if rule.audiences and partner.audience not in rule.audiences:
        return "audience"
    if rule.types and partner.type not in rule.types:
        return "type"
    return ""


def _country_fits(referral: Referral, main: Share, document: Program) -> bool:
    audience = document.audiences.get(main.audience)
    if audience is None or not audience.lead_countries or not referral.country:
        return True
    return referral.country in audience.lead_countries


def _own(referral: Referral, credited_to: Sequence[Partner], found: Found) -> str:
    """Return what makes the lead one of those credited for it, or of their company."""
    for partner in credited_to:
        same_mailbox = bool(referral.lead_key) and referral.lead_key == partner.email_key
        if same_mailbox or _alike(referral, partner, PHONE) or partner.id in found.colleagues:
            return SELF_REFERRAL
    if any(_alike(referral, partner, DOMAIN) for partner in credited_to):
        return OWN_COMPANY
    return ""


def _alike(referral: Referral, partner: Partner, kind: str) -> bool:
    return kind in referral.keys and referral.keys[kind] == partner.keys.get(kind)


def _flag(referral: Referral, signal: str) -> Touch:
    # Key and time are the referral's own, so that writing it twice is writing it once.
    return Touch(id=signal, kind="flag", at=referral.submitted_at, data={"signal": signal})
