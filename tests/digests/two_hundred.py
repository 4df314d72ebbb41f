"""Two hundred records of every format, the hundredth of which is broken.

    SAMPLES["csv"].file()     a file of 199 papers and one row that is none
    SAMPLES["csv"].file([])   the 199 alone

The papers are invented. Sources that are read by themselves answer in one of these formats.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tests.feeds import arxiv_samples
from tests.plugins import (
    biorxiv_samples,
    catalogue_samples,
    pubmed_samples,
    semantic_scholar_samples,
)
from tests.plugins.arxiv_oai_samples import FULL, listed, record

GOOD = 199
_BEFORE = 99
"""Good records in front of the broken ones."""

Piece = Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """How a format writes the record of a number, a broken one, and a file of some."""

    good: Callable[[int], Piece]
    bad: Piece
    joined: Callable[[Iterable[Piece]], bytes]
    reason: str

    def file(self, broken: Sequence[Piece] | None = None) -> bytes:
        """199 papers with the `broken` ones among them, by itself with the one that is `bad`."""
        good = [self.good(number) for number in range(1, GOOD + 1)]
        put = [self.bad] if broken is None else broken
        return self.joined([*good[:_BEFORE], *put, *good[_BEFORE:]])


def _lines(pieces: Iterable[str]) -> bytes:
    return "\n".join(pieces).encode("utf-8", "surrogatepass") + b"\n"


def _json_lines(pieces: Iterable[Piece]) -> bytes:
    return _lines(one if isinstance(one, str) else json.dumps(one) for one in pieces)


def _unpacked(many: Callable[..., bytes]) -> Callable[[Iterable[Piece]], bytes]:
    return lambda pieces: many(*pieces)


def paper_line(number: int) -> dict[str, Any]:
    return {
        "id": f"2601.{number:05}",
        "title": f"Study {number}",
        "summary": "We study.",
        "authors": ["Ada Lovelace"],
        "categories": ["cs.AI"],
        "keywords": ["tides"],
        "listed_on": "2026-01-28",
        "published_at": "2026-01-27T10:00:00Z",
        "comment": "9 pages",
        "organization": "lab",
        "github_repo": "https://github.com/a/b",
        "project_page": "https://a.example",
        "submitter": "somebody",
        "upvotes": 3,
        "comments": 1,
        "github_stars": None,
        "captured_at": "2026-01-28T06:00:00Z",
    }


def count_line(number: int) -> dict[str, Any]:
    return {"id": f"2601.{number:05}", "captured_at": "2026-01-28T07:00:00Z", "upvotes": number}


def hf_row(number: int) -> dict[str, Any]:
    inner = {
        "id": f"2601.{number:05}",
        "title": f"Study {number}",
        "summary": "We study.",
        "authors": [{"name": "Ada Lovelace", "hidden": False}],
        "publishedAt": "2026-01-26T13:45:41.000Z",
        "submittedOnDailyAt": "2026-01-28T01:26:49.833Z",
        "submittedOnDailyBy": {"user": "somebody"},
        "upvotes": 3,
        "githubStars": 7,
        "githubRepo": "https://github.com/a/b",
        "projectPage": "https://a.example",
        "ai_keywords": ["tides"],
        "organization": {"name": "lab", "fullname": "The Lab"},
    }
    return {"paper": inner, "numComments": 3, "mediaUrls": ["https://cdn.example/a.mp4"]}


def feed_entry(number: int) -> dict[str, Any]:
    return {
        "id": str(number),
        "title": f"Study {number}",
        "url": f"https://journal.example/{number}",
        "content_html": "<p>We study.</p>",
        "authors": [{"name": "Ada Lovelace"}],
        "tags": ["Moons"],
        "date_published": "2026-01-28T06:00:00Z",
    }


def _json_feed(pieces: Iterable[Piece]) -> bytes:
    feed = {"version": "https://jsonfeed.org/version/1.1", "items": list(pieces)}
    return json.dumps(feed).encode()


def _rss_item(number: int) -> str:
    return (
        f"<item><title>Study {number}</title><link>https://journal.example/{number}</link>"
        f"<guid>{number}</guid><description>We study.</description></item>"
    )


def _rss(pieces: Iterable[str]) -> bytes:
    feed = f'<rss version="2.0"><channel>{"".join(pieces)}</channel></rss>'
    return feed.encode("utf-8", "surrogatepass")


def _oai_record(number: int) -> str:
    arxiv = f"2601.{number:05}"
    metadata = FULL.replace("2601.00001", arxiv).replace("10.1234/AB", f"10.1234/{number}")
    return record(metadata.replace("A Study", f"Study {number}"), arxiv=arxiv)


def _crossref_work(number: int) -> dict[str, Any]:
    """One that says everything that is read of a work."""
    more: dict[str, Any] = {
        "subtitle": ["Of tides"],
        "subject": ["Moons"],
        "published": {"date-parts": [[2026, 1, 27]]},
        "updated-by": [{"type": "erratum", "DOI": "10.1000/other"}],
        "relation": {"has-preprint": [{"id-type": "doi", "id": f"10.1101/{number}"}]},
    }
    return catalogue_samples.crossref_work(number, **more)


SAMPLES: Mapping[str, Sample] = {
    "page": Sample(
        good=lambda number: f"Study {number}\nWe study {'very ' * 60} long.",
        bad="A title without an abstract",
        joined=_lines,
        reason="odd-line",
    ),
    "jsonl": Sample(good=paper_line, bad='{"title": "Cut', joined=_json_lines, reason="not-json"),
    "csv": Sample(
        good=lambda number: f"2601.{number:05},Study {number}",
        bad="2601.99999,Study,one,cell,too,many",
        joined=lambda rows: _lines(["id,title", *rows]),
        reason="wrong-columns",
    ),
    "observations": Sample(
        good=count_line, bad={"id": "2601.00001"}, joined=_json_lines, reason="no-date"
    ),
    "hf": Sample(
        good=hf_row,
        bad={"paper": None},
        joined=lambda rows: json.dumps(list(rows)).encode(),
        reason="not-a-paper",
    ),
    "arxiv-rss": Sample(
        good=lambda n: arxiv_samples.item(f"2601.{n:05}v1", title=f"Study {n}"),
        bad=arxiv_samples.item("2601.99999v1", title=""),
        joined=_unpacked(arxiv_samples.rss),
        reason="no-title",
    ),
    "arxiv-atom": Sample(
        good=lambda n: arxiv_samples.entry(f"2601.{n:05}v1", title=f"Study {n}"),
        bad=arxiv_samples.entry("nonsense"),
        joined=_unpacked(arxiv_samples.answer),
        reason="no-id",
    ),
    "semantic-scholar": Sample(
        good=lambda number: semantic_scholar_samples.paper(
            number, openAccessPdf=semantic_scholar_samples.pdf("CCBY")
        ),
        bad=semantic_scholar_samples.paper(9999, title=None),
        joined=_unpacked(semantic_scholar_samples.bulk),
        reason="no-title",
    ),
    "pubmed": Sample(
        good=lambda number: pubmed_samples.article(str(number), title=f"Study {number}"),
        bad=pubmed_samples.article("9999", title=""),
        joined=_unpacked(pubmed_samples.articles),
        reason="no-title",
    ),
    "arxiv-oai": Sample(
        good=_oai_record,
        bad=record("<arXiv><id>2601.99999</id></arXiv>", arxiv="2601.99999"),
        joined=_unpacked(listed),
        reason="no-title",
    ),
    "biorxiv": Sample(
        good=biorxiv_samples.row,
        bad=biorxiv_samples.row(9999, doi=None),
        joined=_unpacked(biorxiv_samples.collection),
        reason="no-id",
    ),
    "rss": Sample(
        good=_rss_item, bad="<item><link>https://x</link></item>", joined=_rss, reason="no-title"
    ),
    "jsonfeed": Sample(good=feed_entry, bad={"id": 7}, joined=_json_feed, reason="no-title"),
    "bibtex": Sample(
        good=lambda n: f"@article{{a{n}, title={{Study {n}}}, eprint={{2601.{n:05}}}}}",
        bad="@article{cut, title={An open brace, year=2026",
        joined=_lines,
        reason="bad-bibtex",
    ),
    "ris": Sample(
        good=lambda n: f"TY  - JOUR\nTI  - Study {n}\nDO  - 10.1000/{n}\nER  - ",
        bad="TY  - JOUR\nDO  - 10.1000/9999\nER  - ",
        joined=_lines,
        reason="no-title",
    ),
    "openalex": Sample(
        good=catalogue_samples.openalex_work,
        bad=catalogue_samples.openalex_work(9999, id=None, doi=None, ids=None),
        joined=_unpacked(catalogue_samples.openalex_list),
        reason="no-id",
    ),
    "crossref": Sample(
        good=_crossref_work,
        bad=catalogue_samples.crossref_work(9999, title=[]),
        joined=_unpacked(catalogue_samples.crossref_list),
        reason="no-title",
    ),
}
"""By the name of the reader."""
