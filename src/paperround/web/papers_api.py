"""The JSON API of papers, trending papers, lists and editions."""

import datetime
from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, BeforeValidator

from paperround.core.i18n.locale import locale_for
from paperround.core.i18n.localize import english_reason, localize_source
from paperround.core.times import parse_date
from paperround.digests.pages import citation, cited_paper, edition_page
from paperround.editions.citations import FILE_FORMATS
from paperround.editions.feed_documents import FEED_FORMATS
from paperround.editions.lists import DEFAULT_LIST, ListId, MailingList
from paperround.editions.model import TrendingPeriod
from paperround.editions.store.lists import ListStore
from paperround.editions.trending import DailyPaper, trending_now
from paperround.papers.model import PaperId, Show
from paperround.papers.store.papers import PaperStore
from paperround.web.context import CACHEABLE, RATE_LIMITED, App, Now
from paperround.web.models import (
    CursorPage,
    Identifiers,
    Instant,
    Resource,
    example_config,
    value_of,
)
from paperround.web.paging import MAX_LIMIT, Paging

api = APIRouter(prefix="/api/v1", tags=["papers"], dependencies=[RATE_LIMITED, CACHEABLE])


# --- examples of the responses -----------------------------------------------------------------

SITE = "https://papers.example.org"
_ABSTRACT = "https://arxiv.org/abs/2603.00001"

PAPER: dict[str, Any] = {
    "id": 7,
    "title": "Dense retrieval",
    "authors": ["Ada Ring", "Bo Stone"],
    "text": "Dense passages are found.",
    "shown": "full",
    "identifiers": {"arxiv": "2603.00001"},
    "categories": ["cs.IR"],
    "keywords": [],
    "links": {"abstract": _ABSTRACT},
    "page": f"{SITE}/papers/2603.00001",
    "files": {ending: f"{SITE}/papers/2603.00001.{ending}" for ending in FILE_FORMATS},
    "listed_on": "2026-03-02",
    "published_at": "2026-03-01T17:00:00Z",
    "updated_at": "2026-03-02T09:30:00Z",
    "version": 2,
    "withdrawn": False,
    "comment": "12 pages, 3 figures",
    "licence": "https://creativecommons.org/licenses/by/4.0/",
    "organization": "Ring Lab",
}
PAPERS: dict[str, Any] = {"items": [PAPER], "next_cursor": "cGFwZXJzOjc"}
PLACED: dict[str, Any] = {
    "position": 1,
    "id": 7,
    "title": "Dense retrieval",
    "authors": ["Ada Ring", "Bo Stone"],
    "gist": "Dense passages are found.",
    "reason": "82 votes, 40 since yesterday",
    "score": 6.0194,
    "parts": {"votes": 4.6052, "recency": 1.4142},
    "votes": 82,
    "comments": 3,
    "identifiers": {"arxiv": "2603.00001"},
    "links": {"abstract": _ABSTRACT},
    "withdrawn": False,
}
TRENDING: dict[str, Any] = {
    "list": "trending",
    "period": "week",
    "items": [{**PLACED, "date": "2026-03-02", "cut": "3"}],
}
EDITION: dict[str, Any] = {
    "list": "trending",
    "date": "2026-03-02",
    "cut": "3",
    "as_of": "2026-03-02T18:00:00Z",
    "frozen_at": "2026-03-02T18:00:04Z",
    "ranker": "trending-3",
    "quiet": "",
    "sources": ["arxiv-ml: 34 new"],
    "papers": [PLACED],
}
LISTS: dict[str, Any] = {
    "items": [
        {
            "name": "trending",
            "title": "Trending papers",
            "description": "What most people look at today.",
            "timezone": "UTC",
            "open": True,
            "feeds": {"atom": f"{SITE}/feeds/trending.atom"},
        }
    ],
    "next_cursor": "bGlzdHM6MQ",
}


# --- editions ----------------------------------------------------------------------------------


class PlacedPaper(Resource):
    """A paper as it was when the edition was frozen. `parts` add up to `score`, both without what
    readers who share said of it; `withdrawn` says whether it has been withdrawn since."""

    position: int
    id: int = value_of("paper_id")
    title: str
    authors: list[str]
    gist: str
    reason: Annotated[str, BeforeValidator(english_reason)]
    score: float = value_of("public_score")
    parts: dict[str, float] = value_of("public_parts")
    votes: int | None
    comments: int | None
    identifiers: Identifiers
    links: dict[str, str]
    withdrawn: bool


class EditionAnswer(Resource):
    """A frozen edition. `ranker` names the version of the formula and what had been learned, and
    `quiet` says why it has few papers or none; otherwise it is empty."""

    model_config = example_config(EDITION)

    list: str = value_of("edition", "list_name")
    date: datetime.date = value_of("edition", "day")
    cut: str = value_of("edition", "cut")
    as_of: Instant = value_of("edition", "as_of")
    frozen_at: Instant = value_of("edition", "frozen_at")
    ranker: str = value_of("edition", "ranker")
    quiet: str
    sources: Annotated[
        Sequence[str],
        BeforeValidator(lambda found: [localize_source(locale_for(), one) for one in found]),
    ] = value_of("edition", "sources")
    papers: Sequence[PlacedPaper] = value_of("edition", "papers")


EditionList = Annotated[str, Path(examples=["trending"])]
Day = Annotated[str, Path(description="A date in the list's zone.", examples=["2026-01-30"])]
Cut = Annotated[str, Path(max_length=40, description="One of the day's cuts.", examples=["3"])]


@api.get("/editions/{list_name}/{day}", summary="The last edition of a day")
def read_edition(app: App, list_name: EditionList, day: Day) -> EditionAnswer:
    """The day's last cut with papers, else its last cut."""
    return EditionAnswer.of(edition_page(app.database, list_name, parse_date(day), None))


@api.get("/editions/{list_name}/{day}/{cut}", summary="An edition")
def read_edition_of_cut(app: App, list_name: EditionList, day: Day, cut: Cut) -> EditionAnswer:
    """The edition that was frozen at that cut."""
    return EditionAnswer.of(edition_page(app.database, list_name, parse_date(day), cut))


# --- papers, what is trending, and the lists ----------------------------------------------------


def _file_addresses(page: object) -> object:
    """Return the addresses of a paper's files, given that of its page."""
    return (
        {ending: f"{page}.{ending}" for ending in FILE_FORMATS} if isinstance(page, str) else page
    )


class PaperAnswer(Resource):
    """A paper as it is known now. `text` is as much of its abstract as its source lets us show:
    `shown` says whether that is all of it (`full`), a sentence (`gist`) or nothing (`link`).
    `files` are the addresses of the same paper in other formats."""

    model_config = example_config(PAPER)

    id: int = value_of("paper", "id")
    title: str = value_of("paper", "title")
    authors: Sequence[str] = value_of("paper", "authors")
    text: str
    shown: Show = value_of("paper", "show")
    identifiers: Identifiers = value_of("paper", "identifiers")
    categories: Sequence[str] = value_of("paper", "categories")
    keywords: Sequence[str] = value_of("paper", "keywords")
    links: dict[str, str]
    page: str
    files: Annotated[dict[str, str], BeforeValidator(_file_addresses)] = value_of("page")
    listed_on: datetime.date | None = value_of("paper", "listed_on")
    published_at: Instant | None = value_of("paper", "published_at")
    updated_at: Instant | None = value_of("paper", "updated_at")
    version: int | None = value_of("paper", "version")
    withdrawn: bool = value_of("paper", "withdrawn")
    comment: str | None = value_of("paper", "comment")
    licence: str | None = value_of("paper", "licence")
    organization: str | None = value_of("paper", "organization")


class PapersPage(CursorPage[PaperAnswer]):
    """A page of papers, the most recently read first."""

    model_config = example_config(PAPERS)


class TrendingPaper(PlacedPaper):
    """A paper at its best rank in the period, in the edition of `date` and `cut`."""

    date: datetime.date
    cut: str

    @classmethod
    def at(cls, daily: DailyPaper) -> "TrendingPaper":
        """Return the response for a trending paper."""
        placed = PlacedPaper.of(daily.place.paper).model_dump()
        return cls(**placed, date=daily.place.day, cut=daily.place.cut)


class TrendingAnswer(BaseModel):
    """Papers by the highest score they had in the editions of a period, best first."""

    model_config = example_config(TRENDING)

    list: str
    period: TrendingPeriod
    items: Sequence[TrendingPaper]


class ListAnswer(BaseModel):
    """A list that people subscribe to, whether its sign-up is `open`, and the addresses of its
    feeds. An open list may still be limited to some domains."""

    name: str
    title: str
    description: str
    timezone: str
    open: bool
    feeds: dict[str, str]

    @classmethod
    def of(cls, one: MailingList, public_url: str) -> "ListAnswer":
        """Return the response for a list."""
        address = f"{public_url.rstrip('/')}/feeds/{one.name}"
        return cls(
            name=one.name,
            title=one.title,
            description=one.description,
            open=one.takes_signups,
            timezone=one.zone,
            feeds={ending: f"{address}.{ending}" for ending in FEED_FORMATS},
        )


class ListsAnswer(CursorPage[ListAnswer]):
    """A page of the lists of this site, oldest first."""

    model_config = example_config(LISTS)


ListName = Annotated[str, Query(max_length=60, description="A list.", examples=["trending"])]
Within = Annotated[TrendingPeriod, Query(description="The days that end with the newest edition.")]
Most = Annotated[int, Query(ge=1, le=MAX_LIMIT, description="The maximum number of papers.")]
PaperName = Annotated[
    str, Path(description="A paper's id on this site, or its arXiv id.", examples=["2603.00001"])
]


@api.get("/papers", summary="List papers")
def list_papers(app: App, paging: Paging) -> PapersPage:
    """The most recently read first; none is skipped or repeated when papers are added meanwhile."""
    place = paging.last_id("papers")
    before = None if place is None else PaperId(place)
    with app.database.reading() as work:
        found = work[PaperStore].newest(before=before, limit=paging.rows)
    url = app.sender_identity.public_url
    page = paging.page("papers", found, lambda one: PaperAnswer.of(citation(url, one)))
    return PapersPage.of(page)


@api.get("/papers/{name:path}", summary="A paper")
def read_paper(app: App, name: PaperName) -> PaperAnswer:
    """A paper by its id here, or by its arXiv id with or without a version."""
    return PaperAnswer.of(cited_paper(app.database, app.sender_identity.public_url, name))


@api.get("/trending", summary="List trending papers")
def list_trending(
    app: App,
    now: Now,
    period: Within = TrendingPeriod.DAY,
    list: ListName = DEFAULT_LIST,  # noqa: A002
    limit: Most = 50,
) -> TrendingAnswer:
    """The papers of a day, seven or thirty days, each once, with the reason it had then."""
    mailing_list, found = trending_now(app.database, list, period, now=now, limit=limit)
    return TrendingAnswer(
        list=mailing_list.name,
        period=period,
        items=[TrendingPaper.at(one) for one in found],
    )


@api.get("/lists", summary="The lists")
def list_lists(app: App, paging: Paging) -> ListsAnswer:
    """What people can subscribe to here."""
    after = ListId(paging.last_id("lists") or 0)
    with app.database.reading() as work:
        found = work[ListStore].page(after, limit=paging.rows, only_public=True)
    url = app.sender_identity.public_url
    return ListsAnswer.of(paging.page("lists", found, lambda one: ListAnswer.of(one, url)))
