"""Lay out papers on a page as in a digest: in its sections, numbered in its order.

edition ──► the papers of a digest for everybody ─► sections, as in the email
        └─► all others ───────────────────────────► sections
week, month ─► papers at their best rank ─────────► sections
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby
from operator import itemgetter

from paperround.core.times import end_of_day
from paperround.digests.compose import paper_for_all
from paperround.digests.model import DigestPaper
from paperround.digests.render.view import LEADS
from paperround.editions.model import Edition, EditionPaper, Placed, TrendingPeriod
from paperround.editions.sections import Section, order_of, section_for_all
from paperround.editions.trending import TrendingPage


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A paper on a page: its number there, how a digest shows it, and its rank in an edition."""

    number: int
    paper: DigestPaper
    place: Placed

    @property
    def is_lead(self) -> bool:
        """Whether it is shown at length, as the first papers of a digest are."""
        return self.number <= LEADS


@dataclass(frozen=True, slots=True, kw_only=True)
class PageSection:
    """The papers below one heading."""

    section: Section
    items: tuple[Item, ...]

    @property
    def is_estimated(self) -> bool:
        """Whether it has papers ranked by what was learned from earlier ones."""
        return any(item.paper.is_estimated for item in self.items)


Sections = tuple[PageSection, ...]


def digest_sections(edition: Edition, size: int) -> Sections:
    """Return the sections of a digest of `size` papers for readers without preferences."""
    return _sections(_placed(edition, edition.papers[:size]), first=1)


def other_sections(edition: Edition, size: int) -> Sections:
    """Return the sections of the papers that this digest leaves out."""
    return _sections(_placed(edition, edition.papers[size:]), first=size + 1)


def trending_sections(page: TrendingPage) -> Sections:
    """Return the sections of the papers of a day, a week or a month.

    Numbers continue from page to page. A paper is new to a week if it was listed in that week, and
    new to a day if it was new when it was ranked.
    """
    if page.period is TrendingPeriod.DAY:
        return _sections(page.papers, first=page.offset + 1)
    end = end_of_day(page.last, page.mailing_list.zone)
    return _sections(page.papers, first=page.offset + 1, end=end, period=page.period)


def _placed(edition: Edition, papers: Sequence[EditionPaper]) -> list[Placed]:
    as_of, frozen_at = edition.as_of, edition.frozen_at
    return [
        Placed(day=edition.day, cut=edition.cut, as_of=as_of, frozen_at=frozen_at, paper=one)
        for one in papers
    ]


def _sections(
    places: Sequence[Placed],
    *,
    first: int,
    end: datetime | None = None,
    period: TrendingPeriod = TrendingPeriod.DAY,
) -> Sections:
    """Return papers in the order of their sections, numbered from `first` on. Sections are those at
    the `end` of a period, by default those when a paper was ranked."""
    sections = [section_for_all(one.paper, end or one.as_of, period) for one in places]
    order = order_of([(sections[at], one.paper.votes) for at, one in enumerate(places)])
    numbered = [
        (
            sections[at],
            Item(
                number=number,
                paper=_on_page(places[at], sections[at], period),
                place=places[at],
            ),
        )
        for number, at in enumerate(order, start=first)
    ]
    return tuple(
        PageSection(section=section, items=tuple(item for _, item in group))
        for section, group in groupby(numbered, key=itemgetter(0))
    )


def _on_page(place: Placed, section: Section, period: TrendingPeriod) -> DigestPaper:
    """Return a paper as a page shows it, with the English reasons of old editions.

    In a week or a month it has no age: its votes are of the day of its rank, which is shown.
    """
    paper = paper_for_all(place.paper, place.as_of, "", section)
    age = paper.age if period is TrendingPeriod.DAY else None
    if paper.reason == place.paper.reason and paper.age == age:
        return paper
    return replace(paper, reason=place.paper.reason, age=age)
