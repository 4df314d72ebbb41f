"""Answers of Crossref. Works are invented after its documentation; recorded answers are read."""

import json
from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperround.core.errors import InvalidInput, UnreadableFile
from paperround.feeds.formats.registry import reader_for
from paperround.papers.model import Count, Record, Show
from paperround.plugins.crossref import FIELDS, _records, read_answer, read_crossref
from tests.plugins.cassettes import recorded
from tests.plugins.catalogue_samples import crossref_list, crossref_work

HALF = "\ud800"
OWN = "10.1000/work.1"
CC = "http://creativecommons.org/licenses/by-nc/4.0/"


def only(**fields: Any) -> Record:
    batch = read_answer(crossref_list(crossref_work(**fields))).batch
    assert batch.rejects == ()
    (record,) = batch.records
    return record


@pytest.mark.accept("F05", part="crossref")
def test_a_work_is_read_with_all_it_says() -> None:
    assert replace(only(subject=["Examples"]), fingerprint="") == Record(
        title="Work 1",
        abstract="We study.",
        identifiers={"doi": OWN},
        authors=("Ada Lovelace", "The Study Group"),
        keywords=("Examples",),
        listed_on=date(2026, 1, 27),
        listed_at=datetime(2026, 1, 27, 9, 30, tzinfo=UTC),
        published_at=datetime(2026, 1, 1, tzinfo=UTC),
        comment="Journal of Examples",
        licence="https://creativecommons.org/licenses/by/4.0/",
        show=Show.FULL,
        counts=(Count(signal="citations", value=3),),
    )


class WatchedWork(dict[str, Any]):
    """A work that remembers which of its fields were read."""

    def __init__(self, work: dict[str, Any]) -> None:
        super().__init__(work)
        self.fields = set[str]()

    def get(self, key: str, default: Any = None) -> Any:
        self.fields.add(key)
        return super().get(key, default)


@pytest.mark.accept("F05", part="crossref")
def test_every_field_that_is_read_is_requested() -> None:
    work = WatchedWork(crossref_work(posted=None, issued=None, published=None))
    list(_records(work))
    assert work.fields == set(FIELDS.split(","))


@pytest.mark.accept("F05", part="crossref citations")
def test_more_citations_are_a_new_count_and_no_change_of_the_paper() -> None:
    before, after = only(), only(**{"is-referenced-by-count": 4})
    assert after.counts == (Count(signal="citations", value=4),)
    assert before.fingerprint == after.fingerprint != only(title=["Another"]).fingerprint
    assert only(**{"is-referenced-by-count": None}).counts == ()


@pytest.mark.parametrize(
    ("fields", "title"),
    [
        ({"title": ["A <i>tale</i>", "Ein Märchen"]}, "A tale"),
        ({"title": ["A tale"], "subtitle": ["Of  two"]}, "A tale: Of two"),
        ({"title": ["A tale?"], "subtitle": ["No"]}, "A tale? No"),
        ({"title": ["A tale: of two"], "subtitle": ["Of two"]}, "A tale: of two"),
        ({"title": ["A tale"], "subtitle": [""]}, "A tale"),
        ({"title": [" ", "Said later"]}, "Said later"),
    ],
)
def test_a_title_is_read_with_its_subtitle(fields: dict[str, Any], title: str) -> None:
    assert only(**fields).title == title


@pytest.mark.parametrize(
    ("parts", "day"),
    [
        ([[2026, 2, 3]], datetime(2026, 2, 3, tzinfo=UTC)),
        ([[2026, 2]], datetime(2026, 2, 1, tzinfo=UTC)),
        ([[2026]], datetime(2026, 1, 1, tzinfo=UTC)),
        ([[None]], None),
        ([[]], None),
        ([], None),
        (None, None),
        ([[0]], None),
        ([[10**300]], None),
    ],
)
def test_a_date_may_lack_its_day_and_its_month(parts: object, day: datetime | None) -> None:
    assert only(issued={"date-parts": parts}).published_at == day


def test_a_preprint_is_dated_by_the_day_it_was_posted() -> None:
    record = only(posted={"date-parts": [[2026, 1, 5]]}, type="posted-content")
    assert record.published_at == datetime(2026, 1, 5, tzinfo=UTC)


@pytest.mark.accept("F05", part="crossref back files")
@pytest.mark.parametrize(
    ("parts", "listed"),
    [
        ([1962, 3], date(1962, 3, 31)),
        ([2019], date(2019, 12, 31)),
        ([2025, 7, 30], date(2025, 7, 30)),
        ([2025, 8, 1], date(2026, 1, 27)),  # deposited within half a year, as many journals do
        ([2025], date(2026, 1, 27)),
        ([2026, 3], date(2026, 1, 27)),
        ([None], date(2026, 1, 27)),
    ],
)
def test_a_deposit_of_an_old_work_is_no_news(parts: list[int], listed: date) -> None:
    record = only(issued={"date-parts": [parts]})
    assert record.listed_on == listed
    assert (record.listed_at is None) == (listed != date(2026, 1, 27))


def related(name: str, *dois: object, kind: str = "doi") -> dict[str, Any]:
    return {name: [{"id-type": kind, "id": doi, "asserted-by": "subject"} for doi in dois]}


@pytest.mark.accept("F07", part="crossref relations")
@pytest.mark.parametrize(
    ("own", "relation", "known_as"),
    [
        (
            OWN,
            related("has-preprint", "10.1101/2026.01.01.1"),
            {"doi": OWN, "biorxiv": "10.1101/2026.01.01.1"},
        ),
        (
            OWN,
            related("has-preprint", "https://doi.org/10.48550/arXiv.2601.00001"),
            {"doi": OWN, "arxiv": "2601.00001"},
        ),
        (
            "10.1101/2026.01.01.1",
            related("is-preprint-of", "10.1000/Article"),
            {"biorxiv": "10.1101/2026.01.01.1", "doi": "10.1000/article"},
        ),
        (OWN, related("has-preprint", "10.1101/2026.1", "10.1101/2026.2"), {"doi": OWN}),
        (OWN, related("has-preprint", "10.21203/rs.3.rs-1/v1"), {"doi": OWN}),
        (OWN, related("is-version-of", "10.1101/2026.01.01.1"), {"doi": OWN}),
        (OWN, related("is-part-of", "10.1101/2026.01.01.1"), {"doi": OWN}),
        (OWN, related("has-preprint", "10.1101/2026.1", kind="uri"), {"doi": OWN}),
        (OWN, related("has-preprint", None), {"doi": OWN}),
    ],
)
def test_only_a_relation_that_names_the_same_work_names_it(
    own: str, relation: dict[str, Any], known_as: dict[str, str]
) -> None:
    assert only(DOI=own, relation=relation).identifiers == known_as


@pytest.mark.accept("F05", part="crossref retractions")
def test_a_notice_of_a_retraction_withdraws_the_paper_it_speaks_of() -> None:
    updates = [
        {"DOI": "10.1000/Old", "type": "retraction"},
        {"DOI": "10.1000/b", "type": "erratum"},
    ]
    notice = crossref_work(title=["Retraction of a tale"], **{"update-to": updates})
    batch = read_answer(crossref_list(notice, crossref_work(2))).batch
    assert [replace(record, fingerprint="") for record in batch.records[:1]] == [
        Record(title="", identifiers={"doi": "10.1000/old"}, withdrawn=True, announces=False)
    ]
    assert [record.title for record in batch.records[1:]] == ["Work 2"]


@pytest.mark.parametrize(
    ("fields", "withdrawn"),
    [
        ({"updated-by": [{"DOI": "10.1000/n", "type": "retraction"}]}, True),
        ({"updated-by": [{"DOI": "10.1000/n", "type": "correction"}]}, False),
        ({"update-to": [{"DOI": OWN, "type": "withdrawal"}]}, True),
        ({"update-to": [{"DOI": "10.1000/v1", "type": "new_version"}]}, False),
        ({"title": ["RETRACTED: A tale"]}, True),
        ({"title": ["[Withdrawn: A tale]"]}, True),
        ({"title": ["[Retracted] A tale"]}, True),
        ({"title": ["[RETRACTED ARTICLE] A tale"]}, True),
        ({"title": ["Retracted chapter: A tale"]}, True),
        ({"title": ["[Retracted data] A tale of them"]}, False),
        ({"title": ["Retracted papers: a survey"]}, False),
    ],
)
def test_a_paper_says_itself_that_it_was_taken_back(
    fields: dict[str, Any], withdrawn: bool
) -> None:
    record = only(**fields)
    assert record.withdrawn is withdrawn
    assert record.identifiers == {"doi": OWN}


def licence(address: object, version: str = "vor", delay: int = 0) -> dict[str, Any]:
    return {"URL": address, "content-version": version, "delay-in-days": delay}


@pytest.mark.accept("F51", part="crossref licences")
@pytest.mark.parametrize(
    ("stated", "named", "show"),
    [
        ([licence(CC)], CC, Show.FULL),
        ([licence("https://terms.example/"), licence(CC, "unspecified")], CC, Show.FULL),
        ([licence("https://terms.example/")], "https://terms.example/", Show.LINK),
        ([licence("https://creativecommons.org.evil.example/licenses/by/4.0/")], ..., Show.LINK),
        ([licence(CC, "tdm")], None, Show.LINK),
        ([licence(CC, "am")], None, Show.LINK),
        ([licence(CC, delay=365)], None, Show.LINK),
        ([licence(CC, delay=-30)], CC, Show.FULL),
        ([licence(CC) | {"delay-in-days": "0"}], None, Show.LINK),
        ([{"URL": CC, "content-version": "vor"}], None, Show.LINK),
        ([], None, Show.LINK),
        (None, None, Show.LINK),
    ],
)
def test_the_licence_of_the_text_says_how_much_is_shown(
    stated: object, named: object, show: Show
) -> None:
    record = only(license=stated)
    assert record.show is show
    assert named is ... or record.licence == named
    assert record.abstract  # ranking reads it in any case


@pytest.mark.accept("F05", part="crossref")
@pytest.mark.parametrize(
    ("bad", "why"),
    [
        ("text", "not-a-paper"),
        (None, "not-a-paper"),
        (crossref_work(type="journal-issue"), "other-kind"),
        (crossref_work(type="dataset"), "other-kind"),
        (
            crossref_work(**{"update-to": [{"DOI": "10.1000/x", "type": "correction"}]}),
            "other-kind",
        ),
        (crossref_work(title=[]), "no-title"),
        (crossref_work(title=None), "no-title"),
        (crossref_work(title="A"), "wrong-type"),
        (crossref_work(DOI=None), "no-id"),
        (crossref_work(DOI=f"10.1000/{'9' * 3000}"), "no-id"),
        (crossref_work(DOI=10.1), "wrong-type"),
        (crossref_work(author={"family": "A"}), "wrong-type"),
        (crossref_work(author=[{"family": 7}]), "wrong-type"),
        (crossref_work(abstract=["A"]), "wrong-type"),
        (crossref_work(relation={"has-preprint": "10.1101/1"}), "wrong-type"),
        (crossref_work(license="CC BY"), "wrong-type"),
        (crossref_work(license=[{"URL": "x", "content-version": ["vor"]}]), "wrong-type"),
        (crossref_work(issued={"date-parts": [["2026"]]}), "bad-date"),
        (crossref_work(issued={"date-parts": [[2026, 13]]}), "bad-date"),
        (crossref_work(issued={"date-parts": [[2026, 10**30]]}), "bad-date"),
        (crossref_work(created={"date-time": "soon"}), "bad-date"),
        (crossref_work(**{"is-referenced-by-count": "3"}), "bad-count"),
    ],
)
def test_one_bad_work_costs_one_paper(bad: object, why: str) -> None:
    answer = read_answer(crossref_list(crossref_work(2), bad, crossref_work(3)))
    assert [record.title for record in answer.batch.records] == ["Work 2", "Work 3"]
    assert [(one.reason, one.position) for one in answer.batch.rejects] == [(why, 2)]
    assert answer.rows == 3


@pytest.mark.parametrize(
    "content",
    [b"Resource not found.", b"<html>502</html>", b"", b"[" * 100_000, b'{"n": ' + b"9" * 5000],
)
def test_what_is_no_json_is_refused(content: bytes) -> None:
    with pytest.raises(UnreadableFile, match="not the JSON of Crossref, it begins with"):
        read_crossref(content)


@pytest.mark.parametrize(
    "content",
    [
        b"[]",
        b'{"status": "failed", "message-type": "validation-failure", "message": [{"type": "x"}]}',
        b'{"status": "ok", "message-type": "work-list", "message": null}',
        b'{"status": "ok", "message-type": "work-list", "message": {"items": {}}}',
        b'{"status": "ok", "message-type": "member-list", "message": {"items": []}}',
        b'{"status": "error", "message-type": "work-list", "message": {"items": []}}',
        b'{"meta": {}, "results": []}',
    ],
)
def test_an_error_is_never_an_answer_without_works(content: bytes) -> None:
    for read in (read_answer, read_crossref):
        with pytest.raises(InvalidInput, match="of Crossref"):
            read(content)


@pytest.mark.accept("F05", part="crossref files")
def test_a_file_may_hold_one_work_or_a_list_and_is_known_by_its_content() -> None:
    one = {"status": "ok", "message-type": "work", "message": crossref_work()}
    for content in (json.dumps(one).encode(), crossref_list(crossref_work())):
        name, read = reader_for("works.json", content)
        assert name == "crossref"
        assert [record.title for record in read(content).records] == ["Work 1"]
    with pytest.raises(InvalidInput):  # one work is no page of a list
        read_answer(json.dumps(one).encode())


LISTS = {
    "test_cursor": [(17, 3)],
    "test_cursor_max": [(17, 3), (17, 3), (19, 1), (17, 3), (17, 3)],
    "test_prefixes_works": [(2, 0)],
    "test_works_no_id_withlimit": [(2, 0)],
    "test_works_query": [(2, 0)],
    "test_works_sample": [(1, 1)],
    "test_works_with_many_ids": [(1, 0)] * 5,
    "test_works_with_one_id": [(1, 0)],
}
ERRORS = {
    "test_cursor_fails_cursor_value": 404,
    "test_journals_fail_limit": 400,
    "test_works_bad_id_warn": 404,
}


@pytest.mark.accept("F05", part="crossref recorded")
def test_recorded_answers_are_read(real_data: Path) -> None:
    folder = real_data / "raw_responses" / "crossref"
    assert {path.stem for path in folder.iterdir()} == {*LISTS, *ERRORS}
    reasons: Counter[str] = Counter()
    for name, expected in LISTS.items():
        answers = recorded(folder / f"{name}.yaml")
        assert {answer.status for answer in answers} == {200}
        batches = [read_crossref(answer.body) for answer in answers]
        assert [(len(one.records), len(one.rejects)) for one in batches] == expected
        assert all(reader_for("x.json", one.body)[0] == "crossref" for one in answers)
        reasons.update(one.reason for batch in batches for one in batch.rejects)
        for record in (record for batch in batches for record in batch.records):
            assert record.listed_on
            assert record.counts
            assert "<jats" not in record.abstract
    assert reasons == {"other-kind": 17}


ANY_TEXT = st.text(max_size=12) | st.sampled_from(
    ["", "\0", HALF, "retraction", "10.1000/x", "<p>", "9" * 40]
)
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | ANY_TEXT,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            ANY_TEXT | st.sampled_from(["DOI", "type", "date-parts", "has-preprint", "id", "URL"]),
            inner,
            max_size=3,
        )
    ),
    max_leaves=8,
)
KEYS = sorted({*crossref_work(), "relation", "update-to", "updated-by", "posted", "subtitle"})
ALMOST_A_WORK = st.dictionaries(st.sampled_from(KEYS), ANY_JSON, max_size=4).map(
    lambda changed: {**crossref_work(), **changed}
)
ALMOST_A_LIST = st.fixed_dictionaries(
    {
        "status": st.sampled_from(["ok", "failed"]) | ANY_JSON,
        "message-type": st.sampled_from(["work-list", "work"]) | ANY_JSON,
        "message": st.fixed_dictionaries(
            {
                "items": st.lists(ALMOST_A_WORK | ANY_JSON, max_size=4) | ANY_JSON,
                "total-results": ANY_JSON,
                "next-cursor": ANY_JSON,
            }
        )
        | ALMOST_A_WORK
        | ANY_JSON,
    }
)


@pytest.mark.accept("F05", part="crossref hostile")
@given(said=ALMOST_A_LIST | ANY_JSON)
def test_whatever_is_answered_every_work_is_accounted_for(said: Any) -> None:
    content = json.dumps(said).encode()
    try:
        read_crossref(content)
        answer = read_answer(content)
    except InvalidInput as refused:
        str(refused).encode()
        return
    assert len(answer.batch.records) + len(answer.batch.rejects) >= answer.rows
    for record in answer.batch.records:
        assert record.fingerprint
        repr(record).encode()
