"""Check what an installation reaches and what it sends, in the order of their dependencies.

A dead resolver makes the site, every relay, the mailbox and every record unreachable. That is one
fault, and one finding: what could not be checked because of it is named there.
"""

from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from datetime import datetime
from functools import partial
from ipaddress import ip_address
from urllib.parse import urlsplit

from paperround.bootstrap import AppContext
from paperround.bounces.imap import parse_imap_url
from paperround.config import LOOPBACK, Settings
from paperround.core.errors import Misconfigured, PaperroundError
from paperround.core.smtp_url import OutboxFolder, parse_smtp_url
from paperround.doctor.findings import Finding, Level, fail, run_check, skipped
from paperround.feeds.due import polled_feeds
from paperround.feeds.fetcher import ask
from paperround.http.model import FetchRequest, Page
from paperround.http.resolver import Resolver
from paperround.ops.status import Status
from paperround.plugins.doctor_checks import headers, records, relays, site

_LEVELS_BY_SEVERITY = (Level.SKIPPED, Level.OK, Level.WARN, Level.FAIL)
MAILBOX_WAY_OUT = (
    "docs/bounces.md explains the setting; add `?ca=FILE` for the certificate of a private "
    "authority"
)


def check(context: AppContext, current_status: Status | None, now: datetime) -> list[Finding]:
    """Check the site, the relays, the mailbox, the hooks, sample messages and the DNS records."""
    needed = hosts_to_resolve(context.settings)
    silent = unresolved_hosts(needed, context.resolver)
    unseen = {what for host in silent for what in needed[host]}
    check_mailbox = partial(relays.check_mailbox, context.settings)
    return [
        *unresolved_finding(needed, silent),
        *([] if "site" in unseen else _check_site(context, current_status, now)),
        *([] if silent else _check_time(context, current_status, now)),
        *relays.check_relays(context.settings, now=now, unanswered=silent),
        *([] if "bounces" in unseen else [run_check("bounces", check_mailbox, MAILBOX_WAY_OUT)]),
        *relays.check_hooks(context),
        *headers.check_samples(context, current_status, now=now),
        *([] if silent else _check_records(context, now)),
    ]


def hosts_to_resolve(settings: Settings) -> dict[str, list[str]]:
    """Return what is checked at each host whose name must be resolved."""
    needed = [("site", urlsplit(settings.public_url).hostname or "")]
    with suppress(Misconfigured):  # the checks of the relay and the mailbox report it
        found_relays = parse_smtp_url(settings.relay)
        if not isinstance(found_relays, OutboxFolder):
            needed += [(f"relay {relay}", relay.host) for relay in found_relays]
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
        f"there is no answer for the names {', '.join(sorted(silent))}: this machine's DNS server "
        f"does not respond or is unreachable. Not checked: {', '.join([*unseen, 'DNS records'])}"
    )
    return [fail("dns", says, records.WAY_OUT)]


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _check_site(context: AppContext, current_status: Status | None, now: datetime) -> list[Finding]:
    url = context.settings.public_url
    certificate = site.check_certificate(url, now=now)
    if certificate.level is Level.FAIL:
        return [certificate, skipped("site", "not asked: its certificate is rejected")]
    has_ticked = current_status is not None and current_status.last_tick_at is not None
    with closing(site.site_client(url, context.clock)) as client:
        answer = run_check("site", lambda: site.check_site(url, client, has_ticked=has_ticked))
    return [answer, certificate]


def _check_time(context: AppContext, current_status: Status | None, now: datetime) -> list[Finding]:
    """Compare the clock with those of a feed's source and of the site, if it is another machine."""
    url = context.settings.public_url
    found: list[Finding] = []
    if not site.is_this_machine(url):
        with closing(site.site_client(url, context.clock)) as client:
            found = [site.check_time(lambda: client.get(FetchRequest(url=f"{url}/healthz")), url)]
    if current_status is not None:
        with context.database.reading() as work:
            read = {feed.last_good_at: feed for feed in polled_feeds(work)}
        if lately := max(filter(None, read), default=None):
            feed = read[lately]

            def fetch_next() -> Page:
                """Fetch the next page of the feed, in its turn."""
                source = context.sources[feed.kind]
                return ask(context.feed_context, source.plan(feed.state, now), source.parse)[0]

            found.append(site.check_time(fetch_next, f"the source of {feed.name}"))
    nothing = skipped("time", f"{url} is this machine, and no feed was read to compare with")
    return [max(found, key=lambda one: _LEVELS_BY_SEVERITY.index(one.level), default=nothing)]


def _check_records(context: AppContext, now: datetime) -> list[Finding]:
    try:
        return records.check(context, now)
    except PaperroundError as error:
        return [fail("dns", str(error))]
