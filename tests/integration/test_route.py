"""The Core stream's consumer: screening and assignment, whatever the stream does to the events."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import pytest
from botocore.exceptions import ClientError

import route.retry
import route.stream
from introducer import prospect, screening
from introducer.clients import client
from introducer.command import Accept, Hold, Reject, Withdraw
from introducer.errors import ContentionError, UncertainError
from introducer.prospect import Prospect
from introducer.referral import Share, Touch
from introducer.tables import prospects, referrals
from introducer.tables.store import Transaction
from tests.support import life
from tests.support.life import NOW, from_queue, from_stream, move, raw_items, submit

pytestmark = pytest.mark.usefixtures("aws", "frozen", "retry_url", "program")
LATER = "2026-11-22T11:17:00.000Z"  # where the fixture `frozen` stops the clock
NOTHING = {"batchItemFailures": []}


@pytest.fixture
def retry_url(monkeypatch: pytest.MonkeyPatch) -> str:
    """The retry queue, empty, whose messages can be received again at once."""
    url = life.new_queue("route-retry")
    client("sqs").set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "0"})
    monkeypatch.setenv("ROUTE_RETRY_URL", url)
    return url


@pytest.fixture
def program() -> None:
    """A program with one partner and three reps."""
    life.publish()
    life.enrol("pia")
    for name in ("anna", "ben", "cleo"):
        life.add_rep(name)


def _route(*images: dict[str, Any]) -> None:
    assert NOTHING == route.stream.handler(from_stream(images), None)


def _events(name: str = "r1") -> list[dict[str, Any]]:
    return raw_items(f"REFERRAL#{name}")


def _types(name: str = "r1") -> list[str]:
    return [image["type"]["S"] for image in _events(name)]


def _run(name: str = "r1") -> None:
    """Deliver a referral's events one by one until nothing new happens."""
    delivered = 0
    while delivered < len(events := _events(name)):
        _route(events[delivered])
        delivered += 1


def _received(url: str) -> Iterator[dict[str, Any]]:
    answer = client("sqs").receive_message(QueueUrl=url, MaxNumberOfMessages=10)
    for message in answer.get("Messages", []):
        yield json.loads(message["Body"])


def test_a_submitted_referral_is_screened_and_assigned() -> None:
    """State, share and events are stored together, step by step."""
    before = submit("r1")
    _run("r1")
    detail = referrals.detail("r1")
    rep = detail.referral.rep
    assert rep in {"anna", "ben"}
    assert (
        msgspec.structs.replace(
            before,
            version=3,
            status="assigned",
            updated_at=LATER,
            partner="pia",
            audience="partners",
            rep=rep,
        )
        == detail.referral
    )
    facts = {"partner.audience": "partners", "partner.country": "DE", "partner.days": 12}
    whole = Share(partner="pia", basis_points=10_000, audience="partners", facts=facts)
    assert [whole] == detail.shares
    assert [
        ("ReferralSubmitted", "public", ""),
        ("ReferralScreened", "system", "REFERRAL#r1#1"),
        ("ReferralAssigned", "system", "REFERRAL#r1#2"),
    ] == [(event.type, event.actor, event.cause) for event in detail.events]
    assert ["r1"] == [row.id for row, _ in referrals.of_partner("pia", limit=5)[0]]
    assert ["r1"] == [row.id for row in referrals.of_rep(rep, limit=5)[0]]


def test_no_event_holds_personal_data() -> None:
    """Nothing of the lead's or partner's contact data reaches the stream."""
    submit("r1")
    _run("r1")
    stored = json.dumps(_events("r1"))
    assert not any(word in stored.lower() for word in ("lena", "customer.example", "@", "pia@"))


@pytest.mark.parametrize(
    ("overrides", "status", "reason", "shares"),
    [
        ({"touches": []}, "review", "no_partner", []),
        ({"country": "FR"}, "ineligible", "country", ["pia"]),
        ({"duplicate_of": "r0"}, "duplicate", "duplicate", ["pia"]),
        ({"touches": [life.touch("nobody")]}, "review", "no_partner", []),
    ],
)
def test_screening_may_turn_a_lead_down(
    overrides: dict[str, Any], status: str, reason: str, shares: list[str]
) -> None:
    """The outcome is stored, the partner sees the referral, and nobody is assigned."""
    submit("r1", **overrides)
    _run("r1")
    detail = referrals.detail("r1")
    assert (status, reason, "") == (
        detail.referral.status,
        detail.referral.reason,
        detail.referral.rep,
    )
    assert shares == [share.partner for share in detail.shares]
    assert len(detail.events) == 2


def test_a_lead_in_review_waits_in_the_programs_queue() -> None:
    """A manager finds it there."""
    submit("r1", touches=[])
    _run("r1")
    assert ["r1"] == [row.id for row in referrals.in_queue("acme", "review", limit=5)[0]]


def test_an_own_lead_goes_on_but_is_held() -> None:
    """The rep gets the lead, the rewards wait."""
    submit("r1", lead_key="key-pia")
    _run("r1")
    assert ("assigned", "self_referral") == (
        referrals.get("r1").status,
        referrals.get("r1").hold,
    )


def test_an_own_lead_is_flagged_once_where_the_program_says_so() -> None:
    """The flag is an item beside the referral, however often the event comes."""
    life.publish(fraud={"self_referral": "flag"})
    submit("r1", lead_key="key-pia", program_version=2)
    _route(*_events("r1"), *_events("r1"))
    detail = referrals.detail("r1")
    flag = Touch(id="self_referral", kind="flag", at=NOW, data={"signal": "self_referral"})
    assert [life.touch(), flag] == detail.touches
    assert "" == detail.referral.hold


def test_a_deactivated_partner_earns_nothing() -> None:
    """The profile as it stands now decides, not as it stood at the click."""
    life.enrol("gone", status="inactive")
    submit("r1", touches=[life.touch("gone")])
    _run("r1")
    assert ("review", "no_partner") == (referrals.get("r1").status, referrals.get("r1").reason)


def test_without_an_active_rep_a_person_decides() -> None:
    """Reps who are away, or work for another program, are not asked."""
    life.publish(routing={"rules": [{"reps": ["dora", "emil", "unknown"]}]})
    life.add_rep("dora", active=False)
    life.add_rep("emil", program="another")
    submit("r1", program_version=2)
    _run("r1")
    assert ("review", "no_rep") == (referrals.get("r1").status, referrals.get("r1").reason)


def test_a_lead_handed_back_goes_to_the_next_rep_until_nobody_is_left() -> None:
    """Each rep is asked once, then a person decides."""
    submit("r1")
    _run("r1")
    first = referrals.get("r1").rep
    move("r1", Reject(reason="no_capacity"))
    _run("r1")
    second = referrals.get("r1").rep
    assert {"anna", "ben"} == {first, second}
    move("r1", Reject(reason="no_capacity"))
    _run("r1")
    state = referrals.get("r1")
    assert ("review", "no_rep", [first, second]) == (state.status, state.reason, state.passed)


def test_events_that_come_twice_change_nothing() -> None:
    """A delivery repeated at once finds the step taken."""
    submit("r1")
    submitted = _events("r1")
    _route(*submitted, *submitted)
    after = referrals.detail("r1")
    _route(*submitted)
    assert after == referrals.detail("r1")
    assert ["ReferralSubmitted", "ReferralScreened"] == _types("r1")


def test_events_in_reverse_order_change_nothing() -> None:
    """What is delivered late finds the step taken."""
    submit("r1")
    _run("r1")
    after = referrals.detail("r1")
    _route(*reversed(_events("r1")))
    assert after == referrals.detail("r1")


def test_a_replay_of_the_whole_stream_changes_nothing() -> None:
    """Several referrals, each somewhere else in its life, and every event once more."""
    for name in ("r1", "r2", "r3"):
        submit(name, lead_key=f"own-{name}")
        _run(name)
    move("r2", Accept())
    move("r3", Withdraw(reason="by_lead"))
    after = [referrals.detail(name) for name in ("r1", "r2", "r3")]
    _route(*(image for name in ("r3", "r1", "r2") for image in _events(name)))
    assert after == [referrals.detail(name) for name in ("r1", "r2", "r3")]


def test_poison_in_mid_batch_is_parked_and_blocks_nobody(retry_url: str) -> None:
    """An event of a referral that does not exist fails alone, again and again."""
    submit("r1")
    submit("r2", lead_key="own-r2")
    poison = json.loads(json.dumps(_events("r1")[0]).replace("REFERRAL#r1", "REFERRAL#lost"))
    _route(_events("r1")[0], poison, _events("r2")[0])
    assert ["screening", "screening"] == [referrals.get(name).status for name in ("r1", "r2")]
    assert [
        {
            "pk": "REFERRAL#lost",
            "sk": "EVENT#000001",
            "type": "ReferralSubmitted",
            "reason": "NotFoundError: no such referral",
            "item": poison,
        }
    ] == list(_received(retry_url))
    deliveries = client("sqs").receive_message(QueueUrl=retry_url)["Messages"]
    again = {"Records": [{"messageId": "m", "body": deliveries[0]["Body"]}]}
    assert {"batchItemFailures": [{"itemIdentifier": "m"}]} == route.retry.handler(again, None)


def test_an_event_of_no_known_type_is_parked(retry_url: str) -> None:
    """The filter lets none through; if it ever does, that is seen and not swallowed."""
    submit("r1")
    move("r1", Withdraw(reason="by_lead"))
    _route(_events("r1")[1])
    (parked,) = _received(retry_url)
    assert "ReferralWithdrawn" == parked["type"]
    assert parked["reason"].startswith("KeyError")


def test_what_failed_for_a_while_is_done_from_the_retry_queue(
    retry_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A busy store parks the event; a moment later the retry takes the step."""
    submit("r1")
    with monkeypatch.context() as patched:
        patched.setattr(Transaction, "commit", _raising(ContentionError("the store is busy")))
        _route(*_events("r1"))
    assert "submitted" == referrals.get("r1").status
    messages = client("sqs").receive_message(QueueUrl=retry_url)["Messages"]
    delivery = {"Records": [{"messageId": "m", "body": messages[0]["Body"]}]}
    assert NOTHING == route.retry.handler(delivery, None)
    assert ["ReferralSubmitted", "ReferralScreened"] == _types("r1")
    assert NOTHING == route.retry.handler(delivery, None)
    assert ["ReferralSubmitted", "ReferralScreened"] == _types("r1")


def test_a_lost_reply_is_not_a_second_step(retry_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The write happened but its answer did not come: the retry finds the step taken."""
    submit("r1")
    commit = Transaction.commit

    def commit_without_a_reply(writes: Transaction) -> None:
        commit(writes)
        message = "the store did not answer"
        raise UncertainError(message)

    with monkeypatch.context() as patched:
        patched.setattr(Transaction, "commit", commit_without_a_reply)
        _route(*_events("r1"))
    assert ["UncertainError: the store did not answer"] == [
        parked["reason"] for parked in _received(retry_url)
    ]
    assert NOTHING == route.retry.handler(_deliver_all(retry_url), None)
    assert ["ReferralSubmitted", "ReferralScreened"] == _types("r1")


def test_a_lost_race_is_decided_anew(retry_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The lead was withdrawn while it was screened: there is nothing left to do, and no failure."""
    submit("r1")
    _interrupt(monkeypatch, lambda: move("r1", Withdraw(reason="by_lead")), times=1)
    _route(*_events("r1"))
    assert ["ReferralSubmitted", "ReferralWithdrawn"] == _types("r1")
    assert [] == list(_received(retry_url))
    assert [] == referrals.detail("r1").shares


def test_a_lost_race_that_leaves_the_step_open_takes_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """A hold set meanwhile moves the version, not the status: screening reads it and goes on."""
    submit("r1")
    _interrupt(monkeypatch, lambda: move("r1", Hold(reason="checked_by_hand")), times=1)
    _route(*_events("r1"))
    assert ["ReferralSubmitted", "ReferralHeld", "ReferralScreened"] == _types("r1")


def test_a_race_lost_twice_is_parked(retry_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two attempts are enough while everybody else waits; the queue has time."""
    submit("r1")
    _interrupt(monkeypatch, lambda: move("r1", Hold(reason="checked_by_hand")), times=2)
    _route(*_events("r1"))
    assert ["StaleError: somebody else changed the referral first"] == [
        parked["reason"] for parked in _received(retry_url)
    ]
    assert "submitted" == referrals.get("r1").status


def test_when_the_retry_queue_is_gone_the_batch_comes_again(
    retry_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Raising is the only way left not to lose the record; the rest of the batch was done."""
    submit("r1")
    client("sqs").delete_queue(QueueUrl=retry_url)
    with monkeypatch.context() as patched:
        patched.setattr(route.stream, "STEPS", {})
        with pytest.raises(ClientError, match="NonExistentQueue"):
            route.stream.handler(from_stream(_events("r1")), None)
    _route(*_events("r1"))
    assert "screening" == referrals.get("r1").status


def _deliver_all(url: str) -> dict[str, Any]:
    client("sqs").set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "60"})
    return from_queue(url)


def _raising(error: Exception) -> Callable[[Transaction], None]:
    def commit(_writes: Transaction) -> None:
        raise error

    return commit


def _interrupt(
    monkeypatch: pytest.MonkeyPatch, meanwhile: Callable[[], object], *, times: int
) -> None:
    """Let something happen between reading a referral and writing it."""
    left = [meanwhile] * times
    judge = screening.judge

    def judge_slowly(*arguments: Any) -> screening.Verdict:
        verdict = judge(*arguments)
        if left:
            left.pop()()
        return verdict

    monkeypatch.setattr(screening, "judge", judge_slowly)


def _enrol_from_the_list(name: str) -> Prospect:
    """Store a partner who was a prospect, and their entry in the list."""
    life.enrol(name, listed=True)
    entry = Prospect(
        program="acme",
        key=f"key-{name}",
        version=1,
        listed_at=NOW,
        state="enrolled",
        partner=name,
    )
    moved = prospect.listed(None, entry, now=NOW, actor="user:1")
    assert moved is not None
    writes = Transaction()
    prospects.save(writes, None, *moved)
    writes.commit()
    return entry


def test_the_first_referral_of_a_prospect_is_noted_once() -> None:
    """The company's list learns that somebody on it has referred, and only the first time."""
    _enrol_from_the_list("emil")
    for name in ("r1", "r2"):
        submit(name, [life.touch("emil")], lead_key=f"key-{name}")
        _run(name)
    after = prospects.find("acme", "key-emil")
    assert after is not None
    assert ("referred", 2) == (after.state, after.version)
    last = raw_items("PROSPECT#acme#key-emil")[-1]
    assert ("ProspectReferred", {"S": "r1"}, "REFERRAL#r1#1") == (
        last["type"]["S"],
        last["data"]["M"]["referral"],
        last["cause"]["S"],
    )


def test_a_duplicate_is_nobodys_first_referral() -> None:
    """A prospect has referred when screening let a lead through."""
    made = _enrol_from_the_list("emil")
    submit("r1", [life.touch("emil")], duplicate_of="r0")
    _run("r1")
    assert made == prospects.find("acme", "key-emil")
