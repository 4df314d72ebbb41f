"""Parse the text of a saved page of trending papers: titles and abstracts on alternating lines.

    Get trending papers in your email inbox once a day!      the box: one or both wordings,
    Get trending papers in your email inbox!                 on one line or two
    SubscribeTitle of the first paper                        its button, before the first title
    Abstract of the first paper
    Title of the second paper ...

Line lengths distinguish abstracts from titles only where a line is missing: that line is rejected
and the following pairs stay together.
"""

import re

from paperround.feeds.formats.entries import (
    BadEntry,
    Line,
    fingerprint,
    is_undecoded,
    reject,
    storable,
)
from paperround.papers.model import ParsedBatch, Record, Reject

_BOX = re.compile(r"(?:Get trending papers in your email inbox(?: once a day)?!\s*)+")
_BUTTON = re.compile(r"Subscribe(?=[A-Z0-9]|\s*$)")
_LONG = 250
"""Characters from which a line cannot be a title."""


def read_page(content: bytes) -> ParsedBatch:
    """Return the papers of a saved page, in order; positions are line numbers."""
    lines = _lines(content)
    records: list[Record] = []
    rejects: list[Reject] = []
    while lines:
        problem = _problem(lines)
        if problem is None:
            title, abstract = lines[0][1], lines[1][1]
            records.append(
                Record(
                    title=storable(title),
                    abstract=storable(abstract),
                    fingerprint=fingerprint(f"{title}\n{abstract}".encode()),
                )
            )
        else:
            rejects.append(reject(problem, *lines[0]))
        is_pair = problem is None or problem.reason == "not-utf8"
        del lines[: 2 if is_pair else 1]
    return ParsedBatch(records=tuple(records), rejects=tuple(rejects))


def _lines(content: bytes) -> list[Line]:
    """Return numbered lines that are not blank, without the box and its button."""
    text = content.decode("utf-8-sig", "surrogateescape")
    lines = list(enumerate(text.replace("\r\n", "\n").split("\n"), start=1))
    has_box = False
    while lines and (not lines[0][1].strip() or _BOX.match(lines[0][1])):
        number, line = lines.pop(0)
        rest = _BOX.sub("", line, count=1)
        has_box = has_box or rest != line
        if rest.strip():
            lines.insert(0, (number, rest))
            break
    if has_box and lines:
        lines[0] = (lines[0][0], _BUTTON.sub("", lines[0][1], count=1))
    return [(number, line.strip()) for number, line in lines if line.strip()]


def _problem(lines: list[Line]) -> BadEntry | None:
    """Return why the first two lines are no paper; None when they are."""
    title, following = lines[0][1], [line for _, line in lines[1:3]]
    if any(map(is_undecoded, (title, *following[:1]))):
        return BadEntry("not-utf8", "the title or the abstract is not UTF-8")
    if len(title) >= _LONG:
        return BadEntry("odd-line", "an abstract without a title")
    if not following:
        return BadEntry("odd-line", "a title without an abstract at the end of the page")
    lengths = [len(line) for line in following]
    if len(lengths) == 2 and lengths[0] < _LONG <= lengths[1]:
        return BadEntry("odd-line", "a title without an abstract")
    return None
