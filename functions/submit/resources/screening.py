"""Screening of payees: the list of people nobody may pay, what it found, and a person's word."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from botocore.exceptions import ClientError
from msgspec import Meta

from introducer import sanctions
from introducer.clients import client
from introducer.errors import NotFoundError, TransitionError
from introducer.settings import setting
from introducer.tables import partners, people, programs, screening
from introducer.tables.screening import CurrentList
from introducer.tables.store import Transaction
from submit.acting import FINANCE, READERS
from submit.http import Answer, Call, Resource
from submit.inputs import Input, Paging

LIST_LIMIT_BYTES = 4_000_000
"""Below what a function is handed; the longest published lists stay under half of it."""

resource = Resource(__name__)


class NewList(Input, frozen=True, kw_only=True):
    """A list as CSV: ``id,name,aliases,country``, aliases separated by ``;``."""

    csv: Annotated[str, Meta(min_length=1, max_length=LIST_LIMIT_BYTES)]


class ListTaken(msgspec.Struct, frozen=True, kw_only=True):
    """The list that counts from now on; payees are compared with it before they are paid."""

    digest: str
    entries: int


class HitRow(msgspec.Struct, frozen=True, kw_only=True):
    """A partner whose name is like an entry of the list; ``entries`` are the ids there.

    ``score`` is the likeness of the best one, of 100; ``name`` is the partner's.
    """

    partner: str
    name: str
    country: str
    entries: list[str]
    score: int
    at: str


class HitList(msgspec.Struct, frozen=True, kw_only=True):
    """One page of hits nobody looked at, oldest first, and the digest of the list that counts."""

    items: list[HitRow]
    next: str
    digest: str
    entries: int
    replaced_at: str


class Clearance(Input, frozen=True, kw_only=True):
    """Why the partner may be paid although the list has a name like theirs.

    ``entries`` are the ids that were looked at: all that ``GET …/screening`` names.
    """

    entries: Annotated[
        list[Annotated[str, Meta(min_length=1, max_length=64)]], Meta(min_length=1, max_length=100)
    ]
    reason: Literal["other_person", "other_birth_date", "other_country", "licence"]


class OtherEntriesError(TransitionError):
    """Other entries are noted now than those somebody looked at."""

    code = "other_entries"


class Cleared(msgspec.Struct, frozen=True, kw_only=True):
    """A partner who may be paid again."""

    id: str
    screening: str


@resource.endpoint(
    "PUT",
    "/v1/programs/{program}/screening-list",
    roles=FINANCE,
    body=NewList,
    answer=ListTaken,
    limit_bytes=LIST_LIMIT_BYTES,
    codes=("invalid_list",),
)
def put_list(call: Call[NewList, Any]) -> Answer:
    """Replace the list that payees are compared with. All of them are compared anew."""
    program, text = programs.current(call.path["program"], call.now).program, call.body.csv
    entries, digest = len(sanctions.parse(text)), sanctions.digest(text)
    before = screening.current(program)
    taken = ListTaken(digest=digest, entries=entries)
    if before and before.digest == digest:
        return Answer(body=taken)
    after = CurrentList(
        program=program,
        version=before.version + 1 if before else 1,
        digest=digest,
        entries=entries,
        at=call.now,
        by=call.caller.name,
    )
    _write(after.file, text.encode())
    writes = Transaction()
    screening.replace(writes, before, after)
    return Answer(body=taken, writes=writes)


@resource.endpoint(
    "GET",
    "/v1/programs/{program}/screening",
    roles=READERS,
    query=Paging,
    answer=HitList,
)
def list_hits(call: Call[Any, Paging]) -> Answer:
    """List the payees whom the list may mean and nobody looked at yet."""
    program = programs.current(call.path["program"], call.now).program
    found, after = screening.hits(program, limit=call.query.limit, start=call.start())
    profiles = partners.find_partners([each.partner for each in found])
    against = screening.current(program)
    rows = []
    for each in found:
        profile = profiles.get(each.partner)
        contact = people.contact(profile.person) if profile else None
        rows.append(
            HitRow(
                partner=each.partner,
                name=contact.name if contact else "",
                country=profile.country if profile else "",
                entries=[hit.id for hit in each.hits],
                score=each.hits[0].score,
                at=each.at,
            )
        )
    return Answer(
        body=HitList(
            items=rows,
            next=call.next(after),
            digest=against.digest if against else "",
            entries=against.entries if against else 0,
            replaced_at=against.at if against else "",
        )
    )


@resource.endpoint(
    "POST",
    "/v1/partners/{partner}/screening/clear",
    roles=FINANCE,
    body=Clearance,
    answer=Cleared,
    codes=("transition_not_allowed", "other_entries"),
)
def clear_hit(call: Call[Clearance, Any]) -> Answer:
    """Say that the entries found are somebody else, or that there is a licence to pay.

    It holds for these entries and this account; other entries or another account are a new hit.
    Refused with ``other_entries`` when a new list found others since they were read.
    """
    partner = partners.find_partner(call.path["partner"])
    if partner is None:
        raise NotFoundError("no such partner")
    found = screening.found(partner.id)
    if found is None or found.result != "hit" or partner.screening != "hit":
        raise TransitionError("nothing was found that could be cleared", status=partner.screening)
    if set(call.body.entries) != {hit.id for hit in found.hits}:
        message = "other entries are noted now; look at them first"
        raise OtherEntriesError(message)
    noted = msgspec.structs.replace(
        found,
        result="cleared",
        at=call.now,
        cleared=sorted({*found.cleared, *(hit.id for hit in found.hits)}),
        cleared_by=call.caller.name,
        reason=call.body.reason,
    )
    writes = Transaction()
    screening.note(writes, partner, noted, actor=call.caller.name)
    return Answer(body=Cleared(id=partner.id, screening="cleared"), writes=writes)


def _write(key: str, content: bytes) -> None:
    """Write a list under the digest of its text; it may be there already."""
    try:
        client("s3").put_object(
            Bucket=setting("BANK_BUCKET"),
            Key=key,
            Body=content,
            ContentType="text/csv",
            IfNoneMatch="*",
        )
    except ClientError as failure:
        if failure.response["Error"]["Code"] != "PreconditionFailed":
            raise
