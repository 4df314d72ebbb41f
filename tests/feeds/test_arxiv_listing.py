"""arXiv's listing as a witness. There is no recorded page: these follow its published templates."""

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperround.core.errors import FetchFailed
from paperround.feeds.model import FeedState, PollProgress
from paperround.feeds.sources.arxiv import Arxiv
from paperround.http.model import FetchRequest
from paperround.plugins.arxiv_oai import ArxivOai
from tests.feeds.arxiv_samples import listing, page, state

SOURCE = Arxiv()
REQUEST = FetchRequest(url="https://arxiv.org/list/cs.AI/new")


@pytest.mark.accept("F03", part="witness")
def test_the_page_says_which_day_it_is_of_and_how_large() -> None:
    said = SOURCE.read_cross_check(page(REQUEST, listing("Tuesday, 25 November 2025", 132)))
    assert (said.day, said.entries) == (date(2025, 11, 25), 132)
    assert said.readable_at == datetime(2025, 11, 25, 5, 30, tzinfo=UTC)
    assert said.witness == "arXiv's own listing"


@pytest.mark.parametrize("day", ["25 November 2025", "Tue, 25 Nov 2025", "Tuesday 25 Nov, 2025"])
def test_a_day_may_be_written_in_some_ways(day: str) -> None:
    assert SOURCE.read_cross_check(page(REQUEST, listing(day, 7))).day == date(2025, 11, 25)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 200),
        (b"<h3>Showing new listings for Tuesday, 25 November 2025</h3>", 200),
        (listing("Tuesday, 31 February 2025", 3), 200),
        (listing("Tuesday, 25 Brumaire 2025", 3), 200),
        (listing("Tuesday, 25 November 2025", 3), 204),
    ],
)
def test_a_page_that_says_nothing_of_a_batch_is_a_failure(body: bytes, status: int) -> None:
    with pytest.raises(FetchFailed, match=r"rss\.arxiv\.org|arxiv\.org"):
        SOURCE.read_cross_check(page(REQUEST, body, status))


@given(body=st.binary(max_size=300), at=st.integers(0, 200), cut=st.integers(0, 200))
def test_whatever_the_page_holds_nothing_else_is_raised(body: bytes, at: int, cut: int) -> None:
    whole = listing("Tuesday, 25 November 2025", 132)
    try:
        SOURCE.read_cross_check(page(REQUEST, whole[:at] + body + whole[at + cut :]))
    except FetchFailed:
        return


@pytest.mark.accept("F03", part="witness")
def test_the_first_category_is_asked_for_with_the_pause_its_robots_txt_wants() -> None:
    request = SOURCE.cross_check(state(categories="cs.CL,cs.AI"))
    assert request is not None
    assert request.url == "https://arxiv.org/list/cs.CL/new"
    assert (request.limiter, request.interval_seconds) == ("arxiv", 15.0)


@pytest.mark.parametrize(
    ("sets", "category"), [("cs", "cs"), ("physics:hep-th,cs", "hep-th"), ("cs:cs:LG", "cs.LG")]
)
def test_a_set_is_asked_for_by_its_category(sets: str, category: str) -> None:
    request = ArxivOai().cross_check(state(sets=sets))
    assert request is not None
    assert request.url == f"https://arxiv.org/list/{category}/new"


def test_nobody_speaks_for_the_api_or_a_mirror() -> None:
    mirror = FeedState(
        url="https://mirror.example/atom", settings={"categories": "cs.AI"}, progress=PollProgress()
    )
    assert SOURCE.cross_check(state(categories="cs.AI", via="api")) is None
    assert SOURCE.cross_check(mirror) is None
