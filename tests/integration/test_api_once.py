"""Idempotency keys: whatever is repeated, raced or lost, one request is done once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from botocore.exceptions import ReadTimeoutError
from pynamodb.connection.base import Connection
from pynamodb.exceptions import TransactWriteError

from introducer.command import Assign, Clear
from introducer.tables import claims, links, referrals, store
from introducer.tables.claims import Claim
from tests.support import life
from tests.support.api import Reply, call, login
from tests.support.tables import everything

KEY = "a-key-of-pia-1"
PIA = login("login-pia", "partner")
ANNA = login("login-anna", "rep")

pytestmark = pytest.mark.usefixtures("aws", "frozen")


@pytest.fixture(autouse=True)
def program(aws: None) -> None:  # noqa: ARG001  (pytest orders fixtures by it)
    """A program with two partners."""
    life.publish()
    life.enrol("pia")
    life.enrol("paul")


def new_link(key: str | None = KEY, claims: dict[str, str] = PIA, **body: Any) -> Reply:
    """Make a link."""
    return call("POST", "/v1/me/links", body or {"campaign": "autumn"}, claims=claims, key=key)


def codes(partner: str = "pia") -> list[str]:
    """Return the codes of a partner's links."""
    return [link.code for link in links.of_partner(partner, limit=100)[0]]


def replayed(reply: Reply) -> bool:
    """Return whether the answer was given before."""
    return reply.headers.get("idempotent-replayed") == "true"


@pytest.mark.parametrize(
    ("key", "code"),
    [
        (None, "idempotency_key_missing"),
        ("short", "idempotency_key_invalid"),
        ("k" * 129, "idempotency_key_invalid"),
        ("key with\nline", "idempotency_key_invalid"),
        ("schlüssel", "idempotency_key_invalid"),
    ],
)
def test_once_needs_a_usable_key(key: str | None, code: str) -> None:
    """8 to 128 printable ASCII characters, on every POST."""
    assert (400, code) == new_link(key).problem()
    assert [] == codes()


def test_once_answers_a_repeated_request_from_memory() -> None:
    """The same key and body get the same answer, and nothing is stored a second time."""
    first = new_link()
    before = everything()
    second = new_link()
    assert (201, False) == (first.status, replayed(first))
    assert (201, first.body, True) == (second.status, second.body, replayed(second))
    assert before == everything()


def test_once_does_not_mind_spelling() -> None:
    """White space, the order of fields and defaults spelled out are the same request."""
    first = new_link(destination="https://www.acme.example/a", campaign="c")
    body = '{ "campaign" : "c", "utm": {}, "destination":"https:\\/\\/www.acme.example/a" }'
    again = call("POST", "/v1/me/links", body, claims=PIA, key=KEY)
    assert (first.body, True) == (again.body, replayed(again))


def test_once_refuses_the_key_for_another_body() -> None:
    """Nothing is done, and the first answer is not shown."""
    new_link()
    assert (422, "idempotency_key_reused") == new_link(campaign="winter").problem()
    assert 1 == len(codes())


def test_once_refuses_the_key_for_another_thing() -> None:
    """Accepting a second lead with the first one's key is another request."""
    life.add_rep("anna")
    for name in ("r1", "r2"):
        life.submit(name)
        life.move(name, Clear(partner="pia", audience="partners"))
        life.move(name, Assign(rep="anna"))
    first = call("POST", "/v1/rep/referrals/r1/accept", {}, claims=ANNA, key=KEY)
    second = call("POST", "/v1/rep/referrals/r2/accept", {}, claims=ANNA, key=KEY)
    assert (200, {"id": "r1", "status": "accepted"}) == (first.status, first.body)
    assert (422, "idempotency_key_reused") == second.problem()
    assert "assigned" == referrals.get("r2").status


def test_once_replays_an_accept_that_is_no_longer_possible() -> None:
    """A retry is answered from memory, not from a state that does not allow it any more."""
    life.add_rep("anna")
    life.submit("r1")
    life.move("r1", Clear(partner="pia", audience="partners"))
    life.move("r1", Assign(rep="anna"))
    for again in (False, True):
        reply = call("POST", "/v1/rep/referrals/r1/accept", {}, claims=ANNA, key=KEY)
        assert (200, again) == (reply.status, replayed(reply))
    other = call("POST", "/v1/rep/referrals/r1/accept", {}, claims=ANNA)
    assert (409, "transition_not_allowed") == other.problem()


def test_once_keeps_callers_apart() -> None:
    """Another caller's key of the same name is another key."""
    mine, other = new_link(), new_link(claims=login("login-paul", "partner"))
    assert (201, False) == (other.status, replayed(other))
    assert ([mine.body["code"]], [other.body["code"]]) == (codes("pia"), codes("paul"))


def test_once_keeps_neither_key_nor_personal_data() -> None:
    """The claim holds hashes, the status and the ids that were answered, for 30 days."""
    reply = new_link()
    (claim,) = [item for item in everything() if "#idempotency#" in item["pk"]]
    assert KEY not in str(claim)
    assert (201, reply.body, "2026-12-22T11:17:00.000Z") == (
        claim["status"],
        claim["body"],
        claim["expires_at"],
    )
    assert "/user:login-pia/POST /v1/me/links" == claim["scope"]


def test_once_forgets_after_30_days(frozen: Callable[[str], None]) -> None:
    """Then the key may be used anew, whether or not the store has tidied up."""
    new_link()
    frozen("2026-12-22T11:17:01.000Z")
    assert (201, False) == ((later := new_link(campaign="winter")).status, replayed(later))
    assert 2 == len(codes())


def test_once_lets_one_of_two_at_once_win(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever writes second replays the first one's answer."""
    twins: list[Reply] = []
    race(monkeypatch, lambda: twins.append(new_link()))
    loser = new_link()
    assert ([201], 201) == ([twin.status for twin in twins], loser.status)
    assert (twins[0].body, True) == (loser.body, replayed(loser))
    assert [loser.body["code"]] == codes()


def test_once_refuses_the_loser_with_another_body(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two at once with one key and two bodies: one is done, the other refused."""
    race(monkeypatch, lambda: new_link(campaign="winter"))
    assert (422, "idempotency_key_reused") == new_link().problem()
    assert 1 == len(codes())


def test_once_replays_when_the_twin_moved_the_entity_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """The losing accept finds the lead accepted already; it was its own request that did it."""
    life.add_rep("anna")
    life.submit("r1")
    life.move("r1", Clear(partner="pia", audience="partners"))
    life.move("r1", Assign(rep="anna"))

    def accept() -> Reply:
        return call("POST", "/v1/rep/referrals/r1/accept", {}, claims=ANNA, key=KEY)

    race(monkeypatch, accept)
    loser = accept()
    assert (200, {"id": "r1", "status": "accepted"}, True) == (
        loser.status,
        loser.body,
        replayed(loser),
    )
    assert 4 == referrals.get("r1").version


def test_once_reads_back_when_the_answer_is_lost() -> None:
    """A write that was done counts as done, though its answer never came."""
    with answers_lost(done=True):
        reply = new_link()
    assert 201 == reply.status
    assert [reply.body["code"]] == codes()


def test_once_may_be_repeated_after_an_uncertain_answer() -> None:
    """When not even the reading back works, the caller may send it again, safely."""
    with answers_lost(done=True, reads=True):
        reply = new_link()
    assert (503, "unavailable") == reply.problem()
    assert "2" == reply.headers["retry-after"]
    again = new_link()
    assert (201, True) == (again.status, replayed(again))
    assert [again.body["code"]] == codes()


def test_once_stores_nothing_when_the_request_never_arrived() -> None:
    """Then the retry does it for the first time."""
    with answers_lost(done=False):
        assert (503, "unavailable") == new_link().problem()
    assert [] == codes()
    again = new_link()
    assert (201, False) == (again.status, replayed(again))


def test_once_decides_anew_when_somebody_else_got_in_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A code that is taken is not the caller's problem: another one is drawn."""
    taken = new_link("another-key").body["code"]
    codes = iter([taken, taken, "freecode"])
    monkeypatch.setattr("introducer.ids.new_code", lambda: next(codes))
    assert (201, "freecode") == ((reply := new_link()).status, reply.body["code"])


def race(monkeypatch: pytest.MonkeyPatch, twin: Callable[[], object]) -> None:
    """Let *twin* run whole between the next request's look at its key and its write."""
    real = claims.find
    ran: list[bool] = []

    def find(scope: str, kind: str, value: str, *, now: str) -> Claim | None:
        found = real(scope, kind, value, now=now)
        if kind == "idempotency" and not ran:
            ran.append(True)
            twin()
        return found

    monkeypatch.setattr(claims, "find", find)


@contextmanager
def answers_lost(*, done: bool, reads: bool = False) -> Iterator[None]:
    """Let every transaction time out, done or not; with *reads*, every later read as well."""
    real_write, real_get = Connection.transact_write_items, store.get
    timeout = ReadTimeoutError(endpoint_url="https://dynamodb")
    lost: list[bool] = []

    def write(self: Connection, *items: Any) -> None:
        if done:
            real_write(self, *items)
        lost.append(True)
        raise TransactWriteError("timed out", timeout)

    def get(*place: Any, **options: Any) -> Any:
        if lost and reads:
            raise TransactWriteError("timed out", timeout)
        return real_get(*place, **options)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Connection, "transact_write_items", write)
        patched.setattr(store, "get", get)
        yield
