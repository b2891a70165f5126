"""E-mail from the queue behind the bus: who gets what, once, and what happens when it fails."""

import json
from collections.abc import Callable
from email.header import decode_header, make_header
from email.utils import parseaddr
from typing import Any

import pytest

from introducer import ledger, payout
from introducer.clients import client
from introducer.command import Accept, Advance, Assign, Clear, Lose, MarkDuplicate, Reject, Remind
from introducer.ledger import Balance, Kind, Posting
from introducer.payout import Batch
from introducer.reward import Reward
from introducer.tables import payouts, rewards, store
from introducer.tables.store import Table, Transaction
from tests.support import life
from tests.support.life import move, raw_items
from tests.support.mails import (
    NOTHING,
    NOW,
    assigned,
    credited,
    detail,
    last_event,
    outcomes,
    prepare,
    readers,
    send,
    subject,
    text,
)

pytestmark = pytest.mark.usefixtures("aws", "frozen", "mails")


@pytest.fixture
def mails(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Every mail that was handed to the service, which knows the sender."""
    return prepare(monkeypatch)


def test_an_assigned_lead_is_told_to_rep_and_partner(mails: list[dict[str, Any]]) -> None:
    """Each reads their own message, with a link into the portal; the whole request to the rep."""
    event = assigned()
    assert NOTHING == send(event)
    to_rep, to_partner = mails
    body = to_rep["Content"]["Simple"].pop("Body")
    assert {
        "FromEmailAddress": "Acme <introducer@example.com>",
        "Destination": {"ToAddresses": ["anna@acme.example"]},
        "Content": {
            "Simple": {
                "Subject": {
                    "Data": "A new lead is waiting for you (Acme referrals)",
                    "Charset": "UTF-8",
                }
            }
        },
    } == to_rep
    assert "https://portal.example.com/leads/r1" in body["Text"]["Data"]
    assert "https://portal.example.com/leads/r1" in body["Html"]["Data"]
    assert ["pia@partners.example"] == to_partner["Destination"]["ToAddresses"]
    assert "Your referral has a contact person" == subject(to_partner)
    assert "https://portal.example.com/referrals/r1" in text(to_partner)
    assert {"REFERRAL#r1#3:anna": "sent", "REFERRAL#r1#3:pia": "sent"} == outcomes()


def test_no_mail_names_the_lead(mails: list[dict[str, Any]]) -> None:
    """Who the lead is, only the portal tells, and only to the rep who has signed in."""
    send(assigned())
    stored = json.dumps(mails).lower()
    assert 2 == len(mails)
    assert not any(word in stored for word in ("lena", "customer.example", "leadkey", "lead-r1"))


def test_every_credited_partner_is_told_in_their_language(mails: list[dict[str, Any]]) -> None:
    """A shared referral is news for each; a domain in another script is written in ASCII."""
    assigned("pia", "emil")
    move("r1", Accept())
    send(last_event())
    assert ["emil@xn--bcher-kva.example", "pia@partners.example"] == sorted(readers(mails))
    assert {"Ihre Empfehlung wurde angenommen", "Your referral was accepted"} == {
        subject(mail) for mail in mails
    }


@pytest.mark.parametrize(
    ("moves", "headline", "words"),
    [
        ([Accept()], "Your referral was accepted", "talking to the contact"),
        (
            [Accept(), Advance(stage="proposal", source_at=NOW)],
            "Your referral made progress",
            "proposal made",
        ),
        ([Reject(reason="not_a_fit")], "Your referral was not accepted", "does not fit"),
        (
            [Lose(reason="competitor", source_at=NOW)],
            "Your referral did not lead to a sale",
            "another supplier",
        ),
    ],
)
def test_a_partner_hears_how_it_goes_on(
    moves: list[Any], headline: str, words: str, mails: list[dict[str, Any]]
) -> None:
    """The reason is given in plain words."""
    assigned()
    for command in moves:
        move("r1", command)
    send(last_event())
    (mail,) = mails
    assert (headline, ["pia@partners.example"]) == (subject(mail), readers(mails))
    assert words in " ".join(text(mail).split())


def test_a_partner_hears_of_a_duplicate(mails: list[dict[str, Any]]) -> None:
    """Also a referral that does not count has an answer."""
    credited("pia")
    move("r1", MarkDuplicate(of="r0"))
    send(last_event())
    assert ["Your referral was known to us already"] == [subject(mail) for mail in mails]


def test_enrolling_is_welcomed(mails: list[dict[str, Any]]) -> None:
    """The first event of a partner."""
    send(detail(raw_items("PARTNER#pia")[0]))
    assert [("Welcome to Acme referrals", "pia@partners.example")] == [
        (subject(mail), reader) for mail, reader in zip(mails, readers(mails), strict=True)
    ]


def test_what_the_state_has_overtaken_is_not_sent(mails: list[dict[str, Any]]) -> None:
    """The assignment is told after the lead was accepted: that mail would be wrong by now."""
    event = assigned()
    move("r1", Accept())
    accepted = last_event()
    assert NOTHING == send(accepted, event)
    assert ["Your referral was accepted"] == [subject(mail) for mail in mails]
    assert {
        "REFERRAL#r1#4:pia": "sent",
        "REFERRAL#r1#3:anna": "overtaken",
        "REFERRAL#r1#3:pia": "overtaken",
    } == outcomes()


def test_a_rep_who_handed_it_back_is_not_told_to_accept(mails: list[dict[str, Any]]) -> None:
    """The lead is assigned again, to somebody else."""
    life.add_rep("ben")
    event = assigned()
    move("r1", Reject(reason="no_capacity"))
    move("r1", Assign(rep="ben"))
    send(event)
    assert "anna@acme.example" not in readers(mails)


LIMITED = {
    "rules": [{"reps": ["anna"]}],
    "sla": {"accept_within_hours": 24, "remind_after_hours": 4},
}


def test_a_rep_is_reminded_by_when_to_answer(mails: list[dict[str, Any]]) -> None:
    """The rep alone, once; who has answered meanwhile is not."""
    life.publish(routing=LIMITED)
    reminded = []
    for name in ("r1", "r2"):
        life.submit(name, lead_key=f"own-{name}", program_version=2)
        move(name, Clear(partner="pia", audience="partners"))
        move(name, Assign(rep="anna"))
        move(name, Remind())
        reminded.append(last_event(name))
    move("r2", Accept())
    assert NOTHING == send(*reminded, *reminded)
    assert ["anna@acme.example"] == readers(mails)
    assert "A lead is still waiting for you (Acme referrals)" == subject(mails[0])
    assert "by 2026-11-23 10:00 UTC" in " ".join(text(mails[0]).split())
    assert "https://portal.example.com/leads/r1" in text(mails[0])


def test_old_events_are_no_news(mails: list[dict[str, Any]], frozen: Callable[[str], None]) -> None:
    """A replay of the past reaches nobody, even when what was sent is forgotten."""
    event = assigned()
    frozen("2026-12-22T11:17:00.001Z")
    assert NOTHING == send(event)
    assert [] == mails
    assert {"too_old"} == set(outcomes().values())


def test_an_erased_person_gets_no_mail(mails: list[dict[str, Any]]) -> None:
    """There is no address any more; that is final and recorded."""
    event = assigned()
    client("dynamodb").delete_item(
        TableName=store.name(Table.PEOPLE),
        Key={"pk": {"S": "PERSON#person-pia"}, "sk": {"S": "CONTACT"}},
    )
    assert NOTHING == send(event)
    assert ["anna@acme.example"] == readers(mails)
    assert {"REFERRAL#r1#3:anna": "sent", "REFERRAL#r1#3:pia": "no_reader"} == outcomes()


def test_an_event_without_a_message_is_acknowledged(mails: list[dict[str, Any]]) -> None:
    """The rule sends none; if it ever does, nobody gets a mail."""
    assert NOTHING == send({**assigned(), "type": "ReferralHeld"})
    assert [] == mails


def _journal(kind: Kind, amount_minor: int, number: int, **fields: Any) -> dict[str, Any]:
    posting = Posting(
        id=f"j{number}",
        kind=kind,
        program="acme",
        partner="pia",
        currency="EUR",
        amount_minor=amount_minor,
        at="2026-11-01T00:00:00.000Z",
        **fields,
    )
    books = Balance(
        partner="pia", currency="EUR", pending=50_000, in_transit=50_000, payable=10_000
    )
    (journal,) = ledger.post(books, [posting], NOW).journals
    image = {**store.attributes(journal), **store.attributes({"pk": f"JOURNAL#{journal.id}"})}
    return detail(image)


def _reward(milestone: str, amount_minor: int, sale: str = "s1", **overrides: Any) -> None:
    writes = Transaction()
    rewards.add(
        writes,
        Reward(
            referral="r1",
            plan="commission",
            milestone=milestone,
            occasion=sale,
            sale=sale,
            partner="pia",
            program="acme",
            amount_minor=amount_minor,
            currency="EUR",
            when="won",
            earned_at=NOW,
            due_at=NOW,
            accounting_class="marketing_expense",
            version=1,
            **overrides,
        ),
    )
    writes.commit()


def test_a_reward_is_told_with_how_it_came_about(mails: list[dict[str, Any]]) -> None:
    """Sentence by sentence, without how it is divided."""
    credited("pia")
    rule = {"step": "rule", "plan": "commission", "kind": "percent", "base_minor": 100_000}
    trace: list[dict[str, str | int]] = [
        {**rule, "basis_points": 1000, "amount_minor": 10_000, "currency": "EUR"},
        {"step": "bonus", "id": "fast_close", "amount_minor": 12_000},
        {"step": "milestone", "id": "purchase", "basis_points": 5000, "amount_minor": 6_000},
    ]
    _reward("purchase", 6_000, trace=trace)
    _reward("loyalty", 6_000, trace=trace)
    refs = {"referral": "r1", "occasion": "s1", "sale": "s1"}
    assert NOTHING == send(_journal(Kind.REWARD_EARNED, 6_000, 1, refs=refs))
    (mail,) = mails
    assert "You have earned 120.00 EUR" == subject(mail)
    assert (
        "How it came about: The plan “commission” gives 10% of 1,000.00 EUR: 100.00 EUR. "
        "The bonus “fast close” makes it 120.00 EUR. It is on hold"
    ) in " ".join(text(mail).split())


def test_the_rewards_of_one_sale_are_one_piece_of_news(mails: list[dict[str, Any]]) -> None:
    """A quarter now and the rest later are two journals and one mail with the whole amount."""
    credited("pia")
    _reward("purchase", 2_500)
    _reward("loyalty", 7_500)
    _reward("purchase", 999, sale="s2")
    refs = {"referral": "r1", "occasion": "s1", "sale": "s1"}
    events = [
        _journal(Kind.REWARD_EARNED, 2_500, 1, refs=refs),
        _journal(Kind.REWARD_EARNED, 7_500, 2, refs=refs),
    ]
    assert NOTHING == send(*events)
    assert NOTHING == send(*reversed(events))
    assert ["You have earned 100.00 EUR"] == [subject(mail) for mail in mails]


def test_the_account_of_a_rep_or_a_company_has_no_mailbox(mails: list[dict[str, Any]]) -> None:
    """Their rewards are booked like a partner's, and nobody is written to."""
    event = _journal(Kind.REWARD_RELEASED, 2_500, 1, refs={"referral": "r1"})

    assert NOTHING == send({**event, "partner": "rep.anna"}, {**event, "partner": "org.acme"})
    assert [] == mails


def test_credit_is_told_as_what_it_is(mails: list[dict[str, Any]]) -> None:
    """Credit in euros is not euros on an account."""
    event = _journal(Kind.REWARD_RELEASED, 2_500, 1, refs={"referral": "r1"})

    assert NOTHING == send({**event, "currency": "EUR.gift_card"})
    assert ["25.00 EUR (gift card) are ready for payout"] == [subject(mail) for mail in mails]


@pytest.mark.parametrize(
    ("kind", "fields", "headline", "words"),
    [
        (
            Kind.REWARD_RELEASED,
            {"refs": {"referral": "r1"}},
            "25.00 EUR are ready for payout",
            "next payout",
        ),
        (
            Kind.REWARD_REVERSED,
            {"refs": {"referral": "r1"}, "reason": "refunded"},
            "A reward was taken back",
            "The reason: the purchase was refunded.",
        ),
        (
            Kind.PAYOUT_PAID,
            {"refs": {"payout": "P0123456789ABCD", "batch": "b1"}},
            "25.00 EUR are on their way to your account",
            "P0123456789ABCD",
        ),
        (
            Kind.PAYOUT_RETURNED,
            {"refs": {"payout": "P0123456789ABCD", "batch": "b1"}, "reason": "AC04"},
            "Your payout came back",
            "The reason: the account is closed.",
        ),
    ],
)
def test_money_is_told_to_its_partner(
    kind: Kind,
    fields: dict[str, Any],
    headline: str,
    words: str,
    mails: list[dict[str, Any]],
) -> None:
    """Amounts are exact, reasons in words; a journal booked today is news whenever it happened."""
    assert NOTHING == send(_journal(kind, 2_500, 1, **fields))
    (mail,) = mails
    assert (headline, ["pia@partners.example"]) == (subject(mail), readers(mails))
    assert words in " ".join(text(mail).split())


@pytest.mark.parametrize(
    ("manager", "told", "outcome"),
    [("boss@acme.example", ["boss@acme.example"], "sent"), ("", [], "no_reader")],
)
def test_a_batch_above_the_limit_is_told_to_managers(
    manager: str,
    told: list[str],
    outcome: str,
    mails: list[dict[str, Any]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With no address set up nobody is told, which is recorded."""
    monkeypatch.setenv("MANAGER_MAIL", manager)
    batch = Batch(
        id="b1",
        program="acme",
        program_version=1,
        region="eu",
        currency="EUR",
        method="sepa",
        period="2026-11-22",
        run=1,
        status="created",
        version=1,
        started_by="schedule",
        created_at=NOW,
        updated_at=NOW,
        count=3,
        total_minor=1_234_567,
    )
    payouts.create_batch(batch)
    asked, event = payout.move_batch(batch, "awaiting_approval", now=NOW, actor="system")
    payouts.save_batch(batch, asked, event)
    assert NOTHING == send(detail(raw_items("BATCH#b1", table=Table.LEDGER)[-1]))
    assert told == readers(mails)
    assert ["A payout of 12345.67 EUR waits for approval"] * len(told) == [
        subject(mail) for mail in mails
    ]
    assert {"BATCH#b1#2:managers": outcome} == outcomes()


@pytest.mark.parametrize(
    ("sender", "shown"),
    [
        ("Acme", "Acme"),
        ('Acme "best", Ltd', 'Acme "best", Ltd'),
        ("Müller & Söhne 株式会社" + " x" * 40, ("Müller & Söhne 株式会社" + " x" * 40)[:79] + "…"),
        ("Acme\r\nBcc: all@example.com", "Acme Bcc: all@example.com"),
    ],
)
def test_the_sender_is_one_safe_header_line(
    sender: str, shown: str, mails: list[dict[str, Any]]
) -> None:
    """Whatever the program calls its sender, there is one address and no second header."""
    life.publish(sender_name=sender)
    send(detail(raw_items("PARTNER#pia")[0]))
    header = mails[0]["FromEmailAddress"]
    assert header.isascii()
    assert "\r" not in header
    assert "\n" not in header
    name, address = parseaddr(header)
    assert "introducer@example.com" == address
    assert shown == str(make_header(decode_header(name)))
