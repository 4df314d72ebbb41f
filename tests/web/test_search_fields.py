"""The fields of the search page, which say what the language of searches says."""

import re

import pytest

from tests.builders import NOW, paper
from tests.web.conftest import Site
from tests.web.editions import DAYS, link
from tests.web.papers import keep


@pytest.mark.accept("F16", part="filters")
@pytest.mark.parametrize(
    ("fields", "found"),
    [
        ({"category": "cs.LG"}, [1, 2]),
        ({"category": "math"}, [3]),
        ({"author": "Ada Ring"}, [1, 3]),
        ({"author": "Ring", "category": "math.CO"}, [3]),
        ({"after": "2026-03-01"}, [1, 3]),
        ({"before": "2026-03-01"}, [2]),
        ({"feed": "none"}, []),
        ({"q": "things category:cs.LG", "category": "math"}, [3]),
        ({"q": "things category:cs.LG", "after": "2026-03-01"}, [1]),
    ],
)
def test_a_search_is_narrowed_down_by_fields(
    site: Site, fields: dict[str, str], found: list[int]
) -> None:
    keep(
        site,
        paper(1),
        paper(2, authors=("Bo Stone",), counts_from=NOW - 9 * DAYS),
        paper(3, categories=("math.CO",)),
    )
    page = site.client.get("/search", params={"q": "things", **fields}).text
    shown = {int(one) for one in re.findall(r'href="/papers/2603.0*(\d+)">', page)}
    assert shown == set(found)


def test_filters_stay_in_their_fields_and_in_the_links(site: Site) -> None:
    keep(site, *(paper(n) for n in range(1, 30)))
    page = site.client.get("/search?q=things&category=cs.LG&after=2026-01-01").text
    assert (
        'name="q" type="search" maxlength="2000" placeholder="dense retrieval" value="things"'
        in page
    )
    assert 'id="category" name="category" maxlength="60"' in page
    assert 'value="cs.LG"' in page
    assert 'value="2026-01-01"' in page
    assert link(page, "next") == ("/search?q=things%20category%3Acs.LG%20after%3A2026-01-01&page=2")


def test_a_category_alone_shows_its_newest_papers(site: Site) -> None:
    keep(site, paper(1, counts_from=NOW - DAYS), paper(2), paper(3, categories=("math.CO",)))
    page = site.client.get("/search?q=category:cs.LG").text
    assert re.findall(r'<h3 dir="auto"><a href="/papers/2603.0*(\d)"', page) == ["2", "1"]
