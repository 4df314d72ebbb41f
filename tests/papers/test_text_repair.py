"""Repaired text reads well, and what was right stays as it was."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperround.papers.text import author_name, author_names, clean, repair_abstract, repair_title
from tests.digests.messy import MESSY

PROSE = st.lists(
    st.sampled_from("We show that 3.8 times less data (about 20%) helps, e.g. 5-40 of it.".split()),
    min_size=1,
    max_size=60,
).map(" ".join)


@pytest.mark.accept("F01", part="repair")
@pytest.mark.parametrize(
    ("damaged", "readable"),
    [
        ("1.2times faster, a 6times lower footprint", "1.2× faster, a 6× lower footprint"),
        ("maps T:R^drightarrow R^d that", "maps T:R^d → R^d that"),
        ("at 20,FPS using only 500,MB", "at 20 FPS using only 500 MB"),
        ("ell^1 or ell^2, the ell_2^2 distance", "ℓ¹ or ℓ², the ℓ₂² distance"),
        ("at https://aka.ms/x{https://aka.ms/x}.", "at https://aka.ms/x."),
        ("on https://x.io/y{our project page}", "on our project page (https://x.io/y)"),
        ("models~(LM), Fig.~3 and LLaMA~2", "models (LM), Fig. 3 and LLaMA 2"),
        ("AUC@5^{circ}, GUI-360^circ, 360{\\deg}", "AUC@5°, GUI-360°, 360°"),
        ("the ``meaning'' of `words' -- here", "the “meaning” of ‘words’ – here"),
        ("h:=1{2}|cdot|_2^2+tau and tau is", "h:=1/2|·|₂²+τ and τ is"),
        ("HPLT~3.0, LLaMA-2~13B, (10~s), a 434~J", "HPLT 3.0, LLaMA-2 13B, (10 s), a 434 J"),
        ("ICLR~'25, severity~5, Foo~ and Bar~,", "ICLR '25, severity 5, Foo and Bar,"),
        ("Biblioth{è}que Num{é}rique, D³{ETOR}", "Bibliothèque Numérique, D³ETOR"),
        ("(sim110k), leq50K, {sim}70K", "(∼110k), ≤50K, ∼70K"),
    ],
)
def test_flattened_maths_reads_well_again(damaged: str, readable: str) -> None:
    assert repair_abstract(damaged) == readable


@pytest.mark.parametrize(
    ("tex", "readable"),
    [
        (r"2.5$\times$ and $256\times256$", "2.5× and 256×256"),
        (r"$\mathcal{O}(n \log n)$ in $\mathbb{R}^{d \times d}$", "O(n log n) in ℝ^(d × d)"),
        (r"$\pi_0$, $\pi_{0.5}$ and $\pi_{\text{reg}}$", "π₀, π₀.₅ and π_reg"),
        (r"$10^{-5}$, $x \in [0, 1]$, $\sim 75\%$", "10⁻⁵, x ∈ [0, 1], ∼75%"),
        (r"$\frac{1}{2}$, $\sqrt{n+1}$, $\left(a\right)$", "1/2, √(n+1), (a)"),
        (r"\textbf{C}oncept \emph{and \texttt{code}}", "Concept and code"),
        (r"{\em old} $\textbf{+2.7$\%$ gain}$", "old +2.7% gain"),
        (r"(\eg BERT, \ie, GPT)", "(e.g. BERT, i.e., GPT)"),
        (r"\href{https://x.io}{here} and \url{https://y.io}", "here (https://x.io) and https://y.io"),
        (r"Schr\"odinger, na\"{\i}ve, Erd\H{o}s, {\o}", "Schrödinger, naïve, Erdős, ø"),
        (r"L'{\'e}cole, S\o ren, Fran\c{c}ois", "L'école, Søren, François"),
        (r"R\&D, 4\%, \$5, a\_b", "R&D, 4%, $5, a_b"),
        (r"p$<$0.05 ($>$10x, $<$0.75M) $=$3", "p<0.05 (>10x, <0.75M) =3"),
        (r"\bf{108$\times$} and $\bf Q$", "108× and Q"),
        (r"\SI{96.73}{\%}, \SI{40}{\milli\second}, \num{1617}", "96.73%, 40 ms, 1617"),
        (r"an object\'s mass", "an object's mass"),
        (r"Na{\"\i}ve Garc{\'\i}a {\`\i} {\^\j}ongo", "Naïve García ì ĵongo"),
    ],
)  # fmt: skip
def test_tex_becomes_readable_text(tex: str, readable: str) -> None:
    assert repair_abstract(tex) == readable


@pytest.mark.accept("F01", part="repair")
@pytest.mark.parametrize(
    ("exported", "readable"),
    [
        (r"SiO{\textless}sub{\textgreater}2{\textless}/sub{\textgreater} films", "SiO₂ films"),
        (
            r"{\textless}i{\textgreater}In vivo{\textless}/i{\textgreater} imaging",
            "In vivo imaging",
        ),
        (r"don{\textquoteright}t and don\textquoteright t", "don’t and don’t"),
        (
            r"{\textquotedblleft}so{\textquotedblright} \textquoteleft so\textquoteright",
            "“so” ‘so’",
        ),
        (r"5 {\textmu}m, 5 \textmu m, {\textdegree}C", "5 μm, 5 μm, °C"),
        (r"{\textasciitilde}50, \textasciitilde 60", "~50, ~60"),
        (
            r"cells{\textendash}tissue, {\textpm}5 {\textbar} 2{\texttimes}3",
            "cells–tissue, ±5 | 2×3",
        ),
        (r"O(n{\textasciicircum}2) a{\textbackslash}b", r"O(n²) a\b"),
        (
            r"{\textalpha}-synuclein and TGF-\textbeta{} in {\LaTeX}",
            "α-synuclein and TGF-β in LaTeX",
        ),
        (r"\foo{a}{\textpm} {\textpm}", r"\foo{a}{±} ±"),
        (r"{\guillemotleft}x{\guillemotright}{\ldots}{\textbullet}", "«x»…•"),
    ],
)
def test_what_reference_managers_write_for_signs_is_read(exported: str, readable: str) -> None:
    assert repair_title(exported) == readable


@pytest.mark.accept("F01", part="untouched")
@pytest.mark.parametrize(
    "right",
    [
        "three times, 2 times faster, sometimes, at times, 3.8 times less",
        "~50% of it, 10X~20X, 3~5, x ~ y, a~b",
        "do**-**and RoBERTa_Large HDBSCAN* |p| C++ C# Flan-T5_XXL UI2Code^N",
        "$5 and $10 per task, US$5 to US$6, $100-$200, 4$ an hour",
        r"C:\temp\new\alpha and \\server\share",
        r"{\ours} x",
        r"\ours and \method{} beat \SI{x}{dB}, \SI{3}{\foo}, \textbf{unclosed",
        "sim2real, sim-to-real, sim1; approx. 3; the alpha channel; a tau protein",
        "<think> a </think> <s> x < y > z </s> <EOS>, {ChartIR} and {word}",
        "75%~89%, 1M~4M, 1.5~2.8×, AUC~0.815, PSNR~33, at~50, R2 ~ 0.85",
        "at https://x.io/LE3D . Or, e.g. , we show .",
        "0 .5, <think>. . . </think> and so on ... or f . g, A . B, in . NET and `cd a_1 , b`",
        "the , token, the . Then, $5 <$10 and $5",
        "O({VM}²) and \\c{é}",
        "1,000 and 2,500 of 3,MNIST",
        "`code--x_1~y` and https://x.org/~me/a_1--b^2 with --no-cache and -->",
        "AT&T, Q&A, S&P 500, R&D",
        "The 'quoted' and \"quoted\" users' wish",
    ],
)
def test_what_is_right_stays_as_it_is(right: str) -> None:
    assert repair_abstract(right) == right


@given(MESSY)
def test_repairing_twice_changes_nothing(text: str) -> None:
    once = repair_abstract(text)
    assert repair_abstract(once) == once


@pytest.mark.accept("I7", part="text")
@given(MESSY | st.text())
def test_no_control_bidi_or_surrogate_survives(text: str) -> None:
    for repaired in (repair_title(text), author_name(text), clean(text, limit=50)):
        assert not re.search("[\x00-\x1f\x7f-\x9f\ud800-\udfff\u2028\u2029]", repaired)
        assert not re.search("[\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]", repaired)


@given(
    st.lists(
        st.sampled_from(
            ["Ada", "", " ", "Jos\\'e", "O'Neill", "x" * 201, "Ü b", "a  b", "Q&amp;", ":"]
        )
    )
    | st.lists(st.text(max_size=9))
)
def test_the_names_of_a_paper_are_each_read_alone(names: list[str]) -> None:
    alone = tuple(name for name in map(author_name, names) if re.search(r"[^\W_]", name))
    assert author_names(tuple(names)) == alone


@given(PROSE)
def test_plain_prose_comes_back_unchanged(text: str) -> None:
    assert repair_abstract(text) == text


def test_entities_are_decoded_once_and_only_where_they_are_some() -> None:
    assert (
        clean("Q&amp;A &lt; AT&T &eacute; R&D; &amp;lt;", limit=99) == "Q&A < AT&T é R&D; &amp;lt;"
    )


def test_tags_go_and_their_text_stays() -> None:
    assert clean("<p>H<sub>2</sub>O, 10<sup>5</sup></p><i>x</i><br/>y", limit=99) == "H₂O, 10⁵ x y"


def test_hard_wraps_and_separators_become_one_space() -> None:
    assert clean("a\n  b\u2028c\u00a0d\t", limit=99) == "a b c d"


def test_joiners_stay_only_between_letters_that_need_them() -> None:
    persian = "می\u200cخواهم"
    assert clean(f"{persian} a\u200cb\u200d", limit=99) == f"{persian} ab"


def test_letters_are_composed() -> None:
    assert clean("e\u0301", limit=9) == "\u00e9"


def test_a_text_too_long_is_cut_at_a_word() -> None:
    title = repair_title("word " * 200)
    assert len(title) <= 500
    assert title.endswith("word…")
    assert len(repair_abstract("x" * 50_000)) == 10_000


@pytest.mark.parametrize(
    ("written", "name"),
    [
        (r"J\"urgen~Schmidhuber", "Jürgen Schmidhuber"),
        (r"{\L}ukasz \v{C}ech", "Łukasz Čech"),
        (r"Nguy\~ên", "Nguyễn"),
        (r"Jos\'é St\ütz", "José Stütz"),
        (r"Sathya N. Aakur\\", "Sathya N. Aakur"),
        (r"J\o rgensen Wei\ss Stra\ss{}er", "Jørgensen Weiß Straßer"),
        (r"\O rsted Gro\ss Fran\c cois", "Ørsted Groß François"),
        (r"Mar{\'\i}a Garc{\'\i}a", "María García"),
        (r"{\DJ}okovi{\'c} {\TH}orsteinn", "Đoković Þorsteinn"),
        (r"D{\textquoteright}Angelo O{\textquotesingle}Neil", "D’Angelo O'Neil"),
        (r"D\textquoteright Angelo", "D’Angelo"),
        (" Ada \n Lovelace\x00", "Ada Lovelace"),
    ],
)
def test_names_are_decoded(written: str, name: str) -> None:
    assert author_name(written) == name


@pytest.mark.parametrize(
    "text", ["\\" * 5000, "{" * 5000, "$" * 5001, "\\textbf{" * 2000, "`" * 5000]
)
def test_hostile_nesting_is_harmless(text: str) -> None:
    assert len(repair_abstract(text)) <= 10_000
