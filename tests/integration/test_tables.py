"""Claims, people, partners, programs and secrets, as they are stored."""

import json
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from cryptography.exceptions import InvalidTag

from introducer import clock, ids, keyring
from introducer.check import document as document_check
from introducer.errors import AlreadyExistsError, NotFoundError, StaleError
from introducer.link import Link
from introducer.partner import Partner
from introducer.tables import claims, events, links, partners, people, programs, store
from introducer.tables.claims import Claim
from introducer.tables.people import Contact, Payee
from introducer.tables.store import Table, Transaction

pytestmark = pytest.mark.usefixtures("aws")
PIA = Contact(name="Pia", email="pia@example.com")
NOW = "2026-11-22T10:00:00.000Z"
DOCUMENT = document_check.parse(Path("infra/programs/telecom.json").read_bytes())


def _commit(*steps: Callable[[Transaction], object]) -> None:
    writes = Transaction()
    for step in steps:
        step(writes)
    writes.commit()


def _partner(**changes: str) -> Partner:
    values = {
        "id": ids.new_id(),
        "program": "telecom",
        "audience": "partners",
        "person": ids.new_id(),
        "login": ids.new_id(),
        "country": "DE",
        "enrolled_at": NOW,
        "email_key": ids.new_id(),
    }
    return Partner(**(values | changes), version=1)  # type: ignore[arg-type]


def _enrol(partner: Partner, contact: Contact = PIA) -> None:
    _commit(lambda writes: partners.enrol(writes, partner, contact, actor="user:x"))


def test_a_claim_holds_until_it_runs_out() -> None:
    """Validity is decided by the clock given, not by when the item is tidied away."""
    claim = Claim(scope="p", kind="k", value="v", target="one", expires_at=clock.plus(NOW, days=1))
    other = msgspec.structs.replace(claim, target="two", expires_at=clock.plus(NOW, days=9))
    assert claims.take(claim, now=NOW)
    assert not claims.take(other, now=NOW)
    assert claim == claims.find("p", "k", "v", now=NOW)
    later = clock.plus(NOW, days=1)
    assert claims.find("p", "k", "v", now=later) is None
    assert claims.take(other, now=later)
    assert other == claims.find("p", "k", "v", now=later)


def test_enrolling_stores_profile_event_contact_and_claims_together() -> None:
    """Nothing of a partner exists without the rest of it."""
    partner = _partner()
    _enrol(partner)
    assert partner == partners.find_partner(partner.id)
    assert partner == partners.partner_of_login(partner.login, now=NOW)
    assert ["PartnerEnrolled"] == [event.type for event in events.of_entity(partner.entity)]
    assert partner.id == partners.partner_by_email_key("telecom", partner.email_key, now=NOW)
    contact = people.contact(partner.person)
    assert contact is not None
    assert ("Pia", "pia@example.com", 2) == (contact.name, contact.email, len(contact.claims))


@pytest.mark.parametrize(("same", "word"), [("login", "login"), ("email_key", "e-mail address")])
def test_nobody_enrols_twice(same: str, word: str) -> None:
    """The second enrolment leaves nothing behind, not even a contact."""
    first = _partner()
    _enrol(first)
    second = _partner(**{same: getattr(first, same)})
    with pytest.raises(AlreadyExistsError, match=word):
        _enrol(second)
    assert partners.find_partner(second.id) is None
    assert people.contact(second.person) is None


def test_names_stay_in_people() -> None:
    """No item of the Core table knows what the partner is called."""
    partner = _partner()
    _enrol(partner, Contact(name="Canary Person", email="canary@example.com", phone="+4930123456"))
    core = json.dumps(store.query(Table.CORE, partner.entity, consistent=True).items)
    for word in ("Canary", "canary@", "+4930123456"):
        assert word not in core


def test_bank_data_is_encrypted_and_bound_to_its_person() -> None:
    """The table's reader sees four digits; another person's item does not decrypt."""
    partner, thief = _partner(), ids.new_id()
    _enrol(partner)
    payee = Payee(name="Pia", iban="DE75512108001245126199", town="Hamburg", country="DE")
    _commit(lambda writes: partners.set_payee(writes, partner, payee, now=NOW, actor="user:x"))
    stored = store.get(Table.PEOPLE, f"PERSON#{partner.person}", "PAYEE")
    assert stored is not None
    assert "6199" == stored["last4"]
    assert b"DE755" not in bytes(stored["sealed"])
    assert payee == people.payee(partner.person)
    stolen = {key: value for key, value in stored.items() if key not in {"pk", "sk"}}
    Transaction().put(Table.PEOPLE, f"PERSON#{thief}", "PAYEE", stolen).commit()
    with pytest.raises(InvalidTag):
        people.payee(thief)


def test_two_changes_of_one_partner_do_not_overwrite_each_other() -> None:
    """The second change must look at the first one's result."""
    partner = _partner()
    _enrol(partner)
    payee = Payee(name="Pia", iban="DE75512108001245126199", town="Hamburg", country="DE")
    change = lambda writes: partners.set_payee(writes, partner, payee, now=NOW, actor="x")  # noqa: E731
    _commit(change)
    with pytest.raises(StaleError):
        _commit(change)


def test_links_are_listed_newest_first_and_codes_are_unique() -> None:
    """A partner sees their own links; a code leads to one of them only."""
    partner = _partner()
    made = [
        Link(
            code=f"code{number}",
            program="telecom",
            partner=partner.id,
            destination="https://www.northwind-telecom.example/",
            created_at=clock.plus(NOW, seconds=number),
        )
        for number in range(3)
    ]
    for link in made:
        _commit(lambda writes, link=link: links.add(writes, link, actor="x"))  # type: ignore[misc]
    listed, page = links.of_partner(partner.id, limit=2)
    rest, last = links.of_partner(partner.id, limit=2, start=page.next)
    assert made[::-1] == [*listed, *rest]
    assert last.next is None
    with pytest.raises(AlreadyExistsError):
        _commit(lambda writes: links.add(writes, made[0], actor="x"))
    assert made[0] == links.find("code0")


def test_a_program_keeps_every_version_it_published() -> None:
    """A referral made under version one still finds version one."""
    programs.version.cache_clear()
    _commit(lambda writes: programs.publish(writes, DOCUMENT, now=NOW, actor="user:m"))
    changed = msgspec.structs.replace(DOCUMENT, name="Second")
    _commit(lambda writes: programs.publish(writes, changed, now=NOW, actor="user:m"))
    assert DOCUMENT == programs.version("telecom", 1).document
    assert ("Second", 2) == (programs.current("telecom", NOW).document.name, 2)
    assert ["telecom"] == programs.all_ids()
    assert ["ProgramPublished"] * 2 == [event.type for event in events.of_entity("PROGRAM#telecom")]
    with pytest.raises(NotFoundError):
        programs.version("telecom", 3)


def test_two_publications_at_once_are_two_versions_or_a_conflict() -> None:
    """Nobody's version disappears."""
    programs.version.cache_clear()
    one, other = Transaction(), Transaction()
    programs.publish(one, DOCUMENT, now=NOW, actor="user:a")
    programs.publish(other, DOCUMENT, now=NOW, actor="user:b")
    one.commit()
    with pytest.raises(StaleError):
        other.commit()


def test_the_click_salt_is_made_once() -> None:
    """A second publication does not invalidate the ids that are out."""
    programs.ensure_click_salt(NOW)
    before = programs.click_salts()
    programs.ensure_click_salt(clock.plus(NOW, days=1))
    assert before == programs.click_salts()
    assert 1 == len(before)


def test_a_secret_is_made_once_and_stored_wrapped() -> None:
    """Two processes that need a key first end up with the same one."""
    made = keyring.create_secret("test")
    keyring.existing_secret.cache_clear()
    assert made == keyring.create_secret("test") == keyring.existing_secret("test")
    stored = store.get(Table.PEOPLE, "KEY#test", "KEY")
    assert stored is not None
    assert made not in bytes(stored["wrapped"])


def test_a_secret_that_does_not_exist_is_not_found() -> None:
    """Asking for a source that was never made is an answer, not a new source."""
    with pytest.raises(NotFoundError):
        keyring.existing_secret("inbound:telecom:nobody")
