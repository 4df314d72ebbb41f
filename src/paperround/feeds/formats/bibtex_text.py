r"""Decode BibTeX values: braces, quotes and macros, protective braces, and escaped addresses.

    {{BERT} and {\"U}nal}  ─►  BERT and {\"U}nal        "10.1000/a{\_}b"  ─►  10.1000/a_b

Accents and commands are kept; the repair of titles and names handles them everywhere.
"""

import re
from collections.abc import Iterator, Mapping

from paperround.core.languages import marked
from paperround.feeds.formats.entries import BadEntry
from paperround.papers.tex_symbols import IN_TEXT

MOST_TEXT = 1_000_000
"""Characters of one value with macros expanded."""

_MARK = re.compile(r"\\[A-Za-z]+\*?\s*|\\.|[{}$]", re.DOTALL)
_SIGN = re.compile(r"\\.|[{}\"]", re.DOTALL)
_BACKSLASH = re.compile(r"\s*\\")
_COMMAND = re.compile(r"\s*\\(?:[A-Za-z]{2,}(?:\{(?:[^{}]|\{[^{}]*\}){0,2000}\}){1,2}|[%&#_$])\s*")
_NO_WORD = frozenset('={}"')
_ESCAPED = re.compile(r"\\([_%&#$~^])(?:\{\})?")
_SIGN_NAMES = re.compile(r"\\(text(?:less|greater|asciitilde|underscore))(?:\{\}| )?|\$([<>])\$")


def value_of(raw: str, macros: Mapping[str, str]) -> str:
    """Return the text of a value such as `jan`, `2026`, `{A} # sep # "B"`; unknown macros are kept
    as text. Raises BadEntry for a malformed value, or one longer than `MOST_TEXT`."""
    parts: list[str] = []
    size = 0
    for part in _pieces(raw, macros):
        size += len(part)
        if size > MOST_TEXT:
            raise BadEntry(
                "too-long", marked("a value has more than %(all)s characters", all=MOST_TEXT)
            )
        parts.append(part)
    return "".join(parts)


def _pieces(raw: str, macros: Mapping[str, str]) -> Iterator[str]:
    """Yield the parts between `#`; raises BadEntry for another separator."""
    at = 0
    while at < len(raw):
        at = _skip_space(raw, at)
        if raw[at : at + 1] in {"{", '"'}:
            end = _closing_position(raw, at)
            yield raw[at + 1 : end]
            at = _skip_space(raw, end + 1)
            if at < len(raw) and raw[at] != "#":
                raise _missing_separator(raw)
        else:
            end = raw.find("#", at)
            word = raw[at : end if end >= 0 else len(raw)].strip()
            if not _NO_WORD.isdisjoint(word):
                raise _missing_separator(raw)
            yield macros.get(word.casefold(), word)
            at = end if end >= 0 else len(raw)
        at += 1


def _skip_space(raw: str, at: int) -> int:
    while at < len(raw) and raw[at].isspace():
        at += 1
    return at


def _missing_separator(raw: str) -> BadEntry:
    shown = " ".join(raw[:60].split())
    return BadEntry(
        "bad-bibtex", marked("no comma and no # parts the values in %(given)s", given=shown)
    )


def _closing_position(raw: str, start: int) -> int:
    """Return where the brace or quote at `start` closes; the end of the text if it does not."""
    closes = '"' if raw[start] == '"' else "}"
    depth = 0
    for match in _SIGN.finditer(raw, start + 1):
        sign = match[0]
        if sign == closes and depth == 0:
            return match.start()
        depth += {"{": 1, "}": -1}.get(sign, 0)
    return len(raw)


def unbraced(text: str) -> str:
    r"""Return `text` without the braces that protect capitals: `{BERT}` is BERT.

    Braces are kept in mathematics, around the argument of a command (`\emph{x}`), and around a
    command that they end (`{\"U}`, `{\em so}`). Text with unbalanced braces is unchanged.
    """
    if "{" not in text:
        return text
    dropped = _protective_braces(text)
    return "".join(sign for at, sign in enumerate(text) if at not in dropped)


def _protective_braces(text: str) -> set[int]:
    """Return the positions of protective braces; none when braces are unbalanced."""
    dropped: set[int] = set()
    opened: list[tuple[int, bool]] = []
    after_command, in_math = -1, False  # the start of a command's argument
    for match in _MARK.finditer(text):
        sign, at = match[0], match.start()
        if sign == "$":
            in_math = not in_math
        elif sign == "{":
            opened.append((at, in_math or at == after_command))
        elif sign == "}":
            if not opened:
                return set()
            start, is_needed = opened.pop()
            # Keep a group that ends the command it begins with; a whole `\command{...}` needs none.
            begins = _BACKSLASH.match(text, start + 1, at)
            runs_on = begins and not _COMMAND.fullmatch(text, start + 1, at)
            if not is_needed and not runs_on:
                dropped |= {start, at}
            after_command = at + 1 if is_needed else after_command
        else:
            after_command = match.end()
    return set() if opened else dropped


def verbatim(text: str) -> str:
    r"""Decode an address or an identifier: `a{\_}b` is `a_b`, `\url{x}` is `x`."""
    text = text.strip().removeprefix("\\url").removeprefix("\\href")
    text = _SIGN_NAMES.sub(lambda match: match[2] or IN_TEXT[match[1]], text)
    return _ESCAPED.sub(r"\1", text.replace("{", "").replace("}", "")).strip()
