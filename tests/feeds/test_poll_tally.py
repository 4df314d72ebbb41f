"""What a poll counts, and how little it keeps for that."""

from paperround.feeds.health import batch_digest, record_key
from paperround.feeds.model import FeedShape
from paperround.feeds.poll import PollTally
from paperround.http.model import FetchRequest, Page
from paperround.papers.model import ParsedBatch, Record
from tests.builders import NOW
from tests.sample_database import record

PAPERS = [
    record(1, authors=("Ada",)),
    record(2, abstract=" "),
    record(3, identifiers={}, title="By its title"),
]


def page(body: bytes = b"xx") -> Page:
    request = FetchRequest(url="https://papers.example/1")
    return Page(request=request, url=request.url, status=200, headers={}, body=body, fetched_at=NOW)


def tallied(*pages: list[Record], continues: bool = False) -> PollTally:
    tally = PollTally(continues=continues)
    for records in pages:
        tally.requests += 1
        tally.take(page(), ParsedBatch(records=tuple(records)))
    return tally


def test_a_paper_on_two_pages_is_one_paper_of_the_batch() -> None:
    tally = tallied(PAPERS, [PAPERS[0]])
    found = tally.findings(unseen=3, ended=True)
    assert found.batch == batch_digest([record_key(one) for one in PAPERS])
    assert found.shape == FeedShape(records=3, abstracts=2, authors=1)
    assert tally.counts == {"requests": 2, "bytes": 4, "batch": 3}


def test_a_poll_that_goes_on_where_one_stopped_knows_no_batch_and_keeps_no_names() -> None:
    tally = tallied(PAPERS, continues=True)
    found = tally.findings(unseen=3, ended=True)
    assert (found.batch, found.shape, tally.is_unchanged) == (None, None, False)
    assert tally.counts["batch"] == 3
    assert not tally.names


def test_a_poll_keeps_names_and_no_records() -> None:
    tally = tallied(PAPERS)
    assert tally.names == {record_key(one) for one in PAPERS}
    assert not any(isinstance(kept, Record) for kept in vars(tally).values())
