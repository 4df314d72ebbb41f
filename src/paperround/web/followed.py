"""Pages of a topic and of an author: their newest papers, their feed, and how to get them."""

from fastapi import APIRouter, Response

from paperround.domain.search import LONGEST_TEXT
from paperround.jobs.paper_pages import DEEPEST, PAGE, FollowedPage, by_author, on_topic
from paperround.web import stamps
from paperround.web.costly import SEARCH, costly
from paperround.web.home import Home, Present
from paperround.web.paging import page_number
from paperround.web.search import unfit
from paperround.web.templating import public

router = APIRouter(include_in_schema=False, dependencies=[costly(SEARCH)])


@router.get("/topics/{topic:path}")
def topic(home: Home, now: Present, topic: str, page: str = "1") -> Response:
    """The newest papers that have the words of a topic side by side."""
    number = page_number(page, DEEPEST // PAGE)
    found = on_topic(home.database, topic[:LONGEST_TEXT], number=number, now=now)
    return _shown(home, now, "topics", found)


@router.get("/authors/{name:path}")
def author(home: Home, now: Present, name: str, page: str = "1") -> Response:
    """The newest papers of an author."""
    number = page_number(page, DEEPEST // PAGE)
    found = by_author(home.database, name[:LONGEST_TEXT], number=number, now=now)
    return _shown(home, now, "authors", found)


def _shown(home: Home, now: Present, kind: str, found: FollowedPage) -> Response:
    return public(
        home,
        "followed.html",
        page=found,
        kind=kind,
        unfit=unfit(found.search),
        stamp=stamps.stamp(home.desk.keys, now=now),
    )
