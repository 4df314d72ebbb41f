"""Papers of digests as cards: rendered, inlined and encoded once, for every digest they stand in.

paper ──► base: clean, without reason
  └─ look: tells votes, has a reason ──► shape: rendered, encoded, cut
       └─ number, reason ──► card: one join
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from operator import attrgetter
from typing import Any, NamedTuple

from paperround.domain.digests import DigestPaper
from paperround.domain.reasons import tells_votes
from paperround.languages.tongue import Tongue
from paperround.mail.lines import MOST_LINES, Line, LineForm
from paperround.mail.pieces import Recent, new_mark
from paperround.mail.render import clean_paper, with_gist
from paperround.mail.shapes import Cut, Look, Seamed, Shape, Write
from paperround.mail.templates import reason_line

MOST_CARDS = 6_000
"""Cards a deck keeps, about 6 kB each. One that was dropped is made anew by one join."""

MOST_PAPERS = 1_500
"""Papers a deck keeps shapes of, 5 kB each and look: those of a large day. With fewer places than
papers each reader of a personal digest would have some rendered anew."""


_own_words = attrgetter("title", "authors", "gist", "votes", "comments", "page_url")
"""All of a paper but its links and its reason."""

_MOST_DIGITS = 6
_Place = tuple[int, int]
"""A paper's identity and its number."""


class PlacedCard(NamedTuple):
    """A card as it stands in digests, also as a signature sees it if it is signed; `size` is the
    length of its HTML before encoding, in bytes.

    While its paper is held here, as it was handed over, no other has that identity.
    """

    paper: DigestPaper
    title: str
    gist: str
    reason: str
    text: Cut
    html: Cut
    seen_text: Cut
    seen_html: Cut
    size: int


class _Base:
    """A clean paper without reason, and its shapes by their look."""

    def __init__(self, paper: DigestPaper, gist: int, ours: Tongue) -> None:
        bare = replace(paper, reason="")
        self.paper = with_gist(clean_paper(bare, ours), gist)
        self.shapes: dict[Look, Shape] = {}


class _Known(NamedTuple):
    """A paper as it was handed over, with its lines. While it is held here, no other paper has its
    identity."""

    paper: DigestPaper
    base: _Base
    reason: Line
    looks: tuple[Look, ...]
    """By the digits of its number, from one on."""


@cache
def _looks(*, tells_votes: bool, has_reason: bool) -> tuple[Look, ...]:
    return tuple(Look(tells_votes, has_reason, 1 + more) for more in range(_MOST_DIGITS))


class Deck:
    """The cards of one manner: gists of at most `gist` characters, and whether each asks if it was
    useful; in one language, `ours`. `asked` is the link that does up to its token, empty for none.
    What a signature sees is made only where they are `signed`.

    It holds nothing of a reader but reasons, and no more of those than it may.
    """

    def __init__(self, gist: int, asked: str, ours: Tongue, *, signed: bool) -> None:
        self._gist, self._ours = gist, ours
        self._signed = signed
        self._token = new_mark()
        self._asked = asked and asked + self._token
        self._placed = Recent[_Place, PlacedCard](MOST_CARDS)
        self._bases = Recent[tuple[Any, ...], _Base](MOST_PAPERS)
        self._lately = Recent[int, tuple[DigestPaper, _Base]](MOST_PAPERS)
        self._known = Recent[int, _Known](MOST_LINES)
        self._reasons = Recent[str, Line](MOST_LINES)
        self._form: LineForm | None = None

    def cards(self, papers: Sequence[DigestPaper], write: Write) -> list[PlacedCard]:
        """`papers` numbered from 1; what is not known of them is rendered by `write`."""
        numbers = range(1, len(papers) + 1)
        found: list[Any] = [*map(self._placed.get, zip(map(id, papers), numbers, strict=True))]
        if None not in found:
            return found
        seamed = Seamed(write, self._asked, self._token)
        missing = [
            (number, self._known.get(id(paper)), paper)
            for number, paper, card in zip(numbers, papers, found, strict=True)
            if card is None
        ]
        met = [known or self._met(paper, seamed) for _, known, paper in missing]
        self._render(list(map(_shape_of, met, [number for number, _, _ in missing])), seamed)
        for (number, known, _), one in zip(missing, met, strict=True):
            found[number - 1] = self._place(one, number, keep=known is not None)
        return found

    def _met(self, paper: DigestPaper, seamed: Seamed) -> _Known:
        base = self._base(paper)
        if self._form is None:
            self._form = seamed.reason_form(base.paper)
        reason = self._reason(paper.reason, self._form)
        votes = base.paper.votes
        looks = _looks(
            tells_votes=votes is not None and tells_votes(paper.reason, votes),
            has_reason=reason.words != "",
        )
        return self._known.keep(id(paper), _Known(paper, base, reason, looks))

    def _base(self, paper: DigestPaper) -> _Base:
        """Papers with a reader's own reason hold the very links of the one that all
        share: so it is found without comparing them."""
        words = _own_words(paper)
        known = self._lately.get(id(paper.links))
        if known is not None and known[0].links is paper.links and _own_words(known[0]) == words:
            return known[1]
        key = (*words, *paper.links.items())
        base = self._bases.get(key) or self._bases.keep(key, _Base(paper, self._gist, self._ours))
        return self._lately.keep(id(paper.links), (paper, base))[1]

    def _reason(self, reason: str, form: LineForm) -> Line:
        """The line of a frozen reason."""
        known = self._reasons.get(reason)
        return known or self._reasons.keep(reason, form.both(reason_line(self._ours, reason)))

    def _render(self, wanted: Sequence[tuple[_Base, Look]], seamed: Seamed) -> None:
        """Make the shapes that are lacking, all together."""
        new = list(dict.fromkeys([one for one in wanted if one[1] not in one[0].shapes]))
        shapes = seamed.shapes([(base.paper, look) for base, look in new]) if new else []
        for (base, look), shape in zip(new, shapes, strict=True):
            base.shapes[look] = shape

    def _place(self, one: _Known, number: int, *, keep: bool) -> PlacedCard:
        """Kept when its paper is asked for again, since others are likely to get the very same
        card."""
        base, look = _shape_of(one, number)
        reason, digits = one.reason, _digits(number)
        text, html, size = base.shapes[look]
        card = PlacedCard(
            one.paper,
            base.paper.title,
            base.paper.gist,
            reason.words,
            text.said(reason.text, digits),
            html.said(reason.html, digits),
            text.seen(reason.text, digits) if self._signed else (),
            html.seen(reason.html, digits) if self._signed else (),
            size + reason.size,
        )
        return self._placed.keep((id(one.paper), number), card) if keep else card


@cache
def _digits(number: int) -> tuple[bytes, ...]:
    return tuple([b"%c" % digit for digit in b"%d" % number])


def _shape_of(one: _Known, number: int) -> tuple[_Base, Look]:
    return one.base, one.looks[len(_digits(number)) - 1]
