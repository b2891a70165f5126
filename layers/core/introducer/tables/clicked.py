"""Clicks that were stored: the one thing that changes about them is whether they count.

They lie in a table of their own, ``pk`` the click id and no sort key. Who stores them is
:mod:`submit.click`, with the same small client.
"""

from __future__ import annotations

from introducer import lean
from introducer.errors import UncertainError
from introducer.settings import setting

_TIMEOUT_S = 2.0


def set_aside(click: str, reason: str) -> None:
    """Note on a stored click why it is not counted; one that has gone needs no note.

    Raises:
        UncertainError: The table did not answer.
        CallError: It refused.
    """
    request = {
        "TableName": setting("CLICKS_TABLE"),
        "Key": {"pk": {"S": click}},
        "UpdateExpression": "SET uncounted = :reason",
        "ConditionExpression": "attribute_exists(pk)",
        "ExpressionAttributeValues": {":reason": {"S": reason}},
    }
    try:
        lean.client().call("UpdateItem", request, timeout_s=_TIMEOUT_S, repeatable=True)
    except lean.CallError as failure:
        if failure.code != "ConditionalCheckFailedException":
            raise
    except lean.NoAnswerError as failure:
        message = "the clicks' table did not answer"
        raise UncertainError(message) from failure
