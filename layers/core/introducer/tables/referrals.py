"""Referrals and all that hangs on them, one partition each.

``REFERRAL#{id}`` / ``STATE`` is the referral; ``SHARE#{partner}`` who is credited,
``TOUCH#{time}#{id}`` what led to it, ``SALE#{id}`` what was bought, ``REWARD#…``
what was earned, ``EVENT#{seq}`` what happened. The state hangs on ``gsi2`` in the
work list of its rep or in a review queue, and on ``gsi3`` while its rep's answer or
its retention is awaited; a share hangs on ``gsi1`` in its partner's list and never moves.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import msgspec
from pynamodb.expressions.operand import Path

from introducer import ids
from introducer.clock import Instant
from introducer.document.intake import Identity
from introducer.errors import AlreadyExistsError, NotFoundError, StaleError
from introducer.event import Event
from introducer.referral import Referral, Sale, Share, Touch
from introducer.tables import claims, events, leads, people, store, waiting
from introducer.tables.people import Contact
from introducer.tables.store import Item, Page, Table, Transaction

RETAIN_SHARDS = 8
OVERDUE_SHARDS = 8


class Detail(msgspec.Struct, frozen=True, kw_only=True):
    """A referral with everything under its key."""

    referral: Referral
    shares: list[Share]
    touches: list[Touch]
    sales: list[Sale]
    rewards: list[Item]
    events: list[Event]
    former: list[Share] = []
    """Shares that a dispute took everything from: their partners still see the referral."""
    tallies: list[Item] = []
    """Its own successes as the tallies hold them; see :mod:`introducer.tables.tallies`."""


class LeadTakenError(AlreadyExistsError):
    """The lead is protected for an earlier referral; ``existing`` is the claim."""


def submit(
    writes: Transaction,
    referral: Referral,
    event: Event,
    *,
    contact: Contact,
    touches: Sequence[Touch],
    protected_until: Instant,
    rule: Identity = Identity(),  # noqa: B008  (frozen)
) -> None:
    """Add everything that makes a referral exist.

    Unless it is already known to be a duplicate, the transaction also claims the lead under
    every key that *rule* calls unique, and fails with :class:`LeadTakenError` when an earlier
    referral holds one of them; what it is found by besides is noted.
    """
    writes.put(Table.CORE, referral.entity, "STATE", referral, condition=store.absent())
    events.add(writes, event)
    claimed = [] if referral.duplicate_of else leads.claims_of(referral, rule, protected_until)
    held = [claim.pk for claim in claimed]
    people.add_contact(writes, referral.lead, msgspec.structs.replace(contact, claims=held))
    for touch in touches:
        writes.put(Table.CORE, referral.entity, f"TOUCH#{touch.at}#{touch.id}", touch)
    waiting.point_to(writes, referral, touches)
    for claim in claimed:
        claims.add(
            writes,
            claim,
            now=referral.submitted_at,
            error=LeadTakenError("this lead was referred before"),
        )
    if not referral.duplicate_of:
        leads.note(writes, referral, rule, protected_until)


def bring_in(
    writes: Transaction,
    referral: Referral,
    event: Event,
    *,
    contact: Contact,
    share: Share,
    protected_until: Instant,
    rule: Identity,
) -> None:
    """Add a referral of another system as it stands there, credited to one partner.

    While its protection lasts it claims the lead as :func:`submit` does, unless it is known
    that somebody else holds it. The transaction fails with :class:`AlreadyExistsError` when it
    was brought in before, with :class:`LeadTakenError` when the lead was taken meanwhile.
    """
    now = referral.updated_at
    free = not referral.duplicate_of and protected_until > now
    claimed = leads.claims_of(referral, rule, protected_until) if free else []
    writes.put(
        Table.CORE,
        referral.entity,
        "STATE",
        referral,
        index=_index(referral),
        condition=store.absent(),
        error=AlreadyExistsError("this referral was brought in before"),
    )
    events.add(writes, event)
    held = [claim.pk for claim in claimed]
    people.add_contact(writes, referral.lead, msgspec.structs.replace(contact, claims=held))
    add_share(writes, referral, share)
    for claim in claimed:
        claims.add(writes, claim, now=now, error=LeadTakenError("this lead was referred before"))
    if free:
        leads.note(writes, referral, rule, protected_until)


def find(referral: str) -> Referral | None:
    """Return a referral as it stands, or None."""
    stored = store.get(Table.CORE, f"REFERRAL#{referral}", "STATE")
    return store.load(Referral, stored) if stored else None


def get(referral: str) -> Referral:
    """Return a referral as it stands.

    Raises:
        NotFoundError: There is none.
    """
    found = find(referral)
    if found is None:
        message = "no such referral"
        raise NotFoundError(message)
    return found


def detail(referral: str) -> Detail:
    """Return a referral with everything under its key: one consistent query.

    Raises:
        NotFoundError: There is none.
    """
    return _detail(store.query_all(Table.CORE, f"REFERRAL#{referral}", consistent=True))


def detail_in_bulk(referral: str) -> Detail:
    """Return the same for one of very many: see :func:`introducer.tables.store.read_partition`.

    Raises:
        NotFoundError: There is none, or it is too new for the replica that was asked.
    """
    return _detail(store.read_partition(Table.CORE, f"REFERRAL#{referral}"))


def _detail(items: Iterable[Item]) -> Detail:
    parts: dict[str, list[Item]] = {}
    for stored in items:
        parts.setdefault(stored["sk"].partition("#")[0], []).append(stored)
    if "STATE" not in parts:
        message = "no such referral"
        raise NotFoundError(message)
    shares = [store.load(Share, stored) for stored in parts.get("SHARE", [])]
    return Detail(
        referral=store.load(Referral, parts["STATE"][0]),
        shares=[each for each in shares if each.basis_points],
        former=[each for each in shares if not each.basis_points],
        touches=[store.load(Touch, stored) for stored in parts.get("TOUCH", [])],
        sales=[store.load(Sale, stored) for stored in parts.get("SALE", [])],
        rewards=parts.get("REWARD", []),
        events=[store.load(Event, stored) for stored in parts.get("EVENT", [])],
        tallies=parts.get("TALLY", []),
    )


def save(writes: Transaction, before: Referral, after: Referral, event: Event) -> None:
    """Add the move from *before* to *after* and its event.

    The transaction fails with :class:`StaleError` when the referral moved meanwhile.
    """
    writes.put(
        Table.CORE,
        after.entity,
        "STATE",
        after,
        index=_index(after),
        condition=store.at_version(before.version),
        error=StaleError("somebody else changed the referral first"),
    )
    events.add(writes, event)


def add_share(writes: Transaction, referral: Referral, share: Share) -> None:
    """Add a partner's part of the credit, which puts the referral into the partner's list."""
    index = {
        "gsi1pk": f"PARTNER#{share.partner}",
        "gsi1sk": f"SHARE#{referral.submitted_at}#{referral.id}",
    }
    writes.put(Table.CORE, referral.entity, f"SHARE#{share.partner}", share, index=index)


def share(referral: str, partner: str) -> Share | None:
    """Return a partner's part of the credit, or None."""
    stored = store.get(Table.CORE, f"REFERRAL#{referral}", f"SHARE#{partner}")
    return store.load(Share, stored) if stored else None


def add_sale(writes: Transaction, referral: Referral, sale: Sale) -> None:
    """Add a sale reported for the first time."""
    writes.put(
        Table.CORE,
        referral.entity,
        f"SALE#{sale.id}",
        sale,
        condition=store.absent(),
        error=AlreadyExistsError("this sale was reported before"),
    )


def change_sale(writes: Transaction, referral: Referral, before: Sale, after: Sale) -> None:
    """Add a change of a stored sale, such as a refund."""
    refunded = Path("refunded_minor")
    writes.put(
        Table.CORE,
        referral.entity,
        f"SALE#{after.id}",
        after,
        condition=refunded == before.refunded_minor
        if before.refunded_minor
        else refunded.does_not_exist(),
        error=StaleError("somebody else changed the sale first"),
    )


def add_touch(writes: Transaction, referral: Referral, touch: Touch) -> None:
    """Add a touch; a repeated one is the same item.

    One that names a partner when the credit was given already is kept as ``late``.
    """
    if touch.partner and referral.status != "submitted":
        touch = msgspec.structs.replace(touch, late=True)
    writes.put(Table.CORE, referral.entity, f"TOUCH#{touch.at}#{touch.id}", touch)


def of_partner(
    partner: str, *, limit: int, start: Item | None = None
) -> tuple[list[tuple[Referral, Share]], Page]:
    """Return one page of a partner's referrals, newest first, and the page for its cursor."""
    page = store.query(
        Table.CORE,
        f"PARTNER#{partner}",
        prefix="SHARE#",
        index="gsi1",
        limit=limit,
        start=start,
        newest_first=True,
    )
    wanted = [
        key for item in page.items for key in ((item["pk"], "STATE"), (item["pk"], item["sk"]))
    ]
    found = store.batch_get(Table.CORE, wanted)
    rows = [
        (
            store.load(Referral, found[item["pk"], "STATE"]),
            store.load(Share, found[item["pk"], item["sk"]]),
        )
        for item in page.items
        if (item["pk"], "STATE") in found and (item["pk"], item["sk"]) in found
    ]
    return rows, page


def of_rep(
    rep: str, *, status: str = "", limit: int, start: Item | None = None
) -> tuple[list[Referral], Page]:
    """Return one page of a rep's referrals in *status* (all when empty), oldest first."""
    return _work_list(f"REP#{rep}", f"{status}#" if status else "", limit, start)


def in_queue(
    program: str, queue: str, *, limit: int, start: Item | None = None
) -> tuple[list[Referral], Page]:
    """Return one page of a work queue, oldest first."""
    return _work_list(f"QUEUE#{program}#{queue}", "", limit, start)


def due_for_retention(now: Instant) -> Iterator[Referral]:
    """Yield the won referrals whose retention time is over at *now*."""
    for shard in range(RETAIN_SHARDS):
        for keys in store.query_all(
            Table.CORE, f"DUE#retain#{shard}", between=("0", now), index="gsi3"
        ):
            found = find(keys["pk"].partition("#")[2])
            if found is not None and found.status == "won":
                yield found


def open_leads(rep: str, statuses: Sequence[str], *, most: int) -> int:
    """Return how many leads in *statuses* a rep has, at most *most*.

    Eventually consistent; a query of half a unit for each status until there are as many.
    """
    count = 0
    for status in statuses:
        if count >= most:
            break
        page = store.query(
            Table.CORE, f"REP#{rep}", prefix=f"{status}#", index="gsi2", limit=most - count
        )
        count += len(page.items)
    return count


def overdue(now: Instant) -> Iterator[Referral]:
    """Yield the assigned referrals whose rep is to be reminded, or out of time, at *now*."""
    for shard in range(OVERDUE_SHARDS):
        for keys in store.query_all(
            Table.CORE, f"DUE#overdue#{shard}", between=("0", now), index="gsi3"
        ):
            found = find(keys["pk"].partition("#")[2])
            # The index may be a moment behind: what counts is the referral.
            if found is not None and found.accept_by and _asked_again_at(found) <= now:
                yield found


def _asked_again_at(referral: Referral) -> Instant:
    return referral.remind_at or referral.accept_by


def _work_list(pk: str, prefix: str, limit: int, start: Item | None) -> tuple[list[Referral], Page]:
    page = store.query(Table.CORE, pk, prefix=prefix, index="gsi2", limit=limit, start=start)
    keys = [(item["pk"], item["sk"]) for item in page.items]
    found = store.batch_get(Table.CORE, keys)
    return [store.load(Referral, found[key]) for key in keys if key in found], page


def _index(referral: Referral) -> dict[str, str]:
    index: dict[str, str] = {}
    if referral.status == "review":
        index |= {
            "gsi2pk": f"QUEUE#{referral.program}#review",
            "gsi2sk": referral.updated_at,
        }
    elif referral.rep:
        index |= {
            "gsi2pk": f"REP#{referral.rep}",
            "gsi2sk": f"{referral.status}#{referral.updated_at}",
        }
    if referral.status == "won":
        index |= {
            "gsi3pk": f"DUE#retain#{ids.shard(referral.id, RETAIN_SHARDS)}",
            "gsi3sk": referral.retain_at,
        }
    elif referral.accept_by:
        index |= {
            "gsi3pk": f"DUE#overdue#{ids.shard(referral.id, OVERDUE_SHARDS)}",
            "gsi3sk": _asked_again_at(referral),
        }
    return index
