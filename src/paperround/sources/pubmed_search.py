"""Answers of esearch in JSON: how many articles a query found, and where PubMed keeps the list.

An error comes with status 200, and a word that PubMed does not know only leaves a note.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from paperround.domain.errors import InvalidInput
from paperround.domain.papers import Reject
from paperround.domain.text import clean
from paperround.sources.answers import excerpt_of, json_of
from paperround.sources.entries import BadEntry, reject, storable

MOST_FOUND = 10_000
"""Articles of one search that PubMed gives out."""

WEB_ENV = r"[\w.@%+=-]{1,200}"
"""The shape of the name under which PubMed keeps a list."""

_SAID = 200
_COUNT = re.compile(r"\d{1,9}", re.ASCII)
_KEY = re.compile(r"[1-9]\d{0,4}", re.ASCII)
_WEB_ENV = re.compile(WEB_ENV, re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a search found: `count` articles, in the list `query_key` of `web_env`; `rejects` say
    what it could not look for or does not give out."""

    count: int
    query_key: str
    web_env: str
    rejects: tuple[Reject, ...] = ()


def read_search(content: bytes) -> Found:
    """What was found; raises InvalidInput for an error and for what is no answer of esearch."""
    said = json_of(content)
    if isinstance(said, dict) and "error" in said:
        raise InvalidInput(f"PubMed answered an error: {_words(said['error'])!r}")
    result = said.get("esearchresult") if isinstance(said, dict) else None
    if not isinstance(result, dict):
        raise InvalidInput("the JSON is no answer of PubMed's esearch")
    if "ERROR" in result:
        raise InvalidInput(f"PubMed did not take the search: {_words(result['ERROR'])!r}")
    count = int(_text(result, "count", _COUNT))
    if not count:
        return Found(count=0, query_key="", web_env="", rejects=_notes(result, count))
    return Found(
        count=count,
        query_key=_text(result, "querykey", _KEY),
        web_env=_text(result, "webenv", _WEB_ENV),
        rejects=_notes(result, count),
    )


def _text(result: Mapping[str, object], key: str, shape: re.Pattern[str]) -> str:
    value = result.get(key)
    if not isinstance(value, str) or not shape.fullmatch(value):
        raise InvalidInput(f"the answer of PubMed's esearch has no {key} that can be used")
    return value


def _words(said: object) -> str:
    return clean(storable(said) if isinstance(said, str) else excerpt_of(said), limit=_SAID)


def _notes(result: Mapping[str, object], count: int) -> tuple[Reject, ...]:
    """A field there is not is always a mistake; a word PubMed does not know is one when nothing
    was found. What lies behind the last article it gives out is told too."""
    listed = result.get("errorlist")
    errors = listed if isinstance(listed, dict) else {}
    unknown = _names(errors, "fieldsnotfound") + (
        [] if count else _names(errors, "phrasesnotfound")
    )
    notes = [
        BadEntry("unknown-words", f"PubMed does not know this part of the query: {word}")
        for word in unknown
    ]
    if count > MOST_FOUND:
        detail = f"PubMed found {count:,} articles and gives out {MOST_FOUND:,}: narrow the query"
        notes.append(BadEntry("too-many-found", detail))
    return tuple(reject(note, place, note.detail) for place, note in enumerate(notes, start=1))


def _names(errors: Mapping[str, object], key: str) -> list[str]:
    value = errors.get(key)
    return [_words(one) for one in value[:10]] if isinstance(value, list) else []
