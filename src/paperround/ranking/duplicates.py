"""Detect near-duplicates: one work under two identifiers.

Two papers are duplicates if they have equal titles or mostly the same text. They are not if they
have no author in common, different numbers in their titles (parts, versions, years of a series),
or one title (`Technical report`, `Editorial`) and different abstracts.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from itertools import chain, combinations, pairwise

from paperround.papers.identifiers import folded
from paperround.papers.model import Paper
from paperround.ranking.stop_words import shingles, tokens

SAME_TEXT = 0.6
"""The Jaccard similarity (of three-word runs) from which two abstracts are the same text."""
SAME_TITLE_TEXT = 0.2
"""The same for two papers with equal titles: a rewritten abstract keeps this much."""
TELLING_TITLE_WORDS = 4
"""If an abstract is missing, equal titles of at least this many words are the same work."""

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
    """Groups of positions in `papers` that are one work, ordered by position.

    `documents` are the words of each paper (`paper_tokens`), used to choose pairs to compare. Two
    duplicates of a third paper are in one group.
    """
    texts: dict[int, _DuplicateText] = {}
    leader = list(range(len(papers)))
    # Compare pairs with several of their rarest words in common: copies have nearly all.
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
        if _is_same_work(texts[left], texts[right]):
            old, new = leader[right], leader[left]
            leader = [new if mark == old else mark for mark in leader]
    members: defaultdict[int, list[int]] = defaultdict(list)
    for position, mark in enumerate(leader):
        members[mark].append(position)
    return sorted(map(tuple, members.values()))


def _is_same_work(left: _DuplicateText, right: _DuplicateText) -> bool:
    if left.names and right.names and not left.names & right.names:
        return False
    same_title = left.title == right.title
    if not left.words or not right.words:
        return same_title and len(left.title.split()) >= TELLING_TITLE_WORDS
    if same_title:
        return _text_similarity(left, right) >= SAME_TITLE_TEXT
    return left.numbers == right.numbers and _text_similarity(left, right) >= SAME_TEXT


def _text_similarity(left: _DuplicateText, right: _DuplicateText) -> float:
    ours, theirs = shingles(left.words, _RUN), shingles(right.words, _RUN)
    return len(ours & theirs) / len(ours | theirs)


def _rarest(words: Set[str], papers_with: Mapping[str, int]) -> list[str]:
    shared = [(n, w) for w in words if 1 < (n := papers_with[w]) <= _LARGEST_BUCKET]
    return [word for _, word in sorted(shared)[:_RAREST]]


def _buckets(keys: Iterable[Iterable[str]]) -> Iterator[Sequence[int]]:
    holders: defaultdict[str, list[int]] = defaultdict(list)
    for position, own in enumerate(keys):
        for key in own:
            holders[key].append(position)
    return iter(holders.values())


def _pairs_within(buckets: Iterable[Sequence[int]]) -> Iterator[tuple[int, int]]:
    """Every pair of each bucket; for a large bucket only neighbours, which chain its groups."""
    for bucket in buckets:
        if len(bucket) <= _LARGEST_BUCKET:
            yield from combinations(bucket, 2)
        else:
            yield from pairwise(bucket)
