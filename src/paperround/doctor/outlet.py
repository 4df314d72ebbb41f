"""The way out: would each relay take our mail, or can the outbox be written?"""

import tempfile
from email.utils import parseaddr
from pathlib import Path
from urllib.parse import urlsplit

from paperround.config import Settings
from paperround.doctor.findings import Finding, fail, ok, tried
from paperround.domain.deliveries import Phase
from paperround.mail.connection import Stopped
from paperround.mail.probe import probe
from paperround.mail.smtp_url import OutboxFolder, Relay, parse_smtp_url

_WAYS_OUT = {
    Phase.CONNECT: "is the name and the port right, does it run, does a firewall stand between?",
    Phase.TLS: "its certificate must be good for that name; `?ca=FILE` names a private authority",
    Phase.AUTH: "look at user and password; signs such as @ : / are percent-encoded (`%40`)",
    Phase.MAIL: "the relay does not let this account send as PAPERROUND_MAIL_FROM",
}
_ANY_WAY_OUT = "ask whoever runs the relay: it does not want to talk to this machine"


def outlet(settings: Settings) -> list[Finding]:
    """One finding for each relay, or one for the outbox. No mail is sent."""
    where = parse_smtp_url(settings.relay)
    if isinstance(where, OutboxFolder):
        return [_outbox(where.directory)]
    return [tried("relay", lambda relay=relay: _relay(relay, settings)) for relay in where]  # type: ignore[misc]


def _outbox(folder: Path) -> Finding:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return ok("outbox", f"mails are kept in {folder}: none leaves this machine")
    except OSError as error:
        says = f"no mail can be kept in {folder}: {error.strerror}"
        return fail("outbox", says, "make it a folder that this user may write")


def _relay(relay: Relay, settings: Settings) -> Finding:
    hostname = urlsplit(settings.public_url).hostname or "localhost"
    sender = parseaddr(settings.mail_from)[1]
    stopped = probe(relay, hostname=hostname, sender=sender)
    if stopped is not None:
        is_silence = stopped.phase is Phase.MAIL and stopped.reply is None
        way_out = _ANY_WAY_OUT if is_silence else _WAYS_OUT.get(stopped.phase, _ANY_WAY_OUT)
        return fail("relay", f"{relay} would not take mail: {_why(stopped)}", way_out)
    logged_in = f", logged in as {relay.user}" if relay.user else ""
    return ok("relay", f"{relay} ({relay.tls} TLS{logged_in}) would take mail from {sender}")


def _why(stopped: Stopped) -> str:
    if stopped.reply is None:
        return f"{stopped.phase}: {stopped.error}"
    code = f"{stopped.reply.code} {stopped.reply.enhanced}".strip()
    return f"it says {code} {stopped.reply.text} at {stopped.phase.upper()}"
