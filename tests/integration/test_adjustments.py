"""Adjustments through the API: two people, one journal, and a statement that explains it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from introducer.ledger import Kind, Posting
from introducer.tables import adjustments, ledger, store
from introducer.tables.ledger import Entry
from introducer.tables.store import Table, Transaction
from tests.support import life, money
from tests.support.api import Reply, call, login

FINN, MIA = login("finn", "finance"), login("mia", "manager")
AUDITOR = login("ada", "auditor")
BASE = f"/v1/programs/{life.PROGRAM}/adjustments"


@pytest.fixture(autouse=True)
def program(aws: None, frozen: Callable[[str], None]) -> None:
    """A program that pays euros, with two partners."""
    assert aws is None
    assert frozen
    money.publish()
    money.enrol("pia")


def propose(kind: str = "credit", minor: int = 500, **overrides: Any) -> Reply:
    """Propose an adjustment as Finn."""
    body = {
        "holder": "pia",
        "kind": kind,
        "currency": "EUR",
        "amount_minor": minor,
        "reason": "Goodwill for the late start",
        **overrides,
    }
    return call("POST", BASE, body, claims=FINN)


def decide(reply: Reply, what: str, claims: dict[str, str] = MIA, key: str = "") -> Reply:
    """Approve or reject what was proposed."""
    return call("POST", f"{BASE}/{reply.body['id']}/{what}", {}, claims=claims, key=key)


def adjust(kind: str, minor: int) -> None:
    """Propose and approve."""
    assert 200 == decide(propose(kind, minor), "approve").status


def types(name: str) -> list[str]:
    """Return the events of an adjustment."""
    found = store.query_all(Table.LEDGER, f"ADJUSTMENT#{name}", prefix="EVENT#")
    return [each["type"] for each in found]


def test_adjustment_is_booked_when_a_second_person_approves() -> None:
    """Proposed nothing is booked; approved it is, once, and the partner reads why."""
    made = propose(accounting_class="marketing_expense")
    name = made.body["id"]
    assert (201, "proposed") == (made.status, made.body["status"])
    assert f"adjustments/{name}" == made.headers["location"]
    assert {} == money.accounts()
    assert (403, "forbidden") == decide(made, "approve", FINN).problem()

    for key in ("", "", "same-key-1234567", "same-key-1234567"):
        assert {"id": name, "status": "approved"} == decide(made, "approve", key=key).body

    assert [("CreditAdjusted", {"adjustments": -500, "payable": 500})] == money.booked()
    (journal,) = money.journals()
    assert (f"adjustment:{name}", "marketing_expense") == (journal.id, journal.refs["class"])
    assert ["AdjustmentProposed", "AdjustmentApproved"] == types(name)
    statement = call("GET", "/v1/me/statement?currency=EUR", claims=login("login-pia", "partner"))
    (movement,) = statement.body["movements"]
    assert "Goodwill for the late start" == movement["reason"]
    read = call("GET", f"{BASE}/{name}", claims=AUDITOR).body
    assert ("user:finn", "user:mia", journal.id) == (
        read["proposed_by"],
        read["decided_by"],
        read["journal"],
    )
    assert [name] == [each["id"] for each in call("GET", BASE, claims=AUDITOR).body["items"]]


def test_rejected_or_withdrawn_adjustment_books_nothing() -> None:
    """The second person says no, or the first changes their mind; that is final."""
    first, second = propose(), propose()

    assert "rejected" == decide(first, "reject").body["status"]
    assert "withdrawn" == decide(second, "reject", FINN).body["status"]
    for each in (first, second):
        assert (409, "transition_not_allowed") == decide(each, "approve").problem()
    assert {} == money.accounts()
    assert ["AdjustmentProposed", "AdjustmentWithdrawn"] == types(second.body["id"])


def test_debit_opening_and_write_off() -> None:
    """A debit beyond what is payable is owed, netted, and written off as far as it is left."""
    adjust("opening", 300)
    adjust("debit", 1_000)
    assert {"receivable": -700} == money.accounts()
    adjust("credit", 200)
    assert {"receivable": -500} == money.accounts()

    too_much = propose("write_off", 501)
    assert (409, "transition_not_allowed") == decide(too_much, "approve").problem()
    adjust("write_off", 500)

    assert {} == money.accounts()
    assert not ledger.halted(life.PROGRAM)
    assert [
        {"expense_before": -300, "payable": 300},
        {"payable": -300, "receivable": -700, "adjustments": 1_000},
        {"adjustments": -200, "receivable": 200},
        {"written_off": -500, "receivable": 500},
    ] == [legs for _, legs in money.booked()]


def test_two_decisions_at_once_are_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who comes second finds it decided; what was not approved is not booked."""
    name = propose().body["id"]

    def rejected() -> None:
        writes = Transaction()
        adjustments.reject(writes, life.PROGRAM, name, actor="user:rita", now=money.NOW)
        writes.commit()

    money.intrude(monkeypatch, rejected)
    reply = call("POST", f"{BASE}/{name}/approve", {}, claims=MIA)

    assert (409, "transition_not_allowed") == reply.problem()
    assert ({}, ["AdjustmentProposed", "AdjustmentRejected"]) == (money.accounts(), types(name))


def test_approval_whose_answer_was_lost_is_booked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The journal is there; asked again, nothing is booked a second time."""
    name = propose().body["id"]

    def approved() -> None:
        adjustments.approve(life.PROGRAM, name, actor="user:mia", now=money.NOW)

    money.intrude(monkeypatch, approved)
    reply = call("POST", f"{BASE}/{name}/approve", {}, claims=MIA)

    assert (200, {"payable": 500}) == (reply.status, money.accounts())


def test_adjustment_is_refused_for_others_and_other_units() -> None:
    """The holder has to be the program's, the unit one it pays, the reason free of addresses."""
    wrong = {
        "unknown_holder": {"holder": "nobody"},
        "unit_not_paid": {"currency": "USD"},
        "invalid_input": {"reason": "see pia@partners.example"},
    }
    for code, change in wrong.items():
        assert code == propose(**change).problem()[1]
    fee = Posting(
        id="fee:b1",
        kind=Kind.FEE_CHARGED,
        program=life.PROGRAM,
        partner="batch.b1",
        currency="EUR",
        amount_minor=5,
        at=money.NOW,
    )
    entry = Entry(postings=(fee,), writes=0)
    ledger.post_all("batch.b1", "EUR", lambda _: [entry], now=money.NOW)
    assert "unknown_holder" == propose(holder="batch.b1").problem()[1]
    assert (403, "forbidden") == call("POST", BASE, {}, claims=AUDITOR).problem()
    assert 404 == call("GET", f"{BASE}/none", claims=AUDITOR).status
    other = call("GET", f"/v1/programs/other/adjustments/{propose().body['id']}", claims=AUDITOR)
    assert 404 == other.status
