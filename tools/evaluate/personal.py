"""`python -m tools.evaluate personal`: hide half of each reader's library, and find it by ranking.

Every reader with at least ten papers counts. The known half, drawn with a fixed seed, is the
profile. All other papers are ranked by it, from their words alone, and recall is the share of the
hidden half among the first 50 and 300. No method sees who else kept a paper. As in an installation,
the text space is built from all papers: only who kept a paper is hidden, not its text.

`described` is the same for readers who only describe their work: the profile is eight words from
each of five of their known papers. The most frequent words of a paper replace its title, which the
public libraries lack.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from paperround.core.errors import InvalidInput
from paperround.evaluate import Baselines
from paperround.evaluate.papers import Row, read_rows
from paperround.evaluate.report import Numbers, Report, compare
from paperround.personal.own_words import likeness_by_words
from paperround.personal.scores import Said, fits, profiles, split_blocks
from paperround.personal.selection import best
from paperround.ranking.text_space import Bag, Dense, TextSpace, text_space, word_counts

# Baselines, on the same words and the same readers.

Places = NDArray[np.intp]
Scores = Callable[[slice], Dense]
"""A function from a slice of readers to their scores, shape (readers, papers)."""

Method = Callable[[Sequence[Bag], Sequence[Places]], Scores]
"""A function of the papers' words and each reader's known papers, in the order of drawing."""


_CENTROID = "tfidf_centroid"


def baselines_of(which: Baselines) -> Mapping[str, Method]:
    """Return the baselines by name. Raises InvalidInput for `all` without scikit-learn."""
    fast: dict[str, Method] = {
        _CENTROID: _centroid,
        "zotero_arxiv_daily": _weighted_cosine,
    }
    if which is Baselines.NONE:
        return {}
    return fast if which is Baselines.FAST else fast | {"linear_svm": linear_svm()}


def _centroid(bags: Sequence[Bag], known: Sequence[Places]) -> Scores:
    """Cosine to the mean of the known papers' tf-idf vectors."""
    return _products(tfidf(bags), _shares(known, len(bags), lambda size: np.ones(size)))


def _weighted_cosine(bags: Sequence[Bag], known: Sequence[Places]) -> Scores:
    """zotero-arxiv-daily's formula: cosines weighted by 1 / (1 + lg(i + 1)), newest paper first.

    tf-idf replaces its sentence embeddings, because the data have no sentences, and the order of
    drawing replaces the dates, which are missing, too.
    """
    weights = _shares(known, len(bags), lambda size: 1 / (1 + np.log10(np.arange(size) + 1)))
    return _products(tfidf(bags), weights)


def linear_svm() -> Method:
    """arxiv-sanity-lite's method: for each reader a linear SVM of known against other papers.

    Raises InvalidInput without scikit-learn.
    """
    try:
        from sklearn.svm import LinearSVC
    except ImportError as error:
        raise InvalidInput(
            "scikit-learn is missing: `pip install scikit-learn`, or ask for --baselines fast"
        ) from error

    def method(bags: Sequence[Bag], known: Sequence[Places]) -> Scores:
        vectors = sparse.csr_matrix(tfidf(bags))

        def scores_of(places: Places) -> Dense:
            is_known = np.zeros(len(bags), dtype=bool)
            is_known[places] = True
            svm = LinearSVC(class_weight="balanced", max_iter=10_000, tol=1e-6, C=0.01)
            return np.asarray(svm.fit(vectors, is_known).decision_function(vectors), np.float32)

        return lambda readers: np.vstack([scores_of(places) for places in known[readers]])

    return method


def tfidf(bags: Sequence[Bag]) -> sparse.csr_array:
    """Return scikit-learn's tf-idf vectors of unit length, shape (papers, words).

    (1 + ln count) (1 + ln((1 + n) / (1 + n with the word)))
    """
    _, counts = word_counts(bags)
    holders = np.bincount(counts.indices, minlength=counts.shape[1])
    rarity = 1 + np.log((1 + len(bags)) / (1 + holders))
    data = (1 + np.log(counts.data)) * rarity[counts.indices].astype(np.float32)
    rows = sparse.csr_array((data, counts.indices, counts.indptr), shape=counts.shape)
    lengths = np.sqrt(np.asarray(rows.multiply(rows).sum(axis=1)))
    rows.data /= np.repeat(np.where(lengths > 0, lengths, 1), np.diff(rows.indptr))
    return rows


def _shares(
    known: Sequence[Places], papers: int, weights: Callable[[int], NDArray[np.float64]]
) -> sparse.csr_array:
    """Return the weights of each reader's known papers, which sum to 1, shape (readers, papers)."""
    drawn = [weights(len(places)) for places in known]
    data = np.concatenate([each / each.sum() for each in drawn]).astype(np.float32)
    ends = np.cumsum([0, *map(len, known)])
    return sparse.csr_array((data, np.concatenate(known), ends), shape=(len(known), papers))


def _products(vectors: sparse.csr_array, weights: sparse.csr_array) -> Scores:
    readers = sparse.csr_array(weights @ vectors)
    return lambda some: np.asarray((readers[some] @ vectors.T).toarray())


LEAST_KEPT = 10
DEPTHS = (50, 300)

_SEED = 0
_READER_BATCH = 200
_PAPER_BATCH = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluatedReader:
    """The indices of a reader's papers: those a method knows, and those it should find."""

    known: Places
    hidden: Places


@dataclass(frozen=True, slots=True, kw_only=True)
class Libraries:
    """Papers as bags of words, and the readers with enough papers."""

    bags: Sequence[Bag]
    readers: Sequence[EvaluatedReader]


def evaluate_personal(items: Path, users: Path, baselines: Baselines) -> Report:
    """Return the recall of our method and baselines on `items` (`id`, `words`) and `users`
    (`items`: ids).

    Raises InvalidInput for rows in another format, when no reader has ten papers, and for `all`
    without scikit-learn.
    """
    others = baselines_of(baselines)
    libraries = read_libraries(items, users)
    space = text_space(libraries.bags)
    written = descriptions(libraries, space)
    ours = recalls(our_scores(libraries, space), libraries)
    ours |= _of_descriptions(recalls(described_scores(libraries, space, written), libraries))
    known = [reader.known for reader in libraries.readers]
    theirs = {
        name: recalls(method(libraries.bags, known), libraries) for name, method in others.items()
    }
    if _CENTROID in theirs:
        theirs[_CENTROID] |= _of_descriptions(
            recalls(_described_centroid(libraries, written), libraries)
        )
    notes = (
        f"{len(libraries.readers):,} readers of {LEAST_KEPT} papers or more, half hidden",
        f"{len(libraries.bags):,} papers, their words only",
    )
    return compare("personal", ours, theirs, notes)


def read_libraries(items: Path, users: Path) -> Libraries:
    """Read the papers, and the readers with at least ten. Raises what `evaluate_personal` does."""
    papers = [(row.get("id"), _words(row, items)) for row in read_rows(items)]
    place_of = {id_: place for place, (id_, _) in enumerate(papers)}
    random = np.random.default_rng(_SEED)
    kept = (_read_library(row, place_of, users) for row in read_rows(users))
    readers = [_split_library(places, random) for places in kept if len(places) >= LEAST_KEPT]
    if not readers:
        raise InvalidInput(f"{users} holds no reader with {LEAST_KEPT} papers")
    if len(papers) - max(len(reader.known) for reader in readers) < max(DEPTHS):
        raise InvalidInput(f"{items} holds too few papers: recall counts the first {max(DEPTHS)}")
    return Libraries(bags=[words for _, words in papers], readers=readers)


def _words(row: Row, path: Path) -> dict[str, int]:
    words = row.get("words")
    if not isinstance(words, dict) or not all(
        isinstance(times, int) and times > 0 for times in words.values()
    ):
        raise InvalidInput(f"{path}: paper {row.get('id')!r} needs `words`, a count for each word")
    return words


def _read_library(row: Row, place_of: Mapping[object, int], path: Path) -> Places:
    """Return the distinct indices of a reader's papers, without unknown ids."""
    items = row.get("items")
    if not isinstance(items, list):
        raise InvalidInput(f"{path}: reader {row.get('user')!r} needs `items`, a list of paper ids")
    return np.array(
        [place_of[id_] for id_ in dict.fromkeys(items) if id_ in place_of], dtype=np.intp
    )


def _split_library(places: Places, random: np.random.Generator) -> EvaluatedReader:
    """Hide half of the papers; of an odd number the smaller half."""
    drawn = random.permutation(places)
    half = len(drawn) // 2
    return EvaluatedReader(known=drawn[half:], hidden=drawn[:half])


def our_scores(libraries: Libraries, space: TextSpace) -> Scores:
    """Return our scores for all readers and papers, computed a thousand papers at a time."""
    texts = space.texts(libraries.bags)
    liked = np.unique(np.concatenate([reader.known for reader in libraries.readers]))
    tastes = [Said(liked=np.searchsorted(liked, one.known).tolist()) for one in libraries.readers]
    weights, known = profiles(tastes, len(liked)), texts.at(liked)
    scores = np.hstack(
        [
            fits(weights, split_blocks(known.likeness(texts.at(slice(at, at + _PAPER_BATCH)))))
            for at in range(0, len(texts), _PAPER_BATCH)
        ]
    )
    return lambda readers: scores[readers]


_DESCRIBED_BY, _WORDS_OF_TITLE = 5, 8


def descriptions(libraries: Libraries, space: TextSpace) -> list[Bag]:
    """Return the words that describe each reader."""
    titles: dict[int, list[str]] = {}
    return [
        Counter(
            word
            for place in reader.known[:_DESCRIBED_BY].tolist()
            for word in titles.setdefault(place, _title_words(libraries.bags[place], space))
        )
        for reader in libraries.readers
    ]


def _title_words(bag: Bag, space: TextSpace) -> list[str]:
    by_count = sorted(bag, key=lambda word: (-bag[word], -space.rarity(word), word))
    return by_count[:_WORDS_OF_TITLE]


def described_scores(libraries: Libraries, space: TextSpace, written: Sequence[Bag]) -> Scores:
    """Return our scores for readers of whom only a description of their work is known."""
    papers = space.texts(libraries.bags)
    return lambda readers: likeness_by_words(written[readers], space, papers)


def _described_centroid(libraries: Libraries, written: Sequence[Bag]) -> Scores:
    vectors = tfidf([*libraries.bags, *written])
    papers, readers = vectors[: len(libraries.bags)], vectors[len(libraries.bags) :]
    return lambda some: np.asarray((readers[some] @ papers.T).toarray())


def _of_descriptions(found: Mapping[str, Numbers]) -> dict[str, Numbers]:
    return {f"described_{name}": numbers for name, numbers in found.items()}


def recalls(scores: Scores, libraries: Libraries) -> dict[str, Numbers]:
    """Return each reader's recall by metric, shape (readers,)."""
    rows = [
        row
        for at in range(0, len(libraries.readers), _READER_BATCH)
        for batch in [slice(at, at + _READER_BATCH)]
        for row in _recalls(scores(batch), libraries.readers[batch])
    ]
    return {
        f"recall_at_{depth}": np.array([row[i] for row in rows]) for i, depth in enumerate(DEPTHS)
    }


def _recalls(scores: Dense, readers: Sequence[EvaluatedReader]) -> Iterator[list[float]]:
    candidates = np.array(scores, dtype=np.float32)
    for row, reader in zip(candidates, readers, strict=True):
        row[reader.known] = -np.inf
    for first, reader in zip(best(candidates, max(DEPTHS)), readers, strict=True):
        hits = np.isin(first, reader.hidden)
        yield [hits[:depth].sum() / len(reader.hidden) for depth in DEPTHS]
