"""Small cases for everything that computes rewards: a program, a referral, its sales."""

from __future__ import annotations

from introducer.document.audience import Audience
from introducer.document.plan import Calculation, Milestone, Percent, RewardPlan
from introducer.earning.evaluate import evaluate
from introducer.earning.history import History
from introducer.earning.occasion import Case
from introducer.earning.rules import rules_of
from introducer.event import Event
from introducer.program import Program
from introducer.referral import Referral, Sale, Share
from introducer.reward import Reward

WON = "2026-01-10T00:00:00.000Z"
DUE = "2026-07-09T00:00:00.000Z"

WHOLE = [Milestone(id="purchase", share_basis_points=10_000)]
PARTS = [
    Milestone(id="purchase", share_basis_points=2_500),
    Milestone(id="loyalty", share_basis_points=7_500, when="retained", after_days=180),
]


def plan(
    calculation: Calculation | None = None,
    *,
    name: str = "commission",
    milestones: list[Milestone] = WHOLE,
    audiences: list[str] | None = None,
    **changes: object,
) -> RewardPlan:
    """Return a plan of 10 % unless said otherwise."""
    return RewardPlan(
        id=name,
        calculation=calculation or Percent(basis_points=1_000),
        milestones=milestones,
        audiences=audiences or [],
        accounting_class="acquisition_cost",
        **changes,
    )


def program(*plans: RewardPlan, **changes: object) -> Program:
    """Return a program with *plans* and nothing else of interest."""
    values: dict[str, object] = {
        "id": "telecom",
        "name": "Telecom",
        "currency": "EUR",
        "audiences": {"partners": Audience(name="Partners"), "staff": Audience(name="Staff")},
        "destinations": ["www.example.com"],
        "landing_url": "https://www.example.com/",
        "rewards": list(plans),
    }
    return Program(**{**values, **changes})


def won(**changes: object) -> Referral:
    """Return a referral that was won on the tenth of January."""
    values: dict[str, object] = {
        "id": "ref",
        "program": "telecom",
        "program_version": 1,
        "version": 9,
        "status": "won",
        "submitted_at": WON,
        "updated_at": WON,
        "channel": "link",
        "lead": "person",
        "partner": "ann",
        "won_at": WON,
    }
    return Referral(**{**values, **changes})


def sale(amount_minor: int = 100_000, currency: str = "EUR", **changes: object) -> Sale:
    """Return a sale of 1,000 EUR unless said otherwise."""
    values: dict[str, object] = {
        "id": "s-1",
        "amount_minor": amount_minor,
        "currency": currency,
        "occurred_at": WON,
        "source": "billing",
    }
    return Sale(**{**values, **changes})


def share(
    partner: str = "ann", basis_points: int = 10_000, audience: str = "partners", **changes: object
) -> Share:
    """Return one partner's share."""
    return Share(partner=partner, basis_points=basis_points, audience=audience, **changes)


def refund(seq: int, amount_minor: int, *, kind: str = "SaleRefunded", of: str = "s-1") -> Event:
    """Return the event of a refund."""
    data: dict[str, str | int] = {"sale": of, "refund": f"r-{seq}", "amount_minor": amount_minor}
    return event(kind, seq, data)


def churned(seq: int) -> Event:
    """Return the event of a customer who left."""
    return event("ReferralChurned", seq, {})


def event(kind: str, seq: int, data: dict[str, str | int]) -> Event:
    """Return an event of the referral."""
    return Event(
        type=kind, entity="REFERRAL#ref", seq=seq, program="telecom", at=WON, actor="x", data=data
    )


def case(
    *sales: Sale,
    referral: Referral | None = None,
    shares: list[Share] | None = None,
    events: list[Event] | None = None,
) -> Case:
    """Return a referral of one partner with *sales*."""
    return Case(
        referral=referral or won(),
        shares=[share()] if shares is None else shares,
        sales=list(sales),
        events=events or [],
    )


def earned(document: Program, given: Case, history: History | None = None) -> tuple[Reward, ...]:
    """Return what *given* earns under *document*."""
    return evaluate(rules_of(document), given, history).rewards
