"""What an installation learned of its own papers: a prior, and what may be said of its reasons."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from math import exp

import numpy as np

from paperround.domain.errors import InvalidInput
from paperround.domain.models import FittedModel, ModelFacts
from paperround.domain.outcomes import Cohort
from paperround.domain.papers import Paper
from paperround.ranking import prior_file
from paperround.ranking.expectations import Ground, Of
from paperround.ranking.prior import FEATURES, GROUPS, VERSION, PastMeans, Prior, author_keys
from paperround.ranking.prior_learning import Learner, Outcome
from paperround.ranking.prior_records import (
    Records,
    best_author,
    best_link,
    best_term,
    records_of,
)
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

    def grounds(
        self, paper: Paper, lifts: Mapping[str, float], *, is_counted: bool
    ) -> Iterator[Ground]:
        """Why the parts `lifts` raise the paper, that of the greatest first."""
        listed = paper.listed_on or paper.counts_from.date()
        if is_counted and listed <= self.prior.until:
            return
        speakers: Mapping[str, Callable[[Paper], Ground | None]] = {
            "prior_text": self._term,
            "prior_authors": self._author,
            "prior_organization": self._organization,
            "prior_submitter": self._submitter,
            "prior_links": self._link,
        }
        for part in sorted(lifts, key=lambda part: (-lifts[part], part)):
            found = speakers[part](paper) if part in speakers else None
            if lifts[part] >= LEAST_LIFT and found is not None:
                yield found

    def _term(self, paper: Paper) -> Ground | None:
        term = best_term(paper, self.prior.text, self.records.terms)
        return None if term is None else _ground(Of.TERM, term, self.records.terms, term)

    def _author(self, paper: Paper) -> Ground | None:
        best = best_author(paper, self.records.authors)
        named = (
            one for one in paper.authors if best in author_keys(replace(paper, authors=(one,)))
        )
        return None if best is None else _ground(Of.AUTHOR, next(named), self.records.authors, best)

    def _organization(self, paper: Paper) -> Ground | None:
        name = paper.organization or ""
        return _ground(Of.ORGANIZATION, name, self.records.organizations, name)

    def _link(self, paper: Paper) -> Ground | None:
        best = best_link(paper, self.records.links)
        return None if best is None else _ground(Of.LINK, best, self.records.links, best)

    def _submitter(self, paper: Paper) -> Ground | None:
        """Whose name is nobody's business."""
        return _ground(Of.SUBMITTER, "", self.records.submitters, paper.submitter or "")


def _ground(of: Of, name: str, records: PastMeans, key: str) -> Ground | None:
    papers = records.papers.get(key, 0)
    if not papers:
        return None
    return Ground(of=of, name=name, papers=papers, times=exp(records.sums[key] / papers))


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
