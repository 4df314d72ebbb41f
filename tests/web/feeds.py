"""The feeds of the site, as a reader asks for them."""

import re

from tests.web.conftest import Site

ENDINGS = ("atom", "rss", "json")
RFC_822 = re.compile(r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT")


def fetched(site: Site, path: str) -> bytes:
    answer = site.client.get(path)
    assert answer.status_code == 200, answer.text
    return answer.content


def own_feed(site: Site, page: str) -> str:
    """The address of the Atom feed that a preferences page shows."""
    found = re.search(r'href="(/feeds/me/[^"]+\.atom)"', page)
    assert found is not None
    return found[1]
