"""A program of a test's own on the deployed stack, and the steps of a referral's life in it.

Everything is done over HTTP, as people and systems do it. Finance starts the jobs and the
manager approves, because nobody may approve what they started. Jobs work on every program, so
tests that start any take turns (the fixture ``alone``).
"""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any

import msgspec
from standardwebhooks import Webhook

from infra import seed
from infra.api import Answer, Stack
from infra.bank import MockBank, bring_back, hand_over
from tests.support.deployed import aws, item, items, until

IBAN = "DE75512108001245126199"
SALE_MINOR = 500_000
DUE_MINOR = 12_500
"""A quarter of the tenth of a sale that is due at once."""
FUNDS_MINOR = 10**9
_EMAIL = {person.group: person.email for person in seed.STAFF}


@dataclass(frozen=True, kw_only=True)
class Partner:
    """A partner of the journey's program who has signed in."""

    id: str
    email: str
    token: str


@cache
def token_of(endpoint: str, pool: str, client: str, email: str) -> str:
    """Return an ID token, the same one for every test of this process."""
    outputs = {"cognito_url": endpoint + "/", "user_pool_id": pool, "client_id": client}
    return Stack(outputs).sign_in(email, seed.PASSWORD)


def staff_token(stack: Stack, role: str) -> str:
    """Return an ID token of the seeded person in the group *role*."""
    return token_of(stack["endpoint"], stack["user_pool_id"], stack["client_id"], _EMAIL[role])


def unique(word: str) -> str:
    """Return a name that nobody else uses."""
    return f"{word}-{uuid.uuid4().hex[:10]}"


class Journey:
    """A fresh program with one rep and a billing system.

    Args:
        stack: Where.
        overrides: Parts of the program document that differ from the telecom's.
    """

    def __init__(self, stack: Stack, **overrides: Any) -> None:
        self.stack = stack
        self.program = unique("p")
        self.manager = staff_token(stack, "manager")
        self.finance = staff_token(stack, "finance")
        self.rep_mail = f"{unique('rep')}@staff.example"
        self.rep_id = unique("r")
        telecom = msgspec.json.decode(seed.PROGRAM_FILE.read_bytes())
        rules = [{"reps": [self.rep_id]}]
        self.document = {**telecom, "id": self.program, "routing": {"rules": rules}, **overrides}
        self.post("versions", self.document).expect(201)
        person = seed.Person(self.rep_mail, "rep", "Rita Rep", self.rep_id, "eu")
        subject = seed.add_login(stack, person)
        seed.add_rep(stack, self.manager, self.program, person, subject)
        self.secret = seed.billing_secret(stack, self.manager, self.program)

    def post(self, path: str, body: object) -> Answer:
        """Post something about the program as its manager."""
        path = f"/v1/programs/{self.program}/{path}"
        return self.stack.call("POST", path, body, token=self.manager)

    @property
    def rep(self) -> str:
        """The rep's ID token."""
        return self.stack.sign_in(self.rep_mail, seed.PASSWORD)

    def partner(self, *, iban: str = IBAN, email: str = "", **profile: Any) -> Partner:
        """Enrol a partner; without an IBAN nobody knows where to pay them."""
        email = email or f"{unique('pia')}@partners.example"
        self.stack.sign_up(email, seed.PASSWORD)
        token = self.stack.sign_in(email, seed.PASSWORD)
        made = self.enrol(token, email, **profile).expect(201)
        if iban:
            name = profile.get("name", "Pia Partner")
            account = {"name": name, "iban": iban, "town": "Hamburg", "country": "DE"}
            self.stack.call("PUT", "/v1/me/payee", account, token=token).expect(200)
        return Partner(id=made.body["id"], email=email, token=token)

    def enrol(self, token: str, email: str, **profile: Any) -> Answer:
        """Send the enrolment of one login."""
        body = {
            "program": self.program,
            "audience": "partners",
            "name": "Pia Partner",
            "email": email,
            "country": "DE",
            "terms_version": self.document["terms_version"],
        }
        return self.stack.call("POST", "/v1/partners", body | profile, token=token)

    def link(self, partner: Partner, **options: Any) -> str:
        """Make a link and return its code."""
        made = self.stack.call("POST", "/v1/me/links", options, token=partner.token).expect(201)
        return str(made.body["code"])

    def lead(self, code: str, **overrides: Any) -> dict[str, Any]:
        """Return the body of a submission by somebody new."""
        values = {
            "name": "Lena Lead",
            "email": f"{unique('lena')}@customers.example",
            "country": "DE",
            "product": "fibre",
            "code": code,
            "consent": {"text_version": "2026-11", "given": True},
        }
        return values | overrides

    def submit(self, code: str, *, key: str = "", **overrides: Any) -> Answer:
        """Send a submission."""
        path = f"/v1/programs/{self.program}/referrals"
        return self.stack.call("POST", path, self.lead(code, **overrides), key=key)

    def assigned(self, code: str, **overrides: Any) -> str:
        """Submit a lead, wait until the rep has it, and return the referral's id."""
        referral = str(self.submit(code, **overrides).expect(201).body["id"])
        self.until_status(referral, "assigned")
        return referral

    def state(self, referral: str) -> dict[str, Any]:
        """Return a referral as stored."""
        return item(self.stack, "core", f"REFERRAL#{referral}", "STATE")

    def until_status(self, referral: str, *statuses: str) -> dict[str, Any]:
        """Wait until a referral has one of *statuses*; return it."""
        return until(lambda: self.state(referral), lambda state: state.get("status") in statuses)

    def send(
        self,
        kind: str,
        data: dict[str, Any],
        *,
        message: str = "",
        at: datetime | None = None,
        signature: str = "",
    ) -> Answer:
        """Send a message as the billing system, signed."""
        message = message or f"msg_{uuid.uuid4().hex}"
        raw, now = json.dumps({"type": kind, "data": data}), at or datetime.now(UTC)
        headers = {
            "webhook-id": message,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": signature or Webhook(self.secret).sign(message, now, raw),
        }
        path = f"/v1/inbound/{self.program}/billing"
        return self.stack.call("POST", path, raw.encode(), headers=headers)

    def sale(self, referral: str, **overrides: Any) -> dict[str, Any]:
        """Return the data of a sale to the referred customer."""
        values = {
            "referral": referral,
            "sale": unique("INV"),
            "amount_minor": SALE_MINOR,
            "currency": "EUR",
            "occurred_at": datetime.now(UTC).isoformat(timespec="seconds"),
        }
        return values | overrides

    def won(self, partner: Partner, code: str = "", **lead: Any) -> str:
        """Bring a lead to a sale whose rewards are booked; return the referral's id."""
        referral = self.assigned(code or self.link(partner), **lead)
        self.send("sale.recorded", self.sale(referral)).expect(200)
        self.until_earned(partner)
        return referral

    def payable(self, partner: Partner) -> str:
        """Bring a lead so far that a quarter of its reward is payable; return the referral's id."""
        referral = self.won(partner)
        self.start("accrue")
        self.until_balance(partner, pending=3 * DUE_MINOR, payable=DUE_MINOR)
        return referral

    def start(self, job: str, *, key: str = "") -> Answer:
        """Start a job as finance."""
        path = f"/v1/jobs/{job}"
        return self.stack.call("POST", path, {}, token=self.finance, key=key).expect(202)

    def statement(self, partner: Partner) -> dict[str, Any]:
        """Read a partner's statement in euros."""
        answer = self.stack.call("GET", "/v1/me/statement?currency=EUR", token=partner.token)
        return dict(answer.expect(200).body)

    def until_earned(self, partner: Partner) -> None:
        """Wait until a sale's reward is booked; a job of another test may have moved it on."""
        until(
            lambda: self.statement(partner)["balance"],
            lambda held: sum(held.values()) == 4 * DUE_MINOR,
        )

    def until_balance(self, partner: Partner, **accounts: int) -> dict[str, Any]:
        """Wait until exactly these accounts hold something; return the statement."""
        return until(
            lambda: self.statement(partner),
            lambda read: {k: v for k, v in read["balance"].items() if v} == accounts,
        )

    def batches(self) -> list[dict[str, Any]]:
        """Return the program's batches, newest first."""
        path = f"/v1/batches?program={self.program}"
        answer = self.stack.call("GET", path, token=self.finance).expect(200)
        return list(answer.body["items"])

    def until_batch(self, *statuses: str) -> dict[str, Any]:
        """Wait until the newest batch has one of *statuses*; return it."""
        found = until(self.batches, lambda read: bool(read) and read[0]["status"] in statuses)
        return found[0]

    def approved(self) -> str:
        """Start the payout, approve its batch, wait for the file; return the batch's id."""
        self.start("payout")
        batch = str(self.until_batch("awaiting_approval")["id"])
        path = f"/v1/batches/{batch}/approve"
        self.stack.call("POST", path, {}, token=self.manager).expect(200)
        self.until_batch("in_transit")
        return batch

    def open_owner(self, bank: MockBank) -> None:
        """Open the program's own account at the bank, well filled."""
        debtor = self.document["payouts"][0]["debtor"]
        bank.open_account(
            "OWNER",
            iban=debtor["iban"],
            name=debtor["name"],
            currency="EUR",
            balance_minor=FUNDS_MINOR,
        )

    def hand_over(self, bank: MockBank, batch: str) -> None:
        """Take a batch's file to the bank."""
        s3, bucket = aws(self.stack, "s3"), self.stack["buckets"]["bank"]
        hand_over(bank, s3, bucket, f"outbox/{batch}.xml")

    def bring_back(self, bank: MockBank) -> list[str]:
        """Bring what the bank has answered since the last time."""
        return bring_back(bank, aws(self.stack, "s3"), self.stack["buckets"]["bank"])

    def stored(self, table: str) -> list[dict[str, Any]]:
        """Return every item of a table that belongs to the program."""
        return items(self.stack, table, self.program)
