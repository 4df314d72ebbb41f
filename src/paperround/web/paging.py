"""Cursor pagination, and dates, row ids and page numbers in URLs.

A cursor is opaque and valid for one collection only. It contains no secret, so it is not signed.
"""

import base64
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any

from fastapi import Depends, Path, Query
from pydantic import BeforeValidator, Field
from starlette.convertors import StringConvertor, register_url_convertor

from paperround.core.errors import InvalidInput
from paperround.papers.model import PaperId
from paperround.web.models import CursorPage, R

MAX_LIMIT = 500
MAX_ROW_ID = 2**63 - 1
"""The largest row id."""

_CURSOR = re.compile(r"([a-z]+):([1-9]\d{0,18})", re.ASCII)
_DATE = re.compile(r"(?:19|2[01])\d{2}-\d{2}-\d{2}", re.ASCII)


@dataclass(frozen=True, slots=True)
class PageRequest:
    """The page that a request wants: at most `limit` rows, starting at `cursor`."""

    limit: int
    cursor: str | None

    @property
    def rows(self) -> int:
        """The number of rows to read: one more than `limit`, to see if there is a next page."""
        return self.limit + 1

    def last_id(self, collection: str) -> int | None:
        """Return the id of the previous page's last row, None at the start. Raises InvalidInput."""
        if self.cursor is None:
            return None
        padded = self.cursor + "=" * (-len(self.cursor) % 4)
        try:
            text = base64.b64decode(padded, altchars=b"-_", validate=True).decode("ascii")
        except ValueError:
            text = ""
        found = _CURSOR.fullmatch(text)
        if found is None or found[1] != collection or int(found[2]) > MAX_ROW_ID:
            raise InvalidInput(
                "that is not a cursor of this collection: use `next_cursor` of the previous page, "
                "or none to start",
                code="cursor",
            )
        return int(found[2])

    def next_cursor(self, collection: str, numbers: Sequence[int]) -> str | None:
        """Return the cursor of the next page, given the ids of the rows read; None at the end."""
        if len(numbers) <= self.limit:
            return None
        cursor = f"{collection}:{numbers[self.limit - 1]}"
        return base64.urlsafe_b64encode(cursor.encode()).decode().rstrip("=")

    def page(
        self, collection: str, found: Sequence[Any], item: Callable[[Any], R]
    ) -> CursorPage[R]:
        """Return a page of the rows read, at most `rows` of them, each turned into an `item`."""
        cursor = self.next_cursor(collection, [one.id for one in found])
        return CursorPage(items=[item(one) for one in found[: self.limit]], next_cursor=cursor)


def _page_request(
    limit: Annotated[int, Query(ge=1, le=MAX_LIMIT, description="Rows per page.")] = 50,
    cursor: Annotated[
        str | None,
        Query(max_length=100, description="`next_cursor` of the previous page; none to start."),
    ] = None,
) -> PageRequest:
    return PageRequest(limit, cursor)


def _require_iso_date(value: object) -> object:
    """Accept a date as ISO text only: pydantic would take a number for seconds since 1970."""
    if not (isinstance(value, str) and _DATE.fullmatch(value)):
        raise ValueError("Enter a date like 2026-01-30.")
    return value


Day = Annotated[date, Field(strict=False), BeforeValidator(_require_iso_date)]
"""A date in a URL or a body, of a year to which days can be added."""

Paging = Annotated[PageRequest, Depends(_page_request)]
RowNumber = Annotated[int, Path(ge=1, le=MAX_ROW_ID)]


def page_number(text: str, most: int) -> int:
    """Return the page number in a URL, at most `most`; an invalid one is 1."""
    is_number = text.isascii() and text.isdecimal() and len(text) < 6
    return min(max(int(text), 1), most) if is_number else 1


def parse_paper_id(text: str) -> PaperId | None:
    """Parse a paper's id in a form; None if invalid. More than 18 digits are never valid, and very
    long numbers are slow to parse."""
    is_number = text.isascii() and text.isdecimal() and len(text) <= 18
    return PaperId(int(text)) if is_number else None


def path_choices(name: str, choices: Iterable[str]) -> None:
    """Let routes name a part of their path `{...:name}`, which is one of `choices`."""

    class Choice(StringConvertor):
        regex = "|".join(choices)

    register_url_convertor(name, Choice())
