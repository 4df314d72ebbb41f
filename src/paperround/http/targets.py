"""Check URLs and turn them into hosts and ports, without any request."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv6Address

import httpx

from paperround.core.errors import FetchRefused, Misconfigured

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
        raise FetchRefused("is no web address: it holds a space, a backslash or a control sign")
    try:
        url = httpx.URL(address)
        url.host  # noqa: B018 - raises for an invalid `xn--` name
    except (httpx.InvalidURL, UnicodeError):
        raise FetchRefused("is no web address that we can read") from None
    return url


def check_target(
    url: httpx.URL, *, ports: Collection[int], allow: Collection[HostPort]
) -> FetchTarget:
    """Return the target of `url`. Raises FetchRefused for URLs other than HTTP, and for ports that
    are in neither `ports` nor `allow`."""
    if url.scheme not in _DEFAULT_PORTS:
        raise FetchRefused("has an address that starts neither with http:// nor with https://")
    if url.userinfo:
        raise FetchRefused("has a user name in its address, and we log in nowhere")
    host = _host(url)
    port = _DEFAULT_PORTS[url.scheme] if url.port is None else url.port
    is_allowed = (host, port) in allow
    if not is_allowed and port not in ports:
        raise FetchRefused(
            "is asked for at a port other than 80 and 443; a server of your own network is opened"
            " by adding its host:port to PAPERROUND_FETCH_ALLOW"
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
        raise FetchRefused("has an address without a host that we can ask")
    return host


def _is_ipv6(host: str) -> bool:
    try:
        return "%" not in host and bool(IPv6Address(host).packed)
    except AddressValueError:
        return False
