"""The pages' templates: everything escaped, whatever a file is called, and nothing undefined."""

import hashlib
from datetime import datetime
from functools import cache, partial
from pathlib import Path
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from paperround.domain.editions import EditionPaper, page_name, page_path
from paperround.domain.papers import Paper
from paperround.domain.search import Hit
from paperround.domain.times import zone_of
from paperround.domain.wording import counted
from paperround.mail.filters import (
    long_date,
    paper_links,
    short_authors,
    short_date,
    tally,
    web_address,
)
from paperround.paths import templates_dir

STATIC = "static"


@cache
def environment() -> Environment:
    """The environment of all pages."""
    made = Environment(
        loader=FileSystemLoader(templates_dir() / "web"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {
        "authors": short_authors,
        "counted": counted,
        "instant": _instant,
        "links": paper_links,
        "long_date": long_date,
        "page": paper_page,
        "part": _part,
        "segment": partial(quote, safe=""),
        "short_date": short_date,
        "tally": tally,
        "web": web_address,
        "weight": _weight,
    }
    made.globals["static"] = static_url
    made.globals["site"] = {}
    return made


def render(template: str, **values: object) -> str:
    """The page `template` with `values`."""
    return environment().get_template(template).render(**values)


def paper_page(paper: EditionPaper | Hit | Paper) -> str:
    """The address of a paper's page on this site."""
    name = page_name(paper.identifiers, paper.id) if isinstance(paper, Paper) else paper.name
    return page_path(name)


def _instant(moment: datetime, zone: str = "UTC") -> str:
    local = moment.astimezone(zone_of(zone))
    return f"{short_date(local.date())} {local:%H:%M} ({zone})"


def _part(value: float) -> str:
    """A part of a score with its sign, to the places it was added with."""
    return f"{value:+.4f}".replace("-", "−")


def _weight(value: float) -> str:
    return f"{value:+.2f}".replace("-", "−")


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
