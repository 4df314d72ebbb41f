"""Check the public site: it answers, its certificate lasts, the clocks agree and DNS works."""

import json
import socket
import ssl
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit

from paperround.bounces.imap import parse_imap_url
from paperround.config import LOOPBACK, Settings
from paperround.core.errors import FetchFailed, Misconfigured, PaperroundError
from paperround.core.interfaces import Clock
from paperround.core.smtp_url import OutboxFolder, parse_smtp_url
from paperround.doctor.findings import Finding, fail, ok, skipped, warn
from paperround.http.client import GuardedClient
from paperround.http.model import FetchRequest, HttpClient, Page, Resolver

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
            f"something else than Paperround answers at {url}",
            "look at the proxy in front, and at PAPERROUND_PUBLIC_URL",
        )
    return ok("site", f"Paperround answers at {url}")


def check_time(fetch: Callable[[], Page], owner: str) -> Finding:
    """Compare this machine's clock with the Date of the page that `fetch` returns (RFC 9110
    section 6.6.1), plus its Age if it comes from a cache (RFC 9111 section 5.1)."""
    try:
        page = fetch()
        dated = parsedate_to_datetime(page.headers.get("date", "")).replace(tzinfo=UTC)
        dated += timedelta(seconds=int(page.headers.get("age", "0")))
    except (PaperroundError, ValueError, OverflowError):
        return skipped("time", f"nothing that {owner} answers is dated")
    ahead = page.fetched_at - dated
    where = "ahead of" if ahead > timedelta() else "behind"
    says = f"this machine's clock is {_duration_in_words(abs(ahead))} {where} that of {owner}"
    way_out = "`timedatectl`: let the machine set its clock by the network"
    if abs(ahead) >= CLOCK_FAIL:
        return fail("time", f"{says}: mails are dated wrong, and signatures refused", way_out)
    return warn("time", says, way_out) if abs(ahead) >= CLOCK_WARN else ok("time", says)


def check_certificate(url: str, *, now: datetime, trust: ssl.SSLContext | None = None) -> Finding:
    """Check that the site's certificate is trusted and lasts. `trust` defaults to the system's."""
    parts = urlsplit(url)
    if parts.scheme != "https":
        return skipped("certificate", f"{url} has none")
    host, port = _host_and_port(parts)
    context = trust or ssl.create_default_context()
    try:
        with (
            socket.create_connection((host, port), TIMEOUT_SECONDS) as plain,
            context.wrap_socket(plain, server_hostname=host) as wrapped,
        ):
            peer_certificate = wrapped.getpeercert() or {}
            seconds = ssl.cert_time_to_seconds(str(peer_certificate["notAfter"]))
    except ssl.SSLCertVerificationError as error:
        says = f"the certificate of {host} is refused: {error.verify_message}"
        return fail("certificate", says, _WAYS_OUT.get(error.verify_code, PRIVATE_AUTHORITY))
    except OSError as error:
        return skipped("certificate", f"{host} could not be asked: {error.strerror or error}")
    return check_expiry(host, datetime.fromtimestamp(seconds, tz=UTC), now=now)


def check_expiry(host: str, ends: datetime, *, now: datetime) -> Finding:
    """Judge when a certificate ends."""
    says = f"the certificate of {host} is good until {ends:%Y-%m-%d}"
    if ends - now < MIN_VALIDITY:
        return warn("certificate", says, "renew it now: what renews it seems to be stuck")
    return ok("certificate", says)


def _host_and_port(parts: SplitResult) -> tuple[str, int]:
    return parts.hostname or "", parts.port or _PORTS[parts.scheme]


# A dead resolver makes the site, every relay, the mailbox and every record unreachable. That is one
# fault, and one finding.

WAY_OUT = "look at the network and at /etc/resolv.conf; `getent hosts NAME` asks in the same way"


def hosts_to_resolve(settings: Settings) -> dict[str, list[str]]:
    """Return what is checked at each host whose name must be resolved."""
    needed = [("site", urlsplit(settings.public_url).hostname or "")]
    with suppress(Misconfigured):  # the checks of the relay and the mailbox report it
        relays = parse_smtp_url(settings.relay)
        if not isinstance(relays, OutboxFolder):
            needed += [(f"relay {relay}", relay.host) for relay in relays]
        if settings.bounce_imap_url:
            needed.append(("bounces", parse_imap_url(settings.bounce_imap_url).host))
    found: dict[str, list[str]] = {}
    for what, host in needed:
        if host not in LOOPBACK and not _is_address(host):
            found.setdefault(host, []).append(what)
    return found


def unresolved_hosts(names: Collection[str], resolver: Resolver) -> frozenset[str]:
    """Return the names without an answer. They are queried in parallel: a timeout takes seconds."""
    if not names:
        return frozenset()
    with ThreadPoolExecutor(len(names)) as pool:
        answered = zip(names, pool.map(resolver.answers_for, names), strict=True)
        return frozenset(name for name, is_known in answered if not is_known)


def unresolved_finding(needed: dict[str, list[str]], silent: Collection[str]) -> list[Finding]:
    """Return one finding on names without an answer, or none."""
    if not silent:
        return []
    unseen = [what for host in sorted(silent) for what in needed[host]]
    says = (
        f"nobody answers for the names {', '.join(sorted(silent))}: the DNS that this machine asks "
        f"is silent or out of reach. Not looked at: {', '.join([*unseen, 'DNS records'])}"
    )
    return [fail("dns", says, WAY_OUT)]


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _duration_in_words(length: timedelta) -> str:
    """Format as `11 min 54 s`, `2 h 5 min` or `40 s`."""
    seconds = round(length.total_seconds())
    hours, minutes = seconds // 3600, seconds // 60 % 60
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {seconds % 60} s" if minutes else f"{seconds} s"
