"""What is wrong with a setting, in words for whoever wrote it."""

from collections.abc import Mapping

from paperround.domain.errors import Misconfigured

_WAYS_OUT = {"bool_parsing": "write 1 or 0", "int_parsing": "write a whole number"}
"""By the library's name for what is wrong."""


def refusal(name: str, error: Mapping[str, object]) -> Misconfigured:
    """What pydantic tells of a setting (`type`, `msg`, `input`), with its value said once."""
    kind, told, value = str(error["type"]), str(error["msg"]), repr(error["input"])
    words = told.removeprefix("Value error, ").replace("Input should", "it should", 1)
    says = _WAYS_OUT.get(kind, words)
    return Misconfigured(f"{name}: {says}" if value in says else f"{name} is {value}: {says}")
