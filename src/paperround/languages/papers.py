"""What is told of a paper beside its own words, in each language: authors, links, votes, score."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Protocol

from paperround.domain.telling import Linked, first_authors, paper_links, shortened, tells_votes
from paperround.languages.tongue import Tongue
from paperround.languages.vocabulary import LIST_TITLES

_SMALL_SHARE = 0.02


def authors_said(tongue: Tongue, names: tuple[str, ...]) -> str:
    """Up to four names; of more, three and the rest: `A. Author, B. Author and 7 more`."""
    shown, left = first_authors(names)
    if not left:
        return tongue.listed(shown)
    return tongue.gettext("%(names)s and %(left)s more", names=tongue.row(shown), left=left)


def links_said(tongue: Tongue, paper: Linked) -> list[tuple[str, str]]:
    """(label, address) of the links to show, in a fixed order."""
    return [(tongue.word(label), url) for label, url in paper_links(paper)]


class Tallied(Protocol):
    """What was counted of a paper, and the reason that may tell of it."""

    @property
    def reason(self) -> str: ...

    @property
    def votes(self) -> int | None: ...

    @property
    def comments(self) -> int | None: ...


def tally_said(tongue: Tongue, paper: Tallied) -> str:
    """Votes where they are known and the reason, as it was frozen, has not told them; comments."""
    untold = paper.votes is not None and not tells_votes(paper.reason, paper.votes)
    votes = tongue.counted(paper.votes or 0, "vote") if untold else ""
    comments = tongue.counted(paper.comments, "comment") if paper.comments else ""
    if votes and comments:
        return tongue.gettext("%(votes)s, %(comments)s", votes=votes, comments=comments)
    return votes or comments


def score_said(tongue: Tongue, score: float | None, parts: Mapping[str, float]) -> str:
    """The score as the sum of its named parts; empty when it is not known.

    Parts too small to matter to a reader are added up as `other`, so the sum still holds.
    """
    if score is None or not parts:
        return ""
    least = abs(score) * _SMALL_SHARE
    small = [part for part in parts.values() if 0 < abs(part) < least]
    shown = [(name, part) for name, part in parts.items() if part]
    if len(small) > 1:
        shown = [(name, part) for name, part in shown if abs(part) >= least]
        shown.append(("other", sum(small)))
    said = [f"{_name_said(tongue, name)} {_number(tongue, value)}" for name, value in shown]
    added = " + ".join(said) or "0"
    return tongue.gettext("Score %(score)s = %(sum)s", score=_number(tongue, score), sum=added)


@lru_cache(maxsize=256)
def _name_said(tongue: Tongue, name: str) -> str:
    return tongue.word(name.replace("_", " "))


@lru_cache(maxsize=8192)
def _number(tongue: Tongue, value: float) -> str:
    written = f"{value:z.4f}".rstrip("0").rstrip(".").replace("-", "−")
    return tongue.decimal(written)


def list_title_said(tongue: Tongue, title: str) -> str:
    """What a list is called: in the operator's words, but for a title that nobody chose."""
    return tongue.word(title) if title in LIST_TITLES else title


def title_said(tongue: Tongue, title: str, length: int) -> str:
    """A paper's title in at most `length` characters; what a paper without one is called."""
    return shortened(title, length) or tongue.gettext("Untitled")


def preheader_said(tongue: Tongue, titles: Sequence[str]) -> str:
    """What the start of a mail says after its subject: the titles of the next papers."""
    return tongue.gettext("Also: %(titles)s", titles=" · ".join(titles))
