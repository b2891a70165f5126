"""What a visitor's network tells: the country it is in, and whether only servers live there.

A network is what clicks keep instead of an address: ``203.0.113.0/24``, ``2001:db8:1::/48``.
"""

from __future__ import annotations

from bisect import bisect_right
from functools import cache
from ipaddress import IPv4Network, ip_network
from pathlib import Path
from typing import Any, NamedTuple

_LIST = Path(__file__).parent / "hosting.txt"


class _Hosting(NamedTuple):
    """Blocks that do not overlap, in order: where each begins and ends, and whose it is."""

    begins: list[int]
    ends: list[int]
    owners: list[str]


def host(network: str) -> str:
    """Return the hosting company whose block *network* lies in, empty for none.

    Raises:
        ValueError: It is no network.
    """
    asked = ip_network(network)
    if not isinstance(asked, IPv4Network):
        return ""
    known = _hosting()
    place = bisect_right(known.begins, int(asked.network_address)) - 1
    if place < 0 or int(asked.broadcast_address) > known.ends[place]:
        return ""
    return known.owners[place]


def country(network: str) -> str:
    """Return the two-letter country of *network*, empty when it is not known.

    From the package ``ip3country``, which knows IPv4; a later version of it is better data.

    Raises:
        ValueError: It is no network.
    """
    asked = ip_network(network)
    if not isinstance(asked, IPv4Network) or asked.is_private:
        return ""
    found = _countries().lookupNumeric(int(asked.network_address))
    return str(found) if found else ""


@cache
def _countries() -> Any:  # noqa: ANN401  (the package has no types)
    from ip3country import CountryLookup  # half a megabyte of table, only where clicks are counted

    return CountryLookup()


@cache
def _hosting() -> _Hosting:
    blocks: list[tuple[int, int, str]] = []
    owner = ""
    for line in _LIST.read_text("utf-8").splitlines():
        if line.startswith("["):
            owner = line.strip("[]")
        elif not line.startswith("#"):
            for text in line.split():
                block = ip_network(text)
                blocks.append((int(block.network_address), int(block.broadcast_address), owner))
    blocks.sort()
    begins, ends, owners = zip(*blocks, strict=True)
    return _Hosting(list(begins), list(ends), list(owners))
