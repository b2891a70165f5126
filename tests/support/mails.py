"""A program whose people get mail, and what became of the mails."""

from __future__ import annotations

import json
from typing import Any

import pytest

import notify.mail
import notify.publish
from introducer.clients import client
from introducer.command import Assign, Clear
from introducer.referral import Share
from introducer.tables import referrals, store
from introducer.tables.people import Contact
from introducer.tables.store import Table, Transaction
from tests.support import life
from tests.support.life import from_bus, move, raw_items, submit

NOW = "2026-11-22T11:17:00.000Z"  # where the fixture `frozen` stops the clock
NOTHING = {"batchItemFailures": []}
AGAIN = {"batchItemFailures": [{"itemIdentifier": "m1"}]}


def prepare(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Store two partners and a rep; return the list that fills with every mail sent."""
    life.publish()
    life.enrol("pia")
    life.enrol("emil", contact=Contact(name="Emil", email="emil@bücher.example", locale="de-AT"))
    life.add_rep("anna")
    return record(monkeypatch)


def record(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Let the mail service know the sender; return the list that fills with every mail sent."""
    monkeypatch.setenv("BUS_NAME", "bus")
    client("ses").verify_email_identity(EmailAddress="introducer@example.com")
    return life.record("sesv2", "SendEmail")


def send(*details: dict[str, Any]) -> dict[str, Any]:
    """Deliver events to the mail function as its queue does."""
    return notify.mail.handler(from_bus(*details), None)


def detail(image: dict[str, Any]) -> dict[str, Any]:
    """Return what the bus carries for a stored event or journal."""
    carried: dict[str, Any] = json.loads(notify.publish.entry(image)["Detail"])
    return carried


def last_event(name: str = "r1") -> dict[str, Any]:
    """Return a referral's newest event as the bus carries it."""
    return detail(raw_items(f"REFERRAL#{name}")[-1])


def credited(*partners: str, name: str = "r1") -> None:
    """Submit a referral, credit partners with equal parts and screen it."""
    made = submit(name, lead_key=f"own-{name}")
    writes = Transaction()
    for partner in partners:
        share = Share(partner=partner, basis_points=10_000 // len(partners), audience="partners")
        referrals.add_share(writes, made, share)
    writes.commit()


def assigned(*partners: str) -> dict[str, Any]:
    """Return the event of a referral that was just assigned to Anna."""
    credited(*(partners or ("pia",)))
    move("r1", Clear(partner="pia", audience="partners"))
    move("r1", Assign(rep="anna"))
    return last_event()


def readers(mails: list[dict[str, Any]]) -> list[str]:
    """Return whom mails went to."""
    return [mail["Destination"]["ToAddresses"][0] for mail in mails]


def text(mail: dict[str, Any]) -> str:
    """Return a mail's plain text."""
    return str(mail["Content"]["Simple"]["Body"]["Text"]["Data"])


def subject(mail: dict[str, Any]) -> str:
    """Return a mail's subject."""
    return str(mail["Content"]["Simple"]["Subject"]["Data"])


def outcomes() -> dict[str, str]:
    """Return what is recorded about mails, by occasion and recipient."""
    table = client("dynamodb").scan(TableName=store.name(Table.CORE))
    items = [store.item(raw) for raw in table["Items"]]
    return {item["value"]: item["target"] for item in items if item.get("kind") == "mail"}


def failing(monkeypatch: pytest.MonkeyPatch, failure: Exception, *, to: str = "") -> None:
    """Let the mail service fail for one address, or for all."""
    real = client("sesv2")

    class Service:
        def send_email(self, **request: Any) -> Any:
            if to in request["Destination"]["ToAddresses"][0]:
                raise failure
            return real.send_email(**request)

    monkeypatch.setattr(notify.mail, "client", lambda _service: Service())
