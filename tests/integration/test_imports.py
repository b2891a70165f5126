"""Files of leads and invitations, worked on: a line about each row, and nothing twice."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from introducer import identity, keyring
from introducer.imports import upload_key
from introducer.tables import events, imports, partners, people, referrals
from tests.support import importing, life
from tests.support.importing import (
    DONE,
    HEADER,
    THREE,
    announce,
    deliver,
    ended,
    made,
    outcomes,
    sheet,
    take,
    upload,
)
from tests.support.tables import everything


@pytest.fixture(autouse=True)
def program(
    aws: None,  # noqa: ARG001  (pytest orders fixtures by it)
    frozen: Callable[[str], None],  # noqa: ARG001
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A program with two partners and a rep, and the queues of the function."""
    importing.furnish(monkeypatch)


def test_leads_of_a_file_are_referred_each_to_its_partner() -> None:
    """One referral a row, with the consent of the file; one line each; one event for the job."""
    lines = take("i1", "referrals", THREE)
    assert [("2", "created", "", ""), ("3", "created", "", ""), ("4", "created", "", "")] == (
        outcomes(lines)
    )
    assert ("done", "", {"created": 3}, DONE) == ended("i1")
    first = referrals.detail(lines[0]["id"])
    assert ("csv", "submitted", "DE") == (
        first.referral.channel,
        first.referral.status,
        first.referral.country,
    )
    assert [("csv", "form", "pia", {"consent": "given", "consent_text": "2026-11"})] == [
        (touch.id, touch.kind, touch.partner, touch.data) for touch in first.touches
    ]
    contact = people.contact(first.referral.lead)
    assert contact
    assert ("Lena Lead", "lena@customers.example") == (contact.name, contact.email)
    (event,) = first.events
    assert ("ReferralSubmitted", "user:mia", "IMPORT#i1") == (event.type, event.actor, event.cause)
    assert sorted(each["id"] for each in lines) == made("REFERRAL")


def test_same_file_again_changes_nothing() -> None:
    """Every row is known, with the id it got the first time; nothing new is stored but the job."""
    first = take("i1", "referrals", THREE)
    before = [each for each in everything() if "IMPORT#" not in each["pk"]]
    again = take("i2", "referrals", THREE)
    assert ("done", "", {"known": 3}, DONE) == ended("i2")
    assert [each["id"] for each in first] == [each["id"] for each in again]
    assert before == [each for each in everything() if "IMPORT#" not in each["pk"]]


def test_corrected_file_adds_only_what_was_missing() -> None:
    """The row that was refused is taken; the others stay as they are."""
    wrong = THREE.replace("leo@customers.example", "leo at customers")
    refused = ("3", "refused", "invalid_value", "email")
    assert refused == outcomes(take("i1", "referrals", wrong))[1]
    assert [("2", "known"), ("3", "created"), ("4", "known")] == [
        each[:2] for each in outcomes(take("i2", "referrals", THREE))
    ]
    assert 3 == len(made("REFERRAL"))


def test_lead_of_somebody_else_is_a_duplicate_with_the_reason() -> None:
    """The second partner's row is kept as a duplicate; whose the lead is, is not told."""
    file = sheet(HEADER, "Lena,lena@customers.example,DE,pia", "L,Lena@customers.example,DE,paul")
    first, second = take("i1", "referrals", file)
    assert ("created", "duplicate", "referred_before") == (
        first["outcome"],
        second["outcome"],
        second["code"],
    )
    assert "This lead was referred before; the earlier referral counts." == second["message"]
    assert first["id"] == referrals.get(second["id"]).duplicate_of
    assert "pia" not in second["message"]
    known = take("i2", "referrals", file)
    assert ["known", "known"] == [each["outcome"] for each in known]


def test_address_that_nobody_verified_names_no_partner() -> None:
    """Who enrolled with somebody else's gets none of their credit; an id says who is meant."""
    key = identity.email_key("vera@partners.example", keyring.secret(keyring.IDENTITY))
    life.enrol("eve", login="login-eve", email_key=key)
    file = sheet(
        HEADER,
        "A,a@customers.example,DE,vera@partners.example",
        "B,b@customers.example,DE,Vera@partners.example",
        "C,c@customers.example,DE,eve",
    )
    assert [
        ("2", "refused", "partner_not_verified", "partner"),
        ("3", "refused", "partner_not_verified", "partner"),
        ("4", "created", "", ""),
    ] == outcomes(take("i1", "referrals", file))


def test_partner_imports_for_nobody_else() -> None:
    """Their own list names no partner, and no code but their own."""
    life.enrol("mole", login="login-mole")
    code = take("m1", "links", sheet("partner,code", "paul,paulscode"))[0]["id"]
    lines = take(
        "i1",
        "referrals",
        sheet(
            "name,email,country,partner,code",
            "A,a@customers.example,DE,,",
            "B,b@customers.example,DE,paul,",
            f"C,c@customers.example,DE,,{code}",
        ),
        partner="mole",
        requested_by="PARTNER#mole",
    )
    assert [
        ("2", "created", "", ""),
        ("3", "refused", "not_allowed", "partner"),
        ("4", "refused", "unknown_code", "code"),
    ] == outcomes(lines)
    (touch,) = referrals.detail(lines[0]["id"]).touches
    assert "mole" == touch.partner


def test_rows_that_cannot_be_accepted_say_why_and_stop_nobody() -> None:
    """Each fault of a row has a code, a field and a sentence; good rows between are taken."""
    file = sheet(
        "name,email,phone,country,partner,product,consent_version",
        "Ok,ok@customers.example,,DE,pia,fibre,",
        ",x@customers.example,,DE,pia,,",
        "X,not an address,,DE,pia,,",
        "X,x@customers.example,,Germany,pia,,",
        "X,x@customers.example,,DE,nobody,,",
        "X,x@customers.example,,DE,,,",
        "X,x@customers.example,,DE,pia,fax,",
        "X,,,DE,pia,,",
        "X,,12,DE,pia,,",
        "X,,+49 30 901820,de,pia,,2027-01",
        "X,x@customers.example,DE,pia,,",
        '"X\x07",x@customers.example,,DE,pia,,',
        "X\u202ey,x@customers.example,,DE,pia,,",
    )
    assert [
        ("2", "created", "", ""),
        ("3", "refused", "missing_value", "name"),
        ("4", "refused", "invalid_value", "email"),
        ("5", "refused", "invalid_value", "country"),
        ("6", "refused", "unknown_partner", "partner"),
        ("7", "refused", "no_partner", "code"),
        ("8", "refused", "unknown_product", "product"),
        ("9", "refused", "no_contact", "email"),
        ("10", "refused", "invalid_value", "phone"),
        ("11", "created", "", ""),
        ("12", "refused", "too_few_cells", ""),
        ("13", "refused", "control_character", "name"),
        ("14", "refused", "invalid_value", "name"),
    ] == outcomes(take("i1", "referrals", file))


def test_hostile_cells_are_stored_as_they_are_and_never_written_out() -> None:
    """Formulas, quotes and line breaks survive in the lead; the result quotes none of them."""
    name = '=HYPERLINK("https://evil.example";"x")'
    note = '+1\n-2 "quoted", =3 \N{HEBREW LETTER ALEF}'
    escaped = [each.replace('"', '""') for each in (name, note)]
    file = sheet(
        "name,email,country,partner,note",
        f'"{escaped[0]}",h@customers.example,DE,pia,"{escaped[1]}"',
        '"=1+1",@evil,DE,pia,"=cmd"',
    )
    lines = take("i1", "referrals", file)
    contact = people.contact(referrals.get(lines[0]["id"]).lead)
    assert contact
    assert (name, note) == (contact.name, contact.note)
    whole = importing.raw_result("i1").decode()
    assert [] == [word for word in ("evil", "HYPERLINK", "cmd") if word in whole]


def test_program_that_takes_no_files_refuses_each_row() -> None:
    """A channel that was closed meanwhile is closed."""
    life.publish(intake={"channels": ["form"]})
    assert {("refused", "closed")} == {
        each[1:3] for each in outcomes(take("i1", "referrals", THREE))
    }


def test_invitations_make_partners_who_wait() -> None:
    """Once each, with the rep who looks after them; whoever is there already is known."""
    file = sheet(
        "Name;E-Mail".replace("E-Mail", "email") + ";audience;country;locale;owner",
        "Ina;ina@partners.example;partners;de;de;anna",
        "Pia;pia@partners.example;partners;DE;;",
        "Ivo;ivo@partners.example;nobody;DE;;",
        "Ida;ida@partners.example;partners;FR;;",
        "Isa;isa@partners.example;partners;DE;;zoe",
    )
    lines = take("i1", "invitations", file)
    assert [
        ("2", "created", "", ""),
        ("3", "created", "", ""),
        ("4", "refused", "unknown_audience", "audience"),
        ("5", "refused", "country_not_eligible", "country"),
        ("6", "refused", "unknown_rep", "owner"),
    ] == outcomes(lines)
    ina = partners.find_partner(lines[0]["id"])
    assert ina
    assert ("invited", "anna", "de", "") == (ina.status, ina.owner, ina.locale, ina.login)
    assert ["PartnerInvited"] == [each.type for each in events.of_entity(ina.entity)]
    again = take("i2", "invitations", file)
    assert ["known", "known"] == [each["outcome"] for each in again[:2]]


def test_employees_belong_to_their_company() -> None:
    """The company of the row becomes theirs; the audience may be the file's."""
    (line,) = take(
        "i1",
        "employees",
        sheet("name,email,country,org", "Emma,emma@resellers.example,DE,reseller-1"),
        defaults={"audience": "partners"},
    )
    emma = partners.find_partner(line["id"])
    assert emma
    assert ("reseller-1", "partners") == (emma.org, emma.audience)


UNREADABLE = {
    "empty_file": b"",
    "not_utf8": "name,email,country\r\nJürgen,j@x.example,DE".encode("latin-1"),
    "not_csv": b"PK\x03\x04 workbook",
    "no_header": b"Lena,lena@x.example,DE\r\n",
    "unknown_column": b"name,email,country,shoe\r\nX,x@x.example,DE,42",
}


def test_file_that_cannot_be_read_fails_whole() -> None:
    """It ends with a reason and without a result; nothing of it is quoted, nobody is alarmed."""
    for code, content in UNREADABLE.items():
        announce(code, "referrals")
        upload(code, content)
        assert [] == deliver(code)
        assert ("failed", code, {}, ["ImportRequested", "ImportFailed"]) == ended(code)
        assert "shoe" not in str(imports.get(code).findings)
    assert [] == importing.waiting("IMPORT_DEAD_URL")


def test_file_with_a_mark_and_tabs_is_read() -> None:
    """As spreadsheet programs write "Unicode text" in UTF-8."""
    file = "\ufeff" + THREE.replace(",", "\t")
    assert {"created": 3} == ended_counts("i1", file)


def ended_counts(name: str, content: str | bytes) -> dict[str, int]:
    """Work on a file of leads; return what came of its rows."""
    take(name, "referrals", content)
    return ended(name)[2]


def test_too_many_rows_are_refused_before_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is taken of a file that is too long."""
    monkeypatch.setattr("submit.imports.sheet.MOST_ROWS", 2)
    announce("i1", "referrals")
    upload("i1", THREE)
    deliver("i1")
    assert ("failed", "too_many_rows") == ended("i1")[:2]
    assert [] == made("REFERRAL")


def test_core_holds_no_word_of_a_row() -> None:
    """Names and addresses are in People and in the short-lived file, nowhere else."""
    take("i1", "referrals", THREE)
    core = [each for each in everything() if not each["pk"].startswith("PERSON#")]
    whole = str(core)
    assert [] == [word for word in ("Lena", "lena@", "Leo Lead") if word in whole]
    assert upload_key("i1") not in whole
