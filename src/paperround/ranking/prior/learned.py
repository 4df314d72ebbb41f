"""Train a prior with the author records that explain it, and serialize both."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from math import log

import numpy as np

from paperround.core.errors import InvalidInput
from paperround.papers.formatting import shown_authors
from paperround.papers.identifiers import folded
from paperround.papers.model import Paper
from paperround.ranking.models import FittedModel, ModelFacts, TrainingBatch
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
from paperround.ranking.prior.training import Learner

# Authors to give as a reason: those with several popular papers.
#
# The prior uses residuals, after other features explained their part. They are good enough to order
# papers, but no basis for a statement about a person, so records use the votes themselves. An
# author needs LEAST_PAPERS papers and LEAST_TIMES the usual votes on average, where the usual is
# the geometric mean of 1 + votes over the papers of the same day and feed.

LEAST_TIMES = 1.2
LEAST_PAPERS = 3

Targets = Sequence[tuple[Paper, float]]
"""Papers, each with ln(1 + votes) above the mean of its day and feed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Records:
    """Popular authors: the sums of their `Targets`, and the numbers of papers, by author key."""

    authors: PastMeans = field(default_factory=PastMeans)


def records_of(targets: Targets) -> Records:
    """The records of all popular authors."""
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
    """The name with the best record, shrunk towards the usual; of several the first. None if none
    has one."""
    known = [name for name in names if folded(name) in authors.papers]
    return max(known, key=lambda name: authors.of(folded(name)), default=None)


LEAST_LIFT = 0.05
"""The least addition to the score that counts as a reason."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Learned:
    """A prior with its author records. Implements `trending.Grounds`.

    `features` are the comma-separated names of its features.
    """

    prior: Prior
    records: Records
    features: str
    days: int
    since: date

    @property
    def facts(self) -> ModelFacts:
        """Its training data, and the weights by part."""
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
        """The shown author with the most popular earlier papers, if the authors raise the paper."""
        listed = paper.listed_on or paper.counts_from.date()
        if is_counted and listed <= self.prior.until:
            return None
        if lifts.get("prior_authors", 0.0) < LEAST_LIFT:
            return None
        return best_author(shown_authors(paper.authors), self.records.authors)


def fit(cohorts: Sequence[TrainingBatch]) -> Learned | None:
    """Train on the cohorts, oldest day first; None if there are too few.

    Papers are compared within a cohort only, because feeds count differently.
    """
    learner = Learner()
    targets: list[tuple[Paper, float]] = []
    for cohort in cohorts:
        papers = [one.paper for one in cohort.settled]
        logs = np.log1p([one.votes for one in cohort.settled])
        targets += zip(papers, (logs - logs.mean()).tolist(), strict=True)
        learner.learn(cohort.day, cohort.settled)
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


def serialize(learned: Learned) -> FittedModel:
    """The serialized model."""
    return FittedModel(content=storage.to_bytes(learned, VERSION), facts=learned.facts)


def deserialize(content: bytes) -> Learned:
    """Read the output of `serialize`. Raises InvalidInput for other versions and other bytes."""
    learned = storage.from_bytes(content, Learned, VERSION)
    sizes = learned.prior.text.idf.size, learned.prior.text.weights.size
    if learned.features != ",".join(FEATURES) or sizes != (COLUMNS, COLUMNS):
        raise InvalidInput(f"it knows papers by other features: {storage.REMAKE}")
    return learned
