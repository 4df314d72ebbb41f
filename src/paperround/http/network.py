"""Names and connections: the place where an address is checked, on the way to connecting to it.

A check of the URL alone would not do: a name may lead anywhere, and elsewhere at the next
question. Here a name is looked up once, and what passed the check is what is connected to.
"""

import socket
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from queue import Empty, SimpleQueue
from threading import Thread

from paperround.core.errors import FetchFailed, FetchRefused, NameNotFound
from paperround.http.targets import FetchTarget

# Which IP addresses are on the public internet.
#
# The tables are our own, since `ipaddress.is_global` calls several addresses global that lead
# inside, and differs between versions of Python. Sources: the IANA registries of special-purpose
# IPv4 and IPv6 addresses (RFC 6890 and the RFCs named below).

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


def look_up(host: str, port: int) -> list[Address]:
    """The addresses of `host`, best first, as the system knows them. Raises OSError."""
    # As bytes, because for text Python applies its own, older rules for international names.
    found = socket.getaddrinfo(host.encode("ascii"), port, type=socket.SOCK_STREAM)
    return [ip_address(entry[4][0]) for entry in found]


def dial(address: Address, port: int, seconds: float) -> socket.socket:
    """A TCP connection to exactly this address. Raises OSError."""
    return socket.create_connection((str(address), port), seconds)


def is_own(address: Address) -> bool:
    """Whether this machine has `address`: only then can a socket be bound to it. Sends nothing."""
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.bind((str(address), 0))
    except OSError:
        return False
    return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """What the machine is asked to do; tests hand in other functions."""

    look_up: Callable[[str, int], Sequence[Address]] = look_up
    dial: Callable[[Address, int, float], socket.socket] = dial
    is_own: Callable[[Address], bool] = is_own

    def connect(self, target: FetchTarget, seconds: float) -> socket.socket:
        """A connection to `target` within `seconds`, name included.

        Raises FetchRefused when no address of it is open to us, and says so in the same words
        whatever is there; raises FetchFailed when nothing answers.
        """
        deadline = time.monotonic() + seconds
        addresses = self.usable(target, seconds)
        for tried, address in enumerate(addresses):
            # A dead address must leave time for those after it.
            share = (deadline - time.monotonic()) / (len(addresses) - tried)
            try:
                return self.dial(address, target.port, max(share, 0.001))
            except OSError:
                continue
        raise FetchFailed("cannot be connected to")

    def usable(self, target: FetchTarget, seconds: float) -> Sequence[Address]:
        """The addresses of `target` that may be connected to. Raises as `connect` does."""
        found = self._addresses(target, seconds)
        usable = found if target.opened else [a for a in found if self._is_open(a)]
        if not usable:
            raise FetchRefused(
                "is not at an address of the public internet; a server of your own network is"
                " opened by adding its host:port to PAPERROUND_FETCH_ALLOW"
            )
        return usable

    def _is_open(self, address: Address) -> bool:
        return is_public(address) and not self.is_own(address)

    def _addresses(self, target: FetchTarget, seconds: float) -> Sequence[Address]:
        # Looking up cannot be interrupted, so a thread of its own does it and may be left behind.
        answers: SimpleQueue[Sequence[Address] | OSError] = SimpleQueue()

        def ask() -> None:
            try:
                answers.put(self.look_up(target.host, target.port))
            except OSError as error:
                answers.put(error)

        Thread(target=ask, daemon=True).start()
        try:
            found = answers.get(timeout=seconds)
        except Empty:
            raise NameNotFound("has a name that was not looked up in time") from None
        if isinstance(found, OSError):
            raise NameNotFound("has a name that cannot be found")
        return found
