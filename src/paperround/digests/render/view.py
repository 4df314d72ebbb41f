"""Render the subject, preheader, text and HTML of digests and notices."""

import re
from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from functools import lru_cache, partial
from typing import NamedTuple, TypeVar

from markupsafe import Markup

from paperround.access.operators import LINK_VALID
from paperround.core.errors import RenderingFailed
from paperround.core.i18n.locale import Locale, locale_for
from paperround.core.languages import asking
from paperround.delivery.system_mail_model import (
    CONFIRM_VALID,
    PREFERENCES_VALID,
    UNCONFIRMED_LIFE,
    UNDO_VALID,
    NoticeView,
    SystemMailKind,
)
from paperround.digests.model import (
    ClubPaper,
    DigestPaper,
    DigestView,
    Rendered,
    WithdrawnPaper,
)
from paperround.digests.render.facts import reason_line, votes_line
from paperround.digests.render.headers import header_text
from paperround.digests.render.templates import (
    PREHEADER_LENGTH,
    SUBJECT_LENGTH,
    Line,
    Parts,
    RisenLine,
    Templates,
    cleaned,
    postal_line,
)
from paperround.editions.labels import (
    LEFT_OUT,
    localized_list_title,
    localized_new,
    localized_preheader,
    localized_section,
    localized_section_note,
    localized_title,
)
from paperround.editions.model import NewPapers, TrendingPeriod
from paperround.editions.sections import Section, headings
from paperround.papers.formatting import shortened, web_address
from paperround.papers.gist import shortened as cut_at_word

HTML_LIMIT = 90_000
"""Bytes. Gmail clips messages at about 102,000, which hides the footer's links first."""
_TITLE_LENGTH = 300
_LAST_WORDS = re.compile(r"(?: [a-z]{1,4})+…$")
_SUBJECT = 80
"""Characters of the subject of a digest: mail programs show little more."""
_PUBLIC = ("web_url", "subscribe_url")
"""Public pages, which do not know the reader: their URLs name the language of the digest."""


LEADS = 3
"""The first papers, shown at length."""


class Fullness(NamedTuple):
    """The length of gists, in a lead and otherwise, and whether papers have feedback links."""

    lead: int
    gist: int
    has_feedback: bool


FULLEST_FIRST = (
    Fullness(600, 400, has_feedback=True),
    Fullness(400, 240, has_feedback=True),
    Fullness(240, 160, has_feedback=True),
    Fullness(120, 100, has_feedback=True),
    Fullness(120, 100, has_feedback=False),
    Fullness(60, 60, has_feedback=False),
)
"""Rendering uses the first that keeps the HTML below its limit, else the last."""


def render_digest(templates: Templates, view: DigestView) -> Rendered:
    """Return subject, preheader, text and HTML.

    Raises RenderingFailed when there is no paper or a template fails.
    """
    require_papers(view)
    clean = clean_view(view)
    for fullness in FULLEST_FIRST[:-1]:
        rendered = _render_with(templates, clean, fullness)
        if len(rendered.html.encode()) <= HTML_LIMIT:
            return rendered
    return _render_with(templates, clean, FULLEST_FIRST[-1])


def require_papers(view: DigestView) -> None:
    """Raise RenderingFailed when there is no paper."""
    if not view.papers:
        raise RenderingFailed("a digest needs at least one paper")


def _render_with(templates: Templates, view: DigestView, fullness: Fullness) -> Rendered:
    locale, numbered = locale_for(view.language), enumerate(view.papers, start=1)
    papers = [with_gist(paper, number, fullness) for number, paper in numbered]
    first = papers[0]
    subject = subject_of(templates, view, first.title)
    preheader = preheader_of(
        view.language,
        [paper.title for paper in papers[1:3]],
        first.gist or reason_line(locale, first.reason),
    )
    feedback_url = view.links.feedback if fullness.has_feedback else ""
    cards = [
        templates.card(view.language, number, paper, feedback_url, is_lead=number <= LEADS)
        for number, paper in enumerate(papers, start=1)
    ]
    entries = [
        templates.line(view.language, entry_of(locale, number, paper))
        for number, paper in enumerate(papers, start=1)
    ]
    lines = section_lines(view.language, *sections_of(papers), view.period)
    render = partial(templates.line, view.language)
    pieces = [
        *map(render, lines_before(view.language, view)),
        *in_place(lines, entries, cards, render),
        *map(render, lines_after(view.language, view, feedback_url)),
    ]
    both = Parts(
        "".join(piece.text for piece in pieces), Markup("").join(piece.html for piece in pieces)
    )
    text, html = parts_of(templates, view, both, subject=subject, preheader=preheader)
    return Rendered(subject=subject, preheader=preheader, text=text, html=html)


SHORT_TITLE = 60
"""Characters of a title in the contents: a line, or two on a phone."""
_LEAST_CONTENTS = 4
"""Papers from which a digest begins with its contents."""
_MOST_OUTLINES = 1024
_NO_SECTION = Line("section", "")


def entry_of(locale: Locale, number: int, paper: DigestPaper) -> Line:
    """Return a paper's line in the contents, with its votes."""
    title = short_title(paper.title, SHORT_TITLE)
    return Line("entry", title, number=number, note=votes_line(locale, paper))


def sections_of(
    papers: Sequence[DigestPaper],
) -> tuple[tuple[Section | None, ...], frozenset[Section | None]]:
    """Return the section of each paper, and the sections with papers that are estimated."""
    estimated = frozenset(one.section for one in papers if one.is_estimated)
    return tuple([one.section for one in papers]), estimated


@lru_cache(maxsize=_MOST_OUTLINES)
def section_lines(
    language: str,
    sections: tuple[Section | None, ...],
    estimated: frozenset[Section | None],
    period: TrendingPeriod,
) -> dict[int, tuple[Line, Line]]:
    """Return the lines in the contents and above the papers of each section, by the place of its
    first paper."""
    locale = locale_for(language)
    lines = {}
    for place, section in headings(sections).items():
        text = localized_section(locale, section, period)
        note = localized_section_note(locale, is_estimated=section in estimated)
        lines[place] = Line("section", text), Line("heading", text, note=note)
    return lines


Part = TypeVar("Part")


def in_place(
    lines: dict[int, tuple[Line, Line]],
    entries: Sequence[Part],
    cards: Sequence[Part],
    render: Callable[[Line], Part],
) -> list[Part]:
    """Return all pieces of a digest in order: contents, then cards below their headings."""
    contents, papers = list(entries), list(cards)
    for place in reversed(lines):
        section, heading = lines[place]
        contents.insert(place, render(section))
        papers.insert(place, render(heading))
    if len(cards) < _LEAST_CONTENTS:
        return papers
    return [*contents, *papers] if lines else [render(_NO_SECTION), *contents, *papers]


def lines_before(language: str, view: DigestView) -> list[Line]:
    """Return the line that says how many papers were new, if that is known."""
    return [] if view.new_papers is None else [_new_line(language, view.new_papers)]


@lru_cache(maxsize=_MOST_OUTLINES)
def _new_line(language: str, papers: NewPapers) -> Line:
    return Line("new", localized_new(locale_for(language), papers))


def lines_after(language: str, view: DigestView, feedback_url: str) -> list[Line | RisenLine]:
    """Return the lines of papers that rose after digests had left them out, each with a link to
    rate it; without `feedback_url`, only the titles."""
    if not view.risen:
        return []
    locale = locale_for(language)
    lines: list[Line | RisenLine] = [Line("heading", locale.word(LEFT_OUT))]
    for number, paper in enumerate(view.risen, start=1):
        title = localized_title(locale, cleaned(paper.title), _TITLE_LENGTH)
        url = asking(cleaned(paper.url), locale.language)
        rate = feedback_url and f"{feedback_url}/more/r{number}"
        lines.append(RisenLine(title, locale.counted(paper.votes, "vote"), url, rate))
    return lines


def subject_of(templates: Templates, clean: DigestView, title: str) -> str:
    """Return the subject of a digest whose first paper is `title`. Raises RenderingFailed.

    A long title is shortened, so that number and date are visible in a list of messages.
    """
    values = {"view": clean, "count": len(clean.papers)}
    rest = templates.subject("digest", {**values, "title": ""})
    short = short_title(title, _SUBJECT - len(rest))
    return templates.subject("digest", {**values, "title": short})


def short_title(title: str, length: int) -> str:
    """Return a title in at most `length` characters, cut after a word other than "of" or "for".
    Only a longer first word is itself cut."""
    short = cut_at_word(title, length)
    return short if short == title else _LAST_WORDS.sub("…", short)


def parts_of(
    templates: Templates, clean: DigestView, cards: Parts, *, subject: str, preheader: str
) -> Parts:
    """Return text and HTML of a clean view with these `cards`. Raises RenderingFailed."""
    values = {
        "view": clean,
        "count": len(clean.papers),
        "cards": cards,
        "subject": subject,
        "preheader": preheader,
    }
    return templates.parts("digest", values)


def preheader_of(language: str, titles: Sequence[str], instead: str) -> str:
    """Return the preheader: the titles of the papers after the first, else `instead`."""
    text = localized_preheader(locale_for(language), titles) if titles else instead
    return shortened(text, PREHEADER_LENGTH)


def clean_view(view: DigestView) -> DigestView:
    """Return the view and its papers cleaned for templates."""
    locale = locale_for(view.language)
    clean = {f.name: cleaned(getattr(view, f.name)) for f in fields(view)}
    clean["language"] = locale.language
    for name in _PUBLIC:
        clean[name] = asking(clean[name], locale.language)
    clean["list_title"] = localized_list_title(locale, clean["list_title"])
    clean["papers"] = tuple(clean_paper(paper, locale) for paper in view.papers)
    clean["withdrawn"] = tuple(_clean_named(paper, locale) for paper in view.withdrawn)
    clean["club"] = view.club and _clean_named(view.club, locale)
    clean["postal_address"] = postal_line(view.postal_address)
    return replace(view, **clean)


def clean_paper(paper: DigestPaper, locale: Locale) -> DigestPaper:
    """Return the paper cleaned for templates. Its reason stays a code, which they translate."""
    clean = {f.name: cleaned(getattr(paper, f.name)) for f in fields(paper)}
    clean["title"] = localized_title(locale, clean["title"], _TITLE_LENGTH)
    clean["page_url"] = asking(clean["page_url"], locale.language)
    clean |= {name: getattr(paper, name) for name in ("reason", "age", "section")}
    return replace(paper, **clean)


def with_gist(paper: DigestPaper, number: int, fullness: Fullness) -> DigestPaper:
    """Return the paper with the gist that its place allows: of two sentences among the first."""
    if number > LEADS:
        return replace(paper, gist=shortened(paper.gist, fullness.gist))
    return replace(paper, gist=shortened(paper.lead_gist or paper.gist, fullness.lead))


Named = TypeVar("Named", WithdrawnPaper, ClubPaper)


def _clean_named(paper: Named, locale: Locale) -> Named:
    title = localized_title(locale, cleaned(paper.title), _TITLE_LENGTH)
    return replace(paper, title=title, url=asking(cleaned(paper.url), locale.language))


# Notices are the short messages that are not digests.
#
# The sentences of a kind are in `templates/mail/notice_KIND.phrases`, for the subject and both
# parts; `notice.txt` and `notice.html` are the layout. A notice has one link.

_NO_LIST = "Paperround"
"""The title in a notice about no list."""
_FOR_OPERATORS = (SystemMailKind.TEST, SystemMailKind.ALERT)
"""Only these show `details`; subscribers see no text from elsewhere."""
_MOST_DETAILS = 40
_DETAIL_LENGTH = 400
_LIST_TITLE_LENGTH = 80


def render_notice(templates: Templates, view: NoticeView) -> Rendered:
    """Return subject, preheader, text and HTML.

    Raises RenderingFailed when the link is no web address or a template fails.
    """
    if not web_address(view.action_url):
        raise RenderingFailed("the link of a notice must be a plain http(s) address")
    locale = locale_for(view.language)
    clean = {f.name: cleaned(getattr(view, f.name)) for f in fields(view)}
    clean["language"] = locale.language
    clean["list_title"] = (
        shortened(localized_list_title(locale, clean["list_title"]), _LIST_TITLE_LENGTH) or _NO_LIST
    )
    clean["postal_address"] = postal_line(view.postal_address)
    clean["details"] = (
        _limit_details(clean["details"], locale) if view.kind in _FOR_OPERATORS else ()
    )
    shown = replace(view, **clean)
    lives = {name: locale.span(life) for name, life in _LIVES.items()}
    phrases = templates.phrases(f"notice_{view.kind}", {"view": shown, **lives})
    subject = shortened(header_text(phrases["subject"]), SUBJECT_LENGTH)
    preheader = shortened(phrases["preheader"], PREHEADER_LENGTH)
    values = {"view": shown, "said": phrases, "subject": subject, "preheader": preheader}
    text, html = templates.parts("notice", values)
    return Rendered(subject=subject, preheader=preheader, text=text, html=html)


def _limit_details(lines: tuple[str, ...], locale: Locale) -> tuple[str, ...]:
    """Return the lines that fit a message on a phone, and a line with the number left out."""
    shown = tuple(shortened(line, _DETAIL_LENGTH) for line in lines[:_MOST_DETAILS] if line)
    left = len(lines) - _MOST_DETAILS
    if left <= 0:
        return shown
    return (*shown, locale.ngettext("and %(num)s more line", "and %(num)s more lines", left))


_LIVES = {
    "confirm_valid": CONFIRM_VALID,
    "preferences_valid": PREFERENCES_VALID,
    "undo_valid": UNDO_VALID,
    "unconfirmed_life": UNCONFIRMED_LIFE,
    "login_valid": LINK_VALID,
}
"""The lifetimes of links and addresses, for the templates."""
