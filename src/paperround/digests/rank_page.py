"""Explain the rank of a paper in one edition, for the page "Why this rank?".

    frozen parts and votes ─┐
    counts by then ─────────┼─► at most five sentences, the most telling ones
    similar papers ─────────┘

The sentences are stored-reason codes, so `core.i18n.localize` translates them. The figures of the
page are the parts frozen with the edition.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import ceil

from paperround.core.errors import NotFound
from paperround.core.languages import marked
from paperround.core.reasons import freeze, read_reason, read_reasons
from paperround.db.transactions import Database
from paperround.digests.pages import MOST_COUNTS, MOST_PLACES, find_paper
from paperround.editions.lists import window_of
from paperround.editions.model import Edition, EditionPaper, PaperRank
from paperround.editions.store.editions import EditionStore
from paperround.editions.store.history import VOTES, HistoryStore
from paperround.editions.store.lists import ListStore
from paperround.papers.formatting import shortened
from paperround.papers.model import Observation, Paper
from paperround.papers.search_service import Neighbours
from paperround.ranking.duplicates import group_duplicates
from paperround.ranking.score import AUTHORS
from paperround.ranking.signals import first_day, vote_history
from paperround.ranking.stop_words import paper_tokens
from paperround.ranking.weights import DEFAULTS

MOST_SENTENCES = 5
MOST_SIMILAR = 3
LEAST_PART = 0.05
"""The least part of a score, in either direction, that is worth a sentence."""
DAYS_OF_AGE = 3
"""Days after which the age of a paper is worth a sentence."""
_LONGEST_TITLE = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class SimilarPaper:
    """A similar paper, and its votes if they are known."""

    paper: Paper
    votes: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RankPage:
    """A paper's rank in an edition, the number of papers there, its frozen reason unless that only
    states votes, and the sentences that explain the rank, as stored reasons."""

    paper: Paper
    place: PaperRank
    papers: int
    ranker: str
    reason: str
    sentences: tuple[str, ...]
    similar: tuple[SimilarPaper, ...]


def rank_page(
    database: Database, neighbours: Neighbours, name: str, edition: str | None, *, now: datetime
) -> RankPage:
    """Return the explanation of a paper's rank in `edition`, written `LIST/DAY/CUT`, or in its
    latest one. Raises NotFound for a paper that is in no such edition."""
    with database.reading() as work:
        paper = find_paper(work, name)
        ranks = work[EditionStore].ranks(paper.id, limit=MOST_PLACES)
        wanted = (one for one in ranks if edition in (None, _edition_name(one)))
        place = next(wanted, None)
        if place is None:
            raise NotFound(marked("This paper is not in that edition."))
        mailing_list = work[ListStore].get(place.list_name)
        frozen = work[EditionStore].find(mailing_list.id, place.day, place.cut)
        if frozen is None:  # it was cancelled just now
            raise NotFound(marked("This paper is not in that edition."))
        counts = work[HistoryStore].counts(paper.id, by=frozen.as_of, limit=MOST_COUNTS)
    start = window_of(mailing_list, frozen.day, frozen.as_of).start
    near = neighbours.of(paper, now=now)
    folded = _folded(paper, near, frozen, start)
    others = [one for one in near if one not in folded][:MOST_SIMILAR]
    with database.reading() as work:
        latest = work[HistoryStore].latest([one.id for one in others], by=now)
    similar = [SimilarPaper(paper=one, votes=latest.get(one.id, {}).get(VOTES)) for one in others]
    reason = place.paper.reason
    return RankPage(
        paper=paper,
        place=place,
        papers=len(frozen.papers),
        ranker=frozen.ranker,
        reason="" if read_reason(reason).kind in ("", "votes") else reason,
        sentences=explain(place.paper, paper, counts, similar, folded, as_of=frozen.as_of),
        similar=tuple(similar),
    )


def explain(
    place: EditionPaper,
    paper: Paper,
    counts: Sequence[Observation],
    similar: Sequence[SimilarPaper],
    folded: Sequence[Paper],
    *,
    as_of: datetime,
) -> tuple[str, ...]:
    """Return at most five sentences, as stored reasons: votes, what moved it, similar papers.

    `counts` are those of the paper by `as_of`, `folded` its near-duplicates that were left out.
    """
    sentences = [
        _votes(place, paper, counts, as_of),
        *_age(paper, as_of),
        *_caps(place.parts),
        *(freeze("rank.folded", title=shortened(one.title, _LONGEST_TITLE)) for one in folded[:1]),
        *_authors(place),
        *_expected(place.parts),
        *_similar(similar),
    ]
    return tuple(sentences[:MOST_SENTENCES])


def _edition_name(rank: PaperRank) -> str:
    return f"{rank.list_name}/{rank.day}/{rank.cut}"


def _folded(paper: Paper, near: Sequence[Paper], edition: Edition, start: datetime) -> list[Paper]:
    """The near-duplicates of the paper among the candidates that the edition left out."""
    shown = {one.paper_id for one in edition.papers}
    candidates = [
        one for one in near if one.id not in shown and start < one.counts_from <= edition.as_of
    ]
    papers = [paper, *candidates]
    groups = group_duplicates(papers, [paper_tokens(one.title, one.abstract) for one in papers])
    return [papers[place] for place in groups[0][1:]]


def _votes(
    place: EditionPaper, paper: Paper, counts: Sequence[Observation], as_of: datetime
) -> str:
    listed = first_day(paper, as_of).date().isoformat()
    if place.votes is None:
        return freeze("rank.votes_unknown", day=listed)
    history = vote_history(paper, counts, as_of, DEFAULTS)
    if history is None or history.votes != place.votes:  # counts were joined or deleted since
        return freeze("rank.votes", day=listed, votes=place.votes)
    moment = history.counted_at.isoformat()
    growth = history.growth
    if growth is None or growth.since is None or not 0 < growth.gained < place.votes:
        return freeze("rank.votes_at", day=listed, votes=place.votes, moment=moment)
    return freeze(
        "rank.votes_gained",
        day=listed,
        votes=place.votes,
        moment=moment,
        gained=growth.gained,
        num=max(1, ceil(growth.hours)),
    )


def _age(paper: Paper, as_of: datetime) -> Iterator[str]:
    days = (as_of.date() - first_day(paper, as_of).date()).days
    if days == 0:
        yield freeze("rank.fresh")
    elif days >= DAYS_OF_AGE:
        yield freeze("rank.aged", num=days)


def _caps(parts: Mapping[str, float]) -> Iterator[str]:
    for part in ("topic_cap", "submitter_cap"):
        if parts.get(part):
            yield freeze(f"rank.{part}")


def _authors(place: EditionPaper) -> Iterator[str]:
    popular = next((r for r in read_reasons(place.reason) if r.code == "author.popular"), None)
    part = place.parts.get(AUTHORS, 0.0)
    if popular is not None:
        yield freeze("rank.author_up", name=popular.params["name"])
    elif part >= LEAST_PART:
        yield freeze("rank.authors_up")
    elif part <= -LEAST_PART:
        yield freeze("rank.authors_down")


def _expected(parts: Mapping[str, float]) -> Iterator[str]:
    """Explain the votes expected from earlier papers; for a paper without votes only by its
    text."""
    for name in ("prior", "prior_text", "topics"):
        value = parts.get(name, 0.0)
        if abs(value) >= LEAST_PART:
            yield freeze(f"rank.{name}_{'up' if value > 0 else 'down'}")


def _similar(similar: Sequence[SimilarPaper]) -> Iterator[str]:
    votes = [one.votes for one in similar if one.votes is not None]
    if len(votes) == 1:
        yield freeze("rank.similar_one", votes=votes[0])
    elif votes:
        yield freeze("rank.similar", numbers=votes)
