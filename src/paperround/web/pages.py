"""Public pages: trending papers, editions, papers, sources and the ranking formula."""

from dataclasses import replace

from fastapi import APIRouter, Response
from fastapi.responses import PlainTextResponse

from paperround.core.errors import invalid
from paperround.core.times import parse_date
from paperround.digests.pages import edition_page
from paperround.digests.paper_pages import citation, paper_page
from paperround.editions.archive import archive_page
from paperround.editions.export.bibtex import write_bibtex
from paperround.editions.lists import DEFAULT_LIST
from paperround.editions.periods import TrendingPeriod
from paperround.editions.source_pages import sources_page
from paperround.editions.trending import MOST_PAGES, trending_page
from paperround.ranking.learn import ranking_page
from paperround.web.context import App, Now
from paperround.web.paging import page_number
from paperround.web.templates import PUBLIC_HEADERS, public_page, static_dir

router = APIRouter(include_in_schema=False)


@router.get("/trending")
def trending(
    app: App,
    now: Now,
    period: str = TrendingPeriod.DAY,
    date: str = "",
    list: str = DEFAULT_LIST,  # noqa: A002
    page: str = "1",
) -> Response:
    """Show the papers that were trending on a day, in a week or a month, by default the latest."""
    if period not in [*TrendingPeriod]:
        raise invalid("period", "%(given)s is no period: write day, week or month", given=period)
    number = page_number(page, MOST_PAGES)
    found = trending_page(app.database, list, TrendingPeriod(period), date, number=number, now=now)
    return public_page(app, "trending.html", page=found)


@router.get("/editions")
def editions(
    app: App,
    now: Now,
    list: str = DEFAULT_LIST,  # noqa: A002
    month: str = "",
) -> Response:
    """Show one month of a list's archive."""
    return public_page(app, "editions.html", page=archive_page(app.database, list, month, now=now))


@router.get("/editions/{list_name}/{day}")
@router.get("/editions/{list_name}/{day}/{cut}")
def edition(app: App, list_name: str, day: str, cut: str | None = None) -> Response:
    """Show the edition of a cut, or the last one of the day."""
    page = edition_page(app.database, list_name, parse_date(day), cut, even_withdrawn=True)
    return public_page(app, "edition.html", page=page)


@router.get("/papers/{name:path}")
def paper(app: App, now: Now, name: str) -> Response:
    """Show a paper, by its id or its arXiv id, which may contain a slash."""
    page = paper_page(app.database, name, now=now)
    similar = app.neighbours.of(page.paper, now=now)
    cited = citation(app.sender_identity.public_url, page.paper)
    bibtex = write_bibtex([replace(cited, text="")]).decode()
    return public_page(app, "paper.html", page=page, similar=similar, cited=cited, bibtex=bibtex)


@router.get("/sources")
def sources(app: App, now: Now) -> Response:
    """Show what each source delivered, so a failure does not look like a day without papers."""
    return public_page(app, "sources.html", page=sources_page(app.database, now=now))


@router.get("/ranking")
def ranking(app: App, now: Now) -> Response:
    """Show the ranking formula with its current constants."""
    return public_page(app, "ranking.html", page=ranking_page(app.ranker, app.formula, now=now))


DISALLOWED = (
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
    lines = ["User-agent: *", *(f"Disallow: {path}" for path in DISALLOWED)]
    return PlainTextResponse("\n".join(lines) + "\n", headers=dict(PUBLIC_HEADERS))


@router.get("/favicon.ico")
def icon() -> Response:
    """Return the icon, for clients that request it without reading a page."""
    content = (static_dir() / "icon.svg").read_bytes()
    return Response(content, headers=dict(PUBLIC_HEADERS), media_type="image/svg+xml")
