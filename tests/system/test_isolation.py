"""What belongs to one partner, rep or caller does not exist for another."""

from __future__ import annotations

from typing import Any

import pytest

from infra.api import Answer, Stack
from tests.support.journey import DUE_MINOR, Journey, unique


@pytest.fixture(scope="module")
def journey(stack: Stack) -> Journey:
    """One program for the whole module: its tests keep apart by partners and leads."""
    return Journey(stack)


@pytest.fixture(scope="module")
def elsewhere(stack: Stack) -> Journey:
    """Another program, with another rep."""
    return Journey(stack)


def refusal(answer: Answer) -> tuple[int, str]:
    """Return status and code of a problem document."""
    assert "application/problem+json" == answer.headers["content-type"], answer
    return answer.status, answer.body["code"]


def without_id(answer: Answer) -> dict[str, Any]:
    """Return a problem document but for the id of its request."""
    return {name: value for name, value in answer.body.items() if name != "request_id"}


def test_partner_cannot_see_what_is_another_partners(stack: Stack, journey: Journey) -> None:
    """Another's referral is answered like one that does not exist, and no list shows it."""
    ours, theirs = journey.partner(), journey.partner()
    code = journey.link(ours)
    referral = journey.won(ours, code)

    def get(path: str, token: str) -> Answer:
        return stack.call("GET", path, token=token)

    mine = get(f"/v1/me/referrals/{referral}", ours.token).expect(200)
    assert referral == mine.body["referral"]["id"]
    found = get(f"/v1/me/referrals/{referral}", theirs.token)
    nothing = get(f"/v1/me/referrals/{unique('x')}", theirs.token)
    assert (404, "not_found") == refusal(found)
    assert without_id(nothing) == without_id(found)
    for path in ("/v1/me/referrals", "/v1/me/rewards", "/v1/me/links"):
        assert [] != get(path, ours.token).body["items"]
        assert {"items": [], "next": ""} == get(path, theirs.token).expect(200).body
    zero = dict.fromkeys(journey.statement(ours)["balance"], 0)
    assert {
        "currency": "EUR",
        "opening": zero,
        "movements": [],
        "closing": zero,
        "balance": zero,
        "next": "",
    } == journey.statement(theirs)
    assert 4 * DUE_MINOR == sum(journey.statement(ours)["balance"].values())


def test_rep_cannot_see_or_move_another_reps_lead(
    stack: Stack, journey: Journey, elsewhere: Journey
) -> None:
    """Another rep's lead is a 404 to read, accept and reject, and stays as it was."""
    referral = journey.assigned(journey.link(journey.partner(iban="")))
    before = journey.state(referral)
    other = elsewhere.rep
    path = f"/v1/rep/referrals/{referral}"
    answers = [
        stack.call("GET", path, token=other),
        stack.call("POST", f"{path}/accept", {}, token=other),
        stack.call("POST", f"{path}/reject", {"reason": "no_interest"}, token=other),
    ]
    assert [(404, "not_found")] * 3 == [refusal(answer) for answer in answers]
    assert {"items": [], "next": ""} == stack.call("GET", "/v1/rep/referrals", token=other).body
    assert before == journey.state(referral)
    assert 200 == stack.call("POST", f"{path}/accept", {}, token=journey.rep).status


def test_idempotency_key_is_the_callers_own(stack: Stack, journey: Journey) -> None:
    """The same key and body from another partner is another request."""
    key, body = unique("key"), {"campaign": "autumn"}
    ours, theirs = journey.partner(iban=""), journey.partner(iban="")

    def make(token: str) -> Answer:
        return stack.call("POST", "/v1/me/links", body, token=token, key=key).expect(201)

    first, again, other = make(ours.token), make(ours.token), make(theirs.token)
    assert first.body == again.body
    assert ("", "true", "") == tuple(
        answer.headers.get("idempotent-replayed", "") for answer in (first, again, other)
    )
    assert first.body["code"] != other.body["code"]
    changed = stack.call("POST", "/v1/me/links", {}, token=ours.token, key=key)
    assert (422, "idempotency_key_reused") == refusal(changed)


def test_cursor_serves_its_own_reader_only(stack: Stack, journey: Journey) -> None:
    """A cursor that was changed, or is another's or another list's, is refused."""
    ours, theirs = journey.partner(iban=""), journey.partner(iban="")
    codes = {journey.link(ours) for _ in range(3)}

    def page(cursor: str, token: str, path: str = "/v1/me/links") -> Answer:
        return stack.call("GET", f"{path}?limit=2&cursor={cursor}", token=token)

    first = page("", ours.token).expect(200).body
    second = page(first["next"], ours.token).expect(200).body
    assert "" == second["next"]
    assert codes == {row["code"] for row in [*first["items"], *second["items"]]}
    cursor = first["next"]
    swapped = ("A" if cursor[40] != "A" else "B").join([cursor[:40], cursor[41:]])
    refused = [
        page(swapped, ours.token),
        page(cursor[:-3], ours.token),
        page("bm90LW91cnM", ours.token),
        page(cursor, theirs.token),
        page(cursor, ours.token, "/v1/me/referrals"),
        page(f"{cursor}&limit=1", ours.token),
    ]
    assert [
        *[(400, "invalid_cursor")] * 5,
        (400, "invalid_input"),
    ] == [refusal(answer) for answer in refused]


def test_referral_cannot_be_reached_through_another_program(
    journey: Journey, elsewhere: Journey
) -> None:
    """Another program's manager path and its billing system find nothing, and change nothing."""
    referral = journey.assigned(journey.link(journey.partner(iban="")))
    before = journey.state(referral)
    refused = [
        elsewhere.post(f"referrals/{referral}/assign", {"rep": elsewhere.rep_id}),
        elsewhere.send("sale.recorded", elsewhere.sale(referral)),
    ]
    assert [(404, "not_found")] * 2 == [refusal(answer) for answer in refused]
    assert before == journey.state(referral)
