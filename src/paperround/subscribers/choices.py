"""Validate preferences and interests, and pack them into the payload of a system email."""

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from datetime import date, datetime, timedelta
from threading import Lock

from paperround.core.errors import InvalidInput
from paperround.core.languages import marked
from paperround.core.times import local_date, place_zone
from paperround.db.transactions import Database, Transaction
from paperround.editions.lists import ListId
from paperround.papers import phrases
from paperround.papers.identifiers import canonical, folded
from paperround.papers.model import Paper
from paperround.papers.phrases import frequent_phrases
from paperround.papers.search import Query, QueryPlace, Term
from paperround.papers.stems import words
from paperround.papers.store.papers import PaperStore
from paperround.papers.store.search import SearchIndex
from paperround.papers.topics import read_topics
from paperround.subscribers.interests import (
    Interest,
    InterestKind,
    parse_interest,
    seed_identifier,
    seed_name,
    seed_sign,
)
from paperround.subscribers.model import WEEKDAYS, Frequency, Preferences

MOST_PAPERS = 50
LONGEST_PAUSE = timedelta(days=366)

_CHOICES, _INTERESTS, _ALSO = "choices", "interests", "also"
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})?")


def checked(preferences: Preferences, *, zone: str, now: datetime) -> Preferences:
    """Return `preferences` normalized; a pause that has ended becomes None. `zone` is the time zone
    of the list, used if the preferences have none.

    Raises InvalidInput; its code is the name of the invalid field.
    """
    if preferences.timezone is not None:
        try:
            place_zone(preferences.timezone)
        except InvalidInput as error:
            raise InvalidInput(error.text, code="timezone") from None
    today, until = local_date(now, preferences.timezone or zone), preferences.paused_until
    if until is not None and until <= today:
        until = None
    hour, weekday, size = preferences.hour, preferences.weekday, preferences.size
    floor, language = preferences.floor, preferences.language
    most = marked("a digest can have 1 to %(all)s papers", all=MOST_PAPERS)
    rules = (
        ("hour", hour is None or 0 <= hour <= 23, marked("the hour must be 0 to 23")),
        (
            "weekday",
            weekday in (None, *WEEKDAYS),
            f"the weekday must be one of {', '.join(WEEKDAYS)}",
        ),
        ("size", size is None or 1 <= size <= MOST_PAPERS, most),
        (
            "floor",
            floor is None or math.isfinite(floor),
            marked("the minimum score must be a number"),
        ),
        (
            "language",
            language is None or _LANGUAGE.fullmatch(language),
            "the language must be a code such as en or pt-BR",
        ),
        (
            "paused_until",
            until is None or until <= today + LONGEST_PAUSE,
            marked("a pause can last at most a year"),
        ),
    )
    for field, holds, rule in rules:
        if not holds:
            raise InvalidInput(rule, code=field)
    return replace(
        preferences,
        weekday=weekday if preferences.frequency is Frequency.WEEKLY else None,
        paused_until=until,
        topics=read_topics(preferences.topics),
    )


def pack_preferences(preferences: Preferences) -> dict[str, str]:
    """Return the payload entry for these preferences."""
    return {_CHOICES: json.dumps(asdict(preferences), default=str)}


def unpack_preferences(payload: Mapping[str, str | int]) -> Preferences | None:
    """Return the preferences that `pack_preferences` put into a payload; None if it has none."""
    if _CHOICES not in payload:
        return None
    kept = json.loads(str(payload[_CHOICES]))
    until = kept["paused_until"]
    kept["frequency"] = Frequency(kept["frequency"])
    kept["paused_until"] = until and date.fromisoformat(until)
    kept["topics"] = tuple(kept["topics"])
    kept["shares_since"] = None  # somebody else may have signed the address up
    return Preferences(**kept)


def pack_interests(interests: Sequence[Interest]) -> dict[str, str]:
    """Return the payload entries for these interests; empty if there are none."""
    return {_INTERESTS: "\n".join(map(str, interests))} if interests else {}


def unpack_interests(payload: Mapping[str, str | int]) -> tuple[Interest, ...]:
    """Return the interests that `pack_interests` put into a payload."""
    lines = str(payload.get(_INTERESTS, "")).splitlines()
    return tuple(map(parse_interest, lines))


def pack_lists(lists: Sequence[ListId]) -> dict[str, str]:
    """Return the payload entries for further lists requested; empty if there are none."""
    return {_ALSO: ",".join(map(str, lists))} if lists else {}


def unpack_lists(payload: Mapping[str, str | int]) -> tuple[ListId, ...]:
    """Return the lists that `pack_lists` put into a payload."""
    return tuple(ListId(int(one)) for one in str(payload.get(_ALSO, "")).split(",") if one)


MOST_TOPICS = 24
CACHED_FOR = timedelta(hours=6)
"""How long suggestions are cached: papers arrive a few times a day, and topics change slowly."""
NONE_CACHED_FOR = timedelta(minutes=1)
"""How long an empty result is cached: the first papers may arrive at any time, yet not every page
view should scan all papers."""


class SuggestedTopics:
    """Suggests the most frequent topics of the newest papers, computed once every six hours per
    process. Thread-safe."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = Lock()
        self._topics: tuple[str, ...] = ()
        self._found_at: datetime | None = None

    def now(self, *, now: datetime) -> tuple[str, ...]:
        """Return at most MOST_TOPICS topics, most frequent first; empty if there are few papers."""
        with self._lock:
            lasting = CACHED_FOR if self._topics else NONE_CACHED_FOR
            if self._found_at is None or not timedelta() <= now - self._found_at < lasting:
                with self._database.reading() as work:
                    papers = work[PaperStore].newest(before=None, limit=phrases.MOST_PAPERS)
                current = [one for one in papers if not one.withdrawn]
                self._topics = frequent_phrases(current, most=MOST_TOPICS)
                self._found_at = now
            return self._topics


def settled(work: Transaction, interests: Sequence[Interest]) -> tuple[Interest, ...]:
    """Replace the title of a seed by the identifier of the stored paper with that title.

    Only the first MOST_TITLES titles are searched for; the others stay titles and match by words.
    """
    titles = [
        one
        for one in interests
        if one.kind is InterestKind.SEED and seed_identifier(one.value) is None
    ]
    found: dict[Interest, Interest] = {}
    for one in dict.fromkeys(titles[:MOST_TITLES]):
        paper = find_paper_by_title(work, seed_name(one.value))
        if paper is not None:
            found[one] = Interest(one.kind, seed_sign(one.value) + canonical(paper.identifiers))
    return tuple(dict.fromkeys(found.get(one, one) for one in interests))


MOST_TITLES = 50
"""Titles searched for per call: each is one search."""


def find_paper_by_title(work: Transaction, title: str) -> Paper | None:
    """Return the stored paper with this title, ignoring case, accents and punctuation; the one with
    the lowest id if there are several, None if there is none."""
    title_words = tuple(words(title))
    if not title_words:
        return None
    query = Query(required=(Term(words=title_words, place=QueryPlace.TITLE),))
    papers = work[PaperStore].load(work[SearchIndex].find(query, limit=_LOOKED_AT).best)
    titled = (paper for paper in papers.values() if folded(paper.title) == folded(title))
    return min(titled, key=lambda paper: paper.id, default=None)


_LOOKED_AT = 10
"""Search results that are compared with the title."""
