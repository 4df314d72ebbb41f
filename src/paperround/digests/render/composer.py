"""Compose digests, caching the parts that messages share.

    view ──► frame: header, head and foot ─────────┐
    paper ─► card: rendered, inlined and encoded ──┴► digest: a format ─┐
    mail ──► addressing and three tokens, checked ──────────────────────┴► message ─► signed

Readers with the same papers share a digest, a `%` format filled with each reader's values. The
bytes equal those of a message built without sharing (`tests/digests/alone.py`).

The canonical form for DKIM is computed once, as a format too: a reader's values hold no blanks
that canonicalisation would change. Line ends and dots are also checked once: a reader's values
hold no line ends, tokens have no full stop, and the others follow the name of a header field.
"""

import re
import secrets
from collections.abc import Callable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, fields, replace
from functools import lru_cache, partial
from operator import attrgetter
from typing import Any, NamedTuple

from markupsafe import Markup

from paperround.core.errors import RenderingFailed
from paperround.core.i18n.locale import locale_for
from paperround.core.sender import SenderIdentity
from paperround.core.tokens import TOKEN_LENGTH
from paperround.delivery.dkim.signer import Signable, Signer, canonical_lines, prepared
from paperround.delivery.model import WireReady
from paperround.delivery.system_mail_model import NoticeMail
from paperround.digests.model import (
    DigestMail,
    DigestPaper,
    DigestView,
    PersonalLinks,
    Rendered,
)
from paperround.digests.render.facts import reason_line
from paperround.digests.render.headers import text_field
from paperround.digests.render.message import (
    Addressing,
    MessageKind,
    Sender,
    addressing_of,
    boundary_of,
    check_wire_ready,
    digest_fields,
    encode,
    message_bytes,
    notice_fields,
    own_fields,
    sender_named,
    sender_of,
)
from paperround.digests.render.templates import Line, Parts, RisenLine, Templates
from paperround.digests.render.view import (
    FULLEST_FIRST,
    HTML_LIMIT,
    LEADS,
    Fullness,
    clean_paper,
    clean_view,
    entry_of,
    in_place,
    lines_after,
    lines_before,
    parts_of,
    preheader_of,
    render_digest,
    render_notice,
    require_papers,
    section_lines,
    sections_of,
    subject_of,
    with_gist,
)

# Cards are the papers of digests, rendered and encoded once.
#
# A card consists of whole lines, so quoted-printable breaks it the same alone and in a message.
# Encoded lines are `%` formats with the tokens of the reader's links as names.

MOST_CARDS = 6_000
"""Cards cached, about 5 kB each."""

TOKENS = ("unsubscribe", "preferences", "feedback")
"""The reader's links that end in a token."""


def random_mark() -> str:
    """Return a random placeholder as long as a token, so that lines break at the same places."""
    return secrets.token_hex(TOKEN_LENGTH // 2)


MARKS = {name: random_mark() for name in TOKENS}
"""The placeholders of the tokens while templates are rendered."""


class FrameStyle(NamedTuple):
    """How papers are shown: language, length of gists, feedback link without token, or ""."""

    language: str
    fullness: Fullness
    feedback_url: str


class EncodedPart(NamedTuple):
    """Encoded lines of both parts. `size` is the length of the HTML in bytes before encoding."""

    text: bytes
    html: bytes
    size: int


class Card(NamedTuple):
    """A rendered paper with its line in the contents, and what subject and preheader take."""

    title: str
    gist: str
    reason: str
    entry: EncodedPart
    piece: EncodedPart


@lru_cache(maxsize=MOST_CARDS)
def render_card(templates: Templates, style: FrameStyle, number: int, paper: DigestPaper) -> Card:
    """Return the card of `paper` as number `number` of a digest. Raises RenderingFailed."""
    locale = locale_for(style.language)
    shown = with_gist(clean_paper(paper, locale), number, style.fullness)
    feedback_url = style.feedback_url and style.feedback_url + MARKS["feedback"]
    parts = templates.card(style.language, number, shown, feedback_url, is_lead=number <= LEADS)
    reason = reason_line(locale, paper.reason)
    entry = render_line(templates, style.language, entry_of(locale, number, shown))
    return Card(shown.title, shown.gist, reason, entry, _piece(templates, parts))


@lru_cache(maxsize=MOST_CARDS)
def render_line(templates: Templates, language: str, line: Line | RisenLine) -> EncodedPart:
    """Return a line of the contents, or a heading. Raises RenderingFailed."""
    return _piece(templates, templates.line(language, line))


def _piece(templates: Templates, parts: Parts) -> EncodedPart:
    html = templates.inlined(parts.html)
    return EncodedPart(encoded(parts.text), encoded(html), len(html.encode()))


def encoded(text: str) -> bytes:
    """Return `text` (with a final line end) in quoted-printable, as a format."""
    content = encode(text, unbroken=MARKS.values()).encode("ascii")
    return as_format(check_wire_ready(content), MARKS)


def as_format(content: bytes, marks: Mapping[str, str]) -> bytes:
    """Return `content` as a format with a named slot in place of each mark."""
    content = content.replace(b"%", b"%%")
    for name, mark in marks.items():
        content = content.replace(mark.encode("ascii"), b"%%(%b)b" % name.encode("ascii"))
    return content


# A frame is the header, head and foot of digests: a `%` format that is filled twice, first with the
# values that depend on the first papers (the subject, the boundary derived from it, the lines of
# HTML with subject and preheader), then with the reader's own values.

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

    `pieces` are the formats before the text of the papers, between text and HTML, and after them.
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

    def digest(
        self, cards: Sequence[Card], inner: Sequence[EncodedPart]
    ) -> tuple[tuple[bytes, ...], int]:
        """Return the digest with these `inner` pieces, as pieces of a format for a reader's values,
        and the length in bytes of its HTML before encoding. Raises RenderingFailed."""
        subject = _render_subject(self, cards[0].title)
        title, title_size = _fill_line(self.title, _TITLE, subject)
        after = [card.title for card in cards[1:3]]
        text = preheader_of(self.view.language, after, cards[0].gist or cards[0].reason)
        preheader, preheader_size = _fill_line(self.preheader, _PREHEADER, text)
        opening = {b"title": title, b"preheader": preheader, **_subject_values(self.seed, subject)}
        before, between, end = [piece % opening for piece in self.pieces]
        texts, htmls = [piece.text for piece in inner], [piece.html for piece in inner]
        size = self.size + title_size + preheader_size + sum([piece.size for piece in inner])
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


# Digests are laid out from a frame and cards, and filled for each reader.

MOST_FRAMES = 128
"""Frames cached, about 30 kB each: a list's cuts of a day, each in every language with some
digest lengths and withdrawals."""

MOST_DIGESTS = 64
"""Digests cached, about 40 kB each, twice that when signed."""

_TOKENS = re.compile(rf"(?:[A-Za-z0-9_-]{{{TOKEN_LENGTH}}}\n){{{len(TOKENS)}}}")
_SLOTS = tuple(name.encode("ascii") for name in (*TOKENS, *Addressing._fields))
_PREFIX = slice(None, -TOKEN_LENGTH)
_NOT_IN_FRAME = ("links", "papers", "new_papers", "risen")
_frame_values = attrgetter(*(f.name for f in fields(DigestView) if f.name not in _NOT_IN_FRAME))
_canonical = lru_cache(maxsize=2 * MOST_CARDS)(canonical_lines)


class _CacheKey(tuple[Any, ...]):
    """A cache key of values that messages share, with one of these messages.

    The message keeps its papers alive, so that their ids stay unique.
    """

    mail: DigestMail

    @classmethod
    def of(cls, mail: DigestMail, *values: object) -> "_CacheKey":
        """Return the key with these values."""
        key = cls(values)
        key.mail = mail
        return key


class MailRenderer:
    """The Renderer of an installation.

    `signer` is called for each message and returns its signer, or None. Raises Misconfigured for
    an invalid `sender_identity`.
    """

    def __init__(
        self,
        sender_identity: SenderIdentity,
        templates: Templates | None = None,
        signer: Callable[[], Signer | None] = lambda: None,
    ) -> None:
        self._sender = sender_of(sender_identity)
        self._templates = templates or Templates(colour=sender_identity.colour)
        self._signer = signer
        self._frame = lru_cache(maxsize=MOST_FRAMES)(self._build_frame)
        self._digest = lru_cache(maxsize=MOST_DIGESTS)(self._lay_out)

    def signed_by(self, signer: Signer | None) -> "MailRenderer":
        """Return a copy that signs with `signer`, or not, and shares the caches."""
        other = copy(self)
        other._signer = lambda: signer  # noqa: SLF001 - a copy of itself
        return other

    def render(self, view: DigestView) -> Rendered:
        """Return subject, preheader, text and HTML of a view."""
        return render_digest(self._templates.in_colour(view.colour), view)

    def compose(self, mail: DigestMail) -> bytes:
        """Return the message with CRLF line ends. Raises RenderingFailed with the reason."""
        if not mail.view.links.unsubscribe:
            return self._compose_alone(mail, self.render(mail.view), own_fields(mail.view))
        values, key = _split_mail(mail)
        digest, signer = self._digest(key), self._signer()
        message = b"".join(digest) % values  # wire-ready, as all its pieces are checked
        if signer is None:
            return WireReady(message)
        names, head, body = _canonical_format(digest)
        signable = Signable(names, head % values, body % values)
        return WireReady(signer.fields(signable, mail.dated) + message)

    def compose_notice(self, mail: NoticeMail) -> bytes:
        """Return a notice with CRLF line ends. Raises RenderingFailed with the reason."""
        rendered = render_notice(self._templates.in_colour(mail.view.colour), mail.view)
        return self._compose_alone(mail, rendered, notice_fields(mail.view))

    def _compose_alone(
        self, mail: DigestMail | NoticeMail, rendered: Rendered, kind: MessageKind
    ) -> bytes:
        """Return a message that shares nothing with others."""
        signer = self._signer()
        content = message_bytes(
            rendered=rendered,
            addressing=addressing_of(mail.recipient, mail.message_id, mail.dated),
            sender=sender_named(self._sender, mail.view.from_name),
            kind=kind,
        )
        return content if signer is None else signer.sign(content, mail.dated)

    def _build_frame(self, key: _CacheKey) -> Frame:
        by_mail = bool(key.mail.list_unsubscribe_mail)
        view = key.mail.view
        sender = sender_named(self._sender, view.from_name)
        return render_frame(self._templates.in_colour(view.colour), sender, view, by_mail=by_mail)

    def _lay_out(self, key: _CacheKey) -> tuple[bytes, ...]:
        """Return a digest as pieces of a format, as full as the limit of its HTML allows."""
        view = key.mail.view
        require_papers(view)
        frame = self._frame(key[0])
        language, templates = frame.view.language, frame.templates
        sections = sections_of(view.papers)
        for fullness in FULLEST_FIRST:
            feedback_url = view.links.feedback[_PREFIX] if fullness.has_feedback else ""
            style = FrameStyle(language, fullness, feedback_url)
            numbered = enumerate(view.papers, start=1)
            cards = [render_card(templates, style, *one) for one in numbered]
            marked_url = feedback_url and feedback_url + MARKS["feedback"]
            render = partial(render_line, templates, language)
            inner = [
                *map(render, lines_before(language, view)),
                *in_place(
                    section_lines(language, *sections, view.period),
                    [card.entry for card in cards],
                    [card.piece for card in cards],
                    render,
                ),
                *map(render, lines_after(language, view, marked_url)),
            ]
            pieces, size = frame.digest(cards, inner)
            if size <= HTML_LIMIT:
                break
        return pieces


@lru_cache(maxsize=MOST_DIGESTS)
def _canonical_format(pieces: tuple[bytes, ...]) -> Signable:
    """Return the canonical form of the format that `pieces` make."""
    head, end, first = pieces[0].partition(b"\r\n\r\n")
    names, canonical, _ = prepared(head + end)
    return Signable(names, canonical, b"".join(map(_canonical, (first, *pieces[1:]))))


def _split_mail(mail: DigestMail) -> tuple[dict[bytes, bytes], _CacheKey]:
    """Return the reader's values by slot, and the digest's cache key. Raises RenderingFailed."""
    view, personal = mail.view, mail.view.links
    links = (personal.unsubscribe, personal.preferences, personal.feedback)
    tokens = [link[-TOKEN_LENGTH:] for link in links]
    if _TOKENS.fullmatch("\n".join((*tokens, ""))) is None:
        raise RenderingFailed("a link of the reader's does not end in a token")
    leave = mail.list_unsubscribe_mail or ""
    addressing = addressing_of(mail.recipient, mail.message_id, mail.dated, leave)
    values = "\n".join((*tokens, *addressing)).encode("ascii").split(b"\n")
    shared = (
        *[link[_PREFIX] for link in links],
        leave == "",
        len(view.papers),
        _frame_values(view),
    )
    own = view.new_papers, view.risen
    key = _CacheKey.of(mail, _CacheKey.of(mail, *shared), *own, *map(id, view.papers))
    return dict(zip(_SLOTS, values, strict=True)), key
