"""What stands between a holder and their money."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from introducer.partner import Partner
from payout import gates
from tests.support import life
from tests.support.money import EUROS, NOW

LATER = "2026-11-22T12:00:00.000Z"


def partner(**changes: Any) -> Partner:
    """Return an active partner with an account."""
    values: dict[str, Any] = {
        "id": "pia",
        "program": "acme",
        "audience": "partners",
        "person": "person-pia",
        "login": "login",
        "country": "DE",
        "enrolled_at": "2026-01-01T00:00:00.000Z",
        "version": 1,
        "payee_set_at": "2026-01-01T00:00:00.000Z",
        "payee_method": "bank",
    }
    return msgspec.convert(values | changes, Partner)


def why(rule: dict[str, Any], profile: Partner | None, holder: str = "pia", **more: Any) -> str:
    """Return what stands against paying."""
    document = life.document(payouts=[rule], **more)
    return gates.obstacle(document, document.payouts[0], holder, profile, now=NOW)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, ""),
        ({"status": "inactive"}, "partner_not_active"),
        ({"payout_hold": "fraud_check"}, "on_hold"),
        ({"payee_set_at": ""}, "no_payee"),
        ({"payee_problem": "AC04"}, "payee_rejected"),
        ({"payee_usable_at": LATER}, "payee_cooling_off"),
        ({"payee_usable_at": NOW}, ""),
        ({"screening": "hit"}, ""),
    ],
)
def test_obstacle_of_an_account(changes: dict[str, Any], expected: str) -> None:
    """Who left, is kept back, has no account, a refused or a new one."""
    assert expected == why(EUROS, partner(**changes))


def test_obstacle_of_a_list_that_was_not_asked() -> None:
    """Where the rule screens, nobody is paid before the list was compared with them."""
    assert "screening_pending" == why(EUROS | {"screening": True}, partner())


def test_obstacle_of_a_missing_form() -> None:
    """Where the payer is in the US and blocks, a partner without a form waits."""
    tax = {"payer_country": "US", "missing": "block"}
    assert "tax_form_missing" == why(EUROS, partner(country="US"), tax=tax)


def test_others_than_partners_need_no_profile() -> None:
    """Reps are paid with the payroll, whatever partners have to give."""
    payroll = {"currency": "EUR", "method": "payroll", "holders": ["rep"], "screening": True}
    assert "" == why(payroll, None, "rep.anna")
    assert "partner_not_active" == why(payroll, None, "gone")
