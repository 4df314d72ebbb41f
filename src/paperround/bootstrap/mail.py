"""Create the parts of delivery from settings: sender, DKIM signers, mailer."""

import atexit
from collections.abc import Callable
from datetime import timedelta
from email.utils import parseaddr
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from paperround.bounces.classify import evidence_of_outcome
from paperround.bounces.handling import record_refusals
from paperround.bounces.model import ProviderHook
from paperround.config import Settings
from paperround.core.clock import FixedClock, StartedClock
from paperround.core.errors import Misconfigured
from paperround.core.plugins import plugins
from paperround.core.sender import SenderIdentity
from paperround.core.smtp_url import OutboxFolder, parse_smtp_url
from paperround.delivery.holds import Signing
from paperround.delivery.model import Mailer
from paperround.delivery.outbox import OutboxMailer
from paperround.delivery.replies import verdict
from paperround.delivery.smtp.conversation import Stopped
from paperround.delivery.smtp.mailer import SmtpMailer, probe
from paperround.digests.sending import DeliveryContext
from paperround.editions.model import DeliveryId
from paperround.http.model import HttpClient

if TYPE_CHECKING:  # imported lazily, so that commands start quickly
    from paperround.bootstrap import AppContext
    from paperround.delivery.dkim.signers import Signers

KEPT_CONNECTION = timedelta(seconds=10)
"""How long an idle relay connection stays open: system mail is sent every few seconds."""


def sender_identity(settings: Settings) -> SenderIdentity:
    """Return the sender of every email. Raises Misconfigured when MAIL_FROM has no address."""
    return SenderIdentity(
        mail_from=settings.mail_from,
        envelope_from=_sender_address(settings),
        public_url=settings.public_url,
        operator=settings.operator or "",
        postal_address=settings.postal_address or "",
        contact=settings.contact or "",
        privacy_url=settings.privacy_url or "",
        imprint_url=settings.imprint_url or "",
        logo_url=settings.logo_url or "",
        colour=settings.color or "",
        bounce_address=settings.bounce_address or "",
    )


def sender_domain(settings: Settings) -> str:
    """Return the domain of the From address and of Message-IDs."""
    return _sender_address(settings).rpartition("@")[2]


def provider_hooks(settings: Settings, client: Callable[[], HttpClient]) -> dict[str, ProviderHook]:
    """Return the webhook of each mail provider that is configured, by the name in its address.

    Raises Misconfigured with the name of a setting, never its value.
    """
    made = {
        name: make(settings.all_of, settings.public_url, client)
        for name, make in plugins("bounce_providers").items()
    }
    return {name: hook for name, hook in made.items() if hook is not None}


def dkim_signers(settings: Settings) -> "Signers":
    """Return the DKIM signers. Raises Misconfigured for invalid keys or an invalid domain."""
    from paperround.delivery.dkim.keys import keys_from_settings
    from paperround.delivery.dkim.signers import Signers, signing_domain

    return Signers(
        domain=signing_domain(settings.dkim_domain, sender_domain(settings)),
        place=settings.dkim_file,
        given=keys_from_settings(settings.dkim_key, settings.all_of("dkim_selector")),
    )


def delivery_context(app: "AppContext") -> DeliveryContext:
    """Return the dependencies of delivery. Raises Misconfigured without a sender identity."""
    app.settings.require_sender()
    signer = None
    try:
        signer = app.signers()
        signing = Signing(signs=signer is not None)
    except Misconfigured as error:
        signing = Signing(broken=str(error))
    clock = app.clock
    if isinstance(clock, FixedClock):
        clock = StartedClock(clock.now())  # who waits for a slot needs a clock that runs
    return DeliveryContext(
        judge=evidence_of_outcome,
        record_refusals=record_refusals,
        database=app.database,
        mailer=app.mailer,
        renderer=app.renderer.signed_by(signer),
        sender_identity=app.sender_identity,
        keys=app.settings.keys,
        clock=clock,
        processes=app.processes,
        lease=timedelta(seconds=app.settings.lease_seconds),
        stopping=app.stopping.is_set,
        pacing=app.settings.pacing,
        wait=app.stopping.wait,
        boot=app.boot,
        pending_writes=app.pending_writes,
        signing=signing,
        marks=app.send_marks,
    )


def why_unreached(settings: Settings) -> str | None:
    """Open a session with a relay without sending, and return why that failed with the first of
    them, "" if one opened; None if email is kept in the outbox. Takes at most a minute a relay."""
    relays = parse_smtp_url(settings.relay)
    if isinstance(relays, OutboxFolder):
        return None
    reasons = list[str]()
    for relay in relays:
        try:
            probe(relay, hostname=urlsplit(settings.public_url).hostname or "localhost", sender="")
        except Stopped as stopped:
            reasons.append(verdict(stopped.outcome(DeliveryId(0))).reason)
        else:
            return ""
    return reasons[0]


def create_mailer(settings: Settings) -> Mailer:
    """Create the mailer; its connections are closed when the process ends."""
    mailer = mailer_for(
        settings.relay,
        connections=settings.smtp_connections,
        pipelining=settings.smtp_pipelining,
        hostname=urlsplit(settings.public_url).hostname or "localhost",
        keep=KEPT_CONNECTION.total_seconds(),
    )
    if not isinstance(mailer, OutboxMailer):
        atexit.register(mailer.close)
    return mailer


def _sender_address(settings: Settings) -> str:
    address = parseaddr(settings.mail_from)[1]
    if "@" not in address:
        raise Misconfigured(
            f"PAPERROUND_MAIL_FROM is {settings.mail_from!r}: "
            "write it like Paper digest <digest@example.org>"
        )
    return address


def mailer_for(
    smtp_url: str, *, connections: int, hostname: str, pipelining: bool = True, keep: float = 0.0
) -> SmtpMailer | OutboxMailer:
    """Create the mailer for `smtp_url`; raises Misconfigured for an invalid URL.

    `hostname` is the name in EHLO, `connections` the maximum per relay, `keep` the seconds that an
    idle connection stays open.
    """
    target = parse_smtp_url(smtp_url)
    if isinstance(target, OutboxFolder):
        return OutboxMailer(target.directory)
    return SmtpMailer(
        target, hostname=hostname, connections=connections, pipelining=pipelining, keep=keep
    )
