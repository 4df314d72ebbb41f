"""Hugging Face's names and shapes for our own papers: programs that read theirs read ours.

Where their shape has no word for what is not known, its usual value stands: 0 votes, no comments.
"""

import datetime
from collections.abc import Sequence
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

from paperround.domain.citations import Citation
from paperround.domain.editions import page_name
from paperround.domain.errors import InvalidInput
from paperround.domain.lists import DEFAULT_LIST
from paperround.domain.papers import Paper
from paperround.domain.places import Order
from paperround.jobs.daily import (
    Counts,
    DailyPaper,
    Days,
    counts_of,
    daily_papers,
    days_of_date,
    days_of_month,
    days_of_week,
    latest_days,
)
from paperround.jobs.files import citation, cited_paper
from paperround.jobs.search import search
from paperround.web import examples
from paperround.web.examples import shown_as
from paperround.web.home import LASTING_A_MINUTE, PATIENT, Home, Present
from paperround.web.models import Instant
from paperround.web.problems import BadRequest

MOST_DAILY = 100
MOST_FOUND = 120
LONGEST_SEARCH = 250
MOST_PAGES = 10_000
LOOKED_BACK = {Order.RANKED: 1, Order.ARRIVED: 60}
"""Days that are shown where none is asked for."""

api = APIRouter(prefix="/api", tags=["hugging face"], dependencies=[PATIENT, LASTING_A_MINUTE])


class Shape(BaseModel):
    """An answer whose names are written as theirs are: `publishedAt`."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)


class AuthorShape(Shape):
    """An author."""

    name: str
    hidden: bool = False


class OrganizationShape(Shape):
    """Who a paper comes from, by the one name that is known here."""

    name: str
    fullname: str

    @classmethod
    def of(cls, paper: Paper) -> "OrganizationShape | None":
        """The shape of a paper's organization, where one is known."""
        named = paper.organization
        return cls(name=named, fullname=named) if named else None


class PaperShape(Shape):
    """A paper. `summary` is as much of its abstract as its source lets us show."""

    model_config = shown_as(examples.THEIR_PAPER)

    id: str
    title: str
    summary: str
    authors: Sequence[AuthorShape]
    published_at: Instant
    submitted_on_daily_at: Instant | None = None
    upvotes: int = 0
    num_comments: int | None = None
    organization: OrganizationShape | None = None
    github_repo: str | None = None
    github_stars: int | None = None
    project_page: str | None = None
    withdrawn_at: Instant | None = None

    @classmethod
    def of(
        cls,
        one: Citation,
        counts: Counts,
        *,
        votes: int | None = None,
        listed: datetime.datetime | None = None,
    ) -> "PaperShape":
        """The shape of a paper of which so much was counted; `votes` where those of a day count."""
        paper = one.paper
        return cls(
            id=page_name(paper.identifiers, paper.id),
            title=paper.title,
            summary=one.text,
            authors=[AuthorShape(name=name) for name in paper.authors],
            published_at=paper.published_at or paper.counts_from,
            submitted_on_daily_at=listed,
            upvotes=(counts.get("upvotes") if votes is None else votes) or 0,
            num_comments=counts.get("comments"),
            organization=OrganizationShape.of(paper),
            github_repo=one.links.get("code"),
            github_stars=counts.get("github_stars"),
            project_page=one.links.get("project"),
            withdrawn_at=(paper.updated_at or paper.counts_from) if paper.withdrawn else None,
        )


class DailyShape(Shape):
    """A paper of a day. `publishedAt` is when it came into the day's papers, as their own client
    reads it; `paper.publishedAt` is when it was published."""

    model_config = shown_as(examples.THEIR_DAY)

    paper: PaperShape
    title: str
    summary: str
    published_at: Instant
    num_comments: int = 0
    organization: OrganizationShape | None = None
    is_author_participating: bool = False

    @classmethod
    def of(cls, daily: DailyPaper, counts: Counts, public_url: str) -> "DailyShape":
        """The shape of a paper as it stood in an edition: with the votes and comments of then."""
        place = daily.place
        then = {**counts, "comments": place.paper.comments or 0}
        paper = PaperShape.of(
            citation(public_url, daily.paper),
            then,
            votes=place.paper.votes or 0,
            listed=place.frozen_at,
        )
        return cls(
            paper=paper,
            title=paper.title,
            summary=paper.summary,
            published_at=place.frozen_at,
            num_comments=place.paper.comments or 0,
            organization=paper.organization,
        )


class FoundShape(Shape):
    """A paper that fits a search."""

    model_config = shown_as(examples.THEIR_HIT)

    paper: PaperShape
    title: str
    summary: str
    published_at: Instant
    num_comments: int = 0
    organization: OrganizationShape | None = None

    @classmethod
    def of(cls, one: Citation, counts: Counts) -> "FoundShape":
        """The shape of a paper that was found."""
        paper = PaperShape.of(one, counts)
        return cls(
            paper=paper,
            title=paper.title,
            summary=paper.summary,
            published_at=one.paper.counts_from,
            num_comments=counts.get("comments", 0),
            organization=paper.organization,
        )


Date = Annotated[str | None, Query(description="A day.", examples=["2026-01-30"])]
Week = Annotated[str | None, Query(description="An ISO week.", examples=["2026-W05"])]
Month = Annotated[str | None, Query(description="A month.", examples=["2026-01"])]
Submitter = Annotated[str | None, Query(description="Always refused: we keep no such names.")]
Sort = Annotated[
    Literal["publishedAt", "trending"] | None,
    Query(description="`trending`: by our score. Else by votes, and without a time the newest."),
]
Page = Annotated[int, Query(ge=0, le=MOST_PAGES, description="The page, from 0 on.")]
Most = Annotated[int, Query(ge=1, le=MOST_DAILY, description="Papers a page.")]
Searched = Annotated[str, Query(max_length=LONGEST_SEARCH, examples=["dense retrieval"])]
MostFound = Annotated[int, Query(ge=1, le=MOST_FOUND, description="Papers, at most.")]


@api.get(
    "/daily_papers",
    summary="The papers of a day, week or month",
    response_model_exclude_none=True,
    responses={400: {}, 429: {}},
)
def list_daily_papers(
    home: Home,
    now: Present,
    date: Date = None,
    week: Week = None,
    month: Month = None,
    submitter: Submitter = None,
    sort: Sort = None,
    p: Page = 0,
    limit: Most = 50,
) -> list[DailyShape]:
    """What the editions of the list `trending` hold, each paper once; behind the last page an empty
    list."""
    if submitter is not None:
        raise BadRequest("submitter: who handed in a paper is not kept here", code="submitter")
    asked = _days(date, week, month)
    order = Order.RANKED if sort == "trending" else Order.VOTED if asked else Order.ARRIVED
    days = asked or latest_days(home.database, DEFAULT_LIST, LOOKED_BACK[order], now=now)
    found = daily_papers(
        home.database, DEFAULT_LIST, order, days=days, limit=limit, offset=p * limit
    )
    counts = counts_of(home.database, [one.paper.id for one in found], now=now)
    url = home.letterhead.public_url
    return [DailyShape.of(one, counts.get(one.paper.id, {}), url) for one in found]


def _days(date: str | None, week: str | None, month: str | None) -> Days | None:
    """The days that are asked for; None for no stretch at all. Raises BadRequest."""
    try:
        if date is not None:
            return days_of_date(date)
        if week is not None:
            return days_of_week(week)
        return None if month is None else days_of_month(month)
    except InvalidInput as error:
        raise BadRequest(str(error), code=error.code) from None


@api.get(
    "/papers/search",
    summary="Search papers, in their shape",
    response_model_exclude_none=True,
    responses={429: {}},
)
def search_papers_as_hugging_face(
    home: Home, now: Present, q: Searched = "", limit: MostFound = 20
) -> list[FoundShape]:
    """Papers that have words of `q`, best first."""
    found = search(home.database, home.relevance, q, limit=limit)
    papers: list[Paper] = [hit.paper for hit in found.hits]
    counts = counts_of(home.database, [one.id for one in papers], now=now)
    url = home.letterhead.public_url
    return [FoundShape.of(citation(url, one), counts.get(one.id, {})) for one in papers]


@api.get(
    "/papers/{name:path}",
    summary="A paper, in their shape",
    response_model_exclude_none=True,
    responses={429: {}},
)
def read_paper_as_hugging_face(home: Home, now: Present, name: str) -> PaperShape:
    """A paper by its arXiv id, or by its id here."""
    found = cited_paper(home.database, home.letterhead.public_url, name)
    counts = counts_of(home.database, [found.paper.id], now=now)
    return PaperShape.of(found, counts.get(found.paper.id, {}), listed=found.paper.counts_from)
