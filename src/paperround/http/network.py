"""Check URLs, resolve names, check addresses and connect.

Checking the URL is not enough: a name may resolve to any address, and to another one at the next
lookup (DNS rebinding). So a name is resolved once, and we connect to the address that was checked.
"""

import re
import socket
import time
from base64 import b64encode
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from ipaddress import (
    AddressValueError,
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
)
from queue import Empty, SimpleQueue
from threading import Thread

import httpx

from paperround.core.errors import FetchFailed, FetchRefused, Misconfigured

Address = IPv4Address | IPv6Address
HostPort = tuple[str, int]

_DEFAULT_PORTS = {"http": 80, "https": 443}
_NAME = re.compile(r"(?=.{1,253}\.?$)[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*\.?")


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchTarget:
    """A host (lower case, ASCII, IPv6 without brackets), a port, and whether to use TLS.

    `is_allowed` is whether the operator allowed exactly this host and port, whatever its address.
    """

    host: str
    port: int
    tls: bool
    is_allowed: bool


def parse_url(address: str) -> httpx.URL:
    """Return `address` as a URL, its host in lower case and IDNA. Raises FetchRefused."""
    if "\\" in address or not address.isprintable() or " " in address:
        raise FetchRefused(
            "is not a web address: it contains a space, a backslash or a control character"
        )
    try:
        url = httpx.URL(address)
        url.host  # noqa: B018 - raises for an invalid `xn--` name
    except (httpx.InvalidURL, UnicodeError):
        raise FetchRefused("is not a valid web address") from None
    return url


def check_target(
    url: httpx.URL, *, ports: Collection[int], allow: Collection[HostPort]
) -> FetchTarget:
    """Return the target of `url`. Raises FetchRefused for URLs other than HTTP, and for ports that
    are in neither `ports` nor `allow`."""
    if url.scheme not in _DEFAULT_PORTS:
        raise FetchRefused("has an address that does not start with http:// or https://")
    if url.userinfo:
        raise FetchRefused("has a user name in its address, which is not supported")
    host = _host(url)
    port = _DEFAULT_PORTS[url.scheme] if url.port is None else url.port
    is_allowed = (host, port) in allow
    if not is_allowed and port not in ports:
        raise FetchRefused(
            "has a port other than 80 and 443; to allow a server of your own network, add its "
            "host:port to PAPERROUND_FETCH_ALLOW and restart `paperround serve`"
        )
    return FetchTarget(host=host, port=port, tls=url.scheme == "https", is_allowed=is_allowed)


def parse_allowed(entries: Collection[str]) -> frozenset[HostPort]:
    """Return `host:port` entries (`[::1]:8080` for IPv6) as pairs. Raises Misconfigured."""
    return frozenset(map(_parse_entry, entries))


def _parse_entry(entry: str) -> HostPort:
    try:
        url = httpx.URL(f"//{entry}")
        # A path is refused because it would suggest that only this path is allowed.
        if url.port is not None and not (url.userinfo or url.fragment or url.raw_path.strip(b"/")):
            return _host(url), url.port
    except (httpx.InvalidURL, FetchRefused):
        pass
    raise Misconfigured(f"PAPERROUND_FETCH_ALLOW: {entry!r} is not host:port, as in wiki.lan:8080")


def _host(url: httpx.URL) -> str:
    host = url.raw_host.decode("ascii").lower()
    if not (_NAME.fullmatch(host) or _is_ipv6(host)):
        raise FetchRefused("has an address without a host")
    return host


def _is_ipv6(host: str) -> bool:
    try:
        return "%" not in host and bool(IPv6Address(host).packed)
    except AddressValueError:
        return False


# --- addresses ----------------------------------------------------------------------------------

# We keep our own tables because `ipaddress.is_global` accepts several addresses that reach internal
# networks, and differs between versions of Python. Sources: the IANA registries of special-purpose
# IPv4 and IPv6 addresses (RFC 6890 and the RFCs named below).

NON_PUBLIC_IPV4 = tuple(
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
        "192.88.99.0/24",  # 6to4 relays, deprecated (RFC 7526)
        "192.168.0.0/16",  # private
        "198.18.0.0/15",  # benchmarks (RFC 2544)
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, and broadcast
        "168.63.129.16/32",  # looks public, but is the host of a virtual machine in Azure
    )
)


GLOBAL_IPV6 = IPv6Network("2000::/3")
"""The only part of IPv6 assigned for global use (RFC 4291). Ranges outside it need no entry below:
loopback, link-local, multicast, unique-local, IPv4-mapped, IPv4-compatible, NAT64."""


NON_PUBLIC_IPV6 = tuple(
    IPv6Network(network)
    for network in (
        "2001::/23",  # protocol assignments, including Teredo, which embeds an IPv4 address
        "2001:db8::/32",  # documentation (RFC 3849)
        "2002::/16",  # 6to4, which embeds an IPv4 address (RFC 3056)
        "3ffe::/16",  # the former test network 6bone (RFC 3701)
        "3fff::/20",  # documentation (RFC 9637)
    )
)


def is_public(address: Address) -> bool:
    """Whether `address` is on the public internet."""
    if isinstance(address, IPv4Address):
        return not any(address in network for network in NON_PUBLIC_IPV4)
    return address in GLOBAL_IPV6 and not any(address in network for network in NON_PUBLIC_IPV6)


def look_up(host: str, port: int) -> list[Address]:
    """Return the addresses of `host` from the system resolver, best first. Raises OSError."""
    # Bytes, because Python applies older IDNA rules to text.
    found = socket.getaddrinfo(host.encode("ascii"), port, type=socket.SOCK_STREAM)
    return [ip_address(entry[4][0]) for entry in found]


def dial(address: Address, port: int, seconds: float) -> socket.socket:
    """Return a TCP connection to exactly this address. Raises OSError."""
    return socket.create_connection((str(address), port), seconds)


def through(proxy: str) -> Callable[[Address, int, float], socket.socket]:
    """Return a `dial` that reaches public addresses through an HTTP proxy, by CONNECT, and others
    directly. The proxy gets the address that was checked, so no name leads elsewhere there. It
    raises FetchFailed when the proxy fails."""
    url = httpx.URL(proxy)
    account = b64encode(f"{url.username}:{url.password}".encode()).decode()
    login = {"Proxy-Authorization": f"Basic {account}"} if url.username else {}

    def dial_through(address: Address, port: int, seconds: float) -> socket.socket:
        if not is_public(address):
            return dial(address, port, seconds)
        tunnel = HTTPConnection(url.host, url.port, timeout=seconds)
        tunnel.set_tunnel(f"[{address}]" if address.version == 6 else str(address), port, login)
        try:
            tunnel.connect()
        except (OSError, HTTPException) as error:  # its text is of the proxy, or of the system
            code = re.search(r"\b\d{3}\b", str(error))
            says = f"refuses (status {code[0]})" if code else "does not answer"
            raise FetchFailed(f"cannot be reached: PAPERROUND_FETCH_PROXY {says}") from None
        return tunnel.sock

    return dial_through


def is_own(address: Address) -> bool:
    """Whether `address` belongs to this machine: only then can a socket bind to it."""
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.bind((str(address), 0))
    except OSError:
        return False
    return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """System calls for names and connections; tests replace the functions. `hint` follows the
    error for a host that cannot be found or reached."""

    look_up: Callable[[str, int], Sequence[Address]] = look_up
    dial: Callable[[Address, int, float], socket.socket] = dial
    is_own: Callable[[Address], bool] = is_own
    hint: str = ""

    def connect(self, target: FetchTarget, seconds: float) -> socket.socket:
        """Return a connection to `target` within `seconds`, DNS lookup included.

        Raises FetchRefused when none of its addresses is allowed, with the same message whatever
        listens there; raises FetchFailed when no address accepts the connection.
        """
        deadline = time.monotonic() + seconds
        addresses = self.allowed_addresses(target, seconds)
        for tried, address in enumerate(addresses):
            # An unreachable address must leave time for the remaining ones.
            share = (deadline - time.monotonic()) / (len(addresses) - tried)
            try:
                return self.dial(address, target.port, max(share, 0.001))
            except OSError:
                continue
        raise FetchFailed(f"cannot be reached{self.hint}")

    def allowed_addresses(self, target: FetchTarget, seconds: float) -> Sequence[Address]:
        """Return the addresses of `target` that we may connect to. Raises as `connect` does."""
        found = self._look_up_in_time(target, seconds)
        usable = [a for a in found if target.is_allowed or (is_public(a) and not self.is_own(a))]
        if not usable:
            raise FetchRefused(
                "is not on the public internet; to allow a server of your own network, add its "
                "host:port to PAPERROUND_FETCH_ALLOW and restart `paperround serve`"
            )
        return usable

    def _look_up_in_time(self, target: FetchTarget, seconds: float) -> Sequence[Address]:
        # A lookup cannot be interrupted, so it runs in its own thread, which we may abandon.
        answers: SimpleQueue[Sequence[Address] | OSError] = SimpleQueue()

        def look_up_host() -> None:
            try:
                answers.put(self.look_up(target.host, target.port))
            except OSError as error:
                answers.put(error)

        Thread(target=look_up_host, daemon=True).start()
        try:
            found = answers.get(timeout=seconds)
        except Empty:
            raise FetchFailed("has a name whose lookup took too long") from None
        if isinstance(found, OSError):
            raise FetchFailed(f"has a name that cannot be found{self.hint}")
        return found
