"""The pages' templates: everything escaped, whatever a file is called, and nothing undefined."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache, lru_cache, partial
from pathlib import Path
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from paperround.domain.editions import EditionPaper, page_name, page_path
from paperround.domain.lists import MailingList
from paperround.domain.observations import Observation
from paperround.domain.papers import Paper
from paperround.domain.search import Hit
from paperround.domain.telling import Linked
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
REMEMBERED = 4096
"""Papers whose links and parts are kept as they are shown, some megabytes."""


@cache
def environment() -> Environment:
    """The environment of all pages."""
    made = Environment(
        loader=FileSystemLoader(templates_dir() / "web"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,  # nobody changes them while they serve
    )
    made.filters |= {
        "authors": short_authors,
        "counted": counted,
        "cut_time": _cut_time,
        "instant": _instant,
        "links": _links,
        "long_date": long_date,
        "page": paper_page,
        "part": _part,
        "parts": _parts,
        "segment": partial(quote, safe=""),
        "short_date": short_date,
        "tally": tally,
        "web": web_address,
        "moment": _moment,
        "month": _month,
        "plain_date": _plain_date,
        "told": _told,
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


def _moment(moment: datetime) -> str:
    """`Fri 30 Jan 15:47`, in UTC, where another instant beside it says so."""
    return f"{short_date(moment.date())} {moment:%H:%M}"


@dataclass(frozen=True, slots=True)
class _Links:
    """Links alone, as a key."""

    pairs: tuple[tuple[str, str], ...]

    @property
    def links(self) -> Mapping[str, str]:
        return dict(self.pairs)


def _links(paper: Linked) -> Sequence[tuple[str, str]]:
    """(label, address) of the links to show. One paper stands on many pages, and looking whether an
    address is one costs more than all else that is said of it."""
    return _links_of(_Links(tuple(paper.links.items())))


@lru_cache(maxsize=REMEMBERED)
def _links_of(key: _Links) -> Sequence[tuple[str, str]]:
    return paper_links(key)


def _parts(paper: EditionPaper) -> Sequence[tuple[str, str]]:
    """The parts of a score that are not 0: their names as people say them, and what each adds."""
    return _parts_of(tuple(paper.parts.items()))


@lru_cache(maxsize=REMEMBERED)
def _parts_of(parts: tuple[tuple[str, float], ...]) -> Sequence[tuple[str, str]]:
    return [(name.replace("_", " "), _part(value)) for name, value in parts if value]


def _part(value: float) -> str:
    """A part of a score with its sign, to the places it was added with."""
    return f"{value:+.4f}".replace("-", "−")


def _weight(value: float) -> str:
    return f"{value:+.2f}".replace("-", "−")


def _cut_time(cut: str, mailing_list: MailingList) -> str:
    """`06:00`, when a cut of a list is made."""
    is_number = cut.isascii() and cut.isdecimal() and len(cut) < 3
    if is_number and int(cut) < len(mailing_list.cuts):
        return mailing_list.cuts[int(cut)]
    return "by hand"


def _plain_date(day: date) -> str:
    """`2 March 2026`."""
    return long_date(day).split(" ", 1)[1]


def _month(day: date) -> str:
    """`March 2026`."""
    return long_date(day).split(" ", 2)[2]


_SIGNALS = {
    "comments": ("comment", "comments"),
    "github_stars": ("star on GitHub", "stars on GitHub"),
    "citations": ("citation", "citations"),
    "mentions": ("mention", "mentions"),
}


def _told(count: Observation) -> str:
    """`12 comments`; a signal that has no word here goes by its name."""
    name = count.signal.replace("_", " ")
    one, several = _SIGNALS.get(count.signal, (name, name))
    return counted(count.value, one, several)


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
