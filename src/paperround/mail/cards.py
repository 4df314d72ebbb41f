"""The papers of digests, rendered and encoded once for every digest that shows them.

A card is whole lines, so quoted-printable breaks it the same alone and in a message. Encoded lines
are formats for the operator `%`, in which the tokens of the reader's links are named.
"""

import secrets
from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

from paperround.domain.digests import DigestPaper
from paperround.domain.errors import RenderingFailed
from paperround.domain.tokens import TOKEN_LENGTH
from paperround.languages.tongue import tongue
from paperround.mail.message import are_ready, encode
from paperround.mail.render import clean_paper, with_gist
from paperround.mail.templates import Templates, reason_line

MOST_CARDS = 6_000
"""Cards kept, about 5 kB each."""

TOKENS = ("unsubscribe", "preferences", "one_click", "feedback")
"""The links of a reader that end in a token."""


def new_mark() -> str:
    """A word that no text holds, since nobody can guess it, and as long as a token, so that lines
    break at the same places."""
    return secrets.token_hex(TOKEN_LENGTH // 2)


MARKS = {name: new_mark() for name in TOKENS}
"""What stands for the tokens while templates are filled in."""


class Look(NamedTuple):
    """How papers are shown: in which language, with gists of which length, and with which link that
    asks about each, up to its token; empty for none."""

    language: str
    gist: int
    asked: str


class Card(NamedTuple):
    """A paper at its place in a digest. `size` is the length of its HTML before encoding."""

    title: str
    gist: str
    reason: str
    text: bytes
    html: bytes
    size: int


@lru_cache(maxsize=MOST_CARDS)
def card_of(templates: Templates, look: Look, number: int, paper: DigestPaper) -> Card:
    """`paper` as `number` of a digest. Raises RenderingFailed."""
    ours = tongue(look.language)
    shown = with_gist(clean_paper(paper, ours), look.gist)
    asked = look.asked and look.asked + MARKS["feedback"]
    text, rows = templates.card(look.language, number, shown, asked)
    html = templates.inlined(rows)
    return Card(
        title=shown.title,
        gist=shown.gist,
        reason=reason_line(ours, paper.reason),
        text=encoded(text),
        html=encoded(html),
        size=len(html.encode()),
    )


def encoded(text: str) -> bytes:
    """`text`, whose last line is ended, in quoted-printable and as a format."""
    content = encode(text, unbroken=MARKS.values()).encode("ascii")
    return as_format(wire_ready(content), MARKS)


def wire_ready(lines: bytes) -> bytes:
    """`lines`; raises RenderingFailed when they cannot be put on a wire as they are."""
    if not are_ready(lines):
        raise RenderingFailed("a line does not end in CRLF, or begins with a full stop")
    return lines


def as_format(content: bytes, marks: Mapping[str, str]) -> bytes:
    """`content` as a format, in which a slot with its name takes the place of each mark."""
    content = content.replace(b"%", b"%%")
    for name, mark in marks.items():
        content = content.replace(mark.encode("ascii"), b"%%(%b)b" % name.encode("ascii"))
    return content
