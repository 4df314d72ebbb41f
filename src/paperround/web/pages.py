"""Public pages: trending papers, editions, papers, sources and the ranking formula."""

from dataclasses import replace

from fastapi import APIRouter, Response
from fastapi.responses import PlainTextResponse

from paperround.core.errors import invalid
from paperround.core.times import parse_date
from paperround.digests.pages import edition_page
from paperround.digests.paper_pages import citation, paper_page
from paperround.editions.export.bibtex import write_bibtex
from paperround.editions.lists import DEFAULT_LIST
from paperround.editions.source_pages import sources_page
from paperround.editions.trending import MOST_PAGES, TrendingPeriod, archive_page, trending_page
from paperround.ranking.learn import ranking_page
from paperround.web.context import Home, Present
from paperround.web.paging import page_number
from paperround.web.templates import KEPT, public, static_dir

router = APIRouter(include_in_schema=False)


@router.get("/trending")
def trending(
    home: Home,
    now: Present,
    period: str = TrendingPeriod.DAY,
    date: str = "",
    list: str = DEFAULT_LIST,  # noqa: A002
    page: str = "1",
) -> Response:
    """Show the papers that were trending on a day, in a week or a month, by default the latest."""
    if period not in [*TrendingPeriod]:
        raise invalid("period", "%(given)s is no period: write day, week or month", given=period)
    number = page_number(page, MOST_PAGES)
    found = trending_page(home.database, list, TrendingPeriod(period), date, number=number, now=now)
    return public(home, "trending.html", page=found)


@router.get("/editions")
def editions(
    home: Home,
    now: Present,
    list: str = DEFAULT_LIST,  # noqa: A002
    month: str = "",
) -> Response:
    """Show one month of a list's archive."""
    return public(home, "editions.html", page=archive_page(home.database, list, month, now=now))


@router.get("/editions/{list_name}/{day}")
@router.get("/editions/{list_name}/{day}/{cut}")
def edition(home: Home, list_name: str, day: str, cut: str | None = None) -> Response:
    """Show the edition of a cut, or the last one of the day."""
    page = edition_page(home.database, list_name, parse_date(day), cut, even_withdrawn=True)
    return public(home, "edition.html", page=page)


@router.get("/papers/{name:path}")
def paper(home: Home, now: Present, name: str) -> Response:
    """Show a paper, by its id or its arXiv id, which may contain a slash."""
    page = paper_page(home.database, name, now=now)
    similar = home.neighbours.of(page.paper, now=now)
    cited = citation(home.letterhead.public_url, page.paper)
    bibtex = write_bibtex([replace(cited, text="")]).decode()
    return public(home, "paper.html", page=page, similar=similar, cited=cited, bibtex=bibtex)


@router.get("/sources")
def sources(home: Home, now: Present) -> Response:
    """Show what each source delivered, so a failure does not look like a day without papers."""
    return public(home, "sources.html", page=sources_page(home.database, now=now))


@router.get("/ranking")
def ranking(home: Home, now: Present) -> Response:
    """Show the ranking formula with its current constants."""
    return public(home, "ranking.html", page=ranking_page(home.ranker, home.formula, now=now))


PERSONAL = (
    "/confirm/",
    "/unsubscribe/",
    "/preferences/",
    "/feedback/",
    "/address/",
    "/subscribe/",
    "/subscribe?",
    "/search",
    "/topics/",
    "/authors/",
    "/feeds/me/",
    "/api/",
)
"""Paths disallowed in robots.txt: personal pages, and the endless space of searches."""


@router.get("/robots.txt")
def robots() -> Response:
    """Return robots.txt."""
    lines = ["User-agent: *", *(f"Disallow: {path}" for path in PERSONAL)]
    return PlainTextResponse("\n".join(lines) + "\n", headers=dict(KEPT))


@router.get("/favicon.ico")
def icon() -> Response:
    """Return the icon, for clients that request it without reading a page."""
    content = (static_dir() / "icon.svg").read_bytes()
    return Response(content, headers=dict(KEPT), media_type="image/svg+xml")
