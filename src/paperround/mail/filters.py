"""Small decisions that the templates need made: short authors, which links, plurals, dates.

Each is a function of values that gives back words; the templates know them as filters. Those that
other ways out need too stand in `domain/telling.py`.
"""

import re
from collections.abc import Mapping
from functools import lru_cache

from paperround.domain.digests import DigestPaper
from paperround.domain.telling import (
    long_date,
    paper_links,
    short_authors,
    short_date,
    shortened,
    tally,
    tells_votes,
    title_address,
    web_address,
)

__all__ = [
    "long_date",
    "paper_links",
    "score_line",
    "score_words",
    "short_authors",
    "short_date",
    "shortened",
    "site_name",
    "spoken_title",
    "tally",
    "tells_votes",
    "title_address",
    "web_address",
    "wrapped",
]

TEXT_WIDTH = 72
_LABEL_LENGTH = 32
_SMALL_SHARE = 0.02
_ANGLES = re.compile("[<>]")


def site_name(url: str) -> str:
    """`url` as people say it: `papers.example.org`, with a path where the site has one."""
    return url.partition("://")[2].rstrip("/") or url


def spoken_title(title: str) -> str:
    """The start of `title` for the spoken name of a link, an attribute: no angle brackets."""
    return shortened(_ANGLES.sub("", title), _LABEL_LENGTH)


def score_line(paper: DigestPaper) -> str:
    """The score as the sum of its named parts; empty when it is not known.

    Parts too small to matter to a reader are added up as `other`, so the sum still holds.
    """
    return score_words(paper.score, paper.parts)


def score_words(score: float | None, parts: Mapping[str, float]) -> str:
    """`score_line` of a score and its parts."""
    if score is None or not parts:
        return ""
    least = abs(score) * _SMALL_SHARE
    small = [part for part in parts.values() if 0 < abs(part) < least]
    shown = [(name, part) for name, part in parts.items() if part]
    if len(small) > 1:
        shown = [(name, part) for name, part in shown if abs(part) >= least]
        shown.append(("other", sum(small)))
    said = [_part(name, value) for name, value in shown]
    return f"Score {_number(score)} = {' + '.join(said) or 0}"


@lru_cache(maxsize=4096)
def _part(name: str, value: float) -> str:
    return f"{name.replace('_', ' ')} {_number(value)}"


def _number(value: float) -> str:
    return f"{value:.4f}".rstrip("0").rstrip(".").replace("-", "−")


def wrapped(text: str, first: str = "", indent: str | None = None) -> str:
    """`text` on lines of at most 72 characters, broken at spaces only; words stay whole.

    The first line starts with `first`, the others with `indent` (default: as many spaces).
    """
    if len(first) + len(text) <= TEXT_WIDTH:
        return first + text
    margin = " " * len(first) if indent is None else indent
    words = text.split(" ")
    lines = [first + words[0]]
    for word in words[1:]:
        if len(lines[-1]) + 1 + len(word) <= TEXT_WIDTH:
            lines[-1] += f" {word}"
        else:
            lines.append(margin + word)
    return "\n".join(lines)
