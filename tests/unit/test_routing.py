"""Which rep gets a lead, and why the others do not."""

from collections import Counter
from typing import Any

import pytest

from introducer import routing
from introducer.partner import Rep
from introducer.referral import Referral, Share
from introducer.routing import Choice, Desk, Step
from introducer.turn import Turn
from introducer.working_hours import Span
from tests.support.life import NOW, PROGRAM, document, new_referral

MONDAY_10 = "2026-11-23T10:00:00.000Z"


def new_rep(name: str, **overrides: Any) -> Rep:
    """Return a rep who takes every lead."""
    values = {"id": name, "program": PROGRAM, "person": name, "login": name, "created_at": NOW}
    return Rep(**({"version": 1} | values | overrides))


class Office:
    """The reps of a test, whom they have leads of, and what was looked up."""

    def __init__(self, *reps: Rep, open_leads: dict[str, int] | None = None) -> None:
        self.reps = {rep.id: rep for rep in reps}
        self.open_leads = open_leads or {}
        self.turns: dict[str, Turn] = {}
        self.counted: list[str] = []

    @property
    def desk(self) -> Desk:
        """What routing looks things up with."""
        return Desk(
            reps=lambda names: {name: self.reps[name] for name in names if name in self.reps},
            turn=lambda rule: self.turns.get(rule, Turn(program=PROGRAM, rule=rule)),
            open_leads=self._count,
        )

    def _count(self, rep: Rep) -> int:
        self.counted.append(rep.id)
        return self.open_leads.get(rep.id, 0)

    def choose(
        self,
        *rules: dict[str, Any],
        owner: str = "",
        now: str = NOW,
        share: Share | None = None,
        lead: Referral | None = None,
        owner_first: bool = True,
        **known: Any,
    ) -> Choice:
        """Choose for a lead, and remember the turn that was taken."""
        rules_of = {"rules": list(rules), "owner_first": owner_first}
        program = document(routing=rules_of, products=["fibre", "mobile"])
        lead = lead or new_referral(**known)
        facts = routing.facts_of(lead, share)
        choice = routing.choose(lead, facts, program, self.desk, owner=owner, now=now)
        if choice.turn:
            self.turns[choice.turn.rule] = choice.turn
        return choice


def everybody(**overrides: Any) -> Office:
    """Return an office of four; *overrides* are fields of Anna's."""
    names = ("ben", "cleo", "dora")
    return Office(new_rep("anna", **overrides), *(new_rep(name) for name in names))


@pytest.mark.parametrize(("country", "expected"), [("AT", "cleo"), ("FR", ""), ("", "")])
def test_choose_by_country(country: str, expected: str) -> None:
    """A lead from a country no rule names is for a person to place."""
    rules = ({"reps": ["anna"], "countries": ["DE"]}, {"reps": ["cleo"], "countries": ["AT"]})
    assert expected == everybody().choose(*rules, country=country).rep


def test_choose_by_product_and_country_together() -> None:
    """All conditions of a rule must hold."""
    rules = ({"reps": ["anna"], "countries": ["DE"], "products": ["fibre"]}, {"reps": ["dora"]})
    assert "anna" == everybody().choose(*rules, product="fibre").rep
    assert "dora" == everybody().choose(*rules, product="mobile").rep


@pytest.mark.parametrize(
    ("field", "op", "value", "expected"),
    [
        ("lead.size", "gte", 250, "anna"),
        ("lead.size", "gte", 251, "dora"),
        ("lead.score", "gte", 1, "dora"),  # not known: a test of it does not hold
        ("answers.budget", "eq", "high", "anna"),
        ("metadata.campaign", "eq", "autumn", "anna"),
        ("referral.channel", "eq", "form", "anna"),
        ("lead.country", "in", ["DE", "AT"], "anna"),
        ("partner.type", "eq", "reseller", "anna"),
        ("partner.audience", "eq", "partners", "anna"),
        ("partner.share", "lt", 10_000, "dora"),
    ],
)
def test_choose_by_a_typed_condition(field: str, op: str, value: Any, expected: str) -> None:
    """Rules ask about the lead, its answers, metadata, the channel and the partner credited."""
    facts = {"lead.size": 250, "answers.budget": "high", "metadata.campaign": "autumn"}
    share = Share(
        partner="pia",
        basis_points=10_000,
        audience="partners",
        facts={"partner.type": "reseller"},
    )
    office = everybody()
    lead = new_referral(facts=facts)
    program = document(
        partner_types=["reseller"],
        score={"base": 10},
        questions={"budget": {"text": "Budget?", "type": "choice", "options": ["high", "low"]}},
        fields={"campaign": {"type": "text"}},
        routing={
            "rules": [
                {"reps": ["anna"], "condition": {"field": field, "op": op, "value": value}},
                {"reps": ["dora"]},
            ]
        },
    )
    known = routing.facts_of(lead, share)
    assert expected == routing.choose(lead, known, program, office.desk, owner="", now=NOW).rep


def test_the_share_is_needed_only_when_a_rule_asks_about_the_partner() -> None:
    """Most programs do not, and pay for no read."""
    asked = {"all": [{"field": "partner.country", "op": "eq", "value": "DE"}]}
    assert routing.asks_about_partner(
        document(routing={"rules": [{"reps": ["anna"], "condition": asked}]})
    )
    assert not routing.asks_about_partner(document())


def test_the_first_rule_with_somebody_left_decides_and_the_rest_is_told() -> None:
    """A rule whose reps are all away does not end the search; who was passed over is kept."""
    office = Office(new_rep("anna", active=False), new_rep("eve", program="other"), new_rep("dora"))
    rules = (
        {"id": "austria", "reps": ["dora"], "countries": ["AT"]},
        {"reps": ["anna", "ben", "eve"], "countries": ["DE"]},
        {"reps": ["dora"]},
    )
    assert Choice(
        rep="dora",
        rule="2",
        trail=(
            Step("austria", "", "country"),
            Step("1", "anna", "inactive"),
            Step("1", "ben", "unknown"),
            Step("1", "eve", "unknown"),
        ),
    ) == office.choose(*rules)


def test_who_handed_it_back_is_not_asked_again() -> None:
    """When everybody has passed, a person must decide."""
    rule = {"reps": ["anna", "ben"]}
    assert "ben" == everybody().choose(rule, passed=["anna"]).rep
    assert Choice(
        trail=(Step("0", "anna", "handed_back"), Step("0", "ben", "handed_back"))
    ) == everybody().choose(rule, passed=["anna", "ben"])


def test_turns_are_exact_by_weight() -> None:
    """Over a round of four, three to Anna and one to Ben, and the same for every round."""
    office = everybody()
    rule = {"reps": [{"rep": "anna", "weight": 3}, "ben"]}
    chosen = [office.choose(rule).rep for _ in range(40)]
    assert {"anna": 30, "ben": 10} == Counter(chosen)
    assert all({"anna": 3, "ben": 1} == Counter(chosen[at : at + 4]) for at in range(0, 40, 4))


def test_turns_of_rules_are_apart() -> None:
    """Each rule has its own round."""
    office = everybody()
    rules = (
        {"id": "de", "reps": ["anna", "ben"], "countries": ["DE"]},
        {"id": "at", "reps": ["anna", "ben"], "countries": ["AT"]},
    )
    chosen = [office.choose(*rules, country=country).rep for country in ("DE", "AT", "DE", "AT")]
    assert ["anna", "anna", "ben", "ben"] == chosen


def test_choose_is_the_same_each_time_it_is_made() -> None:
    """The same referral, reps and turn: the same choice, so a lost write changes nothing."""
    rule = {"reps": ["anna", "ben", "cleo"]}
    assert everybody().choose(rule) == everybody().choose(rule)


def test_one_rep_needs_no_turn() -> None:
    """Nothing is read or written for a choice that is none, however it came to be none."""
    assert Choice(rep="anna", rule="0") == everybody().choose({"reps": ["anna"]})
    alone = everybody().choose({"reps": ["anna", "ben"]}, passed=["anna"])
    assert ("ben", None) == (alone.rep, alone.turn)


def test_who_is_full_is_passed_over_and_counted_only_when_it_is_their_turn() -> None:
    """Ben has three leads open and takes three; nobody without a capacity is ever counted."""
    office = Office(
        new_rep("anna"),
        new_rep("ben", capacity=3),
        new_rep("cleo", capacity=3),
        open_leads={"ben": 3, "cleo": 2},
    )
    rule = {"reps": ["anna", "ben", "cleo"]}
    assert ("anna", []) == (office.choose(rule).rep, office.counted)
    second = office.choose(rule)
    assert ("cleo", (Step("0", "ben", "full"),)) == (second.rep, second.trail)
    assert ["ben", "cleo"] == office.counted


def test_when_all_are_full_the_next_rule_is_looked_at() -> None:
    """And after the last one a person decides."""
    office = Office(
        new_rep("anna", capacity=1),
        new_rep("ben", capacity=2),
        new_rep("cleo"),
        open_leads={"anna": 1, "ben": 5},
    )
    assert "cleo" == office.choose({"reps": ["anna", "ben"]}, {"reps": ["cleo"]}).rep
    assert Choice(trail=(Step("0", "anna", "full"), Step("0", "ben", "full"))) == office.choose(
        {"reps": ["anna", "ben"]}
    )


@pytest.mark.parametrize(
    ("profile", "lead", "why"),
    [
        ({"countries": ["AT"]}, {"country": "DE"}, "territory"),
        ({"countries": ["AT"]}, {"country": ""}, "territory"),
        ({"countries": ["DE"]}, {"country": "DE"}, ""),
        ({"products": ["mobile"]}, {"product": "fibre"}, "product"),
        ({"products": ["mobile"]}, {"product": ""}, "product"),
        ({"products": ["mobile"]}, {"product": "mobile"}, ""),
        ({"min_size": 50}, {"facts": {"lead.size": 49}}, "size"),
        ({"min_size": 50}, {"facts": {"lead.size": 50}}, ""),
        ({"max_size": 50}, {"facts": {"lead.size": 51}}, "size"),
        ({"max_size": 50}, {"facts": {"lead.size": 50}}, ""),
        ({"max_size": 50}, {}, "size"),
    ],
)
def test_a_lead_outside_of_what_a_rep_takes(
    profile: dict[str, Any], lead: dict[str, Any], why: str
) -> None:
    """Territory, products and sizes of the rep's own; what is not known fits no limit."""
    choice = everybody(**profile).choose({"reps": ["anna", "ben"]}, **lead)
    expected = (Step("0", "anna", why),) if why else ()
    assert (expected, "ben" if why else "anna") == (choice.trail, choice.rep)


@pytest.mark.parametrize(
    ("asked", "language", "expected"),
    [(True, "fr", "ben"), (True, "de", "anna"), (True, "", "anna"), (False, "fr", "anna")],
)
def test_choose_by_language_where_the_rule_asks(
    *, asked: bool, language: str, expected: str
) -> None:
    """A rep who does not speak it is passed over; a lead without a language suits everybody."""
    office = Office(new_rep("anna", languages=["de", "en"]), new_rep("ben", languages=["fr"]))
    facts = {"lead.language": language} if language else {}
    choice = office.choose({"reps": ["anna", "ben"], "language": asked}, facts=facts)
    assert expected == choice.rep


@pytest.mark.parametrize(
    ("hours", "anna_works", "ben_works", "expected"),
    [
        ("ignore", False, True, "anna"),
        ("prefer", False, True, "ben"),
        ("prefer", False, False, "anna"),
        ("prefer", True, True, "anna"),
        ("require", False, True, "ben"),
        ("require", False, False, ""),
    ],
)
def test_choose_by_working_hours(
    *, hours: str, anna_works: bool, ben_works: bool, expected: str
) -> None:
    """Ignored, preferred or required, by each rep's own clock at the moment."""
    # It is 10:00 in UTC, a Monday: 11:00 in Berlin, 02:00 in Los Angeles.
    office_hours = {"mon": [Span(start="09:00", end="17:00")]}
    zones = {True: "Europe/Berlin", False: "America/Los_Angeles"}
    office = Office(
        new_rep("anna", hours=office_hours, time_zone=zones[anna_works]),
        new_rep("ben", hours=office_hours, time_zone=zones[ben_works]),
    )
    rule = {"reps": ["anna", "ben"], "hours": hours}
    assert expected == office.choose(rule, now=MONDAY_10).rep


def test_preferred_reps_who_are_full_leave_it_to_those_away() -> None:
    """A preference is none when nobody at work has room."""
    office = Office(
        new_rep("anna", hours={"tue": [Span(start="09:00", end="17:00")]}),
        new_rep("ben", capacity=1),
        open_leads={"ben": 1},
    )
    choice = office.choose({"reps": ["anna", "ben"], "hours": "prefer"}, now=MONDAY_10)
    assert ("anna", (Step("0", "ben", "full"),)) == (choice.rep, choice.trail)


@pytest.mark.parametrize(
    ("profile", "lead", "why"),
    [
        ({}, {}, ""),
        ({"countries": ["FR"]}, {}, ""),  # it is their partner, wherever the lead is
        ({"active": False}, {}, "inactive"),
        ({"capacity": 2}, {}, "full"),
        ({}, {"passed": ["anna"]}, "handed_back"),
        ({"program": "other"}, {}, "unknown"),
    ],
)
def test_the_partners_own_rep_comes_first(
    profile: dict[str, Any], lead: dict[str, Any], why: str
) -> None:
    """Before every rule, if they take leads; otherwise the rules decide."""
    office = Office(new_rep("anna", **profile), new_rep("ben"), open_leads={"anna": 2})
    choice = office.choose({"reps": ["ben"]}, owner="anna", **lead)
    expected = Choice(rep="anna", rule="owner")
    if why:
        expected = Choice(rep="ben", rule="0", trail=(Step("owner", "anna", why),))  # type: ignore[arg-type]
    assert expected == choice


def test_the_partners_own_rep_is_one_of_many_where_the_program_says_so() -> None:
    """Without ``owner_first`` nobody is asked before the rules."""
    choice = everybody().choose({"reps": ["ben"]}, owner="anna", owner_first=False)
    assert Choice(rep="ben", rule="0") == choice


def test_a_trail_is_written_and_read_again() -> None:
    """Codes in one line, which an event can hold."""
    trail = (Step("at", "", "country"), Step("dach", "anna", "full"), Step("1", "b-2", "hours"))
    line = "at:country dach/anna:full 1/b-2:hours"
    assert line == routing.written(trail)
    assert (list(trail), 0) == routing.read(line)
    assert ([], 0) == routing.read(routing.written(()))


def test_a_long_trail_is_cut_and_says_by_how_much() -> None:
    """Two hundred reps passed over stay within an item's first kilobyte."""
    trail = tuple(Step("a_rule", f"rep-{number:03}", "handed_back") for number in range(200))
    line = routing.written(trail)
    assert len(line) < 420
    steps, left_out = routing.read(line)
    assert (list(trail[: len(steps)]), 200) == (steps, len(steps) + left_out)
