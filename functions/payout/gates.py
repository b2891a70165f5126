"""What stands between a holder and their money, besides how much of it there is."""

from __future__ import annotations

from introducer import paying
from introducer.clock import Instant
from introducer.document.payout import PayoutRule
from introducer.errors import InvalidInputError
from introducer.partner import Partner
from introducer.program import Program
from introducer.rails.rail import Order
from introducer.rails.registry import call_rail, file_rail
from payout import screen, withholding


def obstacle(
    document: Program, rule: PayoutRule, holder: str, profile: Partner | None, *, now: Instant
) -> str:
    """Return why *holder* may not be paid by *rule* now, empty when they may.

    Args:
        document: Whose rule.
        rule: The one that is theirs.
        holder: As the books name them.
        profile: The partner's; None for reps, customers and companies, who need none.
        now: The present instant.
    """
    if "." not in holder and (profile is None or profile.status != "active"):
        return "partner_not_active"
    if profile is not None and profile.payout_hold:
        return "on_hold"
    if rule.method in paying.NEEDS_PAYEE and (why := _of_account(profile, now)):
        return why
    if rule.screening and profile is not None and (why := screen.obstacle(profile)):
        return why
    # Whether a form is missing does not depend on the amount.
    return withholding.decide(document, profile, rule.currency, 1, now, method=rule.method).blocked


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


def _of_account(profile: Partner | None, now: Instant) -> str:
    if profile is None or not profile.payee_set_at:
        return "no_payee"
    if profile.payee_problem:
        return "payee_rejected"
    return "payee_cooling_off" if profile.payee_usable_at > now else ""
