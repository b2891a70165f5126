"""What leads and sales tell of themselves, checked against the program and named by its catalogue.

Nothing here is free text: an answer is one of the program's own options, a number or a yes or
no; a field's text is an id or a word. So none of it can say who somebody is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated

from msgspec import Meta

from introducer import money
from introducer.document.audience import Question
from introducer.errors import Fault, SeveralFaultsError
from introducer.program import Program
from introducer.referral import Facts

MAX_ANSWERS = 100
Name = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]{0,31}$(?!\n)")]
Whole = Annotated[int, Meta(ge=-money.MAX_MINOR, le=money.MAX_MINOR)]
Answers = Annotated[
    dict[Name, bool | Whole | Annotated[str, Meta(max_length=32)]], Meta(max_length=MAX_ANSWERS)
]
"""Answers to the program's questions, by the question's id."""
Metadata = Annotated[
    dict[Name, bool | Whole | Annotated[str, Meta(max_length=64)]], Meta(max_length=MAX_ANSWERS)
]
"""Values of the program's own fields, by the field's id."""

_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/-]{0,63}")
_NUMBER = re.compile(r"-?[0-9]{1,15}")
_YES = frozenset({"on", "true", "yes", "1"})
_NO = frozenset({"off", "false", "no", "0"})

Value = bool | int | str


def of_answers(
    document: Program, answers: Mapping[str, Value], *, from_form: bool = False
) -> Facts:
    """Return the facts ``answers.*`` of a lead.

    Args:
        document: Whose questions they answer.
        answers: By question; of a form all text.
        from_form: Whether text may stand for a number or a yes or no.

    Raises:
        SeveralFaultsError: ``unknown_question``, ``invalid_answer`` or ``answer_missing``, one
            for each field ``answers.{question}``.
    """
    faults = [
        Fault("unknown_question", f"answers.{key}", "the program does not ask this")
        for key in answers
        if key not in document.questions
    ]
    known: Facts = {}
    for key, question in document.questions.items():
        field = f"answers.{key}"
        if key not in answers:
            if question.required:
                faults.append(Fault("answer_missing", field, "this question must be answered"))
            continue
        value = _answer(question, answers[key], from_form=from_form)
        if value is None:
            faults.append(Fault("invalid_answer", field, _wanted(question)))
        else:
            known[field] = value
    if faults:
        raise SeveralFaultsError("invalid_answers", "some answers cannot be accepted", faults)
    return known


def of_metadata(
    document: Program, metadata: Mapping[str, Value], *, from_form: bool = False
) -> Facts:
    """Return the facts ``metadata.*`` of a sale or a lead; like :func:`of_answers`.

    Raises:
        SeveralFaultsError: ``unknown_metadata`` or ``invalid_metadata``, one for each field
            ``metadata.{id}``.
    """
    faults = []
    known: Facts = {}
    for key, said in metadata.items():
        field = f"metadata.{key}"
        if key not in document.fields:
            faults.append(Fault("unknown_metadata", field, "the program declares no such field"))
            continue
        kind = document.fields[key].type
        value = _read(kind, said) if from_form and isinstance(said, str) else said
        if _is(kind, value):
            known[field] = value
        else:
            faults.append(Fault("invalid_metadata", field, f"must be a {kind}"))
    if faults:
        raise SeveralFaultsError("invalid_metadata", "some fields cannot be accepted", faults)
    return known


def _answer(question: Question, value: Value, *, from_form: bool) -> Value | None:
    if question.type == "choice":
        return value if isinstance(value, str) and value in question.options else None
    if from_form and isinstance(value, str):
        value = _read(question.type, value)
    return value if _is(question.type, value) else None


def _read(kind: str, text: str) -> Value:
    """Return what a form field means as a value of *kind*; what means nothing stays text."""
    word = text.strip().lower()
    if kind == "number" and _NUMBER.fullmatch(word):
        return int(word)
    if kind == "flag" and word in _YES | _NO:
        return word in _YES
    return text


def _is(kind: str, value: Value) -> bool:
    match kind:
        case "flag":
            return isinstance(value, bool)
        case "number":
            return isinstance(value, int) and not isinstance(value, bool)
        case _:
            return isinstance(value, str) and _WORD.fullmatch(value) is not None


def _wanted(question: Question) -> str:
    if question.type == "choice":
        return f"one of {', '.join(question.options)}"
    return "a whole number" if question.type == "number" else "true or false"
