"""Rewards are earned and taken back, in any order, together, and never twice."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import permutations

import msgspec
import pytest
from botocore.exceptions import ReadTimeoutError
from botocore.httpsession import URLLib3Session

from introducer import ledger as rules
from introducer.errors import ContentionError, LedgerError
from introducer.ledger import Balance, Kind, Posting
from introducer.tables import ledger, referrals, rewards, store
from introducer.tables.ledger import Entry
from introducer.tables.store import Table, Transaction
from payout import earn
from tests.support import life, money
from tests.support.money import NOW


@pytest.fixture
def books(engine: str, frozen: Callable[[str], None]) -> None:  # noqa: ARG001
    """The program that pays, and Pia; the clock stands still."""
    money.publish()
    money.enrol("pia")


def posting(name: str = "j1", amount_minor: int = 100, **changes: object) -> Posting:
    """Return a reward of Pia's that is to be booked."""
    values: dict[str, object] = {
        "id": name,
        "kind": Kind.REWARD_EARNED,
        "program": life.PROGRAM,
        "partner": "pia",
        "currency": "EUR",
        "amount_minor": amount_minor,
        "at": NOW,
    }
    return Posting(**{**values, **changes})


def post(*postings: Posting) -> None:
    """Post without any business state."""
    ledger.post_all("pia", "EUR", lambda _: [Entry(postings=(each,)) for each in postings], now=NOW)


def intrude(monkeypatch: pytest.MonkeyPatch, intruder: Callable[[], None]) -> None:
    """Let *intruder* act between what the next post reads and what it writes."""
    real = ledger._post

    def post_after(before: Balance, entries: Sequence[Entry], now: str) -> None:
        monkeypatch.setattr(ledger, "_post", real)
        intruder()
        real(before, entries, now)

    monkeypatch.setattr(ledger, "_post", post_after)


# ---------------------------------------------------------------- the books themselves


@pytest.mark.usefixtures("books")
def test_post_stores_the_journal_whole_and_the_balance() -> None:
    """Journal and balance are stored as computed, with the keys they are found by."""
    post(posting(refs={"referral": "r1"}))

    (journal,) = money.journals()
    (expected,) = rules.post(
        Balance(partner="pia", currency="EUR"), [posting(refs={"referral": "r1"})], NOW
    ).journals
    stored = store.get(Table.LEDGER, "JOURNAL#j1", "JOURNAL")
    assert expected == journal == ledger.journal("j1")
    assert stored is not None
    assert ("PARTNER#pia#EUR", "000000000001") == (stored["gsi1pk"], stored["gsi1sk"])
    assert stored["gsi2pk"].startswith(f"DAY#{life.PROGRAM}#2026-11-22#")
    assert (1, journal.hash, 100) == (
        (balance := ledger.balance("pia", "EUR")).version,
        balance.head,
        balance.pending,
    )


@pytest.mark.usefixtures("books")
def test_post_again_changes_nothing() -> None:
    """The same fact posted again is dropped, also among new ones."""
    post(posting("j1"), posting("j2"))
    post(posting("j2"), posting("j3"), posting("j1"))

    assert ["j1", "j2", "j3"] == [each.id for each in money.journals()]
    assert {"pending": 300} == money.accounts()


@pytest.mark.usefixtures("books")
def test_post_of_another_fact_under_a_taken_id_is_an_incident() -> None:
    """The same id with another amount: nothing is posted, payouts are halted."""
    post(posting("j1", 100))

    with pytest.raises(LedgerError):
        post(posting("j1", 101))

    assert {"pending": 100} == money.accounts()
    assert "a journal's id was used for another fact" == ledger.halted(life.PROGRAM)


@pytest.mark.usefixtures("books")
def test_post_that_would_overdraw_halts_payouts() -> None:
    """A broken invariant stores nothing but the halt, which a person ends."""
    overdraw = posting("j1", kind=Kind.PAYOUT_PAID)

    with pytest.raises(LedgerError):
        post(overdraw)

    assert [] == [each for each in money.everything(Table.LEDGER) if each["sk"] != "HALT"]
    assert ledger.halted(life.PROGRAM)
    ledger.resume(life.PROGRAM)
    assert not ledger.halted(life.PROGRAM)


@pytest.mark.usefixtures("books")
def test_post_on_a_balance_that_moved_is_no_incident() -> None:
    """What the plan read is newer than the balance: it is looked at again and fits."""
    asked: list[Balance] = []

    def plan(balance: Balance) -> list[Entry]:
        if not asked:
            post(posting("j1", 100))
        asked.append(balance)
        return [Entry(postings=(posting("j2", 100, kind=Kind.REWARD_RELEASED),))]

    ledger.post_all("pia", "EUR", plan, now=NOW)

    assert [0, 100] == [balance.pending for balance in asked]
    assert {"payable": 100} == money.accounts()
    assert not ledger.halted(life.PROGRAM)


@pytest.mark.usefixtures("books")
def test_post_after_somebody_else_got_in_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stale balance is read again and both posts stand."""
    intrude(monkeypatch, lambda: post(posting("other", 7)))

    post(posting("mine", 100))

    assert ["other", "mine"] == [each.id for each in money.journals()]
    assert {"pending": 107} == money.accounts()


@pytest.mark.usefixtures("books")
def test_post_of_the_same_fact_at_once_stands_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two processes post the same journal at the same moment: it is there once."""
    intrude(monkeypatch, lambda: post(posting("j1")))

    post(posting("j1"))

    assert ["j1"] == [each.id for each in money.journals()]


@pytest.mark.usefixtures("books")
def test_post_by_many_at_once_loses_nothing() -> None:
    """Six writers to one balance: every journal once, numbered without a gap."""
    names = [f"j{number}" for number in range(18)]

    def keep_posting(name: str) -> None:
        try:
            post(posting(name, 1))
        except ContentionError:  # what a queue would deliver again
            keep_posting(name)

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(keep_posting, names))

    journals = money.journals()
    assert sorted(names) == sorted(each.id for each in journals)
    assert {"pending": 18} == money.accounts()
    assert ledger.balance("pia", "EUR").head == rules.fold("pia", "EUR", journals).head


@pytest.mark.usefixtures("books")
def test_post_with_a_lost_answer_finds_its_own_write(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every answer to the first transaction is lost; the journal is there once all the same."""
    real, lost = URLLib3Session.send, []

    def send(self: URLLib3Session, request: object) -> object:
        answer = real(self, request)
        if b"TransactWriteItems" in request.headers["X-Amz-Target"] and len(lost) < 4:
            lost.append(request)
            raise ReadTimeoutError(endpoint_url="lost")
        return answer

    monkeypatch.setattr(URLLib3Session, "send", send)

    post(posting("j1"))

    assert 4 == len(lost)
    assert ["j1"] == [each.id for each in money.journals()]
    assert {"pending": 100} == money.accounts()


@pytest.mark.usefixtures("books")
def test_post_cuts_many_journals_into_groups() -> None:
    """Seventy journals go in as three transactions with one balance update each."""
    post(*(posting(f"j{number}", 1) for number in range(70)))

    assert 70 == len(money.journals()) == ledger.balance("pia", "EUR").pending


@pytest.mark.usefixtures("books")
def test_post_in_a_new_month_keeps_what_the_old_one_closed_with() -> None:
    """The closing copy is the balance as it stood; a clock that runs back cannot change it."""
    post(posting("j1", 100))
    before = ledger.balance("pia", "EUR")
    december = "2026-12-01T00:00:00.000Z"
    ledger.post_all("pia", "EUR", lambda _: [Entry(postings=(posting("j2", 1),))], now=december)
    post(posting("j3", 1))

    assert before == ledger.closing("pia", "EUR", "2026-11")
    assert None is ledger.closing("pia", "EUR", "2026-12")
    assert [NOW, december, december] == [each.posted_at for each in money.journals()]
    assert [ledger.balance("pia", "EUR")] == ledger.balances("pia")


@pytest.mark.usefixtures("books")
def test_statement_is_paged_without_a_gap() -> None:
    """Pages go down from the balance's number to the first journal."""
    post(*(posting(f"j{number}", 1) for number in range(1, 6)))

    balance, newest, following = ledger.statement("pia", "EUR", limit=3)
    _, oldest, end = ledger.statement("pia", "EUR", limit=3, upto=following)

    assert (5, ["j5", "j4", "j3"], 2) == (balance.version, [j.id for j in newest], following)
    assert (["j2", "j1"], None) == ([j.id for j in oldest], end)
    assert [] == ledger.statement("nobody", "EUR", limit=3)[1]


@pytest.mark.usefixtures("books")
def test_statement_waits_for_the_index(monkeypatch: pytest.MonkeyPatch) -> None:
    """A journal that is not listed yet is never left out of a statement."""
    post(posting("j1"))
    monkeypatch.setattr(ledger, "_ATTEMPTS", 2)
    store.connection().delete_item(store.name(Table.LEDGER), "JOURNAL#j1", "JOURNAL")

    with pytest.raises(ContentionError):
        ledger.statement("pia", "EUR", limit=3)


# ---------------------------------------------------------------- what a sale earns


@pytest.mark.usefixtures("books")
def test_earn_books_a_sale_by_milestones() -> None:
    """10 % of 1,000 EUR: a quarter due with the sale, three quarters after 180 days."""
    money.sell()

    assert {"batchItemFailures": []} == money.deliver("r1")

    assert [
        ("RewardEarned", {"expense": -2_500, "pending": 2_500}),
        ("RewardEarned", {"expense": -7_500, "pending": 7_500}),
    ] == money.booked()
    stored = rewards.load(referrals.detail("r1").rewards)
    assert [
        ("loyalty", 7_500, "pending", money.DUE),
        ("purchase", 2_500, "pending", money.SOLD),
    ] == [(each.milestone, each.amount_minor, each.status, each.due_at) for each in stored]
    assert sorted(stored, key=lambda each: each.key) == sorted(
        rewards.of_partner("pia", "EUR", limit=10)[0], key=lambda each: each.key
    )


@pytest.mark.usefixtures("books")
def test_earn_holds_no_personal_data() -> None:
    """Journals and rewards hold ids, codes and numbers, and stay small."""
    money.sell()
    money.deliver("r1")

    for item in money.everything(Table.LEDGER):
        text = msgspec.json.encode(item)
        assert b"lena" not in text.lower()
        assert b"@" not in text
        assert len(text) < 1_024


@pytest.mark.usefixtures("books")
def test_earn_before_the_win_books_nothing() -> None:
    """A message about a referral that nobody bought from changes nothing."""
    life.submit("r1")

    money.deliver("r1")

    assert [] == money.everything(Table.LEDGER)


def test_earn_of_any_order_of_messages_is_the_same(
    engine: str, frozen: Callable[[str], None]
) -> None:
    """Sale, refund, second sale: every order of their messages, repeated, gives one ledger."""
    assert engine
    assert frozen
    money.publish()
    results = []
    for number, order in enumerate(permutations(range(3))):
        partner, name = f"p{number}", f"r{number}"
        money.enrol(partner, email_key=partner)
        steps: list[Callable[[], object]] = [
            lambda name=name, partner=partner: money.sell(
                name, shares={partner: 10_000}, lead_key=f"lead-{name}"
            ),
            lambda name=name: money.refund(name, "f1", 33_333),
            lambda name=name: money.sell_more(name, "s2", 55_555),
        ]
        for step, turn in zip(steps, order, strict=True):
            step()
            for _ in range(turn):  # none, one or two messages arrive before the next fact
                money.deliver(name)
        money.deliver(name, name)
        results.append(
            {
                "accounts": money.accounts(partner),
                "journals": sorted(
                    (each.kind, each.amount_minor, each.refs["sale"], each.refs["milestone"])
                    for each in money.journals(partner)
                ),
            }
        )

    assert [results[0]] * 6 == results


@pytest.mark.usefixtures("books")
def test_earn_reverses_a_refund_from_what_is_pending() -> None:
    """A refund of a third takes a third of both milestones, with the reason."""
    money.sell(amount_minor=30_000)
    money.deliver("r1")
    money.refund("r1", "f1", 10_000)
    money.deliver("r1")

    assert [
        ("RewardReversed", {"pending": -750, "expense": 750}),
        ("RewardReversed", {"pending": -250, "expense": 250}),
    ] == sorted(money.booked()[2:], key=lambda each: each[1]["pending"])
    assert {"refunded"} == {each.reason for each in money.journals()[2:]}
    assert {"pending": 2_000} == money.accounts()


@pytest.mark.usefixtures("books")
def test_earn_takes_back_everything_of_a_full_refund() -> None:
    """Refunded in three uneven parts, released in between: nothing is left, nothing owed."""
    money.sell(amount_minor=99_999)
    money.deliver("r1")
    money.refund("r1", "f1", 33_331)
    money.deliver("r1")
    money.release()
    money.refund("r1", "f2", 1)
    money.refund("r1", "f3", 66_667)
    money.deliver("r1")

    assert {} == money.accounts()
    assert {"reversed"} == {each.status for each in rewards.load(referrals.detail("r1").rewards)}


@pytest.mark.usefixtures("books")
def test_earn_claws_back_what_was_paid_as_a_receivable() -> None:
    """After the money has left, the partner owes it, and the next reward fills the debt."""
    money.sell()
    money.deliver("r1")
    money.release()
    money.debit(money.pay_out())
    money.refund("r1", "f1", 100_000)
    money.deliver("r1")

    assert {"paid": 2_500, "receivable": -2_500} == money.accounts()

    money.sell("r2", 160_000, lead_key="other")
    money.deliver("r2")
    money.release()
    assert {"paid": 2_500, "payable": 1_500, "pending": 12_000} == money.accounts()


@pytest.mark.usefixtures("books")
def test_earn_claws_back_by_cancelling_a_payout_not_submitted() -> None:
    """Money reserved in a batch that waits is taken out of it; the rest of it goes on."""
    money.sell()
    money.deliver("r1")
    money.release()
    batch = money.pay_out(until="close")
    assert {"pending": 7_500, "reserved": 2_500} == money.accounts()

    money.refund("r1", "f1", 40_000)
    money.deliver("r1")

    assert {"pending": 4_500, "payable": 1_500} == money.accounts()
    assert {"PayoutCancelled": "clawback"} == {
        str(each.kind): each.reason for each in money.journals() if each.reason == "clawback"
    }
    money.pay_out(until="finish")
    assert {"pending": 4_500, "payable": 1_500} == money.accounts()
    assert ("settled", "") == (money.the_batch(batch).status, money.the_batch(batch).file)


@pytest.mark.usefixtures("books")
def test_earn_takes_back_loyalty_when_the_customer_leaves() -> None:
    """Leaving before 180 days costs the loyalty milestone only."""
    money.sell()
    money.deliver("r1")
    money.churn("r1", "2026-12-24T00:00:00.000Z")
    money.deliver("r1", "r1")

    assert {"pending": 2_500} == money.accounts()


@pytest.mark.usefixtures("books")
def test_earn_splits_between_partners_without_loss() -> None:
    """Two partners share a sale; each has books of their own and together it is all there."""
    money.enrol("quin", email_key="key-quin")
    money.sell(amount_minor=100_003, shares={"pia": 3_333, "quin": 6_667})

    money.deliver("r1")

    assert {"pending": 3_333} == money.accounts("pia")
    assert {"pending": 6_667} == money.accounts("quin")


def test_earn_in_other_currencies(engine: str, frozen: Callable[[str], None]) -> None:
    """Yen have no and dinars three digits after the point; each currency has its own balance."""
    assert engine
    assert frozen
    money.publish()
    money.enrol()
    money.sell("r1", 12_345, currency="JPY")
    money.sell("r2", 12_345, currency="KWD", lead_key="other")

    money.deliver("r1", "r2")

    assert {"pending": 1_235} == money.accounts(currency="JPY")
    assert {"pending": 1_235} == money.accounts(currency="KWD")
    assert ["", ""] == [each.method for each in ledger.balances("pia")]


@pytest.mark.usefixtures("books")
def test_earn_reports_only_the_message_that_failed() -> None:
    """A message about nothing goes back to the queue; its neighbours are done."""
    money.sell()

    answer = money.deliver("unknown", "r1")

    assert {"batchItemFailures": [{"itemIdentifier": "m1"}]} == answer
    assert {"pending": 10_000} == money.accounts()


@pytest.mark.usefixtures("books")
def test_earn_refuses_an_event_of_another_kind() -> None:
    """A message that is not about a referral is poison, not silence."""
    event = life.from_bus({"entity": "PARTNER#pia", "type": "PartnerEnrolled"})

    assert {"batchItemFailures": [{"itemIdentifier": "m1"}]} == earn.handler(event, money.CONTEXT)


@pytest.mark.usefixtures("books")
def test_earn_moves_reward_and_money_together(monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody else earns the same rewards between reading and writing: once, and whole."""
    money.sell()
    intrude(monkeypatch, lambda: earn.converge("r1", now=NOW))

    earn.converge("r1", now=NOW)

    assert {"pending": 10_000} == money.accounts()
    assert 2 == len(money.journals())


@pytest.mark.usefixtures("books")
def test_post_keeps_a_journal_whose_business_state_is_lost() -> None:
    """The journal's id is the guard for ever, even when the reward item is gone."""
    money.sell()
    money.deliver("r1")
    for each in referrals.detail("r1").rewards:
        store.connection().delete_item(store.name(Table.CORE), each["pk"], each["sk"])

    money.deliver("r1")

    assert {"pending": 10_000} == money.accounts()
    assert 2 == len(money.journals())


@pytest.mark.usefixtures("books")
def test_post_with_a_failing_business_condition_stores_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """When the state that moves with the money cannot move, neither does the money."""
    money.sell()
    money.deliver("r1")
    (reward, _) = rewards.load(referrals.detail("r1").rewards)

    def write(writes: Transaction) -> None:
        stale = msgspec.structs.replace(reward, version=99)
        rewards.change(writes, stale, msgspec.structs.replace(stale, version=100))

    monkeypatch.setattr(ledger, "_ATTEMPTS", 2)
    with pytest.raises(ContentionError):
        ledger.post_all(
            "pia", "EUR", lambda _: [Entry(postings=(posting("j9"),), write=write)], now=NOW
        )

    assert None is ledger.journal("j9")
    assert {"pending": 10_000} == money.accounts()
