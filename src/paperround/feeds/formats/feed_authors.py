"""Parse the authors of a feed item, whichever way the feed lists them.

    text ─► remove email addresses ─► split, when the form is unambiguous

RSS 2.0 uses email addresses for authors (`ada@x.example (Ada Lovelace)`), which are neither stored
nor shown. Journals put all authors into one element, in four forms: `A. Lovelace, C. Babbage and A.
Turing`, `Lovelace, Ada; Babbage, Charles`, `Lovelace, A., Babbage, C. D.` and `Ada Lovelace and
Charles Babbage`. Text that may be one person (`Lovelace, Ada`) or an organization (`Bureau of Seas
and Moons`) is not split.
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
_IN_PARENTHESES = re.compile(r"\(([^()]*)\)")
_INITIALS = re.compile(r"[^\W\d_](?:\.|\b)(?:[\s-]*[^\W\d_](?:\.|\b)){0,4}")
_LEADING_AND = re.compile(r"\A(?:and|&)\s+", re.IGNORECASE)
_AND = re.compile(r"\s+(?:and|&)\s+", re.IGNORECASE)
_MOST_WORDS = 4
"""Longer names are probably organizations."""
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


def authors_of(texts: Sequence[str]) -> list[str]:
    """Return the names of an item's authors, from one text each or one text for all."""
    names: Sequence[str] = [
        name for one in texts if (name := _remove_address(html.unescape(one[:_LONGEST])))
    ]
    if len(names) == 1:
        names = _split_names(names[0])
    return [name for one in names if (name := " ".join(storable(one).split()))]


def _remove_address(text: str) -> str:
    """Return the name beside an email address; empty when there is none."""
    text = " ".join(text.split())
    if "@" not in text:
        return text
    text = _LEFT_OVER.sub("", _ADDRESS.sub("", text)).strip(" \t\r\n,;:")
    within = _IN_PARENTHESES.fullmatch(text)
    return (within[1] if within else text).strip(' \t\r\n"')


def _split_names(text: str) -> Sequence[str]:
    if ";" in text:
        return [_given_first(part) for part in _strip_all(text.split(";"))]
    parts = _strip_all(text.split(","))
    if len(parts) > 1:
        # `Lovelace, A., Babbage, C. D.`: a part without initials after it must be a whole name,
        # which has a space.
        found = list(_with_initials([_LEADING_AND.sub("", part) for part in parts]))
        if len(found) < len(parts) and all(" " in name for name in found):
            return found
        return _split_list(parts) or [text]
    both = _AND.split(text)
    return both if len(both) > 1 and all(map(_is_person, both)) else [text]


def _strip_all(parts: Sequence[str]) -> list[str]:
    return [part for one in parts if (part := one.strip())]


def _given_first(name: str) -> str:
    """Turn `Lovelace, Ada` around; between semicolons it is one person."""
    parts = _strip_all(_LEADING_AND.sub("", name).split(","))
    return f"{parts[1]} {parts[0]}" if len(parts) == 2 else ", ".join(parts)


def _with_initials(parts: Sequence[str]) -> Iterator[str]:
    pending = ""
    for part in parts:
        if pending and _INITIALS.fullmatch(part):
            yield f"{part} {pending}"
            pending = ""
            continue
        if pending:
            yield pending
        pending = part
    if pending:
        yield pending


def _split_list(parts: Sequence[str]) -> list[str]:
    """Return the names of `Ada Lovelace, C. Babbage, and Alan Turing`, each with a space."""
    *others, last = parts
    ends = [_LEADING_AND.sub("", last)] if _LEADING_AND.match(last) else _AND.split(last)
    if len(ends) > 1 and not all(map(_is_person, ends)):
        ends = [last]
    names = [*others, *ends]
    return names if all(" " in name for name in names) else []


def _is_person(name: str) -> bool:
    """Return whether the text is surely one person: two to four capitalised words."""
    words = name.split()
    if not 2 <= len(words) <= _MOST_WORDS or _BODIES.search(name):
        return False
    return all(word[0].isupper() or word.casefold() in _PARTICLES for word in words)
