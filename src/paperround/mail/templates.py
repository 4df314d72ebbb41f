"""The mail templates: filled in twice, once for the text part and once for the HTML.

The templates know loops and ifs; what needs a decision is a filter (`filters`). Every text is
cleaned once before it reaches them (`cleaned`), so nothing that a source wrote can hide a control
or bidi character in either part. Escaping is on for the HTML whatever a file is called.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import css_inline
from jinja2 import Environment, FileSystemLoader, StrictUndefined, TemplateError

from paperround.domain.errors import RenderingFailed
from paperround.domain.wording import counted
from paperround.mail import filters
from paperround.mail.headers import header_text, one_line
from paperround.paths import templates_dir

SUBJECT_LENGTH = 120
PREHEADER_LENGTH = 160
_LINE_ENDS = re.compile(r"\s*[\r\n]+\s*")


class Templates:
    """The templates of mails, read from `folder` (default: the installed ones)."""

    def __init__(self, folder: Path | None = None) -> None:
        loader = FileSystemLoader(folder or templates_dir())
        self._html = _environment(loader, autoescape=True)
        self._text = _environment(loader, autoescape=False)
        self._inliner = css_inline.CSSInliner(load_remote_stylesheets=False)

    def subject(self, name: str, values: Mapping[str, Any]) -> str:
        """The subject in words, at most 120 characters. Raises RenderingFailed."""
        with _named(name):
            written = self._text.get_template(f"mail/{name}.subject.txt").render(values)
        return filters.shortened(header_text(written), SUBJECT_LENGTH)

    def parts(self, name: str, values: Mapping[str, Any]) -> tuple[str, str]:
        """Text and HTML, from the same values. Raises RenderingFailed."""
        with _named(name):
            text = self._text.get_template(f"mail/{name}.txt").render(values)
            html = self._html.get_template(f"mail/{name}.html").render(values)
            return text, self._inliner.inline(html)

    def phrases(self, name: str, values: Mapping[str, Any]) -> dict[str, str]:
        """What `name.phrases` sets, each on one line and not escaped. Raises RenderingFailed."""
        with _named(name):
            made = self._text.get_template(f"mail/{name}.phrases").make_module(dict(values))
        public = {key: said for key, said in vars(made).items() if not key.startswith("_")}
        return {key: one_line(said) for key, said in public.items()}


@contextmanager
def _named(name: str) -> Iterator[None]:
    try:
        yield
    except (TemplateError, css_inline.InlineError) as error:
        message = f"the template of the {name} could not be filled: {error}"
        raise RenderingFailed(message) from error


def cleaned(value: Any) -> Any:
    """Strings on one clean line, also inside tuples and mappings; other values as they are."""
    match value:
        case str():
            return one_line(value)
        case tuple():
            return tuple(cleaned(item) for item in value)
        case Mapping():
            return {cleaned(key): cleaned(item) for key, item in value.items()}
        case _:
            return value


def postal_line(address: str) -> str:
    """A postal address of several lines on one, with commas between."""
    return one_line(_LINE_ENDS.sub(", ", address.strip()))


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
        "authors": filters.short_authors,
        "counted": counted,
        "label": filters.spoken_title,
        "links": filters.paper_links,
        "long_date": filters.long_date,
        "score": filters.score_line,
        "short_date": filters.short_date,
        "site": filters.site_name,
        "tally": filters.tally,
        "title_address": filters.title_address,
        "web": filters.web_address,
        "wrapped": filters.wrapped,
    }
    return environment
