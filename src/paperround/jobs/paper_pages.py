"""What the page of a paper shows: its texts, where it stood and why, how it was counted, where it
came from. Nothing is changed here."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from paperround.domain.editions import Stood
from paperround.domain.errors import NotFound
from paperround.domain.gist import LONGEST, choose_two
from paperround.domain.identifiers import addresses_of
from paperround.domain.languages import marked
from paperround.domain.papers import Observation, Paper, PaperTrail
from paperround.domain.traces import Trace, latest_of, trace_of
from paperround.jobs.site import paper_id, shown_text
from paperround.store.unit_of_work import Database

VOTES = "upvotes"
MOST_PLACES = 60
"""Editions of a paper that are looked at: four a day, for a week, on two lists."""
MOST_COUNTS = 2_000
"""Counts of one paper that are looked at, those of some weeks: the newest."""
MOST_TEXTS = 20
_NEEDS_SHORT = 2 * LONGEST
"""Characters of an abstract from which on two sentences are much less."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperPage:
    """A paper as much as its source lets us show.

    `short` is two sentences of a `text` that is long enough to need it. `place` is where it stood
    last, `before` where it stood at the end of each day before, newest first. `votes` is how they
    went, None where nobody counted any; `counts` the newest count of every other signal.
    """

    paper: Paper
    short: str
    text: str
    is_gist: bool
    links: Mapping[str, str]
    place: Stood | None
    before: tuple[Stood, ...]
    votes: Trace | None
    counts: Mapping[str, Observation]
    trail: PaperTrail

    @property
    def discussions(self) -> Mapping[str, str]:
        """Where else it can be talked about and looked into, by what that is called."""
        found = self.paper.identifiers.get("arxiv")
        if found is None:
            return {}
        return {
            "alphaXiv": f"https://www.alphaxiv.org/abs/{found}",
            "Semantic Scholar": f"https://www.semanticscholar.org/arxiv/{found}",
        }


def paper_page(database: Database, name: str, *, now: datetime) -> PaperPage:
    """The paper called `name`: its id or its arXiv id, a version left aside. Raises NotFound."""
    with database.reading() as work:
        id_ = paper_id(work, name)
        paper = work.papers.load([id_]).get(id_) if id_ is not None else None
        if paper is None:
            raise NotFound(marked("There is no such paper here."))
        stood = work.editions.stood(paper.id, limit=MOST_PLACES)
        counts = work.history.counts(paper.id, by=now, limit=MOST_COUNTS)
        trail = work.papers.trail(paper.id, limit=MOST_TEXTS)
    text, is_gist = shown_text(paper)
    return PaperPage(
        paper=paper,
        short="" if is_gist or len(text) < _NEEDS_SHORT else choose_two(paper.title, text),
        text=text,
        is_gist=is_gist,
        links={**addresses_of(paper.identifiers), **paper.links},
        place=stood[0] if stood else None,
        before=last_of_days(stood)[1:],
        votes=trace_of(counts, VOTES),
        counts=latest_of(one for one in counts if one.signal != VOTES),
        trail=trail,
    )


def last_of_days(stood: Iterable[Stood]) -> tuple[Stood, ...]:
    """Of places that are given newest first, the last of each day of a list."""
    last: dict[tuple[str, date], Stood] = {}
    for one in stood:
        last.setdefault((one.list_name, one.day), one)
    return tuple(last.values())
