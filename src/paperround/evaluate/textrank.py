"""Sentences that resemble the others.

Mihalcea and Tarau, TextRank: Bringing Order into Texts, 2004. Sentences vote for each other by the
words they share, over the logarithms of their lengths, and a vote of a sentence with many votes
counts more.
"""

import math
import re
from collections.abc import Sequence

import numpy as np

from paperround.domain.sentences import Sentence
from paperround.evaluate.bootstrap import Numbers

_DAMPING = 0.85
_ROUNDS = 50
_WORD = re.compile(r"\w{4,}")


def central(sentences: Sequence[Sentence], most: int) -> Sequence[Sentence]:
    """The `most` sentences with the most votes, the first of equals first."""
    ranks = _ranks(_votes([frozenset(_WORD.findall(one.text.lower())) for one in sentences]))
    order = sorted(range(len(sentences)), key=lambda at: (-ranks[at], at))
    return [sentences[at] for at in order[:most]]


def _votes(words: Sequence[frozenset[str]]) -> Numbers:
    """Likeness of every two, shape (sentences, sentences); nobody votes for themselves."""
    return np.array(
        [[0.0 if one is other else _likeness(one, other) for other in words] for one in words]
    ).reshape(len(words), len(words))


def _likeness(one: frozenset[str], other: frozenset[str]) -> float:
    lengths = math.log(len(one) + 1) + math.log(len(other) + 1)
    return len(one & other) / lengths if lengths else 0.0


def _ranks(votes: Numbers) -> Numbers:
    given = votes.sum(axis=1, keepdims=True)
    shares = np.divide(votes, given, out=np.zeros_like(votes), where=given > 0)
    ranks = np.ones(len(votes))
    for _ in range(_ROUNDS):
        ranks = (1 - _DAMPING) + _DAMPING * (shares.T @ ranks)
    return ranks
