"""What an installation learned of its own papers: a prior, and what may be said of its reasons."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from paperround.domain.errors import InvalidInput
from paperround.domain.models import FittedModel, ModelFacts
from paperround.domain.outcomes import Cohort
from paperround.domain.papers import Paper
from paperround.domain.telling import shown_authors
from paperround.ranking import prior_file
from paperround.ranking.prior import FEATURES, GROUPS, VERSION, Prior
from paperround.ranking.prior_learning import Learner, Outcome
from paperround.ranking.prior_records import Records, best_author, records_of
from paperround.ranking.prior_text import COLUMNS

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


def fit(cohorts: Sequence[Cohort]) -> Learned | None:
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
            cohort.day, [Outcome(paper=one.paper, votes=one.votes) for one in cohort.settled]
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
    return FittedModel(content=prior_file.to_bytes(learned, VERSION), facts=learned.facts)


def read(content: bytes) -> Learned:
    """What `kept` made. Raises InvalidInput for bytes of another version, and for others."""
    learned = prior_file.from_bytes(content, Learned, VERSION)
    sizes = learned.prior.text.idf.size, learned.prior.text.weights.size
    if learned.features != ",".join(FEATURES) or sizes != (COLUMNS, COLUMNS):
        raise InvalidInput(f"it knows papers by other features: {prior_file.REMAKE}")
    return learned
