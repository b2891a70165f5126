"""Drives referrals through their whole life: the real handlers, in process, one after another.

The tables are the template's, on the embedded AWS. What a handler writes is handed on as
Lambda would: new items through the filters of the template's stream mappings, events
through the bus to the queue of the rewards. Time is moved by hand. Mail is left out.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import itertools
import json
import os
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import botocore.session
import msgspec

from bench import paths, units
from bench.meter import Invocation, Meter
from infra import template
from infra.emulator import Emulator, credentials
from tests.support import tables
from tests.support.environment import FUNCTION, REGION, forget

from introducer import clickid, clock
from introducer.clock import Instant

PROGRAM = "telecom"
SALE_MINOR = 100_000
FIRST_DAY: Instant = "2026-11-02T10:00:00.000Z"
SALE_DAY = 10
RETAINED_DAY = SALE_DAY + 181
IBAN = "DE75512108001245126199"

_STEP_OF = {
    "ReferralSubmitted": "submit",
    "ReferralScreened": "screening",
    "ReferralAssigned": "assigned",
    "ReferralAccepted": "accepted",
    "ReferralWon": "won, sale",
    "ReferralRetained": "retained",
    "RewardEarned": "2 rewards",
    "RewardReleased": "accrual",
}
"""The step whose event this is; all others are the payout's."""


class World:
    """The embedded AWS with the template's tables, and the functions around them."""

    def __init__(self, emulator: Emulator, suffix: str) -> None:
        self.template = template.load()
        self._endpoint = emulator.endpoint
        self._session = botocore.session.get_session()
        os.environ.update(FUNCTION | credentials() | {"AWS_ENDPOINT_URL": emulator.endpoint})
        os.environ.pop("AWS_SESSION_TOKEN", None)
        forget()
        names = tables.create(self.client("dynamodb"), suffix=suffix)
        declared = template.resources(self.template, "AWS::DynamoDB::Table")
        schemas = {
            names[f"{logical.removesuffix('Table').upper()}_TABLE"]: units.table(properties)
            for logical, properties in declared.items()
        }
        self._streams = {names["CORE_TABLE"]: "CoreTable", names["LEDGER_TABLE"]: "LedgerTable"}
        os.environ.update(names | self._furniture(suffix))
        self.meter = Meter(schemas)
        self.extras: Counter[tuple[str, str]] = Counter()
        """What is billed but no call of ours, by step and kind."""
        self._numbers = itertools.count(1)
        self._earn_types = set(_rule(self.template, "EarnRule")["detail-type"])
        self.now: Instant = FIRST_DAY

    def client(self, service: str) -> Any:  # noqa: ANN401
        """Return a client of the embedded AWS that no measurement sees."""
        return self._session.create_client(
            service, region_name=REGION, endpoint_url=self._endpoint
        )

    def _furniture(self, suffix: str) -> dict[str, str]:
        bucket, bus = f"bench-bank{suffix}", f"bench{suffix}"
        self.client("s3").create_bucket(Bucket=bucket)
        self.client("events").create_event_bus(Name=bus)
        queue = self.client("sqs").create_queue(QueueName=f"bench-retry{suffix}")["QueueUrl"]
        machine = self.client("stepfunctions").create_state_machine(
            name=f"bench{suffix}",
            definition='{"StartAt":"P","States":{"P":{"Type":"Pass","End":true}}}',
            roleArn=self.client("iam").create_role(
                RoleName=f"bench{suffix}", AssumeRolePolicyDocument='{"Version":"2012-10-17","Statement":[]}'
            )["Role"]["Arn"],
        )
        return {
            "BANK_BUCKET": bucket,
            "BUS_NAME": bus,
            "ROUTE_RETRY_URL": queue,
            "PUBLISH_RETRY_URL": queue,
            "BATCH_MACHINE_ARN": machine["stateMachineArn"],
            "KEY_ARN": self.client("kms").create_key()["KeyMetadata"]["Arn"],
        }

    # ---- functions

    def call(
        self,
        function: str,
        handler: Callable[[Any, Any], Any],
        event: dict[str, Any],
        step: str,
    ) -> Any:  # noqa: ANN401
        """Invoke a function and hand on what it wrote and published."""
        invocation, answer = self.meter.invoke(function, step, lambda: handler(event, CONTEXT))
        parked = [call for call in invocation.calls if call.service == "sqs"]
        assert not parked, parked[0].params
        self._deliver(invocation)
        return answer

    def http(  # noqa: PLR0913
        self,
        function: str,
        method: str,
        route: str,
        body: object = None,
        *,
        step: str,
        path: dict[str, str] | None = None,
        claims: dict[str, str] | None = None,
        headers: dict[str, str] | None = None,
    ) -> dict[str, Any]:
        """Send a request to one of the API's functions and return the answer's body."""
        app = _app(function)
        raw = body if isinstance(body, str) else json.dumps(body or {})
        event = rest_event(
            method, route, raw, path=path or {}, claims=claims, headers=headers, number=self.number()
        )
        self.extras[step, "api_request"] += 1
        answer = self.call(function, app, event, step)
        assert answer["statusCode"] in {200, 201}, answer
        document: dict[str, Any] = json.loads(answer["body"])
        return document

    def runs_a_day(self, function: str) -> float:
        """Return how often the template's schedule starts a function."""
        events = self.template["Resources"][function]["Properties"]["Events"]
        expression = events["Clock"]["Properties"]["ScheduleExpression"]
        if expression.startswith("cron(") and not set("/,-*") & set("".join(expression[5:].split()[:2])):
            return 1.0
        found = re.fullmatch(r"rate\((\d+) (minute|hour|day)s?\)", expression)
        assert found, expression
        return 86_400 / (int(found[1]) * {"minute": 60, "hour": 3600, "day": 86_400}[found[2]])

    def number(self) -> int:
        """Return a number never returned before."""
        return next(self._numbers)

    # ---- what hangs off the tables

    def _deliver(self, invocation: Invocation) -> None:
        for table, logical in self._streams.items():
            records = [
                record(write.after, self.number())
                for call in invocation.calls
                for write in call.writes
                if write.table == table and write.before is None and write.after is not None
            ]
            for mapping in ("RouteFromCore", "PublishFromCore", "PublishFromLedger"):
                if mapping.endswith(logical.removesuffix("Table")):
                    self._feed(mapping, records)
        self._earn(invocation)

    def _feed(self, mapping: str, records: list[dict[str, Any]]) -> None:
        """Give a stream's consumer the records its filter lets through, a step at a time."""
        from notify import publish
        from route import stream

        properties = self.template["Resources"][mapping]["Properties"]
        patterns = [json.loads(each["Pattern"]) for each in properties["FilterCriteria"]["Filters"]]
        wanted = [each for each in records if any(matches(one, each) for one in patterns)]
        function, handler = (
            ("Route", stream.handler) if mapping.startswith("Route") else ("Publish", publish.handler)
        )
        for step, group in itertools.groupby(wanted, key=lambda each: _step(each, function)):
            batch = list(group)
            size = int(properties["BatchSize"])
            for begin in range(0, len(batch), size):
                self.call(function, handler, {"Records": batch[begin : begin + size]}, step)

    def _earn(self, invocation: Invocation) -> None:
        """Bring what was published to the queue of the rewards, as the bus's rule does."""
        from payout import earn

        for call in invocation.calls:
            if call.operation != "PutEvents":
                continue
            for entry in call.params["Entries"]:
                if entry["DetailType"] in self._earn_types:
                    message = {"detail-type": entry["DetailType"], "detail": json.loads(entry["Detail"])}
                    record = {"messageId": f"m{self.number()}", "body": json.dumps(message)}
                    step = "retained" if entry["DetailType"] == "ReferralRetained" else "2 rewards"
                    self.extras[step, "sqs_request"] += 3  # send, receive, delete
                    self.call("Earn", earn.handler, {"Records": [record]}, step)


class Cohort:
    """Some referrals, each of another partner, that live at the same pace.

    ``live`` takes them from the submission to money in the bank; what the meter holds then
    is the cost of all of them together.
    """

    def __init__(self, world: World, size: int) -> None:
        self.world = world
        self.size = size
        self.partners: list[str] = []
        self.links: list[str] = []
        self.referrals: list[str] = []
        self._secrets: dict[str, str] = {}
        self._idle: dict[str, Invocation] = {}

    def prepare(self) -> None:
        """Publish the program; enrol reps, sources and partners. Nothing of it is counted."""
        world = self.world
        document = json.loads((paths.ROOT / "infra/programs/telecom.json").read_text())
        manager = login("manager", "manager")
        program = {"program": PROGRAM}
        base = "/v1/programs/{program}"
        world.http("Staff", "POST", f"{base}/versions", document, path=program, claims=manager, step="")
        reps = {rep for rule in document["routing"]["rules"] for rep in rule["reps"]}
        for rep in sorted(reps):
            body = {"id": rep, "login": f"login-{rep}", "name": "Rep", "email": f"{rep}@telecom.example"}
            world.http("Staff", "POST", f"{base}/reps", body, path=program, claims=manager, step="")
        for source in ("crm", "billing"):
            made = world.http(
                "Staff", "POST", f"{base}/sources", {"source": source}, path=program, claims=manager, step=""
            )
            self._secrets[source] = made["secret"]
        for number in range(self.size):
            self._enrol(number)

    def _enrol(self, number: int) -> None:
        world = self.world
        mine = login("partner", f"partner-{number}")
        body = {
            "program": PROGRAM,
            "audience": "partners",
            "name": f"Petra Partner {number}",
            "email": f"partner{number}@partners.example",
            "country": "DE",
            "terms_version": "2026-11",
        }
        made = world.http("Partner", "POST", "/v1/partners", body, claims=mine, step="")
        self.partners.append(made["id"])
        payee = {"name": "Petra Partner", "iban": IBAN, "town": "Berlin", "country": "DE"}
        world.http("Partner", "PUT", "/v1/me/payee", payee, claims=mine, step="")
        link = world.http("Partner", "POST", "/v1/me/links", {"campaign": "autumn"}, claims=mine, step="")
        self.links.append(link["code"])

    # ---- what runs by the clock

    def idle(self) -> None:
        """Run the nightly jobs twice while there is nothing for them; the second run is their own cost."""
        for days in (-2, -1):
            self.world.now = clock.plus(FIRST_DAY, days=days)
            for name in ("Sweep", "Seal", "Reconcile"):
                self._idle[name] = self._run_job(name)

    def job(self, name: str, weight: float = 1.0) -> None:
        """Run a scheduled job and count what these referrals add to it, *weight* times."""
        self._run_job(name).weight = weight
        idle = msgspec.structs.replace(self._idle[name], step="nightly jobs", weight=-weight)
        self.world.meter.invocations.append(idle)

    def nights(self, first: int, last: int) -> None:
        """Seal and reconcile on the days from *first* to *last*."""
        for days in range(first, last + 1):
            self.world.now = clock.plus(FIRST_DAY, days=days)
            self.job("Seal")
            self.job("Reconcile")

    def _run_job(self, name: str) -> Invocation:
        from payout import reconcile, seal, sweep

        handlers: dict[str, Callable[[Any, Any], Any]] = {
            "Sweep": sweep.handler,
            "Seal": seal.handler,
            "Reconcile": reconcile.handler,
        }
        self.world.call(name, handlers[name], {}, "nightly jobs")
        return self.world.meter.invocations[-1]

    # ---- the life

    def submit(self) -> None:
        """Submit, screen and assign a referral that came through a click."""
        for number, link in enumerate(self.links):
            body = new_referral(number, click_of(link, self.world.now))
            made = self.world.http(
                "Public",
                "POST",
                "/v1/programs/{program}/referrals",
                body,
                path={"program": PROGRAM},
                step="submit",
            )
            self.referrals.append(made["id"])

    def accept(self) -> None:
        """Let the rep take each lead."""
        from introducer.tables import referrals

        for each in self.referrals:
            rep = referrals.get(each).rep
            self.world.http(
                "Staff",
                "POST",
                "/v1/rep/referrals/{referral}/accept",
                path={"referral": each},
                claims=login("rep", f"login-{rep}"),
                step="accepted",
            )

    def advance(self, theirs: str) -> None:
        """Let the CRM report a stage, in its own words."""
        step = {"Qualification": "qualified"}.get(theirs, "proposal")
        for each in self.referrals:
            data = {"referral": each, "stage": theirs, "at": self.world.now}
            self._webhook("crm", {"type": "stage.changed", "data": data}, step)

    def sell(self) -> None:
        """Let billing report the sale, which wins the referral and earns its rewards."""
        for number, each in enumerate(self.referrals):
            data = {
                "referral": each,
                "sale": f"INV-2026-{number:06}",
                "amount_minor": SALE_MINOR,
                "currency": "EUR",
                "occurred_at": self.world.now,
                "product": "fibre",
            }
            self._webhook("billing", {"type": "sale.recorded", "data": data}, "won, sale")

    def accrue(self, days: int) -> None:
        """Run the accrual once, for everybody, in the night of a day."""
        from payout import accrue

        self.world.now = clock.plus(FIRST_DAY, days=days)
        self.world.call("Accrue", accrue.handler, {}, "accrual")

    def pay(self) -> None:
        """Pay everybody out: start, the steps of the state machine, approval, the bank's answer."""
        batch = Payout(self.world)
        self.world.now = clock.plus(self.world.now, seconds=5 * 3600)
        batch.run()
        self.world.now = clock.plus(self.world.now, days=1)
        batch.settle()

    def live(self) -> None:
        """Take every referral from its submission to money in the bank, and a month further."""
        from payout import reconcile, sweep

        world = self.world
        sweeps_a_day = world.runs_a_day("Sweep")
        world.now = FIRST_DAY
        self.submit()
        world.now = clock.plus(FIRST_DAY, seconds=3600)
        self.accept()
        world.now = clock.plus(FIRST_DAY, days=1)
        self.job("Sweep", sweeps_a_day * (sweep._DAYS_BACK + 1))
        for days, theirs in ((3, "Qualification"), (7, "Proposal/Price Quote")):
            world.now = clock.plus(FIRST_DAY, days=days)
            self.advance(theirs)
        world.now = clock.plus(FIRST_DAY, days=SALE_DAY)
        self.sell()
        if sweep._DAYS_BACK < SALE_DAY:  # else it was looked at as a recent one
            self.job("Sweep", sweeps_a_day)
        self.accrue(SALE_DAY + 1)
        self.nights(SALE_DAY + 1, SALE_DAY + 4)
        world.now = clock.plus(FIRST_DAY, days=RETAINED_DAY - 1)
        self.job("Sweep", sweeps_a_day * (sweep._DAYS_AHEAD + 1))
        self.accrue(RETAINED_DAY)
        self.pay()
        self.nights(RETAINED_DAY + 1, RETAINED_DAY + 4)
        world.now = clock.plus(FIRST_DAY, days=RETAINED_DAY + 5)
        self.job("Reconcile", reconcile._BATCH_DAYS - 4)

    def _webhook(self, source: str, message: dict[str, Any], step: str) -> None:
        raw = json.dumps(message)
        self.world.http(
            "Inbound",
            "POST",
            "/v1/inbound/{program}/{source}",
            raw,
            path={"program": PROGRAM, "source": source},
            headers=_signature(self._secrets[source], raw, f"msg_{self.world.number():027}"),
            step=step,
        )


class Payout:
    """One batch: what the state machine does, state by state."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.batch = ""
        definition = json.loads((paths.ROOT / "infra/payout_batch.asl.json").read_text())
        self._states = definition["States"]

    def run(self) -> None:
        """Start the batch and enter its states in order, approval included."""
        from payout import start

        started = self.world.call("Start", start.handler, {}, "payout")
        (self.batch,) = started["batches"]
        execution = next(
            call
            for call in self.world.meter.invocations[-1].calls
            if call.operation == "StartExecution"
        )
        prepared = self._enter("Prepare", {**json.loads(execution.params["input"]), "batch": self.batch})
        self._enter("AnyoneToPay")
        items = self._items(prepared["key"])
        self._map("ReserveAll", "Reserve", items)
        closed = self._enter("Close", {"batch": self.batch})
        self._enter("AnythingToSend")
        if closed["needs_approval"]:
            self._enter("AwaitApproval", {"batch": self.batch, "token": "bench"})
            self._approve()
        self._enter("Submit", {"batch": self.batch})
        self._map("MarkAll", "Mark", items)
        self._enter("Write", {"batch": self.batch})
        self._enter("Finish", {"batch": self.batch})

    def settle(self) -> None:
        """Let the bank book every payment, and take its report in."""
        from introducer.tables import payouts
        from payout import settle

        key = "inbox/camt054.xml"
        sent = payouts.of_batch(self.batch)
        content = bank_report([(each.reference, each.amount_minor) for each in sent], self.world.now)
        bucket = os.environ["BANK_BUCKET"]
        self.world.client("s3").put_object(Bucket=bucket, Key=key, Body=content)
        self.world.extras["payout", "s3_put"] += 1  # by the bank, into our bucket
        self.world.extras["payout", "s3_get"] += 1  # and its reading of the order
        event = {"Records": [{"s3": {"object": {"key": key}}}]}
        self.world.call("Settle", settle.handler, event, "payout")
        assert payouts.get_batch(self.batch).status == "settled"

    def _enter(self, state: str, event: dict[str, Any] | None = None) -> Any:  # noqa: ANN401
        from payout import batch

        assert state in self._states, state
        self.world.extras["payout", "state_transition"] += 1
        if event is None:
            return None
        step = {"AwaitApproval": "await_approval"}.get(state, state.lower())
        return self.world.call("Batch", batch.handler, {"step": step, **event}, "payout")

    def _map(self, state: str, inner: str, items: list[dict[str, str]]) -> None:
        """Run a distributed map: a batch of items is an Express execution of one step."""
        from payout import batch

        self._enter(state)
        self.world.extras["payout", "s3_get"] += 1  # the list of items
        assert inner in self._states[state]["ItemProcessor"]["States"]
        size = self._states[state]["ItemBatcher"]["MaxItemsPerBatch"]
        for begin in range(0, len(items), size):
            self.world.extras["payout", "state_transition"] += 1
            self.world.extras["payout", "express_request"] += 1
            event = {"step": inner.lower(), "batch": self.batch, "Items": items[begin : begin + size]}
            self.world.call("Batch", batch.handler, event, "payout")

    def _items(self, key: str) -> list[dict[str, str]]:
        found = self.world.client("s3").get_object(Bucket=os.environ["BANK_BUCKET"], Key=key)
        items: list[dict[str, str]] = json.loads(found["Body"].read())
        return items

    def _approve(self) -> None:
        self.world.http(
            "Staff",
            "POST",
            "/v1/batches/{batch}/approve",
            path={"batch": self.batch},
            claims=login("finance", "finance"),
            step="payout",
        )


CONTEXT = SimpleNamespace(
    function_name="bench",
    function_version="1",
    memory_limit_in_mb=512,
    invoked_function_arn="arn:aws:lambda:us-east-1:000000000000:function:bench",
    aws_request_id="c8a1d1f8-6f0e-4c3e-9a51-0d6b5e1c2f33",
    get_remaining_time_in_millis=lambda: 30_000,
)


@contextmanager
def running(folder: Path) -> Iterator[Emulator]:
    """Yield an embedded AWS of our own, nothing deployed."""
    with Emulator(log=folder / "emulator.log") as emulator:
        yield emulator


@contextmanager
def measured(world: World) -> Iterator[World]:
    """Let *world*'s clock count and its meter see every call, inside."""
    real = clock.now
    clock.now = lambda: world.now
    try:
        with world.meter.attached():
            yield world
    finally:
        clock.now = real


def new_referral(number: int, click: str) -> dict[str, Any]:
    """Return the body of a submission as a landing page sends it."""
    return {
        "name": "Lena Beispiel",
        "email": f"lena.beispiel{number}@customer{number}.example",
        "company": "Beispiel GmbH",
        "phone": "+49 30 901820",
        "country": "DE",
        "product": "fibre",
        "locale": "de-DE",
        "consent": {"text_version": "2026-11", "given": True},
        "clicks": [click],
        "utm": {"utm_source": "newsletter", "utm_campaign": "autumn"},
    }


def rest_event(  # noqa: PLR0913
    method: str,
    route: str,
    body: str,
    *,
    path: dict[str, str],
    claims: dict[str, str] | None = None,
    headers: dict[str, str] | None = None,
    number: int,
) -> dict[str, Any]:
    """Return the event with which API Gateway's REST API calls a function."""
    sent = {
        "accept": "application/json",
        "content-type": "application/json",
        "host": "api.example",
        "idempotency-key": f"bench-{number:012}",
        "user-agent": "Mozilla/5.0 (X11; Linux x86_64) Chrome/142.0",
        "x-forwarded-for": "203.0.113.7",
        **(headers or {}),
    }
    return {
        "resource": route,
        "path": route.format(**path),
        "httpMethod": method,
        "headers": sent,
        "multiValueHeaders": {name: [value] for name, value in sent.items()},
        "queryStringParameters": None,
        "multiValueQueryStringParameters": None,
        "pathParameters": path or None,
        "stageVariables": None,
        "body": body,
        "isBase64Encoded": False,
        "requestContext": {
            "resourcePath": route,
            "httpMethod": method,
            "path": f"/api{route.format(**path)}",
            "stage": "api",
            "requestId": f"00000000-0000-4000-8000-{number:012}",
            "identity": {"sourceIp": "203.0.113.7"},
            **({"authorizer": {"claims": claims}} if claims else {}),
        },
    }


def login(group: str, subject: str) -> dict[str, str]:
    """Return the claims of a verified token."""
    return {"sub": subject, "token_use": "id", "cognito:groups": group}


def matches(pattern: Any, value: Any) -> bool:  # noqa: ANN401
    """Return whether an event filter of Lambda lets *value* through."""
    if isinstance(pattern, dict):
        return isinstance(value, dict) and all(
            name in value and matches(inner, value[name]) for name, inner in pattern.items()
        )
    return any(
        str(value).startswith(each["prefix"]) if isinstance(each, dict) else value == each
        for each in pattern
    )


def bank_report(payments: list[tuple[str, int]], now: Instant) -> bytes:
    """Return a camt.054 that says each payment was debited."""
    entries = "".join(
        f'<Ntry><Amt Ccy="EUR">{minor // 100}.{minor % 100:02}</Amt><CdtDbtInd>DBIT</CdtDbtInd>'
        f"<Sts><Cd>BOOK</Cd></Sts><BookgDt><Dt>{now[:10]}</Dt></BookgDt>"
        f"<AcctSvcrRef>B{reference}</AcctSvcrRef><NtryDtls><TxDtls><Refs>"
        f"<EndToEndId>{reference}</EndToEndId></Refs>"
        f'<Amt Ccy="EUR">{minor // 100}.{minor % 100:02}</Amt><CdtDbtInd>DBIT</CdtDbtInd>'
        "</TxDtls></NtryDtls></Ntry>"
        for reference, minor in payments
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        '<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.054.001.08"><BkToCstmrDbtCdtNtfctn>'
        f"<GrpHdr><MsgId>N1</MsgId><CreDtTm>{now[:19]}</CreDtTm></GrpHdr><Ntfctn><Id>N1</Id>"
        "<Acct><Id><IBAN>DE89370400440532013000</IBAN></Id></Acct>"
        f"{entries}</Ntfctn></BkToCstmrDbtCdtNtfctn></Document>"
    ).encode()


def click_of(link: str, now: Instant) -> str:
    """Return the id that a click on *link* ten minutes ago gave its visitor."""
    from introducer.tables import programs

    (key,) = clickid.keys_of(programs.click_salts(), now).values()
    hour = clickid.hour_of(clock.epoch_s(now) - 600)
    return clickid.make(link, hour, clickid.visitor(key, now[:10], "203.0.113.7", "Chrome"), key)


def _signature(secret: str, raw: str, message: str) -> dict[str, str]:
    at = str(int(time.time()))
    key = base64.b64decode(secret.removeprefix("whsec_"))
    digest = hmac.new(key, f"{message}.{at}.{raw}".encode(), hashlib.sha256).digest()
    return {
        "webhook-id": message,
        "webhook-timestamp": at,
        "webhook-signature": f"v1,{base64.b64encode(digest).decode()}",
    }


def _app(function: str) -> Callable[[Any, Any], Any]:
    from submit import inbound, partner, public, staff

    apps: dict[str, Callable[[Any, Any], Any]] = {
        "Public": public.app,
        "Partner": partner.app,
        "Staff": staff.app,
        "Inbound": inbound.app,
    }
    return apps[function]


def record(item: dict[str, Any], number: int) -> dict[str, Any]:
    """Return a new item as Lambda gets it from a table's stream."""
    return {
        "eventID": f"{number:032x}",
        "eventName": "INSERT",
        "eventSource": "aws:dynamodb",
        "dynamodb": {
            "Keys": {"pk": item["pk"], "sk": item["sk"]},
            "NewImage": item,
            "SequenceNumber": f"{number:021}",
            "StreamViewType": "NEW_AND_OLD_IMAGES",
        },
    }


def _step(record: dict[str, Any], function: str) -> str:
    """Return the step that a consumer's work on *record* belongs to."""
    item = record["dynamodb"]["NewImage"]
    kind = (item.get("type") or item["kind"])["S"]
    if function == "Route":
        return "screening" if kind == "ReferralSubmitted" else "assigned"
    if kind == "ReferralAdvanced":
        return str(item["data"]["M"]["stage"]["S"])
    return _STEP_OF.get(kind, "payout" if kind.startswith(("Payout", "Batch")) else "")


def _rule(document: dict[str, Any], name: str) -> dict[str, Any]:
    pattern: dict[str, Any] = document["Resources"][name]["Properties"]["EventPattern"]
    return pattern
