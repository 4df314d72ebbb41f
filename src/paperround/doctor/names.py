"""The names of hosts this installation connects to: does anybody answer for them at all?

A dead resolver makes the site, every relay, the mailbox and every record unreachable. That is one
fault, and one finding.
"""

from collections.abc import Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from ipaddress import ip_address
from urllib.parse import urlsplit

from paperround.config import LOOPBACK, Settings
from paperround.doctor.findings import Finding, fail
from paperround.domain.errors import Misconfigured
from paperround.domain.smtp_url import OutboxFolder, parse_smtp_url
from paperround.jobs.ports import Resolver
from paperround.mail.imap_url import parse_imap_url

WAY_OUT = "look at the network and at /etc/resolv.conf; `getent hosts NAME` asks in the same way"


def hosts(settings: Settings) -> dict[str, list[str]]:
    """What is looked at, by the name that it needs."""
    found: dict[str, list[str]] = {}
    for what, host in _needed(settings):
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


def _needed(settings: Settings) -> Iterator[tuple[str, str]]:
    yield "site", urlsplit(settings.public_url).hostname or ""
    try:
        relays = parse_smtp_url(settings.relay)
        if not isinstance(relays, OutboxFolder):
            for relay in relays:
                yield f"relay {relay}", relay.host
        if settings.bounce_imap_url:
            yield "bounces", parse_imap_url(settings.bounce_imap_url).host
    except Misconfigured:
        return  # of which the checks of the relay and the mailbox tell


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
