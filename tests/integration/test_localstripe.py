"""Payouts against an independent stand-in for Stripe, as a process of its own.

It speaks the interface and signs its webhooks, but knows no idempotency keys: that a key is paid
once is proved with our own stand-in (``test_send.py``).
"""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from ipaddress import ip_network
from threading import Thread

import msgspec
import pytest

from introducer import outbound
from introducer.clients import client
from introducer.rails.rail import Outcome, Payment, Provider, Request
from introducer.rails.registry import call_rail
from introducer.settings import setting
from introducer.tables.people import Payee
from payout import settle
from tests.support import calls, money
from tests.support.api import call
from tests.support.calls import pay_out, the_payout

API_KEY = "sk_test_12345"
LOOPBACK = (ip_network("127.0.0.0/8"),)
_START = "from localstripe.server import start; start()"
Told = list[tuple[dict[str, str], bytes]]


@pytest.fixture(scope="module")
def stripe(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The stand-in, listening on the loopback; its address."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-c", _START, "--port", str(port), "--from-scratch"]
    home, silent = tmp_path_factory.mktemp("localstripe"), subprocess.DEVNULL
    process = subprocess.Popen(command, cwd=home, stdout=silent, stderr=silent)
    try:
        _until(lambda: _listens(port), seconds=30)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(10)


@contextmanager
def told() -> Iterator[tuple[str, Told]]:
    """Listen for webhooks; yield the address, and the list of what came: headers and body."""
    came: Told = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            came.append((dict(self.headers.items()), body))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *args: object) -> None:
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/", came
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 0.2).close()
    except OSError:
        return False
    return True


def _until(holds: Callable[[], object], *, seconds: float) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.05)


def post(url: str, body: str = "") -> None:
    """Tell the stand-in something."""
    headers = {
        "authorization": f"Bearer {API_KEY}",
        "content-type": "application/x-www-form-urlencoded",
    }
    request = Request(method="POST", url=url, headers=headers, body=body.encode())
    assert 200 == outbound.call(request, networks=LOOPBACK).status


def order(url: str, *, currency: str = "EUR", api_key: str = API_KEY) -> Outcome:
    """Order one payout and return what the answer means."""
    payee = Payee(name="Pia", town="", country="DE", method="stripe", provider_account="ba_1")
    payment = Payment(
        reference="P1A2B3C4D5E6F7G",
        holder="pia",
        amount_minor=2_500,
        currency=currency,
        payee=payee,
        text="Acme",
    )
    provider = Provider(program="acme", name="shop", kind="stripe", url=url, secret=api_key)
    rail = call_rail("stripe")
    request = rail.request(payment, provider, now=money.NOW)
    answer = outbound.call(request, networks=LOOPBACK)
    return rail.outcome(answer.status, answer.body)


def test_answers_of_the_stand_in_are_understood(stripe: str) -> None:
    """Taken; refused for what it does not do; not let in, which is no refusal of the payment."""
    assert "accepted" == order(stripe).verdict
    assert Outcome(verdict="refused", reason="invalid_request_error") == order(
        stripe, currency="USD"
    )
    assert Outcome(verdict="unknown") == order(stripe, api_key="nobody")


@pytest.mark.usefixtures("aws")
def test_payout_is_ordered_and_called_off_by_a_signed_webhook(
    stripe: str, function_environment: pytest.MonkeyPatch
) -> None:
    """From a batch to the provider, from its own webhook through our door into the books."""
    function_environment.setenv("OUTBOUND_NETWORKS", "127.0.0.0/8")
    money.publish(payouts=[{**calls.RULE, "method": "stripe"}])
    money.enrol("pia", payee=False)
    calls.set_account("pia", "stripe", "ba_1")
    calls.configure(stripe, "stripe", secret=API_KEY)
    money.sell("r1")
    money.deliver("r1")
    money.release()
    batch = pay_out("stripe")
    sent = the_payout(batch)
    assert ("in_transit", "po_") == (sent.status, sent.provider_id[:3])
    with told() as (address, came):
        post(
            f"{stripe}/_config/webhooks/ours",
            f"url={address}&secret={calls.SECRET}&events[]=payout.canceled",
        )
        post(f"{stripe}/v1/payouts/{sent.provider_id}/cancel")
        _until(lambda: came, seconds=10)
    headers, body = came[0]
    kept = call("POST", "/v1/payouts/inbound/acme/shop", body, key=None, headers=headers)
    assert (200, msgspec.json.decode(body)["id"]) == (kept.status, kept.body["message"])
    s3, bucket = client("s3"), setting("BANK_BUCKET")
    (listed,) = s3.list_objects_v2(Bucket=bucket, Prefix="inbox/")["Contents"]
    settle.handler({"Records": [{"s3": {"object": {"key": listed["Key"]}}}]}, money.CONTEXT)  # type: ignore[arg-type]
    returned = the_payout(batch)
    assert ("returned", "payout.canceled") == (returned.status, returned.reason)
    assert {"payable": 2_500, "pending": 7_500} == money.accounts()
