"""Check that each relay accepts email or that the outbox is writable, and how bounces are
received."""

import tempfile
from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime
from email.utils import parseaddr
from pathlib import Path
from urllib.parse import urlsplit

from paperround.bootstrap import AppContext
from paperround.bounces.imap import parse_imap_url, read_mailbox
from paperround.config import Settings
from paperround.core.errors import Misconfigured, PaperroundError
from paperround.core.smtp_url import OutboxFolder, Relay, Tls, parse_smtp_url
from paperround.delivery.model import Phase
from paperround.delivery.rate_limits import CHECK_PORT, relay_advice
from paperround.delivery.replies import verdict
from paperround.delivery.smtp.conversation import Stopped
from paperround.delivery.smtp.mailer import probe
from paperround.doctor.findings import Finding, fail, ok, skipped, warn
from paperround.editions.model import DeliveryId
from paperround.plugins.doctor_checks.site import check_expiry

_NOT_ACCEPTED = "ask the operator of the relay: it does not accept this machine"


def check_mailbox(settings: Settings) -> Finding:
    """Check that the bounce mailbox can be opened. No message in it is read or changed."""
    if settings.bounce_imap_url:
        mailbox_url = parse_imap_url(settings.bounce_imap_url)
        list(read_mailbox(mailbox_url, limit=0))
        return ok("bounces", f"the folder {mailbox_url.folder} of {mailbox_url} can be read")
    if settings.bounce_address:
        says = f"every email has its own return address at {settings.bounce_address}"
        return ok("bounces", f"{says}; a pipe or a provider must deliver bounces here")
    says = "bounces go to PAPERROUND_MAIL_FROM, and nothing here reads them"
    return skipped("bounces", says, "docs/bounces.md explains how to receive them")


def check_relays(
    settings: Settings, *, now: datetime, unanswered: Collection[str] = ()
) -> list[Finding]:
    """Return findings on each relay not `unanswered`, and its certificate, or on the outbox."""
    try:
        where = parse_smtp_url(settings.relay)
    except Misconfigured as error:
        return [fail("relay", str(error))]
    if isinstance(where, OutboxFolder):
        return [_outbox(where.directory)]
    known = [relay for relay in where if relay.host not in unanswered]
    return [finding for relay in known for finding in _relay_findings(relay, settings, now)]


def _relay_findings(relay: Relay, settings: Settings, now: datetime) -> list[Finding]:
    hostname = urlsplit(settings.public_url).hostname or "localhost"
    sender = settings.bounce_address or parseaddr(settings.mail_from)[1]
    try:
        expires_at = probe(relay, hostname=hostname, sender=sender)
    except Stopped as stopped:
        return [_refusal(relay, stopped)]
    except (PaperroundError, OSError) as error:
        return [fail("relay", str(error))]
    how = _TLS[relay.tls] + (f", logged in as {relay.user}" if relay.user else "")
    found = [ok("relay", f"{relay} ({how}) would accept email from {sender}")]
    if expires_at is not None:
        ends = check_expiry(relay.host, expires_at, now=now)
        found.append(replace(ends, check="relay certificate"))
    return found


def _outbox(folder: Path) -> Finding:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return ok("outbox", f"email is written to {folder}: none leaves this machine")
    except OSError as error:
        says = f"no email can be written to {folder}: {error.strerror}"
        return fail("outbox", says, "make it a folder that this user can write to")


def _refusal(relay: Relay, stopped: Stopped) -> Finding:
    unknown = CHECK_PORT if stopped.phase is Phase.CONNECT else _NOT_ACCEPTED
    way_out = relay_advice(verdict(stopped.outcome(DeliveryId(0))).reason) or unknown
    if stopped.reply is not None:
        code = f"{stopped.reply.code} {stopped.reply.enhanced}".strip()
        why = f"it says {code} {stopped.reply.text} at {stopped.phase.upper()}"
    elif stopped.error.startswith("network: "):
        why = stopped.error.removeprefix("network: ")
        return fail("relay", f"cannot connect to {relay}: {why}", way_out)
    else:
        why = f"{stopped.phase}: {stopped.error}"
    return fail("relay", f"{relay} would not accept email: {why}", way_out)


_TLS = {
    Tls.NONE: "without TLS, on this machine",
    Tls.STARTTLS: "TLS by STARTTLS",
    Tls.IMPLICIT: "TLS from the first byte",
}


RELAYS: Mapping[str, tuple[str, str]] = {
    ".amazonaws.com": ("ses", "PAPERROUND_SES_TOPIC_ARN"),
    ".postmarkapp.com": ("postmark", "PAPERROUND_POSTMARK_HOOK_SECRET"),
    ".sendgrid.net": ("sendgrid", "PAPERROUND_SENDGRID_HOOK_KEY"),
    ".mailgun.org": ("mailgun", "PAPERROUND_MAILGUN_HOOK_KEY"),
}
"""Suffix of the hosts of a provider's relays; its hook, and the setting the hook needs."""


def check_hooks(context: AppContext) -> list[Finding]:
    """Report the hooks that are on, and warn about each relay whose provider has none."""
    try:
        on = sorted(context.hooks)
    except Misconfigured as error:
        return [fail("hooks", str(error), "see docs/providers.md")]
    hosts = [_host(url) for url in context.settings.relay.split(",")]
    missing = [
        warn(
            "hooks",
            f"the relay is {name}'s, which reports bounces and complaints only to a hook",
            f"set {setting}, and have it post to /hooks/{name}: see docs/providers.md",
        )
        for end, (name, setting) in RELAYS.items()
        if name not in on and any(f".{host}".endswith(end) for host in hosts)
    ]
    if on:
        named = ", ".join(f"/hooks/{name}" for name in on)
        return [ok("hooks", f"enabled: {named}"), *missing]
    return missing or [
        skipped("hooks", "no provider is configured to report bounces and complaints")
    ]


def _host(url: str) -> str:
    try:
        return (urlsplit(url.strip()).hostname or "").removesuffix(".")
    except ValueError:
        return ""  # the check of the relay reports this
