from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.fetch.addresses import AddressRule, literal

PUBLIC = [
    "1.1.1.1",
    "8.8.8.8",
    "172.15.255.255",
    "172.32.0.0",
    "100.63.255.255",
    "100.128.0.0",
    "2606:4700:4700::1111",
    "2a00:1450:4001::200e",
    "::ffff:8.8.8.8",
    "64:ff9b::8.8.8.8",
]

NOT_PUBLIC = [
    "0.0.0.0",  # noqa: S104 - nothing is bound to it
    "0.1.2.3",
    "10.0.0.1",
    "100.64.0.1",
    "100.100.100.200",
    "127.0.0.1",
    "127.255.255.254",
    "168.63.129.16",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.192",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.1.1",
    "198.18.0.1",
    "198.19.255.255",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::8.8.8.8",
    "::ffff:127.0.0.1",
    "::ffff:169.254.169.254",
    "::ffff:0:127.0.0.1",
    "64:ff9b::127.0.0.1",
    "64:ff9b::10.0.0.1",
    "64:ff9b:1::8.8.8.8",
    "100::1",
    "2001::1",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    "2001:2::1",
    "2001:10::1",
    "2001:db8::1",
    "2002:7f00:1::1",
    "2002:808:808::1",
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "ff02::1",
    "fe80::5efe:127.0.0.1",
]


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_may_be_connected_to(address: str) -> None:
    assert AddressRule().allows(address)


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_others_may_not(address: str) -> None:
    assert not AddressRule().allows(address)


@pytest.mark.parametrize("address", ["", "localhost", "127.1", "0x7f000001", "2130706433", "8.8.8.8 ", "08.8.8.8"])
def test_what_is_no_address_is_not_connected_to(address: str) -> None:
    assert not AddressRule().allows(address)


@pytest.mark.parametrize("address", ["10.20.3.4", "::ffff:10.20.3.4", "fd12::9", "64:ff9b::10.20.3.4"])
def test_what_the_operator_allows_may_be_connected_to(address: str) -> None:
    assert AddressRule(("10.20.0.0/16", "fd12::/16")).allows(address)


@pytest.mark.parametrize("address", ["10.21.3.4", "127.0.0.1", "fd13::9", "2002:a14:304::1"])
def test_what_the_operator_allows_allows_nothing_else(address: str) -> None:
    assert not AddressRule(("10.20.0.0/16", "fd12::/16")).allows(address)


def test_a_network_that_is_none_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"10\.20"):
        AddressRule(("10.20.0.0/99",))


@given(st.integers(0, 2**32 - 1))
def test_wrapping_an_ipv4_address_never_opens_what_is_closed(number: int) -> None:
    rule = AddressRule()
    public = rule.allows(str(IPv4Address(number)))
    assert rule.allows(str(IPv6Address((0xFFFF << 32) | number))) == public
    assert rule.allows(str(IPv6Address((0x64_FF9B << 96) | number))) == public
    for prefix in (0, 0xFFFF << 48, 0x64_FF9B_0001 << 80):
        assert not rule.allows(str(IPv6Address(prefix | number)))
    assert not rule.allows(str(IPv6Address((0x2002 << 112) | (number << 80) | 1)))
    assert not rule.allows(str(IPv6Address((0x2001 << 112) | (number << 64) | (number ^ 0xFFFF_FFFF))))


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("127.0.0.1", "127.0.0.1"),
        ("127.0.0.1.", "127.0.0.1"),
        ("127.1", "127.0.0.1"),
        ("0x7f.1", "127.0.0.1"),
        ("0x7f000001", "127.0.0.1"),
        ("2130706433", "127.0.0.1"),
        ("0177.0.0.1", "127.0.0.1"),
        ("017700000001", "127.0.0.1"),
        ("::ffff:7f00:1", "::ffff:7f00:1"),
        ("example.com", None),
        ("1.example", None),
        ("bücher.example", None),
        ("a\x00b", None),
    ],
)
def test_literal_addresses_are_recognised_however_they_are_written(host: str, address: str | None) -> None:
    assert literal(host) == address
