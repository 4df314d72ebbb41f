"""CSV files of papers."""

import pytest

from paperround.core.errors import InvalidInput
from paperround.feeds.formats.csv import read_csv

HEADER = "id,title,summary,authors,keywords,upvotes\n"


@pytest.mark.accept("F06", part="csv")
def test_a_row_becomes_a_record() -> None:
    content = HEADER + '2601.00001,"A, B","We\nstudy.",Ada Lovelace; Alan Turing,x;;y,3\n'
    (record,) = read_csv(content.encode()).records
    assert (record.title, record.abstract) == ("A, B", "We\nstudy.")
    assert record.authors == ("Ada Lovelace", "Alan Turing")
    assert record.keywords == ("x", "y")
    assert [(count.signal, count.value) for count in record.counts] == [("upvotes", 3)]


def test_a_column_may_say_that_a_paper_is_withdrawn() -> None:
    batch = read_csv(b"id,title,withdrawn\n2601.00001,T,TRUE\n2601.00002,U,\n")
    assert [one.withdrawn for one in batch.records] == [True, False]


def test_a_byte_order_mark_and_spelling_of_the_header_do_not_matter() -> None:
    batch = read_csv(b"\xef\xbb\xbfTitle , ID\r\nT,2601.00001\r\n\r\n")
    assert batch.records[0].identifiers == {"arxiv": "2601.00001"}


def test_a_file_without_a_title_column_is_refused() -> None:
    with pytest.raises(InvalidInput, match="no title column"):
        read_csv(b"a,b\n1,2\n")


@pytest.mark.accept("I6", part="csv")
@pytest.mark.parametrize(
    ("bad", "why"),
    [
        (b"2601.00001,,x,,,", "no-title"),
        (b"2601.00001,T,x,,,1.5", "bad-count"),
        (b"2601.00001,T,x,,,-1", "bad-count"),
        (b"2601.00001,T,x,,,1,2", "wrong-columns"),
        (b"2601.00001,T\x81,x,,,", "not-utf8"),
        (b'2601.00001,"' + b"x" * 200_000 + b'",x,,,', "bad-csv"),
        (b'2601.00001,"T" it is,x,,,', "bad-csv"),
    ],
)
def test_one_bad_row_of_200_costs_one_paper(bad: bytes, why: str) -> None:
    good = [f"2601.{number:05},T,x,,,".encode() for number in range(199)]
    batch = read_csv(HEADER.encode() + b"\n".join([*good[:100], bad, *good[100:]]))
    assert len(batch.records) == 199
    assert [(one.reason, one.position) for one in batch.rejects] == [(why, 101)]


@pytest.mark.parametrize(
    "rows",
    [
        b'1,A\n2,"B\n3,C\n4,D\n',
        b'1,A\n2,"B\n3,"C"\n4,D\n',
        b'1,A\n2,"B\n' + b"3,C\n" * 50_000,
    ],
)
def test_a_quote_that_is_not_closed_is_named_and_swallows_nothing(rows: bytes) -> None:
    with pytest.raises(InvalidInput, match=r"quote in line 3 .*not closed"):
        read_csv(b"id,title\n" + rows)


def test_a_quote_that_is_not_closed_in_the_last_line_is_a_reject() -> None:
    batch = read_csv(b'id,title\n1,A\n2,"B')
    assert [record.title for record in batch.records] == ["A"]
    assert [(one.reason, one.position) for one in batch.rejects] == [("bad-csv", 2)]


def test_a_column_named_twice_is_refused() -> None:
    with pytest.raises(InvalidInput, match="names the column 'title' twice"):
        read_csv(b"id,title,Title \n1,A,B\n")


def test_columns_without_a_name_may_be_many() -> None:
    assert read_csv(b"id,title,,\n1,A,x,y\n").records[0].title == "A"


def test_a_header_that_cannot_be_read_is_refused() -> None:
    with pytest.raises(InvalidInput, match="no title column"):
        read_csv(b'"id"x,title\n1,A\n')
