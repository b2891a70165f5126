"""What is kept of a click: one item of the Clicks table, at most 400 bytes with usual values.

Neither the visitor's address nor their browser is in it: a class of device, and the network
that the address belongs to, which the consumer of clicks compares with those of data centres.
"""

from __future__ import annotations

import socket
from urllib.parse import urlsplit

from introducer import clickid
from introducer.landing import summary

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from introducer.agents import Verdict
    from introducer.landing import Pairs
    from submit.click_links import Link

    Item = dict[str, dict[str, str]]

_DAY_S = 86_400
_ITEM_LIMIT = 400
_REFERRER_LIMIT = 60
_TAGS_LIMIT = 115
_COUNTRY_LENGTH = 2  # ISO 3166-1 alpha-2
_NUMBER_BYTES = 7  # what DynamoDB takes for ten digits, at most
_HOST = frozenset("abcdefghijklmnopqrstuvwxyz0123456789.-")
_MAPPED = bytes(10) + b"\xff\xff"  # RFC 4291, 2.5.5.2: an IPv4 address in IPv6 clothes
_IPV4_PARTS = 4
_IPV4_LARGEST = 255
_TABLET_WORDS = ("ipad", "tablet", "kindle")
_PHONE_WORDS = ("mobi", "iphone", "android")


def click_item(
    click_id: str,
    link: Link,
    variant: int,
    verdict: Verdict,
    *,
    now: float,
    incoming: Pairs,
    headers: Mapping[str, str],
    address: str,
) -> Item:
    """Return the item of one click, in DynamoDB's JSON.

    One that is not counted has a key of its own beside the id: a person's click in the same
    hour must find the id free.

    Args:
        click_id: The click's id.
        link: The link that was followed.
        variant: Which of its destinations was shown, -1 when it has but one.
        verdict: Who followed it, from :func:`introducer.agents.classify`.
        now: Seconds since 1970.
        incoming: What of the query goes on to the landing page.
        headers: The request's headers.
        address: The visitor's network address.
    """
    who, why = verdict
    item = {
        "pk": {"S": click_id if who == "person" else f"{click_id}!{who}"},
        "link": {"S": link.code},
        "program": {"S": link.program},
        "partner": {"S": link.partner},
        "at": {"S": clickid.instant(now)},
        "device": {"S": _device(headers)},
        "expires": {"N": str(int(now) + link.clicks_days * _DAY_S)},
    }
    if variant >= 0:
        item["variant"] = {"N": str(variant)}
    if who != "person":
        item["uncounted"] = {"S": who}
        item["why"] = {"S": why}
    for name, value in (
        *link.labels,
        ("net", network(address)),
        ("country", _country(headers.get("cloudfront-viewer-country", ""))),
    ):
        if value:
            item[name] = {"S": value}
    _fill(item, link.landings[max(variant, 0)].tags(incoming), headers.get("referer", ""))
    return item


def network(address: str) -> str:
    """Return the network of an address, ``203.0.113.0/24`` or ``2001:db8:1::/48``, or nothing."""
    parts = address.split(".")
    if len(parts) == _IPV4_PARTS and ":" not in address:
        valid = all(part.isdecimal() and int(part) <= _IPV4_LARGEST for part in parts)
        return f"{parts[0]}.{parts[1]}.{parts[2]}.0/24" if valid and address.isascii() else ""
    try:
        raw = socket.inet_pton(socket.AF_INET6, address.partition("%")[0])
    except (OSError, ValueError):  # ValueError: it holds a zero character
        return ""
    if raw.startswith(_MAPPED):
        return f"{raw[12]}.{raw[13]}.{raw[14]}.0/24"
    return f"{socket.inet_ntop(socket.AF_INET6, raw[:6] + bytes(10))}/48"


def _fill(item: Item, tags: Mapping[str, str], referrer: str) -> None:
    """Add campaign tags and the referring host, as far as there is room."""
    room = _ITEM_LIMIT - sum(
        len(name) + (len(value["S"]) if "S" in value else _NUMBER_BYTES)
        for name, value in item.items()
    )
    text = summary(tags.items(), min(_TAGS_LIMIT, room - len("utm")))
    if text:
        item["utm"] = {"S": text}
        room -= len("utm") + len(text)
    host = _referrer_host(referrer)
    if host and len("referrer") + len(host) <= room:
        item["referrer"] = {"S": host}


def _device(headers: Mapping[str, str]) -> str:
    agent = headers.get("user-agent", "").lower()
    if any(word in agent for word in _TABLET_WORDS):
        return "tablet"
    if any(word in agent for word in _PHONE_WORDS):
        return "phone"
    return "desktop"


def _country(text: str) -> str:
    valid = len(text) == _COUNTRY_LENGTH and text.isascii() and text.isupper()
    return text if valid else ""


def _referrer_host(referrer: str) -> str:
    try:
        host = urlsplit(referrer[:500]).hostname or ""
    except ValueError:  # such as half an IPv6 address
        return ""
    return host if len(host) <= _REFERRER_LIMIT and _HOST.issuperset(host) else ""
