"""The sources there are, and their files."""

import pytest

from paperround.feeds.formats.registry import READERS, reader_for
from tests.feeds.arxiv_samples import answer, entry, item, rss


@pytest.mark.accept("F06", part="arxiv files")
@pytest.mark.parametrize(
    ("content", "found"),
    [
        (rss(item()), "arxiv-rss"),
        (b"\xef\xbb\xbf" + rss(), "arxiv-rss"),
        (answer(entry()), "arxiv-atom"),
    ],
)
def test_a_feed_of_arxiv_is_known_by_its_head(content: bytes, found: str) -> None:
    for name in ("day.xml", "day", "day.jsonl"):
        assert reader_for(name, content) == (found, READERS[found])
    assert len(READERS[found](content).records) <= 1
