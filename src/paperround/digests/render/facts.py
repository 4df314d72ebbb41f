"""Format the facts of a paper in a digest: its votes, age, links and reason, each once."""

from dataclasses import replace

from paperround.core.i18n.locale import Locale
from paperround.core.i18n.localize import localize_reason
from paperround.core.reasons import author_named, read_reason, read_reasons
from paperround.digests.model import DigestPaper, title_address
from paperround.digests.render.headers import one_line
from paperround.editions.labels import localized_age, localized_authors, localized_links
from paperround.papers.formatting import shortened

REASON_LENGTH = 200
_OF_VOTES = frozenset({"votes", "risen"})
"""Kinds of reasons with votes, which the line of facts shows."""
_FEW_AUTHORS = 2
"""Authors that a short item shows; more are left to the paper's page."""
_ORGANIZATION_LENGTH = 50
_NEWS = 0.75
"""New votes are shown up to this share of all votes: most votes of a new paper are new."""
_FEWEST_COMMENTS, _FEWEST_STARS = 3, 10
"""Fewer are not shown: submitters comment on their own papers, and authors star their own code."""
_SHOWN_LINKS = ("code", "project", "discussion")


def reason_line(locale: Locale, frozen: str) -> str:
    """Return a paper's reason on one clean line of at most 200 characters."""
    return shortened(one_line(localize_reason(locale, frozen)), REASON_LENGTH)


def own_reason_line(locale: Locale, frozen: str) -> str:
    """Return the reason of a paper without its votes, which the facts show; may be empty."""
    others = [line for line in frozen.split("\n") if read_reason(line).kind not in _OF_VOTES]
    return reason_line(locale, "\n".join(others))


def brief_authors(locale: Locale, paper: DigestPaper) -> str:
    """Return the authors in a short item; empty if there are many and the reason names none of
    them."""
    is_few = len(paper.authors) <= _FEW_AUTHORS
    is_shown = is_few or author_named(paper.reason)
    return localized_authors(locale, paper.authors) if is_shown else ""


def votes_line(locale: Locale, paper: DigestPaper) -> str:
    """Return `42 votes`; empty if there are none yet, or they are unknown."""
    return locale.counted(paper.votes, "vote") if paper.votes else ""


def gained_line(locale: Locale, paper: DigestPaper) -> str:
    """Return `9 new`, the new votes in the reason; empty if it has none, or most votes are new."""
    told = (one for one in read_reasons(paper.reason) if one.kind in _OF_VOTES)
    gained = next((one.params.get("gained") for one in told), None)
    is_news = isinstance(gained, int) and 0 < gained <= _NEWS * (paper.votes or 0)
    return locale.gettext("%(num)s new", num=gained) if is_news else ""


def facts_of(locale: Locale, paper: DigestPaper) -> list[str]:
    """Return the paper's age, and its comments if there are several."""
    many = (paper.comments or 0) >= _FEWEST_COMMENTS
    comments = locale.counted(paper.comments or 0, "comment") if many else ""
    return list(filter(None, [localized_age(locale, paper.age), comments]))


def chips_of(locale: Locale, paper: DigestPaper) -> list[str]:
    """Return the organization, and the stars of the code if there are several."""
    many = (paper.stars or 0) >= _FEWEST_STARS
    stars = locale.counted(paper.stars or 0, "star") if many else ""
    return list(filter(None, [shortened(paper.organization, _ORGANIZATION_LENGTH), stars]))


def item_links(locale: Locale, paper: DigestPaper) -> list[tuple[str, str]]:
    """Return (label, URL) of code, project page and discussion."""
    shown = {kind: paper.links[kind] for kind in _SHOWN_LINKS if kind in paper.links}
    title = title_address(paper)
    links = localized_links(locale, replace(paper, links=shown))
    return [(label, url) for label, url in links if url != title]
