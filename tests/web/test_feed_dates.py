"""When a feed last changed, for readers that send a date back instead of a tag."""

from dataclasses import replace
from email.utils import parsedate_to_datetime

import pytest

from paperround.digests.publish import freeze_cuts
from paperround.editions.model import Edition
from paperround.papers.store.papers import PaperStore
from tests.builders import paper, write
from tests.web.conftest import Site
from tests.web.feeds import ENDINGS, RFC_822, own_feed
from tests.web.papers import keep


def since(site: Site, path: str) -> str:
    """When a feed last changed, as it says."""
    return str(site.client.get(path).headers["last-modified"])


def status(site: Site, path: str, **headers: str) -> int:
    """How the site answers a reader that sends back what it was told."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return site.client.get(path, headers=named).status_code


@pytest.mark.accept("F39", part="last change", mutant="a-feed-says-no-date")
@pytest.mark.parametrize("ending", ENDINGS)
def test_a_reader_that_sends_back_the_date_of_a_feed_is_told_that_nothing_changed(
    site: Site, edition: Edition, choices_token: str, ending: str
) -> None:
    own = own_feed(site, site.client.get(f"/preferences/{choices_token}").text)
    for path in ("/feeds/trending", "/feeds/search/model", own.removesuffix(".atom")):
        path = f"{path}.{ending}"
        first = site.client.get(path)
        said = first.headers["last-modified"]
        assert RFC_822.fullmatch(said)
        assert parsedate_to_datetime(said) <= site.clock.now()
        again = site.client.get(path, headers={"if-modified-since": said})
        assert (again.status_code, again.content) == (304, b"")
        for name in ("last-modified", "etag", "cache-control"):
            assert again.headers[name] == first.headers[name]
        assert status(site, path, if_modified_since="Mon, 02 Mar 2099 00:00:00 GMT") == 304
        assert status(site, path, if_modified_since="Sun, 02 Mar 2025 00:00:00 GMT") == 200


@pytest.mark.accept("F39", part="last change", mutant="a-date-counts-for-more-than-a-tag")
def test_a_tag_says_more_than_a_date(site: Site, edition: Edition) -> None:
    path = "/feeds/trending.atom"
    said = since(site, path)
    assert status(site, path, if_modified_since=said, if_none_match='"another"') == 200


@pytest.mark.parametrize(
    "date", ["", "yesterday", "Mon, 99 Mar 2026 00:00:00 GMT", "Mon, 02 Mar 99999999999 0:0:0 GMT"]
)
def test_a_date_that_is_none_is_passed_over(site: Site, edition: Edition, date: str) -> None:
    assert status(site, "/feeds/trending.atom", if_modified_since=date) == 200


@pytest.mark.accept("F39", part="last change", mutant="a-changed-paper-changes-no-date")
def test_whatever_changes_a_feed_changes_its_date(site: Site, edition: Edition) -> None:
    listed, found = "/feeds/trending.atom", "/feeds/search/model.atom"

    def next_dates(dates: tuple[str, str]) -> tuple[str, str]:
        """The dates now, once both feeds are told to be new to a reader with the earlier ones."""
        for path, date in zip((listed, found), dates, strict=True):
            assert status(site, path, if_modified_since=date) == 200
        return since(site, listed), since(site, found)

    dates = since(site, listed), since(site, found)
    site.clock.move(hours=1)
    now = site.clock.now()
    paper_id = edition.papers[0].paper_id
    with site.runtime.database.writing() as work:
        known = work[PaperStore].load([paper_id])[paper_id]
        work[PaperStore].save([write(replace(known, withdrawn=True))], now=now)
    dates = next_dates(dates)
    site.clock.move(hours=12)
    now = site.clock.now()
    keep(site, paper(77, title="A late model"), now=now)
    assert freeze_cuts(database=site.runtime.database, ranker=site.runtime.ranker, now=now)
    dates = next_dates(dates)
    site.clock.move(days=3)
    assert status(site, listed, if_modified_since=dates[0]) == 200, "it says since when"
    assert status(site, found, if_modified_since=dates[1]) == 304
