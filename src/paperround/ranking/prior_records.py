"""Authors who may be given as a reason: those of whose earlier papers several did well.

A prior goes by what was left of an outcome after other things explained their part: good enough to
order papers, and no ground to say anything of a name. So their papers are counted as they are. An
author is named with LEAST_PAPERS papers and LEAST_TIMES the usual votes on average, the usual being
the geometric mean of 1 + votes over the papers of the same day and feed.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import log

from paperround.domain.identifiers import folded
from paperround.domain.papers import Paper
from paperround.ranking.prior import PastMeans, author_keys

LEAST_TIMES = 1.2
LEAST_PAPERS = 3

Targets = Sequence[tuple[Paper, float]]
"""Papers, each with ln(1 + votes) above the mean of its day and feed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Records:
    """Who did well: sums of `Targets`, and how many each is made of. Authors are kept under the
    keys by which they are compared."""

    authors: PastMeans = field(default_factory=PastMeans)


def records_of(targets: Targets) -> Records:
    """The records of all who did well."""
    found = PastMeans()
    for paper, target in targets:
        found.add(author_keys(paper), target)
    kept = [
        key
        for key in sorted(found.papers)
        if found.papers[key] >= LEAST_PAPERS
        and found.sums[key] / found.papers[key] >= log(LEAST_TIMES)
    ]
    return Records(
        authors=PastMeans(
            sums={key: found.sums[key] for key in kept},
            papers={key: found.papers[key] for key in kept},
        )
    )


def best_author(names: Sequence[str], authors: PastMeans) -> str | None:
    """The name with the best record, drawn towards the usual where it is short; of several the
    first. None when none has one."""
    known = [name for name in names if folded(name) in authors.papers]
    return max(known, key=lambda name: authors.of(folded(name)), default=None)
