"""Write citations as COinS (ContextObjects in Spans), which let Zotero save papers from a page.

    <span class="Z3988" title="ctx_ver=Z39.88-2004&amp;rft_id=info%3Aarxiv%2F2603.00001"></span>

A context object is a list of keys and values (OpenURL 1.0, ANSI/NISO Z39.88-2004), here with the
elements of Dublin Core, which Zotero itself writes for preprints.
"""

from collections.abc import Iterator
from urllib.parse import quote

from paperround.editions.citations import Citation
from paperround.papers.formatting import web_address

MOST_AUTHORS = 100
"""The authors named, as on the page of a paper: a page of sixty papers stays small."""


def context_object(one: Citation) -> str:
    """Return a citation as a context object, for the `title` of a span."""
    pairs = ((key, text.strip()) for key, text in _elements(one))
    return "&".join(f"{key}={quote(text, '', errors='replace')}" for key, text in pairs if text)


def _elements(one: Citation) -> Iterator[tuple[str, str]]:
    known = one.paper.identifiers
    yield "ctx_ver", "Z39.88-2004"
    yield "rft_val_fmt", "info:ofi/fmt:kev:mtx:dc"
    for kind, value in (
        ("arxiv", known.get("arxiv")),
        ("doi", one.registered_doi),
        ("pmid", known.get("pmid")),
    ):
        yield "rft_id", f"info:{kind}/{value}" if value else ""
    yield "rft_id", web_address(one.url)
    yield "rft.title", one.paper.title
    yield from (("rft.creator", name) for name in one.paper.authors[:MOST_AUTHORS])
    yield "rft.date", one.dated.isoformat()
    yield from (("rft.subject", label) for label in one.labels)
    # The last one: Zotero reads what follows the type of an article as fields of its journal.
    yield "rft.type", "preprint" if one.is_preprint else "journalArticle"
