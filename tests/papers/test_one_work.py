"""One paper a work, whatever order its records come in, and however they are split into batches.

What must not depend on the order: which papers there are, their identifiers, the newest version
with its title and its abstract, the numbers of all versions that are known, whether they are
withdrawn, their categories, from when they count and since when they are listed.

What goes to whoever comes first, by design: the text among several of one version, or of several
that say no version; the order of the categories; comment, licence, organization, submitter,
keywords and links; the abstract of a paper whose newest version has none; the count of a signal
that two papers which turn out to be one have of the same instant. In one feed the last of several
texts of one version stands: a feed may correct itself. Ids that contradict each other (two works
that both claim one DOI) are settled by who came first.

A replacement makes no paper. One that came before the announcement is read again when its feed
lists it again; until then the paper is what the announcement said.
"""

import gzip
import json
import shutil
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from hashlib import blake2b
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, select

from paperround.db.schema import tables as db
from paperround.db.transactions import SqlDatabase
from paperround.feeds.formats.registry import decompress, reader_for
from paperround.feeds.ingest import IngestReport, ingest
from paperround.papers.merge import key_of
from paperround.papers.model import Paper, PaperId, ParsedBatch, Record
from paperround.papers.store.papers import PaperStore
from tests.databases import opened
from tests.sample_database import NOW, record

FEEDS = ("arxiv", "journal", "picks")


@contextmanager
def fresh(template: Path) -> Iterator[tuple[SqlDatabase, Engine]]:
    """An empty SQLite database, which is gone afterwards."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / "fresh.db"
        shutil.copy(template, file)
        with opened(f"sqlite:///{file}") as engine:
            yield SqlDatabase(engine), engine


def run(database: SqlDatabase, feed: str, *records: Record, now: datetime = NOW) -> IngestReport:
    return ingest(
        ParsedBatch(records=records),
        database=database,
        feed_name=feed,
        feed_kind="file",
        source="a test",
        captured_at=now,
        now=now,
    )


def papers_in(database: SqlDatabase) -> list[Paper]:
    with database.reading() as work:
        ids = work.connection.execute(select(db.papers.c.id)).scalars()
        found = work[PaperStore].load([PaperId(one) for one in ids])
    return list({paper.id: paper for paper in found.values()}.values())


# --- any order -----------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Sent:
    """A record and the feed it comes from."""

    feed: str
    record: Record


def identifiers_of(work: int) -> dict[str, str]:
    return {
        "arxiv": f"2601.{work:05}",
        "doi": f"10.5555/{work}",
        "biorxiv": f"10.1101/2026.01.{work:02}",
        "pmid": f"{work}00",
    }


@st.composite
def records(draw: st.DrawFn) -> Sent:
    work = draw(st.integers(1, 3))
    version = draw(st.sampled_from([None, 1, 2, 3]))
    kinds = draw(st.sets(st.sampled_from(sorted(identifiers_of(work)))))
    text = f"Work {work} in its version {version or 'of no number'}"
    made = Record(
        title=text,
        abstract=draw(st.sampled_from([f"It is said in {text}.", f"It is said in {text}.", ""])),
        identifiers={kind: identifiers_of(work)[kind] for kind in sorted(kinds)},
        authors=draw(st.sampled_from([("Ada Ring",), ("Ada Ring",), ()])),
        categories=tuple(sorted(draw(st.sets(st.sampled_from(["cs.LG", "stat.ML"]))))),
        published_at=draw(st.sampled_from([datetime(2026, 1, 3, tzinfo=UTC), None])),
        listed_on=draw(st.sampled_from([date(2026, 1, 20), date(2026, 1, 22), None])),
        version=version,
        withdrawn=version is not None and (work + version) % 3 == 0,
        announces=draw(st.sampled_from([True, True, True, False])),
    )
    feed = draw(st.sampled_from(FEEDS))
    return Sent(
        feed=feed,
        record=replace(made, fingerprint=blake2b(repr(made).encode(), digest_size=8).hexdigest()),
    )


@st.composite
def arrivals(draw: st.DrawFn) -> tuple[list[Sent], list[Sent], list[int]]:
    """The records in two orders, and where the second is cut into batches."""
    sent = draw(st.lists(records(), min_size=1, max_size=9))
    return sent, draw(st.permutations(sent)), draw(st.lists(st.integers(1, 4), max_size=6))


def batches(sent: Sequence[Sent], sizes: Sequence[int]) -> Iterator[tuple[str, list[Record]]]:
    """Runs of one feed, no longer than `sizes` say in turn; the rest as long as they are."""
    sizes, run_of = [*sizes], list[Record]()
    for number, one in enumerate(sent):
        run_of.append(one.record)
        size = sizes[0] if sizes else len(sent)
        is_last = number + 1 == len(sent) or sent[number + 1].feed != one.feed
        if is_last or len(run_of) == size:
            yield one.feed, run_of
            run_of, sizes = [], sizes[1:]


def settle(database: SqlDatabase, sent: Sequence[Sent], sizes: Sequence[int]) -> None:
    """Every feed lists its records again until nothing is news: replacements came too early."""
    for _ in range(len(sent) + 1):
        done = [run(database, feed, *some) for feed, some in batches(sent, sizes)]
        if not sum(one.new + one.changed for one in done):
            return
    raise AssertionError("reading the same records again goes on changing papers")


def is_named(one: Record) -> bool:
    return bool(one.authors) and bool(one.published_at or one.listed_on)


def works(sent: Sequence[Sent]) -> list[list[Record]]:
    """The records of each work: those that share an identifier, or a title that names it."""
    groups: list[tuple[set[Any], list[Record]]] = []
    for one in {one.record.fingerprint: one.record for one in sent}.values():
        names: set[Any] = set(one.identifiers.items())
        if is_named(one) or not one.identifiers:
            names.add(key_of(one))
        joined = [group for group in groups if group[0] & names]
        groups = [group for group in groups if not group[0] & names]
        said = [other for _, some in joined for other in some]
        groups.append((names.union(*(group[0] for group in joined)), [*said, one]))
    return [some for _, some in groups if any(one.announces for one in some)]


def expected(some: Sequence[Record]) -> dict[str, Any]:
    """What the paper of these records is."""
    numbers = {one.version for one in some if one.version is not None}
    newest = [one for one in some if one.version == max(numbers, default=None)]
    listed = [one.listed_on for one in some if one.listed_on and one.announces]
    return {
        "identifiers": {pair for one in some for pair in one.identifiers.items()},
        "title": newest[0].title,
        "abstract": newest[0].abstract if all(one.abstract for one in newest) else None,
        "version": max(numbers, default=None),
        "versions": numbers,
        "withdrawn": newest[0].withdrawn,
        "categories": {name for one in some for name in one.categories},
        "listed_on": min(listed, default=None),
        "counts_from": min(
            (datetime(day.year, day.month, day.day, tzinfo=UTC) for day in listed), default=NOW
        ),
    }


def found(database: SqlDatabase, engine: Engine) -> list[dict[str, Any]]:
    """Every paper as `expected` tells of it."""
    kept = defaultdict(set)
    with engine.connect() as connection:
        versions = select(db.paper_versions.c.paper_id, db.paper_versions.c.version)
        for paper, version in connection.execute(versions):
            kept[paper].add(version)
    return [
        {
            "identifiers": own_of(one),
            "title": one.title,
            "abstract": one.abstract,
            "version": one.version,
            "versions": {*kept[one.id], one.version} - {None},
            "withdrawn": one.withdrawn,
            "categories": set(one.categories),
            "listed_on": one.listed_on,
            "counts_from": one.counts_from,
        }
        for one in papers_in(database)
    ]


def own_of(one: Paper) -> set[tuple[str, str]]:
    return {pair for pair in one.identifiers.items() if pair[0] != "title_key"}


def without(papers: list[dict[str, Any]], what: dict[str, Any]) -> list[dict[str, Any]]:
    """The papers without the one that is as expected; an abstract that may be any is None."""
    said = {name: value for name, value in what.items() if (name, value) != ("abstract", None)}
    matching = [place for place, one in enumerate(papers) if said.items() <= one.items()]
    assert matching, f"{what} is not among {papers}"
    return [one for place, one in enumerate(papers) if place != matching[0]]


@pytest.mark.slow
@pytest.mark.accept("F07", part="any order")
@pytest.mark.accept("I9")
@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(arrivals())
def test_the_papers_do_not_depend_on_the_order_of_their_records(
    sqlite_template: Path, arrived: tuple[list[Sent], list[Sent], list[int]]
) -> None:
    one_order, other_order, sizes = arrived
    for sent, cuts in ((one_order, []), (other_order, sizes)):
        wanted = list(map(expected, works(sent)))
        with fresh(sqlite_template) as (database, engine):
            settle(database, sent, cuts)
            papers = found(database, engine)
        for what in sorted(wanted, key=lambda what: what["abstract"] is None):
            papers = without(papers, what)
        assert not papers


# --- what arrives is read again ------------------------------------------------------------------

STRANGE = (
    record(1, version=1, listed_on=date(2026, 1, 20)),
    record(1, version=3, title="Paper 1, third", fingerprint="v3"),
    record(1, version=2, title="Paper 1, second", fingerprint="v2"),
    record(1, version=1, fingerprint="v1 again"),
    record(2, abstract=""),
    record(3, withdrawn=True, listed_on=date(2026, 1, 21)),
    record(4, listed_on=date(9999, 12, 31), published_at=datetime(9999, 12, 31, tzinfo=UTC)),
    record(5, listed_on=date(1, 1, 1), published_at=datetime(1, 1, 1, tzinfo=UTC)),
)


@pytest.mark.accept("I9")
@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])
@given(st.permutations([*STRANGE, STRANGE[0], STRANGE[3]]))
def test_strange_days_and_versions_are_read_again_without_a_change(
    sqlite_template: Path, shuffled: list[Record]
) -> None:
    with fresh(sqlite_template) as (database, _):
        run(database, "arxiv", *shuffled)
        once = papers_in(database)
        again = run(database, "arxiv", *reversed(shuffled))
        assert (again.new, again.changed, papers_in(database)) == (0, 0, once)
        by_id = {paper.identifiers["arxiv"]: paper for paper in once}
    assert by_id["2601.00001"].title == "Paper 1, third"
    far, old = by_id["2601.00004"], by_id["2601.00005"]
    assert (far.counts_from, far.published_at) == (NOW, None)
    assert old.counts_from == datetime(1, 1, 1, tzinfo=UTC)


@pytest.mark.accept("F07", part="replacements")
@pytest.mark.accept("I9")
def test_a_replacement_never_makes_a_paper_count_anew(database: SqlDatabase) -> None:
    for listing in (date(2026, 1, 10), None):
        first = record(1, listed_on=listing, version=1)
        later = record(
            1,
            title="Paper 1, better",
            listed_on=date(2026, 1, 29),
            version=2,
            categories=("stat.ML",),
            announces=False,
            fingerprint="v2",
        )
        run(database, "arxiv", first, now=NOW - timedelta(days=9))
        [before] = papers_in(database)
        run(database, "arxiv", later)
        [after] = papers_in(database)
        assert (after.title, after.categories) == ("Paper 1, better", ("stat.ML",))
        assert (after.counts_from, after.listed_on) == (before.counts_from, before.listed_on)


def replacement(version: int) -> Record:
    return record(
        1, title=f"Version {version}", version=version, announces=False, fingerprint=f"r{version}"
    )


@pytest.mark.accept("F07", part="replacements")
def test_a_replacement_before_its_announcement_counts_when_it_is_read_again(
    database: SqlDatabase,
) -> None:
    announced = record(1, version=1)
    assert run(database, "arxiv", replacement(2)).papers_total == 0
    assert run(database, "arxiv", announced).new == 1
    assert [paper.version for paper in papers_in(database)] == [1]
    assert run(database, "arxiv", replacement(2)).changed == 1
    assert [paper.title for paper in papers_in(database)] == ["Version 2"]


@pytest.mark.accept("F07", part="replacements")
def test_in_one_file_a_replacement_may_stand_before_its_announcement(
    database: SqlDatabase,
) -> None:
    report = run(database, "arxiv", replacement(2), record(1, version=1))
    assert (report.new, report.changed) == (1, 1)
    assert [paper.title for paper in papers_in(database)] == ["Version 2"]


# --- real days -----------------------------------------------------------------------------------


def the_archive(real_data: Path) -> ParsedBatch:
    file = real_data / "arxiv_daily" / "papers.jsonl.gz"
    content = decompress(file.read_bytes())
    _, read = reader_for("papers.jsonl", content)
    return read(content)


@pytest.mark.slow
@pytest.mark.accept("I9", part="real days")
@pytest.mark.accept("F07", part="real days")
def test_three_months_of_arxiv_read_twice_change_nothing_the_second_time(
    real_data: Path, sqlite_template: Path
) -> None:
    batch = the_archive(real_data)
    with fresh(sqlite_template) as (database, _):
        first = run(database, "arxiv", *batch.records)
        again = run(database, "arxiv", *batch.records)
        shuffled = run(database, "arxiv", *reversed(batch.records))
    assert (first.new, first.papers_total) == (19_936, 19_936)
    for report in (again, shuffled):
        assert (report.new, report.changed, report.unchanged) == (0, 0, 19_936)


@pytest.mark.slow
@pytest.mark.accept("I9", part="real days")
def test_the_listings_of_each_day_with_their_repeats_make_each_paper_once(
    real_data: Path, sqlite_template: Path
) -> None:
    """The archives' own days: every paper on each day that lists it, some twice on one day."""
    known = {one.identifiers["arxiv"]: one for one in the_archive(real_data).records}
    with gzip.open(real_data / "arxiv_daily" / "listings.jsonl.gz", "rt") as lines:
        days = sorted((json.loads(line) for line in lines), key=lambda day: day["day"])[-20:]
    ids = {one for day in days for one in day["ids"] if one in known}
    totals = []
    with fresh(sqlite_template) as (database, _):
        for _ in range(2):
            for day in days:
                listed = [
                    replace(known[one], listed_on=date.fromisoformat(day["day"]))
                    for one in day["ids"]
                    if one in known
                ]
                totals.append(run(database, day["archive"], *listed, *listed[:50]))
    assert totals[-1].papers_total == len(ids)
    assert sum(one.new for one in totals) == len(ids)
    assert sum(one.changed for one in totals[len(days) :]) == 0
