"""Answers of bioRxiv and medRxiv."""

import json
from collections.abc import Collection
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperround.core.errors import InvalidInput, UnreadableFile
from paperround.papers.model import Record, Show
from paperround.plugins.biorxiv import read_answer, subject_of
from tests.plugins.biorxiv_samples import NOTHING, collection, row

HALF = "\ud800"
"""Half a character: JSON can say it, UTF-8 cannot."""


def only(*, subjects: Collection[str] = (), **fields: Any) -> Record:
    (record,) = read_answer(collection(row(**fields)), subjects).batch.records
    return record


@pytest.mark.accept("F04", part="records")
def test_a_first_version_is_read_with_all_it_says() -> None:
    record = only(published="10.1000/Journal.1", title="A Study", abstract="We study.")
    assert replace(record, fingerprint="") == Record(
        title="A Study",
        abstract="We study.",
        identifiers={"doi": "10.1000/journal.1", "biorxiv": "10.64898/2026.01.27.000001"},
        authors=("A. K. Lovelace", "A. Turing"),
        categories=("neuroscience",),
        listed_on=date(2026, 1, 27),
        published_at=datetime(2026, 1, 27, tzinfo=UTC),
        version=1,
        licence="https://creativecommons.org/licenses/by/4.0/",
        organization="University of Somewhere",
        show=Show.FULL,
    )


@pytest.mark.accept("F04", part="versions")
@pytest.mark.parametrize("version", ["3", 3, " 03 "])
def test_a_later_version_updates_a_paper_and_announces_nothing(version: object) -> None:
    record = only(version=version)
    assert (record.version, record.announces) == (3, False)
    assert (record.listed_on, record.published_at) == (None, None)
    assert record.updated_at == datetime(2026, 1, 27, tzinfo=UTC)


@pytest.mark.accept("F04", part="records")
def test_a_row_that_says_little_is_a_paper() -> None:
    content = collection({"doi": "10.1101/2020.01.02.20000001", "title": "Short"})
    (record,) = read_answer(content).batch.records
    assert record.identifiers == {"biorxiv": "10.1101/2020.01.02.20000001"}
    assert (record.version, record.listed_on, record.authors) == (None, None, ())
    assert record.announces
    assert record.show is Show.LINK


@pytest.mark.accept("F04", part="unpadded dates")
@pytest.mark.parametrize(
    ("stated", "day"),
    [
        ("2026-1-5", date(2026, 1, 5)),
        (" 2026-01-5", date(2026, 1, 5)),
        ("2026-10-05", date(2026, 10, 5)),
        ("2026-01-05T10:00:00Z", date(2026, 1, 5)),
        ("9999-1-1", None),
        ("0000-1-1", None),
        (None, None),
    ],
)
def test_a_date_is_read_whether_it_is_padded_or_not(stated: str | None, day: date | None) -> None:
    assert only(date=stated).listed_on == day


@pytest.mark.parametrize("nothing", ["NA", "", None, "10.1101/2020.01.02.111111", "in press"])
def test_a_paper_that_no_journal_has_is_known_by_its_own_doi_alone(nothing: str | None) -> None:
    assert only(published=nothing).identifiers == {"biorxiv": "10.64898/2026.01.27.000001"}


@pytest.mark.accept("F07", part="biorxiv identifiers")
def test_a_journal_article_that_appears_later_changes_the_record() -> None:
    before, after = only(), only(published="https://doi.org/10.1000/j")
    assert after.identifiers["doi"] == "10.1000/j"
    assert before.fingerprint != after.fingerprint
    assert before.fingerprint == only().fingerprint


@pytest.mark.parametrize(
    ("stated", "names"),
    [
        ("Lovelace, A.", ("A. Lovelace",)),
        ("van  Dyck, C. ;The Study Group;", ("C. van Dyck", "The Study Group")),
        ("Ada Lovelace;Alan Turing;", ("Ada Lovelace", "Alan Turing")),
        ("King, M., Jr.", ("King, M., Jr.",)),
        (" ; ;", ()),
        (None, ()),
    ],
)
def test_names_are_put_in_the_order_they_are_spoken_in(
    stated: str | None, names: tuple[str, ...]
) -> None:
    assert only(authors=stated).authors == names


@pytest.mark.accept("F51", part="biorxiv licences")
@pytest.mark.parametrize(
    ("stated", "licence", "show"),
    [
        ("cc_by", "https://creativecommons.org/licenses/by/4.0/", Show.FULL),
        ("CC_BY_NC_ND", "https://creativecommons.org/licenses/by-nc-nd/4.0/", Show.FULL),
        ("cc_by_nd", "https://creativecommons.org/licenses/by-nd/4.0/", Show.FULL),
        ("cc_by_nc", "https://creativecommons.org/licenses/by-nc/4.0/", Show.FULL),
        ("cc0", "https://creativecommons.org/publicdomain/zero/1.0/", Show.FULL),
        ("cc0_ng", "https://creativecommons.org/publicdomain/zero/1.0/", Show.FULL),
        ("cc_no", "All rights reserved", Show.LINK),
        ("house rules", "house rules", Show.LINK),
        ("", None, Show.LINK),
        (None, None, Show.LINK),
    ],
)
def test_the_licence_says_how_much_is_shown(
    stated: str | None, licence: str | None, show: Show
) -> None:
    record = only(license=stated)
    assert (record.licence, record.show) == (licence, show)
    assert record.abstract  # ranking reads it in any case


@pytest.mark.accept("F07", part="biorxiv withdrawals")
@pytest.mark.parametrize(
    ("fields", "withdrawn"),
    [
        ({"type": "withdrawn"}, True),
        ({"type": "Withdrawal"}, True),
        ({"title": "WITHDRAWN: A Study"}, True),
        ({"title": "Withdrawn patients: a cohort"}, False),
        ({"type": "contradictory results"}, False),
        ({"type": None}, False),
    ],
)
def test_a_withdrawal_is_known_by_its_type_or_its_title(
    fields: dict[str, Any], withdrawn: bool
) -> None:
    assert only(**fields).withdrawn is withdrawn


@pytest.mark.accept("F04", part="subjects")
def test_a_paper_of_another_subject_is_no_record_and_no_reject() -> None:
    rows = [row(1), row(2, category="Cell-Biology"), row(3, category=None), row(4, title="")]
    found = read_answer(collection(*rows), {"cell biology"})
    assert [record.title for record in found.batch.records] == ["Study 2"]
    assert (found.batch.rejects, found.rows) == ((), 4)


@pytest.mark.parametrize(
    ("written", "subject"),
    [
        ("Cell  Biology", "cell biology"),
        ("cell_biology", "cell biology"),
        ("HIV/AIDS", "hiv aids"),
        (" infectious diseases (except hiv/aids)", "infectious diseases"),
    ],
)
def test_a_subject_has_one_spelling(written: str, subject: str) -> None:
    assert subject_of(written) == subject


@pytest.mark.accept("I6", part="biorxiv")
@pytest.mark.parametrize(
    ("bad", "why"),
    [
        ("text", "not-a-paper"),
        (None, "not-a-paper"),
        (row(title=" "), "no-title"),
        (row(title=["A"]), "wrong-type"),
        (row(doi=None), "no-id"),
        (row(doi="NA"), "no-id"),
        (row(doi=f"10.1101/{'9' * 3000}"), "no-id"),
        (row(doi=10.1101), "wrong-type"),
        (row(version="two"), "bad-version"),
        (row(version=0), "bad-version"),
        (row(version=True), "bad-version"),
        (row(version=2.5), "bad-version"),
        (row(version=10**300), "bad-version"),
        (row(date="yesterday"), "bad-date"),
        (row(date="2026-02-30"), "bad-date"),
        (row(authors=["Lovelace, A."]), "wrong-type"),
        (row(abstract={"text": "x"}), "wrong-type"),
    ],
)
def test_one_bad_row_costs_one_paper(bad: object, why: str) -> None:
    found = read_answer(collection(row(1), bad, row(2)))
    assert len(found.batch.records) == 2
    assert [(one.reason, one.position) for one in found.batch.rejects] == [(why, 2)]
    assert found.rows == 3


@pytest.mark.accept("F04", part="errors")
@pytest.mark.parametrize(
    ("content", "said"),
    [
        (
            b"Error : (2002) Connection refused",
            "begins with 'Error : \\(2002\\) Connection refused",
        ),
        (b"<html>502 Bad Gateway</html>", "begins with '<html>502"),
        (b"", "begins with ''"),
        (b"\xff\xfe", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b'{"n": ' + b"9" * 5000 + b"}", "not JSON"),
    ],
)
def test_what_is_no_json_is_refused_with_how_it_begins(content: bytes, said: str) -> None:
    with pytest.raises(UnreadableFile, match=said):
        read_answer(content)


@pytest.mark.accept("F04", part="errors")
@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"[]", "not a response of the details API"),
        (b"null", "not a response of the details API"),
        (b'{"error": "busy"}', "it has no messages"),
        (b'{"messages": [], "collection": []}', "it has no messages"),
        (b'{"messages": "ok", "collection": []}', "it has no messages"),
        (b'{"messages": [{}], "collection": []}', "rejected the query: ''"),
        (b'{"messages": [{"status": 1}], "collection": []}', "rejected the query"),
        (b'{"messages": [{"status": "ok"}]}', "has no collection"),
        (b'{"messages": [{"status": "ok"}], "collection": null}', "has no collection"),
        (b'{"messages": [{"status": "ok"}], "collection": {"a": 1}}', "has no collection"),
        (collection(status="Error: server not known"), "query: 'error: server not known'"),
        (collection(row(), status=f"a\0{HALF}b"), "query: 'a\\?b'"),
    ],
)
def test_an_error_is_never_an_answer_without_papers(content: bytes, said: str) -> None:
    with pytest.raises(InvalidInput, match=said) as caught:
        read_answer(content)
    str(caught.value).encode()


@pytest.mark.parametrize(
    "content", [NOTHING, b'{"messages": [{"status": "No posts found"}]}', collection()]
)
def test_an_answer_that_says_it_has_none_has_none(content: bytes) -> None:
    found = read_answer(b"\xef\xbb\xbf" + content)
    assert (found.rows, found.batch.records, found.batch.rejects) == (0, (), ())


@pytest.mark.parametrize(
    ("stated", "total"),
    [
        ("360", 360),
        (360, 360),
        (" 7 ", 7),
        (-1, None),
        (10**9, None),
        ("many", None),
        ([3], None),
        (True, None),
    ],
)
def test_a_total_is_read_by_its_name_as_number_or_as_text(
    stated: object, total: int | None
) -> None:
    assert read_answer(collection(row(), total=stated)).total == total


@pytest.mark.accept("F04", part="recorded")
def test_recorded_rows_are_read_and_their_dump_is_no_answer(real_data: Path) -> None:
    (dump,) = (real_data / "raw_responses" / "biorxiv").iterdir()
    with pytest.raises(InvalidInput):
        read_answer(dump.read_bytes())
    rows = [json.loads(line) for line in dump.read_text().splitlines()]
    found = read_answer(collection(*rows))
    assert (len(found.batch.records), found.batch.rejects) == (3, ())
    for record in found.batch.records:
        assert record.listed_on == date(2014, 1, 17)
        assert record.identifiers["biorxiv"].startswith("10.1101/0018")
        assert record.abstract
    assert [len(record.authors) for record in found.batch.records] == [18, 3, 1]


ANY_TEXT = st.text(max_size=12) | st.sampled_from(["", "\0", HALF, "NA", "2026-1-5", "9" * 40])
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | ANY_TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(ANY_TEXT, inner, max_size=3),
    max_leaves=8,
)
ALMOST_A_ROW = st.dictionaries(st.sampled_from(sorted(row())), ANY_JSON, max_size=4).map(
    lambda changed: {**row(), **changed}
)
ALMOST_AN_ANSWER = st.fixed_dictionaries(
    {
        "messages": st.lists(
            st.fixed_dictionaries(
                {"status": st.sampled_from(["ok", "no posts found"]) | ANY_JSON},
                optional={"total": ANY_JSON, "count": ANY_JSON},
            )
            | ANY_JSON,
            max_size=2,
        )
        | ANY_JSON,
        "collection": st.lists(ALMOST_A_ROW | ANY_JSON, max_size=4) | ANY_JSON,
    }
)


@pytest.mark.accept("F04", part="hostile")
@given(said=ALMOST_AN_ANSWER | ANY_JSON, subjects=st.sets(st.just("neuroscience")))
def test_whatever_is_answered_every_row_is_accounted_for(said: Any, subjects: set[str]) -> None:
    try:
        found = read_answer(json.dumps(said).encode(), subjects)
    except InvalidInput as refused:
        str(refused).encode()
        return
    kept = len(found.batch.records) + len(found.batch.rejects)
    assert kept <= found.rows if subjects else kept == found.rows
    for record in found.batch.records:
        assert record.fingerprint
        repr(record).encode()


@pytest.mark.parametrize("depth", [200, 900, 990, 1000, 5000, 50_000])
def test_a_deeply_nested_row_costs_no_more_than_its_answer(depth: int) -> None:
    nested = b"[" * depth + b"]" * depth
    content = collection(row(1), "here", row(2)).replace(b'"here"', nested)
    try:
        found = read_answer(content)
    except InvalidInput:
        return
    assert (len(found.batch.records), len(found.batch.rejects)) == (2, 1)
