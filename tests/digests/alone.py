"""A digest built alone, without sharing anything: what the bytes of a composer must be."""

from paperround.digests.model import DigestMail
from paperround.digests.render.composer import MailRenderer
from paperround.digests.render.message import (
    addressing_of,
    digest_fields,
    message_bytes,
    sender_named,
)


def compose_alone(renderer: MailRenderer, mail: DigestMail) -> bytes:
    """The digest rendered whole, encoded whole, and signed as it was finished."""
    sender = sender_named(renderer._sender, mail.view.from_name)
    signer, links = renderer._signer(), mail.view.links
    leave = mail.list_unsubscribe_mail or ""
    addressing = addressing_of(mail.recipient, mail.message_id, mail.dated, leave)
    mine = (links.unsubscribe, links.preferences, links.feedback)
    content = message_bytes(
        rendered=renderer.render(mail.view),
        addressing=addressing,
        sender=sender,
        kind=digest_fields(mail.view, addressing, sender),
        unbroken={link[-40:] for link in mine},
    )
    return content if signer is None else signer.sign(content, mail.dated)
