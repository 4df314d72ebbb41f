"""The public site: from day to day, from paper to paper, and what it says to programs."""

import re
from dataclasses import replace
from datetime import date, timedelta

import pytest
from sqlalchemy import update

from paperround.db.schema import tables as db
from paperround.editions.model import Edition
from paperround.editions.store.editions import EditionStore
from paperround.editions.store.lists import ListStore
from paperround.feeds.model import FeedHealth, NewFeed
from paperround.feeds.store.feeds import FeedStore
from paperround.papers.model import Reject, Show
from paperround.papers.store.papers import PaperStore
from tests.builders import DAY, HOUR, NOW, new_edition, observation, paper, write
from tests.web.conftest import PUBLIC_URL, Site
from tests.web.editions import DAYS, freeze, link
from tests.web.papers import XSS, html, keep

WEEK, MONTH = timedelta(days=7), timedelta(days=30)


def titles(page: str) -> list[str]:
    return re.findall(r'<h3 dir="auto"><a href="[^"]+">([^<]+)</a>', page)


# --- trending ------------------------------------------------------------------------------------


@pytest.mark.accept("F38", part="day, week, month")
def test_a_period_shows_each_paper_once_by_its_best_score(site: Site) -> None:
    one, two, three = keep(site, paper(1), paper(2), paper(3))
    freeze(site, (one, two), day=DAY - 2 * DAYS, best=9)
    freeze(site, (three, one), day=DAY)
    day = site.client.get("/trending").text
    week = site.client.get("/trending?period=week").text
    assert "<h1>Trending on Monday 2 March 2026</h1>" in day
    assert len(titles(day)) == 2
    assert "<h1>Trending in the last seven days</h1>" in week
    assert sorted(re.findall(r'"(/editions/[^"]+#[^"]+)"', week)) == [
        "/editions/trending/2026-02-28/0#paper-1",
        "/editions/trending/2026-02-28/0#paper-2",
        "/editions/trending/2026-03-02/0#paper-1",
    ]
    assert "Rank 1 on 28 Feb" in week
    assert "Rank 1" not in day


@pytest.mark.accept("F38", part="previous and next")
@pytest.mark.parametrize(
    ("period", "names"),
    [
        ("day", ["2026-03-02", "2026-02-20", "2026-01-05"]),
        ("week", ["2026-W10", "2026-W08", "2026-W02"]),
        ("month", ["2026-03", "2026-02", "2026-01"]),
    ],
)
def test_periods_lead_to_the_next_that_have_papers(
    site: Site, period: str, names: list[str]
) -> None:
    [id_] = keep(site, paper(1))
    for day in (DAY, date(2026, 2, 20), date(2026, 1, 5)):
        freeze(site, (id_,), day=day)
    at = f"/trending?period={period}"
    last = site.client.get(at).text
    before = names[2] if period == "month" else names[1]  # thirty days reach to February
    assert link(last, "prev") == f"{at}&date={before}"
    assert link(last, "next") == ""
    for earlier, name in zip([*names[1:], ""], names, strict=True):
        page = site.client.get(f"{at}&date={name}").text
        assert link(page, "prev") == (f"{at}&date={earlier}" if earlier else "")
    for name, later in zip(names[1:], names, strict=False):
        assert link(site.client.get(f"{at}&date={name}").text, "next") == f"{at}&date={later}"


@pytest.mark.accept("F38", part="previous and next")
def test_a_week_leads_to_the_day_and_the_month_it_begins_in(site: Site) -> None:
    week = site.client.get("/trending?period=week&date=2026-W08").text
    for period, name in (("day", "2026-02-16"), ("week", "2026-W08"), ("month", "2026-02")):
        assert f'href="/trending?period={period}&amp;date={name}"' in week
    last = site.client.get("/trending?period=week").text
    assert 'href="/trending?period=month"' in last


def test_a_date_names_the_week_it_is_in(site: Site) -> None:
    by_week = site.client.get("/trending?period=week&date=2026-W10").text
    assert "Trending in the week from 2 March 2026 to 8 March 2026" in by_week
    by_day = site.client.get("/trending?period=week&date=2026-03-04").text
    assert by_day.replace("2026-03-04", "2026-W10") == by_week


@pytest.mark.parametrize(
    "query", ["period=year", "date=x", "period=week&date=2026-W99", "period=month&date=2026-13"]
)
def test_a_period_that_is_none_is_refused_with_the_way_out(site: Site, query: str) -> None:
    answer = site.client.get(f"/trending?{query}")
    assert answer.status_code == 422
    assert re.search("(write|use) ", answer.text)


def test_many_papers_of_a_month_come_page_by_page(site: Site) -> None:
    ids = keep(site, *(paper(n) for n in range(1, 60)))
    freeze(site, ids)
    first = site.client.get("/trending?period=month").text
    assert first.count("<article>") == 40
    second = site.client.get("/trending?period=month&page=2").text
    assert second.count("<article>") == 19
    assert '<li value="41">' in second
    assert "No more papers." in site.client.get("/trending?period=month&page=3").text
    assert not set(titles(first)) & set(titles(second))


@pytest.mark.accept("F38", part="empty days explained")
def test_a_period_without_papers_says_why_day_by_day(site: Site) -> None:
    freeze(site, (), day=DAY, quiet="feed-failed")
    freeze(site, (), day=DAY - DAYS, quiet="holiday")
    page = site.client.get("/trending?period=week&date=2026-03-02").text
    assert "A source could not be read. We keep trying." in page
    before = site.client.get("/trending?period=day&date=2026-03-01").text
    assert "a weekend or a holiday" in before
    nothing = site.client.get("/trending?period=day&date=2025-03-01").text
    assert "There are no editions in this period." in nothing
    assert 'href="/sources"' in nothing


# --- editions ------------------------------------------------------------------------------------


@pytest.mark.accept("F38", part="editions")
def test_the_archive_goes_by_month_and_tells_the_empty_days(site: Site) -> None:
    [id_] = keep(site, paper(1))
    freeze(site, (id_,), day=date(2026, 1, 10))
    freeze(site, (id_,), cut="0")
    freeze(site, (id_,), cut="2")
    freeze(site, (), day=DAY + DAYS, quiet="feed-stale")
    page = site.client.get("/editions").text
    assert "Editions of Trending papers, March 2026" in page
    assert '<a href="/editions/trending/2026-03-02/0">08:00</a>' in page
    assert '<a href="/editions/trending/2026-03-02/2">10:00</a>' in page
    assert "announced less than they usually do" in page
    earlier = link(page, "prev")
    assert earlier == "/editions?list=trending&month=2026-01"
    assert link(site.client.get(earlier).text, "next") == "/editions?list=trending&month=2026-03"
    assert "There are no editions in May 2025" in site.client.get("/editions?month=2025-05").text


@pytest.mark.accept("F38", part="previous and next")
def test_an_edition_leads_to_its_other_cuts_and_to_the_days_beside_it(site: Site) -> None:
    [id_] = keep(site, paper(1))
    for days, cut in ((-3, "0"), (0, "0"), (0, "2"), (5, "0")):
        freeze(site, (id_,), day=DAY + days * DAYS, cut=cut)
    page = site.client.get("/editions/trending/2026-03-02").text
    assert link(page, "prev") == "/editions/trending/2026-02-27"
    assert link(page, "next") == "/editions/trending/2026-03-07"
    assert '<a href="/editions/trending/2026-03-02/0">08:00</a>' in page
    assert '<a href="/editions/trending/2026-03-02/2" aria-current="page">10:00</a>' in page


@pytest.mark.accept("F38", part="editions", mutant="cuts-are-told-as-they-are-today")
@pytest.mark.parametrize("path", ["/editions", "/editions/trending/2026-03-02/0"])
def test_an_edition_keeps_its_hour_when_the_list_gets_other_cuts(site: Site, path: str) -> None:
    [id_] = keep(site, paper(1))
    for cut, hours in (("0", 0), ("2", 2), ("0-1300", 5), ("manual", 3)):
        freeze(site, (id_,), cut=cut, hours=hours)
    with site.runtime.database.writing() as work:
        work.connection.execute(update(db.lists).values(cuts=["13:00"]))
    page = site.client.get(path).text
    told = dict(re.findall(r'<a href="/editions/trending/2026-03-02/([^".]+)"[^>]*>([^<]+)<', page))
    assert told == {"0": "08:00", "2": "10:00", "manual": "by hand", "0-1300": "13:00"}


def test_the_first_page_shows_the_first_ones_and_leads_to_the_rest(site: Site) -> None:
    ids = keep(site, *(paper(n) for n in range(1, 36)))
    freeze(site, ids)
    page = site.client.get("/").text
    assert page.count("<article>") == 12
    rest = '<a href="/editions/trending/2026-03-02/0#more">23 more papers in this edition</a>'
    assert rest in page
    edition = site.client.get("/editions/trending/2026-03-02/0").text
    assert '<h2 class="section" id="more">23 more papers</h2>' in edition
    assert re.findall(r'<li value="(\d+)"', edition) == [*map(str, range(1, 36))]


@pytest.mark.accept("F38", part="previous and next")
def test_the_first_page_leads_to_the_day_before(site: Site) -> None:
    [id_] = keep(site, paper(1))
    freeze(site, (id_,))
    assert not link(site.client.get("/").text, "prev")
    freeze(site, (id_,), day=DAY - 3 * DAYS)
    assert link(site.client.get("/").text, "prev") == "/editions/trending/2026-02-27/0"


# --- a paper -------------------------------------------------------------------------------------


@pytest.mark.accept("F12", part="page of a paper")
@pytest.mark.accept("F38", part="paper")
def test_a_paper_says_in_words_and_numbers_why_it_is_there(site: Site) -> None:
    [id_] = keep(site, paper(1))
    freeze(site, (id_,), day=DAY - DAYS)
    freeze(site, (id_,))
    with site.runtime.database.writing() as work:
        feed = work[FeedStore].get_or_create("hf", "hf", now=NOW)
        for hours, votes in ((48, 1), (24, 3), (0, 41)):
            counted = observation(votes, at=NOW - hours * HOUR)
            work[PaperStore].observe(feed.id, [(id_, counted)])
        work[PaperStore].observe(feed.id, [(id_, observation(12, signal="github_stars"))])
    page = site.client.get("/papers/2603.00001").text
    assert "Upvoted by many today" in page
    assert "From 1 vote on Sat 28 Feb 08:00 to 41 votes on Mon 2 Mar 08:00 (UTC)." in page
    assert "38 votes came in the last day." in page
    assert '<polyline points="3,' in page
    assert 'aria-labelledby="votes-told"' in page
    assert "12 stars on GitHub on 2 March 2026" in page
    assert "Ranking history" in page
    assert '<a href="/editions/trending/2026-03-01/0#paper-1">Sunday 1 March 2026</a>' in page


@pytest.mark.parametrize(("counted", "is_news"), [(41, False), (42, True)])
def test_one_count_of_a_paper_is_told_once_with_its_comments(
    site: Site, counted: int, is_news: bool
) -> None:
    [id_] = keep(site, paper(1))
    with site.runtime.database.writing() as work:
        made = new_edition(work[ListStore].get("trending"), (id_,), day=DAY, cut="0")
        shown = replace(made.papers[0], votes=41, comments=2, reason="41 votes in 3 hours")
        work[EditionStore].freeze(replace(made, papers=(shown,)))
        feed = work[FeedStore].get_or_create("hf", "hf", now=NOW)
        work[PaperStore].observe(feed.id, [(id_, observation(counted))])
    page = site.client.get("/papers/2603.00001").text
    assert "41 votes in 3 hours" in page
    assert "2 comments" in page
    assert (f"{counted} votes on" in page) == is_news


@pytest.mark.accept("F38", part="paper")
def test_a_paper_can_be_cited_and_followed_up(site: Site) -> None:
    shown = paper(1, keywords=("graph theory",), version=2)
    [id_] = keep(site, replace(shown, identifiers={"arxiv": "2603.00001"}))
    with site.runtime.database.writing() as work:
        old = work[PaperStore].load([id_])[id_]
        new = replace(old, title="A better title", version=3)
        work[PaperStore].save([write(new, text_changed=True)], now=NOW)
    page = site.client.get("/papers/2603.00001").text
    assert "@misc{ring2026better," in page
    for ending in ("bib", "ris", "md", "jsonld"):
        assert f'href="/papers/2603.00001.{ending}"' in page
    assert 'href="/authors/Ada%20Ring"' in page
    assert 'href="/topics/graph%20theory"' in page
    assert 'href="/search?q=category%3Acs.LG"' in page
    assert '<a href="https://arxiv.org/abs/2603.00001v2" rel="noopener">Version 2</a>' in page
    assert "A study of 1 things" in page
    assert "https://www.alphaxiv.org/abs/2603.00001" in page


@pytest.mark.accept("F51", part="citation box")
@pytest.mark.parametrize(("show", "is_there"), [(Show.FULL, 1), (Show.GIST, 0), (Show.LINK, 0)])
def test_no_part_of_a_page_tells_more_than_its_source_lets_us(
    site: Site, show: Show, is_there: int
) -> None:
    secret = "Then more of it follows than anybody may show."
    abstract = f"{'Much is known of how things are counted. ' * 20}We count anew. {secret}"
    [id_] = keep(site, paper(1, abstract=abstract, show=show))
    page = site.client.get(f"/papers/{id_}").text
    assert (secret in page) == bool(is_there)
    assert ("us to show" in page) != bool(is_there)


@pytest.mark.accept("F38", part="citation metadata")
def test_a_paper_tells_programs_who_wrote_it(site: Site) -> None:
    keep(site, replace(paper(1), links={}, identifiers={"arxiv": "2603.00001"}))
    page = site.client.get("/papers/2603.00001").text
    for name, content in (
        ("citation_title", "A study of 1 things"),
        ("citation_author", "Bo Stone"),
        ("citation_publication_date", "2026/03/02"),
        ("citation_arxiv_id", "2603.00001"),
        ("citation_pdf_url", "https://arxiv.org/pdf/2603.00001"),
        ("citation_abstract_html_url", f"{PUBLIC_URL}/papers/2603.00001"),
    ):
        assert f'<meta name="{name}" content="{content}">' in page
    assert 'itemtype="https://schema.org/ScholarlyArticle"' in page
    assert 'type="application/ld+json"' in page


def test_thousands_of_authors_do_not_fill_a_page(site: Site) -> None:
    names = tuple(f"Author {n}" for n in range(3000))
    keep(site, paper(1, authors=names))
    page = site.client.get("/papers/2603.00001").text
    assert page.count('rel="author"') == 30
    assert "2,970 more authors" in page
    assert "Author 2999" in page


# --- every page ----------------------------------------------------------------------------------

PUBLIC = {
    "/": "/",
    "/trending?period=week&date=2026-03-04": "/trending?period=week&date=2026-W10",
    "/editions": "/editions?list=trending&month=2026-03",
    "/calendar": "/calendar?list=trending&year=2026",
    "/editions/trending/2026-03-02": "/editions/trending/2026-03-02/0",
    "/papers/{id}": "/papers/2603.00001",
    "/topics/counting": "/topics/counting",
    "/authors/Ring,%20Ada": "/authors/Ada%20Ring",
    "/sources": "/sources",
    "/ranking": "/ranking",
    "/api": "/api",
    "/privacy": "/privacy",
}


@pytest.mark.parametrize("path", [*PUBLIC, "/subscribe", "/search", "/nowhere", "/unsubscribe/x"])
def test_a_page_leads_to_the_form_once_unless_it_has_it_or_is_a_readers(
    site: Site, path: str
) -> None:
    [id_] = keep(site, paper(1))
    freeze(site, (id_,))
    page = site.client.get(path.format(id=id_)).text
    elsewhere = path not in ("/", "/subscribe", "/unsubscribe/x")
    assert page.count('href="/#box-title">Subscribe</a>') == elsewhere
    assert 'id="box-title"' in site.client.get("/").text


@pytest.mark.accept("F38", part="social metadata")
@pytest.mark.parametrize("path", PUBLIC)
def test_every_page_has_one_name_one_address_and_one_heading(site: Site, path: str) -> None:
    [id_] = keep(site, paper(1))
    freeze(site, (id_,))
    page = site.client.get(path.format(id=id_)).text
    canonical = f'<link rel="canonical" href="{html(PUBLIC_URL + PUBLIC[path])}">'
    assert canonical in page
    assert f'property="og:url" content="{html(PUBLIC_URL + PUBLIC[path])}"' in page
    assert page.count('<meta name="description"') == 1
    assert len(re.findall("<h1", page)) == 1
    assert len(re.findall("<main", page)) == 1
    assert '<a class="skip" href="#main">' in page
    assert '<html lang="en" dir="ltr">' in page


@pytest.mark.accept("W7", part="pages")
@pytest.mark.parametrize("text", XSS)
def test_nothing_a_paper_says_is_more_than_text_on_any_page(site: Site, text: str) -> None:
    odd = paper(1, title=text, authors=(text,), keywords=(text,), categories=(text,))
    [id_] = keep(site, replace(odd, comment=text, organization=text))
    freeze(site, (id_,))
    for path in ("/trending", f"/papers/{id_}", "/authors/x", f"/topics/{text.replace('/', '')}"):
        page = site.client.get(path).text
        own = re.sub(r'<script src="/static/[^"]+" defer></script>', "", page)
        assert "<script" not in own, path
        assert "<img" not in own
        assert 'href="javascript' not in own
        assert str(71 * 8111) not in own


# --- topics and authors --------------------------------------------------------------------------


@pytest.mark.accept("F38", part="topics and authors")
@pytest.mark.parametrize(
    ("path", "feed"),
    [
        ("/topics/dense%20things", "/feeds/topics/dense%20things"),
        ("/authors/Ring,%20Ada", "/feeds/authors/Ada%20Ring"),
    ],
)
def test_what_can_be_followed_has_a_page_with_its_feed(site: Site, path: str, feed: str) -> None:
    new, old, _ = keep(
        site,
        paper(1, title="Dense things"),
        paper(2, title="More dense things", counts_from=NOW - 3 * DAYS),
        paper(3, title="Things, dense", authors=("Bo Stone",)),
    )
    page = site.client.get(path).text
    found = re.findall(r'<h3 dir="auto"><a href="([^"]+)"', page)
    assert found == ["/papers/2603.00001", "/papers/2603.00002"]
    assert f'href="{feed}.atom"' in page
    assert site.client.get(f"{feed}.atom").text.count("<entry>") == 2
    assert 'name="search" value="' in page
    assert new != old


def test_a_topic_nobody_wrote_of_says_so_and_is_not_indexed(site: Site) -> None:
    page = site.client.get("/topics/nothing%20at%20all").text
    assert "No papers contain this exact phrase." in page
    assert '<meta name="robots" content="noindex">' in page
    assert "by an author of this name" in site.client.get("/authors/nobody").text
    assert site.client.get("/topics/%3F%3F").status_code == 422


def test_many_papers_of_an_author_come_page_by_page(site: Site) -> None:
    keep(site, *(paper(n) for n in range(1, 46)))
    pages = [site.client.get(f"/authors/Ada%20Ring?page={n}").text for n in (1, 2, 3)]
    assert [len(titles(re.sub("</?mark>", "", page))) for page in pages] == [20, 20, 5]
    assert link(pages[0], "next") == "/authors/Ada%20Ring?page=2"
    assert link(pages[2], "next") == ""


# --- sources -------------------------------------------------------------------------------------


@pytest.mark.accept("F38", part="sources")
def test_a_source_that_failed_never_looks_like_an_empty_day(site: Site) -> None:
    with site.runtime.database.writing() as work:
        well = work[FeedStore].create(
            NewFeed(name="a-well-one", kind="rss", url="https://x.example/key"), now=NOW
        )
        ill = work[FeedStore].create(
            NewFeed(name="ill", kind="rss", url="https://y.example/"), now=NOW
        )
        good = NOW - 30 * HOUR
        work[FeedStore].record_health(well.id, FeedHealth.FRESH, "fine", failures=0, good_at=NOW)
        work[FeedStore].record_health(
            ill.id, FeedHealth.FAILED, "401 of secret.example", failures=4, good_at=good
        )
        run = work[FeedStore].start_run(well.id, source="x", now=NOW - HOUR)
        work[FeedStore].keep_rejects(run, [Reject(reason="a", detail="b", position=1)], now=NOW)
    page = site.client.get("/sources").text
    assert page.index("<h2>ill</h2>") < page.index("<h2>a-well-one</h2>")
    assert "It cannot be read at the moment. We keep trying." in page
    assert "Sun 1 Mar 02:00 (UTC)" in page
    assert "1, kept for the operator" in page
    assert "secret.example" not in page
    assert "x.example" not in page


def test_without_sources_the_page_says_so(site: Site) -> None:
    assert "There are no sources yet." in site.client.get("/sources").text


def test_papers_that_were_read_by_hand_are_told_too(site: Site, edition: Edition) -> None:
    page = site.client.get("/sources").text
    assert "Its papers were imported from a file." in page


@pytest.mark.accept("F38", part="social metadata")
@pytest.mark.parametrize("path", ["/", "/subscribe", "/editions", "/trending", "/ranking"])
def test_a_page_that_is_shared_names_a_picture_of_ours(site: Site, path: str) -> None:
    page = site.client.get(path).text
    said = dict(
        re.findall(r'<meta (?:property|name)="((?:og|twitter):[^"]*)" content="([^"]*)"', page)
    )
    assert said["twitter:card"] == "summary_large_image"
    assert said["og:image"].startswith("https://papers.example/static/card.png?v=")
    assert said["og:image:alt"]
    picture = site.client.get(said["og:image"])
    assert picture.headers["content-type"] == said["og:image:type"] == "image/png"
    size = [int.from_bytes(picture.content[at : at + 4], "big") for at in (16, 20)]
    assert size == [int(said["og:image:width"]), int(said["og:image:height"])] == [1200, 630]
    assert len(picture.content) < 100_000
