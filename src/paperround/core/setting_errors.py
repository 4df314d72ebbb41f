"""Error messages for invalid settings."""

import difflib
from collections.abc import Collection, Mapping
from typing import Any

from paperround.core.errors import Misconfigured
from paperround.core.smtp_url import parse_smtp_url

SHORTEST_SECRET = 32
WEAK_SECRET = (
    f"PAPERROUND_SECRET_KEY needs keys of at least {SHORTEST_SECRET} characters: create one with "
    "`python3 -c 'import secrets; print(secrets.token_urlsafe(32))'`"
)

_WAYS_OUT = {
    "bool_parsing": "write 1 or 0",
    **dict.fromkeys(("int_parsing", "int_type", "int_from_float"), "write a whole number"),
    "float_parsing": "write a number",
    "greater_than_equal": "write {ge} or more",
    "less_than_equal": "write {le} or less",
    "string_too_long": "write at most {max_length} characters",
    "literal_error": "write {expected}",
}
"""Replacement messages, by pydantic's error type."""
_PARTS_OF_SMTP_URL = dict.fromkeys(
    (f"smtp_{part}" for part in ("host", "server", "port", "user", "username", "password")),
    "PAPERROUND_SMTP_URL",
)


def refusal(name: str, error: Mapping[str, Any]) -> str:
    """Return a message for pydantic's `error` (`type`, `msg`, `input`); it shows the value once."""
    value, reason = repr(error["input"]), reason_of(error)
    return f"{name}: {reason}" if value in reason else f"{name} is {value}: {reason}"


def reason_of(error: Mapping[str, Any]) -> str:
    """Return what is wrong by pydantic's `error`, in our words."""
    message = str(error["msg"]).removeprefix("Value error, ")
    message = message.replace("Input should", "it should", 1)
    return _WAYS_OUT.get(error["type"], message).format_map(error.get("ctx", {}))


def unusable(values: Mapping[str, str]) -> list[str]:
    """Return the faults of settings that are otherwise checked only when they are used.

    `values` are by name in lower case. A command that rejects other settings lists these too.
    """
    faults = []
    keys = [part.strip() for part in values.get("secret_key", "").split(",")]
    if any(0 < len(key) < SHORTEST_SECRET for key in keys):
        faults.append(WEAK_SECRET)
    if values.get("smtp_url", "outbox") != "outbox":
        try:
            parse_smtp_url(values["smtp_url"])
        except Misconfigured as error:
            faults += error.faults
    return faults


def unknown(name: str, known: Collection[str], what: str = "setting") -> str:
    """Return a message for an unknown name, with the closest of the `known` ones."""
    spelt = {_spelling(one): one for one in known}
    spelt |= _PARTS_OF_SMTP_URL if "PAPERROUND_SMTP_URL" in known else {}
    near = difflib.get_close_matches(_spelling(name), spelt, n=1)
    hint = f": did you mean {spelt[near[0]]}?" if near else ""
    return f"there is no {what} {name}{hint}"


def _spelling(name: str) -> str:
    """Return what to compare of a name; the prefix of all settings makes them look alike."""
    return name.casefold().removeprefix("paperround_")
