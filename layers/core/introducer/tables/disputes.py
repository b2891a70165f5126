"""Disputes: ids and codes in the Core table, what people wrote in the People table.

Core: ``DISPUTE#{id}`` / ``STATE`` and ``EVENT#{seq}``; ``REFERRAL#{id}`` / ``DISPUTE#{dispute}``
names it beside what it is about. While undecided the state hangs on ``gsi2``
``QUEUE#{program}#disputes`` / rank and time, those that went up first, and until then on
``gsi3`` ``DUE#dispute#{0-3}`` / the time by which it must be decided; on ``gsi1`` in the list
of its partner for ever. The claim ``{program}/dispute/{what it is about}#{whose it is}`` makes
it the only undecided one.

People: ``DISPUTE#{id}`` / ``COMMENT#{seq}``, numbered like the event that tells of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from introducer import ids
from introducer.clock import Instant
from introducer.dispute import UNDECIDED, Dispute
from introducer.errors import AlreadyExistsError, NotFoundError, StaleError
from introducer.event import Event
from introducer.tables import claims, events, store
from introducer.tables.claims import Claim
from introducer.tables.store import Item, Page, Table, Transaction

SHARDS = 4


class DisputedError(AlreadyExistsError):
    """There is an undecided dispute of the same partner about the same."""


class Comment(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody wrote; it may name people."""

    by: str
    at: Instant
    text: str


def add(writes: Transaction, dispute: Dispute, event: Event, *, comment: str) -> None:
    """Add everything that makes a dispute exist.

    The transaction fails with :class:`DisputedError` when an undecided one stands in the way.
    """
    writes.put(
        Table.CORE,
        dispute.entity,
        "STATE",
        dispute,
        index=_index(dispute),
        condition=store.absent(),
        error=StaleError("this dispute exists"),
    )
    events.add(writes, event)
    claims.add(
        writes,
        _claim(dispute),
        now=dispute.opened_at,
        error=DisputedError("there is an undecided dispute about this"),
    )
    _point(writes, dispute)
    _add_comment(writes, event, comment)


def save(
    writes: Transaction, before: Dispute, after: Dispute, event: Event, *, comment: str = ""
) -> None:
    """Add the move from *before* to *after*, its event and what was written with it.

    The transaction fails with :class:`StaleError` when the dispute moved meanwhile.
    """
    writes.put(
        Table.CORE,
        after.entity,
        "STATE",
        after,
        index=_index(after),
        condition=store.at_version(before.version),
        error=StaleError("somebody else changed the dispute first"),
    )
    events.add(writes, event)
    if after.status not in UNDECIDED:
        claims.release(writes, _claim(before), now=after.updated_at)
    if after.referral != before.referral:
        _point(writes, after)
    _add_comment(writes, event, comment)


def find(dispute: str) -> Dispute | None:
    """Return a dispute as it stands, or None."""
    stored = store.get(Table.CORE, f"DISPUTE#{dispute}", "STATE")
    return store.load(Dispute, stored) if stored else None


def get(dispute: str) -> Dispute:
    """Return a dispute as it stands.

    Raises:
        NotFoundError: There is none.
    """
    found = find(dispute)
    if found is None:
        message = "no such dispute"
        raise NotFoundError(message)
    return found


def decision(dispute: str) -> dict[str, int]:
    """Return the parts that a dispute's decision gave; empty when there is no such dispute."""
    found = find(dispute) if dispute else None
    return found.credit if found else {}


def comments(dispute: str) -> list[Comment]:
    """Return what was written about a dispute, oldest first."""
    found = store.query_all(Table.PEOPLE, f"DISPUTE#{dispute}", prefix="COMMENT#", consistent=True)
    return [store.load(Comment, stored) for stored in found]


def undecided(program: str, *, limit: int, start: Item | None = None) -> tuple[list[Dispute], Page]:
    """Return one page of a program's undecided disputes: those that went up, then by age."""
    pk = f"QUEUE#{program}#disputes"
    page = store.query(Table.CORE, pk, index="gsi2", limit=limit, start=start)
    return _read(page), page


def of_partner(
    partner: str, *, limit: int, start: Item | None = None
) -> tuple[list[Dispute], Page]:
    """Return one page of a partner's disputes, newest first."""
    page = store.query(
        Table.CORE,
        f"PARTNER#{partner}",
        prefix="DISPUTE#",
        index="gsi1",
        limit=limit,
        start=start,
        newest_first=True,
    )
    return _read(page), page


def overdue(now: Instant) -> Iterator[Dispute]:
    """Yield the open disputes that should have been decided at *now*."""
    for shard in range(SHARDS):
        for keys in store.query_all(
            Table.CORE, f"DUE#dispute#{shard}", between=("0", now), index="gsi3"
        ):
            found = find(keys["pk"].partition("#")[2])
            # The index may be a moment behind: what counts is the dispute.
            if found is not None and found.status == "open" and found.decide_by <= now:
                yield found


def matched(program: str, lead_keys: Sequence[str], *, now: Instant) -> Mapping[str, str]:
    """Return the referral that holds each of *lead_keys* at *now*, by key; others are left out."""
    wanted = [(claims.key(program, "lead_email", key), "CLAIM") for key in lead_keys]
    found = store.batch_get(Table.CORE, wanted, consistent=True)
    held = [store.load(Claim, stored) for stored in found.values()]
    return {claim.value: claim.target for claim in held if claim.expires_at > now}


def _read(page: Page) -> list[Dispute]:
    keys = [(item["pk"], item["sk"]) for item in page.items]
    found = store.batch_get(Table.CORE, keys)
    return [store.load(Dispute, found[key]) for key in keys if key in found]


def _claim(dispute: Dispute) -> Claim:
    return Claim(
        scope=dispute.program,
        kind="dispute",
        value=f"{dispute.about}#{dispute.partner or dispute.opened_by}",
        target=dispute.id,
    )


def _point(writes: Transaction, dispute: Dispute) -> None:
    if dispute.referral:
        body = {"dispute": dispute.id, "opened_at": dispute.opened_at}
        writes.put(Table.CORE, f"REFERRAL#{dispute.referral}", f"DISPUTE#{dispute.id}", body)


def _add_comment(writes: Transaction, event: Event, text: str) -> None:
    if text:
        comment = Comment(by=event.actor, at=event.at, text=text)
        writes.put(Table.PEOPLE, event.entity, f"COMMENT#{event.seq:06}", comment)


def _index(dispute: Dispute) -> dict[str, str]:
    index: dict[str, str] = {}
    if dispute.partner:
        index |= {
            "gsi1pk": f"PARTNER#{dispute.partner}",
            "gsi1sk": f"DISPUTE#{dispute.opened_at}#{dispute.id}",
        }
    if dispute.status in UNDECIDED:
        rank = 0 if dispute.status == "escalated" else 1
        index |= {
            "gsi2pk": f"QUEUE#{dispute.program}#disputes",
            "gsi2sk": f"{rank}#{dispute.opened_at}#{dispute.id}",
        }
    if dispute.status == "open":
        index |= {
            "gsi3pk": f"DUE#dispute#{ids.shard(dispute.id, SHARDS)}",
            "gsi3sk": dispute.decide_by,
        }
    return index
