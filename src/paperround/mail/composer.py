"""Turns digests into bytes, and does once whatever is the same in several of them.

    view ──► frame: header, head and foot, with marks for what a reader has alone ┐
    paper ─► card: rendered, inlined and encoded alone, with a mark for the token ├► join ─► signed
    mail ──► addressing and four tokens, guarded ─────────────────────────────────┘

A digest is one join of its frame, its cards in their order, and its reader's values. Where several
readers get the same papers, what they share is joined once, and each of them is a shorter join. The
bytes are those that `compose_alone` builds without sharing anything.

What a DKIM signature covers is made canonical once, and cut at the same places: a reader's values
hold no blanks that canonicalisation would change, so a signature costs a join, a hash and a key.

So it is with the wire. Whatever is shared is checked once, line by line. A reader's values hold no
line ends; tokens have no full stop, and the others stand behind the name of a header field. What is
joined of these needs no second look.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from copy import copy
from dataclasses import fields
from datetime import datetime
from operator import attrgetter
from typing import Any, NamedTuple

from paperround.domain.deliveries import WireReady
from paperround.domain.digests import DigestMail, DigestPaper, DigestView, Letterhead, Rendered
from paperround.domain.languages import LANGUAGES
from paperround.domain.notices import NoticeMail
from paperround.domain.tokens import TOKEN_LENGTH
from paperround.languages.tongue import tongue
from paperround.mail.cards import Deck, PlacedCard
from paperround.mail.dkim import Signer
from paperround.mail.frames import Frame, Opening, frame_of
from paperround.mail.listing import digest_particulars
from paperround.mail.message import (
    Addressing,
    addressing_of,
    message_bytes,
    sender_of,
)
from paperround.mail.notices import notice_bytes
from paperround.mail.pieces import Recent, Tokens, Whole, require_ready, whole
from paperround.mail.render import FULLEST_FIRST, HTML_LIMIT, digest_words, require_papers
from paperround.mail.templates import Templates

MOST_FRAMES = 128
"""Frames kept, about 30 kB each, and 1 kB for each subject and preheader: a list's cuts of a day,
each in every language with some lengths of digests and some withdrawals to tell of."""

MOST_GROUPS = 64
"""Digests kept that several readers share, about 40 kB each, twice that when they are signed."""

_MOST_SEEN = MOST_GROUPS
"""How many digests back one must have been made that is taken for one that several readers share:
no further than they are kept, since cutting one costs as much as joining ten."""

_MOST_DECKS = 2 * len(FULLEST_FIRST) * len(LANGUAGES)
_TOKENS = re.compile(rf"(?:[A-Za-z0-9_-]{{{TOKEN_LENGTH}}}\n){{{len(Tokens._fields)}}}")
_PREFIX = slice(None, -TOKEN_LENGTH)
_OWN = ("links", "papers")
_framing = attrgetter(*(f.name for f in fields(DigestView) if f.name not in _OWN))
_feedback = Tokens._fields.index("feedback")


class _Personal(NamedTuple):
    """What of a mail is its reader's alone, and the key of the frame it goes into."""

    addressing: Addressing
    tokens: Tokens
    frame: tuple[Any, ...]

    def values(self) -> list[bytes]:
        """In the order of the slots."""
        return "\n".join((*self.tokens, *self.addressing)).encode("ascii").split(b"\n")


class _Group(NamedTuple):
    """A digest that several readers share. It holds its papers, so that no others have their
    identities."""

    papers: tuple[DigestPaper, ...]
    digest: Whole


def _unsigned() -> None:
    return None


class MailRenderer:
    """The Renderer of an installation.

    `signer` is asked for each mail who signs it, if anybody does. Raises Misconfigured when
    `letterhead` cannot stand in a mail.
    """

    def __init__(
        self,
        letterhead: Letterhead,
        templates: Templates | None = None,
        signer: Callable[[], Signer | None] = _unsigned,
    ) -> None:
        self._sender = sender_of(letterhead)
        self._templates = templates or Templates()
        self._signer = signer
        self._frames = Recent[tuple[Any, ...], Frame](MOST_FRAMES)
        self._decks = Recent[tuple[int, str, str, bool], Deck](_MOST_DECKS)
        self._groups = Recent[tuple[Frame, tuple[int, ...]], _Group](MOST_GROUPS)
        self._seen = Recent[tuple[Frame, tuple[int, ...]], bool](_MOST_SEEN)

    def signed_by(self, signer: Signer | None) -> "MailRenderer":
        """One that signs every mail with `signer`, or none, and shares all else with this one."""
        other = copy(self)
        other._signer = lambda: signer  # noqa: SLF001 - a copy of itself
        return other

    def render(self, view: DigestView) -> Rendered:
        """Subject, preheader, text and HTML, from one view."""
        return digest_words(self._templates, view)

    def compose(self, mail: DigestMail) -> bytes:
        """The message, CRLF line ends; raises RenderingFailed with the reason. What is joined of
        checked pieces is WireReady."""
        personal = _personal(mail)
        if personal is None:
            return self.compose_alone(mail)
        view, values = mail.view, personal.values()
        require_papers(view)
        frame = self._frame(view, personal)
        key = (frame, tuple(map(id, view.papers)))
        group = self._groups.get(key)
        if group is None and not self._seen.get(key):
            self._seen.keep(key, value=True)
            return self._of_cards(frame, view, values, mail.dated)
        group = group or self._groups.keep(key, self._group(frame, view))
        message = group.digest.message.fill(values)
        signer = self._signer()
        if signer is None:
            return WireReady(message)
        return _signed(signer.fields(group.digest.signable(values), mail.dated), message)

    def compose_alone(self, mail: DigestMail) -> bytes:
        """The same bytes without sharing: for links that hold no token of 40 characters too."""
        personal = _personal(mail)
        tokens = personal.tokens if personal else ()
        return self._signed(self._whole(mail.view, _addressing(mail), tokens), mail.dated)

    def compose_notice(self, mail: NoticeMail) -> bytes:
        """The message of a notice, CRLF line ends; raises RenderingFailed with the reason."""
        return self._signed(notice_bytes(self._templates, mail, self._sender), mail.dated)

    def _signed(self, content: bytes, dated: datetime) -> bytes:
        signer = self._signer()
        return content if signer is None else signer.sign(content, dated)

    def _whole(self, view: DigestView, addressing: Addressing, tokens: Iterable[str]) -> bytes:
        return message_bytes(
            rendered=self.render(view),
            addressing=addressing,
            sender=self._sender,
            particulars=digest_particulars(view, addressing, self._sender),
            unbroken=frozenset(tokens),
        )

    def _frame(self, view: DigestView, personal: _Personal) -> Frame:
        known = self._frames.get(personal.frame)
        if known is not None:
            return known
        by_mail = bool(personal.addressing.unsubscribe_mail)
        made = frame_of(self._templates, self._sender, view, by_mail=by_mail)
        return self._frames.keep(personal.frame, made)

    def _of_cards(
        self, frame: Frame, view: DigestView, values: Sequence[bytes], dated: datetime
    ) -> bytes:
        signer = self._signer()
        opening, cards = self._laid_out(frame, view, signed=signer is not None)
        message = _joined(frame, opening, cards, values)
        if signer is None:
            return WireReady(message)
        token = values[_feedback]
        canonical = frame.digest.signable(
            [*values, *opening.canonical],
            [token.join(card.seen_text) for card in cards],
            [token.join(card.seen_html) for card in cards],
        )
        return _signed(signer.fields(canonical, dated), message)

    def _group(self, frame: Frame, view: DigestView) -> _Group:
        """The digest of `view` cut at its reader's values."""
        marked = _joined(frame, *self._laid_out(frame, view, signed=False), frame.personal)
        return _Group(view.papers, whole(marked, frame.personal))

    def _laid_out(
        self, frame: Frame, view: DigestView, *, signed: bool
    ) -> tuple[Opening, list[PlacedCard]]:
        """As `digest_words` decides: the fullest that keeps the HTML below its limit."""
        for gist, asks in FULLEST_FIRST:
            asked = view.links.feedback[_PREFIX] if asks else ""
            deck = self._deck(gist, asked, frame.clean.language, signed=signed)
            cards = deck.cards(view.papers, frame.write)
            opening = frame.opening(cards)
            if frame.size + opening.size + sum([card.size for card in cards]) <= HTML_LIMIT:
                break
        return opening, cards

    def _deck(self, gist: int, asked: str, language: str, *, signed: bool) -> Deck:
        key = (gist, asked, language, signed)
        known = self._decks.get(key)
        return known or self._decks.keep(key, Deck(gist, asked, tongue(language), signed=signed))


def _personal(mail: DigestMail) -> _Personal | None:
    """None when a link does not end in a token."""
    mine = mail.view.links
    leave, _, leaving = mine.unsubscribe.rpartition("/")
    prefer, _, preferring = mine.preferences.rpartition("/")
    click, _, clicking = mine.one_click.rpartition("/")
    judge, _, judging = mine.feedback.rpartition("/")
    if _TOKENS.fullmatch(f"{leaving}\n{preferring}\n{clicking}\n{judging}\n") is None:
        return None
    addressing = _addressing(mail)
    tokens = Tokens(leaving, preferring, clicking, judging)
    by_mail = bool(addressing.unsubscribe_mail)
    frame = (leave, prefer, click, judge, by_mail, len(mail.view.papers), _framing(mail.view))
    return _Personal(addressing, tokens, frame)


def _addressing(mail: DigestMail) -> Addressing:
    leave = mail.list_unsubscribe_mail or ""
    return addressing_of(mail.recipient, mail.message_id, mail.dated, leave)


def _signed(fields: bytes, message: bytes) -> WireReady:
    require_ready(fields)
    return WireReady(fields + message)


def _joined(
    frame: Frame, opening: Opening, cards: Sequence[PlacedCard], values: Sequence[bytes]
) -> bytes:
    token = values[_feedback]
    return frame.digest.message.fill(
        [*values, *opening.plain],
        [token.join(card.text) for card in cards],
        [token.join(card.html) for card in cards],
    )
