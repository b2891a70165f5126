"""Statements of the deployed stack: drawn by what is shipped, read by link, with narrow rights."""

from __future__ import annotations

import io
import urllib.request

from pypdf import PdfReader

from infra.api import Stack
from tests.support.journey import Journey


def fetched(url: str) -> bytes:
    """Return the file behind a presigned link, without a login."""
    with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310  (the stack's own)
        body: bytes = answer.read()
    return body


def test_partner_reads_what_is_owed_and_takes_it_home(stack: Stack) -> None:
    """Page data, spreadsheet and PDF of the same money; finance reads the account, too."""
    journey = Journey(stack)
    pia = journey.partner()
    journey.won(pia)
    (unit,) = stack.call("GET", "/v1/me/payable", token=pia.token).expect(200).body["items"]
    pending = journey.statement(pia)["balance"]["pending"]
    assert ("EUR", True, pending) == (unit["currency"], unit["complete"], unit["pending_minor"])
    assert {"items": [], "next": ""} == (
        stack.call("GET", "/v1/me/payouts", token=pia.token).expect(200).body
    )
    path = "/v1/me/statement/file?currency=EUR&format="
    drawn = fetched(stack.call("GET", f"{path}pdf", token=pia.token).expect(200).body["url"])
    (page,) = [each.extract_text() for each in PdfReader(io.BytesIO(drawn)).pages]
    assert "Account statement" in page
    assert pia.id in page
    sheet = fetched(stack.call("GET", f"{path}csv", token=pia.token).expect(200).body["url"])
    assert sheet.decode("utf-8-sig").startswith("number,booked_at")
    theirs = f"/v1/programs/{journey.program}/statements/{pia.id}?currency=EUR"
    read = stack.call("GET", theirs, token=journey.finance).expect(200).body
    assert pending == read["closing"]["pending"]
