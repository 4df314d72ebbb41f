"""A digest in words: subject, preheader, text and HTML, all from one view."""

from dataclasses import fields, replace
from typing import NamedTuple

from paperround.domain.digests import DigestPaper, DigestView, Rendered, WithdrawnPaper
from paperround.domain.errors import RenderingFailed
from paperround.mail.filters import shortened
from paperround.mail.templates import PREHEADER_LENGTH, Templates, cleaned, postal_line

HTML_LIMIT = 90_000
"""Bytes. Gmail hides what comes after about 102,000, the footer's links first."""
_TITLE_LENGTH = 300
_REASON_LENGTH = 200


class _Fullness(NamedTuple):
    """How much of a gist is shown, and whether each paper asks if it was useful."""

    gist: int
    asks: bool


_FULLEST_FIRST = (
    _Fullness(600, asks=True),
    _Fullness(400, asks=True),
    _Fullness(240, asks=True),
    _Fullness(120, asks=True),
    _Fullness(120, asks=False),
    _Fullness(60, asks=False),
)
"""The first that keeps the HTML below its limit is taken, the last in any case."""


def digest_words(templates: Templates, view: DigestView) -> Rendered:
    """Subject, preheader, text and HTML.

    Raises RenderingFailed when there is no paper or a template cannot be filled.
    """
    if not view.papers:
        raise RenderingFailed("a digest needs at least one paper")
    clean = _cleaned_view(view)
    for fullness in _FULLEST_FIRST[:-1]:
        rendered = _filled(templates, clean, fullness)
        if len(rendered.html.encode()) <= HTML_LIMIT:
            return rendered
    return _filled(templates, clean, _FULLEST_FIRST[-1])


def _filled(templates: Templates, whole: DigestView, fullness: _Fullness) -> Rendered:
    view = _with_gists(whole, fullness.gist)
    subject = templates.subject("digest", {"view": view})
    preheader = shortened(_preheader(view), PREHEADER_LENGTH)
    asked = view.links.feedback if fullness.asks else ""
    values = {"view": view, "subject": subject, "preheader": preheader, "asked": asked}
    text, html = templates.parts("digest", values)
    return Rendered(subject=subject, preheader=preheader, text=text, html=html)


def _preheader(view: DigestView) -> str:
    titles = [paper.title for paper in view.papers[1:3]]
    if not titles:
        return view.papers[0].gist or view.papers[0].reason
    return " · ".join(["Also: " + titles[0], *titles[1:]])


def _cleaned_view(view: DigestView) -> DigestView:
    clean = {f.name: cleaned(getattr(view, f.name)) for f in fields(view)}
    clean["papers"] = tuple(_cleaned_paper(paper) for paper in view.papers)
    clean["withdrawn"] = tuple(_cleaned_news(paper) for paper in view.withdrawn)
    clean["postal_address"] = postal_line(view.postal_address)
    return replace(view, **clean)


def _cleaned_paper(paper: DigestPaper) -> DigestPaper:
    clean = {f.name: cleaned(getattr(paper, f.name)) for f in fields(paper)}
    clean["title"] = shortened(clean["title"], _TITLE_LENGTH) or "Untitled"
    clean["reason"] = shortened(clean["reason"], _REASON_LENGTH)
    return replace(paper, **clean)


def _cleaned_news(paper: WithdrawnPaper) -> WithdrawnPaper:
    title = shortened(cleaned(paper.title), _TITLE_LENGTH) or "Untitled"
    return WithdrawnPaper(title=title, url=cleaned(paper.url))


def _with_gists(view: DigestView, length: int) -> DigestView:
    papers = [replace(paper, gist=shortened(paper.gist, length)) for paper in view.papers]
    return replace(view, papers=tuple(papers))
