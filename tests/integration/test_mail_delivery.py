"""A mail is sent once: repetition, refusal, lost answers, crashes and what is recorded."""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ReadTimeoutError

import notify.mail
import notify.publish
from introducer import clock
from introducer.clients import client
from introducer.errors import ContentionError
from introducer.tables import claims
from tests.support.life import from_bus
from tests.support.mails import (
    AGAIN,
    NOTHING,
    NOW,
    assigned,
    failing,
    last_event,
    outcomes,
    prepare,
    readers,
    send,
)

pytestmark = pytest.mark.usefixtures("aws", "frozen", "mails")
LEASE_OVER = clock.plus(NOW, seconds=notify.mail.LEASE_S)


@pytest.fixture
def mails(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Every mail that was handed to the service, which knows the sender."""
    return prepare(monkeypatch)


def test_an_event_that_comes_twice_sends_once(mails: list[dict[str, Any]]) -> None:
    """In one batch, and again later."""
    event = assigned()
    assert NOTHING == send(event, event)
    assert NOTHING == send(event)
    assert ["anna@acme.example", "pia@partners.example"] == readers(mails)


def test_a_refused_mail_stays_in_the_queue_and_goes_at_once_when_it_can(
    mails: list[dict[str, Any]],
) -> None:
    """The service said no, so nothing was sent and nothing needs to be waited for."""
    client("ses").delete_identity(Identity="introducer@example.com")
    event = assigned()
    assert AGAIN == send(event)
    client("ses").verify_email_identity(EmailAddress="introducer@example.com")
    mails.clear()
    assert NOTHING == send(event)
    assert ["anna@acme.example", "pia@partners.example"] == readers(mails)
    assert {"sent"} == set(outcomes().values())


def test_one_bad_address_keeps_no_other_back(
    mails: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The partner's mail goes although the rep's does not, and goes once."""
    event = assigned()
    with monkeypatch.context() as patched:
        failing(patched, ReadTimeoutError(endpoint_url="x"), to="anna@")
        assert AGAIN == send(event)
        assert ["pia@partners.example"] == readers(mails)
        assert AGAIN == send(event)
    assert ["pia@partners.example"] == readers(mails)


def test_a_lost_answer_is_not_repeated_before_the_claim_runs_out(
    mails: list[dict[str, Any]],
    monkeypatch: pytest.MonkeyPatch,
    frozen: Callable[[str], None],
) -> None:
    """Whether it was sent nobody knows: the message waits, then the mail is sent."""
    event = assigned()
    with monkeypatch.context() as patched:
        failing(patched, ReadTimeoutError(endpoint_url="x"))
        assert AGAIN == send(event)
    assert AGAIN == send(event)
    assert [] == mails
    frozen(LEASE_OVER)
    assert NOTHING == send(event)
    assert ["anna@acme.example", "pia@partners.example"] == readers(mails)


def test_a_crash_between_claim_and_send_is_made_good(
    mails: list[dict[str, Any]],
    monkeypatch: pytest.MonkeyPatch,
    frozen: Callable[[str], None],
) -> None:
    """The claim of the dead delivery keeps others off for its minute, then lets them."""
    event = assigned()

    class Crash(BaseException):
        """What no handler catches, like the end of the process."""

    def crash(*_: Any) -> Any:
        raise Crash

    with monkeypatch.context() as patched:
        patched.setattr(notify.mail, "_send", crash)
        with pytest.raises(Crash):
            send(event)
    assert {"REFERRAL#r1#3:anna": "sending"} == outcomes()
    assert AGAIN == send(event)
    assert ["pia@partners.example"] == readers(mails)
    frozen(LEASE_OVER)
    assert NOTHING == send(event)
    assert ["pia@partners.example", "anna@acme.example"] == readers(mails)


def test_two_deliveries_at_once_send_once(
    mails: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second finds the claim of the first and leaves its message in the queue."""
    event = assigned()
    answers: list[Any] = []
    others = [event]
    deliver = notify.mail._send

    def send_while_another_tries(letter: Any) -> str:
        if others:
            answers.append(send(others.pop()))
        return deliver(letter)

    monkeypatch.setattr(notify.mail, "_send", send_while_another_tries)
    assert NOTHING == send(event)
    assert [AGAIN] == answers
    assert ["anna@acme.example", "pia@partners.example"] == sorted(readers(mails))


def test_a_message_that_cannot_be_read_stays_alone(mails: list[dict[str, Any]]) -> None:
    """Poison goes its own way to the dead queue; the message after it is served."""
    event = from_bus(assigned(), last_event())
    event["Records"][0]["body"] = "no json"
    assert AGAIN == notify.mail.handler(event, None)
    assert 2 == len(mails)


def test_an_event_about_nothing_that_exists_stays(mails: list[dict[str, Any]]) -> None:
    """A referral that cannot be found is a fault, not a final outcome."""
    event = {**assigned(), "entity": "REFERRAL#lost"}
    assert AGAIN == send(event)
    assert [] == mails


def test_what_is_recorded_about_a_mail_holds_no_address() -> None:
    """Ids only, and it is forgotten after the time in which the event is news."""
    send(assigned())
    claim = claims.find("acme", "mail", "REFERRAL#r1#3:pia", now=NOW)
    assert claim is not None
    assert ("sent", clock.plus(NOW, days=60)) == (claim.target, claim.expires_at)
    assert "@" not in str(claim)


def test_a_held_claim_says_so() -> None:
    """The error that keeps the message in the queue is the retryable kind."""
    event = assigned()
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
