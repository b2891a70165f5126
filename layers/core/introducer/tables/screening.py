"""Screening of payees in the Core table: which list counts, and what it says of whom.

``SCREENING#{program}`` / ``STATE`` and ``EVENT#{seq}``: the list that counts; its text lies in
the bank's bucket. ``PARTNER#{id}`` / ``SCREENING``: what was found, by the ids of entries and
never by a name; while it is a hit that nobody looked at, it hangs on ``gsi2``
``QUEUE#{program}#screening`` / time. What the gate asks is on the partner's profile.
"""

from __future__ import annotations

import msgspec

from introducer import partner as partners_state
from introducer.clock import Instant
from introducer.errors import StaleError
from introducer.event import Event
from introducer.partner import Partner
from introducer.sanctions import Hit
from introducer.tables import events, partners, store
from introducer.tables.store import Item, Table, Transaction


class CurrentList(msgspec.Struct, frozen=True, kw_only=True):
    """The list a program compares payees with, by the digest of its text."""

    program: str
    version: int
    digest: str
    entries: int
    at: Instant
    by: str

    @property
    def file(self) -> str:
        """Return where its text lies in the bank's bucket."""
        return file_of(self.program, self.digest)


class Screened(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a list said of a partner.

    Attributes:
        result: ``clear``, ``hit`` or ``cleared``, as on the profile.
        digest: Of the list.
        payee_key: Of the account whose holder was looked at.
        hits: What was found.
        cleared: Ids of entries that a person found to be somebody else.
        cleared_by: Who that was, with a reason's code.
    """

    partner: str
    program: str
    result: str
    digest: str
    payee_key: str
    at: Instant
    hits: list[Hit] = []
    cleared: list[str] = []
    cleared_by: str = ""
    reason: str = ""


def file_of(program: str, digest: str) -> str:
    """Return where the text of a list lies in the bank's bucket."""
    return f"screening/{program}/{digest}.csv"


def current(program: str) -> CurrentList | None:
    """Return the list that counts, or None when none was ever given."""
    stored = store.get(Table.CORE, f"SCREENING#{program}", "STATE")
    return store.load(CurrentList, stored) if stored else None


def is_current(program: str, digest: str) -> bool:
    """Return whether *digest* is that of the list that counts; empty while there is none."""
    against = current(program)
    return digest == (against.digest if against else "")


def replace(writes: Transaction, before: CurrentList | None, after: CurrentList) -> None:
    """Add that *after* counts instead of *before*, and the event.

    The transaction fails with :class:`StaleError` when another list came meanwhile.
    """
    entity = f"SCREENING#{after.program}"
    writes.put(
        Table.CORE,
        entity,
        "STATE",
        after,
        condition=store.at_version(before.version) if before else store.absent(),
        error=StaleError("another list came meanwhile"),
    )
    event = Event(
        type="ScreeningListReplaced",
        entity=entity,
        seq=after.version,
        program=after.program,
        at=after.at,
        actor=after.by,
        data={"list": after.digest, "entries": after.entries},
    )
    events.add(writes, event)


def found(partner: str) -> Screened | None:
    """Return what was found of a partner last, or None."""
    stored = store.get(Table.CORE, f"PARTNER#{partner}", "SCREENING")
    return store.load(Screened, stored) if stored else None


def note(writes: Transaction, partner: Partner, result: Screened, *, actor: str) -> Partner:
    """Add what was found of *partner*, its word on the profile and the event.

    The transaction fails with :class:`StaleError` when the partner changed meanwhile.
    """
    data: dict[str, str | int] = {
        "result": result.result,
        "list": result.digest,
        "hits": len(result.hits),
        **({"reason": result.reason} if result.reason else {}),
    }
    after, event = partners_state.changed(
        partner,
        "PayeeScreened",
        data,
        result.at,
        actor,
        screening=result.result,
        screened_with=result.digest,
    )
    partners.save(writes, partner, after, event)
    index = {}
    if result.result == "hit":
        index = {"gsi2pk": f"QUEUE#{partner.program}#screening", "gsi2sk": result.at}
    writes.put(Table.CORE, partner.entity, "SCREENING", result, index=index)
    return after


def hits(
    program: str, *, limit: int, start: Item | None = None
) -> tuple[list[Screened], Item | None]:
    """Return some of the hits nobody looked at, oldest first, and where the list goes on."""
    page = store.query(
        Table.CORE, f"QUEUE#{program}#screening", index="gsi2", limit=limit, start=start
    )
    keys = [(keys["pk"], keys["sk"]) for keys in page.items]
    stored = store.batch_get(Table.CORE, keys)
    loaded = [store.load(Screened, stored[key]) for key in keys if key in stored]
    return [each for each in loaded if each.result == "hit"], page.next
