"""Parse Hugging Face Daily Papers: the JSON of its API over the years, and of archives.

A day is a list of rows, bare or under `data`; some archives store each row as a Python literal, and
an empty day as `1`. An error is JSON too and never counts as an empty day.

`submittedOnDailyAt` is the listing date. The outer `publishedAt` was the listing date until March
2025 and a shifted arXiv date since then, so it is not read.
"""

import ast
import json
from itertools import accumulate
from typing import Any

from paperround.core.errors import InvalidInput, UnreadableFile
from paperround.feeds.formats.entries import (
    BadEntry,
    Entry,
    batch_of,
    counts_of,
    fingerprint,
    identifiers_of,
    instant_of,
    links_of,
    storable,
    text_of,
    texts_of,
    title_of,
    with_fingerprint,
)
from paperround.papers.model import ParsedBatch, Record

_EXCERPT = 200
_LONGEST_LITERAL = 1_000_000
_DEEPEST_LITERAL = 60


def read_hf_daily(content: bytes) -> ParsedBatch:
    """Return the papers of a response; raises InvalidInput when it is no list of papers."""
    return batch_of(
        _rows(content),
        lambda row: [_row_record(_parse_literal(row) if isinstance(row, str) else row)],
        lambda row: row if isinstance(row, str) else json.dumps(row)[:1000],
    )


def read_hf_paper(content: bytes) -> ParsedBatch:
    """Return the paper of a response about one paper, which is flat. Raises InvalidInput."""
    try:
        paper = json.loads(content)
    except (ValueError, RecursionError):
        paper = None
    if not isinstance(paper, dict) or "error" in paper:
        raise InvalidInput("Hugging Face answered no paper")
    try:
        return ParsedBatch(records=(_record({}, paper),))
    except BadEntry as problem:
        raise InvalidInput(f"Hugging Face returned no paper: {problem.detail}") from None


def _rows(content: bytes) -> list[Any]:
    try:
        day = json.loads(content.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise UnreadableFile(f"the file is not the JSON of Daily Papers: {error}") from None
    if type(day) is int and day == 1:
        return []
    if isinstance(day, dict) and "error" in day:
        raise InvalidInput(f"Hugging Face returned an error, not papers: {day['error']!r:.200}")
    rows = day.get("data") if isinstance(day, dict) else day
    if not isinstance(rows, list):
        excerpt = json.dumps(day, ensure_ascii=False)[:_EXCERPT]
        raise InvalidInput(f"the JSON is not a list of papers of daily_papers, it says: {excerpt}")
    return rows


def _parse_literal(text: str) -> object:
    """Parse a Python literal, without executing code."""
    steps = (1 if char in "([{" else -1 for char in text if char in "()[]{}")
    if len(text) > _LONGEST_LITERAL or max(accumulate(steps, initial=0)) > _DEEPEST_LITERAL:
        raise BadEntry("too-long", "the row is too long or nested too deeply to be a paper")
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError) as error:
        raise BadEntry("not-a-literal", f"the row is not a Python literal: {error}") from None


def _row_record(row: object) -> Record:
    paper = row.get("paper") if isinstance(row, dict) else None
    if not isinstance(row, dict) or not isinstance(paper, dict):
        raise BadEntry("not-a-paper", "the row is not an object with a paper in it")
    return _record(row, paper)


def _record(row: Entry, paper: Entry) -> Record:
    texts = {key: paper.get(key) or row.get(key) for key in ("title", "summary")}
    identifiers = identifiers_of(paper)
    if not identifiers:
        raise BadEntry("no-id", "the paper has no id")
    listed_at = instant_of(paper, "submittedOnDailyAt")
    holders = (paper.get("organization"), row.get("organization"))
    organization = next((one for one in holders if isinstance(one, dict)), {})
    media = paper.get("mediaUrls") or row.get("mediaUrls") or row.get("mediaUrl")
    known = identifiers.get("arxiv")
    record = Record(
        title=title_of(texts),
        abstract=text_of(texts, "summary") or "",
        identifiers=identifiers,
        authors=_authors(paper),
        keywords=texts_of(paper, "ai_keywords"),
        links=links_of(
            {
                "code": paper.get("githubRepo"),
                "project": paper.get("projectPage"),
                "discussion": f"https://huggingface.co/papers/{known}" if known else None,
                "media": media[0] if isinstance(media, list) and media else media,
                "thumbnail": row.get("thumbnail"),
            }
        ),
        listed_on=listed_at.date() if listed_at else None,
        listed_at=listed_at,
        published_at=instant_of(paper, "publishedAt"),
        withdrawn=paper.get("withdrawnAt") is not None,
        organization=text_of(organization, "fullname") or text_of(organization, "name"),
        submitter=_submitter(row, paper),
        counts=(
            *counts_of(paper, None, {"upvotes": "upvotes", "githubStars": "github_stars"}),
            *counts_of(row, None, {"numComments": "comments"}),
        ),
    )
    return with_fingerprint(record)


def _authors(paper: Entry) -> tuple[str, ...]:
    """Return the names in order, without authors who asked to be hidden."""
    authors = paper.get("authors") or []
    if not isinstance(authors, list):
        raise BadEntry("wrong-type", "authors must be a list")
    names = []
    for author in authors:
        if not isinstance(author, dict) or not isinstance(author.get("name"), str):
            raise BadEntry("wrong-type", "an author must be an object with a name")
        if author.get("hidden") is not True:
            names.append(storable(author["name"]))
    return tuple(name for name in names if name.strip())


def _submitter(row: Entry, paper: Entry) -> str | None:
    """Return an opaque key of the submitter, the same for the same person."""
    for person in (paper.get("submittedOnDailyBy"), row.get("submittedBy")):
        if isinstance(person, dict):
            key = text_of(person, "_id") or text_of(person, "user") or text_of(person, "name")
            return fingerprint(key.encode())[:16] if key else None
    return None
