"""Validate the settings of a list: one clear error for each field."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields, replace
from datetime import time
from typing import Any

from paperround.core.colours import read_colour
from paperround.core.errors import InvalidInput, invalid
from paperround.core.languages import LANGUAGES
from paperround.core.sender import is_address
from paperround.core.times import place_zone
from paperround.editions.lists import OFFERED_FREQUENCIES, ListLook, ListSettings, SignupPolicy
from paperround.editions.schedule import MOST_CUTS
from paperround.papers.formatting import web_address
from paperround.papers.search import LONGEST_TEXT, parse_query

LONGEST_TITLE, LONGEST_DESCRIPTION, LONGEST_LINE = 100, 500, 300
MOST_SHOWN, MOST_OF_EDITION, MOST_DAYS = 50, 200, 31
MOST_CATEGORIES, MOST_DOMAINS = 50, 50

_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?")
_RESERVED = frozenset({"new"})
"""Names that have another meaning in paths with the name of a list."""
_CATEGORY = re.compile(r"[^\s,]{1,60}")
_DOMAIN = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]")
_CUT = re.compile(r"(?:[01]\d|2[0-3]):[0-5]\d", re.ASCII)
_DISPLAY_NAME = re.compile(r'[^<>"@]*')


def check_name(name: str) -> str:
    """Return the name of a new list, which is part of URLs and mail headers. Raises InvalidInput
    (code `name`)."""
    if _NAME.fullmatch(name) is None:
        raise invalid(
            "name", "use 1 to 40 lowercase letters, digits and hyphens, such as machine-learning"
        )
    if name in _RESERVED:
        raise invalid("name", "%(given)s is the name of a page: choose another one", given=name)
    return name


def check_settings(settings: ListSettings) -> ListSettings:
    """Return the settings, normalized. Raises InvalidInput; its code is the invalid field."""
    checked = replace(settings, **{name: rule(settings) for name, rule in _RULES.items()})
    if checked.edition_size < checked.size:
        raise invalid(
            "edition_size",
            "an edition must show at least as many papers as a digest, which has %(all)s",
            all=checked.size,
        )
    if checked.signup is SignupPolicy.DOMAINS and not checked.domains:
        raise invalid(
            "domains", "enter the domains whose addresses can sign up, such as example.org"
        )
    return checked


def _line(name: str, text: str, most: int) -> str:
    """Return a text of one line without outer spaces."""
    text = text.strip()
    if not text.isprintable():
        raise invalid(name, "write one line, without tabs or control characters")
    if len(text) > most:
        raise invalid(
            name, "write at most %(all)s characters, not %(some)s", all=most, some=len(text)
        )
    return text


def _title(settings: ListSettings) -> str:
    title = _line("title", settings.title, LONGEST_TITLE)
    if not title:
        raise invalid("title", "enter a title: it is shown in emails and on pages")
    return title


def _zone(settings: ListSettings) -> str:
    try:
        return place_zone(settings.zone)
    except InvalidInput as error:
        raise InvalidInput(error.text, code="zone") from None


def _categories(settings: ListSettings) -> tuple[str, ...]:
    found = tuple(dict.fromkeys(one.strip() for one in settings.categories))
    if len(found) > MOST_CATEGORIES:
        raise invalid("categories", "name at most %(all)s categories", all=MOST_CATEGORIES)
    for one in found:
        if not one.isprintable() or _CATEGORY.fullmatch(one) is None:
            raise invalid(
                "categories", "%(given)s is not a category: write it like cs.LG", given=one[:70]
            )
    return found


def _search(settings: ListSettings) -> str:
    text = _line("search", settings.search, LONGEST_TEXT)
    query = parse_query(text)
    if text and not (query.wanted or query.excluded or query.filters.are_set):
        raise invalid("search", "the search has no words to look for")
    return text


def _within(name: str, least: int, most: int) -> Callable[[ListSettings], int]:
    def rule(settings: ListSettings) -> int:
        number: int = getattr(settings, name)
        if not least <= number <= most:
            raise invalid(
                name,
                "choose %(least)s to %(most)s, not %(some)s",
                least=least,
                most=most,
                some=number,
            )
        return number

    return rule


def _cuts(settings: ListSettings) -> tuple[str, ...]:
    for one in settings.cuts:
        if _CUT.fullmatch(one) is None:
            raise invalid(
                "cuts", "%(given)s is not a time of day: write it like 06:00", given=one[:20]
            )
    cuts = tuple(sorted(set(settings.cuts), key=time.fromisoformat))
    if not 1 <= len(cuts) <= MOST_CUTS:
        raise invalid("cuts", "a list can have 1 to %(all)s editions a day", all=MOST_CUTS)
    return cuts


def _hour(settings: ListSettings) -> int | None:
    hour = settings.default_hour
    if hour is not None and not 0 <= hour <= 23:
        raise invalid("default_hour", "the hour must be 0 to 23, not %(some)s", some=hour)
    return hour


def _among(name: str, choices: Iterable[str]) -> Callable[[ListSettings], tuple[str, ...]]:
    known = tuple(choices)

    def rule(settings: ListSettings) -> tuple[str, ...]:
        chosen: tuple[str, ...] = getattr(settings, name)
        for one in chosen:
            if one not in known:
                raise invalid(
                    name,
                    "%(given)s is not one of %(names)s",
                    given=one[:40],
                    names=", ".join(known),
                )
        return tuple(one for one in known if one in chosen)

    return rule


def _domains(settings: ListSettings) -> tuple[str, ...]:
    found = tuple(dict.fromkeys(one.strip().lower() for one in settings.domains))
    if len(found) > MOST_DOMAINS:
        raise invalid("domains", "name at most %(all)s domains", all=MOST_DOMAINS)
    for one in found:
        if len(one) > 253 or _DOMAIN.fullmatch(one) is None:
            raise invalid(
                "domains", "%(given)s is not a domain: write it like example.org", given=one[:70]
            )
    return found


def _look(settings: ListSettings) -> ListLook:
    look = replace(
        settings.look,
        **{
            one.name: _line(one.name, getattr(settings.look, one.name), LONGEST_LINE)
            for one in fields(ListLook)
        },
    )
    if _DISPLAY_NAME.fullmatch(look.from_name) is None or len(look.from_name) > LONGEST_TITLE:
        raise invalid(
            "from_name",
            "use at most %(all)s characters, without <, >, @ or quotes",
            all=LONGEST_TITLE,
        )
    if look.logo_url and not (look.logo_url.startswith("https://") and web_address(look.logo_url)):
        raise invalid("logo_url", "write it like https://papers.example.org/logo.png")
    if look.reply_to and not is_address(look.reply_to):
        raise invalid("reply_to", "write a plain address, like papers@example.org")
    try:
        return replace(look, colour=read_colour(look.colour) if look.colour else "")
    except InvalidInput as error:
        raise InvalidInput(error.text, code="colour") from None


_RULES: Mapping[str, Callable[[ListSettings], Any]] = {
    "title": _title,
    "description": lambda one: _line("description", one.description, LONGEST_DESCRIPTION),
    "zone": _zone,
    "categories": _categories,
    "search": _search,
    "size": _within("size", 1, MOST_SHOWN),
    "edition_size": _within("edition_size", 1, MOST_OF_EDITION),
    "candidate_days": _within("candidate_days", 1, MOST_DAYS),
    "cuts": _cuts,
    "default_hour": _hour,
    "frequencies": _among("frequencies", OFFERED_FREQUENCIES),
    "languages": _among("languages", LANGUAGES),
    "look": _look,
    "domains": _domains,
}
"""The check of each field. Feeds are checked when they are looked up by name."""
