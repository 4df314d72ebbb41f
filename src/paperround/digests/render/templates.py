"""Render the mail templates, text and HTML, in the language of the view.

Templates hold loops and ifs only; other logic is in filters. Every text is cleaned before it
reaches them (`cleaned`), so no source can hide a control or bidi character in either part. The
HTML is always escaped, whatever the file name.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property, lru_cache, partial
from pathlib import Path
from typing import Any, NamedTuple

import css_inline
from jinja2 import Environment, FileSystemLoader, StrictUndefined, TemplateError, pass_eval_context
from jinja2.nodes import EvalContext
from markupsafe import Markup

from paperround.core.colours import at_night
from paperround.core.errors import RenderingFailed
from paperround.core.i18n.locale import Locale, locale_for
from paperround.core.i18n.localize import localize_reason, localize_source
from paperround.core.languages import ENGLISH, LANGUAGES, spoken_or_english, written_in
from paperround.core.paths import data_path
from paperround.digests.model import DigestPaper, title_address
from paperround.digests.render.facts import (
    brief_authors,
    chips_of,
    facts_of,
    gained_line,
    item_links,
    own_reason_line,
    votes_line,
)
from paperround.digests.render.headers import header_text, one_line
from paperround.editions.labels import (
    localized_authors,
    localized_counts,
    localized_days,
    localized_links,
)
from paperround.papers.formatting import shortened, web_address

COLOUR, COLOUR_AT_NIGHT = "#0a55b8", "#8ab8f8"
"""The colours of links unless the operator sets one."""
SUBJECT_LENGTH = 120
PREHEADER_LENGTH = 160
_LABEL_LENGTH = 32
_ANGLES = re.compile("[<>]")
_LINE_ENDS = re.compile(r"\s*[\r\n]+\s*")


class _Environments(NamedTuple):
    """The template environments of both parts, in one language."""

    html: Environment
    text: Environment


class Parts(NamedTuple):
    """The text and the HTML of a message, or a part of both."""

    text: str
    html: str


class Line(NamedTuple):
    """A line of a digest around its papers, in the reader's language: `section` and `entry` of the
    contents (its votes are the `note`), the `heading` of a section with a `note` below it, or how
    many papers were `new`."""

    kind: str
    text: str
    number: int = 0
    note: str = ""


class RisenLine(NamedTuple):
    """A paper that rose after digests had left it out: its title, votes and page, and the link to
    `rate` it."""

    text: str
    votes: str
    url: str
    rate: str
    kind: str = "risen"


class Templates:
    """The mail templates in `folder` (default: the installed ones), with links in `colour`."""

    def __init__(self, folder: Path | None = None, colour: str = "") -> None:
        self._folder = folder or data_path("templates")
        self._colour = colour
        self._inliner = css_inline.CSSInliner(load_remote_stylesheets=False)

    def in_colour(self, colour: str) -> "Templates":
        """Return the templates with links in another colour; an empty one returns these."""
        return self if colour in ("", self._colour) else _templates_in(self._folder, colour)

    @cached_property
    def _style(self) -> str:
        html = self._environments(ENGLISH).html
        return html.get_template("mail/style.css").render()

    def _environments(self, language: str) -> _Environments:
        """Return the templates in the supported language nearest to `language`."""
        return _load_environments(self._folder, spoken_or_english(language), self._colour)

    def subject(self, name: str, values: Mapping[str, Any]) -> str:
        """Return the subject, at most 120 characters. Raises RenderingFailed."""
        with _rendering_errors(name):
            text = self._environments(values["view"].language).text
            subject = text.get_template(f"mail/{name}.subject.txt").render(values)
        return shortened(header_text(subject), SUBJECT_LENGTH)

    def parts(self, name: str, values: Mapping[str, Any]) -> Parts:
        """Return text and HTML from the same values. Raises RenderingFailed."""
        with _rendering_errors(name):
            environments = self._environments(values["view"].language)
            text = environments.text.get_template(f"mail/{name}.txt").render(values)
            html = environments.html.get_template(f"mail/{name}.html").render(values)
            return Parts(text, self._inliner.inline(html))

    def card(
        self, language: str, number: int, paper: DigestPaper, feedback_url: str, *, is_lead: bool
    ) -> Parts:
        """Return a paper of a digest, its styles not inlined. Raises RenderingFailed."""
        with _rendering_errors("digest"):
            text, html = self._macros(language)
            return Parts(
                text.paper(number, paper, is_lead), html.paper(number, paper, feedback_url, is_lead)
            )

    def line(self, language: str, line: Line | RisenLine) -> Parts:
        """Return a line around the papers, its styles not inlined. Raises RenderingFailed."""
        with _rendering_errors("digest"):
            text, html = self._macros(language)
            return Parts(getattr(text, line.kind)(line), getattr(html, line.kind)(line))

    def _macros(self, language: str) -> tuple[Any, Any]:
        environments = self._environments(language)
        return (
            environments.text.get_template("mail/parts.txt").module,
            environments.html.get_template("mail/parts.html").module,
        )

    def inlined(self, rows: str) -> str:
        """Return rows of a digest's table with inlined styles. Raises RenderingFailed."""
        with _rendering_errors("digest"):
            table = self._inliner.inline_fragment(
                f"<table><tbody>{rows}</tbody></table>", self._style
            )
        return table.removeprefix("<table><tbody>").removesuffix("</tbody></table>")

    def phrases(self, name: str, values: Mapping[str, Any]) -> dict[str, str]:
        """Return the variables of `name.phrases` as single lines. Raises RenderingFailed."""
        with _rendering_errors(name):
            text = self._environments(values["view"].language).text
            module = text.get_template(f"mail/{name}.phrases").make_module(dict(values))
        phrases = vars(module).items()
        return {key: one_line(phrase) for key, phrase in phrases if not key.startswith("_")}


@contextmanager
def _rendering_errors(name: str) -> Iterator[None]:
    try:
        yield
    except (TemplateError, css_inline.InlineError) as error:
        message = f"the template of the {name} could not be filled: {error}"
        raise RenderingFailed(message) from error


def cleaned(value: Any) -> Any:
    """Return strings on one clean line, also inside tuples and mappings; other values as is."""
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
    """Return a postal address on one line, with commas between its lines."""
    return one_line(_LINE_ENDS.sub(", ", address.strip()))


MOST_COLOURS = 16
"""Colours whose compiled templates are cached: one for each list with its own."""


_templates_in = lru_cache(maxsize=MOST_COLOURS)(Templates)


@lru_cache(maxsize=MOST_COLOURS * len(LANGUAGES))
def _load_environments(folder: Path, language: str, colour: str) -> _Environments:
    """Return the templates of a folder, compiled once per process, language and colour."""
    locale, loader = locale_for(language), FileSystemLoader(folder)
    html = set_locale(_environment(loader, autoescape=True), locale)
    text = set_locale(_environment(loader, autoescape=False), locale)
    accent = {
        "accent": colour or COLOUR,
        "accent_at_night": at_night(colour) if colour else COLOUR_AT_NIGHT,
    }
    for one in (html, text):
        one.globals |= accent
        one.filters |= {
            "item_links": partial(item_links, locale),
            "days": lambda span: locale.days(*span),
            "covered": partial(localized_days, locale),
            "day_and_month": locale.day_and_month,
            "month": locale.month,
        }
    return _Environments(html, text)


def _environment(loader: FileSystemLoader, *, autoescape: bool) -> Environment:
    environment = Environment(
        loader=loader,
        autoescape=autoescape,  # noqa: S701 - off for the text part only
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        extensions=TRANSLATED,
    )
    environment.filters |= {
        "label": link_label,
        "site": site_name,
        "title_address": title_address,
        "unbroken": unbroken,
        "web": web_address,
        "wrapped": wrapped,
    }
    return environment


def site_name(url: str) -> str:
    """Return `url` without its scheme: `papers.example.org`, with the path if there is one."""
    return url.partition("://")[2].rstrip("/") or url


def unbroken(text: str) -> str:
    """Return `text` without places where a line may end."""
    return text.replace(" ", "\xa0")


def link_label(title: str) -> str:
    """Return the start of `title` without angle brackets, for the aria-label of a link."""
    return shortened(_ANGLES.sub("", title), _LABEL_LENGTH)


# Wrapping of plain text by display columns.
#
# Chinese, Japanese and Korean letters take two columns (Unicode Standard Annex 11). Chinese and
# Japanese have no spaces, and a line may end after any letter. Of the rules for their punctuation
# (UAX 14) two are applied: no line starts with a closing mark, and none ends with an opening one.

TEXT_WIDTH = 72
"""Columns."""

_CLOSING = frozenset("、。，．：；！？）］｝〉》」』】〕〗’”…—・ー%％,.:;!?)]}")
_OPENING = frozenset("（［｛〈《「『【〔〖‘“([{")
_KOREAN = ("\u1100", "\u11ff"), ("\u3130", "\u318f"), ("\uac00", "\ud7ff")
"""Wide, but written with spaces."""


def columns(text: str) -> int:
    """Return the number of columns of `text`."""
    return len(text) if text.isascii() else sum(map(_columns_of, text))


def _columns_of(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in ("W", "F") else 1


def _breaks_anywhere(character: str) -> bool:
    """Return whether a line may break before or after this character inside a word."""
    korean = any(first <= character <= last for first, last in _KOREAN)
    return _columns_of(character) == 2 and not korean


def wrapped(text: str, first: str = "", indent: str | None = None) -> str:
    """Return `text` on lines of at most 72 columns, broken at spaces and next to Chinese and
    Japanese letters.

    The first line starts with `first`, the others with `indent` (default: as many spaces).
    """
    if columns(first) + columns(text) <= TEXT_WIDTH:
        return first + text
    margin = " " * columns(first) if indent is None else indent
    lines, used, is_bare = [first], columns(first), True
    for space, piece in _pieces(text):
        gap = "" if is_bare else space
        needed = len(gap) + columns(piece)
        if is_bare or used + needed <= TEXT_WIDTH:
            lines[-1] += gap + piece
            used += needed
        else:
            lines.append(margin + piece)
            used = columns(margin) + columns(piece)
        is_bare = False
    return "\n".join(lines)


def _pieces(text: str) -> Iterator[tuple[str, str]]:
    """Yield the unbreakable pieces of `text`, each with the space before it, if any."""
    for number, word in enumerate(text.split(" ")):
        space = " " if number else ""
        if word.isascii():
            yield space, word
            continue
        start = 0
        for at in range(1, len(word)):
            before, after = word[at - 1], word[at]
            may_part = before not in _OPENING and after not in _CLOSING
            if may_part and (_breaks_anywhere(before) or _breaks_anywhere(after)):
                yield space, word[start:at]
                space, start = "", at
        yield space, word[start:]


# Translation of templates: `{% trans %}`, `_()` and `ngettext()` use the catalogue, and filters
# format numbers, dates and papers.
#
# `language` and `direction` are for the `lang` and `dir` attributes; the filter `lang` returns the
# attribute for a paper's own text. `gap` separates sentences, `comma` the items of a row. Values
# in translated texts are escaped if the template is; catalogues are as trusted as templates.

TRANSLATED = ("jinja2.ext.i18n",)
"""The Jinja extensions of templates."""

_MOST_SENTENCES = 512
"""Sentences without values cached; there are fewer."""


def set_locale(environment: Environment, locale: Locale) -> Environment:
    """Set the locale of the templates of `environment`; return it."""
    environment.policies["ext.i18n.trimmed"] = True
    environment.newstyle_gettext = True  # type: ignore[attr-defined]
    environment.globals.update(
        gettext=_translator(locale.gettext, locale),
        ngettext=_translator(locale.ngettext, locale),
        language=locale.language,
        direction=locale.direction,
        gap=locale.gap,
        comma=locale.comma,
        locale=locale,
    )
    environment.filters |= {
        "authors": partial(localized_authors, locale),
        "brief_authors": partial(brief_authors, locale),
        "chips": partial(chips_of, locale),
        "counted": locale.counted,
        "facts": partial(facts_of, locale),
        "gained": partial(gained_line, locale),
        "instant": locale.instant,
        "lang": partial(lang_of, locale),
        "links": partial(localized_links, locale),
        "listed": locale.listed,
        "long_date": locale.long_date,
        "number": locale.number,
        "own_reason": partial(own_reason_line, locale),
        "reason": partial(localize_reason, locale),
        "row": locale.row,
        "short_date": locale.short_date,
        "source": partial(localize_source, locale),
        "tally": partial(localized_counts, locale),
        "votes": partial(votes_line, locale),
        "word": locale.word,
    }
    return environment


def lang_of(locale: Locale, text: str) -> str:
    """Return the `lang` attribute of a text in another language than its context, else ""."""
    language = written_in(text)
    same = language.partition("-")[0] == locale.language.partition("-")[0]
    return Markup("") if same else Markup(' lang="{}"').format(language)


def _translator(translate: Callable[..., str], locale: Locale) -> Callable[..., str]:
    """Wrap gettext functions for templates: with autoescaping, values are escaped, texts not."""

    @lru_cache(maxsize=_MOST_SENTENCES)
    def without_values(escaping: bool, *texts: object) -> str:
        text = translate(*texts)
        return Markup(text) if escaping else text  # noqa: S704 - from catalogues

    @pass_eval_context
    def translated(context: EvalContext, *texts: object, **values: object) -> str:
        if not values:
            return without_values(bool(context.autoescape), *texts)
        if not context.autoescape:
            return translate(*texts, **values)
        escaped = {name: Markup.escape(locale.written(value)) for name, value in values.items()}
        return Markup(translate(*texts, **escaped))  # noqa: S704 - catalogues and escaped values

    return translated
