"""Payouts and statements as partners and finance read them, page data, PDF and spreadsheet."""

from __future__ import annotations

import csv
import io
import random
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from pypdf import PdfReader

from introducer import ledger
from introducer.clients import client
from introducer.ledger import ACCOUNTS
from introducer.payout import reference
from introducer.settings import setting
from introducer.tables import payouts
from introducer.tables.people import Contact
from introducer.tables.store import Table
from introducer.wording import language
from submit.resources import statement_files
from tests.support import life, money
from tests.support.api import Reply, call, login
from tests.support.environment import INTAKE_BUCKET

PIA = login("login-pia", "partner")
PAUL = login("login-paul", "partner")
FINANCE = login("fin", "finance")
SHEET = "/v1/me/statement/file?currency=EUR"


@pytest.fixture(autouse=True)
def program(aws: None, frozen: Callable[[str], None]) -> None:
    """A program that pays, and Pia with a name that needs more than Latin letters."""
    del aws, frozen
    money.publish()
    name = "Łukasz Müller-Παπαδόπουλος"
    money.enrol("pia", contact=Contact(name=name, email="pia@partners.example"))
    money.enrol("paul")


def paid(name: str = "r1", amount_minor: int = 100_000) -> str:
    """Let Pia earn and be paid; return the payout's reference."""
    money.sell(name, amount_minor, lead_key=f"key-{name}")
    money.deliver(name)
    money.release()
    batch = money.pay_out()
    money.settle_all(batch)
    return reference(batch, "pia")


def get(path: str, claims: dict[str, str] = PIA) -> Any:
    """Read something that is there."""
    reply = call("GET", path, claims=claims)
    assert 200 == reply.status, reply.body
    return reply.body


def fetched(reply: Any) -> bytes:
    """Return the file that a link leads to."""
    key = unquote(urlsplit(reply["url"]).path).removeprefix(f"/{INTAKE_BUCKET}").lstrip("/")
    body: bytes = client("s3").get_object(Bucket=INTAKE_BUCKET, Key=key)["Body"].read()
    assert reply["bytes"] == len(body)
    return body


def text_of(pdf: bytes) -> str:
    """Return every text of a PDF."""
    return " ".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages)


def rows_of(sheet: bytes) -> list[dict[str, str]]:
    """Return the rows of a spreadsheet."""
    return list(csv.DictReader(io.StringIO(sheet.decode("utf-8-sig"))))


def test_payouts_are_listed_without_runs_that_paid_nothing() -> None:
    """Newest first; somebody else has none."""
    name = paid()
    (row,) = get("/v1/me/payouts")["items"]
    assert {
        "reference": name,
        "status": "paid",
        "currency": "EUR",
        "gross_minor": 2_500,
        "amount_minor": 2_500,
        "withheld_minor": 0,
        "booked_on": "2026-11-24",
        "reason": "",
    }.items() <= row.items()
    assert [] == get("/v1/me/payouts", PAUL)["items"]


def test_payout_tells_what_it_was_made_of() -> None:
    """Released since the payout before; sums agree, fees are not the partner's."""
    money.credit("pia", 300)
    name = paid()
    found = get(f"/v1/me/payouts/{name}")
    assert (True, 0, 0, "sepa", "", []) == tuple(
        found[key]
        for key in ("complete", "carried_minor", "left_minor", "method", "advice", "fees")
    )
    assert [("BalanceOpened", 300, ""), ("RewardReleased", 2_500, "r1")] == [
        (each["kind"], each["amount_minor"], each["referral"]) for each in found["parts"]
    ]
    assert 2_800 == found["payout"]["gross_minor"]
    german = get(f"/v1/me/payouts/{name}?locale=de")["explanation"]
    assert "Betrag: 28,00 EUR" in german
    assert any("trägt das Programm" in each for each in german)


def test_next_payout_begins_where_the_last_one_ended() -> None:
    """What came back is a part of the next one, and said to be."""
    name = paid()
    money.take(money.booking(name, 2_500, returned="AC04"), name="camt-9.xml")
    back = get(f"/v1/me/payouts/{name}")
    assert ("returned", "2026-11-26", "AC04") == tuple(
        back["payout"][key] for key in ("status", "returned_on", "reason")
    )
    assert "Give us another account: this one is closed." == back["advice"]
    money.set_payee("pia", money.iban_of("new"))
    again = reference(money.pay_out(run=2), "pia")
    found = get(f"/v1/me/payouts/{again}")
    assert [("PayoutReturned", name, 2_500)] == [
        (each["kind"], each["payout"], each["amount_minor"]) for each in found["parts"]
    ]
    assert (0, 2_500) == (found["carried_minor"], found["payout"]["gross_minor"])


def test_many_bookings_are_one_line_and_the_sums_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    """The page says that it is not everything."""
    for n in range(5):
        money.credit("pia", 500, name=f"n{n}")
    name = reference(money.pay_out(), "pia")
    monkeypatch.setattr("submit.resources.payouts._PAGE", 2)
    monkeypatch.setattr("submit.resources.payouts._MOST", 2)
    found = get(f"/v1/me/payouts/{name}")
    assert (False, 1_500, 2) == (found["complete"], found["carried_minor"], len(found["parts"]))


@pytest.mark.parametrize("path", ["", "/file"])
def test_payout_of_somebody_else_does_not_exist(path: str) -> None:
    """Nor one that was skipped, nor none."""
    name = paid()
    skipped = reference("b", "pia")
    for claims, asked in ((PAUL, name), (PIA, skipped), (PIA, "nosuch")):
        reply = call("GET", f"/v1/me/payouts/{asked}{path}", claims=claims)
        assert (404, "not_found") == reply.problem()


def test_payout_as_pdf_names_payee_and_amount() -> None:
    """The same payout gives the same file, whoever asks twice."""
    name = paid()
    reply = get(f"/v1/me/payouts/{name}/file?locale=de")
    assert f"payout-{name}.pdf" == reply["name"]
    drawn = fetched(reply)
    text = text_of(drawn)
    for part in ("Łukasz", "Παπαδόπουλος", name, "25,00 EUR", "SEPA-Überweisung", "2026-11-24"):
        assert part in text
    assert drawn == fetched(get(f"/v1/me/payouts/{name}/file?locale=de"))


def test_statement_as_spreadsheet_and_pdf_agree_with_the_page() -> None:
    """Opening, movements, closing: three views of the same journals."""
    paid()
    page = get("/v1/me/statement?currency=EUR&limit=100")
    rows = rows_of(fetched(get(f"{SHEET}&format=csv")))
    assert [each["id"] for each in page["movements"]] != []
    assert [str(each["number"]) for each in page["movements"]] == [
        each["number"] for each in reversed(rows[1:-1])
    ]
    for name in ACCOUNTS:
        assert page["closing"][name] == round(float(rows[-1][name]) * 100)
    reply = get(f"{SHEET}&format=pdf&locale=de&from=2026-11-01&to=2026-11-30")
    assert "statement-EUR-2026-11-01-2026-11-30.pdf" == reply["name"]
    text = text_of(fetched(reply))
    for part in ("Łukasz", "Kontoauszug", "Anfangsbestand", "Endbestand", "25,00"):
        assert part in text
    assert "2026-11-22T11:32:00.000Z" == reply["until"]


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("&format=pdf&from=2026-02-30", "invalid_period"),
        ("&format=csv&from=2026-03-01&to=2026-02-01", "invalid_period"),
        ("&format=csv", "period_too_long"),
    ],
)
def test_period_that_is_none_or_too_long_is_refused(
    monkeypatch: pytest.MonkeyPatch, query: str, code: str
) -> None:
    """Before anything is read or drawn."""
    money.credit("pia", 500)
    monkeypatch.setitem(statement_files.MOST, "csv", 0)
    assert (422, code) == call("GET", SHEET + query, claims=PIA).problem()


@pytest.mark.parametrize(
    "query", ["", "&format=xml", "&format=pdf&other=1", "&format=pdf&locale=x"]
)
def test_query_of_a_file_is_strict(query: str) -> None:
    """Nothing unknown, nothing missing."""
    assert 400 == call("GET", SHEET + query, claims=PIA).status


def finance(path: str, claims: dict[str, str] = FINANCE) -> Reply:
    """Ask for a statement of the program."""
    return call("GET", f"/v1/programs/{life.PROGRAM}/statements/{path}", claims=claims)


def test_finance_reads_anybodys_statement_and_no_name() -> None:
    """Page, spreadsheet and PDF; reps and others in the books have one too."""
    paid()
    money.credit("rep.anna", 700)
    mine = get("/v1/me/statement?currency=EUR")
    theirs = finance("pia?currency=EUR").body
    assert {**mine, "next": ""} == {**theirs, "next": ""}
    assert 700 == finance("rep.anna?currency=EUR").body["closing"]["payable"]
    text = text_of(fetched(finance("pia/file?currency=EUR&format=pdf").body))
    assert "pia" in text
    assert "Łukasz" not in text
    assert [] == finance("paul?currency=EUR").body["movements"]


@pytest.mark.parametrize("path", ["nobody", "rep.nobody"])
def test_holder_who_is_not_in_the_program_is_not_found(path: str) -> None:
    """Whoever asks learns nothing of other programs."""
    assert (404, "not_found") == finance(f"{path}?currency=EUR").problem()
    assert (404, "not_found") == finance(f"{path}/file?currency=EUR&format=csv").problem()
    other = call("GET", "/v1/programs/other/statements/pia?currency=EUR", claims=FINANCE)
    assert (404, "not_found") == other.problem()


@pytest.mark.parametrize("group", ["partner", "rep"])
def test_others_read_no_statement_of_the_program(group: str) -> None:
    """Not even their own this way."""
    assert 403 == finance("pia?currency=EUR", login("login-pia", group)).status


def test_links_of_two_people_never_share_a_file() -> None:
    """Who asks in another language at the same moment writes elsewhere."""
    money.credit("pia", 500)
    urls = {
        urlsplit(reply["url"]).path
        for reply in (
            get(f"{SHEET}&format=csv"),
            finance("pia/file?currency=EUR&format=csv").body,
            finance("pia/file?currency=EUR&format=csv", login("aud", "auditor")).body,
        )
    }
    assert 3 == len(urls)


def erase(person: str) -> int:
    """Delete everything that is stored of a person; return how many items there were."""
    found = [each for each in money.everything(Table.PEOPLE) if each["pk"] == f"PERSON#{person}"]
    for each in found:
        key = {name: {"S": each[name]} for name in ("pk", "sk")}
        client("dynamodb").delete_item(TableName=setting(Table.PEOPLE), Key=key)
    return len(found)


def wander(chance: random.Random) -> None:
    """Let things happen to Pia's money in any order."""
    for n in range(3):
        money.sell(f"r{n}", chance.randrange(10_000, 500_000), lead_key=f"key-{n}")
        money.deliver(f"r{n}")
        if chance.random() < 0.7:
            money.release()
        if chance.random() < 0.5:
            batch = money.pay_out(run=n + 1)
            money.settle_all(batch)
            if chance.random() < 0.5:
                sent = payouts.find(reference(batch, "pia"))
                back = (
                    [money.booking(sent.reference, sent.amount_minor, returned="MS03")]
                    if sent
                    else []
                )
                money.take(*back, name=f"back-{n}.xml")
        if chance.random() < 0.5:
            money.refund(f"r{n}", f"f{n}", 5_000)
            money.deliver(f"r{n}")


@pytest.mark.parametrize("seed", range(2))
def test_erased_person_leaves_every_sum(seed: int) -> None:
    """Page, spreadsheet, payouts, what is payable, chain and totals; only the name is gone."""
    wander(random.Random(seed))
    paths = ("/v1/me/statement?currency=EUR", "/v1/me/payouts", "/v1/me/payable")

    def told() -> list[Any]:
        sheet = fetched(get(f"{SHEET}&format=csv"))
        folded = ledger.fold("pia", "EUR", money.journals())
        return [*map(get, paths), sheet, folded, ledger.totals(money.journals())]

    before = told()
    assert 2 <= erase("person-pia")
    assert before == told()
    drawn = text_of(fetched(get(f"{SHEET}&format=pdf")))
    assert "Łukasz" not in drawn
    closing = language("en").figure(before[0]["closing"]["pending"], "EUR")
    assert closing in drawn
