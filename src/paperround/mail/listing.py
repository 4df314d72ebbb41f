"""The header fields that make a digest the mail of a list.

RFC 2369 and 2919 (lists), 5064 (Archived-At) and 8058 (one-click unsubscribing).
"""

import re

from paperround.domain.digests import DigestView
from paperround.domain.errors import RenderingFailed
from paperround.domain.languages import spoken
from paperround.mail.headers import is_address
from paperround.mail.message import Addressing, Particulars, Sender, web_value

_LIST_LABEL = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?")


def digest_particulars(view: DigestView, addressing: Addressing, sender: Sender) -> Particulars:
    """What a digest's header says. Raises RenderingFailed for a value that cannot stand there."""
    return Particulars(
        fields={
            **_list_fields(view, addressing, sender),
            "Archived-At": [web_value(view.web_url)],
        },
        feedback=f"{view.day.isoformat()}:{view.list_name}:digest",
        language=spoken(view.language),
        seed=view.web_url,
    )


def _list_fields(view: DigestView, addressing: Addressing, sender: Sender) -> dict[str, list[str]]:
    public = sender.letterhead.public_url.rstrip("/")
    leave = [web_value(view.links.one_click)]
    if addressing.unsubscribe_mail:
        leave.append(f"<{addressing.unsubscribe_mail}>")
    return {
        "List-Id": [_list_id(view, sender)],
        "List-Unsubscribe": leave,
        "List-Unsubscribe-Post": ["List-Unsubscribe=One-Click"],
        "List-Help": [web_value(f"{public}/")],
        "List-Owner": [_owner(sender)],
        "List-Archive": [web_value(f"{public}/editions")],
        "List-Post": ["NO"],
    }


def _list_id(view: DigestView, sender: Sender) -> str:
    """RFC 2919: stable, a name within our own host."""
    if _LIST_LABEL.fullmatch(view.list_name) is None:
        raise RenderingFailed("the list's name must be ASCII letters, digits and hyphens")
    return f"<{view.list_name}.{sender.host}>"


def _owner(sender: Sender) -> str:
    """Where a person answers: the contact, the sender's own address where none is set."""
    contact = sender.letterhead.contact
    if contact.startswith(("https://", "http://")):
        return web_value(contact)
    return f"<mailto:{contact if is_address(contact) else sender.address}>"
