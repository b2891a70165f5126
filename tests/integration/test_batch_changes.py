"""What people do to a batch before it is submitted, and what is looked at before it pays."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from introducer import payout
from introducer.clients import client
from introducer.errors import TransitionError
from introducer.event import Event
from introducer.tables import batches, partners, payouts, store
from introducer.tables.store import Table, Transaction
from payout import batch, files, members
from tests.support import life, money
from tests.support.api import Reply, call, login
from tests.support.money import EUROS, NOW
from tests.support.states import States

FIN, MIA = login("fin", "finance"), login("mia", "manager")
ALWAYS = EUROS | {"approval_above_minor": 0}
NAMES = ("pia", "quin", "rob")


@pytest.fixture(autouse=True)
def program(aws: None, frozen: Callable[[str], None]) -> Callable[[str], None]:
    """A program whose batches all need an approval; 50.00 EUR are payable to each of three."""
    del aws
    money.publish(payouts=[ALWAYS])
    for name in NAMES:
        money.enrol(name, email_key=f"key-{name}")
        money.credit(name, 5_000)
    return frozen


@pytest.fixture(autouse=True)
def states(monkeypatch: pytest.MonkeyPatch) -> States:
    """The service of state machines, in memory."""
    fake = States()
    monkeypatch.setattr(payouts, "client", lambda _: fake)
    return fake


@pytest.fixture(autouse=True)
def invoked(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What functions are asked to do."""
    asked: list[dict[str, Any]] = []

    class Lambda:
        """Takes invocations down."""

        def invoke(self, **call: Any) -> None:
            """Take one down."""
            asked.append({**call, "Payload": json.loads(call["Payload"])})

    def clients(service: str) -> Any:
        return Lambda() if service == "lambda" else client(service)

    monkeypatch.setenv("BATCH_FUNCTION", "fn-batch")
    monkeypatch.setattr("submit.resources.batches.client", clients)
    return asked


def change(verb: str, name: str, claims: Any = FIN, **body: str) -> Reply:
    """Change a batch."""
    return call("POST", f"/v1/batches/{name}/{verb}", body, claims=claims)


def exclude(name: str, holder: str, claims: Any = FIN) -> Reply:
    """Take a holder out of a batch."""
    return change("exclude", name, claims, holder=holder, reason="fraud_check")


def statuses(name: str) -> dict[str, str]:
    """Return status, and reason if any, of a batch's payouts by holder."""
    return {each.partner: f"{each.status} {each.reason}".strip() for each in payouts.of_batch(name)}


def change_partner(name: str, **changes: object) -> None:
    """Store something about a partner, as other parts of the product do."""
    before = partners.find_partner(name)
    assert before is not None
    after = msgspec.structs.replace(before, version=before.version + 1, **changes)
    event = Event(
        type="Changed",
        entity=after.entity,
        seq=after.version,
        program=after.program,
        at=NOW,
        actor="x",
    )
    writes = Transaction()
    partners.save(writes, before, after, event)
    writes.commit()


# ---------------------------------------------------------------- exclusions


def test_excluded_holder_keeps_their_money_and_the_others_are_paid() -> None:
    """Payout cancelled, sums less, an event; the others' file orders what is left."""
    name = _closed()

    for _ in range(2):
        assert (200, {"id": name, "status": "awaiting_approval"}) == (
            (reply := exclude(name, "quin")).status,
            reply.body,
        )

    now = money.the_batch(name)
    assert (2, 10_000, 1, ["user:fin"]) == (now.count, now.total_minor, now.excluded, now.preparers)
    assert {"payable": 5_000} == money.accounts("quin")
    told = payouts.batch_events(name)[-1]
    assert ("BatchPayoutExcluded", "user:fin", "fraud_check") == (
        told.type,
        told.actor,
        told.data["reason"],
    )
    assert (200, "approved") == ((done := change("approve", name, MIA)).status, done.body["status"])
    assert name == money.pay_out(until="finish")
    assert {"pia": "in_transit", "quin": "cancelled excluded", "rob": "in_transit"} == statuses(
        name
    )
    assert (2, 10_000) == (
        (sent := money.the_batch(name)).file_count,
        sent.file_total_minor,
    )


def _closed() -> str:
    """Prepare and close a batch that waits for its approval; return its id."""
    return money.pay_out(until="close")


def test_who_excludes_may_not_approve_and_who_approved_may_not_exclude() -> None:
    """Nobody approves what they prepared, in either order."""
    name = _closed()
    exclude(name, "quin", FIN)
    assert (403, "forbidden") == change("approve", name, FIN).problem()

    change("approve", name, MIA)

    assert (403, "forbidden") == exclude(name, "rob", MIA).problem()
    assert 200 == exclude(name, "rob", FIN).status
    assert 1 == money.the_batch(name).count


def test_exclusion_before_the_batch_is_closed_counts_once() -> None:
    """While reservations go on: what was reserved goes back, and nothing is counted twice."""
    name = money.pay_out(until="reserve")
    assert 200 == exclude(name, "quin").status

    assert name == _closed()

    closed = money.the_batch(name)
    assert (2, 10_000, 1) == (closed.count, closed.total_minor, closed.excluded)
    assert (403, "forbidden") == change("approve", name, FIN).problem()


def test_exclusion_of_everybody_gives_the_batch_up() -> None:
    """Nothing is left to pay before it is closed."""
    name = money.pay_out(until="reserve")
    for each in NAMES:
        exclude(name, each)

    assert name == _closed()
    assert ("cancelled", "nothing_payable") == (
        (done := money.the_batch(name)).status,
        done.reason,
    )


def test_nobody_is_excluded_who_is_not_there_or_too_late() -> None:
    """A stranger, somebody skipped, and anybody once the batch is submitted."""
    change_partner("rob", status="inactive")
    name = _closed()
    assert (404, "not_found") == exclude(name, "stranger").problem()
    assert (404, "not_found") == exclude("nosuch", "pia").problem()
    change("approve", name, MIA)
    batch.submit({"batch": name}, NOW)
    assert (409, "transition_not_allowed") == exclude(name, "pia").problem()
    assert {"reserved": 5_000} == money.accounts("pia")


def test_exclusion_that_loses_to_the_submission_changes_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The batch is submitted between what the exclusion read and what it writes."""
    name = _closed()
    payouts.approve(name, approver="user:mia", now=NOW)
    money.intrude(monkeypatch, lambda: batch.submit({"batch": name}, NOW))

    with pytest.raises(TransitionError):
        batches.exclude(name, "pia", reason="late", actor="user:fin", now=NOW)

    assert {"reserved": 5_000} == money.accounts("pia")
    assert 0 == money.the_batch(name).excluded


# ---------------------------------------------------------------- giving up


def test_cancelled_batch_is_never_submitted_and_gives_everything_back(
    states: States, invoked: list[dict[str, Any]]
) -> None:
    """By a person, again and again: the machine is woken, the money payable, the next run pays."""
    name = _closed()
    batch.await_approval({"batch": name, "token": "token-1"}, NOW)

    for _ in range(2):
        reply = change("cancel", name, reason="wrong_month")
        assert (200, {"id": name, "status": "cancelled"}) == (reply.status, reply.body)

    assert ["token-1"] * 2 == states.woken
    assert {"step": "finish", "batch": name} == invoked[0]["Payload"]
    assert (409, "transition_not_allowed") == change("approve", name, MIA).problem()
    assert {"batch": name, "cancelled": True} == batch.submit({"batch": name}, NOW)
    for each in invoked:
        batch.handler(each["Payload"], money.CONTEXT)
    assert dict.fromkeys(NAMES, "cancelled batch_cancelled") == statuses(name)
    assert [{"payable": 5_000}] * 3 == [money.accounts(each) for each in NAMES]
    told = payouts.batch_events(name)[-1]
    assert ("BatchCancelled", "user:fin", "wrong_month") == (
        told.type,
        told.actor,
        told.data["reason"],
    )
    money.pay_out(2, until="finish")
    assert [{"in_transit": 5_000}] * 3 == [money.accounts(each) for each in NAMES]


def test_batch_cancelled_while_reservations_go_on_lets_nobody_in() -> None:
    """A reservation that read the batch before comes too late, or is given back."""
    event = money.batch_event()
    name = event["batch"]
    batch.prepare(event, NOW)
    before = money.the_batch(name)
    members.reserve(before, "pia", now=NOW)
    change("cancel", name, reason="wrong_month")
    members.reserve(before, "quin", now=NOW)

    batch.finish({"batch": name}, NOW)
    members.reserve(before, "rob", now=NOW)

    assert [{"payable": 5_000}] * 3 == [money.accounts(each) for each in NAMES]
    assert "skipped batch_cancelled" == statuses(name)["rob"]
    assert "cancelled" == money.the_batch(name).status


def test_submitted_batch_is_not_cancelled() -> None:
    """Past the point of no return only the bank says no."""
    name = _closed()
    change("approve", name, MIA)
    batch.submit({"batch": name}, NOW)

    assert (409, "transition_not_allowed") == change("cancel", name, reason="late").problem()


def test_batch_that_nobody_approves_in_time_is_given_up() -> None:
    """After a week the machine goes another way; the money is payable again."""
    name = _closed()

    for _ in range(2):
        batch.handler({"step": "expire", "batch": name}, money.CONTEXT)
    assert {"batch": name, "cancelled": True} == batch.submit({"batch": name}, NOW)
    batch.finish({"batch": name}, NOW)

    assert ("cancelled", "approval_timed_out") == (
        (done := money.the_batch(name)).status,
        done.reason,
    )
    assert {"payable": 5_000} == money.accounts()


def test_batch_that_is_approved_at_the_last_moment_goes_on() -> None:
    """The token has run out, the approval has not."""
    name = _closed()
    payouts.approve(name, approver="user:mia", now=NOW)

    batch.handler({"step": "expire", "batch": name}, money.CONTEXT)

    assert {"batch": name, "cancelled": False} == batch.submit({"batch": name}, NOW)


# ---------------------------------------------------------------- looking into it


def test_payouts_of_a_batch_are_listed_page_by_page() -> None:
    """Each once, with what became of it; or those of one status."""
    change_partner("rob", payee_usable_at=NOW)
    name = _closed()
    exclude(name, "quin")
    seen: list[dict[str, Any]] = []
    path, cursor = f"/v1/batches/{name}/payouts", ""
    while True:
        page = call("GET", f"{path}?limit=1&cursor={cursor}", claims=FIN).body
        seen += page["items"]
        cursor = page["next"]
        if not cursor:
            break

    assert sorted(NAMES) == sorted(each["holder"] for each in seen)
    wanted = call("GET", f"{path}?status=cancelled", claims=FIN).body
    assert [("quin", "excluded", 5_000)] == [
        (each["holder"], each["reason"], each["amount_minor"]) for each in wanted["items"]
    ]
    assert (404, "not_found") == call("GET", "/v1/batches/no/payouts", claims=FIN).problem()


# ---------------------------------------------------------------- checks


def test_findings_tell_who_is_left_out_and_why() -> None:
    """Held back, cooling off, refused by the bank: counted by reason where one approves."""
    for name, changes in (
        ("quin", {"payout_hold": "fraud_check"}),
        ("rob", {"payee_problem": "AC04"}),
    ):
        change_partner(name, **changes)
    name = _closed()

    (row,) = call("GET", f"/v1/batches?program={life.PROGRAM}", claims=FIN).body["items"]
    assert {"on_hold": 1, "payee_rejected": 1} == row["findings"]
    assert ["pia"] == list(statuses(name))


def test_several_partners_with_one_account_are_all_skipped() -> None:
    """Unless they are of one company."""
    for name in ("quin", "rob"):
        change_partner(name, payee_key="same")
    first = _closed()
    assert {
        "pia": "created",
        "quin": "skipped duplicate_payee",
        "rob": "skipped duplicate_payee",
    } == statuses(first)
    assert {"duplicate_payee": 2} == money.the_batch(first).findings
    change("cancel", first, reason="shared_account")
    batch.finish({"batch": first}, NOW)

    for name in ("quin", "rob"):
        change_partner(name, org="acme-sales")
    second = money.pay_out(2, until="close")
    assert dict.fromkeys(NAMES, "created") == statuses(second)


def test_limits_leave_the_rest_payable_and_want_an_approval() -> None:
    """No payout above the program's most; a batch above its most waits, and says by how much."""
    limits = {"payout_most_minor": 3_000, "batch_most_minor": 8_000, "approval_above_minor": 10**6}
    money.publish(payouts=[EUROS | limits])

    name = _closed()

    waiting = money.the_batch(name)
    assert ("awaiting_approval", 9_000, {"above_batch_most": 1_000}) == (
        waiting.status,
        waiting.total_minor,
        waiting.findings,
    )
    assert {"payable": 2_000, "reserved": 3_000} == money.accounts()


def test_what_is_below_the_threshold_carries_over() -> None:
    """Somebody to whom little is payable is paid with the next money."""
    money.enrol("sue", email_key="key-sue")
    money.credit("sue", 999)
    assert "sue" not in statuses(_closed())
    money.credit("sue", 1, "more")

    name = money.pay_out(2, until="close")

    assert {"sue": "created"} == statuses(name)
    assert {"reserved": 1_000} == money.accounts("sue")


def test_batch_in_another_currency_sends_at_one_rate(program: Callable[[str], None]) -> None:
    """Books in euros, the file in dollars; the rate is fixed with the batch, told with each."""
    dollars = ALWAYS | {"method": "wire", "region": "us", "pays_in": "USD"}
    money.publish(payouts=[dollars])
    path = f"/v1/programs/{life.PROGRAM}/rates"
    rate = {"from": "EUR", "to": "USD", "rate": "1.1234567", "source": "ECB", "at": NOW}
    assert 200 == call("PUT", path, {"rates": [rate]}, claims=FIN).status
    identity: dict[str, Any] = {
        "program": life.PROGRAM,
        "region": "us",
        "currency": "EUR",
        "method": "wire",
        "period": NOW[:10],
    }
    name = payout.batch_id(**identity, run=1)
    event = {**identity, "run": "1", "batch": name, "started_by": "schedule"}
    items = [{"partner": each} for each in NAMES]
    batch.prepare(event, NOW)
    program("2026-11-22T11:20:00.000Z")
    later = {**rate, "rate": "1.2", "at": "2026-11-22T11:18:00.000Z"}
    assert 200 == call("PUT", path, {"rates": [later]}, claims=FIN).status
    for step in (batch.reserve, batch.close):
        step({"batch": name, "Items": items}, NOW)
    payouts.approve(name, approver="user:mia", now=NOW)
    for step in (batch.submit, batch.mark, batch.write):
        step({"batch": name, "Items": items}, NOW)

    sent = money.the_batch(name)
    assert ("in_transit", 15_000, "USD", 3 * 5_617) == (
        sent.status,
        sent.total_minor,
        sent.sent_currency,
        sent.file_total_minor,
    )
    (one, *_) = payouts.of_batch(name)
    assert (5_000, 5_617, "USD", "1.1234567", "ECB", NOW) == (
        one.amount_minor,
        one.sent_minor,
        one.sent_currency,
        one.rate,
        one.rate_source,
        one.rate_at,
    )
    assert b'Ccy="USD">56.17<' in (files.read(files.order_key(sent)) or b"")
    assert {"in_transit": 5_000} == money.accounts()


def test_backup_withholding_goes_to_the_tax_office() -> None:
    """Without its form, a US payee gets less; the batch orders what is left."""
    tax = {"payer_country": "US", "missing": "withhold"}
    money.publish(payouts=[ALWAYS], tax=tax)
    change_partner("pia", country="US")

    name = _closed()

    (mine,) = [each for each in payouts.of_batch(name) if each.partner == "pia"]
    assert (3_800, 1_200) == (mine.amount_minor, mine.withheld_minor)
    exclude(name, "pia")
    assert {"payable": 5_000} == money.accounts()


# ---------------------------------------------------------------- holds


def test_partner_on_hold_is_paid_after_the_release() -> None:
    """Two events on the partner; each move once."""
    path = "/v1/partners/pia"
    held = call("POST", f"{path}/payout-hold", {"reason": "fraud_check"}, claims=FIN)
    assert (200, {"partner": "pia", "payout_hold": "fraud_check"}) == (held.status, held.body)
    again = call("POST", f"{path}/payout-hold", {"reason": "other"}, claims=FIN)
    assert (409, "transition_not_allowed") == again.problem()
    assert "pia" not in statuses(_closed())

    freed = call("POST", f"{path}/release-payout-hold", {"reason": "all_well"}, claims=FIN)
    assert (200, {"partner": "pia", "payout_hold": ""}) == (freed.status, freed.body)
    again = call("POST", f"{path}/release-payout-hold", {"reason": "all_well"}, claims=FIN)
    assert (409, "transition_not_allowed") == again.problem()
    assert {"pia": "created"} == statuses(money.pay_out(2, until="close"))
    found = store.query_all(Table.CORE, "PARTNER#pia", prefix="EVENT#", consistent=True)
    assert [("PayoutHoldPlaced", "fraud_check"), ("PayoutHoldReleased", "all_well")] == [
        (each["type"], each["data"]["reason"]) for each in found if "Hold" in each["type"]
    ]
    missing = call("POST", "/v1/partners/no/payout-hold", {"reason": "x"}, claims=FIN)
    assert (404, "not_found") == missing.problem()


def test_hold_placed_after_the_reservation_gives_the_money_back() -> None:
    """It is looked at once more before the money leaves."""
    name = _closed()
    change("approve", name, MIA)
    call("POST", "/v1/partners/pia/payout-hold", {"reason": "fraud_check"}, claims=FIN)

    money.pay_out(until="finish")

    assert "cancelled on_hold" == statuses(name)["pia"]
    assert {"payable": 5_000} == money.accounts()


def test_advice_is_given_where_a_person_pays_often() -> None:
    """Above the program's number a month, finance is told that the calendar could do it."""
    money.publish(payouts=[EUROS | {"automatic": False}], fulfilment={"advise_above_monthly": 2})
    money.pay_out(until="finish", started_by="user:fin")

    listed = call("GET", f"/v1/batches?program={life.PROGRAM}", claims=FIN).body

    assert [("sepa", "2026-11", 3, 2)] == [
        (each["method"], each["month"], each["payouts"], each["limit"]) for each in listed["advice"]
    ]
