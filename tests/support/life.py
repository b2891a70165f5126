"""A small program with its partners, reps and referrals, and the ways events are delivered."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from introducer import life
from introducer.check import document as document_check
from introducer.clients import client
from introducer.command import Command
from introducer.partner import Partner, Rep
from introducer.program import Program
from introducer.referral import Referral, Touch
from introducer.tables import partners, programs, referrals, reps, store
from introducer.tables.people import Contact
from introducer.tables.store import Table, Transaction

NOW = "2026-11-22T10:00:00.000Z"
PROGRAM = "acme"


def document(**overrides: Any) -> Program:
    """Return the program: partners of two countries, one rep for each, two stages."""
    values = {
        "id": PROGRAM,
        "name": "Acme referrals",
        "sender_name": "Acme",
        "currency": "EUR",
        "audiences": {
            "employees": {"name": "Employees"},
            "partners": {
                "name": "Partners",
                "countries": ["DE", "AT"],
                "lead_countries": ["DE", "AT"],
            },
        },
        "destinations": ["www.acme.example"],
        "landing_url": "https://www.acme.example/start",
        "products": ["fibre", "mobile"],
        "stages": ["qualified", "proposal"],
        "events": {
            "demo_held": {"name": "A demonstration was held"},
            "upgraded": {"name": "The customer took a larger plan", "amount": True},
        },
        "routing": {
            "rules": [
                {"reps": ["anna", "ben"], "countries": ["DE"]},
                {"reps": ["cleo"], "countries": ["AT"]},
            ]
        },
    }
    return document_check.parse(msgspec.json.encode(values | overrides))


def touch(partner: str = "pia", **overrides: Any) -> Touch:
    """Return a click on a link of *partner*, an hour before the lead was submitted."""
    values = {"id": f"click-{partner}", "kind": "click", "at": "2026-11-22T09:00:00.000Z"}
    return Touch(**(values | {"partner": partner} | overrides))


def new_partner(name: str = "pia", **overrides: Any) -> Partner:
    """Return an active partner whose every id is made of *name*."""
    values = {
        "id": name,
        "program": PROGRAM,
        "audience": "partners",
        "person": f"person-{name}",
        "login": f"login-{name}",
        "country": "DE",
        "enrolled_at": "2026-11-10T00:00:00.000Z",
        "version": 1,
        "email_key": f"key-{name}",
    }
    return Partner(**(values | overrides))


def new_referral(name: str = "r1", **overrides: Any) -> Referral:
    """Return a referral that was just submitted from Germany."""
    values = {
        "id": name,
        "program": PROGRAM,
        "program_version": 1,
        "version": 1,
        "status": "submitted",
        "submitted_at": NOW,
        "updated_at": NOW,
        "channel": "form",
        "lead": f"lead-{name}",
        "lead_key": f"leadkey-{name}",
        "country": "DE",
    }
    return Referral(**(values | overrides))


def publish(**overrides: Any) -> Program:
    """Store a version of the program."""
    programs.version.cache_clear()
    writes = Transaction()
    made = programs.publish(writes, document(**overrides), now=NOW, actor="user:1")
    writes.commit()
    return made.document


def enrol(name: str = "pia", *, contact: Contact | None = None, **overrides: Any) -> Partner:
    """Store a partner with an address."""
    partner = new_partner(name, **overrides)
    reached = contact or Contact(name=name.title(), email=f"{name}@partners.example")
    writes = Transaction()
    partners.enrol(writes, partner, reached, actor="user:1")
    writes.commit()
    return partner


def add_rep(name: str, **overrides: Any) -> Rep:
    """Store a rep with an address."""
    values = {
        "id": name,
        "program": PROGRAM,
        "person": f"person-{name}",
        "login": f"login-{name}",
        "created_at": NOW,
        "version": 1,
    }
    rep = Rep(**(values | overrides))
    writes = Transaction()
    reached = Contact(name=name.title(), email=f"{name}@acme.example")
    reps.add(writes, rep, reached, actor="user:1")
    writes.commit()
    return rep


def submit(name: str = "r1", touches: Sequence[Touch] | None = None, **overrides: Any) -> Referral:
    """Store a referral that came through a click on Pia's link."""
    made = new_referral(name, **overrides)
    writes = Transaction()
    referrals.submit(
        writes,
        made,
        life.submitted(made, actor="public"),
        contact=Contact(name="Lena Lead", email="lena@customer.example"),
        touches=[touch()] if touches is None else touches,
        protected_until="2027-05-22T00:00:00.000Z",
    )
    writes.commit()
    return made


def move(name: str, command: Command, *, now: str = NOW, actor: str = "REP#anna") -> Referral:
    """Store the next state of a referral."""
    before = referrals.get(name)
    rules = programs.version(before.program, before.program_version).document
    after, event = life.apply(before, command, rules, now=now, actor=actor)
    writes = Transaction()
    referrals.save(writes, before, after, event)
    writes.commit()
    return after


def raw_items(pk: str, prefix: str = "EVENT#", table: Table = Table.CORE) -> list[dict[str, Any]]:
    """Return items as DynamoDB hands them over, in order."""
    answer = connection_query(table, pk, prefix)
    return [json.loads(json.dumps(item)) for item in answer["Items"]]


def connection_query(table: Table, pk: str, prefix: str) -> dict[str, Any]:
    """Return DynamoDB's own answer for the items under *pk*."""
    name = store.name(table)
    sort_key = store.Path("sk").startswith(prefix)
    answer: dict[str, Any] = store.connection().query(
        name, pk, range_key_condition=sort_key, consistent_read=True
    )
    return answer


def from_stream(images: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """Return the event with which Lambda delivers new items of a stream."""
    return {
        "Records": [
            {
                "eventID": str(number),
                "eventName": "INSERT",
                "dynamodb": {
                    "Keys": {key: image[key] for key in ("pk", "sk") if key in image},
                    "NewImage": image,
                    "SequenceNumber": str(number),
                },
            }
            for number, image in enumerate(images, 1)
        ]
    }


def from_queue(url: str) -> dict[str, Any]:
    """Receive everything visible in a queue, as Lambda delivers it."""
    records: list[dict[str, Any]] = []
    while True:
        answer = client("sqs").receive_message(QueueUrl=url, MaxNumberOfMessages=10)
        if not answer.get("Messages"):
            return {"Records": records}
        records += [
            {"messageId": each["MessageId"], "body": each["Body"]} for each in answer["Messages"]
        ]


def from_bus(*details: dict[str, Any]) -> dict[str, Any]:
    """Return the event with which Lambda delivers messages of a queue behind the bus."""
    return {
        "Records": [
            {
                "messageId": f"m{number}",
                "body": json.dumps(
                    {"detail-type": detail.get("type") or detail.get("kind"), "detail": detail}
                ),
            }
            for number, detail in enumerate(details, 1)
        ]
    }


def new_queue(name: str) -> str:
    """Make a queue and return its URL."""
    url: str = client("sqs").create_queue(QueueName=name)["QueueUrl"]
    return url


def record(service: str, operation: str) -> list[dict[str, Any]]:
    """Return a list that fills with the parameters of every call of *operation* from now on."""
    calls: list[dict[str, Any]] = []
    events = client(service).meta.events
    name = client(service).meta.service_model.service_id.hyphenize()
    events.register(
        f"provide-client-params.{name}.{operation}", lambda params, **_: calls.append(params)
    )
    return calls


def new_bus(name: str) -> list[dict[str, Any]]:
    """Make a bus and return the list that fills with what is put on it."""
    client("events").create_event_bus(Name=name)
    return record("events", "PutEvents")
