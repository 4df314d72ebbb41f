"""The fields of forms of admin pages."""

from collections.abc import Mapping
from datetime import date
from typing import Annotated

from fastapi import Depends, Query, Request

from paperround.core.errors import InvalidInput, invalid
from paperround.core.languages import marked
from paperround.core.times import parse_date
from paperround.subscribers.model import SubscriberId
from paperround.web.paging import MAX_ROW_ID


async def _read_form(request: Request) -> dict[str, str]:
    sent = await request.form()
    return {name: value.strip() for name, value in sent.items() if isinstance(value, str)}


FormFields = Annotated[Mapping[str, str], Depends(_read_form)]
"""The fields of a form with names that vary, without surrounding white space. The last of several
fields with one name counts."""


Filter = Annotated[str, Query(max_length=60)]
"""A filter in a URL; an empty one matches all."""

ListFilter = Annotated[str, Query(alias="list", max_length=60)]
"""The name of a list in a URL."""

DayFilter = Annotated[str, Query(alias="date", max_length=60)]
"""A date in a URL as it was typed, for `parse_day`."""


def parse_subscriber(text: str) -> SubscriberId | None:
    """Return the number of a subscriber, None for an empty text. Raises InvalidInput."""
    text = text.strip()
    is_number = text.isascii() and text.isdecimal() and len(text) < 20
    if text and not (is_number and int(text) <= MAX_ROW_ID):
        raise InvalidInput(marked("Enter the number of a subscriber."), code="subscriber")
    return SubscriberId(int(text)) if text else None


def parse_day(text: str, *, field: str = "date") -> date | None:
    """Return a date, None for an empty text. Raises InvalidInput with `field` as its code."""
    if not text.strip():
        return None
    try:
        return parse_date(text.strip())
    except InvalidInput:
        raise InvalidInput(marked("Enter a date like 2026-01-30."), code=field) from None


def unknown_action() -> InvalidInput:
    """Return the error for a form whose `action` is not one of the buttons of its page."""
    return invalid("action", "unknown action: use the buttons of this page")


def require_sure(form: Mapping[str, str]) -> None:
    """Raise InvalidInput unless the box "I am sure" is ticked."""
    if not form.get("sure"):
        raise InvalidInput(marked("Tick “I am sure”."), code="sure")
