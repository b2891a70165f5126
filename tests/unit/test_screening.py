"""What screening decides, by touches, partners and program."""

from typing import Any

import pytest

from introducer import screening
from introducer.catalogue import FIELDS
from introducer.command import Clear, MarkDuplicate, MarkIneligible, SendToReview
from introducer.partner import Partner
from introducer.referral import Share, Touch
from introducer.screening import Verdict
from tests.support.life import NOW, document, new_partner, new_referral, touch

FACTS = {"partner.audience": "partners", "partner.country": "DE", "partner.days": 12}
WHOLE = Share(partner="pia", basis_points=10_000, audience="partners", facts=FACTS)


def _judge(
    *touches: Touch,
    partners: list[Partner] | None = None,
    rules: dict[str, Any] | None = None,
    **referral: Any,
) -> Verdict:
    known = [new_partner()] if partners is None else partners
    return screening.judge(
        new_referral(**referral),
        touches or [touch()],
        {partner.id: partner for partner in known},
        document(**(rules or {})),
    )


def test_a_lead_with_a_partner_is_cleared() -> None:
    """The partner of the click gets the whole credit and the lead goes on."""
    expected = Verdict(command=Clear(partner="pia", audience="partners"), shares=[WHOLE], flags=[])
    assert expected == _judge()


def test_a_share_names_the_partners_organization() -> None:
    """A company's list finds the referral through the share."""
    verdict = _judge(partners=[new_partner(org="acme-resellers")])
    assert ["acme-resellers"] == [share.org for share in verdict.shares]


def test_a_known_lead_is_a_duplicate_and_still_shows_its_partner() -> None:
    """Whoever referred a lead that was taken learns what became of it."""
    expected = Verdict(command=MarkDuplicate(of="r0"), shares=[WHOLE], flags=[])
    assert expected == _judge(duplicate_of="r0")


def test_a_duplicate_without_a_partner_is_a_duplicate() -> None:
    """Nobody needs to look for the partner of a lead that does not count."""
    expected = Verdict(command=MarkDuplicate(of="r0"), shares=[], flags=[])
    assert expected == _judge(duplicate_of="r0", partners=[])


def test_a_share_keeps_the_partner_as_they_were() -> None:
    """Everything the catalogue knows of a partner, so that rewards never ask again."""
    pia = new_partner(
        org="acme-resellers",
        type="reseller",
        segment="gold",
        score=0,
        enrolled_at="2026-11-21T10:00:00.001Z",
    )
    expected = {
        "partner.audience": "partners",
        "partner.type": "reseller",
        "partner.country": "DE",
        "partner.organization": "acme-resellers",
        "partner.segment": "gold",
        "partner.score": 0,
        "partner.days": 0,
    }
    (share,) = _judge(partners=[pia]).shares
    assert expected == share.facts
    asked = {name for name, entry in FIELDS.items() if entry.scope == "partner"}
    assert asked == {*share.facts, "partner.share", "partner.involvement"}


@pytest.mark.parametrize(
    ("creditable", "expected"),
    [
        ({}, {"pia": 5_000, "emil": 5_000}),
        ({"audiences": ["employees"]}, {"emil": 10_000}),
        ({"types": ["reseller"]}, {"pia": 10_000}),
        ({"audiences": ["employees"], "types": ["reseller"]}, {}),
        ({"touches": ["code"]}, {"emil": 10_000}),
    ],
)
def test_only_who_may_be_credited_is(creditable: dict[str, Any], expected: dict[str, int]) -> None:
    """The program names audiences, types and kinds of touch; the others earn no part."""
    verdict = _judge(
        touch("pia"),
        touch("emil", kind="code", at="2026-11-22T09:10:00.000Z"),
        partners=[new_partner(type="reseller"), new_partner("emil", audience="employees")],
        rules={
            "partner_types": ["reseller"],
            "attribution": {"model": "linear", "creditable": creditable},
        },
    )
    assert expected == {share.partner: share.basis_points for share in verdict.shares}


@pytest.mark.parametrize(
    "partners",
    [
        pytest.param([], id="unknown"),
        pytest.param([new_partner(status="inactive")], id="deactivated"),
        pytest.param([new_partner(program="other")], id="of another program"),
    ],
)
def test_a_lead_nobody_may_be_credited_for_goes_to_review(partners: list[Partner]) -> None:
    """A touch of somebody who may not earn is worth nothing, and a person looks at the lead."""
    expected = Verdict(command=SendToReview(reason="no_partner"), shares=[], flags=[])
    assert expected == _judge(partners=partners)


def test_a_lead_without_any_touch_goes_to_review() -> None:
    """Without a link there is nobody to credit."""
    verdict = screening.judge(new_referral(), [], {}, document())
    assert SendToReview(reason="no_partner") == verdict.command


def test_a_deactivated_partners_later_touch_leaves_the_credit_to_the_earlier_one() -> None:
    """Deactivation takes a partner out before the model picks the last touch."""
    verdict = _judge(
        touch("pia", at="2026-11-20T00:00:00.000Z"),
        touch("gone", at="2026-11-21T00:00:00.000Z"),
        partners=[new_partner(), new_partner("gone", status="inactive")],
    )
    assert [WHOLE] == verdict.shares
    assert Clear(partner="pia", audience="partners") == verdict.command


@pytest.mark.parametrize("country", ["DE", "AT", ""])
def test_a_lead_from_a_served_or_unnamed_country_is_cleared(country: str) -> None:
    """Only a country that is named and not served stands in the way."""
    assert Clear(partner="pia", audience="partners") == _judge(country=country).command


def test_a_lead_from_another_country_is_ineligible() -> None:
    """The audience's countries decide, and the partner sees the referral and the reason."""
    expected = Verdict(command=MarkIneligible(reason="country"), shares=[WHOLE], flags=[])
    assert expected == _judge(country="FR")


def test_an_audience_without_countries_takes_leads_from_anywhere() -> None:
    """An empty list means no limit."""
    verdict = _judge(country="FR", partners=[new_partner(audience="employees")])
    assert Clear(partner="pia", audience="employees") == verdict.command


def test_an_audience_the_program_dropped_limits_nothing() -> None:
    """A partner who enrolled under an older version is still credited."""
    verdict = _judge(country="FR", partners=[new_partner(audience="alumni")])
    assert Clear(partner="pia", audience="alumni") == verdict.command


def test_the_largest_part_gives_partner_and_audience() -> None:
    """Under a linear model the referral is listed under who touched it most."""
    verdict = _judge(
        touch("pia", id="1"),
        touch("emil", id="2", at="2026-11-22T09:10:00.000Z"),
        touch("emil", id="3", at="2026-11-22T09:20:00.000Z"),
        partners=[new_partner(), new_partner("emil", audience="employees")],
        rules={"attribution": {"model": "linear"}},
    )
    assert Clear(partner="emil", audience="employees") == verdict.command
    assert {"pia": 3_333, "emil": 6_667} == {
        share.partner: share.basis_points for share in verdict.shares
    }


def test_equal_parts_go_by_the_earlier_touch() -> None:
    """A tie is broken the same way every time."""
    touches = [touch("zoe", at="2026-11-22T08:00:00.000Z"), touch("pia")]
    partners = [new_partner(), new_partner("zoe")]
    rules = {"attribution": {"model": "linear"}}
    for order in (touches, touches[::-1]):
        verdict = _judge(*order, partners=partners, rules=rules)
        assert Clear(partner="zoe", audience="partners") == verdict.command


def test_an_own_lead_is_held() -> None:
    """A partner who refers the own mailbox goes on, but earns nothing until somebody looked."""
    expected = Verdict(
        command=Clear(partner="pia", audience="partners", hold="self_referral"),
        shares=[WHOLE],
        flags=[],
    )
    assert expected == _judge(lead_key="key-pia")


def test_an_own_lead_is_only_flagged_where_the_program_says_so() -> None:
    """The flag belongs to no partner, so that it never earns a part of the credit."""
    flag = Touch(id="self_referral", kind="flag", at=NOW, data={"signal": "self_referral"})
    expected = Verdict(
        command=Clear(partner="pia", audience="partners"), shares=[WHOLE], flags=[flag]
    )
    assert expected == _judge(lead_key="key-pia", rules={"fraud": {"self_referral": "flag"}})


def test_one_credited_partner_among_several_is_enough_to_hold() -> None:
    """Sharing the credit with somebody else does not hide an own lead."""
    verdict = _judge(
        touch("pia"),
        touch("emil", at="2026-11-22T09:10:00.000Z"),
        partners=[new_partner(), new_partner("emil")],
        rules={"attribution": {"model": "linear"}},
        lead_key="key-pia",
    )
    assert isinstance(verdict.command, Clear)
    assert "self_referral" == verdict.command.hold


def test_another_partner_as_a_lead_is_no_self_referral() -> None:
    """Partners may refer each other."""
    verdict = _judge(
        touch("pia"), partners=[new_partner(), new_partner("emil")], lead_key="key-emil"
    )
    assert Clear(partner="pia", audience="partners") == verdict.command


def test_a_lead_without_an_address_is_nobodys_own() -> None:
    """Two missing keys are not the same mailbox."""
    verdict = _judge(partners=[new_partner(email_key="")], lead_key="")
    assert Clear(partner="pia", audience="partners") == verdict.command
