"""How an amount came about, and what a condition asks, in plain words.

Nothing here raises on data it does not know: a step of a later version is told by its
name and values, so that what was stored can always be read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from introducer.document.condition import Condition
from introducer.program import Program
from introducer.wording import Language, capital, language, plain

Step = Mapping[str, Any]
_TEN_THOUSAND = 10_000


def words(
    trace: Sequence[Step], currency: str, locale: str, document: Program | None = None
) -> list[str]:
    """Return the steps that led to a reward, each as a sentence.

    Args:
        trace: As it is stored with the reward.
        currency: What the reward is kept in, such as ``EUR``, ``PTS`` or ``EUR.credit``.
        locale: Whose language; English for one there are no words in.
        document: The version that was evaluated, for the names of plans and promotions.
    """
    said = language(locale)
    unit = currency.partition(".")[0]
    found: list[str] = []
    for step in trace:
        try:
            found += _STEPS.get(str(step.get("step")), _other)(step, said, unit, document)
        except (KeyError, TypeError, ValueError):
            found += _other(step, said, unit, document)
    return found


def condition(
    asked: Condition | None, locale: str, document: Program | None = None, *, nested: bool = False
) -> str:
    """Return what *asked* demands as part of a sentence; empty when it demands nothing.

    Args:
        asked: As published.
        locale: Whose language.
        document: The program, for its currency, its questions and its audiences' names.
        nested: It stands inside another one.
    """
    said = language(locale)
    if asked is None:
        return ""
    if asked.not_ is not None:
        return said.say("op.not", inner=condition(asked.not_, locale, document, nested=True))
    inner = asked.all if asked.all is not None else asked.any
    if inner is None:
        return _test(asked, said, document)
    parts = [condition(each, locale, document, nested=True) for each in inner]
    text = said.one_of(parts, "and" if asked.all is not None else "or")
    return f"({text})" if nested and len(parts) > 1 else text


def amount(amount_minor: int, unit: str, locale: str) -> str:
    """Return an amount as *locale* writes it; *unit* is a currency, ``PTS`` or ``EUR.credit``."""
    return language(locale).amount(amount_minor, unit)


# ---- steps of a trace


def _rule(step: Step, said: Language, currency: str, document: Program | None) -> list[str]:
    unit = str(step.get("currency") or currency)
    kind = str(step["kind"])
    values = {
        "plan": said.quoted(_plan_name(str(step["plan"]), document)),
        "amount": said.amount(int(step["amount_minor"]), unit),
    }
    if kind == "percent":
        values["rate"] = said.rate(int(step["basis_points"]))
        values["base"] = said.amount(int(step["base_minor"]), unit)
        if "exact_minor" in step:
            kind = "limited"
            values["exact"] = said.amount(int(step["exact_minor"]), unit)
    if kind == "per_product":
        values["pieces"] = said.count("pieces", int(step.get("pieces", 1)))
    found = [said.say(f"step.{kind}", **values)]
    if "count" in step:
        found.append(said.say("step.count", count=said.number(int(step["count"]))))
    if "value_minor" in step:
        # What successes are worth is counted in the program's own currency.
        own = document.currency if document else unit
        found.append(said.say("step.value", value=said.amount(int(step["value_minor"]), own)))
    if step.get("tier"):
        found.append(said.say("step.tier", tier=step["tier"]))
    if "variant" in step:
        found.append(said.say("step.variant", variant=said.name(str(step["variant"]))))
    if step.get("rounding_ten_thousandths"):
        found += _rounded(int(step["rounding_ten_thousandths"]), said)
    return found


def _rounding(step: Step, said: Language, _: str, __: Program | None) -> list[str]:
    return _rounded(int(step["ten_thousandths"]), said)


def _rounded(ten_thousandths: int, said: Language) -> list[str]:
    way = "up" if ten_thousandths > 0 else "down"
    return [said.say(f"step.rounded.{way}", parts=said.ratio(abs(ten_thousandths), _TEN_THOUSAND))]


def _after(step: Step, said: Language, currency: str, document: Program | None) -> list[str]:
    """Say a step that has a name, takes something off, or gives part of it."""
    kind = str(step["step"])
    values: dict[str, object] = {name: value for name, value in step.items() if name != "step"}
    if "id" in step:
        known = _promotion_name(str(step["id"]), document) if kind == "promotion" else ""
        values["id"] = said.name(known or str(step["id"]))
    if "basis_points" in step:
        values["rate"] = said.rate(int(step["basis_points"]))
    if "cut_minor" in step:
        values["cut"] = said.amount(int(step["cut_minor"]), currency)
    if "amount_minor" in step or "part_minor" in step:
        amount = step["amount_minor"] if "amount_minor" in step else step["part_minor"]
        values["amount"] = said.amount(int(amount), currency)
    key = f"step.cap.{step['per']}" if kind == "cap" else f"step.{kind}"
    return [said.say(key, **values)]


def _other(step: Step, said: Language, _: str, __: Program | None) -> list[str]:
    rest = ", ".join(f"{plain(str(name))} {step[name]}" for name in step if name != "step")
    name = capital(plain(str(step.get("step", ""))))
    return [said.say("step.other", step=name, rest=rest) if rest else f"{name}."]


_STEPS = {
    "rule": _rule,
    "rounding": _rounding,
    **dict.fromkeys(
        (
            "bonus",
            "promotion",
            "best",
            "cap",
            "exchange",
            "share",
            "ceiling",
            "milestone",
            "budget",
        ),
        _after,
    ),
}


def _plan_name(plan: str, document: Program | None) -> str:
    rewards = document.rewards if document else []
    return next((each.name for each in rewards if each.id == plan and each.name), plain(plan))


def _promotion_name(promotion: str, document: Program | None) -> str:
    promotions = document.promotions if document else []
    return next((each.name for each in promotions if each.id == promotion), "")


# ---- tests of a condition


def _test(asked: Condition, said: Language, document: Program | None) -> str:
    name, op, value = asked.field or "", asked.op or "eq", asked.value
    what = _subject(name, said, document)
    if op == "exists":
        return said.say("op.exists" if value else "op.missing", what=what)
    if isinstance(value, list):
        texts = [_value(name, each, said, document) for each in value]
        values = {"values": said.one_of(texts), "low": texts[0], "high": texts[-1]}
    else:
        values = {"value": _value(name, value, said, document)}
    counted = said.counted(name)
    if counted and op in {"eq", "gt", "gte", "lt", "lte", "between"}:
        return counted.replace("{n}", said.say(f"n.{op}", **values))
    return said.say(f"op.{op}", what=what, **values)


def _subject(name: str, said: Language, document: Program | None) -> str:
    known = said.fact(name)
    if known:
        return known
    namespace, _, key = name.partition(".")
    question = document.questions.get(key) if document and namespace == "answers" else None
    if namespace == "answers":
        return said.say("answer", text=said.quoted(question.text if question else plain(key)))
    return said.name(key or name)


def _value(name: str, value: object, said: Language, document: Program | None) -> str:
    match value:
        case bool():
            return said.say("yes" if value else "no")
        case int() if name.endswith("_minor"):
            return said.amount(value, document.currency if document else "")
        case int() if name == "partner.share":
            return said.rate(value)
        case int():
            return said.number(value)
    text = str(value)
    if name == "partner.audience" and document and text in document.audiences:
        return said.quoted(document.audiences[text].name)
    return said.value(text)
