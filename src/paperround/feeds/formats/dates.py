"""Parse dates: `read_date` those of sources and files, `period_of` those of bibliographies.

    2026-01-05T08:00:00Z   2026-1-5   2026/1/5   Mon, 05 Jan 2026 08:00:00 GMT   Mon, 05 Jan 2026
    January 5th, 2026      5-Jan-2026   2026-01   Jan 2026   2026

Numbers before a year are not read: `3/5/2026` may be in March or in May.
"""

import re
from calendar import monthrange
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from email.utils import parsedate_to_datetime

from paperround.core.errors import InvalidInput
from paperround.core.times import midnight_utc, parse_instant

FIRST_YEAR, LAST_YEAR = 1900, 2100
"""Papers of other years are mistakes of their source."""

_LONGEST = 100
_SHOWN = 60
_YEAR_FIRST = re.compile(r"(\d{4,5})-", re.ASCII)
_YEAR_FIRST_DAY = re.compile(r"(\d{4})([-/.])(\d{1,2})\2(\d{1,2})(?!\d)(.*)", re.ASCII)
_BARE_ZONE = re.compile(r"\s?(?:Z|[+-]\d\d:?\d\d)", re.ASCII | re.IGNORECASE)
_SPACED_ZONE = re.compile(r"\s+(?=(?:Z|[+-]\d\d:?\d\d)\Z)", re.ASCII | re.IGNORECASE)
_GREENWICH = re.compile(r"\s?(?:UTC?|GMT)\Z", re.ASCII | re.IGNORECASE)
_WEEKDAY = r"(?:(?:mon|tue|wed|thu|fri|sat|sun)[a-z]{0,6}\.?,?\s)?"
_DAY, _MONTH, _YEAR = (
    r"(?P<day>\d{1,2})(?:st|nd|rd|th)?",
    r"(?P<month>[a-z]{3,9})\.?",
    r"(?P<year>\d{4})",
)
_TIME = r"(?:,?\s(?:at\s)?\d{1,2}:\d\d.{0,40})?"
_SHAPES = tuple(
    re.compile(shape, re.ASCII | re.IGNORECASE)
    for shape in (
        rf"{_WEEKDAY}{_DAY}[\s-]{_MONTH},?[\s-]{_YEAR}{_TIME}",
        rf"{_WEEKDAY}{_MONTH}\s{_DAY},?\s{_YEAR}{_TIME}",
        rf"{_YEAR}[\s-]{_MONTH}(?:[\s-]{_DAY})?",
        rf"{_MONTH},?[\s-]{_YEAR}",
        rf"{_YEAR}(?:[-/.](?P<month>\d{{1,2}}))?",
    )
)
_MONTHS = tuple(
    "january february march april may june july august september october november december".split()
)


@dataclass(frozen=True, slots=True, kw_only=True)
class DateRange:
    """The days a date may mean: one day, a month or a year."""

    first: date
    last: date


def days_meant(year: int, month: int = 0, day: int = 0) -> DateRange:
    """Return the days of a year, of a month, or one day; raises ValueError."""
    if day:
        only = date(year, month, day)
        return DateRange(first=only, last=only)
    last = monthrange(year, month or 12)[1]
    return DateRange(first=date(year, month or 1, 1), last=date(year, month or 12, last))


@dataclass(frozen=True, slots=True, kw_only=True)
class StatedDate:
    """A date as precisely as stated: the days it may mean, and the instant if stated. For a day
    that is its midnight UTC; for a month or a year None."""

    period: DateRange
    at: datetime | None

    @property
    def start(self) -> datetime:
        """The first instant it may mean, in UTC."""
        return self.at or midnight_utc(self.period.first)


def read_date(text: str) -> StatedDate | None:
    """Parse `text`; return None for an impossible year of a paper, such as 0000 or 9999.

    Raises InvalidInput when it is no date.
    """
    text = " ".join(text[: _LONGEST + 1].split())
    year = _YEAR_FIRST.match(text)
    if year and not FIRST_YEAR <= int(year[1]) <= LAST_YEAR:
        return None
    found = None
    if len(text) <= _LONGEST:
        found = _parse_standard(_normalize(text)) or _parse_partial(text)
    if found is None:
        shown = text[:_SHOWN]
        raise InvalidInput(f"{shown!r} is not a date: write it like 2026-01-30")
    return found if FIRST_YEAR <= found.period.first.year <= LAST_YEAR else None


def _parse_standard(text: str) -> StatedDate | None:
    """Parse RFC 3339 or RFC 822."""
    try:
        if not text[:4].isdecimal():
            parsed = parsedate_to_datetime(text)
            text = (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).isoformat()
        moment = parse_instant(text)
    except (InvalidInput, ValueError, OverflowError, IndexError, TypeError):
        return None
    day = moment.date()
    return StatedDate(period=DateRange(first=day, last=day), at=moment)


def _normalize(text: str) -> str:
    """Add zeros to a date that begins with a year, and drop the offset of a bare day."""
    numbers = _YEAR_FIRST_DAY.fullmatch(text)
    if numbers is None:
        return text
    year, _, month, day, rest = numbers.groups()
    if _BARE_ZONE.fullmatch(rest):
        rest = ""
    rest = _SPACED_ZONE.sub("", _GREENWICH.sub("Z", rest))
    return f"{year}-{month:0>2}-{day:0>2}{rest}"


def _parse_partial(text: str) -> StatedDate | None:
    """Parse a day, a month or a year in words."""
    match = next(filter(None, (shape.fullmatch(text) for shape in _SHAPES)), None)
    if match is None:
        return None
    parts = match.groupdict()
    year, day = int(parts["year"]), int(parts.get("day") or 0)
    try:
        period = days_meant(year, _month_number(parts["month"]) if parts["month"] else 0, day)
    except ValueError:
        return None
    return StatedDate(period=period, at=midnight_utc(period.first) if day else None)


def _month_number(word: str) -> int:
    """Return the number of a month; raises ValueError."""
    if word.isdecimal():
        return int(word)
    word = "sep" if word.casefold() == "sept" else word.casefold()
    return _MONTHS.index(next((name for name in _MONTHS if name.startswith(word)), word)) + 1


# --- dates of references -----------------------------------------------------------------------

_PART = re.compile(r"\d+|[^\W\d_]+")
_MOST_PARTS = 8
_SHORT_MONTHS = tuple(name[:3] for name in _MONTHS)
_REFERENCE_COMPACT = re.compile(r"\s*(\d{4})(\d\d)(\d\d)(?:t[\d:.]+z?)?\s*", re.ASCII)


def period_of(text: str) -> DateRange | None:
    """Return the days meant by `2026`, `2026-01`, `2026/01/28/`, `20260128`, `2026///`, `28 Jan
    2026` or an instant; of a range, the days of its first date.

    None without a year from 1900 to 2100. Numbers before the year are not read as a month, because
    their order is ambiguous.
    """
    text = text[:_LONGEST].casefold()
    if match := _REFERENCE_COMPACT.fullmatch(text):
        text = "-".join(match.groups())
    parts = _PART.findall(text)[:_MOST_PARTS]
    years = [place for place, part in enumerate(parts) if _is_year(part)]
    if not years:
        return None
    at, end = [*years, len(parts)][:2]
    year, before, after = int(parts[at]), _numbers(parts[:at]), _numbers(parts[at + 1 : end])
    month = next((_SHORT_MONTHS.index(one[:3]) + 1 for one in parts if one[:3] in _SHORT_MONTHS), 0)
    named = [month, *(before or after)[:1]] if month else after[:2]
    for numbers in (named, named[:1]):  # the most precise valid one: all June for a 31 June
        try:
            return days_meant(year, *numbers)
        except ValueError:
            continue
    return days_meant(year)


def _is_year(part: str) -> bool:
    return part.isdecimal() and len(part) == 4 and FIRST_YEAR <= int(part) <= LAST_YEAR


def _numbers(parts: Sequence[str]) -> list[int]:
    return [int(part) for part in parts if part.isdecimal() and len(part) <= 2]
