"""Programs whose rewards depend on a partner's past, and the books they should give."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from introducer.earning.evaluate import evaluate, needs
from introducer.earning.history import Success, Tally, TallyKey
from introducer.earning.rules import rules_of
from introducer.errors import ContentionError
from introducer.ledger import Kind
from introducer.reward import Reward
from introducer.tables import programs, referrals, rewards, store
from introducer.tables.store import Table
from introducer.tables.tallies import marks
from payout import earn
from payout.outcome import case_of
from tests.support import life, money
from tests.support.money import NOW

WHOLE = [{"id": "purchase", "share_basis_points": 10_000}]


def percent(basis_points: int) -> dict[str, Any]:
    """Return a calculation by percentage."""
    return {"kind": "percent", "basis_points": basis_points}


def plan(basis_points: int = 1_000, **changes: Any) -> dict[str, Any]:
    """Return a plan of 10 %, all of it at once, unless said otherwise."""
    return {
        "id": "commission",
        "calculation": percent(basis_points),
        "milestones": WHOLE,
        **changes,
    }


def tiers(*steps: tuple[int, int], measure: str = "count", period: str = "year") -> dict[str, Any]:
    """Return an escalation: from which number or value on, how many basis points."""
    return {
        "measure": measure,
        "period": period,
        "tiers": [{"from": start, "calculation": percent(rate)} for start, rate in steps],
    }


def cap(amount_minor: int, period: str = "ever", **changes: Any) -> dict[str, Any]:
    """Return a cap per partner."""
    return {
        "id": "most",
        "per": "partner",
        "amount_minor": amount_minor,
        "currency": "EUR",
        "period": period,
        **changes,
    }


def budget(amount_minor: int, **changes: Any) -> dict[str, Any]:
    """Return a budget that stops."""
    return {"id": "spend", "amount_minor": amount_minor, "currency": "EUR", **changes}


def at(minute: int) -> str:
    """Return an instant of the day of the sales."""
    return f"2026-11-20T{9 + minute // 60:02}:{minute % 60:02}:00.000Z"


def sell(name: str, amount_minor: int, minute: int, **changes: Any) -> None:
    """Store a referral with its first sale at *minute*; nothing is booked yet."""
    money.sell(name, amount_minor, at=at(minute), lead_key=f"lead-{name}", **changes)


def converge(*names: str) -> None:
    """Bring the books of referrals up to date, as often as a queue would try."""
    for name in names:
        for _ in range(20):
            try:
                earn.converge(name, now=NOW)
            except ContentionError:
                continue
            break
        else:
            message = f"{name} did not converge"
            raise AssertionError(message)


def stored(name: str) -> list[Reward]:
    """Return the rewards of a referral as they are stored."""
    return rewards.load(referrals.detail(name).rewards)


def left(*names: str) -> dict[str, int]:
    """Return what each referral has earned and kept."""
    return {name: sum(each.left_minor for each in stored(name)) for name in names}


def expected(names: Iterable[str]) -> dict[str, int]:
    """Return what referrals with one sale each earn, one after another in business time."""
    cases = [(case_of(referrals.detail(name)), name) for name in names]
    rules = rules_of(programs.version(life.PROGRAM, 1).document)
    history: dict[TallyKey, Tally] = {}
    found = {}
    for case, name in sorted(cases, key=lambda each: (each[0].sales[0].occurred_at, each[1])):
        outcome = evaluate(rules, case, history)
        found[name] = sum(each.amount_minor for each in outcome.rewards)
        for key, successes in outcome.successes.items():
            before = history.get(key, Tally())
            history[key] = msgspec.structs.replace(
                before,
                count=before.count + len(successes),
                value_minor=before.value_minor + sum(each.value_minor for each in successes),
                used_minor=before.used_minor + sum(each.award_minor for each in successes),
            )
    return found


def disagreeing(names: Iterable[str]) -> list[str]:
    """Return the referrals that are not what the rules say, given what all others have now.

    The rules ask what lies before in business time, so there is one answer for all of them.
    """
    wrong = []
    tallies: dict[str, list[Success]] = {}
    for item in money.everything(Table.CORE):
        if item["pk"].startswith("TALLY#") and item["sk"].startswith("AT#"):
            tallies.setdefault(item["pk"], []).append(store.load(Success, item))
        elif item["pk"].startswith("TALLY#") and ("dirty" in item or "rising" in item):
            wrong.append(item["pk"])
    for name in names:
        detail = referrals.detail(name)
        case, version = case_of(detail), detail.referral.program_version
        rules = rules_of(programs.version(life.PROGRAM, version).document)
        history = {
            key: Tally(
                others=tuple(
                    each
                    for each in tallies.get(f"TALLY#{life.PROGRAM}#{'#'.join(key)}", [])
                    if each.referral != name
                )
            )
            for key in needs(rules, case)
        }
        outcome = evaluate(rules, case, history)
        counted = {
            key: tuple(each.success for _, each in sorted(own.items()) if each.success.count)
            for key, own in marks(detail.tallies).items()
        }
        offered = {each.key: each.offered_minor for each in outcome.rewards}
        have = {each.key: each.offered_minor for each in stored(name) if each.offered_minor}
        if offered != have or outcome.successes != {k: v for k, v in counted.items() if v}:
            wrong.append(name)
    return wrong


def highest(partners: Sequence[str] = ("pia",)) -> int:
    """Return the most that each partner's books ever held as earned, added up."""
    return sum(_highest(partner) for partner in partners)


def _highest(partner: str) -> int:
    most = held = 0
    for each in money.journals(partner) if any(money.accounts(partner).values()) else []:
        if each.kind is Kind.REWARD_EARNED:
            held += each.amount_minor
        elif each.kind is Kind.REWARD_REVERSED:
            held -= each.amount_minor
        most = max(most, held)
    return most
