"""A day's papers for every reader: how well each fits, in the same unit as what is trending.

    fit      profile x likeness of its texts to the paper
    z        (fit - mean) / deviation, over the field: the papers the reader could be given
    odds     3.3 ln((2 + z) / 2.75), between -2 and 6
    score    trending + odds

`odds` is the logarithm of how much more often a paper that fits so well is one of the reader's own
than one of the field: counted on public libraries of readers, the line is a fit of that count. As
the trending score is about the logarithm of the attention a paper will get, the sum is, up to a
constant, the logarithm of the odds that the reader would choose the paper (naive Bayes). A paper at
z = 0.75 is worth what it is worth to everybody.

All of it is matrix work, and papers come in blocks that fit the cache of a processor. Whoever asks
for many readers asks for some thousand at a time: with 1,000 papers, 2,000 take 8 MB.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from paperround.ranking.text_space import Dense

Places = NDArray[np.intp]
Blocks = tuple[Dense, ...]
"""The likeness of texts to papers, cut into blocks of papers."""

LEAST_ODDS, MOST_ODDS = -2.0, 6.0

_SLOPE, _SHIFT, _EVEN = np.float32(3.3), np.float32(2), 0.75
_LOG_EVEN = np.float32(math.log(2 + _EVEN))
_BOTTOM = np.float32(0.1)
_NO_DIFFERENCE = 1e-6
BLOCK = 250
"""Papers a block: the likeness of some thousand texts to them stays in the cache."""


def in_blocks(likeness: Dense) -> Blocks:
    """The likeness of texts to papers, shape (texts, papers), as `fits` wants it."""
    starts = range(0, likeness.shape[1], BLOCK)
    return tuple(np.ascontiguousarray(likeness[:, at : at + BLOCK]) for at in starts)


def fits(profiles: sparse.csr_array, likeness: Blocks) -> Dense:
    """How well each paper fits each profile, shape (profiles, papers)."""
    return np.hstack([profiles @ block for block in likeness])


def odds(fit: Dense) -> Dense:
    """What a fit is worth, shape (readers, field) as `fit`, whose columns are the whole field.

    Nothing for a reader to whom all of the field is alike.
    """
    mean = fit.mean(axis=1, keepdims=True)
    z = fit - mean
    deviation = np.sqrt(np.einsum("ij,ij->i", z, z) / fit.shape[1])[:, None]
    even = ~(deviation > _NO_DIFFERENCE)
    z /= np.where(even, 1, deviation)
    z += _SHIFT
    np.maximum(z, _BOTTOM, out=z)
    np.log(z, out=z)
    worth = np.clip(_SLOPE * z - _SLOPE * _LOG_EVEN, LEAST_ODDS, MOST_ODDS)
    return np.where(even, np.float32(0), worth)


def best(scores: Dense, count: int) -> Places:
    """The places of the `count` highest scores of each row, best first; of equals, the first.

    Raises ValueError for a row that has fewer.
    """
    if count > scores.shape[1]:
        raise ValueError(f"{scores.shape[1]} papers hold no best {count}")
    least = np.partition(scores, -count, axis=1)[:, -count]
    rows, places = np.nonzero(scores >= least[:, None])
    order = np.lexsort((-scores[rows, places], rows))
    starts = np.searchsorted(rows, np.arange(len(scores)))
    chosen: Places = places[order[starts[:, None] + np.arange(count)]]
    return chosen


# What a reader likes, as weights of texts: papers they liked or not, and their topics.
#
#     wanted   mean of the liked + 0.1 mean of the topics, made to weigh 1 together
#     profile  wanted - 0.1 mean of the disliked
#
# A profile is never fitted: it is a row of weights, one for each text its reader spoke of, so what
# one reader says of one paper changes that row alone. A reader without a liked paper is known by
# their topics. What everybody reads is the background that `personal` measures each fit against.
#
# The two tenths were chosen on public libraries of readers, of whom five papers are known: topics
# that weigh more lose what the papers say better; of dislikes there are no public data, only
# suggestions that a reader did not take, and from a fifth on their weight does harm.

TOPICS_SHARE = 0.1
DISLIKED_SHARE = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What one reader said, as places of texts: each place once among the three."""

    liked: Sequence[int] = ()
    disliked: Sequence[int] = ()
    topics: Sequence[int] = ()


def profiles(readers: Sequence[Said], texts: int) -> sparse.csr_array:
    """The weights of `texts` texts for each taste, shape (readers, texts), as float32."""
    said = [part for one in readers for part in (one.liked, one.topics, one.disliked)]
    sizes = np.fromiter(map(len, said), dtype=np.int32, count=len(said))
    places = np.fromiter(chain.from_iterable(said), dtype=np.int32, count=sizes.sum())
    weights = np.repeat(_weights(sizes.reshape(-1, 3)).ravel(), sizes)
    ends = np.append(0, np.cumsum(sizes)[2::3])
    return sparse.csr_array((weights, places, ends), shape=(len(readers), texts))


def _weights(sizes: NDArray[np.int32]) -> NDArray[np.float32]:
    """What one liked paper, topic and disliked paper weighs, shape as `sizes`: (readers, 3)."""
    shares = np.array([1, TOPICS_SHARE, DISLIKED_SHARE]) * (sizes > 0)
    wanted = shares[:, :2].sum(axis=1, keepdims=True)
    shares[:, :2] /= np.where(wanted > 0, wanted, 1)
    shares[:, 2] *= -1
    return np.asarray(shares / np.maximum(sizes, 1), dtype=np.float32)
