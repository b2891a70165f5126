"""Previews over the API: asked for once, listed, read, and never anybody else's business."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec
import pytest

from introducer import clock
from introducer import preview as previewing
from introducer.clients import client
from introducer.errors import StaleError, TransitionError
from introducer.preview import Preview, Progress
from introducer.tables import events, previews
from introducer.tables.leases import LeaseLostError
from introducer.tables.store import Transaction
from tests.support import life
from tests.support.api import call, login
from tests.support.tables import everything

MANAGER = login("sub-m", "manager")
AUDITOR = login("sub-a", "auditor")
PATH = f"/v1/programs/{life.PROGRAM}/previews"
BUCKET = "introducer-test-preview"
NOW = "2026-11-22T11:17:00.000Z"
PAST = {"kind": "past", "from": "2026-10-01", "until": "2026-11-21"}

pytestmark = pytest.mark.usefixtures("aws")


@pytest.fixture(autouse=True)
def clock_hand(
    aws: None,  # noqa: ARG001  (pytest orders fixtures by it)
    frozen: Callable[[str], None],
    monkeypatch: pytest.MonkeyPatch,
) -> Callable[[str], None]:
    """A published program and a bucket; the value moves the clock."""
    frozen(NOW)
    life.publish()
    monkeypatch.setenv("PREVIEW_BUCKET", BUCKET)
    client("s3").create_bucket(Bucket=BUCKET)
    return frozen


def body(data: dict[str, Any] | None = None, **overrides: Any) -> dict[str, Any]:
    """Return a request to preview the program with some parts changed."""
    draft = msgspec.to_builtins(life.document(name="Acme, better paid", **overrides))
    return {"document": draft, "data": data or PAST}


def job(preview: str) -> Preview:
    """Return a job that was asked for."""
    return previews.get(preview)


def end(before: Preview, after: Preview, event: Any) -> None:
    """Store the end of a job."""
    writes = Transaction()
    previews.save(writes, before, after, event)
    writes.commit()


def test_preview_is_accepted_with_its_draft_and_one_event() -> None:
    """202 and where to look; the draft lies beside the job, its event says who asked."""
    reply = call("POST", PATH, body(), claims=MANAGER)
    name = reply.body["id"]
    assert (202, f"../../previews/{name}") == (reply.status, reply.headers["location"])
    assert {
        "id": name,
        "status": "queued",
        "path": f"/v1/previews/{name}",
        "upload_until": "",
        "upload": "",
    } == reply.body
    assert "Acme, better paid" == previews.draft(name).name
    (event,) = events.of_entity(f"PREVIEW#{name}")
    assert ("PreviewRequested", "user:sub-m", life.PROGRAM, {"kind": "past"}) == (
        event.type,
        event.actor,
        event.program,
        event.data,
    )


def test_draft_may_extend_another_program_as_a_publication_may() -> None:
    """What it does not say is the base's; a base that is not there is a finding."""
    region = {
        "id": "acme-us",
        "name": "Acme in America",
        "extends": {"program": life.PROGRAM, "version": 1},
    }
    published = call("POST", "/v1/programs/acme-us/versions", region, claims=MANAGER)
    assert 201 == published.status, published.body

    made = call(
        "POST", "/v1/programs/acme-us/previews", {"document": region, "data": PAST}, claims=MANAGER
    )
    region["extends"]["version"] = 7
    lost = call(
        "POST", "/v1/programs/acme-us/previews", {"document": region, "data": PAST}, claims=MANAGER
    )

    draft = previews.draft(made.body["id"])
    assert ("acme-us", life.document().rewards) == (draft.id, draft.rewards)
    assert (422, "invalid_program") == (lost.status, lost.body["code"])
    assert "$.extends" in lost.body["findings"][0]["path"]


def test_preview_is_read_as_it_goes_on(clock_hand: Callable[[str], None]) -> None:
    """Queued, running with its counts, done with links that end, expired without them."""
    name = call("POST", PATH, body(), claims=MANAGER).body["id"]
    row = {
        "id": name,
        "program": life.PROGRAM,
        "status": "queued",
        "data": {"kind": "past", "from": "2026-10-01", "until": "2026-11-21"},
        "requested_at": NOW,
        "requested_by": "user:sub-m",
        "updated_at": NOW,
        "expires_at": "2026-12-22T11:17:00.000Z",
        "referrals": 0,
        "code": "",
    }
    rest = {"day": "", "live_version": 0, "summary": {}, "links": {"json": "", "csv": ""}}
    whole = {"id": name, "job": row, **rest, "findings": []}
    assert whole == call("GET", f"/v1/previews/{name}", claims=AUDITOR).body
    held = previews.claim(job(name), "worker-1", now=NOW, lease_until=NOW)
    assert held
    previews.advance(job(name), held, Progress(day="2026-10-07", referrals=1200, holder="worker-1"))
    running = {**row, "status": "running", "referrals": 1200}
    seen = call("GET", f"/v1/previews/{name}", claims=MANAGER).body
    assert {**whole, "job": running, "day": "2026-10-07"} == seen
    summary = {"currency": "EUR", "draft_minor": 1000}
    end(
        job(name),
        *previewing.finish(job(name), live_version=1, referrals=1300, summary=summary, now=NOW),
    )
    seen = call("GET", f"/v1/previews/{name}", claims=AUDITOR).body
    links = seen.pop("links")
    assert {
        "id": name,
        "job": {**row, "status": "done", "referrals": 1300},
        "day": "",
        "live_version": 1,
        "summary": summary,
        "findings": [],
    } == seen
    assert {
        "json": (f"/previews/{name}/result.json", ["900"]),
        "csv": (f"/previews/{name}/partners.csv", ["900"]),
    } == {kind: _link(url) for kind, url in links.items()}
    clock_hand("2026-12-22T11:17:00.000Z")
    gone = call("GET", f"/v1/previews/{name}", claims=AUDITOR).body
    assert ("expired", {"json": "", "csv": ""}, {}) == (
        gone["job"]["status"],
        gone["links"],
        gone["summary"],
    )


def _link(url: str) -> tuple[str, list[str]]:
    parts = urlsplit(url)
    path = parts.path.removeprefix(f"/{BUCKET}")
    return path, parse_qs(parts.query)["X-Amz-Expires"]


def test_upload_link_is_bound_to_type_length_and_five_minutes(
    clock_hand: Callable[[str], None],
) -> None:
    """The link signs what may be sent; the same request again gets one that ends with the first."""
    wanted = body({"kind": "upload", "bytes": 4321})
    first = call("POST", PATH, wanted, claims=MANAGER, key="upload-key-1").body
    assert ("awaiting_upload", "2026-11-22T11:22:00.000Z") == (
        first["status"],
        first["upload_until"],
    )
    query = parse_qs(urlsplit(first["upload"]).query)
    assert (["300"], ["content-length;content-type;host"], ["AWS4-HMAC-SHA256"]) == (
        query["X-Amz-Expires"],
        query["X-Amz-SignedHeaders"],
        query["X-Amz-Algorithm"],
    )
    clock_hand("2026-11-22T11:20:00.000Z")
    again = call("POST", PATH, wanted, claims=MANAGER, key="upload-key-1")
    assert {**first, "upload": again.body["upload"]} == again.body
    assert ["120"] == parse_qs(urlsplit(again.body["upload"]).query)["X-Amz-Expires"]
    clock_hand("2026-11-22T11:22:00.000Z")
    late = call("POST", PATH, wanted, claims=MANAGER, key="upload-key-1")
    assert {**first, "upload": ""} == late.body
    path = f"/v1/previews/{first['id']}"
    assert "awaiting_upload" == call("GET", path, claims=MANAGER).body["job"]["status"]
    clock_hand("2026-11-22T11:32:00.000Z")
    assert "expired" == call("GET", path, claims=MANAGER).body["job"]["status"]


def test_preview_asked_for_twice_is_one_job() -> None:
    """The key decides; with another draft it is refused."""
    first = call("POST", PATH, body(), claims=MANAGER, key="preview-key-1")
    stored = everything()
    again = call("POST", PATH, body(), claims=MANAGER, key="preview-key-1")
    assert (first.body, "true", first.headers["location"]) == (
        again.body,
        again.headers["idempotent-replayed"],
        again.headers["location"],
    )
    other = call("POST", PATH, body(retention_days=7), claims=MANAGER, key="preview-key-1")
    assert (422, "idempotency_key_reused") == other.problem()
    assert stored == everything()


def test_draft_with_faults_is_refused_with_all_of_them() -> None:
    """The same findings as on publication, and nothing is stored."""
    wrong = body()
    wrong["document"] |= {"time_zone": "Mars/Olympus", "landing_url": "https://elsewhere.example/"}
    stored = everything()
    reply = call("POST", PATH, wrong, claims=MANAGER)
    assert (422, "invalid_program") == reply.problem()
    published = call(
        "POST",
        f"/v1/programs/{life.PROGRAM}/versions",
        wrong["document"],
        claims=MANAGER,
    )
    assert published.body["findings"] == reply.body["findings"]
    assert {"$.time_zone", "$.landing_url"} <= {each["path"] for each in reply.body["findings"]}
    other = body()
    other["document"]["id"] = "another"
    reply = call("POST", PATH, other, claims=MANAGER)
    assert ["$.id"] == [each["path"] for each in reply.body["findings"]]
    assert stored == everything()


@pytest.mark.parametrize(
    ("data", "status", "code", "field"),
    [
        (
            {"kind": "past", "from": "2026-02-30", "until": "2026-03-01"},
            422,
            "invalid_input",
            "data.from",
        ),
        (
            {"kind": "past", "from": "2026-11-01", "until": "2026-11-23"},
            422,
            "invalid_input",
            "data.until",
        ),
        (
            {"kind": "past", "from": "2026-11-02", "until": "2026-11-01"},
            422,
            "invalid_input",
            "data.until",
        ),
        (
            {"kind": "past", "from": "2021-11-01", "until": "2026-11-22"},
            422,
            "invalid_input",
            "data.from",
        ),
        ({"kind": "past", "from": "2026-11-01"}, 400, "missing_field", "data.until"),
        (
            {"kind": "past", "from": "yesterday", "until": "2026-11-01"},
            400,
            "invalid_input",
            "data.from",
        ),
        ({"kind": "upload", "bytes": 0}, 400, "invalid_input", "data.bytes"),
        ({"kind": "upload", "bytes": 268_435_457}, 400, "invalid_input", "data.bytes"),
        ({"kind": "upload", "bytes": 10, "from": "2026-11-01"}, 400, "unknown_field", "data.from"),
        ({"kind": "guess"}, 400, "invalid_input", "data.kind"),
    ],
)
def test_data_that_mean_nothing_are_refused(
    data: dict[str, Any], status: int, code: str, field: str
) -> None:
    """Days that are none, lie ahead or are too many; files that are empty or too large."""
    stored = everything()
    assert (status, code, field) == call("POST", PATH, body(data), claims=MANAGER).field()
    assert stored == everything()


def test_program_or_preview_that_does_not_exist_is_not_found() -> None:
    """There is nothing to compare with, and nothing to read."""
    draft = body()
    draft["document"]["id"] = "nosuch"
    missing = call("POST", "/v1/programs/nosuch/previews", draft, claims=MANAGER)
    assert (404, "not_found") == missing.problem()
    assert (404, "not_found") == call("GET", "/v1/previews/nosuch", claims=MANAGER).problem()


def test_previews_are_listed_newest_first_page_by_page(clock_hand: Callable[[str], None]) -> None:
    """Each program has its own list; the cursor goes on where the page ended."""
    names = []
    for minute in range(3):
        clock_hand(f"2026-11-22T12:0{minute}:00.000Z")
        names.insert(0, call("POST", PATH, body(), claims=MANAGER).body["id"])
    first = call("GET", f"{PATH}?limit=2", claims=AUDITOR).body
    second = call("GET", f"{PATH}?limit=2&cursor={first['next']}", claims=AUDITOR).body
    assert (names, "") == (
        [each["id"] for each in first["items"] + second["items"]],
        second["next"],
    )
    other = call("GET", "/v1/programs/other/previews", claims=AUDITOR).body
    assert {"items": [], "next": ""} == other


def test_failed_preview_says_what_to_mend_and_not_where_it_broke() -> None:
    """Code and findings are for the manager; the place in the code is for operators."""
    name = call("POST", PATH, body(), claims=MANAGER).body["id"]
    finding = {"row": "7", "column": "at", "problem": "not a time", "remedy": "write one"}
    failed = previewing.fail(
        job(name), "invalid_data", now=NOW, findings=[finding], reason="ValueError at x.py:1"
    )
    end(job(name), *failed)
    seen = call("GET", f"/v1/previews/{name}", claims=AUDITOR)
    assert ("failed", "invalid_data", [finding], {"json": "", "csv": ""}) == (
        seen.body["job"]["status"],
        seen.body["job"]["code"],
        seen.body["findings"],
        seen.body["links"],
    )
    assert "x.py" not in str(seen.body)


def test_preview_ends_once() -> None:
    """Of two ends the second loses, whether it knew of the first or not."""
    name = call("POST", PATH, body(), claims=MANAGER).body["id"]
    before = job(name)
    done = previewing.finish(before, live_version=1, referrals=0, summary={}, now=NOW)
    end(before, *done)
    with pytest.raises(StaleError):
        end(before, *previewing.fail(before, "internal", now=NOW))
    with pytest.raises(TransitionError):
        previewing.fail(job(name), "internal", now=NOW)
    assert (2, "done") == (job(name).version, job(name).status)


def test_lease_is_one_workers_and_ends_by_itself() -> None:
    """While it lasts nobody else gets it; afterwards the old holder can store nothing any more."""
    held = job(call("POST", PATH, body(), claims=MANAGER).body["id"])
    until = clock.plus(NOW, seconds=300)
    first = previews.claim(held, "worker-1", now=NOW, lease_until=until)
    assert first
    assert previews.claim(held, "worker-2", now=NOW, lease_until=until) is None
    second = previews.claim(held, "worker-2", now=until, lease_until=clock.plus(until, seconds=300))
    assert second
    assert (2, 2, "worker-2") == (second.revision, second.attempts, second.holder)
    with pytest.raises(LeaseLostError):
        previews.advance(held, first, first)
    assert second == previews.progress(held.id)
