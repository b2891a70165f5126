"""The daily seal: once a day is over its books are fixed, and a change is seen."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest

from introducer import sealing
from introducer.clients import client
from introducer.errors import ContentionError
from introducer.ledger import Kind, Posting, journal_hash
from introducer.sealing import Line, Seal
from introducer.tables import ledger, seals, store
from introducer.tables.ledger import Entry
from introducer.tables.store import Table
from payout import proofs, seal
from tests.support import life, money

DAY = "2026-11-22"
AFTER = "2026-11-23T00:30:00.000Z"


BUCKET = "introducer-test-proof"


@pytest.fixture
def day(
    aws: None, frozen: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> Callable[[str], None]:
    """A day with four journals of two partners; returns what moves the clock."""
    assert aws is None
    monkeypatch.setenv("PROOF_BUCKET", BUCKET)
    lock = {"Rule": {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": 1}}}
    client("s3").create_bucket(Bucket=BUCKET, ObjectLockEnabledForBucket=True)
    client("s3").put_object_lock_configuration(
        Bucket=BUCKET, ObjectLockConfiguration={"ObjectLockEnabled": "Enabled", **lock}
    )
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


def faults(*, everything: bool = True) -> list[str]:
    """Return the kinds of what does not agree."""
    found = seal.verify(life.PROGRAM, AFTER, everything=everything)
    return [str(each["kind"]) for each in found]


def tamper(pk: str, sk: str, **changes: object) -> None:
    """Change an item as somebody would who has the table's rights, its index keys kept."""
    stored = store.get(Table.LEDGER, pk, sk)
    assert stored is not None
    store.put(Table.LEDGER, pk, sk, {**stored, **changes})


def rechain() -> None:
    """Make every seal anew from the one before it, as a forger of the whole table would."""
    prev = ""
    for each in sorted(seals.of_period(life.PROGRAM), key=lambda each: each.number):
        loose = msgspec.structs.replace(each, prev=prev)
        forged = msgspec.structs.replace(loose, hash=sealing.seal_hash(loose))
        store.put(Table.LEDGER, f"SEAL#{life.PROGRAM}", each.day, forged)
        prev = forged.hash
    tamper(f"PROGRAM#{life.PROGRAM}", "SEALS", hash=prev)


def test_seal_fixes_count_sums_and_hash(day: Callable[[str], None]) -> None:
    """The seal is the count, the sums by account and class, and a hash over the sorted hashes."""
    day(AFTER)

    assert {"seals": 3, "supplements": 0, "faults": 0} == run()

    (first, second, third) = seals.of_period(life.PROGRAM)
    line = {"currency": "EUR", "accounting_class": "marketing_expense", "count": 4}
    expected = Seal(
        program=life.PROGRAM,
        day=DAY,
        number=3,
        supplement=0,
        count=4,
        lines=(
            Line(account="expense", debit_minor=10_000, **line),
            Line(account="pending", credit_minor=10_000, **line),
        ),
        journals=sealing.digest(
            each.hash for who in ("pia", "quin") for each in money.journals(who)
        ),
        sealed_at=AFTER,
        prev=second.hash,
        hash=third.hash,
    )
    assert expected == third
    assert (first.hash, 0) == (second.prev, second.count)
    assert sealing.seal_hash(third) == third.hash
    assert sealing.root(third) == proofs.of_program(life.PROGRAM)[DAY, 0]


def test_seal_makes_up_for_days_that_were_missed(day: Callable[[str], None]) -> None:
    """When the job stood still for a week, no day is left out."""
    day(AFTER)
    run()
    day("2026-11-30T00:45:00.000Z")

    assert {"seals": 7, "supplements": 0, "faults": 0} == run()
    assert "2026-11-29" == seals.last_day(life.PROGRAM)


def test_verify_finds_a_changed_journal(day: Callable[[str], None]) -> None:
    """With its hash left as it was, or made anew: the day is not what was sealed."""
    day(AFTER)
    run()
    (first, *_) = money.journals("pia")
    legs = {"expense": -1, "pending": 1}
    tamper(f"JOURNAL#{first.id}", "JOURNAL", legs=legs)
    assert ["journal_changed", "sums_differ"] == faults()

    forged = msgspec.structs.replace(first, legs=legs)
    hashed = journal_hash(forged)
    tamper(f"JOURNAL#{first.id}", "JOURNAL", hash=hashed, gsi2sk=hashed)
    assert ["journals_differ", "sums_differ"] == faults(everything=False)
    assert "the books are not what was sealed" == ledger.halted(life.PROGRAM)


def test_verify_finds_a_removed_journal(day: Callable[[str], None]) -> None:
    """What was sealed and is gone is missed."""
    day(AFTER)
    run()
    (first, *_) = money.journals("pia")
    key = {"pk": {"S": f"JOURNAL#{first.id}"}, "sk": {"S": "JOURNAL"}}
    client("dynamodb").delete_item(TableName=store.name(Table.LEDGER), Key=key)

    assert ["journals_differ", "sums_differ"] == faults()


def test_verify_finds_a_changed_seal_and_a_chain_made_anew(day: Callable[[str], None]) -> None:
    """A seal shows against its hash and the chain; a forged chain against the locked roots."""
    day(AFTER)
    run()
    tamper(f"SEAL#{life.PROGRAM}", "2026-11-21", count=7)
    assert ["seal_changed", "root_differs"] == faults()

    rechain()
    assert ["root_differs"] * 2 == faults()


def test_verify_finds_a_chain_that_was_cut(day: Callable[[str], None]) -> None:
    """The last seal taken away, and the end of the chain set back: its root is left over."""
    day(AFTER)
    run()
    before = seals.of_day(life.PROGRAM, "2026-11-21")[0]
    key = {"pk": {"S": f"SEAL#{life.PROGRAM}"}, "sk": {"S": DAY}}
    client("dynamodb").delete_item(TableName=store.name(Table.LEDGER), Key=key)
    assert ["chain_cut", "seal_missing"] == faults()

    tamper(f"PROGRAM#{life.PROGRAM}", "SEALS", version=2, hash=before.hash)
    assert ["seal_missing"] == faults()


def test_root_is_written_once_and_read_as_it_was_first(day: Callable[[str], None]) -> None:
    """A root put over the first one changes nothing; the first cannot be removed."""
    day(AFTER)
    run()
    (third,) = seals.of_day(life.PROGRAM, DAY)
    s3, bucket = client("s3"), proofs.setting("PROOF_BUCKET")
    key = f"roots/{life.PROGRAM}/{DAY}.json"
    s3.put_object(Bucket=bucket, Key=key, Body=b"{}")
    s3.delete_object(Bucket=bucket, Key=key)

    assert proofs.keep(third)
    assert [] == faults()
    (first,) = (
        each["VersionId"]
        for each in s3.list_object_versions(Bucket=bucket, Prefix=key)["Versions"][-1:]
    )
    with pytest.raises(s3.exceptions.ClientError, match="AccessDenied"):
        s3.delete_object(Bucket=bucket, Key=key, VersionId=first)


def test_seal_whose_root_was_lost_is_kept_by_the_next_run(
    day: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run that dies between the seal and its root is made up for."""
    day(AFTER)
    real = proofs.keep

    def die(_: Seal) -> bool:
        message = "out of time"
        raise TimeoutError(message)

    monkeypatch.setattr(proofs, "keep", die)
    with pytest.raises(TimeoutError):
        run()
    monkeypatch.setattr(proofs, "keep", real)

    assert {"seals": 2, "supplements": 0, "faults": 0} == run()


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

    assert {"seals": 0, "supplements": 0, "faults": 0} == run()
    assert before == money.everything(Table.LEDGER)


def test_seal_of_a_changed_day_is_supplemented_and_raises_the_alarm(
    day: Callable[[str], None], capsys: pytest.CaptureFixture[str]
) -> None:
    """A journal found later does not touch the seal; it makes one supplement, once."""
    day(AFTER)
    run()
    (first,) = seals.of_day(life.PROGRAM, DAY)
    book_late("late", "2026-11-22T23:59:59.999Z")

    assert {"seals": 0, "supplements": 1, "faults": 0} == run()
    assert '"LedgerBroken":[1' in capsys.readouterr().out.replace(" ", "")
    assert {"seals": 0, "supplements": 0, "faults": 0} == run()

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
