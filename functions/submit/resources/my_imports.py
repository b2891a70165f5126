"""A partner's own imports: leads, many at once, credited to nobody else."""

from __future__ import annotations

from typing import Any, Literal

from introducer.errors import NotFoundError
from introducer.tables import imports, programs
from submit.acting import PARTNER, active_partner_of, partner_of
from submit.http import Answer, Call, Resource
from submit.inputs import Paging
from submit.resources.imports import (
    ImportList,
    ImportRead,
    ImportRequested,
    NewFile,
    announce,
    read,
    row,
    tell_upload,
)

resource = Resource(__name__)


class NewOwnImport(NewFile, frozen=True, kw_only=True):
    """A file of leads of one's own."""

    kind: Literal["referrals"]


@resource.endpoint(
    "POST",
    "/v1/me/imports",
    roles=PARTNER,
    body=NewOwnImport,
    answer=ImportRequested,
    status=202,
    location="imports/{id}",
    unstored=tell_upload,
    codes=("not_enrolled", "closed"),
)
def request_own_import(call: Call[NewOwnImport, Any]) -> Answer:
    """Announce a file of leads, each of them credited to the caller."""
    partner = active_partner_of(call)
    document = programs.current(partner.program, call.now).document
    return announce(
        call, document, call.body.kind, usual={}, path="/v1/me/imports", partner=partner.id
    )


@resource.endpoint(
    "GET",
    "/v1/me/imports",
    roles=PARTNER,
    query=Paging,
    answer=ImportList,
    codes=("not_enrolled",),
)
def list_own_imports(call: Call[Any, Paging]) -> Answer:
    """List one's own imports, newest first."""
    partner = partner_of(call)
    found, page = imports.of_partner(partner.id, limit=call.query.limit, start=call.start())
    rows = [row(job, progress, call.now) for job, progress in found]
    return Answer(body=ImportList(items=rows, next=call.next(page.next)))


@resource.endpoint(
    "GET",
    "/v1/me/imports/{import}",
    roles=PARTNER,
    answer=ImportRead,
    codes=("not_enrolled",),
)
def read_own_import(call: Call[Any, Any]) -> Answer:
    """Read one's own import: how far it is, or what came of it and where the result is."""
    partner = partner_of(call)
    job = imports.get(call.path["import"])
    if job.partner != partner.id:
        raise NotFoundError("no such import")
    return Answer(body=read(job, call.now))
