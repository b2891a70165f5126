"""The audit finds every kind of planted fault, and nothing in a healthy program."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from introducer import conversion, identity, keyring
from introducer.audit import Finding
from introducer.clients import client
from introducer.command import Accept, Assign
from introducer.errors import InvalidInputError
from introducer.link import Link
from introducer.referral import Share, Touch
from introducer.settings import setting
from introducer.tables import audits, claims, links, programs, referrals, rewards, store, waiting
from introducer.tables.claims import Claim
from introducer.tables.store import Table, Transaction
from payout import earn
from route import audit as job
from route.screen import screen
from tests.support import fair, life, money, tallied
from tests.support.api import call, login

DAY = life.NOW[:10]
NEXT = "2026-11-23T11:17:00.000Z"
MUCH_LATER = "2026-12-24T03:30:00.000Z"
PATH = f"/v1/programs/{life.PROGRAM}/audits"

pytestmark = pytest.mark.usefixtures("aws", "frozen")


@pytest.fixture(autouse=True)
def healthy(aws: None, capsys: pytest.CaptureFixture[str]) -> None:  # noqa: ARG001
    """A program with a link, a sale that is booked, a duplicate, a lead of somebody deactivated."""
    money.publish(rewards=[tallied.plan()])
    for name in ("pia", "quin"):
        life.enrol(name)
    life.enrol("gone", status="inactive")
    life.add_rep("anna")
    writes = Transaction()
    link = Link(
        code="k7m2p9xw",
        program=life.PROGRAM,
        partner="pia",
        destination="https://www.acme.example/start",
        created_at=life.NOW,
    )
    links.add(writes, link, actor="user:1")
    writes.commit()
    submitted("r1", life.touch("pia", link="k7m2p9xw"), email="a@l.example")
    submitted("r2", life.touch("quin"), email="a@l.example", duplicate_of="r1")
    submitted("r3", life.touch("gone", id="z"), life.touch("quin", id="a"), email="b@l.example")
    life.move("r1", Assign(rep="anna"))
    life.move("r1", Accept())
    money.sell_more("r1", "s1", 100_000)
    earn.converge("r1", now=money.NOW)
    capsys.readouterr()


def submitted(name: str, *touches: Touch, email: str, **overrides: Any) -> None:
    """Store a referral of somebody with an address, and screen it."""
    key = identity.email_key(email, keyring.secret(keyring.IDENTITY))
    life.submit(name, touches=touches, lead_key=key, **overrides)
    screen(name, cause="event")


def found(now: str = NEXT, day: str = DAY) -> list[tuple[str, str, str, str]]:
    """Return what an audit of a day finds: kind, code, entity, what else."""
    report = job.look(life.PROGRAM, day, now)
    return [(each.kind, each.code, each.entity, each.about) for each in report.findings]


def put(pk: str, sk: str, changes: dict[str, Any]) -> None:
    """Change a stored item behind everybody's back."""
    before = store.get(Table.CORE, pk, sk) or {}
    values = {key: value for key, value in before.items() if key not in {"pk", "sk"}} | changes
    writes = Transaction()
    writes.put(Table.CORE, pk, sk, {key: value for key, value in values.items() if value != ""})
    writes.commit()


def remove(pk: str, sk: str) -> None:
    """Remove a stored item behind everybody's back."""
    keys = {"pk": {"S": pk}, "sk": {"S": sk}}
    client("dynamodb").delete_item(TableName=setting("CORE_TABLE"), Key=keys)


def test_healthy_program_has_no_findings() -> None:
    """Not the day after, not much later, and not after a dispute that moved the credit."""
    assert [] == found()
    assert [] == found(MUCH_LATER)
    assert 200 == fair.decide(fair.opened_by_manager("quin")).status
    earn.converge("r1", now=money.NOW)
    assert {"quin": 10_000} == {
        each.partner: each.basis_points for each in referrals.detail("r1").shares
    }
    assert [] == found()


def test_what_changed_a_moment_ago_is_left_for_the_next_run() -> None:
    """The handlers are given their time: a lead nobody has screened yet is no fault yet."""
    life.submit("r9", [life.touch()], lead_key="fresh", updated_at=NEXT)
    assert [] == found()
    assert [("missing", "screening", "REFERRAL#r9", "")] == found("2026-11-23T12:17:00.001Z")


def test_missing_shares() -> None:
    """A lead that went past screening and is nobody's."""
    remove("REFERRAL#r3", "SHARE#quin")
    assert [
        ("misattributed", "shares", "REFERRAL#r3", ""),
        ("missing", "shares", "REFERRAL#r3", ""),
    ] == found()


def test_missing_reward() -> None:
    """A sale for which the rules give something, and earning never looked at it."""
    money.sell_more("r1", "s2", 50_000)
    assert [("missing", "reward", "REFERRAL#r1", "s2")] == found()
    earn.converge("r1", now=money.NOW)
    assert [] == found()


def test_reward_that_a_cap_cut_to_nothing_is_not_missing() -> None:
    """Where tiers and caps ask for the past, it is enough that the tallies know the sale."""
    money.publish(rewards=[tallied.plan(caps=[tallied.cap(10_000)])])
    for name, minute in (("c1", 1), ("c2", 2)):
        submitted(name, life.touch(), email=f"{name}@l.example", program_version=2)
        life.move(name, Assign(rep="anna"))
        life.move(name, Accept())
        money.sell_more(name, "s1", 100_000, at=tallied.at(minute))
    assert ["REFERRAL#c1", "REFERRAL#c2"] == [entity for _, _, entity, _ in found()]
    for name in ("c1", "c2"):
        earn.converge(name, now=money.NOW)
    assert [] == rewards.load(referrals.detail("c2").rewards)
    assert [] == found()


def test_missing_referral_of_a_conversion() -> None:
    """A reported sale that waits for its referral for a fortnight."""
    kept = conversion.Conversion(
        id="c1",
        program=life.PROGRAM,
        source="billing",
        channel="webhook",
        message_id="m1",
        version=1,
        status="waiting",
        kept_at=life.NOW,
        at=life.NOW,
        type="sale.recorded",
        body="{}",
        actor="source:acme/billing",
    )
    writes = Transaction()
    waiting.keep(writes, kept, conversion.kept(kept, None))
    writes.commit()
    assert [] == found()
    assert [] == found("2026-12-05T23:59:59.000Z")
    assert [("missing", "conversion", "CONVERSION#c1", "")] == found("2026-12-06T00:00:00.000Z")
    assert [] == found(MUCH_LATER, "2026-11-23")


def test_duplicated_leads() -> None:
    """Two living referrals of one address, made while the first was protected."""
    submitted("r4", life.touch("quin"), email="c@l.example")
    key = referrals.get("r1").lead_key
    put("REFERRAL#r4", "STATE", {"lead_key": key})
    assert [("duplicated", "lead_email", "REFERRAL#r4", "r1")] == found()


def test_later_lead_of_the_same_person_is_no_duplicate() -> None:
    """When the protection is over somebody else may refer them, though the first is alive."""
    key = referrals.get("r1").lead_key
    after = "2027-06-01T10:00:00.000Z"
    life.submit("r5", [life.touch("quin", at=after)], lead_key=key, submitted_at=after)
    screen("r5", cause="event")
    assert [] == found("2027-06-02T10:00:00.000Z", "2027-06-01")


def test_misattributed_shares() -> None:
    """Stored parts that are not what the touches give."""
    put("REFERRAL#r1", "SHARE#pia", {"basis_points": 6_000})
    put("REFERRAL#r1", "SHARE#quin", msgspec.to_builtins(_share("quin", 4_000)))
    assert [("misattributed", "shares", "REFERRAL#r1", "")] == found()


def test_misattributed_after_a_decision() -> None:
    """Parts that are not what the dispute gave; the report names it."""
    dispute = fair.opened_by_manager("quin")
    assert 200 == fair.decide(dispute, "split", {"pia": 5_000, "quin": 5_000}).status
    earn.converge("r1", now=money.NOW)
    assert [] == found()
    put("REFERRAL#r1", "SHARE#pia", {"basis_points": 6_000})
    assert [("misattributed", "shares", "REFERRAL#r1", dispute)] == found()


def test_misattributed_reward() -> None:
    """Somebody holds a reward for a referral that is not theirs."""
    (mine,) = rewards.load(referrals.detail("r1").rewards)
    writes = Transaction()
    rewards.add(writes, msgspec.structs.replace(mine, partner="quin"))
    writes.commit()
    assert [("misattributed", "reward", "REFERRAL#r1", "quin")] == found()


def test_decision_that_was_not_booked_is_found() -> None:
    """The books have to follow a decision; until they do, the audit says so."""
    assert 200 == fair.decide(fair.opened_by_manager("quin")).status
    assert [("misattributed", "reward", "REFERRAL#r1", "pia")] == found()


def test_orphaned_share_and_touch() -> None:
    """A share and a touch of partners who do not exist, a touch through a link there is none of."""
    remove("PARTNER#gone", "PROFILE")
    remove("LINK#k7m2p9xw", "LINK")
    put("REFERRAL#r3", "SHARE#who", msgspec.to_builtins(_share("who", 0)) | {"basis_points": 0})
    assert [
        ("orphaned", "share_partner", "REFERRAL#r3", "who"),
        ("orphaned", "touch_link", "REFERRAL#r1", "k7m2p9xw"),
        ("orphaned", "touch_partner", "REFERRAL#r3", "gone"),
    ] == found()


@pytest.mark.parametrize("target", ["r9", "r2"])
def test_orphaned_claim(target: str) -> None:
    """The claim on a lead leads to nothing, or to a duplicate, which never holds one."""
    claim = claims.find(
        life.PROGRAM, "lead_email", referrals.get("r1").lead_key, now="2026-11-23T00:00:00.000Z"
    )
    assert isinstance(claim, Claim)
    put(claim.pk, "CLAIM", {"target": target})
    assert [("orphaned", "claim_email", "REFERRAL#r1", target)] == found()


def test_orphaned_link() -> None:
    """A link of a partner who does not exist."""
    put("LINK#k7m2p9xw", "LINK", {"partner": "nobody"})
    assert [("orphaned", "link_partner", "LINK#k7m2p9xw", "nobody")] == found()


def test_report_is_kept_counted_once_and_read(capsys: pytest.CaptureFixture[str]) -> None:
    """Running twice reports the same and raises the alarm once; staff read ids and codes."""
    remove("REFERRAL#r3", "SHARE#quin")
    done = [job.run([DAY], NEXT), job.run([DAY], NEXT)]

    assert [
        {"days": 1, "findings": 2, "new": 2},
        {"days": 1, "findings": 2, "new": 0},
    ] == done
    counted = [
        line["AuditFindings"]
        for line in map(json.loads, capsys.readouterr().out.splitlines())
        if "AuditFindings" in line
    ]
    assert [[2.0]] == counted
    auditor = login("sub-a", "auditor")
    row = {
        "day": DAY,
        "at": NEXT,
        "looked_at": {"referrals": 3, "links": 1},
        "counts": {"missing": 1, "duplicated": 0, "misattributed": 1, "orphaned": 0},
    }
    assert {"items": [row], "next": ""} == call("GET", PATH, claims=auditor).body
    read = call("GET", f"{PATH}/{DAY}", claims=auditor).body
    assert [
        {"kind": "misattributed", "code": "shares", "entity": "REFERRAL#r3", "about": ""},
        {"kind": "missing", "code": "shares", "entity": "REFERRAL#r3", "about": ""},
    ] == read["findings"]
    assert f"reports/audit/{life.PROGRAM}/{DAY}.json" in read["file"]
    key = f"reports/audit/{life.PROGRAM}/{DAY}.json"
    stored = client("s3").get_object(Bucket=setting("BANK_BUCKET"), Key=key)["Body"].read()
    report = audits.find(life.PROGRAM, DAY)
    assert report == msgspec.json.decode(stored, type=audits.Report)
    assert (404, "not_found") == call("GET", f"{PATH}/2026-01-01", claims=auditor).problem()


def test_healed_fault_leaves_the_next_report() -> None:
    """A report is about what is, not about what was."""
    remove("REFERRAL#r3", "SHARE#quin")
    job.run([DAY], NEXT)
    put("REFERRAL#r3", "SHARE#quin", msgspec.to_builtins(_share("quin", 10_000)))
    assert {"days": 1, "findings": 0, "new": 0} == job.run([DAY], NEXT)
    assert [] == getattr(audits.find(life.PROGRAM, DAY), "findings", None)


def test_days_of_the_schedule_and_by_hand(frozen: Callable[[str], None]) -> None:
    """Records of several ages by the clock; a range of days by hand, and not a senseless one."""
    frozen(NEXT)
    assert ["2026-11-22", "2026-11-15", "2026-10-23"] == job.days_of({}, NEXT)[:3]
    asked = {"from": "2026-11-01", "to": "2026-11-03"}
    assert ["2026-11-01", "2026-11-02", "2026-11-03"] == job.days_of(asked, NEXT)
    assert [DAY] == job.days_of({"from": DAY}, NEXT)
    for wrong in (
        {"from": "x"},
        {"from": DAY, "to": "2026-11-01"},
        {"from": "2020-01-01"} | {"to": DAY},
    ):
        with pytest.raises(InvalidInputError):
            job.days_of(wrong, NEXT)
    assert {"days": 6, "findings": 0, "new": 0} == job.handler({"started_by": "user:1"}, None)


def test_findings_are_ordered_and_compared_whole() -> None:
    """The same fault is the same finding, whichever run found it."""
    one = Finding(kind="missing", code="reward", entity="REFERRAL#r1", about="s1")
    other = msgspec.structs.replace(one, about="s2")
    assert [one, other] == sorted({other, one, msgspec.structs.replace(one)})


def _share(partner: str, basis_points: int) -> Share:
    return Share(partner=partner, basis_points=basis_points, audience="partners")


def test_program_that_has_not_begun_keeps_no_audit_waiting() -> None:
    """One that begins next month comes first in the list: the others are audited all the same."""
    writes = Transaction()
    later = life.document(id="aaa-later", rewards=[money.COMMISSION])
    month = "2026-12-31T00:00:00.000Z"
    programs.publish(writes, later, now=life.NOW, actor="user:mia", effective_at=month)
    writes.commit()

    job.run([DAY], NEXT)

    assert audits.find(life.PROGRAM, DAY) is not None
    assert audits.find("aaa-later", DAY) is None
