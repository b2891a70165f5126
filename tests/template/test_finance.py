"""What finance's function may read and write of people, in the template."""

from __future__ import annotations

from tests.support.template import as_list, statements


def test_finance_writes_providers_and_keys_and_nobody() -> None:
    """It reads the name of a hit besides; accounts and tax data stay sealed to it."""
    keys: dict[str, set[str]] = {}
    for entry in statements("Finance"):
        if {"Fn::GetAtt": ["PeopleTable", "Arn"]} in as_list(entry["Resource"]):
            leading = entry["Condition"]["ForAllValues:StringLike"]["dynamodb:LeadingKeys"]
            for action in as_list(entry["Action"]):
                keys.setdefault(action.partition(":")[2], set()).update(leading)
    assert {
        "GetItem": {"KEY#*", "PROVIDER#*", "PERSON#*"},
        "PutItem": {"KEY#*", "PROVIDER#*"},
        "Query": {"PROVIDER#*"},
    } == keys
    (opened,) = [entry for entry in statements("Finance") if "kms:Decrypt" in entry["Action"]]
    names = opened["Condition"]["StringEqualsIfExists"]["kms:EncryptionContext:name"]
    assert not {"payee", "tax"} & {*names}
