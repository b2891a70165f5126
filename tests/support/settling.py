"""What a bank says of 25.00 that were sent to Pia, and what came of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from introducer.ledger import Journal
from introducer.payout import reference
from introducer.settlement import Booking
from introducer.tables import payouts
from payout import reconcile
from tests.simulation.aws import Aws
from tests.support import money
from tests.support.api import Reply, call, login
from tests.support.money import NOW

FINANCE = login("fin", "finance")
LATER = "2026-11-23T09:00:00.000Z"


@contextmanager
def paid_out(frozen: Callable[[str], None]) -> Iterator[str]:
    """25.00 to Pia have gone to the bank, in memory; the batch."""
    frozen(NOW)
    with Aws().installed():
        money.publish()
        money.enrol("pia")
        money.sell("r1")
        money.deliver("r1")
        money.release()
        yield money.pay_out(until="finish")


def said(sent: str, /, **overrides: Any) -> Booking:
    """The bank's debit of Pia's payout."""
    values: dict[str, Any] = {
        "key": "k1",
        "fact": "paid",
        "status": "matched",
        "at": NOW,
        "file": "inbox/f",
        "kind": "camt.054",
        "amount_minor": 2_500,
        "currency": "EUR",
        "direction": "debit",
        "booked_on": "2026-11-24",
        "reference": reference(sent, "pia"),
    }
    return Booking(**{**values, **overrides})


def returned(batch: str, **overrides: Any) -> Booking:
    """The money of it coming back."""
    came = {"key": "k2", "fact": "returned", "direction": "credit", "booked_on": "2026-11-26"}
    return said(batch, **{**came, "reason": "AC04", **overrides})


def charge(batch: str, key: str, **overrides: Any) -> Booking:
    """A charge of 9.00 that the bank booked by itself, naming the batch."""
    fee = {"fact": "fee", "amount_minor": 0, "reference": "", "batch": batch}
    return said(batch, key=key, **{**fee, "fee_minor": 900, "fee_currency": "EUR", **overrides})


def costs(batch: str, currency: str = "EUR") -> list[Journal]:
    """The journals of what a batch cost."""
    return money.journals(f"batch.{batch}", currency)


def kinds(days: int = 7) -> list[str]:
    """The kinds of the differences that a reconciliation finds now."""
    return [str(each["kind"]) for each in reconcile.reconcile(NOW, days=days).differences]


def only(problems: list[str]) -> None:
    """Assert why each unmatched booking is one."""
    assert problems == [each.problem for each in payouts.unmatched()]


def resolve(key: str, **body: Any) -> Reply:
    """Decide as finance."""
    body = {"reason": "because", **body}
    return call("POST", f"/v1/bookings/{key}/resolve", body, claims=FINANCE)


def listed(program: str, query: str = "") -> list[dict[str, Any]]:
    """What finance of a program sees."""
    reply = call("GET", f"/v1/programs/{program}/bookings{query}", claims=FINANCE)
    assert 200 == reply.status
    items: list[dict[str, Any]] = reply.body["items"]
    return items
