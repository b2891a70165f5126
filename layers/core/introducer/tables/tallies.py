"""Tallies in the Core table: what tiers and caps per partner are counted in.

``TALLY#{program}#{holder}#{scope}#{period}`` / ``HEAD`` is the sum, ``AT#{place}`` each
success, in the order of business time. ``REFERRAL#{id}`` / ``TALLY#{scope}#{holder}#{period}#
{place}`` is a referral's own mark of it, read with everything else about the referral.
Every write carries the version of the head, so a tally changes one step at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from pynamodb.expressions.condition import Condition
from pynamodb.expressions.operand import Path

from introducer import tally
from introducer.earning.history import Success, TallyKey
from introducer.errors import StaleError
from introducer.tables import store
from introducer.tables.store import Item, Table, Transaction
from introducer.tally import Head, Mark, Place, Revision

MOST_CHANGED = 45
"""Successes written at once; with their marks and the head they fit into a transaction."""
_END = "AT#~"


def heads(program: str, keys: Iterable[TallyKey]) -> dict[TallyKey, Head]:
    """Return the heads of *keys* as they stand: one read unit each."""
    places = {key: (_pk(program, key), "HEAD") for key in keys}
    found = store.batch_get(Table.CORE, list(places.values()), consistent=True)
    return {
        key: store.load(Head, found[where]) if where in found else Head()
        for key, where in places.items()
    }


def marks(stored: Iterable[Item]) -> dict[TallyKey, dict[Place, Mark]]:
    """Return a referral's own marks, read with it, by tally and place."""
    own: dict[TallyKey, dict[Place, Mark]] = {}
    for each in stored:
        mark = store.load(Mark, each)
        own.setdefault(mark.key, {})[mark.place] = mark
    return own


def page(program: str, key: TallyKey, begin: Place, limit: int) -> list[Success]:
    """Return the first *limit* successes from *begin* on, as they stand."""
    found = store.query(
        Table.CORE,
        _pk(program, key),
        between=(f"AT#{begin}", _END),
        limit=limit,
        consistent=True,
    )
    return [store.load(Success, each) for each in found.items]


class Tails:
    """The ends of tallies that were read, kept as long as nobody else writes to them.

    Who repairs a long tally looks at its end again and again; the version of the head says
    whether it is still the same.
    """

    def __init__(self, program: str) -> None:
        self.program = program
        self._known: dict[TallyKey, tuple[int, Place, dict[Place, Success]]] = {}

    def read(self, key: TallyKey, head: Head, begin: Place) -> tuple[Place, list[Success]]:
        """Return where the tail known begins, *begin* or before, and its successes in order."""
        version, known_from, known = self._known.get(key, (-1, "", {}))
        if version != head.version or known_from > begin:
            known_from, known = begin, dict(self._read(key, begin))
            self._known[key] = (head.version, known_from, known)
        return known_from, [known[at] for at in sorted(known)]

    def keep(self, key: TallyKey, revision: Revision) -> None:
        """Follow a change that was just written."""
        version, known_from, known = self._known.get(key, (-1, "", {}))
        if version != revision.before.version:
            return
        known |= {each.place: each.success for each in revision.marks if each.place >= known_from}
        self._known[key] = (revision.after.version, known_from, known)

    def skip(self, key: TallyKey, before: Head, after: Head) -> None:
        """Follow a change of the head alone."""
        version, known_from, known = self._known.get(key, (-1, "", {}))
        if version == before.version:
            self._known[key] = (after.version, known_from, known)

    def _read(self, key: TallyKey, begin: Place) -> Iterable[tuple[Place, Success]]:
        pages = store.query_all(
            Table.CORE,
            _pk(self.program, key),
            between=(f"AT#{begin}", _END),
            consistent=True,
        )
        for each in pages:
            success = store.load(Success, each)
            yield tally.place(success), success


def record(program: str, key: TallyKey, revision: Revision) -> None:
    """Write what a referral adds to, or changes in, a tally.

    Raises:
        StaleError: Somebody else wrote to the tally first.
    """
    writes = Transaction()
    _put_head(writes, program, key, revision.before, revision.after)
    for mark in revision.marks:
        success = mark.success
        writes.put(Table.CORE, _pk(program, key), f"AT#{mark.place}", success)
        writes.put(Table.CORE, f"REFERRAL#{success.referral}", _mark_sk(mark), mark)
    writes.commit()


def save(program: str, key: TallyKey, before: Head, after: Head) -> None:
    """Write the head alone.

    Raises:
        StaleError: Somebody else wrote to the tally first.
    """
    writes = Transaction()
    _put_head(writes, program, key, before, after)
    writes.commit()


def guards(
    program: str, seen: Mapping[TallyKey, Head], *, clean: bool
) -> dict[str, Callable[[Transaction], None]]:
    """Return what adds the demand that what was computed from *seen* still holds, by name.

    Args:
        program: Whose tallies.
        seen: The heads as they were read.
        clean: Whether nobody may have too much in them either: for whatever is raised.
    """
    return {_pk(program, key): _guard(program, key, head, clean) for key, head in seen.items()}


def _guard(program: str, key: TallyKey, head: Head, clean: bool) -> Callable[[Transaction], None]:  # noqa: FBT001
    holds = _moved(head)
    if clean:
        holds &= Path("dirty").does_not_exist()

    def add(writes: Transaction) -> None:
        error = StaleError("what the reward was computed from has changed")
        writes.check(Table.CORE, _pk(program, key), "HEAD", holds, error)

    return add


def _moved(head: Head) -> Condition:
    return Path("moved") == head.moved if head.moved else Path("moved").does_not_exist()


def _put_head(writes: Transaction, program: str, key: TallyKey, before: Head, after: Head) -> None:
    writes.put(
        Table.CORE,
        _pk(program, key),
        "HEAD",
        after,
        condition=store.at_version(before.version) if before.version else store.absent(),
        error=StaleError("somebody else counted first"),
    )


def _pk(program: str, key: TallyKey) -> str:
    return f"TALLY#{program}#{key.holder}#{key.scope}#{key.period}"


def _mark_sk(mark: Mark) -> str:
    key = mark.key
    return f"TALLY#{key.scope}#{key.holder}#{key.period}#{mark.place}"
