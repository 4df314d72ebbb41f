"""The pages' templates: everything escaped, whatever a file is called, and nothing undefined."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from functools import cache, partial
from itertools import chain
from pathlib import Path
from secrets import token_hex
from types import MappingProxyType
from urllib.parse import quote

from fastapi import Response
from fastapi.responses import StreamingResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from paperround.domain.editions import EditionPaper, page_name, page_path
from paperround.domain.languages import ENGLISH, LANGUAGES
from paperround.domain.papers import Paper
from paperround.domain.search import Hit
from paperround.domain.telling import web_address
from paperround.languages.localize import localize_error
from paperround.languages.tongue import tongue
from paperround.mail.templates import TRANSLATED, speaking
from paperround.paths import templates_dir
from paperround.web.filters import said_on_pages
from paperround.web.languages import carried, in_language, language_asked, page_language
from paperround.wiring import Runtime

STATIC = "static"


@cache
def environment(language: str = ENGLISH) -> Environment:
    """The environment of all pages in a language of ours."""
    ours = tongue(language)
    made = Environment(
        loader=FileSystemLoader(templates_dir() / "web"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,  # nobody changes them while they serve
        extensions=TRANSLATED,
    )
    speaking(made, ours)
    made.filters |= {
        **said_on_pages(ours),
        "page": paper_page,
        "problem": partial(localize_error, ours),
        "segment": partial(quote, safe=""),
        "web": web_address,
    }
    made.globals |= {
        "in_language": in_language,
        "language_asked": language_asked,
        "languages": LANGUAGES,
        "site": {},
        "static": static_url,
    }
    return made


def render(template: str, **values: object) -> str:
    """The page `template` with `values`, in the language of whoever asks for it."""
    return carried(environment(page_language()).get_template(template).render(**values))


def paper_page(paper: EditionPaper | Hit | Paper) -> str:
    """The address of a paper's page on this site."""
    name = page_name(paper.identifiers, paper.id) if isinstance(paper, Paper) else paper.name
    return page_path(name)


def static_dir() -> Path:
    """The folder of style sheets and scripts."""
    return templates_dir() / "web" / STATIC


@cache
def static_version(name: str) -> str:
    """What changes when a static file does."""
    return hashlib.sha256((static_dir() / name).read_bytes()).hexdigest()[:12]


def static_url(name: str) -> str:
    """The address of a static file with its version."""
    return f"/static/{name}?v={static_version(name)}"


KEPT = MappingProxyType({"cache-control": "public, max-age=60"})
"""Public pages change with an edition; a minute more does no harm."""
OURS: Mapping[str, str] = MappingProxyType({})
"""Nothing said: the guard says `no-store`."""

STAMP = f"stamp-{token_hex(16)}"
"""Stands in a public page where the stamp of its form goes, until somebody gets the page. Nobody
who writes a title can guess it."""

MAIL_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'; sandbox allow-popups allow-popups-to-escape-sandbox"
)
"""A mail carries its styles inside, as mail programs need it, and may do nothing else."""


def public(home: Runtime, template: str, **values: object) -> Response:
    """A page that is the same for everybody, and may be kept for a minute. A form's stamp, where
    one is named, is that of the moment at which somebody gets the page."""
    stamped = {name: STAMP if name == "stamp" else value for name, value in values.items()}
    return _page(home, template, 200, KEPT, stamped)


def private(home: Runtime, template: str, *, status: int = 200, **values: object) -> Response:
    """A page for whoever asked, which no cache keeps."""
    return _page(home, template, status, OURS, values)


def mail(html: str) -> Response:
    """A mail as it would look, shut off from the site around it."""
    return Response(html, headers={"content-security-policy": MAIL_POLICY}, media_type=HTML)


def _page(
    home: Runtime,
    template: str,
    status: int,
    headers: Mapping[str, str],
    values: Mapping[str, object],
) -> Response:
    html = render(template, site=home.letterhead, demo=home.demo, **values)
    spoken = {"content-language": page_language(), "vary": "accept-language"}
    return Response(html, status, {**headers, **spoken}, media_type=HTML)


PIECE = 32 * 1024
"""Characters that are sent at once, at least; fewer at the end."""


def streamed(pieces: Iterator[str], *, media_type: str, name: str) -> StreamingResponse:
    """A file called `name`, made of `pieces` as they come.

    The first of them is made before the answer begins: a failure until then is answered as any
    other is. One that comes later breaks the connection off, so that nobody takes a part for the
    whole.
    """
    gathered = _gathered(pieces)
    first = next(gathered, b"")
    headers = {"content-disposition": f'attachment; filename="{name}"'}
    return StreamingResponse(chain((first,), gathered), headers=headers, media_type=media_type)


def _gathered(pieces: Iterator[str]) -> Iterator[bytes]:
    """The same in larger pieces: each of them costs a turn of the server's loop."""
    waiting: list[str] = []
    size = 0
    for piece in pieces:
        waiting.append(piece)
        size += len(piece)
        if size >= PIECE:
            yield _encoded(waiting)
            waiting, size = [], 0
    if waiting:
        yield _encoded(waiting)


def _encoded(pieces: Iterable[str]) -> bytes:
    """Half a character, which JSON can say and UTF-8 cannot, becomes a question mark."""
    return "".join(pieces).encode("utf-8", "replace")


HTML = "text/html; charset=utf-8"
