"""B6: the cost of a reader's personal order of a day's papers."""

from collections.abc import Callable
from functools import partial

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from benchmarks.invented import papers
from benchmarks.rounds import interleaved
from benchmarks.table import Bar, Measured
from paperround.core.errors import InvalidInput
from paperround.personal.scores import Said, fits, log_odds, profiles, split_blocks
from paperround.ranking.text_space import Bag, Dense, Texts, bag_of, text_space
from tools.evaluate.personal import linear_svm

READERS, KNOWN, NEW, TOP = 100_000, 10_000, 1_000, 12
LIKED, CHUNK = 20, 2_000
ROUNDS = 3


def personal_order() -> list[Measured]:
    """Wall microseconds per reader: the likeness of the day's papers, and each reader's first
    twelve; also as a share of a linear classifier for one reader, if scikit-learn is installed."""
    bags = [bag_of(str(row["title"]), str(row["summary"])) for row in papers(KNOWN + NEW)]
    texts = text_space(bags).texts(bags)
    known, day = texts.at(slice(KNOWN)), texts.at(slice(KNOWN, None))
    liked = _liked(np.random.default_rng(1))
    trending = np.linspace(4, 0, NEW, dtype=np.float32)
    weights = profiles([Said(liked=row) for row in liked.tolist()], KNOWN)
    contenders: dict[str, Callable[[], object]] = {
        "ours": partial(_order_all, weights, known, day, trending)
    }
    svm = _svm(bags, liked[0])
    if svm is not None:
        contenders["svm"] = svm
    rounds = interleaved(contenders, rounds=ROUNDS)
    return _measured(rounds["ours"], rounds.get("svm"))


def _liked(random: np.random.Generator) -> NDArray[np.intp]:
    """The papers each reader liked: some are liked by many, most by few."""
    popularity = 1 / (np.arange(KNOWN) + 50)
    drawn = random.choice(KNOWN, size=(READERS, LIKED), p=popularity / popularity.sum())
    return np.asarray(drawn, dtype=np.intp)


def _order_all(weights: sparse.csr_array, known: Texts, day: Texts, trending: Dense) -> None:
    likeness = split_blocks(known.likeness(day))
    for first in range(0, READERS, CHUNK):
        worth = log_odds(fits(weights[first : first + CHUNK], likeness))
        assert _first(worth + trending).shape == (CHUNK, TOP)


def _first(scores: Dense) -> NDArray[np.intp]:
    """The papers of each reader's TOP scores, best first."""
    least = np.partition(scores, -TOP, axis=1)[:, -TOP]
    rows, places = np.nonzero(scores >= least[:, None])
    order = np.lexsort((-scores[rows, places], rows))
    starts = np.searchsorted(rows, np.arange(len(scores)))
    first: NDArray[np.intp] = places[order[starts[:, None] + np.arange(TOP)]]
    return first


def _svm(bags: list[Bag], liked: NDArray[np.intp]) -> Callable[[], object] | None:
    try:
        method = linear_svm()
    except InvalidInput as error:
        print(f"B6 without the classifier: {error}")
        return None
    scores = method(bags[:KNOWN], [liked])
    return partial(scores, slice(0, 1))


def _measured(ours: list[float], svm: list[float] | None) -> list[Measured]:
    each = float(np.median(ours)) / READERS
    shown = f"{READERS:,} readers, {NEW:,} papers, top {TOP}"
    rows = [
        Measured(
            id="B6",
            measure=f"personal order, a reader of {shown}",
            value=each * 1e6,
            bar=Bar("at most", 25),
            unit="µs",
        )
    ]
    if svm is None:
        return rows
    ratio = float(np.median([own / READERS / one for own, one in zip(ours, svm, strict=True)]))
    peer = f"the same / a linear SVM over {KNOWN:,} papers ({np.median(svm):.3f} s)"
    return [*rows, Measured(id="B6", measure=peer, value=ratio, bar=Bar("at most", 1 / 1000))]
