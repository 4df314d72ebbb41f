"""Compose digests, caching the parts that messages share.

    view ──► frame: header, head and foot ─────────┐
    paper ─► card: rendered, inlined and encoded ──┴► digest: a format ─┐
    mail ──► addressing and four tokens, checked ───────────────────────┴► message ─► signed

Readers with the same papers share a digest, a `%` format filled with each reader's values. The
bytes equal those of a message built without sharing (`tests/digests/alone.py`).

The canonical form for DKIM is computed once, as a format too: a reader's values hold no blanks
that canonicalisation would change. Line ends and dots are also checked once: a reader's values
hold no line ends, tokens have no full stop, and the others follow the name of a header field.
"""

import re
from collections.abc import Callable
from copy import copy
from dataclasses import fields
from functools import lru_cache
from operator import attrgetter
from typing import Any

from paperround.core.errors import RenderingFailed
from paperround.core.sender import SenderIdentity
from paperround.core.tokens import TOKEN_LENGTH
from paperround.delivery.dkim.signer import Signable, Signer, canonical_lines, prepared
from paperround.delivery.model import WireReady
from paperround.delivery.system_mail_model import NoticeMail
from paperround.digests.model import DigestMail, DigestView, Rendered
from paperround.digests.render.frames import (
    MOST_CARDS,
    TOKENS,
    Frame,
    FrameStyle,
    render_card,
    render_frame,
)
from paperround.digests.render.message import Addressing, addressing_of, sender_of
from paperround.digests.render.system_mail import notice_bytes
from paperround.digests.render.templates import Templates
from paperround.digests.render.view import FULLEST_FIRST, HTML_LIMIT, render_digest, require_papers

MOST_FRAMES = 128
"""Frames cached, about 30 kB each: a list's cuts of a day, each in every language with some
digest lengths and withdrawals."""

MOST_DIGESTS = 64
"""Digests cached, about 40 kB each, twice that when signed."""

_TOKENS = re.compile(rf"(?:[A-Za-z0-9_-]{{{TOKEN_LENGTH}}}\n){{{len(TOKENS)}}}")
_SLOTS = tuple(name.encode("ascii") for name in (*TOKENS, *Addressing._fields))
_PREFIX = slice(None, -TOKEN_LENGTH)
_NOT_IN_FRAME = ("links", "papers")
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
        self._templates = templates or Templates()
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
        return render_digest(self._templates, view)

    def compose(self, mail: DigestMail) -> bytes:
        """Return the message with CRLF line ends. Raises RenderingFailed with the reason."""
        values, key = _split_mail(mail)
        pieces, signer = self._digest(key), self._signer()
        message = b"".join(pieces) % values  # wire-ready, as all its pieces are checked
        if signer is None:
            return WireReady(message)
        names, head, body = _canonical_format(pieces)
        signable = Signable(names, head % values, body % values)
        return WireReady(signer.fields(signable, mail.dated) + message)

    def compose_notice(self, mail: NoticeMail) -> bytes:
        """Return a notice with CRLF line ends. Raises RenderingFailed with the reason."""
        content, signer = notice_bytes(self._templates, mail, self._sender), self._signer()
        return content if signer is None else signer.sign(content, mail.dated)

    def _build_frame(self, key: _CacheKey) -> Frame:
        by_mail = bool(key.mail.list_unsubscribe_mail)
        return render_frame(self._templates, self._sender, key.mail.view, by_mail=by_mail)

    def _lay_out(self, key: _CacheKey) -> tuple[bytes, ...]:
        """Return a digest as pieces of a format, as full as the limit of its HTML allows."""
        view = key.mail.view
        require_papers(view)
        frame = self._frame(key[0])
        for gist, has_feedback in FULLEST_FIRST:
            style = FrameStyle(
                frame.view.language, gist, view.links.feedback[_PREFIX] if has_feedback else ""
            )
            numbered = enumerate(view.papers, start=1)
            cards = [render_card(self._templates, style, *one) for one in numbered]
            pieces, size = frame.digest(cards)
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
    links = (personal.unsubscribe, personal.preferences, personal.one_click, personal.feedback)
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
    key = _CacheKey.of(mail, _CacheKey.of(mail, *shared), *map(id, view.papers))
    return dict(zip(_SLOTS, values, strict=True)), key
