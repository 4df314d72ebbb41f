"""The digest in words: what it says, how it looks, and what can never get into it."""

import re
from dataclasses import replace
from itertools import product
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperround.core.errors import Misconfigured, RenderingFailed
from paperround.core.i18n.locale import locale_for
from paperround.core.paths import data_path
from paperround.core.reasons import freeze
from paperround.delivery.status import WHY_THIN
from paperround.digests.model import DigestView, Rendered, title_address
from paperround.digests.render.facts import own_reason_line, votes_line
from paperround.digests.render.templates import (
    COLOUR,
    COLOUR_AT_NIGHT,
    Templates,
    site_name,
    wrapped,
)
from paperround.digests.render.view import LEADS, render_digest, render_notice
from paperround.editions.labels import localized_authors, localized_counts
from paperround.editions.model import SkipReason, TrendingPeriod
from paperround.editions.sections import Section
from paperround.papers.formatting import paper_links, shortened, web_address
from paperround.plugins.summaries.checks import MARK
from tests.digests.messages import PUBLIC, links, notice_view, paper, view
from tests.digests.reading import (
    FALLBACKS,
    Outline,
    colours,
    contrast,
    lacking_features,
    used_features,
)

TEMPLATES = Templates()


def rendered(shown: DigestView | None = None) -> Rendered:
    return render_digest(TEMPLATES, shown or view())


# --- subject and preheader ---------------------------------------------------------------------


@pytest.mark.accept("F18", part="subject", mutant="the-date-comes-before-the-title")
def test_the_subject_begins_with_the_best_title_and_the_preheader_goes_on() -> None:
    words = rendered()
    assert words.subject == (
        "Slow Diffusion: Sharp Images from Four Patient Steps · 6 papers, 30 Jan"
    )
    assert "Slow Diffusion" not in words.preheader
    assert words.preheader.startswith("Also: Small Models Read Long Books")
    assert "Wann lügt ein Sprachmodell?" in words.preheader
    assert words.preheader in words.html


def test_one_paper_is_one_paper_and_its_gist_goes_on() -> None:
    words = rendered(view(1))
    assert words.subject.endswith("Patient Steps · 1 paper, 30 Jan")
    assert words.preheader.startswith("A sampler that spends its four steps")


@pytest.mark.accept("F18", part="subject")
def test_a_long_title_is_cut_on_a_word_and_count_and_date_are_still_read() -> None:
    subject = rendered(view([paper(title="Patience " * 40)])).subject
    assert len(subject) <= 80
    assert subject.endswith("Patience… · 1 paper, 30 Jan")
    long_word = rendered(view([paper(title="Learned " + "Spatio-" * 20)])).subject
    assert long_word == "Learned… · 1 paper, 30 Jan"


@pytest.mark.accept("F18", part="subject")
def test_a_weekly_subject_names_the_days_of_the_week_before() -> None:
    subject = rendered(view(6, period=TrendingPeriod.WEEK)).subject
    assert subject.startswith("Slow Diffusion: Sharp Images from")
    assert subject.endswith("… · week of 23–29 Jan, 6 papers")


# --- what both parts say -----------------------------------------------------------------------


@pytest.mark.accept("F18", part="content")
def test_both_parts_tell_everything_of_every_paper() -> None:
    words = rendered()
    for number, shown in enumerate(view().papers, start=1):
        for part in (" ".join(words.text.split()), words.html):
            assert shown.title in part
            assert shown.gist in part
            assert title_address(shown) in part
            assert own_reason_line(locale_for(), shown.reason) in part
            assert votes_line(locale_for(), shown) in part
            authors = localized_authors(locale_for(), shown.authors)
            assert (authors in part) is (number <= LEADS or len(shown.authors) <= 2)
        assert shown.page_url in words.html


@pytest.mark.accept("F18", part="content")
@pytest.mark.accept("F24", part="leads")
def test_the_first_three_papers_lead_with_two_sentences() -> None:
    two = [replace(paper(n), lead_gist=f"First of {n}. Second of {n}.") for n in range(5)]
    words = rendered(view(two))
    for part in (words.text, words.html):
        assert [f"Second of {n}." in part for n in range(5)] == [True] * 3 + [False] * 2
    assert words.html.count('class="item brief"') == 2


@pytest.mark.accept("F18", part="content")
def test_a_line_of_facts_tells_votes_age_comments_and_where_a_paper_comes_from() -> None:
    words = rendered()
    assert "41 votes · 16 h · 4 comments · Halloway Lab · 1,250 stars\n" in words.text
    assert ">41 votes</strong>&nbsp;· 16 h&nbsp;· 4 comments&nbsp;· <a" in words.html
    assert "22 votes (9 new) · 1 day\n" in words.text
    assert "19 votes · 1 day · 7 comments · University of Okoro\n" in words.text
    assert "pruning transformers”\n   today\n" in words.text


@pytest.mark.accept("F18", part="content")
def test_votes_stand_in_the_contents_and_in_the_line_of_facts_and_nowhere_else() -> None:
    words = rendered()
    text = words.text.replace("\xa0", " ")
    html = words.html.replace("\xa0", " ").replace("&nbsp;", " ")
    for told in ("41 votes", "28 votes", "22 votes", "19 votes", "11 votes"):
        assert text.count(told) == html.count(told) == 2


@pytest.mark.accept("F18", part="sections")
def test_papers_stand_below_the_headings_of_their_sections() -> None:
    words = rendered()
    named = ["For you", "Trending", "From earlier days", "New today"]
    contents, papers = words.text.split("\n\n\n", 1)
    assert [line for line in contents.splitlines() if line in named] == named
    assert [line for line in papers.splitlines() if line in named] == named
    assert re.findall(r'aria-level="2"[^>]*>([^<]+)<', words.html) == named
    assert words.text.index("New today\nLikely to interest people here\n\n6. β-Cut") > 0
    assert words.html.count("Likely to interest people here") == 1


@pytest.mark.accept("F18", part="sections")
def test_a_digest_planned_in_another_order_keeps_it_without_headings() -> None:
    words = rendered(view([paper(5), paper(0), paper(1), paper(4)]))
    assert "aria-level" not in words.html
    assert "Trending\n" not in words.text
    assert [words.text.index(f"\n{n}. {paper(at).title}") for n, at in enumerate((5, 0, 1, 4), 1)]


@pytest.mark.accept("F18", part="contents")
def test_the_contents_name_every_paper_in_short_before_the_first() -> None:
    long = paper(2, title="A Title That Goes On and On, as Titles of Papers of the Day Do")
    words = rendered(view([*view(5).papers[:4], replace(long, section=Section.RISING)]))
    short = "5. A Title That Goes On and On, as Titles of Papers… · 22\xa0votes\n"
    assert words.text.index("\n1. Slow Diffusion") < words.text.index(short)
    assert words.text.index(short) < words.text.index("Mira Halloway")
    assert words.html.count('class="toc"') == 5
    assert all(len(line) <= 76 for line in re.findall(r"^\d\. .*…", words.text, re.MULTILINE))


def test_a_short_digest_needs_no_contents() -> None:
    words = rendered(view(3))
    assert 'class="toc"' not in words.html
    assert words.text.count("1. Slow Diffusion") == 1


@pytest.mark.accept("Q16", part="text")
def test_less_than_a_fifth_of_the_text_part_is_links() -> None:
    gist = "A sampler that spends its four steps where the image still changes matches a slow one, "
    papers = [replace(one, gist=gist * 2, lead_gist=gist * 3) for one in view(12).papers]
    lines = [line for line in rendered(view(papers)).text.splitlines() if line]
    links = [line for line in lines if "https://" in line]
    assert len(links) <= len(lines) / 5
    of_papers = [line for line in links if line.startswith("   ")]
    assert len(of_papers) == 12
    assert not any("/papers/" in line for line in of_papers)


@pytest.mark.accept("F18", part="content")
def test_both_parts_ask_what_was_useful_and_the_html_asks_of_each_paper() -> None:
    words, asked = rendered(), view().links.feedback
    assert f"Rate these papers: {asked}\n" in words.text
    hrefs = [link["href"] for link in Outline(words.html).all("a")]
    places = [href for href in hrefs if href.startswith(f"{asked}/") and "/next" not in href]
    verdicts = ("save", "more", "less")
    assert places == [f"{asked}/{one}/p{n}" for n in range(1, 7) for one in verdicts]
    assert hrefs.count(asked) == 1


def test_a_crowded_digest_asks_once_rather_than_of_each_paper() -> None:
    html = rendered(view([paper(gist="A steady sentence. " * 60)] * 50)).html
    assert html.count(f'href="{view().links.feedback}"') == 1
    assert html.count(f'href="{view().links.feedback}/more') == 0


def test_without_a_place_for_opinions_none_is_asked_for() -> None:
    words = rendered(view(links=replace(links(), feedback="")))
    assert "useful" not in words.html + words.text


@pytest.mark.accept("F18", part="content")
def test_the_footer_says_in_one_line_why_there_are_few_papers() -> None:
    late = WHY_THIN[SkipReason.FEED_STALE]
    words, bare = rendered(view(thin=late)), rendered()
    assert late in words.text.splitlines()
    assert f">{late}</p>" in words.html
    assert "source" not in bare.text + bare.html


@pytest.mark.accept("F12", part="mail", mutant="the-score-is-in-the-mail")
def test_a_digest_says_why_and_shows_no_formula() -> None:
    words = rendered(view(1))
    for part in (words.text, words.html):
        assert "By Mira Halloway, whom you follow" in part
        assert "Score" not in part
        assert "3.8142" not in part
        assert "=" not in re.sub(
            r"https?://\S+|<[^>]*>|<style>.*</style>", "", part, flags=re.DOTALL
        )


@pytest.mark.accept("F52", part="mail")
def test_the_footer_says_who_sends_and_why() -> None:
    words = rendered()
    for part in (" ".join(words.text.split()), words.html):
        assert "You get this email because you subscribed to Trending papers." in part
        assert "Sent by Example Library" in part
        assert "1 Sample Street, Exampletown 12345" in part
        assert "desk@papers.example.org" in part
        assert f"{PUBLIC}/privacy" in part
        assert f"{PUBLIC}/imprint" in part


@pytest.mark.accept("F51", part="mail")
@pytest.mark.accept("F24", part="marked in mail")
def test_the_mark_of_a_machine_stands_however_much_is_cut() -> None:
    long = paper(gist=MARK + "A steady sentence. " * 60, section=None)
    both = rendered(view([long] * 50))
    assert both.html.count(MARK.strip()) >= 50
    assert both.text.count(MARK.strip()) == 50


def test_a_paper_of_which_only_the_link_may_be_shown_has_no_gist_line() -> None:
    bare = paper(gist="", reason="", authors=(), votes=None, comments=None, score=None)
    bare = replace(bare, age=None, organization="", stars=None, section=None)
    words = rendered(view([bare]))
    title = "\n\n1. Slow Diffusion: Sharp Images from Four Patient Steps\n"
    links = "https://arxiv.org/abs/9901.10001 · Code: https://code.example.org/invented/0"
    assert f"{title}   {links}\n" in words.text
    assert "Thank you to arXiv for use of its open access interoperability." in words.html


def test_without_optional_values_no_empty_line_of_the_footer_is_left() -> None:
    bare = view(operator="", postal_address="", contact="", more_papers=0)
    bare = replace(bare, privacy_url="", imprint_url="", acknowledgements=())
    words = rendered(bare)
    for label in ("Sent by", "Address", "Contact", "Privacy", "Imprint", "more paper"):
        assert label not in words.text + re.sub(r"<!--.*?-->", "", words.html)


# --- the HTML part -----------------------------------------------------------------------------


@pytest.mark.accept("Q16", part="structure")
def test_the_html_has_a_language_one_h1_and_one_h2_a_paper() -> None:
    outline = Outline(rendered().html)
    assert outline.all("html") == [{"lang": "en", "dir": "ltr"}]
    assert len(outline.all("h1")) == 1
    assert len(outline.all("h2")) == len(view().papers)
    assert all(table["role"] == "presentation" for table in outline.all("table"))


@pytest.mark.accept("Q16", part="structure")
def test_links_make_sense_out_of_their_context() -> None:
    outline = Outline(rendered().html)
    named = [link["aria-label"] for link in outline.all("a") if "aria-label" in link]
    assert "Code: Slow Diffusion: Sharp Images…" in named
    assert len(named) == len(set(named))


@pytest.mark.accept("Q15", part="contrast")
def test_text_stands_out_in_light_and_dark() -> None:
    for texts, backs in colours(rendered().html):
        assert len(texts) == 3
        assert len(backs) == 2
        assert min(contrast(text, back) for text, back in product(texts, backs)) >= 4.5


@pytest.mark.accept("F18", part="size")
@pytest.mark.parametrize("count", [1, 12, 30])
def test_a_digest_of_long_papers_stays_below_90_kilobytes(count: int) -> None:
    long = paper(title="A Longer Title " * 30, gist="論文の要旨 " * 400, authors=("名前" * 40,) * 4)
    html = rendered(view([long] * count)).html
    assert len(html.encode()) <= 90_000
    assert html.count("<h2") == count


def test_a_digest_of_fifty_papers_stays_below_the_clip() -> None:
    html = rendered(view([paper(gist="A steady sentence. " * 60)] * 50)).html
    assert len(html.encode()) <= 102_000


@pytest.mark.accept("P4", part="mail")
def test_nothing_is_loaded_from_anywhere() -> None:
    outline = Outline(rendered().html)
    assert not {tag for tag, _ in outline.tags} & {"img", "link", "script", "iframe", "object"}
    assert not re.search(r"url\(|@import|src=|background=", rendered().html)


def test_the_operator_is_named_above_the_list_or_shows_a_logo() -> None:
    words = rendered(view(logo_url="https://papers.example.org/logo.png"))
    logo = '<img src="https://papers.example.org/logo.png" alt="Example Library" width="120"'
    assert logo in words.html
    assert words.html.index(logo) < words.html.index("<h1")
    plain = rendered().html
    assert plain.index(">Example Library</p>") < plain.index("<h1")
    assert "<img" not in rendered(view(logo_url="javascript:alert(1)")).html


@pytest.mark.accept("Q15", part="operator's colour")
def test_an_operators_colour_is_that_of_every_link_and_button() -> None:
    ours = Templates(colour="#7a0019")
    for words in (render_digest(ours, view()), render_notice(ours, notice_view())):
        assert "color: #7a0019" in words.html
        assert COLOUR not in words.html
        assert COLOUR_AT_NIGHT not in words.html


@pytest.mark.accept("Q12")
def test_whatever_a_large_mail_client_lacks_has_a_fallback(real_data: Path) -> None:
    lacking = lacking_features(real_data)
    assert "css-word-break" in lacking
    with_logo = rendered(view(logo_url="https://papers.example.org/logo.png"))
    assert used_features(with_logo.html) & lacking <= set(FALLBACKS)


# --- what never gets in ------------------------------------------------------------------------


@pytest.mark.accept("W7", part="mail")
def test_text_of_a_source_is_never_markup() -> None:
    words = rendered(view([paper(title="<script>x</script> & {{ view }}", gist="<b>no</b>")]))
    assert "<script" not in words.html
    assert "<b>no" not in words.html
    assert "&lt;script&gt;x&lt;/script&gt; &amp; {{ view }}" in words.html
    assert "&lt;b&gt;no&lt;/b&gt;" in words.html
    assert "1. <script>x</script> & {{ view }}" in words.text


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "JAVASCRIPT:alert(1)",
        "data:text/html,x",
        "//example.org/x",
        "https:///x",
        "https://exa mple.org/",
        "https://example.org/\r\nBcc: x",
        'https://example.org/"onmouseover="x',
        "https://[broken/",
        "https://ü.example/",
        "",
    ],
)
def test_a_link_that_is_no_plain_web_address_is_dropped(url: str) -> None:
    assert web_address(url) == ""
    bare = paper(links={"abstract": url, "pdf": url}, page_url=url)
    words = rendered(view([bare], links=replace(links(), feedback="")))
    block = words.html[words.html.index("<h2") : words.html.index('class="foot"')]
    assert "href" not in block
    assert "javascript" not in words.text.lower()


def test_a_web_address_is_kept_and_written_in_ascii() -> None:
    plain = "https://example.org/a?b=c&d=%20#e"
    assert web_address(plain) == plain
    assert web_address("https://example.org/ü") == "https://example.org/%C3%BC"


def test_a_site_is_called_by_its_host() -> None:
    assert site_name("https://papers.example.org/") == "papers.example.org"
    assert site_name("http://127.0.0.1:8000/papers") == "127.0.0.1:8000/papers"


def test_a_template_that_asks_for_an_unknown_value_fails_by_name(tmp_path: Path) -> None:
    (tmp_path / "mail").mkdir()
    (tmp_path / "mail" / "digest.subject.txt").write_text("{{ view.nothing }}")
    with pytest.raises(RenderingFailed, match="nothing"):
        render_digest(Templates(tmp_path), view())


# --- small words -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("names", "shown"),
    [
        ((), ""),
        (("A",), "A"),
        (("A", "B"), "A and B"),
        (("A", "B", "C"), "A, B and C"),
        (("A", "B", "C", "D"), "A, B, C and D"),
        (("A", "B", "C", "D", "E"), "A, B, C and 2 more"),
        (("A", "", "B"), "A and B"),
    ],
)
def test_four_authors_are_named_and_of_more_the_first_three(
    names: tuple[str, ...], shown: str
) -> None:
    assert localized_authors(locale_for(), names) == shown


def test_unknown_votes_are_not_zero_votes() -> None:
    assert localized_counts(locale_for(), paper(votes=None, comments=None)) == ""
    assert localized_counts(locale_for(), paper(votes=0, comments=1)) == "0 votes, 1 comment"
    assert localized_counts(locale_for(), paper(votes=1234, comments=None)) == "1,234 votes"


def test_votes_told_by_the_reason_are_not_told_twice() -> None:
    assert (
        localized_counts(
            locale_for(), paper(votes=1234, comments=2, reason="1,234 votes in 9 hours")
        )
        == "2 comments"
    )
    assert (
        localized_counts(locale_for(), paper(votes=1, comments=0, reason="1 vote, new today")) == ""
    )
    coded = freeze("votes.today", votes=1234, num=9)
    assert (
        localized_counts(locale_for(), paper(votes=1234, comments=2, reason=coded)) == "2 comments"
    )
    assert (
        localized_counts(locale_for(), paper(votes=234, comments=None, reason=coded)) == "234 votes"
    )
    assert (
        localized_counts(locale_for(), paper(votes=4, comments=None, reason="41 votes in 9 hours"))
        == "4 votes"
    )
    rose = paper(votes=82, comments=2, reason="rose since yesterday: 82 votes, 40 new")
    assert localized_counts(locale_for(), rose) == "2 comments"
    assert localized_counts(locale_for(), replace(rose, votes=2)) == "2 votes, 2 comments"
    assert (
        localized_counts(locale_for(), replace(rose, votes=82, reason="1,082 votes"))
        == "82 votes, 2 comments"
    )


def test_links_come_in_a_fixed_order_each_address_once() -> None:
    given = {"code": "https://x.org/c", "pdf": "https://x.org/p", "abstract": "https://x.org/p"}
    assert paper_links(paper(links=given)) == [
        ("Abstract", "https://x.org/p"),
        ("Code", "https://x.org/c"),
    ]


def test_words_are_cut_and_wrapped_whole() -> None:
    assert shortened("one two three", 13) == "one two three"
    assert shortened("one two three", 11) == "one two…"
    assert shortened("x" * 20, 10) == "x" * 9 + "…"
    assert wrapped("a " * 60, "1. ").split("\n")[1].startswith("   a a")
    assert wrapped("", "1. ") == "1. "


@given(
    st.lists(st.text("a", max_size=9), min_size=20, max_size=60),
    st.sampled_from(["", "1. ", "x" * 80]),
)
def test_a_line_takes_each_word_that_fits(every: list[str], first: str) -> None:
    text = " ".join(every)
    begin, *words = every
    lines = [first + begin]
    for word in words:
        if len(lines[-1]) + 1 + len(word) <= 72:
            lines[-1] += f" {word}"
        else:
            lines.append(" " * len(first) + word)
    assert wrapped(text, first).split("\n") == lines


# --- where the templates are -------------------------------------------------------------------


def test_a_missing_file_is_named_with_the_places_that_were_looked_at(tmp_path: Path) -> None:
    (tmp_path / "wheel").mkdir()
    (tmp_path / "clone" / "templates").mkdir(parents=True)
    places = (tmp_path / "wheel", tmp_path / "clone")
    assert data_path("templates", places) == tmp_path / "clone" / "templates"
    with pytest.raises(Misconfigured, match=r"alembic\.ini is missing from .*wheel and .*clone"):
        data_path("alembic.ini", places)
