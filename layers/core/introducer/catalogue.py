"""The catalogue: every fact a condition may ask about, with its type.

A name that is not here, or not declared by the program, is a finding when a document is
published; so a typo never becomes a silent *false*.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from introducer.document.condition import Op
from introducer.program import Program

Type = Literal["text", "number", "flag", "list"]


class Entry(msgspec.Struct, frozen=True):
    """One fact: its type and what it says. ``scope`` is when it is known.

    ``partner`` facts are those of the partner credited, ``lead`` those of the referral as it
    was made, ``referral`` how it went since, ``occasion`` what earns at the moment,
    ``history`` the partner's successes of the plan's escalation period, the present one included,
    ``release`` what only milestones may ask, since it changes.
    """

    type: Type
    scope: Literal["partner", "lead", "referral", "occasion", "history", "release"]
    about: str


FIELDS: dict[str, Entry] = {
    "partner.audience": Entry("text", "partner", "the audience they belong to"),
    "partner.type": Entry("text", "partner", "their type, one of partner_types"),
    "partner.country": Entry("text", "partner", "where they live"),
    "partner.organization": Entry("text", "partner", "their company's id, when they have one"),
    "partner.segment": Entry("text", "partner", "their segment in the company's own list"),
    "partner.score": Entry("number", "partner", "their score in the company's own list"),
    "partner.days": Entry("number", "partner", "whole days from enrolment to submission"),
    "partner.share": Entry("number", "partner", "their part of the credit, basis points"),
    "partner.involvement": Entry("text", "partner", "introduced, assisted or co_sold"),
    "lead.country": Entry("text", "lead", "where the lead is"),
    "lead.language": Entry("text", "lead", "the language to talk to them, two letters"),
    "lead.size": Entry("number", "lead", "how many people the lead's company employs"),
    "lead.industry": Entry("text", "lead", "the trade of the lead's company"),
    "lead.product": Entry("text", "lead", "the product asked for"),
    "lead.score": Entry("number", "lead", "how well the lead fits, by the program's score"),
    "lead.rating": Entry("number", "referral", "the rep's own rating, 1 to 5"),
    "referral.channel": Entry("text", "lead", "form, link, code, verbal, e-mail …"),
    "referral.status": Entry("text", "release", "the status at the moment"),
    "referral.days_to_close": Entry("number", "occasion", "days from submission to first sale"),
    "sale.amount_minor": Entry("number", "occasion", "what was sold, program's currency"),
    "sale.currency": Entry("text", "occasion", "the currency it was sold in"),
    "sale.product": Entry("text", "occasion", "the product sold"),
    "sale.products": Entry("list", "occasion", "the products of all line items"),
    "sale.items": Entry("number", "occasion", "how many line items"),
    "sale.quantity": Entry("number", "occasion", "how many pieces over all line items"),
    "sale.number": Entry("number", "occasion", "1 for the first sale of the referral, 2 …"),
    "event.amount_minor": Entry("number", "occasion", "the reported amount, program's currency"),
    "history.count": Entry("number", "history", "successes, the present one included"),
    "history.value_minor": Entry("number", "history", "their value, program's currency"),
}

OPERATORS: dict[Type, frozenset[Op]] = {
    "text": frozenset({"eq", "ne", "in", "not_in", "starts_with", "ends_with", "exists"}),
    "number": frozenset(
        {"eq", "ne", "in", "not_in", "gt", "gte", "lt", "lte", "between", "exists"}
    ),
    "flag": frozenset({"eq", "ne", "exists"}),
    "list": frozenset({"contains", "contains_any", "exists"}),
}
"""Which operators a fact of each type admits."""


def entry(name: str, document: Program) -> Entry | None:
    """Return the fact called *name* in *document*'s catalogue, or None."""
    if name in FIELDS:
        return FIELDS[name]
    namespace, _, key = name.partition(".")
    if namespace == "answers" and key in document.questions:
        question = document.questions[key]
        kind: Type = "text" if question.type == "choice" else question.type
        return Entry(kind, "lead", question.text)
    if namespace == "metadata" and key in document.fields:
        return Entry(document.fields[key].type, "occasion", key)
    return None


def names(document: Program) -> list[str]:
    """Return every name of *document*'s catalogue, in order."""
    return [
        *FIELDS,
        *(f"answers.{key}" for key in document.questions),
        *(f"metadata.{key}" for key in document.fields),
    ]
