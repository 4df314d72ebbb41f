"""Hugging Face's names and shapes, as their own client reads them over a real socket."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from paperround.domain.editions import Edition
from paperround.jobs.cuts import freeze_cuts
from paperround.jobs.ingest import ingest
from paperround.sources.formats import reader_for
from tests.builders import HOUR, NOW, paper
from tests.web.conftest import Site
from tests.web.papers import keep
from tests.web.serving import served

DAILY = "/api/daily_papers"


def titles(rows: list[dict[str, Any]]) -> list[str]:
    return [one["title"] for one in rows]


@pytest.fixture
def client(site: Site) -> Iterator[Any]:
    """Their client, asking this site on the loopback interface."""
    hub = pytest.importorskip("huggingface_hub", reason="needs `pip install huggingface_hub`")
    with served(site.app) as (host, port):
        yield hub.HfApi(endpoint=f"http://{host}:{port}", token=False)


@pytest.mark.accept("F40")
def test_their_client_lists_the_papers_of_a_day(client: Any, edition: Edition) -> None:
    found = list(client.list_daily_papers(date="2026-03-02", limit=100, token=False))
    assert {one.title for one in found} == {one.title for one in edition.papers}
    by_title = {one.title: one for one in edition.papers}
    for one in found:
        frozen = by_title[one.title]
        assert one.id == frozen.name
        assert [author.name for author in one.authors or []] == list(frozen.authors)
        assert (one.upvotes or 0) == (frozen.votes or 0)
        assert one.submitted_at == edition.frozen_at
        assert one.published_at is not None
    votes = [one.upvotes or 0 for one in found]
    assert votes == sorted(votes, reverse=True)


@pytest.mark.accept("F40", part="paper")
def test_their_client_reads_one_paper_and_its_text(client: Any, site: Site) -> None:
    keep(site, paper(1, title="Dense retrieval", abstract="Dense passages are found."))
    info = client.paper_info("2603.00001")
    assert (info.id, info.title, info.summary) == (
        "2603.00001",
        "Dense retrieval",
        "Dense passages are found.",
    )
    assert info.source is None
    assert "Dense passages are found." in client.read_paper("2603.00001")


@pytest.mark.accept("F40", part="every field")
def test_their_client_sees_all_that_is_known_here(client: Any, site: Site) -> None:
    """Every field that their client reads and that means something here."""
    row = {
        "id": "2603.00007",
        "title": "Dense retrieval",
        "summary": "Dense passages are found.",
        "authors": ["Ada Ring"],
        "listed_on": "2026-03-02",
        "organization": "Ring Lab",
        "github_repo": "https://github.com/ring/dense",
        "project_page": "https://dense.example",
        "captured_at": (NOW - HOUR).isoformat(),
        "upvotes": 82,
        "comments": 3,
        "github_stars": 120,
    }
    content = json.dumps(row).encode()
    batch = reader_for("papers.jsonl", content, "jsonl")[1](content)
    ingest(
        batch,
        database=site.runtime.database,
        feed_name="file",
        feed_kind="file",
        source="file",
        captured_at=NOW - HOUR,
        now=NOW - HOUR,
    )
    freeze_cuts(database=site.runtime.database, ranker=site.runtime.ranker, now=NOW)
    [daily] = client.list_daily_papers(date="2026-03-02", token=False)
    [found] = client.list_papers(query="retrieval", token=False)
    info = client.paper_info("2603.00007")
    for one in (daily, found, info):
        assert (one.upvotes, one.comments) == (82, 3)
        assert one.organization.fullname == one.organization.name == "Ring Lab"
        assert [author.name for author in one.authors] == ["Ada Ring"]
        assert one.published_at is not None
        assert one.submitted_at is not None
    assert info.github_repo == "https://github.com/ring/dense"
    assert info.github_stars == 120
    assert info.project_page == "https://dense.example"


@pytest.mark.accept("F40", part="stretches")
def test_their_client_asks_for_weeks_months_orders_and_pages(client: Any, edition: Edition) -> None:
    def ids(**asked: Any) -> list[str]:
        return [one.id for one in client.list_daily_papers(token=False, **asked)]

    day = ids(date="2026-03-02", limit=100)
    assert len(day) == len(edition.papers)
    assert sorted(ids(week="2026-W10", limit=100)) == sorted(day)
    assert sorted(ids(month="2026-03", limit=100)) == sorted(day)
    assert ids(sort="trending", limit=100) == [one.name for one in edition.papers]
    assert sorted(ids(sort="publishedAt", limit=100)) == sorted(day)
    assert ids(date="2026-03-02", limit=5, p=1) == day[5:10]
    assert ids(date="2026-03-02", limit=5, p=99) == []


@pytest.mark.accept("F40", part="search")
def test_their_client_searches(client: Any, site: Site) -> None:
    keep(site, paper(1, title="Dense retrieval"), paper(2, title="Other things"))
    found = list(client.list_papers(query="retrieval", limit=5, token=False))
    assert [(one.id, one.title) for one in found] == [("2603.00001", "Dense retrieval")]


@pytest.mark.accept("F40", part="errors")
def test_their_client_is_told_what_is_wrong(client: Any, site: Site) -> None:
    hub = pytest.importorskip("huggingface_hub", reason="needs `pip install huggingface_hub`")
    with pytest.raises(hub.errors.HfHubHTTPError, match=r"404"):
        client.paper_info("2699.99999")
    with pytest.raises(hub.errors.BadRequestError, match="2026-02-30"):
        list(client.list_daily_papers(date="2026-02-30", token=False))


@pytest.mark.parametrize(
    "query",
    [
        "date=2026-02-30",
        "date=today",
        "week=2026-W54",
        "week=2025-W53",
        "week=2026-10",
        "month=2026-13",
        "month=2026-3",
        "submitter=ada",
    ],
)
def test_a_wrong_day_is_a_problem_and_no_empty_list(site: Site, query: str) -> None:
    answer = site.client.get(f"{DAILY}?{query}")
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["errors"][0]["field"] == query.partition("=")[0]


def test_their_file_format_is_read_again_by_our_own_reader(site: Site, edition: Edition) -> None:
    content = site.client.get(f"{DAILY}?date=2026-03-02&limit=100").content
    batch = reader_for("daily.json", content, "hf")[1](content)
    arxiv = [one for one in edition.papers if "arxiv" in one.identifiers]
    assert len(batch.records) >= len(arxiv)
    assert not [one for one in batch.rejects if one.reason != "bad-id"]
