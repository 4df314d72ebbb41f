"""What one reader's wishes touch among the papers of an edition, and how it is said.

followed   by an author they follow
wanted     on a topic, or what one of their searches looks for
lifted     in a category they follow: worth more, and not put before everything else
muted      what they never want, whatever else speaks for it
"""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice

from paperround.core.errors import InvalidInput
from paperround.core.reasons import freeze
from paperround.papers.gist import shortened
from paperround.papers.model import PaperId
from paperround.papers.search import QueryPlace
from paperround.papers.topics import folded
from paperround.personal.keyword_index import KeywordIndex, Papers, any_of, author_key
from paperround.subscribers.interests import Interest, InterestKind, is_unlike, seed_identifier
from paperround.subscribers.keywords import AnyWords, Either, Keywords, read_keywords

SHARE = 0.8
"""The share of the papers of somebody who follows categories that are taken to be in them."""

MOST_LIFT = 4.0
MOST_QUOTED = 2
_MOST_SIGHTS = 2000
_LONGEST_SHOWN = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class ReaderPreferences:
    """Everything a reader asked for; `topics` are those of the subscription, `seeds` the papers
    they gave that are known here, and `unlike` those of them that they want less like."""

    topics: tuple[str, ...] = ()
    interests: tuple[Interest, ...] = ()
    seeds: tuple[PaperId, ...] = ()
    unlike: tuple[PaperId, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.topics or self.interests)

    @property
    def known(self) -> tuple[PaperId, ...]:
        """Papers the reader gave, which they need not be sent."""
        return self.seeds + self.unlike

    def of_kind(self, kind: InterestKind) -> Iterator[str]:
        """The values of one kind."""
        return (one.value for one in self.interests if one.kind is kind)

    @property
    def all_topics(self) -> tuple[str, ...]:
        """The topics of the subscription, and the person's own."""
        return self.topics + tuple(self.of_kind(InterestKind.TOPIC))

    @property
    def words(self) -> tuple[str, ...]:
        """What topics and searches are about, in words, for a taste."""
        searches = map(_readable, self.of_kind(InterestKind.KEYWORD))
        wanted = (one.wanted for one in searches if one is not None)
        return tuple(dict.fromkeys(filter(None, (*self.all_topics, *wanted))))

    @property
    def titles(self) -> tuple[str, ...]:
        """Papers they gave by a title, as long as none here is called so."""
        given = self.of_kind(InterestKind.SEED)
        return tuple(one for one in given if not is_unlike(one) and seed_identifier(one) is None)


@lru_cache(maxsize=4096)
def _readable(value: str) -> Keywords | None:
    """None for what is kept and cannot be read any more: one line must not stop a digest."""
    try:
        return read_keywords(value)
    except InvalidInput:
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Matches:
    """Papers of an edition as one reader sees them, as places of the finder's papers; `lift` is
    what the `lifted` are worth more."""

    finder: KeywordIndex
    followed: Papers
    wanted: Papers
    lifted: Papers
    muted: Papers
    lift: float
    names: tuple[str, ...] = ()
    topics: tuple[tuple[Papers, str], ...] = ()
    searches: tuple[tuple[Papers, str], ...] = ()
    categories: tuple[tuple[Papers, str], ...] = ()
    """What they said, with the papers each touches."""

    def pins(self, place: int) -> bool:
        """Whether the paper comes before those that nothing speaks for but their worth."""
        return bool((self.followed | self.wanted) >> place & 1)

    def lift_of(self, place: int) -> float:
        """What the paper is worth more."""
        return self.lift if self.lifted >> place & 1 else 0.0

    def reason(self, place: int) -> str:
        """Why the paper is there for this reader; empty when nothing of theirs speaks for it."""
        if self.followed >> place & 1:
            keys = set(map(author_key, self.names))
            authors = self.finder.papers[place].authors
            name = next(one for one in authors if author_key(one) in keys)
            return freeze("author.followed", name=name)
        if self.wanted >> place & 1:
            topic = _first(self.topics, place)
            if topic is not None:
                return freeze("followed.topic", term=topic)
            search = _first(self.searches, place) or ""
            return self.finder.once((search, place), lambda: _told(self.finder, search, place))
        if self.lifted >> place & 1:
            return freeze("followed.category", name=_first(self.categories, place))
        return ""


def _first(said: Iterable[tuple[Papers, str]], place: int) -> str | None:
    return next((one for papers, one in said if papers >> place & 1), None)


def sight_of(wishes: ReaderPreferences, finder: KeywordIndex) -> Matches:
    """What `wishes` touch of the finder's papers; found once for all who wish the same."""
    return _sight(wishes.topics, wishes.interests, finder)


@lru_cache(maxsize=_MOST_SIGHTS)
def _sight(
    topics: tuple[str, ...], interests: tuple[Interest, ...], finder: KeywordIndex
) -> Matches:
    said: dict[InterestKind, list[str]] = {kind: [] for kind in InterestKind}
    for one in interests:
        said[one.kind].append(one.value)
    all_topics = (*topics, *said[InterestKind.TOPIC])
    names = (*said[InterestKind.AUTHOR], *all_topics)  # a topic may be one
    on_topic = tuple((_on_topic(finder, one), one) for one in all_topics)
    found = tuple((_fitting(finder, one), one) for one in said[InterestKind.KEYWORD])
    categories = tuple((finder.in_category(one), one) for one in said[InterestKind.CATEGORY])
    lifted = any_of(papers for papers, _ in categories)
    return Matches(
        finder=finder,
        followed=any_of(map(finder.by, names)),
        wanted=any_of(papers for papers, _ in (*on_topic, *found)),
        lifted=lifted,
        muted=any_of(_fitting(finder, one) for one in said[InterestKind.MUTE]),
        lift=lift_of(lifted.bit_count(), len(finder.papers)),
        names=names,
        topics=on_topic,
        searches=found,
        categories=categories,
    )


def lift_of(inside: int, papers: int) -> float:
    """What a followed category is worth when `inside` of an edition's papers are in it.

    Of a reader's own papers four in five are taken to be in it. The logarithm of the ratio of
    those odds to the odds of the edition's: nothing for a category that most papers are in.
    """
    ratio = SHARE / (1 - SHARE) * (papers - inside + 1) / (inside + 1)
    return round(min(max(math.log(ratio), 0.0), MOST_LIFT), 4)


def _on_topic(finder: KeywordIndex, topic: str) -> Papers:
    def answer() -> Papers:
        text = folded(topic).strip()
        words = (
            AnyWords(text=text, place=place) for place in (QueryPlace.TITLE, QueryPlace.ABSTRACT)
        )
        return finder.fitting(Either(parts=tuple(words)))

    return finder.once(f"topic:{topic}", answer)


def _fitting(finder: KeywordIndex, search: str) -> Papers:
    def answer() -> Papers:
        keywords = _readable(search)
        return 0 if keywords is None else finder.fitting(keywords.root)

    return finder.once(f"search:{search}", answer)


def _told(finder: KeywordIndex, search: str, place: int) -> str:
    """A search, and what it found where that is not just what it says."""
    keywords = read_keywords(search)
    quotes = list(islice(dict.fromkeys(finder.quotes(keywords.root, place)), MOST_QUOTED))
    shown = shortened(search, _LONGEST_SHOWN)
    is_all_it_says = keywords.is_plain and [folded(one) for one in quotes] == [folded(search)]
    if is_all_it_says or not quotes:
        return freeze("followed.search", search=shown)
    return freeze("followed.search_found", search=shown, words=quotes)
