"""Reading one partition of very many: all of it, patiently, and never half."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from introducer import lean
from introducer.errors import ContentionError, UncertainError
from introducer.tables import store
from introducer.tables.store import Table

PAGES: list[Any] = [
    {
        "Items": [{"pk": {"S": "REFERRAL#r1"}, "sk": {"S": "EVENT#000001"}, "seq": {"N": "1"}}],
        "LastEvaluatedKey": {"pk": {"S": "REFERRAL#r1"}, "sk": {"S": "EVENT#000001"}},
    },
    {"Items": [{"pk": {"S": "REFERRAL#r1"}, "sk": {"S": "STATE"}, "tags": {"L": []}}]},
]
WHOLE = [
    {"pk": "REFERRAL#r1", "sk": "EVENT#000001", "seq": 1},
    {"pk": "REFERRAL#r1", "sk": "STATE", "tags": []},
]
Answering = Callable[..., list[dict[str, Any]]]


@pytest.fixture
def answering(monkeypatch: pytest.MonkeyPatch) -> Answering:
    """A store that gives these answers in turn; the value is the list of what it was asked."""

    def answer(*answers: Any) -> list[dict[str, Any]]:
        left, asked = list(answers), []

        class Client:
            def call(
                self, operation: str, request: dict[str, Any], *, timeout_s: float, repeatable: bool
            ) -> dict[str, Any]:
                assert ("Query", True) == (operation, repeatable and timeout_s > 0)
                asked.append(dict(request))
                given = left.pop(0)
                if isinstance(given, Exception):
                    raise given
                return dict(given)

        monkeypatch.setattr(lean, "client", Client)
        monkeypatch.setattr(store, "name", lambda _: "core")
        monkeypatch.setattr(store, "_pause", lambda _: None)
        return asked

    return answer


def test_partition_is_read_page_by_page(answering: Answering) -> None:
    """A referral with a long history comes in several answers."""
    asked = answering(*PAGES)
    assert WHOLE == store.read_partition(Table.CORE, "REFERRAL#r1")
    first = {
        "TableName": "core",
        "KeyConditionExpression": "pk = :pk",
        "ExpressionAttributeValues": {":pk": {"S": "REFERRAL#r1"}},
    }
    assert [first, {**first, "ExclusiveStartKey": PAGES[0]["LastEvaluatedKey"]}] == asked


@pytest.mark.parametrize(
    "trouble",
    [
        lean.CallError(400, "ThrottlingException"),
        lean.CallError(400, "ProvisionedThroughputExceededException"),
        lean.CallError(503, "ServiceUnavailable"),
        lean.NoAnswerError("cut off"),
    ],
)
def test_partition_is_asked_for_again(answering: Answering, trouble: Exception) -> None:
    """A busy or silent store in the middle costs patience, not items."""
    answering(PAGES[0], trouble, trouble, PAGES[1])
    assert WHOLE == store.read_partition(Table.CORE, "REFERRAL#r1")


@pytest.mark.parametrize(
    ("trouble", "meaning"),
    [
        (lean.CallError(400, "ThrottlingException"), ContentionError),
        (lean.NoAnswerError("cut off"), UncertainError),
        (lean.CallError(400, "AccessDeniedException"), lean.CallError),
    ],
)
def test_partition_that_cannot_be_read_is_no_short_one(
    answering: Answering, trouble: Exception, meaning: type[Exception]
) -> None:
    """Patience ends, a refusal ends it at once; what was read so far is not passed off as all."""
    answering(PAGES[0], *[trouble] * 5)
    with pytest.raises(meaning):
        store.read_partition(Table.CORE, "REFERRAL#r1")
