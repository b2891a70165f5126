"""Conversions find their referral by any key, make one, or wait until something explains them."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest

from introducer import clock
from introducer.errors import AlreadyExistsError, InvalidInputError, NotFoundError
from introducer.referral import Touch
from introducer.tables import people, referrals
from submit import conversions, told
from tests.support.api import call
from tests.support.conversions import (
    EMAIL,
    MANAGER,
    Bus,
    add_link,
    click,
    lead,
    listed,
    open_program,
    sale,
    sales_of,
    sign_up,
    take,
)
from tests.support.tables import everything

pytestmark = pytest.mark.usefixtures("aws", "frozen")


@pytest.fixture
def bus(aws: None) -> Bus:  # noqa: ARG001  (pytest orders fixtures by it)
    """An open program and its bus."""
    open_program()
    return Bus()


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


def test_what_was_typed_into_the_wrong_box_is_stored_nowhere(bus: Bus) -> None:
    """A message counts by its other keys, kept or applied; what cannot be a key is dropped."""
    typed = {"code": "lena@private.example", "click": "Lena Lead, private"}
    take(sale(email=EMAIL, **typed))
    assert ["unmatched"] == [each["reason"] for each in listed()]
    referral = lead(bus)
    assert "applied" == take(sale("INV-2", email=EMAIL, **typed)).outcome
    assert ["INV-1", "INV-2"] == sales_of(referral)
    assert "private" not in str(everything()).lower()


def test_message_with_nothing_but_what_cannot_be_a_key_is_refused(bus: Bus) -> None:
    """As one that names nobody; nothing of it is stored."""
    before = everything()
    for typed in ({"code": "lena@private.example"}, {"click": "nosuch"}, {"code": "Lena Lead"}):
        with pytest.raises(InvalidInputError) as refused:
            take(sale(**typed))
        assert ("missing_field", "data.referral") == (refused.value.code, refused.value.field)
    assert before == everything()
    assert bus


@pytest.mark.parametrize("code", ["pias-link", " Pias-Link ", "7KM 2P9 XWQ", "7km-2p9-xwq"])
def test_codes_are_kept_as_people_write_them(bus: Bus, code: str) -> None:
    """In any case, a card's in groups: they may still be somebody's."""
    take(sale(code=code, external_id="cust-1"))
    assert [code] == [each["code"] for each in listed()]
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


def test_expired_link_proves_nothing(bus: Bus) -> None:
    """A code that leads nowhere makes no referral."""
    add_link("old-card", "pia", expires_at="2026-11-01T00:00:00.000Z")
    assert "" == take(sale(code="old-card", email=EMAIL)).referral
    assert bus
