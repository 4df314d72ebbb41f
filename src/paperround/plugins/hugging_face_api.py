"""Our papers in the format of Hugging Face's API, so that its clients can read them.

Fields that must have a value get the default when it is unknown: 0 votes, no comments.
"""

import datetime
from collections.abc import Sequence
from typing import Annotated, Any, Literal, Self, TypeVar

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

from paperround.core.errors import InvalidInput
from paperround.digests.pages import citation, cited_paper
from paperround.editions.citations import Citation
from paperround.editions.lists import DEFAULT_LIST
from paperround.editions.model import ListedBy, TrendingPeriod
from paperround.editions.periods import days_of_date, days_of_month, days_of_week
from paperround.editions.trending import Counts, counts_of, listed_papers, trending_now
from paperround.papers.identifiers import page_name
from paperround.papers.model import Paper
from paperround.papers.search_service import search
from paperround.web.context import CACHEABLE, RATE_LIMITED, App, Now
from paperround.web.errors import BadRequest
from paperround.web.models import Instant, example_config

api = APIRouter(prefix="/api", tags=["hugging face"], dependencies=[RATE_LIMITED, CACHEABLE])

PAPER: dict[str, Any] = {
    "id": "2603.00001",
    "title": "Dense retrieval",
    "summary": "Dense passages are found.",
    "authors": [{"name": "Ada Ring", "hidden": False}],
    "publishedAt": "2026-03-01T17:00:00Z",
    "submittedOnDailyAt": "2026-03-02T18:00:04Z",
    "upvotes": 82,
    "numComments": 3,
    "organization": {"name": "Ring Lab", "fullname": "Ring Lab"},
    "githubRepo": "https://code.example.org/ring/dense",
    "githubStars": 120,
}
HIT: dict[str, Any] = {
    "paper": PAPER,
    "title": "Dense retrieval",
    "summary": "Dense passages are found.",
    "publishedAt": "2026-03-02T18:00:04Z",
    "numComments": 3,
    "organization": {"name": "Ring Lab", "fullname": "Ring Lab"},
}
DAY: dict[str, Any] = {**HIT, "isAuthorParticipating": False}


class ResponseShape(BaseModel):
    """A response with Hugging Face's names in camel case, such as `publishedAt`."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)


class AuthorShape(ResponseShape):
    """An author."""

    name: str
    hidden: bool = False


class OrganizationShape(ResponseShape):
    """Who a paper comes from, by the one name that is known here."""

    name: str
    fullname: str


class PaperShape(ResponseShape):
    """A paper. `summary` is as much of its abstract as its source lets us show."""

    model_config = example_config(PAPER)

    id: str
    title: str
    summary: str
    authors: Sequence[AuthorShape]
    published_at: Instant
    submitted_on_daily_at: Instant
    upvotes: int = 0
    num_comments: int | None = None
    organization: OrganizationShape | None = None
    github_repo: str | None = None
    github_stars: int | None = None
    project_page: str | None = None
    withdrawn_at: Instant | None = None

    @classmethod
    def of(cls, one: Citation, counts: Counts) -> "PaperShape":
        """Return the response for a paper with its counts."""
        paper, named = one.paper, one.paper.organization
        return cls(
            id=page_name(paper.identifiers, paper.id),
            title=paper.title,
            summary=one.text,
            authors=[AuthorShape(name=name) for name in paper.authors],
            published_at=paper.published_at or paper.counts_from,
            submitted_on_daily_at=paper.counts_from,
            upvotes=counts.get("upvotes", 0),
            num_comments=counts.get("comments"),
            organization=OrganizationShape(name=named, fullname=named) if named else None,
            github_repo=one.links.get("code"),
            github_stars=counts.get("github_stars"),
            project_page=one.links.get("project"),
            withdrawn_at=(paper.updated_at or paper.counts_from) if paper.withdrawn else None,
        )


class FoundShape(ResponseShape):
    """A paper among others. `publishedAt` is when it was listed, as their own client reads it;
    `paper.publishedAt` is when it was published."""

    model_config = example_config(HIT)

    paper: PaperShape
    title: str
    summary: str
    published_at: Instant
    num_comments: int = 0
    organization: OrganizationShape | None = None

    @classmethod
    def of(cls, one: Citation, counts: Counts) -> Self:
        """Return the response for a paper with its counts."""
        paper = PaperShape.of(one, counts)
        return cls(
            paper=paper,
            title=paper.title,
            summary=paper.summary,
            published_at=paper.submitted_on_daily_at,
            num_comments=paper.num_comments or 0,
            organization=paper.organization,
        )


class DailyShape(FoundShape):
    """A paper of a day."""

    model_config = example_config(DAY)

    is_author_participating: bool = False


AnyShape = TypeVar("AnyShape", bound=FoundShape)

Date = Annotated[
    str | None, Query(description="The day they were listed, UTC.", examples=["2026-01-30"])
]
Week = Annotated[str | None, Query(description="An ISO week.", examples=["2026-W05"])]
Month = Annotated[str | None, Query(description="A month.", examples=["2026-01"])]
Submitter = Annotated[str | None, Query(description="Always rejected: submitters are not stored.")]
Sort = Annotated[
    Literal["publishedAt", "trending"] | None,
    Query(
        description=(
            "`trending`: by our score. Default: by votes, or newest first without a day, week or "
            "month."
        )
    ),
]
Page = Annotated[int, Query(ge=0, le=10_000, description="The page, counted from 0.")]
Most = Annotated[int, Query(ge=1, le=100, description="Papers per page.")]
Searched = Annotated[str, Query(max_length=250, examples=["dense retrieval"])]
MostFound = Annotated[int, Query(ge=1, le=120, description="The maximum number of papers.")]


@api.get(
    "/daily_papers",
    summary="The papers of a day, week or month",
    response_model_exclude_none=True,
    responses={400: {}},
)
def list_daily_papers(
    app: App,
    now: Now,
    date: Date = None,
    week: Week = None,
    month: Month = None,
    submitter: Submitter = None,
    sort: Sort = None,
    p: Page = 0,
    limit: Most = 50,
) -> list[DailyShape]:
    """The papers of the list `trending` that were listed on a day, each once. After the last page,
    the list is empty."""
    if submitter is not None:
        raise BadRequest("submitter: submitters of papers are not stored here", code="submitter")
    offset = p * limit
    given = ((days_of_date, date), (days_of_week, week), (days_of_month, month))
    try:
        days = next((days_of(text) for days_of, text in given if text is not None), None)
    except InvalidInput as error:
        raise BadRequest(str(error), code=error.code) from None
    if sort == "trending" and days is None:
        _, newest = trending_now(
            app.database, DEFAULT_LIST, TrendingPeriod.DAY, now=now, limit=limit, offset=offset
        )
        found = [one.paper for one in newest]
    else:
        order = ListedBy.SCORE if sort == "trending" else ListedBy.VOTES if days else ListedBy.TIME
        found = listed_papers(
            app.database, DEFAULT_LIST, order, days=days, now=now, limit=limit, offset=offset
        )
    return _convert_papers(app, DailyShape, found, now)


@api.get(
    "/papers/search",
    summary="Search papers, in Hugging Face's format",
    response_model_exclude_none=True,
)
def search_papers_as_hugging_face(
    app: App, now: Now, q: Searched = "", limit: MostFound = 20
) -> list[FoundShape]:
    """Papers that have words of `q`, best first."""
    found = search(app.database, app.relevance, q, limit=limit)
    return _convert_papers(app, FoundShape, [hit.paper for hit in found.hits], now)


def _convert_papers(
    app: App, shape: type[AnyShape], papers: Sequence[Paper], now: datetime.datetime
) -> list[AnyShape]:
    """Return papers in this format, with their latest counts."""
    counts = counts_of(app.database, [one.id for one in papers], now=now)
    url = app.sender_identity.public_url
    return [shape.of(citation(url, one), counts.get(one.id, {})) for one in papers]


@api.get(
    "/papers/{name:path}",
    summary="A paper, in Hugging Face's format",
    response_model_exclude_none=True,
)
def read_paper_as_hugging_face(app: App, now: Now, name: str) -> PaperShape:
    """A paper by its arXiv id, or by its id here."""
    found = cited_paper(app.database, app.sender_identity.public_url, name)
    counts = counts_of(app.database, [found.paper.id], now=now)
    return PaperShape.of(found, counts.get(found.paper.id, {}))
