"""The company's own list of who may become a partner.

Who it is comes in by e-mail address and is kept as its keyed hash only: the list says nothing
to anybody who does not bring the address.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from introducer import identity, keyring
from introducer import partner as partner_life
from introducer import prospect as life
from introducer.clock import Instant
from introducer.errors import Fault, InvalidInputError, SeveralFaultsError
from introducer.program import Program
from introducer.prospect import Prospect
from introducer.tables import partners, programs, prospects, reps
from introducer.tables.store import Transaction
from submit import inputs
from submit.acting import MANAGER, READERS
from submit.http import Answer, Call, Resource
from submit.inputs import Input

MOST_IN_A_CALL = 100
_IN_A_TRANSACTION = 20
"""Entries in one transaction: each is at most four of its hundred items."""

resource = Resource(__name__)

Word = Annotated[str, Meta(pattern=r"^([a-z][a-z0-9_]{0,31})?$(?!\n)")]


class NewProspect(Input, frozen=True, kw_only=True):
    """Somebody on the list. What is left out is not known.

    ``customer_since`` is the day they became a customer or employee, ``owner`` the rep who
    looks after them.
    """

    email: inputs.Email
    segment: Word = ""
    score: Annotated[int, Meta(ge=-1_000_000, le=1_000_000)] | None = None
    customer_since: Annotated[str, Meta(pattern=r"^([0-9]{4}-[0-9]{2}-[0-9]{2})?$(?!\n)")] = ""
    type: Word = ""
    owner: Annotated[str, Meta(pattern=r"^([a-z0-9][a-z0-9-]{1,31})?$(?!\n)")] = ""


class NewProspects(Input, frozen=True, kw_only=True):
    """Entries to add or replace; the others stay as they are."""

    prospects: Annotated[list[NewProspect], Meta(min_length=1, max_length=MOST_IN_A_CALL)]


class ProspectsTaken(msgspec.Struct, frozen=True, kw_only=True):
    """How many entries were new, how many changed, how many said what was known."""

    listed: int
    changed: int
    known: int


class ProspectKind(msgspec.Struct, frozen=True, kw_only=True):
    """How many entries are alike; empty words where the list says nothing."""

    state: str
    segment: str
    type: str
    count: int


class Funnel(msgspec.Struct, frozen=True, kw_only=True):
    """How many were invited, how many of them enrolled, how many of those referred somebody."""

    invited: int
    enrolled: int
    referred: int
    kinds: list[ProspectKind]


@resource.endpoint(
    "PUT",
    "/v1/programs/{program}/prospects",
    roles=MANAGER,
    body=NewProspects,
    answer=ProspectsTaken,
    codes=(
        "invalid_prospects",
        "invalid_email",
        "invalid_date",
        "unknown_type",
        "unknown_rep",
        "given_twice",
    ),
)
def put_prospects(call: Call[NewProspects, Any]) -> Answer:
    """Add prospects or replace what is known of them, up to 100 at once.

    Sent again, the same list changes nothing; so a call whose answer was lost is repeated.
    """
    version = programs.current(call.path["program"], call.now)
    said = _entries(call.body.prospects, version.document, call.now)
    known = prospects.find_all(version.program, [each.key for each in said])
    joined = _joined(version.program, said, known)
    outcomes: Counter[str] = Counter()
    for begin in range(0, len(said), _IN_A_TRANSACTION):
        writes = Transaction()
        for each in said[begin : begin + _IN_A_TRANSACTION]:
            before = known.get(each.key)
            partner = joined.get(each.key, "")
            outcomes[_take(writes, before, each, partner, call.now, call.caller.name)] += 1
        if len(writes):
            writes.commit()
    body = ProspectsTaken(
        listed=outcomes["listed"], changed=outcomes["changed"], known=outcomes["known"]
    )
    return Answer(body=body)


@resource.endpoint("GET", "/v1/programs/{program}/prospects", roles=READERS, answer=Funnel)
def count_prospects(call: Call[Any, Any]) -> Answer:
    """Count the program's prospects: how far they came, by segment and type."""
    version = programs.current(call.path["program"], call.now)
    kinds = [
        ProspectKind(state=kind.state, segment=kind.segment, type=kind.type, count=count)
        for kind, count in prospects.count(version.program).items()
    ]
    states: Counter[str] = Counter()
    for each in kinds:
        states[each.state] += each.count
    return Answer(
        body=Funnel(
            invited=states.total(),
            enrolled=states["enrolled"] + states["referred"],
            referred=states["referred"],
            kinds=kinds,
        )
    )


def _joined(program: str, said: Sequence[Prospect], known: dict[str, Prospect]) -> dict[str, str]:
    """Return who of those listed had enrolled by themselves, under an address they verified."""
    alone = [each.key for each in said if each.key not in known or not known[each.key].partner]
    found = partners.by_email_keys(program, alone) if alone else {}
    return {key: partner.id for key, partner in found.items() if partner.verified}


def _take(
    writes: Transaction,
    before: Prospect | None,
    said: Prospect,
    partner_id: str,
    now: Instant,
    actor: str,
) -> str:
    """Add what an entry changes, also on the partner it became; return what it was."""
    moved = life.listed(before, said, partner=partner_id, now=now, actor=actor)
    if moved is None:
        return "known"
    after, event = moved
    prospects.save(writes, before, after, event)
    partner = partners.find_partner(after.partner) if after.partner else None
    if partner:
        relisted, told = partner_life.relisted(partner, after, now=now, actor=actor)
        partners.save(writes, partner, relisted, told)
    return "changed" if before else "listed"


def _entries(given: Sequence[NewProspect], document: Program, now: Instant) -> list[Prospect]:
    """Return the entries as they would be stored.

    Raises:
        SeveralFaultsError: One fault for each value that cannot be accepted.
    """
    named = reps.find_all(sorted({each.owner for each in given if each.owner}))
    owners = {rep.id for rep in named.values() if rep.active and rep.program == document.id}
    secret = keyring.secret(keyring.IDENTITY)
    faults: list[Fault] = []
    found: dict[str, Prospect] = {}
    for place, each in enumerate(given):
        at = f"prospects[{place}]"
        faults += _faults(each, document, owners, at)
        try:
            key = identity.email_key(identity.check_email(each.email), secret)
        except InvalidInputError as failure:
            faults.append(Fault(failure.code, f"{at}.email", failure.message))
            continue
        if key in found:
            faults.append(Fault("given_twice", f"{at}.email", "the same mailbox is above"))
        found[key] = Prospect(
            program=document.id,
            key=key,
            version=1,
            listed_at=now,
            segment=each.segment,
            score=each.score,
            customer_since=each.customer_since,
            type=each.type,
            owner=each.owner,
        )
    if faults:
        raise SeveralFaultsError("invalid_prospects", "some entries cannot be accepted", faults)
    return list(found.values())


def _faults(each: NewProspect, document: Program, owners: set[str], at: str) -> list[Fault]:
    faults = []
    if each.type and each.type not in document.partner_types:
        faults.append(Fault("unknown_type", f"{at}.type", "the program has no such type"))
    if each.owner and each.owner not in owners:
        faults.append(Fault("unknown_rep", f"{at}.owner", "no such rep who takes leads"))
    if each.customer_since and not _is_day(each.customer_since):
        faults.append(Fault("invalid_date", f"{at}.customer_since", "there is no such day"))
    return faults


def _is_day(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True
