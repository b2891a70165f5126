"""What a partner may do: enrol, links, account, own referrals, rewards and statement."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from introducer import ledger
from introducer.command import Assign, Clear, Hold, Reject, SendToReview
from introducer.ledger import Kind, Posting
from introducer.link import Link
from introducer.partner import Partner
from introducer.referral import Share
from introducer.tables import ledger as books
from introducer.tables import links, partners, people, referrals
from introducer.tables.ledger import Entry
from introducer.tables.people import Payee
from introducer.tables.store import Transaction
from tests.support import life, money
from tests.support.api import Reply, call, login
from tests.support.tables import everything

PIA = login("login-pia", "partner")
PAUL = login("login-paul", "partner")
IBAN = "DE89370400440532013000"

pytestmark = pytest.mark.usefixtures("aws", "frozen")


@pytest.fixture(autouse=True)
def program(aws: None) -> None:  # noqa: ARG001  (pytest orders fixtures by it)
    """A program with two partners."""
    life.publish()
    life.enrol("pia")
    life.enrol("paul")


def enrolment(**overrides: Any) -> dict[str, Any]:
    """Return the body of an enrolment."""
    return {
        "program": "acme",
        "audience": "partners",
        "name": "Nina Neu",
        "email": "Nina@Partners.Example",
        "country": "DE",
        "terms_version": "1",
        **overrides,
    }


def enrol(claims: dict[str, str] | None = None, **overrides: Any) -> Reply:
    """Enrol Nina."""
    nina = claims or login("login-nina", "partner", email="nina@partners.example")
    return call("POST", "/v1/partners", enrolment(**overrides), claims=nina)


def test_enrol_stores_partner_and_contact_apart() -> None:
    """Core holds ids and a keyed hash, People the name and address, the answer ids only."""
    reply = enrol(phone="0171 1234567")
    partner_id = reply.body["id"]
    assert (201, {"id": partner_id, "program": "acme", "audience": "partners"}) == (
        reply.status,
        reply.body,
    )
    stored = partners.find_partner(partner_id)
    assert stored is not None
    assert (
        Partner(
            id=partner_id,
            program="acme",
            audience="partners",
            person=stored.person,
            login="login-nina",
            country="DE",
            enrolled_at="2026-11-22T11:17:00.000Z",
            version=1,
            terms_version="1",
            terms_at="2026-11-22T11:17:00.000Z",
            verified=True,
            email_key=stored.email_key,
            keys=stored.keys,
        )
        == stored
    )
    contact = people.contact(stored.person)
    assert contact is not None
    assert ("Nina Neu", "Nina@partners.example", "+491711234567", "en") == (
        contact.name,
        contact.email,
        contact.phone,
        contact.locale,
    )
    outside = str([item for item in everything() if not item["pk"].startswith("PERSON#")])
    assert [] == [word for word in ("Nina", "nina@", "1234567") if word in outside]


@pytest.mark.parametrize(
    ("overrides", "expected"),
    [
        ({"program": "nosuch"}, (422, "unknown_program", "program")),
        ({"audience": "kings"}, (422, "unknown_audience", "audience")),
        ({"country": "US"}, (422, "country_not_eligible", "country")),
        ({"terms_version": "0"}, (422, "terms_outdated", "terms_version")),
        ({"email": "other@partners.example"}, (422, "email_mismatch", "email")),
        ({"email": "nina@x"}, (422, "invalid_email", "email")),
        ({"phone": "+0 00000"}, (422, "invalid_phone", "phone")),
        ({"login": "sub-of-another"}, (400, "unknown_field", "login")),
        ({"name": "Nina\nNeu"}, (400, "invalid_input", "name")),
        ({"locale": "german"}, (400, "invalid_input", "locale")),
    ],
)
def test_enrol_refuses_and_stores_nothing(
    overrides: dict[str, str], expected: tuple[int, str, str]
) -> None:
    """Every refusal names its field."""
    before = everything()
    assert expected == enrol(**overrides).field()
    assert before == everything()


def test_enrol_happens_once_for_a_login_and_a_mailbox() -> None:
    """Neither a second time with the same login nor with another spelling of the mailbox."""
    enrol()
    assert (409, "already_exists") == enrol().problem()
    spelled = "nina+2@partners.example"
    other = login("login-other", "partner", email=spelled)
    assert (409, "already_exists") == enrol(other, email=spelled).problem()
    nobody = login("login-nobody", "partner")
    assert (409, "email_not_verified") == enrol(nobody, email=spelled).problem()


def test_me_needs_an_enrolment() -> None:
    """A login that acts for nobody is told so on every route of its own."""
    nobody = login("login-nobody", "partner")
    for path in ("/v1/me", "/v1/me/links", "/v1/me/referrals", "/v1/me/rewards"):
        assert (404, "not_enrolled") == call("GET", path, claims=nobody).problem()


def test_me_tells_the_end_of_the_account_only() -> None:
    """The account is stored encrypted; nobody is shown more than four characters."""
    body = {
        "name": "Pia P.",
        "iban": "de89 3704 0044 0532 0130 00",
        "town": "Köln",
        "country": "DE",
    }
    reply = call("PUT", "/v1/me/payee", body, claims=PIA)
    assert (200, {"last4": "3000", "set_at": "2026-11-22T11:17:00.000Z"}) == (
        reply.status,
        reply.body,
    )
    assert Payee(name="Pia P.", iban=IBAN, town="Köln", country="DE") == people.payee("person-pia")
    assert "37040044" not in str(everything())
    assert {
        "id": "pia",
        "program": "acme",
        "audience": "partners",
        "type": "",
        "status": "active",
        "country": "DE",
        "locale": "en",
        "enrolled_at": life.new_partner().enrolled_at,
        "terms_version": "",
        "current_terms_version": "1",
        "terms_outdated": True,
        "missing_agreements": [],
        "missing_declarations": [],
        "engagement": {
            "referrals": 0,
            "referrals_asked": 0,
            "successes": 0,
            "successes_asked": 0,
            "missing": [],
        },
        "name": "Pia",
        "email": "pia@partners.example",
        "payee_last4": "3000",
        "payee_set_at": "2026-11-22T11:17:00.000Z",
    } == call("GET", "/v1/me", claims=PIA).body


@pytest.mark.parametrize(
    ("overrides", "expected"),
    [
        ({"iban": "DE88370400440532013000"}, (422, "invalid_iban", "iban")),
        ({"iban": "XX89370400440532013000"}, (422, "invalid_iban", "iban")),
        ({"iban": "DE89"}, (400, "invalid_input", "iban")),
        ({"bic": "NOBIC"}, (400, "invalid_input", "bic")),
        ({"name": "x" * 71}, (400, "invalid_input", "name")),
        ({"town": "x" * 36}, (400, "invalid_input", "town")),
        ({"country": "Germany"}, (400, "invalid_input", "country")),
        ({"partner": "paul"}, (400, "unknown_field", "partner")),
    ],
)
def test_payee_refuses_and_stores_nothing(
    overrides: dict[str, str], expected: tuple[int, str, str]
) -> None:
    """An account with a wrong check digit is no account."""
    before = everything()
    body = {"name": "Pia", "iban": IBAN, "town": "Bonn", "country": "DE", **overrides}
    assert expected == call("PUT", "/v1/me/payee", body, claims=PIA).field()
    assert before == everything()


def test_link_leads_to_a_checked_destination() -> None:
    """Without one it leads to the landing page; the answer is the address to share."""
    reply = call("POST", "/v1/me/links", {}, claims=PIA)
    code = reply.body["code"]
    assert (201, {"code": code, "url": f"https://go.example.com/r/{code}"}) == (
        reply.status,
        reply.body,
    )
    body = {
        "destination": "https://www.acme.example/fibre?plan=a",
        "campaign": "Autumn 2026",
        "utm": {"utm_medium": "mail"},
    }
    second = call("POST", "/v1/me/links", body, claims=PIA).body["code"]
    assert Link(
        code=second,
        program="acme",
        partner="pia",
        destination="https://www.acme.example/fibre?plan=a",
        created_at="2026-11-22T11:17:00.000Z",
        campaign="Autumn 2026",
        utm={"utm_medium": "mail"},
    ) == links.find(second)
    first = links.find(code)
    assert first is not None
    assert "https://www.acme.example/start" == first.destination


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"destination": "https://evil.example/"}, (422, "destination_not_allowed", "destination")),
        (
            {"destination": "https://www.acme.example@evil.example/"},
            (422, "destination_not_allowed", "destination"),
        ),
        ({"destination": "http://www.acme.example/"}, (400, "invalid_input", "destination")),
        ({"destination": "https://www.acme.example/ä"}, (400, "invalid_input", "destination")),
        ({"destination": "https://www.acme.example/\r\nx"}, (400, "invalid_input", "destination")),
        ({"utm": {"gclid": "1"}}, (400, "invalid_input", "utm")),
        ({"campaign": "a\nb"}, (400, "invalid_input", "campaign")),
        ({"partner": "paul"}, (400, "unknown_field", "partner")),
    ],
)
def test_link_refuses_and_stores_nothing(
    body: dict[str, Any], expected: tuple[int, str, str]
) -> None:
    """No link leads out of the program."""
    before = everything()
    assert expected == call("POST", "/v1/me/links", body, claims=PIA).field()
    assert before == everything()


def test_links_are_listed_in_pages(frozen: Callable[[str], None]) -> None:
    """Newest first, each once, and only one's own."""
    made = []
    for second in range(5):
        frozen(f"2026-11-22T12:00:0{second}.000Z")
        made.append(call("POST", "/v1/me/links", {}, claims=PIA).body["code"])
    call("POST", "/v1/me/links", {}, claims=PAUL)
    seen, cursor = [], ""
    while True:
        page = call("GET", f"/v1/me/links?limit=2&cursor={cursor}", claims=PIA).body
        seen += [row["code"] for row in page["items"]]
        cursor = page["next"]
        if not cursor:
            break
    assert made[::-1] == seen


def test_cursor_of_another_reader_or_list_is_refused() -> None:
    """Changed, cut, of another partner, of another list: begin again."""
    for _ in range(3):
        call("POST", "/v1/me/links", {}, claims=PIA)
        call("POST", "/v1/me/links", {}, claims=PAUL)
    cursor = call("GET", "/v1/me/links?limit=1", claims=PIA).body["next"]
    assert 200 == call("GET", f"/v1/me/links?limit=2&cursor={cursor}", claims=PIA).status
    flipped = cursor[:30] + ("A" if cursor[30] != "A" else "B") + cursor[31:]
    for path, claims in (
        (f"/v1/me/links?cursor={flipped}", PIA),
        (f"/v1/me/links?cursor={cursor[:-4]}", PIA),
        (f"/v1/me/links?cursor={cursor}", PAUL),
        (f"/v1/me/referrals?cursor={cursor}", PIA),
        ("/v1/me/links?cursor=abc", PIA),
        ("/v1/me/links?cursor=%00%C3%BC", PIA),
    ):
        reply = call("GET", path, claims=claims)
        assert (400, "invalid_cursor", "cursor") == reply.field()


def test_unknown_parameters_are_refused() -> None:
    """A misspelt filter must not silently list everything."""
    reply = call("GET", "/v1/me/referrals?state=won", claims=PIA)
    assert (400, "unknown_field", "state") == reply.field()
    assert (400, "invalid_input", "limit") == call(
        "GET", "/v1/me/links?limit=1000", claims=PIA
    ).field()


def credited(name: str, partner: str = "pia", **overrides: Any) -> None:
    """Store a referral that is credited to a partner and given to Anna."""
    life.submit(name, lead_key=f"key-{name}", **overrides)
    after = life.move(name, Clear(partner=partner, audience="partners"))
    writes = Transaction()
    share = Share(partner=partner, basis_points=10_000, audience="partners")
    referrals.add_share(writes, after, share)
    writes.commit()
    life.move(name, Assign(rep="anna"))


def test_referrals_show_status_and_reason_but_no_lead() -> None:
    """What became of it, in plain words, and nobody's name."""
    credited("r1", product="fibre")
    credited("r2", partner="paul")
    life.move("r1", Hold(reason="self_referral"))
    life.move("r1", Reject(reason="not_a_fit"), now="2026-11-22T11:00:00.000Z")
    reply = call("GET", "/v1/me/referrals", claims=PIA)
    row = {
        "id": "r1",
        "status": "rejected",
        "submitted_at": life.NOW,
        "updated_at": "2026-11-22T11:00:00.000Z",
        "share_basis_points": 10_000,
        "country": "DE",
        "product": "fibre",
        "reason": {"code": "not_a_fit", "text": "The offer does not fit the lead."},
        "held": {"code": "self_referral", "text": "The lead seems to be the partner."},
    }
    assert {"items": [row], "next": ""} == reply.body
    detail = call("GET", "/v1/me/referrals/r1", claims=PIA).body
    assert (row, "rejected") == (detail["referral"], detail["status"])
    assert [
        ("ReferralSubmitted", "The referral was submitted.", None),
        ("ReferralScreened", "It was checked and credited.", None),
        ("ReferralAssigned", "It was given to a sales representative.", None),
        (
            "ReferralHeld",
            "Rewards for it are being kept back while something is looked into.",
            row["held"],
        ),
        ("ReferralRejected", "It was turned down.", row["reason"]),
    ] == [(m["type"], m["text"], m["reason"]) for m in detail["timeline"]]
    assert [] == [word for word in ("Lena", "anna", "lead-r1", "paul") if word in str(detail)]


def test_referral_of_another_partner_does_not_exist() -> None:
    """Somebody else's, one nobody is credited for, and none: the same answer."""
    credited("r1", partner="paul")
    life.submit("r2", lead_key="key-r2")
    life.move("r2", SendToReview(reason="no_partner"))
    answers = [
        call("GET", f"/v1/me/referrals/{name}", claims=PIA).body for name in ("r1", "r2", "nosuch")
    ]
    assert (404, "not_found") == (answers[0]["status"], answers[0]["code"])
    assert [answers[0]] * 3 == answers


def book(*amounts: int, month: str = "2026-11", kind: Kind = Kind.REWARD_EARNED) -> None:
    """Book one journal for each amount, on the first days of a month."""
    for day, amount in enumerate(amounts, 1):
        at = f"{month}-{day:02}T12:00:00.000Z"
        posting = Posting(
            id=f"{kind}:{month}:{day}",
            kind=kind,
            program="acme",
            partner="pia",
            currency="EUR",
            amount_minor=amount,
            at=at,
            refs={"referral": f"r{day}"},
        )
        entry = Entry(postings=(posting,), write=lambda _: None, writes=0)
        books.post_all("pia", "EUR", lambda _, entry=entry: [entry], now=at)


def statement(query: str = "") -> dict[str, Any]:
    """Read Pia's statement in euros."""
    reply = call("GET", f"/v1/me/statement?currency=EUR{query}", claims=PIA)
    assert 200 == reply.status, reply.body
    return dict(reply.body)


def adds_up(body: dict[str, Any]) -> bool:
    """Return whether opening plus movements is closing, account by account."""
    for name in ledger.ACCOUNTS:
        moved = sum(each["amounts"].get(name, 0) for each in body["movements"])
        if body["opening"][name] + moved != body["closing"][name]:
            return False
    return True


def test_statement_of_nothing_is_all_zero() -> None:
    """A partner without a journal has a statement too."""
    zero = dict.fromkeys(ledger.ACCOUNTS, 0)
    assert {
        "currency": "EUR",
        "opening": zero,
        "movements": [],
        "closing": zero,
        "balance": zero,
        "next": "",
    } == statement()


def test_statement_adds_up_on_every_page() -> None:
    """Opening plus movements is closing; the pages join without a gap."""
    book(100, 200, 300, 400, 500)
    whole = statement()
    assert (True, 0, 1_500, "") == (
        adds_up(whole),
        whole["opening"]["pending"],
        whole["closing"]["pending"],
        whole["next"],
    )
    assert [5, 4, 3, 2, 1] == [each["number"] for each in whole["movements"]]
    assert {
        "id": "RewardEarned:2026-11:5",
        "number": 5,
        "kind": "RewardEarned",
        "at": "2026-11-05T12:00:00.000Z",
        "booked_at": "2026-11-05T12:00:00.000Z",
        "amounts": {"pending": 500},
        "reason": "",
        "referral": "r5",
        "payout": "",
    } == whole["movements"][0]
    numbers, closing, cursor = [], 1_500, ""
    while True:
        page = statement(f"&limit=2&cursor={cursor}")
        assert (True, closing) == (adds_up(page), page["closing"]["pending"])
        numbers += [each["number"] for each in page["movements"]]
        closing, cursor = page["opening"]["pending"], page["next"]
        if not cursor:
            break
    assert ([5, 4, 3, 2, 1], 0) == (numbers, closing)


@pytest.mark.parametrize(
    ("query", "opening", "closing", "numbers"),
    [
        ("&from=2026-11-01", 600, 1_500, [5, 4]),
        ("&to=2026-10-31", 0, 600, [3, 2, 1]),
        ("&from=2026-10-02&to=2026-10-02", 100, 300, [2]),
        ("&from=2026-10-02&to=2026-11-01", 100, 1_000, [4, 3, 2]),
        ("&from=2026-12-01", 1_500, 1_500, []),
        ("&to=2026-09-30", 0, 0, []),
        ("&from=2026-10-10&to=2026-10-20", 600, 600, []),
    ],
)
def test_statement_of_a_period(query: str, opening: int, closing: int, numbers: list[int]) -> None:
    """Both days belong to it, and the balances are those of its borders."""
    book(100, 200, 300, month="2026-10")
    book(400, 500, month="2026-11")
    body = statement(query)
    assert (opening, closing, numbers, True) == (
        body["opening"]["pending"],
        body["closing"]["pending"],
        [each["number"] for each in body["movements"]],
        adds_up(body),
    )
    assert 1_500 == body["balance"]["pending"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", (400, "missing_field", "currency")),
        ("?currency=eur", (400, "invalid_input", "currency")),
        ("?currency=EUR&from=2026-02-30", (422, "invalid_period", "from")),
        ("?currency=EUR&from=yesterday", (400, "invalid_input", "from")),
        ("?currency=EUR&from=2026-11-02&to=2026-11-01", (422, "invalid_period", "to")),
        ("?currency=EUR&to=9999-12-31", (422, "invalid_period", "from")),
        ("?currency=EUR&partner=paul", (400, "unknown_field", "partner")),
    ],
)
def test_statement_refuses_a_wrong_period(query: str, expected: tuple[int, str, str]) -> None:
    """Days that do not exist, or in the wrong order."""
    assert expected == call("GET", f"/v1/me/statement{query}", claims=PIA).field()


def test_rewards_explain_themselves() -> None:
    """Each milestone with its amount, its date, and how the amount came about."""
    money.publish()
    money.sell("r1", 100_000, program_version=2)
    money.deliver("r1")
    rows = call("GET", "/v1/me/rewards", claims=PIA).body["items"]
    assert [("loyalty", 7_500, "pending"), ("purchase", 2_500, "pending")] == sorted(
        (row["milestone"], row["amount_minor"], row["status"]) for row in rows
    )
    (purchase,) = (row for row in rows if row["milestone"] == "purchase")
    assert (
        "r1",
        "commission",
        "s1",
        "EUR",
        "won",
        "2026-11-20T09:00:00.000Z",
        0,
        "",
    ) == tuple(
        purchase[name]
        for name in (
            "referral",
            "plan",
            "sale",
            "currency",
            "when",
            "due_at",
            "reversed_minor",
            "waiting",
        )
    )
    assert [
        "The plan “commission” gives 10% of 1,000.00 EUR: 100.00 EUR.",
        "The part “purchase” is 25% of it: 25.00 EUR.",
    ] == purchase["explanation"]
    assert ["rule", "milestone"] == [step["step"] for step in purchase["trace"]]
    german = call("GET", "/v1/me/rewards?locale=de-AT", claims=PIA).body["items"]
    assert "Der Teil „loyalty“ ist 75\u00a0% davon: 75,00 EUR." in [
        line for row in german for line in row["explanation"]
    ]
    assert {"items": [], "next": ""} == call("GET", "/v1/me/rewards", claims=PAUL).body
    assert [] == call("GET", "/v1/me/rewards?currency=USD", claims=PIA).body["items"]
    one = call("GET", "/v1/me/rewards?limit=1", claims=PIA).body
    rest = call("GET", f"/v1/me/rewards?limit=1&cursor={one['next']}", claims=PIA).body
    assert rows == one["items"] + rest["items"]
