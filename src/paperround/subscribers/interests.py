"""Interests of a reader, for all lists: topics, searches, authors, categories, papers, mutes, and
statements about their work."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from paperround.core.errors import InvalidInput, invalid
from paperround.core.languages import counted_text, marked_forms
from paperround.papers.identifiers import KINDS_BY_TRUST, arxiv_id, doi_identifier
from paperround.papers.topics import LONGEST_TOPIC, folded
from paperround.subscribers.keywords import LONGEST_KEYWORDS, read_keywords

MOST_INTERESTS = 200
MOST_TERMS = 400
"""Words and phrases of all searches and mutes of one reader: each is matched against a day's
papers."""


_LINES = marked_forms(
    "%(num)s line in all: use at most %(all)s", "%(num)s lines in all: use at most %(all)s"
)


class InterestKind(StrEnum):
    """A kind of interest. A mute uses the search language, including `author:` and `category:`.
    `focus` and `avoid` are sentences on what the reader works on, and on what to leave out."""

    TOPIC = "topic"
    KEYWORD = "keyword"
    AUTHOR = "author"
    CATEGORY = "category"
    SEED = "seed"
    MUTE = "mute"
    FOCUS = "focus"
    AVOID = "avoid"


_SEARCHES = (InterestKind.KEYWORD, InterestKind.MUTE)

STATEMENTS = (InterestKind.FOCUS, InterestKind.AVOID)
LONGEST_STATEMENT = 1000
"""Characters of all lines of a statement: five long sentences. Matching it costs as much as
matching a paper."""

LONGEST_VALUE = 300
"""Characters of an interest whose kind has no limit of its own, such as the title of a paper."""

LONGEST = {
    InterestKind.TOPIC: LONGEST_TOPIC,
    InterestKind.KEYWORD: LONGEST_KEYWORDS,
    InterestKind.MUTE: LONGEST_KEYWORDS,
    InterestKind.FOCUS: LONGEST_STATEMENT,
    InterestKind.AVOID: LONGEST_STATEMENT,
}


@dataclass(frozen=True, slots=True)
class Interest:
    """One thing a reader wants, or never wants. A seed is an identifier or a title, with a leading
    `-` if the reader wants fewer papers like it, or `+` if they wrote it."""

    kind: InterestKind
    value: str

    def __str__(self) -> str:
        return f"{self.kind}:{self.value}"


def interest(kind: InterestKind, written: str) -> Interest:
    """Return a validated interest.

    Raises InvalidInput (code: the kind) with the reason.
    """
    value = " ".join(written.split())
    longest = LONGEST.get(kind, LONGEST_VALUE)
    if len(value) > longest or not value.isprintable():
        raise invalid(
            kind,
            "%(given)s is longer than %(all)s characters or contains unprintable characters",
            given=value[:40],
            all=longest,
        )
    if not folded(value).strip(" ,;"):
        raise invalid(kind, "it is empty")
    if kind in _SEARCHES:
        try:
            read_keywords(value)
        except InvalidInput as error:
            raise InvalidInput(error.text, code=kind) from None
    if kind is InterestKind.SEED:
        # Normalize to `arxiv:2601.00001`, `-doi:10.1/x`, or the title unchanged.
        found = seed_identifier(value)
        value = seed_sign(value) + (seed_name(value) if found is None else ":".join(found))
    return Interest(kind, value)


OWN = "+"
"""The sign of a seed that the reader wrote."""


def is_unlike(seed: str) -> bool:
    """Return whether the reader wants fewer papers like this seed."""
    return seed.startswith("-")


def is_own(seed: str) -> bool:
    """Return whether the reader wrote this paper."""
    return seed.startswith(OWN)


def seed_sign(seed: str) -> str:
    """Return the sign in front of a seed, if it has one."""
    return seed[:1] if is_unlike(seed) or is_own(seed) else ""


def seed_name(seed: str) -> str:
    """Return a seed without its sign."""
    return seed.removeprefix(seed_sign(seed)).strip()


def seed_identifier(seed: str) -> tuple[str, str] | None:
    """Return (kind, value) of a seed that is an identifier or a URL; None for a title."""
    name = seed_name(seed)
    arxiv = arxiv_id(name)
    if arxiv is not None:
        return "arxiv", arxiv[0]
    doi = doi_identifier(name)
    if doi is not None:
        return doi
    if name.startswith(("https://", "http://")):
        return "url", name
    kind, colon, value = name.partition(":")
    return (kind, value.strip()) if colon and value and kind in KINDS_BY_TRUST else None


def interests_in(kind: InterestKind, lines: str) -> list[Interest]:
    """Parse one interest per line; blank lines are skipped.

    Raises InvalidInput: for too many lines before parsing any, else (code: the kind) naming the
    line.
    """
    written = {number: line for number, line in enumerate(lines.splitlines(), 1) if line.strip()}
    _require_at_most_all(len(written))
    return list(bounded(_parse_line(kind, number, line) for number, line in written.items()))


def _parse_line(kind: InterestKind, number: int, line: str) -> Interest:
    try:
        return interest(kind, line)
    except InvalidInput as error:
        raise invalid(
            error.code, "line %(at)s: %(problem)s", at=number, problem=error.text
        ) from None


def _require_at_most_all(lines: int) -> None:
    if lines > MOST_INTERESTS:
        raise InvalidInput(counted_text(_LINES, lines, all=MOST_INTERESTS), code="interests")


def parse_interest(written: str) -> Interest:
    """Parse `kind:value`, the form of `str(interest)`. Raises InvalidInput."""
    kind, _, value = written.strip().partition(":")
    if kind not in InterestKind.__members__.values():
        kinds = ", ".join(f"{one}:" for one in InterestKind)
        raise InvalidInput(f"{written[:40]!r} begins with none of {kinds}", code="interests")
    return interest(InterestKind(kind), value)


def bounded(interests: Iterable[Interest]) -> tuple[Interest, ...]:
    """Return the interests without duplicates, in order.

    Raises InvalidInput (code `interests`) for too many, or too many words and phrases in their
    searches; for a statement that is too long the code is its kind.
    """
    each: dict[Interest, None] = {}
    terms = 0
    left = dict.fromkeys(STATEMENTS, LONGEST_STATEMENT)
    for one in interests:
        if one.kind in _SEARCHES and one not in each:
            terms += read_keywords(one.value).terms
        if one.kind in left and one not in each:
            left[one.kind] -= len(one.value)
            if left[one.kind] < 0:
                raise invalid(
                    one.kind,
                    "more than %(all)s characters: a few sentences are enough",
                    all=LONGEST_STATEMENT,
                )
        if terms > MOST_TERMS:
            raise invalid(
                "interests",
                "more than %(all)s words and phrases in all searches: leave some out",
                all=MOST_TERMS,
            )
        each[one] = None
    _require_at_most_all(len(each))
    return tuple(each)


def validate_interests(written: Sequence[Interest]) -> tuple[Interest, ...]:
    """Validate each interest as `interest` does, and all of them as `bounded` does."""
    return bounded(interest(one.kind, one.value) for one in written)
