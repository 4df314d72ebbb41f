"""Rank papers and preview their digest for `paperround try`, without an installation.

file, services or samples ─► ingest into a temporary database ─► ranked ─► digest view
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from paperround.bootstrap import AppContext
from paperround.core.reasons import freeze, join_reasons
from paperround.core.sender import SenderIdentity
from paperround.core.tokens import KeyRing
from paperround.db.transactions import Database
from paperround.delivery.model import Identity
from paperround.delivery.system_mail import sample_notice
from paperround.delivery.system_mail_model import SystemMailKind
from paperround.digests.compose import new_subscriber_digest, without_site
from paperround.digests.model import DigestView
from paperround.digests.publish import draft, unsaved_edition
from paperround.editions.lists import MANUAL_CUT, ListId, MailingList, Window
from paperround.editions.model import Candidate, Ranked, Ranking
from paperround.editions.store.candidates import CandidateStore
from paperround.papers.identifiers import canonical
from paperround.papers.model import Paper, PaperId
from paperround.papers.search import SearchResult, parse_query, rarity
from paperround.ranking.rank import ListRanking
from paperround.ranking.relevance import fit, read_for
from paperround.ranking.score import total
from paperround.ranking.trending import TrendingRanker

NAME = "try"

_NO_SECRET = Identity(keys=KeyRing((b"links of a trial belong to nobody",)), domain="example.org")
"""Signs the links of a digest that shows none."""

_BEGINNING = datetime(1, 1, 1, tzinfo=UTC)


@contextmanager
def temporary_installation(context: AppContext) -> Iterator[AppContext]:
    """Yield an installation in a temporary folder, with the other settings of `context`."""
    with TemporaryDirectory() as folder:
        own = {"data_dir": Path(folder), "database_url": None}
        temporary = replace(context, settings=context.settings.model_copy(update=own), creates=True)
        try:
            yield temporary
        finally:
            temporary.database.close()


def every_candidate(database: Database, *, now: datetime) -> list[Candidate]:
    """Return the papers of `database`, of any age."""
    with database.reading() as work:
        return list(work[CandidateStore].candidates(_list("", 1), Window(_BEGINNING, now)))


def _list(title: str, size: int) -> MailingList:
    return MailingList(id=ListId(0), name=NAME, title=title, size=size, edition_size=size)


# A query: the trending score plus a part for the match.
#
# The match is the fit of a search (see `ranking.relevance`), relative to the best one; the rarity
# of a word is computed from the papers themselves. Its weight is large compared with a day's trend,
# so the best matches come first, and trending papers among equal matches.

PART = "match"
WEIGHT = 10.0

LEAST_RARITY = 0.01
"""The least weight of a word, for one that every paper has."""

NOTHING_FOUND = SearchResult(best=(), total=0, papers={}, indexed=0)
"""No statistics of an index: they come from the papers to rank."""

VERSION = "query-2"
"""Changes when the same input would be ranked differently."""


def rank_for(query: str, candidates: Sequence[Candidate], *, now: datetime) -> Ranking:
    """Rank the candidates, of any age, that match `query`, and leave out the others."""
    ranking = TrendingRanker().rank(candidates, background=(), as_of=now, submitter_cap=0)
    found = matches(query, [item.paper for item in ranking.items])
    matching: list[Ranked] = []
    for item in ranking.items:
        if item.paper.id in found:
            fit_part, words = found[item.paper.id]
            parts = {PART: fit_part, **item.parts}
            reason = join_reasons(item.reason, freeze("followed.query", words=words))
            matching.append(replace(item, parts=parts, score=total(parts), reason=reason))
    matching.sort(key=lambda one: (-one.score, canonical(one.paper.identifiers), one.paper.id))
    return replace(ranking, ranker=f"{VERSION}+{ranking.ranker}", items=tuple(matching))


def matches(text: str, papers: Sequence[Paper]) -> dict[PaperId, tuple[float, tuple[str, ...]]]:
    """Return the papers that match a search for `text`: the part of the score, and the words of
    the query that each has."""
    query = parse_query(text)
    terms = (*query.wanted, *query.excluded)
    read = read_for(replace(query, required=(), optional=terms), papers, NOTHING_FOUND)
    holders = [sum(map(any, column)) for column in zip(*read.amounts, strict=True)]
    tells = [max(rarity(papers_with, len(papers)), LEAST_RARITY) for papers_with in holders]
    fits: dict[PaperId, float] = {}
    words: dict[PaperId, tuple[str, ...]] = {}
    for id_, amounts in zip(read.papers, read.amounts, strict=True):
        found = {term for term, amount in zip(terms, amounts, strict=True) if any(amount)}
        if found and found.issuperset(query.required) and found.isdisjoint(query.excluded):
            fits[id_] = fit(tells, amounts)
            words[id_] = tuple(" ".join(term.words) for term in query.wanted if term in found)
    best = max(fits.values(), default=0.0)
    return {id_: (round(WEIGHT * score / best, 4), words[id_]) for id_, score in fits.items()}


def digest_view(
    ranking: Ranking,
    *,
    title: str,
    limit: int,
    sender_identity: SenderIdentity,
    now: datetime,
) -> DigestView:
    """Return the digest of the first `limit` papers."""
    mailing_list = _list(title, limit)
    ranked = ListRanking(
        mailing_list=mailing_list,
        day=now.date(),
        window=Window(now, now),
        ranking=ranking,
        papers_known=len(ranking.items),
    )
    edition = unsaved_edition(draft(ranked, MANUAL_CUT, now), NAME)
    sample = sample_notice(_NO_SECRET, SystemMailKind.TEST, now=now)
    mail = new_subscriber_digest(edition, mailing_list, sample, sender_identity, _NO_SECRET.keys)
    return without_site(mail.view)
