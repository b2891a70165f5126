"""A dispute on the deployed template: opened, decided, and the money where it belongs."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tests.support.deployed import item, items, run_job, until
from tests.support.journey import DUE_MINOR, Journey, Partner, unique

pytestmark = pytest.mark.usefixtures("alone")


def audited(journey: Journey) -> list[dict[str, str]]:
    """Audit today's records on the deployed function; return the findings of the program."""
    today = datetime.now(UTC).date().isoformat()
    run_job(journey.stack, "audit", {"from": today, "grace_s": 0})
    path = f"/v1/programs/{journey.program}/audits/{today}"
    read = journey.stack.call("GET", path, token=journey.manager).expect(200).body
    assert read["report"]["looked_at"]["referrals"] > 0
    return list(read["findings"])


def earned(journey: Journey, partner: Partner) -> int:
    """Return what a partner's statement shows as earned, wherever it stands."""
    return sum(journey.statement(partner)["balance"].values())


def test_dispute_moves_the_credit_and_the_money(journey: Journey) -> None:
    """B says that A's customer is theirs; the manager agrees; both statements say the same."""
    pia, quin = journey.partner(), journey.partner()
    lead = f"{unique('lena')}@customers.example"
    referral = journey.won(pia, email=lead)
    body = {"email": lead, "reason": "referred_first", "comment": "I introduced Lena in May."}
    made = journey.stack.call("POST", "/v1/me/disputes", body, token=quin.token).expect(201).body
    assert "received" == made["status"]

    path = f"/v1/programs/{journey.program}/disputes"
    (row,) = journey.stack.call("GET", path, token=journey.manager).expect(200).body["items"]
    assert (made["id"], referral, quin.id) == (row["id"], row["referral"], row["partner"])
    one = f"{path}/{made['id']}"
    seen = journey.stack.call("GET", one, token=journey.manager).expect(200).body
    assert ["I introduced Lena in May."] == [each["text"] for each in seen["comments"]]
    assert ("rule", True) == (seen["evidence"]["decided_by"], seen["evidence"]["agrees"])
    assert {pia.id} == {each["partner"] for each in seen["rewards"]}

    decision = {"outcome": "upheld", "reason": "earlier_touch", "referral": referral}
    decided = journey.stack.call("POST", f"{one}/decide", decision, token=journey.manager)
    assert "decided" == decided.expect(200).body["status"]

    until(lambda: (earned(journey, pia), earned(journey, quin)), (0, 4 * DUE_MINOR).__eq__)
    assert "recredited" in {
        each.get("reason")
        for each in items(journey.stack, "ledger", journey.program)
        if each.get("kind") == "RewardReversed" and each["partner"] == pia.id
    }
    assert quin.id == item(journey.stack, "core", f"REFERRAL#{referral}", "STATE")["partner"]
    mine = journey.stack.call("GET", f"/v1/me/referrals/{referral}", token=pia.token)
    assert 0 == mine.expect(200).body["referral"]["share_basis_points"]
    theirs = journey.stack.call("GET", f"/v1/me/disputes/{made['id']}", token=quin.token)
    assert "upheld" == theirs.expect(200).body["dispute"]["outcome"]["code"]
    assert [] == audited(journey)


def test_jobs_go_by_hand(journey: Journey) -> None:
    """Finance starts both jobs; they run with the rights they have."""
    pia = journey.partner()
    referral = journey.assigned(journey.link(pia))
    body = {"referral": referral, "reason": "wrong_share"}
    dispute = journey.stack.call("POST", "/v1/me/disputes", body, token=pia.token).expect(201).body
    for job in ("disputes", "audit"):
        journey.start(job)
    assert {"escalated": 0} == run_job(journey.stack, "escalate")
    withdraw = f"/v1/me/disputes/{dispute['id']}/withdraw"
    journey.stack.call("POST", withdraw, {}, token=pia.token).expect(200)
    assert [] == audited(journey)
