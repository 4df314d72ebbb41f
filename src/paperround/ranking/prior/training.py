"""Train priors on days with known votes, and serialize them with the records that explain them.

Days are learned one at a time, oldest first. The features of a day's papers are computed before its
outcomes are learned. So the weights of text scores and past means are learned from papers that
neither has seen, as it will be for new papers (stacking: Wolpert, 1992).

    outcome   ln(1 + votes) less its mean over the day
    weights   ridge: (Z'Z + 10 diag(Z'Z) / n) w = Z'y, Z the features less their mean over the day
    residual  y - Z w, with the weights of text before the day (for the past means of authors), or
              of text and authors (for those of submitters and organisations)

Word weights are retrained each time the history has grown by 2 %, everything else every day.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from math import log

import numpy as np
from scipy.sparse import csr_array, vstack

from paperround.core.errors import InvalidInput
from paperround.papers.formatting import shown_authors
from paperround.papers.identifiers import folded
from paperround.papers.model import Paper
from paperround.ranking.models import FinalVotes, ModelFacts, TrainingBatch
from paperround.ranking.prior import LEAST_OUTCOMES, VERSION, storage
from paperround.ranking.prior.predictor import (
    FEATURES,
    GROUPS,
    Knowledge,
    Past,
    PastMeans,
    Prior,
    author_keys,
    features_of,
)
from paperround.ranking.prior.text import COLUMNS, Numbers, TextModel, fit_text, term_counts

TEXT_OUTCOMES = 200
"""Outcomes needed to train word weights, and to use features."""
LEAST_WEIGHED = 200
"""Papers with used features needed for a prior. Days of usual size reach this earlier; a file of
papers without dates is a single day, with no history before it."""
GROWN = 1.02
RIDGE = 10.0


@dataclass(slots=True)
class Learner:
    """The history learned so far."""

    _past: Past = field(default_factory=Past)
    _text: TextModel = field(
        default_factory=lambda: TextModel(idf=np.zeros(COLUMNS), weights=np.zeros(COLUMNS))
    )
    _dual: Numbers = field(default_factory=lambda: np.zeros(0))
    _counts: list[csr_array] = field(default_factory=list)
    _targets: list[float] = field(default_factory=list)
    _text_learned_at: int = 0
    _inner: Numbers = field(default_factory=lambda: np.zeros((len(FEATURES), len(FEATURES))))
    _outer: Numbers = field(default_factory=lambda: np.zeros(len(FEATURES)))
    _sums: Numbers = field(default_factory=lambda: np.zeros(len(FEATURES)))
    _described: int = 0
    _until: date = date.min

    @property
    def outcomes(self) -> int:
        """The number of papers in the history."""
        return len(self._targets)

    def learn(self, day: date, outcomes: Sequence[FinalVotes]) -> None:
        """Learn from the papers listed on one day. Days must come in order.

        Raises ValueError for a day before the last one.
        """
        if day < self._until:
            raise ValueError(f"{day} comes after {self._until}: learn the oldest day first")
        self._until = day
        if not outcomes:
            return
        papers = [outcome.paper for outcome in outcomes]
        logs = np.log1p(np.maximum(0, [outcome.votes for outcome in outcomes]))
        targets = logs - logs.mean()
        counts = term_counts([(paper.title, paper.abstract) for paper in papers])
        features = features_of(papers, self._past, self._text.scores(counts))
        centred = features - features.mean(axis=0)
        beyond_text = targets - centred @ self._weights(Knowledge.TEXT)
        beyond_authors = targets - centred @ self._weights(Knowledge.AUTHORS)
        residuals = zip(papers, beyond_text.tolist(), beyond_authors.tolist(), strict=True)
        for paper, text, authors in residuals:
            self._past.add(paper, beyond_text=text, beyond_authors=authors)
        if self.outcomes >= TEXT_OUTCOMES:
            self._weigh(features, targets)
        self._counts.append(counts)
        self._targets.extend(targets.tolist())
        if self.outcomes >= max(TEXT_OUTCOMES, GROWN * self._text_learned_at):
            every = vstack(self._counts, format="csr")
            self._counts = [every]
            self._text, self._dual = fit_text(every, np.array(self._targets), self._dual)
            self._text_learned_at = self.outcomes

    def prior(self, knowledge: Knowledge = Knowledge.FULL) -> Prior | None:
        """The prior of the history; None if the history is too short, or too little of it came
        after other days."""
        if self.outcomes < LEAST_OUTCOMES or self._described < LEAST_WEIGHED:
            return None
        return Prior(
            text=self._text,
            past=self._past.copy(),
            weights=self._weights(knowledge),
            usual=self._sums / self._described,
            outcomes=self.outcomes,
            until=self._until,
        )

    def _weigh(self, features: Numbers, targets: Numbers) -> None:
        self._sums += features.sum(axis=0)
        self._described += len(features)
        centred = features - features.mean(axis=0)
        self._inner += centred.T @ centred
        self._outer += centred.T @ targets

    def _weights(self, knowledge: Knowledge) -> Numbers:
        """The weights; 0 for a feature that never varied within a day."""
        varies = np.diag(self._inner) > 1e-9
        used = [i for i, f in enumerate(FEATURES) if f in knowledge.features and varies[i]]
        inner = self._inner[np.ix_(used, used)]
        penalty = np.diag(np.diag(inner) * RIDGE / max(1, self._described))
        weights = np.zeros(len(FEATURES))
        weights[used] = np.linalg.solve(inner + penalty, self._outer[used])
        return weights


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
    """A prior with the author records that explain it.

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

    def popular_author(self, paper: Paper, lift: float, is_counted: bool) -> str | None:
        """The shown author with the most popular earlier papers, if the authors raise the paper."""
        listed = paper.listed_on or paper.counts_from.date()
        if lift < LEAST_LIFT or (is_counted and listed <= self.prior.until):
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


def serialize(learned: Learned) -> bytes:
    """The serialized model."""
    return storage.to_bytes(learned, VERSION)


def deserialize(content: bytes) -> Learned:
    """Read the output of `serialize`. Raises InvalidInput for other versions and other bytes."""
    learned = storage.from_bytes(content, Learned, VERSION)
    sizes = learned.prior.text.idf.size, learned.prior.text.weights.size
    if learned.features != ",".join(FEATURES) or sizes != (COLUMNS, COLUMNS):
        raise InvalidInput(f"it knows papers by other features: {storage.REMAKE}")
    return learned
