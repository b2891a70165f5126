"""The public table and estimate, and the forecast: over HTTP, and equal to what is earned."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from introducer.command import Accept, Advance, Assign, Clear, Win
from introducer.earning.evaluate import evaluate
from introducer.earning.history import TallyKey
from introducer.earning.occasion import Case
from introducer.earning.rules import rules_of
from introducer.referral import Item, Sale, Share
from introducer.tables import programs, referrals, tallies
from introducer.tables.store import Transaction
from introducer.tally import Head
from tests.support import life
from tests.support.api import Reply, call, login
from tests.support.tables import everything

NOW = "2026-11-22T11:17:00.000Z"  # where the fixture `frozen` stops the clock
PIA = login("login-pia", "partner")
TABLE = "/v1/programs/acme/rewards"
LEVEL = {
    "plan": "commission",
    "period": "2026",
    "measure": "count",
    "currency": "",
    "reached": 0,
    "tier": 0,
    "next_tier": 1,
    "missing": 3,
}
"""Where everybody begins on the one plan that has tiers."""
ESTIMATE = "/v1/programs/acme/estimate"
COMMISSION = {
    "id": "commission",
    "audiences": ["partners"],
    "calculation": {"kind": "percent", "basis_points": 1000},
    "escalation": {
        "measure": "count",
        "tiers": [{"from": 3, "calculation": {"kind": "percent", "basis_points": 1500}}],
    },
    "bonuses": [
        {
            "id": "large",
            "condition": {"field": "lead.size", "op": "gte", "value": 50},
            "effect": {"kind": "flat", "amount_minor": 5000, "currency": "EUR"},
        }
    ],
    "caps": [
        {"id": "year", "per": "partner", "amount_minor": 1_000_000, "currency": "EUR"},
    ],
    "milestones": [
        {"id": "purchase", "share_basis_points": 2500},
        {"id": "loyalty", "share_basis_points": 7500, "when": "retained", "after_days": 180},
    ],
}
QUALIFIED = {
    "id": "meeting",
    "trigger": {"on": "stage", "stage": "qualified"},
    "type": "gift_card",
    "calculation": {"kind": "flat", "amount_minor": 2000, "currency": "EUR"},
    "milestones": [{"id": "met", "share_basis_points": 10000, "when": "earned"}],
}
WELCOME = {
    "id": "welcome",
    "beneficiary": "customer",
    "trigger": {"on": "won"},
    "type": "credit",
    "calculation": {"kind": "flat", "amount_minor": 1000, "currency": "EUR"},
    "milestones": [{"id": "now", "share_basis_points": 10000}],
}

pytestmark = pytest.mark.usefixtures("aws", "frozen")


@pytest.fixture(autouse=True)
def program(aws: None) -> None:  # noqa: ARG001  (pytest orders fixtures by it)
    """A program with a tiered commission, a meeting's gift card and the customer's credit."""
    life.publish(
        rewards=[COMMISSION, QUALIFIED, WELCOME],
        questions={"budget": {"text": "Is there a budget?", "type": "flag", "required": True}},
        time_zone="Europe/Berlin",
        forecast={
            "usual_sale_minor": {"fibre": 200_000},
            "chance_basis_points": {"assigned": 1000, "accepted": 2500, "proposal": 6000},
        },
    )


def ask(**body: Any) -> Reply:
    """Ask what a sale would earn, without a login or a key."""
    asked = {"audience": "partners", "amount_minor": 500_000, "currency": "EUR", **body}
    return call("POST", ESTIMATE, asked, key=None)


def test_anybody_reads_the_table() -> None:
    """No login; it may be kept for some minutes; data and words of one row, whole."""
    reply = call("GET", f"{TABLE}?audience=employees&locale=en")
    assert (200, "public, max-age=300") == (reply.status, reply.headers["cache-control"])
    (group,) = reply.body.pop("audiences")
    assert {
        "program": "acme",
        "name": "Acme referrals",
        "version": 1,
        "effective_at": life.NOW,
        "changes_at": "",
        "currency": "EUR",
        "time_zone": "Europe/Berlin",
        "terms_version": "1",
    } == reply.body
    meeting, welcome = group.pop("rows")
    assert {
        "audience": "employees",
        "name": "Employees",
        "locale": "en",
        "engagement": {"referrals": 0, "successes": 0, "agreements": []},
        "caps": [],
        "ceiling": None,
        "words": [],
    } == group
    assert "welcome" == welcome["plan"]
    assert {
        "plan": "meeting",
        "name": "Meeting",
        "beneficiary": "partner",
        "type": "gift_card",
        "by_chance": False,
        "trigger": {"on": "stage", "stage": "qualified"},
        "calculation": {"kind": "flat", "amount_minor": 2000, "currency": "EUR"},
        "condition": None,
        "variants": [],
        "escalation": None,
        "bonuses": [],
        "promotions": [],
        "caps": [],
        "milestones": [
            {
                "id": "met",
                "share_basis_points": 10000,
                "when": "earned",
                "after_days": 0,
                "condition": None,
                "until_days": None,
            }
        ],
        "hold_days": 0,
        "clawback": {"policy": "proportional", "within_days": None},
        "does": "When the referral reaches the stage “qualified”",
        "gets": "you get 20.00 EUR as a gift card",
        "words": [
            "When the referral reaches the stage “qualified”: you get 20.00 EUR as a gift card.",
            "100% is due at once.",
            "A refund takes back its part.",
        ],
    } == meeting


def test_the_table_is_that_of_the_version_that_counts(frozen: Callable[[str], None]) -> None:
    """One that is coming is announced by its date and shown from then on."""
    writes = Transaction()
    programs.publish(
        writes,
        life.document(rewards=[{**QUALIFIED, "name": "Coffee"}]),
        now=NOW,
        actor="user:1",
        effective_at="2026-12-06T00:00:00.000Z",
    )
    writes.commit()
    before = call("GET", TABLE).body
    assert (1, "2026-12-06T00:00:00.000Z") == (before["version"], before["changes_at"])
    frozen("2026-12-06T00:00:00.000Z")
    after = call("GET", TABLE).body
    assert (2, "", "Coffee") == (
        after["version"],
        after["changes_at"],
        after["audiences"][0]["rows"][0]["name"],
    )


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/v1/programs/nosuch/rewards", (404, "not_found")),
        (f"{TABLE}?audience=nosuch", (422, "unknown_audience")),
        (f"{TABLE}?audience=../HEAD", (400, "invalid_input")),
        (f"{TABLE}?locale=english", (400, "invalid_input")),
        (f"{TABLE}?draft=1", (400, "unknown_field")),
    ],
)
def test_the_table_is_strict_about_what_is_asked(path: str, expected: tuple[int, str]) -> None:
    """Nothing but an audience and a language can be asked for."""
    assert expected == call("GET", path).problem()


def test_an_estimate_says_how_much_when_and_why() -> None:
    """Amounts, due dates of the program's time zone, sentences; nothing is stored."""
    before = everything()
    reply = ask(size=50, locale="en")
    assert 200 == reply.status
    rewards = reply.body.pop("rewards")
    assert [
        ("meeting", "met", "partner", 2_000, "EUR", "earned", NOW),
        ("commission", "purchase", "partner", 13_750, "EUR", "won", NOW),
        ("commission", "loyalty", "partner", 41_250, "EUR", "retained", "2027-05-21T10:17:00.000Z"),
        ("welcome", "now", "customer", 1_000, "EUR", "won", NOW),
    ] == sorted(
        (
            (
                each["plan"],
                each["milestone"],
                each["beneficiary"],
                each["amount_minor"],
                each["currency"],
                each["when"],
                each["due_at"],
            )
            for each in rewards
        ),
        key=lambda row: ["met", "purchase", "loyalty", "now"].index(row[1]),
    )
    (loyalty,) = (each for each in rewards if each["milestone"] == "loyalty")
    assert [
        "The plan “commission” gives 10% of 5,000.00 EUR: 500.00 EUR.",
        "It is success number 1 of the period.",
        "The bonus “large” makes it 550.00 EUR.",
        "The part “loyalty” is 75% of it: 412.50 EUR.",
    ] == loyalty["explanation"]
    assert ["rule", "bonus", "milestone"] == [step["step"] for step in loyalty["trace"]]
    totals = sorted(reply.body.pop("totals"), key=lambda each: each["amount_minor"])
    assert [
        ("customer", "credit", "EUR", 1_000, "10.00 EUR as account credit"),
        ("partner", "gift_card", "EUR", 2_000, "20.00 EUR as a gift card"),
        ("partner", "cash", "EUR", 55_000, "550.00 EUR"),
    ] == [tuple(each.values()) for each in totals]
    assert {"program": "acme", "version": 1, "at": NOW} == reply.body
    assert before == everything()


def cash(reply: Reply) -> int:
    """Return the partner's money of an estimate."""
    return sum(
        each["amount_minor"]
        for each in reply.body["totals"]
        if (each["beneficiary"], each["type"]) == ("partner", "cash")
    )


def test_an_estimate_counts_what_was_achieved_before() -> None:
    """The third success reaches the tier; what was earned uses up the cap."""
    assert [50_000, 50_000, 75_000] == [cash(ask(successes=count)) for count in (0, 1, 2)]
    assert [50_000, 1, 0] == [
        cash(ask(earned_minor=earned)) for earned in (950_000, 999_999, 1_000_000)
    ]


def test_an_estimate_speaks_the_language_asked_for() -> None:
    """Without one that of the audience."""
    assert "Der Plan" in ask(locale="de").body["rewards"][0]["explanation"][0]
    assert "The plan" in ask().body["rewards"][0]["explanation"][0]


def test_items_stand_for_the_amount() -> None:
    """Their sum is the amount; one that contradicts it is refused."""
    items = [
        {"product": "fibre", "amount_minor": 100_000, "quantity": 2},
        {"product": "mobile", "amount_minor": 50_000},
    ]
    body = {"audience": "partners", "currency": "EUR", "items": items}
    assert 15_000 == cash(call("POST", ESTIMATE, body, key=None))
    assert (422, "items_differ", "amount_minor") == ask(items=items).field()


ITEM = {"product": "fibre", "amount_minor": 1}


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"audience": "nosuch"}, (422, "unknown_audience")),
        ({"product": "yacht"}, (422, "unknown_product")),
        ({"items": [{"product": "yacht", "amount_minor": 500_000}]}, (422, "unknown_product")),
        ({"currency": "XXX"}, (422, "unknown_currency")),
        ({"currency": "PTS"}, (422, "unknown_currency")),
        ({"currency": "USD"}, (422, "no_exchange_rate")),
        ({"amount_minor": None}, (422, "amount_missing")),
        ({"amount_minor": 0}, (400, "invalid_input")),
        ({"amount_minor": -1}, (400, "invalid_input")),
        ({"amount_minor": 10**12 + 1}, (400, "invalid_input")),
        ({"amount_minor": 1.5}, (400, "invalid_input")),
        ({"items": [ITEM] * 101}, (400, "invalid_input")),
        ({"items": [{**ITEM, "quantity": 0}]}, (400, "invalid_input")),
        ({"items": [{**ITEM, "price": 1}]}, (400, "unknown_field")),
        ({"successes": -1}, (400, "invalid_input")),
        ({"successes": 10**6 + 1}, (400, "invalid_input")),
        ({"involvement": "watched"}, (400, "invalid_input")),
        ({"country": "Germany"}, (400, "invalid_input")),
        ({"answers": {"nosuch": 1}}, (422, "unknown_question")),
        ({"answers": {"budget": "maybe"}}, (422, "invalid_answer")),
        ({"metadata": {"nosuch": 1}}, (422, "unknown_metadata")),
        ({"partner": "pia"}, (400, "unknown_field")),
        ({"audience": "partners\n"}, (400, "invalid_input")),
        ({"locale": "../../etc"}, (400, "invalid_input")),
    ],
)
def test_an_estimate_refuses_what_makes_no_sense(
    body: dict[str, Any], expected: tuple[int, str]
) -> None:
    """Everything is bounded and named; anybody may call this."""
    assert expected == ask(**body).problem()


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("{", (400, "malformed_json")),
        ("[]", (400, "invalid_input")),
        ("[" * 20_000, (400, "invalid_input")),
        ("", (400, "missing_field")),
        ('{"audience":"' + "x" * 32_768 + '"}', (413, "body_too_large")),
    ],
)
def test_an_estimate_reads_no_strange_body(raw: str, expected: tuple[int, str]) -> None:
    """Broken, nested and huge bodies cost nothing."""
    assert expected == call("POST", ESTIMATE, raw, key=None).problem()


def test_a_hundred_items_and_the_largest_amounts_are_computed() -> None:
    """At the limits it still answers; the cap holds."""
    items = [{"product": "fibre", "amount_minor": 10**12, "quantity": 10**6}] * 100
    body = {"audience": "partners", "currency": "EUR", "items": items, "successes": 10**6}
    assert 1_000_000 == cash(call("POST", ESTIMATE, body, key=None))


def earned(name: str) -> list[tuple[str, str, int, str]]:
    """Return what a stored referral earns its partner, by the rules that book it."""
    detail = referrals.detail(name)
    rules = rules_of(programs.version("acme", detail.referral.program_version).document)
    case = Case(
        referral=detail.referral, shares=detail.shares, sales=detail.sales, events=detail.events
    )
    return sorted(
        (each.plan, each.milestone, each.amount_minor, each.due_at)
        for each in evaluate(rules, case).rewards
    )


def credited(name: str, product: str = "fibre", **overrides: Any) -> None:
    """Store a referral that Pia is credited for and Anna has."""
    made = life.submit(name, lead_key=f"key-{name}", product=product, submitted_at=NOW, **overrides)
    writes = Transaction()
    referrals.add_share(
        writes, made, Share(partner="pia", basis_points=10_000, audience="partners")
    )
    writes.commit()
    life.move(name, Clear(partner="pia", audience="partners"), now=NOW)
    life.move(name, Assign(rep="anna"), now=NOW)


def test_an_estimate_is_what_a_real_referral_then_earns() -> None:
    """Submitted, through every stage and won at one instant: the same rewards, to the cent."""
    credited("r1", facts={"lead.size": 80})
    items = [
        Item(product="fibre", amount_minor=400_000),
        Item(product="mobile", amount_minor=123_457, quantity=3),
    ]
    sale = Sale(
        id="s1",
        amount_minor=523_457,
        currency="EUR",
        occurred_at=NOW,
        source="billing",
        items=items,
    )
    before = life.move("r1", Accept(), now=NOW)
    writes = Transaction()
    referrals.add_sale(writes, before, sale)
    writes.commit()
    life.move("r1", Win(sale=sale), now=NOW)
    asked = ask(
        amount_minor=523_457,
        items=[
            {"product": "fibre", "amount_minor": 400_000},
            {"product": "mobile", "amount_minor": 123_457, "quantity": 3},
        ],
        product="fibre",
        country="DE",
        size=80,
    )
    assert earned("r1") == sorted(
        (each["plan"], each["milestone"], each["amount_minor"], each["due_at"])
        for each in asked.body["rewards"]
    )


def test_a_forecast_is_what_open_referrals_may_still_bring() -> None:
    """Usual sale times chance by stage; what is earned already or closed does not count."""
    life.enrol("pia")
    credited("r1")
    credited("r2")
    life.move("r2", Accept(), now=NOW)
    life.move("r2", Advance(stage="qualified", source_at=NOW), now=NOW)
    credited("r3", product="mobile")
    credited("r4")
    sale = Sale(id="s", amount_minor=1, currency="EUR", occurred_at=NOW, source="billing")
    life.move("r4", Win(sale=sale), now=NOW)
    reply = call("GET", "/v1/me/forecast", claims=PIA)
    cash_of = {
        "type": "cash",
        "currency": "EUR",
        "possible_minor": 20_000,
        "possible": "200.00 EUR",
    }
    gift = {
        "type": "gift_card",
        "currency": "EUR",
        "possible_minor": 2_000,
        "possible": "20.00 EUR as a gift card",
        "expected_minor": 200,
        "expected": "2.00 EUR as a gift card",
    }
    body = reply.body
    for item in body["items"]:
        item["amounts"].sort(key=lambda each: each["type"])
    body["totals"].sort(key=lambda each: each["type"])
    assert {
        "at": NOW,
        "levels": [LEVEL],
        "items": [
            {
                "referral": "r2",
                "status": "qualified",
                "chance_basis_points": 2500,
                "amounts": [{**cash_of, "expected_minor": 5_000, "expected": "50.00 EUR"}],
            },
            {
                "referral": "r1",
                "status": "assigned",
                "chance_basis_points": 1000,
                "amounts": [{**cash_of, "expected_minor": 2_000, "expected": "20.00 EUR"}, gift],
            },
        ],
        "totals": [
            {
                **cash_of,
                "possible_minor": 40_000,
                "possible": "400.00 EUR",
                "expected_minor": 7_000,
                "expected": "70.00 EUR",
            },
            gift,
        ],
        "left_out": 1,
    } == body


def test_a_forecast_is_ones_own() -> None:
    """Somebody else has none, but a ladder of their own; who is not enrolled has neither."""
    life.enrol("pia")
    life.enrol("paul")
    credited("r1")
    climbed = TallyKey("paul", "plan.commission", "2026")
    tallies.save(life.PROGRAM, climbed, Head(), Head(version=1, count=2, value_minor=9))
    paul = call("GET", "/v1/me/forecast", claims=login("login-paul", "partner")).body
    level = {**LEVEL, "reached": 2, "missing": 1}
    assert {"at": NOW, "levels": [level], "items": [], "totals": [], "left_out": 0} == paul
    stranger = call("GET", "/v1/me/forecast", claims=login("login-x", "partner"))
    assert (404, "not_enrolled") == stranger.problem()
