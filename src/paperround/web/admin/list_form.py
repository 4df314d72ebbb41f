"""Convert a list to the text fields of its form, and the form to changes of a list."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any, Self

from pydantic import BaseModel

from paperround.core.errors import invalid
from paperround.core.languages import LANGUAGES, marked
from paperround.digests.editing import check_hold
from paperround.editions.lists import (
    OFFERED_FREQUENCIES,
    ListLook,
    ListSettings,
    MailingList,
    SignupPolicy,
)
from paperround.editions.manage_lists import feeds_by_name
from paperround.papers.model import FeedId
from paperround.web.preferences_form import parse_int

ALL, SOME = "all", "some"
FREQUENCIES: Mapping[str, str] = {
    "daily": marked("Every day"),
    "weekdays": marked("Monday to Friday"),
    "weekly": marked("Once a week"),
    "monthly": marked("Once a month"),
}
"""The label of each frequency."""

_TEXTS = ("title", "description", "search", "zone")
_WORDS = ("categories", "cuts", "domains")
_NUMBERS = ("size", "edition_size", "candidate_days")
_DEFAULTS = ListSettings(title="")
_LOOK = tuple(one.name for one in fields(ListLook))
_GAP = re.compile(r"[\s,;]+")


class ListForm(BaseModel):
    """The form of a list. `which_feeds` is `all` or `some`; `minutes` is how long editions are
    held; `shown` is the version of the list that the page showed."""

    name: str = ""
    title: str = ""
    description: str = ""
    which_feeds: str = ALL
    feeds: tuple[str, ...] = ()
    categories: str = ""
    search: str = ""
    cuts: str = ", ".join(_DEFAULTS.cuts)
    zone: str = ""
    default_hour: str = ""
    size: str = str(_DEFAULTS.size)
    edition_size: str = str(_DEFAULTS.edition_size)
    candidate_days: str = str(_DEFAULTS.candidate_days)
    frequencies: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    from_name: str = ""
    colour: str = ""
    logo_url: str = ""
    reply_to: str = ""
    intro: str = ""
    footer: str = ""
    signup: str = SignupPolicy.OPEN.value
    domains: str = ""
    private: str = ""
    minutes: str = "0"
    shown: str = ""

    @classmethod
    def new(cls, *, zone: str) -> Self:
        """Return the form of a list with the defaults."""
        return cls(zone=zone, frequencies=OFFERED_FREQUENCIES, languages=tuple(LANGUAGES))

    @classmethod
    def of(cls, one: MailingList, names: Mapping[FeedId, str]) -> Self:
        """Return the form for a list, with its feeds by name."""
        hour = one.default_hour
        return cls(
            name=one.name,
            **{field: getattr(one, field) for field in _TEXTS},
            **{field: ", ".join(getattr(one, field)) for field in _WORDS},
            **{field: str(getattr(one, field)) for field in _NUMBERS},
            **{field: getattr(one.look, field) for field in _LOOK},
            which_feeds=SOME if one.feeds else ALL,
            feeds=tuple(feeds_by_name(one, names)),
            default_hour="" if hour is None else str(hour),
            frequencies=one.frequencies or OFFERED_FREQUENCIES,
            languages=one.languages or tuple(LANGUAGES),
            signup=one.signup.value,
            private="yes" if one.private else "",
            minutes=str(one.hold_minutes),
        )

    def changes(self) -> dict[str, Any]:
        """Return the fields of a list as its services take them. Raises InvalidInput with the field
        as its code."""
        if self.signup not in [*SignupPolicy]:
            raise invalid("signup", "Unknown option.")
        numbers = {
            field: getattr(_DEFAULTS, field) if number is None else number
            for field in _NUMBERS
            for number in [parse_int(field, getattr(self, field))]
        }
        return {
            **{field: getattr(self, field) for field in _TEXTS},
            **{field: _words(getattr(self, field)) for field in _WORDS},
            **numbers,
            "feeds": self._feeds(),
            "default_hour": parse_int("default_hour", self.default_hour),
            "frequencies": _offered("frequencies", self.frequencies, OFFERED_FREQUENCIES),
            "languages": _offered("languages", self.languages, tuple(LANGUAGES)),
            "look": {field: getattr(self, field) for field in _LOOK},
            "signup": SignupPolicy(self.signup),
            "private": bool(self.private),
        }

    def hold(self) -> int:
        """Return how many minutes editions are held. Raises InvalidInput (code `minutes`)."""
        return check_hold(parse_int("minutes", self.minutes) or 0)

    def _feeds(self) -> tuple[str, ...]:
        if self.which_feeds == ALL:
            return ()
        if not self.feeds:
            raise invalid("feeds", "Tick at least one feed, or choose all.")
        return self.feeds


def _words(text: str) -> tuple[str, ...]:
    return tuple(filter(None, _GAP.split(text)))


def _offered(field: str, ticked: Sequence[str], known: Sequence[str]) -> tuple[str, ...]:
    """Return the ticked choices, or none if all are ticked: an empty field includes later ones."""
    if not ticked:
        raise invalid(field, "Tick at least one.")
    return () if {*known} <= {*ticked} else tuple(ticked)
