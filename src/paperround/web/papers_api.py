"""The JSON API of papers, trending papers, lists, editions and the ranking formula."""

import datetime
from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, BeforeValidator, ConfigDict

from paperround.core.i18n.locale import locale_for
from paperround.core.i18n.localize import english_reason, localize_source
from paperround.core.times import parse_date
from paperround.digests.pages import edition_page
from paperround.digests.paper_pages import citation, cited_paper
from paperround.editions.citations import Citation
from paperround.editions.export.registry import FEED_FORMATS, FILE_FORMATS
from paperround.editions.lists import DEFAULT_LIST, ListId, MailingList
from paperround.editions.periods import TrendingPeriod
from paperround.editions.store.lists import ListStore
from paperround.editions.trending import DailyPaper, trending_now
from paperround.papers.model import PaperId, Show
from paperround.papers.store.papers import PaperStore
from paperround.ranking.learn import ranking_page
from paperround.web import examples
from paperround.web.context import CACHEABLE, RATE_LIMITED, App, Now
from paperround.web.examples import example_config
from paperround.web.models import Identifiers, Instant, Resource, value_of
from paperround.web.paging import MAX_LIMIT, Paging

api = APIRouter(prefix="/api/v1", tags=["papers"], dependencies=[RATE_LIMITED, CACHEABLE])


# --- editions and the formula ------------------------------------------------------------------


class PlacedPaper(Resource):
    """A paper as it stood when the edition was frozen. `parts` add up to `score`; `withdrawn` is
    whether it is withdrawn by now."""

    position: int
    id: int = value_of("paper_id")
    title: str
    authors: list[str]
    gist: str
    reason: Annotated[str, BeforeValidator(english_reason)]
    score: float
    parts: dict[str, float]
    votes: int | None
    comments: int | None
    identifiers: Identifiers
    links: dict[str, str]
    withdrawn: bool


class EditionAnswer(Resource):
    """A frozen edition. `ranker` names the version of the formula and what had been learned, and
    `quiet` says why it holds few papers or none; empty when nothing is amiss."""

    model_config = example_config(examples.EDITION)

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


class PartAnswer(Resource):
    """A part of the score: its names, how much it is, and when it applies."""

    names: list[str]
    amount: str
    when: str


class ConstantAnswer(Resource):
    """A number of the formula that is in force."""

    name: str
    value: float
    meaning: str


class FormulaAnswer(Resource):
    """The formula that is in force, and what was learned; `outcomes` is null when nothing was."""

    model_config = example_config(examples.FORMULA) | ConfigDict(
        json_schema_serialization_defaults_required=True
    )

    ranker: str
    parts: list[PartAnswer] = value_of("formula", "parts")
    symbols: Annotated[dict[str, str], BeforeValidator(dict)] = value_of("formula", "symbols")
    constants: list[ConstantAnswer] = value_of("formula", "constants")
    outcomes: int | None = value_of("learned", "kept", "outcomes", default=None)


EditionList = Annotated[str, Path(examples=["trending"])]
Day = Annotated[str, Path(description="A date in the list's zone.", examples=["2026-01-30"])]
Cut = Annotated[str, Path(max_length=40, description="One of the day's cuts.", examples=["3"])]


@api.get("/editions/{list_name}/{day}", summary="The last edition of a day")
def read_edition(app: App, list_name: EditionList, day: Day) -> EditionAnswer:
    """The day's last cut that holds papers, else its last one."""
    return EditionAnswer.of(edition_page(app.database, list_name, parse_date(day), None))


@api.get("/editions/{list_name}/{day}/{cut}", summary="An edition")
def read_edition_of_cut(app: App, list_name: EditionList, day: Day, cut: Cut) -> EditionAnswer:
    """The edition that was frozen at that cut."""
    return EditionAnswer.of(edition_page(app.database, list_name, parse_date(day), cut))


@api.get("/ranking", summary="The formula of the score")
def read_ranking(app: App, now: Now) -> FormulaAnswer:
    """What a ranking that is made now goes by."""
    return FormulaAnswer.of(ranking_page(app.ranker, app.formula, now=now))


# --- papers, what is trending, and the lists ----------------------------------------------------


class PaperAnswer(BaseModel):
    """A paper as it is known now. `text` is as much of its abstract as its source lets us show:
    `shown` says whether that is all of it (`full`), a sentence (`gist`) or nothing (`link`).
    `files` are the addresses of the same paper in other formats."""

    model_config = example_config(examples.PAPER)

    id: int
    title: str
    authors: Sequence[str]
    text: str
    shown: Show
    identifiers: Identifiers
    categories: Sequence[str]
    keywords: Sequence[str]
    links: dict[str, str]
    page: str
    files: dict[str, str]
    listed_on: datetime.date | None
    published_at: Instant | None
    updated_at: Instant | None
    version: int | None
    withdrawn: bool
    comment: str | None
    licence: str | None
    organization: str | None

    @classmethod
    def of(cls, one: Citation) -> "PaperAnswer":
        """Return the response for a paper."""
        paper = one.paper
        return cls(
            id=paper.id,
            title=paper.title,
            authors=paper.authors,
            text=one.text,
            shown=paper.show,
            identifiers=dict(paper.identifiers),
            categories=paper.categories,
            keywords=paper.keywords,
            links=dict(one.links),
            page=one.page,
            files={ending: f"{one.page}.{ending}" for ending in FILE_FORMATS},
            listed_on=paper.listed_on,
            published_at=paper.published_at,
            updated_at=paper.updated_at,
            version=paper.version,
            withdrawn=paper.withdrawn,
            comment=paper.comment,
            licence=paper.licence,
            organization=paper.organization,
        )


class PapersPage(BaseModel):
    """A page of papers, those that were read last first."""

    model_config = example_config(examples.PAPERS)

    items: Sequence[PaperAnswer]
    next_cursor: str | None


class TrendingPaper(PlacedPaper):
    """A paper at the best place it had in the period: in the edition of `date` and `cut`."""

    date: datetime.date
    cut: str

    @classmethod
    def at(cls, daily: DailyPaper) -> "TrendingPaper":
        """Return the response for a trending paper."""
        placed = PlacedPaper.of(daily.place.paper).model_dump()
        return cls(**placed, date=daily.place.day, cut=daily.place.cut)


class TrendingAnswer(BaseModel):
    """Papers by the highest score they had in the editions of a period, best first."""

    model_config = example_config(examples.TRENDING)

    list: str
    period: TrendingPeriod
    items: Sequence[TrendingPaper]


class ListAnswer(BaseModel):
    """A list that people subscribe to, and the addresses of its feeds."""

    name: str
    title: str
    timezone: str
    feeds: dict[str, str]

    @classmethod
    def of(cls, one: MailingList, public_url: str) -> "ListAnswer":
        """Return the response for a list."""
        address = f"{public_url.rstrip('/')}/feeds/{one.name}"
        return cls(
            name=one.name,
            title=one.title,
            timezone=one.zone,
            feeds={ending: f"{address}.{ending}" for ending in FEED_FORMATS},
        )


class ListsAnswer(BaseModel):
    """A page of the lists of this site, the first that was made first."""

    model_config = example_config(examples.LISTS)

    items: Sequence[ListAnswer]
    next_cursor: str | None


ListName = Annotated[str, Query(max_length=60, description="A list.", examples=["trending"])]
Within = Annotated[TrendingPeriod, Query(description="The days that end with the newest edition.")]
Most = Annotated[int, Query(ge=1, le=MAX_LIMIT, description="Papers, at most.")]
Name = Annotated[
    str, Path(description="An id of this site, or an arXiv id.", examples=["2603.00001"])
]


@api.get("/papers", summary="Every paper", responses={422: {}, 429: {}})
def list_papers(app: App, paging: Paging) -> PapersPage:
    """Those that were read last first; none is skipped or named twice when more come meanwhile."""
    place = paging.last_id("papers")
    before = None if place is None else PaperId(place)
    with app.database.reading() as work:
        found = work[PaperStore].newest(before=before, limit=paging.rows)
    url = app.sender_identity.public_url
    page = paging.page("papers", found)
    items = [PaperAnswer.of(citation(url, one)) for one in page.items]
    return PapersPage(items=items, next_cursor=page.next_cursor)


@api.get("/papers/{name:path}", summary="A paper", responses={429: {}})
def read_paper(app: App, name: Name) -> PaperAnswer:
    """A paper by its id here, or by its arXiv id with or without a version."""
    return PaperAnswer.of(cited_paper(app.database, app.sender_identity.public_url, name))


@api.get("/trending", summary="What is trending", responses={404: {}, 422: {}, 429: {}})
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


@api.get("/lists", summary="The lists", responses={422: {}, 429: {}})
def list_lists(app: App, paging: Paging) -> ListsAnswer:
    """What people can subscribe to here."""
    after = ListId(paging.last_id("lists") or 0)
    with app.database.reading() as work:
        found = work[ListStore].page(after, limit=paging.rows)
    url = app.sender_identity.public_url
    page = paging.page("lists", found)
    items = [ListAnswer.of(one, url) for one in page.items]
    return ListsAnswer(items=items, next_cursor=page.next_cursor)
