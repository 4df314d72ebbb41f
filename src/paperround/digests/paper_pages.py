"""Read the data of paper, citation, topic and author pages."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from paperround.core.errors import InvalidInput, NotFound
from paperround.core.languages import marked
from paperround.db.transactions import Database, Transaction
from paperround.digests.pages import edition_page, paper_id
from paperround.editions.citations import Citation, CitedEdition
from paperround.editions.model import PaperRank, page_path
from paperround.editions.store.editions import EditionStore
from paperround.editions.store.history import HistoryStore
from paperround.papers.formatting import shown_text
from paperround.papers.gist import LONGEST, choose_two
from paperround.papers.identifiers import addresses_of, page_name
from paperround.papers.model import Observation, Paper, PaperId, PaperTrail
from paperround.papers.search import Filters, Hit, Query, parse_query
from paperround.papers.search_service import Marker, hit_of
from paperround.papers.store.papers import PaperStore
from paperround.papers.store.search import SearchIndex
from paperround.papers.traces import Trace, latest_of, vote_trace

MOST_ENTRIES = 60
LOOKED_AT = 500
"""Search results read, of which the newest are shown."""
WINDOWS = (timedelta(days=7), timedelta(days=60), None)
"""How far back a search goes; the next window is tried when there are too few papers."""
_OR = re.compile(r"\bOR\b")
VOTES = "upvotes"
MOST_PLACES = 60
"""Editions read for a paper: four a day, for a week, on two lists."""
MOST_COUNTS = 2_000
"""The newest counts read for a paper: those of some weeks."""
MOST_TEXTS = 20
_NEEDS_SHORT = 2 * LONGEST
"""Characters from which an abstract gets a short version of two sentences."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperPage:
    """A paper, as far as its source's licence lets us show it.

    `short` is two sentences of a long `text`. `place` is its latest rank, `before` its last rank
    of each earlier day, newest first. `votes` is their history, None without counts; `counts` is
    the newest count of every other signal.
    """

    paper: Paper
    short: str
    text: str
    is_gist: bool
    links: Mapping[str, str]
    place: PaperRank | None
    before: tuple[PaperRank, ...]
    votes: Trace | None
    counts: Mapping[str, Observation]
    trail: PaperTrail

    @property
    def discussions(self) -> Mapping[str, str]:
        """The paper's URLs on other sites, by the name of the site."""
        found = self.paper.identifiers.get("arxiv")
        if found is None:
            return {}
        return {
            "alphaXiv": f"https://www.alphaxiv.org/abs/{found}",
            "Semantic Scholar": f"https://www.semanticscholar.org/arxiv/{found}",
        }


def paper_page(database: Database, name: str, *, now: datetime) -> PaperPage:
    """Return the page of the paper with this id or arXiv id (any version). Raises NotFound."""
    with database.reading() as work:
        paper = _find_paper(work, name)
        ranks = work[EditionStore].ranks(paper.id, limit=MOST_PLACES)
        counts = work[HistoryStore].counts(paper.id, by=now, limit=MOST_COUNTS)
        trail = work[PaperStore].trail(paper.id, limit=MOST_TEXTS)
    text, is_gist = shown_text(paper)
    last: dict[tuple[str, date], PaperRank] = {}  # the last rank of each list and day
    for one in ranks:
        last.setdefault((one.list_name, one.day), one)
    return PaperPage(
        paper=paper,
        short="" if is_gist or len(text) < _NEEDS_SHORT else choose_two(paper.title, text),
        text=text,
        is_gist=is_gist,
        links={**addresses_of(paper.identifiers), **paper.links},
        place=ranks[0] if ranks else None,
        before=tuple(last.values())[1:],
        votes=vote_trace(counts, VOTES),
        counts=latest_of(one for one in counts if one.signal != VOTES),
        trail=trail,
    )


def cited_paper(database: Database, public_url: str, name: str) -> Citation:
    """Return the citation of the paper with this id or arXiv id. Raises NotFound."""
    with database.reading() as work:
        return citation(public_url, _find_paper(work, name))


def _find_paper(work: Transaction, name: str) -> Paper:
    id_ = paper_id(work, name)
    paper = work[PaperStore].load([id_]).get(id_) if id_ is not None else None
    if paper is None:
        raise NotFound(marked("There is no such paper here."))
    return paper


def citation(public_url: str, paper: Paper) -> Citation:
    """Return the citation of a paper, with its URL on this site and the text we may show."""
    text, is_gist = shown_text(paper)
    path = page_path(page_name(paper.identifiers, paper.id))
    return Citation(paper=paper, text=text, is_gist=is_gist, page=public_url.rstrip("/") + path)


def cited_edition(
    database: Database, public_url: str, list_name: str, day: date, cut: str | None
) -> CitedEdition:
    """Return the edition of (list, day, cut), or the day's last one. Raises NotFound."""
    found = edition_page(database, list_name, day, cut)
    with database.reading() as work:
        papers = work[PaperStore].load([one.paper_id for one in found.edition.papers])
    path = f"/editions/{list_name}/{day}" + ("" if cut is None else f"/{cut}")
    return CitedEdition(
        title=found.mailing_list.title,
        edition=found.edition,
        quiet=found.quiet,
        page=public_url.rstrip("/") + path,
        citations=tuple(citation(public_url, papers[one.paper_id]) for one in found.edition.papers),
    )


# Pages and feeds of the newest papers on a topic or by an author.

PAGE = 20
DEEPEST = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowedPage:
    """One page of the newest papers of a topic or author, five hundred at most in all.

    `search` is the query, `name` the topic or author to show.
    """

    name: str
    search: str
    hits: tuple[Hit, ...]
    number: int
    is_last: bool

    @property
    def offset(self) -> int:
        """The number of papers on the previous pages."""
        return (self.number - 1) * PAGE


def papers_on_topic(database: Database, topic: str, *, number: int, now: datetime) -> FollowedPage:
    """Return the newest papers with the topic as a phrase. Raises InvalidInput."""
    words = topic.replace('"', " ").strip()
    return _search_page(database, words, f'"{words}"', number, now)


def papers_by_author(database: Database, name: str, *, number: int, now: datetime) -> FollowedPage:
    """Return the newest papers of an author, `Ada Ring` or `Ring, Ada`. Raises InvalidInput."""
    family, _, given = name.replace('"', " ").partition(",")
    words = " ".join(f"{given} {family}".split())
    return _search_page(database, words, f'author:"{words}"', number, now)


def _search_page(
    database: Database, words: str, search: str, number: int, now: datetime
) -> FollowedPage:
    query = all_of(search)
    offset = (number - 1) * PAGE
    with database.reading() as work:
        papers = find_newest(work, query, now, least=min(offset + PAGE + 1, DEEPEST))
    marker = Marker(query)
    return FollowedPage(
        name=words,
        search=search,
        hits=tuple(hit_of(marker, one) for one in papers[offset : offset + PAGE]),
        number=number,
        is_last=offset + PAGE >= min(len(papers), DEEPEST),
    )


def all_of(text: str) -> Query:
    """Return the query of `text` with every word required, unless it contains OR.

    Raises InvalidInput for a text without a word.
    """
    query = parse_query(text)
    if not query.wanted:
        raise InvalidInput(
            marked("that names no word to look for: write one that a paper should have")
        )
    return query if _OR.search(text) else replace(query, required=query.wanted, optional=())


def find_newest(
    work: Transaction, query: Query, now: datetime, *, least: int = MOST_ENTRIES
) -> Sequence[Paper]:
    """Return matching papers, the newest first: at least `least` if there are so many, and at most
    LOOKED_AT. Older windows are searched only when there are too few."""
    papers: Sequence[PaperId] = ()
    for window in WINDOWS:
        after = None if window is None else (now - window).date()
        nearer = Filters(after=after) if query.filters.after is None else Filters()
        windowed = replace(query, filters=nearer.over(query.filters))
        papers = work[SearchIndex].find(windowed, limit=LOOKED_AT).best
        if len(papers) >= least:
            break
    loaded = work[PaperStore].load(papers) if papers else {}
    return sorted(loaded.values(), key=lambda one: (one.counts_from, one.id), reverse=True)
