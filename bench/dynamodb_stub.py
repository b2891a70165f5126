"""A DynamoDB that costs next to nothing: answers JSON over keep-alive HTTP, in its own process.

Both sides of a comparison talk to the same one, so what is compared is the client. It keeps
items in memory, knows just the operations a benchmark needs, and counts request units from
the calls it gets, by the published rules: an eventually consistent read is half a unit per
4 KB, a write one per 1 KB, a conditional write that fails costs as much as one that does not.
"""

from __future__ import annotations

import json
import math
import socket
import socketserver
import subprocess
import sys
import time
import urllib.request
from http.server import BaseHTTPRequestHandler
from typing import Any

Item = dict[str, dict[str, Any]]


class Store:
    """Items by table and key, and what was asked of them."""

    def __init__(self) -> None:
        self.items: dict[tuple[str, str, str], Item] = {}
        self.units = {"reads": 0.0, "writes": 0.0, "read_calls": 0, "write_calls": 0}
        self.largest_item_bytes = 0

    def batch_get_item(self, request: dict[str, Any]) -> dict[str, Any]:
        """Answer BatchGetItem; half a unit per 4 KB for each key."""
        self.units["read_calls"] += 1
        responses: dict[str, list[Item]] = {}
        for table, wanted in request["RequestItems"].items():
            found = [self.items.get(_key(table, key)) for key in wanted["Keys"]]
            sizes = [item_bytes(item) if item else 0 for item in found]
            self.units["reads"] += sum(max(1, math.ceil(size / 4096)) / 2 for size in sizes)
            responses[table] = [item for item in found if item]
        return {"Responses": responses, "UnprocessedKeys": {}}

    def put_item(self, request: dict[str, Any]) -> dict[str, Any]:
        """Answer PutItem; a condition is taken to mean put-if-absent."""
        key = _key(request["TableName"], request["Item"])
        size = item_bytes(request["Item"])
        self.units["write_calls"] += 1
        self.units["writes"] += math.ceil(size / 1024)
        self.largest_item_bytes = max(self.largest_item_bytes, size)
        if request.get("ConditionExpression") and key in self.items:
            return {"__type": "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException"}
        self.items[key] = request["Item"]
        return {}

    def usage(self, request: dict[str, Any]) -> dict[str, Any]:
        """Return the units used since the last time, and begin anew."""
        del request
        answer: dict[str, Any] = {**self.units, "largest_item_bytes": self.largest_item_bytes}
        self.units = dict.fromkeys(self.units, 0)
        self.largest_item_bytes = 0
        return answer


def item_bytes(item: Item) -> int:
    """Return an item's size as DynamoDB counts it, for strings, numbers and maps."""
    return sum(len(name.encode()) + _value_bytes(value) for name, value in item.items())


class Server:
    """The stub as a child process, for the length of a ``with`` block."""

    def __enter__(self) -> Server:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.endpoint = f"http://127.0.0.1:{port}"
        self._process = subprocess.Popen([sys.executable, __file__, str(port)])  # noqa: S603
        deadline = time.monotonic() + 10
        while True:
            try:
                self.call("Usage")
            except OSError:
                if time.monotonic() > deadline:
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
        "Usage": store.usage,
    }

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_POST(self) -> None:  # noqa: N802  (the name http.server looks for)
            operation = self.headers["X-Amz-Target"].rpartition(".")[2]
            length = int(self.headers["Content-Length"])
            answer = operations[operation](json.loads(self.rfile.read(length)))
            body = json.dumps(answer).encode()
            status = 400 if "__type" in answer else 200
            head = (
                f"HTTP/1.1 {status} X\r\nContent-Type: application/x-amz-json-1.0\r\n"
                f"x-amzn-RequestId: 0123456789\r\nContent-Length: {len(body)}\r\n\r\n"
            )
            self.wfile.write(head.encode() + body)

    socketserver.ThreadingTCPServer.daemon_threads = True
    with socketserver.ThreadingTCPServer(("127.0.0.1", port), Handler) as server:
        server.serve_forever()


def _key(table: str, item: Item) -> tuple[str, str, str]:
    return table, item["pk"]["S"], item.get("sk", {"S": ""})["S"]


def _value_bytes(value: dict[str, Any]) -> int:
    ((kind, inner),) = value.items()
    if kind == "N":  # two digits a byte and one more
        return math.ceil(len(inner.lstrip("-0").replace(".", "")) / 2) + 1
    if kind == "M":
        return 3 + sum(1 + len(name) + _value_bytes(part) for name, part in inner.items())
    return len(str(inner).encode())


if __name__ == "__main__":
    serve(int(sys.argv[1]))
