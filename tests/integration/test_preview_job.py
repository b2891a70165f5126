"""Previews, run: gathered in pieces, resumed anywhere, computed once, given up loudly."""

from __future__ import annotations

import io
import json
import uuid
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import polars as pl
import pytest

from introducer import preview as previewing
from introducer.clients import client
from introducer.preview import Preview, part_key, result_keys, upload_key
from introducer.program import Program
from introducer.settings import setting
from introducer.tables import events, previews, programs
from introducer.tables.store import Transaction
from payout.preview import gather, handler, result
from tests.support import life, money
from tests.support.faults import Crash, counted_writes, crash_after
from tests.support.tables import everything

NOW = "2026-11-22T11:17:00.000Z"
LATER = "2026-11-22T11:30:00.000Z"
"""When every lease taken at NOW is over."""
FIRST, LAST = "2026-11-19", "2026-11-21"
DOUBLE = {**money.COMMISSION, "calculation": {"kind": "percent", "basis_points": 2_000}}
SOLD = {"r1": 100_000, "r2": 50_000, "r3": 20_000}
"""What the referrals of each day bought."""
HEADER = "referral,partner,occasion,at,amount_minor,currency,audience"


@pytest.fixture(autouse=True)
def clock_hand(
    engine: str,  # noqa: ARG001  (pytest orders fixtures by it)
    monkeypatch: pytest.MonkeyPatch,
) -> Callable[[str], None]:
    """Three sales of three days, a bucket and two queues; the value moves our clock.

    The stores' own clock goes on: they check when a request was signed.
    """

    def at(instant: str) -> None:
        monkeypatch.setattr("introducer.clock.now", lambda: instant)

    at(NOW)
    money.publish()
    money.enrol("pia")
    money.enrol("paul", login="login-paul")
    life.add_rep("anna")
    for (name, amount_minor), day in zip(SOLD.items(), ("19", "20", "21"), strict=True):
        money.sell(
            name,
            amount_minor,
            submitted_at=f"2026-11-{day}T08:00:00.000Z",
            shares={"paul" if name == "r3" else "pia": 10_000},
        )
    own = uuid.uuid4().hex[:12]
    monkeypatch.setenv("PREVIEW_BUCKET", f"preview-{own}")
    client("s3").create_bucket(Bucket=bucket())
    for name in ("PREVIEW_QUEUE_URL", "PREVIEW_DEAD_URL"):
        queue = client("sqs").create_queue(QueueName=f"{name[8:12]}-{own}")
        monkeypatch.setenv(name, queue["QueueUrl"])
    return at


def bucket() -> str:
    """Return the name of the test's own bucket."""
    return setting("PREVIEW_BUCKET")


def request(name: str = "p1", *, draft: Program | None = None, **overrides: Any) -> Preview:
    """Store a job that tries to pay twice as much, unless given another draft."""
    values = {
        "id": name,
        "program": life.PROGRAM,
        "version": 1,
        "status": "requested",
        "kind": "past",
        "requested_at": NOW,
        "requested_by": "user:mia",
        "updated_at": NOW,
        "expires_at": "2026-12-22T11:17:00.000Z",
        "first_day": FIRST,
        "last_day": LAST,
    }
    job = Preview(**(values | overrides))
    writes = Transaction()
    draft = draft or life.document(rewards=[DOUBLE], payouts=[money.EUROS])
    previews.request(writes, job, draft, previewing.requested(job))
    writes.commit()
    return job


def request_upload(content: str | None, name: str = "p1", **overrides: Any) -> Preview:
    """Store a job about a file, and the file when there is any."""
    job = request(
        name,
        kind="upload",
        first_day="",
        last_day="",
        upload_bytes=1,
        upload_until=NOW,
        **overrides,
    )
    if content is not None:
        client("s3").put_object(Bucket=bucket(), Key=upload_key(name), Body=content.encode())
    return job


def deliver(*bodies: dict[str, Any], left_s: float = 300) -> list[str]:
    """Hand messages to the function as its queue does; return which of them stay in it."""
    context = SimpleNamespace(
        function_name="preview",
        memory_limit_in_mb=3008,
        invoked_function_arn="arn:aws:lambda:us-east-1:000000000000:function:preview",
        aws_request_id="request",
        get_remaining_time_in_millis=lambda: int(left_s * 1000),
    )
    records = [
        {"messageId": f"m{number}", "body": json.dumps(body)}
        for number, body in enumerate(bodies, 1)
    ]
    answer = handler.handler({"Records": records}, context)
    return [each["itemIdentifier"] for each in answer["batchItemFailures"]]


def on_the_bus(name: str = "p1") -> dict[str, Any]:
    """Return the message that follows from the request."""
    return {"detail-type": "PreviewRequested", "detail": {"entity": f"PREVIEW#{name}"}}


def from_the_bucket(name: str = "p1") -> dict[str, Any]:
    """Return the message that follows from the upload."""
    return {"Records": [{"s3": {"object": {"key": upload_key(name)}}}]}


def waiting(queue: str = "PREVIEW_QUEUE_URL") -> list[dict[str, Any]]:
    """Take every message that can be seen in a queue."""
    url = setting(queue)
    found = client("sqs").receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
    for each in found:
        client("sqs").delete_message(QueueUrl=url, ReceiptHandle=each["ReceiptHandle"])
    return [json.loads(each["Body"]) for each in found]


def file(key: str) -> bytes:
    """Return a file of the bucket."""
    body: bytes = client("s3").get_object(Bucket=bucket(), Key=key)["Body"].read()
    return body


def gathered(name: str = "p1") -> list[str]:
    """Return the referrals in the pieces that count, one for each row."""
    progress = previews.progress(name)
    assert progress
    parts = [pl.read_parquet(io.BytesIO(file(part_key(name, part)))) for part in progress.parts]
    return [referral for part in parts for referral in part["referral"].to_list()]


def ended(name: str = "p1") -> tuple[str, str, list[str]]:
    """Return how a job ended, why, and its events."""
    job = previews.get(name)
    return job.status, job.code, [each.type for each in events.of_entity(job.entity)]


DONE = ("done", "", ["PreviewRequested", "PreviewFinished"])


def test_preview_compares_the_draft_with_the_live_version_over_past_referrals() -> None:
    """Ten per cent were paid, twenty would have been: the sums, the files and one event."""
    request()
    assert [] == deliver(on_the_bus())
    assert DONE == ended()
    job = previews.get("p1")
    assert (1, 3) == (job.live_version, job.referrals)
    assert {
        "currency": "EUR",
        "referrals": 3,
        "won": 3,
        "gross_minor": 34_000,
        "net_minor": 34_000,
        "per_acquisition_minor": 11_333,
        "live_gross_minor": 17_000,
        "winners": 2,
        "losers": 0,
    } == job.summary
    found = json.loads(file(result_keys("p1")["json"]))
    report = found.pop("report")
    assert {
        "preview": "p1",
        "kind": "past",
        "from": FIRST,
        "until": LAST,
        "live_version": 1,
    } == found
    assert (17_000, 34_000) == (
        report["live"]["cost"]["gross_minor"],
        report["draft"]["cost"]["gross_minor"],
    )
    assert [
        "holder,unit,live_minor,draft_minor,change_minor",
        "paul,EUR,2000,4000,2000",
        "pia,EUR,15000,30000,15000",
    ] == file(result_keys("p1")["csv"]).decode().splitlines()
    last = list(events.of_entity(job.entity))[-1]
    assert ("system", {"live_version": 1, "referrals": 3}) == (last.actor, last.data)


def test_preview_reads_the_days_asked_for_and_no_other_program() -> None:
    """Days outside, and referrals of another program on the same days, are not in the pieces."""
    other = life.document(id="other")
    writes = Transaction()
    programs.publish(writes, other, now=NOW, actor="user:1")
    writes.commit()
    money.sell("theirs", program="other", submitted_at="2026-11-20T08:00:00.000Z")
    money.sell("early", submitted_at="2026-11-18T23:59:59.999Z")
    money.sell("late", submitted_at="2026-11-22T00:00:00.000Z")
    request()
    deliver(on_the_bus())
    assert {"r1", "r2", "r3"} == set(gathered())
    assert "theirs" not in str([file(key) for key in keys()])


def keys() -> list[str]:
    """Return the name of every file in the bucket."""
    listed = client("s3").list_objects_v2(Bucket=bucket()).get("Contents", [])
    return [each["Key"] for each in listed]


def test_live_version_earns_by_stages_the_draft_has_dropped() -> None:
    """The live side is what is paid now, whatever the draft has done away with."""
    bounty = {
        "id": "bounty",
        "group": "bounty",
        "trigger": {"on": "stage", "stage": "qualified"},
        "calculation": {"kind": "flat", "amount_minor": 700, "currency": "EUR"},
        "milestones": [{"id": "whole", "share_basis_points": 10_000, "when": "earned"}],
    }
    money.publish(rewards=[money.COMMISSION, bounty])
    request(draft=life.document(rewards=[DOUBLE], payouts=[money.EUROS], stages=["proposal"]))
    deliver(on_the_bus())
    assert DONE == ended()
    summary = previews.get("p1").summary
    assert (34_000, 17_000 + 3 * 700) == (summary["gross_minor"], summary["live_gross_minor"])


def test_past_without_anything_to_earn_by_is_a_result_too() -> None:
    """Nobody was screened on that day, or nobody came at all: zeros, not a fault."""
    life.submit("raw", submitted_at="2026-11-10T08:00:00.000Z", lead_key="raw")
    for name, day, count in (("p1", "2026-11-10", 1), ("p2", "2026-11-11", 0)):
        request(name, first_day=day, last_day=day)
        assert [] == deliver(on_the_bus(name))
        job = previews.get(name)
        assert (DONE, count, 0) == (ended(name), job.referrals, job.summary["gross_minor"])


def test_bucket_holds_ids_and_facts_and_nobody() -> None:
    """No name, no address, no hash of one."""
    request()
    deliver(on_the_bus())
    stored = b"".join(file(key) for key in keys())
    personal = [b"Lena", b"customer.example", b"Pia", b"partners.example", b"leadkey-"]
    assert [] == [word for word in personal if word in stored]
    assert b"pia" in stored  # the partner's id, in these tests


def test_preview_without_time_hands_over_and_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each run keeps what it read; the last one reports; nothing is there twice."""
    request("whole")
    deliver(on_the_bus("whole"))
    monkeypatch.setattr(gather, "_PAGE", 1)
    request()
    assert [] == deliver(on_the_bus(), left_s=1)
    counts = [_counted()]
    while messages := waiting():
        assert [{"preview": "p1"}] == messages
        assert [] == deliver(*messages, left_s=1)
        counts.append(_counted())
    assert (sorted(counts), {1, 2, 3}, DONE) == (counts, set(counts), ended())
    assert sorted(gathered("whole")) == sorted(gathered())
    assert file(result_keys("whole")["csv"]) == file(result_keys("p1")["csv"])


def _counted() -> int:
    progress = previews.progress("p1")
    assert progress
    return progress.referrals


def test_preview_survives_a_crash_after_every_write(clock_hand: Callable[[str], None]) -> None:
    """Cut off anywhere, the message comes again, and the result is the same."""
    request("whole")
    with counted_writes() as writes:
        deliver(on_the_bus("whole"))
    wanted = file(result_keys("whole")["csv"])
    for number in range(len(writes)):
        clock_hand(NOW)
        name = f"crashed-{number}"
        request(name)
        with pytest.raises(Crash), crash_after(number):
            deliver(on_the_bus(name))
        clock_hand(LATER)  # the lease of the dead worker is over
        assert [] == deliver(on_the_bus(name))
        assert (DONE, wanted) == (ended(name), file(result_keys(name)["csv"]))
        assert sorted(gathered("whole")) == sorted(gathered(name))


def test_message_of_a_preview_that_is_worked_on_waits() -> None:
    """Two workers at once: the second reads nothing and keeps a message about."""
    job = request()
    assert previews.claim(job, "worker-1", now=NOW, lease_until=LATER)
    before = everything()
    assert [] == deliver(on_the_bus())
    assert before == everything()
    held = client("sqs").get_queue_attributes(
        QueueUrl=setting("PREVIEW_QUEUE_URL"), AttributeNames=["All"]
    )["Attributes"]
    assert ("0", "1") == (
        held["ApproximateNumberOfMessages"],
        held["ApproximateNumberOfMessagesDelayed"],
    )


def test_worker_that_lost_its_lease_stores_nothing_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that was thought dead wakes up: its piece is not counted, its message stays."""
    job = request()
    real = gather.rows_of

    def overtaken(*arguments: Any) -> Any:
        monkeypatch.setattr(gather, "rows_of", real)
        assert previews.claim(job, "worker-2", now="2026-11-23T00:00:00.000Z", lease_until=LATER)
        return real(*arguments)

    monkeypatch.setattr(gather, "rows_of", overtaken)
    assert ["m1"] == deliver(on_the_bus())
    progress = previews.progress("p1")
    assert progress
    assert ("worker-2", [], 0) == (progress.holder, progress.parts, progress.referrals)
    assert "requested" == previews.get("p1").status


def test_message_that_comes_again_changes_nothing() -> None:
    """Bus, bucket and queue may say everything twice; ended is ended."""
    request()
    deliver(on_the_bus())
    stored, files = everything(), {key: file(key) for key in keys()}
    assert [] == deliver(on_the_bus(), on_the_bus(), from_the_bucket(), {"preview": "p1"})
    assert (stored, files, []) == (everything(), {key: file(key) for key in keys()}, waiting())


@pytest.mark.parametrize(
    "body",
    [
        on_the_bus("nosuch"),
        from_the_bucket("nosuch"),
        {"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "preview"},
    ],
)
def test_message_about_nothing_is_taken_from_the_queue(body: dict[str, Any]) -> None:
    """A file that nobody asked for, and the bucket's own test of the queue."""
    before = everything()
    assert ([], before) == (deliver(body), everything())


def test_preview_whose_time_is_over_is_left_alone() -> None:
    """A message that comes after a month finds nothing to do."""
    request(expires_at=NOW)
    before = everything()
    assert ([], before) == (deliver(on_the_bus()), everything())


def test_fault_of_ours_is_tried_again_and_then_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Twice the message stays; the third time the job fails and the dead queue gets it."""

    def broken(*_: object) -> None:
        raise KeyError("lena@customers.example")

    monkeypatch.setattr(result, "make", broken)
    request_upload("x")
    for _ in range(handler.MOST_ATTEMPTS - 1):
        assert ["m1"] == deliver(from_the_bucket())
        assert "requested" == previews.get("p1").status
    assert [] == deliver(from_the_bucket())
    assert ("failed", "internal_error", ["PreviewRequested", "PreviewFailed"]) == ended()
    (dead,) = waiting("PREVIEW_DEAD_URL")
    assert ("p1", previews.get("p1").reason) == (dead["preview"], dead["reason"])
    assert ("KeyError" in dead["reason"], "lena" in dead["reason"]) == (True, False)


def test_worker_that_dies_every_time_is_given_up() -> None:
    """Killed for memory or time nothing can be said any more; the next one counts and says it."""
    job = request()
    for attempt in range(handler.MOST_ATTEMPTS):
        now = f"2026-11-22T10:0{attempt}:00.000Z"
        assert previews.claim(job, f"dead-{attempt}", now=now, lease_until=now)
    assert [] == deliver(on_the_bus())
    assert ("failed", "internal_error", ["PreviewRequested", "PreviewFailed"]) == ended()
    assert ["p1"] == [each["preview"] for each in waiting("PREVIEW_DEAD_URL")]


def test_upload_is_computed_when_it_has_come() -> None:
    """The request's own message finds no file and waits for the bucket's."""
    request_upload(None)
    assert [] == deliver(on_the_bus())
    assert previews.progress("p1") is None
    rows = ["a1,pia,s1,2026-11-20T09:00:00Z,100000,EUR,partners"]
    content = "\n".join([HEADER, *rows]).encode()
    client("s3").put_object(Bucket=bucket(), Key=upload_key("p1"), Body=content)
    assert [] == deliver(from_the_bucket())
    assert (DONE, 1) == (ended(), previews.get("p1").referrals)


def test_upload_with_bad_rows_fails_and_names_each() -> None:
    """Every finding has its row; nothing is computed from the rest."""
    rows = [
        "a1,pia,s1,2026-11-20T09:00:00Z,100000,EUR,partners",
        "a2,pia,s1,soon,100000,EUR,partners",
        "a3,pia,s1,2026-11-20T09:00:00Z,-5,EUR,partners",
        "a4,pia",
    ]
    request_upload("\n".join([HEADER, *rows]))
    assert [] == deliver(from_the_bucket())
    assert ("failed", "invalid_data", ["PreviewRequested", "PreviewFailed"]) == ended()
    found = {(each["row"], each["column"]) for each in previews.get("p1").findings}
    assert {("3", "at"), ("4", "sale.amount_minor"), ("5", "")} == found
    assert [upload_key("p1")] == keys()


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"", b"\x50\x4b\x03\x04"])
def test_upload_that_is_no_csv_fails(content: bytes) -> None:
    """Whatever is sent ends as a finding, never as a fault of ours."""
    request_upload(None)
    client("s3").put_object(Bucket=bucket(), Key=upload_key("p1"), Body=content)
    assert [] == deliver(from_the_bucket())
    assert ("failed", "invalid_data") == ended()[:2]


def test_upload_that_is_too_large_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """The link signs the length; whoever put it there otherwise is refused all the same."""
    monkeypatch.setattr(handler, "UPLOAD_LIMIT_BYTES", 9)
    request_upload("0123456789")
    assert [] == deliver(from_the_bucket())
    assert ("failed", "upload_too_large") == ended()[:2]
