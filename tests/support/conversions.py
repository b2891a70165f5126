"""Touches and messages about one customer, told in any order, and a bus that hands events on."""

from __future__ import annotations

import os
import random
from typing import Any

import msgspec

from introducer import clickid, clock
from introducer.clients import client
from introducer.link import Link
from introducer.tables import links, referrals, store
from introducer.tables.store import Table, Transaction
from route.stream import STEPS
from submit import conversions, waiting
from submit.messages import Message
from submit.told import Taken
from tests.support import life
from tests.support.api import Reply, call, login
from tests.support.clicks import KEYS, SALT
from tests.support.money import EUROS
from tests.support.template import RULES

HOUR = clickid.hour_of(1_795_338_000.0)  # 2026-11-22T09:00:00Z
SOLD_AT = "2026-11-22T10:30:00Z"
EMAIL = "lena@customer.example"
MANAGER = login("sub-m", "manager")


def open_program(**overrides: Any) -> None:
    """Store the program, the salt of its clicks, Pia and Paul with a link each, and a rep."""
    routing = {"rules": [{"reps": ["anna"]}]}  # a reported lead may have no country
    life.publish(**({"payouts": [EUROS], "routing": routing} | overrides))
    life.add_rep("anna")
    store.put(Table.CORE, clickid.SALT_PK, clickid.SALT_SK, SALT)
    for name in ("pia", "paul"):
        life.enrol(name)
        add_link(f"{name}s-link", name)


def add_link(code: str, partner: str, **overrides: Any) -> None:
    """Store a link of a partner."""
    values = {
        "code": code,
        "program": life.PROGRAM,
        "partner": partner,
        "destination": "https://www.acme.example/start",
        "created_at": life.NOW,
    }
    writes = Transaction()
    links.add(writes, Link(**(values | overrides)), actor=f"PARTNER#{partner}")
    writes.commit()


def click(visitor: str = "1", code: str = "pias-link") -> str:
    """Return a genuine click id of a visitor."""
    seen = clickid.visitor(KEYS["A"], "2026-11-22", f"203.0.113.{visitor}", "browser")
    return clickid.make(code, HOUR, seen, KEYS["A"])


def form(email: str, **overrides: Any) -> Reply:
    """Send the form of a lead."""
    values = {
        "name": "Lena Lead",
        "email": email,
        "country": "DE",
        "consent": {"text_version": "2026-11", "given": True},
    }
    return call("POST", f"/v1/programs/{life.PROGRAM}/referrals", values | overrides)


def sale(name: str = "INV-1", **about: Any) -> dict[str, Any]:
    """Return the message of a sale about whatever *about* names."""
    values = {"sale": name, "amount_minor": 10_000, "currency": "EUR", "occurred_at": SOLD_AT}
    return {"type": "sale.recorded", "data": values | about}


def refund(of: str = "INV-1", **about: Any) -> dict[str, Any]:
    """Return the message of a partial refund."""
    values = {"sale": of, "refund": f"CN-{of}", "amount_minor": 4_000, "at": "2026-11-22T11:00:00Z"}
    return {"type": "sale.refunded", "data": values | about}


def sign_up(**about: Any) -> dict[str, Any]:
    """Return the message of a sign-up."""
    return {"type": "lead.created", "data": {"at": "2026-11-22T10:00:00Z"} | about}


def churned(at: str = "2026-11-22T11:05:00Z", **about: Any) -> dict[str, Any]:
    """Return the message of a customer who left."""
    return {"type": "customer.churned", "data": {"at": at} | about}


def take(message: dict[str, Any], name: str = "", source: str = "billing") -> Taken:
    """Take a message in, without HTTP."""
    said: Message = msgspec.convert(message, Message)
    data = message["data"]
    told = name or "/".join(str(data.get(key, "")) for key in ("sale", "refund", "id", "at"))
    return conversions.take(
        life.PROGRAM, source, said, message_id=f"{message['type']}:{told}", now=clock.now()
    )


class Bus:
    """Hands every new event to screening, routing and the consumer of what waits.

    Args:
        shuffle: Reorders what is handed over at once, if given.
        times: How often each event is handed over.
    """

    def __init__(self, shuffle: random.Random | None = None, times: int = 1) -> None:
        self._shuffle = shuffle
        self._times = times
        self._seen: set[str] = {each["id"] for each in _events()}

    def run(self) -> None:
        """Hand over until nothing new happens."""
        while fresh := [each for each in _events() if each["id"] not in self._seen]:
            self._seen |= {each["id"] for each in fresh}
            if self._shuffle:
                self._shuffle.shuffle(fresh)
            for event in fresh * self._times:
                if event["type"] in STEPS:
                    STEPS[event["type"]](event["entity"].partition("#")[2], cause=event["id"])
                if heard(event):
                    waiting.look(event)


def lead(bus: Bus, email: str = EMAIL, **touches: Any) -> str:
    """Bring a lead to its rep; return the referral's id."""
    made = form(email, **(touches or {"clicks": [click()]}))
    bus.run()
    return str(made.body["id"])


def listed() -> list[dict[str, Any]]:
    """Return what is listed as unmatched."""
    reply = call("GET", f"/v1/programs/{life.PROGRAM}/unmatched", claims=MANAGER)
    return list(reply.body["items"])


def sales_of(referral: str) -> list[str]:
    """Return the ids of a referral's sales."""
    return [each.id for each in referrals.detail(referral).sales]


def heard(event: dict[str, Any]) -> bool:
    """Return whether the template's rule hands *event* to the consumer."""
    always, tied = RULES["WaitingRule"]["EventPattern"]["$or"]
    marks = tied["detail"]["data"]["tied"]
    return event["type"] in always["detail-type"] or event["data"].get("tied") in marks


def _events() -> list[dict[str, Any]]:
    scan = client("dynamodb").get_paginator("scan")
    pages = scan.paginate(TableName=os.environ["CORE_TABLE"], ConsistentRead=True)
    items = (item for page in pages for item in page["Items"])
    found = [store.item(item) for item in items if item["sk"]["S"].startswith("EVENT#")]
    return sorted(found, key=lambda each: (each["at"], each["id"]))
