"""Every kind of feed has all that belongs to one: described settings, a word in the documentation.

A source that is newly registered fails here until it has them.
"""

from pathlib import Path
from urllib.parse import urlsplit

import pytest

from paperround.core.errors import InvalidInput
from paperround.feeds.sources.registry import SOURCES
from tests.feeds.full_feeds import another_value, full_feed

DOCS = Path(__file__).parents[2] / "docs"
EVERY_KIND = pytest.mark.parametrize("kind", SOURCES)


@EVERY_KIND
def test_each_setting_of_a_kind_is_described(kind: str) -> None:
    for name, setting in SOURCES[kind].settings.items():
        assert another_value(setting), name
        assert setting.help.endswith((".", ")", "?")), name
    SOURCES[kind].check(full_feed(kind).url, full_feed(kind).settings)


@EVERY_KIND
def test_a_kind_without_an_address_of_its_own_says_so(kind: str) -> None:
    feed = full_feed(kind)
    try:
        SOURCES[kind].check(None, feed.settings)
    except InvalidInput:
        assert SOURCES[kind].needs_url
    else:
        assert not SOURCES[kind].needs_url


@pytest.mark.accept("F09", part="OPML")
@EVERY_KIND
def test_an_address_for_other_readers_is_one(kind: str) -> None:
    public = SOURCES[kind].public(full_feed(kind))
    for address in filter(None, (public.feed, public.page)):
        assert (urlsplit(address).scheme, bool(urlsplit(address).hostname)) == ("https", True)
        assert address.isascii()
        assert not set(address).intersection(' "<>')


@pytest.mark.parametrize("page", ["feeds.md", "sources.md"])
@EVERY_KIND
def test_a_kind_has_a_row_in_the_documentation(kind: str, page: str) -> None:
    text = (DOCS / page).read_text(encoding="utf-8")
    assert f"| `{kind}` |" in text
    if page == "feeds.md":
        missing = [name for name in SOURCES[kind].settings if f"`{name}" not in text]
        assert not missing
