"""The site as readers reach it: does it answer, and is its certificate good for a while?"""

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
from paperround.delivery.rate_state import duration_in_words
from paperround.doctor.findings import Finding, fail, ok, skipped, warn
from paperround.http.client import GuardedClient
from paperround.http.model import FetchRequest, HttpClient, Page, Resolver

SECONDS = 10.0
ENOUGH_DAYS = timedelta(days=14)
"""Certificates are usually renewed a month before they end: then something is stuck."""

APART, FAR_APART = timedelta(minutes=2), timedelta(minutes=10)
"""Between clocks that should agree."""

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
"""By OpenSSL's X509_V_ERR number; most others say that nobody known signed it."""

_PORTS = {"http": 80, "https": 443}


def client_for(url: str, clock: Clock) -> GuardedClient:
    """A client that may ask this one site, wherever its name leads: it is our own."""
    host, port = _place(urlsplit(url))
    shown = f"[{host}]" if ":" in host else host
    return GuardedClient(
        user_agent="Paperround doctor",
        allow=[f"{shown}:{port}"],
        clock=clock,
        trust=ssl.create_default_context(),
    )


def answers(url: str, client: HttpClient, *, has_ticked: bool) -> Finding:
    """Whether Paperround answers at its public address, asked from this machine."""
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


def time_of(ask: Callable[[], Page], whose: str) -> Finding:
    """Whether this machine's clock agrees with the one by which an answer is dated (RFC 9110
    section 6.6.1). A cache that hands it out adds how old it is (RFC 9111 section 5.1)."""
    try:
        page = ask()
        dated = parsedate_to_datetime(page.headers.get("date", "")).replace(tzinfo=UTC)
        dated += timedelta(seconds=int(page.headers.get("age", "0")))
    except (PaperroundError, ValueError, OverflowError):
        return skipped("time", f"nothing that {whose} answers is dated")
    ahead = page.fetched_at - dated
    where = "ahead of" if ahead > timedelta() else "behind"
    says = f"this machine's clock is {duration_in_words(abs(ahead))} {where} that of {whose}"
    way_out = "`timedatectl`: let the machine set its clock by the network"
    if abs(ahead) >= FAR_APART:
        return fail("time", f"{says}: mails are dated wrong, and signatures refused", way_out)
    return warn("time", says, way_out) if abs(ahead) >= APART else ok("time", says)


def certificate(url: str, *, now: datetime, trust: ssl.SSLContext | None = None) -> Finding:
    """Whether the site's certificate is trusted and lasts. `trust` is by default the system's."""
    parts = urlsplit(url)
    if parts.scheme != "https":
        return skipped("certificate", f"{url} has none")
    host, port = _place(parts)
    context = trust or ssl.create_default_context()
    try:
        with (
            socket.create_connection((host, port), SECONDS) as plain,
            context.wrap_socket(plain, server_hostname=host) as wrapped,
        ):
            known = wrapped.getpeercert() or {}
            seconds = ssl.cert_time_to_seconds(str(known["notAfter"]))
    except ssl.SSLCertVerificationError as error:
        says = f"the certificate of {host} is refused: {error.verify_message}"
        return fail("certificate", says, _WAYS_OUT.get(error.verify_code, PRIVATE_AUTHORITY))
    except OSError as error:
        return skipped("certificate", f"{host} could not be asked: {error.strerror or error}")
    return lasting(host, datetime.fromtimestamp(seconds, tz=UTC), now=now)


def lasting(host: str, ends: datetime, *, now: datetime) -> Finding:
    """What the end of a certificate means."""
    says = f"the certificate of {host} is good until {ends:%Y-%m-%d}"
    if ends - now < ENOUGH_DAYS:
        return warn("certificate", says, "renew it now: what renews it seems to be stuck")
    return ok("certificate", says)


def _place(parts: SplitResult) -> tuple[str, int]:
    return parts.hostname or "", parts.port or _PORTS[parts.scheme]


# The names of hosts this installation connects to: does anybody answer for them at all?
#
# A dead resolver makes the site, every relay, the mailbox and every record unreachable. That is one
# fault, and one finding.

WAY_OUT = "look at the network and at /etc/resolv.conf; `getent hosts NAME` asks in the same way"


def hosts(settings: Settings) -> dict[str, list[str]]:
    """What is looked at, by the name that it needs."""
    needed = [("site", urlsplit(settings.public_url).hostname or "")]
    with suppress(Misconfigured):  # of which the checks of the relay and the mailbox tell
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


def unanswered(names: Collection[str], resolver: Resolver) -> frozenset[str]:
    """Those that nobody answers for. All are asked at once, since silence takes seconds."""
    if not names:
        return frozenset()
    with ThreadPoolExecutor(len(names)) as pool:
        answered = zip(names, pool.map(resolver.answers_for, names), strict=True)
        return frozenset(name for name, is_known in answered if not is_known)


def silence(needed: dict[str, list[str]], silent: Collection[str]) -> list[Finding]:
    """The one finding on names that nobody answers for; nothing where there are none."""
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
