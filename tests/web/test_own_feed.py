"""A reader's own feed: nobody else's, with no address in it, and good for nothing but reading."""

import re

import pytest

from tests.web.conftest import Site

POWERFUL = ("unsubscribe", "preferences", "feedback", "confirm", "address")


def feed_token(site: Site, choices_token: str) -> str:
    page = site.client.get(f"/preferences/{choices_token}").text
    found: list[str] = re.findall(r"/feeds/me/([\w-]{40})\.atom", page)
    return found[0]


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
