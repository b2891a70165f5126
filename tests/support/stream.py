"""Factories for records of the Clicks stream, and a stream that hands them over as Lambda does."""

from __future__ import annotations

from typing import Any


def click_record(number: int, **overrides: Any) -> dict[str, Any]:
    """Return the stream record of one counted click; None takes an attribute away."""
    attributes = {
        "pk": f"abcdefgh.A{number:024}",
        "link": "abcdefgh",
        "program": "telecom",
        "partner": "0123456789abcdefghjk",
        "at": "2026-11-22T11:17:00.000Z",
        "device": "phone",
    } | overrides
    image: dict[str, Any] = {k: {"S": v} for k, v in attributes.items() if v is not None}
    return {
        "eventID": f"{number:032x}",
        "eventName": "INSERT",
        "eventSource": "aws:dynamodb",
        "dynamodb": {
            "Keys": {"pk": image["pk"]},
            "NewImage": image | {"expires": {"N": "1803122220"}},
            "SequenceNumber": str(9_999_999_999_999_999_990 + number),
            "StreamViewType": "NEW_IMAGE",
        },
    }
