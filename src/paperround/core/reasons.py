"""Reasons why a paper is shown, frozen as codes and parameters.

    freeze("votes.since_yesterday", votes=41, gained=12)
    -> '["votes.since_yesterday",{"votes":41,"gained":12}]'

The kind of a reason is its code up to the dot. Several reasons of one paper are lines of one text,
the most personal one first. `languages.localize` puts them into words. A line in another form is
English text of an earlier version: pages show it as it is, digests do not show it.
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
    """A code, and the parameters of its message. The code of old English text is empty."""

    code: str
    params: Mapping[str, Any]

    @property
    def kind(self) -> str:
        """What it refers to: `votes`, `author`, `followed` ..."""
        return self.code.partition(".")[0]


def freeze(code: str, **params: Any) -> str:
    """A reason as editions and deliveries store it. Give days in ISO format."""
    return _encode([code, params])


def join_reasons(*frozen: str) -> str:
    """All of them as one text; empty ones are left out."""
    return "\n".join(filter(None, frozen))


@lru_cache(maxsize=_MOST_LINES)
def read_reason(line: str) -> Reason:
    """The reason that a line of a frozen text holds."""
    if line.startswith("["):
        with suppress(ValueError, TypeError):
            code, params = json.loads(line)
            if isinstance(code, str) and isinstance(params, dict):
                return Reason(code, params)
    return Reason("", {"text": line})


def read_reasons(frozen: str) -> list[Reason]:
    """Every reason of a frozen text."""
    return [read_reason(line) for line in frozen.split("\n")] if frozen else []


def author_named(frozen: str) -> str:
    """The author whom a reason names; empty if it names none."""
    found = (one.params["name"] for one in read_reasons(frozen) if one.kind == "author")
    return next(found, "")


def tells_votes(frozen: str, votes: int) -> bool:
    """Whether a frozen text says how many votes there are."""
    return any(_tells(one, votes) for one in read_reasons(frozen))


def _tells(one: Reason, votes: int) -> bool:
    if one.code:
        return one.params.get("votes") == votes
    said, text = counted(votes, "vote"), one.params["text"]
    return said in text and re.search(rf"(?<![\d,]){re.escape(said)}\b", text) is not None


def counted(number: int, noun: str, several: str | None = None) -> str:
    """`1 paper`, `12 papers`; `several` is the plural that is more than an s."""
    return f"{number:,} {noun if number == 1 else several or f'{noun}s'}"
