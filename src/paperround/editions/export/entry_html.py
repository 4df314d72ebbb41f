"""Write feed entries as HTML, escaped and without scripts or external resources."""

from html import escape

from paperround.core.i18n.locale import locale_for
from paperround.editions.feed_documents import FeedEntry
from paperround.editions.labels import localized_authors
from paperround.papers.formatting import paper_links

WITHDRAWN = "This paper was withdrawn."


def entry_html(entry: FeedEntry) -> str:
    """Return an entry's authors, reason, text and links as HTML."""
    anchors = [f'<a href="{escape(url)}">{escape(name)}</a>' for name, url in paper_links(entry)]
    inner = (
        f"<strong>{WITHDRAWN}</strong>" if entry.withdrawn else "",
        escape(localized_authors(locale_for(), entry.authors)),
        f"<em>{escape(entry.reason)}</em>" if entry.reason else "",
        escape(entry.text),
        " · ".join(anchors),
    )
    return "\n".join(f"<p>{one}</p>" for one in inner if one)


def entry_text(entry: FeedEntry) -> str:
    """Return an entry's text, else its reason, as a line of plain text."""
    return " ".join(
        filter(None, (WITHDRAWN if entry.withdrawn else "", entry.text or entry.reason))
    )
