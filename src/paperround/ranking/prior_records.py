"""Records that may be given as a reason: what earlier papers of somebody, or with a term, came to.

A prior goes by hashed columns that several terms share, and by what was left of an outcome after
other things explained their part: good enough to order papers, and no ground to say anything of a
name or a term. So these are counted as they are. A record is kept of who did well: LEAST_TIMES the
usual votes on average, the usual being the geometric mean of 1 + votes over the papers of the same
day and feed. A term takes LEAST_PAPERS papers, and must be one that could name a topic; a link is
code, a project page or media.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from math import log
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from paperround.domain.papers import Paper
from paperround.ranking.prior import PastMeans, author_keys
from paperround.ranking.prior_text import TextModel, column_of, terms_of
from paperround.ranking.words import may_join, occurs, stands_alone

LEAST_TIMES = 1.2
LEAST_PAPERS = 5
LINKS = ("code", "project", "media")
SLOTS = 1 << 22
"""Places in which terms are counted first, so that only those of enough papers are kept at all."""

Targets = Sequence[tuple[Paper, float]]
"""Papers, each with ln(1 + votes) above the mean of its day and feed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Records:
    """Who did well, and which terms papers had that did: sums of `Targets`, and how many each is
    made of. Authors stand under the keys by which they are compared."""

    authors: PastMeans = field(default_factory=PastMeans)
    organizations: PastMeans = field(default_factory=PastMeans)
    submitters: PastMeans = field(default_factory=PastMeans)
    links: PastMeans = field(default_factory=PastMeans)
    terms: PastMeans = field(default_factory=PastMeans)


def records_of(targets: Targets) -> Records:
    """The records of all who did well, and of the terms that may be quoted."""
    found = Records()
    frequent = _frequent(paper for paper, _ in targets)
    for paper, target in targets:
        found.authors.add(author_keys(paper), target)
        found.organizations.add(filter(None, [paper.organization]), target)
        found.submitters.add(filter(None, [paper.submitter]), target)
        found.links.add(filter(paper.links.__contains__, LINKS), target)
        terms = sorted(set(_quotable(paper)))
        found.terms.add((term for term in terms if frequent[_slot(term)]), target)
    return Records(
        authors=_good(found.authors, 1),
        organizations=_good(found.organizations, 1),
        submitters=_good(found.submitters, 1),
        links=_good(found.links, LEAST_PAPERS),
        terms=_good(found.terms, LEAST_PAPERS),
    )


def best_author(paper: Paper, authors: PastMeans) -> str | None:
    """The key of the author with the best record, drawn towards the usual where it is short; of
    several the one named first. None when none has one."""
    known = [key for key in author_keys(paper) if key in authors.papers]
    return max(known, key=authors.of, default=None)


def best_link(paper: Paper, links: PastMeans) -> str | None:
    """The kind of link of the paper with the best record; None when none has one."""
    known = [name for name in LINKS if name in paper.links and name in links.papers]
    return max(known, key=links.of, default=None)


def best_term(paper: Paper, text: TextModel, known: PastMeans) -> str | None:
    """Of the known terms that stand in the paper as they are written, the one that adds most to
    what its text lets one expect, the words of a pair included; None when none adds anything."""
    counts = Counter(terms_of(paper.title, paper.abstract))
    shares = {
        term: sum(_share(one, counts[one], text) for one in dict.fromkeys((term, *term.split())))
        for term in counts
        if term in known.papers
    }
    for term in sorted(shares, key=lambda term: (-shares[term], term)):
        if shares[term] <= 0:
            return None
        if occurs(term, paper.title, paper.abstract):
            return term
    return None


def _share(term: str, count: int, text: TextModel) -> float:
    """Its weight times its place in the row of the text, but for the row's length."""
    column = column_of(term)
    return float(text.weights[column] * text.idf[column]) * (1 + log(count)) if count else 0.0


def _quotable(paper: Paper) -> Iterator[str]:
    """Terms that say something by themselves. (Those marked as of the title occur unmarked too.)"""
    return filter(_is_quotable, terms_of(paper.title, paper.abstract))


def _is_quotable(term: str) -> bool:
    words = term.split()
    if ":" in term or not all(map(may_join, words)):
        return False
    return len(words) > 1 or stands_alone(term)


def _frequent(papers: Iterable[Paper]) -> NDArray[np.bool_]:
    """By slot, whether terms there are of enough papers. (A shared slot only lets more pass.)"""
    papers_of = np.zeros(SLOTS, dtype=np.int32)
    for paper in papers:
        papers_of[list({_slot(term) for term in _quotable(paper)})] += 1
    return papers_of >= LEAST_PAPERS


def _slot(term: str) -> int:
    return crc32(term.encode()) % SLOTS


def _good(found: PastMeans, least: int) -> PastMeans:
    kept = [
        key
        for key in sorted(found.papers)
        if found.papers[key] >= least and found.sums[key] / found.papers[key] >= log(LEAST_TIMES)
    ]
    return PastMeans(
        sums={key: found.sums[key] for key in kept},
        papers={key: found.papers[key] for key in kept},
    )
