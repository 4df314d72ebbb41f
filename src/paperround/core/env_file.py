"""Read a `.env` file strictly.

python-dotenv skips a line that it cannot parse, with a warning: a setting with an unclosed quote
would be ignored, and email might be sent to the wrong place.
"""

from collections.abc import Mapping
from io import StringIO
from pathlib import Path

from dotenv import dotenv_values
from dotenv.parser import Binding, parse_stream

from paperround.core.errors import Misconfigured
from paperround.core.files import file_trouble


def read_env_file(file: Path) -> Mapping[str, str | None]:
    """Return the values of `file` by name, none if there is no such file.

    Raises Misconfigured when it cannot be read, and for each line that is not NAME=VALUE, by its
    number: the line itself may hold a secret.
    """
    try:
        text = file.read_text(encoding="utf-8") if file.is_file() or file.is_fifo() else ""
    except OSError as error:
        raise Misconfigured(file_trouble(error)) from error
    except UnicodeDecodeError as error:
        raise Misconfigured(f"the file {file} cannot be read: {error}") from error
    faults = [
        f"line {_line(one)} of {file} is not NAME=VALUE, or a quote in it is not closed"
        for one in parse_stream(StringIO(text))
        if one.error
    ]
    if faults:
        raise Misconfigured(*faults)
    return dotenv_values(stream=StringIO(text))


def _line(one: Binding) -> int:
    """Return the number of a line; the parser counts from the empty lines above it."""
    text = one.original.string
    above = text[: len(text) - len(text.lstrip())]
    return one.original.line + above.count("\n")
