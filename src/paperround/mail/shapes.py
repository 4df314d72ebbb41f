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
    """What is filled into a card: lines that say its reason and score."""

    REASON = 0
    SCORE = 1


_Lines = tuple[bytes, ...]
"""Encoded lines, cut at each digit of the card's number."""

_Pieces = tuple[tuple[_Lines | Slot, ...], ...]
"""Lines and slots, cut where a reader's token stands. What stands between two tokens begins and
ends with lines, and slots have lines on both sides."""


class _Fixed(NamedTuple):
    """A text or an HTML, and the same as a signature sees it: one object where that is the same."""

    plain: _Pieces
    canonical: _Pieces


class Shape(NamedTuple):
    """A card without number, reason and score. `size` is the length of its HTML, in bytes."""

    text: _Fixed
    html: _Fixed
    size: int

    def numbered(self, number: int, *, signed: bool) -> "Numbered":
        """The shape with its number in place; as a signature sees it too if it is to be
        `signed`."""
        digits = [b"%c" % digit for digit in b"%d" % number]
        text, html = _numbered(self.text, digits, signed), _numbered(self.html, digits, signed)
        return Numbered(text, html, self.size)


Cut = tuple[bytes, ...]
"""Encoded lines of a card, cut where a reader's token stands."""

_Open = tuple[bytes | Slot, ...]
"""Lines between two tokens, with slots for the reason and the score between others."""


class Part(NamedTuple):
    """The text or the HTML of a card without reason and score, and the same as a signature sees it:
    one object where that is the same."""

    plain: tuple[_Open, ...]
    canonical: tuple[_Open, ...]

    def said(self, reason: Encoded, score: Encoded) -> Cut:
        """With these lines for the reason and the score."""
        return _said(self.plain, reason.plain, score.plain)

    def seen(self, reason: Encoded, score: Encoded) -> Cut:
        """The same as a signature sees it."""
        return _said(self.canonical, reason.canonical, score.canonical)


class Numbered(NamedTuple):
    """A card without reason and score."""

    text: Part
    html: Part
    size: int


def _said(cut: tuple[_Open, ...], reason: bytes, score: bytes) -> Cut:
    why, worth = Slot.REASON, Slot.SCORE
    return tuple(
        [
            lines[0]  # type: ignore[misc]
            if len(lines) == 1
            else b"".join([reason if it is why else score if it is worth else it for it in lines])  # type: ignore[misc]
            for lines in cut
        ]
    )


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

    def _pieces(self, one: str, other: str, marks: tuple[str, str]) -> _Fixed:
        pairs = zip(_split(one, marks), _split(other, marks), strict=True)
        pieces = [
            _slot(piece, marks) if place % 2 else self._fixed(piece, piece_too)
            for place, (piece, piece_too) in enumerate(pairs)
        ]
        token = self.token.encode("ascii")
        plain, canonical = (
            _parted([one if isinstance(one, Slot) else one[side] for one in pieces], token)
            for side in (0, 1)
        )
        return _Fixed(plain, plain if canonical == plain else canonical)

    def _fixed(self, one: str, other: str) -> tuple[_Lines, _Lines]:
        first, second = encoded(one, [self.token]), encoded(other, [self.token])
        plain = _cut(first.plain, second.plain)
        if first.canonical is first.plain:
            return plain, plain
        return plain, _cut(first.canonical, second.canonical)


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


def _parted(pieces: Sequence[_Lines | Slot], token: bytes) -> _Pieces:
    """The pieces cut at `token`, which never stands within a number."""
    parted: list[list[_Lines | Slot]] = [[]]
    for piece in pieces:
        if isinstance(piece, Slot):
            parted[-1].append(piece)
        else:
            first, *others = _parted_lines(piece, token)
            parted[-1].append(first)
            parted += [[other] for other in others]
    return tuple(map(tuple, parted))


def _parted_lines(lines: _Lines, token: bytes) -> list[_Lines]:
    parted: list[list[bytes]] = [[]]
    for piece in lines:
        first, *others = piece.split(token)
        parted[-1].append(first)
        parted += [[other] for other in others]
    return list(map(tuple, parted))


def _numbered(fixed: _Fixed, digits: Sequence[bytes], signed: bool) -> Part:
    plain = _digited(fixed.plain, digits)
    if not signed or fixed.canonical is fixed.plain:
        return Part(plain, plain)
    return Part(plain, _digited(fixed.canonical, digits))


def _digited(pieces: _Pieces, digits: Sequence[bytes]) -> tuple[_Open, ...]:
    return tuple(
        [
            tuple([one if isinstance(one, Slot) else _whole(one, digits) for one in lines])
            for lines in pieces
        ]
    )


def _whole(lines: _Lines, digits: Sequence[bytes]) -> bytes:
    if len(digits) == 1:
        return digits[0].join(lines)
    whole: list[bytes] = [b""] * (2 * len(lines) - 1)
    whole[::2] = lines
    whole[1::2] = [*digits] * ((len(lines) - 1) // len(digits))
    return b"".join(whole)
