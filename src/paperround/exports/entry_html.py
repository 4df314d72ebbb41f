"""An entry of a feed as HTML: escaped, and without anything that runs or loads."""

from html import escape

from paperround.domain.syndication import FeedEntry
from paperround.domain.telling import paper_links, short_authors

WITHDRAWN = "This paper was withdrawn."


def entry_html(entry: FeedEntry) -> str:
    """Authors, why it is there, what is new, and where it can be read."""
    lines = [
        f"<p><strong>{WITHDRAWN}</strong></p>" if entry.withdrawn else "",
        _paragraph(short_authors(entry.authors)),
        f"<p><em>{escape(entry.reason)}</em></p>" if entry.reason else "",
        _paragraph(entry.text),
        _links(entry),
    ]
    return "\n".join(filter(None, lines))


def entry_text(entry: FeedEntry) -> str:
    """The same in a line of plain text."""
    said = (WITHDRAWN if entry.withdrawn else "", entry.text or entry.reason)
    return " ".join(filter(None, said))


def _paragraph(text: str) -> str:
    return f"<p>{escape(text)}</p>" if text else ""


def _links(entry: FeedEntry) -> str:
    named = paper_links(entry)
    anchors = [f'<a href="{escape(url)}">{escape(label)}</a>' for label, url in named]
    return f"<p>{' · '.join(anchors)}</p>" if anchors else ""
