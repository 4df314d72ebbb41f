"""Format authors, links, votes and titles in a reader's language."""

from collections.abc import Sequence
from typing import Protocol

from paperround.core.i18n.locale import LIST_TITLES, Locale
from paperround.core.reasons import contains_votes
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


def localized_list_title(locale: Locale, title: str) -> str:
    """Return a list's title as the operator set it; a default title is translated."""
    return locale.word(title) if title in LIST_TITLES else title


def localized_title(locale: Locale, title: str, length: int) -> str:
    """Return a paper's title in at most `length` characters, or a placeholder without one."""
    return shortened(title, length) or locale.gettext("Untitled")


def localized_preheader(locale: Locale, titles: Sequence[str]) -> str:
    """Return the preheader, the titles of the next papers."""
    return locale.gettext("Also: %(titles)s", titles=" · ".join(titles))
