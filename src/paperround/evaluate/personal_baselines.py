"""What others do with a reader's papers, on the same words and the same readers."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from paperround.domain.errors import InvalidInput
from paperround.evaluate.report import Baselines
from paperround.ranking.text_space import Bag, Dense

Places = NDArray[np.intp]
Scores = Callable[[slice], Dense]
"""The scores of some readers for every paper, shape (readers, papers)."""

Method = Callable[[Sequence[Bag], Sequence[Places]], Scores]
"""Made of the papers' words and each reader's known papers, in the order they were drawn."""

_SATURATION, _LENGTH = 1.2, 0.75


def baselines_of(which: Baselines) -> Mapping[str, Method]:
    """The methods by name. Raises InvalidInput for `all` where scikit-learn is missing."""
    fast: dict[str, Method] = {
        "tfidf_centroid": _centroid,
        "zotero_arxiv_daily": _weighted_cosine,
        "bm25": _bm25,
    }
    if which is Baselines.NONE:
        return {}
    return fast if which is Baselines.FAST else fast | {"linear_svm": linear_svm()}


def _centroid(bags: Sequence[Bag], known: Sequence[Places]) -> Scores:
    """The mean of the known papers' tf-idf vectors, by cosine."""
    return _products(tfidf(bags), _shares(known, len(bags), lambda size: np.ones(size)))


def _weighted_cosine(bags: Sequence[Bag], known: Sequence[Places]) -> Scores:
    """zotero-arxiv-daily's formula: cosines weighted by 1 / (1 + lg(i + 1)), newest paper first.

    Its sentence embeddings are replaced by tf-idf, for these data have no sentences; and they have
    no dates, so the order is that of drawing.
    """
    weights = _shares(known, len(bags), lambda size: 1 / (1 + np.log10(np.arange(size) + 1)))
    return _products(tfidf(bags), weights)


def _bm25(bags: Sequence[Bag], known: Sequence[Places]) -> Scores:
    """BM25 with the known papers as one long query: k1 1.2, b 0.75."""
    counts = counted(bags)
    lengths = np.asarray(counts.sum(axis=1))
    relative = np.repeat(lengths / lengths.mean(), np.diff(counts.indptr))
    holders = np.bincount(counts.indices, minlength=counts.shape[1])
    rarity = np.log1p((len(bags) - holders + 0.5) / (holders + 0.5))
    bound = counts.data + _SATURATION * (1 - _LENGTH + _LENGTH * relative)
    data = rarity[counts.indices] * counts.data * (_SATURATION + 1) / bound
    weighted = sparse.csr_array((data, counts.indices, counts.indptr), shape=counts.shape)
    queries = sparse.csr_array(_shares(known, len(bags), lambda size: np.ones(size)) @ counts)
    return lambda readers: np.asarray((queries[readers] @ weighted.T).toarray())


def linear_svm() -> Method:
    """arxiv-sanity-lite's classifier for each reader, from scikit-learn: the known papers against
    every other one. Raises InvalidInput where scikit-learn is missing."""
    try:
        from sklearn.svm import LinearSVC
    except ImportError as error:
        raise InvalidInput(
            "scikit-learn is missing: install paperround[evaluate], or ask for --baselines fast"
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


def counted(bags: Sequence[Bag]) -> sparse.csr_array:
    """The counts of each word, shape (papers, words)."""
    place_of: dict[str, int] = {}
    places = [place_of.setdefault(word, len(place_of)) for bag in bags for word in bag]
    counts = np.array([count for bag in bags for count in bag.values()], dtype=np.float32)
    ends = np.cumsum([0, *map(len, bags)], dtype=np.int32)  # scikit-learn takes no wider index
    return sparse.csr_array(
        (counts, np.array(places, dtype=np.int32), ends), shape=(len(bags), len(place_of))
    )


def tfidf(bags: Sequence[Bag]) -> sparse.csr_array:
    """(1 + ln count) (1 + ln((1 + n) / (1 + n with the word))), unit length: scikit-learn's."""
    counts = counted(bags)
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
    """What each known paper weighs for its reader, together 1, shape (readers, papers)."""
    drawn = [weights(len(places)) for places in known]
    data = np.concatenate([each / each.sum() for each in drawn]).astype(np.float32)
    ends = np.cumsum([0, *map(len, known)])
    return sparse.csr_array((data, np.concatenate(known), ends), shape=(len(known), papers))


def _products(vectors: sparse.csr_array, weights: sparse.csr_array) -> Scores:
    readers = sparse.csr_array(weights @ vectors)
    return lambda some: np.asarray((readers[some] @ vectors.T).toarray())
