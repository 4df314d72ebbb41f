"""Match a reader's preferences with the papers of an edition, and give reasons.

followed   by an author they follow
wanted     on one of their topics, or found by one of their searches
lifted     in a category they follow: a higher score, but not first
muted      never wanted, even if something else matches
"""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from paperround.core.errors import InvalidInput
from paperround.core.reasons import freeze
from paperround.papers.gist import shortened
from paperround.papers.identifiers import author_key
from paperround.papers.model import PaperId
from paperround.papers.search import QueryPlace
from paperround.papers.topics import folded
from paperround.personal.keyword_index import KeywordIndex, Papers, any_of
from paperround.subscribers.interests import (
    Interest,
    InterestKind,
    is_own,
    is_unlike,
    seed_identifier,
    seed_name,
)
from paperround.subscribers.keywords import AnyWords, Either, Keywords, read_keywords

SHARE = 0.8
"""The assumed share of a reader's papers that are in the categories they follow."""

MOST_LIFT = 4.0
MOST_QUOTED = 2
_MOST_CACHED = 2000
_LONGEST_SHOWN = 60
_NO_PAPERS = KeywordIndex(())


@dataclass(frozen=True, slots=True, kw_only=True)
class ReaderPreferences:
    """The preferences of a reader: `topics` of the subscription, `interests`, and the known papers
    they gave as examples (`seeds`) or counterexamples (`unlike`). `own` are the examples that they
    wrote.
    """

    topics: tuple[str, ...] = ()
    interests: tuple[Interest, ...] = ()
    seeds: tuple[PaperId, ...] = ()
    unlike: tuple[PaperId, ...] = ()
    own: tuple[PaperId, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.topics or self.interests)

    @property
    def known(self) -> tuple[PaperId, ...]:
        """Papers the reader gave, which need not be sent."""
        return self.seeds + self.unlike

    def of_kind(self, kind: InterestKind) -> Iterator[str]:
        """The values of one kind."""
        return (one.value for one in self.interests if one.kind is kind)

    @property
    def all_topics(self) -> tuple[str, ...]:
        """The topics of the subscription and of the interests."""
        return self.topics + tuple(self.of_kind(InterestKind.TOPIC))

    @property
    def words(self) -> tuple[str, ...]:
        """The words of topics and searches, for a profile."""
        searches = map(_parse_search, self.of_kind(InterestKind.KEYWORD))
        wanted = (one.wanted for one in searches if one is not None)
        return tuple(dict.fromkeys(filter(None, (*self.all_topics, *wanted))))

    @property
    def titles(self) -> tuple[str, ...]:
        """The titles of papers the reader gave that we do not know."""
        return tuple(map(seed_name, self._titles()))

    @property
    def own_titles(self) -> tuple[str, ...]:
        """The `titles` of papers that the reader wrote."""
        return tuple(map(seed_name, filter(is_own, self._titles())))

    @property
    def focus(self) -> str:
        """What the reader writes about their work."""
        return ". ".join(self.of_kind(InterestKind.FOCUS))

    @property
    def avoid(self) -> str:
        """What the reader writes about what to leave out."""
        return ". ".join(self.of_kind(InterestKind.AVOID))

    def _titles(self) -> Iterator[str]:
        given = self.of_kind(InterestKind.SEED)
        return (one for one in given if not is_unlike(one) and seed_identifier(one) is None)


@lru_cache(maxsize=4096)
def _parse_search(value: str) -> Keywords | None:
    """The parsed search; None if a stored one is invalid now, which must not stop a digest."""
    try:
        return read_keywords(value)
    except InvalidInput:
        return None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Matches:
    """The papers of an index that match a reader's preferences; `lift` is added to the score of
    `lifted` papers. Readers with the same preferences share one object."""

    finder: KeywordIndex = _NO_PAPERS
    followed: Papers = 0
    wanted: Papers = 0
    lifted: Papers = 0
    muted: Papers = 0
    lift: float = 0.0
    names: tuple[str, ...] = ()
    topics: tuple[tuple[Papers, str], ...] = ()
    searches: tuple[tuple[Papers, str], ...] = ()
    categories: tuple[tuple[Papers, str], ...] = ()
    """The topics, searches and categories of the reader, with the papers of each."""

    def pins(self, place: int) -> bool:
        """Whether the paper comes before those without a match."""
        return bool((self.followed | self.wanted) >> place & 1)

    def lift_of(self, place: int) -> float:
        """The addition to the paper's score."""
        return self.lift if self.lifted >> place & 1 else 0.0

    def reason(self, place: int) -> str:
        """The reason to show to this reader; empty without a match."""
        if self.followed >> place & 1:
            keys = set(map(author_key, self.names))
            authors = self.finder.papers[place].authors
            name = next(one for one in authors if author_key(one) in keys)
            return freeze("author.followed", name=name)
        if self.wanted >> place & 1:
            topic = _first_label(self.topics, place)
            if topic is not None:
                return freeze("followed.topic", term=topic)
            search = _first_label(self.searches, place) or ""
            return self.finder.cached(
                (search, place), lambda: _search_reason(self.finder, search, place)
            )
        if self.lifted >> place & 1:
            return freeze("followed.category", name=_first_label(self.categories, place))
        return ""


NO_MATCHES = Matches()


def _first_label(labelled: Iterable[tuple[Papers, str]], place: int) -> str | None:
    return next((label for papers, label in labelled if papers >> place & 1), None)


@lru_cache(maxsize=_MOST_CACHED)
def match_preferences(wishes: ReaderPreferences, finder: KeywordIndex) -> Matches:
    """The papers that match `wishes`; cached for readers with the same preferences."""
    topics = wishes.all_topics
    names = (*wishes.of_kind(InterestKind.AUTHOR), *topics)  # a topic may be an author's name
    on_topic = tuple((_papers_on_topic(finder, one), one) for one in topics)
    found = tuple((_papers_found(finder, one), one) for one in wishes.of_kind(InterestKind.KEYWORD))
    categories = tuple(
        (finder.in_category(one), one) for one in wishes.of_kind(InterestKind.CATEGORY)
    )
    lifted = any_of(papers for papers, _ in categories)
    return Matches(
        finder=finder,
        followed=any_of(map(finder.by_author, names)),
        wanted=any_of(papers for papers, _ in (*on_topic, *found)),
        lifted=lifted,
        muted=any_of(_papers_found(finder, one) for one in wishes.of_kind(InterestKind.MUTE)),
        lift=lift_of(lifted.bit_count(), len(finder.papers)),
        names=names,
        topics=on_topic,
        searches=found,
        categories=categories,
    )


def lift_of(inside: int, papers: int) -> float:
    """The lift of a followed category with `inside` of an edition's papers.

    The log odds ratio of a reader's papers (four in five are assumed to be in the category) and
    the edition's: 0 for a category that most papers are in.
    """
    ratio = SHARE / (1 - SHARE) * (papers - inside + 1) / (inside + 1)
    return round(min(max(math.log(ratio), 0.0), MOST_LIFT), 4)


def _papers_on_topic(finder: KeywordIndex, topic: str) -> Papers:
    def answer() -> Papers:
        text = folded(topic).strip()
        words = (
            AnyWords(text=text, place=place) for place in (QueryPlace.TITLE, QueryPlace.ABSTRACT)
        )
        return finder.fitting(Either(parts=tuple(words)))

    return finder.cached(f"topic:{topic}", answer)


def _papers_found(finder: KeywordIndex, search: str) -> Papers:
    def answer() -> Papers:
        keywords = _parse_search(search)
        return 0 if keywords is None else finder.fitting(keywords.root)

    return finder.cached(f"search:{search}", answer)


def _search_reason(finder: KeywordIndex, search: str, place: int) -> str:
    """The reason of a search, with the matches, unless they only repeat its words."""
    keywords = read_keywords(search)
    words = keywords.plain_words
    found = dict.fromkeys(finder.quotes(keywords.root, place))
    quotes = sorted(found, key=lambda one: folded(one) in words)
    shown = shortened(search, _LONGEST_SHOWN)
    if all(folded(one) in words for one in quotes):
        return freeze("followed.search", search=shown)
    return freeze("followed.search_found", search=shown, words=quotes[:MOST_QUOTED])
