"""Sentences that editions and ledger rows hold, and errors, said in another language.

Why a paper is in a digest is frozen in English, and so is how its sources did: in one of a few
forms, with numbers, names and quoted words in its places. So a sentence is read back into its form
and values, and said anew from the catalogue. What no form reads is said as it was frozen, and so
are names, titles and quoted words.

    frozen ─► parts, joined by " · " ─► form and values ─► sentence of the language

What is wrong with what somebody gave is said in English where it is found, for programs and logs
too. A page reads it back in the same way.
"""

import ast
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import date
from functools import cache, lru_cache
from typing import NamedTuple

from paperround.domain.languages import ENGLISH
from paperround.languages.forms import AUTHORS, LISTED, REASONS, SOURCES, TOLD, TROUBLES, Sentence
from paperround.languages.problem_forms import PROBLEMS
from paperround.languages.tongue import Tongue, tongue

JOINT = " · "
_MOST_SAID = 8192
_MOST_PARTS = 8

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_A_LEAP_YEAR = 2024
_QUOTED = re.compile("“([^”]*)”")
_PLACE = re.compile(r"%\((\w+)\)s")
_NUMBER = r"\d[\d,]*"
_DAY = rf"\d\d? (?:{'|'.join(_MONTHS)})"


class _Place(NamedTuple):
    """How a value is written in a frozen sentence, and how it is said."""

    pattern: str
    say: Callable[[Tongue, str], object]


def _whole(written: str) -> int:
    return int(written.replace(",", ""))


def _as_written(_tongue: Tongue, written: str) -> str:
    return written


def _votes(tongue: Tongue, written: str) -> str:
    return tongue.counted(_whole(written.partition(" ")[0]), "vote")


def _number(tongue: Tongue, written: str) -> str:
    return tongue.number(_whole(written))


def _decimal(tongue: Tongue, written: str) -> str:
    return tongue.decimal(written)


def _day(tongue: Tongue, written: str) -> str:
    day, month = written.split(" ")
    return tongue.day_and_month(date(_A_LEAP_YEAR, _MONTHS.index(month) + 1, int(day)))


def _moment(tongue: Tongue, written: str) -> str:
    day, month, time = written.split(" ", 2)
    return f"{_day(tongue, f'{day} {month}')} {time}"


def _weekday(tongue: Tongue, written: str) -> str:
    return tongue.weekday(_DAYS.index(written))


def _words(tongue: Tongue, written: str) -> str:
    return tongue.listed([tongue.quoted(word) for word in _QUOTED.findall(written)])


def _listed(tongue: Tongue, written: str) -> str:
    return _said(tongue, written, LISTED) or written


def _trouble(tongue: Tongue, written: str) -> str:
    return _said(tongue, written, TROUBLES) or written


def _given(tongue: Tongue, written: str) -> str:
    """What somebody gave, as `repr` quotes it."""
    return tongue.quoted(str(ast.literal_eval(written)))


_PLACES: Mapping[str, _Place] = {
    "votes": _Place(rf"{_NUMBER} votes?", _votes),
    "num": _Place(_NUMBER, _number),
    "some": _Place(_NUMBER, _number),
    "all": _Place(_NUMBER, _number),
    "before": _Place(_NUMBER, _number),
    "times": _Place(r"\d+(?:\.\d+)?", _decimal),
    "share": _Place(r"\d[\d.e+-]*", _decimal),
    "day": _Place(_DAY, _day),
    "moment": _Place(rf"{_DAY} \d\d:\d\d UTC", _moment),
    "weekday": _Place("|".join(_DAYS), _weekday),
    "listed": _Place("(?:new|listed|first seen) .+", _listed),
    "trouble": _Place("stale|out of reach|gone for good", _trouble),
    "words": _Place("“[^”]*”(?:(?:, | and )“[^”]*”)*", _words),
    "name": _Place(".+", _as_written),
    "search": _Place(".+?", _as_written),
    "term": _Place(".+?", _as_written),
    "title": _Place(".+", _as_written),
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
def _forms(sentences: Sequence[Sentence]) -> tuple[_Form, ...]:
    return tuple(map(_form, sentences))


def _form(sentence: Sentence) -> _Form:
    ways = (sentence,) if isinstance(sentence, str) else sentence
    return _Form(ways[0], ways[-1], tuple(re.compile(_pattern(way)) for way in ways))


def _pattern(way: str) -> str:
    pieces = _PLACE.split(way)
    pieces[::2] = [re.escape(piece % ()) for piece in pieces[::2]]
    pieces[1::2] = [f"(?P<{place}>{_PLACES[place].pattern})" for place in pieces[1::2]]
    return "".join(pieces)


def _said(tongue: Tongue, frozen: str, sentences: Sequence[Sentence]) -> str | None:
    """The sentence in a language; None where no form reads it. A title may look like a form, and
    name a day that no month has, or quote as nothing is quoted: none reads that."""
    for form, written in _read(frozen, sentences):
        with suppress(ValueError, SyntaxError):
            return _say(tongue, form, written)
    return None


def _read(frozen: str, sentences: Sequence[Sentence]) -> Iterator[tuple[_Form, Mapping[str, str]]]:
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


@lru_cache(maxsize=_MOST_SAID)
def reason_said(tongue: Tongue, frozen: str) -> str:
    """Why a paper is there, as it was frozen, in a language."""
    if tongue.is_english or not frozen:
        return frozen
    return JOINT.join(_parts_said(tongue, frozen.split(JOINT)))


def _parts_said(tongue: Tongue, parts: Sequence[str]) -> Iterator[str]:
    for part in _sentences(parts):
        yield _said(tongue, part, REASONS) or part


def _sentences(parts: Sequence[str]) -> Iterator[str]:
    """A quoted title may hold what joins the parts, so as many of them as one form reads are
    one."""
    at = 0
    while at < len(parts):
        ends = range(min(len(parts), at + _MOST_PARTS), at, -1)
        joined = (JOINT.join(parts[at:end]) for end in ends)
        whole = next((one for one in joined if _said(tongue(ENGLISH), one, REASONS)), parts[at])
        yield whole
        at += whole.count(JOINT) + 1


@lru_cache(maxsize=_MOST_SAID)
def reason_told(frozen: str) -> str:
    """The first sentence of a frozen reason that a digest shows; "" where there is none."""
    told = (one for one in _sentences(frozen.split(JOINT)) if _said(tongue(ENGLISH), one, TOLD))
    return next(told, "")


def author_told(reason: str) -> str:
    """The author whom a reason names; "" where it names none."""
    return next((written["name"] for _, written in _read(reason, AUTHORS)), "")


@lru_cache(maxsize=_MOST_SAID)
def source_said(tongue: Tongue, frozen: str) -> str:
    """How a source did, as it was frozen, in a language."""
    name, parted, state = frozen.partition(": ")
    said = None if tongue.is_english or not parted else _said(tongue, state, SOURCES)
    if said is None:
        return frozen
    return tongue.gettext("%(label)s: %(value)s", label=name, value=said)


def problem_said(tongue: Tongue, problem: object) -> str:
    """What is wrong, an error or its sentence, in a language."""
    found = str(problem)
    said = None if tongue.is_english else _said(tongue, found, PROBLEMS)
    if said is not None:
        return said
    return tongue.word(found)
