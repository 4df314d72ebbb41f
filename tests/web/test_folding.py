"""Templates that are compiled to be quick say what Jinja would say, in the same characters."""

from collections.abc import Callable

import pytest
from jinja2 import Environment, StrictUndefined, UndefinedError
from markupsafe import Markup, escape

from paperround.web.folding import fold, shown


def environment(**known: Callable[[str], str]) -> Environment:
    made = Environment(autoescape=True, undefined=StrictUndefined)
    fold(made, known)
    return made


@pytest.mark.parametrize(
    "value",
    [
        *("", "plain", "<b>&amp;'\"", "a < b > c", "“×”\u2028"),
        *(Markup("<b>"), 7, 1.5, None, True, ["<"]),
    ],
)
def test_what_is_shown_is_escaped_as_by_jinja(value: object) -> None:
    assert shown(value) == escape(value)
    assert environment().from_string("{{ one }}").render(one=value) == escape(value)


@pytest.mark.accept("W7", part="compiled pages")
def test_what_a_macro_is_given_is_escaped_once() -> None:
    source = "{% macro of(one) %}<p>{{ one }}</p>{% endmacro %}{{ of(text) }}{{ of(of(text)) }}"
    said = environment().from_string(source).render(text="<i>")
    assert said == "<p>&lt;i&gt;</p><p><p>&lt;i&gt;</p></p>"


def test_what_is_not_there_is_still_an_error() -> None:
    with pytest.raises(UndefinedError):
        environment().from_string("{{ nobody }}").render()


def test_a_call_that_always_says_the_same_is_made_once() -> None:
    asked = []

    def said(text: str) -> str:
        asked.append(text)
        return Markup("<b>{}</b>").format(text)

    source = "{% for _n in range(3) %}{{ _('word') }}{% endfor %}"
    template = environment(_=said).from_string(source)
    assert template.render() == template.render() == "<b>word</b>" * 3
    assert asked == ["word"]


def test_a_call_with_values_is_made_each_time() -> None:
    made = environment(_=lambda text: f"once {text}")
    made.globals["_"] = lambda text, **values: f"{text} {values}"
    assert made.from_string("{{ _('word', of=1) }}").render() == escape("word {'of': 1}")
    assert made.from_string("{{ _(name) }}").render(name="x") == "x {}"


def test_what_a_known_call_gives_is_escaped_where_it_is_not_safe() -> None:
    assert (
        environment(static=lambda name: f"/{name}?a&b").from_string("{{ static('x') }}").render()
        == "/x?a&amp;b"
    )
