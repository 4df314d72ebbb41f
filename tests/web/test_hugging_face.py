"""Hugging Face's names and shapes, as their own client reads them over a real socket."""

import gzip
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from paperround.digests.publish import freeze_cuts
from paperround.editions.model import Edition
from paperround.feeds.formats.registry import reader_for
from paperround.feeds.ingest import ingest
from paperround.papers.identifiers import page_name
from paperround.papers.model import Paper, ParsedBatch
from paperround.papers.store.papers import PaperStore
from tests.builders import HOUR, NOW, paper
from tests.web.conftest import Site
from tests.web.papers import keep
from tests.web.serving import served

DAILY = "/api/daily_papers"


DAY = "2026-03-02"


def listed_on(site: Site, day: str) -> dict[str, Paper]:
    """Every paper that was listed on a day, by its name."""
    with site.runtime.database.reading() as work:
        papers = work[PaperStore].newest(before=None, limit=500)
    return {
        page_name(one.identifiers, one.id): one
        for one in papers
        if str(one.counts_from.date()) == day
    }


def read(site: Site, batch: ParsedBatch, now: datetime) -> None:
    """Ingest a file and freeze the edition that is due."""
    ingest(
        batch,
        database=site.runtime.database,
        feed_name="file",
        feed_kind="file",
        source="file",
        captured_at=now,
        now=now,
    )
    freeze_cuts(database=site.runtime.database, ranker=site.runtime.ranker, now=site.clock.now())


@pytest.fixture
def client(site: Site) -> Iterator[Any]:
    """Their client, asking this site on the loopback interface."""
    hub = pytest.importorskip("huggingface_hub", reason="needs `pip install huggingface_hub`")
    with served(site.app) as (host, port):
        yield hub.HfApi(endpoint=f"http://{host}:{port}", token=False)


@pytest.mark.accept("F40", part="the day", mutant="a-day-holds-what-its-editions-hold")
def test_their_client_lists_the_papers_that_were_listed_on_a_day(
    client: Any, site: Site, edition: Edition
) -> None:
    found = list(client.list_daily_papers(date=DAY, limit=100, token=False))
    known = listed_on(site, DAY)
    assert sorted(one.id for one in found) == sorted(known)
    assert known.keys() != {one.name for one in edition.papers}
    for one in found:
        paper = known[one.id]
        assert one.title == paper.title
        assert [author.name for author in one.authors or []] == list(paper.authors)
        assert one.submitted_at == paper.counts_from
        assert one.published_at is not None
    votes = [one.upvotes or 0 for one in found]
    assert votes == sorted(votes, reverse=True)
    assert votes[0] > 0


@pytest.mark.accept("F40", part="the day", mutant="a-paper-alone-came-when-it-was-published")
def test_a_paper_is_the_same_in_a_day_in_a_search_and_alone(site: Site, edition: Edition) -> None:
    day = site.client.get(f"{DAILY}?date={DAY}&limit=100").json()
    for row in day:
        paper = row["paper"]
        assert site.client.get(f"/api/papers/{paper['id']}").json() == paper
        assert row["publishedAt"] == paper["submittedOnDailyAt"]
        assert paper["submittedOnDailyAt"].startswith(DAY)
    [first, *_] = day
    found = site.client.get("/api/papers/search", params={"q": first["title"], "limit": 120}).json()
    assert first["paper"] in [one["paper"] for one in found]


@pytest.mark.slow
@pytest.mark.accept("F40", part="real days")
def test_real_days_come_back_as_they_were_listed(site: Site, real_data: Path) -> None:
    """A week as Hugging Face listed it, whose editions hold papers of earlier days as well."""
    days = [f"2026-01-{number}" for number in range(26, 31)]
    with gzip.open(real_data / "hf_daily_papers" / "papers.jsonl.gz", "rt") as lines:
        rows = [row for row in map(json.loads, lines) if row["listed_on"] in days]
    assert len(rows) > 100
    site.clock.moment = datetime(2026, 1, 31, 12, tzinfo=UTC)
    content = "\n".join(map(json.dumps, rows)).encode()
    read(site, reader_for("papers.jsonl", content, "jsonl")[1](content), site.clock.now())
    for day in days:
        pages = [
            site.client.get(f"{DAILY}?date={day}&limit=20&p={number}").json() for number in range(5)
        ]
        found = [one["paper"] for page in pages for one in page]
        assert pages[-1] == []
        assert sorted(one["id"] for one in found) == sorted(
            row["id"] for row in rows if row["listed_on"] == day
        )
        assert {one["submittedOnDailyAt"][:10] for one in found} == {day}
    week = [
        one["paper"]["id"]
        for number in range(10)
        for one in site.client.get(f"{DAILY}?week=2026-W05&limit=100&p={number}").json()
    ]
    assert sorted(week) == sorted(row["id"] for row in rows)


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
    read(site, batch, NOW - HOUR)
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
def test_their_client_asks_for_weeks_months_orders_and_pages(
    client: Any, site: Site, edition: Edition
) -> None:
    def ids(**asked: Any) -> list[str]:
        return [one.id for one in client.list_daily_papers(token=False, **asked)]

    day = ids(date=DAY, limit=100)
    month = [*day, *listed_on(site, "2026-03-01")]
    assert sorted(day) == sorted(listed_on(site, DAY))
    assert ids(week="2026-W10", limit=100) == day
    assert sorted(ids(month="2026-03", limit=100)) == sorted(month)
    assert ids(date=DAY, limit=5, p=1) == day[5:10]
    assert ids(date=DAY, limit=5, p=99) == []
    ranked = [one.name for one in edition.papers]
    assert ids(sort="trending", limit=100) == ranked
    of_day = ids(sort="trending", date=DAY, limit=100)
    assert sorted(of_day) == sorted(day)
    assert [one for one in of_day if one in ranked] == [one for one in ranked if one in day]
    newest = ids(sort="publishedAt", limit=100)
    assert set(newest[: len(day)]) == set(day)


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
    arxiv = [one for one in listed_on(site, DAY).values() if "arxiv" in one.identifiers]
    assert len(batch.records) >= len(arxiv)
    assert not [one for one in batch.rejects if one.reason != "bad-id"]
