"""What banks keep, what exchange costs, who must give another account, and who decides the rest."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import pytest

from introducer.ledger import Journal
from introducer.payout import reference
from introducer.settlement import Booking
from introducer.tables import ledger, partners, payouts
from introducer.tables.store import Transaction
from payout import reconcile, settle
from tests.simulation.aws import Aws
from tests.support import money
from tests.support.api import Reply, call, login
from tests.support.money import NOW, booking, take

FINANCE = login("fin", "finance")
LATER = "2026-11-23T09:00:00.000Z"


@pytest.fixture
def sent(frozen: Callable[[str], None]) -> Iterator[str]:
    """25.00 to Pia have gone to the bank; returns the batch."""
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


def costs(batch: str, currency: str = "EUR") -> list[Journal]:
    """The journals of what a batch cost."""
    return money.journals(f"batch.{batch}", currency)


def kinds(days: int = 7) -> list[str]:
    """The kinds of the differences that a reconciliation finds now."""
    return [str(each["kind"]) for each in reconcile.reconcile(NOW, days=days).differences]


def payee_problem(partner: str = "pia") -> str:
    """Why nothing is paid to a partner's account."""
    found = partners.find_partner(partner)
    assert found is not None
    return found.payee_problem


def only(problems: list[str]) -> None:
    """Assert why each unmatched booking is one."""
    assert problems == [each.problem for each in payouts.unmatched()]


def test_fee_of_a_payment_is_the_programs(sent: str) -> None:
    """The payee has all of it; the batch's own balance holds the fee, once."""
    for _ in range(2):
        settle.take(said(sent, fee_minor=35, fee_currency="EUR"), now=NOW)

    assert {"pending": 7_500, "paid": 2_500} == money.accounts("pia")
    assert [("FeeCharged", {"fees": -35, "bank": 35})] == [
        (each.kind, each.legs) for each in costs(sent)
    ]
    assert [] == kinds()


def test_fee_that_a_crash_left_out_is_made_good(sent: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The process died between the payment and its fee: the reconciliation books it."""
    with monkeypatch.context() as patch:
        patch.setattr(settle, "follow_up", lambda *_, **__: None)
        settle.take(said(sent, fee_minor=35, fee_currency="EUR"), now=NOW)
    assert [] == costs(sent)

    assert [] == kinds()
    assert 1 == len(costs(sent))


def test_return_reduced_by_charges_gives_everything_back(sent: str) -> None:
    """22.00 of 25.00 come back: the payee has 25.00 again, 3.00 are a fee."""
    settle.take(said(sent), now=NOW)
    less = returned(sent, amount_minor=2_200, instructed_minor=2_500, instructed_currency="EUR")
    settle.take(less, now=NOW)

    assert {"pending": 7_500, "payable": 2_500} == money.accounts("pia")
    assert [300] == [each.amount_minor for each in costs(sent)]
    assert [] == kinds()


def test_return_without_a_word_about_the_rest_is_listed(sent: str) -> None:
    """Nobody guesses why 3.00 are missing."""
    settle.take(said(sent), now=NOW)
    settle.take(returned(sent, amount_minor=2_200), now=NOW)

    assert {"pending": 7_500, "paid": 2_500} == money.accounts("pia")
    only(["amount_differs"])


def test_exchange_is_booked_beside_the_payment(sent: str) -> None:
    """Sent in dollars, booked in euros at the bank's own rate."""
    found = payouts.find(reference(sent, "pia"))
    assert found is not None
    in_dollars = msgspec.structs.replace(
        found, sent_minor=2_750, sent_currency="USD", version=found.version + 1
    )
    writes = Transaction()
    payouts.change(writes, found, in_dollars)
    writes.commit()

    settle.take(said(sent, amount_minor=2_530), now=NOW)

    assert {"pending": 7_500, "paid": 2_500} == money.accounts("pia")
    assert [("ExchangeLost", {"fx": -30, "bank": 30})] == [
        (each.kind, each.legs) for each in costs(sent)
    ]


@pytest.mark.parametrize("second", ["camt.053", "bai2", "stripe"])
def test_same_payment_told_by_another_kind_is_no_second_one(sent: str, second: str) -> None:
    """A bank that numbers its statements otherwise confirms; twice in one kind is another."""
    settle.take(said(sent), now=NOW)
    settle.take(said(sent, key="s1", kind=second), now=NOW)
    only([])
    assert [] == kinds()

    settle.take(said(sent, key="s2", kind=second), now=NOW)
    settle.take(said(sent, key="k9"), now=NOW)

    only(["payout_is_paid", "payout_is_paid"])
    assert {"pending": 7_500, "paid": 2_500} == money.accounts("pia")


def test_return_told_by_a_message_and_by_the_account(sent: str) -> None:
    """The message names another day than the account: it is one return all the same."""
    settle.take(returned(sent, kind="nacha", key="n1", reason="R03"), now=NOW)
    settle.take(said(sent), now=NOW)
    settle.take(returned(sent, booked_on="2026-11-27"), now=NOW)

    only([])
    assert {"pending": 7_500, "payable": 2_500} == money.accounts("pia")
    assert [] == kinds()


def test_statement_of_the_sum_confirms_what_was_notified_one_by_one(sent: str) -> None:
    """A statement may show a batch as one amount that was notified payment by payment."""
    settle.take(said(sent), now=NOW)
    settle.take(said(sent, key="sum", kind="camt.053", reference="", batch=sent), now=NOW)

    only([])
    assert [] == kinds()


def test_payee_whose_account_sent_money_back_must_give_another(sent: str) -> None:
    """The partner is marked, in the next run left out, and paid again with a new account."""
    settle.take(said(sent), now=NOW)
    settle.take(returned(sent), now=NOW)

    assert "AC04" == payee_problem()
    again = money.pay_out(2, until="finish")
    assert {"skipped"} >= {each.status for each in payouts.of_batch(again)}
    give_account(LATER)
    assert "" == payee_problem()
    settle.take(returned(sent), now=LATER)  # the bank repeats itself
    kinds()
    assert "" == payee_problem()


def test_payee_is_marked_by_the_reconciliation_too(
    sent: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process died between the return and the mark."""
    with monkeypatch.context() as patch:
        patch.setattr(settle, "follow_up", lambda *_, **__: None)
        settle.take(returned(sent), now=NOW)
    assert "" == payee_problem()

    kinds()

    assert "AC04" == payee_problem()


@pytest.mark.parametrize("reason", ["AM04", "CUST", "MS03"])
def test_payee_is_not_blamed_for_what_is_not_theirs(sent: str, reason: str) -> None:
    """Too little on our account is nothing a payee could mend."""
    settle.take(returned(sent, reason=reason), now=NOW)

    assert "" == payee_problem()
    assert {"pending": 7_500, "payable": 2_500} == money.accounts("pia")


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


def test_program_accounts_of_a_batch_owe_nobody(sent: str) -> None:
    """A batch's own balance holds no partner account."""
    settle.take(said(sent, fee_minor=35, fee_currency="USD"), now=NOW)
    assert {} == {k: v for k, v in ledger.balance(f"batch.{sent}", "USD").accounts.items() if v}


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


def give_account(now: str) -> None:
    """Let Pia say where her money goes from now on."""
    found = partners.find_partner("pia")
    assert found is not None
    account = money.Payee(name="Pia", iban="DE02120300000000202051", town="Bonn", country="DE")
    writes = Transaction()
    partners.set_payee(writes, found, account, now=now, actor="user:1")
    writes.commit()


def test_whole_batch_told_by_two_kinds_costs_once(sent: str) -> None:
    """Notified and then stated with the bank's fee on it: the program bears it once."""
    whole = said(sent, key="w1", reference="", batch=sent, fee_minor=50, fee_currency="EUR")
    settle.take(whole, now=NOW)
    settle.take(msgspec.structs.replace(whole, key="w2", kind="camt.053"), now=NOW)

    assert [("fee:w1", 50)] == [(each.id, each.amount_minor) for each in costs(sent)]
    assert {"pending": 7_500, "paid": 2_500} == money.accounts()
    second = payouts.find_booking("w2")
    assert second is not None
    assert ("matched", "w1") == (second.status, second.same_as)
    only([])


@pytest.mark.parametrize("fact", ["paid", "returned"])
def test_provider_of_another_program_settles_nothing_here(sent: str, fact: str) -> None:
    """Of the same name, with our reference: listed where it came from, today and every day."""
    before = payouts.find(reference(sent, "pia"))
    assert before is not None
    writes = Transaction()
    asked = msgspec.structs.replace(before, provider="stripe", version=before.version + 1)
    payouts.change(writes, before, asked)
    writes.commit()
    forged = said(sent, fact=fact, kind="stripe", provider="stripe", program="elsewhere")
    settle.take(forged, now=NOW)
    settle.retry_unmatched(now=NOW)

    listed = payouts.find_booking("k1")
    assert listed is not None
    assert ("unmatched", "unknown_reference") == (listed.status, listed.problem)
    assert ("elsewhere", "") == (listed.program, listed.batch)
    assert {"pending": 7_500, "in_transit": 2_500} == money.accounts()


def test_provider_of_another_program_charges_no_batch_here(sent: str) -> None:
    """A fee told for a batch that is not its program's is nobody's until somebody decides."""
    fee = said(sent, fact="fee", kind="stripe", provider="stripe", program="elsewhere")
    fee = msgspec.structs.replace(fee, reference="", batch=sent, fee_minor=9, fee_currency="EUR")
    settle.take(fee, now=NOW)

    listed = payouts.find_booking("k1")
    assert listed is not None
    assert ("unassigned_fee", "elsewhere") == (listed.problem, listed.program)
    assert [] == costs(sent)
