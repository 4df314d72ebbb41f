"""The lines of a card that are the same in every digest, encoded and cut.

A card is whole lines, so quoted-printable folds it the same alone and among others. Its number is
a slot: it is rendered twice, with numbers that differ in every digit, and cut where the bytes
differ. Reason and score are lines of their own, and slots as well.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from enum import IntEnum
from typing import NamedTuple

from paperround.domain.digests import DigestPaper
from paperround.languages.papers import score_said
from paperround.languages.tongue import Tongue
from paperround.mail.lines import LineForm, both_forms
from paperround.mail.pieces import Encoded, encoded, new_mark
from paperround.mail.render import Card

_NUMBERS = ("1", "2")
_DIFFERENCE = re.compile(rb"[^\0]")


class Look(NamedTuple):
    """What decides which lines a card has, beside its paper's own words."""

    tells_votes: bool
    has_reason: bool
    has_score: bool
    digits: int


class Slot(IntEnum):
    """What is filled into a card: lines that say its reason and score, the token of a reader."""

    REASON = 0
    SCORE = 1
    TOKEN = 2


class _Fixed(NamedTuple):
    """Encoded lines, cut at each digit of the card's number."""

    plain: tuple[bytes, ...]
    canonical: tuple[bytes, ...]


_Pieces = tuple[_Fixed | Slot, ...]


class Shape(NamedTuple):
    """A card without number, reason and score. `size` is the length of its HTML, in bytes."""

    text: _Pieces
    html: _Pieces
    size: int

    def numbered(self, number: int, token: str) -> "Numbered":
        """The shape with its number in place."""
        digits = [b"%c" % digit for digit in b"%d" % number]
        mark = token.encode("ascii")
        return Numbered(
            _cut_up(self.text, digits, mark), _cut_up(self.html, digits, mark), self.size
        )


Cut = tuple[bytes | Slot, ...]
"""Encoded lines of a card in pieces."""


class Part(NamedTuple):
    """The text or the HTML of a card, and the same as a signature sees it: one object where that is
    the same."""

    plain: Cut
    canonical: Cut

    def said(self, reason: Encoded, score: Encoded, *, signed: bool) -> "Part":
        """With these lines for the reason and the score; as a signature sees it if it is to be
        `signed`."""
        plain = _said(self.plain, reason.plain, score.plain)
        if not signed:
            return Part(plain, plain)
        return Part(plain, _said(self.canonical, reason.canonical, score.canonical))

    def merged(self) -> "Part":
        """In as few pieces as there can be."""
        plain = _merged(self.plain)
        return Part(plain, plain if self.canonical == self.plain else _merged(self.canonical))


class Numbered(NamedTuple):
    """A card without reason and score."""

    text: Part
    html: Part
    size: int


def _said(cut: Cut, reason: bytes, score: bytes) -> Cut:
    why, worth = Slot.REASON, Slot.SCORE
    return tuple([reason if one is why else score if one is worth else one for one in cut])


def _merged(cut: Cut) -> Cut:
    pieces: list[bytes | Slot] = []
    for one in cut:
        if pieces and isinstance(one, bytes) and isinstance(pieces[-1], bytes):
            pieces[-1] += one
        else:
            pieces.append(one)
    return tuple(pieces)


class Forms(NamedTuple):
    """How reasons and scores are said."""

    reason: LineForm
    score: LineForm


Write = Callable[[Sequence[Card], str, str], tuple[str, str]]
"""Renders cards as a digest shows them: the cards, the link that asks about each, and a seam that
stands on a line before each card and behind the last. Gives text and HTML."""


class Seamed(NamedTuple):
    """Cards rendered by `write`, in the language `ours`, and taken apart again. `token` stands in
    `asked` where a reader's own goes."""

    write: Write
    asked: str
    token: str
    ours: Tongue

    def forms(self, paper: DigestPaper) -> Forms:
        """How reasons and scores are said of `paper`, and so of any other."""
        reason, score = (new_mark(), new_mark()), (new_mark(), new_mark())
        parts = dict.fromkeys(score, 1.0)
        said, counted = " ".join(reason), score_said(self.ours, 2, parts)
        sample = replace(paper, reason=said, score=2, parts=parts)
        ((text, html),) = self._apart([Card(1, sample)])
        first, _, second = counted.rpartition(f" {score[1]}")
        return Forms(
            reason=both_forms(text, html, *reason),
            score=both_forms(text, html, first, f"{score[1]}{second}"),
        )

    def shapes(self, wanted: Sequence[tuple[DigestPaper, Look]]) -> list[Shape]:
        """The shape of each paper with that look, rendered together."""
        marks = (new_mark(), new_mark())
        cards = [
            Card(int(number * look.digits), _marked(paper, look, marks))
            for paper, look in wanted
            for number in _NUMBERS
        ]
        parts = self._apart(cards)
        return [
            self._shape(one, other, marks)
            for one, other in zip(parts[::2], parts[1::2], strict=True)
        ]

    def _apart(self, cards: Sequence[Card]) -> list[tuple[str, str]]:
        seam = new_mark()
        text, html = self.write(cards, self.asked, seam)
        texts = text.split(f"{seam}\n")[1:-1]
        return list(zip(texts, html.split(f"<!--{seam}-->\n")[1:-1], strict=True))

    def _shape(self, one: tuple[str, str], other: tuple[str, str], marks: tuple[str, str]) -> Shape:
        (text, html), (text_too, html_too) = one, other
        return Shape(
            text=self._pieces(text, text_too, marks),
            html=self._pieces(html, html_too, marks),
            size=sum(len(piece.encode()) for piece in _split(html, marks)[::2]),
        )

    def _pieces(self, one: str, other: str, marks: tuple[str, str]) -> _Pieces:
        pairs = zip(_split(one, marks), _split(other, marks), strict=True)
        return tuple(
            _slot(piece, marks) if place % 2 else self._fixed(piece, piece_too)
            for place, (piece, piece_too) in enumerate(pairs)
        )

    def _fixed(self, one: str, other: str) -> _Fixed:
        first, second = encoded(one, [self.token]), encoded(other, [self.token])
        plain = _cut(first.plain, second.plain)
        if first.canonical is first.plain:
            return _Fixed(plain, plain)
        return _Fixed(plain, _cut(first.canonical, second.canonical))


def _marked(paper: DigestPaper, look: Look, marks: tuple[str, str]) -> DigestPaper:
    """`paper` with marks for its reason and score. Votes that its reason tells are not told again,
    like those nobody knows."""
    reason, score = marks
    return replace(
        paper,
        votes=None if look.tells_votes else paper.votes,
        reason=reason if look.has_reason else "",
        score=1 if look.has_score else None,
        parts={score: 1} if look.has_score else {},
    )


def _split(part: str, marks: tuple[str, str]) -> list[str]:
    """Every second piece is a line with a mark."""
    pieces = [""]
    for line in re.findall("[^\n]*\n", part):
        if any(mark in line for mark in marks):
            pieces += [line, ""]
        else:
            pieces[-1] += line
    return pieces


def _slot(line: str, marks: tuple[str, str]) -> Slot:
    return Slot.REASON if marks[Slot.REASON] in line else Slot.SCORE


def _cut(one: bytes, other: bytes) -> tuple[bytes, ...]:
    """`one` without the bytes in which it differs from `other`, cut there."""
    differing = int.from_bytes(one) ^ int.from_bytes(other)
    places = [found.start() for found in _DIFFERENCE.finditer(differing.to_bytes(len(one)))]
    starts = [0, *(place + 1 for place in places)]
    return tuple(one[start:end] for start, end in zip(starts, [*places, len(one)], strict=True))


def _cut_up(pieces: _Pieces, digits: list[bytes], token: bytes) -> Part:
    plain = _parted([_digited(one, digits, 0) for one in pieces], token)
    canonical = _parted([_digited(one, digits, 1) for one in pieces], token)
    return Part(plain, plain if canonical == plain else canonical)


def _parted(pieces: Sequence[bytes | Slot], token: bytes) -> Cut:
    parted: list[bytes | Slot] = []
    for piece in pieces:
        if isinstance(piece, Slot):
            parted.append(piece)
        else:
            first, *others = piece.split(token)
            parted += [first, *(one for other in others for one in (Slot.TOKEN, other))]
    return tuple(parted)


def _digited(piece: _Fixed | Slot, digits: list[bytes], side: int) -> bytes | Slot:
    if isinstance(piece, Slot):
        return piece
    pieces = piece[side]
    whole: list[bytes] = [b""] * (2 * len(pieces) - 1)
    whole[::2] = pieces
    whole[1::2] = digits * ((len(pieces) - 1) // len(digits))
    return b"".join(whole)
