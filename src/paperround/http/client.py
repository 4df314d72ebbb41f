"""The HTTP client for every outgoing request.

    URL -> target (scheme, port, allow list) -> DNS -> address check -> connection -> response
             ^------------------------------ redirect -----------------------------------'

`FetchLimits` bounds every step. The client ignores the environment (proxies, .netrc), keeps no
cookies and never logs in. An error names the configured host and the kind of failure; it never
repeats what a server sent, and is the same for every refused address, so a feed's error does not
reveal what listens inside our network.
"""

import contextlib
import logging
import ssl
import zlib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cache
from http.cookiejar import CookieJar, DefaultCookiePolicy
from types import MappingProxyType

import httpx

from paperround.core.errors import FetchFailed, FetchRefused, Unanswered
from paperround.core.interfaces import Clock
from paperround.http.model import FetchRequest, Page
from paperround.http.network import FetchTarget, Network, check_target, parse_allowed, parse_url
from paperround.http.transport import (
    BEFORE_BODY,
    BUDGET,
    MIB,
    Budget,
    FetchLimits,
    GuardedTransport,
)

_REDIRECTED_HEADERS = frozenset({"accept", "accept-language", "if-none-match", "if-modified-since"})
"""Headers that are repeated after a redirect; credentials are only sent to the first host."""

# httpx logs every URL, and the URL of a channel's hook is a secret.
logging.getLogger("httpx").setLevel(logging.WARNING)


@cache
def _public_authorities() -> ssl.SSLContext:
    """Return the public certificate authorities. Cached, because loading them is slow."""
    return httpx.create_ssl_context(trust_env=False)


class GuardedClient:
    """Sends requests to the public internet, and to the hosts in `allow` (`host:port` each).

    Thread-safe. `trust` is the TLS context for server certificates, by default the public
    authorities. Raises Misconfigured for an invalid entry in `allow`.
    """

    def __init__(
        self,
        *,
        user_agent: str,
        allow: Collection[str] = (),
        clock: Clock,
        limits: FetchLimits = FetchLimits(),  # noqa: B008 - a frozen value
        network: Network = Network(),  # noqa: B008 - a frozen value
        trust: ssl.SSLContext | None = None,
    ) -> None:
        self._clock = clock
        self._limits = limits
        self._allow = parse_allowed(allow)
        self._network = network
        self._default_headers = {
            "user-agent": user_agent,
            "accept-encoding": ACCEPTED,
            "connection": "close",
        }
        transport = GuardedTransport(
            allow=self._allow, limits=limits, network=network, trust=trust or _public_authorities()
        )
        cookies = CookieJar(DefaultCookiePolicy(allowed_domains=()))
        self._http = httpx.Client(transport=transport, cookies=cookies, trust_env=False)

    def get(self, request: FetchRequest) -> Page:
        """Return the page at `request.url`, or a page with status 304. A POST is not redirected.

        Raises FetchFailed (with the status and Retry-After seconds of the response, if any), and
        FetchRefused for a target that is not allowed or a response that exceeds a limit.
        """
        with _prefix_errors(request.url), contextlib.closing(self._follow(request)) as response:
            now = self._clock.now()
            status = response.status_code
            if not (200 <= status < 300 or status == 304):
                raise http_error(status, response.headers, now)
            return _page(request, response, self._body(response), now)

    def post(self, request: FetchRequest, *, before_body: Callable[[], bool]) -> Page:
        """POST `request.content` and return the response, whatever its status. Follows no redirect.

        `before_body` is called after connecting and before the first byte is sent; when it returns
        false, nothing is posted and FetchWithheld is raised. Raises FetchFailed and FetchRefused
        if nothing was posted, and Unanswered after sending began, until a status arrives: the
        server may or may not have processed the request.
        """
        is_sending = False

        def may_send() -> bool:
            nonlocal is_sending
            is_sending = before_body()
            return is_sending

        extra = {BEFORE_BODY: may_send}
        budget, content = Budget(self._limits), request.content or b""
        try:
            url = parse_url(request.url)
            with contextlib.closing(
                self._send(url, request.headers, budget, content, extra)
            ) as response:
                # The status alone is the result of a POST, so an unreadable body is ignored.
                now, body = self._clock.now(), b""
                with contextlib.suppress(FetchFailed):
                    body = self._body(response)
                return _page(request, response, body, now)
        except FetchFailed as error:
            kind = Unanswered if is_sending else type(error)
            raise kind(f"{_host_name(request.url)} {error}") from None

    def require_open(self, address: str, *, seconds: float) -> None:
        """Check that requests to `address` are allowed, without connecting.

        Raises FetchRefused when they are not, and FetchFailed when its name cannot be resolved
        within `seconds`.
        """
        with _prefix_errors(address):
            destination = self._target(parse_url(address))
            if not destination.is_allowed:
                self._network.allowed_addresses(destination, seconds)

    def close(self) -> None:
        """Close the client; later requests fail."""
        self._http.close()

    def _follow(self, request: FetchRequest) -> httpx.Response:
        """Return the first response that is not a redirect, with its body unread."""
        budget = Budget(self._limits)
        repeated = {k: v for k, v in request.headers.items() if k.lower() in _REDIRECTED_HEADERS}
        response = self._send(parse_url(request.url), request.headers, budget, request.content)
        if request.content is not None and response.next_request is not None:
            response.close()
            raise FetchRefused("redirects our POST request, and we do not follow that")
        for _ in range(self._limits.redirects):
            if response.next_request is None:
                return response
            response.close()
            old, new = response.url, response.next_request.url
            try:
                # A redirect may lead to an allowed internal host only from another such host.
                if self._target(new).is_allowed and not self._target(old).is_allowed:
                    raise FetchRefused("is only allowed for feeds of your own network")
                response = self._send(new, repeated, budget)
            except FetchFailed as error:
                raise type(error)(f"redirects to a server that {error}") from None
        if response.next_request is None:
            return response
        response.close()
        raise FetchFailed(f"redirected more than {self._limits.redirects} times")

    def _target(self, url: httpx.URL) -> FetchTarget:
        return check_target(url, ports=self._limits.ports, allow=self._allow)

    def _send(
        self,
        url: httpx.URL,
        headers: Mapping[str, str],
        budget: Budget,
        content: bytes | None = None,
        extra: Mapping[str, Callable[[], bool]] = MappingProxyType({}),
    ) -> httpx.Response:
        # UTF-8, because a validator may hold any character that a server once sent.
        merged = {name.lower(): value for name, value in headers.items()} | self._default_headers
        request = self._http.build_request(
            "GET" if content is None else "POST",
            url,
            headers=[(name.encode(), value.encode()) for name, value in merged.items()],
            content=content,
            extensions={BUDGET: budget, **extra},
        )
        try:
            return self._http.send(request, stream=True, follow_redirects=False)
        except (httpx.HTTPError, httpx.InvalidURL, UnicodeError):
            # Our transport raises its own errors, so httpx fails only on the redirect's URL. An
            # invalid `xn--` host raises UnicodeError.
            raise FetchFailed("redirects to something that is not an address") from None

    def _body(self, response: httpx.Response) -> bytes:
        return decode_body(
            response.iter_raw(),
            encoding=response.headers.get("content-encoding", ""),
            limit=self._limits.decoded,
        )


def _page(request: FetchRequest, response: httpx.Response, body: bytes, now: datetime) -> Page:
    return Page(
        request=request,
        url=str(response.url),
        status=response.status_code,
        headers=dict(response.headers),
        body=body,
        fetched_at=now,
    )


@contextlib.contextmanager
def _prefix_errors(address: str) -> Iterator[None]:
    """Prefix errors with the configured host."""
    try:
        yield
    except FetchFailed as error:
        raise type(error)(
            f"{_host_name(address)} {error}", status=error.status, retry_after=error.retry_after
        ) from None


def _host_name(address: str) -> str:
    """Return the host of `address` for messages."""
    try:
        url = httpx.URL(address)
    except httpx.InvalidURL:
        return "This feed"
    try:
        return url.host or "This feed"
    except UnicodeError:  # an invalid `xn--` name
        return url.raw_host.decode("ascii")


LONGEST_WAIT = 24 * 3600.0
"""Seconds, the longest Retry-After we accept, so a source cannot disable itself for good."""

_MIN_TIMESTAMP = 1e9
"""Above this, a reset time is seconds since 1970, not a delay."""

_STATUS_MESSAGES = {404: "has nothing there", 410: "is gone for good", 429: "was queried too often"}


def http_error(status: int, headers: Mapping[str, str], now: datetime) -> FetchFailed:
    """Return the error for a response whose status is neither 2xx nor 304."""
    message = _STATUS_MESSAGES.get(status, "did not return a page")
    wait = retry_after(headers.get("retry-after", ""), now)
    wait = _until_reset(headers, now) if wait is None else wait
    return FetchFailed(f"{message} (status {status})", status=status, retry_after=wait)


def _until_reset(headers: Mapping[str, str], now: datetime) -> float | None:
    """Return the seconds until an exhausted rate limit resets, None if it is not exhausted. GitHub
    sends a timestamp (with status 403), others send seconds."""
    reset = headers.get("x-ratelimit-reset", "")
    if headers.get("x-ratelimit-remaining") != "0" or not (reset.isascii() and reset.isdigit()):
        return None
    value = float(reset[:12])
    seconds = value - now.timestamp() if value > _MIN_TIMESTAMP else value
    return min(max(seconds, 0.0), LONGEST_WAIT)


def retry_after(value: str, now: datetime) -> float | None:
    """Return the seconds of a Retry-After header (RFC 9110, 10.2.3), None if it has none."""
    if value.isascii() and value.isdigit():
        return min(float(value[:9]), LONGEST_WAIT)
    try:
        until = parsedate_to_datetime(value)
    except ValueError:
        return None
    until = until if until.tzinfo else until.replace(tzinfo=UTC)
    return min(max((until - now).total_seconds(), 0.0), LONGEST_WAIT)


# Content decoding is bounded, because a few compressed bytes may expand to gigabytes.

ACCEPTED = "gzip, deflate"

_GZIP, _ZLIB, _RAW_DEFLATE = 31, 15, -15
_CHUNK_SIZE = 64 * 1024


def decode_body(chunks: Iterable[bytes], *, encoding: str, limit: int) -> bytes:
    """Decode `chunks` into a body of at most `limit` bytes.

    `encoding` is the Content-Encoding header, empty if there was none. Raises FetchRefused for an
    encoding that we did not request, for two encodings and for a body that is too large,
    FetchFailed for a corrupt or truncated one.
    """
    # No list of pieces: millions of two bytes each would take far more memory than the limit.
    body, layer = bytearray(), _parse_encoding(encoding)
    for piece in _decompress(chunks, layer) if layer else chunks:
        body += piece
        if len(body) > limit:
            raise FetchRefused(f"sends a body of more than {limit / MIB:g} MiB, which is the limit")
    return bytes(body)


def _parse_encoding(encoding: str) -> str:
    names = [name.strip().lower() for name in encoding.split(",")]
    layers = [name for name in names if name not in ("", "identity")]
    if len(layers) > 1:
        raise FetchRefused("sends a body that is encoded more than once")
    layer = layers[0] if layers else ""
    if layer not in ("", "gzip", "x-gzip", "deflate"):
        raise FetchRefused(f"sends a body in an encoding that is none of {ACCEPTED}")
    return layer


def _decompress(chunks: Iterable[bytes], layer: str) -> Iterator[bytes]:
    """Yield the decompressed body in pieces of at most `_CHUNK_SIZE` bytes."""
    inflater = None
    for chunk in chunks:
        if inflater is None:
            # Some servers send `deflate` without the zlib header.
            is_raw = layer == "deflate" and chunk[0] & 0x0F != 8
            inflater = zlib.decompressobj(
                _RAW_DEFLATE if is_raw else _ZLIB if layer == "deflate" else _GZIP
            )
        data = chunk
        try:
            while piece := inflater.decompress(data, _CHUNK_SIZE):
                yield piece
                data = inflater.unconsumed_tail
        except zlib.error:
            raise FetchFailed("sent a compressed body that is broken") from None
        if inflater.unused_data:
            raise FetchFailed("sent a compressed body with extra data at its end")
    if inflater and not inflater.eof:
        raise FetchFailed("sent a compressed body that ends early")
