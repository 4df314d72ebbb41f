"""A digest in words: subject, preheader, text and HTML, all from one view.

The templates know loops and ifs; what needs a decision (short authors, which links, plurals) is
a filter here. Every text is cleaned once before it reaches them, so no title can hide a control
or bidi character in either part. Escaping is on for the HTML whatever a file is called.
"""

import re
from collections.abc import Mapping
from dataclasses import fields, replace
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import css_inline
from jinja2 import Environment, FileSystemLoader, StrictUndefined, TemplateError

from paperround.domain.digests import (
    DigestPaper,
    DigestView,
    Rendered,
)
from paperround.domain.errors import RenderingFailed
from paperround.mail.headers import header_text, one_line
from paperround.paths import templates_dir

TEXT_WIDTH = 72
SUBJECT_LENGTH = 120
PREHEADER_LENGTH = 160
HTML_LIMIT = 90_000
"""Bytes. Gmail hides what comes after about 102,000, the footer's links first."""
_TITLE_LENGTH = 300
_GIST_LENGTHS = (600, 400, 240, 120, 60)
"""How much of a gist is shown, the first that keeps the HTML below its limit."""
_REASON_LENGTH = 200
_NAME_LENGTH = 50
_LABEL_LENGTH = 32
_MOST_NAMES = 4
_SMALL_SHARE = 0.02
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July",
    "August", "September", "October", "November", "December",
)  # fmt: skip
_LINKS = {
    "abstract": "Abstract",
    "pdf": "PDF",
    "code": "Code",
    "project": "Project page",
    "discussion": "Discussion",
}
_PRINTABLE = "!#$%&'()*+,/:;=?@[]~"
_UNSAFE = re.compile(r"[\s\"'<>\\`{|}^\x00-\x1f]")
_ANGLES = re.compile("[<>]")
_LINE_ENDS = re.compile(r"\s*[\r\n]+\s*")


class DigestTemplates:
    """The templates of the digest, read from `folder` (default: the installed ones)."""

    def __init__(self, folder: Path | None = None) -> None:
        loader = FileSystemLoader(folder or templates_dir())
        self._html = _environment(loader, autoescape=True)
        self._text = _environment(loader, autoescape=False)
        self._inliner = css_inline.CSSInliner(load_remote_stylesheets=False)

    def render(self, view: DigestView) -> Rendered:
        """Subject, preheader, text and HTML.

        Raises RenderingFailed when there is no paper or a template cannot be filled.
        """
        if not view.papers:
            raise RenderingFailed("a digest needs at least one paper")
        clean = _cleaned_view(view)
        try:
            return self._fitting(clean)
        except (TemplateError, css_inline.InlineError) as error:
            raise RenderingFailed(f"the digest's template could not be filled: {error}") from error

    def _fitting(self, view: DigestView) -> Rendered:
        for length in _GIST_LENGTHS[:-1]:
            rendered = self._filled(_with_gists(view, length))
            if len(rendered.html.encode()) <= HTML_LIMIT:
                return rendered
        return self._filled(_with_gists(view, _GIST_LENGTHS[-1]))

    def _filled(self, view: DigestView) -> Rendered:
        subject = self._text.get_template("mail/digest.subject.txt").render(view=view)
        shown = shortened(header_text(subject), SUBJECT_LENGTH)
        preheader = shortened(_preheader(view), PREHEADER_LENGTH)
        values = {"view": view, "subject": shown, "preheader": preheader}
        text = self._text.get_template("mail/digest.txt").render(values)
        html = self._html.get_template("mail/digest.html").render(values)
        return Rendered(
            subject=shown, preheader=preheader, text=text, html=self._inliner.inline(html)
        )


def shortened(text: str, length: int) -> str:
    """`text` in at most `length` characters, cut after a word where one ends in its second half."""
    if len(text) <= length:
        return text
    head = text[: length - 1]
    space = head.rfind(" ")
    return head[: space if space > length // 2 else None].rstrip(" ,;:.-–—\u200d") + "…"


def short_authors(names: tuple[str, ...]) -> str:
    """Up to four names; of more, three and the rest: `A. Author, B. Author, C. Author and 7 more`.

    "and 1 more" would take the room of the fourth name.
    """
    named = [shortened(name, _NAME_LENGTH) for name in names if name]
    if len(named) > _MOST_NAMES:
        shown = named[: _MOST_NAMES - 1]
        return f"{', '.join(shown)} and {len(named) - len(shown)} more"
    return " and ".join(filter(None, [", ".join(named[:-1]), *named[-1:]]))


def web_address(url: str) -> str:
    """`url` in ASCII when it is a plain http(s) address, else empty: anything else is dropped."""
    if _UNSAFE.search(url):
        return ""
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        return ""
    if parts.scheme not in ("http", "https") or not host or not parts.netloc.isascii():
        return ""
    return quote(url, safe=_PRINTABLE)


def paper_links(paper: DigestPaper) -> list[tuple[str, str]]:
    """(label, address) of the links to show, in a fixed order."""
    known = [(label, web_address(paper.links.get(kind, ""))) for kind, label in _LINKS.items()]
    shown = [(_label(label, url), url) for label, url in known if url]
    return list({url: (label, url) for label, url in reversed(shown)}.values())[::-1]


def _label(label: str, url: str) -> str:
    host = urlsplit(url).hostname or ""
    of_arxiv = host == "arxiv.org" or host.endswith(".arxiv.org")
    return f"arXiv {label.lower()}" if of_arxiv and label == "Abstract" else label


def title_address(paper: DigestPaper) -> str:
    """Where the title leads: the abstract, else the paper's page."""
    return web_address(paper.links.get("abstract", "")) or web_address(paper.page_url)


def spoken_title(title: str) -> str:
    """The start of `title` for the spoken name of a link, an attribute: no angle brackets."""
    return shortened(_ANGLES.sub("", title), _LABEL_LENGTH)


def tally(paper: DigestPaper) -> str:
    """Votes where they are known (null is not 0) and the reason has not told them; comments."""
    votes = "" if paper.votes is None else counted(paper.votes, "vote")
    told = "" if votes and paper.reason.startswith(votes) else votes
    comments = counted(paper.comments, "comment") if paper.comments else ""
    return ", ".join(filter(None, (told, comments)))


def score_line(paper: DigestPaper) -> str:
    """The score as the sum of its named parts; empty when it is not known.

    Parts too small to matter to a reader are added up as `other`, so the sum still holds.
    """
    if paper.score is None or not paper.parts:
        return ""
    least = abs(paper.score) * _SMALL_SHARE
    small = {name: part for name, part in paper.parts.items() if 0 < abs(part) < least}
    shown = {name: part for name, part in paper.parts.items() if part}
    if len(small) > 1:
        shown = {name: part for name, part in shown.items() if name not in small}
        shown["other"] = sum(small.values())
    parts = [f"{name.replace('_', ' ')} {_number(part)}" for name, part in shown.items()]
    return f"Score {_number(paper.score)} = {' + '.join(parts) or 0}"


def _number(value: float) -> str:
    return f"{value:.4f}".rstrip("0").rstrip(".").replace("-", "−")


def counted(number: int, noun: str) -> str:
    """`1 paper`, `12 papers`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def long_date(day: date) -> str:
    """`Friday 30 January 2026`, in English whatever the locale."""
    return f"{_DAYS[day.weekday()]} {day.day} {_MONTHS[day.month - 1]} {day.year}"


def short_date(day: date) -> str:
    """`Fri 30 Jan`."""
    return f"{_DAYS[day.weekday()][:3]} {day.day} {_MONTHS[day.month - 1][:3]}"


def wrapped(text: str, first: str = "", indent: str | None = None) -> str:
    """`text` on lines of at most 72 characters, broken at spaces only; words stay whole.

    The first line starts with `first`, the others with `indent` (default: as many spaces).
    """
    margin = " " * len(first) if indent is None else indent
    words = text.split(" ")
    lines = [first + words[0]]
    for word in words[1:]:
        if len(lines[-1]) + 1 + len(word) <= TEXT_WIDTH:
            lines[-1] += f" {word}"
        else:
            lines.append(margin + word)
    return "\n".join(lines)


def _preheader(view: DigestView) -> str:
    titles = [paper.title for paper in view.papers[1:3]]
    if not titles:
        return view.papers[0].gist or view.papers[0].reason
    return " · ".join(["Also: " + titles[0], *titles[1:]])


def _environment(loader: FileSystemLoader, *, autoescape: bool) -> Environment:
    environment = Environment(
        loader=loader,
        autoescape=autoescape,  # noqa: S701 - off for the text part only
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {
        "authors": short_authors,
        "counted": counted,
        "label": spoken_title,
        "links": paper_links,
        "long_date": long_date,
        "score": score_line,
        "short_date": short_date,
        "tally": tally,
        "title_address": title_address,
        "web": web_address,
        "wrapped": wrapped,
    }
    return environment


def _cleaned_view(view: DigestView) -> DigestView:
    cleaned = {f.name: _cleaned(getattr(view, f.name)) for f in fields(view)}
    cleaned["papers"] = tuple(_cleaned_paper(paper) for paper in view.papers)
    cleaned["postal_address"] = one_line(_LINE_ENDS.sub(", ", view.postal_address.strip()))
    return replace(view, **cleaned)


def _cleaned_paper(paper: DigestPaper) -> DigestPaper:
    cleaned = {f.name: _cleaned(getattr(paper, f.name)) for f in fields(paper)}
    cleaned["title"] = shortened(cleaned["title"], _TITLE_LENGTH) or "Untitled"
    cleaned["reason"] = shortened(cleaned["reason"], _REASON_LENGTH)
    return replace(paper, **cleaned)


def _with_gists(view: DigestView, length: int) -> DigestView:
    papers = [replace(paper, gist=shortened(paper.gist, length)) for paper in view.papers]
    return replace(view, papers=tuple(papers))


def _cleaned(value: Any) -> Any:
    """Strings on one clean line, also inside tuples and mappings; other values as they are."""
    match value:
        case str():
            return one_line(value)
        case tuple():
            return tuple(_cleaned(item) for item in value)
        case Mapping():
            return {_cleaned(key): _cleaned(item) for key, item in value.items()}
        case _:
            return value
