"""What the program says of a lead that somebody else has a claim to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal

import msgspec

from introducer.account import KINDS, Account, Entry, Kind
from introducer.clock import Instant
from introducer.document.intake import Conflicts

SAME_COMPANY = "same_company"
SAME_PHONE = "same_phone"
REASONS: dict[Kind, str] = {
    "customer": "existing_customer",
    "open": "open_with_sales",
    "named": "named_account",
}
"""What a partner is told, by the list the lead is on."""

Treatment = Literal["ineligible", "review", "assign", "flag", "accept"]
_STRENGTH: tuple[Treatment, ...] = ("ineligible", "review", "assign", "flag", "accept")


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """What others have to do with a lead.

    Attributes:
        entries: Its places on the company's lists that still count.
        same_company: Whether an earlier lead of its company is protected for another partner.
        same_phone: Likewise with its number, where the number is only looked up.
        colleagues: The credited partners whose company the lead is a partner of, too.
    """

    entries: Mapping[Kind, Entry] = {}
    same_company: bool = False
    same_phone: bool = False
    colleagues: frozenset[str] = frozenset()


class Ruling(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be done, why, and whose account it is."""

    treatment: Treatment
    reason: str
    rep: str = ""


def entries(accounts: Iterable[Account], at: Instant) -> dict[Kind, Entry]:
    """Return the places that count at the instant *at*; of each list the first account's."""
    found: dict[Kind, Entry] = {}
    for account in accounts:
        for kind, entry in account.on.items():
            if entry.counts(at):
                found.setdefault(kind, entry)
    return found


def rulings(found: Found, rule: Conflicts) -> list[Ruling]:
    """Return what *rule* says of everything *found*, the strictest first."""
    treatments: dict[Kind, Treatment] = {
        "customer": rule.customer,
        "open": rule.open,
        "named": rule.named,
    }
    made = [
        Ruling(treatment=treatments[kind], reason=REASONS[kind], rep=found.entries[kind].rep)
        for kind in KINDS
        if kind in found.entries
    ]
    if found.same_company:
        made.append(Ruling(treatment=rule.domain, reason=SAME_COMPANY))
    if found.same_phone:
        made.append(Ruling(treatment="flag", reason=SAME_PHONE))
    return sorted(made, key=lambda each: _STRENGTH.index(each.treatment))
