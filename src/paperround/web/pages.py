"""The public site: editions, papers, and a word for crawlers."""

from fastapi import APIRouter, Response
from fastapi.responses import PlainTextResponse

from paperround.domain.lists import DEFAULT_LIST
from paperround.domain.times import parse_date
from paperround.jobs.learned import ranking_page
from paperround.jobs.site import archive_page, edition_page, paper_page
from paperround.web.answers import KEPT, public
from paperround.web.home import Home, Present

router = APIRouter(include_in_schema=False)

PERSONAL = (
    "/confirm/",
    "/unsubscribe/",
    "/preferences/",
    "/feedback/",
    "/address/",
    "/subscribe",
    "/search",
    "/feeds/me/",
    "/api/",
)
"""No crawler has any business there."""


@router.get("/editions")
def editions(home: Home, list: str = DEFAULT_LIST, before: str = "") -> Response:  # noqa: A002
    """The archive of a list."""
    page = archive_page(home.database, list, parse_date(before) if before else None)
    return public(home, "editions.html", page=page)


@router.get("/editions/{list_name}/{day}")
@router.get("/editions/{list_name}/{day}/{cut}")
def edition(home: Home, list_name: str, day: str, cut: str | None = None) -> Response:
    """One edition: the named cut, or the day's last one."""
    page = edition_page(home.database, list_name, parse_date(day), cut)
    return public(home, "edition.html", page=page)


@router.get("/papers/{name:path}")
def paper(home: Home, now: Present, name: str) -> Response:
    """A paper by its id here or its arXiv id, which may hold a slash."""
    page = paper_page(home.database, name)
    similar = home.neighbours.of(page.paper, now=now)
    return public(home, "paper.html", page=page, similar=similar)


@router.get("/ranking")
def ranking(home: Home, now: Present) -> Response:
    """The formula, with the numbers in force."""
    return public(home, "ranking.html", page=ranking_page(home.ranker, home.formula, now=now))


@router.get("/robots.txt")
def robots() -> Response:
    """Public pages are for everybody; personal ones are for nobody else."""
    lines = ["User-agent: *", *(f"Disallow: {path}" for path in PERSONAL)]
    return PlainTextResponse("\n".join(lines) + "\n", headers=dict(KEPT))
