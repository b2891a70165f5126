"""Reps: let them in, say which leads they take, and whose partners they look after."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from introducer import identity, ids, working_hours
from introducer.errors import InvalidInputError, NotFoundError
from introducer.partner import Rep, owner_changed
from introducer.program import Program
from introducer.tables import partners, programs, reps
from introducer.tables.people import Contact
from introducer.tables.store import Transaction
from introducer.working_hours import Hours
from submit import inputs
from submit.acting import MANAGER, READERS
from submit.http import Answer, Call, Resource
from submit.inputs import Input, Paging

resource = Resource(__name__)

Region = Annotated[str, Meta(pattern=r"^([a-z][a-z0-9_-]{0,31})?$(?!\n)")]
Product = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]{0,31}$(?!\n)")]
Language = Annotated[str, Meta(pattern=r"^[a-z]{2}$(?!\n)", description="ISO 639-1")]
People = Annotated[int, Meta(ge=0, le=10_000_000)]
Zone = Annotated[str, Meta(max_length=64, pattern=r"^[A-Za-z0-9_+/-]*$(?!\n)")]


class RepProfile(Input, frozen=True, kw_only=True):
    """Which leads a rep takes; what is left out is any, everywhere, always.

    `min_size` and `max_size` are how many people the lead's company employs, `capacity` is the
    most leads open at once; 0 is no limit. `hours` are of the wall clock in `time_zone`, by
    default the program's; a weekday left out is a day off. An inactive rep gets no leads.
    """

    active: bool = True
    region: Region = ""
    countries: Annotated[list[inputs.Country], Meta(max_length=250)] = []
    products: Annotated[list[Product], Meta(max_length=200)] = []
    languages: Annotated[list[Language], Meta(max_length=50)] = []
    min_size: People = 0
    max_size: People = 0
    capacity: Annotated[int, Meta(ge=0, le=1_000)] = 0
    time_zone: Zone = ""
    hours: Hours = {}


class NewRep(RepProfile, frozen=True, kw_only=True):
    """A sales representative. ``login`` is the subject of the login that acts for them."""

    id: Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9-]{1,31}$(?!\n)")]
    login: inputs.Word
    name: inputs.Line
    email: inputs.Email
    phone: inputs.Phone = ""


class RepMade(msgspec.Struct, frozen=True, kw_only=True):
    """The new rep."""

    id: str


class RepRead(msgspec.Struct, frozen=True, kw_only=True):
    """A rep and which leads they take. Who they are stays with their login."""

    id: str
    active: bool
    region: str
    countries: list[str]
    products: list[str]
    languages: list[str]
    min_size: int
    max_size: int
    capacity: int
    time_zone: str
    hours: Hours


class RepList(msgspec.Struct, frozen=True, kw_only=True):
    """One page of reps by id; ``next`` is empty on the last."""

    items: list[RepRead]
    next: str


class Owner(Input, frozen=True, kw_only=True):
    """The rep who looks after a partner; empty for nobody."""

    rep: Annotated[str, Meta(pattern=r"^([a-z0-9][a-z0-9-]{1,31})?$(?!\n)")]


class OwnerSet(msgspec.Struct, frozen=True, kw_only=True):
    """A partner and the rep who looks after them now."""

    partner: str
    rep: str


@resource.endpoint(
    "POST",
    "/v1/programs/{program}/reps",
    roles=MANAGER,
    body=NewRep,
    answer=RepMade,
    status=201,
    codes=("already_exists", "invalid_email", "invalid_phone", "invalid_input"),
)
def add_rep(call: Call[NewRep, Any]) -> Answer:
    """Add a rep who can be given leads."""
    version = programs.current(call.path["program"], call.now)
    _check(call.body, version.document)
    rep = Rep(
        id=call.body.id,
        program=version.program,
        person=ids.new_id(),
        login=call.body.login,
        created_at=call.now,
        version=1,
        **_profile(call.body),
    )
    contact = Contact(
        name=call.body.name,
        email=identity.check_email(call.body.email),
        phone=identity.check_phone(call.body.phone, "") if call.body.phone else "",
    )
    writes = Transaction()
    reps.add(writes, rep, contact, actor=call.caller.name)
    return Answer(body=RepMade(id=rep.id), writes=writes)


@resource.endpoint(
    "GET", "/v1/programs/{program}/reps", roles=READERS, query=Paging, answer=RepList
)
def list_reps(call: Call[Any, Paging]) -> Answer:
    """List a program's reps and which leads they take."""
    found, page = reps.of_program(call.path["program"], limit=call.query.limit, start=call.start())
    return Answer(body=RepList(items=[_read(each) for each in found], next=call.next(page.next)))


@resource.endpoint(
    "PUT",
    "/v1/programs/{program}/reps/{rep}",
    roles=MANAGER,
    body=RepProfile,
    answer=RepRead,
    codes=("invalid_input",),
)
def change_rep(call: Call[RepProfile, Any]) -> Answer:
    """Say anew which leads a rep takes, and whether any; what is left out is no limit."""
    before = reps.find(call.path["rep"])
    if before is None or before.program != call.path["program"]:
        raise NotFoundError("no such rep")
    _check(call.body, programs.current(before.program, call.now).document)
    after = msgspec.structs.replace(before, **_profile(call.body))
    if after == before:
        return Answer(body=_read(before))
    writes = Transaction()
    reps.change(writes, before, after, now=call.now, actor=call.caller.name)
    return Answer(body=_read(after), writes=writes)


@resource.endpoint(
    "PUT",
    "/v1/partners/{partner}/owner",
    roles=MANAGER,
    body=Owner,
    answer=OwnerSet,
    codes=("unknown_rep",),
)
def set_owner(call: Call[Owner, Any]) -> Answer:
    """Say which rep looks after a partner; programs may give them the partner's leads first."""
    before = partners.find_partner(call.path["partner"])
    if before is None:
        raise NotFoundError("no such partner")
    rep = reps.find(call.body.rep) if call.body.rep else None
    if call.body.rep and (rep is None or rep.program != before.program):
        raise InvalidInputError("rep", "the program has no such rep", code="unknown_rep")
    answer = OwnerSet(partner=before.id, rep=call.body.rep)
    if before.owner == call.body.rep:
        return Answer(body=answer)
    after, event = owner_changed(before, call.body.rep, now=call.now, actor=call.caller.name)
    writes = Transaction()
    partners.save(writes, before, after, event)
    return Answer(body=answer, writes=writes)


def _profile(body: RepProfile) -> dict[str, Any]:
    return {name: getattr(body, name) for name in RepProfile.__struct_fields__}


def _read(rep: Rep) -> RepRead:
    return RepRead(id=rep.id, **{name: getattr(rep, name) for name in RepProfile.__struct_fields__})


def _check(body: RepProfile, document: Program) -> None:
    """Refuse what a shape cannot: products, zones and spans that mean nothing."""
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError  # 3 ms, only here

    for product in body.products:
        if product not in document.products:
            raise InvalidInputError("products", f"the program has no product {product}")
    if body.max_size and body.max_size < body.min_size:
        raise InvalidInputError("max_size", "smaller than min_size")
    for day in working_hours.backwards(body.hours):
        raise InvalidInputError(f"hours.{day}", "a span ends before it begins")
    try:
        ZoneInfo(body.time_zone or "UTC")
    except (ZoneInfoNotFoundError, ValueError, OSError) as failure:
        raise InvalidInputError("time_zone", "use an IANA name such as Europe/Berlin") from failure
