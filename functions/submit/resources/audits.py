"""What the audit of the records found."""

from __future__ import annotations

from typing import Any

import msgspec

from introducer.clients import client
from introducer.errors import NotFoundError
from introducer.settings import setting
from introducer.tables import audits
from introducer.tables.audits import Report
from submit.acting import READERS
from submit.http import Answer, Call, Resource
from submit.inputs import Paging

resource = Resource(__name__)

LINK_S = 900


class AuditRow(msgspec.Struct, frozen=True, kw_only=True):
    """What the newest look at the records of a day found, by kind.

    ``counts`` has `missing`, `duplicated`, `misattributed` and `orphaned`.
    """

    day: str
    at: str
    looked_at: dict[str, int]
    counts: dict[str, int]


class AuditList(msgspec.Struct, frozen=True, kw_only=True):
    """One page of reports, the newest day first; ``next`` is empty on the last."""

    items: list[AuditRow]
    next: str


class AuditFinding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is wrong: a kind, a code, the entity, and what else it is about."""

    kind: str
    code: str
    entity: str
    about: str


class AuditDetail(msgspec.Struct, frozen=True, kw_only=True):
    """A report with its findings, at most 500; ``file`` leads to all of them for 15 minutes."""

    report: AuditRow
    findings: list[AuditFinding]
    file: str


@resource.endpoint(
    "GET",
    "/v1/programs/{program}/audits",
    roles=READERS,
    query=Paging,
    answer=AuditList,
)
def list_audits(call: Call[Any, Paging]) -> Answer:
    """List what the audit found about the records of each day, the newest first."""
    found, page = audits.of_program(
        call.path["program"], limit=call.query.limit, start=call.start()
    )
    items = [_row(each) for each in found]
    return Answer(body=AuditList(items=items, next=call.next(page.next)))


@resource.endpoint(
    "GET",
    "/v1/programs/{program}/audits/{day}",
    roles=READERS,
    answer=AuditDetail,
)
def read_audit(call: Call[Any, Any]) -> Answer:
    """Read the findings of a day: ids and codes, nobody's name."""
    found = audits.find(call.path["program"], call.path["day"])
    if found is None:
        raise NotFoundError("nothing was audited about this day")
    return Answer(
        body=AuditDetail(
            report=_row(found),
            findings=[
                AuditFinding(kind=each.kind, code=each.code, entity=each.entity, about=each.about)
                for each in found.findings
            ],
            file=client("s3").generate_presigned_url(
                "get_object",
                Params={"Bucket": setting("BANK_BUCKET"), "Key": found.file},
                ExpiresIn=LINK_S,
            ),
        )
    )


def _row(found: Report) -> AuditRow:
    return AuditRow(day=found.day, at=found.at, looked_at=found.looked_at, counts=found.counts)
