"""Papers like another one, found by the words that tell most of it."""

from paperround.domain.likeness import is_alike, query_like, telling_words
from paperround.domain.papers import Paper
from paperround.jobs.ports import Database, Relevance

LOOKED_AT = 30
SHOWN = 5


def similar_papers(database: Database, relevance: Relevance, paper: Paper) -> list[Paper]:
    """At most five, the most similar first; none where nothing shares enough with it."""
    with database.reading() as work:
        spread = work.search.spread(telling_words(paper))
        query = query_like(paper, spread, work.papers.count())
        found = work.search.find(query, limit=LOOKED_AT)
        loaded = work.papers.load(found.best) if found.best else {}
    papers = [loaded[one] for one in found.best if one in loaded]
    order = relevance(query, papers, found)
    alike = (loaded[one] for one in order if one != paper.id)
    return [one for one in alike if not one.withdrawn and is_alike(query, one)][:SHOWN]
