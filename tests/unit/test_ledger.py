"""The books: posting rules, netting, invariants and the chain of hashes."""

from __future__ import annotations

import msgspec
import pytest

from introducer import ledger
from introducer.errors import LedgerError
from introducer.ledger import MAX_GROUP, RULES, Balance, Kind, Posting
from introducer.money import MAX_MINOR

NOW = "2026-11-22T11:17:00.000Z"


def posting(kind: Kind = Kind.REWARD_EARNED, amount_minor: int = 100, **changes: object) -> Posting:
    """Return a posting of partner ``ann`` in EUR."""
    values: dict[str, object] = {
        "id": f"{kind}-{amount_minor}",
        "kind": kind,
        "program": "telecom",
        "partner": "ann",
        "currency": "EUR",
        "amount_minor": amount_minor,
        "at": NOW,
    }
    return Posting(**{**values, **changes})


def balance(**accounts: object) -> Balance:
    """Return a balance of partner ``ann`` in EUR that has seen one journal."""
    values = {"partner": "ann", "currency": "EUR", "program": "telecom", "version": 1}
    return Balance(**{**values, "head": "h", "posted_at": NOW, **accounts})


def legs(before: Balance, *postings: Posting) -> list[dict[str, int]]:
    """Return the legs of the journals that *postings* make."""
    return [journal.legs for journal in ledger.post(before, postings, NOW).journals]


@pytest.mark.parametrize(
    ("kind", "source", "expected"),
    [
        (Kind.REWARD_EARNED, "", {"expense": -100, "pending": 100}),
        (Kind.REWARD_RELEASED, "", {"pending": -100, "payable": 100}),
        (Kind.REWARD_REVERSED, "pending", {"pending": -100, "expense": 100}),
        (Kind.REWARD_REVERSED, "payable", {"payable": -100, "expense": 100}),
        (Kind.REWARD_IMPORTED, "", {"expense_before": -100, "paid": 100}),
        (Kind.PAYOUT_CREATED, "", {"payable": -100, "reserved": 100}),
        (Kind.PAYOUT_SUBMITTED, "", {"reserved": -100, "in_transit": 100}),
        (Kind.PAYOUT_PAID, "", {"in_transit": -100, "paid": 100}),
        (Kind.PAYOUT_RETURNED, "in_transit", {"in_transit": -100, "payable": 100}),
        (Kind.PAYOUT_RETURNED, "paid", {"paid": -100, "payable": 100}),
        (Kind.PAYOUT_CANCELLED, "", {"reserved": -100, "payable": 100}),
        (Kind.CREDIT_ADJUSTED, "", {"adjustments": -100, "payable": 100}),
        (Kind.DEBIT_ADJUSTED, "", {"payable": -100, "adjustments": 100}),
        (Kind.BALANCE_OPENED, "", {"expense_before": -100, "payable": 100}),
        (Kind.FEE_CHARGED, "", {"fees": -100, "bank": 100}),
        (Kind.EXCHANGE_LOST, "", {"fx": -100, "bank": 100}),
        (Kind.EXCHANGE_GAINED, "", {"bank": -100, "fx": 100}),
    ],
)
def test_post_moves_money_by_its_rule(kind: Kind, source: str, expected: dict[str, int]) -> None:
    """Every kind takes from its source and gives to its target, nothing else."""
    rich = balance(pending=500, payable=500, reserved=500, in_transit=500, paid=500)

    assert [expected] == legs(rich, posting(kind, source=source))


def test_post_rules_name_known_accounts() -> None:
    """The table of rules covers every kind and names no account that does not exist."""
    known = {*ledger.ACCOUNTS, *ledger.PROGRAM_ACCOUNTS}

    assert set(Kind) == set(RULES)
    assert all({*rule.sources, rule.target} <= known for rule in RULES.values())


def test_post_release_nets_an_open_receivable() -> None:
    """What a partner owes is filled before anything becomes payable."""
    before = balance(pending=100, receivable=-30)

    assert [{"pending": -100, "payable": 70, "receivable": 30}] == legs(
        before, posting(Kind.REWARD_RELEASED)
    )


def test_post_release_below_the_receivable_leaves_nothing_payable() -> None:
    """A credit smaller than the debt goes into the debt whole."""
    before = balance(pending=100, receivable=-300)

    assert [{"pending": -100, "receivable": 100}] == legs(before, posting(Kind.REWARD_RELEASED))


@pytest.mark.parametrize("source", ["in_transit", "paid"])
def test_post_return_nets_an_open_receivable(source: str) -> None:
    """Money that comes back from the bank is netted like any other credit."""
    before = balance(in_transit=100, paid=100, receivable=-40)

    assert [{source: -100, "payable": 60, "receivable": 40}] == legs(
        before, posting(Kind.PAYOUT_RETURNED, source=source)
    )


def test_post_clawback_beyond_payable_becomes_receivable() -> None:
    """A clawback takes what is payable; the rest is owed."""
    before = balance(payable=60, paid=200)

    assert [{"payable": -60, "receivable": -40, "expense": 100}] == legs(
        before, posting(Kind.REWARD_REVERSED, source="payable")
    )


def test_post_debit_beyond_payable_becomes_receivable() -> None:
    """A debit decided by a person is netted like a clawback."""
    assert [{"payable": -60, "receivable": -40, "adjustments": 100}] == legs(
        balance(payable=60), posting(Kind.DEBIT_ADJUSTED)
    )


def test_post_write_off_fills_the_debt_and_nothing_more() -> None:
    """What nobody pays back the program bears; more than is owed cannot be written off."""
    assert [{"written_off": -100, "receivable": 100}] == legs(
        balance(receivable=-100), posting(Kind.RECEIVABLE_WRITTEN_OFF)
    )
    with pytest.raises(LedgerError):
        legs(balance(receivable=-99), posting(Kind.RECEIVABLE_WRITTEN_OFF))


def test_post_withholds_from_the_payout_and_gives_back_with_it() -> None:
    """The office gets its part when the payout is made, and loses it when the money comes back."""
    rich = balance(payable=100, paid=70)
    kept = {"withheld_minor": 30}

    assert [{"payable": -100, "reserved": 70, "withheld_tax": 30}] == legs(
        rich, posting(Kind.PAYOUT_CREATED, **kept)
    )
    assert [{"paid": -70, "withheld_tax": -30, "payable": 100}] == legs(
        rich, posting(Kind.PAYOUT_RETURNED, source="paid", **kept)
    )


def test_post_tells_since_when_a_debt_stands() -> None:
    """The day of a debt is that of its last change; filled, it has none."""
    later = "2026-12-01T00:00:00.000Z"
    owing = ledger.post(balance(), [posting(Kind.DEBIT_ADJUSTED)], later).balance
    untouched = ledger.post(owing, [posting()], "2026-12-24T00:00:00.000Z").balance
    paid_back = ledger.post(owing, [posting(Kind.CREDIT_ADJUSTED)], later).balance

    assert (later, later, "") == (owing.owed_at, untouched.owed_at, paid_back.owed_at)


def test_post_clawback_after_a_cancelled_payout_takes_it() -> None:
    """A payout cancelled in the same group covers the clawback that follows it."""
    before = balance(reserved=100)
    cancelled = posting(Kind.PAYOUT_CANCELLED, 100)
    reversed_ = posting(Kind.REWARD_REVERSED, 100, source="payable")

    after = ledger.post(before, [cancelled, reversed_], NOW).balance

    assert dict.fromkeys(ledger.ACCOUNTS, 0) == after.accounts


def test_post_numbers_and_chains_its_journals() -> None:
    """Each journal names the one before it; the balance holds the last number and hash."""
    empty = Balance(partner="ann", currency="EUR")

    posted = ledger.post(empty, [posting(id="a"), posting(id="b")], NOW)

    first, second = posted.journals
    assert (1, "") == (first.seq, first.prev)
    assert (2, first.hash) == (second.seq, second.prev)
    assert (2, second.hash) == (posted.balance.version, posted.balance.head)
    assert all(journal.hash == ledger.journal_hash(journal) for journal in posted.journals)


def test_post_never_goes_back_in_time() -> None:
    """A slow clock books at the time of the journal before it."""
    posted = ledger.post(balance(), [posting()], "2026-11-22T11:16:59.999Z")

    assert NOW == posted.journals[0].posted_at == posted.balance.posted_at


def test_post_crossing_a_month_closes_it() -> None:
    """The first journal of a month leaves a copy of what the month before closed with."""
    before = balance(pending=5)

    crossing = ledger.post(before, [posting()], "2026-12-01T00:00:00.000Z")
    within = ledger.post(before, [posting()], "2026-11-30T23:59:59.999Z")

    assert before == crossing.closing
    assert within.closing is None
    assert ledger.post(Balance(partner="ann", currency="EUR"), [posting()], NOW).closing is None


@pytest.mark.parametrize(
    ("kind", "accounts"),
    [
        (Kind.REWARD_RELEASED, {"pending": 99}),
        (Kind.PAYOUT_CREATED, {"payable": 99}),
        (Kind.PAYOUT_SUBMITTED, {"reserved": 99}),
        (Kind.PAYOUT_PAID, {"in_transit": 99}),
        (Kind.PAYOUT_RETURNED, {"in_transit": 99}),
        (Kind.PAYOUT_CANCELLED, {"reserved": 99}),
        (Kind.REWARD_REVERSED, {"pending": 99}),
    ],
)
def test_post_refuses_to_overdraw(kind: Kind, accounts: dict[str, int]) -> None:
    """No account but the receivable goes into debt, not by one minor unit."""
    with pytest.raises(LedgerError):
        ledger.post(balance(**accounts), [posting(kind)], NOW)


@pytest.mark.parametrize(
    "bad",
    [
        posting(amount_minor=0),
        posting(amount_minor=-1),
        posting(amount_minor=MAX_MINOR + 1),
        posting(partner="bob"),
        posting(currency="USD"),
        posting(program="other"),
        posting(Kind.REWARD_RELEASED, source="payable"),
        posting(Kind.PAYOUT_RETURNED, source="pending"),
    ],
)
def test_post_refuses_what_does_not_fit(bad: Posting) -> None:
    """An amount out of bounds, another owner or an account the kind never takes from."""
    rich = balance(pending=500, payable=500, reserved=500, in_transit=500, paid=500)

    with pytest.raises(LedgerError):
        ledger.post(rich, [bad], NOW)


@pytest.mark.parametrize("count", [0, MAX_GROUP + 1])
def test_post_refuses_groups_out_of_bounds(count: int) -> None:
    """A group holds 1 to 30 journals."""
    with pytest.raises(LedgerError):
        ledger.post(balance(), [posting(id=str(each)) for each in range(count)], NOW)


def test_post_refuses_sums_beyond_the_limit() -> None:
    """A sum that could leave the range of the store is an incident, not an overflow."""
    full = balance(pending=ledger.MAX_BALANCE_MINOR)

    with pytest.raises(LedgerError):
        ledger.post(full, [posting(amount_minor=1)], NOW)


def test_fold_of_journals_is_the_balance() -> None:
    """Folding what was posted gives the balance back."""
    posted = ledger.post(
        Balance(partner="ann", currency="EUR"),
        [posting(id="a"), posting(Kind.REWARD_RELEASED, 60), posting(Kind.PAYOUT_CREATED, 60)],
        NOW,
    )

    assert posted.balance == ledger.fold("ann", "EUR", posted.journals)


def test_fold_refuses_a_gap_a_tear_and_a_change() -> None:
    """A missing journal, another predecessor and a changed amount are all seen."""
    empty = Balance(partner="ann", currency="EUR")
    first, second = ledger.post(empty, [posting(id="a"), posting(id="b")], NOW).journals
    changed = msgspec.structs.replace(first, legs={"expense": -99, "pending": 99})
    torn = msgspec.structs.replace(second, prev="0" * 64)

    for chain in ([second], [first, first], [changed, second], [first, torn]):
        with pytest.raises(LedgerError):
            ledger.fold("ann", "EUR", chain)


def test_fold_refuses_legs_that_do_not_add_up() -> None:
    """A journal whose hash was made over unbalanced legs is refused all the same."""
    empty = Balance(partner="ann", currency="EUR")
    (journal,) = ledger.post(empty, [posting()], NOW).journals
    wrong = msgspec.structs.replace(journal, legs={"expense": -99, "pending": 100})
    signed = msgspec.structs.replace(wrong, hash=ledger.journal_hash(wrong))

    with pytest.raises(LedgerError):
        ledger.fold("ann", "EUR", [signed])


def test_fold_refuses_a_credit_that_was_not_netted() -> None:
    """Something payable beside an open debt is refused, even in a journal that adds up."""
    empty = Balance(partner="ann", currency="EUR")
    earned, owed = ledger.post(
        empty, [posting(id="a"), posting(Kind.REWARD_REVERSED, 30, source="payable")], NOW
    ).journals
    wrong = msgspec.structs.replace(
        owed,
        kind=Kind.REWARD_RELEASED,
        seq=3,
        prev=owed.hash,
        legs={"pending": -100, "payable": 100},
    )
    signed = msgspec.structs.replace(wrong, hash=ledger.journal_hash(wrong))

    with pytest.raises(LedgerError):
        ledger.fold("ann", "EUR", [earned, owed, signed])


def test_same_fact_compares_amount_but_not_allocation() -> None:
    """The same clawback allocated otherwise is the same fact; another amount is not."""
    booked = posting(Kind.REWARD_REVERSED, source="payable")
    (journal,) = ledger.post(balance(payable=10), [booked], NOW).journals

    assert ledger.same_fact(journal, posting(Kind.REWARD_REVERSED, source="pending"))
    assert not ledger.same_fact(
        journal, posting(Kind.REWARD_REVERSED, 99, id=booked.id, source="payable")
    )
    assert not ledger.same_fact(journal, posting(Kind.REWARD_REVERSED, id=booked.id, partner="bob"))


def test_same_fact_takes_the_stored_amount_of_derived_kinds() -> None:
    """How much a release or a new payout moved is what the books held at that moment."""
    release = posting(Kind.REWARD_RELEASED, id="r")
    (journal,) = ledger.post(balance(pending=500), [release], NOW).journals

    assert ledger.same_fact(journal, posting(Kind.REWARD_RELEASED, 70, id="r"))


def test_totals_add_up_by_currency() -> None:
    """The legs of all journals are summed by currency and account, and each sum is zero."""
    euros = ledger.post(Balance(partner="ann", currency="EUR"), [posting()], NOW).journals
    yen = ledger.post(
        Balance(partner="ann", currency="JPY"), [posting(currency="JPY", amount_minor=7)], NOW
    ).journals

    assert {
        "EUR": {"expense": -100, "pending": 100},
        "JPY": {"expense": -7, "pending": 7},
    } == ledger.totals([*euros, *yen])
