"""Random operations of every kind the product asks of DynamoDB, for two stores to be compared.

They go through :mod:`introducer.tables.store` where it has the operation, so that expressions
are PynamoDB's own, and through the client under it for what only the client can be told. What
came back, or why nothing did, is written down as plain values.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError
from pynamodb.exceptions import PynamoDBException
from pynamodb.expressions.operand import Path

from introducer.errors import IntroducerError
from introducer.tables import store
from introducer.tables.store import Table, Transaction

Answer = Any
Operation = Callable[[], Answer]

_TABLES = (Table.LEDGER, Table.CORE)
_PARTITIONS = ("A#1", "A#2", "B#ü")
_SORTS = ("S", "S#1", "S#2", "T#é", "T#\U0001d518")
_WORDS = ("", "open", "open#2", "paid", "ü")


class LostError(IntroducerError):
    """The condition of a write did not hold; ``number`` says of which."""

    def __init__(self, number: int) -> None:
        super().__init__(f"write {number}")
        self.number = number


def results(seed: int, count: int) -> list[Answer]:
    """Do *count* operations on the store at hand; return what each came to.

    With the same seed these are the same operations, whatever the store answers.
    """
    made = Maker(random.Random(seed))
    found = [_outcome(made.operation()) for _ in range(count)]
    return [*found, *(_outcome(operation) for operation in made.everything())]


def _outcome(operation: Operation) -> Answer:
    try:
        return operation()
    except LostError as lost:
        return "lost", lost.number, lost.existing
    except PynamoDBException as error:
        return "refused", error.cause_response_code
    except ClientError as error:
        return "refused", error.response["Error"]["Code"]


class Maker:
    """Makes operations; each draws everything it needs before it is done."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._kinds: list[tuple[Callable[[], Operation], int]] = [
            (self._transaction, 8),
            (self._put, 4),
            (self._get, 2),
            (self._query, 6),
            (self._pages, 3),
            (self._batch_get, 2),
            (self._repeated, 1),
            (self._refused, 1),
        ]

    def operation(self) -> Operation:
        """Return the next operation."""
        kinds, weights = zip(*self._kinds, strict=True)
        (kind,) = self._rng.choices(kinds, weights)
        return kind()

    def everything(self) -> list[Operation]:
        """Return the operations that read all there is."""
        return [
            lambda table=table, pk=pk: store.query(table, pk, consistent=True).items
            for table in _TABLES
            for pk in _PARTITIONS
        ]

    # ---- writes

    def _transaction(self) -> Operation:
        places = self._rng.sample(
            [(t, pk, sk) for t in _TABLES for pk in _PARTITIONS for sk in _SORTS],
            self._rng.randint(1, 6),
        )
        writes = Transaction()
        for number, place in enumerate(places):
            lost = LostError(number)
            match self._rng.randint(0, 9):
                case 0:
                    writes.check(*place, self._condition(), lost)
                case 1:
                    writes.delete(*place, condition=self._condition(), error=lost)
                case 2 | 3 | 4:
                    condition, actions = self._condition(), self._actions()
                    writes.update(*place, actions, condition=condition, error=lost)
                case _:
                    condition = self._condition() if self._rng.random() < 0.5 else None
                    body, index = self._body(), self._index()
                    writes.put(*place, body, index=index, condition=condition, error=lost)
        return writes.commit

    def _put(self) -> Operation:
        place, body = self._place(), {**self._body(), **self._index()}
        condition = self._condition() if self._rng.random() < 0.6 else None
        return lambda: store.put(*place, body, condition=condition, error=LostError(0))

    def _repeated(self) -> Operation:
        """Send one transaction twice with one token, as the SDK does: it counts once."""
        table, pk, sk = self._place()
        name = store.name(table)
        token = f"token-{self._rng.random()}"
        update = {
            "TableName": name,
            "Key": {"pk": {"S": pk}, "sk": {"S": sk}},
            "UpdateExpression": "ADD times :one",
            "ExpressionAttributeValues": {":one": {"N": "1"}},
        }

        def twice() -> Answer:
            for _ in range(2):
                _raw(
                    "TransactWriteItems",
                    {"ClientRequestToken": token, "TransactItems": [{"Update": update}]},
                )
            return store.get(table, pk, sk)

        return twice

    def _refused(self) -> Operation:
        """Ask for what DynamoDB refuses: too many, twice the same, empty keys, too large."""
        table = self._rng.choice(_TABLES)
        name = store.name(table)

        def put(pk: str, sk: str, **more: Any) -> dict[str, Any]:
            item = {"pk": {"S": pk}, "sk": {"S": sk}, **more}
            return {"Put": {"TableName": name, "Item": item}}

        requests: list[tuple[str, dict[str, Any]]] = [
            ("TransactWriteItems", {"TransactItems": [put("X", "1"), put("X", "1")]}),
            ("TransactWriteItems", {"TransactItems": [put("X", str(n)) for n in range(101)]}),
            ("TransactWriteItems", {"TransactItems": [put("", "1")]}),
            ("PutItem", put("X", "1", gsi1pk={"S": ""}, gsi1sk={"S": "a"})["Put"]),
            ("PutItem", put("X", "big", text={"S": "x" * (400 * 1024)})["Put"]),
            (
                "BatchGetItem",
                {
                    "RequestItems": {
                        name: {
                            "Keys": [{"pk": {"S": "X"}, "sk": {"S": str(n)}} for n in range(101)]
                        }
                    }
                },
            ),
        ]
        operation, params = self._rng.choice(requests)
        return lambda: _raw(operation, params)

    # ---- reads

    def _get(self) -> Operation:
        place = self._place()
        return lambda: store.get(*place)

    def _batch_get(self) -> Operation:
        table = self._rng.choice(_TABLES)
        every = [(pk, sk) for pk in _PARTITIONS for sk in _SORTS]
        keys = self._rng.sample(every, self._rng.randint(1, len(every)))
        return lambda: sorted(store.batch_get(table, keys, consistent=True).items())

    def _query(self) -> Operation:
        table, pk, options = self._asked()
        return lambda: _page(store.query(table, pk, **options))

    def _pages(self) -> Operation:
        table, pk, options = self._asked()
        options["limit"] = self._rng.randint(1, 3)
        return lambda: list(store.query_all(table, pk, **options))

    def _asked(self) -> tuple[Table, str, dict[str, Any]]:
        table, index = self._rng.choice(_TABLES), self._rng.choice(["", "gsi1", "gsi2", "gsi3"])
        options: dict[str, Any] = {"index": index, "newest_first": self._rng.random() < 0.3}
        match self._rng.randint(0, 3):
            case 0:
                options["prefix"] = self._rng.choice(["S", "S#", "T", "0", "nothing"])
            case 1:
                options["between"] = ("S#", "T#z") if not index else ("00", "05")
        if not index:
            options["consistent"] = True
        pk = self._rng.choice(_PARTITIONS if not index else ("I#1", "I#2"))
        return table, pk, options

    # ---- parts

    def _place(self) -> tuple[Table, str, str]:
        rng = self._rng
        return rng.choice(_TABLES), rng.choice(_PARTITIONS), rng.choice(_SORTS)

    def _body(self) -> dict[str, Any]:
        rng = self._rng
        body: dict[str, Any] = {
            "version": rng.randint(0, 3),
            "status": rng.choice(_WORDS),
            "amount_minor": rng.choice([0, -5, 10**12, 7]),
            "flag": rng.random() < 0.5,
            "refs": {"sale": rng.choice(_WORDS), "deep": {"n": rng.randint(0, 9)}},
            "trace": [rng.randint(0, 3) for _ in range(rng.randint(0, 3))],
            "secret": bytes([rng.randint(0, 255)]),
        }
        return {key: value for key, value in body.items() if rng.random() < 0.8}

    def _index(self) -> dict[str, str]:
        found = {}
        for number in (1, 2, 3):
            if self._rng.random() < 0.5:
                found[f"gsi{number}pk"] = self._rng.choice(["I#1", "I#2"])
                # Ties within an index have no order: sort keys there are unique.
                found[f"gsi{number}sk"] = f"{self._rng.randint(0, 9):02}#{self._rng.random()}"
        return found

    def _condition(self, depth: int = 0) -> Any:
        rng = self._rng
        version, status = Path("version"), Path("status")
        if depth < 2 and rng.random() < 0.3:
            left, right = self._condition(depth + 1), self._condition(depth + 1)
            return rng.choice([left & right, left | right, ~left])
        return rng.choice(
            [
                store.absent(),
                Path("pk").exists(),
                store.at_version(rng.randint(0, 3)),
                version <= rng.randint(0, 3),
                version > 1,
                version.between(1, 2),
                status == rng.choice(_WORDS),
                status != "open",
                status.startswith("open"),
                status.is_in("open", "paid"),
                status.contains("a"),
                Path("refs.sale") == "open",
                Path("trace[0]") == 1,
            ]
        )

    def _actions(self) -> list[Any]:
        rng = self._rng
        times, text = Path("times"), Path("text")
        choices = [
            [times.add(rng.randint(-2, 5))],
            [times.set((times | 0) + 3)],
            [text.set(rng.choice(_WORDS)), Path("flag").remove()],
            [text.set(text | "first"), times.add(1)],
            [Path("list").set((Path("list") | []).append([rng.randint(0, 9)]))],
            [Path("version").set(rng.randint(0, 3)), Path("gsi3pk").remove()],
            [Path("gsi1pk").set("I#1"), Path("gsi1sk").set(f"{rng.random()}")],
        ]
        return rng.choice(choices)


def _page(page: store.Page) -> Answer:
    return page.items, page.next


def _raw(operation: str, params: dict[str, Any]) -> Answer:
    store.connection().client._make_api_call(operation, params)
    return "done"
