"""The pages' templates: everything escaped, whatever a file is called, and nothing undefined."""

import hashlib
from functools import cache, partial
from pathlib import Path
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from paperround.domain.editions import EditionPaper, page_name, page_path
from paperround.domain.languages import ENGLISH, LANGUAGES
from paperround.domain.papers import Paper
from paperround.domain.search import Hit
from paperround.domain.telling import web_address
from paperround.languages.localize import localize_error
from paperround.languages.tongue import tongue
from paperround.mail.speech import TRANSLATED, speaking
from paperround.paths import templates_dir
from paperround.web.filters import said_on_pages
from paperround.web.languages import carried, in_language, language_asked, page_language

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
