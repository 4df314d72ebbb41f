"""What pages say beside what mails say too: parts of a score, counts, months, links, in a language.

Functions of values that give back words; `templating` gives them to templates as filters.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from functools import partial

from paperround.domain.editions import EditionPaper
from paperround.domain.lists import MailingList
from paperround.domain.papers import Observation
from paperround.languages.localize import list_title_said
from paperround.languages.tongue import Tongue

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
        "cut_time": partial(_cut_time, tongue),
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


def _parts(tongue: Tongue, paper: EditionPaper) -> list[tuple[str, str]]:
    """The parts of a score that are not 0: their names as people say them, and what each adds."""
    return [
        (tongue.word(name.replace("_", " ")), _part(tongue, value))
        for name, value in paper.parts.items()
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
