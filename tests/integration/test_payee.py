"""Changes of bank data: confirmed by mail, cooled off, and never by who has only the login."""

from __future__ import annotations

import re
from typing import Any

import pytest

from introducer import payee
from introducer.errors import StaleError
from introducer.ledger import Kind, Posting
from introducer.tables import ledger, partners, payouts, people
from introducer.tables.ledger import Entry
from introducer.tables.people import Contact, Payee
from introducer.tables.store import Transaction
from payout import batch, files
from tests.support import life, mails, money
from tests.support.api import Reply, call, login
from tests.support.tables import everything

PIA = login("login-pia", "partner")
NOW = "2026-11-22T11:17:00.000Z"
FIRST = {"name": "Pia P.", "iban": "DE89370400440532013000", "town": "Köln", "country": "DE"}
OTHER = FIRST | {"iban": "DE75512108001245126199"}
ACH = {
    "method": "ach",
    "name": "Pia P.",
    "routing": "021000021",
    "account": "1234 5678",
    "account_type": "checking",
    "town": "New York",
    "country": "US",
}
PAYPAL = {
    "method": "paypal",
    "name": "Pia P.",
    "provider_account": "jane.doe@mail.example",
    "town": "Köln",
    "country": "DE",
}

pytestmark = pytest.mark.usefixtures("aws")


@pytest.fixture
def sent(aws: None, frozen: Any, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:  # noqa: ARG001
    """A program with a partner who has an account; the list that fills with every mail sent."""
    life.publish(payees={"cooling_off_hours": 24, "confirm_within_hours": 2})
    life.enrol("pia")
    life.enrol("paul")
    put(FIRST)
    return mails.record(monkeypatch)


def put(body: dict[str, str]) -> Reply:
    """Give an account."""
    return call("PUT", "/v1/me/payee", body, claims=PIA)


def confirm(code: str, key: str = "") -> Reply:
    """Give a code."""
    return call("POST", "/v1/me/payee/confirm", {"code": code}, claims=PIA, key=key)


def last_event() -> dict[str, Any]:
    """Return Pia's newest event as the bus carries it."""
    return mails.detail(life.raw_items("PARTNER#pia")[-1])


def mailed_code(sent: list[dict[str, Any]]) -> str:
    """Let the newest event be mailed; return the code in the mail."""
    mails.send(last_event())
    found = re.search(r"[0-9A-Z]{4}-[0-9A-Z]{4}", mails.text(sent[-1]))
    assert found
    return found.group()


def test_other_account_counts_only_once_it_is_confirmed(sent: list[dict[str, Any]]) -> None:
    """Until then the old one stays; from then on nothing is paid for a day."""
    profile = partners.find_partner("pia")
    reply = put(OTHER)
    assert {
        "last4": "6199",
        "set_at": NOW,
        "confirm_by": "2026-11-22T13:17:00.000Z",
    } == reply.body
    stored = people.payee("person-pia")
    assert stored
    assert FIRST["iban"] == stored.iban
    code = mailed_code(sent)
    assert ["pia@partners.example"] == mails.readers(sent)
    assert all(end in mails.text(sent[0]) for end in ("3000", "6199", "13:17 UTC"))
    assert code not in mails.subject(sent[0])
    assert {"set_at": NOW, "usable_at": "2026-11-23T11:17:00.000Z"} == confirm(code.lower()).body
    stored = people.payee("person-pia")
    assert Payee(**OTHER) == stored
    after = partners.find_partner("pia")
    assert after
    assert profile
    assert ("bank", "2026-11-23T11:17:00.000Z", "", 4) == (
        after.payee_method,
        after.payee_usable_at,
        after.payee_problem,
        after.version,
    )
    assert after.payee_key != profile.payee_key
    mails.send(last_event())
    assert "6199" in mails.text(sent[1])
    assert "2026-11-23 11:17 UTC" in mails.text(sent[1])
    assert (422, "nothing_to_confirm") == confirm(code).problem()


def test_partner_sees_what_is_on_file_and_what_waits(
    sent: list[dict[str, Any]], frozen: Any
) -> None:
    """Ends of accounts only; a wish that ran out is none."""
    on_file = {"method": "bank", "last4": "3000", "set_at": NOW, "usable_at": "", "problem": ""}
    nothing = {"waiting_last4": "", "confirm_by": "", "tries_left": 0}
    read = lambda: call("GET", "/v1/me/payee", claims=PIA).body  # noqa: E731  (read three times)
    assert on_file | nothing == read()
    put(ACH)
    waits = {"waiting_last4": "5678", "confirm_by": "2026-11-22T13:17:00.000Z", "tries_left": 5}
    assert on_file | waits == read()
    frozen("2026-11-22T13:17:00.000Z")
    assert on_file | nothing == read()
    assert [] == sent


def test_file_is_written_to_the_account_it_was_ordered_to(
    sent: list[dict[str, Any]], frozen: Any
) -> None:
    """A change confirmed between order and file is for the next batch."""
    money.publish()
    posting = Posting(
        id="credit",
        kind=Kind.CREDIT_ADJUSTED,
        program="acme",
        partner="pia",
        currency="EUR",
        amount_minor=5_000,
        at=NOW,
    )
    ledger.post_all("pia", "EUR", lambda _: [Entry(postings=(posting,))], now=NOW)
    step = {"batch": money.pay_out(until="mark")}
    frozen("2026-11-22T11:20:00.000Z")
    put(OTHER)
    confirm(mailed_code(sent))
    for _ in range(2):
        batch.write(step, "2026-11-22T11:21:00.000Z")
    content = (files.read(money.the_batch(step["batch"]).file) or b"").decode()
    assert (True, False) == (FIRST["iban"] in content, OTHER["iban"] in content)


def test_account_that_was_given_up_gets_nothing_that_was_only_reserved(
    sent: list[dict[str, Any]], frozen: Any
) -> None:
    """Confirmed after the batch was submitted, before it was marked: the money waits for it.

    Without a cooling-off nothing else would stop the payment to the old account.
    """
    money.publish(payees={"cooling_off_hours": 0, "confirm_within_hours": 2})
    money.credit("pia", 5_000)
    step = {"batch": money.pay_out(until="submit"), "Items": [{"partner": "pia"}]}
    frozen("2026-11-22T11:20:00.000Z")
    put(OTHER)
    assert "" == confirm(mailed_code(sent)).body["usable_at"]
    batch.mark(step, "2026-11-22T11:21:00.000Z")
    (each,) = payouts.of_batch(step["batch"])
    assert ("cancelled", "payee_not_payable") == (each.status, each.reason)
    assert 5_000 == money.accounts()["payable"]
    later = money.pay_out(2, now="2026-11-22T11:30:00.000Z")
    content = (files.read(money.the_batch(later).file) or b"").decode()
    assert (False, True) == (FIRST["iban"] in content, OTHER["iban"] in content)


@pytest.mark.parametrize("language", ["en", "de"])
def test_mail_tells_accounts_apart_and_says_that_a_wish_replaces_another(
    sent: list[dict[str, Any]], frozen: Any, language: str
) -> None:
    """Who stole the login wishes something else meanwhile: whoever reads the mail sees it."""
    writes = Transaction()
    reached = Contact(name="Pia", email="pia@partners.example", locale=language)
    people.change_contact(writes, "person-pia", reached)
    writes.commit()
    assert "j…@mail.example" == put(PAYPAL).body["last4"]
    mailed_code(sent)
    frozen("2026-11-22T11:19:00.000Z")
    put(PAYPAL | {"provider_account": "thief@other.example"})
    assert "t…@other.example" == call("GET", "/v1/me/payee", claims=PIA).body["waiting_last4"]
    code = mailed_code(sent)
    first, second = (" ".join(mails.text(each).split()) for each in sent)
    word = {"en": "earlier wish that was not confirmed", "de": "früheren Wunsch"}[language]
    assert [False, True] == [word in text for text in (first, second)]
    assert all(name in second for name in ("j…@mail.example", "t…@other.example", "3000"))
    assert "jane" not in first + second
    confirm(code)
    mails.send(last_event())
    assert "t…@other.example" in mails.text(sent[-1])
    frozen("2026-11-22T14:00:00.000Z")
    put({**PAYPAL, "method": "stripe", "provider_account": "acct_1NkQyM2eZv"})
    mailed_code(sent)
    assert ("eZv" in mails.text(sent[-1]), word in mails.text(sent[-1])) == (True, False)


def test_neither_code_nor_account_is_stored_in_plain(sent: list[dict[str, Any]]) -> None:
    """What is stored of a request opens without its secret to nobody."""
    put(OTHER)
    code = mailed_code(sent)
    text = str(everything())
    assert [] == [word for word in (code, code.replace("-", ""), "51210800") if word in text]


def test_first_account_is_no_change(sent: list[dict[str, Any]]) -> None:
    """It counts at once, and nobody is frightened by a mail."""
    mails.send(last_event())
    assert [] == sent
    profile = partners.find_partner("pia")
    assert profile
    assert (NOW, "", "bank") == (
        profile.payee_set_at,
        profile.payee_usable_at,
        profile.payee_method,
    )


def test_what_is_ordered_stays_with_the_account_it_was_ordered_to(
    sent: list[dict[str, Any]], frozen: Any
) -> None:
    """A change between order and file changes no file; the next batch pays the new account."""
    ordered_at = NOW
    frozen("2026-11-22T11:20:00.000Z")
    put(OTHER)
    confirm(mailed_code(sent))
    frozen("2026-11-22T11:25:00.000Z")
    put(ACH)
    confirm(mailed_code(sent))

    def number(at: str) -> str:
        found = people.payee("person-pia", at=at)
        assert found
        return found.number

    assert FIRST["iban"] == number(ordered_at) == number("2026-11-22T11:19:59.999Z")
    assert OTHER["iban"] == number("2026-11-22T11:20:00.000Z")
    assert "02100002112345678" == number("2026-11-22T11:25:00.000Z") == number("")
    assert FIRST["iban"] == number("2020-01-01T00:00:00.000Z")


def test_wrong_codes_are_counted_and_end_the_request(
    sent: list[dict[str, Any]], frozen: Any
) -> None:
    """Five of them; then not even the right one counts, and the account is given anew."""
    put(OTHER)
    code = mailed_code(sent)
    for _ in range(payee.MOST_TRIES):
        assert (422, "wrong_code", "code") == confirm("0000-0000").field()
    assert (422, "too_many_tries") == confirm(code).problem()
    assert 0 == call("GET", "/v1/me/payee", claims=PIA).body["tries_left"]
    assert (409, "transition_not_allowed") == put(OTHER).problem()
    frozen("2026-11-22T11:18:00.000Z")
    put(OTHER)
    assert code != mailed_code(sent)


def test_code_runs_out_and_a_newer_request_overtakes(
    sent: list[dict[str, Any]], frozen: Any
) -> None:
    """An old code confirms nothing, and a mail about an old request is not sent."""
    put(OTHER)
    old_event, old = last_event(), mailed_code(sent)
    frozen("2026-11-22T11:18:00.000Z")
    put(ACH)
    assert (422, "wrong_code") == confirm(old).problem()
    newer = mailed_code(sent)
    count = len(sent)
    mails.send({**old_event, "id": "again"})
    assert count == len(sent)
    frozen("2026-11-22T13:18:00.000Z")
    assert (422, "code_expired") == confirm(newer).problem()


def test_a_code_is_the_partners_own(sent: list[dict[str, Any]]) -> None:
    """Nobody else's login can use it."""
    put(OTHER)
    code = mailed_code(sent)
    paul = login("login-paul", "partner")
    reply = call("POST", "/v1/me/payee/confirm", {"code": code}, claims=paul)
    assert (422, "nothing_to_confirm") == reply.problem()


def test_confirming_twice_is_confirming_once(sent: list[dict[str, Any]]) -> None:
    """The same key answers the same; the account changed once."""
    put(OTHER)
    code = mailed_code(sent)
    first, second = confirm(code, "k" * 20), confirm(code, "k" * 20)
    assert first.body == second.body
    assert "true" == second.headers["idempotent-replayed"]
    profile = partners.find_partner("pia")
    assert profile
    assert 4 == profile.version


def test_two_who_confirm_at_once_change_it_once(
    sent: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who comes second finds that nothing waits any more."""
    put(OTHER)
    code = mailed_code(sent)
    real, others = Transaction.commit, []

    def commit(writes: Transaction) -> None:
        if "PayeeChanged" in str([write.request for write in writes._puts]):
            monkeypatch.setattr(Transaction, "commit", real)
            others.append(confirm(code).status)
        real(writes)

    monkeypatch.setattr(Transaction, "commit", commit)
    assert (422, "nothing_to_confirm") == confirm(code).problem()
    assert [200] == others
    profile = partners.find_partner("pia")
    assert profile
    assert 4 == profile.version


def test_codes_tried_at_the_same_moment_are_several_tries(sent: list[dict[str, Any]]) -> None:
    """A try is counted before its code is looked at, once."""
    put(OTHER)
    mailed_code(sent)
    request = people.payee_request("person-pia")
    assert request
    people.count_try("person-pia", request)
    with pytest.raises(StaleError):
        people.count_try("person-pia", request)
    counted = people.payee_request("person-pia")
    assert counted
    assert 1 == counted.tries


def test_equal_accounts_have_one_key_however_typed() -> None:
    """That is how two partners with one account are found; another secret tells another key."""
    one = payee.account_key(b"s" * 32, "bank", Payee(**FIRST).number)
    assert one == payee.account_key(b"s" * 32, "bank", FIRST["iban"])
    assert one != payee.account_key(b"t" * 32, "bank", FIRST["iban"])
    assert one != payee.account_key(b"s" * 32, "ach", FIRST["iban"])


def test_code_is_read_as_people_type_it() -> None:
    """Small letters, spaces, and letters that look like digits."""
    secret = b"s" * 32
    code = payee.code(secret, "pia", "req")
    typed = code.replace("0", "o").replace("1", "l").replace("-", " ").lower()
    assert payee.is_code(typed, secret, "pia", "req")
    assert not payee.is_code(code, secret, "paul", "req")
    assert not payee.is_code(code, secret, "pia", "req2")
    assert not payee.is_code("ÄÖÜÄ-ÖÜÄÖ", secret, "pia", "req")
