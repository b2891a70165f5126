"""The company's lists, and what a program says of a lead found there."""

from __future__ import annotations

from typing import Any

import pytest

from introducer import account, conflicts
from introducer.account import Account, Entry
from introducer.command import Clear, MarkDuplicate, MarkIneligible, SendToReview
from introducer.conflicts import Found, Ruling
from introducer.document.intake import Conflicts
from introducer.event import Event
from introducer.partner import Partner
from introducer.referral import Touch
from introducer.screening import Verdict, judge
from tests.support.life import NOW, document, new_partner, new_referral, touch

LATER = "2026-11-23T10:00:00.000Z"
NOBODY = Account(program="acme", by="domain", key="k", version=0)
OURS = Entry(listed_at=NOW, rep="anna")


def _judge(
    found: Found,
    partners: list[Partner] | None = None,
    rules: dict[str, Any] | None = None,
    **referral: Any,
) -> Verdict:
    known = partners or [new_partner()]
    return judge(
        new_referral(**referral),
        [touch(each.id) for each in known],
        {each.id: each for each in known},
        document(**(rules or {})),
        found,
    )


def _on(**entries: Entry) -> Found:
    return Found(entries=entries)  # type: ignore[arg-type]


def _flags(verdict: Verdict) -> list[str]:
    return [each.data["signal"] for each in verdict.flags]


def test_listing_tells_one_event() -> None:
    """A key that is put on a list has version 1 and an event without who it is."""
    moved = account.listed(NOBODY, "open", OURS, now=NOW, actor="user:1")
    after = Account(program="acme", by="domain", key="k", version=1, on={"open": OURS})
    event = Event(
        type="AccountListed",
        entity="ACCOUNT#acme#domain#k",
        seq=1,
        program="acme",
        at=NOW,
        actor="user:1",
        data={"kind": "open", "rep": "anna"},
    )
    assert (after, event) == moved


def test_listing_again_changes_nothing() -> None:
    """The same entry at another time says nothing new; since when it stands there stays."""
    known = Account(program="acme", by="domain", key="k", version=1, on={"open": OURS})
    again = Entry(listed_at=LATER, rep="anna")
    assert account.listed(known, "open", again, now=LATER, actor="user:1") is None
    moved = account.listed(known, "open", Entry(listed_at=LATER), now=LATER, actor="user:1")
    assert moved is not None
    assert (Entry(listed_at=NOW), "AccountChanged") == (moved[0].on["open"], moved[1].type)


def test_lists_do_not_touch_each_other() -> None:
    """A customer may be a named account, and cease to be one."""
    known = Account(program="acme", by="domain", key="k", version=1, on={"open": OURS})
    moved = account.listed(known, "customer", OURS, now=LATER, actor="user:1")
    assert moved is not None
    left = account.removed(moved[0], "open", now=LATER, actor="user:1")
    assert left is not None
    assert ({"customer": OURS}, 3, "AccountRemoved") == (
        left[0].on,
        left[0].version,
        left[1].type,
    )
    assert account.removed(left[0], "named", now=LATER, actor="user:1") is None


@pytest.mark.parametrize(
    ("until", "counts"),
    [("", True), ("2026-11-22T10:00:00.001Z", True), (NOW, False), ("2026-11-01", False)],
)
def test_an_entry_counts_before_its_end(until: str, *, counts: bool) -> None:
    """To the millisecond."""
    listed = Account(
        program="acme",
        by="email",
        key="k",
        version=1,
        on={"customer": Entry(listed_at=NOW, until=until)},
    )
    assert counts == ("customer" in conflicts.entries([listed], NOW))


def test_the_strongest_key_decides_whose_it_is() -> None:
    """A person's own entry comes before that of their company."""
    hers = Account(program="acme", by="email", key="k", version=1, on={"open": OURS})
    theirs = Account(
        program="acme",
        by="domain",
        key="k",
        version=1,
        on={"open": Entry(listed_at=NOW, rep="ben"), "named": Entry(listed_at=NOW, rep="ben")},
    )
    found = conflicts.entries([hers, theirs], NOW)
    assert {"open": "anna", "named": "ben"} == {kind: each.rep for kind, each in found.items()}


def test_the_strictest_ruling_comes_first() -> None:
    """Whatever the order in which things are found."""
    found = Found(entries={"named": OURS, "customer": OURS}, same_company=True, same_phone=True)
    assert [
        Ruling(treatment="ineligible", reason="existing_customer", rep="anna"),
        Ruling(treatment="assign", reason="named_account", rep="anna"),
        Ruling(treatment="flag", reason="same_company"),
        Ruling(treatment="flag", reason="same_phone"),
    ] == conflicts.rulings(found, Conflicts())


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("customer", "existing_customer"),
        ("open", "open_with_sales"),
        ("named", "named_account"),
        ("domain", "same_company"),
    ],
)
def test_each_conflict_goes_as_the_program_says(kind: str, reason: str) -> None:
    """Accepted, marked, looked at by a person or turned down, with the reason."""
    found = Found(same_company=True) if kind == "domain" else _on(**{kind: OURS})
    clear = Clear(partner="pia", audience="partners")
    expected: dict[str, tuple[object, list[str]]] = {
        "accept": (clear, []),
        "flag": (clear, [reason]),
        "review": (SendToReview(reason=reason), []),
        "ineligible": (MarkIneligible(reason=reason), []),
    }
    for treatment, (command, flags) in expected.items():
        verdict = _judge(found, rules={"conflicts": {kind: treatment}})
        assert (command, flags) == (verdict.command, _flags(verdict)), treatment
        assert ["pia"] == [share.partner for share in verdict.shares]


@pytest.mark.parametrize(
    ("kind", "reason"), [("open", "open_with_sales"), ("named", "named_account")]
)
def test_an_account_goes_to_its_rep_and_the_partner_is_credited(kind: str, reason: str) -> None:
    """Whose account it is gets the lead; without a rep it takes the usual way."""
    assert (
        Clear(partner="pia", audience="partners", reserved_for="anna", reason=reason)
        == _judge(_on(**{kind: OURS})).command
    )
    nobodys = Entry(listed_at=NOW)
    assert Clear(partner="pia", audience="partners") == _judge(_on(**{kind: nobodys})).command


def test_review_keeps_what_else_was_found() -> None:
    """A person who lets it go on does not let the reward go with it."""
    verdict = _judge(
        Found(entries={"customer": OURS}, same_company=True),
        rules={"conflicts": {"customer": "review"}},
        lead_key="key-pia",
    )
    assert SendToReview(reason="existing_customer", hold="self_referral") == verdict.command
    assert ["same_company"] == _flags(verdict)


def test_a_duplicate_is_nothing_else() -> None:
    """Whoever was first is not asked anew; the key that was known is told."""
    for said, reason in (("", "duplicate"), ("same_company", "same_company")):
        verdict = _judge(_on(customer=OURS), duplicate_of="r0", reason=said)
        assert MarkDuplicate(of="r0", reason=reason) == verdict.command


def test_the_partners_own_number_is_their_own_lead() -> None:
    """A second mailbox does not hide who it is."""
    pia = new_partner(keys={"phone": "p1"})
    verdict = _judge(Found(), [pia], keys={"phone": "p1"})
    assert isinstance(verdict.command, Clear)
    assert "self_referral" == verdict.command.hold


def test_a_colleague_of_the_partner_company_is_its_own_lead() -> None:
    """A company that refers its own people is held as one who refers themselves."""
    verdict = _judge(Found(colleagues=frozenset({"pia"})))
    assert isinstance(verdict.command, Clear)
    assert "self_referral" == verdict.command.hold


@pytest.mark.parametrize("how", ["hold", "flag"])
def test_the_partners_own_company_is_only_a_signal(how: str) -> None:
    """People refer their colleagues; that is looked at, and holds nothing back."""
    pia = new_partner(keys={"domain": "d1"})
    verdict = _judge(
        Found(), [pia], {"fraud": {"self_referral": how}}, keys={"domain": "d1", "phone": "p2"}
    )
    assert Clear(partner="pia", audience="partners") == verdict.command
    assert [Touch(id="own_company", kind="flag", at=NOW, data={"signal": "own_company"})] == (
        verdict.flags
    )
