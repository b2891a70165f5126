"""A provider on the loopback: pays each reference once, and can be told to misbehave.

It stands for the program's own system (gift cards, points, credit), for Stripe and for PayPal:
all three are known by path. ``paid`` counts what left it, which is what must never be two.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs

HOST = "127.0.0.1"


@dataclass
class Call:
    """One request that came in."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Provider:
    """What was asked of it, what it paid, and how it answers.

    Attributes:
        url: Where it listens.
        plan: How it treats the next calls, in order: ``ok``, ``lost`` (pays, says nothing),
            ``dead`` (neither), ``busy`` (429 with ``Retry-After: 900``), ``broken`` (500) or
            ``refuse``; ``ok`` when it is used up.
        done: Whether what it takes is done at once.
        calls: Every request.
        paid: How often each reference was paid.
    """

    url: str = ""
    plan: list[str] = field(default_factory=list)
    done: bool = False
    calls: list[Call] = field(default_factory=list)
    paid: dict[str, int] = field(default_factory=dict)
    answers: dict[str, tuple[int, dict[str, Any]]] = field(default_factory=dict)

    def keys(self) -> list[str]:
        """Return the reference of each order that came in, in order."""
        return [_reference(each) for each in self.calls if "oauth2" not in each.path]

    def answer(self, call: Call) -> tuple[int, dict[str, Any], dict[str, str]] | None:
        """Return status, body and headers of the answer to *call*; None to hang up."""
        self.calls.append(call)
        if "oauth2" in call.path:
            return 200, {"access_token": "token-of-an-hour"}, {}
        plan = self.plan.pop(0) if self.plan else "ok"
        if plan == "dead":
            return None
        if plan == "busy":
            return 429, {"error": {"type": "rate_limit"}}, {"Retry-After": "900"}
        if plan == "broken":
            return 500, {}, {}
        reference = _reference(call)
        if reference not in self.answers:  # otherwise it knows the key again
            self.answers[reference] = self._new(call, reference, refuse=plan == "refuse")
        status, body = self.answers[reference]
        return None if plan == "lost" else (status, body, {})

    def _new(self, call: Call, reference: str, *, refuse: bool) -> tuple[int, dict[str, Any]]:
        if refuse:
            return 400, {"error": {"type": "card_error", "code": "account_closed"}, "code": "gone"}
        self.paid[reference] = self.paid.get(reference, 0) + 1
        if "/payments/payouts" in call.path:
            header = {"payout_batch_id": f"PB-{reference}", "batch_status": "PENDING"}
            return 201, {"batch_header": header}
        if call.path.startswith("/v1/payouts"):
            status = "paid" if self.done else "pending"
            return 200, {"id": f"po_{reference}", "object": "payout", "status": status}
        if call.path.startswith("/v1/transfers"):
            return 200, {"id": f"tr_{reference}", "object": "transfer"}
        return 202, {"id": f"G-{reference}", "status": "fulfilled" if self.done else "accepted"}


def _reference(call: Call) -> str:
    if "urlencoded" in call.headers.get("content-type", ""):
        return parse_qs(call.body.decode())["metadata[reference]"][0]
    body = json.loads(call.body)
    header = body.get("sender_batch_header", {})
    return str(header.get("sender_batch_id") or body["reference"])


@contextmanager
def listening() -> Iterator[Provider]:
    """Run a provider on the loopback."""
    provider = Provider()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers.get("content-length", "0"))
            headers = {name.lower(): value for name, value in self.headers.items()}
            answered = provider.answer(Call(self.path, headers, self.rfile.read(length)))
            if answered is None:
                self.close_connection = True
                return
            status, body, more = answered
            content = json.dumps(body).encode()
            self.send_response(status)
            for name, value in {"Content-Length": str(len(content)), **more}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer((HOST, 0), Handler)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    provider.url = f"http://{HOST}:{server.server_address[1]}"
    try:
        yield provider
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
