"""Read the data of the pages of editions, papers, topics and authors."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum

from paperround.access.store import AuditStore
from paperround.core.errors import InvalidInput, NotFound
from paperround.core.languages import marked
from paperround.db.transactions import Database, Transaction
from paperround.delivery.store.status import StatusStore
from paperround.digests.cancel import CANCEL, GONE, audit_target, count_states
from paperround.digests.listing import Sections, digest_sections, other_sections
from paperround.editions.archive import first_titles, quiet_reason_text
from paperround.editions.citations import Citation, CitedEdition
from paperround.editions.lists import DEFAULT_LIST, MailingList
from paperround.editions.model import (
    Edition,
    EditionId,
    EditionState,
    EditionSummary,
    PaperRank,
    page_path,
)
from paperround.editions.rank_trace import RankTrace, rank_trace
from paperround.editions.schedule import MOST_CUTS
from paperround.editions.store.editions import EditionStore
from paperround.editions.store.history import VOTES, HistoryStore
from paperround.editions.store.lists import ListStore
from paperround.papers.formatting import shown_text
from paperround.papers.gist import LONGEST, choose_two
from paperround.papers.identifiers import addresses_of, arxiv_id, page_name
from paperround.papers.model import Observation, Paper, PaperId, PaperTrail
from paperround.papers.search import Filters, Hit, Query, parse_query
from paperround.papers.search_service import Marker, hit_of
from paperround.papers.store.papers import PaperStore
from paperround.papers.store.search import SearchIndex
from paperround.papers.traces import Trace, latest_of, vote_trace

FRONT_DAYS = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class EditionPage:
    """One edition in the archive: all cuts of its day, the earliest first, and the previous and
    next day with papers.

    `quiet` says why it holds few papers or none; `withdrawn` is the operator's reason if it was
    cancelled, else None.
    """

    mailing_list: MailingList
    edition: Edition
    quiet: str
    cuts: tuple[EditionSummary, ...]
    earlier: date | None
    later: date | None
    withdrawn: str | None

    @property
    def digest(self) -> Sections:
        """The papers of its digest for everybody."""
        return digest_sections(self.edition, self.mailing_list.size)

    @property
    def others(self) -> Sections:
        """The papers that the digest leaves out."""
        return other_sections(self.edition, self.mailing_list.size)


@dataclass(frozen=True, slots=True, kw_only=True)
class FrontPage:
    """The newest edition with papers.

    `quiet` says why the newest edition of all has none. `titles` are of the first papers of the
    `previous` editions.
    """

    mailing_list: MailingList
    edition: Edition | None
    is_newest: bool
    quiet: str
    previous: tuple[EditionSummary, ...]
    titles: Mapping[EditionId, tuple[str, ...]]

    @property
    def digest(self) -> Sections:
        """The papers of its digest for everybody."""
        return digest_sections(self.edition, self.mailing_list.size) if self.edition else ()

    @property
    def more(self) -> int:
        """The number of further papers in the edition."""
        return max(0, len(self.edition.papers) - self.mailing_list.size) if self.edition else 0


def front_page(database: Database, *, now: datetime) -> FrontPage | None:
    """Return the front page at `now`: of the default list, or of the first public one in its place
    if it is archived or private. None if there is no public list."""
    with database.reading() as work:
        shown = [one for one in work[ListStore].public() if one.archived_at is None]
        if not shown:
            return None
        mailing_list = min(shown, key=lambda one: (one.name != DEFAULT_LIST, one.title))
        newest = work[EditionStore].newest(mailing_list.id, by=now)
        recent = work[EditionStore].recent(mailing_list.id, limit=MOST_CUTS * (FRONT_DAYS + 1))
        edition = newest if newest is not None and newest.papers else None
        if edition is None and recent:
            edition = work[EditionStore].find(mailing_list.id, recent[0].day, recent[0].cut)
        # the last edition of each earlier day, newest first
        last = {one.day: one for one in reversed(recent) if edition and one.day < edition.day}
        previous = sorted(last.values(), key=lambda one: one.day, reverse=True)[:FRONT_DAYS]
        titles = first_titles(work, mailing_list, previous)
    return FrontPage(
        mailing_list=mailing_list,
        edition=edition,
        is_newest=edition is not None and edition is newest,
        quiet=quiet_reason_text(newest),
        previous=tuple(previous),
        titles=titles,
    )


def edition_page(
    database: Database,
    list_name: str,
    day: date,
    cut: str | None,
    *,
    even_withdrawn: bool = False,
    opened: bool = False,
) -> EditionPage:
    """Return the edition of (list, day, cut), or the day's last one.

    Raises NotFound without an edition, for a private list unless `opened`, and for a cancelled
    edition unless `even_withdrawn` is set and it was sent to readers.
    """
    with database.reading() as work:
        mailing_list = work[ListStore].get_public(list_name, opened=opened)
        if cut is None:  # the day's last edition with papers, else its last edition
            newest = work[EditionStore].recent(
                mailing_list.id, before=day + timedelta(days=1), limit=1
            )
            holds_papers = bool(newest) and newest[0].day == day
            names = map(str, reversed(range(MOST_CUTS)))  # the list may have fewer cuts now
            existing = (one for one in names if _find_out(work, mailing_list, day, one))
            cut = newest[0].cut if holds_papers else next(existing, "0")
        edition = _find_out(work, mailing_list, day, cut)
        cuts = work[EditionStore].between(mailing_list.id, since=day, until=day)
        earlier = work[EditionStore].recent(mailing_list.id, before=day, limit=1)
        later = work[EditionStore].following(mailing_list.id, after=day)
        is_cancelled = edition is not None and edition.state is EditionState.CANCELLED
        left = (
            _withdrawal_reason(work, edition)
            if edition and is_cancelled and even_withdrawn
            else None
        )
    if edition is None or (is_cancelled and left is None):
        raise NotFound(
            marked(
                "The list %(term)s has no edition with this address on %(name)s.",
                term=list_name,
                name=day,
            )
        )
    return EditionPage(
        mailing_list=mailing_list,
        edition=edition,
        quiet=quiet_reason_text(edition),
        cuts=tuple(reversed(cuts)),
        earlier=earlier[0].day if earlier else None,
        later=later.day if later else None,
        withdrawn=left,
    )


def _find_out(work: Transaction, mailing_list: MailingList, day: date, cut: str) -> Edition | None:
    """Return an edition, unless it is held: readers see it once it is out."""
    found = work[EditionStore].find(mailing_list.id, day, cut)
    return None if found is None or found.held_until is not None else found


def _withdrawal_reason(work: Transaction, edition: Edition) -> str | None:
    """Return the operator's reason for cancelling an edition, or ""; None if the edition reached
    nobody and needs no page."""
    of_day = work[StatusStore].editions_of(edition.list_id, edition.day)
    if not any(count_states(one.by_state, GONE) for one in of_day if one.id == edition.id):
        return None
    target = audit_target(edition.list_name, edition.day, edition.cut)
    entry = work[AuditStore].latest(CANCEL, target)
    return str(entry.details.get("reason", "")) if entry else ""


# Pages and citations of papers.

_LONGEST_ID = 18
"""Digits of an id; a longer one fits no database."""
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
    of each earlier day, newest first; `trace` draws them if they are enough. `votes` is their
    history, None without counts; `counts` is the newest count of every other signal.
    """

    paper: Paper
    short: str
    text: str
    is_gist: bool
    links: Mapping[str, str]
    place: PaperRank | None
    before: tuple[PaperRank, ...]
    trace: RankTrace | None
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
    """Return the page of the paper with this id or arXiv id. Raises NotFound."""
    with database.reading() as work:
        paper = find_paper(work, name)
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
        trace=rank_trace(last.values()),
        votes=vote_trace(counts, VOTES),
        counts=latest_of(one for one in counts if one.signal != VOTES),
        trail=trail,
    )


def cited_paper(database: Database, public_url: str, name: str) -> Citation:
    """Return the citation of the paper with this id or arXiv id. Raises NotFound."""
    with database.reading() as work:
        return citation(public_url, find_paper(work, name))


def find_paper(work: Transaction, name: str) -> Paper:
    """Return the paper of a number or an arXiv id of any version. Raises NotFound."""
    id_: PaperId | None = None
    if name.isascii() and name.isdecimal():
        id_ = PaperId(int(name)) if len(name) <= _LONGEST_ID else None
    elif found := arxiv_id(name):
        key = ("arxiv", found[0])
        id_ = work[PaperStore].find([key]).get(key)
    paper = work[PaperStore].load([id_]).get(id_) if id_ is not None else None
    if paper is None:
        raise NotFound(marked("This paper is not in our database."))
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
    path = f"/editions/{list_name}/{day}" + ("" if cut is None else f"/{cut}")
    return CitedEdition(
        title=found.mailing_list.title,
        edition=found.edition,
        quiet=found.quiet,
        page=public_url.rstrip("/") + path,
        citations=citations_of(database, public_url, found.edition),
    )


def citations_of(database: Database, public_url: str, edition: Edition) -> tuple[Citation, ...]:
    """Return the citations of an edition's papers as they are today, in order."""
    ids = [one.paper_id for one in edition.papers]
    with database.reading() as work:
        papers = work[PaperStore].load(ids)
    return tuple(citation(public_url, papers[one]) for one in ids)


# Pages and feeds of the newest papers on a topic or by an author.

PAGE = 20
DEEPEST = 500
MOST_ENTRIES = 60
LOOKED_AT = 500
"""The number of search results to read; the newest of them are shown."""
WINDOWS = (timedelta(days=7), timedelta(days=60), None)
"""How far back a search goes; the next window is tried when there are too few papers."""
_OR = re.compile(r"\bOR\b")


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


class Followed(StrEnum):
    """What pages and feeds of new papers follow, as in their URLs."""

    SEARCH = "search"
    TOPICS = "topics"
    AUTHORS = "authors"


def followed_search(kind: Followed, text: str) -> tuple[str, str]:
    """Return the name and the query of a topic or an author: the words of a topic are a phrase, an
    author is written `Ada Ring` or `Ring, Ada`."""
    if kind is Followed.SEARCH:
        return text.strip(), text
    plain = text.replace('"', " ")
    if kind is Followed.TOPICS:
        return plain.strip(), f'"{plain.strip()}"'
    family, _, given = plain.partition(",")
    name = " ".join(f"{given} {family}".split())
    return name, f'author:"{name}"'


def followed_page(
    database: Database, kind: Followed, text: str, *, number: int, now: datetime
) -> FollowedPage:
    """Return the newest papers of the topic or author `text`. Raises InvalidInput."""
    name, search = followed_search(kind, text)
    query = all_of(search)
    offset = (number - 1) * PAGE
    with database.reading() as work:
        papers = find_newest(work, query, now, least=min(offset + PAGE + 1, DEEPEST))
    marker = Marker(query)
    return FollowedPage(
        name=name,
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
            marked("this search has no words: enter at least one that papers should contain")
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
