"""The daily seal: once a day is over its books are fixed, and a change is seen."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import msgspec
import pytest

from introducer.errors import ContentionError
from introducer.ledger import Kind, Posting
from introducer.tables import ledger, seals, store
from introducer.tables.ledger import Entry
from introducer.tables.seals import Seal
from introducer.tables.store import Table
from payout import seal
from tests.support import life, money

DAY = "2026-11-22"
AFTER = "2026-11-23T00:30:00.000Z"


@pytest.fixture
def day(engine: str, frozen: Callable[[str], None]) -> Callable[[str], None]:
    """A day with four journals of two partners; returns what moves the clock."""
    assert engine
    money.publish()
    money.enrol("pia")
    money.enrol("quin", email_key="key-quin")
    money.sell(shares={"pia": 5_000, "quin": 5_000})
    money.deliver("r1")
    return frozen


def run() -> dict[str, int]:
    """Run the job as the schedule does."""
    return seal.handler({}, money.CONTEXT)


def book_late(name: str, at: str) -> None:
    """Book a journal of Pia's at a given time."""
    late = Posting(
        id=name,
        kind=Kind.REWARD_EARNED,
        program=life.PROGRAM,
        partner="pia",
        currency="EUR",
        amount_minor=1,
        at=at,
    )
    ledger.post_all("pia", "EUR", lambda _: [Entry(postings=(late,))], now=at)


def test_seal_fixes_count_sums_and_hash(day: Callable[[str], None]) -> None:
    """The seal is the count, the sums by account and a hash over the sorted hashes."""
    day(AFTER)

    assert {"seals": 3, "supplements": 0} == run()

    hashes = sorted(each.hash for each in money.journals("pia") + money.journals("quin"))
    assert [
        Seal(
            program=life.PROGRAM,
            day=DAY,
            count=4,
            sums={"EUR": {"expense": -10_000, "pending": 10_000}},
            hash=hashlib.sha256(msgspec.json.encode(hashes)).hexdigest(),
            sealed_at=AFTER,
        )
    ] == seals.of_day(life.PROGRAM, DAY)
    assert 0 == seals.of_day(life.PROGRAM, "2026-11-21")[0].count


def test_seal_waits_half_an_hour(day: Callable[[str], None]) -> None:
    """A second before half past midnight the day is not sealed yet."""
    day("2026-11-23T00:29:59.999Z")

    run()

    assert [] == seals.of_day(life.PROGRAM, DAY)


def test_seal_twice_changes_nothing(day: Callable[[str], None]) -> None:
    """The second run finds every seal as it should be."""
    day(AFTER)
    run()
    before = money.everything(Table.LEDGER)
    day("2026-11-23T00:40:00.000Z")

    assert {"seals": 0, "supplements": 0} == run()
    assert before == money.everything(Table.LEDGER)


def test_seal_of_a_changed_day_is_supplemented_and_raises_the_alarm(
    day: Callable[[str], None], capsys: pytest.CaptureFixture[str]
) -> None:
    """A journal found later does not touch the seal; it makes one supplement, once."""
    day(AFTER)
    run()
    (first,) = seals.of_day(life.PROGRAM, DAY)
    book_late("late", "2026-11-22T23:59:59.999Z")

    assert {"seals": 0, "supplements": 1} == run()
    assert '"LedgerBroken":[1' in capsys.readouterr().out.replace(" ", "")
    assert {"seals": 0, "supplements": 0} == run()

    kept, supplement = seals.of_day(life.PROGRAM, DAY)
    assert first == kept
    assert (1, 5, 10_001) == (
        supplement.supplement,
        supplement.count,
        supplement.sums["EUR"]["pending"],
    )


def test_seal_of_a_journal_that_was_changed_halts_payouts(day: Callable[[str], None]) -> None:
    """A journal whose content is not its hash is an incident."""
    (first, *_) = money.journals("pia")
    stored = store.get(Table.LEDGER, f"JOURNAL#{first.id}", "JOURNAL")
    assert stored is not None
    changed = {**stored, "legs": {"expense": -1, "pending": 1}}
    store.put(Table.LEDGER, f"JOURNAL#{first.id}", "JOURNAL", changed)
    day(AFTER)

    run()

    assert "the day's journals do not add up" == ledger.halted(life.PROGRAM)


def test_seal_waits_until_two_reads_agree(
    day: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """While the index still moves nothing is sealed."""
    day(AFTER)
    reads = iter(range(100))
    monkeypatch.setattr(seal.books, "day_keys", lambda *_: {(f"j{next(reads)}", "h")})
    monkeypatch.setattr(seal.time, "sleep", lambda _: None)

    with pytest.raises(ContentionError):
        seal.seal_day(life.PROGRAM, DAY, AFTER)
    assert [] == seals.of_day(life.PROGRAM, DAY)
