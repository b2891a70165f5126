"""Tax: forms that partners give, years that are counted, told and corrected."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest

from introducer.clients import client
from introducer.errors import InvalidInputError
from introducer.tables import partners, people, taxes
from introducer.tables.store import Transaction
from introducer.tax import tally
from payout import files, withholding
from payout import taxes as year_end
from tests.support import life, money
from tests.support.api import Reply, call, login
from tests.support.tables import everything

NOW = "2026-11-22T11:17:00.000Z"
PIA = login("login-pia", "partner")
FINA = login("login-fina", "finance")
W9 = {
    "country": "US",
    "entity": "individual",
    "name": "Pia Partner",
    "classification": "individual",
    "street": "1 Main Street",
    "city": "New York",
    "region": "NY",
    "postal_code": "10001",
    "tin_type": "ssn",
    "tin": "536-90-4399",
    "signed_by": "Pia Partner",
    "signed_on": "2026-11-22",
    "certified": True,
}
W8 = {
    "country": "DE",
    "entity": "individual",
    "name": "Pia Partner",
    "street": "Hafenstr. 1",
    "city": "Hamburg",
    "birth_date": "1990-02-03",
    "foreign_tin": "36574261809",
    "signed_by": "Pia Partner",
    "signed_on": "2026-11-22",
    "certified": True,
}
US = {"payer_country": "US"}

pytestmark = pytest.mark.usefixtures("aws", "frozen")


def give(form: dict[str, Any]) -> Reply:
    """Give a tax form."""
    return call("PUT", "/v1/me/tax", form, claims=PIA)


def status() -> dict[str, Any]:
    """Read what is needed and on file."""
    body: dict[str, Any] = call("GET", "/v1/me/tax", claims=PIA).body
    return body


def test_form_is_needed_then_given_and_only_its_end_is_shown() -> None:
    """The number is nowhere in plain; the profile and the event say which form there is."""
    life.publish(tax=US)
    life.enrol("pia", country="US")
    assert ("w9", False, "") == tuple(status()[key] for key in ("form_needed", "counts", "last4"))
    reply = give(W9)
    shown = {
        "form_needed": "w9",
        "counts": True,
        "form": "w9",
        "country": "US",
        "entity": "individual",
        "given_at": NOW,
        "until": "",
        "last4": "4399",
    }
    assert (200, shown) == (reply.status, reply.body)
    assert shown == status()
    stored = str(everything())
    assert [] == [word for word in ("536904399", "536-90", "Main Street") if word in stored]
    data = people.tax("person-pia")
    assert data
    assert ("536904399", "1 Main Street") == (data.tin, data.street)
    event = life.raw_items("PARTNER#pia")[-1]
    assert "TaxFormGiven" == event["type"]["S"]
    assert {"form", "country", "entity", "until"} == event["data"]["M"].keys()


def test_form_that_is_replaced_is_kept_and_a_w8_runs_out() -> None:
    """Payers show old forms for years; a W-8 counts to the end of the third year."""
    life.publish(tax=US)
    life.enrol("pia")
    assert "2029-12-31" == give(W8).body["until"]
    company = {key: value for key, value in W8.items() if key != "birth_date"}
    company |= {"entity": "company", "classification": "corporation", "capacity": "Director"}
    assert "w8ben_e" == give(company).body["form"]
    kept = [each["sk"] for each in everything() if each["pk"] == "PERSON#person-pia"]
    assert ["CONTACT", "TAX", f"TAX#{NOW}"] == kept


@pytest.mark.parametrize(
    ("form", "overrides", "expected"),
    [
        (W9, {"tin": "536-90-43"}, (422, "invalid_tin", "tin")),
        (W9, {"tin": "000-12-3456"}, (422, "invalid_tin", "tin")),
        (W9, {"certified": False}, (422, "not_certified", "certified")),
        (W9, {"region": ""}, (422, "missing_field", "region")),
        (W9, {"classification": "king"}, (422, "unknown_classification", "classification")),
        (W9, {"birth_date": "1990-01-01"}, (422, "not_in_this_form", "birth_date")),
        (W9, {"signed_on": "2026-11-24"}, (422, "invalid_signed_on", "signed_on")),
        (W9, {"signed_on": "2026-02-30"}, (422, "invalid_signed_on", "signed_on")),
        (W9, {"signed_on": "2024-11-22"}, (422, "invalid_signed_on", "signed_on")),
        (W9, {"secret": "x"}, (400, "unknown_field", "secret")),
        (W8, {"foreign_tin": ""}, (422, "missing_field", "foreign_tin")),
        (W8, {"birth_date": "2027-01-01"}, (422, "invalid_birth_date", "birth_date")),
        (W8, {"country": "FR"}, (422, "country_conflict", "country")),
    ],
)
def test_form_is_refused_by_name_of_the_field(
    form: dict[str, Any], overrides: dict[str, Any], expected: tuple[int, str, str]
) -> None:
    """Whoever enrolled in the United States gives no form for people abroad."""
    life.publish(tax=US)
    life.enrol("pia", country="US" if form is W9 or "country" in overrides else "DE")
    assert expected == give(form | overrides).field()


def test_nobody_is_asked_where_the_law_asks_for_nothing() -> None:
    """A European payer asks companies for VAT data and individuals for nothing."""
    life.publish(tax={"payer_country": "DE"})
    life.enrol("pia")
    assert (422, "no_form_needed", "country") == give(W8).field()
    company = {key: W8[key] for key in ("name", "street", "city", "signed_by", "signed_on")}
    company |= {"country": "DE", "entity": "company", "postal_code": "20457", "certified": True}
    assert (422, "missing_field") == give(company).problem()
    assert (422, "invalid_vat_number") == give(company | {"vat_number": "DE136695978"}).problem()
    assert (422, "invalid_vat_number") == give(company | {"vat_number": "ATU13585627"}).problem()
    assert "5976" == give(company | {"vat_number": "de 136695976"}).body["last4"]


def paid(amount_minor: int = 100_000) -> str:
    """Earn a quarter of a tenth of *amount_minor*, have it paid and booked; return the batch."""
    money.publish(tax=US | {"missing": "withhold"}, rewards=[money.COMMISSION])
    money.enrol(country="US")
    money.sell(amount_minor=amount_minor)
    money.deliver("r1")
    money.release()
    batch = money.pay_out()
    money.debit(batch)
    return batch


def test_year_is_counted_with_the_booking_and_corrected_with_the_return() -> None:
    """Gross and withheld, once however often the bank repeats itself; the fold says the same."""
    batch = paid()
    total = taxes.find("pia", "acme", 2026, "EUR")
    assert ({"sepa": 2_500}, 600, 1) == (total.paid, total.withheld_minor, total.payouts)
    money.debit(batch, name="again.xml")
    assert total == taxes.find("pia", "acme", 2026, "EUR")
    assert [] == year_end.differences("acme", "pia", "EUR", money.journals())
    (each,) = withholding.payouts.of_batch(batch)
    money.take(
        money.booking(each.reference, each.amount_minor, returned="AC04", on="2027-01-04"),
        name="back.xml",
    )
    back = taxes.find("pia", "acme", 2026, "EUR")
    assert ({}, 0, 0) == (back.paid, back.withheld_minor, back.payouts)
    assert 0 == taxes.find("pia", "acme", 2027, "EUR").version
    assert [] == year_end.differences("acme", "pia", "EUR", money.journals())


def test_a_total_that_is_not_the_fold_is_found() -> None:
    """Somebody wrote it by hand."""
    paid()
    before = taxes.find("pia", "acme", 2026, "EUR")
    writes = Transaction()
    taxes.save(writes, before, tally.added(before, "sepa", 1, 0, NOW))
    writes.commit()
    expected = {"kind": "tax_total_is_not_fold", "partner": "pia", "currency": "EUR", "year": 2026}
    assert [expected] == year_end.differences("acme", "pia", "EUR", money.journals())


def store(name: str, amount_minor: int, withheld_minor: int = 0, *, year: int = 2026) -> None:
    """Store a payee's total of a year, one payment more than before."""
    before = taxes.find(name, "acme", year, "USD")
    writes = Transaction()
    taxes.save(writes, before, tally.added(before, "ach", amount_minor, withheld_minor, NOW))
    writes.commit()


def year(number: str = "2026", query: str = "") -> Reply:
    """Read a page of a year."""
    return call("GET", f"/v1/programs/acme/tax/{number}{query}", claims=FINA)


def test_year_is_listed_with_forms_and_thresholds_and_without_numbers() -> None:
    """Two thousand dollars are reported in 2026; pages go on where they ended."""
    life.publish(tax=US)
    life.enrol("pia", country="US")
    give(W9)
    amounts = {"pia": 200_000, "org.o1": 5_000, **{f"p{n}": 199_999 for n in range(5)}}
    for name, amount_minor in amounts.items():
        store(name, amount_minor, 10 if name == "pia" else 0)
    rows: list[dict[str, Any]] = []
    page, pages = year(query="?limit=3"), 1
    rows += page.body["items"]
    while page.body["next"]:
        page = year(query=f"?limit=3&cursor={page.body['next']}")
        pages, rows = pages + 1, rows + page.body["items"]
    assert 3 <= pages <= 4
    found = {row["partner"]: row for row in rows}
    assert (len(amounts), amounts.keys()) == (len(rows), found.keys())
    assert {
        "partner": "pia",
        "currency": "USD",
        "form": "w9",
        "form_counts": True,
        "country": "US",
        "entity": "individual",
        "paid_minor": 200_000,
        "reportable_minor": 200_000,
        "withheld_minor": 10,
        "payouts": 1,
        "threshold_reached": "yes",
        "exported_at": "",
        "corrected": False,
    } == found["pia"]
    assert ("no", "") == (found["p1"]["threshold_reached"], found["p1"]["form"])
    assert found["org.o1"]["form_counts"]  # nothing is asked of a company that is paid
    assert "4399" not in json.dumps(rows)


@pytest.mark.parametrize("number", ["2019", "2027", "26", "next", "20260"])
def test_year_that_is_not_known_is_refused(number: str) -> None:
    """Nothing is guessed."""
    life.publish(tax=US)
    assert (422, "unknown_tax_year", "year") == year(number).field()


def rows_of(key: str) -> dict[str, dict[str, str]]:
    """Return the rows of an export, by payee."""
    content = (files.read(key) or b"").decode()
    return {row["partner"]: row for row in csv.DictReader(io.StringIO(content))}


def test_export_holds_the_numbers_and_what_changes_after_it_is_a_correction() -> None:
    """The file is the only place that has them; exporting again tells what was corrected."""
    life.publish(tax=US)
    life.enrol("pia", country="US")
    give(W9)
    store("pia", 250_000, 100)
    store("org.o1", 5_000)
    key = year_end.export("acme", 2026, NOW)
    assert f"reports/tax/acme/2026/{NOW}.csv" == key
    first = rows_of(key)
    told = {
        "tin": "536904399",
        "tin_type": "ssn",
        "paid_minor": "250000",
        "withheld_minor": "100",
        "threshold_reached": "yes",
        "corrected": "no",
    }
    assert told == {name: first["pia"][name] for name in told}
    assert ("", "yes") == (first["org.o1"]["tin"], first["org.o1"]["form_counts"])
    store("pia", -50_000, 0)
    assert first == rows_of(year_end.export("acme", 2026, NOW))
    (pia,) = [row for row in year().body["items"] if row["partner"] == "pia"]
    assert (NOW, True, 200_000) == (pia["exported_at"], pia["corrected"], pia["paid_minor"])
    later = "2026-11-23T08:00:00.000Z"
    assert "yes" == rows_of(year_end.export("acme", 2026, later))["pia"]["corrected"]
    total = taxes.find("pia", "acme", 2026, "USD")
    assert (later, False, 200_000) == (
        total.exported_at,
        total.corrected,
        total.exported_paid_minor,
    )
    year_end.export("acme", 2026, NOW)
    assert later == taxes.find("pia", "acme", 2026, "USD").exported_at
    with pytest.raises(InvalidInputError):
        year_end.export("acme", 2027, NOW)


def test_payment_that_settles_while_it_is_exported_is_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The mark of the export and the payment change one item: neither undoes the other."""
    batch = paid()
    money.sell("r2", 200_000)
    money.deliver("r2")
    money.release()
    second = money.pay_out(2)
    assert batch != second
    real = Transaction.commit

    def commit(writes: Transaction) -> None:
        if "PayoutPaid" in str([write.request for write in writes._puts]):
            monkeypatch.setattr(Transaction, "commit", real)
            year_end.export("acme", 2026, NOW)
        real(writes)

    # Euros have no threshold in the table of dollars, so the year can be told.
    monkeypatch.setattr(Transaction, "commit", commit)
    money.debit(second, name="second.xml")
    total = taxes.find("pia", "acme", 2026, "EUR")
    assert ({"sepa": 7_500}, 1_800, 2) == (total.paid, total.withheld_minor, total.payouts)
    assert (NOW, 2_500, True) == (total.exported_at, total.exported_paid_minor, total.corrected)
    assert [] == year_end.differences("acme", "pia", "EUR", money.journals())


def test_export_is_ordered_by_route_and_made_by_a_job(monkeypatch: pytest.MonkeyPatch) -> None:
    """The answer names the file; the job gets ids and nothing else."""
    life.publish(tax=US)
    orders: list[dict[str, Any]] = []

    class Lambda:
        def invoke(self, **request: Any) -> None:
            orders.append(request)

    monkeypatch.setattr("submit.resources.tax.client", lambda _service: Lambda())
    monkeypatch.setenv("TAXES_FUNCTION", "taxes")
    reply = call("POST", "/v1/programs/acme/tax/2026/export", {}, claims=FINA)
    assert (202, {"file": f"reports/tax/acme/2026/{NOW}.csv"}) == (reply.status, reply.body)
    (order,) = orders
    assert ("taxes", "Event") == (order["FunctionName"], order["InvocationType"])
    event = json.loads(order["Payload"])
    assert reply.body == year_end.handler(event, money.CONTEXT)  # type: ignore[arg-type]
    body = client("s3").get_object(Bucket=files.bucket(), Key=reply.body["file"])["Body"].read()
    assert body.startswith(b"partner,currency,form,")


def test_payee_abroad_with_a_form_is_paid_whole() -> None:
    """Nothing is withheld once the form is on file."""
    money.publish(tax=US)
    money.enrol()
    profile = partners.find_partner("pia")
    document = life.document(tax=US)
    assert "tax_form_missing" == withholding.decide(document, profile, "EUR", 100, NOW).blocked
    give(W8)
    profile = partners.find_partner("pia")
    assert withholding.FREE == withholding.decide(document, profile, "EUR", 100, NOW)
