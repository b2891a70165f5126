"""What comes in from outside: requests, clicks, signed messages, stream records, bank reports."""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
from typing import Any

from bench import paths  # noqa: F401  (it makes our code importable)
from introducer import clickid, clock
from introducer.clock import Instant


def new_referral(number: int, click: str) -> dict[str, Any]:
    """Return the body of a submission as a landing page sends it."""
    return {
        "name": "Lena Beispiel",
        "email": f"lena.beispiel{number}@customer{number}.example",
        "company": "Beispiel GmbH",
        "phone": f"+49 1515 {number % 10_000_000:07}",
        "country": "DE",
        "product": "fibre",
        "locale": "de-DE",
        "consent": {"text_version": "2026-11", "given": True},
        "clicks": [click],
        "utm": {"utm_source": "newsletter", "utm_campaign": "autumn"},
    }


def rest_event(
    method: str,
    route: str,
    body: str,
    *,
    path: dict[str, str],
    claims: dict[str, str] | None = None,
    headers: dict[str, str] | None = None,
    number: int,
) -> dict[str, Any]:
    """Return the event with which API Gateway's REST API calls a function."""
    sent = {
        "accept": "application/json",
        "content-type": "application/json",
        "host": "api.example",
        "idempotency-key": f"bench-{number:012}",
        "user-agent": "Mozilla/5.0 (X11; Linux x86_64) Chrome/142.0",
        "x-forwarded-for": "203.0.113.7",
        **(headers or {}),
    }
    return {
        "resource": route,
        "path": route.format(**path),
        "httpMethod": method,
        "headers": sent,
        "multiValueHeaders": {name: [value] for name, value in sent.items()},
        "queryStringParameters": None,
        "multiValueQueryStringParameters": None,
        "pathParameters": path or None,
        "stageVariables": None,
        "body": body,
        "isBase64Encoded": False,
        "requestContext": {
            "resourcePath": route,
            "httpMethod": method,
            "path": f"/api{route.format(**path)}",
            "stage": "api",
            "requestId": f"00000000-0000-4000-8000-{number:012}",
            "identity": {"sourceIp": "203.0.113.7"},
            **({"authorizer": {"claims": claims}} if claims else {}),
        },
    }


def login(group: str, subject: str) -> dict[str, str]:
    """Return the claims of a verified token."""
    return {"sub": subject, "token_use": "id", "cognito:groups": group}


def signature(secret: str, raw: str, message: str) -> dict[str, str]:
    """Return the headers of a message signed by the Standard Webhooks scheme."""
    at = str(int(time.time()))
    key = base64.b64decode(secret.removeprefix("whsec_"))
    digest = hmac.new(key, f"{message}.{at}.{raw}".encode(), hashlib.sha256).digest()
    return {
        "webhook-id": message,
        "webhook-timestamp": at,
        "webhook-signature": f"v1,{base64.b64encode(digest).decode()}",
    }


def click_of(link: str, now: Instant) -> str:
    """Return the id that a click on *link* ten minutes ago gave its visitor."""
    from introducer.tables import programs

    (key,) = clickid.keys_of(programs.click_salts(), now).values()
    hour = clickid.hour_of(clock.epoch_s(now) - 600)
    return clickid.make(link, hour, clickid.visitor(key, now[:10], "203.0.113.7", "Chrome"), key)


def record(item: dict[str, Any], number: int) -> dict[str, Any]:
    """Return a new item as Lambda gets it from a table's stream."""
    return {
        "eventID": f"{number:032x}",
        "eventName": "INSERT",
        "eventSource": "aws:dynamodb",
        "dynamodb": {
            "Keys": {"pk": item["pk"], "sk": item["sk"]},
            "NewImage": item,
            "SequenceNumber": f"{number:021}",
            "StreamViewType": "NEW_AND_OLD_IMAGES",
        },
    }


def bank_report(payments: list[tuple[str, int]], now: Instant) -> bytes:
    """Return a camt.054 that says each payment was debited."""
    entries = "".join(
        f'<Ntry><Amt Ccy="EUR">{minor // 100}.{minor % 100:02}</Amt><CdtDbtInd>DBIT</CdtDbtInd>'
        f"<Sts><Cd>BOOK</Cd></Sts><BookgDt><Dt>{now[:10]}</Dt></BookgDt>"
        f"<AcctSvcrRef>B{reference}</AcctSvcrRef><NtryDtls><TxDtls><Refs>"
        f"<EndToEndId>{reference}</EndToEndId></Refs>"
        f'<Amt Ccy="EUR">{minor // 100}.{minor % 100:02}</Amt><CdtDbtInd>DBIT</CdtDbtInd>'
        "</TxDtls></NtryDtls></Ntry>"
        for reference, minor in payments
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        '<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.054.001.08"><BkToCstmrDbtCdtNtfctn>'
        f"<GrpHdr><MsgId>N1</MsgId><CreDtTm>{now[:19]}</CreDtTm></GrpHdr><Ntfctn><Id>N1</Id>"
        "<Acct><Id><IBAN>DE89370400440532013000</IBAN></Id></Acct>"
        f"{entries}</Ntfctn></BkToCstmrDbtCdtNtfctn></Document>"
    ).encode()
