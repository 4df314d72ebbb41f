"""Quoted-printable (RFC 2045 section 6.7) that never breaks a given string in two.

A soft line break inside a reader's token would move when the token changes. Tokens have a fixed
length and only literal characters, so a body encoded once with placeholders has its breaks
exactly where a body encoded with the real tokens has them.
"""

import re
from collections.abc import Collection
from functools import lru_cache

LINE = 76
_LONGEST_WHOLE = 60
_LITERAL = frozenset(range(33, 127)) - {ord("=")} | {ord(" "), ord("\t"), ord("\n")}
_TABLE = {byte: f"={byte:02X}" for byte in range(256) if byte not in _LITERAL}
_END_SPACE = {" ": "=20", "\t": "=09"}
_NOTHING = re.compile("(?!)")
_UNUSUAL = re.compile("[^!-<>-~ \\t\\n]+")
_GUARDED = frozenset({".", "F", ""})


def encode(text: str, *, unbroken: Collection[str] = ()) -> str:
    """`text` as ASCII lines of at most 76 characters joined by CRLF.

    Line ends of `text` are `\\n`. No soft break falls inside one of `unbroken`, each of which is
    ASCII letters, digits, `-` and `_`, at most 60 long. Lines never start with a full stop or
    `From `, which some mail systems rewrite.
    """
    whole = _any_of(tuple(sorted(unbroken))) if unbroken else _NOTHING
    return "\r\n".join([_broken(line, whole) for line in _escaped(text).split("\n")])


@lru_cache(maxsize=64)
def _any_of(words: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(map(re.escape, words)))


def _escaped(text: str) -> str:
    octets = text if text.isascii() else text.encode().decode("latin-1")
    return _UNUSUAL.sub(_escape, octets)


def _escape(found: re.Match[str]) -> str:
    return found[0].translate(_TABLE)


def _broken(line: str, whole: re.Pattern[str]) -> str:
    """A line of escapes and literals with its end guarded, broken where it is too long."""
    if len(line) <= LINE and line[:1] not in _GUARDED and line[-1] not in _END_SPACE:
        return line
    rest = _guarded_start(line)
    if rest[-1:] in _END_SPACE:
        rest = rest[:-1] + _END_SPACE[rest[-1]]
    lines = []
    while len(rest) > LINE:
        cut = _cut(rest, whole)
        lines.append(rest[:cut] + "=")
        rest = _guarded_start(rest[cut:])
    lines.append(rest)
    return "\r\n".join(lines)


def _cut(line: str, whole: re.Pattern[str]) -> int:
    """The last place before column 76 that splits neither an escape nor a whole string."""
    cut = LINE - 1
    escape = line.rfind("=", cut - 2, cut)
    if escape >= 0:
        cut = escape
    if whole is _NOTHING:
        return cut
    for match in whole.finditer(line, 0, cut + _LONGEST_WHOLE):
        if match.start() < cut < match.end():
            return match.start()
    return cut


def _guarded_start(line: str) -> str:
    if line.startswith("."):
        return "=2E" + line[1:]
    if line.startswith("From "):
        return "=46" + line[1:]
    return line
