"""Imports over the API: announced once, listed, read, and never anybody else's business."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

import pytest

from introducer import imports as importing
from introducer.imports import Import
from introducer.tables import events, imports
from introducer.tables.store import Transaction
from tests.support import life
from tests.support.api import call, login
from tests.support.importing import THREE, deliver, outcomes, result, upload

MANAGER = login("sub-m", "manager")
AUDITOR = login("sub-a", "auditor")
PIA = login("login-pia", "partner")
PAUL = login("login-paul", "partner")
PATH = f"/v1/programs/{life.PROGRAM}/imports"
NOW = "2026-11-22T11:17:00.000Z"
FILE = {"kind": "referrals", "bytes": len(THREE.encode()), "consent_version": "2026-11"}


@pytest.fixture(autouse=True)
def clock_hand(
    aws: None,  # noqa: ARG001  (pytest orders fixtures by it)
    frozen: Callable[[str], None],
) -> Callable[[str], None]:
    """A published program with two partners; the value moves the clock."""
    frozen(NOW)
    life.publish()
    life.enrol("pia")
    life.enrol("paul", login="login-paul")
    return frozen


def end(before: Import) -> None:
    """Store the end of a job."""
    after, event = importing.finish(before, rows=3, counts={"created": 2, "refused": 1}, now=NOW)
    writes = Transaction()
    imports.save(writes, before, after, event)
    writes.commit()


def test_import_is_announced_with_a_link_for_its_file() -> None:
    """202, where to look, and a link that signs type and length; one event says who asked."""
    reply = call("POST", PATH, FILE, claims=MANAGER)
    name = reply.body["id"]
    assert (202, f"imports/{name}") == (reply.status, reply.headers["location"])
    link = reply.body.pop("upload")
    assert {
        "id": name,
        "status": "awaiting_upload",
        "path": f"{PATH}/{name}",
        "upload_until": "2026-11-22T11:22:00.000Z",
    } == reply.body
    parts = urlsplit(link)
    assert parts.path.endswith(f"/imports/{name}/upload.csv")
    query = parse_qs(parts.query)
    assert (["300"], ["content-length;content-type;host"]) == (
        query["X-Amz-Expires"],
        query["X-Amz-SignedHeaders"],
    )
    (event,) = events.of_entity(f"IMPORT#{name}")
    assert ("ImportRequested", "user:sub-m", {"kind": "referrals"}) == (
        event.type,
        event.actor,
        event.data,
    )


def test_repeated_request_is_one_job(clock_hand: Callable[[str], None]) -> None:
    """The same key tells the same job with a new link; when that is over, with none."""
    first = call("POST", PATH, FILE, claims=MANAGER, key="import-key-1")
    clock_hand("2026-11-22T11:20:00.000Z")
    again = call("POST", PATH, FILE, claims=MANAGER, key="import-key-1")
    assert (first.body["id"], "true") == (again.body["id"], again.headers["idempotent-replayed"])
    assert again.body["upload"]
    clock_hand("2026-11-22T11:30:00.000Z")
    late = call("POST", PATH, FILE, claims=MANAGER, key="import-key-1")
    assert (first.body["id"], "") == (late.body["id"], late.body["upload"])
    assert 1 == len(call("GET", PATH, claims=MANAGER).body["items"])


def test_import_is_read_as_it_goes_on(clock_hand: Callable[[str], None]) -> None:
    """Awaited, done with its counts and a link, expired without; an auditor may look."""
    name = call("POST", PATH, FILE, claims=MANAGER).body["id"]
    row = {
        "id": name,
        "program": life.PROGRAM,
        "kind": "referrals",
        "status": "awaiting_upload",
        "partner": "",
        "requested_at": NOW,
        "requested_by": "user:sub-m",
        "updated_at": NOW,
        "expires_at": "2026-12-06T11:17:00.000Z",
        "rows": 0,
        "counts": {},
        "code": "",
    }
    seen = call("GET", f"{PATH}/{name}", claims=AUDITOR).body
    assert {"id": name, "job": row, "result": "", "findings": []} == seen
    end(imports.get(name))
    seen = call("GET", f"{PATH}/{name}", claims=MANAGER).body
    link = seen.pop("result")
    done = {**row, "status": "done", "rows": 3, "counts": {"created": 2, "refused": 1}}
    assert {"id": name, "job": done, "findings": []} == seen
    assert urlsplit(link).path.endswith(f"/imports/{name}/result.csv")
    assert [done] == call("GET", PATH, claims=AUDITOR).body["items"]
    clock_hand("2026-12-07T00:00:00.000Z")
    seen = call("GET", f"{PATH}/{name}", claims=MANAGER).body
    assert ("expired", "") == (seen["job"]["status"], seen["result"])


def test_partner_imports_leads_of_their_own() -> None:
    """The job is theirs, it acts in their name, and the manager sees it beside the others."""
    own = {name: value for name, value in FILE.items() if name != "kind"} | {"kind": "referrals"}
    made = call("POST", "/v1/me/imports", own, claims=PIA)
    name = made.body["id"]
    assert (202, f"/v1/me/imports/{name}") == (made.status, made.body["path"])
    job = imports.get(name)
    assert ("pia", "PARTNER#pia", {"consent_version": "2026-11"}) == (
        job.partner,
        job.requested_by,
        job.defaults,
    )
    assert [name] == [
        each["id"] for each in call("GET", "/v1/me/imports", claims=PIA).body["items"]
    ]
    assert [name] == [each["id"] for each in call("GET", PATH, claims=MANAGER).body["items"]]
    assert name == call("GET", f"/v1/me/imports/{name}", claims=PIA).body["id"]


def test_partner_sees_and_brings_in_nothing_else() -> None:
    """Not another's job, not the company's, and no kind but leads."""
    theirs = call("POST", "/v1/me/imports", FILE, claims=PIA).body["id"]
    company = call("POST", PATH, FILE, claims=MANAGER).body["id"]
    for name in (theirs, company, "nothing"):
        assert (404, "not_found") == call("GET", f"/v1/me/imports/{name}", claims=PAUL).problem()
    assert [] == call("GET", "/v1/me/imports", claims=PAUL).body["items"]
    for kind in ("partners", "paid_rewards", "accounts"):
        asked = call("POST", "/v1/me/imports", {**FILE, "kind": kind}, claims=PAUL)
        assert (400, "invalid_input", "kind") == asked.field()
    for method in ("GET", "POST"):
        body = FILE if method == "POST" else None
        assert (403, "forbidden") == call(method, PATH, body, claims=PAUL).problem()
    assert (403, "forbidden") == call("POST", PATH, FILE, claims=AUDITOR).problem()
    stranger = login("sub-x", "partner")
    assert (404, "not_enrolled") == call("POST", "/v1/me/imports", FILE, claims=stranger).problem()


def test_import_of_another_program_is_not_found() -> None:
    """The path names the program, and the job must be of it."""
    name = call("POST", PATH, FILE, claims=MANAGER).body["id"]
    life.publish(id="other")
    other = call("GET", f"/v1/programs/other/imports/{name}", claims=MANAGER)
    assert (404, "not_found") == other.problem()
    nowhere = call("POST", "/v1/programs/nowhere/imports", FILE, claims=MANAGER)
    assert (404, "not_found") == nowhere.problem()


def test_request_says_what_cannot_be() -> None:
    """An audience nobody knows, a channel that is closed, a file that is too large or empty."""
    wrong = call("POST", PATH, {**FILE, "audience": "nobody"}, claims=MANAGER)
    assert (422, "unknown_audience", "audience") == wrong.field()
    for size in (0, importing.UPLOAD_LIMIT_BYTES + 1):
        sent = call("POST", PATH, {**FILE, "bytes": size}, claims=MANAGER)
        assert (400, "invalid_input", "bytes") == sent.field()
    life.publish(intake={"channels": ["form"]})
    assert (422, "closed", "kind") == call("POST", PATH, FILE, claims=MANAGER).field()
    assert 202 == call("POST", PATH, {**FILE, "kind": "invitations"}, claims=MANAGER).status


def test_file_of_a_partner_credits_them_from_request_to_result(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What the API stored is what the worker acts on: the partner column is not theirs to fill."""
    name = call("POST", "/v1/me/imports", FILE, claims=PIA).body["id"]
    monkeypatch.setenv("IMPORT_DEAD_URL", "https://queue.example")
    upload(name, THREE.replace(",pia", ",").replace(",paul", ",paul"))
    assert [] == deliver(name)
    assert [
        ("2", "created", "", ""),
        ("3", "created", "", ""),
        ("4", "refused", "not_allowed", "partner"),
    ] == outcomes(result(name))
