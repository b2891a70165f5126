"""A dispute over the credit for a referral: its life, and what its decision means for the credit.

::

    open ──► escalated      undecided for too long
      │          │
      └────┬─────┘
           ├──► decided     upheld, rejected or split
           └──► withdrawn   by whoever opened it

A dispute holds ids and codes. What people wrote about it lies in the People table.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import msgspec

from introducer import money, screening
from introducer.clock import Instant
from introducer.command import Recredit
from introducer.errors import InvalidInputError, TransitionError
from introducer.event import Event
from introducer.partner import Partner
from introducer.referral import Referral, Share

Status = Literal["open", "escalated", "decided", "withdrawn"]
Claim = Literal[
    "not_credited",
    "referred_first",
    "co_referrer_missing",
    "wrong_share",
    "wrong_partner",
    "other",
]
"""What whoever opens it says is wrong."""
Outcome = Literal["upheld", "rejected", "split"]
Grounds = Literal[
    "earlier_touch",
    "agreement",
    "joint_work",
    "rule_applied",
    "no_evidence",
    "out_of_time",
    "no_referral",
    "other",
]
"""Why it was decided so."""
UNDECIDED = frozenset({"open", "escalated"})


class Dispute(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A dispute as it stands. ``version`` is the number of its last event.

    Attributes:
        opened_by: ``PARTNER#…``, ``REP#…`` or ``user:…``.
        partner: Who says that the credit is theirs; empty when a rep or manager named nobody.
        referral: What it is about. Of one opened by an address it is empty until it is decided:
            which referral the address belongs to is looked up when staff read it.
        named: The referral its partner named, which may be a duplicate of that one.
        lead_key: Keyed hash of the address it was opened by.
        reason: What is said to be wrong.
        decide_by: When it goes up, undecided.
        grounds: Why it was decided so.
        credit: The parts that the decision gave, by partner; empty when it changed nothing.
    """

    id: str
    program: str
    version: int
    status: Status
    opened_by: str
    reason: Claim
    opened_at: Instant
    updated_at: Instant
    decide_by: Instant
    partner: str = ""
    referral: str = ""
    named: str = ""
    lead_key: str = ""
    outcome: Outcome | None = None
    grounds: Grounds | None = None
    credit: dict[str, int] = {}

    @property
    def entity(self) -> str:
        """Return the name its events carry."""
        return f"DISPUTE#{self.id}"

    @property
    def about(self) -> str:
        """Return what only one undecided dispute of a partner may be about."""
        return self.referral or self.lead_key


def opened(dispute: Dispute) -> Event:
    """Return the first event of a dispute that was just opened."""
    data: dict[str, str | int] = {"reason": dispute.reason, "status": dispute.status}
    for name in ("partner", "referral"):
        if value := getattr(dispute, name):
            data[name] = value
    return _event(dispute, "DisputeOpened", dispute.opened_at, dispute.opened_by, data)


def commented(before: Dispute, *, now: Instant, actor: str) -> tuple[Dispute, Event]:
    """Return *before* with a comment added, and the event; the words lie elsewhere.

    Raises:
        TransitionError: It is over.
    """
    return _moved(before, "DisputeCommented", now, actor, {})


def escalated(before: Dispute, *, now: Instant) -> tuple[Dispute, Event]:
    """Return *before* gone up because nobody decided it in time, and the event.

    Raises:
        TransitionError: It went up already, or is over.
    """
    if before.status == "escalated":
        raise _refused(before, "escalate")
    return _moved(before, "DisputeEscalated", now, "system", {}, status="escalated")


def withdrawn(before: Dispute, *, now: Instant, actor: str) -> tuple[Dispute, Event]:
    """Return *before* taken back, and the event.

    Raises:
        TransitionError: It is over.
    """
    return _moved(before, "DisputeWithdrawn", now, actor, {}, status="withdrawn")


def decided(
    before: Dispute,
    outcome: Outcome,
    grounds: Grounds,
    *,
    referral: str,
    credit: Mapping[str, int],
    now: Instant,
    actor: str,
) -> tuple[Dispute, Event]:
    """Return *before* decided, and the event.

    Args:
        before: Undecided.
        outcome: What was decided.
        grounds: Why.
        referral: What it turned out to be about, empty for nothing there is.
        credit: The parts it gives; empty when nothing changes.
        now: The present instant.
        actor: Who decides.

    Raises:
        TransitionError: It is over.
    """
    data: dict[str, str | int] = {"outcome": outcome, "reason": grounds}
    if referral:
        data["referral"] = referral
    if credit:
        data["credit"] = " ".join(f"{name}:{part}" for name, part in sorted(credit.items()))
    changes = {
        "status": "decided",
        "outcome": outcome,
        "grounds": grounds,
        "referral": referral,
        "credit": dict(credit),
    }
    return _moved(before, "DisputeDecided", now, actor, data, **changes)


def parts_of(outcome: Outcome, claimant: str, asked: Sequence[tuple[str, int]]) -> dict[str, int]:
    """Return the parts that a decision gives, by partner, making 10,000; none when rejected.

    Args:
        outcome: What is decided.
        claimant: The partner of the dispute, who gets everything when it is upheld and no
            parts are named.
        asked: The parts named, in basis points.

    Raises:
        InvalidInputError: ``credit_not_needed``, ``credit_missing``, ``partner_twice`` or
            ``split_not_whole``.
    """
    if outcome == "rejected":
        if asked:
            raise _faulty("a rejected dispute changes no credit", "credit_not_needed")
        return {}
    if not asked and outcome == "upheld" and claimant:
        return {claimant: money.BASIS_POINTS}
    least = 2 if outcome == "split" else 1
    if len(asked) < least:
        raise _faulty("say who gets which part", "credit_missing")
    found = dict(asked)
    if len(found) != len(asked):
        raise _faulty("a partner is named twice", "partner_twice")
    if sum(found.values()) != money.BASIS_POINTS:
        raise _faulty("the parts must make 10000", "split_not_whole")
    return found


def shares_after(
    referral: Referral,
    before: Sequence[Share],
    credit: Mapping[str, int],
    partners: Mapping[str, Partner],
) -> list[Share]:
    """Return the shares that change when *credit* is given; nobody's share disappears.

    A partner who had a part keeps what was known of them when they were credited; one who
    loses all of it keeps a share of nothing, so that they see what became of the referral.

    Args:
        referral: Whose credit it is.
        before: Every share there is, also those of nothing.
        credit: The parts that are to be, by partner.
        partners: Those of *credit*, by id.
    """
    known = {share.partner: share for share in before}
    wanted = {**dict.fromkeys(known, 0), **credit}
    after = [
        msgspec.structs.replace(known[name], basis_points=part)
        if name in known
        else screening.share_of(partners[name], part, referral)
        for name, part in wanted.items()
    ]
    return [share for share in after if share != known.get(share.partner)]


def recredit(
    dispute: Dispute,
    grounds: Grounds,
    before: Sequence[Share],
    credit: Mapping[str, int],
    partners: Mapping[str, Partner],
) -> Recredit:
    """Return the command that carries out a decision; the largest part, then the id, leads."""
    main = max(sorted(credit), key=lambda name: credit[name])
    audiences = {share.partner: share.audience for share in before}
    return Recredit(
        dispute=dispute.id,
        reason=grounds,
        partner=main,
        audience=audiences.get(main) or partners[main].audience,
        parts=dict(credit),
    )


def _moved(
    before: Dispute,
    kind: str,
    now: Instant,
    actor: str,
    data: dict[str, str | int],
    **changes: object,
) -> tuple[Dispute, Event]:
    if before.status not in UNDECIDED:
        raise _refused(before, kind)
    after = msgspec.structs.replace(before, version=before.version + 1, updated_at=now, **changes)
    return after, _event(after, kind, now, actor, {**data, "status": after.status})


def _event(
    dispute: Dispute, kind: str, at: Instant, actor: str, data: dict[str, str | int]
) -> Event:
    return Event(
        type=kind,
        entity=dispute.entity,
        seq=dispute.version,
        program=dispute.program,
        at=at,
        actor=actor,
        data=data,
    )


def _refused(before: Dispute, command: str) -> TransitionError:
    message = f"the dispute is {before.status}"
    return TransitionError(message, status=before.status, command=command)


def _faulty(message: str, code: str) -> InvalidInputError:
    return InvalidInputError("credit", message, code=code)
