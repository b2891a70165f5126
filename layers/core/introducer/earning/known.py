"""The facts of a case under the catalogue's names, as conditions ask for them."""

from __future__ import annotations

from typing import Any

from introducer import calendar
from introducer.earning.amount import items
from introducer.earning.occasion import Case, Occasion
from introducer.earning.rules import Rules
from introducer.referral import Referral, Share


def about_lead(case: Case) -> dict[str, Any]:
    """Return what is known of the lead and of how the referral went."""
    referral = case.referral
    known: dict[str, Any] = {
        **referral.facts,
        "referral.channel": referral.channel,
    }
    if referral.country:
        known["lead.country"] = referral.country
    if referral.product:
        known["lead.product"] = referral.product
    first = _first_sale_at(case)
    if first:
        known["referral.days_to_close"] = calendar.days_between(referral.submitted_at, first)
    return known


def about_partner(share: Share) -> dict[str, Any]:
    """Return what is known of a credited partner."""
    known: dict[str, Any] = {
        **share.facts,
        "partner.audience": share.audience,
        "partner.share": share.basis_points,
        "partner.involvement": share.involvement,
    }
    if share.org:
        known["partner.organization"] = share.org
    return known


def about_occasion(rules: Rules, occasion: Occasion) -> dict[str, Any]:
    """Return what is known of a sale or event; amounts in the program's currency.

    Raises:
        MissingRateError: A condition asks for the amount, and the program has no rate.
    """
    known: dict[str, Any] = dict(occasion.facts)
    name = "sale" if occasion.kind == "sale" else "event"
    if occasion.currency and f"{name}.amount_minor" in rules.asked:
        known[f"{name}.amount_minor"] = rules.rates.convert(
            occasion.amount_minor, occasion.currency
        )
    if occasion.kind != "sale":
        return known
    lines = items(occasion)
    known["sale.currency"] = occasion.currency
    known["sale.number"] = occasion.number
    known["sale.items"] = len(lines)
    known["sale.quantity"] = sum(line.quantity for line in lines)
    if occasion.product:
        known["sale.product"] = occasion.product
    products = sorted({line.product for line in lines if line.product})
    if products:
        known["sale.products"] = products
    return known


def _first_sale_at(case: Case) -> str:
    referral: Referral = case.referral
    if not referral.won_at:
        return ""
    return min((sale.occurred_at for sale in case.sales), default=referral.won_at)
