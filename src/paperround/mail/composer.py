"""Turns digests into bytes, sharing all work between readers who get the same papers.

A group of readers has one rendering, one inlining and one encoding: the message is built once
with placeholders where a reader's own values go, and cut there. A reader's message is then one
join of slices. The bytes are those that `compose_alone` builds without sharing anything.

    view ──► tokens masked ──► rendered, inlined, encoded once ──► slices ─┐
    mail ──► addressing and four tokens, guarded ──────────────────────────┴► join ──► signed

What a DKIM signature covers is made canonical once, and cut at the same places: a reader's values
hold no blanks that canonicalisation would change, so a signature costs a join, a hash and a key.
"""

import hashlib
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import fields, replace
from datetime import datetime
from operator import attrgetter, itemgetter
from typing import Any, NamedTuple

from paperround.domain.digests import (
    DigestMail,
    DigestView,
    Letterhead,
    PersonalLinks,
    Rendered,
)
from paperround.domain.notices import NoticeMail
from paperround.domain.tokens import TOKEN_LENGTH
from paperround.mail.dkim import Signable, Signer, prepared
from paperround.mail.listing import digest_particulars
from paperround.mail.message import (
    Addressing,
    addressing_of,
    message_bytes,
    sender_of,
)
from paperround.mail.notices import notice_bytes
from paperround.mail.render import digest_words
from paperround.mail.templates import Templates

_MOST_GROUPS = 16
_TOKENS = 4
_ENDINGS = re.compile(rf"(?:/[A-Za-z0-9_-]{{{TOKEN_LENGTH}}}){{{_TOKENS}}}")
_PREFIX = slice(None, -TOKEN_LENGTH)
_TOKEN = slice(-TOKEN_LENGTH, None)
_ENDING = slice(-TOKEN_LENGTH - 1, None)
_shared_values = attrgetter(*(f.name for f in fields(DigestView) if f.name != "links"))


class _Personal(NamedTuple):
    """What of a mail is its reader's alone, and the key of everything that is not."""

    addressing: Addressing
    tokens: tuple[str, ...]
    group: tuple[Any, ...]


class _Slices(NamedTuple):
    """Bytes cut at their slots: every second piece is a gap, for what `pick` takes out of the
    personal values."""

    pieces: tuple[bytes, ...]
    pick: Callable[[Sequence[bytes]], tuple[bytes, ...]]

    def fill(self, values: Sequence[bytes]) -> bytes:
        whole = list(self.pieces)
        whole[1::2] = self.pick(values)
        return b"".join(whole)


class _Group(NamedTuple):
    """A message, and the same as its signatures see it."""

    key: tuple[Any, ...]
    message: _Slices
    names: tuple[str, ...]
    head: _Slices
    body: _Slices

    def fill(self, personal: _Personal, signer: Signer | None, dated: datetime) -> bytes:
        values = "\n".join((*personal.tokens, *personal.addressing)).encode("ascii").split(b"\n")
        message = self.message.fill(values)
        if signer is None:
            return message
        canonical = Signable(self.names, self.head.fill(values), self.body.fill(values))
        return signer.fields(canonical, dated) + message


def _unsigned() -> None:
    return None


class MailRenderer:
    """The Renderer of an installation. Keeps the last 16 groups it built, for the next readers.

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
        self._groups: tuple[_Group, ...] = ()

    def render(self, view: DigestView) -> Rendered:
        """Subject, preheader, text and HTML, from one view."""
        return digest_words(self._templates, view)

    def compose(self, mail: DigestMail) -> bytes:
        """The message, CRLF line ends; raises RenderingFailed with the reason."""
        personal = _personal(mail)
        if personal is None:
            return self.compose_alone(mail)
        return self._group(mail, personal).fill(personal, self._signer(), mail.dated)

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

    def _group(self, mail: DigestMail, personal: _Personal) -> _Group:
        groups = self._groups
        for group in groups:
            if group.key == personal.group:
                return group
        built = self._built(mail.view, personal)
        self._groups = (built, *groups[: _MOST_GROUPS - 1])
        return built

    def _built(self, view: DigestView, personal: _Personal) -> _Group:
        slots = _placeholders(personal)
        tokens, addressing = slots[:_TOKENS], Addressing(*slots[_TOKENS:])
        if not personal.addressing.unsubscribe_mail:
            addressing = addressing._replace(unsubscribe_mail="")
        masked = replace(view, links=_with_tokens(view.links, tokens))
        return _cut(personal.group, self._whole(masked, addressing, tokens), slots)


def _personal(mail: DigestMail) -> _Personal | None:
    """None when a link does not end in a token."""
    mine = mail.view.links
    leave, prefer, click, judge = mine.unsubscribe, mine.preferences, mine.one_click, mine.feedback
    endings = leave[_ENDING] + prefer[_ENDING] + click[_ENDING] + judge[_ENDING]
    if _ENDINGS.fullmatch(endings) is None:
        return None
    addressing = _addressing(mail)
    tokens = (leave[_TOKEN], prefer[_TOKEN], click[_TOKEN], judge[_TOKEN])
    starts = (leave[_PREFIX], prefer[_PREFIX], click[_PREFIX], judge[_PREFIX])
    by_mail = bool(addressing.unsubscribe_mail)
    return _Personal(addressing, tokens, (starts, by_mail, _shared_values(mail.view)))


def _addressing(mail: DigestMail) -> Addressing:
    leave = mail.list_unsubscribe_mail or ""
    return addressing_of(mail.recipient, mail.message_id, mail.dated, leave)


def _placeholders(personal: _Personal) -> list[str]:
    """One for every slot. Hashes of all shared values: no title can contain its own."""
    seed = repr(personal.group).encode()
    return [
        hashlib.sha256(b"%d\0%b" % (slot, seed)).hexdigest()[:TOKEN_LENGTH]
        for slot in range(_TOKENS + len(Addressing._fields))
    ]


def _with_tokens(links: PersonalLinks, tokens: list[str]) -> PersonalLinks:
    unsubscribe, preferences, one_click, feedback = tokens
    return PersonalLinks(
        unsubscribe=links.unsubscribe[_PREFIX] + unsubscribe,
        preferences=links.preferences[_PREFIX] + preferences,
        one_click=links.one_click[_PREFIX] + one_click,
        feedback=links.feedback[_PREFIX] + feedback,
    )


def _cut(key: tuple[Any, ...], content: bytes, slots: list[str]) -> _Group:
    canonical = prepared(content)
    return _Group(
        key=key,
        message=_slices(content, slots),
        names=canonical.names,
        head=_slices(canonical.head, slots),
        body=_slices(canonical.body, slots),
    )


def _slices(content: bytes, slots: list[str]) -> _Slices:
    pieces = re.split(f"({'|'.join(slots)})".encode(), content)
    order = [slots.index(piece.decode()) for piece in pieces[1::2]]
    return _Slices(tuple(pieces), _picker(order))


def _picker(order: list[int]) -> Callable[[Sequence[bytes]], tuple[bytes, ...]]:
    """Picks by position, in one call of C where there are several."""
    if len(order) < 2:
        return lambda values: tuple(values[at] for at in order)
    pick: Callable[[Sequence[bytes]], tuple[bytes, ...]] = itemgetter(*order)
    return pick
