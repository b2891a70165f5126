"""What a payment file of ours orders, read back from its bytes for reconciliation."""

from __future__ import annotations

import re

from introducer import money

_TRANSFER = re.compile(
    r"<EndToEndId>([A-Z0-9]{1,15})</EndToEndId></PmtId>"
    r'<Amt><InstdAmt Ccy="([A-Z]{3})">([0-9]+)(?:\.([0-9]+))?</InstdAmt></Amt>'
)


def amounts_in(content: bytes, currency: str) -> dict[str, int]:
    """Return the amount in minor units by reference, of every transfer in *currency*.

    The file is our own writer's, byte for byte, so its exact form is known; anything else
    finds nothing and shows as a difference.
    """
    digits = money.exponent(currency)
    return {
        reference: int(major + (minor or "").ljust(digits, "0"))
        for reference, code, major, minor in _TRANSFER.findall(content.decode())
        if code == currency
    }
