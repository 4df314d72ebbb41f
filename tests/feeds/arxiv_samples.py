"""Small feeds and answers of arXiv, written by hand from its documentation.

The recorded feed of a day holds only `new` and `cross` in Atom. What an RSS 2.0 feed looks like,
and how replacements are announced in it, follows arXiv's description of its feeds.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from html import escape

from paperround.feeds.model import FeedState, PollProgress
from paperround.http.model import FetchRequest, Page

NOW = datetime(2026, 1, 28, 12, tzinfo=UTC)

_ATOM = (
    '<feed xmlns="http://www.w3.org/2005/Atom" xmlns:arxiv="http://arxiv.org/schemas/atom"'
    ' xmlns:dc="http://purl.org/dc/elements/1.1/"'
    ' xmlns:opensearch="http://a9.com/-/spec/opensearch/1.1/">'
)


def item(
    arxiv: str = "2601.00001v1",
    *,
    announced: str = "new",
    title: str = "A Study",
    creator: str = "Ada Lovelace, Alan Turing",
    day: str = "Wed, 28 Jan 2026 00:00:00 -0500",
    more: str = "",
) -> str:
    """One entry of an RSS 2.0 feed; `more` is further XML in it."""
    return (
        f"<item><title>{escape(title)}</title>"
        f"<link>https://arxiv.org/abs/{arxiv.partition('v')[0]}</link>"
        f"<description>arXiv:{arxiv} Announce Type: {announced} \nAbstract: We study.</description>"
        f'<guid isPermaLink="false">oai:arXiv.org:{arxiv}</guid>'
        "<category>cs.AI</category><category>cs.LG</category>"
        f"<pubDate>{day}</pubDate><arxiv:announce_type>{announced}</arxiv:announce_type>"
        "<dc:rights>http://creativecommons.org/licenses/by/4.0/</dc:rights>"
        f"<dc:creator>{escape(creator)}</dc:creator>{more}</item>"
    )


def rss(*items: str) -> bytes:
    """An RSS 2.0 feed of announcements."""
    head = (
        '<?xml version="1.0" encoding="UTF-8"?>\n<rss version="2.0"'
        ' xmlns:arxiv="http://arxiv.org/schemas/atom"'
        ' xmlns:dc="http://purl.org/dc/elements/1.1/"><channel>'
        "<title>cs.AI updates on arXiv.org</title><link>http://rss.arxiv.org/rss/cs.AI</link>"
    )
    return f"{head}{''.join(items)}</channel></rss>".encode()


def entry(
    arxiv: str = "2601.00001v1",
    *,
    title: str = "A Study",
    published: str = "2026-01-27T10:00:00Z",
    authors: Sequence[str] = ("Ada Lovelace",),
    more: str = "",
) -> str:
    """One entry of an answer of the query API."""
    names = "".join(f"<author><name>{escape(name)}</name></author>" for name in authors)
    return (
        f"<entry><id>http://arxiv.org/abs/{arxiv}</id><title>{escape(title)}</title>"
        f"<updated>{published}</updated><published>{published}</published>"
        f'<summary>We study.</summary><category term="cs.AI"/>{names}{more}</entry>'
    )


def answer(*entries: str, total: int | None = None, start: int = 0) -> bytes:
    """An answer of the query API."""
    count = len(entries) if total is None else total
    return (
        f"{_ATOM}<title>arXiv Query</title><opensearch:totalResults>{count}"
        f"</opensearch:totalResults><opensearch:startIndex>{start}</opensearch:startIndex>"
        f"{''.join(entries)}</feed>"
    ).encode()


def state(cursor: str | None = None, url: str | None = None, **settings: str) -> FeedState:
    """A feed that stands at `cursor`."""
    return FeedState(url=url, settings=settings, progress=PollProgress(cursor=cursor))


def page(request: FetchRequest, body: bytes = b"", status: int = 200) -> Page:
    """The answer to `request`."""
    return Page(
        request=request, url=request.url, status=status, headers={}, body=body, fetched_at=NOW
    )


def listing(day: str, entries: int) -> bytes:
    """The head of a category's page of new papers, after the templates of arXiv's own site."""
    return (
        "<!DOCTYPE html><html><body><div id='dlpage'><h1>Artificial Intelligence</h1><ul></ul>"
        f"<h3>Showing new listings for {day}</h3>"
        f"<div class='paging'>Total of {entries} entries </div><dl id='articles'></dl>"
        "</div></body></html>"
    ).encode()
