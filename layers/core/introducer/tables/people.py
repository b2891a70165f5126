"""The People table: the only place where anybody's name or address is stored.

``PERSON#{id}`` / ``CONTACT`` and ``PAGE`` in plain text under the table's KMS key, ``PAYEE``
encrypted once more with a data key. The table has no stream. Everything else in
the product holds only the person's random id.
"""

from __future__ import annotations

import msgspec
from pynamodb.expressions.operand import Path

from introducer import keyring
from introducer.clock import Instant
from introducer.errors import StaleError
from introducer.tables import store
from introducer.tables.store import Table, Transaction


class Contact(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How to reach a person, and which claims hold their identity."""

    name: str
    email: str
    phone: str = ""
    company: str = ""
    note: str = ""
    locale: str = "en"
    claims: list[str] = []
    """Keys of the claims to remove when the person is erased."""


class Payee(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Where a partner's money goes.

    Attributes:
        method: What kind of account: ``bank`` (an IBAN), ``ach``, ``stripe`` or ``paypal``.
        routing: The ABA number of the bank, ``account`` and ``account_type`` (``checking`` or
            ``savings``) what it knows the account by; for ``ach``.
        holder_type: ``individual`` or ``company``: whose account it is; for ``ach``.
        provider_account: What the provider knows the payee by: an account id or an address.
    """

    name: str
    iban: str = ""
    town: str
    country: str
    bic: str = ""
    method: str = "bank"
    routing: str = ""
    account: str = ""
    account_type: str = ""
    holder_type: str = "individual"
    provider_account: str = ""

    @property
    def last4(self) -> str:
        """Return the end of the account, which may be shown."""
        return (self.iban or self.account or self.provider_account)[-4:]


class Greeting(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a partner says on the landing pages of their links, where ``show`` is set."""

    display_name: str
    set_at: Instant
    message: str = ""
    show: bool = False


def add_contact(writes: Transaction, person: str, contact: Contact) -> None:
    """Add the put of a new person's contact data."""
    writes.put(Table.PEOPLE, _pk(person), "CONTACT", contact)


def change_contact(writes: Transaction, person: str, contact: Contact) -> None:
    """Add other contact data of a person.

    The transaction fails with :class:`StaleError` when they were erased meanwhile.
    """
    gone = StaleError("this person was erased")
    there = Path("pk").exists()
    writes.put(Table.PEOPLE, _pk(person), "CONTACT", contact, condition=there, error=gone)


def contact(person: str) -> Contact | None:
    """Return a person's contact data, or None when erased."""
    stored = store.get(Table.PEOPLE, _pk(person), "CONTACT")
    return store.load(Contact, stored) if stored else None


def contacts(persons: list[str]) -> dict[str, Contact]:
    """Return the contact data of those *persons* who have any, by person."""
    found = store.batch_get(Table.PEOPLE, [(_pk(person), "CONTACT") for person in persons])
    return {pk.partition("#")[2]: store.load(Contact, item) for (pk, _), item in found.items()}


def add_payee(writes: Transaction, person: str, payee: Payee, *, now: Instant) -> None:
    """Add the put of a person's bank data, encrypted and bound to the person."""
    sealed = keyring.encrypt(keyring.PAYEE, msgspec.json.encode(payee), bound_to=_pk(person))
    writes.put(
        Table.PEOPLE,
        _pk(person),
        "PAYEE",
        {"sealed": sealed, "last4": payee.last4, "country": payee.country, "set_at": now},
    )


def payee(person: str) -> Payee | None:
    """Return a person's bank data, decrypted, or None when there is none."""
    stored = store.get(Table.PEOPLE, _pk(person), "PAYEE")
    if stored is None:
        return None
    plain = keyring.decrypt(keyring.PAYEE, bytes(stored["sealed"]), bound_to=_pk(person))
    return msgspec.json.decode(plain, type=Payee)


def add_greeting(writes: Transaction, person: str, greeting: Greeting) -> None:
    """Add the put of what a partner says on their landing pages."""
    writes.put(Table.PEOPLE, _pk(person), "PAGE", greeting)


def greeting(person: str) -> Greeting | None:
    """Return what a partner says on their landing pages, or None when they never said."""
    stored = store.get(Table.PEOPLE, _pk(person), "PAGE", consistent=False)
    return store.load(Greeting, stored) if stored else None


def payee_last4(person: str) -> str:
    """Return the last four characters of the account on file, empty when there is none."""
    stored = store.get(Table.PEOPLE, _pk(person), "PAYEE")
    return str(stored["last4"]) if stored else ""


def _pk(person: str) -> str:
    return f"PERSON#{person}"
