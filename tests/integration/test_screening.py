"""Payees are compared with a list before they are paid, and a person has the last word."""

from __future__ import annotations

from typing import Any

import pytest

from introducer.ledger import Kind, Posting
from introducer.partner import Partner
from introducer.tables import ledger as books
from introducer.tables import partners, screening
from introducer.tables.ledger import Entry
from introducer.tables.people import Contact
from payout import gates, screen
from tests.support import life, money
from tests.support.api import Reply, call, login
from tests.support.tables import everything

NOW = "2026-11-22T11:17:00.000Z"
FINA = login("login-fina", "finance")
LIST = "id,name,aliases,country\r\nL-1,Paul Placeholder,,DE\r\nL-2,Muster Handel GmbH,,\r\n"
MORE = LIST + "L-3,Pauli Placeholder,,AT\r\n"
RULE = money.EUROS | {"screening": True}

pytestmark = pytest.mark.usefixtures("aws", "frozen")


@pytest.fixture(autouse=True)
def program(aws: None) -> None:  # noqa: ARG001  (pytest orders fixtures by it)
    """A program that screens; two partners with an account to whom something is payable."""
    money.publish(payouts=[RULE])
    money.enrol("pia")
    money.enrol("paul", contact=Contact(name="Paul Placeholder", email="paul@partners.example"))
    for name in ("pia", "paul"):
        posting = Posting(
            id=f"credit:{name}",
            kind=Kind.CREDIT_ADJUSTED,
            program="acme",
            partner=name,
            currency="EUR",
            amount_minor=5_000,
            at=NOW,
        )
        entry = Entry(postings=(posting,))
        books.post_all(name, "EUR", lambda _, entry=entry: [entry], now=NOW)  # type: ignore[misc]


def put_list(text: str = LIST) -> Reply:
    """Upload a list."""
    return call("PUT", "/v1/programs/acme/screening-list", {"csv": text}, claims=FINA)


def hits() -> list[dict[str, Any]]:
    """Read the hits nobody looked at."""
    items: list[dict[str, Any]] = call("GET", "/v1/programs/acme/screening", claims=FINA).body[
        "items"
    ]
    return items


def clear(name: str = "paul", reason: str = "other_person", entries: str = "L-1") -> Reply:
    """Say that a hit is somebody else."""
    body = {"entries": entries.split(), "reason": reason}
    return call("POST", f"/v1/partners/{name}/screening/clear", body, claims=FINA)


def profile(name: str) -> Partner:
    """Return a partner as they stand."""
    found = partners.find_partner(name)
    assert found is not None
    return found


def obstacle(name: str) -> str:
    """Return what stands between a partner and their money."""
    document = life.document(payouts=[RULE])
    return gates.obstacle(document, document.payouts[0], name, profile(name), now=NOW)


def test_nobody_is_paid_before_they_were_compared() -> None:
    """Without a list, before the job, and again once there is another list."""
    assert {} == screen.screen("acme", NOW)
    assert "screening_pending" == obstacle("pia")
    assert 2 == put_list().body["entries"]
    assert "screening_pending" == obstacle("pia")
    assert {"clear": 1, "hit": 1} == screen.screen("acme", NOW)
    assert ("", "screening_hit") == (obstacle("pia"), obstacle("paul"))
    assert {} == screen.screen("acme", NOW)
    put_list(MORE)
    assert ("screening_pending", "screening_hit") == (obstacle("pia"), obstacle("paul"))
    assert {"clear": 1, "hit": 1} == screen.screen("acme", NOW)
    assert "" == obstacle("pia")


def test_hit_is_listed_and_cleared_by_a_person() -> None:
    """Core holds ids of entries and no name; the event says who cleared it and why."""
    digest = put_list().body["digest"]
    assert {"clear": 1, "hit": 1} == screen.handler({}, money.CONTEXT)  # type: ignore[arg-type]
    assert [
        {
            "partner": "paul",
            "name": "Paul Placeholder",
            "country": "DE",
            "entries": ["L-1"],
            "score": 100,
            "at": NOW,
        }
    ] == hits()
    outside = str([each for each in everything() if not each["pk"].startswith("PERSON#")])
    assert "Placeholder" not in outside
    assert {"id": "paul", "screening": "cleared"} == clear().body
    assert ("", []) == (obstacle("paul"), hits())
    event = life.raw_items("PARTNER#paul")[-1]
    assert ("PayeeScreened", "user:login-fina") == (event["type"]["S"], event["actor"]["S"])
    assert {"result": "cleared", "list": digest, "hits": "1", "reason": "other_person"} == {
        key: next(iter(value.values())) for key, value in event["data"]["M"].items()
    }
    assert (409, "transition_not_allowed") == clear().problem()
    assert (409, "transition_not_allowed") == clear("pia").problem()
    assert (404, "not_found") == clear("nobody").problem()
    assert (400, "invalid_input") == clear("paul", "because").problem()


def test_clearing_holds_for_the_entry_and_the_account() -> None:
    """Another list with the same entry does not ask again; a new entry or account does."""
    put_list()
    screen.screen("acme", NOW)
    clear()
    put_list(LIST + "L-9,Somebody Else,,\r\n")
    assert {"clear": 1, "cleared": 1} == screen.screen("acme", NOW)
    assert "" == obstacle("paul")
    put_list(MORE)
    assert {"clear": 1, "hit": 1} == screen.screen("acme", NOW)
    assert [["L-3"]] == [row["entries"] for row in hits()]
    clear(entries="L-3")
    money.set_payee("paul", "DE75512108001245126199")
    assert "screening_pending" == obstacle("paul")
    assert {"hit": 1} == screen.screen("acme", NOW)
    assert [["L-1", "L-3"]] == [row["entries"] for row in hits()]


def test_only_what_was_looked_at_is_cleared() -> None:
    """A new list finds another entry between reading and clearing: it is not cleared unseen."""
    put_list()
    screen.screen("acme", NOW)
    (seen,) = hits()
    put_list(MORE)
    screen.screen("acme", NOW)
    before = everything()
    for entries in (seen["entries"], ["L-3"], ["L-1", "L-3", "L-9"]):
        assert (409, "other_entries") == clear(entries=" ".join(entries)).problem()
    assert (before, "screening_hit") == (everything(), obstacle("paul"))
    assert (400, "invalid_input") == clear(entries="").problem()
    assert 200 == clear(entries="L-3 L-1").status


def test_same_list_again_changes_nothing_and_a_bad_one_is_refused() -> None:
    """The list is its digest; the file of it is written once."""
    first = put_list()
    before = everything()
    assert first.body == put_list().body
    assert before == everything()
    assert (422, "invalid_list", "csv") == put_list("id,name\r\n").field()
    against = screening.current("acme")
    assert against
    assert (1, 2, "user:login-fina") == (against.version, against.entries, against.by)


def test_partner_who_changes_meanwhile_is_looked_at_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was found of the old account says nothing of the new one."""
    put_list()
    real = screen.people.contact

    def contact(person: str) -> Contact | None:
        monkeypatch.setattr(screen.people, "contact", real)
        money.set_payee("pia" if person == "person-pia" else "paul")
        return real(person)

    monkeypatch.setattr(screen.people, "contact", contact)
    done = screen.screen("acme", NOW)
    assert 1 == done.pop("changed")
    assert 1 == sum(done.values())
    assert 1 == sum(screen.screen("acme", NOW).values())


def test_run_that_has_no_time_left_leaves_the_rest_to_the_next() -> None:
    """Nobody is skipped for good."""
    put_list()
    turns = iter([True, False])
    assert 1 == sum(screen.screen("acme", NOW, lambda: next(turns)).values())
    assert 1 == sum(screen.screen("acme", NOW).values())
    assert ["clear", "hit"] == [profile(name).screening for name in ("pia", "paul")]
