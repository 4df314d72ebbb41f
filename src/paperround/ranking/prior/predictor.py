"""Predict the votes of a paper before it has any: the learned prior.

A sum of named parts, each linear in features of the paper at its listing:

    prior_text          the score of its words (see `text`), the length of its title, whether that
                        has a subtitle, and whether the abstract gives a size like 7B
    prior_authors       the shrunken past means of its best, second and third author, of all, and of
                        its best team, the number of authors, and of their known papers
    prior_submitter, prior_organization   the shrunken past mean of each
    prior_links         code, a project page, media
    prior_age           days it was public before its listing

The unit is the natural log of votes. A past mean averages ln(1 + votes) less the mean of the
paper's day and less the rest of the prediction: for authors and teams that of the text, for
submitters and organisations that of text and authors. It is shrunk towards 0 by
sum / (n + shrink), the posterior mean of a normal mean (Efron and Morris, Stein's Paradox in
Statistics, 1977). A team is the first or the last author with another one. Unknown features count
as average. `training` trains priors.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

import numpy as np

from paperround.papers.identifiers import folded
from paperround.papers.model import Paper
from paperround.ranking.prior import VERSION
from paperround.ranking.prior.text import Numbers, TextModel, term_counts

SHRINK = 4.0
"""Replayed with 1, 2, 4 and 8: the best author alone reaches .470 .477 .482 and .480."""
TEAM_SHRINK = 2.0
"""Replayed with 1, 2, 3 and 4: text and authors reach .575 .575 .573 and .572. Past papers of a
pair predict more than those of one author."""
TEAM_AUTHORS = 20
"""Authors considered for teams. Replayed with 8, 12, 20 and all: .571 .575 .578 .576."""
USUAL_WAIT = 2
"""Days from a paper's first version to its listing if unknown: the public median."""

GROUPS: Mapping[str, tuple[str, ...]] = {
    "prior_text": ("text", "title_words", "has_subtitle", "tells_size"),
    "prior_authors": (
        "best_author",
        "second_author",
        "third_author",
        "mean_author",
        "best_team",
        "authors",
        "papers_of_best_known",
        "papers_of_all",
    ),
    "prior_submitter": ("submitter", "papers_of_submitter"),
    "prior_organization": ("organization", "has_organization"),
    "prior_links": ("has_code", "has_project", "has_media"),
    "prior_age": ("days_public",),
}
"""The features of each part of a prior."""

FEATURES = tuple(name for names in GROUPS.values() for name in names)

_SIZE = re.compile(r"\d\s*[BbMm]\b", re.ASCII)
"""The size of a model or of its data in billions or millions: 7B, 1.3M."""


class Knowledge(StrEnum):
    """The groups of features to use; each level adds to the one before."""

    TEXT = "text"
    AUTHORS = "authors"
    FULL = "full"

    @property
    def features(self) -> tuple[str, ...]:
        """The names of the features to use."""
        if self is Knowledge.FULL:
            return FEATURES
        authors = GROUPS["prior_authors"] if self is Knowledge.AUTHORS else ()
        return GROUPS["prior_text"] + authors


@dataclass(slots=True, kw_only=True)
class PastMeans:
    """Sums of outcomes and numbers of papers, by key."""

    sums: dict[str, float] = field(default_factory=dict)
    papers: dict[str, int] = field(default_factory=dict)

    def of(self, key: str, shrink: float = SHRINK) -> float:
        """The mean shrunk towards 0; 0 for an unknown key."""
        return self.sums.get(key, 0.0) / (self.papers.get(key, 0) + shrink)

    def add(self, keys: Iterable[str], outcome: float) -> None:
        """Add one paper's outcome to each of its keys."""
        for key in keys:
            self.sums[key] = self.sums.get(key, 0.0) + outcome
            self.papers[key] = self.papers.get(key, 0) + 1

    def copy(self) -> "PastMeans":
        """An independent copy."""
        return PastMeans(sums=dict(self.sums), papers=dict(self.papers))


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """The past means of people and organisations."""

    authors: PastMeans = field(default_factory=PastMeans)
    teams: PastMeans = field(default_factory=PastMeans)
    submitters: PastMeans = field(default_factory=PastMeans)
    organizations: PastMeans = field(default_factory=PastMeans)

    def add(self, paper: Paper, *, beyond_text: float, beyond_authors: float) -> None:
        """Add a paper's residuals to its authors, teams, submitter and organisation."""
        keys = author_keys(paper)
        self.authors.add(keys, beyond_text)
        self.teams.add(team_keys(keys), beyond_text)
        self.submitters.add(_key(paper.submitter), beyond_authors)
        self.organizations.add(_key(paper.organization), beyond_authors)

    def copy(self) -> "Past":
        """An independent copy."""
        return Past(
            authors=self.authors.copy(),
            teams=self.teams.copy(),
            submitters=self.submitters.copy(),
            organizations=self.organizations.copy(),
        )


def author_keys(paper: Paper) -> list[str]:
    """The folded names of the authors, without duplicates, in order."""
    return list(dict.fromkeys(filter(None, map(folded, paper.authors))))


def team_keys(authors: Sequence[str]) -> list[str]:
    """The first and the last author, each paired with every other one; pairs are unordered."""
    leaders = dict.fromkeys((*authors[:1], *authors[-1:]))
    others = dict.fromkeys((*authors[:TEAM_AUTHORS], *authors[-1:]))
    pairs = (sorted((one, other)) for one in leaders for other in others if one != other)
    return list(dict.fromkeys(" & ".join(pair) for pair in pairs))


def _key(name: str | None) -> list[str]:
    return [name] if name else []


def features_of(papers: Sequence[Paper], past: Past, texts: Numbers) -> Numbers:
    """The features, shape (papers, FEATURES), given the text scores, shape (papers,)."""
    rows = [
        {"text": float(text)}
        | {
            "title_words": np.log1p(len(paper.title.split())),
            "has_subtitle": float(":" in paper.title),
            "tells_size": float(bool(_SIZE.search(paper.abstract))),
        }
        | _author_features(author_keys(paper), past)
        | _other_features(paper, past)
        for paper, text in zip(papers, texts, strict=True)
    ]
    return np.array([[row[name] for name in FEATURES] for row in rows]).reshape(-1, len(FEATURES))


def _author_features(keys: Sequence[str], past: Past) -> dict[str, float]:
    means = [past.authors.of(key) for key in keys]
    best = [*sorted(means, reverse=True), 0.0, 0.0, 0.0]
    papers = [past.authors.papers.get(key, 0) for key in keys]
    teams = (past.teams.of(key, TEAM_SHRINK) for key in team_keys(keys))
    return {
        "best_author": best[0],
        "second_author": best[1],
        "third_author": best[2],
        "mean_author": sum(means) / max(1, len(means)),
        "best_team": max(teams, default=0.0),
        "authors": np.log1p(len(keys)),
        "papers_of_best_known": np.log1p(max(papers, default=0)),
        "papers_of_all": np.log1p(sum(papers)),
    }


def _other_features(paper: Paper, past: Past) -> dict[str, float]:
    submitter, organization = paper.submitter or "", paper.organization or ""
    return {
        "submitter": past.submitters.of(submitter),
        "papers_of_submitter": np.log1p(past.submitters.papers.get(submitter, 0)),
        "organization": past.organizations.of(organization),
        "has_organization": float(bool(organization)),
        "has_code": float("code" in paper.links),
        "has_project": float("project" in paper.links),
        "has_media": float("media" in paper.links),
        "days_public": np.log1p(_days_public(paper)),
    }


def _days_public(paper: Paper) -> int:
    if paper.published_at is None:
        return USUAL_WAIT
    listed = paper.listed_on or paper.counts_from.date()
    return max(0, (listed - paper.published_at.date()).days)


@dataclass(frozen=True, slots=True, kw_only=True)
class Prior:
    """A prior learned from `outcomes` papers until `until`. Implements `trending.Expectation`.

    `weights` and `usual` have one value per feature: its weight and its mean, which adds nothing.
    """

    text: TextModel
    past: Past
    weights: Numbers
    usual: Numbers
    outcomes: int
    until: date

    @property
    def version(self) -> str:
        """The version of the code and the history."""
        return f"{VERSION}({self.outcomes} until {self.until})"

    def parts(self, papers: Sequence[Paper]) -> list[Mapping[str, float]]:
        """The parts of each paper by the names of GROUPS, in ln(votes)."""
        if not papers:
            return []
        texts = self.text.scores(term_counts([(p.title, p.abstract) for p in papers]))
        shares = (features_of(papers, self.past, texts) - self.usual) * self.weights
        by_name = [dict(zip(FEATURES, row, strict=True)) for row in shares]
        return [
            {part: float(sum(row[name] for name in names)) for part, names in GROUPS.items()}
            for row in by_name
        ]
