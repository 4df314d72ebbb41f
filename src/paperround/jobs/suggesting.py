"""Topics to choose from, of what an installation's own papers are about."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock

from paperround.domain.phrases import MOST_PAPERS, frequent_phrases
from paperround.store.unit_of_work import Database

MOST_TOPICS = 24
LASTING = timedelta(hours=6)
"""How long suggestions are kept: papers come a few times a day, and what they are about stays."""
LASTING_NONE = timedelta(minutes=1)
"""How long it is kept that there are none: the first papers may come at any time, and yet not every
page should look through all of them."""


@dataclass(frozen=True, slots=True)
class _Found:
    topics: tuple[str, ...]
    at: datetime


class SuggestedTopics:
    """What the newest papers of all feeds are most about, found once in six hours and process. Safe
    to share between threads."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = Lock()
        self._found: _Found | None = None

    def now(self, *, now: datetime) -> tuple[str, ...]:
        """At most MOST_TOPICS, the most frequent first; none while there are few papers."""
        with self._lock:
            found = self._found
            if found is None or not timedelta() <= now - found.at < _lasting(found):
                self._found = found = _Found(self._look(), now)
        return found.topics

    def _look(self) -> tuple[str, ...]:
        with self._database.reading() as work:
            papers = work.papers.newest(before=None, limit=MOST_PAPERS)
        return frequent_phrases([one for one in papers if not one.withdrawn], most=MOST_TOPICS)


def _lasting(found: _Found) -> timedelta:
    return LASTING if found.topics else LASTING_NONE
