"""Small decisions that the templates need made: which links, where a title leads, where lines end.

Each is a function of values that gives back words; the templates know them as filters. Those that
other ways out need too stand in `domain/telling.py`, and those that a language decides in
`languages`; `speech` gives templates these.
"""

import re

from paperround.domain.telling import (
    paper_links,
    short_authors,
    shortened,
    tally,
    title_address,
    web_address,
)
from paperround.mail.wrapping import wrapped

__all__ = [
    "paper_links",
    "short_authors",
    "shortened",
    "site_name",
    "spoken_title",
    "tally",
    "title_address",
    "web_address",
    "wrapped",
]

_LABEL_LENGTH = 32
_ANGLES = re.compile("[<>]")


def site_name(url: str) -> str:
    """`url` as people say it: `papers.example.org`, with a path where the site has one."""
    return url.partition("://")[2].rstrip("/") or url


def spoken_title(title: str) -> str:
    """The start of `title` for the spoken name of a link, an attribute: no angle brackets."""
    return shortened(_ANGLES.sub("", title), _LABEL_LENGTH)
