"""Check the public site: it answers, its certificate lasts, and the clocks agree."""

import json
import socket
import ssl
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from urllib.parse import SplitResult, urlsplit

from paperround.config import LOOPBACK
from paperround.core.errors import FetchFailed, PaperroundError
from paperround.core.interfaces import Clock
from paperround.doctor.findings import Finding, fail, ok, skipped, warn
from paperround.http.client import GuardedClient
from paperround.http.model import FetchRequest, HttpClient, Page
from paperround.http.network import is_own, look_up

TIMEOUT_SECONDS = 10.0
MIN_VALIDITY = timedelta(days=14)
"""Certificates are usually renewed a month before they end; with fewer days renewal is stuck."""

CLOCK_WARN, CLOCK_FAIL = timedelta(minutes=2), timedelta(minutes=10)
"""Differences between clocks that warn and that fail."""

PRIVATE_AUTHORITY = (
    "serve its whole chain; if a private authority signed it, name the file with the certificate "
    "of that authority in the environment variable SSL_CERT_FILE"
)
_WAYS_OUT = {
    9: "it is not valid yet: is this machine's clock behind?",
    10: "renew it; if it was renewed, is this machine's clock ahead?",
    62: "it is for another name: get one for the host in PAPERROUND_PUBLIC_URL",
    64: "it is for another address: get one for the host in PAPERROUND_PUBLIC_URL",
}
"""By OpenSSL's X509_V_ERR number; most others mean an unknown issuer."""

_PORTS = {"http": 80, "https": 443}


def site_client(url: str, clock: Clock) -> GuardedClient:
    """Return a client that may request this site even at a private address: it is our own."""
    host, port = _host_and_port(urlsplit(url))
    shown = f"[{host}]" if ":" in host else host
    return GuardedClient(
        user_agent="Paperround doctor",
        allow=[f"{shown}:{port}"],
        clock=clock,
        trust=ssl.create_default_context(),
    )


def check_site(url: str, client: HttpClient, *, has_ticked: bool) -> Finding:
    """Check that Paperround answers at its public URL, requested from this machine."""
    try:
        page = client.get(FetchRequest(url=f"{url}/healthz"))
    except FetchFailed as error:
        says = f"nothing answers at {url}: {error}"
        if urlsplit(url).hostname in LOOPBACK:
            return warn("site", says, "`paperround serve` answers there")
        way_out = "start `paperround serve` and the proxy in front of it; is the name in the DNS?"
        return fail("site", says, way_out) if has_ticked else warn("site", says, way_out)
    try:
        is_alive = json.loads(page.body) == {"status": "alive"}
    except ValueError:
        is_alive = False
    if not is_alive:
        return fail(
            "site",
            f"something other than Paperround answers at {url}",
            "check the proxy in front, and PAPERROUND_PUBLIC_URL",
        )
    return ok("site", f"Paperround answers at {url}")


def is_this_machine(url: str) -> bool:
    """Return whether the host of `url` is this machine: a comparison of clocks shows nothing."""
    try:
        found = look_up(*_host_and_port(urlsplit(url)))
    except (OSError, UnicodeError):
        return False
    return all(map(is_own, found))


def check_time(fetch: Callable[[], Page], owner: str) -> Finding:
    """Compare this machine's clock with the Date of the page that `fetch` returns (RFC 9110
    section 6.6.1), plus its Age if it comes from a cache (RFC 9111 section 5.1)."""
    try:
        page = fetch()
        dated = parsedate_to_datetime(page.headers.get("date", "")).replace(tzinfo=UTC)
        dated += timedelta(seconds=int(page.headers.get("age", "0")))
    except (PaperroundError, ValueError, OverflowError):
        return skipped("time", f"{owner} sends no date")
    ahead = page.fetched_at - dated
    where = "ahead of" if ahead > timedelta() else "behind"
    says = f"this machine's clock is {_duration_in_words(abs(ahead))} {where} that of {owner}"
    way_out = "set the clock from the network (`timedatectl`)"
    if abs(ahead) >= CLOCK_FAIL:
        return fail(
            "time", f"{says}: emails have the wrong date, and signatures are rejected", way_out
        )
    return warn("time", says, way_out) if abs(ahead) >= CLOCK_WARN else ok("time", says)


def check_certificate(url: str, *, now: datetime) -> Finding:
    """Check that the site's certificate is trusted by this machine and lasts."""
    parts = urlsplit(url)
    if parts.scheme != "https":
        return skipped("certificate", f"{url} has none")
    host, port = _host_and_port(parts)
    context = ssl.create_default_context()
    try:
        with (
            socket.create_connection((host, port), TIMEOUT_SECONDS) as plain,
            context.wrap_socket(plain, server_hostname=host) as wrapped,
        ):
            peer_certificate = wrapped.getpeercert() or {}
            seconds = ssl.cert_time_to_seconds(str(peer_certificate["notAfter"]))
    except ssl.SSLCertVerificationError as error:
        says = f"the certificate of {host} is rejected: {error.verify_message}"
        return fail("certificate", says, _WAYS_OUT.get(error.verify_code, PRIVATE_AUTHORITY))
    except OSError as error:
        return skipped("certificate", f"{host} could not be asked: {error.strerror or error}")
    return check_expiry(host, datetime.fromtimestamp(seconds, tz=UTC), now=now)


def check_expiry(host: str, ends: datetime, *, now: datetime) -> Finding:
    """Judge when a certificate ends."""
    says = f"the certificate of {host} is valid until {ends:%Y-%m-%d}"
    if ends - now < MIN_VALIDITY:
        return warn("certificate", says, "renew it now: automatic renewal seems to be stuck")
    return ok("certificate", says)


def _host_and_port(parts: SplitResult) -> tuple[str, int]:
    return parts.hostname or "", parts.port or _PORTS[parts.scheme]


def _duration_in_words(length: timedelta) -> str:
    """Format as `11 min 54 s`, `2 h 5 min` or `40 s`."""
    seconds = round(length.total_seconds())
    hours, minutes = seconds // 3600, seconds // 60 % 60
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {seconds % 60} s" if minutes else f"{seconds} s"
