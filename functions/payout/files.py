"""The bank's bucket: files that are written once and never changed."""

from __future__ import annotations

import msgspec
from botocore.exceptions import ClientError

from introducer import program
from introducer.bank import pain001
from introducer.bank.order import CreditTransferFile, Debtor, Transfer
from introducer.clients import client
from introducer.document.policy import PayoutRule
from introducer.errors import LedgerError, NotFoundError
from introducer.payout import Batch, Payout
from introducer.program import Program
from introducer.settings import setting
from introducer.tables.people import Payee


def bucket() -> str:
    """Return the name of the bucket shared with the bank."""
    return setting("BANK_BUCKET")


def read(key: str) -> bytes | None:
    """Return a file's bytes, or None when there is none."""
    s3 = client("s3")
    try:
        return bytes(s3.get_object(Bucket=bucket(), Key=key)["Body"].read())
    except s3.exceptions.NoSuchKey:
        return None


def write_once(key: str, content: bytes, *, kind: str) -> bytes:
    """Write a file unless there is one, and return what the bucket holds now.

    The first writer wins for ever; a repeated attempt, or one whose answer was lost,
    finds its own bytes.
    """
    try:
        client("s3").put_object(
            Bucket=bucket(), Key=key, Body=content, ContentType=kind, IfNoneMatch="*"
        )
    except ClientError as failure:
        if failure.response["Error"]["Code"] != "PreconditionFailed":
            raise
        return read(key) or b""
    return content


def work_key(batch: str) -> str:
    """Return where the list of a batch's partners lies."""
    return f"work/{batch}.json"


def order_key(batch: str) -> str:
    """Return where a batch's payment file lies."""
    return f"outbox/{batch}.xml"


def write_list(batch: str, partners: list[str]) -> list[str]:
    """Fix who may be in a batch; return the list that counts, which is the first one written."""
    content = msgspec.json.encode([{"partner": partner} for partner in partners])
    return _partners(write_once(work_key(batch), content, kind="application/json"))


def read_list(batch: str) -> list[str]:
    """Return who may be in a batch."""
    return _partners(read(work_key(batch)) or b"[]")


def write_order(batch: Batch, document: Program, transfers: list[Transfer]) -> str:
    """Write the payment file of a batch and return its key.

    Raises:
        LedgerError: A file of the batch exists and says something else.
    """
    key = order_key(batch.id)
    content = pain001.write(order(batch, rule_of(document, batch.currency), transfers))
    if write_once(key, content, kind="application/xml") != content:
        message = "the batch's payment file exists and says something else"
        raise LedgerError(message, batch=batch.id)
    return key


def order(batch: Batch, rule: PayoutRule, transfers: list[Transfer]) -> CreditTransferFile:
    """Return the payment order of a batch: a function of what is stored and nothing else."""
    at = batch.submitted_at or batch.created_at
    return CreditTransferFile(
        message_id=batch.id,
        created_at=at,
        requested_date=at[:10],
        debtor=Debtor(
            name=rule.debtor.name,
            iban=rule.debtor.iban,
            bic=rule.debtor.bic,
            town=rule.debtor.address.town,
            country=rule.debtor.address.country,
        ),
        currency=batch.currency,
        method=batch.method,
        transfers=tuple(transfers),
    )


def transfer(payout: Payout, payee: Payee, document: Program) -> Transfer:
    """Return the order to pay one payout."""
    return Transfer(
        reference=payout.reference,
        amount_minor=payout.amount_minor,
        currency=payout.currency,
        name=payee.name,
        iban=payee.iban,
        bic=payee.bic,
        town=payee.town,
        country=payee.country,
        remittance=f"{document.sender_name} {payout.reference}",
    )


def rule_of(document: Program, currency: str) -> PayoutRule:
    """Return how *currency* is paid out.

    Raises:
        NotFoundError: The program does not pay it.
    """
    rule = program.payout_rule(document, currency)
    if rule is None:
        message = "the program does not pay this currency"
        raise NotFoundError(message, currency=currency)
    return rule


def _partners(content: bytes) -> list[str]:
    return [each["partner"] for each in msgspec.json.decode(content)]
