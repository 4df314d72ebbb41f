"""Build the bytes of a message.

    headers          From To Subject Date Message-ID, the fields of its kind, automatic responses
    multipart/alternative
      text/plain     quoted-printable, complete by itself
      text/html      quoted-printable

Follows RFC 5322, 2045-2049 and 3834 (automatic mail). The same values give the same bytes on every
Python version.
"""

import hashlib
import re
from collections.abc import Collection, Mapping
from datetime import datetime
from email.utils import format_datetime
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import urlsplit

from paperround.core.errors import Misconfigured, RenderingFailed
from paperround.core.languages import spoken_or_english
from paperround.core.sender import SenderIdentity, is_address
from paperround.core.times import require_utc
from paperround.delivery.model import BARE_CR, BARE_LF, DOTTED_LINE
from paperround.delivery.system_mail_model import NoticeView
from paperround.digests.model import DigestView, Rendered
from paperround.digests.render.headers import check, literal_field, mailbox_field, text_field

_MESSAGE_ID = re.compile(r"<?([A-Za-z0-9._+-]{1,100}@[A-Za-z0-9.-]{1,140})>?")
_MAILTO = re.compile(r"mailto:[!-+\--;=?-~]+@[!-+\--;=?-~]+")
_WEB = re.compile(r"https?://[!-;=?-~]+")
_MAIL_FROM = re.compile(r"\s*(?:(?P<name>[^<>]*?)\s*<(?P<inside>[^<>]+)>|(?P<bare>[^<>\s]+))\s*")
_BOUNDARY = "=_paperround_"
"""Quoted-printable never produces `=_`, so no line of a part can equal the boundary."""


class Addressing(NamedTuple):
    """The reader's own header values, checked."""

    recipient: str
    message_id: str
    date: str
    unsubscribe_mail: str
    """A `mailto:` address, empty for none."""


class Sender(NamedTuple):
    """The parsed sender: display name, address, host of the public site."""

    name: str
    address: str
    host: str
    sender_identity: SenderIdentity


class MessageKind(NamedTuple):
    """The values of a kind of message: its own fields, the Feedback-ID before the sender's part,
    the language, and the seed of the boundary."""

    fields: Mapping[str, list[str]]
    feedback: str
    language: str
    seed: str


def sender_of(sender_identity: SenderIdentity) -> Sender:
    """Parse `sender_identity`; raises Misconfigured for an invalid address or URL."""
    match = _MAIL_FROM.fullmatch(sender_identity.mail_from)
    address = (match["inside"] or match["bare"]) if match else ""
    if match is None or not is_address(address):
        raise Misconfigured(
            "MAIL_FROM is not `Name <address>` with a plain ASCII address: "
            "write it like `Paperround <papers@example.org>`"
        )
    host = urlsplit(sender_identity.public_url).hostname
    if host is None or not host.isascii() or not _WEB.fullmatch(sender_identity.public_url):
        raise Misconfigured("PUBLIC_URL is not a web address: write it like https://example.org")
    return Sender((match["name"] or "").strip(' "'), address, host, sender_identity)


def sender_named(sender: Sender, name: str) -> Sender:
    """Return the sender with another display name; the same for an empty one."""
    return sender._replace(name=name) if name else sender


def addressing_of(
    recipient: str, message_id: str, dated: datetime, unsubscribe_mail: str = ""
) -> Addressing:
    """Return the reader's header values; raises RenderingFailed for an invalid one."""
    if not is_address(recipient):
        raise RenderingFailed("the recipient's address is not plain ASCII, like name@example.org")
    identity = _MESSAGE_ID.fullmatch(message_id)
    if identity is None:
        raise RenderingFailed("the Message-ID is not of the form <letters@host>")
    if unsubscribe_mail:
        unsubscribe_mail = f"mailto:{unsubscribe_mail.removeprefix('mailto:')}"
        if _MAILTO.fullmatch(unsubscribe_mail) is None:
            raise RenderingFailed("the address for unsubscribing by email is not plain ASCII")
    return Addressing(recipient, f"<{identity[1]}>", _date(dated), unsubscribe_mail)


def message_bytes(
    *,
    rendered: Rendered,
    addressing: Addressing,
    sender: Sender,
    kind: MessageKind,
    unbroken: Collection[str] = (),
) -> bytes:
    """Return the message with CRLF line ends; soft breaks do not split the `unbroken` tokens.

    Raises RenderingFailed for an invalid header value or when the finished bytes are wrong.
    """
    boundary = boundary_of(kind.seed, rendered.subject)
    fields = _fields(rendered.subject, addressing, sender, kind, boundary)
    parts = [
        _part("plain", encode(rendered.text, unbroken=unbroken)),
        _part("html", encode(rendered.html, unbroken=unbroken)),
    ]
    body = "".join(f"--{boundary}\r\n{part}\r\n" for part in parts)
    text = f"{''.join(fields.values())}\r\n{body}--{boundary}--\r\n"
    content = text.encode("ascii")
    check(content, fields)
    return content


def web_value(url: str) -> str:
    """Return `<url>` of any length; commas are escaped, as they separate URLs in list headers.

    Raises RenderingFailed for anything but a plain http(s) address.
    """
    escaped = url.replace(",", "%2C")
    if _WEB.fullmatch(escaped) is None:
        raise RenderingFailed("a link of the header is not a plain http(s) address")
    return f"<{escaped}>"


def boundary_of(seed: str, subject: str) -> str:
    """Return the boundary, the same for every reader of the same seed and subject."""
    return (
        _BOUNDARY + hashlib.sha256(f"{seed}\0{subject}".encode(errors="replace")).hexdigest()[:24]
    )


def _part(subtype: str, encoded: str) -> str:
    return (
        f"Content-Type: text/{subtype}; charset=utf-8\r\n"
        f"Content-Transfer-Encoding: quoted-printable\r\n\r\n{encoded}"
    )


def _fields(
    subject: str, addressing: Addressing, sender: Sender, kind: MessageKind, boundary: str
) -> dict[str, str]:
    """Return the header fields by name, in order, each with its CRLF."""
    # a stable id of the sender, for the end of the Feedback-ID
    sender_id = "pr" + hashlib.sha256(sender.host.encode()).hexdigest()[:10]
    literal = {
        "Date": [addressing.date],
        "Message-ID": [addressing.message_id],
        "MIME-Version": ["1.0"],
        **kind.fields,
        "Feedback-ID": [f"{kind.feedback}:{sender_id}"],
        "Auto-Submitted": ["auto-generated"],
        "X-Auto-Response-Suppress": ["OOF, AutoReply"],
        "Content-Language": [kind.language],
        "Content-Type": [f'multipart/alternative; boundary="{boundary}"'],
    }
    return {
        "From": mailbox_field("From", sender.name, sender.address),
        "To": literal_field("To", [addressing.recipient]),
        "Subject": text_field("Subject", subject),
        **{name: literal_field(name, values) for name, values in literal.items()},
    }


@lru_cache(maxsize=256)
def _date(moment: datetime) -> str:
    """Return the date by RFC 5322 section 3.3, in UTC. Deliveries planned together share it."""
    return format_datetime(require_utc(moment))


def check_wire_ready(lines: bytes) -> bytes:
    """Return `lines` if SMTP can send them unchanged: all end in CRLF, none begins with a dot.

    Raises RenderingFailed otherwise.
    """
    is_whole = not lines or lines.endswith(b"\r\n")
    is_dotted = lines.startswith(b".") or DOTTED_LINE.search(lines)
    if is_dotted or not is_whole or BARE_CR.search(lines) or BARE_LF.search(lines):
        raise RenderingFailed("a line does not end in CRLF, or begins with a full stop")
    return lines


# The header fields of a kind of message. Those of digests follow RFC 2369 and 2919 (lists), 5064
# (Archived-At) and 8058 (one-click unsubscribing).

_LIST_LABEL = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?")


def digest_fields(view: DigestView, addressing: Addressing, sender: Sender) -> MessageKind:
    """Return the header fields of a digest. Raises RenderingFailed for an invalid value."""
    public = sender.sender_identity.public_url.rstrip("/")
    leave = [web_value(view.links.unsubscribe)]
    if addressing.unsubscribe_mail:
        leave.append(f"<{addressing.unsubscribe_mail}>")
    # RFC 2919: a stable name below our own host.
    if _LIST_LABEL.fullmatch(view.list_name) is None:
        raise RenderingFailed("the list's name must be ASCII letters, digits and hyphens")
    return MessageKind(
        fields={
            **_reply_to(view),
            "List-Id": [f"<{view.list_name}.{sender.host}>"],
            "List-Unsubscribe": leave,
            "List-Unsubscribe-Post": ["List-Unsubscribe=One-Click"],
            "List-Help": [web_value(f"{public}/")],
            "List-Owner": [_list_owner(sender)],
            "List-Archive": [web_value(f"{public}/editions{view.archive}")],
            "List-Post": ["NO"],
            "Archived-At": [web_value(view.web_url)],
        },
        feedback=f"{view.local_date.isoformat()}:{view.list_name}:digest",
        language=spoken_or_english(view.language),
        seed=view.web_url,
    )


def own_fields(view: DigestView) -> MessageKind:
    """Return the header fields of a digest that readers send to themselves, without a list."""
    day = view.local_date.isoformat()
    return MessageKind(
        fields={},
        feedback=f"{day}:{view.list_name}:digest",
        language=spoken_or_english(view.language),
        seed=f"{day}/{view.list_name}",
    )


def notice_fields(view: NoticeView) -> MessageKind:
    """Return the header fields of a notice, which has no list headers."""
    return MessageKind(
        fields=_reply_to(view),
        feedback=f"{view.kind}:notice",
        language=spoken_or_english(view.language),
        seed=view.public_url,
    )


def _reply_to(view: DigestView | NoticeView) -> dict[str, list[str]]:
    """Return the Reply-To field if the list has its own address for replies."""
    return {"Reply-To": [f"<{view.reply_to}>"]} if is_address(view.reply_to) else {}


def _list_owner(sender: Sender) -> str:
    """Return the contact, or the sender's address without one."""
    contact = sender.sender_identity.contact
    if contact.startswith(("https://", "http://")):
        return web_value(contact)
    return f"<mailto:{contact if is_address(contact) else sender.address}>"


# Quoted-printable (RFC 2045 section 6.7) with strings that soft line breaks do not split.
#
# Tokens have a fixed length and only literal characters, so a body encoded with placeholders has
# its soft breaks exactly where a body with the real tokens has them.

LINE = 76
_LONGEST_TOKEN = 60
_LITERAL = frozenset(range(33, 127)) - {ord("=")} | {ord(" "), ord("\t"), ord("\n")}
_TABLE = {byte: f"={byte:02X}" for byte in range(256) if byte not in _LITERAL}
_END_SPACE = {" ": "=20", "\t": "=09"}
_NO_MATCH = re.compile("(?!)")
_UNUSUAL = re.compile("[^!-<>-~ \\t\\n]+")
_ESCAPED_STARTS = frozenset({".", "F", ""})


def encode(text: str, *, unbroken: Collection[str] = ()) -> str:
    """Return `text` as ASCII lines of at most 76 characters joined by CRLF.

    Line ends of `text` are `\\n`. No soft break splits one of `unbroken`, each at most 60 ASCII
    letters, digits, `-` and `_`. Lines never start with a full stop or `From `, which some mail
    systems rewrite.
    """
    tokens = _token_pattern(tuple(sorted(unbroken))) if unbroken else _NO_MATCH
    octets = text if text.isascii() else text.encode().decode("latin-1")
    escaped = _UNUSUAL.sub(lambda found: found[0].translate(_TABLE), octets)
    return "\r\n".join([_break_line(line, tokens) for line in escaped.split("\n")])


@lru_cache(maxsize=64)
def _token_pattern(words: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(map(re.escape, words)))


def _break_line(line: str, tokens: re.Pattern[str]) -> str:
    """Break an escaped line that is too long, and escape a critical start or a space at its end."""
    if len(line) <= LINE and line[:1] not in _ESCAPED_STARTS and line[-1] not in _END_SPACE:
        return line
    rest = _escape_start(line)
    if rest[-1:] in _END_SPACE:
        rest = rest[:-1] + _END_SPACE[rest[-1]]
    lines = []
    while len(rest) > LINE:
        cut = _break_position(rest, tokens)
        lines.append(rest[:cut] + "=")
        rest = _escape_start(rest[cut:])
    lines.append(rest)
    return "\r\n".join(lines)


def _break_position(line: str, tokens: re.Pattern[str]) -> int:
    """Return the last position before column 76 that splits neither an escape nor a token."""
    cut = LINE - 1
    escape = line.rfind("=", cut - 2, cut)
    if escape >= 0:
        cut = escape
    if tokens is _NO_MATCH:
        return cut
    for match in tokens.finditer(line, 0, cut + _LONGEST_TOKEN):
        if match.start() < cut < match.end():
            return match.start()
    return cut


def _escape_start(line: str) -> str:
    if line.startswith("."):
        return "=2E" + line[1:]
    if line.startswith("From "):
        return "=46" + line[1:]
    return line
