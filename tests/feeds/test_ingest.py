"""Records in, papers out; the same bytes twice change nothing."""

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, timedelta
from itertools import permutations
from pathlib import Path

import pytest
from sqlalchemy import Engine, select

from paperround.core.errors import Conflict
from paperround.db import transactions
from paperround.db.schema import tables as db
from paperround.db.transactions import SqlDatabase, Transaction
from paperround.feeds.ingest import IngestReport, ingest
from paperround.papers.model import Count, LooseCount, Paper, PaperId, ParsedBatch, Record, Reject
from paperround.papers.store.papers import PaperStore
from tests.databases import opened
from tests.sample_database import NOW, record


def run(
    database: SqlDatabase, *records: Record, feed: str = "tests", **batch: object
) -> IngestReport:
    return ingest(
        ParsedBatch(records=records, **batch),  # type: ignore[arg-type]
        database=database,
        feed_name=feed,
        feed_kind="file",
        source="a test",
        captured_at=NOW,
        now=NOW,
    )


def papers_in(database: SqlDatabase, *arxiv: str) -> list[Paper]:
    """The papers with these arXiv ids, or every paper."""
    with database.reading() as work:
        everyone = work.connection.execute(select(db.papers.c.id).order_by(db.papers.c.id))
        named = work[PaperStore].find([("arxiv", one) for one in arxiv]).values()
        ids = list(named) if arxiv else [PaperId(one) for one in everyone.scalars()]
        found = work[PaperStore].load(ids).values()
    return list({paper.id: paper for paper in found}.values())


@pytest.mark.accept("I9")
def test_the_same_records_again_change_nothing(database: SqlDatabase) -> None:
    voted = record(1, counts=(Count(signal="upvotes", value=3),))
    first = run(database, voted, record(2))
    again = run(database, voted, record(2))
    assert (first.new, first.observations) == (2, 1)
    assert (again.unchanged, again.new, again.changed, again.observations) == (2, 0, 0, 0)


def test_votes_that_change_do_not_change_the_paper(database: SqlDatabase) -> None:
    run(database, record(1, counts=(Count(signal="upvotes", value=3),)))
    later = Count(signal="upvotes", value=2, captured_at=NOW + timedelta(hours=1))
    report = run(database, record(1, counts=(later,)))
    assert (report.unchanged, report.changed, report.observations) == (1, 0, 1)


def test_papers_without_any_id_are_known_by_their_title(database: SqlDatabase) -> None:
    run(database, record(1, identifiers={}))
    report = run(database, record(1, identifiers={}), record(2, identifiers={}))
    assert (report.unchanged, report.new, report.papers_total) == (1, 1, 2)


@pytest.mark.accept("F01", part="repair")
def test_texts_are_repaired_on_the_way_in(database: SqlDatabase) -> None:
    run(database, record(1, abstract="It reaches 20,FPS."))
    (paper,) = papers_in(database, "2601.00001")
    assert paper.abstract == "It reaches 20 FPS."


@pytest.mark.accept("I6")
def test_rejects_are_kept_and_counted(database: SqlDatabase) -> None:
    bad = Reject(reason="no-title", detail="entry 2 has no title", position=2)
    report = run(database, record(1), rejects=(bad, replace(bad, position=3)))
    assert report.rejects == {"no-title": 2}
    assert report.new == 1


def test_counts_of_a_paper_nobody_knows_are_rejects(database: SqlDatabase) -> None:
    votes = (Count(signal="upvotes", value=7),)
    known = LooseCount(kind="arxiv", value="2601.00001", counts=votes, position=1)
    stranger = LooseCount(kind="arxiv", value="2601.77777", counts=votes, position=2)
    run(database, record(1))
    report = run(database, loose_counts=(known, stranger))
    assert (report.observations, report.rejects) == (1, {"unknown-paper": 1})


def test_a_later_version_replaces_the_text_and_announces_nothing(database: SqlDatabase) -> None:
    run(database, record(1, version=1))
    report = run(database, record(1, version=2, title="Paper 1, better", fingerprint="v2"))
    assert (report.changed, report.papers_total) == (1, 1)
    (paper,) = papers_in(database, "2601.00001")
    assert (paper.title, paper.counts_from) == ("Paper 1, better", NOW)


# --- any order -------------------------------------------------------------------------------


@contextmanager
def fresh(template: Path, folder: Path) -> Iterator[SqlDatabase]:
    """An empty SQLite database in `folder`, which is gone afterwards."""
    file = folder / "fresh.db"
    shutil.copy(template, file)
    with opened(f"sqlite:///{file}") as engine:
        yield SqlDatabase(engine)
    file.unlink()


@pytest.mark.accept("I9")
def test_a_file_with_two_variants_of_a_paper_changes_nothing_when_read_again(
    database: SqlDatabase,
) -> None:
    variants = (record(1), record(1, abstract="Another text.", fingerprint="another"))
    run(database, *variants)
    assert run(database, *variants).unchanged == 2
    assert papers_in(database)[0].abstract == "Another text."


# --- one work or two -------------------------------------------------------------------------


def claims(database: SqlDatabase) -> list[tuple[str, str]]:
    """Every identifier that a paper claims, as often as one does."""
    found = [pair for paper in papers_in(database) for pair in paper.identifiers.items()]
    return sorted(pair for pair in found if pair[0] != "title_key")


@pytest.mark.parametrize("kinds", [("arxiv", "doi"), ("doi", "arxiv")])
def test_a_record_of_two_papers_belongs_to_the_more_trusted_id(
    database: SqlDatabase, kinds: tuple[str, str]
) -> None:
    ids = {"arxiv": "2601.00001", "doi": "10.1/a"}
    run(database, record(1), record(2, identifiers={"doi": "10.1/a"}))
    both = record(3, identifiers={kind: ids[kind] for kind in kinds}, categories=("cs.LG",))
    for _ in range(2):
        run(database, both)
        assert claims(database) == [("arxiv", "2601.00001"), ("doi", "10.1/a")]
    assert papers_in(database, "2601.00001")[0].categories == ("cs.LG",)


def by_id(database: SqlDatabase) -> dict[PaperId, dict[str, str]]:
    """The identifiers of every paper."""
    return {paper.id: dict(paper.identifiers) for paper in papers_in(database)}


def test_one_file_of_namesakes_does_what_a_file_each_does(
    sqlite_template: Path, tmp_path: Path
) -> None:
    same = {"title": "On things", "authors": ("Ada Ring",), "listed_on": date(2026, 1, 20)}
    journal = record(3, identifiers={"doi": "10.1/a"}, **same)
    three = (record(1, **same), record(2, **same), journal)
    outcomes = []
    for batches in ([three], [(one,) for one in three]):
        with fresh(sqlite_template, tmp_path) as database:
            for batch in batches:
                run(database, *batch)
            outcomes.append(sorted(map(repr, by_id(database).items())))
    assert outcomes[0] == outcomes[1]


@pytest.mark.accept("I9")
def test_generic_titles_do_not_merge_works_with_ids_in_any_order(
    sqlite_template: Path, tmp_path: Path
) -> None:
    ids: tuple[dict[str, str], ...] = ({"arxiv": "2601.00001"}, {"doi": "10.1/a"}, {})
    three = [record(n, title="Editorial", identifiers=one) for n, one in enumerate(ids)]
    for order in permutations(three):
        with fresh(sqlite_template, tmp_path) as database:
            assert run(database, *order).papers_total == 3
            report = run(database, *order)
            assert (report.unchanged, report.papers_total) == (3, 3)


# --- texts as they came ----------------------------------------------------------------------


# --- races and failures ----------------------------------------------------------------------


class LosesRaces(SqlDatabase):
    """A database in which the transactions with these numbers, from 1, lose a race at their end."""

    def __init__(self, engine: Engine, losing: Sequence[int]) -> None:
        super().__init__(engine)
        self.losing = losing
        self.opened = 0

    @contextmanager
    def writing(self) -> Iterator[Transaction]:
        self.opened += 1
        with super().writing() as work:
            yield work
            if self.opened in self.losing:
                raise Conflict


def runs(engine: Engine) -> list[tuple[str, str | None]]:
    """State and error of every run."""
    with engine.connect() as connection:
        found = connection.execute(select(db.runs.c.state, db.runs.c.error).order_by(db.runs.c.id))
        return [(state, error) for state, error in found]


@pytest.mark.postgres
@pytest.mark.accept("D2")
def test_every_transaction_of_an_ingest_survives_a_lost_race(engine: Engine) -> None:
    report = run(LosesRaces(engine, losing=(1, 3, 5)), record(1), record(2))
    assert (report.new, report.unchanged, report.papers_total) == (2, 0, 2)
    assert runs(engine) == [("done", None)]


def test_a_run_that_fails_says_so_and_why(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transactions, "LONGEST_WAIT", 0.0)
    with pytest.raises(Conflict):
        run(LosesRaces(engine, losing=range(2, 2 + transactions.TRIES)), record(1))
    ((state, error),) = runs(engine)
    assert state == "failed"
    assert error == "Conflict: Somebody else changed the same rows first."
