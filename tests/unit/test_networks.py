"""What a network tells about who is behind it."""

from __future__ import annotations

from ipaddress import ip_network
from itertools import pairwise

import pytest

from introducer import networks


@pytest.mark.parametrize(
    ("network", "host", "country"),
    [
        ("3.5.140.0/24", "Amazon Web Services", "KR"),
        ("95.216.7.0/24", "Hetzner", "FI"),
        ("91.10.4.0/24", "", "DE"),
        ("8.8.8.0/24", "", "US"),
        ("10.0.0.0/24", "", ""),
        ("203.0.113.0/24", "", ""),
        ("0.0.0.0/24", "", ""),
        ("255.255.255.0/24", "", ""),
        ("2001:db8:1::/48", "", ""),
    ],
)
def test_network_is_placed(network: str, host: str, country: str) -> None:
    """Servers' networks are known by name, others by their country, unknown ones by nothing."""
    assert (host, country) == (networks.host(network), networks.country(network))


@pytest.mark.parametrize("text", ["", "x", "300.1.1.0/24", "10.0.0.1/24"])
def test_what_is_no_network_is_refused(text: str) -> None:
    """A click that holds something else is put aside by whoever reads it."""
    with pytest.raises(ValueError, match=r"."):
        networks.host(text)


def test_list_of_servers_names_public_blocks_that_do_not_overlap() -> None:
    """Each block has one owner, and none holds a private or unassigned address."""
    known = networks._hosting()
    assert all(end < begin for end, begin in zip(known.ends, known.begins[1:], strict=False))
    assert all(first < second for first, second in pairwise(known.begins))
    for begin in known.begins:
        assert ip_network(f"{ip_network(begin).network_address}/32").is_global
