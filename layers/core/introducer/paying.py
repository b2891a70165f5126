"""Which payout rule a holder is paid by.

Asked whenever somebody is to be paid, and when they ask why they are not: rules and payees
change, so nothing stored names the way of the money before it is on it.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from introducer.document.payout import HolderKind, Method, PayoutRule
from introducer.partner import Partner
from introducer.program import Program

SERVES: dict[str, frozenset[Method]] = {
    "bank": frozenset({"sepa", "wire"}),
    "ach": frozenset({"ach"}),
    "stripe": frozenset({"stripe"}),
    "paypal": frozenset({"paypal"}),
}
"""The ways to each kind of account that a payee can give."""
NEEDS_PAYEE: frozenset[Method] = frozenset().union(*SERVES.values())
"""Ways that end at an account; the others need to know no more than who somebody is."""
CALLS: frozenset[Method] = frozenset({"stripe", "paypal", "gift_card", "points", "credit"})
"""Ways on which every payout is a call of its own; the others write one file a batch."""

_KINDS: dict[str, HolderKind] = {"org": "organization", "rep": "rep", "customer": "customer"}


class Holder(msgspec.Struct, frozen=True, kw_only=True):
    """Whose money it is, as far as rules ask.

    ``account`` is the kind of account on file: a key of :data:`SERVES`, empty for none.
    """

    name: str
    kind: HolderKind
    audience: str = ""
    country: str = ""
    account: str = ""


def holder_of(name: str, profile: Partner | None) -> Holder:
    """Return the holder called *name* in the books; *profile* is the partner's, if it is one."""
    prefix, dot, _ = name.partition(".")
    if dot:
        return Holder(name=name, kind=_KINDS[prefix])
    if profile is None:
        return Holder(name=name, kind="partner")
    account = (profile.payee_method or "bank") if profile.payee_set_at else ""
    return Holder(
        name=name,
        kind="partner",
        audience=profile.audience,
        country=profile.country,
        account=account,
    )


def rule_for(document: Program, unit: str, holder: Holder) -> PayoutRule | None:
    """Return the rule that *unit* is paid to *holder* by, None when there is none.

    Of several that fit, the first in the document. Without an account on file any way may be
    the holder's: what is missing then is the account.
    """
    return next((rule for rule in document.payouts if _fits(rule, unit, holder)), None)


def named(document: Program, *, region: str, currency: str, method: str) -> PayoutRule | None:
    """Return the rule of that name, None when the document has none."""
    name = (region, currency, method)
    rules = (each for each in document.payouts if (each.region, each.currency, each.method) == name)
    return next(rules, None)


def units(document: Program) -> Iterator[str]:
    """Yield every unit that *document* pays, each once."""
    yield from dict.fromkeys(rule.currency for rule in document.payouts)


def pays(document: Program, unit: str) -> bool:
    """Return whether *document* pays *unit* to anybody."""
    return unit in units(document)


def _fits(rule: PayoutRule, unit: str, holder: Holder) -> bool:
    return (
        rule.currency == unit
        and holder.kind in (rule.holders or ["partner"])
        and (not rule.audiences or holder.audience in rule.audiences)
        and (not rule.countries or holder.country in rule.countries)
        and _reaches(rule.method, holder.account)
    )


def _reaches(method: Method, account: str) -> bool:
    if method not in NEEDS_PAYEE or not account:
        return True
    return method in SERVES[account]
