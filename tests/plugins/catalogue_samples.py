"""Invented works as OpenAlex and Crossref would answer them, and recorded answers of Crossref."""

import json
from typing import Any


def openalex_work(number: int = 1, /, **fields: Any) -> dict[str, Any]:
    """A work of OpenAlex; `None` takes nothing away, it is what OpenAlex writes for unknown."""
    return {
        "id": f"https://openalex.org/W{number}",
        "doi": f"https://doi.org/10.1000/work.{number}",
        "ids": {
            "openalex": f"https://openalex.org/W{number}",
            "pmid": f"https://pubmed.ncbi.nlm.nih.gov/{4000 + number}",
        },
        "title": f"Work {number}",
        "display_name": f"Work {number}",
        "publication_date": "2026-01-27",
        "type": "article",
        "is_paratext": False,
        "is_retracted": False,
        "authorships": [
            {
                "author": {"display_name": "Ada Lovelace"},
                "raw_author_name": "Lovelace, A.",
                "institutions": [{"display_name": "University of Somewhere"}],
            },
            {"author": {"display_name": None}, "raw_author_name": "A. Turing", "institutions": []},
        ],
        "primary_location": {
            "landing_page_url": f"https://doi.org/10.1000/work.{number}",
            "pdf_url": None,
            "license": "cc-by",
            "source": {"display_name": "Journal of Examples"},
        },
        "best_oa_location": {"pdf_url": f"https://journal.example/{number}.pdf"},
        "locations": [{"landing_page_url": f"https://doi.org/10.1000/work.{number}"}],
        "primary_topic": {"field": {"display_name": "Computer Science"}},
        "topics": [{"display_name": "Graphs"}],
        "keywords": [{"display_name": "Colouring"}, {"keyword": "Graphs"}],
        "abstract_inverted_index": {"We": [0], "study": [1, 3], "a": [2]},
        "cited_by_count": 3,
        **fields,
    }


def openalex_list(*works: object, count: object = None, next_cursor: object = None) -> bytes:
    """A page of works."""
    total = len(works) if count is None else count
    meta = {"count": total, "per_page": 100, "next_cursor": next_cursor}
    return json.dumps({"meta": meta, "results": works, "group_by": []}).encode()


def crossref_work(number: int = 1, /, **fields: Any) -> dict[str, Any]:
    """A work of Crossref."""
    return {
        "DOI": f"10.1000/Work.{number}",
        "type": "journal-article",
        "title": [f"Work {number}"],
        "abstract": "<jats:title>Abstract</jats:title><jats:p>We study.</jats:p>",
        "author": [
            {"given": "Ada", "family": "Lovelace", "sequence": "first"},
            {"name": "The Study Group", "sequence": "additional"},
        ],
        "created": {"date-parts": [[2026, 1, 27]], "date-time": "2026-01-27T09:30:00Z"},
        "issued": {"date-parts": [[2026, 1]]},
        "container-title": ["Journal of Examples"],
        "license": [
            {
                "URL": "https://creativecommons.org/licenses/by/4.0/",
                "content-version": "vor",
                "delay-in-days": 0,
            }
        ],
        "is-referenced-by-count": 3,
        **fields,
    }


def crossref_list(*works: object, total: object = None, mark: object = "mark") -> bytes:
    """A page of works; Crossref names a next page after the last one too."""
    message = {
        "total-results": len(works) if total is None else total,
        "next-cursor": mark,
        "items": works,
    }
    return json.dumps(
        {
            "status": "ok",
            "message-type": "work-list",
            "message-version": "1.0.0",
            "message": message,
        }
    ).encode()
