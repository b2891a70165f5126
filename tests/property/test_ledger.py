"""The ledger under any order of events: it always adds up, and it is always the same."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from introducer import ledger, money, reward
from introducer.document.audience import Audience
from introducer.document.plan import Milestone, Percent, RewardPlan
from introducer.earning.evaluate import evaluate
from introducer.earning.rules import rules_of
from introducer.errors import LedgerError
from introducer.event import Event
from introducer.ledger import ACCOUNTS, Balance, Kind, Posting
from introducer.program import Program
from introducer.referral import Referral, Sale, Share
from introducer.reward import Reward
from introducer.tables.ledger import Entry
from introducer.tables.referrals import Detail
from introducer.tables.tallies import Tails
from payout import accrue, booking
from payout.outcome import Look, case_of

NOW = "2026-11-22T11:17:00.000Z"
WON = "2026-01-10T00:00:00.000Z"
LEFT = "2026-03-01T00:00:00.000Z"

amounts = st.integers(min_value=1, max_value=10**9)


# ---------------------------------------------------------------- any journals at all

postings = st.lists(
    st.tuples(
        st.sampled_from(list(Kind)),
        st.integers(min_value=1, max_value=400),
        st.sampled_from(["", "pending", "payable", "in_transit", "paid"]),
        st.sampled_from([0, 0, 0, 1, 100, 400]),
    ),
    max_size=40,
)


@given(postings)
def test_post_keeps_every_invariant(wanted: list[tuple[Kind, int, str, int]]) -> None:
    """Whatever is posted in whatever order: refused whole, or balanced and sound."""
    balance = Balance(partner="ann", currency="EUR")
    journals = []
    for number, (kind, amount_minor, source, withheld_minor) in enumerate(wanted):
        posting = Posting(
            id=str(number),
            kind=kind,
            program="telecom",
            partner="ann",
            currency="EUR",
            amount_minor=amount_minor,
            at=NOW,
            source=source,
            withheld_minor=withheld_minor,
        )
        try:
            posted = ledger.post(balance, [posting], NOW)
        except LedgerError:
            continue
        balance = posted.balance
        journals += posted.journals

    sums = ledger.totals(journals).get("EUR", {})
    assert balance == ledger.fold("ann", "EUR", journals)
    assert all(sum(journal.legs.values()) == 0 for journal in journals)
    assert all(balance.account(name) >= 0 for name in ACCOUNTS if name != "receivable")
    assert not (balance.payable and balance.receivable)
    assert balance.accounts == {name: sums.get(name, 0) for name in ACCOUNTS}
    assert bool(balance.owed_at) == bool(balance.receivable)
    program = sum(sums.get(name, 0) for name in ledger.PROGRAM_ACCOUNTS)
    assert -sum(balance.accounts.values()) == program


def booked(kind: Kind, amount_minor: int, *, withheld_minor: int = 0, source: str = "") -> Posting:
    """Return a posting of Ann's in EUR."""
    return Posting(
        id=f"{kind}:{amount_minor}",
        kind=kind,
        program="telecom",
        partner="ann",
        currency="EUR",
        amount_minor=amount_minor,
        withheld_minor=withheld_minor,
        source=source,
        at=NOW,
    )


def steps(*facts: Posting) -> tuple[Balance, dict[str, int]]:
    """Return Ann's balance after *facts*, and what every account that is not zero adds up to."""
    posted = ledger.post(Balance(partner="ann", currency="EUR"), facts, NOW)
    sums = ledger.totals(posted.journals)["EUR"]
    return posted.balance, {name: held for name, held in sums.items() if held}


@given(
    st.integers(min_value=2, max_value=10**9),
    st.integers(min_value=0, max_value=4_999),
    st.sampled_from(["cancelled", "in_transit", "paid"]),
)
def test_reversal_of_a_payout_gives_the_tax_back(gross_minor: int, rate: int, until: str) -> None:
    """However far it came: cancelled or returned, all is payable again and no office is owed."""
    kept = gross_minor * rate // 10_000
    net = gross_minor - kept
    way = [
        booked(Kind.BALANCE_OPENED, gross_minor),
        booked(Kind.PAYOUT_CREATED, gross_minor, withheld_minor=kept),
    ]
    end, source = Kind.PAYOUT_CANCELLED, ""
    if until != "cancelled":
        end, source = Kind.PAYOUT_RETURNED, until
        way.append(booked(Kind.PAYOUT_SUBMITTED, net))
    if until == "paid":
        way.append(booked(Kind.PAYOUT_PAID, net))

    _, sent = steps(*way)
    after, back = steps(*way, booked(end, gross_minor, withheld_minor=kept, source=source))

    assert kept == sent.get("withheld_tax", 0)
    assert {"expense_before": -gross_minor, "payable": gross_minor} == back
    assert gross_minor == after.payable


@given(amounts, amounts, amounts)
def test_debt_is_netted_to_the_cent_and_the_rest_written_off(
    debt_minor: int, credit_minor: int, more_minor: int
) -> None:
    """A credit fills the debt first; what is written off is the rest, and never more."""
    way = [booked(Kind.DEBIT_ADJUSTED, debt_minor), booked(Kind.CREDIT_ADJUSTED, credit_minor)]
    left = max(0, debt_minor - credit_minor)
    after, _ = steps(*way)

    assert (-left, max(0, credit_minor - debt_minor)) == (after.receivable, after.payable)
    if left:
        settled, sums = steps(*way, booked(Kind.RECEIVABLE_WRITTEN_OFF, left))
        assert not any(settled.accounts.values())
        assert {"adjustments": left, "written_off": -left} == sums
    with pytest.raises(LedgerError):
        steps(*way, booked(Kind.RECEIVABLE_WRITTEN_OFF, left + more_minor))


# ---------------------------------------------------------------- any order of events


class Books:
    """The books and rewards of one referral, kept in memory by the very code that posts."""

    def __init__(self, document: Program, shares: list[Share]) -> None:
        self.document = document
        self.shares = shares
        self.referral = Referral(
            id="ref",
            program="telecom",
            program_version=1,
            version=1,
            status="won",
            submitted_at=WON,
            updated_at=WON,
            channel="link",
            lead="person",
            won_at=WON,
        )
        self.sales: dict[str, Sale] = {}
        self.events: list[Event] = []
        self.rewards: dict[str, Reward] = {}
        self.balances: dict[tuple[str, str], Balance] = {}
        self.journals: dict[str, ledger.Journal] = {}

    # -- facts

    def happen(self, fact: tuple[Any, ...]) -> None:
        """Store a fact as the inbound webhook would, if the state machine allows it."""
        if self.referral.status != "won":
            return
        match fact:
            case ("sale", amount_minor, currency):
                name = f"s{len(self.sales)}"
                self.sales[name] = Sale(
                    id=name,
                    amount_minor=amount_minor,
                    currency=currency,
                    occurred_at=WON,
                    source="billing",
                )
            case ("refund", index, thousandths):
                self._refund(index, thousandths)
            case ("churn",):
                self._event("ReferralChurned", {})
                self.referral = msgspec.structs.replace(
                    self.referral, status="churned", source_at=LEFT
                )

    def _refund(self, index: int, thousandths: int) -> None:
        if not self.sales:
            return
        sale = list(self.sales.values())[index % len(self.sales)]
        left = sale.amount_minor - sale.refunded_minor
        amount_minor = min(left, max(1, sale.amount_minor * thousandths // 1000))
        if amount_minor:
            self._event("SaleRefunded", {"sale": sale.id, "amount_minor": amount_minor})
            self.sales[sale.id] = msgspec.structs.replace(
                sale, refunded_minor=sale.refunded_minor + amount_minor
            )

    def _event(self, kind: str, data: dict[str, str | int]) -> None:
        self.events.append(
            Event(
                type=kind,
                entity="REFERRAL#ref",
                seq=len(self.events) + 2,
                program="telecom",
                at=WON,
                actor="x",
                data=data,
            )
        )

    # -- deliveries

    def deliver(self) -> None:
        """Do what a message about the referral makes the earn function do."""
        seen = self._look()
        for partner, currency in sorted({each.account for each in booking.changes(seen)}):
            balance = self.balances.get(
                (partner, currency), Balance(partner=partner, currency=currency)
            )
            mine = [each for each in booking.changes(seen) if each.account == (partner, currency)]
            self._post(balance, booking.entries(seen, mine, balance, NOW))

    def release(self) -> None:
        """Do what the accrual does, with everything due."""
        for each in list(self.rewards.values()):
            if each.status == "pending" and not reward.obstacle(each, self.referral, NOW):
                self._post(
                    self.balances[each.partner, each.currency], [accrue._released(each, NOW)]
                )

    def put(self, _table: str, _pk: str, _sk: str, value: Reward, **_: object) -> None:
        """Take a reward as the transaction would store it."""
        before = self.rewards.get(value.key)
        assert value.version == (before.version + 1 if before else 1)
        self.rewards[value.key] = value

    def _post(self, balance: Balance, entries: list[Entry]) -> None:
        for entry in entries:
            posted = ledger.post(balance, entry.postings, NOW)
            balance = posted.balance
            for journal in posted.journals:
                assert journal.id not in self.journals
                self.journals[journal.id] = journal
            entry.write(self)  # type: ignore[arg-type]
        self.balances[balance.partner, balance.currency] = balance

    def _look(self) -> Look:
        facts, rules = self._detail(), rules_of(self.document)
        outcome = evaluate(rules, case_of(facts))
        tails = Tails(self.document.id)
        return Look(facts=facts, rules=rules, outcome=outcome, heads={}, revisions={}, tails=tails)

    def _detail(self) -> Detail:
        return Detail(
            referral=self.referral,
            shares=self.shares,
            touches=[],
            sales=list(self.sales.values()),
            rewards=[msgspec.to_builtins(each) for each in self.rewards.values()],
            events=self.events,
        )

    # -- what is compared

    def facts_booked(self) -> dict[str, int]:
        """Return the amount of every journal that earns or takes back, by its id."""
        return {
            each.id: each.amount_minor
            for each in self.journals.values()
            if each.kind is not Kind.REWARD_RELEASED
        }

    def accounts(self) -> dict[tuple[str, str], dict[str, int]]:
        """Return every account of every balance."""
        return {key: balance.accounts for key, balance in self.balances.items()}

    def left(self) -> dict[str, int]:
        """Return what is still earned, by reward."""
        return {each.key: each.left_minor for each in self.rewards.values()}


documents = st.builds(
    lambda rate, cut, cap: Program(
        id="telecom",
        name="Telecom",
        currency="EUR",
        audiences={"partners": Audience(name="Partners")},
        destinations=["www.example.com"],
        landing_url="https://www.example.com/",
        rewards=[
            RewardPlan(
                id="plan",
                calculation=Percent(basis_points=rate, cap_minor=cap),
                milestones=[
                    Milestone(id="now", share_basis_points=cut),
                    Milestone(
                        id="later",
                        share_basis_points=money.BASIS_POINTS - cut,
                        when="retained",
                        after_days=180,
                    ),
                ],
            )
        ],
    ),
    st.integers(min_value=1, max_value=10_000),
    st.integers(min_value=0, max_value=10_000),
    st.none() | st.integers(min_value=1, max_value=10**6),
)
credited = st.integers(min_value=1, max_value=9_999).map(
    lambda cut: [
        Share(partner="ann", basis_points=cut, audience="partners"),
        Share(partner="bob", basis_points=10_000 - cut, audience="partners"),
    ]
)
# Two, none and three digits after the point.
facts = st.lists(
    st.one_of(
        st.tuples(st.just("sale"), amounts, st.sampled_from(["EUR", "JPY", "KWD"])),
        st.tuples(st.just("refund"), st.integers(0, 5), st.integers(1, 1000)),
        st.tuples(st.just("refund"), st.integers(0, 5), st.integers(1, 1000)),
        st.tuples(st.just("churn")),
    ),
    max_size=10,
)


@given(documents, credited, facts, st.data())
def test_any_deliveries_give_the_same_ledger(
    document: Program, shares: list[Share], happened: list[tuple[Any, ...]], data: st.DataObject
) -> None:
    """Messages lost until the last, repeated, early or late: the same journals and balances."""
    once, often = Books(document, shares), Books(document, shares)
    for fact in happened:
        once.happen(fact)
        often.happen(fact)
        for _ in range(data.draw(st.integers(0, 2), label="deliveries")):
            often.deliver()
    once.deliver()
    often.deliver()
    often.deliver()

    assert once.facts_booked() == often.facts_booked()
    assert once.accounts() == often.accounts()
    assert once.left() == often.left()


@given(documents, credited, facts, st.data())
def test_release_at_any_moment_gives_the_same_balance(
    document: Program, shares: list[Share], happened: list[tuple[Any, ...]], data: st.DataObject
) -> None:
    """Released before or after a refund: in the end the partner has the same."""
    late, early = Books(document, shares), Books(document, shares)
    # A milestone that waits for retention is not released before the customer's leaving is known.
    happened = sorted(happened, key=lambda fact: fact[0] != "sale")
    churns = [fact for fact in happened if fact[0] == "churn"][:1]
    for fact in [*(f for f in happened if f[0] == "sale"), *churns]:
        late.happen(fact)
        early.happen(fact)
    for books in (late, early):
        books.deliver()
    for fact in (f for f in happened if f[0] == "refund"):
        late.happen(fact)
        early.happen(fact)
        if data.draw(st.booleans(), label="release"):
            early.release()
        early.deliver()
    late.deliver()
    for books in (late, early):
        books.release()
        books.deliver()

    assert late.accounts() == early.accounts()


@given(documents, credited, facts)
def test_balance_is_what_the_rewards_say(
    document: Program, shares: list[Share], happened: list[tuple[Any, ...]]
) -> None:
    """Every balance is the fold of its journals and holds what its rewards still are."""
    books = Books(document, shares)
    for fact in happened:
        books.happen(fact)
    books.deliver()

    for (partner, currency), balance in books.balances.items():
        mine = sorted(
            (
                each
                for each in books.journals.values()
                if (each.partner, each.currency) == (partner, currency)
            ),
            key=lambda each: each.seq,
        )
        left = sum(
            each.left_minor
            for each in books.rewards.values()
            if (each.partner, each.currency) == (partner, currency)
        )
        assert balance == ledger.fold(partner, currency, mine)
        assert balance.pending == left


@given(documents, credited, amounts, st.lists(st.integers(1, 1000), max_size=6), st.booleans())
def test_refund_of_everything_returns_exactly_what_was_earned(
    document: Program,
    shares: list[Share],
    amount_minor: int,
    parts: list[int],
    released: bool,  # noqa: FBT001  (drawn)
) -> None:
    """However a sale is refunded bit by bit, in the end nothing is left and nothing is owed."""
    books = Books(document, shares)
    books.happen(("sale", amount_minor, "EUR"))
    books.deliver()
    if released:
        books.release()
    for part in [*parts, 1000]:
        books.happen(("refund", 0, part))
        books.deliver()
    books.happen(("refund", 0, 1000))
    books.deliver()

    assert all(not any(accounts.values()) for accounts in books.accounts().values())
    assert all(each.status == "reversed" for each in books.rewards.values())
