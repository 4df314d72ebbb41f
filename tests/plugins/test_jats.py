"""JATS as readable text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperround.papers.text import repair_abstract
from paperround.plugins.jats import text_of_jats

FORMULA = (
    "<mml:math><mml:mrow>\n <mml:msub><mml:mi>x</mml:mi><mml:mn>1</mml:mn></mml:msub>\n"
    " <mml:mo>=</mml:mo> <mml:mfrac><mml:mn>1</mml:mn><mml:mn>2</mml:mn></mml:mfrac>"
    "</mml:mrow></mml:math>"
)


@pytest.mark.accept("F05", part="crossref abstracts")
@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("plain  text\n here", "plain text here"),
        ("<jats:p>One.</jats:p><jats:p>Two.</jats:p>", "One. Two."),
        ("<jats:title>Abstract</jats:title><jats:p>We study.</jats:p>", "We study."),
        (
            (
                "<jats:sec><jats:title>Aims</jats:title><jats:p>A.</jats:p></jats:sec>"
                "<jats:sec><jats:title>Results?</jats:title><jats:p>B.</jats:p></jats:sec>"
            ),
            "Aims: A. Results? B.",
        ),
        ("<p>CO<sub>2</sub> at 10<jats:sup>3</jats:sup></p>", "CO₂ at 10³"),
        ("an <jats:italic>E. coli</jats:italic> strain", "an E. coli strain"),
        (f"<jats:p>where {FORMULA} holds</jats:p>", "where x₁=1/2 holds"),
        (
            (
                "<jats:p>see <jats:alternatives><jats:tex-math>\\alpha</jats:tex-math>"
                "<mml:math><mml:mi>α</mml:mi></mml:math></jats:alternatives></jats:p>"
            ),
            "see α",
        ),
        (
            (
                "<p>with <inline-formula><tex-math>$\\alpha$</tex-math></inline-formula> and "
                "<inline-formula><tex-math>\\beta</tex-math></inline-formula></p>"
            ),
            "with α and β",
        ),
        (
            (
                "<p>in <inline-formula><mml:math><mml:mi>x</mml:mi></mml:math>"
                "<tex-math>$x$</tex-math></inline-formula></p>"
            ),
            "in x",
        ),
        (
            (
                "<p>of <alternatives><tex-math>\\documentclass[12pt]{minimal}\\begin{document}"
                "$$\\gamma$$\\end{document}</tex-math><graphic/></alternatives></p>"
            ),
            "of γ",
        ),
        ("<p>none <tex-math> </tex-math></p>", "none"),
        ("<p>p &lt; 0.05 &amp; more</p>", "p < 0.05 & more"),
        ("<jats:p>p < 0.05 in H<sub>2</sub>O</jats:p>", "p < 0.05 in H₂O"),
        ("<jats:p>never closed", "never closed"),
        ("</x><y>", ""),
        ('<!DOCTYPE x [<!ENTITY a "b">]><p>a</p>', '<!DOCTYPE x [<!ENTITY a "b">]> a'),
    ],
)
def test_markup_becomes_text(written: str, read: str) -> None:
    assert repair_abstract(text_of_jats(written)) == read


@given(
    parts=st.lists(
        st.sampled_from(["<p>", "</p>", "<sub>", "</sub>", "<mml:mfrac>", "<x", "&", "]]>", "\0"])
        | st.text(max_size=6),
        max_size=12,
    )
)
def test_whatever_is_written_some_text_is_read(parts: list[str]) -> None:
    text_of_jats("".join(parts)).encode()


def test_deep_nesting_loses_its_tags_and_nothing_else() -> None:
    assert text_of_jats("<i>" * 5000 + "deep" + "</i>" * 5000) == "deep"
