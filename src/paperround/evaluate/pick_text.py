"""What title and abstract tell of a paper's being picked: its words, and how it presents itself.

The words are scored by a ridge (see `ranking.prior_text`). Eight cues that words miss stand beside
that score: how long the title is, whether one word or at most two stand before its colon, whether
the abstract has an address or a project page, how many digits it has, whether it names a size such
as "7B", and how long its words are. The weights that join them are a ridge too, learned of scores
that each paper got from a model without it: of FOLDS parts, each is scored by a model of the others
(Wolpert, Stacked Generalization, 1992).
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array, vstack

from paperround.domain.papers import Paper
from paperround.evaluate.report import Numbers, Places
from paperround.ranking.prior_text import TextModel, fit_text, term_counts

PENALTY = 2.0
"""Tried with 1, 2 and 4: the area grows, the precision falls with it."""
JOINING_PENALTY = 10.0
FOLDS = 5
"""Ten find the same."""
SEED = 1
CUES = 8

_ADDRESS, _PROJECT_PAGE = "http", "github.io"
_MODEL_SIZE = re.compile(r"\d[BM]\b")


@dataclass(frozen=True, slots=True, kw_only=True)
class Texts:
    """`counts` of terms, shape (papers, terms), and `cues`, shape (papers, CUES)."""

    counts: csr_array
    cues: Numbers

    def at(self, places: Sequence[int] | Places | slice) -> "Texts":
        """The texts at these places."""
        return Texts(counts=self.counts[places], cues=self.cues[places])

    def followed_by(self, others: "Texts") -> "Texts":
        """These and then the others."""
        return Texts(
            counts=vstack([self.counts, others.counts], format="csr"),
            cues=np.vstack([self.cues, others.cues]),
        )


def read_texts(papers: Sequence[Paper]) -> Texts:
    """The texts of papers, in their order."""
    return Texts(
        counts=term_counts([(paper.title, paper.abstract) for paper in papers]),
        cues=np.array([_cues(paper) for paper in papers], dtype=float).reshape(-1, CUES),
    )


def _cues(paper: Paper) -> tuple[float, ...]:
    title, abstract = paper.title, paper.abstract
    opening, colon, _ = title.partition(":")
    before_colon = len(opening.split()) if colon else 0
    words = abstract.split()
    return (
        np.log1p(len(title.split())),
        before_colon == 1,
        before_colon in (1, 2),
        _ADDRESS in abstract,
        _PROJECT_PAGE in abstract.lower(),
        sum(map(str.isdigit, abstract)),
        _MODEL_SIZE.search(abstract) is not None,
        sum(map(len, words)) / max(1, len(words)),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Joined:
    """A ridge on a few columns: `weights` and `centre`, both of shape (columns,)."""

    weights: Numbers
    centre: Numbers

    def scores(self, rows: Numbers) -> Numbers:
        """Shape (rows,), 0 for a row like the mean of those learned from."""
        scores: Numbers = (rows - self.centre) @ self.weights
        return scores


def join(rows: Numbers, targets: Numbers) -> Joined:
    """The ridge of rows and targets; each column is shrunk in its own unit."""
    centre = rows.mean(axis=0)
    around = rows - centre
    inner = around.T @ around
    penalty = np.diag(np.diag(inner) * JOINING_PENALTY / len(rows) + 1e-9)
    weights = np.linalg.solve(inner + penalty, around.T @ (targets - targets.mean()))
    return Joined(weights=weights, centre=centre)


@dataclass(frozen=True, slots=True, kw_only=True)
class PickText:
    """Scores texts by words and cues."""

    words: TextModel
    joined: Joined

    def scores(self, texts: Texts) -> Numbers:
        """The higher, the likelier a pick, shape (texts,)."""
        return self.joined.scores(np.column_stack([self.words.scores(texts.counts), texts.cues]))


def fit_pick_text(texts: Texts, targets: Numbers) -> tuple[PickText, Numbers]:
    """The model of texts and targets, 1 for a pick and else 0; and the score of each of these
    texts, its words scored by a model that has not seen it."""
    unseen = np.zeros(len(targets))
    for left_out, rest in _folds(len(targets)):
        unseen[left_out] = _words(texts.at(rest), targets[rest]).scores(texts.counts[left_out])
    rows = np.column_stack([unseen, texts.cues])
    joined = join(rows, targets)
    return PickText(words=_words(texts, targets), joined=joined), joined.scores(rows)


def _words(texts: Texts, targets: Numbers) -> TextModel:
    return fit_text(texts.counts, targets - targets.mean(), np.zeros(0), PENALTY)[0]


def _folds(size: int) -> Iterator[tuple[Places, Places]]:
    """Parts drawn with a fixed seed: what comes every fifth time must not fall into one part."""
    part = np.random.default_rng(SEED).permutation(size) % FOLDS
    for fold in range(FOLDS):
        yield np.flatnonzero(part == fold), np.flatnonzero(part != fold)
