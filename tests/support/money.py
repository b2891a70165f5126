"""A program that pays, customers who buy, and the whole way of the money by hand.

The functions are called in the test's own process, in the order in which bus, schedule
and state machine would call them; each may be called again at any point.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

import pytest

from introducer import payout
from introducer.bank.pain001 import amounts_in
from introducer.command import (
    Accept,
    Assign,
    Churn,
    Clear,
    Command,
    RecordRefund,
    RecordSale,
    Win,
)
from introducer.event import Event
from introducer.ledger import Balance, Journal, Kind, Posting
from introducer.life import apply
from introducer.payout import Batch
from introducer.program import Program
from introducer.referral import Referral, Sale, Share
from introducer.tables import ledger, partners, payouts, programs, referrals, store
from introducer.tables.ledger import Entry
from introducer.tables.people import Payee
from introducer.tables.store import Table, Transaction
from payout import accrue, batch, earn, files, settle
from tests.support import life
from tests.support.bank_files import entry, notification, status_report

SOLD = "2026-11-20T09:00:00.000Z"
NOW = "2026-11-22T11:17:00.000Z"
DUE = "2027-05-19T09:00:00.000Z"
"""When what was sold at SOLD has lasted 180 days."""
IBAN = "DE89370400440532013000"

COMMISSION = {
    "id": "commission",
    "calculation": {"kind": "percent", "basis_points": 1_000},
    "milestones": [
        {"id": "purchase", "share_basis_points": 2_500},
        {"id": "loyalty", "share_basis_points": 7_500, "when": "retained", "after_days": 180},
    ],
}
EUROS = {
    "currency": "EUR",
    "region": "eu",
    "threshold_minor": 1_000,
    "approval_above_minor": 1_000_000,
    "debtor": {
        "name": "Acme GmbH",
        "iban": "DE02120300000000202051",
        "bic": "BYLADEM1001",
        "address": {"town": "Berlin", "country": "DE"},
    },
}

CONTEXT = SimpleNamespace(
    function_name="test",
    memory_limit_in_mb=128,
    invoked_function_arn="arn:aws:lambda:us-east-1:000000000000:function:test",
    aws_request_id="request",
    get_remaining_time_in_millis=lambda: 60_000,
)


def publish(**overrides: Any) -> Program:
    """Store the program: 10 %, a quarter now and the rest after 180 days, paid in euros."""
    return life.publish(**({"rewards": [COMMISSION], "payouts": [EUROS]} | overrides))


def enrol(name: str = "pia", *, payee: bool = True, **overrides: Any) -> None:
    """Store a partner, with a bank account unless said otherwise."""
    partner = life.enrol(name, **overrides)
    if payee:
        set_payee(partner.id, iban_of(name))


def iban_of(name: str) -> str:
    """Return the account of a partner, everybody's their own; Pia's is :data:`IBAN`."""
    if name == "pia":
        return IBAN
    account = f"37040044{zlib.crc32(name.encode()) % 10**10:010}"
    return f"DE{98 - int(f'{account}131400') % 97:02}{account}"


def set_payee(name: str, iban: str = IBAN) -> None:
    """Store where a partner's money goes."""
    found = partners.find_partner(name)
    assert found is not None
    writes = Transaction()
    account = Payee(name=name.title(), iban=iban, town="Berlin", country="DE")
    partners.set_payee(writes, found, account, now=life.NOW, actor="user:1")
    writes.commit()


def sell(
    name: str = "r1",
    amount_minor: int = 100_000,
    *,
    currency: str = "EUR",
    shares: dict[str, int] | None = None,
    at: str = SOLD,
    **overrides: Any,
) -> Referral:
    """Store a referral and bring it to its first sale; return it as won."""
    weights = shares or {"pia": 10_000}
    life.submit(name, **overrides)
    first = next(iter(weights))
    life.move(name, Clear(partner=first, audience="partners"))
    writes = Transaction()
    for partner, basis_points in weights.items():
        share = Share(partner=partner, basis_points=basis_points, audience="partners")
        referrals.add_share(writes, referrals.get(name), share)
    writes.commit()
    life.move(name, Assign(rep="anna"))
    life.move(name, Accept())
    return sell_more(name, "s1", amount_minor, currency=currency, at=at)


def sell_more(
    name: str, sale: str, amount_minor: int, *, currency: str = "EUR", at: str = SOLD
) -> Referral:
    """Store another sale of a referral; the first one wins it."""
    before = referrals.get(name)
    new = Sale(
        id=sale, amount_minor=amount_minor, currency=currency, occurred_at=at, source="billing"
    )
    command = RecordSale(sale=new) if before.won_at else Win(sale=new)
    after, event = _apply(before, command)
    writes = Transaction()
    referrals.save(writes, before, after, event)
    referrals.add_sale(writes, after, new)
    writes.commit()
    return after


def refund(name: str, refund_id: str, amount_minor: int, *, sale: str = "s1") -> Referral:
    """Store a refund of part of a sale, or of the rest of everything."""
    facts = referrals.detail(name)
    before = next(each for each in facts.sales if each.id == sale)
    left = sum(each.amount_minor - each.refunded_minor for each in facts.sales)
    command = RecordRefund(
        sale=sale,
        refund=refund_id,
        amount_minor=amount_minor,
        nothing_left=left == amount_minor,
    )
    after, event = _apply(facts.referral, command)
    changed = Sale(
        **{
            **{field: getattr(before, field) for field in before.__struct_fields__},
            "refunded_minor": before.refunded_minor + amount_minor,
            "refunds": {**before.refunds, refund_id: amount_minor},
        }
    )
    writes = Transaction()
    referrals.save(writes, facts.referral, after, event)
    referrals.change_sale(writes, after, before, changed)
    writes.commit()
    return after


def churn(name: str, at: str) -> Referral:
    """Store that the customer left."""
    return life.move(name, Churn(source_at=at))


def _apply(before: Referral, command: Command) -> tuple[Referral, Event]:
    rules = programs.version(before.program, before.program_version).document
    return apply(before, command, rules, now=NOW, actor="source:billing")


def deliver(*names: str) -> dict[str, Any]:
    """Hand messages about referrals to the earn function, as its queue does."""
    answer: dict[str, Any] = earn.handler(
        life.from_bus(*({"entity": f"REFERRAL#{name}", "type": "SaleRecorded"} for name in names)),
        CONTEXT,
    )
    return answer


def pay_out(run: int = 1, *, now: str = NOW, until: str = "write", started_by: str = "") -> str:
    """Run the steps of a batch up to and including *until*; return its id."""
    event = batch_event(run, now=now, started_by=started_by)
    prepared = batch.prepare(event, now)
    items = json.loads(files.read(str(prepared["key"])) or b"[]")
    step = {"batch": event["batch"], "Items": items}
    for name in ("reserve", "close", "approve", "submit", "mark", "write", "finish"):
        if name == "approve":
            if payouts.get_batch(event["batch"]).status == "awaiting_approval":
                payouts.approve(event["batch"], approver="user:mia", now=now)
        else:
            getattr(batch, name)(step, now)
        if name == until or payouts.get_batch(event["batch"]).status == "cancelled":
            break
    return str(event["batch"])


def batch_event(run: int = 1, *, now: str = NOW, started_by: str = "") -> dict[str, Any]:
    """Return what the state machine gives the first step."""
    identity: dict[str, Any] = {
        "program": life.PROGRAM,
        "region": "eu",
        "currency": "EUR",
        "method": "sepa",
        "period": now[:10],
    }
    name = payout.batch_id(**identity, run=run)
    return {**identity, "run": str(run), "batch": name, "started_by": started_by or "schedule"}


def debit(batch_id: str, *, only: set[str] | None = None, name: str = "camt-1.xml") -> None:
    """Let the bank book every payment of a batch, or those of some partners."""
    sent = [
        each
        for each in payouts.of_batch(batch_id)
        if each.status == "in_transit" and (only is None or each.partner in only)
    ]
    entries = [booking(each.reference, each.amount_minor) for each in sent]
    settle.take_file(notification(*entries), f"inbox/{name}", now=NOW)


def settle_all(batch_id: str) -> None:
    """Let the bank take the file and book all of it: one pain.002 and one camt.054.

    The files depend on what was ordered only, so the bank repeats itself word for word.
    """
    accepted = (
        f"<OrgnlGrpInfAndSts><OrgnlMsgId>{batch_id}</OrgnlMsgId>"
        "<OrgnlMsgNmId>pain.001.001.09</OrgnlMsgNmId><GrpSts>ACCP</GrpSts></OrgnlGrpInfAndSts>"
    )
    settle.take_file(status_report(accepted), "inbox/pain-1.xml", now=NOW)
    ordered = amounts_in(files.read(files.order_key(the_batch(batch_id))) or b"", "EUR")
    take(*(booking(reference, amount_minor) for reference, amount_minor in ordered.items()))


def booking(
    reference: str, amount_minor: int, *, batch_id: str = "", returned: str = "", on: str = ""
) -> str:
    """Return the bank's entry of one transfer, or with a reason of its coming back."""
    amount = f'<Amt Ccy="EUR">{decimal(amount_minor)}</Amt>'
    direction = f"<CdtDbtInd>{'CRDT' if returned else 'DBIT'}</CdtDbtInd>"
    why = f"<RtrInf><Rsn><Cd>{returned}</Cd></Rsn></RtrInf>" if returned else ""
    refs = f"<MsgId>{batch_id}</MsgId><PmtInfId>{batch_id}</PmtInfId>" if batch_id else ""
    own = f"<EndToEndId>{reference}</EndToEndId>" if reference else ""
    detail = f"<TxDtls><Refs>{refs}{own}</Refs>{amount}{direction}{why}</TxDtls>"
    return entry(
        amount=amount,
        direction=direction,
        booked=f"<BookgDt><Dt>{on or ('2026-11-26' if returned else '2026-11-24')}</Dt></BookgDt>",
        details=f"<NtryDtls>{detail}</NtryDtls>",
    )


def take(*entries: str, name: str = "camt-1.xml") -> None:
    """Take in a notification of the bank with these entries."""
    settle.take_file(notification(*entries), f"inbox/{name}", now=NOW)


def decimal(amount_minor: int) -> str:
    """Return an amount in euros as a bank writes it."""
    return f"{amount_minor // 100}.{amount_minor % 100:02}"


def credit(holder: str, amount_minor: int, name: str = "opening", currency: str = "EUR") -> None:
    """Make something payable to a holder, without a referral behind it."""
    opened = Posting(
        id=f"opening:{holder}:{name}",
        kind=Kind.BALANCE_OPENED,
        program=life.PROGRAM,
        partner=holder,
        currency=currency,
        amount_minor=amount_minor,
        at=SOLD,
    )
    ledger.post_all(holder, currency, lambda _: [Entry(postings=(opened,))], now=SOLD)


def release(now: str = NOW) -> None:
    """Run the accrual."""
    accrue.retain(now)
    accrue.release(now)


def accounts(partner: str = "pia", currency: str = "EUR") -> dict[str, int]:
    """Return the accounts of a partner that hold something."""
    return {k: v for k, v in ledger.balance(partner, currency).accounts.items() if v}


def journals(partner: str = "pia", currency: str = "EUR") -> list[Journal]:
    """Return every journal of a partner, in order."""
    last = ledger.balance(partner, currency).version
    return ledger.journals(partner, currency, first=1, last=last)


def booked(partner: str = "pia", currency: str = "EUR") -> list[tuple[str, dict[str, int]]]:
    """Return kind and legs of every journal of a partner, in order."""
    return [(str(each.kind), each.legs) for each in journals(partner, currency)]


def intrude(monkeypatch: pytest.MonkeyPatch, intruder: Callable[[], object]) -> None:
    """Let *intruder* act between what the next post reads and what it writes."""
    real = ledger._post

    def post_after(before: Balance, entries: Sequence[Entry], now: str) -> None:
        monkeypatch.setattr(ledger, "_post", real)
        intruder()
        real(before, entries, now)

    monkeypatch.setattr(ledger, "_post", post_after)


def the_batch(batch_id: str) -> Batch:
    """Return a batch as it stands."""
    return payouts.get_batch(batch_id)


def everything(table: Table) -> list[dict[str, Any]]:
    """Return every item of a table, by key: only tests may scan."""
    answer = store.connection().scan(store.name(table), consistent_read=True)
    assert "LastEvaluatedKey" not in answer
    return sorted(
        (store.item(raw) for raw in answer["Items"]), key=lambda each: (each["pk"], each["sk"])
    )
