"""Random programs and referrals for Hypothesis, valid by construction."""

from __future__ import annotations

from hypothesis import strategies as st

from introducer import money
from introducer.document.condition import Condition
from introducer.document.plan import (
    Bonus,
    BonusPercent,
    Budget,
    Cap,
    Ceiling,
    Escalation,
    Flat,
    Happened,
    InvoicePaid,
    Milestone,
    Multiplier,
    Percent,
    PerProduct,
    Points,
    ProductRate,
    Promotion,
    Retained,
    RewardPlan,
    StageReached,
    Submitted,
    Tier,
    Variant,
    Won,
)
from introducer.document.policy import CustomEvent, Exchange, Rate
from introducer.earning.occasion import Case
from introducer.event import Event
from introducer.program import Program
from introducer.referral import Item, Referral, Sale, Share
from tests.support.cases import program

PRODUCTS = ("fibre", "mobile", "cloud")
DAYS = [
    f"2026-{month:02}-{day:02}T{hour:02}:30:00.000Z"
    for month in (1, 3, 12)
    for day in (1, 28, 31)
    for hour in (0, 23)
]
PERIODS = ("month", "quarter", "year", "ever")

amounts = st.one_of(
    st.integers(0, 300), st.integers(0, 10**7), st.sampled_from([5, 15, 10**12, 99_999])
)
rates = st.integers(0, money.BASIS_POINTS)


def weights(most: int) -> st.SearchStrategy[list[int]]:
    """Return basis points that add up to 10,000, in 1 to *most* parts."""
    cuts = st.lists(st.integers(0, money.BASIS_POINTS), max_size=most - 1).map(sorted)
    return cuts.map(
        lambda inner: [
            high - low for low, high in zip([0, *inner], [*inner, money.BASIS_POINTS], strict=True)
        ]
    )


tests = st.one_of(
    st.builds(
        Condition,
        field=st.just("partner.country"),
        op=st.sampled_from(["eq", "ne"]),
        value=st.sampled_from(["DE", "US"]),
    ),
    st.builds(
        Condition,
        field=st.sampled_from(["lead.size", "sale.amount_minor", "sale.number", "partner.score"]),
        op=st.sampled_from(["gt", "gte", "lt", "lte", "eq", "ne"]),
        value=st.integers(0, 2_000),
    ),
    st.builds(
        Condition,
        field=st.sampled_from(["sale.product", "lead.industry"]),
        op=st.sampled_from(["in", "not_in"]),
        value=st.lists(st.sampled_from([*PRODUCTS, "law"]), min_size=1, max_size=2),
    ),
    st.builds(
        Condition,
        field=st.sampled_from(["lead.industry", "partner.segment"]),
        op=st.just("exists"),
        value=st.booleans(),
    ),
    st.builds(
        Condition,
        field=st.just("sale.products"),
        op=st.just("contains"),
        value=st.sampled_from(PRODUCTS),
    ),
)
conditions = st.recursive(
    tests,
    lambda inner: st.one_of(
        st.builds(Condition, all=st.lists(inner, min_size=1, max_size=3)),
        st.builds(Condition, any=st.lists(inner, min_size=1, max_size=3)),
        st.builds(Condition, not_=inner),
    ),
    max_leaves=4,
)
flats = st.builds(Flat, amount_minor=amounts, currency=st.sampled_from(["EUR", "JPY"]))
percents = st.builds(
    Percent,
    basis_points=rates,
    products=st.lists(st.sampled_from(PRODUCTS), max_size=1),
    cap_minor=st.none() | amounts,
    min_minor=st.sampled_from([0, 0, 7]),
)
by_product = st.builds(
    PerProduct,
    rates=st.lists(
        st.builds(
            ProductRate,
            product=st.sampled_from(PRODUCTS),
            amount_minor=st.integers(0, 500),
            basis_points=rates,
        ),
        min_size=1,
        max_size=3,
        unique_by=lambda rate: rate.product,
    ),
    currency=st.just("EUR"),
)
caps_of = st.builds(
    Cap,
    id=st.just("cap"),
    per=st.sampled_from(["partner", "lead"]),
    amount_minor=amounts,
    currency=st.sampled_from(["EUR", "EUR", "JPY"]),
    period=st.sampled_from(PERIODS),
)


@st.composite
def plans(draw: st.DrawFn, number: int = 0) -> RewardPlan:
    """Draw a reward plan called ``plan{number}``."""
    trigger = draw(
        st.sampled_from(
            [
                InvoicePaid(),
                InvoicePaid(months=1),
                InvoicePaid(months=600),
                Won(),
                Retained(days=30),
                Submitted(),
                StageReached(stage="qualified"),
                Happened(event="demo"),
            ]
        )
    )
    points = draw(st.sampled_from([False, False, False, True]))
    revenue = isinstance(trigger, (InvoicePaid, Won, Retained))
    kinds = [flats, percents, by_product] if revenue else [flats]
    calculations = (
        st.builds(Points, points=st.integers(0, 500), per_unit=st.integers(0, 3))
        if points
        else st.one_of(kinds)
    )
    starts = sorted(draw(st.sets(st.integers(1, 6), max_size=3)))
    escalation = (
        Escalation(
            measure=draw(st.sampled_from(["count", "value"])),
            tiers=[Tier(start=start, calculation=draw(calculations)) for start in starts],
            period=draw(st.sampled_from(PERIODS)),
        )
        if starts
        else None
    )
    return RewardPlan(
        id=f"plan{number}",
        trigger=trigger,
        beneficiary=draw(
            st.sampled_from(["partner", "partner", "organization", "customer", "rep"])
        ),
        type="points" if points else draw(st.sampled_from(["cash", "credit"])),
        audiences=draw(st.sampled_from([[], ["partners"]])),
        condition=draw(st.none() | conditions),
        calculation=draw(calculations),
        variants=[
            Variant(id=f"v{number}", condition=draw(conditions), calculation=draw(calculations))
        ]
        if draw(st.booleans()) and not points and not revenue
        else [],
        escalation=escalation,
        bonuses=[
            Bonus(
                id=f"b{number}",
                condition=draw(conditions),
                effect=draw(
                    st.one_of(
                        st.builds(Flat, amount_minor=amounts, currency=st.just("PTS"))
                        if points
                        else flats,
                        st.builds(Multiplier, basis_points=st.integers(0, 30_000)),
                        st.builds(BonusPercent, basis_points=st.just(0) if points else rates),
                    )
                ),
            )
        ]
        if draw(st.booleans())
        else [],
        caps=[
            Cap(
                id=f"c{number}",
                per=cap.per,
                amount_minor=cap.amount_minor,
                currency="PTS" if points else cap.currency,
                period=cap.period,
            )
            for cap in draw(st.lists(caps_of, max_size=1))
        ],
        milestones=[
            Milestone(id=f"m{place}", share_basis_points=part, after_days=30 * place)
            for place, part in enumerate(draw(weights(3)))
        ],
        hold_days=draw(st.sampled_from([0, 14])),
    )


@st.composite
def documents(draw: st.DrawFn) -> Program:
    """Draw a program of one to four plans, with two currencies and a rate between them."""
    number = draw(st.integers(1, 4))
    return program(
        *[draw(plans(place)) for place in range(number)],
        time_zone=draw(st.sampled_from(["UTC", "Europe/Berlin", "Pacific/Auckland"])),
        stages=["qualified", "proposal"],
        products=list(PRODUCTS),
        events={"demo": CustomEvent(name="A demo was held")},
        exchange=Exchange(policy="fixed", rates=[Rate(base="EUR", to="JPY", rate="163.27")]),
        caps=[
            Cap(
                id="all",
                per=cap.per,
                amount_minor=cap.amount_minor,
                currency="EUR",
                period=cap.period,
            )
            for cap in draw(st.lists(caps_of, max_size=1))
        ],
        ceiling=draw(st.none() | st.builds(Ceiling, amount_minor=amounts, currency=st.just("EUR"))),
        promotions=draw(
            st.lists(
                st.builds(
                    Promotion,
                    id=st.just("spring"),
                    name=st.just("Spring"),
                    starts_at=st.sampled_from(DAYS[:6]),
                    ends_at=st.sampled_from(DAYS[6:]),
                    effect=st.builds(Multiplier, basis_points=st.integers(5_000, 20_000)),
                ),
                max_size=1,
            )
        ),
        budgets=draw(
            st.lists(
                st.builds(
                    Budget,
                    id=st.just("year"),
                    amount_minor=st.integers(1, 10**7),
                    currency=st.just("EUR"),
                ),
                max_size=1,
            )
        ),
    )


@st.composite
def sales(draw: st.DrawFn, name: str = "s") -> Sale:
    """Draw a sale, with line items or without."""
    prices = draw(st.lists(amounts.map(lambda amount: amount + 1), max_size=3))
    items = [
        Item(
            product=draw(st.sampled_from(PRODUCTS)),
            amount_minor=price,
            quantity=draw(st.integers(1, 3)),
        )
        for price in prices
    ]
    return Sale(
        id=name,
        amount_minor=sum(prices) if prices else draw(amounts),
        currency=draw(st.sampled_from(["EUR", "EUR", "JPY"])),
        occurred_at=draw(st.sampled_from(DAYS)),
        source="billing",
        product=draw(st.sampled_from(["", *PRODUCTS])),
        items=items,
    )


@st.composite
def cases(draw: st.DrawFn, name: str = "ref") -> Case:
    """Draw a won referral of one to three partners with up to four sales and an event."""
    parts = draw(weights(3))
    sold = [draw(sales(f"s{place}")) for place in range(draw(st.integers(0, 4)))]
    first = min((sale.occurred_at for sale in sold), default="")
    facts = {"lead.size": draw(st.integers(0, 2_000))}
    if draw(st.booleans()):
        facts |= {"lead.industry": "law"}
    return Case(
        referral=Referral(
            id=name,
            program="telecom",
            program_version=1,
            version=9,
            status="won" if sold else "qualified",
            submitted_at=DAYS[0],
            updated_at=DAYS[0],
            channel="link",
            lead="person",
            partner="p0",
            rep=draw(st.sampled_from(["", "anna"])),
            won_at=first,
            facts=facts,
        ),
        shares=[
            Share(
                partner=f"p{place}",
                basis_points=part,
                audience=draw(st.sampled_from(["partners", "staff"])),
                org=draw(st.sampled_from(["", "acme", "bolt"])),
                facts={"partner.country": draw(st.sampled_from(["DE", "US"]))},
            )
            for place, part in enumerate(parts)
        ],
        sales=sold,
        events=[
            _event("ReferralAdvanced", 4, draw(st.sampled_from(DAYS)), {"stage": "proposal"}),
            *[
                _event(
                    "ReferralEventRecorded",
                    5 + place,
                    DAYS[0],
                    {"event": "demo", "id": f"d{place}", "at": draw(st.sampled_from(DAYS))},
                )
                for place in range(draw(st.integers(0, 2)))
            ],
        ],
    )


def _event(kind: str, seq: int, at: str, data: dict[str, str | int]) -> Event:
    return Event(
        type=kind, entity="REFERRAL#ref", seq=seq, program="telecom", at=at, actor="x", data=data
    )
