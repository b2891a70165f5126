"""Reps and the turns they take, in the Core table.

``REP#{id}`` / ``PROFILE``; a program's reps hang on ``gsi1`` ``REPS#{program}`` / id. A login
finds its rep through the claim ``global`` / ``login``. ``TURN#{program}#{rule}`` / ``TURN`` is
where the reps of a routing rule are in their round.
"""

from __future__ import annotations

import msgspec

from introducer import partner as partners
from introducer.clock import Instant
from introducer.errors import AlreadyExistsError, StaleError
from introducer.partner import Rep
from introducer.tables import claims, events, people, store
from introducer.tables.partners import login_claim
from introducer.tables.people import Contact
from introducer.tables.store import Item, Page, Table, Transaction
from introducer.turn import Turn


class TurnTakenError(StaleError):
    """Another lead of the same rule was given out meanwhile."""


def add(writes: Transaction, rep: Rep, contact: Contact, *, actor: str) -> None:
    """Add everything that makes *rep* exist; fails when the id or login is taken."""
    claim = login_claim(rep.login, rep.entity)
    writes.put(
        Table.CORE,
        rep.entity,
        "PROFILE",
        rep,
        index=_index(rep),
        condition=store.absent(),
        error=AlreadyExistsError("this rep exists already"),
    )
    events.add(writes, partners.rep_added(rep, actor=actor))
    people.add_contact(writes, rep.person, msgspec.structs.replace(contact, claims=[claim.pk]))
    claims.add(
        writes, claim, now=rep.created_at, error=AlreadyExistsError("this login is a rep already")
    )


def change(writes: Transaction, before: Rep, after: Rep, *, now: Instant, actor: str) -> None:
    """Add the change of a rep's profile and its event.

    The transaction fails with :class:`StaleError` when somebody else changed it meanwhile.
    """
    changed, event = partners.rep_changed(before, after, now=now, actor=actor)
    writes.put(
        Table.CORE,
        changed.entity,
        "PROFILE",
        changed,
        index=_index(changed),
        condition=store.at_version(before.version),
        error=StaleError("somebody else changed the rep first"),
    )
    events.add(writes, event)


def find(rep: str) -> Rep | None:
    """Return a rep, or None."""
    stored = store.get(Table.CORE, f"REP#{rep}", "PROFILE")
    return store.load(Rep, stored) if stored else None


def find_all(reps: list[str]) -> dict[str, Rep]:
    """Return those of *reps* who exist, by id; eventually consistent."""
    found = store.batch_get(Table.CORE, [(f"REP#{rep}", "PROFILE") for rep in reps])
    return {stored["id"]: store.load(Rep, stored) for stored in found.values()}


def of_login(login: str, *, now: Instant) -> Rep | None:
    """Return the rep a login acts for, or None."""
    claim = claims.find("global", "login", login, now=now)
    if claim is None or not claim.target.startswith("REP#"):
        return None
    return find(claim.target.partition("#")[2])


def of_program(program: str, *, limit: int, start: Item | None = None) -> tuple[list[Rep], Page]:
    """Return one page of a program's reps by id, and the page for its cursor."""
    page = store.query(Table.CORE, f"REPS#{program}", index="gsi1", limit=limit, start=start)
    keys = [(key["pk"], key["sk"]) for key in page.items]
    found = store.batch_get(Table.CORE, keys)
    return [store.load(Rep, found[key]) for key in keys if key in found], page


def turn(program: str, rule: str) -> Turn:
    """Return where the reps of a rule are in their round; its beginning when nobody was."""
    stored = store.get(Table.CORE, _turn_pk(program, rule), "TURN")
    return store.load(Turn, stored) if stored else Turn(program=program, rule=rule)


def save_turn(writes: Transaction, after: Turn) -> None:
    """Add a turn that was taken.

    The transaction fails with :class:`TurnTakenError` when another lead took it.
    """
    writes.put(
        Table.CORE,
        _turn_pk(after.program, after.rule),
        "TURN",
        after,
        condition=store.at_version(after.version - 1) if after.version > 1 else store.absent(),
        error=TurnTakenError("another lead took this turn"),
    )


def _turn_pk(program: str, rule: str) -> str:
    return f"TURN#{program}#{rule}"


def _index(rep: Rep) -> dict[str, str]:
    return {"gsi1pk": f"REPS#{rep.program}", "gsi1sk": rep.id}
