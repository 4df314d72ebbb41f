"""The sources there are, and their files."""

import json
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from paperround.domain.feeds import FetchRequest, Page
from paperround.sources.formats import READERS, reader_for
from paperround.sources.live import SOURCES
from tests.sources.arxiv_samples import NOW, answer, entry, item, page, rss, state


@dataclass
class Recorder:
    """A client that answers everything with one body."""

    body: bytes
    asked: list[FetchRequest] = field(default_factory=list)

    def get(self, request: FetchRequest) -> Page:
        self.asked.append(request)
        return page(request, self.body)


@pytest.mark.parametrize(
    "kind",
    [
        "hf-daily",
        "arxiv",
        "arxiv-oai",
        "biorxiv",
        "openalex",
        "crossref",
        "semantic-scholar",
        "pubmed",
        "feed",
    ],
)
def test_a_source_is_found_by_its_kind(kind: str) -> None:
    source = SOURCES[kind]
    assert source.kind == kind
    assert source.interval.total_seconds() >= 1800
    assert all(line.endswith(".") for line in source.settings.values())


def test_a_source_asks_its_client_for_what_it_planned() -> None:
    client = Recorder(b"[]")
    source = SOURCES["hf-daily"]
    request = source.plan(state(), NOW)
    assert source.parse(source.fetch(client, request)).records == ()
    assert client.asked == [request]


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


@pytest.mark.accept("F06", part="arxiv files")
def test_recorded_answers_are_known_by_their_head(real_data: Path) -> None:
    folder = real_data / "raw_responses"
    (feed,) = (folder / "arxiv_rss").glob("*.xml")
    assert reader_for("feed.xml", feed.read_bytes())[0] == "arxiv-rss"
    for path in (folder / "arxiv_api").glob("*.json"):
        body = json.loads(path.read_text())["body"].encode()
        assert reader_for("answer.xml", body)[0] == "arxiv-atom"
