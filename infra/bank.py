"""The bank at the other end: the ``mock-bank`` package as a process on loopback.

It takes our payment files and answers as a bank does: ``pain.002`` at once, ``camt.054``
when a payment is booked, and money back some days later when asked to. An account that sends
NACHA files is answered by NACHA return files instead of ``pain.002``. It keeps its own clock,
which only moves forward and only when told to, so nobody waits for a bank day.

    with MockBank() as bank:
        bank.open_account("OWNER", iban=..., name=..., currency="EUR", balance_minor=10**9)
        hand_over(bank, s3, bucket, "outbox/batch.xml")
        bank.settle()
        bring_back(bank, s3, bucket)
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self
from urllib.error import HTTPError
from urllib.parse import quote, urlencode
from urllib.request import Request, urlopen

import msgspec

if TYPE_CHECKING:
    from types import TracebackType

    from mypy_boto3_s3 import S3Client

ANSWERS = ("pain.002", "camt.054", "pacs.004", "camt.053", "nacha.return", "bai2")
"""The kinds of message the settlement reads; a bank sends others as well."""

_READY = re.compile(r"listening on (http://127\.0\.0\.1:[0-9]+)/")
_START_S = 20
_CALL_S = 20
_MAX_STEPS = 40


class BankError(Exception):
    """The bank did not start, or refused a call that is not a payment file."""


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """One message the bank has sent: its full kind (``camt.054.001.08``) and its bytes."""

    kind: str
    content: bytes

    @property
    def name(self) -> str:
        """A file name that the same message always has and no other one ever gets."""
        extension = "ach" if self.kind.startswith("nacha.") else "xml"
        return f"{self.kind}-{hashlib.sha256(self.content).hexdigest()[:20]}.{extension}"


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """What the bank said on receipt; the ``pain.002`` says the same.

    Attributes:
        status: ``ACCP``, ``PART`` or ``RJCT``.
        reason: Why the whole file was refused, such as ``DUPL`` or ``FF01``, or ``""``.
        accepted: Transfers.
        rejected: Transfers.
        findings: What the bank's validation found, errors and warnings.
    """

    status: str
    reason: str
    accepted: int
    rejected: int
    findings: tuple[str, ...]


class MockBank:
    """A bank process and the calls a customer and a test make to it.

    Args:
        python: The interpreter that has ``mock-bank`` installed.
        clock: Where its time starts, ``YYYY-MM-DDTHH:MM``; now when empty. Before 15:00
            of a business day a file for that day is booked on receipt.
    """

    def __init__(self, *, python: str = sys.executable, clock: str = "") -> None:
        self._python = python
        self._clock = clock
        self._process: subprocess.Popen[bytes] | None = None
        self._log = tempfile.NamedTemporaryFile(  # noqa: SIM115 - open as long as the process
            prefix="mock-bank-", suffix=".log"
        )
        self.url = ""

    def start(self) -> Self:
        """Start the process on a free port of 127.0.0.1 and wait until it listens.

        Raises:
            BankError: It ended or stayed silent; the message holds its last words.
        """
        command = [self._python, "-m", "mockbank", "--host", "127.0.0.1", "--port", "0"]
        if self._clock:
            command += ["--clock", self._clock]
        # A file and not a pipe: it logs every request and nobody would drain the pipe.
        self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and arguments
            command,
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )
        deadline = time.monotonic() + _START_S
        while time.monotonic() < deadline:
            ready = _READY.search(self._words())
            if ready:
                self.url = ready[1]
                return self
            if self._process.poll() is not None:
                break
            time.sleep(0.02)
        words = self._words()
        self.stop()
        message = f"the bank did not start: {words[-2000:]}"
        raise BankError(message)

    def stop(self) -> None:
        """End the process that :meth:`start` started; a second call does nothing."""
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        try:
            process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    # -- accounts and what the bank does with them ----------------------------

    def open_account(
        self,
        account: str,
        *,
        iban: str,
        name: str,
        currency: str,
        balance_minor: int = 0,
        number: str = "",
        nacha: bool = False,
    ) -> None:
        """Open an account, or change it when the bank holds *account* already.

        Args:
            account: The bank's id of it, letters and digits.
            iban: Its check digits must agree.
            name: Of the holder.
            currency: ISO 4217.
            balance_minor: What is on it; a payment books below zero too unless the account
                behaves as ``insufficient-funds``.
            number: Its domestic number, digits: what a NACHA file names a payee's account
                by, and a payer's as its company identification.
            nacha: Whether it is answered in NACHA's formats.
        """
        fields = {
            "iban": iban,
            "name": name,
            "currency": currency,
            "balance": balance_minor,
            **({"account_number": number} if number else {}),
            **({"format": "nacha"} if nacha else {}),
        }
        status, _ = self._call("GET", f"/_mock/accounts/{quote(account)}")
        if status == HTTPStatus.OK:
            self._demand("PATCH", f"/_mock/accounts/{quote(account)}", fields)
        else:
            self._demand("POST", "/_mock/accounts", {"id": account, **fields})

    def behave(self, account: str, behaviour: str, **parameters: object) -> None:
        """Make the bank treat *account* by one of its behaviours from now on.

        Of the paying account: ``accept``, ``reject-file``, ``insufficient-funds``,
        ``silent``, ``return-later``. Of a payee's account that this bank holds:
        ``closed-account`` (AC04), ``bad-bank-id`` (RC01).
        """
        change = {"behaviour": behaviour, "parameters": parameters}
        self._demand("PATCH", f"/_mock/accounts/{quote(account)}", change)

    def return_later(
        self, account: str, *, days: int = 3, reason: str = "AC04", reference: str = ""
    ) -> None:
        """Let what *account* pays settle and come back *days* business days later.

        Args:
            account: The paying account.
            days: 0 to 60. Read when a payment is booked, so set it before that.
            reason: ISO 20022 return reason code.
            reference: Only this payment (EndToEndId); all when empty.
        """
        only = {"end_to_end_id": reference} if reference else {}
        self.behave(account, "return-later", days=days, reason=reason, **only)

    def balance_minor(self, account: str) -> int:
        """Return the booked balance of *account*."""
        return int(self._demand("GET", f"/_mock/accounts/{quote(account)}")["balance"])

    # -- payments -------------------------------------------------------------

    def submit(self, content: bytes) -> Decision:
        """Hand a ``pain.001`` or NACHA file to the bank; a file it refuses is an answer, no error.

        The bank tells the two apart by their first bytes.
        """
        status, answer = self._call("POST", "/payments", content, "application/xml")
        if status not in {HTTPStatus.ACCEPTED, HTTPStatus.UNPROCESSABLE_ENTITY}:
            message = f"the bank answered {status} to a payment file: {answer}"
            raise BankError(message)
        return Decision(
            status=answer["status"],
            reason=answer["reason"] or "",
            accepted=answer["accepted"],
            rejected=answer["rejected"],
            findings=tuple(
                f"{each['level']} {each['code']} {each['path']}: {each['text']}"
                for each in answer["findings"]
            ),
        )

    def fetch(self, *kinds: str) -> list[Message]:
        """Take what the bank has sent since the last call, oldest first.

        Args:
            kinds: Beginnings of message kinds; by default those the settlement reads.
        """
        waiting = [
            each
            for kind in kinds or ANSWERS
            for each in self._demand("GET", "/_mock/mailbox?" + urlencode({"type": kind}))
        ]
        waiting.sort(key=lambda each: int(each["id"]))
        return [Message(kind=each["type"], content=each["body"].encode()) for each in waiting]

    # -- time -----------------------------------------------------------------

    @property
    def today(self) -> str:
        """The bank's calendar day, ``YYYY-MM-DD``."""
        return str(self._demand("GET", "/_mock/state")["clock"]["date"])

    def advance(self, *, days: int = 0, to: str = "") -> str:
        """Move the bank's clock by calendar *days*, or *to* the start of a day.

        Returns:
            The bank's new calendar day.
        """
        query = urlencode({"to": to} if to else {"days": days})
        return str(self._demand("POST", f"/_mock/advance?{query}")["to"])[:10]

    def settle(self) -> str:
        """Move the clock until everything the bank has taken on is booked or back.

        Returns:
            The bank's calendar day at the end.
        """
        for _ in range(_MAX_STEPS):
            due = [each["dueAt"][:10] for each in self._demand("GET", "/_mock/queue")]
            if not due:
                return self.today
            self.advance(to=max(min(due), self.today))
        message = f"the bank still owes answers after {_MAX_STEPS} steps"
        raise BankError(message)

    # -- the wire -------------------------------------------------------------

    def _demand(self, method: str, path: str, body: object = None) -> Any:  # noqa: ANN401 - JSON
        status, answer = self._call(
            method,
            path,
            json.dumps(body).encode() if body is not None else None,
            "application/json",
        )
        if not HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
            message = f"{method} {path}: {status} {answer}"
            raise BankError(message)
        return answer

    def _call(
        self, method: str, path: str, body: bytes | None = None, content_type: str = ""
    ) -> tuple[int, Any]:
        request = Request(self.url + path, data=body, method=method)  # noqa: S310 - loopback
        if content_type:
            request.add_header("Content-Type", content_type)
        try:
            with urlopen(request, timeout=_CALL_S) as response:  # noqa: S310 - loopback
                return response.status, json.loads(response.read())
        except HTTPError as refusal:
            with refusal:
                return refusal.code, json.loads(refusal.read())

    def _words(self) -> str:
        return Path(self._log.name).read_text(encoding="utf-8", errors="replace")


def hand_over(bank: MockBank, s3: S3Client, bucket: str, key: str) -> Decision:
    """Take the payment file at *key* of *bucket* to the bank.

    Handing the same file over twice is safe: the bank refuses the second one (``DUPL``).
    """
    return bank.submit(s3.get_object(Bucket=bucket, Key=key)["Body"].read())


def bring_back(bank: MockBank, s3: S3Client, bucket: str, prefix: str = "inbox/") -> list[str]:
    """Put what the bank has answered since the last call under *prefix* of *bucket*.

    Returns:
        The keys written, oldest message first.
    """
    keys = []
    for message in bank.fetch():
        key = prefix + message.name
        media = "application/xml" if key.endswith(".xml") else "text/plain"
        s3.put_object(Bucket=bucket, Key=key, Body=message.content, ContentType=media)
        keys.append(key)
    return keys
