"""Reasons why a paper is shown, stored as codes and parameters.

    freeze("votes.since_yesterday", votes=41, gained=12)
    -> '["votes.since_yesterday",{"votes":41,"gained":12}]'

The kind of a reason is its code up to the dot. Several reasons for one paper are lines of one text,
the most personal one first. `core.i18n.localize` translates them. A line in another form is English
text of an earlier version: pages show it unchanged, digests omit it.
"""

import json
import re
from collections.abc import Mapping
from contextlib import suppress
from functools import lru_cache
from typing import Any, NamedTuple

_MOST_LINES = 8192
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


class Reason(NamedTuple):
    """A code and the parameters of its message. English text of old versions has an empty code."""

    code: str
    params: Mapping[str, Any]

    @property
    def kind(self) -> str:
        """The code up to the dot: `votes`, `author`, `followed` ..."""
        return self.code.partition(".")[0]


def freeze(code: str, **params: Any) -> str:
    """Return a reason as editions and deliveries store it. Pass dates in ISO format."""
    return _encode([code, params])


def join_reasons(*frozen: str) -> str:
    """Join stored reasons into one text, without empty ones."""
    return "\n".join(filter(None, frozen))


@lru_cache(maxsize=_MOST_LINES)
def read_reason(line: str) -> Reason:
    """Parse one line of a stored text."""
    if line.startswith("["):
        with suppress(ValueError, TypeError):
            code, params = json.loads(line)
            if isinstance(code, str) and isinstance(params, dict):
                return Reason(code, params)
    return Reason("", {"text": line})


def read_reasons(frozen: str) -> list[Reason]:
    """Parse every line of a stored text."""
    return [read_reason(line) for line in frozen.split("\n")] if frozen else []


def author_named(frozen: str) -> str:
    """Return the author that a reason names, or an empty string."""
    found = (one.params["name"] for one in read_reasons(frozen) if one.kind == "author")
    return next(found, "")


def contains_votes(frozen: str, votes: int) -> bool:
    """Whether a stored text contains this number of votes."""
    in_english = rf"(?<![\d,]){re.escape(counted(votes, 'vote'))}\b"
    return any(
        one.params.get("votes") == votes
        if one.code
        else re.search(in_english, one.params["text"]) is not None
        for one in read_reasons(frozen)
    )


def counted(number: int, noun: str, several: str | None = None) -> str:
    """Return `1 paper` or `12 papers`; `several` is an irregular plural."""
    return f"{number:,} {noun if number == 1 else several or f'{noun}s'}"
