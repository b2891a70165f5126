"""The People table: the only place where anybody's name or address is stored.

``PERSON#{id}`` / ``CONTACT`` and ``PAGE`` in plain text under the table's KMS key, ``PAYEE``,
``PAYEE_NEXT`` (bank data that waits to be confirmed), ``TAX``, and what was there before them
(``PAYEE#{time}``, ``TAX#{time}``) encrypted once more with a data
key. The table has no stream. Everything else in the product holds only the person's random id.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from pynamodb.expressions.operand import Path

from introducer import keyring
from introducer.clock import Instant
from introducer.errors import StaleError
from introducer.tables import store
from introducer.tables.store import Item, Table, Transaction
from introducer.tax.form import TaxData


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
        """Return the end of the account, which may be shown; of an address ``j…@example.com``.

        Nearly every address has one of few ends, so those would tell nobody which it is.
        """
        name, at, domain = self.provider_account.rpartition("@")
        if at:
            return f"{name[:1]}…@{domain}"
        return (self.iban or self.account or self.provider_account)[-4:]

    @property
    def number(self) -> str:
        """Return what tells the account from every other of its kind."""
        return self.iban or f"{self.routing}{self.account}" or self.provider_account.casefold()


class PayeeRequest(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A change of bank data that waits for its confirmation.

    Attributes:
        id: Random; the code is derived from it and from a secret, and is nowhere stored.
        confirm_by: When it counts no more.
        last4: What may be shown of the new account.
        tries: How many codes were tried.
        replaces: What may be shown of the account of a wish that waited when this one came.
    """

    id: str
    at: Instant
    confirm_by: Instant
    last4: str
    tries: int = 0
    replaces: str = ""


class TaxOnFile(msgspec.Struct, frozen=True, kw_only=True):
    """What may be shown of a tax form: never more of the number than its end."""

    form: str
    country: str
    entity: str
    given_at: Instant
    until: str
    last4: str


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
    """Add the put of a person's bank data, encrypted and bound to the person.

    The account before it is kept: what was ordered while it counted still goes there.
    """
    stored = store.get(Table.PEOPLE, _pk(person), "PAYEE") or {}
    before = stored.get("before", "")
    if stored and stored["set_at"] != now:
        before = stored["set_at"]
        old = {name: value for name, value in stored.items() if name not in {"pk", "sk"}}
        writes.put(Table.PEOPLE, _pk(person), f"PAYEE#{before}", old)
    sealed = keyring.encrypt(keyring.PAYEE, msgspec.json.encode(payee), bound_to=_pk(person))
    writes.put(
        Table.PEOPLE,
        _pk(person),
        "PAYEE",
        {
            "sealed": sealed,
            "last4": payee.last4,
            "country": payee.country,
            "set_at": now,
            **({"before": before} if before else {}),
        },
    )


def payee(person: str, *, at: Instant = "") -> Payee | None:
    """Return a person's bank data, decrypted, or None when there is none.

    Args:
        person: Whose.
        at: What counted at that moment, so that an order repeats itself whatever was changed
            since; empty for what counts now.
    """
    stored = store.get(Table.PEOPLE, _pk(person), "PAYEE")
    return _payee_at(person, stored, at)


def payees(persons: Sequence[str], *, at: Instant = "") -> dict[str, Payee]:
    """Return the bank data of those *persons* who have any, by person, as :func:`payee` does.

    They are read 100 at a time; one by one only those who gave another account after *at*.
    """
    wanted = [(_pk(person), "PAYEE") for person in persons]
    found = store.batch_get(Table.PEOPLE, wanted, consistent=True)
    known = {person: _payee_at(person, found.get((_pk(person), "PAYEE")), at) for person in persons}
    return {person: payee for person, payee in known.items() if payee is not None}


def add_next_payee(writes: Transaction, person: str, request: PayeeRequest, payee: Payee) -> None:
    """Add the put of bank data that waits to be confirmed; an earlier wish is dropped."""
    plain = msgspec.json.encode(payee)
    sealed = keyring.encrypt(keyring.PAYEE, plain, bound_to=_next(person, request))
    writes.put(
        Table.PEOPLE,
        _pk(person),
        "PAYEE_NEXT",
        {**msgspec.structs.asdict(request), "sealed": sealed},
    )


def payee_request(person: str) -> PayeeRequest | None:
    """Return the change of bank data that waits, or None."""
    stored = store.get(Table.PEOPLE, _pk(person), "PAYEE_NEXT")
    return store.load(PayeeRequest, stored) if stored and "sealed" in stored else None


def next_payee(person: str, request: PayeeRequest) -> Payee:
    """Return the bank data that waits to be confirmed.

    Raises:
        StaleError: It does not wait any more.
    """
    stored = store.get(Table.PEOPLE, _pk(person), "PAYEE_NEXT") or {}
    if stored.get("id") != request.id or "sealed" not in stored:
        message = "another change waits now"
        raise StaleError(message)
    sealed = bytes(stored["sealed"])
    plain = keyring.decrypt(keyring.PAYEE, sealed, bound_to=_next(person, request))
    return msgspec.json.decode(plain, type=Payee)


def count_try(person: str, request: PayeeRequest) -> None:
    """Store that one more code is tried, before it is looked at.

    Raises:
        StaleError: Another was tried at the same moment, or another change waits.
    """
    now_tried = request.tries + 1
    writes = Transaction()
    writes.update(
        Table.PEOPLE,
        _pk(person),
        "PAYEE_NEXT",
        [Path("tries").set(now_tried)],
        condition=(Path("id") == request.id) & (Path("tries") == request.tries),
        error=StaleError("another code was tried at the same moment"),
    )
    writes.commit()


def confirm_payee(writes: Transaction, person: str, request: PayeeRequest, *, now: Instant) -> None:
    """Add that the change was confirmed: it cannot be a second time."""
    writes.put(
        Table.PEOPLE,
        _pk(person),
        "PAYEE_NEXT",
        {"id": request.id, "confirmed_at": now},
        condition=(Path("id") == request.id) & Path("sealed").exists(),
        error=StaleError("the change was confirmed already"),
    )


def add_tax(writes: Transaction, person: str, shown: TaxOnFile, data: TaxData) -> None:
    """Add the put of a tax form, encrypted and bound to the person. The one before is kept.

    Payers must be able to show a form for years after it was replaced.
    """
    before = store.get(Table.PEOPLE, _pk(person), "TAX")
    if before is not None:
        old = {name: value for name, value in before.items() if name not in {"pk", "sk"}}
        writes.put(Table.PEOPLE, _pk(person), f"TAX#{before['given_at']}", old)
    sealed = keyring.encrypt(keyring.TAX, msgspec.json.encode(data), bound_to=_pk(person))
    stored = {**msgspec.structs.asdict(shown), "sealed": sealed}
    writes.put(Table.PEOPLE, _pk(person), "TAX", stored)


def tax_on_file(person: str) -> TaxOnFile | None:
    """Return what may be shown of a person's tax form, or None when there is none."""
    stored = store.get(Table.PEOPLE, _pk(person), "TAX")
    return store.load(TaxOnFile, stored) if stored else None


def tax(person: str) -> TaxData | None:
    """Return a person's tax form, decrypted, or None when there is none."""
    return tax_forms([person]).get(person)


def tax_forms(persons: list[str]) -> dict[str, TaxData]:
    """Return the tax forms of those *persons* who gave one, decrypted, by person."""
    found = store.batch_get(
        Table.PEOPLE, [(_pk(person), "TAX") for person in persons], consistent=True
    )
    return {
        pk.partition("#")[2]: msgspec.json.decode(
            keyring.decrypt(keyring.TAX, bytes(stored["sealed"]), bound_to=pk), type=TaxData
        )
        for (pk, _), stored in found.items()
    }


def add_greeting(writes: Transaction, person: str, greeting: Greeting) -> None:
    """Add the put of what a partner says on their landing pages."""
    writes.put(Table.PEOPLE, _pk(person), "PAGE", greeting)


def greeting(person: str) -> Greeting | None:
    """Return what a partner says on their landing pages, or None when they never said."""
    stored = store.get(Table.PEOPLE, _pk(person), "PAGE", consistent=False)
    return store.load(Greeting, stored) if stored else None


def payee_last4(person: str) -> str:
    """Return what may be shown of the account on file, empty when there is none."""
    stored = store.get(Table.PEOPLE, _pk(person), "PAYEE")
    return str(stored["last4"]) if stored else ""


def _payee_at(person: str, stored: Item | None, at: Instant) -> Payee | None:
    """Return what counted *at* a moment, *stored* being what counts now; None for neither."""
    while stored and at and stored["set_at"] > at and "before" in stored:
        stored = store.get(Table.PEOPLE, _pk(person), f"PAYEE#{stored['before']}")
    if stored is None:
        return None
    plain = keyring.decrypt(keyring.PAYEE, bytes(stored["sealed"]), bound_to=_pk(person))
    return msgspec.json.decode(plain, type=Payee)


def _next(person: str, request: PayeeRequest) -> str:
    return f"{_pk(person)}#NEXT#{request.id}"


def _pk(person: str) -> str:
    return f"PERSON#{person}"
