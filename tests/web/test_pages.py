"""The public pages: what they show, and that nothing a paper says is more than text."""

import re
from dataclasses import replace
from decimal import Decimal

import pytest

from paperround.digests.publish import draft
from paperround.digests.publish import freeze as freeze_edition
from paperround.editions.model import Edition
from paperround.editions.sections import order_for_all
from paperround.editions.store.editions import EditionStore
from paperround.editions.store.lists import ListStore
from paperround.papers.model import Show
from paperround.papers.store.papers import PaperStore
from paperround.ranking.rank import rank_list
from tests.builders import NOW, new_edition, paper, write
from tests.fakes import NewestFirst
from tests.web.conftest import Site
from tests.web.papers import XSS, html, keep

SIZE = 12
"""Papers of a digest."""
ACTIVE = re.compile(
    r"<(?:script|img|svg|iframe)\b(?! src=\"/static)|\bon\w+=['\"a]|href=.?javascript"
)


def freeze(site: Site, *, reason: str | None = None, quiet: str | None = None) -> None:
    """An edition without papers."""
    with site.runtime.database.writing() as work:
        empty = new_edition(work[ListStore].get("trending"))
        work[EditionStore].freeze(replace(empty, empty_reason=reason, quiet_reason=quiet))


@pytest.mark.accept("F27", part="wordings")
def test_the_first_page_has_the_form_in_both_wordings(site: Site) -> None:
    page = site.client.get("/").text
    assert "Get trending papers in your email inbox once a day!" in page
    assert "Get trending papers in your email inbox!" in page
    assert re.search(r'<input id="email" name="email" type="email" required', page)
    assert "<button>Subscribe</button>" in page


def test_the_first_page_shows_each_paper_with_why_it_is_there(site: Site, edition: Edition) -> None:
    page = site.client.get("/").text
    first = edition.papers[0]
    assert page.count("<article>") == SIZE
    assert page.count(html(first.title)) == 2  # in the contents too
    assert f"<strong>{first.votes} votes</strong>" in page
    assert page.count(">Why this rank?</a>") == SIZE


@pytest.mark.accept("Q9", part="page")
def test_the_parts_add_up_as_they_are_shown(site: Site, edition: Edition) -> None:
    scores = []
    for path in re.findall(r'href="(/papers/[^"]+/rank[^"]*)"', site.client.get("/").text):
        page = site.client.get(path).text.replace("−", "-")
        *parts, score = map(Decimal, re.findall("<td>(.*?)</td>", page))
        assert sum(parts) == score
        scores.append(score)
    shown = (edition.papers[at] for at in order_for_all(edition.papers[:SIZE], edition.as_of))
    assert scores == [Decimal(f"{one.score:.4f}") for one in shown]


@pytest.mark.accept("F20", part="page")
@pytest.mark.parametrize(
    ("reason", "quiet", "words"),
    [
        ("no-new-papers", None, "No new papers were listed"),
        ("no-papers-at-all", None, "No papers have been read yet"),
        ("no-new-papers", "holiday", "a weekend or a holiday"),
        ("no-new-papers", "feed-stale", "announced less than they usually do"),
        ("no-new-papers", "feed-failed", "could not be read"),
    ],
)
def test_a_day_without_papers_says_why(
    site: Site, reason: str, quiet: str | None, words: str
) -> None:
    freeze(site, reason=reason, quiet=quiet)
    assert words in site.client.get("/").text


def test_an_empty_day_shows_the_last_papers_there_were(site: Site, edition: Edition) -> None:
    with site.runtime.database.writing() as work:
        empty = new_edition(work[ListStore].get("trending"), cut="9")
        work[EditionStore].freeze(replace(empty, empty_reason="no-new-papers", cut_at=NOW))
    page = site.client.get("/").text
    assert "No new papers were listed" in page
    assert "Latest papers: Monday 2 March 2026" in page


def test_a_fresh_installation_says_that_there_is_no_edition_yet(site: Site) -> None:
    assert "The first edition has not been made yet." in site.client.get("/").text


def test_a_paper_is_found_by_id_and_by_any_spelling_of_its_arxiv_id(site: Site) -> None:
    old = paper(2, identifiers={"arxiv": "quant-ph/0201082"}, title="An old one")
    [new_id, _] = keep(site, paper(1), old)
    for name in (str(new_id), "2603.00001", "2603.00001v3"):
        assert "A study of 1 things" in site.client.get(f"/papers/{name}").text
    assert "An old one" in site.client.get("/papers/quant-ph/0201082").text


@pytest.mark.accept("F24", part="two sentences on the page")
def test_an_abstract_that_nobody_gave_is_not_said_to_be_held_back(site: Site) -> None:
    [none, held] = keep(site, paper(1, abstract=""), paper(2, show=Show.LINK))
    pages = [site.client.get(f"/papers/{one}").text for one in (none, held)]
    assert ["No source provides an abstract." in page for page in pages] == [True, False]
    assert ["does not allow us to show the abstract" in page for page in pages] == [False, True]


def test_a_long_abstract_is_also_told_in_short(site: Site) -> None:
    news = "We propose a way to count by doing it twice. It is 12% better than our baselines."
    filler = "Much is known about how things have been counted. "
    pages: list[str] = []
    for copies, show in ((2, Show.FULL), (12, Show.FULL), (12, Show.GIST), (12, Show.LINK)):
        shown = paper(len(pages) + 1, abstract=filler * copies + news, show=show)
        [id_] = keep(site, shown)
        pages.append(site.client.get(f"/papers/{id_}").text)
    assert [page.count("In short") for page in pages] == [0, 1, 1, 0]
    assert f'<p class="short" dir="auto">{news}</p>' in pages[1]
    assert news not in pages[2]


def test_an_edition_is_reached_by_day_and_by_cut(site: Site, edition: Edition) -> None:
    by_day = site.client.get("/editions/trending/2026-03-02").text
    assert site.client.get(f"/editions/trending/2026-03-02/{edition.cut}").text == by_day
    assert "/editions/trending/2026-03-02" in site.client.get("/editions").text


@pytest.mark.accept("W7", part="pages")
@pytest.mark.parametrize("text", XSS)
def test_nothing_a_paper_says_is_more_than_text(site: Site, text: str) -> None:
    odd = paper(1, title=text, abstract=text, authors=(text,), comment=text, keywords=(text,))
    [id_] = keep(site, replace(odd, links={"code": "javascript:alert(1)", "abstract": text}))
    with site.runtime.database.reading() as work:
        mailing_list = work[ListStore].get("trending")
    made = new_edition(mailing_list, (id_,))
    shown = replace(made.papers[0], title=text, authors=(text,), gist=text, reason=text)
    with site.runtime.database.writing() as work:
        work[EditionStore].freeze(replace(made, papers=(shown,), sources=(text,)))
    for path in ("/", "/editions", "/editions/trending/2026-03-02", f"/papers/{id_}"):
        page = site.client.get(path).text
        own = re.sub(r'<script src="/static/[^"]+" defer></script>', "", page)
        assert not ACTIVE.search(own.replace(html(text), "")), path
        assert str(71 * 8111) not in own


@pytest.mark.accept("F12", part="withdrawn")
@pytest.mark.parametrize("path", ["/", "/editions/trending/2026-03-02"])
def test_an_edition_says_which_of_its_papers_was_withdrawn_since(site: Site, path: str) -> None:
    ids = keep(site, paper(1), paper(2))
    with site.runtime.database.writing() as work:
        work[EditionStore].freeze(new_edition(work[ListStore].get("trending"), ids))
    assert "was withdrawn" not in site.client.get(path).text
    with site.runtime.database.writing() as work:
        gone = work[PaperStore].load([ids[1]])[ids[1]]
        work[PaperStore].save([write(replace(gone, withdrawn=True))], now=NOW)
    page = site.client.get(path).text
    assert page.count("This paper was withdrawn.") == 1
    assert page.index(gone.title) < page.index("was withdrawn")


def test_crawlers_are_kept_from_personal_pages(site: Site) -> None:
    lines = site.client.get("/robots.txt").text.splitlines()
    assert {"Disallow: /unsubscribe/", "Disallow: /preferences/"} <= set(lines)


@pytest.mark.accept("F27", part="snippet")
def test_the_snippet_names_the_public_address(site: Site) -> None:
    page = site.client.get("/snippet").text
    assert "action=&#34;https://papers.example/subscribe" in page or (
        'action="https://papers.example/subscribe"' in page
    )


FIRST = "We count how often things are counted in many places."
BETWEEN = f"{FIRST} " * 8
REST = f"Then more of it follows{' and follows' * 40}."
"""Longer than any gist."""
THANKS = "Thank you to arXiv for use of its open access interoperability."


@pytest.mark.accept("F51", part="pages")
@pytest.mark.parametrize(
    ("show", "first", "rest"),
    [(Show.FULL, True, True), (Show.GIST, True, False), (Show.LINK, False, False)],
)
def test_no_public_page_shows_more_of_a_paper_than_its_feed_allows(
    site: Site, show: Show, first: bool, rest: bool
) -> None:
    [id_] = keep(
        site, paper(1, abstract=f"{FIRST} {BETWEEN} {REST}", licence="CC-BY-4.0", show=show)
    )
    freeze_ranked(site)
    days = ("/", "/editions", "/editions/trending/2026-03-02")
    pages = {path: site.client.get(path).text for path in (*days, f"/papers/{id_}")}
    assert [REST in page for page in pages.values()] == [False, False, False, rest]
    assert [FIRST in page for page in pages.values()] == [first, False, first, first]
    assert "CC-BY-4.0" in pages[f"/papers/{id_}"]


def freeze_ranked(site: Site) -> None:
    """The edition of what there is."""
    database = site.runtime.database
    ranked = rank_list(
        database=database, ranker=NewestFirst(), list_name="trending", day=NOW.date(), now=NOW
    )
    freeze_edition(database, draft(ranked, "manual", NOW))


@pytest.mark.accept("F51", part="pages")
@pytest.mark.parametrize("identifiers", [{"arxiv": "2603.00001"}, {"doi": "10.5555/a"}])
def test_pages_that_show_papers_of_arxiv_thank_it(site: Site, identifiers: dict[str, str]) -> None:
    [id_] = keep(site, paper(1, identifiers=identifiers))
    freeze_ranked(site)
    for path in ("/", "/editions/trending/2026-03-02", f"/papers/{id_}"):
        assert (THANKS in site.client.get(path).text) == ("arxiv" in identifiers), path
