"""What another system knew, brought in: partners, codes, referrals and what was paid for them."""

from __future__ import annotations

import pytest

from introducer import identity, keyring
from introducer.earning.occasion import Case, occasions
from introducer.ledger import Kind
from introducer.referral import Sale
from introducer.tables import events, ledger, links, partners, referrals
from payout.reconcile import reconcile
from route import audit
from tests.support import conversions, importing, life, money
from tests.support.importing import NOW, ended, made, outcomes, sheet, take
from tests.support.tables import everything

PARTNERS = sheet(
    "external_id,name,email,audience,country,type,enrolled_at,code",
    "P-1,Ada Alt,ada@old.example,partners,DE,,2021-03-04,ADA-2021",
    "P-2,Bo Alt,bo@old.example,partners,AT,,2022-05-06T07:08:09+02:00,",
)
PAST = sheet(
    "external_id,partner,status,submitted_at,name,email,country,product,won_at,amount,currency,rep",
    "R-1,P-1,won,2026-10-01,Old One,one@customers.example,DE,fibre,2026-10-20,1250.00,EUR,",
    "R-2,bo@old.example,lost,2026-09-01,Old Two,two@customers.example,DE,,,,,",
    "R-3,P-1,qualified,2026-11-01,Old Three,three@customers.example,DE,,,,,anna",
    "R-4,P-1,won,2024-01-01,Old Four,four@customers.example,DE,,2024-02-01,,,",
)
PAID = sheet(
    "reward_id,partner,amount,currency,paid_at,referral,reference",
    "W-1,P-1,125.00,EUR,2026-11-01,R-1,stmt-2026/10",
    "W-2,P-1,80.5,EUR,2025-01-02,,",
    "W-3,bo@old.example,1000,JPY,2024-01-02,,",
)


@pytest.fixture(autouse=True)
def program(
    engine: str,  # noqa: ARG001  (pytest orders fixtures by it)
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A program that pays a tenth of each sale, two partners and a rep."""
    monkeypatch.setattr("introducer.clock.now", lambda: NOW)
    importing.furnish(monkeypatch)
    money.publish()


def migrate() -> dict[str, list[str]]:
    """Bring in three files; return what came of their rows."""
    files = {"partners": PARTNERS, "past_referrals": PAST, "paid_rewards": PAID}
    return {
        kind: [each["outcome"] for each in take(kind, kind, content)]
        for kind, content in files.items()
    }


def test_migration_again_changes_nothing() -> None:
    """Everything of the second time is known, and nothing is stored but the jobs."""
    assert {
        "partners": ["created"] * 2,
        "past_referrals": ["created"] * 4,
        "paid_rewards": ["created"] * 3,
    } == migrate()
    before = [each for each in everything() if "IMPORT#" not in each["pk"]]
    for kind, content in (("partners", PARTNERS), ("past_referrals", PAST), ("paid_rewards", PAID)):
        take(f"{kind}-2", kind, content)
        assert {"known": content.count("\n") - 1} == ended(f"{kind}-2")[2]
    assert before == [each for each in everything() if "IMPORT#" not in each["pk"]]


def test_partner_keeps_date_and_code_and_waits() -> None:
    """Invited, a member since then, found by the old id; the old code leads to the landing page."""
    ada_line, _ = take("i1", "partners", PARTNERS)
    ada = partners.find_partner(ada_line["id"])
    assert ada
    assert ("invited", "2021-03-04T00:00:00.000Z", "") == (
        ada.status,
        ada.member_since,
        ada.enrolled_at,
    )
    link = links.find("ada-2021", consistent=True)
    assert link
    assert (ada.id, "https://www.acme.example/start", "migration") == (
        link.partner,
        link.destination,
        link.channel,
    )
    assert ["LinkCreated"] == [each.type for each in events.of_entity(link.entity)]


def test_corrected_partner_gets_only_what_was_missing() -> None:
    """A code that came later is added; another address under the same id is refused."""
    take("i1", "partners", PARTNERS)
    changed = PARTNERS.replace("+02:00,", "+02:00,bo-22").replace("ada@old", "eve@old")
    lines = take("i2", "partners", changed)
    assert [("2", "refused", "differs", "external_id"), ("3", "created", "", "")] == outcomes(lines)
    assert links.find("bo-22", consistent=True)


def test_codes_that_cannot_be_ours_are_refused() -> None:
    """Folded where that is enough; too short, of other letters, or somebody else's: refused."""
    lines = take(
        "i1",
        "links",
        sheet(
            "partner,code,destination,campaign",
            "pia,Summer-24,https://www.acme.example/summer,summer",
            "pia,ab,,",
            "pia,süß1,,",
            "pia,-dash,,",
            "pia,4abcdefgh,,",
            "paul,SUMMER-24,,",
            "pia,summer-24,,",
            "pia,summer-25,https://evil.example/,",
            "nobody,summer-26,,",
        ),
    )
    assert [
        ("2", "created", "", ""),
        ("3", "refused", "code_not_usable", "code"),
        ("4", "refused", "code_not_usable", "code"),
        ("5", "refused", "code_not_usable", "code"),
        ("6", "refused", "code_not_usable", "code"),
        ("7", "refused", "code_taken", "code"),
        ("8", "refused", "differs", "code"),
        ("9", "refused", "destination_not_allowed", "destination"),
        ("10", "refused", "unknown_partner", "partner"),
    ] == outcomes(lines)
    assert ["summer-24"] == made("LINK")


def test_past_referral_has_its_state_and_one_event() -> None:
    """As it stood there, with its times, credited whole; neither screened nor routed."""
    take("i1", "partners", PARTNERS)
    lines = take("i2", "past_referrals", PAST)
    won, lost, working, _ = (referrals.detail(each["id"]) for each in lines)
    assert ("won", "2026-10-01T00:00:00.000Z", "2026-10-20T00:00:00.000Z", "migration") == (
        won.referral.status,
        won.referral.submitted_at,
        won.referral.won_at,
        won.referral.channel,
    )
    assert [
        Sale(
            id="migrated",
            amount_minor=125_000,
            currency="EUR",
            occurred_at="2026-10-20T00:00:00.000Z",
            source="migration",
            product="fibre",
        )
    ] == won.sales
    assert ("lost", "qualified", "anna") == (
        lost.referral.status,
        working.referral.status,
        working.referral.rep,
    )
    assert [["ReferralImported"]] * 3 == [
        [event.type for event in each.events] for each in (won, lost, working)
    ]
    assert [10_000] == [share.basis_points for share in won.shares]
    (mine,) = [each.id for each in referrals.of_rep("anna", limit=10)[0]]
    assert working.referral.id == mine


def test_past_referral_earns_nothing_now_or_later() -> None:
    """Neither its own sale nor one that is reported later: its system has paid for it."""
    take("i1", "partners", PARTNERS)
    lines = take("i2", "past_referrals", PAST)
    name = lines[0]["id"]
    assert {"batchItemFailures": []} == money.deliver(name)
    money.sell_more(name, "s9", 900_000)
    assert {"batchItemFailures": []} == money.deliver(name)
    found = referrals.detail(name)
    assert [] == found.rewards
    case = Case(
        referral=found.referral, shares=found.shares, sales=found.sales, events=found.events
    )
    assert [] == occasions(money.publish(), case)
    assert [] == ledger.balances(found.referral.partner)


def test_past_referral_explains_what_was_kept_before_it_came() -> None:
    """A sale that nobody was known for is applied as soon as its customer is brought in."""
    bus = conversions.Bus()
    sale = conversions.sale(email="three@customers.example")
    assert "waiting" == conversions.take(sale).outcome
    bus.run()
    assert ["unmatched"] == [each["reason"] for each in conversions.listed()]
    take("i1", "partners", PARTNERS)
    lines = take("i2", "past_referrals", PAST)
    bus.run()
    assert ("won", ["INV-1"]) == (
        referrals.get(lines[2]["id"]).status,
        conversions.sales_of(lines[2]["id"]),
    )
    assert [] == conversions.listed()


def test_old_partner_is_nobody_who_only_typed_their_address() -> None:
    """The code and the id there wait for whoever shows that the mailbox is theirs."""
    key = identity.email_key("ada@old.example", keyring.secret(keyring.IDENTITY))
    life.enrol("eve", login="login-eve", email_key=key)
    lines = take("i1", "partners", PARTNERS)
    assert [
        ("2", "refused", "partner_not_verified", "email"),
        ("3", "created", "", ""),
    ] == outcomes(lines)
    assert links.find("ada-2021", consistent=True) is None


def test_past_referral_holds_its_lead_while_it_is_protected() -> None:
    """Whoever refers the lead now is told so; one of long ago is free again."""
    take("i1", "partners", PARTNERS)
    take("i2", "past_referrals", PAST)
    file = sheet(
        "name,email,country,partner",
        "New,One@customers.example,DE,pia",
        "New,four@customers.example,DE,pia",
    )
    assert ["duplicate", "created"] == [each["outcome"] for each in take("i3", "referrals", file)]


def test_lead_that_somebody_holds_already_comes_in_as_history_only() -> None:
    """The claim stays where it is; the past referral is there for what was paid for it."""
    header = "name,email,country,partner"
    (own,) = take("i0", "referrals", sheet(header, "One,one@customers.example,DE,pia"))
    take("i1", "partners", PARTNERS)
    lines = take("i2", "past_referrals", PAST)
    assert ("duplicate", "referred_before") == (lines[0]["outcome"], lines[0]["code"])
    stored = referrals.get(lines[0]["id"])
    assert ("won", own["id"]) == (stored.status, stored.duplicate_of)


def test_audit_finds_nothing_wrong_with_what_was_brought_in() -> None:
    """Neither missing rewards nor credit without a touch, nor two referrals of one lead."""
    header = "name,email,country,partner"
    take("i0", "referrals", sheet(header, "One,one@customers.example,DE,pia"))
    migrate()
    found = audit.look(life.PROGRAM, NOW[:10], "2026-11-22T11:18:00.000Z", grace_s=30).findings
    stored = [referrals.get(each) for each in made("REFERRAL")]
    imported = {each.id for each in stored if each.channel == "migration"}
    assert 4 == len(imported)
    assert [] == [each for each in found if each.entity.partition("#")[2] in imported]


def test_past_referrals_that_are_none_are_refused() -> None:
    """Nobody works on it yet, nobody is named who does, or it was bought at no time."""
    lines = take(
        "i1",
        "past_referrals",
        sheet(
            "external_id,partner,status,submitted_at,name,email,country,won_at,amount,currency,rep",
            "R-1,pia,submitted,2026-10-01,A,a@customers.example,DE,,,,",
            "R-2,pia,accepted,2026-10-01,A,a@customers.example,DE,,,,",
            "R-3,pia,accepted,2026-10-01,A,a@customers.example,DE,,,,zoe",
            "R-4,pia,won,2026-10-01,A,a@customers.example,DE,,,,",
            "R-5,pia,won,yesterday,A,a@customers.example,DE,2026-10-02,,,",
            "R-6,pia,won,2027-10-01,A,a@customers.example,DE,2026-10-02,,,",
            "R-7,pia,won,2026-10-01,A,a@customers.example,DE,2026-10-02,12.345,EUR,",
            "R-8,pia,won,2026-10-01,A,a@customers.example,DE,2026-10-02,12.34,XXX,",
            'R-9,pia,won,2026-10-01,A,a@customers.example,DE,2026-10-02,"1,250.00",EUR,',
        ),
    )
    assert [
        ("refused", "unknown_status", "status"),
        ("refused", "missing_value", "rep"),
        ("refused", "unknown_rep", "rep"),
        ("refused", "missing_value", "won_at"),
        ("refused", "invalid_time", "submitted_at"),
        ("refused", "invalid_time", "submitted_at"),
        ("refused", "invalid_amount", "amount"),
        ("refused", "unknown_currency", "currency"),
        ("refused", "invalid_value", "amount"),
    ] == [each[1:] for each in outcomes(lines)]
    assert [] == made("REFERRAL")


def test_paid_reward_is_history_of_which_nothing_is_payable() -> None:
    """In the books on the account of what was paid, with its day; reconciliation agrees."""
    migrate()
    assert 0 == len(reconcile(NOW, days=1).differences)
    stored = [each for each in everything() if each["sk"] == "JOURNAL"]
    assert {("RewardImported", 12_500), ("RewardImported", 8_050), ("RewardImported", 1_000)} == {
        (each["kind"], each["amount_minor"]) for each in stored
    }
    (first,) = [each for each in stored if each["amount_minor"] == 12_500]
    assert ({"expense_before": -12_500, "paid": 12_500}, "2026-11-01T00:00:00.000Z") == (
        first["legs"],
        first["at"],
    )
    referral = next(each for each in made("REFERRAL") if each == first["refs"]["referral"])
    assert {"external": "W-1", "reference": "stmt-2026/10", "referral": referral} == first["refs"]
    balance = ledger.balance(first["partner"], "EUR")
    assert {"paid": 20_550} == {name: held for name, held in balance.accounts.items() if held}
    assert [] == [*ledger.due_partners(life.PROGRAM, "EUR")]


def test_paid_reward_told_otherwise_is_refused_and_halts_nobody() -> None:
    """The same id with another amount is the file's mistake, not broken books."""
    take("i1", "partners", PARTNERS)
    paid = PAID.replace("R-1", "")
    take("i2", "paid_rewards", paid)
    lines = take("i3", "paid_rewards", paid.replace("125.00", "125.01"))
    assert [("refused", "differs"), ("known", ""), ("known", "")] == [
        each[1:3] for each in outcomes(lines)
    ]
    assert "" == ledger.halted(life.PROGRAM)


def test_paid_rewards_that_cannot_be_booked_are_refused() -> None:
    """Amounts twice, none, nothing; no such referral; the first of these stops no other."""
    lines = take(
        "i1",
        "paid_rewards",
        sheet(
            "reward_id,partner,amount,amount_minor,currency,paid_at,referral",
            "W-1,pia,1.00,100,EUR,2025-01-01,",
            "W-2,pia,,,EUR,2025-01-01,",
            "W-3,pia,0.00,,EUR,2025-01-01,",
            "W-4,pia,-5,,EUR,2025-01-01,",
            "W-5,pia,,100,EUR,2025-01-01,R-404",
            "W-6,pia,,100,EUR,2025-01-01,",
            "W-6,pia,,100,EUR,2025-01-01,",
        ),
    )
    assert [
        ("refused", "invalid_amount", "amount"),
        ("refused", "invalid_amount", "amount"),
        ("refused", "invalid_amount", "amount"),
        ("refused", "invalid_value", "amount"),
        ("refused", "unknown_referral", "referral"),
        ("created", "", ""),
        ("known", "", ""),
    ] == [each[1:] for each in outcomes(lines)]
    (journal,) = ledger.journals("pia", "EUR", first=1, last=1)
    assert Kind.REWARD_IMPORTED == journal.kind
