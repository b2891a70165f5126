"""Every command of the referral state machine, once each, and where it may start."""

from __future__ import annotations

from introducer.command import (
    Absorb,
    Accept,
    Advance,
    Annul,
    Assess,
    Assign,
    Churn,
    Clear,
    Command,
    Expire,
    Hold,
    Identify,
    Lose,
    MarkDuplicate,
    MarkIneligible,
    RecordEvent,
    RecordRefund,
    RecordSale,
    Recredit,
    Reject,
    Release,
    Remind,
    Retain,
    SendToReview,
    TakeBack,
    Win,
    Withdraw,
)
from introducer.referral import Sale

LATER = "2026-11-23T10:00:00.000Z"
SALE = Sale(id="s1", amount_minor=50_000, currency="EUR", occurred_at=LATER, source="billing")

COMMANDS: tuple[Command, ...] = (
    Clear(partner="pia", audience="partners"),
    MarkDuplicate(of="r0"),
    Absorb(referral="r9"),
    MarkIneligible(reason="country"),
    SendToReview(reason="no_rep"),
    Assign(rep="anna"),
    Remind(),
    TakeBack(then="reroute"),
    TakeBack(then="review"),
    Assess(rating=4, involvement={"pia": "co_sold"}),
    Accept(),
    Reject(reason="no_capacity"),
    Reject(reason="not_a_fit"),
    Advance(stage="qualified", source_at=LATER),
    Advance(stage="proposal", source_at=LATER),
    Win(sale=SALE),
    Lose(reason="budget", source_at=LATER),
    RecordSale(sale=SALE),
    Identify(external="external.crm#5f"),
    RecordEvent(event="demo_held", id="e1", at=LATER),
    RecordRefund(sale="s1", refund="f1", amount_minor=1_000, nothing_left=False),
    RecordRefund(sale="s1", refund="f1", amount_minor=50_000, nothing_left=True),
    Retain(),
    Churn(source_at=LATER),
    Withdraw(reason="by_lead"),
    Expire(),
    Hold(reason="self_referral"),
    Release(reason="reviewed"),
    Annul(reason="fraud"),
    Recredit(
        dispute="d1",
        reason="evidence",
        partner="quin",
        audience="partners",
        parts={"quin": 10_000},
    ),
)

STATUSES = (
    "submitted screening review assigned accepted qualified proposal won retained lost "
    "duplicate ineligible rejected withdrawn expired refunded churned"
).split()

ALLOWED: dict[str, set[str]] = {
    # By name of the command, written down by hand: the statuses it may start from.
    "Clear": {"submitted"},
    "MarkDuplicate": set("submitted screening review assigned accepted qualified proposal".split()),
    "Absorb": set(STATUSES[:10]),
    "MarkIneligible": {"submitted", "screening", "review"},
    "SendToReview": {"submitted", "screening"},
    "Assign": {"screening", "review"},
    "Remind": {"assigned"},
    "TakeBack": {"assigned"},
    "Assess": {"assigned", "accepted", "qualified", "proposal"},
    "Accept": {"assigned"},
    "Reject": {"assigned", "review"},
    "Advance": {"assigned", "accepted", "qualified", "proposal"},
    "Win": {"assigned", "accepted", "qualified", "proposal", "lost"},
    "Lose": {"assigned", "accepted", "qualified", "proposal"},
    "RecordSale": {"won", "retained"},
    "Identify": set(STATUSES[:10]),
    "RecordEvent": set(
        "submitted screening review assigned accepted qualified proposal won retained".split()
    ),
    "RecordRefund": {"won", "retained"},
    "Retain": {"won"},
    "Churn": {"won", "retained"},
    "Withdraw": set("submitted screening review assigned accepted qualified proposal".split()),
    "Expire": set("submitted screening review assigned accepted qualified proposal".split()),
    "Hold": set(STATUSES[:10]),
    "Release": set(STATUSES[:10]),
    "Annul": set(STATUSES[:10]),
    "Recredit": set(STATUSES[1:10]) | {"refunded", "churned"},
}
