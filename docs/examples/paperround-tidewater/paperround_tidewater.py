"""Tidewater Preprints, an invented server, as a source of Paperround.

`GET /api/papers?since=2026-01-05&page=1` returns `{"papers": [{"doi", "title", "abstract",
"authors", "posted"}], "pages": 3}`.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, ClassVar

from paperround.core.errors import InvalidInput
from paperround.feeds.formats.entries import batch_of, day_of, doi_of, text_of, texts_of, title_of
from paperround.feeds.model import FeedState, Setting
from paperround.feeds.sources.base import Source, days_setting, oldest_day, read
from paperround.http.model import FetchRequest, Page
from paperround.papers.model import ParsedBatch, Record

BASE = "https://tidewater.example/api/papers"


@dataclass(frozen=True, slots=True)
class Place:
    """A page of the papers that were posted since a day."""

    since: date
    page: int = 1


class Tidewater(Source[Place]):
    """The source `tidewater`."""

    kind = "tidewater"
    settings: ClassVar[Mapping[str, Setting]] = {
        "days": days_setting("How many days before today are read again, 0 to 30 (default 1)."),
    }
    place = Place

    def first(self, state: FeedState, now: datetime) -> Place:
        """The first page of the days that a poll reads."""
        return Place(since=oldest_day(state, now, days=self.days_back(state.settings)))

    def request(self, place: Place, state: FeedState) -> FetchRequest:
        """The request for a page; two seconds pass between two of them."""
        url = f"{state.url or BASE}?since={place.since}&page={place.page}"
        return FetchRequest(url=url, limiter="tidewater", interval_seconds=2.0)

    def read_page(self, page: Page, place: Place) -> tuple[ParsedBatch, Place | None]:
        """The papers of a page, and the next page; None after the last."""
        said = read(page, _object)
        papers, pages = said.get("papers"), said.get("pages")
        if not isinstance(papers, list) or not isinstance(pages, int):
            raise InvalidInput("the response has no list of papers")
        following = replace(place, page=place.page + 1) if place.page < pages else None
        return batch_of(papers, lambda paper: [_record(paper)], str), following


def _object(body: bytes) -> dict[str, Any]:
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        said = None
    if not isinstance(said, dict):
        raise InvalidInput("the response is no JSON object")
    return said


def _record(paper: dict[str, Any]) -> Record:
    """One paper; raises BadEntry, which makes it a reject, for one without a title."""
    doi = doi_of(text_of(paper, "doi") or "")
    return Record(
        title=title_of(paper),
        abstract=text_of(paper, "abstract") or "",
        authors=texts_of(paper, "authors"),
        identifiers=dict([doi] if doi else []),
        listed_on=day_of(paper, "posted"),
        links={"abstract": f"https://doi.org/{doi[1]}"} if doi else {},
    )
