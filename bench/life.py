"""A referral's whole life: the real handlers, in process, one after another."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from typing import Any

import msgspec

from bench import paths
from bench.messages import bank_report, click_of, login, new_referral, signature
from bench.meter import Invocation
from bench.world import World
from introducer import clock
from introducer.clock import Instant

PROGRAM = "telecom"
SALE_MINOR = 100_000
ENROLLED: Instant = "2026-10-01T10:00:00.000Z"
FIRST_DAY: Instant = "2026-11-02T10:00:00.000Z"
SALE_DAY = 10
RETAINED_DAY = SALE_DAY + 181
IBAN = "DE75512108001245126199"


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
        world.http(
            "Rules", "POST", f"{base}/versions", document, path=program, claims=manager, step=""
        )
        reps = {rep for rule in document["routing"]["rules"] for rep in rule["reps"]}
        for rep in sorted(reps):
            body = {
                "id": rep,
                "login": f"login-{rep}",
                "name": "Rep",
                "email": f"{rep}@telecom.example",
            }
            world.http("Staff", "POST", f"{base}/reps", body, path=program, claims=manager, step="")
        for source in ("crm", "billing"):
            made = world.http(
                "Rules",
                "POST",
                f"{base}/sources",
                {"source": source},
                path=program,
                claims=manager,
                step="",
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
        link = world.http(
            "Partner", "POST", "/v1/me/links", {"campaign": "autumn"}, claims=mine, step=""
        )
        self.links.append(link["code"])

    # ---- what runs by the clock

    def idle(self) -> None:
        """Run the nightly jobs twice with nothing to do; the second is what they cost anyway."""
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
                "Rep",
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
            headers=signature(self._secrets[source], raw, f"msg_{self.world.number():027}"),
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
        prepared = self._enter(
            "Prepare", {**json.loads(execution.params["input"]), "batch": self.batch}
        )
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
        content = bank_report(
            [(each.reference, each.amount_minor) for each in sent], self.world.now
        )
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
            event = {
                "step": inner.lower(),
                "batch": self.batch,
                "Items": items[begin : begin + size],
            }
            self.world.call("Batch", batch.handler, event, "payout")

    def _items(self, key: str) -> list[dict[str, str]]:
        found = self.world.client("s3").get_object(Bucket=os.environ["BANK_BUCKET"], Key=key)
        items: list[dict[str, str]] = json.loads(found["Body"].read())
        return items

    def _approve(self) -> None:
        self.world.http(
            "Finance",
            "POST",
            "/v1/batches/{batch}/approve",
            path={"batch": self.batch},
            claims=login("finance", "finance"),
            step="payout",
        )
