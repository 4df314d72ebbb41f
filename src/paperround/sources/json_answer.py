"""Answers in JSON from strangers: read with care, and shown in few characters."""

import json

from paperround.domain.errors import UnreadableFile
from paperround.domain.text import clean

_SAID = 200
_EXCERPT = 1000


def json_of(content: bytes, what: str = "JSON") -> object:
    """The value `content` holds; raises UnreadableFile, with how it begins, when it is no JSON.

    `what` names in the error what the answer should have been."""
    try:
        value: object = json.loads(content.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        begins = clean(content[:_SAID].decode("utf-8", "replace"), limit=_SAID)
        raise UnreadableFile(f"the answer is not {what}, it begins with {begins!r}") from None
    return value


def excerpt_of(value: object) -> str:
    """The beginning of `value` as JSON, for an excerpt."""
    try:
        return json.dumps(value)[:_EXCERPT]
    except RecursionError:
        return "(nested too deeply)"
