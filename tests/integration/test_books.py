"""The books as finance reads them: journals, balances at a moment, trial balance, exports."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from introducer.ledger import Kind, Posting
from introducer.sealing import Tally
from introducer.tables import accounts_at, ledger, seals
from introducer.tables.ledger import Entry
from payout import seal
from tests.support import life, money
from tests.support.api import Reply, call, login

AUDITOR = login("login-audit", "auditor")
BASE = f"/v1/programs/{life.PROGRAM}"


@pytest.fixture
def clock(aws: None, frozen: Callable[[str], None]) -> Callable[[str], None]:
    """An empty program with two partners; returns what moves the clock."""
    assert aws is None
    money.publish()
    money.enrol("pia")
    money.enrol("quin", email_key="key-quin")
    return frozen


def read(path: str, expected: int = 200) -> Reply:
    """Ask as an auditor."""
    reply = call("GET", f"{BASE}/{path}", claims=AUDITOR)
    assert expected == reply.status, reply.body
    return reply


def book(
    name: str,
    at: str,
    *,
    kind: Kind = Kind.REWARD_EARNED,
    minor: int = 100,
    holder: str = "pia",
    **refs: str,
) -> None:
    """Book a journal at a given time."""
    posting = Posting(
        id=name,
        kind=kind,
        program=life.PROGRAM,
        partner=holder,
        currency="EUR",
        amount_minor=minor,
        at=at,
        refs=refs,
    )
    ledger.post_all(holder, "EUR", lambda _: [Entry(postings=(posting,), writes=0)], now=at)


def ids(reply: Reply) -> list[str]:
    """Return the ids of the journals of a page."""
    return [each["id"] for each in reply.body["items"]]


def pages(query: str) -> list[str]:
    """Return the ids of all pages."""
    found, cursor = [], ""
    while True:
        reply = read(f"journals?{query}&cursor={cursor}" if cursor else f"journals?{query}")
        found += ids(reply)
        cursor = reply.body["next"]
        if not cursor:
            return found


def test_journals_of_a_day_a_holder_a_batch_and_one(clock: Callable[[str], None]) -> None:
    """Every journal is found by day, by holder and by id, whole, page after page."""
    clock("2026-11-22T12:00:00.000Z")
    for number in range(5):
        book(f"j{number}", f"2026-11-22T1{number}:00:00.000Z")
    book("reward:r1:p:m:inv/7:quin", "2026-11-23T10:00:00.000Z", holder="quin", sale="inv/7")

    assert [f"j{n}" for n in range(5)] == sorted(pages("day=2026-11-22&limit=2"))
    assert [f"j{n}" for n in (4, 3, 2, 1, 0)] == pages("holder=pia&currency=EUR&limit=2")
    assert ["reward:r1:p:m:inv/7:quin"] == pages("journal=reward:r1:p:m:inv%2F7:quin")
    one = call("GET", "/v1/journals/j1", claims=AUDITOR).body
    (first,) = ledger.journals("pia", "EUR", first=1, last=1)
    assert (2, first.hash, "pia") == (one["number"], one["prev"], one["holder"])
    assert {"pending": 100, "expense": -100} == one["legs"]
    assert 404 == call("GET", "/v1/journals/none", claims=AUDITOR).status


def test_journals_of_a_batch(clock: Callable[[str], None]) -> None:
    """What the payouts of a batch booked, in order."""
    clock(money.NOW)
    money.sell()
    money.deliver("r1")
    money.release()
    batch = money.pay_out()

    kinds = [each["kind"] for each in read(f"journals?batch={batch}").body["items"]]

    assert ["PayoutCreated", "PayoutSubmitted"] == kinds
    assert (404, "not_found") == read("journals?batch=none", 404).problem()


@pytest.mark.usefixtures("clock")
def test_journals_need_one_filter() -> None:
    """Neither everything nor two things at once."""
    day = "day=2026-11-22"
    for query in ("", f"{day}&batch=b1", "holder=pia", "currency=EUR", f"{day}&currency=EUR"):
        assert (422, "one_filter_needed") == read(f"journals?{query}", 422).problem()


@pytest.mark.usefixtures("clock")
def test_books_are_not_for_partners() -> None:
    """Only managers, finance and auditors."""
    for path in ("journals?day=2026-11-22", "trial-balance", "adjustments", "balances/pia"):
        reply = call("GET", f"{BASE}/{path}", claims=login("login-pia", "partner"))
        assert (403, "forbidden") == reply.problem()


def test_balance_at_any_moment_is_the_fold_until_then(clock: Callable[[str], None]) -> None:
    """Over months, with closings between: what is told is what the journals add up to."""
    moments = []
    for month in range(1, 7):
        for day in (3, 3, 17):
            moments.append(f"2027-{month:02}-{day:02}T10:00:00.000Z")
            book(f"j{len(moments)}", moments[-1], minor=len(moments))
            clock(moments[-1])
    now = ledger.balance("pia", "EUR")
    assert 5 == len(ledger.closings("pia", "EUR"))

    for at in (
        *moments,
        "2027-01-01T00:00:00.000Z",
        "2027-04-01T00:00:00.000Z",
        "2028-01-01T00:00:00.000Z",
    ):
        before = sum(number for number, each in enumerate(moments, 1) if each < at)
        assert before == accounts_at.at(now, at)["pending"], at
        assert sum(each < at for each in moments) == accounts_at.booked_before(now, at)

    told = read("balances/pia?currency=EUR&at=2027-02-17").body
    assert "2027-02-18T00:00:00.000Z" == told["at"]
    assert [(6, 1 + 2 + 3 + 4 + 5 + 6)] == [
        (each["number"], each["accounts"]["pending"]) for each in told["balances"]
    ]
    assert 18 == read("balances/pia").body["balances"][0]["number"]
    assert (404, "not_found") == read("balances/nobody", 404).problem()
    for no_day in ("2027-02-31", "9999-12-31"):
        assert (422, "invalid_time") == read(f"balances/pia?at={no_day}", 422).problem()


def test_opening_and_closing_prove_each_other(clock: Callable[[str], None]) -> None:
    """One is told from the month before, the other from the month behind: a false one shows."""
    for number, month in enumerate((1, 2, 2, 2, 3), 1):
        book(f"j{number}", f"2027-{month:02}-03T10:00:00.000Z", minor=number)
    clock("2027-03-04T00:00:00.000Z")
    now = ledger.balance("pia", "EUR")

    for first in range(1, 7):
        for last in range(first - 1, 6):
            opening, closing = accounts_at.ends(now, first, last)
            sums = [sum(range(first)), sum(range(last + 1))]
            assert sums == [opening["pending"], closing["pending"]]
    january, february = ledger.closings("pia", "EUR")
    false = msgspec.structs.replace(february, pending=february.pending + 1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ledger, "closings", lambda *_: [january, false])
        opening, closing = accounts_at.ends(now, 3, 3)
        assert (3, 7) == (opening["pending"], closing["pending"])  # 3 + 3 is not 7


@pytest.mark.parametrize("path", ["statements/pia?currency=EUR&to={}", "balances/pia?at={}"])
def test_day_amid_a_month_with_too_much_is_refused_and_not_slow(
    clock: Callable[[str], None], monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    """Whole months are told whatever is in them: their balances are stored."""
    for number in range(6):
        book(f"a{number}", f"2027-01-0{number + 1}T10:00:00.000Z")
    book("b", "2027-02-01T10:00:00.000Z")
    clock("2027-02-02T00:00:00.000Z")
    monkeypatch.setattr(accounts_at, "MOST_BESIDE", 2)

    assert (422, "period_too_busy") == read(path.format("2027-01-03"), 422).problem()
    for day in ("2027-01-02", "2027-01-04", "2027-01-31", "2027-02-01"):
        read(path.format(day))
    if "statements" in path:
        file = f"{path.replace('?', '/file?')}&format=csv&from=2027-01-05"
        assert (422, "period_too_busy") == read(file.format("2027-01-31"), 422).problem()
        whole = file.replace("from=2027-01-05", "from=2027-01-01")
        assert "url" in read(whole.format("2027-01-31")).body


@pytest.fixture
def sealed(clock: Callable[[str], None], monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Two sealed days over the turn of a month, with rewards of two classes and a payout."""
    monkeypatch.setattr(seal.proofs, "keep", lambda _: True)
    book("a", "2026-11-30T10:00:00.000Z", minor=300, **{"class": "acquisition_cost"})
    book("b", "2026-11-30T11:00:00.000Z", minor=300, kind=Kind.REWARD_RELEASED)
    book("c", "2026-12-01T10:00:00.000Z", minor=50, holder="quin")
    book("d", "2026-12-01T11:00:00.000Z", minor=200, kind=Kind.PAYOUT_CREATED)
    clock("2026-12-02T01:00:00.000Z")
    seal.seal_all("2026-12-02T01:00:00.000Z", days=3)
    return clock


def trial(query: str = "") -> dict[str, int]:
    """Return what every account holds."""
    told = read(f"trial-balance{query}").body
    assert {0} >= set(told["difference_minor"].values())
    return {row["account"]: row["balance_minor"] for row in told["rows"]}


@pytest.mark.usefixtures("sealed")
def test_trial_balance_adds_seals_and_what_is_not_sealed() -> None:
    """At the end of any day, sealed or not, all accounts add up to zero."""
    assert {} == trial("?at=2026-11-29")
    assert {"expense": -300, "payable": 300, "pending": 0} == trial("?at=2026-11-30")
    after = {"expense": -350, "payable": 100, "pending": 50, "reserved": 200}
    assert after == trial()
    book("e", "2026-12-02T00:30:00.000Z", minor=1, holder="quin")
    assert after == trial("?at=2026-12-01")
    assert {**after, "expense": -351, "pending": 51} == trial("?currency=EUR")
    assert {} == trial("?currency=USD")
    assert "2026-12-01" == read("trial-balance").body["sealed_until"]


def test_trial_balance_needs_the_days_before_to_be_sealed(sealed: Callable[[str], None]) -> None:
    """After more than a week without a seal it is refused, not slow."""
    sealed("2026-12-20T00:00:00.000Z")

    assert (422, "not_sealed_yet") == read("trial-balance", 422).problem()
    assert 3 == len(trial("?at=2026-11-30"))


@pytest.mark.usefixtures("sealed")
def test_general_ledger_tells_both_sides_by_class_and_period() -> None:
    """Debits and credits by month, account and class; they are the same altogether."""
    rows = read("general-ledger?from=2026-11-01&to=2026-12-01").body["rows"]

    told = [
        [
            row[name]
            for name in ("period", "account", "accounting_class", "debit_minor", "credit_minor")
        ]
        for row in rows
    ]
    assert [
        ["2026-11", "expense", "acquisition_cost", 300, 0],
        ["2026-11", "payable", "unclassified", 0, 300],
        ["2026-11", "pending", "acquisition_cost", 0, 300],
        ["2026-11", "pending", "unclassified", 300, 0],
        ["2026-12", "expense", "unclassified", 50, 0],
        ["2026-12", "payable", "unclassified", 200, 0],
        ["2026-12", "pending", "unclassified", 0, 50],
        ["2026-12", "reserved", "unclassified", 0, 200],
    ] == told
    assert sum(row["debit_minor"] for row in rows) == sum(row["credit_minor"] for row in rows)
    by_day = read("general-ledger?from=2026-12-01&to=2026-12-01&by=day").body["rows"]
    assert {"2026-12-01"} == {row["period"] for row in by_day}

    reply = read("general-ledger?from=2026-11-01&to=2026-12-01&by=period&format=csv")
    assert "text/csv; charset=utf-8" == reply.headers["content-type"]
    header, first, *_ = reply.body.splitlines()
    assert "period,account,accounting_class,currency,debit_minor,credit_minor,count" == header
    assert "2026-11-01/2026-12-01,expense,acquisition_cost,EUR,300,0,1" == first


@pytest.mark.usefixtures("sealed")
def test_general_ledger_refuses_what_it_cannot_tell() -> None:
    """A period that is none, is too long, or is not sealed to its end."""
    wrong = {
        "from=2026-12-01&to=2026-11-30": "invalid_period",
        "from=2025-11-01&to=2026-12-01": "invalid_period",
        "from=2026-11-31&to=2026-12-01": "invalid_period",
        "from=2026-12-01&to=2026-12-02": "not_sealed_yet",
        "from=2026-12-01&to=9999-12-31": "invalid_period",
        "from=9999-12-31&to=9999-12-31": "not_sealed_yet",
    }
    for query, code in wrong.items():
        assert (422, code) == read(f"general-ledger?{query}", 422).problem()


@pytest.mark.usefixtures("sealed")
def test_seals_and_journals_tell_the_same() -> None:
    """What the seals add up to is what all journals do."""
    tally = Tally()
    for holder in ("pia", "quin"):
        for each in money.journals(holder):
            tally.add(each)
    found: dict[Any, int] = {}
    for line in (line for each in seals.of_period(life.PROGRAM) for line in each.lines):
        key = (line.account, line.accounting_class)
        found[key] = found.get(key, 0) + line.change_minor

    assert found == {(e.account, e.accounting_class): e.change_minor for e in tally.lines}
