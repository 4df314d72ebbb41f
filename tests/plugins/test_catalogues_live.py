"""OpenAlex and Crossref, read by themselves."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperround.core.errors import FetchFailed, InvalidInput
from paperround.http.model import FetchRequest
from paperround.papers.model import ParsedBatch
from paperround.plugins.crossref import Crossref
from paperround.plugins.openalex import OpenAlex
from tests.feeds.arxiv_samples import NOW, page, state
from tests.plugins.catalogue_samples import (
    crossref_list,
    crossref_work,
    openalex_list,
    openalex_work,
)

Source = OpenAlex | Crossref
OPENALEX, CROSSREF = OpenAlex(), Crossref()
BOTH = pytest.mark.parametrize("source", [OPENALEX, CROSSREF], ids=["openalex", "crossref"])
FULL: dict[str, Callable[[str], bytes]] = {
    "openalex": lambda mark: openalex_list(*map(openalex_work, range(100)), next_cursor=mark),
    "crossref": lambda mark: crossref_list(*map(crossref_work, range(100)), mark=mark),
}
LAST = {
    "openalex": openalex_list(openalex_work(100), next_cursor=None),
    "crossref": crossref_list(crossref_work(100), mark="and-again"),
}


def asked(request: FetchRequest) -> dict[str, str]:
    """The parameters of a request."""
    return {name: values[0] for name, values in parse_qs(urlsplit(request.url).query).items()}


def planned(source: Source, cursor: str | None = None, **settings: str) -> FetchRequest:
    return source.plan(state(cursor, **(settings or {"filter": "type:article"})), NOW)


def parsed(
    source: Source, body: bytes, cursor: str | None = None, status: int = 200
) -> ParsedBatch:
    return source.parse(page(planned(source, cursor), body, status))


@pytest.mark.accept("F05", part="openalex")
def test_openalex_is_asked_for_the_works_of_the_last_days() -> None:
    request = planned(OPENALEX, filter="primary_topic.field.id:17, cited_by_count:>3", search="a b")
    query = asked(request)
    assert request.url.startswith(
        "https://api.openalex.org/works?filter=primary_topic.field.id:17,"
    )
    assert query.pop("select").startswith("id,doi,ids,title,")
    assert query == {
        "filter": "primary_topic.field.id:17,cited_by_count:>3,type:article|preprint|review,"
        "from_publication_date:2026-01-21,to_publication_date:2026-01-28",
        "search": "a b",
        "per-page": "100",
        "cursor": "*",
    }
    assert (request.limiter, request.interval_seconds) == ("openalex", 1.0)
    assert asked(planned(OPENALEX, filter="type:book"))["filter"].startswith("type:book,from_")


@pytest.mark.accept("F05", part="crossref")
def test_crossref_is_asked_for_the_works_registered_on_the_last_days() -> None:
    request = planned(CROSSREF, filter="issn:1476-4687,prefix:10.1101", query="a&b=c", days="1")
    query = asked(request)
    assert request.url.startswith("https://api.crossref.org/works?filter=issn:1476-4687,prefix:")
    assert query.pop("select").startswith("DOI,type,title,")
    assert query == {
        "filter": "issn:1476-4687,prefix:10.1101,"
        "from-created-date:2026-01-27,until-created-date:2026-01-28",
        "query": "a&b=c",
        "rows": "100",
        "cursor": "*",
    }
    assert (request.limiter, request.interval_seconds) == ("crossref", 1.0)
    assert asked(planned(CROSSREF, query="a"))["filter"].startswith("from-created-date:")


@pytest.mark.accept("F05", part="catalogues page after page")
@BOTH
def test_a_poll_goes_on_with_the_mark_of_each_page_until_the_last(source: Source) -> None:
    cursor: str | None = None
    marks: list[str] = []
    titles: list[str] = []
    for body in (FULL[source.kind]("DnF1=/+"), FULL[source.kind]("second"), LAST[source.kind]):
        request = planned(source, cursor)
        marks.append(asked(request)["cursor"])
        batch = source.parse(page(request, body))
        titles += [record.title for record in batch.records]
        cursor = batch.next
    assert cursor is None
    assert marks == ["*", "DnF1=/+", "second"]
    assert len(titles) == 201


@BOTH
def test_a_poll_that_was_stopped_goes_on_where_it_was(source: Source) -> None:
    following = parsed(source, FULL[source.kind]("second")).next
    request = planned(source, following)
    assert (request.cursor, asked(request)["cursor"]) == (following, "second")
    other = planned(source, following, filter="type:other")
    assert asked(other)["cursor"] == "*"


def test_crossref_forgets_its_marks_and_openalex_does_not() -> None:
    later = NOW + timedelta(hours=1)
    for source, mark in ((CROSSREF, "*"), (OPENALEX, "second")):
        following = parsed(source, FULL[source.kind]("second")).next
        request = source.plan(state(following, filter="type:article"), later)
        assert asked(request)["cursor"] == mark


def test_rejects_count_for_whether_a_page_of_crossref_is_full() -> None:
    works = [crossref_work(number, type="dataset") for number in range(100)]
    batch = parsed(CROSSREF, crossref_list(*works, mark="second"))
    assert (len(batch.rejects), batch.next is None) == (100, False)


def test_a_short_page_of_crossref_before_the_end_is_followed_by_the_next() -> None:
    short = crossref_list(*map(crossref_work, range(40)), total=90, mark="second")
    following = parsed(CROSSREF, short).next
    assert asked(planned(CROSSREF, following))["cursor"] == "second"


@pytest.mark.accept("F05", part="catalogues errors")
@BOTH
@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"<html>502 Bad Gateway</html>", 200),
        (b"Resource not found.", 200),
        (b'{"error": "Invalid query parameters error."}', 200),
        (b"[]", 200),
        (b"", 200),
        (b"", 304),
        (b"gone", 404),
        (b"[" * 100_000, 200),
    ],
)
def test_what_is_no_list_of_works_is_a_failure(source: Source, body: bytes, status: int) -> None:
    with pytest.raises(FetchFailed, match=rf"api\.{source.kind}\.org answered {status}") as caught:
        parsed(source, body, status=status)
    assert caught.value.status == status


@BOTH
@pytest.mark.parametrize(
    ("settings", "field", "said"),
    [
        ({}, "settings.filter", "choose works"),
        ({"filter": " , "}, "settings.filter", "choose works"),
        ({"filter": "graphs"}, "settings.filter", "is not a filter: write filters like"),
        ({"filter": "type:"}, "settings.filter", "is not a filter"),
        ({"filter": "Type:article"}, "settings.filter", "is not a filter"),
        ({"filter": "type:a\nb"}, "settings.filter", "is not a filter"),
        ({"filter": ",".join(f"type:{n}" for n in range(999))}, "settings.filter", "too long"),
        ({"filter": "type:article", "days": "31"}, "settings.days", "from 0 to 30"),
        ({"filter": "type:article", "key": "secret"}, "settings.key", "has no setting 'key'"),
    ],
)
def test_settings_it_cannot_work_with_are_refused_by_their_name(
    source: Source, settings: dict[str, str], field: str, said: str
) -> None:
    with pytest.raises(InvalidInput, match=said) as caught:
        source.check(None, settings)
    assert caught.value.code == field


@pytest.mark.parametrize(
    ("source", "settings", "said"),
    [
        (OPENALEX, {"filter": "from_publication_date:2026-01-01"}, "use days"),
        (OPENALEX, {"filter": "type:a,from_created_date:2026-01-01"}, "is paid for"),
        (OPENALEX, {"filter": "api_key:s3cret"}, "would show a secret"),
        (OPENALEX, {"search": "a\0b"}, "can be printed"),
        (OPENALEX, {"search": "a" * 2001}, "at most 2,000"),
        (CROSSREF, {"filter": "from-created-date:2026-01-01"}, "use days"),
        (CROSSREF, {"query": "a\0b"}, "can be printed"),
    ],
)
def test_each_refuses_what_it_sets_itself_or_could_not_send(
    source: Source, settings: dict[str, str], said: str
) -> None:
    with pytest.raises(InvalidInput, match=said) as caught:
        source.check(None, settings)
    assert "s3cret" not in str(caught.value)


@BOTH
def test_another_address_takes_the_same_questions(source: Source) -> None:
    source.check("http://mirror.example:8080/works", {"filter": "type:article"})
    at = state(None, "http://mirror.example:8080/works", filter="type:article")
    assert source.plan(at, NOW).url.startswith("http://mirror.example:8080/works?filter=type:")
    with pytest.raises(InvalidInput, match="without a query"):
        source.check("https://api.openalex.org/works?api_key=x", {"filter": "type:article"})


@BOTH
def test_neither_owes_works_on_any_day(source: Source) -> None:
    assert source.expects(NOW) is None
    assert not source.holiday(NOW)


MARKS = (
    st.text(max_size=20) | st.integers() | st.none() | st.sampled_from(["*", "\ud800", "m" * 5000])
)


@pytest.mark.slow
@pytest.mark.accept("F05", part="catalogues hostile")
@given(
    mark=MARKS, total=st.integers() | st.text(), rows=st.sampled_from([0, 1, 100]), flip=st.data()
)
def test_whatever_is_answered_is_read_or_a_failure(
    mark: Any, total: Any, rows: int, flip: st.DataObject
) -> None:
    bodies = (
        (OPENALEX, openalex_list(*map(openalex_work, range(rows)), count=total, next_cursor=mark)),
        (CROSSREF, crossref_list(*map(crossref_work, range(rows)), total=total, mark=mark)),
    )
    for source, body in bodies:
        at = flip.draw(st.integers(0, 400))
        for content in (body, body[:at] + flip.draw(st.binary(max_size=3)) + body[at + 1 :]):
            try:
                batch = parsed(source, content)
            except FetchFailed as failed:
                str(failed).encode()
                continue
            assert batch.next is None or planned(source, batch.next).cursor == batch.next
