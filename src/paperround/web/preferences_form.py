"""Choices as a form holds them: texts, and what they stand for."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from functools import cache
from hashlib import sha256
from zoneinfo import available_timezones

from pydantic import BaseModel

from paperround.core.errors import InvalidInput, invalid
from paperround.core.languages import LANGUAGES, marked, nearest
from paperround.core.times import parse_date
from paperround.subscribers.choices import checked
from paperround.subscribers.interests import Interest, InterestKind, bounded, interests_in
from paperround.subscribers.model import WEEKDAYS, Frequency, Preferences

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
}
"""What a form offers, and what it is called."""
_MOST_DIGITS = 9


class HoursForm(BaseModel):
    """When the mail is to come: all that somebody who signs up can choose, for whoever fills in
    the form may not be whose address it is. What is empty stays as the list says."""

    hour: str = ""
    timezone: str = ""
    frequency: str = ""


class ChoicesForm(HoursForm):
    """The fields of a form with every choice. `topics` are those of one list, `topic` and whatever
    of the suggested ones is ticked, `add_topic`, those of a person. A form without a language
    leaves it as it is."""

    language: str = ""
    size: str = ""
    floor: str = ""
    paused_until: str = ""
    topics: str = ""
    topic: str = ""
    add_topic: tuple[str, ...] = ()
    author: str = ""
    keyword: str = ""
    category: str = ""
    seed: str = ""
    mute: str = ""


LINES = (
    InterestKind.TOPIC,
    InterestKind.AUTHOR,
    InterestKind.KEYWORD,
    InterestKind.CATEGORY,
    InterestKind.SEED,
    InterestKind.MUTE,
)
"""The kinds of interests that have a field of their name, one interest a line."""


def typed(wish: Preferences, interests: Sequence[Interest] = ()) -> ChoicesForm:
    """The form that shows `wish` and `interests`."""
    lines = {
        kind.value: "\n".join(one.value for one in interests if one.kind is kind) for kind in LINES
    }
    return ChoicesForm(
        hour=_text(wish.hour),
        timezone=wish.timezone or "",
        frequency=_how_often(wish),
        language=wish.language or "",
        size=_text(wish.size),
        floor=_text(wish.floor),
        paused_until=_text(wish.paused_until),
        topics="\n".join(wish.topics),
    ).model_copy(update=lines)


def mark(form: ChoicesForm) -> str:
    """Changes whenever anything that the form holds does."""
    return sha256(form.model_dump_json().encode()).hexdigest()[:16]


def written(form: ChoicesForm) -> str:
    """Every line that somebody wrote or ticked, so that they can copy it when it cannot be kept."""
    fields = (form.topics, *(_written(form, kind) for kind in LINES))
    return "\n".join(line for field in fields for line in field.splitlines() if line.strip())


def interests_wished(form: ChoicesForm, known: Sequence[Interest]) -> tuple[Interest, ...]:
    """The interests that the form says, and those of `known` that have no field.

    Raises InvalidInput, its code the name of the field, that names the line.
    """
    said = (one for kind in LINES for one in interests_in(kind, _written(form, kind)))
    return bounded((*(one for one in known if one.kind not in LINES), *said))


def _written(form: ChoicesForm, kind: InterestKind) -> str:
    lines: str = getattr(form, kind.value)
    return "\n".join((lines, *form.add_topic)) if kind is InterestKind.TOPIC else lines


def problems(
    form: ChoicesForm, error: InvalidInput, *, zone: str, now: datetime
) -> dict[str, InvalidInput]:
    """Every field that is wrong, by its name: whoever mends one should not be told of the next
    only then. `error` is the first that was found. They come as a page shows the fields."""
    found = {error.code: error}
    for name in ChoicesForm.model_fields:
        alone = ChoicesForm(**{name: getattr(form, name)})
        try:
            checked(wished(alone, Preferences()), zone=zone, now=now)
            interests_wished(alone, ())
        except InvalidInput as one:
            found.setdefault(one.code, one)
    in_order = [name for name in ChoicesForm.model_fields if name in found]
    return {name: found[name] for name in (*in_order, *(found.keys() - set(in_order)))}


def _how_often(wish: Preferences) -> str:
    weekly = wish.frequency is Frequency.WEEKLY
    return f"weekly:{wish.weekday or WEEKDAYS[0]}" if weekly else wish.frequency.value


def how_often(wish: Preferences) -> str:
    """What a form calls how often the mail comes."""
    return FREQUENCIES[_how_often(wish)]


def _text(value: object) -> str:
    return "" if value is None else str(value)


def timed(form: HoursForm, known: Preferences) -> Preferences:
    """`known` at the hours that the form asks for. Whether they may be asked for is judged by the
    job.

    Raises InvalidInput, its code the name of the field, for a text that can mean nothing.
    """
    frequency, weekday = frequency_of(form.frequency or Frequency.DAILY)
    return replace(
        known,
        hour=_whole("hour", form.hour),
        timezone=form.timezone.strip() or None,
        frequency=frequency,
        weekday=weekday,
    )


def wished(form: ChoicesForm, known: Preferences) -> Preferences:
    """As `timed`, for every choice."""
    return replace(
        timed(form, known),
        language=_language(form.language) or known.language,
        size=_whole("size", form.size),
        floor=_number("floor", form.floor),
        paused_until=_day("paused_until", form.paused_until),
        topics=tuple(line for line in form.topics.splitlines() if line.strip()),
    )


def frequency_of(text: str) -> tuple[Frequency, str | None]:
    """`daily`, `weekdays` or `weekly:mon` (to `sun`), as frequency and weekday."""
    name, _, weekday = text.partition(":")
    if name == Frequency.WEEKLY and not weekday:
        weekday = WEEKDAYS[0]
    if f"{name}:{weekday}".rstrip(":") not in FREQUENCIES:
        raise invalid("frequency", "use daily, weekdays, or weekly:mon (to sun)")
    return Frequency(name), weekday or None


def _language(text: str) -> str | None:
    cleaned = text.strip()
    if cleaned and nearest(cleaned) is None:
        known = ", ".join(LANGUAGES)
        raise invalid(
            "language",
            "no mail of ours is in %(given)s: use one of %(name)s",
            given=cleaned[:40],
            name=known,
        )
    return cleaned or None


def _whole(field: str, text: str) -> int | None:
    cleaned = text.strip()
    if not cleaned:
        return None
    if not (cleaned.isascii() and cleaned.isdecimal() and len(cleaned) <= _MOST_DIGITS):
        raise invalid(field, "%(given)s is not a whole number", given=cleaned[:40])
    return int(cleaned)


def _number(field: str, text: str) -> float | None:
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


def _day(field: str, text: str) -> date | None:
    if not text.strip():
        return None
    try:
        return parse_date(text)
    except InvalidInput as error:
        raise InvalidInput(error.text, code=field) from None


@cache
def zones() -> tuple[str, ...]:
    """The names to choose a time zone from: `UTC`, and every place."""
    places = (name for name in available_timezones() if "/" in name)
    return ("UTC", *sorted(name for name in places if not name.startswith(("Etc/", "posix/"))))
