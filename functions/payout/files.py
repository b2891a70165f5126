"""The bank's bucket: files that are written once and never changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec
from botocore.exceptions import ClientError

from introducer import money, paying, rates
from introducer.clients import client
from introducer.document.payout import PayoutRule
from introducer.errors import LedgerError, NotFoundError
from introducer.payout import Batch, Payout
from introducer.program import Program
from introducer.rails.rail import Order, Payment
from introducer.rails.registry import call_rail, file_rail
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


def order_key(batch: Batch) -> str:
    """Return where a batch's payment file lies."""
    return f"outbox/{batch.id}.{file_rail(batch.method).extension}"


def write_list(batch: str, members: Mapping[str, str]) -> list[str]:
    """Fix who is in a batch; return the list that counts, which is the first one written.

    Args:
        batch: Its id.
        members: By holder, in order: why they get nothing in it, empty for those who do.
    """
    items = [
        {"partner": holder, "reason": why} if why else {"partner": holder}
        for holder, why in members.items()
    ]
    content = msgspec.json.encode(items)
    return _partners(write_once(work_key(batch), content, kind="application/json"))


def read_list(batch: str) -> list[str]:
    """Return who may be in a batch."""
    return _partners(read(work_key(batch)) or b"[]")


def write_order(batch: Batch, order: Order) -> str:
    """Write the payment file of a batch and return its key.

    Raises:
        LedgerError: A file of the batch exists and says something else.
    """
    key, rail = order_key(batch), file_rail(batch.method)
    content = rail.write(order)
    if write_once(key, content, kind=rail.media) != content:
        message = "the batch's payment file exists and says something else"
        raise LedgerError(message, batch=batch.id)
    return key


def order(batch: Batch, rule: PayoutRule, payments: Sequence[Payment]) -> Order:
    """Return the payment order of a batch: a function of what is stored and nothing else."""
    at = batch.submitted_at or batch.created_at
    return Order(
        batch=batch.id,
        created_at=at,
        requested_date=at[:10],
        currency=batch.sent_currency or batch.currency,
        rule=rule,
        payments=tuple(payments),
    )


def payment(payout: Payout, payee: Payee | None, document: Program) -> Payment:
    """Return the order to pay one payout."""
    amount_minor, currency = payout.ordered
    return Payment(
        reference=payout.reference,
        holder=payout.partner,
        amount_minor=amount_minor,
        currency=currency,
        payee=payee,
        text=f"{document.sender_name} {payout.reference}",
    )


def most_minor(batch: Batch, rule: PayoutRule) -> int:
    """Return the largest payout of *batch*, in the books' currency.

    It is what the program allows, and what the way can carry in the currency that is sent.
    """
    rail = call_rail(rule.method) if rule.method in paying.CALLS else file_rail(rule.method)
    most = rail.most_minor
    if batch.sent_currency:
        most = _before_exchange(batch, most)
    return min(most, rule.payout_most_minor or most)


def rule_of(document: Program, batch: Batch) -> PayoutRule:
    """Return the rule that *batch* pays by.

    Raises:
        NotFoundError: The document has none of that name.
    """
    name = {"region": batch.region, "currency": batch.currency, "method": batch.method}
    return rule_by_name(document, name)


def rule_by_name(document: Program, name: Mapping[str, str]) -> PayoutRule:
    """Return the rule with that ``region``, ``currency`` and ``method``.

    Raises:
        NotFoundError: The document has none of that name.
    """
    parts = {part: name[part] for part in ("region", "currency", "method")}
    rule = paying.named(document, **parts)
    if rule is None:
        message = "the program does not pay this way"
        raise NotFoundError(message, **parts)
    return rule


def _before_exchange(batch: Batch, sent_minor: int) -> int:
    """Return an amount that comes to no more than *sent_minor* at the rate of *batch*."""
    numerator, denominator = rates.ratio(batch.rate)
    numerator *= int(10 ** money.exponent(batch.sent_currency))
    denominator *= int(10 ** money.exponent(batch.currency))
    return sent_minor * denominator // numerator


def _partners(content: bytes) -> list[str]:
    return [each["partner"] for each in msgspec.json.decode(content)]
