"""The one writer of the books: races, lost answers, groups, months and statements."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

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
    ledger.resume(life.PROGRAM, by="user:fin", why="books_mended", now=NOW)
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
    money.intrude(monkeypatch, lambda: post(posting("other", 7)))

    post(posting("mine", 100))

    assert ["other", "mine"] == [each.id for each in money.journals()]
    assert {"pending": 107} == money.accounts()


@pytest.mark.usefixtures("books")
def test_post_of_the_same_fact_at_once_stands_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two processes post the same journal at the same moment: it is there once."""
    money.intrude(monkeypatch, lambda: post(posting("j1")))

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
