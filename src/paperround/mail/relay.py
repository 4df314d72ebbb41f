"""From the SMTP_URL setting to what sends mail."""

from collections.abc import Iterable

from paperround.domain.smtp_url import OutboxFolder, parse_smtp_url
from paperround.mail.outbox import OutboxMailer, forget
from paperround.mail.smtp import SmtpMailer


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


def forget_mails(smtp_url: str, message_ids: Iterable[str]) -> None:
    """Remove what is kept of these mails where `smtp_url` is a folder; a relay keeps none here."""
    where = parse_smtp_url(smtp_url)
    if isinstance(where, OutboxFolder):
        forget(where.directory, message_ids)
