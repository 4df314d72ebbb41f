"""Errors read back into their forms, and said in another language."""

import ast
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import cache
from typing import NamedTuple

from paperround.domain.languages import Message
from paperround.languages.problem_forms import PROBLEMS
from paperround.languages.tongue import Tongue

_PLACE = re.compile(r"%\((\w+)\)s")
_NUMBER = r"\d[\d,]*"


class _Place(NamedTuple):
    """How a value is written in a frozen sentence, and how it is said."""

    pattern: str
    say: Callable[[Tongue, str], object]


def _whole(written: str) -> int:
    return int(written.replace(",", ""))


def _as_written(_tongue: Tongue, written: str) -> str:
    return written


def _number(tongue: Tongue, written: str) -> str:
    return tongue.number(_whole(written))


def _given(tongue: Tongue, written: str) -> str:
    """What somebody gave, as `repr` quotes it."""
    return tongue.quoted(str(ast.literal_eval(written)))


_PLACES: Mapping[str, _Place] = {
    "num": _Place(_NUMBER, _number),
    "some": _Place(_NUMBER, _number),
    "times": _Place(r"\d+(?:\.\d+)?", _as_written),
    "all": _Place(_NUMBER, _number),
    "name": _Place(".+", _as_written),
    "term": _Place(".+?", _as_written),
    "given": _Place(r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"", _given),
    "at": _Place(_NUMBER, _number),
    "problem": _Place(".+", lambda tongue, written: problem_said(tongue, written)),
}
"""By the names of the places in forms."""


class _Form(NamedTuple):
    """A sentence, and what reads it: one way for each of its plural forms."""

    one: str
    several: str
    patterns: tuple[re.Pattern[str], ...]


@cache
def _forms(sentences: Sequence[Message]) -> tuple[_Form, ...]:
    return tuple(map(_form, sentences))


def _form(sentence: Message) -> _Form:
    ways = (sentence,) if isinstance(sentence, str) else sentence
    return _Form(ways[0], ways[-1], tuple(re.compile(_pattern(way)) for way in ways))


def _pattern(way: str) -> str:
    pieces = _PLACE.split(way)
    pieces[::2] = [re.escape(piece % ()) for piece in pieces[::2]]
    pieces[1::2] = [f"(?P<{place}>{_PLACES[place].pattern})" for place in pieces[1::2]]
    return "".join(pieces)


def _said(tongue: Tongue, frozen: str, sentences: Sequence[Message]) -> str | None:
    """The sentence in a language; None where no form reads it. A title may look like a form, and
    name a day that no month has, or quote as nothing is quoted: none reads that."""
    for form, written in _read(frozen, sentences):
        with suppress(ValueError, SyntaxError):
            return _say(tongue, form, written)
    return None


def _read(frozen: str, sentences: Sequence[Message]) -> Iterator[tuple[_Form, Mapping[str, str]]]:
    """The forms that read a sentence, with the values it holds."""
    for form in _forms(sentences):
        for pattern in form.patterns:
            found = pattern.fullmatch(frozen)
            if found is not None:
                yield form, found.groupdict()


def _say(tongue: Tongue, form: _Form, written: Mapping[str, str]) -> str:
    values = {place: _PLACES[place].say(tongue, value) for place, value in written.items()}
    if form.one == form.several:
        return tongue.gettext(form.one, **values)
    count = _whole(written.get("num", "1"))
    values.pop("num", None)
    return tongue.ngettext(form.one, form.several, count, **values)


def problem_said(tongue: Tongue, problem: object) -> str:
    """What is wrong, an error or its sentence, in a language."""
    found = str(problem)
    said = None if tongue.is_english else _said(tongue, found, PROBLEMS)
    if said is not None:
        return said
    return tongue.word(found)
