"""How templates speak a language: `{% trans %}`, `_()` and `ngettext()` from its catalogue, and
filters for what is said of numbers, dates and papers.

`language` and `direction` are for the `lang` and `dir` of what is written in it; the filter `lang`
gives that of a paper's own words. `gap` is what stands between two sentences, `comma` between the
parts of a row. Values that fill a
translated text are escaped where the template is; what a catalogue holds is as trusted as a
template.
"""

from collections.abc import Callable
from functools import lru_cache, partial

from jinja2 import Environment, pass_eval_context
from jinja2.nodes import EvalContext
from markupsafe import Markup

from paperround.domain.written import written_in
from paperround.languages.localize import localize_reason, localize_source
from paperround.languages.papers import authors_said, links_said, tally_said
from paperround.languages.tongue import Tongue

TRANSLATED = ("jinja2.ext.i18n",)
"""The extensions that templates need."""

_MOST_SENTENCES = 512
"""Sentences without values that are kept; there are fewer."""


def speaking(environment: Environment, tongue: Tongue) -> Environment:
    """`environment`, whose templates speak `tongue` from now on."""
    environment.policies["ext.i18n.trimmed"] = True
    environment.newstyle_gettext = True  # type: ignore[attr-defined]
    environment.globals.update(
        gettext=_escaping(tongue.gettext, tongue),
        ngettext=_escaping(tongue.ngettext, tongue),
        language=tongue.language,
        direction=tongue.direction,
        gap=tongue.gap,
        comma=tongue.comma,
        tongue=tongue,
    )
    environment.filters |= {
        "authors": partial(authors_said, tongue),
        "counted": tongue.counted,
        "instant": tongue.instant,
        "lang": partial(lang_of, tongue),
        "links": partial(links_said, tongue),
        "long_date": tongue.long_date,
        "number": tongue.number,
        "reason": partial(localize_reason, tongue),
        "row": tongue.row,
        "short_date": tongue.short_date,
        "source": partial(localize_source, tongue),
        "tally": partial(tally_said, tongue),
        "word": tongue.word,
    }
    return environment


def lang_of(tongue: Tongue, text: str) -> str:
    """The `lang` of a text that is written in another language than what stands around it."""
    written = written_in(text)
    same = written.partition("-")[0] == tongue.language.partition("-")[0]
    return Markup("") if same else Markup(' lang="{}"').format(written)


def _escaping(say: Callable[..., str], tongue: Tongue) -> Callable[..., str]:
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
        written = {name: Markup.escape(tongue.written(value)) for name, value in values.items()}
        return Markup(say(*texts, **written))  # noqa: S704 - of catalogues, and escaped values

    return said
