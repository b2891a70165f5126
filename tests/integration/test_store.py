"""Transactions are all or nothing, and each failure means what its caller said."""

from collections.abc import Iterator
from typing import Any

import botocore.exceptions
import pytest
from pynamodb.expressions.operand import Path

from introducer.errors import (
    AlreadyExistsError,
    ContentionError,
    NotFoundError,
    StaleError,
    UncertainError,
)
from introducer.tables import store
from introducer.tables.store import Table, Transaction

pytestmark = pytest.mark.usefixtures("aws")
CORE = Table.CORE


@pytest.fixture
def sends() -> Iterator[list[Any]]:
    """Hooks run before each request is sent; one that returns or raises takes its place."""
    hooks: list[Any] = []

    def before_send(request: Any, **_: Any) -> Any:
        return hooks.pop(0)(request) if hooks else None

    events = store.connection().client.meta.events
    events.register_first("before-send.dynamodb.TransactWriteItems", before_send)
    yield hooks
    events.unregister("before-send.dynamodb.TransactWriteItems", before_send)


def _put(writes: Transaction, pk: str, value: int) -> Transaction:
    return writes.put(
        CORE, pk, "X", {"value": value}, condition=store.absent(), error=AlreadyExistsError(pk)
    )


def test_a_failed_condition_raises_its_own_error_with_what_was_there() -> None:
    """The loser learns which of its writes lost, and to what."""
    _put(Transaction(), "b", 7).commit()
    writes = Transaction()
    writes.update(
        CORE, "a", "X", [Path("value").set(1)], condition=store.absent(), error=StaleError("a")
    )
    _put(writes, "b", 8)
    writes.check(CORE, "c", "X", store.absent(), NotFoundError("c"))
    with pytest.raises(AlreadyExistsError) as lost:
        writes.commit()
    assert {"pk": "b", "sk": "X", "value": 7} == lost.value.existing
    assert store.get(CORE, "a", "X") is None


def test_every_kind_of_write_names_its_own_failure() -> None:
    """Checks, deletes, puts and updates are told apart, in whatever order they were added."""
    _put(Transaction(), "there", 1).commit()
    there, gone = Path("pk").exists(), store.absent()
    for wrong in ("put", "check", "delete", "update"):
        writes = Transaction()
        condition = {
            kind: gone if kind == wrong else there for kind in ("check", "delete", "update")
        }
        for pk in ("u", "d", "p", "c"):
            if store.get(CORE, pk, "X") is None:
                _put(Transaction(), pk, 0).commit()
        writes.update(
            CORE, "u", "X", [Path("value").set(2)], condition=condition["update"],
            error=StaleError("update"),
        )  # fmt: skip
        writes.put(
            CORE, "p", "X", {}, condition=gone if wrong == "put" else there, error=StaleError("put")
        )
        writes.delete(CORE, "d", "X", condition=condition["delete"], error=StaleError("delete"))
        writes.check(CORE, "c", "X", condition["check"], StaleError("check"))
        with pytest.raises(StaleError, match=f"^{wrong}$"):
            writes.commit()
        assert 0 == (store.get(CORE, "u", "X") or {})["value"]


def test_silence_is_uncertain_and_not_a_failure(sends: list[Any]) -> None:
    """Who gets no answer must not conclude that nothing happened."""

    def silence(request: Any) -> None:
        raise botocore.exceptions.ReadTimeoutError(endpoint_url=request.url)

    sends.extend([silence] * 8)
    with pytest.raises(UncertainError):
        _put(Transaction(), "a", 1).commit()


def test_conflicts_with_other_transactions_are_tried_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Two transactions on one item are both done, one after the other."""
    answers = iter([_conflict(), _conflict(), None])
    real = store.connection().transact_write_items
    monkeypatch.setattr(
        store.connection(), "transact_write_items", lambda *items: _or(next(answers), real, items)
    )
    _put(Transaction(), "a", 1).commit()
    assert 1 == (store.get(CORE, "a", "X") or {})["value"]


def test_endless_conflicts_end_as_contention(monkeypatch: pytest.MonkeyPatch) -> None:
    """The caller is told to come back rather than kept for ever."""
    monkeypatch.setattr(
        store.connection(), "transact_write_items", lambda *items: _or(_conflict(), None, items)
    )
    with pytest.raises(ContentionError):
        _put(Transaction(), "a", 1).commit()


def test_pages_go_on_where_the_last_one_ended() -> None:
    """Every item is read once, forwards and backwards."""
    for number in range(7):
        Transaction().put(CORE, "list", f"N#{number}", {"value": number}).commit()
    first = store.query(CORE, "list", prefix="N#", limit=3, consistent=True)
    second = store.query(CORE, "list", prefix="N#", limit=9, start=first.next, consistent=True)
    assert [0, 1, 2, 3, 4, 5, 6] == [each["value"] for each in [*first.items, *second.items]]
    assert second.next is None
    backwards = store.query_all(CORE, "list", prefix="N#", limit=2, newest_first=True)
    assert [6, 5, 4, 3, 2, 1, 0] == [each["value"] for each in backwards]


def test_batches_of_keys_may_be_longer_than_the_store_takes() -> None:
    """More than a hundred keys are read in several requests; repeats are read once."""
    for number in range(105):
        Transaction().put(CORE, "many", f"{number:03}", {"value": number}).commit()
    keys = [("many", f"{number:03}") for number in range(105)]
    found = store.batch_get(CORE, [*keys, *keys, ("many", "missing")])
    assert {key: int(key[1]) for key in keys} == {key: each["value"] for key, each in found.items()}


def _conflict() -> Exception:
    from pynamodb.exceptions import CancellationReason, TransactWriteError, VerboseClientError

    cause = VerboseClientError(
        {"Error": {"Code": "TransactionCanceledException"}},
        "TransactWriteItems",
        {"request_id": "", "table_name": None},
        cancellation_reasons=[CancellationReason(code="TransactionConflict")],
    )
    return TransactWriteError("cancelled", cause)


def _or(failure: Exception | None, real: Any, items: tuple[Any, ...]) -> Any:
    if failure is not None:
        raise failure
    return real(*items)
