"""Recorded answers in the files that VCR writes, read without a library for YAML.

Only what stands in them is understood: an answer's text in single quotes and folded over
indented lines, on a line of its own, or as base64; its status; and the address that was asked.
"""

import base64
import gzip
import re
from dataclasses import dataclass
from pathlib import Path

_ADDRESS = re.compile(r"^ +uri: (.*)$", re.MULTILINE)
_STATUS = re.compile(r"^ +(?:code|status_code): (\d{3})$", re.MULTILINE)
_BODY = re.compile(
    r"""^\ +(?:string|content):\ (?:
        '((?:[^']|'')*)'$
        | !!binary\ \|\n((?:\s+[\w+/=]+\n)+)
        | ([\w<{].*)$
    )""",
    re.MULTILINE | re.VERBOSE,
)
_FOLD = re.compile(r"[ \t]*\n((?:[ \t]*\n)*)[ \t]*")
_GZIP = b"\x1f\x8b"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """One answer: the address that was asked, the status and the body."""

    url: str
    status: int
    body: bytes


def recorded(path: Path) -> list[Recorded]:
    """The answers of a cassette, in order."""
    return [_answer(part) for part in path.read_text(encoding="utf-8").split("- request:")[1:]]


def _answer(part: str) -> Recorded:
    asked, _, answered = part.partition("\n  response:")
    address, status, body = _ADDRESS.search(asked), _STATUS.search(answered), _BODY.search(answered)
    assert address
    assert status
    assert body
    return Recorded(url=address[1], status=int(status[1]), body=_content(body))


def _content(body: re.Match[str]) -> bytes:
    quoted, encoded, plain = body.groups()
    if encoded is not None:
        return _unpacked(encoded)
    return (plain if quoted is None else _unfolded(quoted)).encode()


def _unfolded(quoted: str) -> str:
    """YAML's single quotes: a line break is a space, an empty line a line break, '' a quote."""
    folded = _FOLD.sub(lambda match: "\n" * match[1].count("\n") or " ", quoted)
    return folded.replace("''", "'")


def _unpacked(encoded: str) -> bytes:
    body = base64.b64decode("".join(encoded.split()))
    return gzip.decompress(body) if body.startswith(_GZIP) else body
