"""What is planned for when planning is measured."""

from pathlib import Path

import pytest

from benchmarks import __main__ as bench
from benchmarks.ingest import fresh_database
from benchmarks.invented import papers, subscribe
from benchmarks.table import Measured
from paperround.domain.subscribers import SubscriptionId


def test_readers_with_tastes_named_topics_that_some_of_the_papers_have() -> None:
    texts = [f"{row['title']} {row['summary']}".lower().split() for row in papers(60)]
    with fresh_database() as database:
        subscribe(40, database, tastes=True)
        with database.reading() as work:
            trending = work.lists.get("trending")
            readers = work.subscribers.subscriptions_after(
                trending.id, SubscriptionId(0), limit=100
            )
    assert len({one.preferences.topics for one in readers}) == len(readers) == 40
    found = [
        any(topic in words for topic in one.preferences.topics)
        for one in readers
        for words in texts
    ]
    assert 0 < sum(found) < len(found)


def test_a_long_form_runs_only_when_it_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    ran: list[str] = []

    def told(name: str) -> list[Measured]:
        ran.append(name)
        return []

    monkeypatch.setattr(bench, "BENCHMARKS", {"B1": [lambda: told("short")]})
    monkeypatch.setattr(bench, "LONG", {"B1-long": [lambda: told("long")]})
    monkeypatch.setattr(bench, "RESULTS", tmp_path / "results.json")
    assert bench.main([]) == 0
    assert ran == ["short"]
    assert bench.main(["B1-long"]) == 0
    assert ran == ["short", "long"]
    assert bench.main(["B2"]) == 2
    assert "B1, B1-long" in capsys.readouterr().out
