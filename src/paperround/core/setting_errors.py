"""What is wrong with a setting, in words for the operator who wrote it."""

import difflib
from collections.abc import Collection, Mapping

from paperround.core.errors import Misconfigured
from paperround.core.smtp_url import parse_smtp_url

SHORTEST_SECRET = 32
WEAK_SECRET = (
    f"PAPERROUND_SECRET_KEY needs keys of {SHORTEST_SECRET} characters or more: make one with "
    "`python3 -c 'import secrets; print(secrets.token_urlsafe(32))'`"
)

_WAYS_OUT = {"bool_parsing": "write 1 or 0", "int_parsing": "write a whole number"}
"""By the library's name for what is wrong."""


def refusal(name: str, error: Mapping[str, object]) -> str:
    """What pydantic tells of a setting (`type`, `msg`, `input`), with its value said once."""
    kind, told, value = str(error["type"]), str(error["msg"]), repr(error["input"])
    words = told.removeprefix("Value error, ").replace("Input should", "it should", 1)
    says = _WAYS_OUT.get(kind, words)
    return f"{name}: {says}" if value in says else f"{name} is {value}: {says}"


def unusable(values: Mapping[str, str]) -> list[str]:
    """What is wrong with settings that are read only where they are used, by their names in lower
    case: a command that refuses others names these, too."""
    faults = []
    keys = [part.strip() for part in values.get("secret_key", "").split(",")]
    if any(0 < len(key) < SHORTEST_SECRET for key in keys):
        faults.append(WEAK_SECRET)
    if "smtp_url" in values:
        try:
            parse_smtp_url(values["smtp_url"])
        except Misconfigured as error:
            faults += error.faults
    return faults


def unknown(name: str, known: Collection[str]) -> str:
    """That there is no setting of this name, and which of the `known` ones may be meant."""
    near = difflib.get_close_matches(name, known, n=1)
    hint = f": did you mean {near[0]}?" if near else ""
    return f"there is no setting {name}{hint}"
