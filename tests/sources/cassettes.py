"""Recorded answers in the files that VCR writes, read without a library for YAML.

Only what stands in them is understood: an answer's text in single quotes, folded over lines that
are indented, and its status a few lines below.
"""

import re
from dataclasses import dataclass
from pathlib import Path

_ANSWER = re.compile(
    r"^ +(?:string|content): '((?:[^']|'')*)'$.*?^ +(?:code|status_code): (\d{3})$",
    re.MULTILINE | re.DOTALL,
)
_FOLD = re.compile(r"[ \t]*\n((?:[ \t]*\n)*)[ \t]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """One answer: its status and its body."""

    status: int
    body: bytes


def recorded(path: Path) -> list[Recorded]:
    """The answers of a cassette, in order."""
    return [
        Recorded(status=int(match[2]), body=_unfolded(match[1]).encode())
        for match in _ANSWER.finditer(path.read_text(encoding="utf-8"))
    ]


def _unfolded(quoted: str) -> str:
    """YAML's single quotes: a line break is a space, an empty line a line break, '' a quote."""
    folded = _FOLD.sub(lambda match: "\n" * match[1].count("\n") or " ", quoted)
    return folded.replace("''", "'")
