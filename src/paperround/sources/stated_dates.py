"""When a reference says that a work appeared: a day, a month or a year, in whatever order."""

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import date

_LONGEST = 100
_MOST_PARTS = 8
_PART = re.compile(r"\d+|[^\W\d_]+")
_MONTHS = tuple("jan feb mar apr may jun jul aug sep oct nov dec".split())
_FIRST_YEAR, _LAST_YEAR = 1900, 2100


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """The days a date may stand for: one day, all of a month, or all of a year."""

    first: date
    last: date


def period_of(text: str) -> Period | None:
    """What `2026`, `2026-01`, `2026/01/28/`, `2026///`, `28 Jan 2026` or an instant stands for.

    None for what names no year from 1900 to 2100. Numbers before the year are not taken for a
    month: which of them it is nobody can tell.
    """
    parts = _PART.findall(text[:_LONGEST].casefold())[:_MOST_PARTS]
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


def _period(year: int, month: int = 0, day: int = 0) -> Period:
    """As exact as the numbers allow: a 13th month is none, and a 31 June is all of June."""
    if not 1 <= month <= 12:
        return Period(first=date(year, 1, 1), last=date(year, 12, 31))
    days = monthrange(year, month)[1]
    if 1 <= day <= days:
        return Period(first=date(year, month, day), last=date(year, month, day))
    return Period(first=date(year, month, 1), last=date(year, month, days))
