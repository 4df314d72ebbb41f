"""What settings say of mail: who sends it, who signs it, and what takes it away."""

import atexit
from datetime import datetime, timedelta
from email.utils import parseaddr
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from paperround.access.model import COMMAND_LINE
from paperround.bounces.classify import evidence_of_outcome
from paperround.bounces.handling import hold_against
from paperround.config import Settings
from paperround.core.clock import FixedClock, StartedClock
from paperround.core.errors import Misconfigured
from paperround.core.sender import SenderIdentity
from paperround.core.smtp_url import OutboxFolder, parse_smtp_url
from paperround.delivery.holds import Signing
from paperround.delivery.model import Mailer
from paperround.delivery.outbox import OutboxMailer
from paperround.delivery.rate_state import Pacing
from paperround.delivery.smtp.mailer import SmtpMailer
from paperround.digests.channel_delivery import ChannelContext, ChannelReport, deliver_channels
from paperround.digests.channels import ChannelAdmin
from paperround.digests.sending import DeliveryContext

if TYPE_CHECKING:  # a command imports the rooms it needs, so that it starts quickly
    from paperround.bootstrap import AppContext
    from paperround.delivery.dkim.signers import Signers

KEPT_CONNECTION = timedelta(seconds=10)
"""How long a connection to the relay waits for another batch: notices leave every few seconds."""


def letterhead_of(settings: Settings) -> SenderIdentity:
    """The sender as every mail names it. Raises Misconfigured where MAIL_FROM has no address."""
    return SenderIdentity(
        mail_from=settings.mail_from,
        envelope_from=_sender(settings),
        public_url=settings.public_url,
        operator=settings.operator or "",
        postal_address=settings.postal_address or "",
        contact=settings.contact or "",
        privacy_url=settings.privacy_url or "",
        imprint_url=settings.imprint_url or "",
        bounce_address=settings.bounce_address or "",
    )


def domain_of(settings: Settings) -> str:
    """The domain that mails are from, and their Message-IDs."""
    return _sender(settings).rpartition("@")[2]


def signers_of(settings: Settings) -> "Signers":
    """Who signs mails. Raises Misconfigured for keys or a domain that cannot."""
    from paperround.delivery.dkim.keys import keys_given
    from paperround.delivery.dkim.signers import Signers, signing_domain

    return Signers(
        domain=signing_domain(settings.dkim_domain, domain_of(settings)),
        place=settings.dkim_file,
        given=keys_given(settings.dkim_key, settings.all_of("dkim_selector")),
    )


def post_of(home: "AppContext") -> DeliveryContext:
    """All that delivering needs. Raises Misconfigured when the sender may not be anonymous."""
    home.settings.require_sender()
    signer = None
    try:
        home.signers.renew()
        signer = home.signers()
        signing = Signing(signs=signer is not None)
    except Misconfigured as error:
        signing = Signing(broken=str(error))
    clock = home.clock
    if home.settings.pacing != Pacing() and isinstance(clock, FixedClock):
        clock = StartedClock(clock.now())  # one that stands still never reaches a slot
    return DeliveryContext(
        judge=evidence_of_outcome,
        hold_against=hold_against,
        database=home.database,
        mailer=home.mailer,
        renderer=home.renderer.signed_by(signer),
        letterhead=home.letterhead,
        keys=home.settings.keys,
        clock=clock,
        processes=home.processes,
        lease=timedelta(seconds=home.settings.lease_seconds),
        stopping=home.stopping.is_set,
        pacing=home.settings.pacing,
        wait=home.stopping.wait,
        boot=home.boot,
        unwritten=home.unwritten,
        signing=signing,
        marks=home.send_marks,
    )


def mailer_of(settings: Settings) -> Mailer:
    """What takes mails away. Its connections are closed when the process ends."""
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


def _sender(settings: Settings) -> str:
    address = parseaddr(settings.mail_from)[1]
    if "@" not in address:
        raise Misconfigured(
            f"PAPERROUND_MAIL_FROM is {settings.mail_from!r}: "
            "write it like Paper digest <digest@example.org>"
        )
    return address


SECONDS = 20.0
"""How long a post may take, all in all: Standard Webhooks wants 15 to 30."""


def channel_admin(
    runtime: "AppContext", *, now: datetime | None = None, by: str = COMMAND_LINE
) -> ChannelAdmin:
    """What changes channels on behalf of `by`."""
    return ChannelAdmin(
        database=runtime.database,
        sender=runtime.channel_sender,
        opened=runtime.settings.open_places,
        now=now or runtime.clock.now(),
        by=by,
    )


def post_channels(runtime: "AppContext") -> ChannelReport:
    """Post to channels what is due."""
    return deliver_channels(
        ChannelContext(
            database=runtime.database,
            sender=runtime.channel_sender,
            letterhead=runtime.letterhead,
            clock=runtime.clock,
            processes=runtime.processes,
            lease=timedelta(seconds=runtime.settings.lease_seconds),
            stopping=runtime.stopping.is_set,
            boot=runtime.boot,
            wait=runtime.stopping.wait,
            unwritten=runtime.unwritten,
            marks=runtime.send_marks,
        )
    )


def mailer_for(
    smtp_url: str,
    *,
    connections: int,
    hostname: str,
    pipelining: bool = True,
    keep: float = 0.0,
) -> SmtpMailer | OutboxMailer:
    """The mailer `smtp_url` asks for; raises Misconfigured when it cannot be one.

    `hostname` is the name in EHLO, `connections` the most to a relay at once, `keep` the seconds
    that they are kept for another batch. An outbox opens none, and keeps as many mails in doubt at
    most as there would be connections.
    """
    where = parse_smtp_url(smtp_url)
    if isinstance(where, OutboxFolder):
        return OutboxMailer(where.directory, group=connections)
    return SmtpMailer(
        where, hostname=hostname, connections=connections, pipelining=pipelining, keep=keep
    )
