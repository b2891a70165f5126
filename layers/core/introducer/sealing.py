"""Seals: what a day of a program's books added up to, chained so that no change goes unseen.

A :class:`Seal` fixes the sums of a day (UTC) by currency, account and accounting class, a hash
over the hashes of its journals, and the hash of the program's seal before it. Its root, the
whole seal as bytes, lies where nobody can change it. So a journal that is changed or removed
shows against its seal, a seal against the chain, and a chain made anew against the roots.

Accounts grow with credits: what is above zero in a leg is a credit, what is below a debit.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec

from introducer.chart import UNCLASSIFIED
from introducer.clock import Instant
from introducer.ledger import Journal, journal_hash

Fault = dict[str, str | int]
"""One thing that does not agree: its ``kind``, the day, and what it is about."""


class Line(msgspec.Struct, frozen=True, kw_only=True, order=True):
    """What was booked on one account for one accounting class, in minor units of ``currency``.

    ``count`` is how many legs it adds up.
    """

    currency: str
    account: str
    accounting_class: str
    debit_minor: int = 0
    credit_minor: int = 0
    count: int = 0

    @property
    def change_minor(self) -> int:
        """Return what the account grew by."""
        return self.credit_minor - self.debit_minor


class Seal(msgspec.Struct, frozen=True, kw_only=True):
    """One day of one program's books.

    Attributes:
        number: Its place in the program's chain of seals, from 1.
        supplement: 0 for the seal of a day; n for the n-th made after a journal was found later.
            The newest tells the whole day.
        count: How many journals.
        lines: Their legs, added up; in order.
        journals: SHA-256, in hex, over the sorted hashes of the journals.
        prev: The hash of the program's seal before it, empty for the first.
        hash: SHA-256, in hex, over everything above.
    """

    program: str
    day: str
    number: int
    supplement: int
    count: int
    lines: tuple[Line, ...]
    journals: str
    sealed_at: Instant
    prev: str
    hash: str

    @property
    def sums(self) -> dict[str, dict[str, int]]:
        """Return what each account grew by, by currency and account; none that stayed as it was."""
        return sums(self.lines)


class Head(msgspec.Struct, frozen=True, kw_only=True):
    """The end of a program's chain of seals: how many there are, and the hash of the last."""

    version: int = 0
    hash: str = ""


class Tally:
    """Journals added up: their lines, their number, and those that were changed."""

    def __init__(self) -> None:
        """Begin with none."""
        self._lines: dict[tuple[str, str, str], list[int]] = {}
        self.count = 0
        self.changed: list[str] = []

    def add(self, journal: Journal) -> None:
        """Add one journal; its id is noted when it is not what its hash says."""
        self.count += 1
        if journal.hash != journal_hash(journal):
            self.changed.append(journal.id)
        accounting_class = journal.refs.get("class", UNCLASSIFIED)
        for account, amount_minor in journal.legs.items():
            key = (journal.currency, account, accounting_class)
            sides = self._lines.setdefault(key, [0, 0, 0])
            sides[0] += max(0, -amount_minor)
            sides[1] += max(0, amount_minor)
            sides[2] += 1

    @property
    def lines(self) -> tuple[Line, ...]:
        """Return the lines, in order."""
        return tuple(_line(key, sides) for key, sides in sorted(self._lines.items()))


def merged(lines: Iterable[Line]) -> list[Line]:
    """Return *lines* of several days with those of the same name added up, in order."""
    together: dict[tuple[str, str, str], list[int]] = {}
    for line in lines:
        key = (line.currency, line.account, line.accounting_class)
        sides = together.setdefault(key, [0, 0, 0])
        sides[0] += line.debit_minor
        sides[1] += line.credit_minor
        sides[2] += line.count
    return [_line(key, sides) for key, sides in sorted(together.items())]


def sums(lines: Iterable[Line]) -> dict[str, dict[str, int]]:
    """Return what each account grew by, by currency and account; none that stayed as it was."""
    found: dict[str, dict[str, int]] = {}
    for line in lines:
        accounts = found.setdefault(line.currency, {})
        accounts[line.account] = accounts.get(line.account, 0) + line.change_minor
    return {
        currency: {account: change for account, change in accounts.items() if change}
        for currency, accounts in found.items()
    }


def digest(hashes: Iterable[str]) -> str:
    """Return the SHA-256, in hex, over the sorted *hashes* of a day's journals."""
    return hashlib.sha256(msgspec.json.encode(sorted(hashes))).hexdigest()


def made(
    program: str,
    day: str,
    tally: Tally,
    journals: str,
    *,
    head: Head,
    supplement: int,
    now: Instant,
) -> Seal:
    """Return the seal of a day, hung onto the chain that ends at *head*.

    Args:
        program: Whose books.
        day: ``YYYY-MM-DD``, UTC.
        tally: Everything booked on it.
        journals: The digest of the hashes of that.
        head: The end of the chain.
        supplement: How many seals the day has already.
        now: The present instant.
    """
    unsigned = Seal(
        program=program,
        day=day,
        number=head.version + 1,
        supplement=supplement,
        count=tally.count,
        lines=tally.lines,
        journals=journals,
        sealed_at=now,
        prev=head.hash,
        hash="",
    )
    return msgspec.structs.replace(unsigned, hash=seal_hash(unsigned))


def seal_hash(seal: Seal) -> str:
    """Return the SHA-256, in hex, over every field of *seal* but its hash."""
    fields = msgspec.structs.asdict(seal)
    del fields["hash"]
    return hashlib.sha256(msgspec.json.encode(fields, order="deterministic")).hexdigest()


def root(seal: Seal) -> bytes:
    """Return what is kept of *seal* where nobody can change it: all of it, byte for byte."""
    return msgspec.json.encode(seal, order="deterministic")


def newest(seals: Iterable[Seal]) -> list[Seal]:
    """Return the one seal of each day that counts, by day: the last supplement, if there is one."""
    last: dict[str, Seal] = {}
    for seal in sorted(seals, key=lambda each: (each.day, each.supplement)):
        last[seal.day] = seal
    return list(last.values())


# ---------------------------------------------------------------- proof


def chain_faults(seals: Sequence[Seal], head: Head) -> Iterator[Fault]:
    """Yield where the chain of a program's seals, all of them, is torn or a seal was changed."""
    before = ""
    ordered = sorted(seals, key=lambda each: each.number)
    for number, seal in enumerate(ordered, 1):
        about: Fault = {"program": seal.program, "day": seal.day, "number": seal.number}
        if seal.hash != seal_hash(seal):
            yield {"kind": "seal_changed", **about}
        if (seal.number, seal.prev) != (number, before):
            yield {"kind": "chain_torn", **about}
            break  # everything behind it is out of its place too
        before = seal.hash
    else:
        if (head.version, head.hash) != (len(ordered), before):
            yield {"kind": "chain_cut", "number": head.version}


def root_faults(seals: Iterable[Seal], roots: Mapping[tuple[str, int], bytes]) -> Iterator[Fault]:
    """Yield where a program's seals and their roots, by day and supplement, do not agree."""
    left = dict(roots)
    for seal in seals:
        about: Fault = {"program": seal.program, "day": seal.day, "supplement": seal.supplement}
        kept = left.pop((seal.day, seal.supplement), None)
        if kept is None:
            yield {"kind": "root_missing", **about}
        elif kept != root(seal):
            yield {"kind": "root_differs", **about}
    for day, supplement in sorted(left):
        yield {"kind": "seal_missing", "day": day, "supplement": supplement}


def day_faults(seal: Seal, journals: Iterable[Journal]) -> Iterator[Fault]:
    """Yield where *journals*, all that are stored of its day, are not what was sealed."""
    tally, hashes = Tally(), []
    for journal in journals:
        tally.add(journal)
        hashes.append(journal.hash)
    about: Fault = {"program": seal.program, "day": seal.day}
    for changed in tally.changed:
        yield {"kind": "journal_changed", "journal": changed, **about}
    if digest(hashes) != seal.journals:
        yield {"kind": "journals_differ", "sealed": seal.count, "stored": tally.count, **about}
    if tally.lines != seal.lines:
        yield {"kind": "sums_differ", **about}


def _line(key: tuple[str, str, str], sides: Sequence[int]) -> Line:
    currency, account, accounting_class = key
    debit_minor, credit_minor, count = sides
    return Line(
        currency=currency,
        account=account,
        accounting_class=accounting_class,
        debit_minor=debit_minor,
        credit_minor=credit_minor,
        count=count,
    )
