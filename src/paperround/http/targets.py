"""From a URL to the host and port that may be asked, without asking anybody."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv6Address

import httpx

from paperround.core.errors import FetchRefused, Misconfigured

HostPort = tuple[str, int]

_PORTS = {"http": 80, "https": 443}
_NAME = re.compile(r"(?=.{1,253}\.?$)[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*\.?")


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchTarget:
    """A host (lower case, ASCII, IPv6 without brackets), a port, and how they are asked.

    `opened` says that an operator opened exactly this host and port, wherever they lead.
    """

    host: str
    port: int
    tls: bool
    opened: bool


def parse(address: str) -> httpx.URL:
    """`address` as a URL, its host in lower case and IDNA. Raises FetchRefused."""
    if "\\" in address or not address.isprintable() or " " in address:
        raise FetchRefused("is no web address: it holds a space, a backslash or a control sign")
    try:
        url = httpx.URL(address)
        url.host  # noqa: B018 - read for its error: `xn--` with what stands for no name
    except (httpx.InvalidURL, UnicodeError):
        raise FetchRefused("is no web address that we can read") from None
    return url


def target(url: httpx.URL, *, ports: Collection[int], allow: Collection[HostPort]) -> FetchTarget:
    """Whom `url` asks. Raises FetchRefused for what is neither of the web nor in `allow`."""
    if url.scheme not in _PORTS:
        raise FetchRefused("has an address that starts neither with http:// nor with https://")
    if url.userinfo:
        raise FetchRefused("has a user name in its address, and we log in nowhere")
    host = _host(url)
    port = _PORTS[url.scheme] if url.port is None else url.port
    opened = (host, port) in allow
    if not opened and port not in ports:
        raise FetchRefused(
            "is asked for at a port other than 80 and 443; a server of your own network is opened"
            " by adding its host:port to PAPERROUND_FETCH_ALLOW"
        )
    return FetchTarget(host=host, port=port, tls=url.scheme == "https", opened=opened)


def parse_allowed(entries: Collection[str]) -> frozenset[HostPort]:
    """`host:port` entries as pairs (`[::1]:8080` for IPv6). Raises Misconfigured for others."""
    return frozenset(map(_allowed, entries))


def _allowed(entry: str) -> HostPort:
    try:
        url = httpx.URL(f"//{entry}")
        # An entry is a host and a port and nothing else: a path in it would promise too much.
        if url.port is not None and not (url.userinfo or url.fragment or url.raw_path.strip(b"/")):
            return _host(url), url.port
    except (httpx.InvalidURL, FetchRefused):
        pass
    raise Misconfigured(f"PAPERROUND_FETCH_ALLOW: {entry!r} is not host:port, as in wiki.lan:8080")


def _host(url: httpx.URL) -> str:
    host = url.raw_host.decode("ascii").lower()
    if not (_NAME.fullmatch(host) or _is_ipv6(host)):
        raise FetchRefused("has an address without a host that we can ask")
    return host


def _is_ipv6(host: str) -> bool:
    try:
        return "%" not in host and bool(IPv6Address(host).packed)
    except AddressValueError:
        return False
