"""The cells of a subscriber file as what they stand for. An error names the column."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeVar

from paperround.domain.errors import InvalidInput
from paperround.domain.interests import Interest, bounded, parse_interest
from paperround.domain.subscribers import (
    WEEKDAYS,
    Consent,
    Frequency,
    Preferences,
    SubscriberState,
)
from paperround.domain.times import parse_instant, place_zone
from paperround.jobs.subscriber_files import Row, text_of

COLUMNS = (
    "email",
    "status",
    "consent_at",
    "consent_source",
    "timezone",
    "hour",
    "frequency",
    "topics",
    "language",
    "interests",
)
LONGEST_SOURCE = 200

T = TypeVar("T")


def cell(row: Row, column: str, read: Callable[[str], T]) -> T:
    """What `read` makes of a cell; the InvalidInput it raises gets the column's name."""
    try:
        return read(text_of(row, column))
    except InvalidInput as error:
        raise InvalidInput(f"{column}: {error}", code=error.code) from None


def state_of(row: Row) -> SubscriberState:
    """Where the row says the person stands."""
    text = text_of(row, "status")
    try:
        return SubscriberState(text)
    except ValueError:
        known = ", ".join(SubscriberState)
        raise InvalidInput(f"status is {text!r}: use one of {known}", code="bad-status") from None


def consent_of(row: Row, state: SubscriberState) -> Consent | None:
    """When and how they agreed. To leave needs no consent: an opt-out always counts."""
    at, source = text_of(row, "consent_at"), text_of(row, "consent_source")
    if not (at and source) and state is SubscriberState.UNSUBSCRIBED:
        return None
    if not at or not source:
        raise InvalidInput("no consent: fill in consent_at and consent_source", code="no-consent")
    return Consent(at=cell(row, "consent_at", parse_instant), source=source[:LONGEST_SOURCE])


def preferences_of(row: Row, known: Preferences) -> Preferences:
    """What the row asks for; columns the file does not have leave what is known alone."""
    wish = known
    if "timezone" in row:
        wish = replace(wish, timezone=cell(row, "timezone", _zone))
    if "hour" in row:
        wish = replace(wish, hour=_hour(text_of(row, "hour")))
    if "frequency" in row:
        frequency, weekday = _frequency(text_of(row, "frequency") or Frequency.DAILY)
        wish = replace(wish, frequency=frequency, weekday=weekday)
    if "topics" in row:
        topics = (one.strip() for one in text_of(row, "topics").split(";"))
        wish = replace(wish, topics=tuple(one for one in topics if one))
    if "language" in row:
        wish = replace(wish, language=text_of(row, "language") or None)
    return wish


def interests_of_row(row: Row) -> tuple[Interest, ...] | None:
    """What the row says the person is interested in: `kind:value`, one a line of the cell or one
    an item of a JSON array. None where the file has no such column."""
    if "interests" not in row:
        return None
    cell = row["interests"]
    lines = cell if isinstance(cell, list) else text_of(row, "interests").splitlines()
    try:
        return bounded(parse_interest(line) for line in map(str, lines) if line.strip())
    except InvalidInput as error:
        raise InvalidInput(f"interests: {error}", code="bad-interests") from None


def interests_cell(interests: Sequence[Interest]) -> str:
    """The cell that `interests_of_row` reads as these."""
    return "\n".join(map(str, interests))


def _zone(name: str) -> str | None:
    return place_zone(name) if name else None


def _hour(text: str) -> int | None:
    if not text:
        return None
    if not text.isdecimal() or not 0 <= int(text) <= 23:
        raise InvalidInput(f"hour is {text!r}: use a whole hour from 0 to 23", code="bad-hour")
    return int(text)


def _frequency(text: str) -> tuple[Frequency, str | None]:
    name, _, weekday = text.partition(":")
    known = name in Frequency.__members__.values()
    if not known or (weekday and weekday not in WEEKDAYS) or (weekday and name != "weekly"):
        raise InvalidInput(
            f"frequency is {text!r}: use daily, weekdays or weekly:mon (to sun)",
            code="bad-frequency",
        )
    return Frequency(name), (weekday or "mon") if name == "weekly" else None
