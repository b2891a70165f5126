"""Walk one referral from a click to money in the bank: ``python -m infra.demo``.

Everything happens over HTTP against the running stack. Each step prints what was
stored; the exit code is 0 only if every step held and the books agree.
"""

from __future__ import annotations

import json
import sys
import time
import urllib.parse
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TypeVar
from xml.etree import ElementTree as ET

import boto3
from standardwebhooks import Webhook

from infra.api import Answer, Stack, http
from infra.bank import MockBank, bring_back, hand_over
from infra.seed import PASSWORD, PROGRAM_FILE, STAFF, recall

SALE_MINOR = 500_000
PARTNER_IBAN = "DE75512108001245126199"
PATIENCE_S = 60
FUNDS_MINOR = 10**11

T = TypeVar("T")


class Walk:
    """The walk's memory: who and what it has met so far."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.seed = recall(stack)
        self.document = json.loads(PROGRAM_FILE.read_text())
        self.program = str(self.seed["program"])
        self.run = uuid.uuid4().hex[:8]
        self.partner_mail = f"pia-{self.run}@partners.example"
        self.lead_mail = f"lena-{self.run}@customers.example"
        self.number = 0
        self.manager = stack.sign_in(STAFF[0].email, PASSWORD)
        self.finance = stack.sign_in(STAFF[1].email, PASSWORD)
        self.partner = self.click = self.code = self.referral = self.rep = self.rep_mail = (
            self.batch
        ) = ""

    def step(self, title: str) -> None:
        """Print the heading of the next step."""
        self.number += 1
        print(f"\n{self.number:2}. {title}", flush=True)


def main() -> None:
    """Walk; print; leave with 1 when something did not hold."""
    walk = Walk(Stack.load())
    enrol(walk)
    share_link(walk)
    click(walk)
    submit(walk)
    follow_routing(walk)
    check_mails(walk)
    accept(walk)
    report_sale(walk)
    see_rewards(walk)
    accrue(walk)
    start_payout(walk)
    booked = pay(walk)
    see_paid(walk)
    check_books(walk, booked)
    print("\nEvery step held and the books agree.")


def enrol(walk: Walk) -> None:
    """A partner signs up, enrols and says where the money should go."""
    walk.step("A partner enrols")
    walk.stack.sign_up(walk.partner_mail, PASSWORD)
    walk.partner = walk.stack.sign_in(walk.partner_mail, PASSWORD)
    profile = {
        "program": walk.program,
        "audience": "partners",
        "name": "Pia Partner",
        "email": walk.partner_mail,
        "country": "DE",
        "terms_version": walk.document["terms_version"],
    }
    made = _post(walk, "/v1/partners", profile, token=walk.partner).expect(201)
    account = {"name": "Pia Partner", "iban": PARTNER_IBAN, "town": "Hamburg", "country": "DE"}
    payee = walk.stack.call("PUT", "/v1/me/payee", account, token=walk.partner).expect(200)
    _show("partner", made.body)
    _show("payee", payee.body)


def share_link(walk: Walk) -> None:
    """The partner gets a link."""
    walk.step("The partner gets a link")
    made = _post(walk, "/v1/me/links", {"campaign": "autumn"}, token=walk.partner).expect(201)
    walk.code = made.body["code"]
    _show("link", made.body)


def click(walk: Walk) -> None:
    """A visitor clicks it and is sent on, the campaign's parameters kept."""
    walk.step("A visitor clicks the link")
    url = f"{walk.stack['click_url']}/r/{walk.code}?utm_source=newsletter&utm_medium=email"
    agent = {"user-agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"}
    answer = http("GET", url, headers=agent).expect(302)
    target = urllib.parse.urlsplit(answer.headers["location"])
    query = dict(urllib.parse.parse_qsl(target.query))
    _hold(query.get("utm_source") == "newsletter", "the redirect lost its utm_source")
    _hold(target.hostname in walk.document["destinations"], "the redirect left the program")
    walk.click = query["introducer_click"]
    print(f"    302 → {answer.headers['location']}")


def submit(walk: Walk) -> None:
    """The visitor fills in the form."""
    walk.step("The visitor submits the form")
    lead = {
        "name": "Lena Lead",
        "email": walk.lead_mail,
        "country": "DE",
        "product": "fibre",
        "clicks": [walk.click],
        "consent": {"text_version": "2026-11", "given": True},
        "utm": {"utm_source": "newsletter"},
    }
    path = f"/v1/programs/{walk.program}/referrals"
    key = str(uuid.uuid4())
    made = _post(walk, path, lead, key=key).expect(201)
    again = _post(walk, path, lead, key=key).expect(201)
    _hold(made.body == again.body, "the same request twice made two referrals")
    walk.referral = made.body["id"]
    _show("referral", made.body)


def follow_routing(walk: Walk) -> None:
    """The stream handlers screen, attribute and assign."""
    walk.step("It is screened, credited and given to a rep")
    seen = _until(
        lambda: walk.stack.call("GET", f"/v1/me/referrals/{walk.referral}", token=walk.partner),
        lambda answer: answer.status == 200 and answer.body["status"] == "assigned",
    )
    for person in STAFF:
        if person.rep:
            token = walk.stack.sign_in(person.email, PASSWORD)
            mine = walk.stack.call("GET", f"/v1/rep/referrals/{walk.referral}", token=token)
            if mine.status == 200:
                walk.rep, walk.rep_mail = token, person.email
                print(f"    assigned to {person.name}")
    _hold(bool(walk.rep), "no rep has it")
    for event in seen.body["timeline"]:
        print(f"    {event['at']}  {event['type']}")


def check_mails(walk: Walk) -> None:
    """The partner and the rep have mail about this referral."""
    walk.step("The partner and the rep get e-mails")
    expected = {walk.partner_mail, walk.rep_mail}
    mails = _until(
        lambda: [mail for mail in _mails(walk) if walk.referral in json.dumps(mail)],
        lambda found: expected <= {address for mail in found for address in mail["To"]},
    )
    for mail in mails:
        print(f"    to {', '.join(mail['To'])}: {mail['Subject']}")


def accept(walk: Walk) -> None:
    """The rep accepts."""
    walk.step("The rep accepts")
    path = f"/v1/rep/referrals/{walk.referral}/accept"
    _show("referral", _post(walk, path, {}, token=walk.rep).expect(200).body)


def report_sale(walk: Walk) -> None:
    """The billing system reports the sale by a signed webhook, twice."""
    walk.step("Billing reports the sale by a signed webhook")
    sale = {
        "type": "sale.recorded",
        "data": {
            "referral": walk.referral,
            "sale": f"INV-{walk.run}",
            "amount_minor": SALE_MINOR,
            "currency": "EUR",
            "occurred_at": datetime.now(UTC).isoformat(timespec="seconds"),
        },
    }
    message = f"msg_{uuid.uuid4().hex}"
    _show("sale", _signed(walk, message, sale).expect(200, 201).body)
    _signed(walk, message, sale).expect(200, 201)


def see_rewards(walk: Walk) -> None:
    """25 % are due now, 75 % when the customer has stayed."""
    walk.step("Rewards appear: 25 % now, 75 % held for retention")
    answer = _until(
        lambda: walk.stack.call("GET", "/v1/me/rewards", token=walk.partner),
        lambda answer: answer.status == 200 and len(answer.body["items"]) == 2,
    )
    for reward in answer.body["items"]:
        _show("reward", reward)
    amounts = sorted(reward["amount_minor"] for reward in answer.body["items"])
    _hold(amounts == [12_500, 37_500], f"10 % of 5,000 EUR were split into {amounts}")


def accrue(walk: Walk) -> None:
    """The accrual job makes what is due payable."""
    walk.step("Accrual")
    _post(walk, "/v1/jobs/accrue", {}, token=walk.finance).expect(202)
    statement = _until(
        lambda: _statement(walk), lambda body: body["balance"].get("payable", 0) == 12_500
    )
    _show("balance", statement["balance"])


def start_payout(walk: Walk) -> None:
    """A batch is made and, being above the limit, approved by a person."""
    walk.step("Payout batch")
    _post(walk, "/v1/jobs/payout", {}, token=walk.finance).expect(202)
    open_states = {"awaiting_approval"}
    answer = _until(
        lambda: walk.stack.call("GET", f"/v1/batches?program={walk.program}", token=walk.manager),
        lambda answer: any(batch["status"] in open_states for batch in answer.body["items"]),
    )
    batch = next(item for item in answer.body["items"] if item["status"] in open_states)
    walk.batch = batch["id"]
    _show("batch", batch)
    walk.step("The manager approves it")
    path = f"/v1/batches/{walk.batch}/approve"
    _show("batch", _post(walk, path, {}, token=walk.manager).expect(200, 202).body)


def pay(walk: Walk) -> int:
    """The file goes to the bank and its answers come back; return the minor units booked."""
    s3, bucket = _bank_bucket(walk)
    key = f"outbox/{walk.batch}.xml"
    walk.step("A pain.001.001.09 file lies in the bucket")
    file = _until(lambda: _object(s3, bucket, key), bool)
    _hold(b"pain.001.001.09" in file, "the file is of another kind")
    print(f"    s3://{bucket}/{key}, {len(file)} bytes")
    walk.step("The bank takes it and answers pain.002 and camt.054")
    debtor = walk.document["payouts"][0]["debtor"]
    with MockBank() as bank:
        bank.open_account(
            "OWNER",
            iban=debtor["iban"],
            name=debtor["name"],
            currency="EUR",
            balance_minor=FUNDS_MINOR,
        )
        hand_over(bank, s3, bucket, key)
        bank.settle()
        answers = bring_back(bank, s3, bucket)
        left = bank.balance_minor("OWNER")
    for name in answers:
        print(f"    s3://{bucket}/{name}")
    booked = sum(_debited(_object(s3, bucket, name)) for name in answers if "camt.054" in name)
    _hold(booked == FUNDS_MINOR - left, "the bank's camt.054 is not its own balance")
    return booked


def see_paid(walk: Walk) -> None:
    """The statement shows paid."""
    walk.step("The partner's statement shows paid")
    statement = _until(
        lambda: _statement(walk), lambda body: body["balance"].get("paid", 0) == 12_500
    )
    for movement in statement["movements"]:
        print(f"    {movement['at']}  {movement['kind']:16} {movement['amounts']}")
    _show("balance", statement["balance"])


def check_books(walk: Walk, booked_minor: int) -> None:
    """Reconcile: ledger = batches = file = bank, and nothing is under way."""
    walk.step("The books agree")
    statement = _statement(walk)
    folded: dict[str, int] = {}
    for movement in statement["movements"]:
        for account, amount in movement["amounts"].items():
            folded[account] = folded.get(account, 0) + amount
    held = {name: amount for name, amount in statement["balance"].items() if amount}
    _hold({k: v for k, v in folded.items() if v} == held, f"{folded} is not {held}")
    _hold(held.get("reserved", 0) == 0, "something is still reserved")
    _hold(held.get("in_transit", 0) == 0, "something is still in transit")
    batch = walk.stack.call("GET", f"/v1/batches/{walk.batch}", token=walk.manager).expect(200).body
    _hold(batch["paid_minor"] == booked_minor, f"{batch['paid_minor']} ≠ bank's {booked_minor}")
    known = _reports(walk)
    _post(walk, "/v1/jobs/reconcile", {}, token=walk.finance).expect(202)
    (newest, *_) = _until(lambda: sorted(_reports(walk) - known, reverse=True), bool)
    report = json.loads(_object(*_bank_bucket(walk), newest))
    _show("reconciliation", report)
    _hold(not report["differences"], "the reconciliation found differences")


def _statement(walk: Walk) -> dict[str, Any]:
    answer = walk.stack.call("GET", "/v1/me/statement?currency=EUR", token=walk.partner)
    return dict(answer.expect(200).body)


def _signed(walk: Walk, message: str, body: dict[str, Any]) -> Answer:
    raw = json.dumps(body)
    now = datetime.now(UTC)
    headers = {
        "webhook-id": message,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(walk.seed["billing_secret"]).sign(message, now, raw),
    }
    path = f"/v1/inbound/{walk.program}/billing"
    return walk.stack.call("POST", path, raw.encode(), headers=headers)


def _mails(walk: Walk) -> list[dict[str, Any]]:
    answer = http("GET", f"{walk.stack['endpoint']}/_ministack/ses/messages").expect(200)
    return [mail for account in answer.body["messages"].values() for mail in account]


def _bank_bucket(walk: Walk) -> tuple[Any, str]:
    s3 = boto3.client("s3", endpoint_url=walk.stack["endpoint"])
    return s3, walk.stack["buckets"]["bank"]


def _reports(walk: Walk) -> set[str]:
    """Return the names of the reconciliation reports there are; a name ends with its time."""
    s3, bucket = _bank_bucket(walk)
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix="reports/reconcile/")
    return {entry["Key"] for page in pages for entry in page.get("Contents", [])}


def _debited(camt: bytes) -> int:
    """Return what a camt.054 says was debited, minor units of a two-digit currency."""
    total = 0
    for entry in ET.fromstring(camt).findall(".//{*}Ntry"):  # noqa: S314  (our own bank process)
        if entry.findtext("{*}CdtDbtInd") == "DBIT":
            major, _, minor = str(entry.findtext("{*}Amt")).partition(".")
            total += int(major) * 100 + int(minor.ljust(2, "0")[:2] or 0)
    return total


def _object(s3: Any, bucket: str, key: str) -> bytes:  # noqa: ANN401
    try:
        return bytes(s3.get_object(Bucket=bucket, Key=key)["Body"].read())
    except s3.exceptions.NoSuchKey:
        return b""


def _post(walk: Walk, path: str, body: object, *, token: str = "", key: str = "") -> Answer:
    return walk.stack.call("POST", path, body, token=token, key=key)


def _until(read: Callable[[], T], held: Callable[[T], bool]) -> T:
    deadline = time.monotonic() + PATIENCE_S
    while True:
        value = read()
        if held(value):
            return value
        if time.monotonic() > deadline:
            sys.exit(f"\n    DID NOT HOLD: waited {PATIENCE_S} s; the last answer was {value}")
        time.sleep(0.2)


def _hold(condition: bool, otherwise: str) -> None:  # noqa: FBT001
    if not condition:
        sys.exit(f"\n    DID NOT HOLD: {otherwise}")


def _show(name: str, body: object) -> None:
    print(f"    {name} {json.dumps(body, ensure_ascii=False)}")


if __name__ == "__main__":
    main()
