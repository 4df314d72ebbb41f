"""Extract phrases from papers, to suggest as topics.

A phrase is a keyword of a paper, or two to four adjacent words of its title that neither begin nor
end with a stop word. It counts once per paper. A longer phrase replaces a shorter one it contains
if most papers with the shorter have it.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from paperround.papers.model import Paper
from paperround.papers.search import COMMON
from paperround.papers.stems import stem
from paperround.papers.topics import LONGEST_TOPIC, folded

MOST_PAPERS = 1500
LEAST_PAPERS = 3
"""A phrase is suggested from this many papers on."""

_MOST_WORDS = 4
MOST_CHECKED = 400
"""The most candidates that are compared with each other."""

_REPLACES = 0.6
"""A longer phrase replaces a shorter one that has this share of its papers in common."""

_WORD = re.compile(r"[^\W_]+(?:[-'’][^\W_]+)*")
_BREAKS = re.compile(r"[:;,.?!()\[\]{}\"“”/–—]+")
_STOP_WORDS = COMMON | frozenset(
    """
    via using based towards new novel improved improving efficient effective better fast simple
    large small general unified robust approach approaches method methods framework paper study
    analysis case case-study evaluation evaluating evidence role effect effects understanding
    exploring learning-based toward beyond without within across among first second one two three
    high low good best state art state-of-the-art end perspective review survey introduction note
    notes problem problems question questions results data-driven use uses make making does need all
    you can we it is really report technical preliminary
    """.split()
)
"""Words that no phrase begins or ends with."""

_TOO_GENERAL = frozenset("learning model models data theory systems system networks".split())


@dataclass(frozen=True, slots=True)
class FoundPhrases:
    """The papers of each phrase, and its spellings."""

    papers: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    written: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))

    def spelling(self, key: str) -> str:
        """The phrase as most papers spell it, in lower case except for acronyms."""
        spellings = self.written[key]
        lower = Counter[str]()
        for one, count in spellings.items():
            lower[_lower_words(one)] += count
        return min(lower, key=lambda one: (-lower[one], one))


def frequent_phrases(papers: Sequence[Paper], *, most: int) -> tuple[str, ...]:
    """At most `most` phrases of these papers, the most frequent first."""
    found = find_phrases(papers[:MOST_PAPERS])
    counts = {key: len(where) for key, where in found.papers.items()}
    weights = (0.7, 1.0, 1.1)  # prefer two words to one, and three a little to two
    often = sorted(
        (key for key, count in counts.items() if count >= LEAST_PAPERS),
        key=lambda key: (-counts[key] * weights[min(key.count(" "), 2)], key),
    )[:MOST_CHECKED]
    return tuple(found.spelling(key) for key in without_contained(often, found.papers))[:most]


def find_phrases(papers: Sequence[Paper]) -> FoundPhrases:
    """The phrases of these papers, each with the places of its papers in the sequence."""
    found = FoundPhrases()
    for number, paper in enumerate(papers):
        for phrase in set(_paper_phrases(paper)):
            if len(phrase) <= LONGEST_TOPIC:
                key = " ".join(stem(word) for word in folded(phrase).split())
                found.papers[key].add(number)
                found.written[key][phrase] += 1
    return found


def _paper_phrases(paper: Paper) -> Iterator[str]:
    for keyword in paper.keywords:
        words = keyword.split()
        phrase = " ".join(words)
        if phrase.isprintable() and 1 <= len(words) <= _MOST_WORDS and _is_meaningful(words):
            yield phrase
    for part in _BREAKS.split(paper.title):
        words = _WORD.findall(part)
        for length in range(2, _MOST_WORDS + 1):
            for start in range(len(words) - length + 1):
                if _is_meaningful(words[start : start + length]):
                    yield " ".join(words[start : start + length])


def _is_meaningful(phrase: Sequence[str]) -> bool:
    ends = (phrase[0].casefold(), phrase[-1].casefold())
    if any(end in _STOP_WORDS or len(end) < 2 or end.isdecimal() for end in ends):
        return False
    inner = (word.casefold() for word in phrase[1:-1])
    if any(word in COMMON and word != "of" for word in inner):
        return False  # `of` is part of names: mixture of experts
    return len(phrase) > 1 or ends[0] not in _TOO_GENERAL


def without_contained(keys: Iterable[str], where: Mapping[str, set[int]]) -> list[str]:
    """The phrases without those that a better or longer one replaces."""
    each = list(keys)
    chosen: list[str] = []
    for key in each:
        longer = (one for one in each if one != key and _contains(one, key))
        if any(len(where[one] & where[key]) >= _REPLACES * len(where[key]) for one in longer):
            continue
        if not any(_contains(one, key) or _contains(key, one) for one in chosen):
            chosen.append(key)
    return chosen


def _contains(longer: str, shorter: str) -> bool:
    return longer != shorter and f" {shorter} " in f" {longer} "


def _lower_words(phrase: str) -> str:
    """`phrase` in lower case, except for words with inner capitals: `LLM`, `mRNA`."""
    return " ".join(
        word if any(part[1:] != part[1:].lower() for part in word.split("-")) else word.lower()
        for word in phrase.split()
    )
