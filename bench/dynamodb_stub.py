"""A DynamoDB that costs next to nothing: answers JSON over keep-alive HTTP, in its own process.

Both sides of a comparison talk to the same one, so what is compared is the client. It keeps
items in memory, knows just the operations that clicks need, and adds up request units from
the calls it really gets, by the rules in :mod:`bench.units`.
"""

from __future__ import annotations

import json
import socket
import socketserver
import subprocess
import sys
import time
import urllib.request
from http.server import BaseHTTPRequestHandler
from typing import Any, Self

from bench import paths, units
from bench.units import Item

_TABLE = units.Table(keys=("pk", "sk"))


class Store:
    """Items by table and key, and what was asked of them."""

    def __init__(self) -> None:
        self.items: dict[tuple[str, str, str], Item] = {}
        self.used = _nothing_used()

    def batch_get_item(self, request: dict[str, Any]) -> dict[str, Any]:
        """Answer BatchGetItem, eventually consistent."""
        self.used["read_calls"] += 1
        responses: dict[str, list[Item]] = {}
        for table, wanted in request["RequestItems"].items():
            found = [self.items.get(_key(table, key)) for key in wanted["Keys"]]
            sizes = [units.item_bytes(item) if item else 0 for item in found]
            self.used["read_units"] += units.read_units(sizes, consistent=False)
            responses[table] = [item for item in found if item]
        return {"Responses": responses, "UnprocessedKeys": {}}

    def put_item(self, request: dict[str, Any]) -> dict[str, Any]:
        """Answer PutItem; a condition is taken to mean put-if-absent."""
        key, item = _key(request["TableName"], request["Item"]), request["Item"]
        before = self.items.get(key)
        self.used["write_calls"] += 1
        self.used["write_units"] += units.write_units(_TABLE, before, item)["table"]
        self.used["largest_item_bytes"] = max(
            self.used["largest_item_bytes"], units.item_bytes(item)
        )
        if request.get("ConditionExpression") and before:
            return {"__type": "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException"}
        self.items[key] = item
        return {}

    def transact_write_items(self, request: dict[str, Any]) -> dict[str, Any]:
        """Answer TransactWriteItems without doing it; a counter is one unit however it counts."""
        self.used["write_calls"] += 1
        for action in request["TransactItems"]:
            ((kind, write),) = action.items()
            item = write["Item"] if kind == "Put" else write["Key"]
            cost = units.write_units(_TABLE, None, item, transactional=True)
            self.used["transaction_units"] += cost["table"]
        return {}

    def usage(self, _: dict[str, Any]) -> dict[str, Any]:
        """Return what was used since the last time, and begin anew."""
        used, self.used = self.used, _nothing_used()
        return used


class Server:
    """The stub as a child process, for the length of a ``with`` block."""

    def __enter__(self) -> Self:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.endpoint = f"http://127.0.0.1:{port}"
        self._process = subprocess.Popen(  # noqa: S603  (ourselves)
            [sys.executable, "-m", "bench.dynamodb_stub", str(port)], cwd=paths.ROOT
        )
        deadline = time.monotonic() + 20
        while True:
            try:
                self.call("Usage")
            except OSError:
                if time.monotonic() > deadline:
                    self._process.terminate()
                    raise
                time.sleep(0.05)
            else:
                return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(5)

    def call(self, operation: str, request: dict[str, Any] | None = None) -> dict[str, Any]:
        """Ask it something without the help of any client."""
        headers = {"X-Amz-Target": f"DynamoDB_20120810.{operation}"}
        body = json.dumps(request or {}).encode()
        asked = urllib.request.Request(self.endpoint, body, headers)  # noqa: S310
        with urllib.request.urlopen(asked, timeout=5) as answer:  # noqa: S310
            document: dict[str, Any] = json.load(answer)
        return document


def serve(port: int) -> None:
    """Answer on *port* until the process ends."""
    store = Store()
    operations = {
        "BatchGetItem": store.batch_get_item,
        "PutItem": store.put_item,
        "TransactWriteItems": store.transact_write_items,
        "Usage": store.usage,
    }

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            operation = self.headers["X-Amz-Target"].rpartition(".")[2]
            length = int(self.headers["Content-Length"])
            answer = operations[operation](json.loads(self.rfile.read(length)))
            body = json.dumps(answer).encode()
            status = 400 if "__type" in answer else 200
            # The headers DynamoDB sends: what reading them costs belongs to the comparison.
            head = (
                f"HTTP/1.1 {status} OK\r\nServer: Server\r\nDate: Sun, 22 Nov 2026 11:17:00 GMT\r\n"
                f"Content-Type: application/x-amz-json-1.0\r\nContent-Length: {len(body)}\r\n"
                f"Connection: keep-alive\r\nx-amzn-RequestId: {'A' * 52}\r\n\r\n"
            )
            self.wfile.write(head.encode() + body)

    socketserver.ThreadingTCPServer.daemon_threads = True
    with socketserver.ThreadingTCPServer(("127.0.0.1", port), Handler) as server:
        server.serve_forever()


def _nothing_used() -> dict[str, float]:
    names = ("read_calls", "read_units", "write_calls", "write_units", "transaction_units")
    return dict.fromkeys((*names, "largest_item_bytes"), 0)


def _key(table: str, item: Item) -> tuple[str, str, str]:
    return table, item["pk"]["S"], item.get("sk", {"S": ""})["S"]


if __name__ == "__main__":
    serve(int(sys.argv[1]))
