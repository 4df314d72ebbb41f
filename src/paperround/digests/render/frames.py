"""Cache the header, head and foot of digests, and their rendered papers.

A frame is a `%` format that is filled twice: first with values that depend on the first papers
(the subject, the boundary derived from it, the lines of HTML with subject and preheader), then
with the reader's own values.
"""

import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import NamedTuple

from markupsafe import Markup

from paperround.core.errors import RenderingFailed
from paperround.core.i18n.locale import locale_for
from paperround.core.languages import spoken_or_english
from paperround.core.tokens import TOKEN_LENGTH
from paperround.digests.model import DigestPaper, DigestView, PersonalLinks, Rendered
from paperround.digests.render.headers import text_field
from paperround.digests.render.message import (
    Addressing,
    MessageKind,
    Sender,
    are_ready,
    boundary_of,
    encode,
    message_bytes,
    web_value,
)
from paperround.digests.render.templates import Parts, Templates, reason_line
from paperround.digests.render.view import (
    clean_paper,
    clean_view,
    parts_of,
    preheader_of,
    subject_of,
    with_gist,
)
from paperround.subscribers.addresses import is_address

# Cards are the papers of digests, rendered and encoded once.
#
# A card consists of whole lines, so quoted-printable breaks it the same alone and in a message.
# Encoded lines are `%` formats with the tokens of the reader's links as names.

MOST_CARDS = 6_000
"""Cards cached, about 5 kB each."""

TOKENS = ("unsubscribe", "preferences", "one_click", "feedback")
"""The links of a reader that end in a token."""


def random_mark() -> str:
    """Return a random placeholder as long as a token, so that lines break at the same places."""
    return secrets.token_hex(TOKEN_LENGTH // 2)


MARKS = {name: random_mark() for name in TOKENS}
"""The placeholders of the tokens while templates are rendered."""


class FrameStyle(NamedTuple):
    """How papers are shown: language, length of gists, feedback link without token, or ""."""

    language: str
    gist: int
    feedback_url: str


class Card(NamedTuple):
    """A rendered paper. `size` is the length of its HTML in bytes before encoding."""

    title: str
    gist: str
    reason: str
    text: bytes
    html: bytes
    size: int


@lru_cache(maxsize=MOST_CARDS)
def render_card(templates: Templates, style: FrameStyle, number: int, paper: DigestPaper) -> Card:
    """Return the card of `paper` as number `number` of a digest. Raises RenderingFailed."""
    locale = locale_for(style.language)
    shown = with_gist(clean_paper(paper, locale), style.gist)
    feedback_url = style.feedback_url and style.feedback_url + MARKS["feedback"]
    text, rows = templates.card(style.language, number, shown, feedback_url)
    html = templates.inlined(rows)
    return Card(
        title=shown.title,
        gist=shown.gist,
        reason=reason_line(locale, paper.reason),
        text=encoded(text),
        html=encoded(html),
        size=len(html.encode()),
    )


def encoded(text: str) -> bytes:
    """Return `text` (with a final line end) in quoted-printable, as a format."""
    content = encode(text, unbroken=MARKS.values()).encode("ascii")
    return as_format(check_wire_ready(content), MARKS)


def check_wire_ready(lines: bytes) -> bytes:
    """Return `lines`; raise RenderingFailed unless SMTP can send them unchanged."""
    if not are_ready(lines):
        raise RenderingFailed("a line does not end in CRLF, or begins with a full stop")
    return lines


def as_format(content: bytes, marks: Mapping[str, str]) -> bytes:
    """Return `content` as a format with a named slot in place of each mark."""
    content = content.replace(b"%", b"%%")
    for name, mark in marks.items():
        content = content.replace(mark.encode("ascii"), b"%%(%b)b" % name.encode("ascii"))
    return content


_MOST_LINES = 5_000
"""Lines of HTML and header fields cached; about 500 bytes each."""

_MOST_SUBJECTS = 1_000
"""Subjects cached, each with its frame."""

_ADDRESSING = Addressing(*(random_mark() for _ in Addressing._fields))
_SUBJECT, _TITLE, _PREHEADER, _CARDS = (random_mark() for _ in range(4))
_SEAM = re.compile(rf"(?:<!--)?{_CARDS}(?:-->)?\r\n".encode("ascii"))
_ESCAPED = str.maketrans({"&": "&amp;", "\xa0": "&nbsp;", "<": "&lt;", ">": "&gt;"})
"""How the inliner escapes characters of text (HTML standard, 13.3, escaping a string)."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Frame:
    """The frame of digests that differ only in papers and readers.

    `pieces` are the formats before the text cards, between text and HTML cards, and after them.
    `title` and `preheader` are lines of HTML with a mark for their content, `size` is the length
    in bytes of the other lines before encoding.
    """

    templates: Templates
    view: DigestView
    seed: str
    title: str
    preheader: str
    pieces: Sequence[bytes]
    size: int

    def digest(self, cards: Sequence[Card]) -> tuple[tuple[bytes, ...], int]:
        """Return the digest as pieces of a format for a reader's values, and the length in bytes
        of its HTML before encoding. Raises RenderingFailed."""
        subject = _render_subject(self, cards[0].title)
        title, title_size = _fill_line(self.title, _TITLE, subject)
        after = [card.title for card in cards[1:3]]
        text = preheader_of(self.view.language, after, cards[0].gist or cards[0].reason)
        preheader, preheader_size = _fill_line(self.preheader, _PREHEADER, text)
        opening = {b"title": title, b"preheader": preheader, **_subject_values(self.seed, subject)}
        before, between, end = [piece % opening for piece in self.pieces]
        texts, htmls = [card.text for card in cards], [card.html for card in cards]
        size = self.size + title_size + preheader_size + sum([card.size for card in cards])
        return (before, *texts, between, *htmls, end), size


@lru_cache(maxsize=_MOST_SUBJECTS)
def _render_subject(frame: Frame, title: str) -> str:
    return subject_of(frame.templates, frame.view, title)


@lru_cache(maxsize=_MOST_LINES)
def _subject_values(seed: str, subject: str) -> Mapping[bytes, bytes]:
    """Return the values in the header that depend on the subject."""
    field = text_field("Subject", subject).removeprefix("Subject: ").removesuffix("\r\n")
    return {
        b"subject": as_format(field.encode("ascii"), {}),
        b"boundary": boundary_of(seed, subject).encode("ascii"),
    }


@lru_cache(maxsize=_MOST_LINES)
def _fill_line(line: str, mark: str, words: str) -> tuple[bytes, int]:
    """Return a line of HTML with `words` for `mark`, encoded, and its bytes before encoding."""
    filled = line.replace(mark, words.translate(_ESCAPED)) + "\n"
    return encoded(filled).removesuffix(b"\r\n"), len(filled.encode())


def render_frame(templates: Templates, sender: Sender, view: DigestView, *, by_mail: bool) -> Frame:
    """Return the frame of digests like `view`; `by_mail` says if one can unsubscribe by email.

    Raises RenderingFailed for an invalid value.
    """
    # Put marks in place of the tokens of the links.
    links = {name: getattr(view.links, name)[:-TOKEN_LENGTH] + MARKS[name] for name in TOKENS}
    marked = replace(view, links=PersonalLinks(**links))
    clean = clean_view(marked)
    cards = Parts(f"{_CARDS}\n", Markup(f"<!--{_CARDS}-->\n"))  # noqa: S704 - our own mark
    text, html = parts_of(templates, clean, cards, subject=_TITLE, preheader=_PREHEADER)
    title, preheader = (_find_line(mark, html) for mark in (_TITLE, _PREHEADER))
    html = html.replace(title, _TITLE).replace(preheader, _PREHEADER)
    addressing = _ADDRESSING if by_mail else _ADDRESSING._replace(unsubscribe_mail="")
    kind = digest_fields(marked, addressing, sender)
    content = message_bytes(
        rendered=Rendered(subject=_SUBJECT, preheader="", text=text, html=html),
        addressing=addressing,
        sender=sender,
        kind=kind,
        unbroken=MARKS.values(),
    )
    opening = {
        "title": _TITLE,
        "preheader": _PREHEADER,
        "subject": _SUBJECT,
        "boundary": boundary_of(kind.seed, _SUBJECT),
    }
    personal = as_format(check_wire_ready(content), MARKS | _ADDRESSING._asdict())
    return Frame(
        templates=templates,
        view=clean,
        seed=kind.seed,
        title=title,
        preheader=preheader,
        pieces=_SEAM.split(as_format(personal, opening)),
        size=len(html.encode()) - len(f"{_TITLE}\n{_PREHEADER}\n{cards.html}"),
    )


def _find_line(mark: str, html: str) -> str:
    (line,) = (line for line in html.split("\n") if mark in line)
    return line


# The list header fields of digests.
#
# RFC 2369 and 2919 (lists), 5064 (Archived-At) and 8058 (one-click unsubscribing).

_LIST_LABEL = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?")


def digest_fields(view: DigestView, addressing: Addressing, sender: Sender) -> MessageKind:
    """Return the header fields of a digest. Raises RenderingFailed for an invalid value."""
    public = sender.sender_identity.public_url.rstrip("/")
    leave = [web_value(view.links.one_click)]
    if addressing.unsubscribe_mail:
        leave.append(f"<{addressing.unsubscribe_mail}>")
    # RFC 2919: a stable name below our own host.
    if _LIST_LABEL.fullmatch(view.list_name) is None:
        raise RenderingFailed("the list's name must be ASCII letters, digits and hyphens")
    return MessageKind(
        fields={
            "List-Id": [f"<{view.list_name}.{sender.host}>"],
            "List-Unsubscribe": leave,
            "List-Unsubscribe-Post": ["List-Unsubscribe=One-Click"],
            "List-Help": [web_value(f"{public}/")],
            "List-Owner": [_list_owner(sender)],
            "List-Archive": [web_value(f"{public}/editions")],
            "List-Post": ["NO"],
            "Archived-At": [web_value(view.web_url)],
        },
        feedback=f"{view.local_date.isoformat()}:{view.list_name}:digest",
        language=spoken_or_english(view.language),
        seed=view.web_url,
    )


def _list_owner(sender: Sender) -> str:
    """Return the contact, or the sender's address without one."""
    contact = sender.sender_identity.contact
    if contact.startswith(("https://", "http://")):
        return web_value(contact)
    return f"<mailto:{contact if is_address(contact) else sender.address}>"
