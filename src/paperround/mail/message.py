"""The exact bytes of one digest.

    headers          From To Subject Date Message-ID, the List-* family, one-click unsubscribing
    multipart/alternative
      text/plain     quoted-printable, complete by itself
      text/html      quoted-printable

Follows RFC 5322, 2045-2049, 2369 and 2919 (lists), 3834 (automatic mail), 5064 (Archived-At) and
8058 (one-click). The same values give the same bytes, on every Python.
"""

import hashlib
import re
from collections.abc import Collection
from datetime import UTC, datetime
from typing import NamedTuple
from urllib.parse import urlsplit

from paperround.domain.digests import DigestMail, DigestView, Letterhead, Rendered
from paperround.domain.errors import Misconfigured, RenderingFailed
from paperround.domain.times import require_utc
from paperround.mail.headers import (
    check,
    is_address,
    literal_field,
    mailbox_field,
    text_field,
)
from paperround.mail.quoted_printable import encode

_MESSAGE_ID = re.compile(r"<?([A-Za-z0-9._+-]{1,100}@[A-Za-z0-9.-]{1,140})>?")
_MAILTO = re.compile(r"mailto:[!-+\--;=?-~]+@[!-+\--;=?-~]+")
_WEB = re.compile(r"https?://[!-;=?-~]+")
_MAIL_FROM = re.compile(r"\s*(?:(?P<name>[^<>]*?)\s*<(?P<inside>[^<>]+)>|(?P<bare>[^<>\s]+))\s*")
_LIST_LABEL = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?")
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("", "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_BOUNDARY = "=_paperround_"
"""Quoted-printable never produces `=_`, so no line of a part can look like the boundary."""


class Addressing(NamedTuple):
    """The header values that are one reader's alone, guarded and ready to stand there."""

    recipient: str
    message_id: str
    date: str
    unsubscribe_mail: str
    """A `mailto:` address, empty for none."""


class Sender(NamedTuple):
    """A letterhead taken apart once: display name, address, host of the public site."""

    name: str
    address: str
    host: str
    letterhead: Letterhead


def sender_of(letterhead: Letterhead) -> Sender:
    """Take `letterhead` apart; raises Misconfigured when it cannot stand in a mail."""
    written = _MAIL_FROM.fullmatch(letterhead.mail_from)
    address = (written["inside"] or written["bare"]) if written else ""
    if written is None or not is_address(address):
        raise Misconfigured(
            "MAIL_FROM is not `Name <address>` with a plain ASCII address: "
            "write it like `Paperround <papers@example.org>`"
        )
    host = urlsplit(letterhead.public_url).hostname
    if host is None or not host.isascii() or not _WEB.fullmatch(letterhead.public_url):
        raise Misconfigured("PUBLIC_URL is not a web address: write it like https://example.org")
    return Sender((written["name"] or "").strip(' "'), address, host, letterhead)


def addressing_of(mail: DigestMail) -> Addressing:
    """The reader's own header values; raises RenderingFailed for one that cannot stand there."""
    if not is_address(mail.recipient):
        raise RenderingFailed("the recipient's address is not plain ASCII, like name@example.org")
    identity = _MESSAGE_ID.fullmatch(mail.message_id)
    if identity is None:
        raise RenderingFailed("the Message-ID is not of the form <letters@host>")
    leave = mail.list_unsubscribe_mail or ""
    if leave and not leave.startswith("mailto:"):
        leave = f"mailto:{leave}"
    if leave and _MAILTO.fullmatch(leave) is None:
        raise RenderingFailed("the address for unsubscribing by mail is not plain ASCII")
    return Addressing(mail.recipient, f"<{identity[1]}>", _date(mail.dated), leave)


def message_bytes(
    *,
    view: DigestView,
    rendered: Rendered,
    addressing: Addressing,
    sender: Sender,
    unbroken: Collection[str] = (),
) -> bytes:
    """The message, CRLF line ends; `unbroken` are the tokens that no soft break may split.

    Raises RenderingFailed when a value cannot stand in a header or the finished bytes are wrong.
    """
    boundary = _boundary(view, rendered)
    fields = _fields(view, rendered.subject, addressing, sender, boundary)
    parts = [
        _part("plain", encode(rendered.text, unbroken=unbroken)),
        _part("html", encode(rendered.html, unbroken=unbroken)),
    ]
    body = "".join(f"--{boundary}\r\n{part}\r\n" for part in parts)
    text = f"{''.join(fields.values())}\r\n{body}--{boundary}--\r\n"
    content = text.encode("ascii")
    check(content, fields)
    return content


def _boundary(view: DigestView, rendered: Rendered) -> str:
    """The same for every reader of the same papers, and on every day another one."""
    seed = f"{view.web_url}\0{rendered.subject}".encode(errors="replace")
    return _BOUNDARY + hashlib.sha256(seed).hexdigest()[:24]


def _part(subtype: str, encoded: str) -> str:
    return (
        f"Content-Type: text/{subtype}; charset=utf-8\r\n"
        f"Content-Transfer-Encoding: quoted-printable\r\n\r\n{encoded}"
    )


def _fields(
    view: DigestView, subject: str, addressing: Addressing, sender: Sender, boundary: str
) -> dict[str, str]:
    """Every header field by its name, in order, each with its CRLF."""
    literal = {
        "Date": [addressing.date],
        "Message-ID": [addressing.message_id],
        "MIME-Version": ["1.0"],
        **_list_values(view, addressing, sender),
        "Archived-At": [_web(view.web_url)],
        "Feedback-ID": [_feedback_id(view, sender)],
        "Auto-Submitted": ["auto-generated"],
        "X-Auto-Response-Suppress": ["OOF, AutoReply"],
        "Content-Language": [view.language],
        "Content-Type": [f'multipart/alternative; boundary="{boundary}"'],
    }
    return {
        "From": mailbox_field("From", sender.name, sender.address),
        "To": literal_field("To", [addressing.recipient]),
        "Subject": text_field("Subject", subject),
        **{name: literal_field(name, values) for name, values in literal.items()},
    }


def _list_values(view: DigestView, addressing: Addressing, sender: Sender) -> dict[str, list[str]]:
    public = sender.letterhead.public_url.rstrip("/")
    leave = [_web(view.links.one_click)]
    if addressing.unsubscribe_mail:
        leave.append(f"<{addressing.unsubscribe_mail}>")
    return {
        "List-Id": [_list_id(view, sender)],
        "List-Unsubscribe": leave,
        "List-Unsubscribe-Post": ["List-Unsubscribe=One-Click"],
        "List-Help": [_web(f"{public}/")],
        "List-Owner": [_owner(sender)],
        "List-Archive": [_web(f"{public}/editions")],
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
        return _web(contact)
    return f"<mailto:{contact if is_address(contact) else sender.address}>"


def _feedback_id(view: DigestView, sender: Sender) -> str:
    """Gmail's four parts; the last names the sender for good, in 12 characters."""
    name = hashlib.sha256(sender.host.encode()).hexdigest()[:10]
    return f"{view.day.isoformat()}:{view.list_name}:digest:pr{name}"


def _web(url: str) -> str:
    """`<url>`, whatever its length; a comma would end it there, so it is escaped."""
    escaped = url.replace(",", "%2C")
    if _WEB.fullmatch(escaped) is None:
        raise RenderingFailed("a link of the header is not a plain http(s) address")
    return f"<{escaped}>"


def _date(moment: datetime) -> str:
    """RFC 5322 section 3.3, in UTC; not strftime, which follows the locale."""
    at = moment if moment.tzinfo is UTC else require_utc(moment)
    return (
        f"{_DAYS[at.weekday()]}, {at.day:02} {_MONTHS[at.month]} {at.year:04} "
        f"{at.hour:02}:{at.minute:02}:{at.second:02} +0000"
    )
