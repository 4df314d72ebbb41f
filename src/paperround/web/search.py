"""Search as a page and as JSON API, and the pages of topics and authors."""

from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field

from paperround.core.errors import InvalidInput
from paperround.digests import pages
from paperround.digests.pages import Followed, followed_page
from paperround.editions.source_pages import feed_names
from paperround.papers.model import PaperId
from paperround.papers.search import LONGEST_TEXT, Filters, Hit, parse_query, without_filters
from paperround.papers.search_service import DEEPEST, search
from paperround.subscribers.interests import InterestKind, interest
from paperround.web import form_token
from paperround.web.context import CACHEABLE, SEARCH_COST, App, Now, costly
from paperround.web.models import CursorPage, Identifiers, Instant, example_config
from paperround.web.paging import Day, Paging, page_number, path_choices
from paperround.web.templates import public_page

PAGE_SIZE = 20
COLLECTION = "search"
CURSOR_FACTOR = 2048
"""A cursor is one number: the newest paper of the first page, times this, plus the offset."""

router = APIRouter(include_in_schema=False)


class SearchForm(BaseModel):
    """The parameters of the search page: a query, and filters that could also be in the query."""

    q: str = ""
    page: str = "1"
    category: str = ""
    feed: str = ""
    author: str = ""
    after: str = ""
    before: str = ""

    @property
    def text(self) -> str:
        """The query with all filters. A field replaces the same filter in the query."""
        if not any(
            map(str.strip, (self.category, self.feed, self.author, self.after, self.before))
        ):
            return self.q[:LONGEST_TEXT].strip()
        in_query, words = parse_query(self.q).filters, [without_filters(self.q)]
        filters = {
            "category": self.category or in_query.category,
            "feed": self.feed or in_query.feed,
            "+author": self.author,
            "after": self.after or in_query.after,
            "before": self.before or in_query.before,
        }
        for name, value in filters.items():
            text = "" if value is None else " ".join(str(value).replace('"', " ").split())
            if text:
                words.append(f'{name}:"{text}"' if " " in text else f"{name}:{text}")
        return " ".join(words)[:LONGEST_TEXT].strip()


api = APIRouter(prefix="/api/v1", tags=["papers"])


@router.get("/search", dependencies=[costly(SEARCH_COST)])
def search_page(app: App, now: Now, form: Annotated[SearchForm, Query()]) -> Response:
    """Show the search form, twenty results a page, and a form to subscribe to the search."""
    number, text = page_number(form.page, DEEPEST // PAGE_SIZE + 1), form.text
    found = search(
        app.database, app.relevance, text, limit=PAGE_SIZE, offset=(number - 1) * PAGE_SIZE
    )
    return public_page(
        app,
        "search.html",
        page=found,
        words=without_filters(text),
        feeds_there=feed_names(app.database),
        number=number,
        longest=LONGEST_TEXT,
        stamp=form_token.make_stamp(app.signup_context.keys, now=now),
        unfit=why_not_in_digests(text),
    )


def why_not_in_digests(text: str) -> str:
    """Return why a search cannot be used for digests; empty if it can."""
    try:
        interest(InterestKind.KEYWORD, text)
    except InvalidInput as error:
        return error.text
    return ""


class FoundPaper(BaseModel):
    """A matching paper. `excerpt` is a part of its abstract, as far as its source allows, and
    `marks` are the [start, end) of the search terms in it."""

    id: int
    title: str
    authors: list[str]
    identifiers: Identifiers
    categories: list[str]
    links: dict[str, str]
    listed_on: date | None
    published_at: Instant | None
    withdrawn: bool
    excerpt: str
    marks: list[Annotated[list[int], Field(min_length=2, max_length=2)]]

    @classmethod
    def of(cls, hit: Hit) -> "FoundPaper":
        """Return the response for a hit."""
        paper, marks, end = hit.paper, [], 0
        for piece, is_found in hit.excerpt:
            start, end = end, end + len(piece)
            marks += [[start, end]] if is_found else []
        return cls(
            id=paper.id,
            title=paper.title,
            authors=list(paper.authors),
            identifiers=dict(paper.identifiers),
            categories=list(paper.categories),
            links=hit.links,
            listed_on=paper.listed_on,
            published_at=paper.published_at,
            withdrawn=paper.withdrawn,
            excerpt="".join(piece for piece, _ in hit.excerpt),
            marks=marks,
        )


SEARCH: dict[str, Any] = {
    "items": [
        {
            "id": 7,
            "title": "Dense retrieval",
            "authors": ["Ada Ring"],
            "identifiers": {"arxiv": "2603.00001"},
            "categories": ["cs.IR"],
            "links": {"abstract": "https://arxiv.org/abs/2603.00001"},
            "listed_on": "2026-03-02",
            "published_at": "2026-03-01T17:00:00Z",
            "withdrawn": False,
            "excerpt": "Dense passages are found.",
            "marks": [[0, 5]],
        }
    ],
    "total": 45,
    "suggestion": "dense retrieval",
    "next_cursor": "c2VhcmNoOjkyMTYx",
}


class SearchAnswer(CursorPage[FoundPaper]):
    """Matching papers, best first. `total` counts all of them; `suggestion` is a corrected query,
    null if there is none."""

    model_config = example_config(SEARCH)

    total: int
    suggestion: str | None


Words = Annotated[
    str,
    Query(max_length=LONGEST_TEXT, description="The search query.", examples=["dense retrieval"]),
]
Category = Annotated[
    str | None,
    Query(
        max_length=60,
        description="Only papers of this category or its subcategories.",
        examples=["cs.LG"],
    ),
]
Feed = Annotated[str | None, Query(max_length=60, description="Only papers of this feed.")]
After = Annotated[Day | None, Query(description="Only papers of this day or later.")]
Before = Annotated[Day | None, Query(description="Only papers from before this day.")]


@api.get(
    "/search",
    summary="Search papers",
    dependencies=[costly(SEARCH_COST), CACHEABLE],
    responses={503: {}},
)
def search_papers(
    app: App,
    paging: Paging,
    q: Words = "",
    category: Category = None,
    feed: Feed = None,
    after: After = None,
    before: Before = None,
) -> SearchAnswer:
    """Papers whose title, abstract or authors have the words of `q`, best first."""
    upto, offset = divmod(paging.last_id(COLLECTION) or 0, CURSOR_FACTOR)
    page = search(
        app.database,
        app.relevance,
        q,
        filters=Filters(category=category, feed=feed, after=after, before=before),
        limit=paging.limit,
        offset=offset,
        upto=PaperId(upto) if upto else None,
    )
    place = page.upto * CURSOR_FACTOR + offset
    following = () if page.is_last else range(place + 1, place + paging.rows + 1)
    return SearchAnswer(
        items=[FoundPaper.of(hit) for hit in page.hits],
        total=page.total,
        suggestion=page.suggestion or None,
        next_cursor=paging.next_cursor(COLLECTION, following),
    )


# --- pages of topics and authors ----------------------------------------------------------------


path_choices("followed", (Followed.TOPICS, Followed.AUTHORS))


@router.get("/{kind:followed}/{name:path}", dependencies=[costly(SEARCH_COST)])
def followed(app: App, now: Now, kind: Followed, name: str, page: str = "1") -> Response:
    """Show the newest papers that contain a topic as a phrase, or of an author."""
    number = page_number(page, pages.DEEPEST // pages.PAGE)
    found = followed_page(app.database, kind, name[:LONGEST_TEXT], number=number, now=now)
    return public_page(
        app,
        "followed.html",
        page=found,
        kind=kind.value,
        unfit=why_not_in_digests(found.search),
        stamp=form_token.make_stamp(app.signup_context.keys, now=now),
    )
