"""Those who were invited: reminded on the program's days, and told nothing else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from introducer.errors import UncertainError
from introducer.tables import partners
from introducer.tables.store import Transaction
from route import invited, overdue
from tests.support import life, mails, money
from tests.support.invited import NINA, enter, invite, join, place, win
from tests.support.life import raw_items
from tests.support.mails import NOTHING, detail, readers, send, subject, text

Clock = Callable[[str], None]
FIRST, SECOND = "2026-11-29T11:17:00.000Z", "2026-12-13T11:17:00.000Z"


def types(partner: str) -> list[str]:
    """Return what happened to a partner."""
    return [event["type"]["S"] for event in raw_items(f"PARTNER#{partner}")]


def last_event(partner: str) -> dict[str, Any]:
    """Return a partner's newest event as the bus carries it."""
    return detail(raw_items(f"PARTNER#{partner}")[-1])


@pytest.fixture
def program(aws: None, frozen: Clock) -> Clock:  # noqa: ARG001  (pytest orders fixtures by it)
    """A program with two reps; returns what moves the clock."""
    life.publish()
    life.add_rep("anna")
    life.add_rep("ben")
    return frozen


@pytest.fixture
def sent(program: Clock, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:  # noqa: ARG001
    """Every mail that was handed to the service."""
    return mails.record(monkeypatch)


def run() -> int:
    """Run the job as the schedule does; return how many were reminded."""
    return overdue.handler({}, None)["invited"]


def test_the_invited_are_reminded_on_the_programs_days(program: Clock) -> None:
    """After 7 and 21 days, once each, however often the job runs; then never again."""
    partner = invite().body["id"]
    program("2026-11-29T11:16:59.999Z")
    assert 0 == run()
    program(FIRST)
    assert [1, 0] == [run(), run()]
    program(SECOND)
    assert [1, 0] == [run(), run()]
    program("2027-06-01T00:00:00.000Z")
    assert 0 == run()
    assert ["PartnerInvited", "PartnerReminded", "PartnerReminded"] == types(partner)


def test_who_enrolled_is_not_reminded(program: Clock) -> None:
    """Nothing of theirs is due any more."""
    partner = invite().body["id"]
    join()
    program(SECOND)
    assert 0 == run()
    assert ["PartnerInvited", "PartnerEnrolled"] == types(partner)


def test_a_program_may_remind_nobody(program: Clock) -> None:
    """Without days there is no reminder."""
    life.publish(intake={"remind_days": []})
    partner = invite().body["id"]
    program("2027-06-01T00:00:00.000Z")
    assert 0 == run()
    assert ["PartnerInvited"] == types(partner)


def test_enrolling_at_the_last_moment_wins(program: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between what the job reads and what it writes; it finds nothing left to do."""
    partner = invite().body["id"]
    program(FIRST)
    real = invited.invitation.reminded

    def late(*args: Any, **kwargs: Any) -> Any:
        assert 201 == join().status
        return real(*args, **kwargs)

    monkeypatch.setattr(invited.invitation, "reminded", late)
    assert 0 == run()
    assert ["PartnerInvited", "PartnerEnrolled"] == types(partner)


def test_one_who_cannot_be_reminded_keeps_nobody_back(
    program: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run fails in the end, so that it is seen and comes again."""
    ids = [invite(email=f"n{number}@partners.example").body["id"] for number in range(3)]
    program(FIRST)
    real = Transaction.commit
    broken: list[int] = []

    def commit(self: Transaction) -> None:
        if not broken:
            broken.append(1)
            message = "no answer"
            raise UncertainError(message)
        real(self)

    monkeypatch.setattr(Transaction, "commit", commit)
    with pytest.raises(UncertainError):
        run()
    assert 2 == sum("PartnerReminded" in types(each) for each in ids)
    assert 1 == run()
    assert all(["PartnerInvited", "PartnerReminded"] == types(each) for each in ids)


def test_the_invitation_tells_who_invites_and_where_to_join(sent: list[dict[str, Any]]) -> None:
    """In their language, once, with the page where they sign up; nothing is credited yet."""
    partner = invite().body["id"]
    event = last_event(partner)
    assert NOTHING == send(event, event)
    (mail,) = sent
    assert ([NINA], "Einladung zu Acme referrals") == (readers(sent), subject(mail))
    body = " ".join(text(mail).split())
    assert "Anna lädt Sie zu Acme referrals ein" in body
    assert "https://portal.example.com/join/acme/partners" in body
    assert "bereits Ihre Empfehlung" not in body
    assert "weil Sie zu Acme referrals eingeladen wurden" in body


def test_a_verbal_referral_says_that_credit_waits(sent: list[dict[str, Any]]) -> None:
    """And never whom they named."""
    partner = enter().body["partner"]
    send(last_event(partner))
    body = " ".join(text(sent[0]).split())
    assert "bereits Ihre Empfehlung" in body
    assert "Lena" not in body


def test_who_joined_before_the_mail_gets_none_of_it(sent: list[dict[str, Any]]) -> None:
    """An invitation that was taken up is no news; the welcome is."""
    partner = invite().body["id"]
    invited_event = last_event(partner)
    join()
    send(invited_event)
    assert [] == sent
    send(last_event(partner))
    assert ["Willkommen bei Acme referrals"] == [subject(mail) for mail in sent]


def test_a_reminder_is_another_mail(program: Clock, sent: list[dict[str, Any]]) -> None:
    """It leads to the same page."""
    partner = invite().body["id"]
    program(FIRST)
    run()
    send(last_event(partner))
    (mail,) = sent
    assert "Ihre Einladung zu Acme referrals gilt noch" == subject(mail)
    assert "https://portal.example.com/join/acme/partners" in text(mail)


def test_the_invited_hear_once_that_credit_waits(
    engine: str, frozen: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No word of stages, rewards and amounts before they join; then as everybody."""
    assert engine
    assert frozen
    money.publish()
    life.add_rep("anna")
    life.add_rep("ben")
    made = enter().body
    place(made["id"])
    win(made["id"])
    sent = mails.record(monkeypatch)
    earned = [
        detail(image)
        for journal in money.journals(made["partner"])
        for image in raw_items(f"JOURNAL#{journal.id}", "JOURNAL", life.Table.LEDGER)
    ]
    won = detail(raw_items(f"REFERRAL#{made['id']}")[-1])
    assert (2, "ReferralWon") == (len(earned), won["type"])
    assert NOTHING == send(*earned, won)
    assert NOTHING == send(*earned, won)
    (mail,) = sent
    assert "Ihre Empfehlung hat Ihnen etwas eingebracht (Acme referrals)" == subject(mail)
    assert "100" not in text(mail)

    join()
    money.release()
    released = [
        detail(image)
        for journal in money.journals(made["partner"])[2:]
        for image in raw_items(f"JOURNAL#{journal.id}", "JOURNAL", life.Table.LEDGER)
    ]
    send(*released)
    assert 2 == len(sent)
    assert "25.00 EUR" in text(sent[1])


def test_to_remind_trusts_the_profile_not_the_index(program: Clock) -> None:
    """The index may name somebody a moment too long."""
    partner = invite().body["id"]
    program(FIRST)
    (due,) = partners.to_remind(FIRST)
    assert partner == due.id
    join()
    assert [] == list(partners.to_remind(FIRST))
