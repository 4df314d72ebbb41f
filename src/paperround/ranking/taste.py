"""What a reader likes, as weights of texts: papers they liked or not, and their topics.

    wanted   mean of the liked + 0.1 mean of the topics, made to weigh 1 together
    profile  wanted - 0.1 mean of the disliked

A profile is never fitted: it is a row of weights, one for each text its reader spoke of, so what
one reader says of one paper changes that row alone. A reader without a liked paper is known by
their topics. What everybody reads is the background that `personal` measures each fit against.

The two tenths were chosen on public libraries of readers, of whom five papers are known: topics
that weigh more lose what the papers say better; of dislikes there are no public data, only
suggestions that a reader did not take, and from a fifth on their weight does harm.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

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
