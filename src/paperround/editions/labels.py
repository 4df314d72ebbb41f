"""Format authors, links, votes and titles in a reader's language."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from paperround.core.i18n.locale import LIST_TITLES, Locale
from paperround.core.languages import marked
from paperround.core.reasons import contains_votes
from paperround.editions.sections import Age, Section
from paperround.papers.formatting import Linked, first_authors, paper_links, shortened

WITHDRAWN = "This paper was withdrawn."
"""In feeds and files, which are in English."""


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
    Section.FOR_YOU: marked("For you"),
    Section.TRENDING: marked("Trending"),
    Section.RISING: marked("Earlier, still rising"),
    Section.NEW: marked("New today"),
    Section.OLDER: marked("Also worth a look"),
}
_NEW_THIS_WEEK = marked("New this week")
_GUESSED = marked("Likely to interest people here")


def localized_section(locale: Locale, section: Section, *, is_week: bool = False) -> str:
    """Return the title of a section, in a digest of a day or a week."""
    is_new_week = is_week and section is Section.NEW
    return locale.word(_NEW_THIS_WEEK if is_new_week else SECTION_TITLES[section])


def localized_section_note(locale: Locale, section: Section) -> str:
    """Return what is said below the title: nobody voted for these papers yet. Else empty."""
    return locale.word(_GUESSED) if section in (Section.NEW, Section.OLDER) else ""


def localized_age(locale: Locale, age: Age | None) -> str:
    """Return `16 h`, `2 days` or `today`; empty if it is not known."""
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
