"""One bad record costs one record, whatever brings it: every format, every live source.

The first half breaks the hundredth of 200 records in the way its format breaks most. The second
puts hostile values into every field of a record, one at a time, and stores what comes of it: a
value that a reader lets through and a database refuses would take its 199 neighbours with it.
"""

import copy
import html
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from paperround.db.transactions import SqlDatabase
from paperround.feeds.formats.registry import READERS, reader_for
from paperround.feeds.ingest import IngestReport, ingest
from paperround.feeds.model import FeedHealth, NewFeed
from paperround.feeds.sources.registry import SOURCES
from paperround.feeds.store.feeds import FeedStore
from paperround.http.model import FetchRequest
from paperround.papers.model import FeedId, ParsedBatch, Reject
from paperround.papers.store.papers import PaperStore
from tests.digests.two_hundred import GOOD, SAMPLES, Piece, Sample
from tests.feeds.feed_context import Reply, Room
from tests.plugins.pubmed_samples import found
from tests.sample_database import NOW

FEED = "tests"
LIVE: dict[str, tuple[str, NewFeed]] = {
    "hf-daily": ("hf", NewFeed(name=FEED, kind="hf-daily", settings={"days": "0"})),
    "arxiv": ("arxiv-rss", NewFeed(name=FEED, kind="arxiv", settings={"categories": "cs.AI"})),
    "arxiv-oai": ("arxiv-oai", NewFeed(name=FEED, kind="arxiv-oai", settings={"sets": "cs"})),
    "biorxiv": ("biorxiv", NewFeed(name=FEED, kind="biorxiv")),
    "openalex": (
        "openalex",
        NewFeed(name=FEED, kind="openalex", settings={"filter": "primary_topic.field.id:17"}),
    ),
    "crossref": (
        "crossref",
        NewFeed(name=FEED, kind="crossref", settings={"filter": "issn:1476-4687"}),
    ),
    "semantic-scholar": (
        "semantic-scholar",
        NewFeed(name=FEED, kind="semantic-scholar", settings={"query": "asthma"}),
    ),
    "pubmed": ("pubmed", NewFeed(name=FEED, kind="pubmed", settings={"query": "asthma"})),
    "feed": ("rss", NewFeed(name=FEED, kind="feed", url="https://journal.example/rss")),
}
"""(the format it answers in, a feed of it), by the kind of the source."""


def stored(database: SqlDatabase, batch: ParsedBatch) -> IngestReport:
    return ingest(
        batch,
        database=database,
        feed_name=FEED,
        feed_kind="file",
        source="a test",
        captured_at=NOW,
        now=NOW,
    )


def quarantined(database: SqlDatabase) -> list[Reject]:
    """What the feed could not use, as its operator is shown it."""
    with database.reading() as work:
        feed: FeedId = work[FeedStore].get_or_create(FEED, "file", now=NOW).id
        return [
            Reject(reason=one.reason, detail=one.detail, position=1, excerpt=one.excerpt)
            for one in work[FeedStore].rejects(feed, before=None, limit=1000)
        ]


def papers_in(database: SqlDatabase) -> int:
    with database.reading() as work:
        return work[PaperStore].count()


# --- one broken record -------------------------------------------------------------------------


@pytest.mark.accept("I6", part="every reader")
def test_every_reader_has_its_two_hundred_records() -> None:
    assert set(SAMPLES) == set(READERS)


@pytest.mark.accept("I6", part="every source")
def test_every_source_has_its_two_hundred_records() -> None:
    assert set(LIVE) == set(SOURCES)


@pytest.mark.accept("I6")
@pytest.mark.parametrize("file_format", READERS)
def test_a_file_with_one_bad_record_among_200_gives_199(
    file_format: str, database: SqlDatabase
) -> None:
    content = SAMPLES[file_format].file()
    if file_format == "observations":  # counts are of papers that are there already
        stored(database, READERS["jsonl"](SAMPLES["jsonl"].file([])))
    _, read = reader_for("papers", content, file_format)
    report = stored(database, read(content))
    counted = report.observations if file_format == "observations" else report.new
    assert (counted, papers_in(database)) == (GOOD, GOOD)
    assert report.rejects == {SAMPLES[file_format].reason: 1}
    (kept,) = quarantined(database)
    assert kept.reason == SAMPLES[file_format].reason
    assert kept.detail


@pytest.mark.accept("I6")
@pytest.mark.parametrize("kind", SOURCES)
def test_a_poll_that_meets_one_bad_record_among_200_gives_199(
    kind: str, database: SqlDatabase
) -> None:
    file_format, feed = LIVE[kind]
    sample = SAMPLES[file_format]
    answers = iter([sample.file(), *[sample.joined([])] * 30])

    def answer(request: FetchRequest) -> Reply:
        return Reply(found("200") if "esearch" in request.url else next(answers))

    room = Room(database)
    number = room.add(feed)
    room.answers["//"] = answer
    (report,) = room.poll()
    assert (report.new, report.error, papers_in(database)) == (GOOD, None, GOOD)
    assert report.rejects == {sample.reason: 1}
    with database.reading() as work:
        (kept,) = work[FeedStore].rejects(number, before=None, limit=9)
    assert (kept.reason, bool(kept.detail)) == (sample.reason, True)
    assert report.health is not FeedHealth.FAILED


@pytest.mark.accept("I6", part="wild feeds")
def test_a_record_that_is_no_xml_costs_a_feed_no_paper_at_all(database: SqlDatabase) -> None:
    crossed = "<item><title>Tides & <b>moons</title><link>https://journal.example/x</link></item>"
    report = stored(database, READERS["rss"](SAMPLES["rss"].file([crossed])))
    assert (report.new, report.rejects) == (GOOD + 1, {})


# --- every value in every field ----------------------------------------------------------------

SURROGATES = re.compile("[\ud800-\udfff]")
HOSTILE: tuple[object, ...] = (
    None, True, -1, 0, 2**31, 2**63, 10**30, 1e308, 1.5, "", " ", "\0", "a\0b", "\ud800",
    "\udcff b",
    "\u202e\u2066\x1b[31m\x85", "x" * 100_000, "9" * 5_000, "0000-00-00", "9999-12-31T23:59:59Z",
    "0001-01-01T00:00:00+14:00", "99999-01-01", "2026-13-45", "http://[::1", "javascript:x",
    "=?utf-8?q?a=0D=0Ab?=", [], {}, [None], [[]], [{}], ["\0"], ["\ud800"], [[["x"]]],
    {"\0": "\0"}, {"name": None}, {"name": ["x"]}, [10**30], ["x" * 100_000],
)  # fmt: skip


def paths(value: object, at: tuple[object, ...] = ()) -> Iterator[tuple[object, ...]]:
    """Where every value in a record stands, the record itself included."""
    yield at
    inner = value.items() if isinstance(value, dict) else ()
    for key, one in inner or (enumerate(value) if isinstance(value, list) else ()):
        yield from paths(one, (*at, key))


def with_value(record: Any, at: tuple[object, ...], value: object) -> Any:
    """The record with `value` at this place."""
    if not at:
        return value
    changed = copy.deepcopy(record)
    inner = changed
    for key in at[:-1]:
        inner = inner[key]
    inner[at[-1]] = value
    return changed


def broken_records(good: Any, seed: int) -> Iterator[Piece]:
    """Records like `good`, each with one hostile value; `seed` thins them out."""
    for place, at in enumerate(paths(good)):
        for turn, value in enumerate(HOSTILE):
            if (place + turn) % 4 == seed:
                yield with_value(good, at, value)


JSON_FORMATS = [name for name, sample in SAMPLES.items() if isinstance(sample.good(1), dict)]


@pytest.mark.accept("I6", part="any value")
@pytest.mark.parametrize("file_format", JSON_FORMATS)
def test_no_value_in_any_field_costs_more_than_its_record(
    file_format: str, database: SqlDatabase, long_form: bool
) -> None:
    sample = SAMPLES[file_format]
    if file_format == "observations":
        stored(database, READERS["jsonl"](SAMPLES["jsonl"].file([])))
    for seed in range(4) if long_form else (hash_of(file_format),):
        broken = list(broken_records(sample.good(9999), seed))
        batch = READERS[file_format](sample.file(one_line_each(sample, broken)))
        report = stored(database, batch)
        assert report.records == len(batch.records)
        assert len(batch.records) + len(batch.loose_counts) + len(batch.rejects) >= GOOD
        assert papers_in(database) >= GOOD
        for kept in quarantined(database):
            assert kept.reason
            assert kept.detail


PLACES = {
    **dict.fromkeys(("arxiv-rss", "arxiv-atom", "pubmed", "arxiv-oai", "rss"), re.compile(
        r"""(?<=>)[^<>]+(?=<)|(?<=")[^"<>]+(?=")|(?<=')[^'<>]+(?=')"""
    )),
    "page": re.compile(r".+"),
    "csv": re.compile(r"[^,\n]+"),
    "bibtex": re.compile(r"(?<=\{)[^{}]+(?=\})"),
    "ris": re.compile(r"(?<=  - ).+"),
}  # fmt: skip
"""Where the values stand in a record that is written as text."""


def broken_texts(file_format: str, good: str, seed: int) -> Iterator[Piece]:
    """Records like `good`, each with one hostile text, escaped where that is the custom."""
    is_xml = good.startswith("<")
    texts = [one for one in HOSTILE if isinstance(one, str) and not SURROGATES.search(one)]
    numbers = [str(one) for one in HOSTILE if isinstance(one, int | float)]
    for place, match in enumerate(PLACES[file_format].finditer(good)):
        for turn, text in enumerate((*texts, *numbers, "&", "]]>", "<b>x", "a,b", "x\ny")):
            if (place + turn) % 4 == seed:
                put = html.escape(text) if is_xml else text
                yield good[: match.start()] + put + good[match.end() :]


def test_every_format_of_text_has_its_places() -> None:
    assert set(PLACES) == set(SAMPLES) - set(JSON_FORMATS)


@pytest.mark.accept("I6", part="any value")
@pytest.mark.parametrize("file_format", PLACES)
def test_no_text_in_any_place_costs_more_than_its_record(
    file_format: str, database: SqlDatabase, long_form: bool
) -> None:
    sample = SAMPLES[file_format]
    for seed in range(4) if long_form else (hash_of(file_format),):
        broken = list(broken_texts(file_format, sample.good(9999), seed))
        assert broken
        batch = READERS[file_format](sample.file(broken))
        stored(database, batch)
        assert papers_in(database) >= GOOD
        for kept in quarantined(database):
            assert kept.reason
            assert kept.detail


def hash_of(name: str) -> int:
    """Which quarter of the values a format gets in the short form."""
    return sum(name.encode()) % 4


def one_line_each(sample: Sample, broken: list[Piece]) -> list[Piece]:
    """As pieces; a hostile text is written as JSON where pieces are lines."""
    is_lines = b"\n" in sample.joined([{}, {}]).strip()
    return [json.dumps(one) for one in broken] if is_lines else broken
