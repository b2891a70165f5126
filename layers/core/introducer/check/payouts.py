"""Payout rules: each with a name of its own, and with everything its way of the money needs."""

from __future__ import annotations

from collections.abc import Iterator

from introducer import paying
from introducer.bank import account, nacha
from introducer.bank.order import SEPA
from introducer.check.finding import Finding, meant
from introducer.document.payout import PayoutRule
from introducer.errors import InvalidInputError
from introducer.money import POINTS
from introducer.program import Program

_NEEDS = {
    "sepa": "debtor",
    "wire": "debtor",
    "ach": "originator",
    **dict.fromkeys(paying.CALLS, "provider"),
}
"""The part of a rule that a method cannot do without."""
_ONE_CURRENCY = {"sepa": "EUR", "ach": "USD"}
"""What these methods send."""
_NOT_CASH = frozenset({"gift_card", "points", "credit"})


def findings(document: Program) -> Iterator[Finding]:
    """Yield what is wrong with the payout rules of *document*."""
    seen: set[tuple[str, str, str]] = set()
    for index, rule in enumerate(document.payouts):
        path = f"$.payouts[{index}]"
        name = (rule.region, rule.currency, rule.method)
        if name in seen:
            problem = f"{rule.method} pays {rule.currency} in the region {rule.region} already"
            yield Finding(path, problem, "keep one of them, or give this one its own region")
        seen.add(name)
        yield from _parts(path, rule)
        yield from _unit(path, rule)
        yield from _who(path, rule, document)
        yield from _when(path, rule)


def _parts(path: str, rule: PayoutRule) -> Iterator[Finding]:
    needed = _NEEDS.get(rule.method, "")
    if needed and getattr(rule, needed) is None:
        yield Finding(f"{path}.{needed}", f"{rule.method} needs it", f"add {needed}")
    if rule.debtor and rule.method == "sepa" and rule.debtor.iban[:2] not in SEPA:
        problem = "an account outside SEPA"
        yield Finding(f"{path}.debtor.iban", problem, 'pay from another, or use the method "wire"')
    yield from _accounts(path, rule)


def _accounts(path: str, rule: PayoutRule) -> Iterator[Finding]:
    """Yield the accounts to pay from that no bank has: every file of theirs would be refused."""
    if rule.debtor:
        given = (("iban", account.iban, rule.debtor.iban), ("bic", account.bic, rule.debtor.bic))
        for field, check, number in given:
            try:
                check(number)
            except InvalidInputError as refused:
                yield Finding(f"{path}.debtor.{field}", refused.message, "compare it with the bank")
    if rule.originator and not nacha.is_routing(rule.originator.routing):
        problem = "not a routing number: the last digit does not check the others"
        yield Finding(f"{path}.originator.routing", problem, "compare it with the bank")


def _unit(path: str, rule: PayoutRule) -> Iterator[Finding]:
    cash = rule.currency != POINTS and "." not in rule.currency
    if not cash and rule.method not in _NOT_CASH:
        problem = f"{rule.currency} is no cash, and {rule.method} sends nothing else"
        yield Finding(f"{path}.method", problem, "use gift_card, points or credit")
    sent = rule.pays_in or rule.currency
    only = _ONE_CURRENCY.get(rule.method, sent)
    if sent != only:
        problem = f"{rule.method} sends {only} only"
        yield Finding(f"{path}.pays_in", problem, f'set pays_in to "{only}", or use another method')
    if rule.pays_in and not cash:
        yield Finding(f"{path}.pays_in", "nothing but cash is exchanged", "leave it out")
    if rule.payout_most_minor and rule.payout_most_minor < rule.threshold_minor:
        problem = "no payout could reach the threshold"
        yield Finding(f"{path}.payout_most_minor", problem, "raise it, or lower threshold_minor")


def _who(path: str, rule: PayoutRule, document: Program) -> Iterator[Finding]:
    for kind in rule.holders:
        if kind != "partner" and rule.method in paying.NEEDS_PAYEE:
            problem = f"a {kind} has no account on file for {rule.method}"
            remedy = "use payroll, gift_card, points or credit"
            yield Finding(f"{path}.holders", problem, remedy)
    for index, audience in enumerate(rule.audiences):
        if audience not in document.audiences:
            remedy = meant(audience, document.audiences, "declare it in audiences")
            place = f"{path}.audiences[{index}]"
            yield Finding(place, f"there is no audience {audience}", remedy, "$.audiences")


def _when(path: str, rule: PayoutRule) -> Iterator[Finding]:
    if rule.calendar.every == "week" and rule.calendar.on > 7:  # noqa: PLR2004  (days of a week)
        problem = "a week has seven days"
        yield Finding(f"{path}.calendar.on", problem, "use 1 for Monday to 7 for Sunday")
