"""Configured providers of payouts in the People table, secrets encrypted.

``PROVIDER#{program}`` / name. What we send with (``sealed``) and what answers are signed with
(``sealed_webhook``) lie under two secrets of the keyring: whoever takes answers in cannot order
payouts. Who changed what is told by events of ``PROVIDER#{program}.{name}`` in Core.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from introducer import keyring
from introducer.clock import Instant
from introducer.errors import NotFoundError, StaleError
from introducer.event import Event
from introducer.rails.rail import Provider
from introducer.tables import events, store
from introducer.tables.store import Item, Page, Table, Transaction

Kind = Literal["stripe", "paypal", "fulfil"]

KIND_OF: dict[str, Kind] = {
    "stripe": "stripe",
    "paypal": "paypal",
    "gift_card": "fulfil",
    "points": "fulfil",
    "credit": "fulfil",
}
"""The kind of provider that a method needs."""


class Payer(Provider, frozen=True, kw_only=True):
    """A provider with the secret that orders payouts.

    ``account`` is the version of the configuration that its address and secret are from: under
    another one our keys may be unknown, because it is somebody else's books.
    """

    account: int


class Configured(msgspec.Struct, frozen=True, kw_only=True):
    """A provider without its secrets, of which ``last4`` may be shown."""

    program: str
    name: str
    kind: Kind
    url: str
    last4: str
    version: int
    set_at: Instant
    set_by: str

    @property
    def entity(self) -> str:
        """Return the name its events carry."""
        return f"PROVIDER#{self.program}.{self.name}"


def save(
    writes: Transaction, new: Configured, *, secret: str = "", webhook_secret: str = ""
) -> None:
    """Add a provider, version 1, or its next version, and the event that tells of it.

    A secret that is empty stays the one that is stored; a new provider needs both. The
    transaction fails with :class:`StaleError` when somebody else changed it meanwhile.

    Raises:
        NotFoundError: It is not new, a secret is empty, and nothing is stored.
    """
    pk = _pk(new.program)
    first = new.version == 1
    before = _stored(new.program, new.name) or {}
    sealed = {
        "sealed": _seal(new, keyring.PROVIDER, secret, before.get("sealed")),
        "sealed_webhook": _seal(
            new, keyring.PROVIDER_WEBHOOK, webhook_secret, before.get("sealed_webhook")
        ),
    }
    same = bool(before) and not secret and new.url == before["url"]
    account = before.get("account", 1) if same else new.version
    writes.put(
        Table.PEOPLE,
        pk,
        new.name,
        {**msgspec.to_builtins(new), **sealed, "account": account},
        condition=store.absent() if first else store.at_version(new.version - 1),
        error=StaleError("somebody else changed the provider first"),
    )
    event = Event(
        type="ProviderConfigured" if first else "ProviderChanged",
        entity=new.entity,
        seq=new.version,
        program=new.program,
        at=new.set_at,
        actor=new.set_by,
        data={
            "kind": new.kind,
            "secret_changed": int(bool(secret)),
            "webhook_secret_changed": int(bool(webhook_secret)),
        },
    )
    events.add(writes, event)


def find(program: str, name: str) -> Configured | None:
    """Return a provider without its secrets, or None."""
    stored = _stored(program, name)
    return store.load(Configured, stored) if stored else None


def of_program(
    program: str, *, limit: int, start: Item | None = None
) -> tuple[list[Configured], Page]:
    """Return one page of a program's providers by name, and the page for its cursor."""
    page = store.query(Table.PEOPLE, _pk(program), limit=limit, start=start, consistent=True)
    return [store.load(Configured, each) for each in page.items], page


def for_paying(program: str, name: str, method: str) -> Payer:
    """Return a provider with the secret that orders payouts.

    Raises:
        NotFoundError: The program has none of that name, or it is not of the method's kind.
    """
    stored = _stored(program, name)
    if stored is None or stored["kind"] != KIND_OF.get(method):
        message = "the provider that pays is not configured"
        raise NotFoundError(message, program=program, provider=name)
    return Payer(
        program=program,
        name=name,
        kind=stored["kind"],
        url=stored["url"],
        secret=_open(stored, keyring.PROVIDER, "sealed"),
        account=int(stored.get("account", 1)),
    )


def for_listening(program: str, name: str) -> Provider:
    """Return a provider with the secret that its messages are signed with.

    Raises:
        NotFoundError: The program has none of that name.
    """
    stored = _stored(program, name)
    if stored is None:
        message = "no such provider"
        raise NotFoundError(message)
    return Provider(
        program=program,
        name=name,
        kind=stored["kind"],
        url=stored["url"],
        secret="",
        webhook_secret=_open(stored, keyring.PROVIDER_WEBHOOK, "sealed_webhook"),
    )


def _seal(new: Configured, key: str, secret: str, before: bytes | None) -> bytes:
    if secret:
        return keyring.encrypt(key, secret.encode(), bound_to=new.entity)
    if before is None:
        message = "no such provider"
        raise NotFoundError(message)
    return bytes(before)


def _open(stored: Item, key: str, attribute: str) -> str:
    entity = f"PROVIDER#{stored['program']}.{stored['name']}"
    return keyring.decrypt(key, bytes(stored[attribute]), bound_to=entity).decode()


def _stored(program: str, name: str) -> Item | None:
    return store.get(Table.PEOPLE, _pk(program), name)


def _pk(program: str) -> str:
    return f"PROVIDER#{program}"
