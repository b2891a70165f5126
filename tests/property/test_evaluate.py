"""Any program, any referral: nothing is lost, no limit passed, the same facts give the same."""

from __future__ import annotations

import json

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from introducer import calendar
from introducer.document.plan import Cap
from introducer.earning.evaluate import Outcome, evaluate, needs
from introducer.earning.exchange import Rates
from introducer.earning.history import Tally
from introducer.earning.occasion import Case
from introducer.earning.rules import Rules
from introducer.money import MAX_MINOR, POINTS
from introducer.program import Program
from introducer.reward import Reward
from tests.support.drawn import cases, documents

SLICE = settings(max_examples=40, deadline=None)
"""A document and its cases are large to draw; the soak run draws more."""


@given(documents(), cases())
@SLICE
def test_evaluate_names_every_reward_once_and_gives_none_of_nothing(
    document: Program, case: Case
) -> None:
    """No two rewards share a journal, each is worth something and says how it came about."""
    found = evaluate(Rules(document), case).rewards

    assert len(found) == len({each.journal_id() for each in found})
    assert all(0 < each.amount_minor == each.offered_minor <= MAX_MINOR for each in found)
    assert all(each.trace[0]["step"] == "rule" for each in found)
    assert all(each.earned_at <= each.due_at for each in found)


@given(documents(), cases())
@SLICE
def test_evaluate_ends_each_trace_with_the_amount(document: Program, case: Case) -> None:
    """The last step of a trace that names an amount names the reward's own."""
    for each in evaluate(Rules(document), case).rewards:
        last = [step["amount_minor"] for step in each.trace if "amount_minor" in step][-1]
        assert last == each.amount_minor


@given(documents(), cases())
@SLICE
def test_evaluate_does_not_depend_on_the_order_of_anything(document: Program, case: Case) -> None:
    """Dictionaries turned round, sales and events in another order: the same rewards."""
    turned = msgspec.json.decode(_reversed_keys(document), type=Program)
    shuffled = msgspec.structs.replace(
        case, sales=list(case.sales)[::-1], events=list(case.events)[::-1]
    )

    assert evaluate(Rules(document), case) == evaluate(Rules(turned), shuffled)


@given(documents(), cases())
@SLICE
def test_milestones_of_an_award_add_up(document: Program, case: Case) -> None:
    """Whatever the split, the parts make the award that was cut into them."""
    awards: dict[tuple[str, str, str], list[Reward]] = {}
    for each in evaluate(Rules(document), case).rewards:
        awards.setdefault((each.plan, each.occasion, each.partner), []).append(each)
    for parts in awards.values():
        before = [
            step["amount_minor"]
            for step in parts[0].trace
            if step["step"] not in {"milestone", "best"}
        ]
        assert sum(part.amount_minor for part in parts) == before[-1]


@given(documents(), st.lists(st.integers(0, 5), min_size=2, max_size=4, unique=True), st.data())
@SLICE
def test_no_cap_of_a_partner_is_passed_over_many_referrals(
    document: Program, numbers: list[int], data: st.DataObject
) -> None:
    """Several referrals of the same partners, evaluated in business order, keep to every cap."""
    rules = Rules(document)
    drawn = [data.draw(cases(f"r{number}")) for number in sorted(numbers)]
    outcomes = _in_business_order(rules, drawn)
    for plan in rules.plans:
        for cap in [cap for cap in plan.plan.caps if cap.per == "partner"]:
            _assert_within(
                rules, cap, [r for o in outcomes for r in o.rewards if r.plan == plan.plan.id]
            )
    for cap in [cap for cap in document.caps if cap.per == "partner"]:
        _assert_within(rules, cap, [r for o in outcomes for r in o.rewards])


@given(documents(), cases())
@SLICE
def test_no_cap_of_a_lead_and_no_ceiling_is_passed(document: Program, case: Case) -> None:
    """Within one referral, caps per lead hold for each beneficiary kind, the ceiling over all."""
    rates = Rates(document.exchange, document.currency)
    found = evaluate(Rules(document), case).rewards
    kinds = {plan.id: plan.beneficiary for plan in document.rewards}
    for plan in document.rewards:
        for cap in [cap for cap in plan.caps if cap.per == "lead"]:
            _assert_within(
                Rules(document), cap, [r for r in found if r.plan == plan.id], per_holder=False
            )
    for cap in [cap for cap in document.caps if cap.per == "lead"]:
        for kind in set(kinds.values()):
            mine = [each for each in found if kinds[each.plan] == kind]
            _assert_within(Rules(document), cap, mine, per_holder=False)
    if document.ceiling:
        spent = sum(
            rates.cost(sum(part), currency, "EUR")
            for currency, part in _by_award(found).items()
            if currency != POINTS
        )
        assert spent <= document.ceiling.amount_minor


@given(documents(), cases(), cases("other"))
@SLICE
def test_evaluate_asks_only_for_the_tallies_it_says_it_needs(
    document: Program, case: Case, other: Case
) -> None:
    """Whatever lies in other tallies changes nothing, and what is counted was asked for."""
    rules = Rules(document)
    wanted = needs(rules, case)
    outcome = evaluate(rules, case)

    assert outcome.successes.keys() <= wanted
    noise = {
        key: Tally(count=9, value_minor=9, used_minor=10**14)
        for key in needs(rules, other) - wanted
    }
    assert outcome == evaluate(rules, case, noise)


@given(documents(), cases(), st.integers(1, 10**6))
@SLICE
def test_a_larger_budget_or_cap_never_pays_less(document: Program, case: Case, more: int) -> None:
    """Raising the one cap of a program with one plan raises what is earned, or leaves it."""
    plan = document.rewards[0]
    alone = msgspec.structs.replace(document, rewards=[plan], caps=[], ceiling=None)
    raised = msgspec.structs.replace(
        plan,
        caps=[
            msgspec.structs.replace(cap, amount_minor=cap.amount_minor + more) for cap in plan.caps
        ],
    )
    wider = msgspec.structs.replace(alone, rewards=[raised])

    assert _total(evaluate(Rules(alone), case)) <= _total(evaluate(Rules(wider), case))


def _total(outcome: Outcome) -> int:
    return sum(each.amount_minor for each in outcome.rewards)


def _in_business_order(rules: Rules, drawn: list[Case]) -> list[Outcome]:
    """Evaluate each referral with the others' successes as its history, until nothing moves."""
    outcomes = [evaluate(rules, case) for case in drawn]
    for _ in range(40):
        before = outcomes
        outcomes = list(outcomes)
        for index, case in enumerate(drawn):
            history = {
                key: Tally(
                    others=tuple(
                        sorted(
                            (
                                s
                                for j, o in enumerate(outcomes)
                                if j != index
                                for s in o.successes.get(key, ())
                            ),
                            key=lambda success: success.position,
                        )
                    )
                )
                for key in needs(rules, case)
            }
            outcomes[index] = evaluate(rules, case, history)
        if outcomes == before:
            return outcomes
    raise AssertionError("the awards do not settle")


def _assert_within(rules: Rules, cap: Cap, found: list[Reward], *, per_holder: bool = True) -> None:
    used: dict[tuple[str, str, str], int] = {}
    for each in found:
        if (each.currency == POINTS) != (cap.currency == POINTS):
            continue
        period = calendar.period(each.earned_at, cap.period, rules.where)
        place = (each.partner if per_holder else "", period, each.currency)
        used[place] = used.get(place, 0) + each.amount_minor
    spent: dict[tuple[str, str], int] = {}
    for (holder, period, currency), amount in used.items():
        cost = rules.rates.cost(amount, currency, cap.currency)
        spent[holder, period] = spent.get((holder, period), 0) + cost
    assert all(amount <= cap.amount_minor for amount in spent.values())


def _by_award(found: tuple[Reward, ...]) -> dict[str, list[int]]:
    sums: dict[str, list[int]] = {}
    for each in found:
        sums.setdefault(each.currency, []).append(each.amount_minor)
    return sums


def _reversed_keys(document: Program) -> bytes:
    plain = json.loads(msgspec.json.encode(document))

    def turned(value: object) -> object:
        if isinstance(value, dict):
            return {key: turned(value[key]) for key in reversed(list(value))}
        return [turned(each) for each in value] if isinstance(value, list) else value

    return json.dumps(turned(plain)).encode()
