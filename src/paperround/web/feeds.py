"""Feeds of a list, a topic, an author, a search and one reader; papers and editions as files
(Markdown, BibTeX, RIS and JSON-LD)."""

from types import MappingProxyType

from fastapi import APIRouter, Response
from starlette.convertors import StringConvertor, register_url_convertor

from paperround.bootstrap import AppContext
from paperround.core.times import parse_date
from paperround.digests.paper_pages import cited_edition, cited_paper
from paperround.editions.export.registry import FEED_FORMATS, FILE_FORMATS
from paperround.editions.feed_documents import FeedDocument
from paperround.papers.search import LONGEST_TEXT
from paperround.self_service import feeds
from paperround.self_service.feeds import Publisher
from paperround.web.context import RATE_LIMITED, SEARCH_COST, App, Now, costly
from paperround.web.templates import PUBLIC_HEADERS

SHARED_HEADERS = MappingProxyType({"cache-control": "public, max-age=300"})
"""Feed readers poll every few minutes at most, and editions appear a few times a day."""
PRIVATE_HEADERS = MappingProxyType(
    {"cache-control": "private, max-age=300", "x-robots-tag": "noindex"}
)

router = APIRouter(include_in_schema=False)

SEARCH_LIMIT = [costly(SEARCH_COST)]


class FeedExtension(StringConvertor):
    """A path convertor for the extensions of feeds."""

    regex = "|".join(FEED_FORMATS)


register_url_convertor("feed_ending", FeedExtension())


@router.get("/feeds/search/{text:path}.{ending:feed_ending}", dependencies=SEARCH_LIMIT)
def search_feed(app: App, now: Now, text: str, ending: str) -> Response:
    """Return a feed of the new papers that match a search."""
    found = feeds.search_feed(
        app.database, Publisher.of(app.sender_identity), text[:LONGEST_TEXT], now=now
    )
    return feed_response(found, ending)


@router.get("/feeds/topics/{topic:path}.{ending:feed_ending}", dependencies=SEARCH_LIMIT)
def topic_feed(app: App, now: Now, topic: str, ending: str) -> Response:
    """Return a feed of the new papers on a topic."""
    found = feeds.topic_feed(
        app.database, Publisher.of(app.sender_identity), topic[:LONGEST_TEXT], now=now
    )
    return feed_response(found, ending)


@router.get("/feeds/authors/{name:path}.{ending:feed_ending}", dependencies=SEARCH_LIMIT)
def author_feed(app: App, now: Now, name: str, ending: str) -> Response:
    """Return a feed of the new papers of an author."""
    found = feeds.author_feed(
        app.database, Publisher.of(app.sender_identity), name[:LONGEST_TEXT], now=now
    )
    return feed_response(found, ending)


@router.get("/feeds/me/{token}.{ending:feed_ending}", dependencies=[RATE_LIMITED])
def reader_feed(app: App, now: Now, token: str, ending: str) -> Response:
    """Return a feed of the papers sent to one reader. Anybody with its URL may read it."""
    return feed_response(
        feeds.personal_feed(app.signup_context, Publisher.of(app.sender_identity), token, now=now),
        ending,
    )


@router.get("/feeds/{list_name}.{ending:feed_ending}", dependencies=[RATE_LIMITED])
def list_feed(app: App, now: Now, list_name: str, ending: str) -> Response:
    """Return the feed of a list."""
    return feed_response(
        feeds.list_feed(app.database, Publisher.of(app.sender_identity), list_name, now=now), ending
    )


def feed_response(feed: FeedDocument, ending: str) -> Response:
    """Return a feed as a response in the format of its extension."""
    form = FEED_FORMATS[ending]
    headers = dict(PRIVATE_HEADERS if feed.is_private else SHARED_HEADERS)
    return Response(
        form.write(feed), headers=headers, media_type=f"{form.media_type}; charset=utf-8"
    )


# --- files -------------------------------------------------------------------------------------


class FileExtension(StringConvertor):
    """A path convertor for the extensions of files; no arXiv id ends with one."""

    regex = "|".join(FILE_FORMATS)


register_url_convertor("file_ending", FileExtension())


@router.get("/papers/{name:path}.{ending:file_ending}", dependencies=[RATE_LIMITED])
def paper_file(app: App, name: str, ending: str) -> Response:
    """Return a paper as a file, by its id or its arXiv id."""
    found = cited_paper(app.database, app.sender_identity.public_url, name)
    return _file_response(FILE_FORMATS[ending].paper(found), ending, name)


@router.get("/editions/{list_name}/{day}/{cut}.{ending:file_ending}", dependencies=[RATE_LIMITED])
def edition_file(app: App, list_name: str, day: str, cut: str, ending: str) -> Response:
    """Return an edition as a file."""
    return _edition_response(app, list_name, day, cut, ending)


@router.get("/editions/{list_name}/{day}.{ending:file_ending}", dependencies=[RATE_LIMITED])
def last_edition_file(app: App, list_name: str, day: str, ending: str) -> Response:
    """Return the last edition of a day as a file."""
    return _edition_response(app, list_name, day, None, ending)


def _edition_response(
    app: AppContext, list_name: str, day: str, cut: str | None, ending: str
) -> Response:
    found = cited_edition(
        app.database, app.sender_identity.public_url, list_name, parse_date(day), cut
    )
    name = "-".join(filter(None, (list_name, day, cut)))
    return _file_response(FILE_FORMATS[ending].edition(found), ending, name)


def _file_response(content: bytes, ending: str, name: str) -> Response:
    """Return a file that browsers may display, with a name to save it under."""
    plain = "".join(one if one.isascii() and one.isalnum() else "-" for one in name)
    headers = {**PUBLIC_HEADERS, "content-disposition": f'inline; filename="{plain}.{ending}"'}
    kind = FILE_FORMATS[ending].media_type
    return Response(content, headers=headers, media_type=f"{kind}; charset=utf-8")
