"""What an installation learned of its own papers: a prior, and what may be said of its reasons."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from math import log

import numpy as np

from paperround.core.errors import InvalidInput
from paperround.papers.formatting import shown_authors
from paperround.papers.identifiers import folded
from paperround.papers.model import Paper
from paperround.ranking.models import FittedModel, ModelFacts
from paperround.ranking.prior import storage
from paperround.ranking.prior.predictor import (
    FEATURES,
    GROUPS,
    VERSION,
    PastMeans,
    Prior,
    author_keys,
)
from paperround.ranking.prior.text import COLUMNS
from paperround.ranking.prior.training import Learner, TrainingOutcome
from paperround.ranking.training_data import TrainingBatch

# Authors who may be given as a reason: those of whose earlier papers several did well.
#
# A prior goes by what was left of an outcome after other things explained their part: good enough
# to order papers, and no ground to say anything of a name. So their papers are counted as they are.
# An author is named with LEAST_PAPERS papers and LEAST_TIMES the usual votes on average, the usual
# being the geometric mean of 1 + votes over the papers of the same day and feed.

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


LEAST_LIFT = 0.05
"""A part that adds less to the score is no reason for anything."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Learned:
    """A prior with what its reasons are made of. Satisfies `expectations.Grounds`.

    `features` are the names of what its weights are of.
    """

    prior: Prior
    records: Records
    features: str
    days: int
    since: date

    @property
    def facts(self) -> ModelFacts:
        """What it was learned from, and the weights by part."""
        weights = dict(zip(FEATURES, self.prior.weights.tolist(), strict=True))
        return ModelFacts(
            outcomes=self.prior.outcomes,
            days=self.days,
            since=self.since,
            until=self.prior.until,
            weights={part: {one: weights[one] for one in names} for part, names in GROUPS.items()},
        )

    def popular_author(
        self, paper: Paper, lifts: Mapping[str, float], *, is_counted: bool
    ) -> str | None:
        """The author among those shown whose earlier papers did best, where that raises it."""
        listed = paper.listed_on or paper.counts_from.date()
        if is_counted and listed <= self.prior.until:
            return None
        if lifts.get("prior_authors", 0.0) < LEAST_LIFT:
            return None
        return best_author(shown_authors(paper.authors), self.records.authors)


def fit(cohorts: Sequence[TrainingBatch]) -> Learned | None:
    """What the cohorts, oldest day first, lead one to expect; None while they are too few.

    Papers are compared within a cohort only, so feeds that count differently do not mix.
    """
    learner = Learner()
    targets: list[tuple[Paper, float]] = []
    for cohort in cohorts:
        papers = [one.paper for one in cohort.settled]
        logs = np.log1p([one.votes for one in cohort.settled])
        targets += zip(papers, (logs - logs.mean()).tolist(), strict=True)
        learner.learn(
            cohort.day,
            [TrainingOutcome(paper=one.paper, votes=one.votes) for one in cohort.settled],
        )
    prior = learner.prior()
    if prior is None:
        return None
    return Learned(
        prior=prior,
        records=records_of(targets),
        features=",".join(FEATURES),
        days=len({cohort.day for cohort in cohorts}),
        since=cohorts[0].day,
    )


def kept(learned: Learned) -> FittedModel:
    """The model as bytes."""
    return FittedModel(content=storage.to_bytes(learned, VERSION), facts=learned.facts)


def read(content: bytes) -> Learned:
    """What `kept` made. Raises InvalidInput for bytes of another version, and for others."""
    learned = storage.from_bytes(content, Learned, VERSION)
    sizes = learned.prior.text.idf.size, learned.prior.text.weights.size
    if learned.features != ",".join(FEATURES) or sizes != (COLUMNS, COLUMNS):
        raise InvalidInput(f"it knows papers by other features: {storage.REMAKE}")
    return learned
