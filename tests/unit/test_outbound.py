"""Calls leave for the public internet only, at the address that was looked at."""

from __future__ import annotations

import socket
from ipaddress import ip_address, ip_network

import pytest

from introducer import outbound
from introducer.errors import InvalidInputError
from introducer.outbound import RefusedAddressError, Target

LOOPBACK = (ip_network("127.0.0.0/8"),)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "0.0.0.0",  # noqa: S104  (an address to refuse)
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "100.64.0.1",  # carrier-grade NAT
        "169.254.169.254",  # metadata
        "192.0.0.192",
        "168.63.129.16",
        "198.18.0.1",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::1",
        "::",
        "::127.0.0.1",
        "::ffff:8.8.8.8",
        "::ffff:169.254.169.254",
        "64:ff9b::a9fe:a9fe",  # NAT64
        "2002:7f00:1::",  # 6to4
        "2001:0:1::1",  # Teredo
        "fe80::1",
        "fec0::1",  # site-local
        "fc00::1",
        "fd00:ec2::254",
        "ff02::1",
    ],
)
def test_inner_addresses_are_not_public(address: str) -> None:
    """Private, link-local, metadata, shared, mapped, tunnelled, multicast, reserved."""
    assert not outbound.is_public(ip_address(address))


@pytest.mark.parametrize("address", ["8.8.8.8", "52.95.110.1", "2606:4700::1111"])
def test_outer_addresses_are_public(address: str) -> None:
    """Otherwise nobody would be paid."""
    assert outbound.is_public(ip_address(address))


@pytest.mark.parametrize(
    "url",
    [
        "http://api.example.com/",
        "ftp://api.example.com/",
        "https://api.example.com:8443/",
        "https://user:pw@api.example.com/",
        "https://api.example.com/#part",
        "https://api.example.com\\@inside/",
        "https://api.example.com/a b",
        "https://api.exämple.com/",
        "https://localhost/",
        "https://2130706433/",
        "https://127.1/",
        "https://0x7f.1/",
        "https://api.example.com:99999/",
        "https:///orders",
        "https://10.0.0.1/",
        "https://[::ffff:8.8.8.8]/",
        "https://[::1/",
        "//api.example.com/",
        "https://api.example.com/\r\nHost: inside",
        "https://api.example.com/" + "a" * 2_000,
        "http://127.0.0.1:8080/",
    ],
)
def test_odd_urls_are_refused(url: str) -> None:
    """Another scheme or port, a login, a number for a name, characters no URL has."""
    with pytest.raises(InvalidInputError) as refused:
        outbound.target(url, ())
    assert ("url", "invalid_url") == (refused.value.field, refused.value.code)


def test_urls_are_taken_apart() -> None:
    """On a laptop its own networks are open, with any port and without TLS, by number only."""
    assert Target(secure=True, host="api.example.com", port=443, path="/v1?a=b") == outbound.target(
        "https://API.example.com:443/v1?a=b", ()
    )
    assert Target(secure=False, host="127.0.0.1", port=8080, path="/") == outbound.target(
        "http://127.0.0.1:8080", LOOPBACK
    )
    with pytest.raises(InvalidInputError):
        outbound.target("http://localhost:8080/", LOOPBACK)


@pytest.mark.parametrize(
    ("addresses", "networks", "expected"),
    [
        (["8.8.8.8", "8.8.4.4"], (), "8.8.8.8"),
        (["8.8.8.8", "10.0.0.1"], (), RefusedAddressError),
        (["fe80::1%eth0"], (), RefusedAddressError),
        (["127.0.0.1"], (), RefusedAddressError),
        (["127.0.0.1"], LOOPBACK, "127.0.0.1"),
        ([], (), outbound.NoAnswerError),
    ],
)
def test_every_address_of_a_name_must_be_allowed(
    monkeypatch: pytest.MonkeyPatch,
    addresses: list[str],
    networks: outbound.Networks,
    expected: str | type[Exception],
) -> None:
    """One bad address among good ones is a name that was made for it."""
    asked = []

    def resolve(host: str, port: int, **_: object) -> list[tuple[object, ...]]:
        asked.append((host, port))
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, port)) for each in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    if isinstance(expected, str):
        assert expected == outbound.checked_address("api.example.com", 443, networks)
    else:
        with pytest.raises(expected):
            outbound.checked_address("api.example.com", 443, networks)
    assert [("api.example.com", 443)] == asked


def test_opened_networks_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """None unless somebody opens them."""
    monkeypatch.delenv("OUTBOUND_NETWORKS", raising=False)
    assert () == outbound.opened()
    monkeypatch.setenv("OUTBOUND_NETWORKS", "127.0.0.0/8, ::1/128")
    assert (ip_network("127.0.0.0/8"), ip_network("::1/128")) == outbound.opened()
