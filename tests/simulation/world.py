"""A world of customers, jobs, batches and a bank, in which everything may go wrong, by a seed.

Every job is the product's own code in a greenlet of its own. It is interrupted before every AWS
call, and the seed says who goes on; so jobs interleave call by call, always in the same way. A
step is one such turn. Jobs meet the faults of :mod:`tests.simulation.faults`; what failed comes
again, as queue, schedule and state machine would have it. In the end the faults stop, everything
comes to rest, and ledger, rewards, bank and what should have been earned are compared.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

from botocore.exceptions import BotoCoreError, ClientError
from greenlet import getcurrent, greenlet
from pynamodb.exceptions import PynamoDBException

from introducer import clock, ids
from introducer.errors import (
    ContentionError,
    InvalidInputError,
    NotFoundError,
    StaleError,
    TransitionError,
    UncertainError,
)
from introducer.tables import payouts, store
from payout import accrue, batch, earn, reconcile, recover, seal, settle, start, sweep
from tests.simulation import faults
from tests.simulation.aws import Aws
from tests.simulation.bank import Bank
from tests.simulation.books import Books, Violation
from tests.simulation.customers import Customers
from tests.simulation.executions import Executions
from tests.simulation.faults import Crash
from tests.simulation.job import Job
from tests.simulation.storage import Lag
from tests.simulation.terms import terms_of
from tests.support import money

BEGIN = datetime(2026, 11, 22, 10, tzinfo=UTC)
RETRIED = (
    UncertainError,
    ContentionError,
    StaleError,
    PynamoDBException,
    BotoCoreError,
    ClientError,
)
"""What queue, schedule and state machine meet by calling again."""
REFUSED = (TransitionError, InvalidInputError, NotFoundError)
"""What no repetition changes; only steps of a batch and people may be told so."""
_UNDER_WAY = frozenset({"created", "awaiting_approval", "approved", "submitted"})
_WORKERS = 6
_BACKLOG = 8
_SKEW_S = 90
_ROUNDS = 60


class World:
    """One world; :meth:`run` lets it live for so many steps and brings it to rest."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.seed = seed
        self.steps = 0
        self.at = BEGIN
        self.jobs: list[Job] = []
        """Jobs that wait for a worker; queues deliver in any order."""
        self._terms = terms_of(seed)
        self.aws = Aws(seed, self._terms.lag)
        self.books = Books(self._latest)
        self.bank = Bank(self.rng, self._find, lambda: self._instant(0)[:10])
        self.customers = Customers(self.rng)
        self.executions = Executions(self)
        self._workers: dict[greenlet, str] = {}
        """Everybody at work, and what their clock showed when they began."""
        self._main = getcurrent()
        self.calm = False

    def run(self, steps: int) -> int:
        """Live for *steps* steps, come to rest, and compare everything; return the steps taken.

        Raises:
            Violation: Something was true that never may be.
        """
        with self._installed():
            self._begin()
            full = max(1, steps // 4)
            while self.steps < steps:
                before = self.steps // full
                self._turn()
                if self.steps // full > before:
                    self._check_all()
            self._rest()
        return self.steps

    @property
    def fingerprint(self) -> str:
        """Return what two runs of one seed have in common, and hardly two of different ones."""
        heads = [(key, chain.hash) for key, chain in sorted(self.books.chains.items())]
        told = f"{self.steps} {self.aws.calls} {self.at} {heads}"
        return hashlib.sha256(told.encode()).hexdigest()

    def submit(self, job: Job) -> None:
        """Let a worker take up *job* at some time."""
        self.jobs.append(job)

    # ---- what the world is made of

    @contextmanager
    def _installed(self) -> Iterator[None]:
        secrets = SimpleNamespace(randbits=self.rng.getrandbits, choice=self.rng.choice)
        with (
            self.aws.installed(),
            patch.object(clock, "now", self._now),
            patch.object(ids, "secrets", secrets),
        ):
            try:
                yield
            finally:
                for each in list(self._workers):
                    each.throw()

    def _begin(self) -> None:
        lag, self.aws.dynamodb.lag = self.aws.dynamodb.lag, Lag()
        limit_minor = self.rng.choice([10, 20_000, 10_000_000, 10_000_000])
        money.publish(
            payouts=[{**money.EUROS, "approval_above_minor": limit_minor}],
            recovery={"write_off_below_minor": {"EUR": 500}, "write_off_after_days": 60},
        )
        self.customers.begin(self._instant(0))
        self.aws.dynamodb.lag = lag
        self.aws.dynamodb.watchers.append(self.books.saw)
        self.aws.s3.watchers.append(self.bank.saw_file)
        self.aws.turn = self._interrupt
        self.aws.faults = faults.seeded(self.rng, self._terms.faults)

    def _find(self, pk: str) -> dict[str, Any] | None:
        found = self.aws.dynamodb.tables[self.ledger].find((pk, "STATE"))
        return store.item(found.item) if found else None

    @property
    def ledger(self) -> str:
        """Return the name of the ledger's table."""
        return self.aws.environment["LEDGER_TABLE"]

    @property
    def core(self) -> str:
        """Return the name of the core table."""
        return self.aws.environment["CORE_TABLE"]

    def _instant(self, skew_s: float) -> str:
        return clock.instant(self.at + timedelta(seconds=skew_s))

    def _latest(self) -> str:
        return self._instant(_SKEW_S)

    def _now(self) -> str:
        return self._workers.get(getcurrent()) or self._instant(0)

    # ---- one step

    def _interrupt(self, _operation: str) -> None:
        """Stop whoever is about to call AWS, and let the world decide who goes on."""
        if getcurrent() in self._workers:
            self._main.switch()

    def _turn(self) -> None:
        self.steps += 1
        self.at += timedelta(milliseconds=self.rng.randint(1, 300))
        if self.rng.random() < 0.1:
            if len(self.jobs) < _BACKLOG:
                self._happen()
            if len(self._workers) < _WORKERS:
                self._hire()
        if self._workers:
            self._resume(self.rng.choice(list(self._workers)))

    def _resume(self, worker: greenlet) -> None:
        worker.switch()
        if worker.dead:
            self._workers.pop(worker, None)

    def _hire(self) -> None:
        if not self.jobs:
            return
        job = self.jobs.pop(self.rng.randrange(len(self.jobs)))
        skew_s = 0 if self.calm else self.rng.uniform(-_SKEW_S, _SKEW_S)
        now = self._instant(skew_s)
        worker = greenlet(lambda: self._work(job, now))
        self._workers[worker] = now

    def _work(self, job: Job, now: str) -> None:
        try:
            job.run(now)
        except (Crash, *RETRIED, *REFUSED) as error:
            if not job.failed(error):
                raise

    def _happen(self) -> None:
        """Let something happen out there: mostly little, now and then a day passes."""
        self.executions.take_up()
        match self.rng.randint(0, 19):
            case 0 | 1 | 2 | 3:
                self._customer()
            case 4 | 5 | 6 | 7:
                self._read_stream()
            case 8 | 9 | 10:
                self._schedule()
            case 11 | 12 | 13:
                self.bank.act()
            case 14 | 15 | 16:
                if found := self.bank.deliver():
                    self._settle(*found)
            case 17:
                self._finance()
            case 18:
                self._pass_time()

    def _customer(self) -> None:
        """Let a customer act, undisturbed: what they do is given, not tested here."""
        planned, self.aws.faults = self.aws.faults, faults.none
        self.aws.dynamodb.fresh = True
        self.customers.act(self._instant(0))
        self.aws.faults, self.aws.dynamodb.fresh = planned, False

    def _read_stream(self) -> None:
        """Deliver events as messages: in batches, some twice, sometimes the end once more."""
        stream = self.aws.dynamodb.tables[self.core].stream
        found = [stream.popleft() for _ in range(min(len(stream), self.rng.randint(1, 20)))]
        if found and self.rng.random() < 0.3:
            again = found[self.rng.randrange(len(found)) :]
            stream.extendleft(reversed(again))
        for write in found:
            pk, sk = write.key
            if write.before is None and pk.startswith("REFERRAL#") and sk.startswith("EVENT#"):
                self._earn(pk)

    def _earn(self, entity: str) -> None:
        def run(now: str) -> None:  # noqa: ARG001  (it asks the clock)
            earn.earn({"entity": entity})

        self._repeatable(f"earn {entity}", run)

    def _repeatable(
        self, name: str, run: Callable[[str], object], *, refusals: bool = False
    ) -> None:
        """Do *run* until it works, and sometimes once more; refusals too only where allowed."""

        def failed(error: BaseException) -> bool:
            self.jobs.append(job)
            return refusals or not isinstance(error, REFUSED)

        job = Job(name, run, failed)
        self.jobs.append(job)
        if not self.calm and self.rng.random() < 0.1:
            self.jobs.append(job)

    def _schedule(self) -> None:
        jobs: dict[str, Callable[[str], object]] = {
            "accrue": _accrue,
            "start": lambda now: start.start_all(now, started_by="schedule"),
            "start by hand": lambda now: start.start_all(now, started_by="user:ann"),
            "sweep": lambda now: sweep.sweep(now, days=1),
            "seal": lambda now: seal.seal_all(now, days=3),
            "reconcile": lambda now: reconcile.reconcile(now, days=2),
            "recover": recover.recover,
        }
        # Those that read some hundred shards come seldom, to leave room for others.
        (name,) = self.rng.choices([*jobs], [10, 4, 8, 1, 0.5, 0.5, 1])
        for _ in range(self.rng.choice([1, 1, 1, 2, 3])):
            self.submit(Job(name, jobs[name]))  # a run that fails is not repeated: the next is

    def _settle(self, key: str, content: bytes) -> None:
        def run(now: str) -> None:
            settle.take_file(content, key, now=now)

        # A statement that loses a race against another one of the same payout is refused, and
        # taken in when its file comes again, as it does.
        self._repeatable(f"settle {key}", run, refusals=True)

    def _finance(self) -> None:
        """Let a person approve what waits for it, or give a batch up."""
        known = [each for each in self._batches() if each["status"] in {"created", "approved"}]
        if known and self.rng.random() < 0.2:
            name = self.rng.choice(known)["id"]
            self.submit(Job(f"cancel {name}", lambda now: batch.cancel({"batch": name}, now)))
        for each in self._batches():
            if each["status"] == "awaiting_approval" and self.rng.random() < 0.7:
                self._approve(each["id"])

    def _approve(self, name: str) -> None:
        def run(now: str) -> None:
            payouts.approve(name, approver="user:mia", now=now)

        self.submit(Job(f"approve {name}", run))

    def _batches(self) -> list[dict[str, Any]]:
        found = self.aws.dynamodb.everything(self.ledger)
        return [
            store.item(raw) for (pk, sk), raw in found if pk.startswith("BATCH#") and sk == "STATE"
        ]

    def _pass_time(self) -> None:
        """Let hours or months go by; whoever is at work has finished by then.

        No more than a day while a batch is under way: its schedule looks after it every day.
        """
        self._finish_work()
        days = self.rng.choice([1, 1, 1, 3, 7, 30, 60, 181])
        if any(each["status"] in _UNDER_WAY for each in self._batches()):
            days = min(days, 1)
        self.at += timedelta(hours=self.rng.choice([1, 6, 24 * days, 24 * days]))
        self.aws.dynamodb.expire(self.core, int(self.at.timestamp()))

    def _finish_work(self) -> None:
        while self._workers:
            self.steps += 1
            self._resume(next(iter(self._workers)))

    # ---- the end

    def _rest(self) -> None:
        """Stop the faults, let everything come to its end, and compare."""
        self.calm = True
        self.aws.faults = faults.none
        self.aws.dynamodb.lag = Lag()
        self.bank.finish()
        for _ in range(_ROUNDS):
            if self._round():
                break
        else:
            raise Violation(f"it does not come to rest: {[each.name for each in self.jobs][:5]}")
        self._check_all()
        self.books.check_nothing_lost()
        self.customers.check(self.books, self._instant(0))
        self._check_bank()
        self._check_reconciled()

    def _round(self) -> bool:
        """Do all there is to do; return whether nothing was left to be done."""
        before = self.books.journals
        self.aws.dynamodb.settle()
        while self.aws.dynamodb.tables[self.core].stream:
            self._read_stream()
        self.bank.finish()
        while self.bank.mail:
            self._settle(*self.bank.mail.pop())
        for name, run in (
            ("accrue", _accrue),
            ("start", lambda now: start.start_all(now, started_by="schedule")),
            ("retry", lambda now: settle.retry_unmatched(now=now)),
        ):
            self.submit(Job(name, run))
        for each in self._batches():
            if each["status"] == "awaiting_approval":
                self._approve(each["id"])
        self.executions.take_up()
        while self.jobs or self._workers:
            self._hire()
            self._finish_work()
            self.executions.take_up()
        over = {"settled", "cancelled"}
        open_batches = [each for each in self._batches() if each["status"] not in over]
        return before == self.books.journals and not open_batches and not self.bank.mail

    def _check_all(self) -> None:
        self.books.check_all(self.aws.dynamodb, self.core, self.ledger)

    def _check_bank(self) -> None:
        """Compare every payment with what the bank did."""
        expected = {"executed": "paid", "returned": "returned", "rejected": "returned"}
        for reference, order in self.bank.orders.items():
            payout = self._find(f"PAYOUT#{reference}")
            if payout is None or payout["status"] != expected[order["state"]]:
                raise Violation(f"the ledger is not the bank: {order}; {payout}")
        for reference, facts in self.books.statuses():
            if "submitted" in facts and reference not in self.bank.orders:
                raise Violation(f"sent, but never ordered: {reference}")

    def _check_reconciled(self) -> None:
        report = reconcile.reconcile(self._instant(0), days=1)
        found = [each for each in report.differences if each["kind"] != "unmatched_booking"]
        if found:
            raise Violation(f"reconciliation finds differences: {found[:3]}")


def _accrue(now: str) -> None:
    accrue.retain(now)
    accrue.release(now)
