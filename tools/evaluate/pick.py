"""`python -m tools.evaluate pick`: predict which arXiv papers of a day Daily Papers will pick.

Only papers of one archive count: in the others the style of the texts reveals what was picked. At
the start of each month a model is trained on earlier papers whose outcome is known by then
(SETTLING after they were listed, because most picks follow within days). It scores the papers of
that month; author features use the picks known before each day.

    text      words and style of title and abstract (see PickTexts)
    authors   + ln(1 + earlier picks) of the author with the most and of all authors, the highest
              share of picks among an author's earlier papers, and the number of authors
"""

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, vstack
from scipy.stats import rankdata

from paperround.core.errors import InvalidInput
from paperround.evaluate import Baselines
from paperround.evaluate.papers import Row, day, read_papers, read_rows
from paperround.evaluate.report import (
    Figure,
    Numbers,
    Places,
    Report,
    figure,
)
from paperround.papers.model import Paper
from paperround.ranking.prior.predictor import author_keys
from paperround.ranking.prior.text import TextModel, fit_text, term_counts

# The text model: words and style of title and abstract.
#
# A ridge regression scores the words (see `ranking.prior.text`). Eight cues that words miss are
# added to that score: the length of the title, whether one word or at most two precede its colon,
# whether the abstract has a URL or a project page, its number of digits, whether it names a model
# size such as "7B", and its mean word length. A second ridge regression combines score and cues. It
# is trained on out-of-fold scores: each of FOLDS parts is scored by a model of the other parts
# (Wolpert, Stacked Generalization, 1992).

PENALTY = 2.0
"""Tried 1, 2 and 4: with a larger penalty the area grows and the precision falls."""
JOINING_PENALTY = 10.0
FOLDS = 5
"""Ten folds give the same result."""
SEED = 1
CUES = 8

_ADDRESS, _PROJECT_PAGE = "http", "github.io"
_MODEL_SIZE = re.compile(r"\d[BM]\b")


@dataclass(frozen=True, slots=True, kw_only=True)
class PickTexts:
    """Term `counts`, shape (papers, terms), and `cues`, shape (papers, CUES)."""

    counts: csr_array
    cues: Numbers

    def at(self, places: Sequence[int] | Places | slice) -> "PickTexts":
        """Return the texts at these indices."""
        return PickTexts(counts=self.counts[places], cues=self.cues[places])

    def followed_by(self, others: "PickTexts") -> "PickTexts":
        """Return these texts followed by the others."""
        return PickTexts(
            counts=vstack([self.counts, others.counts], format="csr"),
            cues=np.vstack([self.cues, others.cues]),
        )


def read_texts(papers: Sequence[Paper]) -> PickTexts:
    """Return the texts of papers, in order."""
    return PickTexts(
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
class Ridge:
    """A ridge regression on a few columns: `weights` and `centre`, both of shape (columns,)."""

    weights: Numbers
    centre: Numbers

    def scores(self, rows: Numbers) -> Numbers:
        """Return the scores, shape (rows,); 0 for the mean of the training rows."""
        scores: Numbers = (rows - self.centre) @ self.weights
        return scores


def fit_ridge(rows: Numbers, targets: Numbers) -> Ridge:
    """Fit a ridge regression; the penalty of each column is relative to its variance."""
    centre = rows.mean(axis=0)
    around = rows - centre
    inner = around.T @ around
    penalty = np.diag(np.diag(inner) * JOINING_PENALTY / len(rows) + 1e-9)
    weights = np.linalg.solve(inner + penalty, around.T @ (targets - targets.mean()))
    return Ridge(weights=weights, centre=centre)


@dataclass(frozen=True, slots=True, kw_only=True)
class PickText:
    """Scores texts by words and cues."""

    words: TextModel
    joined: Ridge

    def scores(self, texts: PickTexts) -> Numbers:
        """Return scores, shape (texts,); a higher score means a more likely pick."""
        return self.joined.scores(np.column_stack([self.words.scores(texts.counts), texts.cues]))


def fit_pick_text(texts: PickTexts, targets: Numbers) -> tuple[PickText, Numbers]:
    """Fit the model to texts and targets: 1 for a pick, else 0.

    Returns the model, and the score of each text with its words scored out of fold.
    """
    unseen = np.zeros(len(targets))
    for left_out, rest in _folds(len(targets)):
        unseen[left_out] = _fit_words(texts.at(rest), targets[rest]).scores(texts.counts[left_out])
    rows = np.column_stack([unseen, texts.cues])
    joined = fit_ridge(rows, targets)
    return PickText(words=_fit_words(texts, targets), joined=joined), joined.scores(rows)


def _fit_words(texts: PickTexts, targets: Numbers) -> TextModel:
    return fit_text(texts.counts, targets - targets.mean(), np.zeros(0), PENALTY)[0]


def _folds(size: int) -> Iterator[tuple[Places, Places]]:
    """Yield the indices of each fold and of the rest, shuffled with a fixed seed."""
    part = np.random.default_rng(SEED).permutation(size) % FOLDS
    for fold in range(FOLDS):
        yield np.flatnonzero(part == fold), np.flatnonzero(part != fold)


TASK = "pick"
MOST_PICKED = "most_picked_author"
"""The baseline that only uses the highest number of earlier picks of an author."""
ARCHIVE = "dw"
SETTLING = timedelta(days=8)
"""95 % of picks follow the arXiv day within 7.9 days."""
LEAST_PICKED = 20
"""The minimum number of picks in the training data."""
OTHERS = 500
"""The number of picks from outside the archive in the training data. Tried 0, 250, 500, 1,000 and
1,500: average precision of words alone .317 .356 .370 .359 .347."""
SHRINK = 4.0
AUTHOR_FEATURES = 4


@dataclass(frozen=True, slots=True)
class ListedPaper:
    """A paper of the archive, with the days it was listed and picked, if ever."""

    paper: Paper
    day: date
    picked_on: date | None

    def picked_before(self, moment: date) -> bool:
        """Whether it was picked before that day."""
        return self.picked_on is not None and self.picked_on < moment


@dataclass(slots=True)
class _Authors:
    """The number of earlier papers and picks of every author, updated day by day."""

    papers: Counter[str] = field(default_factory=Counter)
    picks: Counter[str] = field(default_factory=Counter)

    def features(self, paper: Paper) -> tuple[float, ...]:
        keys = author_keys(paper)
        picks = [self.picks[key] for key in keys]
        shares = [self.picks[key] / (self.papers[key] + SHRINK) for key in keys]
        return (
            np.log1p(max(picks, default=0)),
            np.log1p(sum(picks)),
            np.log1p(max(shares, default=0.0)),
            np.log1p(len(keys)),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Tested:
    """The papers of the tested months: `groups` are day numbers, `by_method` has the scores."""

    groups: Places
    picked: NDArray[np.bool_]
    by_method: Mapping[str, Numbers]


def evaluate_pick(
    papers: Path,
    picked: Path,
    *,
    history: tuple[Path, Path] | None = None,
    baselines: Baselines = Baselines.FAST,
) -> Report:
    """Test every month of `papers` with enough earlier papers, in `history` or the file itself.

    Raises InvalidInput when there is no such month.
    """
    picks = read_papers([picked] if history is None else [history[1], picked])
    listings = _read_listings(
        [papers] if history is None else [history[0], papers],
        {paper.identifiers["arxiv"]: paper.counts_from.date() for paper in picks},
    )
    first = min(
        (day(row, "first_listed") for row in read_rows(papers) if _in_archive(row)),
        default=date.max,
    )
    tested = _test_months(listings, picks, first)
    return _report(tested, baselines)


def _read_listings(paths: Sequence[Path], picked_on: Mapping[str, date]) -> list[ListedPaper]:
    """Return the papers of the archive, oldest day first, without those picked before listing."""
    found = [
        ListedPaper(paper, paper.counts_from.date(), picked_on.get(paper.identifiers["arxiv"]))
        for paper in read_papers(paths, listed="first_listed", keep=_in_archive)
    ]
    return sorted((one for one in found if not one.picked_before(one.day)), key=lambda one: one.day)


def _in_archive(row: Row) -> bool:
    return row.get("archive") == ARCHIVE


def _test_months(listings: Sequence[ListedPaper], picks: Sequence[Paper], first: date) -> Tested:
    inside = {one.paper.identifiers["arxiv"] for one in listings}
    others = sorted(
        (paper for paper in picks if paper.identifiers["arxiv"] not in inside),
        key=lambda paper: paper.counts_from,
    )
    data = _Data(
        listings=listings,
        texts=read_texts([one.paper for one in listings]),
        features=np.array(_author_features(listings, picks)).reshape(-1, AUTHOR_FEATURES),
        others=read_texts(others),
        other_days=[paper.counts_from.date() for paper in others],
    )
    tested = [
        (inside, _scores(data, known, labels, inside))
        for month, inside in _months(listings, first)
        for known, labels in [_training_set(listings, month)]
        if labels.sum() >= LEAST_PICKED
    ]
    if not tested:
        raise InvalidInput(
            f"there is nothing to test: a month needs {LEAST_PICKED} papers of the archive"
            f" {ARCHIVE!r} picked before it"
        )
    places = [place for inside, _ in tested for place in inside]
    return Tested(
        groups=np.unique([listings[i].day.toordinal() for i in places], return_inverse=True)[1],
        picked=np.array([listings[i].picked_on is not None for i in places]),
        by_method={
            "text": np.concatenate([words for _, (words, _) in tested]),
            "authors": np.concatenate([joined for _, (_, joined) in tested]),
            MOST_PICKED: data.features[places, 0],
        },
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Data:
    """Texts and author features of the listings; texts and days of other picks, oldest first."""

    listings: Sequence[ListedPaper]
    texts: PickTexts
    features: Numbers
    others: PickTexts
    other_days: Sequence[date]


def _training_set(listings: Sequence[ListedPaper], month: date) -> tuple[list[int], Numbers]:
    """Return the papers whose outcome is known at the start of the month, with 1 for picks."""
    known = [i for i, one in enumerate(listings) if one.day <= month - SETTLING]
    return known, np.array([float(listings[i].picked_before(month)) for i in known])


def _months(listings: Sequence[ListedPaper], first: date) -> Iterator[tuple[date, list[int]]]:
    """Yield the first day of each month and the indices of its papers from `first` on."""
    months: dict[date, list[int]] = {}
    for place, one in enumerate(listings):
        if one.day >= first:
            months.setdefault(one.day.replace(day=1), []).append(place)
    yield from months.items()


def _author_features(
    listings: Sequence[ListedPaper], picks: Sequence[Paper]
) -> list[tuple[float, ...]]:
    """Return the features of each paper, from papers listed and picked before its day."""
    authors = _Authors()
    coming = sorted(picks, key=lambda paper: paper.counts_from, reverse=True)
    rows: list[tuple[float, ...]] = []
    learned = 0
    for one in listings:
        while coming and coming[-1].counts_from.date() < one.day:
            authors.picks.update(author_keys(coming.pop()))
        while listings[learned].day < one.day:
            authors.papers.update(author_keys(listings[learned].paper))
            learned += 1
        rows.append(authors.features(one.paper))
    return rows


def _scores(
    data: _Data, known: list[int], labels: Numbers, inside: list[int]
) -> tuple[Numbers, Numbers]:
    """Return the scores of the papers `inside`, by text, and by text and authors.

    The newest OTHERS picks from other archives are training data, too: their topics help, although
    their style does not distinguish papers of one archive.
    """
    until = bisect_left(data.other_days, data.listings[known[-1]].day)
    others = data.others.at(slice(max(0, until - OTHERS), until))
    targets = np.concatenate([labels, np.ones(len(others.cues))])
    model, unseen = fit_pick_text(data.texts.at(known).followed_by(others), targets)
    joined = fit_ridge(np.column_stack([unseen[: len(known)], data.features[known]]), labels)
    texts = model.scores(data.texts.at(inside))
    return texts, joined.scores(np.column_stack([texts, data.features[inside]]))


def _report(tested: Tested, baselines: Baselines) -> Report:
    papers, picks = len(tested.picked), int(tested.picked.sum())
    measures = {"average_precision": average_precision, "auc": area_under_curve}
    scores = tested.by_method[MOST_PICKED]
    return Report(
        task=TASK,
        metrics={
            f"{prefix}{name}": _figure(tested, method, measure)
            for prefix, method in (("", "text"), ("authors_", "authors"))
            for name, measure in measures.items()
        },
        baselines={}
        if baselines is Baselines.NONE
        else {
            MOST_PICKED: {
                f"authors_{name}": measure(scores.tolist(), tested.picked.tolist())
                for name, measure in measures.items()
            }
        },
        notes=(f"{papers:,} papers of the archive {ARCHIVE}, {picks:,} of them picked",),
    )


def _figure(
    tested: Tested, method: str, measure: Callable[[Sequence[float], Sequence[bool]], float]
) -> Figure:
    """Resample whole days, because papers of a day compete with each other."""
    scores = tested.by_method[method]
    days = [np.flatnonzero(tested.groups == group) for group in range(tested.groups.max() + 1)]

    def statistic(drawn: Places) -> float:
        places = np.concatenate([days[group] for group in drawn])
        return measure(scores[places].tolist(), tested.picked[places].tolist())

    return figure(statistic, len(days))


def average_precision(scores: Sequence[float], picked: Sequence[bool]) -> float:
    """Return the mean precision at each picked paper, best score first; of ties the first.

    Raises ValueError when nothing is picked.
    """
    hits = np.asarray(picked, dtype=np.float64)[np.argsort(-np.asarray(scores), kind="stable")]
    if not hits.any():
        raise ValueError("nothing was picked")
    precision = np.cumsum(hits) / np.arange(1, len(hits) + 1)
    return float((precision * hits).sum() / hits.sum())


def area_under_curve(scores: Sequence[float], picked: Sequence[bool]) -> float:
    """Return how often a picked paper scores above another one; ties count half.

    Raises ValueError unless some are picked and some are not.
    """
    chosen = np.asarray(picked, dtype=bool)
    inside, outside = int(chosen.sum()), int((~chosen).sum())
    if not inside or not outside:
        raise ValueError("picked papers and others are needed")
    ranks: Numbers = rankdata(np.asarray(scores, dtype=np.float64))
    return float((ranks[chosen].sum() - inside * (inside + 1) / 2) / (inside * outside))
