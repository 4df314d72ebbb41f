"""Small answers of the details API of bioRxiv and medRxiv, written by hand.

No recorded answer was at hand: the envelope and the fields of a row follow the API's own
description and what programs that read it expect. The papers are invented.
"""

import json
from typing import Any


def row(number: int = 1, **fields: Any) -> dict[str, Any]:
    """One row of a collection; `fields` take the place of those it has."""
    return {
        "doi": f"10.64898/2026.01.27.{number:06}",
        "title": f"Study {number}",
        "authors": "Lovelace, A. K.; Turing, A.",
        "author_corresponding": "Ada Lovelace",
        "author_corresponding_institution": "University of Somewhere",
        "date": "2026-01-27",
        "version": "1",
        "type": "new results",
        "license": "cc_by",
        "category": "neuroscience",
        "jatsxml": "https://www.biorxiv.org/content/early/2026/01/27/x.source.xml",
        "abstract": f"We present study {number}.",
        "funder": "NA",
        "published": "NA",
        "server": "bioRxiv",
        **fields,
    }


def collection(
    *rows: object, total: object = None, status: object = "ok", **message: object
) -> bytes:
    """An answer with these rows, by itself of as many in all."""
    first = {
        "status": status,
        "category": "all",
        "interval": "2026-01-25:2026-01-28",
        "funder": "all",
        "cursor": 0,
        "count": len(rows),
        "count_new_papers": str(len(rows)),
        "total": str(len(rows)) if total is None else total,
        **message,
    }
    return json.dumps({"messages": [first], "collection": rows}).encode()


NOTHING = b'{"messages": [{"status": "no posts found"}], "collection": []}'
