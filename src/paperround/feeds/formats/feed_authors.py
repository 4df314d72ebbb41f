"""The authors of an item: names alone, one an element, however its feed lists them.

    text ─► without e-mail addresses ─► parted, where its form leaves no doubt

RSS 2.0 has an address for an author (`ada@x.example (Ada Lovelace)`): it is nobody's business here,
and is neither kept nor shown. Journals put all authors into one element, in four forms:
`A. Lovelace, C. Babbage and A. Turing`, `Lovelace, Ada; Babbage, Charles`,
`Lovelace, A., Babbage, C. D.` and `Ada Lovelace and Charles Babbage`. What may be one person
(`Lovelace, Ada`) or a body (`Bureau of Seas and Moons`) stays whole.
"""

import html
import re
from collections.abc import Iterator, Sequence

from paperround.feeds.formats.entries import storable

_LONGEST = 20_000
_ADDRESS = re.compile(
    r"(?:mailto:)?[^\s<>()\[\],;:\"@]{1,64}@[^\s<>()\[\],;\"@]{1,255}", re.IGNORECASE
)
_LEFT_OVER = re.compile(r"<\s*>|\(\s*\)|\[\s*\]")
_ALL_IN_BRACKETS = re.compile(r"\(([^()]*)\)")
_INITIALS = re.compile(r"[^\W\d_](?:\.|\b)(?:[\s-]*[^\W\d_](?:\.|\b)){0,4}")
_LAST = re.compile(r"\A(?:and|&)\s+", re.IGNORECASE)
_BETWEEN = re.compile(r"\s+(?:and|&)\s+", re.IGNORECASE)
_WORDS = 4
"""A name of more words is rather that of a body."""
_PARTICLES = frozenset(
    "al ap ben bin da dal de degli del dela della den der di do dos du el la le las los mac san "
    "ten ter van vom von y zu zum zur".split()
)
_BODIES = re.compile(
    r"\b(?:academy|administration|agency|alliance|association|authors?|bank|board|bureau|cent(?:er|re)"
    r"|college|collaboration|commission|committee|company|consortium|corporation|council|department"
    r"|editors?|faculty|federation|foundation|group|hospital|inc|institut\w*|journal|labs?"
    r"|laborator\w+|library|ltd|ministry|museum|national|network|office|organi[sz]ation|press"
    r"|program(?:me)?|project|research|school|sciences?|services?|society|staff|study|survey|team"
    r"|trust|union|universit\w+|working)\b",
    re.IGNORECASE,
)


def authors_of(said: Sequence[str]) -> list[str]:
    """The names in what an item says of its authors, one text an author or one of them all."""
    names: Sequence[str] = [
        name for one in said if (name := _without_address(html.unescape(one[:_LONGEST])))
    ]
    if len(names) == 1:
        names = _parted(names[0])
    return [name for one in names if (name := " ".join(storable(one).split()))]


def _without_address(text: str) -> str:
    """The name beside an e-mail address, empty where there is none."""
    text = " ".join(text.split())
    if "@" not in text:
        return text
    text = _LEFT_OVER.sub("", _ADDRESS.sub("", text)).strip(" \t\r\n,;:")
    within = _ALL_IN_BRACKETS.fullmatch(text)
    return (within[1] if within else text).strip(' \t\r\n"')


def _parted(text: str) -> Sequence[str]:
    if ";" in text:
        return [_given_first(part) for part in _filled(text.split(";"))]
    parts = _filled(text.split(","))
    if len(parts) > 1:
        # The people of `Lovelace, A., Babbage, C. D.`; none where a part fits no person. A part
        # without initials behind it is a whole name, and then it has a space.
        found = list(_with_initials([_LAST.sub("", part) for part in parts]))
        if len(found) < len(parts) and all(" " in name for name in found):
            return found
        return _listed(parts) or [text]
    both = _BETWEEN.split(text)
    return both if len(both) > 1 and all(map(_is_person, both)) else [text]


def _filled(parts: Sequence[str]) -> list[str]:
    return [part for one in parts if (part := one.strip())]


def _given_first(name: str) -> str:
    """`Lovelace, Ada` with its parts turned: in a list parted by semicolons it is one person."""
    parts = _filled(_LAST.sub("", name).split(","))
    return f"{parts[1]} {parts[0]}" if len(parts) == 2 else ", ".join(parts)


def _with_initials(parts: Sequence[str]) -> Iterator[str]:
    waiting = ""
    for part in parts:
        if waiting and _INITIALS.fullmatch(part):
            yield f"{part} {waiting}"
            waiting = ""
            continue
        if waiting:
            yield waiting
        waiting = part
    if waiting:
        yield waiting


def _listed(parts: Sequence[str]) -> list[str]:
    """The people of `Ada Lovelace, C. Babbage, and Alan Turing`: every name has a space."""
    *others, last = parts
    ends = [_LAST.sub("", last)] if _LAST.match(last) else _BETWEEN.split(last)
    if len(ends) > 1 and not all(map(_is_person, ends)):
        ends = [last]
    names = [*others, *ends]
    return names if all(" " in name for name in names) else []


def _is_person(name: str) -> bool:
    """Whether a text surely names one person: two to four capitalised words, and no body's."""
    words = name.split()
    if not 2 <= len(words) <= _WORDS or _BODIES.search(name):
        return False
    return all(word[0].isupper() or word.casefold() in _PARTICLES for word in words)
