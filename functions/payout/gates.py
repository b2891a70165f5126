"""What stands between a holder and their money, besides how much of it there is."""

from __future__ import annotations

from introducer import paying
from introducer.document.payout import PayoutRule
from introducer.errors import InvalidInputError
from introducer.partner import Partner
from introducer.rails.rail import Order
from introducer.rails.registry import call_rail, file_rail


def obstacle(rule: PayoutRule, holder: str, profile: Partner | None) -> str:
    """Return why *holder* may not be paid by *rule* now, empty when they may."""
    if "." not in holder and (profile is None or profile.status != "active"):
        return "partner_not_active"
    if rule.method in paying.NEEDS_PAYEE and (profile is None or not profile.payee_set_at):
        return "no_payee"
    return ""


def unsendable(order: Order) -> str:
    """Return why *order* would be refused by whoever gets it, empty when it would not."""
    try:
        if order.rule.method in paying.CALLS:
            for payment in order.payments:
                call_rail(order.rule.method).check(payment)
        else:
            file_rail(order.rule.method).check(order)
    except InvalidInputError:
        return "payee_not_payable"
    return ""
