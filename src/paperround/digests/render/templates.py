"""The mail templates: filled in twice, once for the text part and once for the HTML, in the
language of the view.

The templates know loops and ifs; what needs a decision is a filter. Every text is
cleaned once before it reaches them (`cleaned`), so nothing that a source wrote can hide a control
or bidi character in either part. Escaping is on for the HTML whatever a file is called.
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

from paperround.core.errors import RenderingFailed
from paperround.core.i18n.locale import Locale, locale_for
from paperround.core.i18n.localize import localize_reason, localize_source
from paperround.core.languages import LANGUAGES, spoken, written_in
from paperround.core.paths import templates_dir
from paperround.digests.model import DigestPaper, title_address
from paperround.digests.render.headers import header_text, one_line
from paperround.editions.labels import authors_said, links_said, tally_said
from paperround.papers.formatting import shortened, web_address

SUBJECT_LENGTH = 120
PREHEADER_LENGTH = 160
REASON_LENGTH = 200
_LABEL_LENGTH = 32
_ANGLES = re.compile("[<>]")
_LINE_ENDS = re.compile(r"\s*[\r\n]+\s*")


class _Pair(NamedTuple):
    """The templates of both parts, in one language."""

    html: Environment
    text: Environment


class Parts(NamedTuple):
    """The text of a mail and its HTML, or a piece of both."""

    text: str
    html: str


class Templates:
    """The templates of mails, read from `folder` (default: the installed ones)."""

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder or templates_dir()
        self._inliner = css_inline.CSSInliner(load_remote_stylesheets=False)

    @cached_property
    def _style(self) -> str:
        return (self._folder / "mail" / "style.css").read_text(encoding="utf-8")

    def _in(self, language: str) -> _Pair:
        """The templates in the language of ours nearest to `language`."""
        return _pair(self._folder, spoken(language))

    def subject(self, name: str, values: Mapping[str, Any]) -> str:
        """The subject in words, at most 120 characters. Raises RenderingFailed."""
        with _named(name):
            text = self._in(values["view"].language).text
            written = text.get_template(f"mail/{name}.subject.txt").render(values)
        return shortened(header_text(written), SUBJECT_LENGTH)

    def parts(self, name: str, values: Mapping[str, Any]) -> Parts:
        """Text and HTML, from the same values. Raises RenderingFailed."""
        with _named(name):
            ours = self._in(values["view"].language)
            text = ours.text.get_template(f"mail/{name}.txt").render(values)
            html = ours.html.get_template(f"mail/{name}.html").render(values)
            return Parts(text, self._inliner.inline(html))

    def card(self, language: str, number: int, paper: DigestPaper, asked: str) -> Parts:
        """A paper of a digest, whose HTML is not inlined yet; `asked` is the link that asks about
        it. Raises RenderingFailed."""
        with _named("digest"):
            ours = self._in(language)
            text = ours.text.get_template("mail/parts.txt").module
            html = ours.html.get_template("mail/parts.html").module
            return Parts(text.paper(number, paper), html.paper(number, paper, asked))  # type: ignore[attr-defined]

    def inlined(self, rows: str) -> str:
        """Rows of a digest's table with their styles, as they are in the whole. Raises
        RenderingFailed."""
        with _named("digest"):
            table = self._inliner.inline_fragment(
                f"<table><tbody>{rows}</tbody></table>", self._style
            )
        return table.removeprefix("<table><tbody>").removesuffix("</tbody></table>")

    def phrases(self, name: str, values: Mapping[str, Any]) -> dict[str, str]:
        """What `name.phrases` sets, each on one line and not escaped. Raises RenderingFailed."""
        with _named(name):
            template = self._in(values["view"].language).text.get_template(f"mail/{name}.phrases")
            made = template.make_module(dict(values))
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


def reason_line(ours: Locale, frozen: str) -> str:
    """Why a paper is shown, on one clean line of at most 200 characters."""
    return shortened(one_line(localize_reason(ours, frozen)), REASON_LENGTH)


def postal_line(address: str) -> str:
    """A postal address of several lines on one, with commas between."""
    return one_line(_LINE_ENDS.sub(", ", address.strip()))


@lru_cache(maxsize=2 * len(LANGUAGES))
def _pair(folder: Path, language: str) -> _Pair:
    """The templates of a folder: compiled once a process, however many renderers it has. Threads
    that ask at once each make them."""
    made, loader = locale_for(language), FileSystemLoader(folder)
    html = speaking(_environment(loader, autoescape=True), made)
    text = speaking(_environment(loader, autoescape=False), made)
    for one in (html, text):
        one.filters["reason"] = partial(reason_line, made)
    return _Pair(html, text)


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
        "label": spoken_title,
        "site": site_name,
        "title_address": title_address,
        "web": web_address,
        "wrapped": wrapped,
    }
    return environment


def site_name(url: str) -> str:
    """`url` as people say it: `papers.example.org`, with a path where the site has one."""
    return url.partition("://")[2].rstrip("/") or url


def spoken_title(title: str) -> str:
    """The start of `title` for the spoken name of a link, an attribute: no angle brackets."""
    return shortened(_ANGLES.sub("", title), _LABEL_LENGTH)


# Lines of a plain text, by the columns that their characters take.
#
# Letters of Chinese, Japanese and Korean take two columns (Unicode Standard Annex 11). Chinese and
# Japanese are written without spaces, and a line may end behind any letter. Of the rules for their
# punctuation (UAX 14) those are kept that a reader notices: no line begins with a closing mark, and
# none ends with an opening one.

TEXT_WIDTH = 72
"""Columns."""

_CLOSING = frozenset("、。，．：；！？）］｝〉》」』】〕〗’”…—・ー%％,.:;!?)]}")
_OPENING = frozenset("（［｛〈《「『【〔〖‘“([{")
_KOREAN = ("\u1100", "\u11ff"), ("\u3130", "\u318f"), ("\uac00", "\ud7ff")
"""Wide, but written with spaces."""


def columns(text: str) -> int:
    """How many columns `text` takes."""
    return len(text) if text.isascii() else sum(map(_columns_of, text))


@lru_cache(maxsize=8192)
def _columns_of(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in ("W", "F") else 1


@lru_cache(maxsize=8192)
def _stands_alone(character: str) -> bool:
    """Whether a line may end beside it, wherever in a word it stands."""
    korean = any(first <= character <= last for first, last in _KOREAN)
    return _columns_of(character) == 2 and not korean


def wrapped(text: str, first: str = "", indent: str | None = None) -> str:
    """`text` on lines of at most 72 columns, broken at spaces and beside Chinese and Japanese
    letters; words stay whole.

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
    """What of `text` stays whole, with the space before it, if any."""
    for number, word in enumerate(text.split(" ")):
        space = " " if number else ""
        if word.isascii():
            yield space, word
            continue
        start = 0
        for at in range(1, len(word)):
            before, after = word[at - 1], word[at]
            may_part = before not in _OPENING and after not in _CLOSING
            if may_part and (_stands_alone(before) or _stands_alone(after)):
                yield space, word[start:at]
                space, start = "", at
        yield space, word[start:]


# How templates speak a language: `{% trans %}`, `_()` and `ngettext()` from its catalogue, and
# filters for what is said of numbers, dates and papers.
#
# `language` and `direction` are for the `lang` and `dir` of what is written in it; the filter
# `lang` gives that of a paper's own words. `gap` is what stands between two sentences, `comma`
# between the parts of a row. Values that fill a translated text are escaped where the template is;
# what a catalogue holds is as trusted as a template.

TRANSLATED = ("jinja2.ext.i18n",)
"""The extensions that templates need."""

_MOST_SENTENCES = 512
"""Sentences without values that are kept; there are fewer."""


def speaking(environment: Environment, locale: Locale) -> Environment:
    """`environment`, whose templates speak `locale` from now on."""
    environment.policies["ext.i18n.trimmed"] = True
    environment.newstyle_gettext = True  # type: ignore[attr-defined]
    environment.globals.update(
        gettext=_escaping(locale.gettext, locale),
        ngettext=_escaping(locale.ngettext, locale),
        language=locale.language,
        direction=locale.direction,
        gap=locale.gap,
        comma=locale.comma,
        locale=locale,
    )
    environment.filters |= {
        "authors": partial(authors_said, locale),
        "counted": locale.counted,
        "instant": locale.instant,
        "lang": partial(lang_of, locale),
        "links": partial(links_said, locale),
        "long_date": locale.long_date,
        "number": locale.number,
        "reason": partial(localize_reason, locale),
        "row": locale.row,
        "short_date": locale.short_date,
        "source": partial(localize_source, locale),
        "tally": partial(tally_said, locale),
        "word": locale.word,
    }
    return environment


def lang_of(locale: Locale, text: str) -> str:
    """The `lang` of a text that is written in another language than what stands around it."""
    written = written_in(text)
    same = written.partition("-")[0] == locale.language.partition("-")[0]
    return Markup("") if same else Markup(' lang="{}"').format(written)


def _escaping(say: Callable[..., str], locale: Locale) -> Callable[..., str]:
    """`say` for templates: in those that escape, the values are escaped and the text is not."""

    @lru_cache(maxsize=_MOST_SENTENCES)
    def alone(escaping: bool, *texts: object) -> str:
        return Markup(say(*texts)) if escaping else say(*texts)  # noqa: S704 - of catalogues

    @pass_eval_context
    def said(context: EvalContext, *texts: object, **values: object) -> str:
        if not values:
            return alone(bool(context.autoescape), *texts)
        if not context.autoescape:
            return say(*texts, **values)
        written = {name: Markup.escape(locale.written(value)) for name, value in values.items()}
        return Markup(say(*texts, **written))  # noqa: S704 - of catalogues, and escaped values

    return said
