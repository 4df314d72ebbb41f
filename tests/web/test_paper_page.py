"""The page of a paper: what comes first, how its rank changed, where it is discussed."""

from dataclasses import replace

import pytest

from paperround.feeds.store.feeds import FeedStore
from paperround.papers.store.papers import PaperStore
from tests.builders import DAY, NOW, observation, paper
from tests.web.conftest import Site
from tests.web.editions import DAYS, freeze
from tests.web.papers import keep


@pytest.mark.accept("F38", part="paper", mutant="a-paper-has-no-labels")
def test_a_paper_begins_with_what_it_is_about(site: Site) -> None:
    words = tuple(f"topic {number}" for number in range(10))
    [id_] = keep(site, paper(1, abstract="We count things anew.", keywords=words))
    freeze(site, (id_,))
    page = site.client.get("/papers/2603.00001").text
    order = ["</h1>", 'rel="author"', 'class="labels"', "/topics/topic%207", ">We count things"]
    order += ['id="place"', 'id="discussion"', "/topics/topic%208"]
    assert [page.index(one) for one in order] == sorted(page.index(one) for one in order)


@pytest.mark.accept("F38", part="rank history", mutant="the-best-rank-is-at-the-bottom")
def test_the_ranks_of_three_days_are_a_chart_that_is_also_told_in_words(site: Site) -> None:
    ids = keep(site, *(paper(number) for number in range(1, 5)))
    for days, order in ((-3, (3, 1, 2, 0)), (-1, (0, 1, 2, 3)), (0, (1, 0, 2, 3))):
        freeze(site, tuple(ids[place] for place in order), day=DAY + days * DAYS)
    page = site.client.get("/papers/2603.00001").text
    assert 'points="28.0,78.0 217.3,10.0 312.0,32.7 "' in page
    told = "From rank 4 on 27 February 2026 to rank 2 on 2 March 2026; the best was rank 1."
    assert f'<figcaption id="ranks-told">{told}</figcaption>' in page
    assert 'role="img" aria-labelledby="ranks-told"' in page
    assert '<a href="/editions/trending/2026-02-27/0#paper-4">' in page


def test_ranks_of_two_days_are_no_chart(site: Site) -> None:
    [id_] = keep(site, paper(1))
    for days in (-1, 0):
        freeze(site, (id_,), day=DAY + days * DAYS)
    page = site.client.get("/papers/2603.00001").text
    assert "Ranking history" in page
    assert 'class="ranks"' not in page


@pytest.mark.accept("F53", part="discussion links", mutant="nobody-learns-of-a-discussion")
def test_a_paper_leads_to_where_it_is_discussed_to_its_code_and_its_project(site: Site) -> None:
    links = {
        "discussion": "https://huggingface.co/papers/2603.00001",
        "code": "https://github.com/ada/things",
        "project": "https://things.example",
    }
    [id_] = keep(site, replace(paper(1, links=links), identifiers={"arxiv": "2603.00001"}))
    page = site.client.get(f"/papers/{id_}").text
    discussion = page.partition('id="discussion"')[2].partition("</section>")[0]
    assert f'<a href="{links["discussion"]}" rel="noopener">Comments</a>' in discussion
    assert "https://www.alphaxiv.org/abs/2603.00001" in discussion
    for kind in ("code", "project"):
        assert f'href="{links[kind]}"' in page
    with site.runtime.database.writing() as work:
        feed = work[FeedStore].get_or_create("hf", "hf", now=NOW)
        work[PaperStore].observe(feed.id, [(id_, observation(12, signal="comments"))])
    assert ">12 comments</a>" in site.client.get(f"/papers/{id_}?again").text
