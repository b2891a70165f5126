"""Imports between crashes, lost answers and other workers: every row has its effect once."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from introducer.errors import ContentionError
from introducer.imports import Progress
from introducer.tables import imports, leases, ledger
from submit.imports import handler, rows
from submit.imports.kinds import KINDS
from tests.support import importing
from tests.support.faults import Crash, counted_writes, crash_after, lost_reply_to
from tests.support.importing import (
    DONE,
    HEADER,
    NOW,
    THREE,
    announce,
    deliver,
    ended,
    made,
    result,
    sheet,
    take,
    upload,
    waiting,
)

LATER = "2026-11-22T11:30:00.000Z"
"""When every lease taken at NOW is over."""


@pytest.fixture(autouse=True)
def clock_hand(
    engine: str,  # noqa: ARG001  (pytest orders fixtures by it)
    monkeypatch: pytest.MonkeyPatch,
) -> Callable[[str], None]:
    """A program with two partners and a rep, and two queues; the value moves our clock.

    The stores' own clock goes on: they check when a request was signed.
    """

    def at(instant: str) -> None:
        monkeypatch.setattr("introducer.clock.now", lambda: instant)

    at(NOW)
    importing.furnish(monkeypatch)
    return at


def test_crash_anywhere_repeats_a_row_without_a_second_effect(
    clock_hand: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """After every single write in turn: the same three referrals, the same result to a letter."""
    monkeypatch.setattr(handler, "PIECE_ROWS", 2)
    wanted = None
    take("warm", "referrals", THREE.replace("customers", "w"))  # makes the secret of all hashes
    with counted_writes() as calls:
        take("i0", "referrals", THREE.replace("customers", "warm"))
    for crash in range(3, len(calls) + 1):  # announcing and sending are not the worker's
        clock_hand(NOW)
        name, domain = f"i{crash}", f"c{crash}.example"
        announce(name, "referrals")
        upload(name, THREE.replace("customers.example", domain))
        with crash_after(crash - 3), pytest.raises(Crash):
            deliver(name)
        clock_hand(LATER)
        deliver(name)
        assert ("done", "", {"created": 3}, DONE) == ended(name)
        seen = [(each["row"], each["outcome"]) for each in result(name)]
        wanted = wanted or seen
        assert wanted == seen
    assert 3 * (len(calls) - 2) + 6 == len(made("REFERRAL"))


MIGRATION = {
    "partners": (
        "external_id,name,email,audience,country,code",
        "P-{0},Ada,ada{0}@old.example,partners,DE,code-{0}",
        "P-{0}b,Bo,bo{0}@old.example,partners,DE,",
    ),
    "past_referrals": (
        "external_id,partner,status,submitted_at,name,email,country,won_at,amount,currency",
        "R-{0},pia,won,2026-10-01,Old,old{0}@c.example,DE,2026-10-02,5.00,EUR",
        "R-{0}b,pia,lost,2026-10-01,Old,old{0}@c.example,DE,,,",
    ),
    "paid_rewards": (
        "reward_id,partner,amount,currency,paid_at",
        "W-{0},pia,5.00,EUR,2025-01-02",
        "W-{0}b,pia,6.00,EUR,2025-01-02",
    ),
}
EFFECTS = {
    "partners": {"created": 2},
    "past_referrals": {"created": 1, "duplicate": 1},
    "paid_rewards": {"created": 2},
}


@pytest.mark.parametrize("kind", MIGRATION)
def test_crash_anywhere_brings_in_the_past_once(
    clock_hand: Callable[[str], None], kind: str
) -> None:
    """After every single write in turn each row says what it did, and did it once."""
    importing.take("warm", kind, sheet(*MIGRATION[kind]).format("warm"))
    with counted_writes() as calls:
        importing.take("i0", kind, sheet(*MIGRATION[kind]).format(0))
    for crash in range(3, len(calls) + 1):
        clock_hand(NOW)
        name = f"i{crash}"
        announce(name, kind)
        upload(name, sheet(*MIGRATION[kind]).format(crash))
        with crash_after(crash - 3), pytest.raises(Crash):
            deliver(name)
        clock_hand(LATER)
        deliver(name)
        assert ("done", "", EFFECTS[kind], DONE) == ended(name)
    files = len(calls)  # one for each crash, and the two before
    balance = ledger.balance("pia", "EUR")
    assert (1_100 * files if kind == "paid_rewards" else 0) == balance.paid


def test_lost_reply_repeats_a_row_without_a_second_effect(
    clock_hand: Callable[[str], None],
) -> None:
    """Whatever answer gets lost, past the SDK's patience: the same result, three referrals."""
    for write in range(8):
        clock_hand(NOW)
        name = f"i{write}"
        announce(name, "referrals")
        upload(name, THREE.replace("customers.example", f"c{write}.example"))
        with lost_reply_to(write, times=5):
            deliver(name)
        clock_hand(LATER)
        deliver(name)
        assert ("done", "", {"created": 3}, DONE) == ended(name)
    assert 3 * 8 == len(made("REFERRAL"))


def test_two_workers_at_once_are_one() -> None:
    """The second finds the lease taken, and puts its message back for later."""
    job = announce("i1", "referrals")
    upload("i1", THREE)
    held = leases.take(job, Progress, lambda: 300, NOW)
    assert held
    assert [] == deliver("i1")
    assert [] == made("REFERRAL")
    held.give_back(NOW)
    deliver("i1")
    assert ("done", "", {"created": 3}, DONE) == ended("i1")


def test_worker_thought_dead_cannot_count_its_rows() -> None:
    """Its lease ran out and another took over; what it did is known to the other."""
    job = announce("i1", "referrals")
    upload("i1", THREE)
    slow = leases.take(job, Progress, lambda: 0, NOW)
    assert slow
    fast = leases.take(job, Progress, lambda: 300, LATER)
    assert fast
    with pytest.raises(leases.LeaseLostError):
        slow.advance(rows=3)


def test_run_hands_over_before_its_time_is_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is done is counted; the message comes again and the next run does the rest."""
    monkeypatch.setattr(handler, "PIECE_ROWS", 1)
    announce("i1", "referrals")
    upload("i1", THREE)
    assert [] == deliver("i1", left_s=handler.HAND_OVER_S - 1)
    assert [{"import": "i1"}] == waiting()
    assert [] == deliver("i1")
    assert ("done", "", {"created": 3}, DONE) == ended("i1")


def test_file_that_changes_while_it_is_worked_on_ends_the_job(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Rows of two files would be mixed up; what was done of the first stays done."""
    announce("i1", "referrals")
    upload("i1", THREE)
    deliver("i1", left_s=handler.HAND_OVER_S - 1)
    upload("i1", sheet(HEADER, "Eve,eve@customers.example,DE,paul"))
    deliver("i1")
    assert ("failed", "file_changed") == ended("i1")[:2]
    monkeypatch.undo()


def test_row_that_breaks_us_is_told_and_raises_an_alarm(monkeypatch: pytest.MonkeyPatch) -> None:
    """The rows around it are taken; the dead queue holds the job's name and no row."""
    real = KINDS["referrals"].act

    def act(context: rows.Context, row: rows.Row, said: Any) -> rows.Outcome:
        if row.number == 3:
            raise KeyError(said.email)
        return real(context, row, said)

    kind = rows.Kind(columns=KINDS["referrals"].columns, shape=KINDS["referrals"].shape, act=act)
    monkeypatch.setitem(KINDS, "referrals", kind)
    lines = take("i1", "referrals", THREE)
    assert ["created", "failed", "created"] == [each["outcome"] for each in lines]
    assert "internal_error" == lines[1]["code"]
    (dead,) = waiting("IMPORT_DEAD_URL")
    assert ("i1", False) == (dead["import"], "leo" in str(dead))


def test_store_that_stays_busy_ends_the_job_loudly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three runs get nowhere; then it fails, and the message is where the alarm looks."""

    def act(*_: Any) -> rows.Outcome:
        message = "the store stayed busy"
        raise ContentionError(message)

    kind = rows.Kind(columns=KINDS["referrals"].columns, shape=KINDS["referrals"].shape, act=act)
    monkeypatch.setitem(KINDS, "referrals", kind)
    announce("i1", "referrals")
    upload("i1", THREE)
    assert [["m1"], ["m1"], []] == [deliver("i1") for _ in range(3)]
    assert ("failed", "internal_error") == ended("i1")[:2]
    assert ["i1"] == [each["import"] for each in waiting("IMPORT_DEAD_URL")]


def test_message_without_a_file_or_a_job_does_nothing() -> None:
    """The bucket's own test message, a file too early, a job that never was."""
    announce("i1", "referrals")
    assert [] == deliver("i1")
    assert [] == deliver("nobody")
    event = {"Records": [{"messageId": "m", "body": json.dumps({"Event": "s3:TestEvent"})}]}
    assert {"import": ""} == handler.read_message(event["Records"][0])
    assert imports.progress("i1") is None
