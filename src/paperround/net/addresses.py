"""Which IP addresses are on the public internet.

The tables are our own, since `ipaddress.is_global` calls several addresses global that lead
inside, and differs between versions of Python. Sources: the IANA registries of special-purpose
IPv4 and IPv6 addresses (RFC 6890 and the RFCs named below).
"""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

Address = IPv4Address | IPv6Address

CLOSED_IPV4 = tuple(
    IPv4Network(network)
    for network in (
        "0.0.0.0/8",  # this host (RFC 791)
        "10.0.0.0/8",  # private (RFC 1918)
        "100.64.0.0/10",  # shared by a provider's customers (RFC 6598)
        "127.0.0.0/8",  # loopback
        "169.254.0.0/16",  # link-local (RFC 3927), and the metadata services of clouds
        "172.16.0.0/12",  # private
        "192.0.0.0/24",  # protocol assignments (RFC 6890)
        "192.0.2.0/24",  # documentation (RFC 5737)
        "192.88.99.0/24",  # relays of 6to4, given up (RFC 7526)
        "192.168.0.0/16",  # private
        "198.18.0.0/15",  # benchmarks (RFC 2544)
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, and broadcast
        "168.63.129.16/32",  # looks public, and is the host of a virtual machine in Azure
    )
)

OPEN_IPV6 = IPv6Network("2000::/3")
"""The only part of IPv6 that is given out for global use (RFC 4291). What is outside needs no
entry below: loopback, link-local, multicast, unique-local, IPv4-mapped, IPv4-compatible, NAT64."""

CLOSED_IPV6 = tuple(
    IPv6Network(network)
    for network in (
        "2001::/23",  # protocol assignments, Teredo among them, which holds an IPv4 address
        "2001:db8::/32",  # documentation (RFC 3849)
        "2002::/16",  # 6to4, which holds an IPv4 address (RFC 3056)
        "3ffe::/16",  # the test network that was handed back (RFC 3701)
        "3fff::/20",  # documentation (RFC 9637)
    )
)


def is_public(address: Address) -> bool:
    """Whether anybody on the internet could be asked at `address`."""
    if isinstance(address, IPv4Address):
        return not any(address in network for network in CLOSED_IPV4)
    return address in OPEN_IPV6 and not any(address in network for network in CLOSED_IPV6)
