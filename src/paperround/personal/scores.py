"""Compute how well a day's papers fit readers, in the unit of the trending score.

    fit      profile x likeness of its texts to the paper
    z        (fit - mean) / deviation, over the field: all papers the reader could get
    odds     3.3 ln((2 + z) / 2.75), between -2 and 6
    score    trending + odds

`log_odds` is the log of how much more often a paper with this fit belongs to the reader than to the
field; the formula is fitted to counts on public reader libraries. The trending score is roughly the
log of the attention a paper will get, so the sum is, up to a constant, the log odds that the reader
would choose the paper (naive Bayes). At z = 0.75 a paper keeps its trending score.

Everything is matrix products, with papers in blocks that fit the cache of a processor. Call this
for a few thousand readers at a time: with 1,000 papers, 2,000 readers take 8 MB.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from paperround.ranking.text_space import Dense

Blocks = tuple[Dense, ...]
"""The likeness of texts to papers, in blocks of papers."""

LEAST_ODDS, MOST_ODDS = -2.0, 6.0

_SLOPE, _SHIFT, _EVEN = np.float32(3.3), np.float32(2), 0.75
_LOG_EVEN = np.float32(math.log(2 + _EVEN))
_BOTTOM = np.float32(0.1)
_NO_DIFFERENCE = 1e-6
BLOCK = 250
"""Papers per block: the likeness of a few thousand texts to them fits the cache."""


def split_blocks(likeness: Dense) -> Blocks:
    """Split the likeness of texts to papers, shape (texts, papers), into blocks for `fits`."""
    starts = range(0, likeness.shape[1], BLOCK)
    return tuple(np.ascontiguousarray(likeness[:, at : at + BLOCK]) for at in starts)


def fits(profiles: sparse.csr_array, likeness: Blocks) -> Dense:
    """The fit of each paper to each profile, shape (profiles, papers)."""
    return np.hstack([profiles @ block for block in likeness])


def log_odds(fit: Dense) -> Dense:
    """The log odds of each fit, shape (readers, field); `fit` must have the whole field.

    0 for a reader whose fits are all equal.
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


# A profile has a weight for each text of a reader: liked and disliked papers, and topics.
#
#     wanted   mean of the liked + 0.1 mean of the topics, normalized to a total of 1
#     profile  wanted - 0.1 mean of the disliked
#
# A profile is not trained, so feedback of one reader changes only their row. Without liked papers
# it consists of the topics.
#
# Both shares of 0.1 were chosen on public reader libraries with five known papers each. Heavier
# topics drown out the papers. There are no public data of dislikes, only suggestions that a reader
# did not take; from 0.2 on their weight does harm.

TOPICS_SHARE = 0.1
DISLIKED_SHARE = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """The texts of one reader by place; each place is in one of the three only."""

    liked: Sequence[int] = ()
    disliked: Sequence[int] = ()
    topics: Sequence[int] = ()


def profiles(readers: Sequence[Said], texts: int) -> sparse.csr_array:
    """The profiles of the readers, shape (readers, texts), as float32."""
    parts = [part for one in readers for part in (one.liked, one.topics, one.disliked)]
    sizes = np.fromiter(map(len, parts), dtype=np.int32, count=len(parts))
    places = np.fromiter(chain.from_iterable(parts), dtype=np.int32, count=sizes.sum())
    weights = np.repeat(_weights(sizes.reshape(-1, 3)).ravel(), sizes)
    ends = np.append(0, np.cumsum(sizes)[2::3])
    return sparse.csr_array((weights, places, ends), shape=(len(readers), texts))


def _weights(sizes: NDArray[np.int32]) -> NDArray[np.float32]:
    """The weights of one liked paper, topic and disliked paper, shape (readers, 3) like `sizes`."""
    shares = np.array([1, TOPICS_SHARE, DISLIKED_SHARE]) * (sizes > 0)
    wanted = shares[:, :2].sum(axis=1, keepdims=True)
    shares[:, :2] /= np.where(wanted > 0, wanted, 1)
    shares[:, 2] *= -1
    return np.asarray(shares / np.maximum(sizes, 1), dtype=np.float32)
