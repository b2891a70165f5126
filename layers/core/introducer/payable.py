"""Why something is not paid yet, and when it will be: what a partner may ask at any moment.

The gates themselves are asked elsewhere, with the batches; here their answer gets words, a
date where there is one, and what the partner can do.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from introducer import payday, statement
from introducer.clock import Instant
from introducer.document.payout import PayoutRule
from introducer.ledger import Balance, Journal
from introducer.partner import Partner
from introducer.payout import Payout
from introducer.program import Program
from introducer.reward import Reward
from introducer.tax import law
from introducer.wording import Language

YOURS = frozenset(
    {"no_payee", "payee_rejected", "payee_not_payable", "tax_form_missing", "duplicate_payee"}
)
"""Obstacles that the partner can take away."""


_FOUND_LATE = frozenset({"duplicate_payee", "payee_not_payable"})
"""Why somebody was left out of a run, where only the run itself finds that out."""


class Obstacle(msgspec.Struct, frozen=True, kw_only=True):
    """Something that stands between a partner and their money.

    ``yours`` tells that they can do something about it; ``until`` is when it ends by itself.
    """

    code: str
    words: str
    yours: bool = False
    until: Instant = ""


class Due(msgspec.Struct, frozen=True, kw_only=True):
    """What becomes payable from a day (UTC) on, if nothing stands against it then."""

    on: str
    count: int
    amount_minor: int


class Wait(msgspec.Struct, frozen=True, kw_only=True):
    """What is due already and has to wait, by why."""

    code: str
    words: str
    count: int
    amount_minor: int


class Debt(msgspec.Struct, frozen=True, kw_only=True):
    """One booking that made, or lowered, what is owed back; below zero makes it."""

    at: Instant
    kind: str
    amount_minor: int
    referral: str
    reason: str


def dues(rewards: Iterable[Reward], now: Instant) -> list[Due]:
    """Return when the pending *rewards* that are not due yet become so, by day."""
    days: dict[str, tuple[int, int]] = {}
    for each in rewards:
        if each.due_at > now:
            count, sum_minor = days.get(each.due_at[:10], (0, 0))
            days[each.due_at[:10]] = (count + 1, sum_minor + each.left_minor)
    return [Due(on=on, count=days[on][0], amount_minor=days[on][1]) for on in sorted(days)]


def waits(rewards: Iterable[Reward], now: Instant, language: Language) -> list[Wait]:
    """Return why the pending *rewards* that are due have to wait, by reason."""
    reasons: dict[str, tuple[int, int]] = {}
    for each in rewards:
        if each.due_at <= now:
            code = each.waiting or "due"
            count, sum_minor = reasons.get(code, (0, 0))
            reasons[code] = (count + 1, sum_minor + each.left_minor)
    return [
        Wait(
            code=code,
            words=language.phrase(f"waiting.{code}", code),
            count=reasons[code][0],
            amount_minor=reasons[code][1],
        )
        for code in sorted(reasons)
    ]


def debts(journals: Iterable[Journal]) -> list[Debt]:
    """Return the bookings that moved what is owed back, in the order given."""
    return [
        Debt(
            at=each.at,
            kind=each.kind,
            amount_minor=each.legs["receivable"],
            referral=each.refs.get("referral", ""),
            reason=each.reason,
        )
        for each in journals
        if each.legs.get("receivable")
    ]


def missing_minor(rule: PayoutRule, balance: Balance) -> int:
    """Return how much is missing to the smallest payout of *rule*, minor units; 0 for nothing."""
    return max(0, max(1, rule.threshold_minor) - balance.payable)


def obstacles(
    codes: Sequence[str],
    document: Program,
    rule: PayoutRule | None,
    profile: Partner,
    balance: Balance,
    language: Language,
) -> list[Obstacle]:
    """Return everything that stands against a payout to *profile* now, in words.

    Args:
        codes: What the gates say, the most urgent one first.
        document: The program's rules.
        rule: The one that pays the unit of *balance* to them; None for no rule.
        profile: The partner.
        balance: Their accounts.
        language: Whose words are used.
    """
    found = [_obstacle(code, document, profile, language) for code in codes]
    if rule is None:
        return [*found, _obstacle("no_rule", document, profile, language)]
    if balance.payable <= 0:
        found.append(_obstacle("nothing_payable", document, profile, language))
    elif missing := missing_minor(rule, balance):
        words = language.say(
            "obstacle.below_threshold",
            missing=language.amount(missing, balance.currency),
            threshold=language.amount(rule.threshold_minor, balance.currency),
        )
        found.append(Obstacle(code="below_threshold", words=words))
    if not rule.automatic:
        found.append(_obstacle("by_hand", document, profile, language))
    return found


def left_out(newest: Payout | None, profile: Partner) -> str:
    """Return why the last run left *profile* out, empty when it did not or that is over.

    Args:
        newest: Their last payout of the unit, notes of runs that paid nothing included.
        profile: The partner; another account since then is another chance.
    """
    if newest is None or newest.status not in {"skipped", "cancelled"}:
        return ""
    over = newest.reason not in _FOUND_LATE or profile.payee_set_at > newest.created_at
    return "" if over else newest.reason


def next_at(rule: PayoutRule, zone: str, against: Iterable[Obstacle], now: Instant) -> Instant:
    """Return when *rule* could pay next: the first run after every obstacle with an end.

    Empty where a person starts the runs. An obstacle without an end does not move it.
    """
    return payday.next_run(rule, zone, max([now, *(each.until for each in against)]))


def _obstacle(code: str, document: Program, profile: Partner, language: Language) -> Obstacle:
    values, until = {}, ""
    if code == "payee_cooling_off":
        until = profile.payee_usable_at
        values["until"] = language.date(until, document.time_zone)
    elif code == "payee_rejected":
        values["reason"] = statement.reason_words(profile.payee_problem, language)
        values["advice"] = statement.advice_on(profile.payee_problem, language)
    elif code == "tax_form_missing":
        form = law.form_for(
            document.tax.payer_country, profile.tax_country or profile.country, profile.tax_entity
        )
        values["form"] = language.phrase(f"form.{form}", form)
    known = language.phrase(f"obstacle.{code}", "", **values)
    return Obstacle(code=code, words=known or code, yours=code in YOURS, until=until)
