"""Format authors, links, votes and titles in a reader's language."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Protocol

from paperround.core.i18n.locale import LIST_TITLES, Locale
from paperround.core.languages import marked, marked_forms
from paperround.core.reasons import contains_votes
from paperround.editions.model import NewPapers, TrendingPeriod
from paperround.editions.sections import Age, Section
from paperround.papers.formatting import Linked, first_authors, paper_links, shortened

WITHDRAWN = "This paper was withdrawn."
"""Shown in feeds and files, which are in English."""


def localized_authors(locale: Locale, names: tuple[str, ...]) -> str:
    """Return up to four names, else three and the rest: `A. Author, B. Author and 7 more`."""
    shown, left = first_authors(names)
    if not left:
        return locale.listed(shown)
    return locale.gettext("%(names)s and %(left)s more", names=locale.row(shown), left=left)


def localized_links(locale: Locale, paper: Linked) -> list[tuple[str, str]]:
    """Return (label, URL) of the links to show, in a fixed order."""
    return [(locale.word(label), url) for label, url in paper_links(paper)]


class Tallied(Protocol):
    """A paper's counts, and its reason, which may contain them."""

    @property
    def reason(self) -> str: ...

    @property
    def votes(self) -> int | None: ...

    @property
    def comments(self) -> int | None: ...


def localized_counts(locale: Locale, paper: Tallied) -> str:
    """Return comments and votes, if these are known (None is not 0) and not in the reason."""
    shows_votes = paper.votes is not None and not contains_votes(paper.reason, paper.votes)
    votes = locale.counted(paper.votes or 0, "vote") if shows_votes else ""
    comments = locale.counted(paper.comments, "comment") if paper.comments else ""
    if votes and comments:
        return locale.gettext("%(votes)s, %(comments)s", votes=votes, comments=comments)
    return votes or comments


SECTION_TITLES: Mapping[Section, str] = {
    Section.CHOSEN: marked("Editor’s choice"),
    Section.FOR_YOU: marked("For you"),
    Section.TRENDING: marked("Trending"),
    Section.RISING: marked("From earlier days"),
    Section.NEW: marked("New today"),
    Section.OLDER: marked("Also worth a look"),
}
_NEW: Mapping[TrendingPeriod, str] = {
    TrendingPeriod.WEEK: marked("New this week"),
    TrendingPeriod.MONTH: marked("New this month"),
}
_GUESSED = marked("Likely to interest people here")


def localized_section(
    locale: Locale, section: Section, period: TrendingPeriod = TrendingPeriod.DAY
) -> str:
    """Return the title of a section, in a digest of a day, a week or a month."""
    title = SECTION_TITLES[section]
    return locale.word(_NEW.get(period, title) if section is Section.NEW else title)


def localized_days(locale: Locale, days: tuple[date, date], period: TrendingPeriod) -> str:
    """Return the days that a digest covers: `Friday, 30 January 2026`, `Your week, 23–29 Jan` or
    `Your month, January 2026`."""
    match period:
        case TrendingPeriod.DAY:
            return locale.long_date(days[0])
        case TrendingPeriod.WEEK:
            return locale.gettext("Your week, %(span)s", span=locale.days(*days))
        case TrendingPeriod.MONTH:
            return locale.gettext("Your month, %(month)s", month=locale.month(days[0]))


def localized_section_note(locale: Locale, *, is_estimated: bool) -> str:
    """Return the note below the title of a section: that its papers without votes are ranked by
    what was learned from earlier papers; else empty."""
    return locale.word(_GUESSED) if is_estimated else ""


LEFT_OUT = marked("Left out of your digests, but popular later")
"""The title above papers that digests had left out."""
_NEW_IN_FIELDS = marked_forms(
    "%(num)s paper came in from your fields, %(here)s here",
    "%(num)s papers came in from your fields, %(here)s of them here",
)
_NEW_PAPERS = marked_forms(
    "%(num)s paper came in, %(here)s here", "%(num)s papers came in, %(here)s of them here"
)


def localized_new(locale: Locale, papers: NewPapers) -> str:
    """Return `214 papers came in, 9 of them here`, of the reader's fields or of all; also that
    nothing is on the reader's topics, if so. Not "new": the section "From earlier days" has papers
    that a feed brought late."""
    forms = _NEW_IN_FIELDS if papers.in_fields else _NEW_PAPERS
    line = locale.ngettext(*forms, papers.new, here=papers.here)
    if papers.nothing_on is None:
        return line
    if papers.nothing_on:
        none = locale.gettext("No papers on “%(topic)s” in this digest", topic=papers.nothing_on)
    else:
        none = locale.gettext("No papers on your topics in this digest")
    return f"{line} · {none}"


def localized_age(locale: Locale, age: Age | None) -> str:
    """Return `16 h`, `2 days` or `today`; empty if unknown."""
    if age is None:
        return ""
    if age.unit == "hour":
        return locale.gettext("%(num)s h", num=age.number)
    if not age.number:
        return locale.gettext("today")
    return locale.counted(age.number, "day")


def localized_list_title(locale: Locale, title: str) -> str:
    """Return a list's title as the operator set it; a default title is translated."""
    return locale.word(title) if title in LIST_TITLES else title


def localized_title(locale: Locale, title: str, length: int) -> str:
    """Return a paper's title in at most `length` characters, or a placeholder without one."""
    return shortened(title, length) or locale.gettext("Untitled")


def localized_preheader(locale: Locale, titles: Sequence[str]) -> str:
    """Return the preheader, the titles of the next papers."""
    return locale.gettext("Also: %(titles)s", titles=" · ".join(titles))
