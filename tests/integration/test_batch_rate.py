"""Who enters the rate decides what is sent: they approve nothing, and a jump waits for another."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from introducer import payout
from introducer.payout import Batch
from introducer.tables import payouts
from payout import batch
from tests.simulation.aws import Aws
from tests.support import life, money
from tests.support.api import call, login
from tests.support.money import EUROS, NOW
from tests.support.states import States

FIN, MIA = login("fin", "finance"), login("mia", "manager")
EARLIER = "2026-11-22T09:00:00.000Z"
LATER = "2026-11-22T10:00:00.000Z"


@pytest.fixture(autouse=True)
def program(frozen: Callable[[str], None], monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A program that books euros and sends dollars; 50.00 EUR are payable to Pia."""
    frozen(NOW)
    monkeypatch.setattr(payouts, "client", lambda _: States())
    with Aws().installed():
        publish(approval_above_minor=1_000_000)
        money.enrol("pia")
        money.credit("pia", 5_000)
        yield


def publish(*, approval_above_minor: int) -> None:
    """Store the program's rule."""
    dollars = {"method": "wire", "region": "us", "pays_in": "USD"}
    limit = {"approval_above_minor": approval_above_minor}
    money.publish(payouts=[EUROS | dollars | limit])


def enter(rate: str, at: str, claims: Any = FIN) -> None:
    """Enter a rate, meant as it is."""
    body = {"from": "EUR", "to": "USD", "rate": rate, "source": "ECB", "at": at, "jump": True}
    path = f"/v1/programs/{life.PROGRAM}/rates"
    assert 200 == call("PUT", path, {"rates": [body]}, claims=claims).status


def closed() -> Batch:
    """Prepare and close a batch that the calendar started."""
    identity: dict[str, Any] = {
        "program": life.PROGRAM,
        "region": "us",
        "currency": "EUR",
        "method": "wire",
        "period": NOW[:10],
    }
    name = payout.batch_id(**identity, run=1)
    batch.prepare({**identity, "run": "1", "batch": name, "started_by": "schedule"}, NOW)
    step = {"batch": name, "Items": [{"partner": "pia"}]}
    batch.reserve(step, NOW)
    batch.close(step, NOW)
    return payouts.get_batch(name)


def test_who_entered_the_rate_may_not_approve_what_is_paid_by_it() -> None:
    """The calendar started it, so that nobody else would be asked; another person may."""
    publish(approval_above_minor=0)
    enter("1.1", EARLIER)
    path = f"/v1/batches/{closed().id}/approve"

    assert (403, "forbidden") == call("POST", path, {}, claims=FIN).problem()
    assert 200 == call("POST", path, {}, claims=MIA).status


def test_rate_that_jumped_waits_for_a_person_whatever_the_sum() -> None:
    """Ten times the money for a small batch: nothing goes on one person's word."""
    enter("1.1", EARLIER)
    enter("11", LATER)

    waits = closed()

    assert ("awaiting_approval", {"rate_jumped": 1}) == (waits.status, waits.findings)
    assert 5_000 == waits.total_minor
    path = f"/v1/batches/{waits.id}/approve"
    assert (403, "forbidden") == call("POST", path, {}, claims=FIN).problem()


@pytest.mark.parametrize(("who", "status"), [(FIN, "awaiting_approval"), (MIA, "approved")])
def test_jump_is_vouched_for_by_another_person_only(who: Any, status: str) -> None:
    """The same person's next rate, like the one that jumped, is no second word."""
    enter("1.1", EARLIER)
    enter("11", LATER)
    enter("11.01", "2026-11-22T11:00:00.000Z", who)

    assert status == closed().status


def test_rate_that_did_not_jump_goes_by_the_sum() -> None:
    """The first of a pair, and one like the one before: as the rule says."""
    enter("1.1", EARLIER)
    enter("1.12", LATER)

    assert ("approved", {}) == ((done := closed()).status, done.findings)
