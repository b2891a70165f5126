"""``/v1/programs/{program}/accounts``: whom the company deals with already."""

from __future__ import annotations

from typing import Any

import pytest

from introducer import identity, keyring
from introducer.account import Account, Entry
from introducer.errors import SeveralFaultsError, StaleError
from introducer.tables import accounts, programs, store
from introducer.tables.accounts import Key
from introducer.tables.store import Transaction
from submit import accounts as lists
from submit.accounts import NewAccount
from tests.support import life
from tests.support.api import Reply, call, login
from tests.support.tables import everything

MANAGER = login("sub-m", "manager")
LIST = "/v1/programs/acme/accounts"
NOW = "2026-11-22T11:17:00.000Z"

pytestmark = pytest.mark.usefixtures("aws", "frozen")


@pytest.fixture(autouse=True)
def program(aws: None) -> None:  # noqa: ARG001  (pytest orders fixtures by it)
    """A program in Berlin's time with the rep Anna."""
    life.publish(time_zone="Europe/Berlin")
    life.add_rep("anna")


def put(*entries: dict[str, Any]) -> Reply:
    """Send entries."""
    return call("PUT", LIST, {"accounts": list(entries)}, claims=MANAGER)


def done(reply: Reply) -> dict[str, int]:
    """Return what an accepted list did, without what it did not."""
    assert 200 == reply.status, reply.body
    return {word: count for word, count in reply.body.items() if count}


def on(**known: Any) -> dict[str, Entry]:
    """Return the lists that the key of *known* is on."""
    secret = keyring.secret(keyring.IDENTITY)
    keys = [Key(*each) for each in identity.keys(secret, **known).items()]
    if "email" in known:
        keys = [Key("email", identity.email_key(known["email"], secret))]
    found = accounts.find_all("acme", keys, consistent=True)
    return {kind: entry for each in found.values() for kind, entry in each.on.items()}


def faults(reply: Reply) -> list[tuple[str, str]]:
    """Return code and field of each fault of a refusal."""
    assert 422 == reply.status, reply.body
    return [(each["code"], each["field"]) for each in reply.body["errors"]]


def test_an_entry_is_kept_under_each_of_its_keys_and_no_name() -> None:
    """Whoever has the table and not the address learns nothing."""
    reply = put(
        {
            "kind": "open",
            "email": "Lena@Lead-GmbH.example",
            "phone": "030 901820",
            "country": "DE",
            "domain": "Lead-GmbH.example",
            "external_id": "L-4711",
            "source": "crm",
            "rep": "anna",
            "until": "2026-12-31T12:00:00+01:00",
        }
    )
    assert {"listed": 1} == done(reply)
    expected = {"open": Entry(listed_at=NOW, rep="anna", until="2026-12-31T11:00:00.000Z")}
    assert expected == on(email="lena+x@lead-gmbh.example")
    assert expected == on(phone="+4930901820")
    assert expected == on(domain="lead-gmbh.example")
    assert expected == on(external={"crm": "L-4711"})
    assert {} == on(external={"billing": "L-4711"})
    listed = [item for item in everything() if item["pk"].startswith("ACCOUNT#")]
    assert (4, 4) == (
        sum(item["sk"] == "PROFILE" for item in listed),
        sum(item.get("type") == "AccountListed" for item in listed),
    )
    text = str(listed).lower()
    assert not [word for word in ("lena", "lead-gmbh", "901820", "4711") if word in text]


def test_the_same_list_again_changes_nothing() -> None:
    """A call whose answer was lost is repeated without harm."""
    entries = [
        {"kind": "customer", "domain": "lead.example"},
        {"kind": "named", "phone": "+4930901820"},
    ]
    assert {"listed": 2} == done(put(*entries))
    before = everything()
    assert {"known": 2} == done(put(*entries))
    assert before == everything()


def test_entries_change_end_and_go() -> None:
    """Who is on two lists leaves one of them; taking off who is not there says nothing new."""
    both = [{"kind": kind, "domain": "lead.example"} for kind in ("customer", "named")]
    assert {"listed": 2} == done(put(*both))
    assert {"changed": 1} == done(put({**both[1], "rep": "anna"}))
    assert {"removed": 1} == done(put({**both[0], "remove": True}))
    assert {"known": 1} == done(put({**both[0], "remove": True}))
    assert {"named": Entry(listed_at=NOW, rep="anna")} == on(domain="lead.example")
    assert {"removed": 1} == done(put({**both[1], "remove": True}))
    assert {"listed": 1} == done(put(both[1]))
    key = identity.keys(keyring.secret(keyring.IDENTITY), domain="lead.example")["domain"]
    events = life.raw_items(f"ACCOUNT#acme#domain#{key}")
    assert [
        "AccountListed",
        "AccountListed",
        "AccountChanged",
        "AccountRemoved",
        "AccountRemoved",
        "AccountListed",
    ] == [each["type"]["S"] for each in events]


def test_a_day_counts_to_its_end_where_the_program_is() -> None:
    """Berlin's last of the year ends an hour before the one in UTC, and in summer two."""
    put(
        {"kind": "named", "domain": "winter.example", "until": "2026-12-31"},
        {"kind": "named", "domain": "summer.example", "until": "2027-06-30"},
    )
    assert "2026-12-31T23:00:00.000Z" == on(domain="winter.example")["named"].until
    assert "2027-06-30T22:00:00.000Z" == on(domain="summer.example")["named"].until


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ({}, [("no_key", "email")]),
        ({"email": "lena"}, [("invalid_email", "email")]),
        ({"phone": "12"}, [("invalid_input", "phone")]),
        ({"phone": "030 901820"}, [("invalid_phone", "phone")]),
        ({"domain": "gmail.com"}, [("public_domain", "domain")]),
        ({"domain": "https://x.example"}, [("invalid_domain", "domain")]),
        ({"external_id": "1"}, [("no_source", "source")]),
        ({"source": "crm"}, [("no_source", "external_id")]),
        ({"domain": "x.example", "rep": "zoe"}, [("unknown_rep", "rep")]),
        ({"domain": "x.example", "until": "2026-02-30"}, [("invalid_time", "until")]),
        ({"domain": "x.example", "until": "tomorrow"}, [("invalid_time", "until")]),
        ({"domain": "x.example", "until": "9999-12-31"}, [("invalid_time", "until")]),
    ],
)
def test_what_cannot_be_accepted_is_named_and_nothing_stored(
    entry: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    """One wrong entry among good ones stops the call."""
    keyring.secret(keyring.IDENTITY)
    before = everything()
    reply = put({"kind": "named", "domain": "good.example"}, {"kind": "open", **entry})
    if expected[0][0] == "invalid_input":
        assert 400 == reply.status
    else:
        assert [(code, f"accounts[1].{field}") for code, field in expected] == faults(reply)
    assert before == everything()


def test_every_fault_is_told_at_once() -> None:
    """With its place; a key that is said twice and otherwise is one."""
    reply = put(
        {"kind": "open", "domain": "x.example"},
        {"kind": "open", "domain": "x.example", "rep": "anna"},
        {"kind": "open", "email": "lena"},
    )
    assert "invalid_accounts" == reply.body["code"]
    assert [("given_twice", "accounts[1]"), ("invalid_email", "accounts[2].email")] == faults(reply)


def test_two_people_of_one_company_are_one_entry_of_it() -> None:
    """Said alike, a key may come again in one call."""
    entries = [
        {"kind": "open", "email": f"{name}@x.example", "domain": "x.example"} for name in "ab"
    ]
    assert {"listed": 2} == done(put(*entries))
    assert 3 == sum(item["pk"].startswith("ACCOUNT#") for item in everything()) // 2


def test_many_entries_with_four_keys_are_one_call() -> None:
    """More than one transaction takes; all of them are counted."""
    entries = [
        {
            "kind": ("customer", "open", "named")[number % 3],
            "email": f"lead{number}@x{number}.example",
            "domain": f"x{number}.example",
            "phone": f"+4930901{number:03}",
            "external_id": f"L-{number}",
            "source": "crm",
        }
        for number in range(30)
    ]
    assert {"listed": 30} == done(put(*entries))
    reply = call("GET", LIST, claims=login("sub-a", "auditor"))
    assert {
        "lists": [
            {"kind": kind, "by": by, "count": count}
            for by in ("domain", "email", "external.crm", "phone")
            for kind, count in (("customer", 10), ("named", 10), ("open", 10))
        ],
        "total": 120,
    } == reply.body
    only = call("GET", f"{LIST}?kind=customer", claims=MANAGER)
    assert 40 == only.body["total"]
    assert 400 == call("GET", f"{LIST}?kind=friends", claims=MANAGER).status


def test_a_file_adds_entries_one_by_one() -> None:
    """What a row changes goes into the row's own transaction; a bad row raises."""
    version = programs.current("acme", NOW)
    row = NewAccount(kind="customer", domain="x.example")
    writes = Transaction()
    assert "listed" == lists.entry(writes, version, row, now=NOW, actor="user:1")
    assert {} == on(domain="x.example")
    writes.commit()
    assert {"customer": Entry(listed_at=NOW)} == on(domain="x.example")
    again = Transaction()
    assert "known" == lists.entry(again, version, row, now=NOW, actor="user:1")
    assert 0 == len(again)
    with pytest.raises(SeveralFaultsError) as refused:
        lists.entry(again, version, NewAccount(kind="customer"), now=NOW, actor="user:1")
    assert "no_key" == refused.value.code


def test_two_who_change_a_key_at_once_do_not_both() -> None:
    """The second learns of it and nothing is lost."""
    put({"kind": "open", "domain": "x.example"})
    version = programs.current("acme", NOW)
    first, second = Transaction(), Transaction()
    for writes, kind in ((first, "named"), (second, "customer")):
        row = NewAccount(kind=kind, domain="x.example")  # type: ignore[arg-type]
        lists.entry(writes, version, row, now=NOW, actor="user:1")
    first.commit()
    with pytest.raises(StaleError):
        second.commit()
    assert ["open", "named"] == list(on(domain="x.example"))


def test_another_programs_list_is_another_list() -> None:
    """Nothing of one program is seen in the next."""
    put({"kind": "customer", "domain": "x.example"})
    key = identity.keys(keyring.secret(keyring.IDENTITY), domain="x.example")["domain"]
    assert {} == accounts.find_all("other", [Key("domain", key)], consistent=True)
    stored = store.get(store.Table.CORE, f"ACCOUNT#acme#domain#{key}", "PROFILE")
    assert stored is not None
    assert "acme" == store.load(Account, stored).program
