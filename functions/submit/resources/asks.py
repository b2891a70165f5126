"""Asking people to refer who were chosen by a marketer or a rep."""

from __future__ import annotations

from collections import Counter
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from introducer import advocacy, identity, ids, keyring
from introducer.advocacy import Rule
from introducer.document.intake import Advocacy
from introducer.errors import Fault, InvalidInputError, SeveralFaultsError
from introducer.program import Program, ProgramVersion
from introducer.tables import programs
from submit import asks, inputs
from submit.acting import MANAGER, REP
from submit.asks import CountryOrNone, LocaleOrNone, NameOrNone, Person, Wish
from submit.http import Answer, Call, Resource
from submit.inputs import Input
from submit.resources.invitations import working_rep

MOST_IN_A_CALL = 50

resource = Resource(__name__)
managed = Resource(f"{__name__}.managed")

CODES = (
    "unknown_rule",
    "unknown_audience",
    "missing_field",
    "invalid_email",
    "given_twice",
    "invalid_people",
)
KeyOrNone = Annotated[str, Meta(pattern=r"^([a-z][a-z0-9_]{0,31})?$(?!\n)")]


class PersonAsked(Input, frozen=True, kw_only=True):
    """Whom to ask: by address. The rest serves to invite them when they are no partner."""

    email: inputs.Email
    name: NameOrNone = ""
    country: CountryOrNone = ""
    locale: LocaleOrNone = ""


class NewAsks(Input, frozen=True, kw_only=True):
    """People, and either an advocacy rule of the program or the audience to invite them to.

    ``asset`` is the piece of the assets library that the ask carries, for an audience.
    """

    people: Annotated[list[PersonAsked], Meta(min_length=1, max_length=MOST_IN_A_CALL)]
    rule: KeyOrNone = ""
    audience: KeyOrNone = ""
    asset: KeyOrNone = ""


class AsksTaken(msgspec.Struct, frozen=True, kw_only=True):
    """How many were asked, invited because they are no partner, or reminded of an invitation.

    ``rested`` were asked not long ago; ``left_out`` may not be invited or take part no more.
    """

    asked: int
    invited: int
    reminded: int
    rested: int
    left_out: int


@managed.endpoint(
    "POST",
    "/v1/programs/{program}/asks",
    roles=MANAGER,
    body=NewAsks,
    answer=AsksTaken,
    codes=CODES,
)
def ask_as_manager(call: Call[NewAsks, Any]) -> Answer:
    """Ask up to 50 people to refer; nobody before their pause is over.

    Sent again with the same key, everybody is asked once.
    """
    version = programs.current(call.path["program"], call.now)
    return _ask(call, version, actor=call.caller.name)


@resource.endpoint(
    "POST",
    "/v1/rep/asks",
    roles=REP,
    body=NewAsks,
    answer=AsksTaken,
    codes=("not_enrolled", *CODES),
)
def ask_as_rep(call: Call[NewAsks, Any]) -> Answer:
    """Ask up to 50 people to refer; who is invited is the caller's partner.

    Sent again with the same key, everybody is asked once.
    """
    rep = working_rep(call)
    version = programs.current(rep.program, call.now)
    return _ask(call, version, actor=rep.entity, owner=rep.id)


def _ask(
    call: Call[NewAsks, Any], version: ProgramVersion, *, actor: str, owner: str = ""
) -> Answer:
    _check_addresses(call.body)
    wish = Wish(
        rule=_rule(call.body, version.document),
        actor=actor,
        cause=ids.derived_id("asks", actor, call.headers.get("idempotency-key", "")),
        owner=owner,
    )
    # One transaction each: what was done stays done, and the wish's cause knows it again.
    outcomes = Counter[str](
        asks.ask(
            version,
            Person(email=each.email, name=each.name, country=each.country, locale=each.locale),
            wish,
            now=call.now,
        )
        for each in call.body.people
    )
    return Answer(body=msgspec.convert({**_NOBODY, **outcomes}, AsksTaken))


_NOBODY: dict[str, int] = dict.fromkeys(AsksTaken.__struct_fields__, 0)


def _rule(body: NewAsks, document: Program) -> Rule:
    if body.rule:
        terms: Advocacy | None = document.advocacy.get(body.rule)
        if terms is None:
            raise InvalidInputError("rule", "the program has no such rule", code="unknown_rule")
        return Rule(key=body.rule, terms=terms)
    if not body.audience:
        raise InvalidInputError("audience", "say a rule or an audience", code="missing_field")
    if body.audience not in document.audiences:
        raise InvalidInputError("audience", "no such audience", code="unknown_audience")
    return advocacy.choice(body.audience, body.asset or None)


def _check_addresses(body: NewAsks) -> None:
    faults: list[Fault] = []
    seen: set[str] = set()
    secret = keyring.secret(keyring.IDENTITY)
    for place, each in enumerate(body.people):
        field = f"people[{place}].email"
        try:
            key = identity.email_key(identity.check_email(each.email), secret)
        except InvalidInputError as failure:
            faults.append(Fault(failure.code, field, failure.message))
            continue
        if key in seen:
            faults.append(Fault("given_twice", field, "the same mailbox is above"))
        seen.add(key)
    if faults:
        raise SeveralFaultsError("invalid_people", "some people cannot be asked", faults)
