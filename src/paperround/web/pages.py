"""Public pages: trending papers, editions, papers, sources and the ranking formula; the same as
files (Markdown, BibTeX, RIS and JSON-LD); and feeds of a list, a topic, an author, a search and one
reader."""

from contextlib import suppress
from dataclasses import replace
from datetime import date
from email.utils import format_datetime
from types import MappingProxyType
from typing import Any

from fastapi import APIRouter, Response
from fastapi.responses import PlainTextResponse

from paperround.bootstrap import AppContext
from paperround.core.colours import at_night, on_pages
from paperround.core.errors import InvalidInput, NotFound, invalid
from paperround.core.plugins import plugins
from paperround.core.times import parse_date
from paperround.digests.listing import trending_sections
from paperround.digests.pages import (
    Followed,
    citation,
    citations_of,
    cited_edition,
    cited_paper,
    edition_page,
    find_paper,
    front_page,
    paper_page,
)
from paperround.digests.rank_page import rank_page
from paperround.editions.archive import archive_page
from paperround.editions.calendar import calendar_page
from paperround.editions.citations import FILE_FORMATS, Citation, write_bibtex
from paperround.editions.coins import context_object
from paperround.editions.feed_documents import FEED_FORMATS, FeedDocument
from paperround.editions.lists import DEFAULT_LIST, MailingList
from paperround.editions.model import TrendingPeriod
from paperround.editions.private_lists import opens
from paperround.editions.source_pages import sources_page
from paperround.editions.trending import MOST_PAGES, trending_page
from paperround.papers.figures import FigureFolder
from paperround.papers.model import Paper, Show
from paperround.papers.search import LONGEST_TEXT
from paperround.ranking.learn import ranking_page
from paperround.self_service import feeds
from paperround.self_service.preferences import public_lists
from paperround.web.context import PAGE_TURN, RATE_LIMITED, SEARCH_COST, App, Now, costly
from paperround.web.errors import NOWHERE
from paperround.web.paging import page_number, path_choices
from paperround.web.templates import PUBLIC_HEADERS, private_page, public_page, static_dir

router = APIRouter(include_in_schema=False)

# --- feeds -------------------------------------------------------------------------------------

SHARED_HEADERS = MappingProxyType({"cache-control": "public, max-age=300"})
"""Feed readers poll every few minutes at most, and editions appear a few times a day."""
PRIVATE_HEADERS = MappingProxyType(
    {"cache-control": "private, max-age=300", "x-robots-tag": "noindex"}
)

path_choices("feed_kind", Followed)
path_choices("feed_ending", FEED_FORMATS)


@router.get(
    "/feeds/{kind:feed_kind}/{text:path}.{ending:feed_ending}",
    dependencies=[costly(SEARCH_COST)],
)
def search_feed(app: App, now: Now, kind: Followed, text: str, ending: str) -> Response:
    """Return a feed of the new papers that match a search, on a topic or of an author."""
    found = feeds.search_feed(app.database, app.sender_identity, kind, text[:LONGEST_TEXT], now=now)
    return feed_response(found, ending)


@router.get("/feeds/me/{token}.{ending:feed_ending}", dependencies=[RATE_LIMITED])
def reader_feed(app: App, now: Now, token: str, ending: str) -> Response:
    """Return a feed of the papers sent to one reader. Anybody with its URL may read it."""
    return feed_response(
        feeds.personal_feed(app.signup_context, app.sender_identity, token, now=now),
        ending,
    )


@router.get("/feeds/me/{token}/saved.{ending:feed_ending}", dependencies=[RATE_LIMITED])
@router.get(
    "/feeds/me/{token}/saved/{collection:path}.{ending:feed_ending}", dependencies=[RATE_LIMITED]
)
def saved_feed(app: App, token: str, ending: str, collection: str = "") -> Response:
    """Return a feed of the papers one reader saved, all of them or those of one collection."""
    found = feeds.saved_feed(app.signup_context, app.sender_identity, token, collection)
    return feed_response(found, ending)


@router.get("/feeds/{list_name}.{ending:feed_ending}", dependencies=[RATE_LIMITED])
def list_feed(app: App, now: Now, list_name: str, ending: str) -> Response:
    """Return the feed of a list."""
    return feed_response(
        feeds.list_feed(app.database, app.sender_identity, list_name, now=now), ending
    )


def feed_response(feed: FeedDocument, ending: str) -> Response:
    """Return a feed as a response in the format of its extension."""
    form = FEED_FORMATS[ending]
    headers = dict(PRIVATE_HEADERS if feed.is_private else SHARED_HEADERS)
    if feed.changed is not None:
        headers["last-modified"] = format_datetime(feed.changed, usegmt=True)
    return Response(
        form.write(feed), headers=headers, media_type=f"{form.media_type}; charset=utf-8"
    )


# --- files -------------------------------------------------------------------------------------


path_choices("file_ending", FILE_FORMATS)  # no arXiv id ends in one of them


@router.get("/papers/{name:path}.{ending:file_ending}", dependencies=[RATE_LIMITED])
def paper_file(app: App, name: str, ending: str) -> Response:
    """Return a paper as a file, by its id or its arXiv id."""
    found = cited_paper(app.database, app.sender_identity.public_url, name)
    return _file_response(FILE_FORMATS[ending].paper(found), ending, name)


@router.get("/editions/{list_name}/{day}.{ending:file_ending}", dependencies=[RATE_LIMITED])
@router.get("/editions/{list_name}/{day}/{cut}.{ending:file_ending}", dependencies=[RATE_LIMITED])
def edition_file(
    app: App, list_name: str, day: str, ending: str, cut: str | None = None
) -> Response:
    """Return the edition of a cut, or the last one of the day, as a file."""
    public_url = app.sender_identity.public_url
    found = cited_edition(app.database, public_url, list_name, _day_in_path(day), cut)
    name = "-".join(filter(None, (list_name, day, cut)))
    return _file_response(FILE_FORMATS[ending].edition(found), ending, name)


def _file_response(content: bytes, ending: str, name: str) -> Response:
    """Return a file that browsers may display, with a name to save it under."""
    plain = "".join(one if one.isascii() and one.isalnum() else "-" for one in name)
    headers = {**PUBLIC_HEADERS, "content-disposition": f'inline; filename="{plain}.{ending}"'}
    kind = FILE_FORMATS[ending].media_type
    return Response(content, headers=headers, media_type=f"{kind}; charset=utf-8")


# --- pages: after the files, whose URLs begin with those of their pages -------------------------


@router.get("/trending", dependencies=[PAGE_TURN])
def trending(
    app: App,
    now: Now,
    period: str = TrendingPeriod.DAY,
    date: str = "",
    list: str = DEFAULT_LIST,  # noqa: A002
    page: str = "1",
    access: str = "",
) -> Response:
    """Show the papers that were trending on a day, in a week or a month, by default the latest."""
    if period not in [*TrendingPeriod]:
        raise invalid("period", "%(given)s is not a period: use day, week or month", given=period)
    number = page_number(page, MOST_PAGES)
    found = trending_page(
        app.database,
        list,
        TrendingPeriod(period),
        date,
        number=number,
        now=now,
        opened=_is_opened(app, list, access),
    )
    return _list_page(
        app,
        "trending.html",
        found.mailing_list,
        access,
        page=found,
        sections=trending_sections(found),
    )


@router.get("/editions", dependencies=[PAGE_TURN])
def editions(
    app: App,
    now: Now,
    list: str = DEFAULT_LIST,  # noqa: A002
    month: str = "",
    access: str = "",
) -> Response:
    """Show one month of a list's archive."""
    opened = _is_opened(app, list, access)
    page = archive_page(app.database, list, month, now=now, opened=opened)
    return _list_page(app, "editions.html", page.mailing_list, access, page=page)


@router.get("/calendar", dependencies=[PAGE_TURN])
def calendar(
    app: App,
    now: Now,
    list: str = DEFAULT_LIST,  # noqa: A002
    year: str = "",
) -> Response:
    """Show the days of a year on which a list had an edition."""
    return public_page(app, "calendar.html", page=calendar_page(app.database, list, year, now=now))


@router.get("/editions/{list_name}/{day}", dependencies=[PAGE_TURN])
@router.get("/editions/{list_name}/{day}/{cut}", dependencies=[PAGE_TURN])
def edition(
    app: App, list_name: str, day: str, cut: str | None = None, access: str = ""
) -> Response:
    """Show the edition of a cut, or the last one of the day."""
    day_shown = _day_in_path(day)
    opened = _is_opened(app, list_name, access)
    page = edition_page(app.database, list_name, day_shown, cut, even_withdrawn=True, opened=opened)
    cited: tuple[Citation, ...] = ()
    if page.withdrawn is None:
        cited = citations_of(app.database, app.sender_identity.public_url, page.edition)
    coins = map(context_object, cited)
    return _list_page(app, "edition.html", page.mailing_list, access, page=page, coins=coins)


def _is_opened(app: App, list_name: str, access: str) -> bool:
    """Return whether `access` opens the private archive of a list: it comes from a link in its
    emails."""
    return bool(access) and opens(app.settings.keys, list_name, access)


def _list_page(
    app: App, template: str, mailing_list: MailingList, access: str, **values: Any
) -> Response:
    """Return a page of a list. A private one is neither cached nor indexed, and its links lead to
    other pages of the list with the same `access`."""
    if not mailing_list.private:
        return public_page(app, template, access="", **values)
    page = private_page(app, template, access=access, **values)
    page.headers["x-robots-tag"] = "noindex"
    return page


def _day_in_path(text: str) -> date:
    """Return a date. Raises InvalidInput for anything else, and NotFound for a date in a century
    without editions, such as 1899-12-31."""
    try:
        return parse_date(text)
    except InvalidInput:
        with suppress(ValueError):
            date.fromisoformat(text)
            raise NotFound(NOWHERE) from None
        raise


@router.get("/papers/{name:path}/rank", dependencies=[PAGE_TURN])
def rank(app: App, now: Now, name: str, edition: str | None = None) -> Response:
    """Explain the rank of a paper in `edition`, written LIST/DAY/CUT, or in its latest one."""
    page = rank_page(app.database, app.neighbours, name, edition, now=now)
    return public_page(app, "rank.html", page=page)


@router.get("/papers/{name:path}", dependencies=[PAGE_TURN])
def paper(app: App, now: Now, name: str) -> Response:
    """Show a paper, by its id or its arXiv id, which may contain a slash."""
    page = paper_page(app.database, name, now=now)
    similar = app.neighbours.of(page.paper, now=now)
    cited = citation(app.sender_identity.public_url, page.paper)
    bibtex = write_bibtex([replace(cited, text="")]).decode()
    folder = _figures_of(app, page.paper)
    return public_page(
        app,
        "paper.html",
        page=page,
        similar=similar,
        cited=cited,
        bibtex=bibtex,
        figure=folder.find(page.paper.id) if folder else None,
    )


def _figures_of(app: AppContext, paper: Paper) -> FigureFolder | None:
    """Return where figures are, unless they are off or this paper may not show one."""
    may_show = paper.show is Show.FULL and not paper.withdrawn
    return app.figures if may_show else None


@router.get("/figures/{number}/{file_name}", dependencies=[RATE_LIMITED])
def figure_file(app: App, number: str, file_name: str) -> Response:
    """Return the figure of a paper. Raises NotFound."""
    with app.database.reading() as work:
        paper = find_paper(work, number)
    folder = _figures_of(app, paper)
    content = folder.read(paper.id, file_name) if folder else None
    if content is None:
        raise NotFound(NOWHERE)
    return Response(content, headers=dict(SHARED_HEADERS), media_type="image/png")


@router.get("/sources", dependencies=[PAGE_TURN])
def sources(app: App, now: Now) -> Response:
    """Show what each source delivered, so a failure does not look like a day without papers."""
    return public_page(app, "sources.html", page=sources_page(app.database, now=now))


@router.get("/ranking", dependencies=[PAGE_TURN])
def ranking(app: App, now: Now) -> Response:
    """Show the ranking formula with its current constants."""
    page = ranking_page(app.ranker, app.ranking_weights, now=now)
    return public_page(app, "ranking.html", page=page)


@router.get("/api", dependencies=[PAGE_TURN])
def api(app: App, now: Now) -> Response:
    """Show the feeds, files and routes for programs, with an example of each."""
    shown = front_page(app.database, now=now)
    edition = shown.edition if shown else None
    with app.database.reading() as work:
        lists = public_lists(work)
    return public_page(
        app,
        "api.html",
        lists=lists,
        chosen=shown.mailing_list.name if shown else DEFAULT_LIST,
        day=edition.day if edition else now.date(),
        paper=edition.papers[0].name if edition else "2603.00001",
        hugging_face="hugging-face" in plugins("routers"),
    )


@router.get("/privacy", dependencies=[PAGE_TURN])
def privacy(app: App) -> Response:
    """Show what is stored about visitors and readers, unless the operator has their own page."""
    return public_page(app, "privacy.html")


DISALLOWED = (
    "/admin",
    "/confirm/",
    "/unsubscribe/",
    "/preferences/",
    "/feedback/",
    "/address/",
    "/subscribe/",
    "/subscribe?",
    "/papers/*/rank",
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


_COLOUR_STYLE = """\
@media screen { :root { --accent: %(by_day)s; --on-accent: #fff; } }
@media screen and (prefers-color-scheme: dark) {
  :root { --accent: %(by_night)s; --on-accent: #131518; }
}
"""


@router.get("/static/colour.css")
def colour(app: App) -> Response:
    """Return the operator's colour as a style sheet: pages allow no styles of their own."""
    of_operator = app.sender_identity.colour
    if not of_operator:
        raise NotFound(NOWHERE)
    style = _COLOUR_STYLE % {"by_day": on_pages(of_operator), "by_night": at_night(of_operator)}
    return Response(style, headers=dict(SHARED_HEADERS), media_type="text/css")


@router.get("/favicon.ico")
def icon() -> Response:
    """Return the icon, for clients that request it without reading a page."""
    content = (static_dir() / "icon.svg").read_bytes()
    return Response(content, headers=dict(PUBLIC_HEADERS), media_type="image/svg+xml")
