"""What a partner is told of money that is not theirs yet: sums that agree with the books."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from pynamodb.expressions.operand import Path

from introducer.command import Hold
from introducer.errors import StaleError
from introducer.tables import halts, ledger, store
from introducer.tables.store import Table, Transaction
from payout import accrue
from submit.resources import payable as resource
from tests.support import life, money
from tests.support.api import call, login
from tests.support.money import EUROS, NOW

PIA = login("login-pia", "partner")


@pytest.fixture(autouse=True)
def program(aws: None, frozen: Callable[[str], None]) -> Callable[[str], None]:
    """A program that pays, and Pia with an account; the value moves the clock."""
    del aws
    money.publish()
    money.enrol("pia")
    return frozen


def told(query: str = "") -> Any:
    """Return what Pia is told of her euros."""
    reply = call("GET", f"/v1/me/payable{query}", claims=PIA)
    assert 200 == reply.status, reply.body
    (found,) = [each for each in reply.body["items"] if each["currency"] == "EUR"]
    return found


def codes(found: Any) -> list[str]:
    """Return what stands against a payout."""
    return [each["code"] for each in found["obstacles"]]


def change(**fields: str) -> None:
    """Change what is known of Pia."""
    writes = Transaction()
    writes.update(
        Table.CORE,
        "PARTNER#pia",
        "PROFILE",
        [Path(name).set(value) for name, value in fields.items()],
        condition=~store.absent(),
        error=StaleError("there is no Pia"),
    )
    writes.commit()


def earn(name: str = "r1", amount_minor: int = 100_000) -> None:
    """Let Pia earn a tenth of a sale: a quarter of it now, the rest in May."""
    money.sell(name, amount_minor, lead_key=f"key-{name}")
    money.deliver(name)


def test_nothing_earned_yet_is_told_too() -> None:
    """In the program's own currency, with the way it would be paid."""
    found = told()
    assert (0, [], ["nothing_payable"], True, False) == (
        found["pending_minor"],
        found["due"],
        codes(found),
        found["complete"],
        found["ready"],
    )
    assert ("sepa", "eu", 1_000, 1_000) == tuple(
        found["way"][key] for key in ("method", "region", "threshold_minor", "missing_minor")
    )


def test_pending_is_told_by_day_and_by_what_it_waits_for() -> None:
    """Together they are what the books call pending."""
    earn("r1")
    earn("r2", 40_000)
    life.move("r2", Hold(reason="velocity"))
    accrue.release(NOW)
    found = told()
    assert [("2027-05-19", 2, 10_500)] == [
        (each["on"], each["count"], each["amount_minor"]) for each in found["due"]
    ]
    assert [("on_hold", 1, 1_000)] == [
        (each["code"], each["count"], each["amount_minor"]) for each in found["waiting"]
    ]
    sums = sum(each["amount_minor"] for each in (*found["due"], *found["waiting"]))
    assert found["pending_minor"] == sums == money.accounts()["pending"]
    assert (2_500, [], True) == (found["payable_minor"], codes(found), found["ready"])
    assert "2026-11-23T06:00:00.000Z" == found["way"]["next_at"]
    assert "23. November 2026" in told("?locale=de")["way"]["next_words"]


@pytest.mark.parametrize(
    ("fields", "code", "yours"),
    [
        ({"payee_set_at": ""}, "no_payee", True),
        ({"payee_problem": "AC04"}, "payee_rejected", True),
        ({"payee_usable_at": "2026-11-25T00:00:00.000Z"}, "payee_cooling_off", False),
        ({"payout_hold": "fraud_check"}, "on_hold", False),
    ],
)
def test_gate_of_the_batches_is_the_one_that_is_told(
    fields: dict[str, str], code: str, *, yours: bool
) -> None:
    """The same function says it, so a batch and this page never disagree."""
    earn()
    money.release()
    change(**fields)
    found = told()
    assert [(code, yours)] == [(each["code"], each["yours"]) for each in found["obstacles"]]
    assert not found["ready"]
    assert "fraud" not in str(found)


def test_tax_form_rate_and_halt_are_told() -> None:
    """Each with its own words; nothing of why the books were stopped."""
    money.publish(
        payouts=[EUROS | {"method": "wire", "pays_in": "USD"}],
        tax={"payer_country": "US", "missing": "block"},
    )
    earn()
    money.release()
    halts.halt(life.PROGRAM, "the books are torn", now=NOW)
    found = told()
    assert {"tax_form_missing", "no_rate", "halted"} == set(codes(found))
    assert "torn" not in str(found)
    assert any("W-8BEN" in each["words"] for each in found["obstacles"])


def test_debt_is_told_with_what_made_it_and_what_lowered_it() -> None:
    """Newest first, as far back as it takes to explain all of it."""
    earn("r1", 200_000)
    money.release()
    money.settle_all(money.pay_out())
    money.refund("r1", "f1", 200_000)
    money.deliver("r1")
    found = told()
    assert (5_000, 0) == (found["owed_minor"], found["payable_minor"])
    assert [("RewardReversed", -5_000, "r1", "refunded")] == [
        (each["kind"], each["amount_minor"], each["referral"], each["reason"])
        for each in found["debts"]
    ]
    assert "50.00 EUR" in found["owed_words"]
    money.credit("pia", 2_000)
    assert ([2_000, -5_000], 3_000) == (
        [each["amount_minor"] for each in told()["debts"]],
        told()["owed_minor"],
    )


def test_sent_money_is_on_its_way_and_nothing_more_is_payable() -> None:
    """Reserved, in transit, paid: each where it stands."""
    earn()
    money.release()
    money.pay_out(until="reserve")
    assert (2_500, 0) == (told()["reserved_minor"], told()["in_transit_minor"])
    money.settle_all(money.pay_out())
    found = told()
    assert (0, 0, 2_500, ["nothing_payable"]) == (
        found["reserved_minor"],
        found["in_transit_minor"],
        found["paid_minor"],
        codes(found),
    )


def test_history_that_is_too_long_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is told is right then, and known not to be all."""
    earn("r1")
    earn("r2", 40_000)
    assert told()["complete"]
    monkeypatch.setattr(resource, "_PAGE", 1)
    monkeypatch.setattr(resource, "_MOST", 2)
    found = told()
    assert not found["complete"]
    assert 0 < sum(each["amount_minor"] for each in found["due"]) < found["pending_minor"]
    assert 4 == ledger.balance("pia", "EUR").version
