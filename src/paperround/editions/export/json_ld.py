"""Write papers and editions as JSON-LD (schema.org), for search engines and libraries."""

import json
from typing import Any

from paperround.editions.citations import Citation, CitedEdition
from paperround.papers.formatting import web_address

MEDIA_TYPE = "application/ld+json"
_CONTEXT = "https://schema.org"
_SCHEMES = {"arxiv": "arXiv", "doi": "DOI", "biorxiv": "DOI", "pmid": "PMID"}


def write_paper(one: Citation) -> bytes:
    """Return a `ScholarlyArticle`."""
    return _serialize({"@context": _CONTEXT, **article(one)})


def write_edition(cited: CitedEdition) -> bytes:
    """Return an `ItemList` of the edition's papers, in order."""
    items = [
        {"@type": "ListItem", "position": position, "item": article(one)}
        for position, one in enumerate(cited.citations, start=1)
    ]
    return _serialize(
        {
            "@context": _CONTEXT,
            "@type": "ItemList",
            "@id": cited.page,
            "name": f"{cited.title}, {cited.edition.day}",
            "numberOfItems": len(items),
            "itemListOrder": f"{_CONTEXT}/ItemListOrderAscending",
            "itemListElement": items,
        }
    )


def article(one: Citation) -> dict[str, Any]:
    """Return the paper as a JSON-LD object, without unknown values."""
    paper = one.paper
    value = {
        "@type": "ScholarlyArticle",
        "@id": one.page,
        "headline": paper.title,
        "name": paper.title,
        "author": [{"@type": "Person", "name": name} for name in paper.authors],
        "datePublished": one.dated.isoformat(),
        "dateModified": paper.updated_at.date().isoformat() if paper.updated_at else None,
        "identifier": [
            {"@type": "PropertyValue", "propertyID": _SCHEMES[kind], "value": it}
            for kind, it in paper.identifiers.items()
            if kind in _SCHEMES
        ],
        "url": web_address(one.url),
        "sameAs": sorted({web_address(url) for url in one.links.values()} - {""}),
        "abstract": one.abstract,
        "description": one.text if one.is_gist else "",
        "keywords": [*paper.categories, *paper.keywords],
        "license": web_address(paper.licence or ""),
        "creativeWorkStatus": "Withdrawn" if paper.withdrawn else "",
        "version": paper.version,
    }
    return {name: known for name, known in value.items() if known}


def _serialize(value: dict[str, Any]) -> bytes:
    return (json.dumps(value, ensure_ascii=False, indent=1) + "\n").encode("utf-8", "replace")
