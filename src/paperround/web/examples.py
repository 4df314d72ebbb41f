"""Example responses of the public API, for the OpenAPI schema. They contain no null, because
FastAPI would omit it."""

from typing import Any

from pydantic import ConfigDict

SITE = "https://papers.example.org"
_ABSTRACT = "https://arxiv.org/abs/2603.00001"

PAPER: dict[str, Any] = {
    "id": 7,
    "title": "Dense retrieval",
    "authors": ["Ada Ring", "Bo Stone"],
    "text": "Dense passages are found.",
    "shown": "full",
    "identifiers": {"arxiv": "2603.00001"},
    "categories": ["cs.IR"],
    "keywords": [],
    "links": {"abstract": _ABSTRACT},
    "page": f"{SITE}/papers/2603.00001",
    "files": {"bib": f"{SITE}/papers/2603.00001.bib"},
    "listed_on": "2026-03-02",
    "published_at": "2026-03-01T17:00:00Z",
    "updated_at": "2026-03-02T09:30:00Z",
    "version": 2,
    "withdrawn": False,
    "comment": "12 pages, 3 figures",
    "licence": "https://creativecommons.org/licenses/by/4.0/",
    "organization": "Ring Lab",
}
PAPERS: dict[str, Any] = {"items": [PAPER], "next_cursor": "cGFwZXJzOjc"}
PLACED: dict[str, Any] = {
    "position": 1,
    "id": 7,
    "title": "Dense retrieval",
    "authors": ["Ada Ring", "Bo Stone"],
    "gist": "Dense passages are found.",
    "reason": "82 votes, 40 since yesterday",
    "score": 6.0194,
    "parts": {"votes": 4.6052, "recency": 1.4142},
    "votes": 82,
    "comments": 3,
    "identifiers": {"arxiv": "2603.00001"},
    "links": {"abstract": _ABSTRACT},
    "withdrawn": False,
}
TRENDING: dict[str, Any] = {
    "list": "trending",
    "period": "week",
    "items": [{**PLACED, "date": "2026-03-02", "cut": "3"}],
}
EDITION: dict[str, Any] = {
    "list": "trending",
    "date": "2026-03-02",
    "cut": "3",
    "as_of": "2026-03-02T18:00:00Z",
    "frozen_at": "2026-03-02T18:00:04Z",
    "ranker": "trending-3",
    "quiet": "",
    "sources": ["arxiv-ml: 34 new"],
    "papers": [PLACED],
}
FORMULA: dict[str, Any] = {
    "ranker": "trending-3",
    "parts": [{"names": ["votes"], "amount": "ln(1 + v)", "when": "votes are known"}],
    "symbols": {"v": "votes"},
    "constants": [{"name": "half_life", "value": 24.0, "meaning": "hours"}],
    "outcomes": 4210,
}
LISTS: dict[str, Any] = {
    "items": [
        {
            "name": "trending",
            "title": "Trending papers",
            "timezone": "UTC",
            "feeds": {"atom": f"{SITE}/feeds/trending.atom"},
        }
    ],
    "next_cursor": "bGlzdHM6MQ",
}
SEARCH: dict[str, Any] = {
    "items": [
        {
            "id": 7,
            "title": "Dense retrieval",
            "authors": ["Ada Ring"],
            "identifiers": {"arxiv": "2603.00001"},
            "categories": ["cs.IR"],
            "links": {"abstract": _ABSTRACT},
            "listed_on": "2026-03-02",
            "published_at": "2026-03-01T17:00:00Z",
            "withdrawn": False,
            "excerpt": "Dense passages are found.",
            "marks": [[0, 5]],
        }
    ],
    "total": 45,
    "suggestion": "dense retrieval",
    "next_cursor": "c2VhcmNoOjkyMTYx",
}
THEIR_PAPER: dict[str, Any] = {
    "id": "2603.00001",
    "title": "Dense retrieval",
    "summary": "Dense passages are found.",
    "authors": [{"name": "Ada Ring", "hidden": False}],
    "publishedAt": "2026-03-01T17:00:00Z",
    "submittedOnDailyAt": "2026-03-02T18:00:04Z",
    "upvotes": 82,
    "numComments": 3,
    "organization": {"name": "Ring Lab", "fullname": "Ring Lab"},
    "githubRepo": "https://code.example.org/ring/dense",
    "githubStars": 120,
}
THEIR_HIT: dict[str, Any] = {
    "paper": THEIR_PAPER,
    "title": "Dense retrieval",
    "summary": "Dense passages are found.",
    "publishedAt": "2026-03-02T18:00:04Z",
    "numComments": 3,
    "organization": {"name": "Ring Lab", "fullname": "Ring Lab"},
}
THEIR_DAY: dict[str, Any] = {**THEIR_HIT, "isAuthorParticipating": False}


def example_config(example: dict[str, Any]) -> ConfigDict:
    """Return the configuration of a model with this example."""
    return ConfigDict(json_schema_extra={"examples": [example]})
