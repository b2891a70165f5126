"""A year's total, kept payment by payment, is the fold of the journals, whatever happens when."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from introducer import ledger
from introducer.ledger import Balance, Journal, Kind, Posting
from introducer.tax import tally
from introducer.tax.tally import YearTotal

YEARS = (2024, 2025, 2026)
LIVES = ("reserved", "cancelled", "sent", "refused", "paid", "returned")
"""How far a payout comes: each word is where one ends."""

payouts = st.lists(
    st.tuples(
        st.integers(min_value=1, max_value=10**9),
        st.integers(min_value=0, max_value=9_999),
        st.sampled_from(LIVES),
        st.sampled_from(YEARS),
        st.sampled_from(("sepa", "ach", "payroll")),
    ),
    max_size=12,
)


class Books:
    """One holder's journals, and the totals kept beside them as settling does."""

    def __init__(self) -> None:
        self.balance = Balance(partner="pia", currency="USD")
        self.journals: list[Journal] = []
        self.totals: dict[int, YearTotal] = {}

    def post(self, kind: Kind, name: str, amount: int, year: int, **more: object) -> None:
        """Book one fact of the year's first of March."""
        at = f"{year}-03-01T00:00:00.000Z"
        posting = Posting(
            id=f"{name}:{kind}",
            kind=kind,
            program="acme",
            partner="pia",
            currency="USD",
            amount_minor=amount,
            at=at,
            refs={"payout": name, "batch": name},
            **more,  # type: ignore[arg-type]
        )
        posted = ledger.post(self.balance, [posting], "2026-11-22T11:17:00.000Z")
        self.balance = posted.balance
        self.journals += posted.journals

    def count(self, year: int, method: str, gross: int, kept: int) -> None:
        """Add to the total of a year."""
        blank = YearTotal(partner="pia", program="acme", year=year, currency="USD")
        before = self.totals.get(year, blank)
        self.totals[year] = tally.added(before, method, gross, kept, "now")


@given(payouts)
@settings(max_examples=150, deadline=None)
def test_total_kept_along_the_way_is_the_fold(drawn: list[tuple[int, int, str, int, str]]) -> None:
    """Paid, refused, returned a year later: what counts is what stayed paid."""
    books, methods = Books(), {}
    for number, (gross, rate, life, year, method) in enumerate(drawn):
        name, kept = f"p{number}", gross * rate // 10_000
        net, steps = gross - kept, LIVES.index(life)
        methods[name] = method
        books.post(Kind.CREDIT_ADJUSTED, name, gross, year)
        books.post(Kind.PAYOUT_CREATED, name, gross, year, withheld_minor=kept)
        if life == "cancelled":
            books.post(Kind.PAYOUT_CANCELLED, name, gross, year, withheld_minor=kept)
        if steps >= LIVES.index("sent"):
            books.post(Kind.PAYOUT_SUBMITTED, name, net, year)
        if life == "refused":
            back = {"withheld_minor": kept, "source": "in_transit"}
            books.post(Kind.PAYOUT_RETURNED, name, gross, year + 1, **back)
        if steps >= LIVES.index("paid"):
            books.post(Kind.PAYOUT_PAID, name, net, year)
            books.count(year, method, gross, kept)
        if life == "returned":
            back = {"withheld_minor": kept, "source": "paid"}
            books.post(Kind.PAYOUT_RETURNED, name, gross, year + 1, **back)
            books.count(year, method, -gross, -kept)
    folded = tally.fold(books.journals, methods.__getitem__)
    kept_beside = {
        year: (total.paid, total.withheld_minor)
        for year, total in books.totals.items()
        if total.paid
    }
    assert kept_beside == folded
    assert sum(total.paid_minor for total in books.totals.values()) == books.balance.paid + sum(
        total.withheld_minor for total in books.totals.values()
    )
