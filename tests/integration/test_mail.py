"""E-mail from the queue behind the bus: who gets what, once, and what happens when it fails."""

import json
from collections.abc import Callable
from email.header import decode_header, make_header
from email.utils import parseaddr
from typing import Any

import pytest
from botocore.exceptions import ReadTimeoutError

import notify.mail
import notify.publish
from introducer import clock, ledger, payout
from introducer.clients import client
from introducer.errors import ContentionError
from introducer.ledger import Balance, Kind, Posting
from introducer.payout import Batch
from introducer.referral import Accept, Advance, Assign, Clear, Lose, MarkDuplicate, Reject, Share
from introducer.reward import Reward
from introducer.tables import claims, payouts, referrals, rewards, store
from introducer.tables.people import Contact
from introducer.tables.store import Table, Transaction
from tests.support import life
from tests.support.life import from_bus, move, raw_items, submit

pytestmark = pytest.mark.usefixtures("aws", "frozen", "program", "mails")
NOW = "2026-11-22T11:17:00.000Z"  # where the fixture `frozen` stops the clock
NOTHING = {"batchItemFailures": []}
AGAIN = {"batchItemFailures": [{"itemIdentifier": "m1"}]}
LEASE_OVER = clock.plus(NOW, seconds=notify.mail.LEASE_S)


@pytest.fixture
def program(monkeypatch: pytest.MonkeyPatch) -> None:
    """A program with two partners and a rep; its bus and portal."""
    monkeypatch.setenv("BUS_NAME", "bus")
    life.publish()
    life.enrol("pia")
    life.enrol("emil", contact=Contact(name="Emil", email="emil@bücher.example", locale="de-AT"))
    life.add_rep("anna")


@pytest.fixture
def mails() -> list[dict[str, Any]]:
    """Every mail that was handed to the service, which knows the sender."""
    client("ses").verify_email_identity(EmailAddress="introducer@example.com")
    return life.record("sesv2", "SendEmail")


def _send(*details: dict[str, Any]) -> dict[str, Any]:
    return notify.mail.handler(from_bus(*details), None)


def _detail(image: dict[str, Any]) -> dict[str, Any]:
    detail: dict[str, Any] = json.loads(notify.publish.entry(image)["Detail"])
    return detail


def _last_event(name: str = "r1") -> dict[str, Any]:
    return _detail(raw_items(f"REFERRAL#{name}")[-1])


def _credited(*partners: str, name: str = "r1") -> None:
    """Submit a referral, credit partners with equal parts and screen it."""
    made = submit(name, lead_key=f"own-{name}")
    writes = Transaction()
    for partner in partners:
        share = Share(partner=partner, basis_points=10_000 // len(partners), audience="partners")
        referrals.add_share(writes, made, share)
    writes.commit()


def _assigned(*partners: str) -> dict[str, Any]:
    """Return the event of a referral that was just assigned to Anna."""
    _credited(*(partners or ("pia",)))
    move("r1", Clear(partner="pia", audience="partners"))
    move("r1", Assign(rep="anna"))
    return _last_event()


def _readers(mails: list[dict[str, Any]]) -> list[str]:
    return [mail["Destination"]["ToAddresses"][0] for mail in mails]


def _text(mail: dict[str, Any]) -> str:
    text: str = mail["Content"]["Simple"]["Body"]["Text"]["Data"]
    return text


def _subject(mail: dict[str, Any]) -> str:
    subject: str = mail["Content"]["Simple"]["Subject"]["Data"]
    return subject


def _outcomes() -> dict[str, str]:
    """Return what is recorded about mails, by occasion and recipient."""
    table = client("dynamodb").scan(TableName=store.name(Table.CORE))
    items = [store.item(raw) for raw in table["Items"]]
    return {item["value"]: item["target"] for item in items if item.get("kind") == "mail"}


def _failing(monkeypatch: pytest.MonkeyPatch, failure: Exception, *, to: str = "") -> None:
    """Let the mail service fail for one address, or for all."""
    real = client("sesv2")

    class Service:
        def send_email(self, **request: Any) -> Any:
            if to in request["Destination"]["ToAddresses"][0]:
                raise failure
            return real.send_email(**request)

    monkeypatch.setattr(notify.mail, "client", lambda _service: Service())


def test_an_assigned_lead_is_told_to_rep_and_partner(mails: list[dict[str, Any]]) -> None:
    """Each reads their own message, with a link into the portal; the whole request to the rep."""
    event = _assigned()
    assert NOTHING == _send(event)
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
    assert "Your referral has a contact person" == _subject(to_partner)
    assert "https://portal.example.com/referrals/r1" in _text(to_partner)
    assert {"REFERRAL#r1#3:anna": "sent", "REFERRAL#r1#3:pia": "sent"} == _outcomes()


def test_no_mail_names_the_lead(mails: list[dict[str, Any]]) -> None:
    """Who the lead is, only the portal tells, and only to the rep who has signed in."""
    _send(_assigned())
    stored = json.dumps(mails).lower()
    assert 2 == len(mails)
    assert not any(word in stored for word in ("lena", "customer.example", "leadkey", "lead-r1"))


def test_an_event_that_comes_twice_sends_once(mails: list[dict[str, Any]]) -> None:
    """In one batch, and again later."""
    event = _assigned()
    assert NOTHING == _send(event, event)
    assert NOTHING == _send(event)
    assert ["anna@acme.example", "pia@partners.example"] == _readers(mails)


def test_every_credited_partner_is_told_in_their_language(mails: list[dict[str, Any]]) -> None:
    """A shared referral is news for each; a domain in another script is written in ASCII."""
    _assigned("pia", "emil")
    move("r1", Accept())
    _send(_last_event())
    assert ["emil@xn--bcher-kva.example", "pia@partners.example"] == sorted(_readers(mails))
    assert {"Ihre Empfehlung wurde angenommen", "Your referral was accepted"} == {
        _subject(mail) for mail in mails
    }


@pytest.mark.parametrize(
    ("moves", "subject", "words"),
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
    moves: list[Any], subject: str, words: str, mails: list[dict[str, Any]]
) -> None:
    """The reason is given in plain words."""
    _assigned()
    for command in moves:
        move("r1", command)
    _send(_last_event())
    (mail,) = mails
    assert (subject, ["pia@partners.example"]) == (_subject(mail), _readers(mails))
    assert words in " ".join(_text(mail).split())


def test_a_partner_hears_of_a_duplicate(mails: list[dict[str, Any]]) -> None:
    """Also a referral that does not count has an answer."""
    _credited("pia")
    move("r1", MarkDuplicate(of="r0"))
    _send(_last_event())
    assert ["Your referral was known to us already"] == [_subject(mail) for mail in mails]


def test_enrolling_is_welcomed(mails: list[dict[str, Any]]) -> None:
    """The first event of a partner."""
    _send(_detail(raw_items("PARTNER#pia")[0]))
    assert [("Welcome to Acme referrals", "pia@partners.example")] == [
        (_subject(mail), reader) for mail, reader in zip(mails, _readers(mails), strict=True)
    ]


def test_what_the_state_has_overtaken_is_not_sent(mails: list[dict[str, Any]]) -> None:
    """The assignment is told after the lead was accepted: that mail would be wrong by now."""
    event = _assigned()
    move("r1", Accept())
    accepted = _last_event()
    assert NOTHING == _send(accepted, event)
    assert ["Your referral was accepted"] == [_subject(mail) for mail in mails]
    assert {
        "REFERRAL#r1#4:pia": "sent",
        "REFERRAL#r1#3:anna": "overtaken",
        "REFERRAL#r1#3:pia": "overtaken",
    } == _outcomes()


def test_a_rep_who_handed_it_back_is_not_told_to_accept(mails: list[dict[str, Any]]) -> None:
    """The lead is assigned again, to somebody else."""
    life.add_rep("ben")
    event = _assigned()
    move("r1", Reject(reason="no_capacity"))
    move("r1", Assign(rep="ben"))
    _send(event)
    assert "anna@acme.example" not in _readers(mails)


def test_old_events_are_no_news(mails: list[dict[str, Any]], frozen: Callable[[str], None]) -> None:
    """A replay of the past reaches nobody, even when what was sent is forgotten."""
    event = _assigned()
    frozen("2026-12-22T11:17:00.001Z")
    assert NOTHING == _send(event)
    assert [] == mails
    assert {"too_old"} == set(_outcomes().values())


def test_an_erased_person_gets_no_mail(mails: list[dict[str, Any]]) -> None:
    """There is no address any more; that is final and recorded."""
    event = _assigned()
    client("dynamodb").delete_item(
        TableName=store.name(Table.PEOPLE),
        Key={"pk": {"S": "PERSON#person-pia"}, "sk": {"S": "CONTACT"}},
    )
    assert NOTHING == _send(event)
    assert ["anna@acme.example"] == _readers(mails)
    assert {"REFERRAL#r1#3:anna": "sent", "REFERRAL#r1#3:pia": "no_reader"} == _outcomes()


def test_a_refused_mail_stays_in_the_queue_and_goes_at_once_when_it_can(
    mails: list[dict[str, Any]],
) -> None:
    """The service said no, so nothing was sent and nothing needs to be waited for."""
    client("ses").delete_identity(Identity="introducer@example.com")
    event = _assigned()
    assert AGAIN == _send(event)
    client("ses").verify_email_identity(EmailAddress="introducer@example.com")
    mails.clear()
    assert NOTHING == _send(event)
    assert ["anna@acme.example", "pia@partners.example"] == _readers(mails)
    assert {"sent"} == set(_outcomes().values())


def test_one_bad_address_keeps_no_other_back(
    mails: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The partner's mail goes although the rep's does not, and goes once."""
    event = _assigned()
    with monkeypatch.context() as patched:
        _failing(patched, ReadTimeoutError(endpoint_url="x"), to="anna@")
        assert AGAIN == _send(event)
        assert ["pia@partners.example"] == _readers(mails)
        assert AGAIN == _send(event)
    assert ["pia@partners.example"] == _readers(mails)


def test_a_lost_answer_is_not_repeated_before_the_claim_runs_out(
    mails: list[dict[str, Any]],
    monkeypatch: pytest.MonkeyPatch,
    frozen: Callable[[str], None],
) -> None:
    """Whether it was sent nobody knows: the message waits, then the mail is sent."""
    event = _assigned()
    with monkeypatch.context() as patched:
        _failing(patched, ReadTimeoutError(endpoint_url="x"))
        assert AGAIN == _send(event)
    assert AGAIN == _send(event)
    assert [] == mails
    frozen(LEASE_OVER)
    assert NOTHING == _send(event)
    assert ["anna@acme.example", "pia@partners.example"] == _readers(mails)


def test_a_crash_between_claim_and_send_is_made_good(
    mails: list[dict[str, Any]],
    monkeypatch: pytest.MonkeyPatch,
    frozen: Callable[[str], None],
) -> None:
    """The claim of the dead delivery keeps others off for its minute, then lets them."""
    event = _assigned()

    class Crash(BaseException):
        """What no handler catches, like the end of the process."""

    def crash(*_: Any) -> Any:
        raise Crash

    with monkeypatch.context() as patched:
        patched.setattr(notify.mail, "_send", crash)
        with pytest.raises(Crash):
            _send(event)
    assert {"REFERRAL#r1#3:anna": "sending"} == _outcomes()
    assert AGAIN == _send(event)
    assert ["pia@partners.example"] == _readers(mails)
    frozen(LEASE_OVER)
    assert NOTHING == _send(event)
    assert ["pia@partners.example", "anna@acme.example"] == _readers(mails)


def test_two_deliveries_at_once_send_once(
    mails: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second finds the claim of the first and leaves its message in the queue."""
    event = _assigned()
    answers: list[Any] = []
    others = [event]
    send = notify.mail._send

    def send_while_another_tries(letter: Any) -> str:
        if others:
            answers.append(_send(others.pop()))
        return send(letter)

    monkeypatch.setattr(notify.mail, "_send", send_while_another_tries)
    assert NOTHING == _send(event)
    assert [AGAIN] == answers
    assert ["anna@acme.example", "pia@partners.example"] == sorted(_readers(mails))


def test_a_message_that_cannot_be_read_stays_alone(mails: list[dict[str, Any]]) -> None:
    """Poison goes its own way to the dead queue; the message after it is served."""
    event = from_bus(_assigned(), _last_event())
    event["Records"][0]["body"] = "no json"
    assert AGAIN == notify.mail.handler(event, None)
    assert 2 == len(mails)


def test_an_event_about_nothing_that_exists_stays(mails: list[dict[str, Any]]) -> None:
    """A referral that cannot be found is a fault, not a final outcome."""
    event = {**_assigned(), "entity": "REFERRAL#lost"}
    assert AGAIN == _send(event)
    assert [] == mails


def test_an_event_without_a_message_is_acknowledged(mails: list[dict[str, Any]]) -> None:
    """The rule sends none; if it ever does, nobody gets a mail."""
    assert NOTHING == _send({**_assigned(), "type": "ReferralHeld"})
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
    return _detail(image)


def _reward(milestone: str, amount_minor: int, sale: str = "s1") -> None:
    writes = Transaction()
    rewards.add(
        writes,
        Reward(
            referral="r1",
            plan="commission",
            milestone=milestone,
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
        ),
    )
    writes.commit()


def test_the_rewards_of_one_sale_are_one_piece_of_news(mails: list[dict[str, Any]]) -> None:
    """A quarter now and the rest later are two journals and one mail with the whole amount."""
    _credited("pia")
    _reward("purchase", 2_500)
    _reward("loyalty", 7_500)
    _reward("purchase", 999, sale="s2")
    refs = {"referral": "r1", "sale": "s1"}
    events = [
        _journal(Kind.REWARD_EARNED, 2_500, 1, refs=refs),
        _journal(Kind.REWARD_EARNED, 7_500, 2, refs=refs),
    ]
    assert NOTHING == _send(*events)
    assert NOTHING == _send(*reversed(events))
    assert ["You have earned 100.00 EUR"] == [_subject(mail) for mail in mails]


@pytest.mark.parametrize(
    ("kind", "fields", "subject", "words"),
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
    subject: str,
    words: str,
    mails: list[dict[str, Any]],
) -> None:
    """Amounts are exact, reasons in words; a journal booked today is news whenever it happened."""
    assert NOTHING == _send(_journal(kind, 2_500, 1, **fields))
    (mail,) = mails
    assert (subject, ["pia@partners.example"]) == (_subject(mail), _readers(mails))
    assert words in " ".join(_text(mail).split())


@pytest.mark.parametrize(
    ("manager", "readers", "outcome"),
    [("boss@acme.example", ["boss@acme.example"], "sent"), ("", [], "no_reader")],
)
def test_a_batch_above_the_limit_is_told_to_managers(
    manager: str,
    readers: list[str],
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
    assert NOTHING == _send(_detail(raw_items("BATCH#b1", table=Table.LEDGER)[-1]))
    assert readers == _readers(mails)
    assert ["A payout of 12345.67 EUR waits for approval"] * len(readers) == [
        _subject(mail) for mail in mails
    ]
    assert {"BATCH#b1#2:managers": outcome} == _outcomes()


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
    _send(_detail(raw_items("PARTNER#pia")[0]))
    header = mails[0]["FromEmailAddress"]
    assert header.isascii()
    assert "\r" not in header
    assert "\n" not in header
    name, address = parseaddr(header)
    assert "introducer@example.com" == address
    assert shown == str(make_header(decode_header(name)))


def test_what_is_recorded_about_a_mail_holds_no_address() -> None:
    """Ids only, and it is forgotten after the time in which the event is news."""
    _send(_assigned())
    claim = claims.find("acme", "mail", "REFERRAL#r1#3:pia", now=NOW)
    assert claim is not None
    assert ("sent", clock.plus(NOW, days=60)) == (claim.target, claim.expires_at)
    assert "@" not in str(claim)


def test_a_held_claim_says_so() -> None:
    """The error that keeps the message in the queue is the retryable kind."""
    event = _assigned()
    letter = notify.mail.record_handler(event)[0]
    claims.take(
        claims.Claim(
            scope="acme",
            kind="mail",
            value="REFERRAL#r1#3:anna",
            target="sending",
            expires_at=LEASE_OVER,
        ),
        now=NOW,
    )
    with pytest.raises(ContentionError):
        notify.mail.deliver(letter)
