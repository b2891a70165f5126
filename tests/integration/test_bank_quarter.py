"""A quarter of a year with a bank that does everything a bank can do, until the books are its own.

The bank is a process of its own with its own clock; between it and our code are files only.
Under our code is the AWS in memory. ``BANK_DAYS=90`` is the whole quarter, ``make bank-quarter``.
"""

from __future__ import annotations

import json
import os
import random
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import Any

import msgspec
import pytest

from infra.bank import MockBank
from introducer import clock, payout, settlement
from introducer.payout import Batch
from introducer.tables import batches, ledger, partners, payouts
from introducer.tables.people import Payee
from introducer.tables.store import Transaction
from payout import batch, files, members, reconcile, settle
from tests.simulation.aws import Aws
from tests.support import life, money
from tests.support.bank_files import OWNER_IBAN
from tests.support.payments import ach_payee

DAYS = int(os.environ.get("BANK_DAYS", "25"))
SEED = int(os.environ.get("BANK_SEED", "1"))
PARTNERS = ("pia", "quin", "rosa", "sven", "tara", "udo")
GOOD = "DE89370400440532013000"
AT_THIS_BANK = "999999992"
SILENCE = {"payments_unanswered", "bank_is_silent"}
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


class Way(msgspec.Struct, frozen=True, kw_only=True):
    """A way of the money: its rule, what the bank returns by it, and accounts of payees.

    ``account`` takes a number, which no other partner may have; ``closed`` and ``unknown`` are
    accounts that the bank cannot pay, by the reasons it gives.
    """

    rule: dict[str, Any]
    returns: tuple[str, ...]
    account: Callable[[int], Payee]
    closed: tuple[Payee, str]
    unknown: tuple[Payee, str]
    doubles_reported: bool
    opened: dict[str, Any]


class Quarter:
    """The owner, the bank, and the road of files between them."""

    def __init__(self, bank: MockBank, way: Way) -> None:
        self.bank = bank
        self.way = way
        self.unit = str(way.rule["currency"])
        self.random = random.Random(SEED)
        self.road: list[tuple[int, str, bytes]] = []
        self.had = 120_000
        self.seen: Counter[str] = Counter()
        self.problems: set[tuple[str, str]] = set()
        bank.open_account(
            "ACME",
            iban=OWNER_IBAN,
            name="Nordlink",
            currency=self.unit,
            balance_minor=self.had,
            **way.opened,
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
            shares = {partner: 10_000}
            money.sell(name, amount_minor, currency=self.unit, shares=shares, lead_key=name, at=at)
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
            for made in batches.since(life.PROGRAM, clock.EPOCH)
            for each in payouts.of_batch(made.id)
            if each.status == "in_transit"
        ]
        lines = [f"{each.reference},rejected,{self.way.closed[1]}" for each in silent]
        answer = "\n".join(["reference,status,reason", *lines])
        settle.take_file(answer.encode(), "inbox/called.csv", now=now)
        return len(silent)

    def _behave(self, behaviour: str) -> None:
        self.seen[behaviour] += 1
        if behaviour == "return-later":
            days, reason = self.random.randrange(1, 6), self.random.choice(self.way.returns)
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
        made = pay_out(self.way.rule, now)
        if made.file:
            content = files.read(made.file) or b""
            self.bank.submit(content)
            if behaviour == "duplicate-file":
                assert self.bank.submit(content).reason == "DUPL"
                self.seen["duplicates"] += self.way.doubles_reported

    def _hear(self, number: int, now: str, *, delay: int = 0) -> None:
        """Take in what has arrived: in any order, some of it twice, some of it days later."""
        for message in self.bank.fetch():
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
                good = self.way.account(self.random.randrange(10**9))
                give_account(name, self.way.closed[0] if self.random.random() < 0.2 else good, now)


def german_iban(account: int) -> str:
    """Return an IBAN that no other number gives."""
    number = f"37040044{account:010}"
    return f"DE{98 - int(number + '131400') % 97:02}{number}"


def iban_payee(iban: str) -> Payee:
    """Return an account in Europe."""
    return Payee(name="Petra Muster", iban=iban, town="Berlin", country="DE")


SEPA = Way(
    rule={
        **money.EUROS,
        "debtor": {**money.EUROS["debtor"], "iban": OWNER_IBAN, "bic": "MOCKNL2A"},  # type: ignore[dict-item]
        "method": "sepa",
    },
    returns=("AC04", "MD07", "AC06", "AC01", "MS03", "CUST"),
    account=lambda number: iban_payee(german_iban(number)),
    closed=(iban_payee("NL84MOCK0000000003"), "AC04"),
    unknown=(iban_payee("NL57MOCK0000000004"), "RC01"),
    doubles_reported=True,
    opened={},
)
ACH = Way(
    rule={
        "method": "ach",
        "currency": "USD",
        "region": "us",
        "threshold_minor": 1_000,
        "approval_above_minor": 1_000_000,
        "originator": {
            "name": "Acme Inc",
            "company_id": "0000000001",
            "routing": AT_THIS_BANK,
            "bank": "Mock Bank",
        },
    },
    returns=("R02", "R03"),
    account=lambda number: ach_payee(account=f"{number:010}"),
    closed=(ach_payee(routing=AT_THIS_BANK, account="0000000003"), "R02"),
    unknown=(ach_payee(routing=AT_THIS_BANK, account="0000000004"), "R03"),
    doubles_reported=False,  # of an ACH file the bank says so in words of its own
    opened={"number": "0000000001", "nacha": True},
)


@pytest.fixture
def quarter(request: pytest.FixtureRequest, frozen: Callable[[str], None]) -> Iterator[Quarter]:
    """Six partners, two of them with accounts that no bank can pay."""
    way: Way = getattr(request, "param", SEPA)
    frozen("2026-11-22T10:00:00.000Z")
    with MockBank(clock="2026-11-23T06:00") as bank, Aws().installed():
        money.publish(currency=way.rule["currency"], payouts=[way.rule])
        for number, name in enumerate(PARTNERS):
            money.enrol(name, payee=False, email_key=f"key-{name}")
            bad = {"quin": way.closed[0], "rosa": way.unknown[0]}
            give_account(name, bad.get(name) or way.account(number), life.NOW)
        yield Quarter(bank, way)


def pay_out(rule: dict[str, Any], now: str) -> Batch:
    """Run all steps of the batch of *rule* for the day and return it."""
    name = {key: str(rule[key]) for key in ("region", "currency", "method")}
    identity: dict[str, Any] = {"program": life.PROGRAM, "period": now[:10], **name}
    event = {**identity, "run": "1", "started_by": "schedule"}
    event["batch"] = payout.batch_id(**identity, run=1)
    prepared = batch.prepare(event, now)
    items = json.loads(files.read(str(prepared["key"])) or b"[]")
    step = {"batch": event["batch"], "Items": items}
    for run in ("reserve", "close", "submit", "mark", "write", "finish"):
        if payouts.get_batch(event["batch"]).status != "cancelled":
            getattr(batch, run)(step, now)
    return payouts.get_batch(event["batch"])


def give_account(name: str, account: Payee, now: str) -> None:
    """Let a partner say where their money goes."""
    profile = partners.find_partner(name)
    assert profile is not None
    writes = Transaction()
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


def total(account: str, unit: str = "EUR") -> int:
    """What all partners together have on one of their accounts."""
    return sum(ledger.balance(name, unit).account(account) for name in PARTNERS)


@pytest.mark.parametrize("quarter", [SEPA, ACH], ids=["sepa", "ach"], indirect=True)
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

    assert quarter.had - quarter.bank.balance_minor("ACME") == total("paid", quarter.unit)
    assert 0 == total("in_transit", quarter.unit) == total("reserved", quarter.unit)
    assert {"duplicate"} >= {each.problem for each in payouts.unmatched()}
    assert quarter.seen["duplicates"] == len(payouts.unmatched())
    dismiss_all(now)
    after = reconcile.reconcile(now, days=200, full=True)
    assert {"statement_lacks_entries"} >= {str(each["kind"]) for each in after.differences}
    assert after.totals[quarter.unit]["paid"] == total("paid", quarter.unit)
    # What was wrong on the way was seen: a hole in a statement, and nothing that was none.
    assert kinds["statement_lacks_entries"]
    assert {"statement_lacks_entries", "unmatched_booking"} >= set(kinds) - SILENCE
    refused = {quarter.way.closed[1], quarter.way.unknown[1]}
    assert refused <= {reason for _, reason in quarter.problems}


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
    made = pay_out(quarter.way.rule, now)
    quarter.bank.submit(files.read(made.file) or b"")

    assert [] == reconcile.reconcile(now, days=2).differences
    frozen(later)
    assert [{"kind": "bank_is_silent", "count": 1, "batch": made.id}] == reconcile.reconcile(
        later, days=7
    ).differences
    quarter.bank.advance(to="2026-11-27")
    quarter._hear(1, later)

    assert [] == reconcile.reconcile(later, days=7).differences
    assert quarter.had - quarter.bank.balance_minor("ACME") == total("paid") == 10_000
    members.settle_if_done(made.id, now=later)
    assert "settled" == payouts.get_batch(made.id).status


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
