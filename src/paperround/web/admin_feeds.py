"""The admin API for feeds, with the functions of `paperround feeds`."""

from dataclasses import replace
from typing import Annotated, Any, Literal

from fastapi import Depends, Query, Request, Response
from starlette.exceptions import HTTPException

from paperround.access.model import Scope
from paperround.bootstrap import AppContext
from paperround.bootstrap.workers import POLL
from paperround.core.errors import FetchFailed, FetchRefused, InvalidInput, UnknownFormat
from paperround.feeds import due as feeds
from paperround.feeds import files, preview
from paperround.feeds.formats.registry import AUTO, READERS, decompress, reader_for
from paperround.feeds.ingest import ingest, shown_as
from paperround.feeds.model import LiveFeed, NewFeed
from paperround.feeds.opml import write_opml
from paperround.feeds.store.feeds import FeedStore
from paperround.papers.model import FeedId
from paperround.web.auth import Actor, keyed_router
from paperround.web.context import App, Now
from paperround.web.models import (
    FEED_EXAMPLE,
    CursorPage,
    FeedAnswer,
    FeedBody,
    FeedChanges,
    ImportAnswer,
    IngestAnswer,
    PollAnswer,
    PreviewAnswer,
    RejectAnswer,
    RunAnswer,
)
from paperround.web.paging import Paging, RowNumber
from paperround.web.templates import stream_file

PREFIX = "/api/v1/admin/feeds"

MOST_UNPACKED = 16 * 1024 * 1024
"""The largest uploaded file in bytes, after decompression."""

FORMATS = f"What the file is: {', '.join((AUTO, *READERS))}."

router = keyed_router(
    PREFIX,
    "admin: feeds",
    reading=Scope.FEEDS_READ,
    writing=Scope.FEEDS_WRITE,
    outside=("preview_feed", "run_feed"),
)


async def _content(request: Request) -> bytes:
    """Return the body. A multipart form is refused, because it would become part of the file."""
    if request.headers.get("content-type", "").lower().startswith("multipart/"):
        raise HTTPException(
            415, "Send the file itself, not a form: curl --data-binary @FILE, not -F."
        )
    return await request.body()


Content = Annotated[bytes, Depends(_content)]
OPML = "text/x-opml"
FEED_FILE = {
    "application/json": {
        "schema": {"$ref": "#/components/schemas/FeedFile"},
        "example": {"feeds": [FEED_EXAMPLE]},
    },
    OPML: {
        "schema": {"type": "string"},
        "example": '<opml version="2.0"><body><outline text="A journal" type="rss" '
        'xmlUrl="https://journal.example.org/feed"/></body></opml>',
    },
}
Format = Annotated[
    Literal["json", "opml"],
    Query(alias="format", description="json or opml; json by default."),
]
IMPORTED = {"requestBody": {"required": True, "content": FEED_FILE}}
UPLOADED = {
    "requestBody": {
        "required": True,
        "description": "The file as it is; gzip is unpacked.",
        "content": {
            "application/octet-stream": {
                "schema": {"type": "string", "format": "binary"},
                "example": '{"id": "2601.00001", "title": "A paper", "summary": "What it says."}',
            }
        },
    }
}


# --- all feeds ---------------------------------------------------------------------------------


@router.get("", summary="List feeds")
def list_feeds(app: App, paging: Paging) -> CursorPage[FeedAnswer]:
    """Every feed with its status, by id."""
    after = FeedId(paging.last_id("feeds") or 0)
    with app.database.reading() as work:
        found = work[FeedStore].page(after, limit=paging.rows)
    return paging.page("feeds", found, FeedAnswer.of)


@router.post(
    "",
    summary="Create a feed",
    status_code=201,
    responses={
        201: {"headers": {"Location": {"schema": {"type": "string"}, "description": "Its address"}}}
    },
)
def create_feed(app: App, now: Now, actor: Actor, body: FeedBody, response: Response) -> FeedAnswer:
    """Create a feed. It is polled at the next tick."""
    feed = feeds.create_feed(app.feed_context, NewFeed(**body.model_dump()), now=now, by=actor)
    response.headers["Location"] = f"{PREFIX}/{feed.id}"
    return FeedAnswer.of(feed)


@router.post("/preview", summary="Preview a feed", responses={424: {"description": "Not readable"}})
def preview_feed(app: App, now: Now, body: FeedBody) -> PreviewAnswer:
    """Read the first page of a feed that is not saved yet. Stores nothing."""
    try:
        feed = NewFeed(**body.model_dump())
        return PreviewAnswer.of(preview.preview_feed(app.feed_context, feed, now=now))
    except FetchRefused as error:
        raise InvalidInput(str(error), code="url") from None
    except FetchFailed as error:
        raise HTTPException(424, str(error)) from None


@router.post("/import", summary="Import feeds", openapi_extra=IMPORTED)
def import_feeds(app: App, now: Now, actor: Actor, content: Content) -> ImportAnswer:
    """Add the feeds of a JSON or OPML file (detected by content), and change those with a known
    name. Invalid entries are rejected; the others are kept."""
    result = files.import_feeds(app.feed_context, content, now=now, by=actor)
    return ImportAnswer.of(result)


@router.get("/export", summary="Export feeds", responses={200: {"content": FEED_FILE}})
def export_feeds(app: App, file_format: Format = "json") -> Response:
    """Every feed that is polled, in the format that `import` accepts. OPML also works in other feed
    readers."""
    if file_format == "opml":
        pieces = write_opml(files.iter_feeds(app.feed_context))
        return stream_file(pieces, media_type=OPML, name="feeds.opml")
    pieces = files.export_feeds(app.feed_context)
    return stream_file(pieces, media_type="application/json", name="feeds.json")


# --- one feed ----------------------------------------------------------------------------------


@router.get("/{feed_id}", summary="Read a feed")
def read_feed(app: App, feed_id: RowNumber) -> FeedAnswer:
    """One feed with its status."""
    return FeedAnswer.of(_feed(app, feed_id))


@router.patch("/{feed_id}", summary="Change a feed")
def change_feed(
    app: App, now: Now, actor: Actor, feed_id: RowNumber, body: FeedChanges
) -> FeedAnswer:
    """Change the fields that are given; the others stay."""
    given = body.model_dump(exclude_unset=True)
    return FeedAnswer.of(
        feeds.change_feed(
            app.feed_context,
            FeedId(feed_id),
            lambda feed: replace(feed, **given),
            now=now,
            by=actor,
        )
    )


@router.delete("/{feed_id}", summary="Delete a feed", status_code=204)
def delete_feed(app: App, now: Now, actor: Actor, feed_id: RowNumber) -> None:
    """Delete a feed, its runs and its rejects. Its papers are kept."""
    feeds.delete_feed(app.feed_context, FeedId(feed_id), now=now, by=actor)


@router.post(
    "/{feed_id}/run",
    summary="Read a feed now",
    status_code=202,
    response_model=FeedAnswer,
    responses={200: {"model": PollAnswer, "description": "With `wait`: what the poll did"}},
)
def run_feed(
    app: App,
    now: Now,
    actor: Actor,
    feed_id: RowNumber,
    wait: Annotated[bool, Query(description="Poll it before responding.")] = False,
) -> Any:
    """Poll the feed in the background, or with `wait` immediately. Only `wait` polls a feed that is
    switched off."""
    if not wait:
        due = feeds.request_run(app.feed_context, FeedId(feed_id), now=now, by=actor)
        app.queue.put(POLL)
        return FeedAnswer.of(due)
    report = feeds.run_now(app.feed_context, FeedId(feed_id), now=now, by=actor)
    return Response(PollAnswer.of(report).model_dump_json(), media_type="application/json")


@router.get("/{feed_id}/runs", summary="List a feed's runs")
def list_runs(app: App, feed_id: RowNumber, paging: Paging) -> CursorPage[RunAnswer]:
    """Every poll of the feed, newest first."""
    with app.database.reading() as work:
        feed = work[FeedStore].get(FeedId(feed_id))
        found = work[FeedStore].runs(feed.id, before=paging.last_id("runs"), limit=paging.rows)
    return paging.page("runs", found, RunAnswer.of)


@router.get("/{feed_id}/rejects", summary="List a feed's rejects")
def list_rejects(app: App, feed_id: RowNumber, paging: Paging) -> CursorPage[RejectAnswer]:
    """Rejected entries with the reason, newest first."""
    with app.database.reading() as work:
        feed = work[FeedStore].get(FeedId(feed_id))
        found = work[FeedStore].rejects(
            feed.id, before=paging.last_id("rejects"), limit=paging.rows
        )
    return paging.page("rejects", found, RejectAnswer.of)


@router.post("/{feed_id}/upload", summary="Upload papers", openapi_extra=UPLOADED)
def upload_papers(
    app: App,
    now: Now,
    actor: Actor,
    feed_id: RowNumber,
    content: Content,
    file_format: Annotated[str, Query(alias="format", max_length=40, description=FORMATS)] = AUTO,
) -> IngestAnswer:
    """Store the papers, or vote counts, of a file in this feed."""
    feed = _feed(app, feed_id)
    unpacked = decompress(content, MOST_UNPACKED)
    if not unpacked.strip() and file_format == AUTO:
        raise InvalidInput("the file is empty; if that is right, give its format", code="format")
    try:
        _, read = reader_for("the body", unpacked, file_format)
    except UnknownFormat:
        raise InvalidInput(
            f"the format is unknown or not clear: give one of {', '.join(READERS)}", code="format"
        ) from None
    report = ingest(
        shown_as(read(unpacked), feed.show),
        database=app.database,
        feed_name=feed.name,
        feed_kind=feed.kind,
        source="upload",
        captured_at=now,
        now=now,
        by=actor,
    )
    return IngestAnswer.of(report)


def _feed(app: AppContext, number: int) -> LiveFeed:
    with app.database.reading() as work:
        return work[FeedStore].get(FeedId(number))
