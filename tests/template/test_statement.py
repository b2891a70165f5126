"""Statements in the template: one function with the layer for documents, which changes nothing."""

from __future__ import annotations

from tests.support.template import FUNCTIONS, as_list, statements, target


def test_documents_are_drawn_by_one_function() -> None:
    """No other one starts with what writes PDF."""
    assert ["Statement"] == [
        name
        for name, found in FUNCTIONS.items()
        if "DocumentsLayer" in [target(layer) for layer in found["Layers"]]
    ]


def test_statements_change_neither_books_nor_people() -> None:
    """All it writes are files that live for days, and the wrapped keys of its cursors."""
    writing = [
        entry
        for entry in statements("Statement")
        if {"dynamodb:PutItem", "dynamodb:UpdateItem", "s3:PutObject"} & {*as_list(entry["Action"])}
    ]
    assert [
        {"Fn::GetAtt": ["PeopleTable", "Arn"]},
        {"Fn::Sub": "${IntakeBucket.Arn}/statements/*"},
    ] == [entry["Resource"] for entry in writing]
    assert {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["KEY#*"]}} == writing[0][
        "Condition"
    ]


def test_statements_open_no_account_or_tax_data() -> None:
    """The name on a document is all it reads of a person."""
    (opened,) = [entry for entry in statements("Statement") if "kms:Decrypt" in entry["Action"]]
    names = opened["Condition"]["StringEqualsIfExists"]["kms:EncryptionContext:name"]
    assert ["identity", "idempotency"] == names
