"""Disputes and what their decisions do, by the API and by hand."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from introducer import dispute, life
from introducer.dispute import Dispute
from introducer.ledger import Journal
from introducer.tables import disputes, ledger, partners, programs, referrals
from introducer.tables.store import Transaction
from tests.support import money
from tests.support.api import Reply, call, login
from tests.support.life import PROGRAM

MIA = login("login-mia", "manager")
ANNA = login("login-anna", "rep")
NOW = money.NOW


def partner(name: str) -> dict[str, str]:
    """Return the login of a partner made by :func:`tests.support.life.enrol`."""
    return login(f"login-{name}", "partner")


def open_as(name: str, body: Mapping[str, object], *, key: str = "") -> Reply:
    """Open a dispute as a partner."""
    return call("POST", "/v1/me/disputes", dict(body), claims=partner(name), key=key)


def opened(name: str, referral: str = "r1", reason: str = "referred_first") -> str:
    """Open a dispute about a referral in a partner's list; return its id."""
    reply = open_as(name, {"referral": referral, "reason": reason})
    assert reply.status == 201, reply.body
    return str(reply.body["id"])


def opened_by_manager(name: str, referral: str = "r1", *, key: str = "") -> str:
    """Open a dispute for a partner as their manager; return its id."""
    body = {"referral": referral, "reason": "wrong_partner", "partner": name}
    reply = call("POST", f"/v1/programs/{PROGRAM}/disputes", body, claims=MIA, key=key)
    assert reply.status == 201, reply.body
    return str(reply.body["id"])


def decide(
    name: str,
    outcome: str = "upheld",
    credit: Mapping[str, int] | None = None,
    *,
    key: str = "",
    **more: Any,
) -> Reply:
    """Decide a dispute as the manager."""
    body: dict[str, Any] = {"outcome": outcome, "reason": "earlier_touch", **more}
    if credit:
        body["credit"] = [{"partner": k, "basis_points": v} for k, v in credit.items()]
    path = f"/v1/programs/{PROGRAM}/disputes/{name}/decide"
    return call("POST", path, body, claims=MIA, key=key)


def read(name: str) -> Reply:
    """Read a dispute as the manager."""
    return call("GET", f"/v1/programs/{PROGRAM}/disputes/{name}", claims=MIA)


def recredit(name: str, credit: Mapping[str, int], *, number: int = 1) -> None:
    """Store the decision of a dispute about a referral, as the API does; nothing is booked."""
    detail = referrals.detail(name)
    every = [*detail.shares, *detail.former]
    known = partners.find_partners(list(credit))
    made = Dispute(
        id=f"d{number}-{name}",
        program=PROGRAM,
        version=1,
        status="open",
        opened_by="user:mia",
        reason="wrong_partner",
        referral=name,
        opened_at=NOW,
        updated_at=NOW,
        decide_by=NOW,
    )
    writes = Transaction()
    disputes.add(writes, made, dispute.opened(made), comment="")
    writes.commit()
    decided, event = dispute.decided(
        made, "split", "joint_work", referral=name, credit=credit, now=NOW, actor="user:mia"
    )
    command = dispute.recredit(decided, "joint_work", every, credit, known)
    rules = programs.version(PROGRAM, detail.referral.program_version).document
    after, moved = life.apply(detail.referral, command, rules, now=NOW, actor="user:mia")
    writes = Transaction()
    disputes.save(writes, made, decided, event)
    referrals.save(writes, detail.referral, after, moved)
    for share in dispute.shares_after(detail.referral, every, credit, known):
        referrals.add_share(writes, after, share)
    writes.commit()


def trial_balance(*names: str) -> int:
    """Return the sum of every leg of every journal of these partners: 0, or the books are wrong."""
    return sum(
        amount for name in names for each in _journals(name) for amount in each.legs.values()
    )


def folded(*names: str) -> bool:
    """Return whether each partner's balance is the fold of their journals."""
    return all(_fold(name) == money.accounts(name) for name in names)


def _fold(name: str) -> dict[str, int]:
    known = ledger.balance(name, "EUR").accounts
    total = dict.fromkeys(known, 0)
    for each in _journals(name):
        for account, amount in each.legs.items():
            if account in total:
                total[account] += amount
    return {account: amount for account, amount in total.items() if amount}


def _journals(name: str) -> list[Journal]:
    return money.journals(name) if ledger.balance(name, "EUR").version else []
