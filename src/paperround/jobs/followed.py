"""Pages of what somebody may follow: the newest papers on a topic, and those of an author.

Nothing is changed here.
"""

from dataclasses import dataclass
from datetime import datetime

from paperround.domain.errors import InvalidInput
from paperround.domain.excerpts import Marker
from paperround.domain.languages import marked
from paperround.domain.search import Hit
from paperround.jobs.search import hit_of
from paperround.jobs.syndication import all_of, newest_of
from paperround.store.unit_of_work import Database

PAGE = 20
DEEPEST = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowedPage:
    """Papers, those that count as new last first, at most five hundred in all. `search` is what
    finds them, `name` what they have in common as people say it."""

    name: str
    search: str
    hits: tuple[Hit, ...]
    number: int
    is_last: bool

    @property
    def offset(self) -> int:
        """How many papers stand on the pages before."""
        return (self.number - 1) * PAGE


def on_topic(database: Database, topic: str, *, number: int, now: datetime) -> FollowedPage:
    """The newest papers that have the words of a topic side by side. Raises InvalidInput."""
    words = topic.replace('"', " ").strip()
    return _followed(database, words, f'"{words}"', number, now)


def by_author(database: Database, name: str, *, number: int, now: datetime) -> FollowedPage:
    """The newest papers of an author, `Ada Ring` or `Ring, Ada`. Raises InvalidInput."""
    family, _, given = name.replace('"', " ").partition(",")
    words = " ".join(f"{given} {family}".split())
    return _followed(database, words, f'author:"{words}"', number, now)


def _followed(
    database: Database, words: str, search: str, number: int, now: datetime
) -> FollowedPage:
    query = all_of(search)
    if not query.wanted:
        raise InvalidInput(
            marked("that names no word to look for: write one that a paper should have")
        )
    offset = (number - 1) * PAGE
    with database.reading() as work:
        papers = newest_of(work, query, now, least=min(offset + PAGE + 1, DEEPEST))
    marker = Marker(query)
    return FollowedPage(
        name=words,
        search=search,
        hits=tuple(hit_of(marker, one) for one in papers[offset : offset + PAGE]),
        number=number,
        is_last=offset + PAGE >= min(len(papers), DEEPEST),
    )
