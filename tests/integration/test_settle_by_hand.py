"""What finance decides about what nobody could match, and what one person may not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import pytest

from introducer.payout import reference
from introducer.settlement import Booking
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
    returned,
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


def refusal(batch: str, name: str, **overrides: Any) -> Booking:
    """The payment of a reference was refused, as the bank says, or nobody answered for it."""
    told = {"fact": "rejected", "direction": "", "booked_on": "", "amount_minor": 0, "currency": ""}
    return said(batch, key="r1", reference=name, **{**told, **overrides})


def second_batch() -> str:
    """25.00 more to Pia have gone to the bank, in a batch of their own."""
    money.credit("pia", 2_500)
    return money.pay_out(2, until="finish")


def refused(key: str, **body: Any) -> tuple[object, ...]:
    """Status, code and field of a match that is refused; nothing has moved."""
    before = money.accounts("pia")
    answer = resolve(key, action="match", **body).field()
    settle.retry_unmatched(now=LATER)
    assert before == money.accounts("pia")
    return tuple(answer)


def test_one_person_gives_back_nothing_that_is_under_way(sent: str) -> None:
    """A refusal of P1, which nobody answered for, is no word about P2: else P2 is paid twice."""
    other = second_batch()
    p1, p2 = reference(sent, "pia"), reference(other, "pia")
    settle.take(refusal(sent, p1, kind="call", problem="unknown_status"), now=NOW)

    assert (422, "names_another_payout", "reference") == refused("r1", reference=p2)
    assert (422, "names_another_payout", "reference") == refused("r1", reference=other)
    assert (422, "names_another_payout", "reference") == refused("r1", reference=sent)
    assert 200 == resolve("r1", action="match", reference=p1).status
    settle.retry_unmatched(now=LATER)

    assert {p1: "returned", p2: "in_transit"} == {
        name: found.status for name in (p1, p2) if (found := payouts.find(name))
    }


@pytest.mark.parametrize(
    "told",
    [
        {},
        {"fact": "returned", "reason": "AC04"},
        {"fact": "returned", "reason": "AC04", "currency": "EUR", "amount_minor": 2_500},
    ],
)
def test_refusal_of_somebody_elses_payment_gives_nothing_back(
    sent: str, told: dict[str, Any]
) -> None:
    """The account pays other things too: what came of them is no word about Pia's payment."""
    settle.take(refusal("", "PSUPPLIER", **told), now=NOW)

    for chosen in (reference(sent, "pia"), sent):
        assert (422, "names_no_payout", "reference") == refused("r1", reference=chosen)
    assert 200 == resolve("r1", action="dismiss").status


def test_return_that_lost_its_reference_is_matched_with_what_was_paid(sent: str) -> None:
    """The debit was told, and the same amount has come back: finance says whose it is."""
    settle.take(said(sent), now=NOW)
    settle.take(returned(sent, reference="PUNKNOWN"), now=NOW)

    assert 200 == resolve("k2", action="match", reference=reference(sent, "pia")).status
    settle.retry_unmatched(now=LATER)
    assert {"pending": 7_500, "payable": 2_500} == money.accounts("pia")


def test_debit_of_a_batch_belongs_to_that_batch(sent: str) -> None:
    """The bank named the batch: a payment of another one, of the same amount, is not meant."""
    other = second_batch()
    settle.take(said(sent, reference="PTYPO", batch=sent), now=NOW)

    for chosen in (reference(other, "pia"), other):
        assert (422, "names_another_batch", "reference") == refused("k1", reference=chosen)
    assert 200 == resolve("k1", action="match", reference=reference(sent, "pia")).status


def test_slip_is_mended_and_widens_nothing(sent: str, frozen: Callable[[str], None]) -> None:
    """Who matched the wrong payment matches again; what the bank named still counts."""
    other = second_batch()
    settle.take(said(sent, reference="PTYPO"), now=NOW)
    settle.take(said(sent, key="k3", reference="PTYPO", batch=sent), now=NOW)
    assert 200 == resolve("k1", action="match", reference=reference(sent, "pia")).status
    assert 200 == resolve("k3", action="match", reference=reference(sent, "pia")).status

    frozen(LATER)
    right = reference(other, "pia")
    assert 200 == resolve("k1", action="match", reference=right).status
    assert "names_another_batch" == resolve("k3", action="match", reference=right).field()[1]


@pytest.mark.parametrize(
    "told",
    [
        {"fact": "rejected", "currency": "", "amount_minor": 0, "problem": "unknown_status"},
        {"currency": "", "amount_minor": 0, "problem": "unknown_status"},
        {"amount_minor": 100},
        {"amount_minor": 2_600, "fee_minor": 5, "fee_currency": "USD"},
    ],
)
def test_charge_is_a_part_of_what_moved(sent: str, told: dict[str, Any]) -> None:
    """No amount, no currency, no charge: nothing is booked in a currency that is none."""
    settle.take(said(sent, **told), now=NOW)
    right = reference(sent, "pia")
    assert (422, "no_charge", "fee_minor") == refused("k1", reference=right, fee_minor=100)


def test_charge_comes_on_top_of_what_the_bank_told(sent: str) -> None:
    """0.35 were told, another 1.00 was not: the program bears 1.35."""
    settle.take(said(sent, amount_minor=2_600, fee_minor=35, fee_currency="EUR"), now=NOW)
    assert (
        200 == resolve("k1", action="match", reference=reference(sent, "pia"), fee_minor=100).status
    )
    settle.retry_unmatched(now=LATER)

    assert [135] == [each.amount_minor for each in costs(sent)]
    assert [] == kinds()
