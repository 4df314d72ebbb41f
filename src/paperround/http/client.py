"""The client that sources are handed.

    URL -> target (scheme, port, allow list) -> name -> address check -> connection -> answer
             ^------------------------------ redirect ----------------------------------'

Every arrow is bounded by `FetchLimits`. Nothing of the environment (proxies, .netrc) is read, no
cookie kept, nothing logged in to. An error names the host of the URL that was configured and the
kind of failure; it never repeats what a server sent, and says the same of every address that is
closed to us. So nobody can learn from a feed's error what listens inside our network.
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
from paperround.http.limits import MIB, Budget, FetchLimits
from paperround.http.model import FetchRequest, Page
from paperround.http.network import Network
from paperround.http.targets import FetchTarget, parse, parse_allowed, target
from paperround.http.transport import BEFORE_BODY, BUDGET, GuardedTransport

_CARRIED = frozenset({"accept", "accept-language", "if-none-match", "if-modified-since"})
"""Headers that may follow a redirect; keys and passwords stay with the host they are for."""


# It logs every address it asks, and the address of a hook is a secret.
logging.getLogger("httpx").setLevel(logging.WARNING)


@cache
def _public_authorities() -> ssl.SSLContext:
    """Read once for all clients of a process: that takes longer than all else they are made of."""
    return httpx.create_ssl_context(trust_env=False)


class GuardedClient:
    """Asks hosts on the public internet, and those in `allow` (`host:port` each).

    May be shared by threads. `trust` is the TLS context for servers' certificates, by default the
    public authorities. Raises Misconfigured for a broken entry in `allow`.
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
        self._own_headers = {
            "user-agent": user_agent,
            "accept-encoding": ACCEPTED,
            "connection": "close",
        }
        transport = GuardedTransport(
            allow=self._allow,
            limits=limits,
            network=network,
            trust=trust or _public_authorities(),
        )
        cookies = CookieJar(DefaultCookiePolicy(allowed_domains=()))
        self._http = httpx.Client(transport=transport, cookies=cookies, trust_env=False)

    def get(self, request: FetchRequest) -> Page:
        """The page at `request.url`, or a page with status 304. What is posted follows no redirect.

        Raises FetchFailed (with the status and the pause it asks for, when there was an answer),
        FetchRefused for whom we do not ask and for what we do not take.
        """
        with _naming(request.url), contextlib.closing(self._follow(request)) as response:
            now = self._clock.now()
            if not is_page(response.status_code):
                raise failure(response.status_code, response.headers, now)
            return _page(request, response, self._body(response), now)

    def post(self, request: FetchRequest, *, before_body: Callable[[], bool]) -> Page:
        """The answer to a POST of `request.content`, whatever its status; no redirect is followed.

        `before_body` is asked once the server is connected and before it gets a byte; when it says
        no, nothing is posted and FetchWithheld is raised. Raises FetchFailed and FetchRefused while
        nothing was posted, and Unanswered from then on until there is a status: it may have been
        taken, or not.
        """
        is_out = False

        def may_go() -> bool:
            nonlocal is_out
            is_out = before_body()
            return is_out

        extra = {BEFORE_BODY: may_go}
        budget, content = Budget(self._limits), request.content or b""
        try:
            url = parse(request.url)
            with contextlib.closing(
                self._send(url, request.headers, budget, content, extra)
            ) as response:
                # Its status says what became of a POST even when the rest of the answer does not
                # come.
                now, body = self._clock.now(), b""
                with contextlib.suppress(FetchFailed):
                    body = self._body(response)
                return _page(request, response, body, now)
        except FetchFailed as error:
            kind = Unanswered if is_out else type(error)
            raise kind(f"{_name(request.url)} {error}") from None

    def require_open(self, address: str, *, seconds: float) -> None:
        """Look up where `address` leads, and connect to nothing.

        Raises FetchRefused when no request may go there, and FetchFailed when its name cannot be
        looked up within `seconds`.
        """
        with _naming(address):
            asked = self._target(parse(address))
            if not asked.opened:
                self._network.usable(asked, seconds)

    def reach(self, address: str, *, seconds: float) -> None:
        """Connect to the server of `address` within `seconds`, and ask it nothing. Raises as
        `require_open` does, and FetchFailed when nothing answers."""
        with _naming(address):
            self._network.connect(self._target(parse(address)), seconds).close()

    def close(self) -> None:
        """Take no more requests."""
        self._http.close()

    def _follow(self, request: FetchRequest) -> httpx.Response:
        """The first answer that leads nowhere else, its body unread."""
        budget = Budget(self._limits)
        carried = {k: v for k, v in request.headers.items() if k.lower() in _CARRIED}
        response = self._send(parse(request.url), request.headers, budget, request.content)
        if request.content is not None and response.next_request is not None:
            response.close()
            raise FetchRefused("redirects what we posted, and we post to one place only")
        for _ in range(self._limits.redirects):
            if response.next_request is None:
                return response
            response.close()
            old, new = response.url, response.next_request.url
            try:
                # What an operator opened is open to what they configured, not to whoever redirects.
                if self._target(new).opened and not self._target(old).opened:
                    raise FetchRefused("is open to feeds of the intranet only")
                response = self._send(new, carried, budget)
            except FetchFailed as error:
                raise type(error)(f"redirects to a server that {error}") from None
        if response.next_request is None:
            return response
        response.close()
        raise FetchFailed(f"redirected us more than {self._limits.redirects} times")

    def _target(self, url: httpx.URL) -> FetchTarget:
        return target(url, ports=self._limits.ports, allow=self._allow)

    def _send(
        self,
        url: httpx.URL,
        headers: Mapping[str, str],
        budget: Budget,
        content: bytes | None = None,
        extra: Mapping[str, Callable[[], bool]] = MappingProxyType({}),
    ) -> httpx.Response:
        # UTF-8, because a validator may hold any sign that a server once sent.
        merged = {name.lower(): value for name, value in headers.items()} | self._own_headers
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
            # All else is raised by our own transport: httpx itself only reads where we are led. A
            # host that calls itself an international name (`xn--`) and is none is a UnicodeError.
            raise FetchFailed("redirects to something that is no address") from None

    def _body(self, response: httpx.Response) -> bytes:
        return decoded(
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
def _naming(address: str) -> Iterator[None]:
    """Put the host that was configured before an error."""
    try:
        yield
    except FetchFailed as error:
        raise type(error)(
            f"{_name(address)} {error}", status=error.status, retry_after=error.retry_after
        ) from None


def _name(address: str) -> str:
    """The host that was configured, without what else the address may hold."""
    try:
        url = httpx.URL(address)
    except httpx.InvalidURL:
        return "This feed"
    try:
        return url.host or "This feed"
    except UnicodeError:  # it calls itself an international name and is none
        return url.raw_host.decode("ascii")


LONGEST_WAIT = 24 * 3600.0
"""Seconds. A source may ask for a pause, but cannot switch itself off for good."""

_INSTANTS = 1e9
"""Seconds since 1970 that are no pause."""

_WORDS = {404: "has nothing there", 410: "is gone for good", 429: "was asked too often"}


def is_page(status: int) -> bool:
    """Whether an answer of this status is what was asked for, or says that nothing changed."""
    return 200 <= status < 300 or status == 304


def failure(status: int, headers: Mapping[str, str], now: datetime) -> FetchFailed:
    """The error that an answer of any other status is."""
    said = _WORDS.get(status, "did not answer with a page")
    wait = retry_after(headers.get("retry-after", ""), now)
    wait = _until_reset(headers, now) if wait is None else wait
    return FetchFailed(f"{said} (status {status})", status=status, retry_after=wait)


def _until_reset(headers: Mapping[str, str], now: datetime) -> float | None:
    """Seconds until a budget that is used up is whole again, None when it is not used up. GitHub
    says so with status 403 and an instant, others name the seconds."""
    reset = headers.get("x-ratelimit-reset", "")
    if headers.get("x-ratelimit-remaining") != "0" or not (reset.isascii() and reset.isdigit()):
        return None
    said = float(reset[:12])
    seconds = said - now.timestamp() if said > _INSTANTS else said
    return min(max(seconds, 0.0), LONGEST_WAIT)


def retry_after(value: str, now: datetime) -> float | None:
    """Seconds to wait by a Retry-After header (RFC 9110, 10.2.3), None when it says nothing."""
    if value.isascii() and value.isdigit():
        return min(float(value[:9]), LONGEST_WAIT)
    try:
        until = parsedate_to_datetime(value)
    except ValueError:
        return None
    until = until if until.tzinfo else until.replace(tzinfo=UTC)
    return min(max((until - now).total_seconds(), 0.0), LONGEST_WAIT)


# Undoing a content encoding within bounds: a few bytes on the wire may stand for gigabytes.

ACCEPTED = "gzip, deflate"

_GZIP, _ZLIB, _RAW = 31, 15, -15
_STEP = 64 * 1024


def decoded(chunks: Iterable[bytes], *, encoding: str, limit: int) -> bytes:
    """The body that `chunks` are, of at most `limit` bytes.

    `encoding` is the content-encoding header, empty when there was none. Raises FetchRefused for
    an encoding that we did not ask for, for two layers of it and for a body that is too large,
    FetchFailed for one that is broken or ends early.
    """
    # Not a list of pieces: millions of them, two bytes each, would take far more than the limit.
    body, layer = bytearray(), _layer(encoding)
    for piece in _inflated(chunks, layer) if layer else chunks:
        body += piece
        if len(body) > limit:
            raise FetchRefused(
                f"sends a body of more than {limit / MIB:g} MiB, and we take no more"
            )
    return bytes(body)


def _layer(encoding: str) -> str:
    names = [name.strip().lower() for name in encoding.split(",")]
    layers = [name for name in names if name not in ("", "identity")]
    if len(layers) > 1:
        raise FetchRefused("sends a body that is encoded more than once")
    layer = layers[0] if layers else ""
    if layer not in ("", "gzip", "x-gzip", "deflate"):
        raise FetchRefused(f"sends a body in an encoding that is none of {ACCEPTED}")
    return layer


def _inflated(chunks: Iterable[bytes], layer: str) -> Iterator[bytes]:
    """What the chunks stand for, never more than one step of it in memory."""
    inflater = None
    for chunk in chunks:
        if inflater is None:
            # Some servers call a bare stream without zlib's head `deflate`.
            bare = layer == "deflate" and chunk[0] & 0x0F != 8
            inflater = zlib.decompressobj(_RAW if bare else _ZLIB if layer == "deflate" else _GZIP)
        data = chunk
        try:
            while piece := inflater.decompress(data, _STEP):
                yield piece
                data = inflater.unconsumed_tail
        except zlib.error:
            raise FetchFailed("sent a compressed body that is broken") from None
        if inflater.unused_data:
            raise FetchFailed("sent a compressed body with something after its end")
    if inflater and not inflater.eof:
        raise FetchFailed("sent a compressed body that ends early")
