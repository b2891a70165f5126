"""Conversions find their referral by any key, make one, or wait until something explains them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from introducer import clock
from introducer.command import Assign, Clear, Withdraw
from introducer.conversion import Conversion
from introducer.errors import AlreadyExistsError, InvalidInputError, NotFoundError
from introducer.referral import Touch
from introducer.tables import people, referrals, store, waiting
from submit import conversions, told
from submit import waiting as consumer
from tests.support import life
from tests.support.api import Reply, call, login
from tests.support.conversions import (
    Bus,
    add_link,
    churned,
    click,
    form,
    open_program,
    refund,
    sale,
    sign_up,
    take,
)
from tests.support.tables import everything

EMAIL = "lena@customer.example"
MANAGER = login("sub-m", "manager")

pytestmark = pytest.mark.usefixtures("aws", "frozen")


@pytest.fixture
def bus(aws: None) -> Bus:  # noqa: ARG001  (pytest orders fixtures by it)
    """An open program and its bus."""
    open_program()
    return Bus()


def lead(bus: Bus, email: str = EMAIL, **touches: Any) -> str:
    """Bring a lead to its rep; return the referral's id."""
    made = form(email, **(touches or {"clicks": [click()]}))
    bus.run()
    return str(made.body["id"])


def listed() -> list[dict[str, Any]]:
    """Return what is listed as unmatched."""
    reply = call("GET", "/v1/programs/acme/unmatched", claims=MANAGER)
    return list(reply.body["items"])


def decide(conversion: str, verb: str, body: dict[str, str]) -> Reply:
    """Match or dismiss a conversion as a manager."""
    path = f"/v1/programs/acme/unmatched/{conversion}/{verb}"
    return call("POST", path, body, claims=MANAGER)


def sales_of(referral: str) -> list[str]:
    """Return the ids of a referral's sales."""
    return [each.id for each in referrals.detail(referral).sales]


@pytest.mark.parametrize(
    "about",
    [
        {"email": "Lena+shop@customer.example"},
        {"click": click()},
        {"external_id": "cust-1"},
        {"referral": "its id"},
    ],
    ids=lambda about: next(iter(about)),
)
def test_each_key_alone_finds_the_referral(bus: Bus, about: dict[str, str]) -> None:
    """Our id, the sender's, the address or the click: any of them suffices, none is required."""
    referral = lead(bus)
    take(sign_up(email=EMAIL, external_id="cust-1"))
    about = {"referral": referral} if "referral" in about else about
    taken = take(sale(**about))
    assert ("applied", referral, "won") == (taken.outcome, taken.referral, taken.status)
    assert ["INV-1"] == sales_of(referral)


def test_code_alone_proves_a_partner_and_makes_a_referral(bus: Bus) -> None:
    """With somebody's address it is a lead; the sale waits for the screening and is applied."""
    taken = take(sale(code="Pias-Link", email=EMAIL))
    assert ("waiting", "submitted") == (taken.outcome, taken.status)
    bus.run()
    detail = referrals.detail(taken.referral)
    assert ("won", "event", "pia") == (
        detail.referral.status,
        detail.referral.channel,
        detail.referral.partner,
    )
    assert ["INV-1"] == [each.id for each in detail.sales]
    assert [] == listed()
    contact = people.contact(detail.referral.lead)
    assert contact is not None
    assert ("lena", EMAIL) == (contact.name, contact.email)


@pytest.mark.parametrize("identity", [{"email": EMAIL}, {"external_id": "cust-1"}])
def test_sign_up_with_a_click_makes_a_referral(bus: Bus, identity: dict[str, str]) -> None:
    """A server that tells us of a customer needs no page of ours and no cookie."""
    said = {"name": "Lena Lead", "country": "DE", "company": "Muster GmbH"}
    taken = take(sign_up(click=click(), lead=said, **identity))
    assert ("applied", "submitted") == (taken.outcome, taken.status)
    bus.run()
    detail = referrals.detail(taken.referral)
    assert ("assigned", "pia", "DE") == (
        detail.referral.status,
        detail.referral.partner,
        detail.referral.country,
    )
    assert [("click", "pia"), ("event", "")] == [
        (each.kind, each.partner) for each in detail.touches
    ]
    again = take(sign_up(click=click(), **identity), "another message")
    assert ("known", taken.referral) == (again.outcome, again.referral)


def test_sign_up_ties_the_senders_id_to_the_referral_there_is(bus: Bus) -> None:
    """The form came first; from now on the sender's id alone is enough."""
    referral = lead(bus)
    taken = take(sign_up(email=EMAIL, external_id="cust-1"))
    assert ("applied", referral) == (taken.outcome, taken.referral)
    assert "ReferralIdentified" == referrals.detail(referral).events[-1].type
    assert referral == take(sale(external_id="cust-1")).referral


def test_stronger_keys_decide_and_weaker_ones_are_noted(bus: Bus) -> None:
    """Address before click: the one names a customer, the other a visit."""
    lena, carl = lead(bus), lead(bus, "carl@other.example", clicks=[click("2")])
    taken = take(sale(email="carl@other.example", click=click(), code="pauls-link"))
    assert carl == taken.referral
    (touch,) = [each for each in referrals.detail(carl).touches if each.kind == "event"]
    assert (
        Touch(
            id=touch.id,
            kind="event",
            at="2026-11-22T10:30:00.000Z",
            data={
                "type": "sale.recorded",
                "source": "billing",
                "channel": "csv",
                "matched_by": "email",
                "against": "click",
                "click": click(),
                "code": "pauls-link",
            },
        )
        == touch
    )
    assert [] == sales_of(lena)
    assert lena == take(sale("INV-2", referral=lena, email="carl@other.example")).referral
    assert carl == take(sale("INV-3", external_id="c", email="carl@other.example")).referral
    assert carl == take(sale("INV-4", external_id="c", email=EMAIL, click=click())).referral


def test_two_ids_that_contradict_each_other_are_refused(bus: Bus) -> None:
    """Ours names one lead, the sender's another: nobody guesses which was meant."""
    lena, carl = lead(bus), lead(bus, "carl@other.example", clicks=[click("2")])
    take(sign_up(referral=lena, external_id="cust-1"))
    before = everything()
    with pytest.raises(AlreadyExistsError):
        take(sale(referral=carl, external_id="cust-1"))
    assert before == everything()


def test_ids_of_two_senders_are_kept_apart(bus: Bus) -> None:
    """Customer 1 of the shop is not customer 1 of the billing system."""
    lead(bus)
    take(sign_up(email=EMAIL, external_id="1"))
    assert "waiting" == take(sale(external_id="1"), source="shop").outcome


def test_click_that_led_to_two_leads_decides_nothing(bus: Bus) -> None:
    """Colleagues behind one address may share a click; with another key it is clear."""
    lead(bus), lead(bus, "carl@other.example")
    taken = take(sale(click=click()))
    assert ("waiting", "") == (taken.outcome, taken.referral)
    assert ["ambiguous_click"] == [each["reason"] for each in listed()]
    assert "applied" == take(sale("INV-2", click=click(), email=EMAIL)).outcome


def test_colleague_with_the_same_click_is_a_lead_of_their_own(bus: Bus) -> None:
    """The click proves the partner for both; the address says that they are two."""
    lena = lead(bus)
    said = sign_up(click=click(), email="carl@other.example", external_id="c-2")
    carl = take(said, "of Carl")
    bus.run()
    assert ("applied", "pia") == (carl.outcome, referrals.get(carl.referral).partner)
    assert carl.referral == take(sale(external_id="c-2")).referral
    anonymous = take(sign_up(click=click("9"), external_id="c-3"))
    assert len({lena, carl.referral, anonymous.referral}) == 3


def test_message_meets_the_referral_it_made_when_no_key_finds_it_any_more(
    bus: Bus, frozen: Callable[[str], None]
) -> None:
    """Long after the lead's protection ended, the same row of a file makes no second lead."""
    message = sign_up(code="pias-link", email=EMAIL)
    first = take(message)
    frozen("2028-11-22T11:17:00.000Z")
    again = take(message)
    assert ("known", first.referral) == (again.outcome, again.referral)
    assert bus


def test_forged_click_proves_nothing(bus: Bus) -> None:
    """A sale with somebody's address and an invented click is kept, and makes no lead."""
    forged = click()[:-4] + "AAAA"
    taken = take(sale(click=forged, email=EMAIL, code="nosuch"))
    bus.run()
    assert ("waiting", "") == (taken.outcome, taken.referral)
    assert ["unmatched"] == [each["reason"] for each in listed()]


def test_program_may_rather_wait_for_the_lead() -> None:
    """With `conversions: wait` a reported sale makes no referral; a reported sign-up does."""
    open_program(intake={"conversions": "wait"})
    bus = Bus()
    assert "" == take(sale(code="pias-link", email=EMAIL)).referral
    bus.run()
    signed = take(sign_up(code="pias-link", email=EMAIL))
    bus.run()
    assert ("won", ["INV-1"]) == (
        referrals.get(signed.referral).status,
        sales_of(signed.referral),
    )


def test_closed_channel_keeps_the_sale() -> None:
    """A program that takes no reported leads still loses no money."""
    open_program(intake={"channels": ["form", "api"]})
    assert "waiting" == take(sale(code="pias-link", email=EMAIL)).outcome
    with pytest.raises(InvalidInputError) as refused:
        take(sign_up(code="pias-link", email=EMAIL))
    assert "closed" == refused.value.code


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


def test_manager_reports_by_the_api(bus: Bus) -> None:
    """The same message, unsigned: the same meaning, with the person as the actor."""
    referral = lead(bus)
    path = "/v1/programs/acme/conversions"
    reply = call("POST", path, sale(email=EMAIL), claims=MANAGER, key="the-same-key")
    assert {"outcome": "applied", "referral": referral, "status": "won"} == reply.body
    again = call("POST", path, sale(email=EMAIL), claims=MANAGER, key="the-same-key")
    assert (reply.body, "true") == (again.body, again.headers["idempotent-replayed"])
    detail = referrals.detail(referral)
    assert ("api", "user:sub-m") == (detail.sales[0].source, detail.events[-1].actor)


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


def test_lines_in_other_currencies_are_refused(bus: Bus) -> None:
    """A sale has one currency; its lines may say which, and it must be that one."""
    referral = lead(bus)
    line = {"product": "fibre", "amount_minor": 10_000, "currency": "EUR"}
    with pytest.raises(InvalidInputError) as refused:
        take(sale(referral=referral, items=[{**line, "currency": "USD"}]))
    assert ("mixed_currencies", "items[0].currency") == (refused.value.code, refused.value.field)
    assert "applied" == take(sale(referral=referral, items=[line])).outcome


def test_refused_sign_ups_and_unknown_programs(bus: Bus) -> None:
    """What could never be taken is refused at once, and nothing of it is stored."""
    before = everything()
    for message in (
        sign_up(email=EMAIL, code="pias-link", at="2030-01-01T00:00:00Z"),
        sign_up(email=EMAIL, code="pias-link", lead={"phone": "1" * 25, "country": "DE"}),
        sign_up(),
    ):
        with pytest.raises(InvalidInputError):
            take(message)
    said = msgspec.convert(sale(email=EMAIL), told.Message)
    with pytest.raises(NotFoundError):
        conversions.take("nosuch", "billing", said, message_id="1", now=clock.now())
    assert before == everything()
    assert bus


def test_nothing_kept_says_who_somebody_is(bus: Bus) -> None:
    """Addresses, names and numbers are in People alone, whatever becomes of the message."""
    person = {"name": "Lena Lead", "company": "Muster GmbH", "phone": "+4930901820"}
    take(sale(click="nosuch", email=EMAIL, lead=person))
    take(sale("INV-2", code="pias-link", email="carl@other.example", lead=person))
    bus.run()
    outside = str([each for each in everything() if not each["pk"].startswith("PERSON#")])
    for word in ("lena", "Lena", "carl", "Muster", "4930901820"):
        assert word not in outside.replace("pias-link", "")


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


def test_expired_link_proves_nothing(bus: Bus) -> None:
    """A code that leads nowhere makes no referral."""
    add_link("old-card", "pia", expires_at="2026-11-01T00:00:00.000Z")
    assert "" == take(sale(code="old-card", email=EMAIL)).referral
    assert bus
