"""Which network addresses may be connected to: public ones, and those that the operator allows.

The lists are IANA's registries of special-purpose addresses for IPv4 and IPv6 (RFC 6890 and its successors) as of 2026,
written out because those of Python's `ipaddress` differ between its patch versions.
"""

from __future__ import annotations

import socket
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

NOT_PUBLIC_V4 = tuple(
    IPv4Network(network)
    for network in (
        "0.0.0.0/8",  # this host
        "10.0.0.0/8",  # private
        "100.64.0.0/10",  # carrier-grade NAT; Alibaba's metadata service
        "127.0.0.0/8",  # loopback
        "168.63.129.16/32",  # Azure's platform services: public by number only
        "169.254.0.0/16",  # link-local; metadata services
        "172.16.0.0/12",  # private
        "192.0.0.0/24",  # protocol assignments; Oracle's metadata service
        "192.0.2.0/24",  # documentation
        "192.88.99.0/24",  # relays of 6to4
        "192.168.0.0/16",  # private
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved; broadcast
    )
)

PUBLIC_V6 = IPv6Network("2000::/3")
"""All that is handed out as global unicast. Outside lie loopback, unique local (AWS's fd00:ec2::254 among it),
link-local and multicast addresses, and those that hold an IPv4 address in their last bits (`::127.0.0.1`)."""

NOT_PUBLIC_V6 = tuple(
    IPv6Network(network)
    for network in (
        "2001::/23",  # protocol assignments: Teredo, benchmarks, ORCHID
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4: an IPv4 address in disguise
        "3fff::/20",  # documentation
    )
)

NAT64 = IPv6Network("64:ff9b::/96")
"""RFC 6052: where only IPv6 is spoken, all of IPv4 is reached through it; the last 32 bits are the address meant. Its
local sibling 64:ff9b:1::/48 is refused like all outside `PUBLIC_V6`: where it leads is the operator's own affair."""


class AddressRefused(OSError):
    """A connection to an address that may not be connected to. All have one message: where it would have led to is
    nobody's business, and a name with several such addresses gives this same error."""

    def __init__(self) -> None:
        super().__init__("not a public address")


class AddressRule:
    """Says which addresses may be connected to."""

    def __init__(self, allowed_networks: Sequence[str] = ()) -> None:
        """Raises ValueError for what is no network in CIDR notation."""
        self._allowed: tuple[Network, ...] = tuple(ip_network(network) for network in allowed_networks)

    def allows(self, address: str) -> bool:
        """Whether a socket may connect to `address`, as the system writes it; not what it cannot be read as."""
        try:
            given = ip_address(address.partition("%")[0])
        except ValueError:
            return False
        meant = _meant(given)
        return any(one in network for one in (given, meant) for network in self._allowed) or _is_public(meant)


def literal(host: str) -> str | None:
    """The address that a host is, however oddly it is written (`127.1`, `0x7f.1`, `2130706433`, a dot at the end); None
    for a name. This is how the C library reads hosts, and so how proxies and resolvers may."""
    host = host.rstrip(".")
    try:
        return str(ip_address(host))
    except ValueError:
        pass
    try:
        return socket.inet_ntoa(socket.inet_aton(host))
    except (OSError, ValueError):
        return None


def _meant(address: Address) -> Address:
    """The IPv4 address that an IPv6 address leads to."""
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return address.ipv4_mapped
        if address in NAT64:
            return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address


def _is_public(address: Address) -> bool:
    if isinstance(address, IPv4Address):
        return not any(address in network for network in NOT_PUBLIC_V4)
    return address in PUBLIC_V6 and not any(address in network for network in NOT_PUBLIC_V6)
