"""Dates as PubMed writes them: in parts, with months as numbers or words, or as free text."""

import re
from collections.abc import Mapping
from datetime import date
from types import MappingProxyType

from paperround.domain.errors import InvalidInput
from paperround.domain.times import parse_date
from paperround.sources.entries import BadEntry
from paperround.sources.xml import Node

_YEAR = re.compile(r"\s*(\d{4})\s*", re.ASCII)
_DAY = re.compile(r"\s*(\d{1,2})\s*", re.ASCII)
_MEDLINE_DATE = re.compile(r"\D{0,10}(\d{4})(?:\s*-\s*\d{4})?\s*([A-Za-z]{3})?", re.ASCII)
_MONTHS: Mapping[str, int] = MappingProxyType(
    {
        name: number
        for number, name in enumerate(
            "jan feb mar apr may jun jul aug sep oct nov dec".split(), start=1
        )
    }
)


def first_day(stated: Node) -> date | None:
    """The first day of what is stated: of `1998 Dec-1999 Jan` the first of December 1998.

    None where nothing is stated; raises BadEntry for what is no date.
    """
    year, month = stated.said("Year"), stated.said("Month") or ""
    if year is None:
        loose = _MEDLINE_DATE.match(stated.said("MedlineDate") or "")
        if loose is None:
            return None
        year, month = loose[1], loose[2] or ""
    text = f"{_number(_YEAR, year):04}-{_month(month):02}-{_number(_DAY, stated.said('Day')):02}"
    if not "1900" <= text < "2200":
        return None  # as the other readers have it: a year no article is of says nothing
    try:
        return parse_date(text)
    except InvalidInput as error:
        raise BadEntry("bad-date", str(error)) from None


def _month(stated: str) -> int:
    """The number of a month, written as a number or as a word; a season is not told apart."""
    word = stated.strip()[:3].casefold()
    return _MONTHS.get(word) or _number(_DAY, stated if stated[:1].isdecimal() else None)


def _number(shape: re.Pattern[str], stated: str | None) -> int:
    """The number that is stated, 1 where there is none."""
    if stated is None:
        return 1
    match = shape.fullmatch(stated)
    if match is None:
        raise BadEntry("bad-date", f"{stated!r:.40} is no part of a date")
    return int(match[1])
