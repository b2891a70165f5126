"""Conversions that wait are listed, found again, settled by hand, and never applied twice."""

from __future__ import annotations

from typing import Any

import pytest

from introducer import clock
from introducer.command import Assign, Clear, Withdraw
from introducer.conversion import Conversion
from introducer.tables import referrals, store, waiting
from submit import waiting as consumer
from tests.support import life
from tests.support.api import Reply, call
from tests.support.conversions import (
    EMAIL,
    MANAGER,
    Bus,
    churned,
    click,
    form,
    lead,
    listed,
    open_program,
    refund,
    sale,
    sales_of,
    take,
)
from tests.support.tables import everything

pytestmark = pytest.mark.usefixtures("aws", "frozen")


@pytest.fixture
def bus(aws: None) -> Bus:  # noqa: ARG001  (pytest orders fixtures by it)
    """An open program and its bus."""
    open_program()
    return Bus()


def decide(conversion: str, verb: str, body: dict[str, str]) -> Reply:
    """Match or dismiss a conversion as a manager."""
    path = f"/v1/programs/acme/unmatched/{conversion}/{verb}"
    return call("POST", path, body, claims=MANAGER)


@pytest.mark.parametrize("about", [{"click": click()}, {"email": EMAIL}])
def test_sale_before_the_form_is_explained_by_it(bus: Bus, about: dict[str, str]) -> None:
    """It is listed as unmatched; the form with that click or address wins it later."""
    taken = take(sale(**about))
    bus.run()
    (row,) = listed()
    assert {
        "id": taken.conversion,
        "type": "sale.recorded",
        "source": "billing",
        "channel": "csv",
        "reason": "unmatched",
        "referral": "",
        "happened_at": "2026-11-22T10:30:00.000Z",
        "kept_at": clock.now(),
        "external_id": "",
        "click": about.get("click", ""),
        "code": "",
        "has_email": "email" in about,
        "amount_minor": 10_000,
        "currency": "EUR",
        "name": "INV-1",
    } == row
    referral = lead(bus)
    assert ("won", ["INV-1"]) == (referrals.get(referral).status, sales_of(referral))
    assert [] == listed()
    assert [] == [each for each in everything() if each["pk"].startswith("WAITING#")]
    kept = waiting.find(taken.conversion)
    assert kept is not None
    assert ("applied", referral) == (kept.status, kept.referral)


def test_sale_by_the_senders_id_waits_until_that_is_tied(bus: Bus) -> None:
    """Any message that ties the id explains it, also one that changes nothing else."""
    referral = lead(bus)
    take(sale(external_id="cust-1"))
    stage = {"stage": "won", "at": "2026-11-22T10:10:00Z"}
    tying = {"type": "stage.changed", "data": stage | {"email": EMAIL, "external_id": "cust-1"}}
    assert "noted" == take(tying).outcome
    bus.run()
    assert ["INV-1"] == sales_of(referral)


def test_refund_and_churn_before_their_sale_wait_for_it(bus: Bus) -> None:
    """They take back what was not reported yet; once it is, they follow in their order."""
    referral = lead(bus)
    for message in (churned(referral=referral), refund(referral=referral)):
        assert "waiting" == take(message).outcome
    bus.run()
    assert {"no_sale_yet"} == {each["reason"] for each in listed()}
    take(sale(email=EMAIL))
    bus.run()
    detail = referrals.detail(referral)
    assert ("churned", 4_000) == (detail.referral.status, detail.sales[0].refunded_minor)
    assert [] == listed()


def test_sale_while_the_lead_is_screened_waits_for_the_rep(bus: Bus) -> None:
    """It is no error of the sender's to be quick; what nobody clears stays listed."""
    made = form(EMAIL, clicks=[click()])
    taken = take(sale(referral=made.body["id"]))
    assert ("waiting", made.body["id"], "submitted") == (
        taken.outcome,
        taken.referral,
        taken.status,
    )
    assert ["not_ready"] == [each["reason"] for each in listed()]
    bus.run()
    assert ["INV-1"] == sales_of(made.body["id"])


def test_sale_of_a_duplicate_goes_to_the_first_referral(bus: Bus) -> None:
    """Whichever of the two is named, by whichever key, even before screening has found out."""
    first = lead(bus)
    second = form(EMAIL, clicks=[click("2")]).body["id"]
    assert "waiting" == take(sale(referral=second)).outcome
    bus.run()
    assert ("duplicate", ["INV-1"]) == (referrals.get(second).status, sales_of(first))
    assert first == take(sale("INV-2", referral=second)).referral
    assert first == take(sale("INV-3", click=click("2"))).referral


def test_sale_for_a_lead_that_ended_waits_for_a_person(bus: Bus) -> None:
    """The money is real; somebody decides whose it is, or puts it aside."""
    referral = lead(bus)
    life.move(referral, Withdraw(reason="by_lead"))
    taken = take(sale(referral=referral))
    assert ("waiting", "withdrawn") == (taken.outcome, taken.status)
    other = lead(bus, "carl@other.example", clicks=[click("2")])
    reply = decide(taken.conversion, "match", {"referral": other})
    assert {"outcome": "applied", "referral": other, "status": "won"} == reply.body
    assert [] == listed()


def test_manager_matches_what_nothing_explains(bus: Bus) -> None:
    """By hand it is the same as if the sender had named the lead; once only."""
    referral = lead(bus)
    taken = take(sale(external_id="cust-9"))
    refused = decide(taken.conversion, "match", {"referral": "nosuch"})
    assert (404, "not_found") == refused.problem()
    reply = decide(taken.conversion, "match", {"referral": referral})
    assert ("applied", referral) == (reply.body["outcome"], reply.body["referral"])
    last = referrals.detail(referral).events[-1]
    assert ("ReferralWon", "user:sub-m") == (last.type, last.actor)
    again = decide(taken.conversion, "match", {"referral": referral})
    assert (409, "transition_not_allowed") == again.problem()
    assert "known" == take(sale(external_id="cust-9"), "told again").outcome


def test_matched_by_hand_before_it_is_ready_it_waits_for_that_lead(bus: Bus) -> None:
    """What a person said stays said, against every weaker key."""
    lead(bus)
    ending = take(sale(external_id="cust-9"))
    other = form("carl@other.example", clicks=[click("2")]).body["id"]
    reply = decide(ending.conversion, "match", {"referral": other})
    assert ("waiting", other) == (reply.body["outcome"], reply.body["referral"])
    bus.run()
    assert ["INV-1"] == sales_of(other)


def test_dismissed_conversion_stays_dismissed(bus: Bus) -> None:
    """It is gone from the list with its reason, and a later form does not bring it back."""
    taken = take(sale(click=click()))
    reply = decide(taken.conversion, "dismiss", {"reason": "not_referred"})
    assert {"id": taken.conversion, "status": "dismissed"} == reply.body
    assert [] == listed()
    assert [] == sales_of(lead(bus))
    again = decide(taken.conversion, "dismiss", {"reason": "test"})
    assert (409, "transition_not_allowed") == again.problem()
    kept = waiting.find(taken.conversion)
    assert kept is not None
    assert ("dismissed", "not_referred") == (kept.status, kept.reason)


def test_conversions_of_another_program_are_nobodys_business(bus: Bus) -> None:
    """The path's program is the conversion's own."""
    taken = take(sale(click=click()))
    for verb, body in (("match", {"referral": "r1"}), ("dismiss", {"reason": "test"})):
        path = f"/v1/programs/other/unmatched/{taken.conversion}/{verb}"
        assert (404, "not_found") == call("POST", path, body, claims=MANAGER).problem()
    reply = call("GET", "/v1/programs/other/unmatched", claims=MANAGER)
    assert {"items": [], "next": ""} == reply.body
    assert bus


def test_what_cannot_be_applied_says_why_and_blocks_nobody(bus: Bus) -> None:
    """Two sales of one id with other facts: one counts, the other waits with the reason."""
    take(sale(email=EMAIL), "first")
    take(sale(email=EMAIL, amount_minor=99), "second")
    take(sale("INV-2", email=EMAIL), "third")
    referral = lead(bus)
    assert ["INV-1", "INV-2"] == sales_of(referral)
    (row,) = listed()
    assert ("already_exists", "INV-1") == (row["reason"], row["name"])


@pytest.mark.parametrize("message", [sale(click=click()), sale(code="pias-link", email=EMAIL)])
def test_same_message_again_changes_nothing(bus: Bus, message: dict[str, Any]) -> None:
    """A file that is read twice, before and after it was explained, makes one sale."""
    first = take(message)
    before = everything()
    assert first == take(message)
    assert before == everything()
    referral = lead(bus)
    before = everything()
    assert take(message).outcome == "known"
    assert before == everything()
    (sold,) = [each for each in everything() if each["sk"].startswith("SALE#")]
    assert sold["pk"] in {f"REFERRAL#{referral}", f"REFERRAL#{first.referral}"}


def test_lead_taken_between_look_and_write_takes_the_message(
    bus: Bus, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The form was faster by a moment: the message goes to that lead and makes no second one."""
    made: list[str] = []
    real = store.Transaction.commit

    def commit(self: store.Transaction) -> None:
        if not made:
            made.append("")
            made[0] = str(form(EMAIL, clicks=[click()]).body["id"])
        real(self)

    monkeypatch.setattr(store.Transaction, "commit", commit)
    taken = take(sale(code="pias-link", email=EMAIL))
    assert ("waiting", made[0]) == (taken.outcome, taken.referral)
    bus.run()
    assert ["INV-1"] == sales_of(made[0])


def test_form_between_look_and_write_is_found_by_the_messages_own_event(
    bus: Bus, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither saw the other, and the form's events came before the message was kept."""
    made: list[str] = []
    real = waiting.find

    def find(conversion: str) -> Conversion | None:
        if not made:
            made.append(str(form(EMAIL, clicks=[click()]).body["id"]))
            bus.run()
        return real(conversion)

    monkeypatch.setattr(waiting, "find", find)
    assert "" == take(sale(click=click())).referral
    bus.run()
    assert ["INV-1"] == sales_of(made[0])


@pytest.mark.usefixtures("bus")
def test_crash_between_match_and_apply_loses_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The consumer's message comes again; what was done is known, what was not is done."""
    take(sale(email=EMAIL)), take(sale("INV-2", email=EMAIL))
    referral = form(EMAIL, clicks=[click()]).body["id"]
    life.move(referral, Clear(partner="pia", audience="partners"))
    life.move(referral, Assign(rep="anna"))
    real, commits = store.Transaction.commit, []

    def commit(self: store.Transaction) -> None:
        commits.append(1)
        if len(commits) == 2:
            raise ConnectionError
        real(self)

    monkeypatch.setattr(store.Transaction, "commit", commit)
    (event,) = [
        each for each in everything() if each.get("type") == "ReferralSubmitted" and "seq" in each
    ]
    with pytest.raises(ConnectionError):
        consumer.look(event)
    consumer.look(event)
    consumer.look(event)
    assert ["INV-1", "INV-2"] == sales_of(referral)
    assert ["ReferralWon", "SaleRecorded"] == [
        each.type for each in referrals.detail(referral).events[-2:]
    ]


def test_queue_keeps_what_failed(bus: Bus) -> None:
    """One bad event stays in the queue; its neighbours are done."""
    taken = take(sale(email=EMAIL))
    referral = lead(bus, clicks=[click()])
    good = {"type": "ReferralWon", "entity": f"REFERRAL#{referral}", "program": "acme", "data": {}}
    bad = {**good, "entity": "PARTNER#pia"}
    answer = consumer.handler(life.from_bus(bad, good), None)
    assert {"batchItemFailures": [{"itemIdentifier": "m1"}]} == answer
    assert taken.conversion
