"""What finance decides about what nobody could match, and what one person may not."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import msgspec
import pytest

from introducer.payout import reference
from introducer.tables import payouts
from payout import settle
from tests.support import money
from tests.support.api import call, login
from tests.support.money import NOW, booking, take
from tests.support.settling import (
    LATER,
    charge,
    costs,
    kinds,
    listed,
    only,
    paid_out,
    resolve,
    said,
)


@pytest.fixture
def sent(frozen: Callable[[str], None]) -> Iterator[str]:
    """25.00 to Pia have gone to the bank; returns the batch."""
    with paid_out(frozen) as batch:
        yield batch


def test_bank_fee_of_its_own_waits_for_a_batch(sent: str) -> None:
    """An account fee that names nothing is listed; finance says which batch bears it."""
    fee = said(sent, key="f1", fact="fee", amount_minor=0, reference="")
    settle.take(msgspec.structs.replace(fee, fee_minor=900, fee_currency="EUR"), now=NOW)
    only(["unassigned_fee"])

    assert 200 == resolve("f1", action="match", reference=sent).status
    settle.retry_unmatched(now=NOW)

    only([])
    assert [900] == [each.amount_minor for each in costs(sent)]


def test_finance_lists_what_nobody_could_match(sent: str) -> None:
    """Whose it is, what was said and why it waits; another program sees what is nobody's."""
    settle.take(said(sent, amount_minor=2_499), now=NOW)
    settle.take(said(sent, key="k3", reference="PUNKNOWN"), now=NOW)

    rows = {each["id"]: each for each in listed("acme")}
    assert {
        "id": "k1",
        "program": "acme",
        "batch": sent,
        "reference": reference(sent, "pia"),
        "kind": "camt.054",
        "fact": "paid",
        "problem": "amount_differs",
        "amount_minor": 2_499,
        "currency": "EUR",
        "fee_minor": 0,
        "direction": "debit",
        "booked_on": "2026-11-24",
        "reason": "",
        "file": "inbox/f",
        "told_at": NOW,
    } == rows["k1"]
    assert "unknown_reference" == rows["k3"]["problem"]
    assert ["k3"] == [each["id"] for each in listed("other")]
    assert ["k1"] == [each["id"] for each in listed("acme", f"?batch={sent}")]


def test_finance_matches_what_the_bank_left_without_reference(sent: str) -> None:
    """24.00 and a fee of 1.00 were Pia's 25.00: taken in by the next reconciliation."""
    settle.take(said(sent, amount_minor=2_600, reference="PUNKNOWN"), now=NOW)
    right = reference(sent, "pia")

    assert (422, "amount_differs", "reference") == resolve(
        "k1", action="match", reference=right
    ).field()
    reply = resolve("k1", action="match", reference=right, fee_minor=100)
    assert {"id": "k1", "status": "unmatched", "problem": "resolved"} == reply.body
    assert 0 == settle.retry_unmatched(now=LATER)

    assert {"pending": 7_500, "paid": 2_500} == money.accounts("pia")
    assert [100] == [each.amount_minor for each in costs(sent)]
    decided = payouts.find_booking("k1")
    assert decided is not None
    assert ("user:fin", "because") == (decided.resolved_by, decided.resolution)
    assert [] == kinds()


def test_finance_dismisses_for_good(sent: str) -> None:
    """What is not ours is put aside with its reason, and stays so when it is told again."""
    take(booking("PUNKNOWN", 100))
    (waiting,) = payouts.unmatched()

    assert "dismissed" == resolve(waiting.key, action="dismiss").body["status"]
    take(booking("PUNKNOWN", 100), name="again.xml")

    only([])
    assert [] == kinds()
    assert (409, "transition_not_allowed") == resolve(waiting.key, action="dismiss").problem()
    assert sent


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"action": "match"}, 422, "unknown_reference"),
        ({"action": "match", "reference": "PNOBODY"}, 422, "unknown_reference"),
        ({"action": "match", "reference": "b" * 20}, 422, "unknown_reference"),
        ({"action": "dismiss", "reference": "PNOBODY"}, 422, "invalid_input"),
    ],
)
def test_finance_cannot_match_with_nothing(
    sent: str, body: dict[str, str], status: int, code: str
) -> None:
    """A reference that is nobody's helps nobody."""
    settle.take(said(sent, reference="PUNKNOWN"), now=NOW)
    assert (status, code, "reference") == resolve("k1", **body).field()


def test_others_may_not_decide(sent: str) -> None:
    """An auditor reads; a partner does not even that."""
    settle.take(said(sent, reference="PUNKNOWN"), now=NOW)
    path = "/v1/programs/acme/bookings"
    assert 200 == call("GET", path, claims=login("a", "auditor")).status
    assert 403 == call("GET", path, claims=login("p", "partner")).status
    body = {"action": "dismiss", "reason": "because"}
    claims = login("a", "auditor")
    assert 403 == call("POST", "/v1/bookings/k1/resolve", body, claims=claims).status


def test_charge_that_was_put_aside_hides_no_other(sent: str, frozen: Callable[[str], None]) -> None:
    """What finance dismissed was charged to nobody, so the next telling is not its repetition."""
    settle.take(charge("", "f1"), now=NOW)
    settle.take(charge("", "f2", kind="camt.053"), now=NOW)
    assert 200 == resolve("f2", action="match", reference=sent).status
    assert 200 == resolve("f1", action="match", reference=sent).status
    frozen(LATER)
    assert 200 == resolve("f1", action="dismiss").status
    settle.retry_unmatched(now=LATER)

    assert ["fee:f2"] == [each.id for each in costs(sent)]
