"""A reader's own feed: nobody else's, with no address in it, and good for nothing but reading."""

import re

import pytest

from paperround.domain.editions import Edition
from tests.web.conftest import Site

ENDINGS = ("atom", "rss", "json")
POWERFUL = ("unsubscribe", "preferences", "feedback", "confirm", "address")


def feed_token(site: Site, choices_token: str) -> str:
    page = site.client.get(f"/preferences/{choices_token}").text
    found: list[str] = re.findall(r"/feeds/me/([\w-]{40})\.atom", page)
    return found[0]


@pytest.mark.accept("F39", part="personal")
@pytest.mark.parametrize("ending", ENDINGS)
def test_ones_own_feed_holds_papers_and_no_address(
    site: Site, choices_token: str, edition: Edition, ending: str
) -> None:
    token = feed_token(site, choices_token)
    answer = site.client.get(f"/feeds/me/{token}.{ending}")
    assert edition.papers[0].title in answer.text
    assert "alice" not in answer.text.casefold()
    assert answer.headers["x-robots-tag"] == "noindex"
    assert "private" in answer.headers["cache-control"]


@pytest.mark.accept("F39", part="reads only")
def test_the_token_of_a_feed_does_nothing_but_read(site: Site, choices_token: str) -> None:
    token = feed_token(site, choices_token)
    before = site.dump()
    for page in POWERFUL:
        site.client.get(f"/{page}/{token}")
        for action in ("save", "leave", "export", "erase-now", "link", "move"):
            answer = site.client.post(f"/{page}/{token}", data={"action": action, "paper": "1",
                                                               "verdict": "more"})  # fmt: skip
            assert "alice" not in answer.text
    assert site.dump() == before


@pytest.mark.accept("F39", part="revoked")
@pytest.mark.parametrize("ending", ENDINGS)
def test_a_renewed_feed_ends_the_old_address_at_once(
    site: Site, choices_token: str, ending: str
) -> None:
    old = feed_token(site, choices_token)
    page = site.client.post(f"/preferences/{choices_token}", data={"action": "new-feed"}).text
    assert "Your feed has a new address." in page
    new = feed_token(site, choices_token)
    assert new != old
    assert site.client.get(f"/feeds/me/{old}.{ending}").status_code == 404
    assert site.client.get(f"/feeds/me/{new}.{ending}").status_code == 200
