"""What keeps payouts back, of a program or of one partner, and letting them go on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import msgspec

from introducer import payday, paying, payout_hold
from introducer.clients import client
from introducer.errors import NotFoundError
from introducer.event import Event
from introducer.partner import Partner
from introducer.settings import setting
from introducer.tables import batches, halts, partners, programs
from introducer.tables.store import Transaction
from submit import inputs
from submit.acting import FINANCE, READERS
from submit.http import Answer, Call, Resource
from submit.inputs import Input

resource = Resource(__name__)


class Why(Input, frozen=True, kw_only=True):
    """Why, in a word that everybody will read in the audit trail: ``books_mended``."""

    reason: inputs.Word


class WhichRule(Input, frozen=True, kw_only=True):
    """The name of a payout rule."""

    region: inputs.Word
    currency: inputs.Word
    method: inputs.Word


class Starting(msgspec.Struct, frozen=True, kw_only=True):
    """A batch that is about to be prepared, if anybody is to be paid."""

    program: str
    region: str
    currency: str
    method: str


class RulePlan(msgspec.Struct, frozen=True, kw_only=True):
    """A payout rule and its calendar.

    ``on`` is the day of the week (1 is Monday) or of the month, ``cutoff`` local time of
    ``time_zone``. ``next_run`` is empty where only a person starts it. ``last_period`` is the day
    on which the calendar asked last, ``last_batch`` the batch, empty when nobody was to be paid.
    """

    region: str
    currency: str
    method: str
    automatic: bool
    every: str
    on: int
    cutoff: str
    time_zone: str
    next_run: str
    last_period: str
    last_batch: str


class Resumption(msgspec.Struct, frozen=True, kw_only=True):
    """One time that payouts were let go on, and what had stopped them."""

    at: str
    by: str
    reason: str
    halted_at: str
    halted_for: str


class PayoutState(msgspec.Struct, frozen=True, kw_only=True):
    """Whether payouts of a program run, and when. ``halted_for`` is empty while they do."""

    program: str
    halted_for: str
    halted_at: str
    resumptions: list[Resumption]
    rules: list[RulePlan]


class Resumed(msgspec.Struct, frozen=True, kw_only=True):
    """``resumed`` when this call ended a halt, ``running`` when there was none."""

    program: str
    status: Literal["resumed", "running"]


class HoldMoved(msgspec.Struct, frozen=True, kw_only=True):
    """A partner and why their payouts are kept back, empty when they are not."""

    partner: str
    payout_hold: str


@resource.endpoint("GET", "/v1/programs/{program}/payouts", roles=READERS, answer=PayoutState)
def read_payout_state(call: Call[Any, Any]) -> Answer:
    """Read whether payouts of a program are halted, who let them go on, and when rules pay next."""
    document = programs.current(call.path["program"], call.now).document
    rules = []
    for rule in document.payouts:
        last = batches.asked(document.id, rule)
        rules.append(
            RulePlan(
                region=rule.region,
                currency=rule.currency,
                method=rule.method,
                automatic=rule.automatic,
                every=rule.calendar.every,
                on=rule.calendar.on,
                cutoff=rule.calendar.cutoff,
                time_zone=document.time_zone,
                next_run=payday.next_run(rule, document.time_zone, call.now),
                last_period=last.period if last else "",
                last_batch=last.batch if last else "",
            )
        )
    return Answer(
        body=PayoutState(
            program=document.id,
            halted_for=halts.halted(document.id),
            halted_at=halts.halted_at(document.id),
            resumptions=[
                Resumption(
                    at=each.at,
                    by=each.by,
                    reason=each.why,
                    halted_at=each.halted_at,
                    halted_for=each.halted_for,
                )
                for each in halts.resumed(document.id)
            ],
            rules=rules,
        )
    )


@resource.endpoint(
    "POST",
    "/v1/programs/{program}/payouts/start",
    roles=FINANCE,
    body=WhichRule,
    answer=Starting,
    status=202,
)
def start_payouts(call: Call[WhichRule, Any]) -> Answer:
    """Start the next batch of one rule by hand: a manual one, or one before its day."""
    document = programs.current(call.path["program"], call.now).document
    name = msgspec.structs.asdict(call.body)
    if paying.named(document, **name) is None:
        message = "the program has no such payout rule"
        raise NotFoundError(message)
    # Starting twice is starting once, so it is started first and the key is claimed after.
    client("lambda").invoke(
        FunctionName=setting("START_FUNCTION"),
        InvocationType="Event",
        Payload=msgspec.json.encode(
            {"started_by": call.caller.name, "program": document.id, **name}
        ),
    )
    return Answer(body=Starting(program=document.id, **name))


@resource.endpoint(
    "POST",
    "/v1/programs/{program}/payouts/resume",
    roles=FINANCE,
    body=Why,
    answer=Resumed,
)
def resume_payouts(call: Call[Why, Any]) -> Answer:
    """Let halted payouts go on, once a person has put the books right; who and why is kept."""
    document = programs.current(call.path["program"], call.now).document
    ended = halts.resume(document.id, by=call.caller.name, why=call.body.reason, now=call.now)
    return Answer(body=Resumed(program=document.id, status="resumed" if ended else "running"))


@resource.endpoint(
    "POST",
    "/v1/partners/{partner}/payout-hold",
    roles=FINANCE,
    body=Why,
    answer=HoldMoved,
    codes=("transition_not_allowed",),
)
def hold_payouts(call: Call[Why, Any]) -> Answer:
    """Keep a partner's payouts back; what they earn waits, and batches note ``on_hold``."""
    return _moved(call, payout_hold.place)


@resource.endpoint(
    "POST",
    "/v1/partners/{partner}/release-payout-hold",
    roles=FINANCE,
    body=Why,
    answer=HoldMoved,
    codes=("transition_not_allowed",),
)
def release_payouts(call: Call[Why, Any]) -> Answer:
    """Let a partner be paid again, from the next batch on."""
    return _moved(call, payout_hold.release)


def _moved(call: Call[Why, Any], move: Callable[..., tuple[Partner, Event]]) -> Answer:
    before = partners.find_partner(call.path["partner"])
    if before is None:
        message = "no such partner"
        raise NotFoundError(message)
    after, event = move(before, reason=call.body.reason, now=call.now, actor=call.caller.name)
    writes = Transaction()
    partners.save(writes, before, after, event)
    return Answer(body=HoldMoved(partner=after.id, payout_hold=after.payout_hold), writes=writes)
