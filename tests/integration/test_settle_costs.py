"""What banks keep, what exchange costs, what is told twice, and who must give another account."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import msgspec
import pytest

from introducer.payout import reference
from introducer.tables import ledger, partners, payouts
from introducer.tables.store import Transaction
from payout import settle
from tests.support import money
from tests.support.money import NOW
from tests.support.settling import (
    LATER,
    charge,
    costs,
    kinds,
    only,
    paid_out,
    returned,
    said,
)


@pytest.fixture
def sent(frozen: Callable[[str], None]) -> Iterator[str]:
    """25.00 to Pia have gone to the bank; returns the batch."""
    with paid_out(frozen) as batch:
        yield batch


def payee_problem(partner: str = "pia") -> str:
    """Why nothing is paid to a partner's account."""
    found = partners.find_partner(partner)
    assert found is not None
    return found.payee_problem


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


def test_program_accounts_of_a_batch_owe_nobody(sent: str) -> None:
    """A batch's own balance holds no partner account."""
    settle.take(said(sent, fee_minor=35, fee_currency="USD"), now=NOW)
    assert {} == {k: v for k, v in ledger.balance(f"batch.{sent}", "USD").accounts.items() if v}


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


def test_charge_told_by_two_kinds_costs_once(sent: str) -> None:
    """Notified and then stated, under other references of the bank's: one charge each time."""
    settle.take(charge(sent, "f1"), now=NOW)
    for _ in range(2):
        settle.take(charge(sent, "f2", kind="camt.053"), now=NOW)
    assert [("fee:f1", 900)] == [(each.id, each.amount_minor) for each in costs(sent)]

    settle.take(charge(sent, "f3"), now=NOW)  # the bank charges it once more
    settle.take(charge(sent, "f4", kind="camt.053"), now=NOW)
    settle.take(charge(sent, "f5", kind="camt.053", fee_minor=901), now=NOW)

    assert {"fee:f1", "fee:f3", "fee:f5"} == {each.id for each in costs(sent)}
    only([])
    assert [] == kinds()


def test_return_taken_in_while_its_debit_is(sent: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two files at one moment: the debit of what is back by now is noted, nothing fails."""
    money.intrude(monkeypatch, lambda: settle.take(returned(sent), now=NOW))
    settle.take(said(sent), now=NOW)

    found = payouts.find(reference(sent, "pia"))
    assert found is not None
    assert ("returned", "2026-11-24", "2026-11-26") == (
        found.status,
        found.booked_on,
        found.returned_on,
    )
    assert {"pending": 7_500, "payable": 2_500} == money.accounts("pia")
    only([])
    assert [] == kinds()


def test_debit_of_what_was_refused_is_listed(sent: str) -> None:
    """However payroll dates its refusal, no money moved that a debit could belong to."""
    refused = said(sent, fact="rejected", key="k2", kind="payroll", amount_minor=0, currency="")
    settle.take(refused, now=NOW)
    assert [] == kinds()
    settle.take(said(sent), now=NOW)

    only(["payout_is_returned"])


def test_debit_without_a_day_after_the_return(sent: str) -> None:
    """It has the day on which it was told."""
    settle.take(returned(sent), now=NOW)
    settle.take(said(sent, booked_on="", currency="", amount_minor=0), now=NOW)

    found = payouts.find(reference(sent, "pia"))
    assert found is not None
    assert NOW[:10] == found.booked_on
    only([])
    assert [] == kinds()


def test_sum_of_a_batch_told_after_one_payment_of_it_came_back(sent: str) -> None:
    """It was debited too, before it came back: the sum is that of both."""
    money.enrol("quin", email_key="key-quin")
    for name, amount_minor in (("pia", 2_500), ("quin", 2_000)):
        money.credit(name, amount_minor)
    both = money.pay_out(2, until="finish")
    settle.take(returned(both, reason="CUST"), now=NOW)
    settle.take(said(both, key="w1", reference="", batch=both, amount_minor=4_500), now=NOW)

    only([])
    found = payouts.of_batch(both)
    assert {"pia": ("returned", "2026-11-24"), "quin": ("paid", "2026-11-24")} == {
        each.partner: (each.status, each.booked_on) for each in found
    }
    assert [] == kinds()
    assert sent
