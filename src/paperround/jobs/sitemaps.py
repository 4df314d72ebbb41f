"""A map of the site for search engines: an index, and parts that stay below their limits.

Nothing is changed here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from paperround.domain.editions import page_name, page_path
from paperround.domain.errors import NotFound
from paperround.domain.languages import marked
from paperround.domain.papers import PaperId
from paperround.store.unit_of_work import Database

PAPERS = 10_000
"""Ids of a part; 50,000 addresses are allowed (sitemaps.org)."""
DAYS = 400
"""How far back editions are named; older ones are found through the archive."""
OWN = ("/", "/trending", "/editions", "/search", "/sources", "/ranking", "/snippet")


@dataclass(frozen=True, slots=True, kw_only=True)
class MapEntry:
    """A page of the site, and when it last changed, as far as that is known."""

    path: str
    changed_at: datetime | None = None


def map_parts(database: Database) -> Sequence[str]:
    """The names of the parts there are."""
    with database.reading() as work:
        last = work.papers.last_id()
    papers = (f"papers-{number}" for number in range(1, -(-last // PAPERS) + 1))
    return ("site", "editions", *papers)


def map_part(database: Database, name: str, *, now: datetime) -> Sequence[MapEntry]:
    """The pages of a part. Raises NotFound for a name that is none."""
    if name == "site":
        return [MapEntry(path=path) for path in OWN]
    if name == "editions":
        return _editions(database, now)
    number = name.removeprefix("papers-")
    if name == number or not _is_number(number):
        raise NotFound(marked("There is no such part of the site's map."))
    return _papers(database, int(number))


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and 0 < len(text) < 9 and text[0] != "0"


def _editions(database: Database, now: datetime) -> Sequence[MapEntry]:
    until = now.date() + timedelta(days=1)
    with database.reading() as work:
        found = [
            one
            for mailing_list in work.lists.all()
            for one in work.editions.between(
                mailing_list.id, since=until - timedelta(days=DAYS), until=until
            )
        ]
    return [
        MapEntry(path=f"/editions/{one.list_name}/{one.day}/{one.cut}", changed_at=one.cut_at)
        for one in found
        if one.papers
    ]


def _papers(database: Database, number: int) -> Sequence[MapEntry]:
    first = PaperId((number - 1) * PAPERS)
    with database.reading() as work:
        if first >= work.papers.last_id():
            raise NotFound(marked("There is no such part of the site's map."))
        found = work.papers.addresses(after=first, through=PaperId(first + PAPERS))
    return [
        MapEntry(path=page_path(page_name(one.identifiers, one.id)), changed_at=one.changed_at)
        for one in found
    ]
