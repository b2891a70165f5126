"""The simulator finds nothing wrong, finds what was planted, and does the same thing twice."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from introducer import reward, settlement
from introducer.tables import rewards
from introducer.tables.store import Transaction
from payout import accrue, booking, files, members
from tests.simulation.__main__ import derived
from tests.simulation.books import Violation
from tests.simulation.world import World

ROOT = Path(__file__).parents[2]
STEPS = 12_000
SEED = 20_261_122


def test_money_is_never_wrong() -> None:
    """A bounded slice of `make simulate`, as the command runs it."""
    ran = _command("simulate", "--steps", str(STEPS), "--seed", str(SEED))

    assert (0, "") == (ran.returncode, ran.stderr)
    assert f"{STEPS:,} steps" in ran.stdout


def test_seed_replays_exactly() -> None:
    """Two runs of one seed are one; another seed is another run."""
    prints = []
    for seed in (7, 7, 8):
        world = World(seed)
        world.run(700)
        prints.append(world.fingerprint)

    assert prints[0] == prints[1] != prints[2]


def _command(*words: str) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join(str(ROOT / each) for each in ("", "layers/core", "functions"))
    return subprocess.run(
        [sys.executable, "-m", "tests.simulation", *words],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )


# ---------------------------------------------------------------- planted bugs

Plant = Callable[[pytest.MonkeyPatch], None]


def _written_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """Write journals and what moves with them without put-if-absent and without versions."""
    _unguarded(monkeypatch, ("JOURNAL#", "PAYOUT#"), ("BALANCE#", "REWARD#"))


def _balance_unguarded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Write balances without asking whether they are still as they were read."""
    _unguarded(monkeypatch, (), ("BALANCE#",))


def _unguarded(
    monkeypatch: pytest.MonkeyPatch, partitions: tuple[str, ...], sorts: tuple[str, ...]
) -> None:
    real = Transaction.put

    def put(self: Transaction, table: Any, pk: str, sk: str, value: Any, **how: Any) -> Any:
        if pk.startswith(partitions) or sk.startswith(sorts):
            how = {name: how[name] for name in ("index",) if name in how}
        return real(self, table, pk, sk, value, **how)

    monkeypatch.setattr(Transaction, "put", put)


def _released_early(monkeypatch: pytest.MonkeyPatch) -> None:
    """Release what is due next month."""
    due, obstacle = rewards.due, reward.obstacle
    month = "2099-01-01T00:00:00.000Z"
    monkeypatch.setattr(accrue.rewards, "due", lambda shard, _: due(shard, month))
    monkeypatch.setattr(reward, "obstacle", lambda each, of, _: obstacle(each, of, month))


def _ordered_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give every attempt to write a payment file a file of its own."""
    numbers = itertools.count()
    monkeypatch.setattr(files, "order_key", lambda batch: f"outbox/{batch.id}.{next(numbers)}.xml")


def _refunds_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take nothing back."""
    monkeypatch.setattr(booking, "_back", lambda *_: [])


def _rejections_paid(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take a refusal for a payment."""
    monkeypatch.setitem(settlement.STATUS_OF, "rejected", "paid")


def _file_before_books(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave what is reserved where it is and order it all the same."""
    monkeypatch.setattr(members, "mark", lambda *_, **__: None)
    real = members.payouts.find_many

    def sent(references: Any) -> Any:
        import msgspec

        found = real(references)
        return {
            key: msgspec.structs.replace(each, status="in_transit")
            if each.status == "created"
            else each
            for key, each in found.items()
        }

    monkeypatch.setattr(members.payouts, "find_many", sent)


BUGS: dict[str, Plant] = {
    "written_over": _written_over,
    "balance_unguarded": _balance_unguarded,
    "released_early": _released_early,
    "ordered_twice": _ordered_twice,
    "refunds_ignored": _refunds_ignored,
    "rejections_paid": _rejections_paid,
    "file_before_books": _file_before_books,
}
WORLDS, WORLD_STEPS = 20, 2_000
"""In how many worlds of how many steps a planted bug must show; the rarest does in every sixth."""


@pytest.mark.parametrize("bug", BUGS)
def test_planted_bug_is_found(bug: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What breaks a rule of the books is reported within so many worlds."""
    BUGS[bug](monkeypatch)

    with pytest.raises(Violation):
        _run_worlds()


def _run_worlds() -> None:
    for number in range(WORLDS):
        World(derived(SEED, number)).run(WORLD_STEPS)
