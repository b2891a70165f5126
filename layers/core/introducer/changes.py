"""What a new version changes for partners, and for which of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from introducer.clock import Instant
from introducer.document.plan import Promotion, RewardPlan
from introducer.program import Program
from introducer.rewards_table import Group, groups, name_of
from introducer.wording import Language, language

MOST_LINES = 12
"""A notice is read; whoever wants all of it reads the table."""


def affects_partners(before: Program, after: Program, audience: str = "") -> bool:
    """Return whether *after* pays, limits, takes or tells anything otherwise than *before*.

    Rewards, promotions, caps, payouts, terms, credit and messages count; routing, stages,
    form fields, rewards of reps and what the company itself spends do not.

    Args:
        before: The version that counts until then.
        after: The one that takes its place.
        audience: Only what concerns partners of this one; empty for any that is in *before*.
    """
    keys = [audience] if audience else list(before.audiences)
    return any(_concern(before, key) != _concern(after, key) for key in keys)


def lines(before: Program, after: Program, audience: str, now: Instant, locale: str) -> list[str]:
    """Return what *after* changes for the partners of *audience*, in plain words.

    Nothing when nothing changes for them. No more than :data:`MOST_LINES` and one that says
    that there is more.

    Args:
        before: The version that counts until then.
        after: The one that takes its place.
        audience: The partners' audience, as *before* has it.
        now: Promotions over by then are left out.
        locale: Whose language.
    """
    said = language(locale)
    found = list(_lines(before, after, audience, now, said))
    if not found and affects_partners(before, after, audience):
        return [said.say("change.other")]
    if len(found) <= MOST_LINES:
        return found
    return [*found[:MOST_LINES], said.say("change.more")]


def told(
    before: Program,
    announced: Program | None,
    after: Program,
    audience: str,
    now: Instant,
    locale: str,
) -> list[str]:
    """Return what the partners of *audience* are to be told when *after* was published.

    Args:
        before: The version that counts until it takes effect.
        announced: The version they were told of for the same instant, which it replaces.
        after: The new version.
        audience: The partners' audience.
        now: Promotions over by then are left out.
        locale: Whose language.
    """
    found = lines(before, after, audience, now, locale) if audience in before.audiences else []
    if not found and announced and affects_partners(announced, after, audience):
        return [language(locale).say("change.kept")]
    return found


def _lines(
    before: Program, after: Program, audience: str, now: Instant, said: Language
) -> Iterator[str]:
    (old,) = groups(before, now, audience=audience, locale=said.code)
    new = next(iter(groups(after, now, audience=audience, locale=said.code)), None)
    if new is None:
        yield said.say("change.audience")
        return
    yield from _plans(old, new, said)
    if old.words != new.words:
        yield said.say("change.limits")
    earlier, later = _concern(before, audience), _concern(after, audience)
    for part, key in _PARTS.items():
        if earlier[part] != later[part]:
            yield said.say(key, currency=after.currency, version=after.terms_version)


_PARTS = {
    "currency": "change.currency",
    "payouts": "change.payouts",
    "terms": "change.terms",
    "attribution": "change.attribution",
    "exchange": "change.exchange",
    "messages": "change.messages",
}


def _plans(old: Group, new: Group, said: Language) -> Iterator[str]:
    was, becomes = ({row.plan: row for row in each.rows} for each in (old, new))
    for plan, row in becomes.items():
        name = said.quoted(row.name)
        if plan not in was:
            yield said.say("change.new", name=name, text=" ".join(row.words))
            continue
        for text in row.words:
            if text not in was[plan].words:
                yield said.say("change.now", name=name, text=text)
        for text in was[plan].words:
            if text not in row.words:
                yield said.say("change.gone", name=name, text=text)
    for plan, row in was.items():
        if plan not in becomes:
            yield said.say("change.ends", name=said.quoted(row.name))


def _concern(document: Program, audience: str) -> dict[str, Any]:
    """Return the parts of *document* that partners of *audience* are concerned with."""
    group = document.audiences.get(audience)
    plans = [each for each in document.rewards if _for_partners(each, audience)]
    return {
        "here": group is not None,
        "rewards": [
            msgspec.structs.replace(each, name=name_of(each), accounting_class="acquisition_cost")
            for each in plans
        ],
        "promotions": [each for each in document.promotions if _promised(each, audience)],
        "limits": (document.caps, document.ceiling, group.engagement if group else None),
        "currency": document.currency,
        "payouts": [
            (each.currency, each.method, each.threshold_minor, each.calendar)
            for each in document.payouts
        ],
        "terms": (document.terms_version, document.agreements),
        "attribution": document.attribution,
        "exchange": document.exchange,
        "messages": [
            each for each in document.messages if not each.audiences or audience in each.audiences
        ],
    }


def _for_partners(plan: RewardPlan, audience: str) -> bool:
    return plan.beneficiary != "rep" and (not plan.audiences or audience in plan.audiences)


def _promised(promotion: Promotion, audience: str) -> bool:
    named = not promotion.audiences or audience in promotion.audiences
    return promotion.beneficiary != "rep" and named
