"""What a person wants of every list: searches, authors, categories, papers they like, and mutes."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from paperround.core.errors import InvalidInput, invalid
from paperround.core.languages import counted_text, marked_forms
from paperround.papers.identifiers import KINDS_BY_TRUST, arxiv_id, doi_identifier
from paperround.papers.libraries import LONGEST_VALUE
from paperround.papers.topics import LONGEST_TOPIC, folded
from paperround.subscribers.keywords import LONGEST_KEYWORDS, read_keywords

MOST_INTERESTS = 200
MOST_TERMS = 400
"""Words and phrases of all searches and mutes of one person: a day's papers are asked for each."""


_LINES = marked_forms(
    "%(num)s line in all: %(all)s are enough", "%(num)s lines in all: %(all)s are enough"
)


class InterestKind(StrEnum):
    """What is said. A mute is said in the language of searches: `author:` and `category:` too."""

    TOPIC = "topic"
    KEYWORD = "keyword"
    AUTHOR = "author"
    CATEGORY = "category"
    SEED = "seed"
    MUTE = "mute"


_SEARCHES = (InterestKind.KEYWORD, InterestKind.MUTE)

LONGEST = {
    InterestKind.TOPIC: LONGEST_TOPIC,
    InterestKind.KEYWORD: LONGEST_KEYWORDS,
    InterestKind.MUTE: LONGEST_KEYWORDS,
}


@dataclass(frozen=True, slots=True)
class Interest:
    """One thing that somebody wants, or never wants. A seed is an identifier or a title, with a
    `-` before it when they want less of its like."""

    kind: InterestKind
    value: str

    def __str__(self) -> str:
        return f"{self.kind}:{self.value}"


def interest(kind: InterestKind, written: str) -> Interest:
    """What somebody wrote, cleaned.

    Raises InvalidInput (code: the kind) that says what is wrong with it.
    """
    value = " ".join(written.split())
    longest = LONGEST.get(kind, LONGEST_VALUE)
    if len(value) > longest or not value.isprintable():
        raise invalid(
            kind,
            "%(given)s is longer than %(all)s characters or holds characters that "
            "cannot be printed",
            given=value[:40],
            all=longest,
        )
    if not folded(value).strip(" ,;"):
        raise invalid(kind, "there is nothing in it")
    if kind in _SEARCHES:
        try:
            read_keywords(value)
        except InvalidInput as error:
            raise InvalidInput(error.text, code=kind) from None
    if kind is InterestKind.SEED:
        # One spelling: `arxiv:2601.00001`, `-doi:10.1/x`, or the title as it is.
        found, sign = seed_identifier(value), "-" if is_unlike(value) else ""
        value = sign + (seed_name(value) if found is None else ":".join(found))
    return Interest(kind, value)


def is_unlike(seed: str) -> bool:
    """Whether less of its like is wanted."""
    return seed.startswith("-")


def seed_name(seed: str) -> str:
    """A seed without its sign."""
    return seed.removeprefix("-").strip()


def seed_identifier(seed: str) -> tuple[str, str] | None:
    """(kind, value) of a seed that is an identifier or an address; None for a title."""
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
    """One interest a line; blank lines are passed over.

    Raises InvalidInput: for too many lines before it reads any, else one (code: the kind) that
    names the line.
    """
    written = {number: line for number, line in enumerate(lines.splitlines(), 1) if line.strip()}
    _require_few(len(written))
    return list(bounded(_read(kind, number, line) for number, line in written.items()))


def _read(kind: InterestKind, number: int, line: str) -> Interest:
    try:
        return interest(kind, line)
    except InvalidInput as error:
        raise invalid(
            error.code, "line %(at)s: %(problem)s", at=number, problem=error.text
        ) from None


def _require_few(lines: int) -> None:
    if lines > MOST_INTERESTS:
        text = counted_text(_LINES, lines, all=MOST_INTERESTS)
        raise InvalidInput(text, code="interests")


def parse_interest(written: str) -> Interest:
    """`kind:value`, as `str` of an interest writes it. Raises InvalidInput."""
    kind, _, value = written.strip().partition(":")
    if kind not in InterestKind.__members__.values():
        kinds = ", ".join(f"{one}:" for one in InterestKind)
        raise InvalidInput(f"{written[:40]!r} begins with none of {kinds}", code="interests")
    return interest(InterestKind(kind), value)


def bounded(interests: Iterable[Interest]) -> tuple[Interest, ...]:
    """The interests, each once, in their order. Raises InvalidInput (code `interests`) for too
    many, or too many words and phrases in their searches."""
    each: dict[Interest, None] = {}
    terms = 0
    for one in interests:
        if one.kind in _SEARCHES and one not in each:
            terms += read_keywords(one.value).terms
        if terms > MOST_TERMS:
            raise invalid(
                "interests",
                "more than %(all)s words and phrases in all searches: leave some out",
                all=MOST_TERMS,
            )
        each[one] = None
    _require_few(len(each))
    return tuple(each)


def checked_interests(written: Sequence[Interest]) -> tuple[Interest, ...]:
    """As `interest` and `bounded`, for interests that came as values."""
    return bounded(interest(one.kind, one.value) for one in written)
