"""The lines of a card that are the same in every digest, encoded and cut.

A card is whole lines, so quoted-printable folds it the same alone and among others. Its number is
a gap: it is rendered with letters for the digits that stand nowhere else, encoded with two numbers
that differ in every digit, and cut where the bytes differ. A reason is a line of its own, and a
gap as well, and so is a reader's token. A card is then its shape with all of these filled in,
by one operation of C.
"""

import secrets
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from enum import IntEnum
from typing import NamedTuple
from urllib.parse import quote

from paperround.domain.digests import DigestPaper
from paperround.mail.lines import LineForm, both_forms
from paperround.mail.pieces import Encoded, Slices, cut_apart, cut_at, encoded, new_mark
from paperround.mail.render import Card

_NUMBERS = ("1", "2")
_PRIVATE, _MOST_PRIVATE = 0x100000, 0xFFFE
"""Letters for private use (Unicode Standard, 23.5), which every program takes for one column."""
_SEAM = b"\0"
"""Stands where a reader's token goes: quoted-printable has none."""


class Look(NamedTuple):
    """What decides which lines a card has, beside its paper's own words."""

    tells_votes: bool
    has_reason: bool
    digits: int


class Gap(IntEnum):
    """What is filled into a card: the line that says its reason, a reader's token, and the digits
    of its number from the first on."""

    REASON = 0
    TOKEN = 1
    NUMBER = 2


Cut = tuple[bytes, ...]
"""Encoded lines of a card, cut where a reader's token stands."""


class Part(NamedTuple):
    """A text or an HTML without number and reason, and the same as a signature sees it: one object
    where that is the same."""

    plain: Slices
    canonical: Slices

    def said(self, reason: Encoded, digits: Sequence[bytes]) -> Cut:
        """With this line for the reason, and this number."""
        return _filled(self.plain, reason.plain, digits)

    def seen(self, reason: Encoded, digits: Sequence[bytes]) -> Cut:
        """The same as a signature sees it."""
        return _filled(self.canonical, reason.canonical, digits)


def _filled(lines: Slices, reason: bytes, digits: Sequence[bytes]) -> Cut:
    return tuple(lines.fill((reason, _SEAM, *digits)).split(_SEAM))


class Shape(NamedTuple):
    """A card without number and reason. `size` is the length of its HTML, in bytes."""

    text: Part
    html: Part
    size: int


Write = Callable[[Sequence[Card], str, str], tuple[str, str]]
"""Renders cards as a digest shows them: the cards, the link that asks about each, and a seam that
stands on a line before each card and behind the last. Gives text and HTML."""


class Seamed(NamedTuple):
    """Cards rendered by `write`, and taken apart again. `token` stands in `asked` where a reader's
    own goes."""

    write: Write
    asked: str
    token: str

    def reason_form(self, paper: DigestPaper) -> LineForm:
        """How the reason of `paper` is said, and so of any other."""
        marks = new_mark(), new_mark()
        ((text, html),) = self._apart([Card(1, replace(paper, reason=" ".join(marks)))])
        return both_forms(text, html, *marks)

    def shapes(self, wanted: Sequence[tuple[DigestPaper, Look]]) -> list[Shape]:
        """The shape of each paper with that look, rendered together."""
        mark = new_mark()
        digit = _digit_for(paper for paper, _ in wanted)
        parts = self._apart(
            [Card(digit * look.digits, _marked(paper, look, mark)) for paper, look in wanted]
        )
        return [
            self._shape(part, look, mark, digit)
            for part, (_, look) in zip(parts, wanted, strict=True)
        ]

    def _apart(self, cards: Sequence[Card]) -> list[tuple[str, str]]:
        seam = new_mark()
        text, html = self.write(cards, self.asked, seam)
        texts = text.split(f"{seam}\n")[1:-1]
        return list(zip(texts, html.split(f"<!--{seam}-->\n")[1:-1], strict=True))

    def _shape(self, part: tuple[str, str], look: Look, mark: str, digit: str) -> Shape:
        text, html = ([_numbered(one, digit, number) for number in _NUMBERS] for one in part)
        size = sum(len(line.encode()) + 1 for line in html[0].split("\n")[:-1] if mark not in line)
        return Shape(self._part(text, look, mark), self._part(html, look, mark), size)

    def _part(self, said: Sequence[str], look: Look, mark: str) -> Part:
        """A card's text or HTML, which is `said` with two numbers."""
        plain, canonical = list[bytes | int](), list[bytes | int]()
        one, other = said
        for run in _runs(one, other, mark):
            if isinstance(run, Gap):
                plain.append(run)
                canonical.append(run)
                continue
            lines = [encoded(each, [self.token]) for each in run]
            plain += self._gapped([each.plain for each in lines], look)
            canonical += self._gapped([each.canonical for each in lines], look)
        made = cut_at(plain)
        return Part(made, made if canonical == plain else cut_at(canonical))

    def _gapped(self, said: Sequence[bytes], look: Look) -> Iterator[bytes | int]:
        """Lines with gaps where they differ from others, if there are others: those are the digits
        of the number, each time all of them. And at tokens, which never stand within a number."""
        token = self.token.encode("ascii")
        for place, lines in enumerate(cut_apart(*said) if len(said) > 1 else said):
            if place:
                yield Gap.NUMBER + (place - 1) % look.digits
            first, *others = lines.split(token)
            yield first
            for more in others:
                yield Gap.TOKEN
                yield more


def _marked(paper: DigestPaper, look: Look, mark: str) -> DigestPaper:
    """`paper` with a mark for its reason. Votes that its reason tells are not told again, like
    those nobody knows."""
    votes = None if look.tells_votes else paper.votes
    return replace(paper, votes=votes, reason=mark if look.has_reason else "")


def _digit_for(papers: Iterable[DigestPaper]) -> str:
    """A letter of nobody's alphabet, as wide as a digit, that none of these papers has, nor an
    address of theirs in escapes."""
    written = " ".join(map(_words_of, papers))
    while True:
        digit = chr(_PRIVATE + secrets.randbelow(_MOST_PRIVATE))
        if digit not in written and quote(digit) not in written:
            return digit


def _words_of(paper: DigestPaper) -> str:
    words = (paper.title, paper.gist, paper.page_url, *paper.authors, *paper.links.values())
    return " ".join(map(str, words))


def _numbered(part: str, digit: str, number: str) -> str:
    """A rendered card with `number` for each digit, also where an address holds it."""
    return part.replace(digit, number).replace(quote(digit), number)


def _runs(one: str, other: str, mark: str) -> Iterator[tuple[str, ...] | Gap]:
    """Lines that are the same in both, those that differ with each other, and gaps, in order."""
    same = ""
    for line, line_too in zip(one.split("\n")[:-1], other.split("\n")[:-1], strict=True):
        is_reason = mark in line
        if not is_reason and line == line_too:
            same += f"{line}\n"
            continue
        if same:
            yield (same,)
            same = ""
        yield Gap.REASON if is_reason else (f"{line}\n", f"{line_too}\n")
    if same:
        yield (same,)
