"""arXiv's OAI-PMH, read by itself: what changed in some sets, page after page.

Deleted records are written after the protocol and arXiv's description of it.
"""

from contextlib import suppress
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperround.core.errors import FetchFailed, InvalidInput
from paperround.papers.model import ParsedBatch, Record
from paperround.plugins.arxiv_oai import ArxivOai
from tests.feeds.arxiv_samples import NOW, page, state
from tests.feeds.cursors import stopped
from tests.plugins.arxiv_oai_samples import FULL, error, listed, oai, record

SOURCE = ArxivOai()
CS = {"sets": "cs"}
FIRST = stopped(SOURCE, CS)
LATER = stopped(SOURCE, CS, page=3, token="tok")


def parsed(body: bytes, cursor: str | None = None, status: int = 200) -> ParsedBatch:
    request = SOURCE.plan(state(cursor, sets="cs,physics:hep-th" if not cursor else "cs"), NOW)
    return SOURCE.parse(page(request, body, status))


def only(metadata: str) -> Record:
    (found,) = parsed(listed(record(metadata))).records
    return found


@pytest.mark.accept("F03", part="OAI-PMH")
def test_a_poll_asks_for_the_last_days_of_each_set_and_follows_tokens_to_the_end() -> None:
    answers = iter([
        listed(record(), token="<resumptionToken>a|b 1</resumptionToken>"),
        listed(record(), token="<resumptionToken/>"),
        error("noRecordsMatch"),
    ])  # fmt: skip
    cursor: str | None = None
    queries, first = [], True
    while first or cursor:
        request = SOURCE.plan(state(cursor, sets="cs,physics:hep-th"), NOW)
        assert (request.limiter, request.interval_seconds) == ("arxiv", 3.0)
        assert request.url.startswith("https://oaipmh.arxiv.org/oai?")
        queries.append({k: v[0] for k, v in parse_qs(urlsplit(request.url).query).items()})
        cursor, first = SOURCE.parse(page(request, next(answers))).next, False
    begun = {"verb": "ListRecords", "metadataPrefix": "arXiv", "from": "2026-01-21"}
    assert queries == [
        {**begun, "set": "cs"},
        {"verb": "ListRecords", "resumptionToken": "a|b 1"},
        {**begun, "set": "physics:hep-th"},
    ]


def test_an_expired_token_begins_its_set_anew_and_another_one_goes_on() -> None:
    token = '<resumptionToken expirationDate="2026-01-28T13:00:00Z">t</resumptionToken>'
    cursor = parsed(listed(record(), token=token), FIRST).next
    assert cursor == stopped(SOURCE, CS, page=1, expires=NOW + timedelta(hours=1), token="t")
    assert SOURCE.plan(state(cursor, sets="cs"), NOW).cursor == cursor
    later = datetime(2026, 1, 29, tzinfo=UTC)
    assert SOURCE.plan(state(cursor, sets="cs"), later).cursor == FIRST


@pytest.mark.accept("F03", part="OAI-PMH")
def test_a_token_that_is_not_taken_is_a_failure() -> None:
    said = error("badResumptionToken", "gone")
    for cursor in (LATER, FIRST):
        with pytest.raises(FetchFailed, match="badResumptionToken: gone"):
            parsed(said, cursor)


def test_a_list_that_does_not_end_is_a_failure() -> None:
    same = listed(record(), token="<resumptionToken>tok</resumptionToken>")
    with pytest.raises(FetchFailed, match="the list of cs does not end"):
        parsed(same, LATER)


@pytest.mark.accept("F03", part="OAI-PMH")
@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        (error("badArgument", "no such set"), 200, "badArgument: no such set"),
        (error("cannotDisseminateFormat"), 200, "cannotDisseminateFormat: no reason given"),
        (error("noRecordsMatch") + b"", 503, "answered 503"),
        (oai('<error code="noRecordsMatch"/><error code="badVerb"/>'), 200, "badVerb"),
        (oai("<Identify/>"), 200, "neither records nor an error"),
        (listed(), 200, "list of records is empty"),
        (listed(record(), token=f"<resumptionToken>{'x' * 1001}</resumptionToken>"), 200, "token"),
        (b"<html>busy</html>", 200, "not an OAI-PMH response"),
        (b"", 200, "cannot be read"),
    ],
)
def test_an_error_is_a_failure_and_no_empty_answer(body: bytes, status: int, said: str) -> None:
    with pytest.raises(
        FetchFailed, match=rf"oaipmh\.arxiv\.org answered {status}|{said}"
    ) as raised:
        parsed(body, status=status)
    assert said in str(raised.value)


def test_every_field_of_a_paper_is_read() -> None:
    found = only(FULL)
    assert found.identifiers == {"arxiv": "2601.00001", "doi": "10.1234/ab"}
    assert (found.title, found.abstract.strip()) == ("A Study", "We study.")
    assert found.authors == ("Ada Lovelace", "Noel King Jr")
    assert found.categories == ("cs.AI", "stat.ML")
    assert found.comment == "9 pages; Journal reference: J. Tests 1"
    assert found.licence == "http://example.org/by"
    assert found.published_at == datetime(2026, 1, 26, tzinfo=UTC)
    assert (found.updated_at, found.listed_on, found.withdrawn) == (None, None, False)


@pytest.mark.accept("F03", part="OAI-PMH")
@pytest.mark.parametrize(
    ("dates", "announces"),
    [
        ("<created>2026-01-21</created>", True),
        ("<created>2026-01-20</created>", False),
        ("<created>2026-01-26</created><updated>2026-01-27</updated>", False),
        ("", False),
    ],
)
def test_only_what_was_submitted_within_the_harvest_is_announced(
    dates: str, announces: bool
) -> None:
    assert only(FULL.replace("<created>2026-01-26</created>", dates)).announces is announces


def test_the_raw_format_tells_versions() -> None:
    dates = ("Mon, 26 Jan 2026 10:00:00 GMT", "Tue, 27 Jan 2026 11:00:00 GMT")
    versions = "".join(
        f'<version version="v{n}"><date>{day}</date></version>' for n, day in enumerate(dates, 1)
    )
    found = only(
        f"<arXivRaw><id>2601.00001</id>{versions}<title>A</title>"
        "<authors>Ada Lovelace, Noel King and Alan Turing</authors></arXivRaw>"
    )
    assert (found.version, found.announces) == (2, False)
    assert found.updated_at == datetime(2026, 1, 27, 11, tzinfo=UTC)
    assert found.authors == ("Ada Lovelace", "Noel King", "Alan Turing")


def test_a_bad_record_does_not_spoil_its_neighbours() -> None:
    batch = parsed(
        listed(record(""), record("<x/>"), record("<arXiv><title>A</title></arXiv>", "?"), record())
    )
    assert len(batch.records) == 1
    assert [one.reason for one in batch.rejects] == ["no-metadata", "no-metadata", "no-id"]
    assert [one.position for one in batch.rejects] == [1, 2, 3]


GOOD = listed(record(), record("", status=' status="deleted"'),
              token='<resumptionToken expirationDate="2026-01-29">t</resumptionToken>')  # fmt: skip


@given(at=st.integers(0, len(GOOD)), cut=st.integers(0, 40), put=st.binary(max_size=12))
def test_a_mutated_answer_is_read_or_is_a_failure(at: int, cut: int, put: bytes) -> None:
    with suppress(FetchFailed, InvalidInput):
        parsed(GOOD[:at] + put + GOOD[at + cut :])


@pytest.mark.accept("F03", part="OAI-PMH")
def test_a_recorded_page_of_arxiv_is_read_whole(real_data: Path) -> None:
    (path,) = (real_data / "raw_responses" / "arxiv_oai").glob("*.xml")
    batch = parsed(path.read_bytes(), FIRST)
    assert (len(batch.records), len(batch.rejects)) == (1000, 0)
    assert batch.next == stopped(SOURCE, CS, page=1, token="496549|96001")
    assert sum((one.version or 0) > 1 for one in batch.records) == 393
    assert not any(one.announces for one in batch.records)
    assert max(one.published_at.date() for one in batch.records if one.published_at) < date(
        2010, 1, 1
    )


@pytest.mark.accept("F03", part="OAI-PMH catch-up")
@pytest.mark.parametrize(
    ("last_good", "since"),
    [
        (None, "2026-01-21"),
        (datetime(2026, 1, 28, 0, 30, tzinfo=UTC), "2026-01-21"),
        (datetime(2026, 1, 27, 23, 30, tzinfo=UTC), "2026-01-20"),
        (datetime(2026, 1, 1, 6, tzinfo=UTC), "2025-12-25"),
        (datetime(2025, 10, 20, 6, tzinfo=UTC), "2025-12-22"),
    ],
)
def test_after_a_long_silence_a_poll_catches_up_from_the_last_good_day(
    last_good: datetime | None, since: str
) -> None:
    feed = replace(state(sets="cs"), good_at=last_good)
    assert parse_qs(urlsplit(SOURCE.plan(feed, NOW).url).query)["from"] == [since]
