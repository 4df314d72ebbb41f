"""Parse the date of a reference: a day, a month, a year, or a range."""

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import date

_LONGEST = 100
_MOST_PARTS = 8
_PART = re.compile(r"\d+|[^\W\d_]+")
_MONTHS = tuple("jan feb mar apr may jun jul aug sep oct nov dec".split())
_FIRST_YEAR, _LAST_YEAR = 1900, 2100
_COMPACT = re.compile(r"\s*(\d{4})(\d\d)(\d\d)(?:t[\d:.]+z?)?\s*", re.ASCII)
_THROUGH = re.compile(r"[-–—/]+|\bto\b")
_MONTH = rf"(?<![a-z\d])(?:\d{{1,2}}\s*)?(?:{'|'.join(_MONTHS)})[a-z]*\.?(?:\s*\d{{1,2}}(?!\d))?"
_RANGES = (
    re.compile(rf"({_MONTH})\s*(?:[-–—/]+|\bto\b)\s*({_MONTH})"),  # Jan-Feb, 28 Jan - 3 Feb
    re.compile(r"(?<!\d)(\d{1,2})\s*(?:-{2,}|[–—])\s*(\d{1,2})(?!\d)"),  # 5--6
    re.compile(r"(?:(?<=\s)|^)(\d{1,2})\s*[-/]\s*(\d{1,2})(?![\d/-])"),  # 5-6, of no third number
)


@dataclass(frozen=True, slots=True, kw_only=True)
class DateRange:
    """The days a date may mean: one day, a month, a year, or a range."""

    first: date
    last: date


def period_of(text: str) -> DateRange | None:
    """Return the days meant by `2026`, `2026-01`, `2026/01/28/`, `20260128`, `2026///`, `28 Jan
    2026`, an instant, or a range such as `2026-01/2026-02`, `2026 5--6` or `Jan-Feb 2026`.

    None without a year from 1900 to 2100. Numbers before the year are not read as a month, because
    their order is ambiguous. A range that ends before it begins covers all its years.
    """
    text = text[:_LONGEST].casefold()
    if match := _COMPACT.fullmatch(text):
        text = "-".join(match.groups())
    ends = _split_range(text)
    if ends is None:
        return _parse_single(text)
    first, last = _parse_single(ends[0]), _parse_single(ends[1])
    if first is None or last is None:
        return _parse_single(text)
    if first.first <= last.last:
        return DateRange(first=first.first, last=last.last)
    years = sorted((first.first.year, last.last.year))
    return DateRange(first=date(years[0], 1, 1), last=date(years[1], 12, 31))


def _split_range(text: str) -> tuple[str, str] | None:
    """Return the first and the last date of a range; None when it is none."""
    if len([part for part in _PART.findall(text) if _is_year(part)]) > 1 and (
        whole := _split_years(text)
    ):
        return whole
    for pattern in _RANGES:
        if match := pattern.search(text):
            before, after = text[: match.start()], text[match.end() :]
            return before + match[1] + after, before + match[2] + after
    return None


def _split_years(text: str) -> tuple[str, str] | None:
    """Split two dates with a year each, where both sides have the most similar length."""
    sides = ((text[: sign.start()], text[sign.end() :]) for sign in _THROUGH.finditer(text))
    parts = {side: tuple(map(_PART.findall, side)) for side in sides}
    dated = [side for side, two in parts.items() if all(any(map(_is_year, one)) for one in two)]
    return min(dated, key=lambda side: abs(len(parts[side][0]) - len(parts[side][1])), default=None)


def _parse_single(text: str) -> DateRange | None:
    parts = _PART.findall(text)[:_MOST_PARTS]
    at = next((place for place, part in enumerate(parts) if _is_year(part)), None)
    if at is None:
        return None
    year, after = int(parts[at]), parts[at + 1 :]
    named = next((_MONTHS.index(part[:3]) + 1 for part in parts if part[:3] in _MONTHS), None)
    numbers = [int(part) for part in after if part.isdecimal() and len(part) <= 2]
    if named is None:
        return _period(year, *numbers[:2])
    before = [int(part) for part in parts[:at] if part.isdecimal() and len(part) <= 2]
    return _period(year, named, *(before or numbers)[:1])


def _is_year(part: str) -> bool:
    return part.isdecimal() and len(part) == 4 and _FIRST_YEAR <= int(part) <= _LAST_YEAR


def _period(year: int, month: int = 0, day: int = 0) -> DateRange:
    """Return the most precise valid range: without a 13th month, all June for a 31 June."""
    if not 1 <= month <= 12:
        return DateRange(first=date(year, 1, 1), last=date(year, 12, 31))
    days = monthrange(year, month)[1]
    if 1 <= day <= days:
        return DateRange(first=date(year, month, day), last=date(year, month, day))
    return DateRange(first=date(year, month, 1), last=date(year, month, days))
