"""The kinds of file, each with its columns and its act."""

from __future__ import annotations

from introducer.imports import Kind as Name
from submit.imports import (
    accounts,
    conversions,
    history,
    invitations,
    links,
    paid,
    partners,
    referrals,
)
from submit.imports.rows import Kind

KINDS: dict[Name, Kind] = {
    "referrals": referrals.KIND,
    "invitations": invitations.INVITATIONS,
    "employees": invitations.EMPLOYEES,
    "partners": partners.KIND,
    "links": links.KIND,
    "past_referrals": history.KIND,
    "paid_rewards": paid.KIND,
    "conversions": conversions.KIND,
    "accounts": accounts.KIND,
}
