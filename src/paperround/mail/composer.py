"""Turns digests into bytes, sharing all work between readers who get the same papers.

A group of readers has one rendering, one inlining and one encoding: the message is built once
with placeholders where a reader's own values go, and cut there. A reader's message is then one
join of slices. The bytes are those that `compose_alone` builds without sharing anything.

    view ──► tokens masked ──► rendered, inlined, encoded once ──► slices ─┐
    mail ──► addressing and three tokens, guarded ─────────────────────────┴► join
"""

import hashlib
import re
from collections.abc import Callable
from dataclasses import fields, replace
from operator import attrgetter, itemgetter
from typing import Any, NamedTuple

from paperround.domain.digests import (
    DigestMail,
    DigestView,
    Letterhead,
    PersonalLinks,
    Rendered,
)
from paperround.domain.tokens import TOKEN_LENGTH
from paperround.mail.message import (
    Addressing,
    addressing_of,
    message_bytes,
    sender_of,
)
from paperround.mail.render import DigestTemplates

_MOST_GROUPS = 16
_ENDINGS = re.compile(rf"(?:/[A-Za-z0-9_-]{{{TOKEN_LENGTH}}}){{3}}")
_PREFIX = slice(None, -TOKEN_LENGTH)
_TOKEN = slice(-TOKEN_LENGTH, None)
_ENDING = slice(-TOKEN_LENGTH - 1, None)
_shared_values = attrgetter(*(f.name for f in fields(DigestView) if f.name != "links"))


class _Personal(NamedTuple):
    """What of a mail is its reader's alone, and the key of everything that is not."""

    addressing: Addressing
    tokens: tuple[str, ...]
    group: tuple[Any, ...]


class _Group(NamedTuple):
    """A message cut at its slots: `pick` orders literals and personal values for the join."""

    key: tuple[Any, ...]
    literals: tuple[bytes, ...]
    pick: Callable[[tuple[bytes, ...]], tuple[bytes, ...]]

    def fill(self, personal: _Personal) -> bytes:
        values = "\n".join((*personal.tokens, *personal.addressing)).encode("ascii").split(b"\n")
        return b"".join(self.pick((*self.literals, *values)))


class MailRenderer:
    """The Renderer of an installation. Keeps the last 16 groups it built, for the next readers.

    Raises Misconfigured when `letterhead` cannot stand in a mail.
    """

    def __init__(self, letterhead: Letterhead, templates: DigestTemplates | None = None) -> None:
        self._sender = sender_of(letterhead)
        self._templates = templates or DigestTemplates()
        self._groups: tuple[_Group, ...] = ()

    def render(self, view: DigestView) -> Rendered:
        """Subject, preheader, text and HTML, from one view."""
        return self._templates.render(view)

    def compose(self, mail: DigestMail) -> bytes:
        """The message, CRLF line ends; raises RenderingFailed with the reason."""
        personal = _personal(mail)
        if personal is None:
            return self.compose_alone(mail)
        return self._group(mail, personal).fill(personal)

    def compose_alone(self, mail: DigestMail) -> bytes:
        """The same bytes without sharing: for links that hold no token of 40 characters too."""
        personal = _personal(mail)
        return message_bytes(
            view=mail.view,
            rendered=self.render(mail.view),
            addressing=addressing_of(mail),
            sender=self._sender,
            unbroken=frozenset(personal.tokens if personal else ()),
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
        links, addressing = slots[:3], Addressing(*slots[3:])
        if not personal.addressing.unsubscribe_mail:
            addressing = addressing._replace(unsubscribe_mail="")
        masked = replace(view, links=_with_tokens(view.links, links))
        content = message_bytes(
            view=masked,
            rendered=self.render(masked),
            addressing=addressing,
            sender=self._sender,
            unbroken=frozenset(links),
        )
        return _cut(personal.group, content, slots)


def _personal(mail: DigestMail) -> _Personal | None:
    """None when a link does not end in a token."""
    links = mail.view.links
    leave, prefer, click = links.unsubscribe, links.preferences, links.one_click
    if _ENDINGS.fullmatch(leave[_ENDING] + prefer[_ENDING] + click[_ENDING]) is None:
        return None
    addressing = addressing_of(mail)
    by_mail = bool(addressing.unsubscribe_mail)
    group = (leave[_PREFIX], prefer[_PREFIX], click[_PREFIX], by_mail, _shared_values(mail.view))
    return _Personal(addressing, (leave[_TOKEN], prefer[_TOKEN], click[_TOKEN]), group)


def _placeholders(personal: _Personal) -> list[str]:
    """One for every slot. Hashes of all shared values: no title can contain its own."""
    seed = repr(personal.group).encode()
    return [
        hashlib.sha256(b"%d\0%b" % (slot, seed)).hexdigest()[:TOKEN_LENGTH]
        for slot in range(3 + len(Addressing._fields))
    ]


def _with_tokens(links: PersonalLinks, tokens: list[str]) -> PersonalLinks:
    unsubscribe, preferences, one_click = tokens
    return PersonalLinks(
        unsubscribe=links.unsubscribe[_PREFIX] + unsubscribe,
        preferences=links.preferences[_PREFIX] + preferences,
        one_click=links.one_click[_PREFIX] + one_click,
    )


def _cut(key: tuple[Any, ...], content: bytes, slots: list[str]) -> _Group:
    pieces = re.split("|".join(slots).join("()").encode(), content)
    literals = tuple(pieces[::2])
    order: list[int] = []
    for place, piece in enumerate(pieces):
        personal = place % 2
        order.append(len(literals) + slots.index(piece.decode()) if personal else place // 2)
    return _Group(key, literals, _picker(order))


def _picker(order: list[int]) -> Callable[[tuple[bytes, ...]], tuple[bytes, ...]]:
    """Picks by position in one call of C."""
    pick: Callable[[tuple[bytes, ...]], tuple[bytes, ...]] = itemgetter(*order)
    return pick
