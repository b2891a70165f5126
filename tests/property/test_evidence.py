"""The credit can be computed again at any time, with the same result, and explains itself."""

from __future__ import annotations

from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from introducer import attribution, evidence, screening
from introducer.document.credit import Attribution
from introducer.referral import Referral, Share, Touch
from introducer.tables import store
from tests.property.test_attribution import rules, touches
from tests.support.life import NOW, document, new_partner, new_referral

DOCUMENT = document()
PARTNERS = ("pia", "emil", "zoe", "ole")
statuses = st.fixed_dictionaries(
    {name: st.sampled_from(["active", "active", "invited", "inactive", ""]) for name in PARTNERS}
)


def stored_and_read(value: msgspec.Struct) -> Any:
    """Return *value* as it comes back from the store."""
    return store.load(type(value), store.item(store.attributes(value)))


def screened(
    found: list[Touch], rule: Attribution, standing: dict[str, str]
) -> tuple[Referral, list[Share]]:
    """Return a referral and its shares as screening stores them; "" is a partner who is gone."""
    known = {name: new_partner(name, status=status) for name, status in standing.items() if status}
    program = msgspec.structs.replace(DOCUMENT, attribution=rule)
    referral = new_referral()
    shares = screening.credited(referral, found, known, program)
    without = screening.uncredited(referral, found, known, program)
    return msgspec.structs.replace(referral, uncredited=without, status="screening"), shares


@given(touches, rules, statuses, st.data())
def test_recomputation_after_storage_gives_the_stored_shares(
    found: list[Touch], rule: Attribution, standing: dict[str, str], data: Any
) -> None:
    """Whoever joins or leaves afterwards, and in whatever order the touches are read."""
    referral, shares = screened(found, rule, standing)
    again = data.draw(st.permutations([stored_and_read(each) for each in found]))

    read = evidence.of(
        stored_and_read(referral), again, [stored_and_read(each) for each in shares], rule, {}
    )

    assert {share.partner: share.basis_points for share in shares} == read.recomputed
    assert read.agrees


@given(touches, touches, rules, statuses)
def test_touches_that_become_known_later_change_nothing(
    found: list[Touch], later: list[Touch], rule: Attribution, standing: dict[str, str]
) -> None:
    """They are evidence, marked as late, and the credit stays."""
    referral, shares = screened(found, rule, standing)
    added = [msgspec.structs.replace(each, id=f"x{each.id}", late=True) for each in later]

    read = evidence.of(referral, [*found, *added], shares, rule, {})

    assert read.agrees
    assert {each.id for each in added} <= {each.touch.id for each in read.weighed}
    assert not any(each.counted for each in read.weighed if each.touch.late)


@given(touches, rules, st.sets(st.sampled_from(PARTNERS)), st.data())
def test_explanation_is_the_credit(
    found: list[Touch], rule: Attribution, without: set[str], data: Any
) -> None:
    """Each touch once, in order, counted or with a reason; the weights are the parts."""
    repeated = found + data.draw(
        st.lists(st.sampled_from(found), max_size=6) if found else st.just([])
    )
    weighed = attribution.explain(
        data.draw(st.permutations(repeated)), rule, at=NOW, uncredited=without
    )

    assert weighed == attribution.explain(found, rule, at=NOW, uncredited=without)
    assert sorted((each.at, each.id) for each in found) == [
        (each.touch.at, each.touch.id) for each in weighed
    ]
    assert all(each.weight == 0 for each in weighed if not each.counted)
    counted = {each.touch.partner for each in weighed if each.counted}
    parts = attribution.parts(weighed)
    assert sum(parts.values()) == (10_000 if counted else 0)
    assert {each.touch.partner for each in weighed if each.weight} >= parts.keys()
    assert not counted & without


@given(touches, rules, statuses, st.permutations(PARTNERS))
def test_decision_of_a_dispute_stands_in_the_place_of_the_rule(
    found: list[Touch], rule: Attribution, standing: dict[str, str], order: list[str]
) -> None:
    """What it gave is what must be stored, whatever the touches say."""
    referral, shares = screened(found, rule, standing)
    decided = msgspec.structs.replace(referral, dispute="d1")
    credit = {order[0]: 7_000, order[1]: 3_000}
    after = [
        Share(partner=name, basis_points=part, audience="partners") for name, part in credit.items()
    ]

    assert evidence.of(decided, found, after, rule, credit).agrees
    before = {share.partner: share.basis_points for share in shares}
    assert (before == credit) == evidence.of(decided, found, shares, rule, credit).agrees
