"""What somebody asks for: checked, and packed into a notice until they confirm it."""

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
    is_unlike,
    parse_interest,
    seed_identifier,
    seed_name,
)
from paperround.subscribers.model import WEEKDAYS, Frequency, Preferences

MOST_PAPERS = 50
LONGEST_PAUSE = timedelta(days=366)

_INTERESTS, _ALSO = "interests", "also"
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})?")


def checked(wish: Preferences, *, zone: str, now: datetime) -> Preferences:
    """`wish`, cleaned; `zone` is the list's, for who names none. A pause that is over is no pause.

    Raises InvalidInput whose code is the name of the field that is wrong.
    """
    if wish.timezone is not None:
        try:
            place_zone(wish.timezone)
        except InvalidInput as error:
            raise InvalidInput(error.text, code="timezone") from None
    today, until = local_date(now, wish.timezone or zone), wish.paused_until
    if until is not None and until <= today:
        until = None
    _require(wish.hour is None or 0 <= wish.hour <= 23, "hour", marked("the hour is 0 to 23"))
    _require(
        wish.weekday is None or wish.weekday in WEEKDAYS,
        "weekday",
        f"the weekday is one of {', '.join(WEEKDAYS)}",
    )
    _require(
        wish.size is None or 1 <= wish.size <= MOST_PAPERS,
        "size",
        marked("a digest holds 1 to %(all)s papers", all=MOST_PAPERS),
    )
    _require(
        wish.floor is None or math.isfinite(wish.floor), "floor", marked("the floor is a number")
    )
    _require(
        wish.language is None or _LANGUAGE.fullmatch(wish.language) is not None,
        "language",
        "the language is a code such as en or pt-BR",
    )
    _require(
        until is None or until <= today + LONGEST_PAUSE,
        "paused_until",
        marked("a pause lasts a year at most"),
    )
    return replace(
        wish,
        weekday=wish.weekday if wish.frequency is Frequency.WEEKLY else None,
        paused_until=until,
        topics=read_topics(wish.topics),
    )


def _require(holds: bool, field: str, rule: str) -> None:
    if not holds:
        raise InvalidInput(rule, code=field)


def packed(wish: Preferences) -> str:
    """`wish` as text that a notice can carry."""
    return json.dumps(asdict(wish), default=str)


def unpacked(text: str) -> Preferences:
    """What `packed` made text of."""
    kept = json.loads(text)
    until = kept["paused_until"]
    kept["frequency"] = Frequency(kept["frequency"])
    kept["paused_until"] = until and date.fromisoformat(until)
    kept["topics"] = tuple(kept["topics"])
    return Preferences(**kept)


def packed_interests(interests: Sequence[Interest]) -> dict[str, str]:
    """What a notice carries of them; nothing where there are none."""
    return {_INTERESTS: "\n".join(map(str, interests))} if interests else {}


def unpacked_interests(payload: Mapping[str, str | int]) -> tuple[Interest, ...]:
    """What `packed_interests` made part of a notice."""
    lines = str(payload.get(_INTERESTS, "")).splitlines()
    return tuple(map(parse_interest, lines))


def packed_lists(lists: Sequence[ListId]) -> dict[str, str]:
    """What a notice carries of further lists that are asked for; nothing where there are none."""
    return {_ALSO: ",".join(map(str, lists))} if lists else {}


def unpacked_lists(payload: Mapping[str, str | int]) -> tuple[ListId, ...]:
    """What `packed_lists` made part of a notice."""
    return tuple(ListId(int(one)) for one in str(payload.get(_ALSO, "")).split(",") if one)


MOST_TOPICS = 24
LASTING = timedelta(hours=6)
"""How long suggestions are kept: papers come a few times a day, and what they are about stays."""
LASTING_NONE = timedelta(minutes=1)
"""How long it is kept that there are none: the first papers may come at any time, and yet not every
page should look through all of them."""


class SuggestedTopics:
    """What the newest papers of all feeds are most about, found once in six hours and process. Safe
    to share between threads."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = Lock()
        self._topics: tuple[str, ...] = ()
        self._found_at: datetime | None = None

    def now(self, *, now: datetime) -> tuple[str, ...]:
        """At most MOST_TOPICS, the most frequent first; none while there are few papers."""
        with self._lock:
            lasting = LASTING if self._topics else LASTING_NONE
            if self._found_at is None or not timedelta() <= now - self._found_at < lasting:
                with self._database.reading() as work:
                    papers = work[PaperStore].newest(before=None, limit=phrases.MOST_PAPERS)
                standing = [one for one in papers if not one.withdrawn]
                self._topics = frequent_phrases(standing, most=MOST_TOPICS)
                self._found_at = now
            return self._topics


def settled(work: Transaction, interests: Sequence[Interest]) -> tuple[Interest, ...]:
    """The interests, with a title that a paper here is called by as that paper's identifier.

    Some titles are looked for, the first; the others stay titles, which count by their words.
    """
    titles = [
        one
        for one in interests
        if one.kind is InterestKind.SEED and seed_identifier(one.value) is None
    ]
    found: dict[Interest, Interest] = {}
    for one in dict.fromkeys(titles[:MOST_TITLES]):
        paper = paper_called(work, seed_name(one.value))
        if paper is not None:
            sign = "-" if is_unlike(one.value) else ""
            found[one] = Interest(one.kind, sign + canonical(paper.identifiers))
    return tuple(dict.fromkeys(found.get(one, one) for one in interests))


MOST_TITLES = 50
"""Titles that are looked for at a time: each is a search."""


def paper_called(work: Transaction, title: str) -> Paper | None:
    """The paper here that is called so, whatever its case, accents and signs; the first of two."""
    said = tuple(words(title))
    if not said:
        return None
    query = Query(required=(Term(words=said, place=QueryPlace.TITLE),))
    papers = work[PaperStore].load(work[SearchIndex].find(query, limit=_LOOKED_AT).best)
    called = (paper for paper in papers.values() if folded(paper.title) == folded(title))
    return min(called, key=lambda paper: paper.id, default=None)


_LOOKED_AT = 10
"""Papers with the words of a title that are looked at for the one that is called so."""
