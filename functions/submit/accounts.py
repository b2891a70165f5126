"""Putting somebody on the company's own lists, and taking them off, by whatever key is known.

Both the API and files come here. An entry is told with addresses and numbers; what is stored
are keyed hashes, so that the lists say nothing to anybody who does not bring the address.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime, time
from typing import Annotated

import msgspec
from msgspec import Meta

from introducer import account, calendar, clock, identity, keyring
from introducer.account import Account, Entry, Kind
from introducer.clock import Instant
from introducer.errors import Fault, InvalidInputError, SeveralFaultsError
from introducer.program import Program, ProgramVersion
from introducer.tables import accounts, reps
from introducer.tables.accounts import Key
from introducer.tables.store import Transaction
from submit import inputs
from submit.inputs import Input

_DAY = len("2026-11-22")
_IN_A_TRANSACTION = 40
"""Keys in one transaction: each is two of its hundred items."""


class NewAccount(Input, frozen=True, kw_only=True):
    """Somebody the company deals with already, by any of address, number, domain and id.

    ``kind`` is the list: ``customer`` (they buy), ``open`` (sales works on them) or ``named``
    (a named account). ``rep`` is whose they are. ``until`` is an instant or a day; a day counts
    to its end in the program's time zone, and without one the entry counts until it is removed.
    ``source`` names the system that ``external_id`` is of.
    """

    kind: Kind
    email: Annotated[str, Meta(max_length=254)] = ""
    phone: inputs.Phone = ""
    country: Annotated[str, Meta(pattern=r"^([A-Z]{2})?$(?!\n)")] = ""
    domain: Annotated[str, Meta(max_length=253)] = ""
    external_id: Annotated[str, Meta(pattern=r"^([A-Za-z0-9][A-Za-z0-9._:/-]{0,99})?$(?!\n)")] = ""
    source: Annotated[str, Meta(pattern=r"^([a-z][a-z0-9_-]{0,31})?$(?!\n)")] = ""
    rep: Annotated[str, Meta(pattern=r"^([a-z0-9][a-z0-9-]{1,31})?$(?!\n)")] = ""
    until: Annotated[str, Meta(max_length=40)] = ""
    remove: bool = False


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """An entry that can be accepted, as it is stored: its keys and what is said of each."""

    kind: Kind
    keys: list[Key]
    entry: Entry | None
    """None to take the keys off the list."""


def entry(
    writes: Transaction, version: ProgramVersion, said: NewAccount, *, now: Instant, actor: str
) -> str:
    """Check one entry and add what it changes to *writes*, at most eight items.

    Args:
        writes: The transaction; no other entry in it may have the same keys.
        version: Of the program whose list it is.
        said: The entry.
        now: The present instant.
        actor: Who says so.

    Returns:
        ``listed``, ``changed``, ``removed`` or ``known`` when it says nothing new.

    Raises:
        SeveralFaultsError: One fault for each value that cannot be accepted.
    """
    told = check([said], version.document, now)
    return _add(writes, version.program, told[0], _stored(version.program, told), now, actor)


def take(
    version: ProgramVersion, said: Sequence[NewAccount], *, now: Instant, actor: str
) -> dict[str, int]:
    """Check and store several entries; return how many had which outcome, as :func:`entry` does.

    They are stored in several transactions. Told again, the same entries change nothing.

    Raises:
        SeveralFaultsError: One fault for each value that cannot be accepted; nothing is stored.
        StaleError: Somebody else told of the same keys.
    """
    told = check(said, version.document, now)
    stored = _stored(version.program, told)
    outcomes: Counter[str] = Counter()
    writes, keys = Transaction(), set[Key]()
    for each in told:
        # A key that is on two lists is moved twice, which one transaction cannot do.
        if keys & {*each.keys} or len(keys) + len(each.keys) > _IN_A_TRANSACTION:
            writes.commit()
            writes, keys = Transaction(), set[Key]()
        outcomes[_add(writes, version.program, each, stored, now, actor)] += 1
        if len(writes):
            keys |= {*each.keys}
    if len(writes):
        writes.commit()
    return dict(outcomes)


def check(said: Sequence[NewAccount], document: Program, now: Instant) -> list[Told]:
    """Return the entries as they would be stored; a key stands in one of them only.

    Raises:
        SeveralFaultsError: One fault for each value that cannot be accepted.
    """
    named = reps.find_all(sorted({each.rep for each in said if each.rep}))
    known = {rep.id for rep in named.values() if rep.active and rep.program == document.id}
    secret = keyring.secret(keyring.IDENTITY)
    faults: list[Fault] = []
    told: list[Told] = []
    seen: dict[tuple[Key, Kind], Entry | None] = {}
    for place, each in enumerate(said):
        at = f"accounts[{place}]."
        if each.rep and each.rep not in known:
            faults.append(Fault("unknown_rep", f"{at}rep", "no such rep who takes leads"))
        try:
            keys = _keys(each, secret)
            ends = _until(each.until, document)
        except InvalidInputError as failure:
            faults.append(Fault(failure.code, f"{at}{failure.field}", failure.message))
            continue
        stands = None if each.remove else Entry(listed_at=now, rep=each.rep, until=ends)
        if any(seen.get((key, each.kind), stands) != stands for key in keys):
            faults.append(Fault("given_twice", at[:-1], "said above, and otherwise"))
        fresh = [key for key in keys if (key, each.kind) not in seen]
        seen |= {(key, each.kind): stands for key in keys}
        told.append(Told(kind=each.kind, keys=fresh, entry=stands))
    if faults:
        raise SeveralFaultsError("invalid_accounts", "some entries cannot be accepted", faults)
    return told


def _keys(said: NewAccount, secret: bytes) -> list[Key]:
    """Return the keyed hashes of everything an entry is known by.

    Raises:
        InvalidInputError: One of them is none, or there is none.
    """
    if bool(said.external_id) != bool(said.source):
        missing = "source" if said.external_id else "external_id"
        raise InvalidInputError(missing, "an id and its source belong together", code="no_source")
    found = identity.keys(
        secret,
        phone=identity.check_phone(said.phone, said.country) if said.phone else "",
        domain=identity.check_domain(said.domain) if said.domain else "",
        external={said.source: said.external_id} if said.source else {},
    )
    keys = [Key(by, key) for by, key in found.items()]
    if said.email:
        keys.append(Key("email", identity.email_key(identity.check_email(said.email), secret)))
    if not keys:
        raise InvalidInputError("email", "say who it is", code="no_key")
    return keys


def _until(text: str, document: Program) -> Instant:
    """Return until when an entry counts.

    Raises:
        InvalidInputError: It is neither a day nor an RFC 3339 time.
    """
    if not text:
        return ""
    try:
        if len(text) != _DAY:
            return clock.parse(text)
        where = calendar.zone(document.time_zone)
        midnight = datetime.combine(date.fromisoformat(text), time(), where)
        return calendar.plus_days(clock.instant(midnight), 1, where)
    except (ValueError, OverflowError) as failure:
        message = "neither a day nor an RFC 3339 time with an offset"
        raise InvalidInputError("until", message, code="invalid_time") from failure


def _stored(program: str, told: Sequence[Told]) -> dict[Key, Account]:
    keys = [key for each in told for key in each.keys]
    return accounts.find_all(program, keys, consistent=True)


def _add(
    writes: Transaction,
    program: str,
    told: Told,
    stored: dict[Key, Account],
    now: Instant,
    actor: str,
) -> str:
    """Add what an entry changes; return the outcome."""
    outcomes = set()
    for key in told.keys:
        before = stored.get(key)
        state = before or Account(program=program, by=key.by, key=key.key, version=0)
        if told.entry:
            moved = account.listed(state, told.kind, told.entry, now=now, actor=actor)
        else:
            moved = account.removed(state, told.kind, now=now, actor=actor)
        if moved:
            accounts.save(writes, before, *moved)
            stored[key] = moved[0]
            outcomes.add(moved[1].type)
    words = {"AccountListed": "listed", "AccountChanged": "changed", "AccountRemoved": "removed"}
    return next((word for kind, word in words.items() if kind in outcomes), "known")
