"""A quarter of a year with a bank that does everything a bank can do, until the books are its own.

The bank is a process of its own with its own clock; between it and our code are files only.
Under our code is the AWS in memory. ``BANK_DAYS=90`` is the whole quarter, ``make bank-quarter``.
"""

from __future__ import annotations

import os
import random
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import date, timedelta

import msgspec
import pytest

from infra.bank import MockBank
from introducer import settlement
from introducer.tables import ledger, partners, payouts
from introducer.tables.people import Payee
from introducer.tables.store import Transaction
from payout import files, members, reconcile, settle
from tests.simulation.aws import Aws
from tests.support import life, money
from tests.support.bank_files import OWNER_IBAN

DAYS = int(os.environ.get("BANK_DAYS", "25"))
SEED = int(os.environ.get("BANK_SEED", "1"))
KINDS = ("pain.002", "camt.054", "camt.053", "pacs.004")
PARTNERS = ("pia", "quin", "rosa", "sven", "tara", "udo")
GOOD = "DE89370400440532013000"
CLOSED, UNKNOWN_BANK = "NL84MOCK0000000003", "NL57MOCK0000000004"
SILENCE = {"payments_unanswered", "bank_is_silent"}
RETURNS = ("AC04", "MD07", "AC06", "AC01", "MS03", "CUST")
DAILY = (
    "accept",
    "return-later",
    "reject-file",
    "silent",
    "statement-gap",
    "insufficient-funds",
    "duplicate-file",
    "held-back",
)
"""What the bank does, in turn: its own behaviours, and two of the road between it and us."""


class Quarter:
    """The owner, the bank, and the road of files between them."""

    def __init__(self, bank: MockBank) -> None:
        self.bank = bank
        self.random = random.Random(SEED)
        self.road: list[tuple[int, str, bytes]] = []
        self.had = 120_000
        self.seen: Counter[str] = Counter()
        self.problems: set[tuple[str, str]] = set()
        bank.open_account(
            "ACME", iban=OWNER_IBAN, name="Nordlink", currency="EUR", balance_minor=self.had
        )

    def day(self, number: int, now: str) -> None:
        """Earn, release, pay, and hear what the bank says, on one business day."""
        today = now[:10]
        behaviour = DAILY[number % len(DAILY)]
        self.bank.advance(to=today)
        self._hear(number, now)
        for partner in self.random.sample(PARTNERS, 2):
            name = f"r{number}{partner}"
            amount_minor = self.random.randrange(40_000, 400_000)
            at = f"{today}T07:00:00.000Z"
            money.sell(name, amount_minor, shares={partner: 10_000}, lead_key=name, at=at)
            money.deliver(name)
        money.release(now)
        self._behave(behaviour)
        self._pay(behaviour, now)
        self._hear(number, now, delay=2 if behaviour == "held-back" else 0)
        self._mend_accounts(now)

    def end(self, number: int, now: str) -> None:
        """Let everything that is under way come to its end."""
        self.bank.behave("ACME", "accept")
        self.bank.settle()
        self.bank.advance(days=4)
        self._hear(number + 100, now)

    def ask(self, now: str) -> int:
        """Ask the bank about what it never answered; return how many payments that were.

        A silent bank refuses without a word, so somebody calls, and writes down what they hear.
        """
        silent = [
            each
            for batch in payouts.open_batches(life.PROGRAM)
            for each in payouts.of_batch(batch.id)
            if each.status == "in_transit"
        ]
        lines = [f"{each.reference},rejected,AC04" for each in silent]
        answer = "\n".join(["reference,status,reason", *lines])
        settle.take_file(answer.encode(), "inbox/called.csv", now=now)
        return len(silent)

    def _behave(self, behaviour: str) -> None:
        self.seen[behaviour] += 1
        if behaviour == "return-later":
            days, reason = self.random.randrange(1, 6), self.random.choice(RETURNS)
            self.bank.return_later("ACME", days=days, reason=reason)
        elif behaviour in {"duplicate-file", "held-back"}:
            self.bank.behave("ACME", "accept")
        else:
            self.bank.behave("ACME", behaviour)
        if self.bank.balance_minor("ACME") < 30_000:  # a customer pays
            top_up = self.random.randrange(40_000, 90_000)
            sender = {"name": "Customer", "iban": GOOD}
            body = {"account": "ACME", "amount": top_up, "note": "invoice", "debtor": sender}
            self.bank._demand("POST", "/_mock/credits", body)
            self.had += top_up

    def _pay(self, behaviour: str, now: str) -> None:
        batch = payouts.get_batch(money.pay_out(now=now, until="finish"))
        if batch.file:
            content = files.read(batch.file) or b""
            self.bank.submit(content)
            if behaviour == "duplicate-file":
                assert self.bank.submit(content).reason == "DUPL"
                self.seen["duplicates"] += 1

    def _hear(self, number: int, now: str, *, delay: int = 0) -> None:
        """Take in what has arrived: in any order, some of it twice, some of it days later."""
        for message in self.bank.fetch(*KINDS):
            self.road.append((number + delay, message.name, message.content))
            if self.random.random() < 0.2:
                self.road.append((number + 1, f"again-{message.name}", message.content))
        here = [each for each in self.road if each[0] <= number]
        self.road = [each for each in self.road if each[0] > number]
        self.random.shuffle(here)
        for _, name, content in here:
            settle.take_file(content, f"inbox/{name}", now=now)

    def _mend_accounts(self, now: str) -> None:
        """Let the partners whose account was refused give another one, as their mail asks them."""
        for name in PARTNERS:
            profile = partners.find_partner(name)
            assert profile is not None
            if profile.payee_problem and self.random.random() < 0.5:
                self.problems.add((name, profile.payee_problem))
                good = german_iban(self.random.randrange(10**10))
                give_account(name, CLOSED if self.random.random() < 0.2 else good, now)


@pytest.fixture
def quarter(frozen: Callable[[str], None]) -> Iterator[Quarter]:
    """Six partners, two of them with accounts that no bank can pay."""
    frozen("2026-11-22T10:00:00.000Z")
    with MockBank(clock="2026-11-23T06:00") as bank, Aws().installed():
        debtor = {**money.EUROS["debtor"], "iban": OWNER_IBAN, "bic": "MOCKNL2A"}  # type: ignore[dict-item]
        money.publish(payouts=[{**money.EUROS, "debtor": debtor, "threshold_minor": 1_000}])
        for name in PARTNERS:
            money.enrol(name, payee=False, email_key=f"key-{name}")
            good = german_iban(PARTNERS.index(name))
            iban = {"quin": CLOSED, "rosa": UNKNOWN_BANK}.get(name, good)
            give_account(name, iban, life.NOW)
        yield Quarter(bank)


def german_iban(account: int) -> str:
    """Return an IBAN that no other number gives."""
    number = f"37040044{account:010}"
    return f"DE{98 - int(number + '131400') % 97:02}{number}"


def give_account(name: str, iban: str, now: str) -> None:
    """Let a partner say where their money goes."""
    profile = partners.find_partner(name)
    assert profile is not None
    writes = Transaction()
    account = Payee(name=name.title(), iban=iban, town="Berlin", country="DE")
    partners.set_payee(writes, profile, account, now=now, actor="user:1")
    writes.commit()


def business_days(count: int) -> Iterator[str]:
    """Yield *count* days of work from the first Monday on, each at eight in the morning."""
    day = date(2026, 11, 23)
    while count:
        if day.isoweekday() < 6:
            yield f"{day}T08:00:00.000Z"
            count -= 1
        day += timedelta(days=1)


def total(account: str) -> int:
    """What all partners together have on one of their accounts."""
    return sum(ledger.balance(name, "EUR").account(account) for name in PARTNERS)


def test_quarter_ends_with_the_books_equal_to_the_bank(
    quarter: Quarter, frozen: Callable[[str], None]
) -> None:
    """Accepted, refused, doubled, silent, returned and incomplete: to the cent the bank's."""
    kinds: Counter[str] = Counter()
    now = ""
    for number, now in enumerate(business_days(DAYS)):
        frozen(now)
        quarter.day(number, now)
        if number % 5 == 4:
            found = reconcile.reconcile(now, days=7).differences
            kinds.update(str(each["kind"]) for each in found)
    quarter.end(DAYS, now)
    late = f"{date.fromisoformat(now[:10]) + timedelta(days=20)}T08:00:00.000Z"
    frozen(late)
    settle.retry_unmatched(now=late)
    unanswered = sum(
        int(each["count"])
        for each in reconcile.reconcile(late, days=7).differences
        if each["kind"] in SILENCE
    )
    assert unanswered == quarter.ask(late)
    now = late

    assert quarter.had - quarter.bank.balance_minor("ACME") == total("paid")
    assert 0 == total("in_transit") == total("reserved")
    assert {"duplicate"} == {each.problem for each in payouts.unmatched()}
    assert quarter.seen["duplicates"] == len(payouts.unmatched())
    dismiss_all(now)
    after = reconcile.reconcile(now, days=200, full=True)
    assert {"statement_lacks_entries"} >= {str(each["kind"]) for each in after.differences}
    assert after.totals["EUR"]["paid"] == total("paid")
    # What was wrong on the way was seen: a hole in a statement, and nothing that was none.
    assert kinds["statement_lacks_entries"]
    assert {"statement_lacks_entries", "unmatched_booking"} == set(kinds) - SILENCE
    assert {"AC04", "RC01"} <= {reason for _, reason in quarter.problems}


def test_silent_bank_is_reported_and_its_late_word_still_counts(
    quarter: Quarter, frozen: Callable[[str], None]
) -> None:
    """Nobody answers for a file for days: the reconciliation says so until somebody does."""
    now, later = "2026-11-23T08:00:00.000Z", "2026-11-27T08:00:00.000Z"
    frozen(now)
    money.sell("r1", 400_000, at="2026-11-23T07:00:00.000Z")
    money.deliver("r1")
    money.release(now)
    quarter.bank.behave("ACME", "silent")
    batch = payouts.get_batch(money.pay_out(now=now, until="finish"))
    quarter.bank.submit(files.read(batch.file) or b"")

    assert [] == reconcile.reconcile(now, days=2).differences
    frozen(later)
    assert [{"kind": "bank_is_silent", "count": 1, "batch": batch.id}] == reconcile.reconcile(
        later, days=7
    ).differences
    quarter.bank.advance(to="2026-11-27")
    quarter._hear(1, later)

    assert [] == reconcile.reconcile(later, days=7).differences
    assert quarter.had - quarter.bank.balance_minor("ACME") == total("paid") == 10_000
    members.settle_if_done(batch.id, now=later)
    assert "settled" == payouts.get_batch(batch.id).status


def dismiss_all(now: str) -> None:
    """Let a person say that the bank was asked about every doubled file."""
    for booking in payouts.unmatched():
        after, event = settlement.resolved(
            booking, reason="the bank has one file", actor="user:fin", now=now
        )
        writes = Transaction()
        payouts.resolve(writes, booking, after, event)
        writes.commit()
        assert "dismissed" == msgspec.structs.asdict(after)["status"]
