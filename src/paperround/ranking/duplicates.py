"""Near-duplicates: the same work under two identifiers, told from works that only look alike.

Two papers are one when their titles are equal and nothing speaks against it, or when most of
their text is the same. What speaks against it: no author in common, different numbers in the
titles (parts, versions and years of a series), or, under one title, abstracts about other things
(`Technical report`, `Editorial`).
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from itertools import chain, combinations, pairwise

from paperround.papers.identifiers import folded
from paperround.papers.model import Paper
from paperround.ranking.stop_words import shingles, tokens

SAME_TEXT = 0.6
"""Share of common three-word runs (Jaccard) from which on two abstracts are one text."""
SAME_TITLE_TEXT = 0.2
"""The share asked of two papers of one title: a rewritten abstract keeps this much."""
TELLING_TITLE_WORDS = 4
"""Titles of this many words or more are taken to name one work when an abstract is missing."""

_RUN = 3
_RAREST = 8
_SHARED_RAREST = 3
_LARGEST_BUCKET = 20
_ROMAN = frozenset(["i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix", "x"])


@dataclass(frozen=True, slots=True, kw_only=True)
class _DuplicateText:
    title: str
    numbers: frozenset[str]
    names: frozenset[str]
    words: tuple[str, ...]


def group_duplicates(
    papers: Sequence[Paper], documents: Sequence[Sequence[str]]
) -> list[tuple[int, ...]]:
    """Positions of `papers` that are one work, each group and the groups in order of position.

    `documents` are the words of each paper (`words.paper_tokens`), used to find pairs worth
    comparing. Two papers that are each a duplicate of a third are in one group.
    """
    texts: dict[int, _DuplicateText] = {}
    leader = list(range(len(papers)))
    # Pairs that share several of their rarest words: copies share nearly all of them.
    words = [frozenset(document) for document in documents]
    papers_with = Counter(chain.from_iterable(words))
    rarest = (_rarest(each, papers_with) for each in words)
    shared = Counter(_pairs_within(_buckets(rarest)))
    pairs = {pair for pair, times in shared.items() if times >= _SHARED_RAREST}
    pairs.update(_pairs_within(_buckets((folded(paper.title),) for paper in papers)))
    for left, right in sorted(pairs):
        for position in (left, right):
            if position not in texts:
                paper = papers[position]
                title = folded(paper.title)
                texts[position] = _DuplicateText(
                    title=title,
                    numbers=frozenset(
                        w for w in title.split() if w in _ROMAN or any(map(str.isdigit, w))
                    ),
                    names=frozenset(
                        n for author in paper.authors for n in folded(author).split() if n[1:]
                    ),
                    words=tuple(tokens(paper.abstract)),
                )
        if _are_one(texts[left], texts[right]):
            old, new = leader[right], leader[left]
            leader = [new if mark == old else mark for mark in leader]
    return _groups(leader)


def _groups(leader: Sequence[int]) -> list[tuple[int, ...]]:
    members: defaultdict[int, list[int]] = defaultdict(list)
    for position, mark in enumerate(leader):
        members[mark].append(position)
    return sorted(map(tuple, members.values()))


def _are_one(left: _DuplicateText, right: _DuplicateText) -> bool:
    if left.names and right.names and not left.names & right.names:
        return False
    same_title = left.title == right.title
    if not left.words or not right.words:
        return same_title and len(left.title.split()) >= TELLING_TITLE_WORDS
    if same_title:
        return _common_text(left, right) >= SAME_TITLE_TEXT
    return left.numbers == right.numbers and _common_text(left, right) >= SAME_TEXT


def _common_text(left: _DuplicateText, right: _DuplicateText) -> float:
    ours, theirs = shingles(left.words, _RUN), shingles(right.words, _RUN)
    return len(ours & theirs) / len(ours | theirs)


def _rarest(words: Set[str], papers_with: Mapping[str, int]) -> list[str]:
    shared = [(n, w) for w in words if 1 < (n := papers_with[w]) <= _LARGEST_BUCKET]
    return [word for _, word in sorted(shared)[:_RAREST]]


def _buckets(keys: Iterable[Iterable[str]]) -> Iterator[Sequence[int]]:
    holders: defaultdict[str, list[int]] = defaultdict(list)
    for position, mine in enumerate(keys):
        for key in mine:
            holders[key].append(position)
    return iter(holders.values())


def _pairs_within(buckets: Iterable[Sequence[int]]) -> Iterator[tuple[int, int]]:
    """Every pair of each bucket; of a crowded one, each with the next, for chains suffice."""
    for bucket in buckets:
        if len(bucket) <= _LARGEST_BUCKET:
            yield from combinations(bucket, 2)
        else:
            yield from pairwise(bucket)
