"""An entry of a feed as HTML: escaped, and without anything that runs or loads."""

from html import escape

from paperround.domain.syndication import FeedEntry
from paperround.domain.telling import paper_links
from paperround.languages.papers import authors_said
from paperround.languages.tongue import tongue

WITHDRAWN = "This paper was withdrawn."


def entry_html(entry: FeedEntry) -> str:
    """Authors, why it is there, what is new, and where it can be read."""
    anchors = [f'<a href="{escape(url)}">{escape(name)}</a>' for name, url in paper_links(entry)]
    inner = (
        f"<strong>{WITHDRAWN}</strong>" if entry.withdrawn else "",
        escape(authors_said(tongue(), entry.authors)),
        f"<em>{escape(entry.reason)}</em>" if entry.reason else "",
        escape(entry.text),
        " · ".join(anchors),
    )
    return "\n".join(f"<p>{one}</p>" for one in inner if one)


def entry_text(entry: FeedEntry) -> str:
    """The same in a line of plain text."""
    said = (WITHDRAWN if entry.withdrawn else "", entry.text or entry.reason)
    return " ".join(filter(None, said))
