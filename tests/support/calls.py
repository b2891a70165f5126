"""Payouts that are calls: a program, its provider, and a batch run by hand up to any step."""

from __future__ import annotations

import json
from typing import Any

import msgspec

from introducer import ids, payout
from introducer.payout import Payout
from introducer.rails.answers import Message
from introducer.tables import partners, payouts, providers
from introducer.tables.people import Payee
from introducer.tables.providers import Configured
from introducer.tables.store import Transaction
from payout import batch, files, send, settle
from tests.support import life, money
from tests.support.money import NOW

SECRET = "whsec_c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0"
"""What our messages are signed with, in these tests; and what providers' are."""
RULE = {
    "currency": "EUR",
    "region": "eu",
    "threshold_minor": 1_000,
    "approval_above_minor": 1_000_000,
    "provider": "shop",
}


def furnish(url: str, *, method: str = "gift_card", secret: str = SECRET) -> None:
    """Store a program that pays by *method*, its provider at *url*, and 25.00 payable to Pia."""
    money.publish(payouts=[{**RULE, "method": method}])
    money.enrol("pia", payee=False)
    configure(url, providers.KIND_OF[method], secret=secret)
    money.sell("r1")
    money.deliver("r1")
    money.release()


def configure(url: str, kind: Any, *, secret: str = SECRET, name: str = "shop") -> None:
    """Store a provider."""
    new = Configured(
        program=life.PROGRAM,
        name=name,
        kind=kind,
        url=url,
        last4=secret[-4:],
        version=1,
        set_at=NOW,
        set_by="user:fin",
    )
    writes = Transaction()
    providers.save(writes, new, secret=secret, webhook_secret=SECRET)
    writes.commit()


def set_account(name: str, method: str, account: str) -> None:
    """Give a partner an account at a provider."""
    found = partners.find_partner(name)
    assert found is not None
    payee = Payee(name="Pia", town="", country="DE", method=method, provider_account=account)
    writes = Transaction()
    partners.set_payee(writes, found, payee, now=life.NOW, actor="user:1")
    writes.commit()


def pay_out(
    method: str = "gift_card", *, until: str = "finish", now: str = NOW, run: int = 1
) -> str:
    """Run the steps of a batch up to and including *until*; return its id."""
    identity: dict[str, Any] = {
        "program": life.PROGRAM,
        "region": "eu",
        "currency": "EUR",
        "method": method,
        "period": now[:10],
    }
    name = payout.batch_id(**identity, run=run)
    prepared = batch.prepare({**identity, "run": str(run), "batch": name}, now)
    items = json.loads(files.read(str(prepared["key"])) or b"[]")
    step = {"batch": name, "Items": items}
    for each in ("reserve", "close", "submit", "mark", "write", "send", "finish"):
        getattr(batch, each)(step, now)
        if each == until:
            break
    return name


def the_payout(batch_id: str, partner: str = "pia") -> Payout:
    """Return a partner's payout in a batch."""
    found = payouts.find(payout.reference(batch_id, partner))
    assert found is not None
    return found


def run_clock(at: str) -> tuple[int, int]:
    """Let the clock ask what is due at an instant; return what was asked and what failed."""
    return send.send_due(lambda: at, enough=lambda: True)


def acknowledge(body: dict[str, Any], *, provider: str = "shop", kind: str = "fulfil") -> None:
    """Take in a message of a provider, as it lies in the inbox."""
    kept = Message(
        program=life.PROGRAM,
        provider=provider,
        kind=kind,
        id=ids.new_id(),
        received_at=NOW,
        body=body,
    )
    settle.take_file(msgspec.json.encode(kept), "inbox/provider-x.json", now=NOW)


def fulfilled(about: Payout, **overrides: Any) -> dict[str, Any]:
    """Return the acknowledgement that a payout was handed out."""
    data = {"reference": about.reference, "amount_minor": about.amount_minor, "unit": "EUR"}
    return {"type": overrides.pop("type", "payout.fulfilled"), "data": {**data, **overrides}}
