"""Render pages with Jinja, with autoescaping in every template and errors for undefined names."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from functools import cache, partial
from itertools import chain
from pathlib import Path
from secrets import token_hex
from types import MappingProxyType
from urllib.parse import quote

from fastapi import Request, Response
from fastapi.responses import StreamingResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from paperround.bootstrap import AppContext
from paperround.core.i18n.locale import Locale, locale_for
from paperround.core.i18n.localize import localize_error
from paperround.core.languages import ENGLISH, LANGUAGES
from paperround.core.paths import data_path
from paperround.core.plugins import plugins
from paperround.core.times import zone_of
from paperround.digests.render.templates import TRANSLATED, set_locale, unbroken
from paperround.editions.labels import (
    localized_list_title,
    localized_section,
    localized_section_note,
)
from paperround.editions.lists import MailingList
from paperround.editions.model import EditionPaper, EditionSummary, page_path
from paperround.papers.formatting import web_address
from paperround.papers.identifiers import page_name
from paperround.papers.model import Observation, Paper
from paperround.papers.search import Hit
from paperround.web.language import keep_language, language_url, page_language, url_language

_SENTENCE_ENDS = (".", "!", "?", "。", "！", "？")
_SHORT_FACT = 25
_SIGNALS = {
    "comments": "comment",
    "github_stars": "star on GitHub",
    "citations": "citation",
    "mentions": "mention",
}


def show_commands(text: str) -> Markup:
    """Return a text with what stands in backticks as code."""
    parts = text.split("`")
    return Markup("").join(
        Markup("<code>{}</code>").format(one) if number % 2 else escape(one)
        for number, one in enumerate(parts)
    )


def _row_of(facts: Sequence[str]) -> str:
    """Return facts in a row. A short fact is not broken over lines."""
    return "\xa0· ".join(unbroken(one) if len(one) < _SHORT_FACT else one for one in facts)


def _score_parts(locale: Locale, paper: EditionPaper) -> list[tuple[str, str]]:
    """Return the names and values of the public parts of a score that are not 0."""
    return [
        (locale.word(name.replace("_", " ")), _signed(locale, 4, value))
        for name, value in paper.public_parts.items()
        if value
    ]


def _signed(locale: Locale, digits: int, value: float) -> str:
    """Format a number with its sign and this many decimals."""
    return locale.decimal(f"{value:+.{digits}f}".replace("-", "−"))


def _cut_time(locale: Locale, edition: EditionSummary, mailing_list: MailingList) -> str:
    """Return the time in the list's zone at which an edition was cut, such as `06:00`.

    The list may have other cuts by now. The name of a cut is its number; see `publish` for a
    second edition of that number.
    """
    number = edition.cut.partition("-")[0]
    if number.isascii() and number.isdecimal():
        return f"{edition.cut_at.astimezone(zone_of(mailing_list.zone)):%H:%M}"
    return locale.gettext("by hand")


def _sentence(locale: Locale, text: str) -> str:
    """Return an error message as a sentence, with a capital and a full stop."""
    sentence = text[:1].upper() + text[1:]
    return (
        sentence
        if sentence.endswith(_SENTENCE_ENDS)
        else locale.gettext("%(problem)s.", problem=sentence)
    )


def _count_label(locale: Locale, count: Observation) -> str:
    """Format a count such as `12 comments`; an unknown signal is shown by its name."""
    noun = _SIGNALS.get(count.signal)
    if noun is not None:
        return locale.counted(count.value, noun)
    return f"{locale.number(count.value)} {count.signal.replace('_', ' ')}"


@cache
def environment(language: str = ENGLISH) -> Environment:
    """Return the Jinja environment of all pages in a language."""
    locale = locale_for(language)
    env = Environment(
        loader=FileSystemLoader([data_path("templates") / "web", data_path("templates")]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,  # they do not change while the site runs
        extensions=TRANSLATED,
    )
    set_locale(env, locale)
    env.filters |= {
        "commands": show_commands,
        "cut_time": partial(_cut_time, locale),
        # `2 March 2026 06:15`, for instants that may be years ago or ahead
        "dated": lambda moment: f"{locale.plain_date(moment.date())} {moment:%H:%M}",
        "day_and_month": locale.day_and_month,
        "duration": locale.duration,
        "list_title": partial(localized_list_title, locale),
        # `Fri 30 Jan 15:47` in UTC, without the zone
        "moment": lambda moment: f"{locale.short_date(moment.date())} {moment:%H:%M}",
        "month": locale.month,
        "of_arxiv": lambda papers: any(one.identifiers.get("arxiv") for one in papers),
        "page": paper_path,
        "part": partial(_signed, locale, 4),
        "parts": partial(_score_parts, locale),
        "plain_date": locale.plain_date,
        "problem": partial(localize_error, locale),
        "section": partial(localized_section, locale),
        "section_note": lambda part: localized_section_note(locale, is_estimated=part.is_estimated),
        "segment": partial(quote, safe=""),
        "sentence": partial(_sentence, locale),
        "told": partial(_count_label, locale),
        "row_of": _row_of,
        "web": web_address,
        "weekday_date": locale.weekday_date,
        "weight": partial(_signed, locale, 2),
    }
    env.globals |= {
        "in_language": language_url,
        "language_asked": url_language,
        "languages": LANGUAGES,
        "onboarding": "onboarding" in plugins("routers"),
        "site": {},
        "static": static_url,
    }
    return env


def render(template: str, **values: object) -> str:
    """Render `template` with `values` in the language of the request."""
    return keep_language(environment(page_language()).get_template(template).render(**values))


def paper_path(paper: EditionPaper | Hit | Paper) -> str:
    """Return the path of a paper's page."""
    name = page_name(paper.identifiers, paper.id) if isinstance(paper, Paper) else paper.name
    return page_path(name)


def static_dir() -> Path:
    """Return the folder of style sheets and scripts."""
    return data_path("templates") / "web" / "static"


@cache
def static_version(name: str) -> str:
    """Return a hash of a static file."""
    return hashlib.sha256((static_dir() / name).read_bytes()).hexdigest()[:12]


def static_url(name: str) -> str:
    """Return the URL of a static file with its version."""
    return f"/static/{name}?v={static_version(name)}"


PUBLIC_HEADERS = MappingProxyType({"cache-control": "public, max-age=60"})
"""Headers of public pages, which change a few times a day."""
STAMP = f"stamp-{token_hex(16)}"
"""The placeholder of a form's stamp in cached pages. It is random, so content cannot contain it."""

EMAIL_POLICY = (
    "default-src 'none'; style-src 'self' 'unsafe-inline'; img-src data:; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'self'; "
    "sandbox allow-popups allow-popups-to-escape-sandbox"
)
"""Messages contain inline styles, as mail programs need them, and may do nothing else."""

NEW_WINDOW = '<base target="_blank">'
"""Links in a framed message open a new window, because our pages refuse to be framed."""


def public_page(app: AppContext, template: str, **values: object) -> Response:
    """Return a page that is the same for everybody, cacheable for a minute. A `stamp` in `values`
    is replaced by the placeholder, which each response replaces with a new stamp."""
    stamped = {name: STAMP if name == "stamp" else value for name, value in values.items()}
    return _page_response(app, template, 200, PUBLIC_HEADERS, stamped)


def private_page(
    app: AppContext, template: str, *, status: int = 200, **values: object
) -> Response:
    """Return a page for one visitor. It has no Cache-Control, so the security middleware adds
    `no-store`."""
    return _page_response(app, template, status, {}, values)


def email_page(html: str) -> Response:
    """Return the HTML of an email for a frame or a window, isolated from the site."""
    head, tag, rest = html.partition("<head>")
    html = f"{head}{tag}{NEW_WINDOW}{rest}" if tag else NEW_WINDOW + html
    return Response(html, headers={"content-security-policy": EMAIL_POLICY}, media_type=HTML)


def is_framed(request: Request) -> bool:
    """Whether the response is for the frame in which a page shows an email."""
    return "framed" in request.query_params


def no_email_page(
    app: AppContext, problems: Sequence[tuple[str, object]], *, status: int = 200
) -> Response:
    """Return the page shown instead of an email that cannot be made: each problem, and the name of
    its field or "" without one."""
    page = private_page(app, "no_email.html", status=status, problems=problems)
    page.headers["content-security-policy"] = EMAIL_POLICY
    return page


def _page_response(
    app: AppContext,
    template: str,
    status: int,
    headers: Mapping[str, str],
    values: Mapping[str, object],
) -> Response:
    html = render(
        template, site=app.sender_identity, demo=app.demo, outbox=app.is_outbox_open, **values
    )
    language_headers = {"content-language": page_language(), "vary": "accept-language"}
    return Response(html, status, {**headers, **language_headers}, media_type=HTML)


CHUNK_SIZE = 32 * 1024
"""The least number of characters in a chunk, except for the last."""


def stream_file(pieces: Iterator[str], *, media_type: str, name: str) -> StreamingResponse:
    """Stream `pieces` as a file called `name`.

    The first chunk is made before the response starts, so a failure until then gets an error
    response. A later one breaks the connection, so that nobody mistakes a part for the whole file.
    """
    # A lone surrogate, which JSON can contain and UTF-8 cannot, becomes a question mark.
    gathered = (piece.encode("utf-8", "replace") for piece in _join_pieces(pieces))
    first = next(gathered, b"")
    headers = {"content-disposition": f'attachment; filename="{name}"'}
    return StreamingResponse(chain((first,), gathered), headers=headers, media_type=media_type)


def _join_pieces(pieces: Iterator[str]) -> Iterator[str]:
    """Join pieces into larger chunks, because each chunk costs a step of the event loop."""
    waiting: list[str] = []
    size = 0
    for piece in pieces:
        waiting.append(piece)
        size += len(piece)
        if size >= CHUNK_SIZE:
            yield "".join(waiting)
            waiting, size = [], 0
    if waiting:
        yield "".join(waiting)


HTML = "text/html; charset=utf-8"
