"""Convert preferences to form fields and back."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from functools import cache
from hashlib import sha256
from typing import TypeVar
from zoneinfo import available_timezones

from pydantic import BaseModel

from paperround.core.errors import InvalidInput, invalid
from paperround.core.languages import LANGUAGES, marked, nearest
from paperround.core.times import parse_date
from paperround.subscribers.choices import checked
from paperround.subscribers.interests import (
    STATEMENTS,
    Interest,
    InterestKind,
    bounded,
    interests_in,
)
from paperround.subscribers.model import Frequency, Preferences, parse_frequency

FREQUENCIES: Mapping[str, str] = {
    "daily": marked("Every day"),
    "weekdays": marked("Monday to Friday"),
    "weekly:mon": marked("Once a week, on Monday"),
    "weekly:tue": marked("Once a week, on Tuesday"),
    "weekly:wed": marked("Once a week, on Wednesday"),
    "weekly:thu": marked("Once a week, on Thursday"),
    "weekly:fri": marked("Once a week, on Friday"),
    "weekly:sat": marked("Once a week, on Saturday"),
    "weekly:sun": marked("Once a week, on Sunday"),
    "monthly": marked("Once a month, on the first day"),
}
"""The options of the frequency field, and their labels."""
_MOST_DIGITS = 9


def offered_frequencies(offered: Collection[str], kept: str) -> dict[str, str]:
    """Return the options of the frequency field: those that a list offers (none: all), and that of
    the reader."""
    return {
        value: label
        for value, label in FREQUENCIES.items()
        if not offered or value == kept or value.partition(":")[0] in offered
    }


class HoursForm(BaseModel):
    """Delivery times: the only preferences in the sign-up form, because its sender may not own the
    address. Empty fields keep the list's defaults."""

    hour: str = ""
    timezone: str = ""
    frequency: str = ""


class ChoicesForm(HoursForm):
    """The form with all preferences. `topic` holds the topics of the reader and those of the list
    alone; suggestions are ticked in `add_topic`. An empty language keeps the current one. Any text
    in `shares` ticks its box."""

    language: str = ""
    size: str = ""
    floor: str = ""
    paused_until: str = ""
    shares: str = ""
    focus: str = ""
    avoid: str = ""
    topic: str = ""
    add_topic: tuple[str, ...] = ()
    author: str = ""
    keyword: str = ""
    category: str = ""
    seed: str = ""
    mute: str = ""


Form = TypeVar("Form", bound=ChoicesForm)

INTEREST_FIELDS = (
    InterestKind.TOPIC,
    InterestKind.AUTHOR,
    InterestKind.KEYWORD,
    InterestKind.CATEGORY,
    InterestKind.SEED,
    InterestKind.MUTE,
    *STATEMENTS,
)
"""The kinds of interests with a field of the same name, one interest a line."""


def to_form(preferences: Preferences, interests: Sequence[Interest] = ()) -> ChoicesForm:
    """Return the form for `preferences` and `interests`."""
    lines = {
        kind.value: "\n".join(one.value for one in interests if one.kind is kind)
        for kind in INTEREST_FIELDS
    }
    topics = (*preferences.topics, *lines[InterestKind.TOPIC].splitlines())
    lines[InterestKind.TOPIC] = "\n".join(dict.fromkeys(topics))
    return ChoicesForm(
        hour=_to_text(preferences.hour),
        timezone=preferences.timezone or "",
        frequency=preferences.frequency_text,
        language=preferences.language or "",
        size=_to_text(preferences.size),
        floor=_to_text(preferences.floor),
        paused_until=_to_text(preferences.paused_until),
        shares="" if preferences.shares_since is None else "yes",
    ).model_copy(update=lines)


def form_version(form: BaseModel) -> str:
    """Return a hash of all fields, to detect changes."""
    return sha256(form.model_dump_json().encode()).hexdigest()[:16]


def tick_suggestions(form: Form, suggested: Sequence[str]) -> Form:
    """Return the form with the suggested ones among its topics ticked instead of written."""
    topics, known = dict.fromkeys(_entered_topics(form)), {*map(str.casefold, suggested)}
    ticked = tuple(one for one in topics if one.casefold() in known)
    written = "\n".join(one for one in topics if one not in ticked)
    return form.model_copy(update={"topic": written, "add_topic": ticked})


def ticked_first(suggested: Sequence[str], ticked: Sequence[str]) -> list[str]:
    """Return the topics that a form offers: the ticked ones, which may be no longer suggested, and
    the others."""
    known = {one.casefold() for one in ticked}
    return [*ticked, *(one for one in suggested if one.casefold() not in known)]


def _entered_topics(form: ChoicesForm) -> list[str]:
    lines = (*form.topic.splitlines(), *form.add_topic)
    return [" ".join(line.split()) for line in lines if line.strip()]


def parse_interests(
    form: ChoicesForm, known: Sequence[Interest], list_topics: Sequence[str] = ()
) -> tuple[Interest, ...]:
    """Return the interests in the form, and those of `known` that have no field. Topics of only the
    list are not interests, unless they are in `known`.

    Raises InvalidInput with the field's name as its code; the message quotes the line.
    """
    entered = (
        one for kind in INTEREST_FIELDS for one in interests_in(kind, _interest_lines(form, kind))
    )
    of_list = {Interest(InterestKind.TOPIC, one) for one in list_topics} - {*known}
    kept = (one for one in known if one.kind not in INTEREST_FIELDS)
    return bounded((*kept, *(one for one in entered if one not in of_list)))


def _interest_lines(form: ChoicesForm, kind: InterestKind) -> str:
    lines: str = getattr(form, kind.value)
    return "\n".join((lines, *form.add_topic)) if kind is InterestKind.TOPIC else lines


def find_errors(
    form: ChoicesForm, error: InvalidInput, *, zone: str, now: datetime
) -> dict[str, InvalidInput]:
    """Return the errors of all fields by name, in the order of the page, so that the reader can fix
    them at once. `error` is the first that was found."""
    found = {error.code: error}
    for name in ChoicesForm.model_fields:
        alone = ChoicesForm(**{name: getattr(form, name)})
        try:
            checked(parse_preferences(alone, Preferences(), now=now), zone=zone, now=now)
            parse_interests(alone, ())
        except InvalidInput as one:
            found.setdefault(one.code, one)
    in_order = [name for name in ChoicesForm.model_fields if name in found]
    return {name: found[name] for name in (*in_order, *(found.keys() - set(in_order)))}


def _to_text(value: object) -> str:
    return "" if value is None else str(value)


def parse_times(form: HoursForm, known: Preferences) -> Preferences:
    """Return `known` with the delivery times of the form. Their values are validated on saving.

    Raises InvalidInput with the field's name as its code for a value that cannot be parsed.
    """
    frequency, weekday = parse_frequency(form.frequency or Frequency.DAILY)
    return replace(
        known,
        hour=parse_int("hour", form.hour),
        timezone=form.timezone.strip() or None,
        frequency=frequency,
        weekday=weekday,
    )


def parse_preferences(form: ChoicesForm, known: Preferences, *, now: datetime) -> Preferences:
    """Return `known` with all preferences of the form; a newly ticked `shares` counts from `now`.
    Topics of the list that are still in the form stay. Raises as `parse_times` does."""
    entered = _entered_topics(form)
    return replace(
        parse_times(form, known),
        language=_parse_language(form.language) or known.language,
        size=parse_int("size", form.size),
        floor=_parse_float("floor", form.floor),
        paused_until=_parse_day("paused_until", form.paused_until),
        shares_since=(known.shares_since or now) if form.shares else None,
        topics=tuple(one for one in known.topics if one in entered),
    )


def _parse_language(text: str) -> str | None:
    cleaned = text.strip()
    if cleaned and nearest(cleaned) is None:
        known = ", ".join(LANGUAGES)
        raise invalid(
            "language",
            "our emails are not available in %(given)s: use one of %(name)s",
            given=cleaned[:40],
            name=known,
        )
    return cleaned or None


def parse_int(field: str, text: str) -> int | None:
    """Return the whole number in a field, None for an empty one. Raises InvalidInput."""
    cleaned = text.strip()
    if not cleaned:
        return None
    if not (cleaned.isascii() and cleaned.isdecimal() and len(cleaned) <= _MOST_DIGITS):
        raise invalid(field, "%(given)s is not a whole number", given=cleaned[:40])
    return int(cleaned)


def _parse_float(field: str, text: str) -> float | None:
    cleaned = text.strip()
    if not cleaned:
        return None
    try:
        value = float(cleaned)
    except ValueError:
        raise invalid(field, "%(given)s is not a number", given=cleaned[:40]) from None
    if not -1e6 <= value <= 1e6:
        raise invalid(field, "%(given)s is not a score", given=cleaned[:40])
    return value


def _parse_day(field: str, text: str) -> date | None:
    if not text.strip():
        return None
    try:
        return parse_date(text)
    except InvalidInput as error:
        raise InvalidInput(error.text, code=field) from None


@cache
def time_zones() -> tuple[str, ...]:
    """Return the time zones to choose from: `UTC`, and every region/city."""
    places = (name for name in available_timezones() if "/" in name)
    return ("UTC", *sorted(name for name in places if not name.startswith(("Etc/", "posix/"))))
