"""What pages say beside what mails say too: parts of a score, counts, months, links, in a language.

Functions of values that give back words; `templating` gives them to templates as filters. What is
kept for the next page is kept as it stands in one, escaped.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache, partial
from typing import NamedTuple

from markupsafe import Markup, escape

from paperround.domain.editions import EditionPaper
from paperround.domain.lists import MailingList
from paperround.domain.observations import Observation
from paperround.domain.telling import Linked
from paperround.languages.papers import authors_said, links_said, list_title_said, tally_said
from paperround.languages.tongue import Tongue
from paperround.mail.speech import lang_of

REMEMBERED = 4096
"""Papers whose links and parts are kept as they are shown, some megabytes."""

_ENDS = (".", "!", "?", "。", "！", "？")
_SIGNALS = {
    "comments": "comment",
    "github_stars": "star on GitHub",
    "citations": "citation",
    "mentions": "mention",
}


def said_on_pages(tongue: Tongue) -> Mapping[str, Callable[..., object]]:
    """The filters of pages that speak `tongue`."""
    return {
        "authors": partial(_authors, tongue),
        "tally": partial(_tally, tongue),
        "lang": lru_cache(maxsize=REMEMBERED)(partial(lang_of, tongue)),
        "cut_time": partial(_cut_time, tongue),
        "links": partial(_links, tongue),
        "list_title": partial(list_title_said, tongue),
        "moment": partial(_moment, tongue),
        "of_arxiv": of_arxiv,
        "month": tongue.month,
        "part": partial(_part, tongue),
        "parts": partial(_parts, tongue),
        "plain_date": tongue.plain_date,
        "sentence": partial(_sentence, tongue),
        "told": partial(_told, tongue),
        "weight": partial(_weight, tongue),
    }


def of_arxiv(papers: Iterable[EditionPaper]) -> bool:
    """Whether any of them is arXiv's."""
    return any(one.identifiers.get("arxiv") for one in papers)


def _moment(tongue: Tongue, moment: datetime) -> str:
    """`Fri 30 Jan 15:47`, in UTC, where another instant beside it says so."""
    return f"{tongue.short_date(moment.date())} {moment:%H:%M}"


@lru_cache(maxsize=REMEMBERED)
def _authors(tongue: Tongue, names: tuple[str, ...]) -> Markup:
    """Up to four names, and how many more there are."""
    return escape(authors_said(tongue, names))


def _tally(tongue: Tongue, paper: EditionPaper) -> Markup:
    """Votes and comments, as far as its reason does not tell them."""
    return _tally_of(tongue, _Counted(paper.reason, paper.votes, paper.comments))


class _Counted(NamedTuple):
    """What a tally is made of, as a key."""

    reason: str
    votes: int | None
    comments: int | None


@lru_cache(maxsize=REMEMBERED)
def _tally_of(tongue: Tongue, key: _Counted) -> Markup:
    return escape(tally_said(tongue, key))


@dataclass(frozen=True, slots=True)
class _Links:
    """Links alone."""

    pairs: tuple[tuple[str, str], ...]

    @property
    def links(self) -> Mapping[str, str]:
        return dict(self.pairs)


def _links(tongue: Tongue, paper: Linked) -> Sequence[tuple[Markup, Markup]]:
    """(label, address) of the links to show. One paper stands on many pages, and looking whether an
    address is one costs more than all else that is said of it."""
    return _links_of(tongue, tuple(paper.links.items()))


@lru_cache(maxsize=REMEMBERED)
def _links_of(
    tongue: Tongue, pairs: tuple[tuple[str, str], ...]
) -> Sequence[tuple[Markup, Markup]]:
    return [(escape(label), escape(url)) for label, url in links_said(tongue, _Links(pairs))]


def _parts(tongue: Tongue, paper: EditionPaper) -> Sequence[tuple[Markup, Markup]]:
    """The parts of a score that are not 0: their names as people say them, and what each adds."""
    return _parts_of(tongue, tuple(paper.parts.items()))


@lru_cache(maxsize=REMEMBERED)
def _parts_of(
    tongue: Tongue, parts: tuple[tuple[str, float], ...]
) -> Sequence[tuple[Markup, Markup]]:
    return [
        (escape(tongue.word(name.replace("_", " "))), escape(_part(tongue, value)))
        for name, value in parts
        if value
    ]


def _part(tongue: Tongue, value: float) -> str:
    """A part of a score with its sign, to the places it was added with."""
    return tongue.decimal(f"{value:+.4f}".replace("-", "−"))


def _weight(tongue: Tongue, value: float) -> str:
    return tongue.decimal(f"{value:+.2f}".replace("-", "−"))


def _cut_time(tongue: Tongue, cut: str, mailing_list: MailingList) -> str:
    """`06:00`, when a cut of a list is made."""
    is_number = cut.isascii() and cut.isdecimal() and len(cut) < 3
    if is_number and int(cut) < len(mailing_list.cuts):
        return mailing_list.cuts[int(cut)]
    return tongue.gettext("by hand")


def _sentence(tongue: Tongue, text: str) -> str:
    """`text`, as an error says it, as a sentence: with a capital and a full stop."""
    said = text[:1].upper() + text[1:]
    return said if said.endswith(_ENDS) else tongue.gettext("%(problem)s.", problem=said)


def _told(tongue: Tongue, count: Observation) -> str:
    """`12 comments`; a signal that has no word here goes by its name."""
    noun = _SIGNALS.get(count.signal)
    if noun is not None:
        return tongue.counted(count.value, noun)
    return f"{tongue.number(count.value)} {count.signal.replace('_', ' ')}"
