"""The program document: what a company's referral program is, as data.

A version is published once and never changes; a referral keeps the version it
was made under. The document's shape is checked by msgspec, its meaning by
:func:`findings`, which names every fault at once, each with its path.
"""

from __future__ import annotations

import re
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from introducer import money
from introducer.clock import Instant
from introducer.errors import InvalidInputError, InvalidProgramError

Key = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]{0,31}$")]
ProgramId = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9-]{1,30}[a-z0-9]$")]
Country = Annotated[str, Meta(pattern=r"^[A-Z]{2}$")]
Currency = Annotated[str, Meta(pattern=r"^[A-Z]{3}$")]
Text = Annotated[str, Meta(min_length=1, max_length=200)]
Minor = Annotated[int, Meta(ge=0, le=money.MAX_MINOR)]
BasisPoints = Annotated[int, Meta(ge=0, le=money.BASIS_POINTS)]
Days = Annotated[int, Meta(ge=0, le=3650)]


class _Part(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A part of the document: strict, so that a typo is a finding and not a silence."""


class Audience(_Part, frozen=True):
    """Who may refer: a group of partners with its own eligibility and language."""

    name: Text
    countries: list[Country] = []
    """Where its members may live; empty means anywhere."""
    lead_countries: list[Country] = []
    """Where the leads they refer may be; empty means anywhere."""
    locale: Annotated[str, Meta(pattern=r"^[a-z]{2}(-[A-Z]{2})?$")] = "en"


class Attribution(_Part, frozen=True):
    """Who is credited: the model, how far back it looks, how long a lead is protected."""

    model: Literal["first_touch", "last_touch", "linear"] = "last_touch"
    window_days: Annotated[int, Meta(ge=1, le=730)] = 90
    protection_days: Annotated[int, Meta(ge=1, le=3650)] = 180


class RoutingRule(_Part, frozen=True):
    """Leads from these countries and products go to these reps, in weighted turns."""

    reps: Annotated[list[Text], Meta(min_length=1, max_length=200)]
    countries: list[Country] = []
    products: list[Key] = []


class Routing(_Part, frozen=True):
    """Ordered rules; the first that fits decides, none means the review queue."""

    rules: list[RoutingRule] = []


class Percent(_Part, frozen=True, tag="percent", tag_field="kind"):
    """A share of the sale's amount, cut at ``cap_minor`` when there is one."""

    basis_points: BasisPoints
    cap_minor: Minor | None = None


class Flat(_Part, frozen=True, tag="flat", tag_field="kind"):
    """A fixed amount for each sale."""

    amount_minor: Minor
    currency: Currency


class Milestone(_Part, frozen=True):
    """A dated part of a reward and the status the referral must still have reached.

    ``won`` is earned with the sale; ``retained`` only if the customer is still
    one ``after_days`` days after it.
    """

    id: Key
    share_basis_points: BasisPoints
    when: Literal["won", "retained"] = "won"
    after_days: Days = 0


class RewardPlan(_Part, frozen=True):
    """What a successful referral earns its partners."""

    id: Key
    calculation: Percent | Flat
    milestones: Annotated[list[Milestone], Meta(min_length=1, max_length=24)]
    audiences: list[Key] = []
    """Whose referrals it rewards; empty means everybody's."""
    accounting_class: Literal["revenue_reduction", "marketing_expense", "acquisition_cost"] = (
        "marketing_expense"
    )


class Address(_Part, frozen=True):
    """A structured postal address, the least that banks accept since November 2026."""

    town: Text
    country: Country


class Debtor(_Part, frozen=True):
    """The account rewards are paid from."""

    name: Annotated[str, Meta(min_length=1, max_length=70)]
    iban: Annotated[str, Meta(pattern=r"^[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}$")]
    bic: Annotated[str, Meta(pattern=r"^[A-Z0-9]{8}([A-Z0-9]{3})?$")]
    address: Address


class PayoutRule(_Part, frozen=True):
    """How one currency is paid out."""

    currency: Currency
    debtor: Debtor
    method: Literal["sepa"] = "sepa"
    region: Key = "default"
    threshold_minor: Minor = 0
    approval_above_minor: Minor = 0
    """A batch worth more than this waits for a person; 0 means every batch does."""


class Fraud(_Part, frozen=True):
    """What a fraud signal does to the rewards of a referral."""

    self_referral: Literal["flag", "hold"] = "hold"


class Program(_Part, frozen=True):
    """One version of one program."""

    id: ProgramId
    name: Text
    currency: Currency
    audiences: Annotated[dict[Key, Audience], Meta(min_length=1, max_length=50)]
    destinations: Annotated[list[Text], Meta(min_length=1, max_length=50)]
    """Hosts that links may lead to; the first is where a link leads by default."""
    landing_url: Annotated[str, Meta(pattern=r"^https://[^\s]{1,500}$")]
    rewards: Annotated[list[RewardPlan], Meta(max_length=100)] = []
    stages: Annotated[list[Key], Meta(max_length=20)] = []
    """Between ``accepted`` and ``won``, in order."""
    stage_map: dict[str, dict[str, Key]] = {}
    """For each inbound source: its own word for a stage, and ours."""
    products: list[Key] = []
    attribution: Attribution = Attribution()
    routing: Routing = Routing()
    payouts: list[PayoutRule] = []
    fraud: Fraud = Fraud()
    retention_days: Annotated[int, Meta(ge=1, le=3650)] = 180
    """A won customer who is still one after this many days is retained."""
    terms_version: Text = "1"
    time_zone: Text = "UTC"
    sender_name: Text = "Introducer"


class ProgramVersion(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A published document with its number and when it counts from."""

    program: str
    version: int
    document: Program
    published_at: Instant
    published_by: str


RESERVED_STATUSES = frozenset(
    (
        "submitted screening review assigned accepted won retained lost duplicate ineligible "
        "rejected withdrawn expired refunded churned"
    ).split()
)


def parse(body: bytes) -> Program:
    """Return the document in *body*.

    Raises:
        InvalidProgramError: Its shape or its meaning is wrong; every finding is listed.
    """
    try:
        document = msgspec.json.decode(body, type=Program)
    except msgspec.ValidationError as failure:
        raise InvalidProgramError([_shape_finding(str(failure))]) from failure
    except msgspec.DecodeError as failure:
        raise InvalidProgramError([_finding("$", "this is not JSON", "send a document")]) from (
            failure
        )
    found = findings(document)
    if found:
        raise InvalidProgramError(found)
    return document


def findings(document: Program) -> list[dict[str, str]]:
    """Return every fault of meaning: its path, what is wrong and how to mend it."""
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError  # 3 ms, only to publish

    found = [
        *_currency_findings(document),
        *_reward_findings(document),
        *_routing_findings(document),
        *_stage_findings(document),
        *_host_findings(document),
    ]
    try:
        ZoneInfo(document.time_zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        found.append(
            _finding("$.time_zone", "unknown time zone", "use an IANA name such as Europe/Berlin")
        )
    return found


def payout_rule(document: Program, currency: str) -> PayoutRule | None:
    """Return how *currency* is paid out, or None when the program does not pay it."""
    return next((rule for rule in document.payouts if rule.currency == currency), None)


def _currency_findings(document: Program) -> list[dict[str, str]]:
    used = {"$.currency": document.currency}
    for index, plan in enumerate(document.rewards):
        if isinstance(plan.calculation, Flat):
            used[f"$.rewards[{index}].calculation.currency"] = plan.calculation.currency
    for index, rule in enumerate(document.payouts):
        used[f"$.payouts[{index}].currency"] = rule.currency
    found = []
    for path, code in used.items():
        try:
            money.exponent(code)
        except InvalidInputError:
            found.append(_finding(path, f"{code} is not a currency", "use an ISO 4217 code"))
    seen: set[str] = set()
    for index, rule in enumerate(document.payouts):
        if rule.currency in seen:
            found.append(
                _finding(
                    f"$.payouts[{index}]", "this currency has a rule already", "keep one of them"
                )
            )
        seen.add(rule.currency)
    return found


def _reward_findings(document: Program) -> list[dict[str, str]]:
    found = []
    seen: set[str] = set()
    for index, plan in enumerate(document.rewards):
        path = f"$.rewards[{index}]"
        if plan.id in seen:
            found.append(_finding(f"{path}.id", "used twice", "give each plan its own id"))
        seen.add(plan.id)
        total = sum(milestone.share_basis_points for milestone in plan.milestones)
        if total != money.BASIS_POINTS:
            found.append(
                _finding(
                    f"{path}.milestones",
                    f"the shares add up to {total} basis points",
                    "make them add up to 10000",
                )
            )
        if len({milestone.id for milestone in plan.milestones}) != len(plan.milestones):
            found.append(
                _finding(f"{path}.milestones", "an id is used twice", "give each its own id")
            )
        found += [
            _finding(f"{path}.audiences", f"there is no audience {key}", "name a declared one")
            for key in plan.audiences
            if key not in document.audiences
        ]
    return found


def _routing_findings(document: Program) -> list[dict[str, str]]:
    found = []
    for index, rule in enumerate(document.routing.rules):
        path = f"$.routing.rules[{index}]"
        found += [
            _finding(f"{path}.products", f"there is no product {key}", "declare it in products")
            for key in rule.products
            if key not in document.products
        ]
        earlier = document.routing.rules[:index]
        if any(not before.countries and not before.products for before in earlier):
            found.append(
                _finding(path, "an earlier rule takes every lead", "move the catch-all to the end")
            )
    return found


def _stage_findings(document: Program) -> list[dict[str, str]]:
    found = [
        _finding(f"$.stages[{index}]", f"{stage} is a status of its own", "choose another name")
        for index, stage in enumerate(document.stages)
        if stage in RESERVED_STATUSES
    ]
    if len(set(document.stages)) != len(document.stages):
        found.append(_finding("$.stages", "a stage is listed twice", "list each stage once"))
    known = {*document.stages, "accepted", "won", "lost"}
    found += [
        _finding(f"$.stage_map.{source}.{theirs}", f"there is no stage {ours}", "use a listed one")
        for source, stages in document.stage_map.items()
        for theirs, ours in stages.items()
        if ours not in known
    ]
    return found


_HOST = re.compile(r"^(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}$")


def _host_findings(document: Program) -> list[dict[str, str]]:
    found = [
        _finding(f"$.destinations[{index}]", "not a host name", "write it like www.example.com")
        for index, host in enumerate(document.destinations)
        if not _HOST.match(host)
    ]
    host = document.landing_url.removeprefix("https://").split("/", 1)[0]
    if host not in document.destinations:
        found.append(
            _finding("$.landing_url", "its host is not a destination", "add it to destinations")
        )
    return found


def _shape_finding(text: str) -> dict[str, str]:
    problem, _, path = text.partition(" - at ")
    return _finding(path.strip("`") or "$", problem, "see the published schema")


def _finding(path: str, problem: str, remedy: str) -> dict[str, str]:
    return {"path": path, "problem": problem, "remedy": remedy}
