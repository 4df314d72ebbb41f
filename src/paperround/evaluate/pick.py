"""`evaluate pick`: which of the day's arXiv papers Daily Papers will pick, from earlier months.

Only papers of one archive count, for the others leak what was picked by how their texts are
written. At the start of a month a model is learned of the papers before it whose fate was settled
by then (SETTLING after they were listed, for most picks follow within days), and scores the papers
of that month. Each test day's papers are scored with the picks of authors known before that day.

    text      words and looks of title and abstract (see `pick_text`)
    authors   + weights of: ln(1 + earlier picks) of the author with most and of all, the highest
              share of picks among an author's earlier papers, and how many authors there are
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

from paperround.core.errors import InvalidInput
from paperround.evaluate.methods import Baselines
from paperround.evaluate.papers import Row, day, read_papers, read_rows
from paperround.evaluate.report import (
    Figure,
    Numbers,
    Places,
    Report,
    area_under_curve,
    average_precision,
    figure,
)
from paperround.papers.model import Paper
from paperround.ranking.prior.predictor import author_keys
from paperround.ranking.prior.text import TextModel, fit_text, term_counts

# What title and abstract tell of a paper's being picked: its words, and how it presents itself.
#
# The words are scored by a ridge (see `ranking.prior_text`). Eight cues that words miss stand
# beside that score: how long the title is, whether one word or at most two stand before its colon,
# whether the abstract has an address or a project page, how many digits it has, whether it names a
# size such as "7B", and how long its words are. The weights that join them are a ridge too, learned
# of scores that each paper got from a model without it: of FOLDS parts, each is scored by a model
# of the others (Wolpert, Stacked Generalization, 1992).

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
class PickTexts:
    """`counts` of terms, shape (papers, terms), and `cues`, shape (papers, CUES)."""

    counts: csr_array
    cues: Numbers

    def at(self, places: Sequence[int] | Places | slice) -> "PickTexts":
        """The texts at these places."""
        return PickTexts(counts=self.counts[places], cues=self.cues[places])

    def followed_by(self, others: "PickTexts") -> "PickTexts":
        """These and then the others."""
        return PickTexts(
            counts=vstack([self.counts, others.counts], format="csr"),
            cues=np.vstack([self.cues, others.cues]),
        )


def read_texts(papers: Sequence[Paper]) -> PickTexts:
    """The texts of papers, in their order."""
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

    def scores(self, texts: PickTexts) -> Numbers:
        """The higher, the likelier a pick, shape (texts,)."""
        return self.joined.scores(np.column_stack([self.words.scores(texts.counts), texts.cues]))


def fit_pick_text(texts: PickTexts, targets: Numbers) -> tuple[PickText, Numbers]:
    """The model of texts and targets, 1 for a pick and else 0; and the score of each of these
    texts, its words scored by a model that has not seen it."""
    unseen = np.zeros(len(targets))
    for left_out, rest in _folds(len(targets)):
        unseen[left_out] = _words(texts.at(rest), targets[rest]).scores(texts.counts[left_out])
    rows = np.column_stack([unseen, texts.cues])
    joined = join(rows, targets)
    return PickText(words=_words(texts, targets), joined=joined), joined.scores(rows)


def _words(texts: PickTexts, targets: Numbers) -> TextModel:
    return fit_text(texts.counts, targets - targets.mean(), np.zeros(0), PENALTY)[0]


def _folds(size: int) -> Iterator[tuple[Places, Places]]:
    """Parts drawn with a fixed seed: what comes every fifth time must not fall into one part."""
    part = np.random.default_rng(SEED).permutation(size) % FOLDS
    for fold in range(FOLDS):
        yield np.flatnonzero(part == fold), np.flatnonzero(part != fold)


TASK = "pick"
MOST_PICKED = "most_picked_author"
"""The method that knows only how often the author with most picks was picked."""
ARCHIVE = "dw"
SETTLING = timedelta(days=8)
"""Nineteen of twenty picks follow the arXiv day within 7.9 days."""
LEAST_PICKED = 20
"""Picks a model is learned from at least."""
OTHERS = 500
"""Picks from outside the archive that are learned from. Tried with none, 250, 500, 1,000 and 1,500:
average precision of words alone .317 .356 .370 .359 .347."""
SHRINK = 4.0
AUTHOR_FEATURES = 4


@dataclass(frozen=True, slots=True)
class ListedPaper:
    """A paper of the archive, when it was listed and when it was picked, if ever."""

    paper: Paper
    day: date
    picked_on: date | None

    def picked_before(self, moment: date) -> bool:
        """Whether its pick was known on that day."""
        return self.picked_on is not None and self.picked_on < moment


@dataclass(slots=True)
class _Authors:
    """Earlier papers and picks of every author, learned day after day."""

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
    """The papers of the tested months: group is the day's number, scores are ours."""

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
    """Test every month of `papers` that has enough before it, in `history` or in the file itself.

    Raises InvalidInput when no month has.
    """
    picks = read_papers([picked] if history is None else [history[1], picked])
    listings = _read(
        [papers] if history is None else [history[0], papers],
        {paper.identifiers["arxiv"]: paper.counts_from.date() for paper in picks},
    )
    first = min(
        (day(row, "first_listed") for row in read_rows(papers) if _in_archive(row)),
        default=date.max,
    )
    tested = _test(listings, picks, first)
    return _report(tested, baselines)


def _read(paths: Sequence[Path], picked_on: Mapping[str, date]) -> list[ListedPaper]:
    """The papers of the archive, oldest day first, without those picked before it listed them."""
    found = [
        ListedPaper(paper, paper.counts_from.date(), picked_on.get(paper.identifiers["arxiv"]))
        for paper in read_papers(paths, listed="first_listed", keep=_in_archive)
    ]
    return sorted((one for one in found if not one.picked_before(one.day)), key=lambda one: one.day)


def _in_archive(row: Row) -> bool:
    return row.get("archive") == ARCHIVE


def _test(listings: Sequence[ListedPaper], picks: Sequence[Paper], first: date) -> Tested:
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
        for known, labels in [_known(listings, month)]
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
    """Texts and author features of the listings, and texts of picks that are not among them,
    oldest pick first, with their days."""

    listings: Sequence[ListedPaper]
    texts: PickTexts
    features: Numbers
    others: PickTexts
    other_days: Sequence[date]


def _known(listings: Sequence[ListedPaper], month: date) -> tuple[list[int], Numbers]:
    """The papers whose fate was settled when the month began, and 1 for the picked ones."""
    known = [i for i, one in enumerate(listings) if one.day <= month - SETTLING]
    return known, np.array([float(listings[i].picked_before(month)) for i in known])


def _months(listings: Sequence[ListedPaper], first: date) -> Iterator[tuple[date, list[int]]]:
    """The first day of each month with the places of its papers, those before `first` left out."""
    months: dict[date, list[int]] = {}
    for place, one in enumerate(listings):
        if one.day >= first:
            months.setdefault(one.day.replace(day=1), []).append(place)
    yield from months.items()


def _author_features(
    listings: Sequence[ListedPaper], picks: Sequence[Paper]
) -> list[tuple[float, ...]]:
    """Of each paper, with what was listed and picked before its day."""
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
    """Of the papers inside: by their texts, and by texts and authors together.

    The newest OTHERS picks from elsewhere are learned from too. How those are written tells nothing
    among papers of one archive, but what they are about does.
    """
    until = bisect_left(data.other_days, data.listings[known[-1]].day)
    others = data.others.at(slice(max(0, until - OTHERS), until))
    targets = np.concatenate([labels, np.ones(len(others.cues))])
    model, unseen = fit_pick_text(data.texts.at(known).followed_by(others), targets)
    joined = join(np.column_stack([unseen[: len(known)], data.features[known]]), labels)
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
    """Whole days are drawn again: papers of a day share their rivals."""
    scores = tested.by_method[method]
    days = [np.flatnonzero(tested.groups == group) for group in range(tested.groups.max() + 1)]

    def statistic(drawn: Places) -> float:
        places = np.concatenate([days[group] for group in drawn])
        return measure(scores[places].tolist(), tested.picked[places].tolist())

    return figure(statistic, len(days))
