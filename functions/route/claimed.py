"""Who else has a claim to a lead: the company's lists, other partners, the partners' own people."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from introducer import conflicts, screening
from introducer.account import Entry, Kind
from introducer.conflicts import Found
from introducer.identity import DOMAIN, EXTERNAL, PHONE
from introducer.partner import Partner
from introducer.program import Program
from introducer.referral import FINAL, Referral, Touch
from introducer.tables import accounts, leads, partners, programs, referrals
from introducer.tables.accounts import Key


def look(
    referral: Referral, document: Program, credited: Collection[str], known: Mapping[str, Partner]
) -> Found:
    """Return what others have to do with the lead of *referral*.

    Only what the program asks about is read: one batch for the company's lists, one query and
    one batch for each key that is looked up, one item where a partner has a company.

    Args:
        referral: As it was submitted.
        document: The program version it was made under.
        credited: The partners credited for it.
        known: The partners of its touches, by id.
    """
    rule = document.conflicts
    looked_up = leads.looked_up_keys(referral, document.intake.identity)
    return Found(
        entries=_entries(referral) if _asks_for_lists(document) else {},
        same_company=rule.domain != "accept"
        and DOMAIN in looked_up
        and _is_anothers(referral, DOMAIN, credited),
        same_phone=PHONE in looked_up and _is_anothers(referral, PHONE, credited),
        colleagues=_colleagues(referral, [known[name] for name in credited]),
    )


def partners_of(touches: Iterable[Touch]) -> dict[str, Partner]:
    """Return the partners of *touches* who exist, by id.

    One consistent read each: most leads have one partner, who may have joined just now.
    """
    named = dict.fromkeys(touch.partner for touch in touches if touch.partner)
    found = (partners.find_partner(partner) for partner in named)
    return {partner.id: partner for partner in found if partner is not None}


def _asks_for_lists(document: Program) -> bool:
    rule = document.conflicts
    return any(each != "accept" for each in (rule.customer, rule.open, rule.named))


def _entries(referral: Referral) -> dict[Kind, Entry]:
    """Return the lead's places on the company's lists; the strongest key decides."""
    own = referral.keys
    order = [PHONE, *sorted(kind for kind in own if kind.startswith(EXTERNAL)), DOMAIN]
    keys = [Key("email", referral.lead_key)] if referral.lead_key else []
    keys += [Key(kind, own[kind]) for kind in order if kind in own]
    found = accounts.find_all(referral.program, keys)
    ordered = [found[key] for key in keys if key in found]
    return conflicts.entries(ordered, referral.submitted_at)


def _is_anothers(referral: Referral, kind: str, credited: Collection[str]) -> bool:
    """Return whether an earlier lead with the same key is still open for another partner."""
    return any(
        _partner_of(each) not in {*credited, ""}
        for each in leads.earlier(referral, kind)
        if each.status not in FINAL and each.status != "lost"
    )


def _partner_of(earlier: Referral) -> str:
    """Return who gets most of the credit, also of a lead that nobody has screened yet."""
    if earlier.partner:
        return earlier.partner
    detail = referrals.detail(earlier.id)
    shares = detail.shares
    if not shares:
        document = programs.version(earlier.program, earlier.program_version).document
        known = partners_of(detail.touches)
        shares = screening.credited(earlier, detail.touches, known, document)
    return screening.main_share(shares).partner if shares else ""


def _colleagues(referral: Referral, credited: Collection[Partner]) -> frozenset[str]:
    """Return those credited who work for the partner company that the lead works for, too."""
    employed = [partner for partner in credited if partner.org]
    if not employed or not referral.lead_key:
        return frozenset()
    lead = partners.of_mailbox(referral.program, referral.lead_key, now=referral.submitted_at)
    return frozenset(partner.id for partner in employed if lead and lead.org == partner.org)
