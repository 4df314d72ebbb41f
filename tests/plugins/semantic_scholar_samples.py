"""Small answers of Semantic Scholar, written by hand. The papers are invented.

Tokens, paging and errors follow recorded answers and the service's own description; licences and
external ids other than DOIs follow the description alone.
"""

import json
from typing import Any


def paper(number: int = 1, **fields: Any) -> dict[str, Any]:
    """One paper; `fields` take the place of those it has."""
    return {
        "paperId": f"{number:040x}",
        "externalIds": {"DOI": f"10.1234/Study.{number}", "CorpusId": 700 + number},
        "title": f"Study {number}",
        "abstract": f"We present study {number}.",
        "venue": "Journal of Tests",
        "year": 2026,
        "citationCount": 4,
        "influentialCitationCount": 1,
        "openAccessPdf": None,
        "fieldsOfStudy": ["Biology"],
        "publicationDate": "2026-01-27",
        "authors": [{"authorId": "1", "name": "Ada Lovelace"}],
        **fields,
    }


def bulk(*rows: object, total: object = None, token: object = None) -> bytes:
    """A page of the bulk search."""
    said = {"total": len(rows) if total is None else total, "token": token, "data": rows}
    return json.dumps(said).encode()


def pdf(licence: str | None, url: str = "https://papers.example.org/1.pdf") -> dict[str, Any]:
    """An open copy."""
    return {"url": url, "status": "GREEN", "license": licence, "disclaimer": "Notice"}
