"""A reader's own library, whichever form they have it in. The works are invented."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperround.core.errors import UnreadableFile
from paperround.plugins.onboarding.library_formats import (
    MOST_WORKS,
    GivenWork,
    Library,
    read_library,
)

BIBTEX = """@article{lovelace,
  title = {On {Tides} and Moons}, author = {Lovelace, Ada}, doi = {10.1000/TIDES}, year = 2020,
}
@misc{king, title = {Waves}, eprint = {2601.00001v2}, archivePrefix = {arXiv}}
@misc{nameless, author = {Nobody}}
"""
RIS = """TY  - JOUR
TI  - On tides
DO  - 10.1000/tides
ER  -
TY  - JOUR
TI  - Only a title
ER  -
"""
CSL = [
    {"id": "1", "type": "article", "title": "On tides", "DOI": "10.1000/tides"},
    {"id": "2", "type": "article", "title": "Waves", "number": "arXiv:2601.00001"},
    {"id": "3", "type": "article", "title": "Cells", "PMID": "123456", "note": "arXiv:2601.00002"},
    {"id": "4", "type": "article"},
]


def read(text: str) -> Library:
    return read_library(text.encode())


def works(text: str) -> list[tuple[str, dict[str, str]]]:
    return [(one.title, dict(one.identifiers)) for one in read(text).works]


def of_line(text: str) -> list[tuple[str, dict[str, str]]]:
    assert read(text).refused == ()
    return works(text)


@pytest.mark.accept("F31", part="BibTeX")
def test_a_bibtex_library_is_read_and_what_is_no_work_is_named() -> None:
    library = read(BIBTEX)
    assert library.called == "BibTeX"
    assert works(BIBTEX) == [
        ("On Tides and Moons", {"doi": "10.1000/tides"}),
        ("Waves", {"arxiv": "2601.00001"}),
    ]
    (refused,) = library.refused
    assert refused.position == 3


@pytest.mark.accept("F31", part="RIS")
def test_a_ris_library_is_read() -> None:
    assert read(RIS).called == "RIS"
    assert works(RIS) == [("On tides", {"doi": "10.1000/tides"}), ("Only a title", {})]


@pytest.mark.accept("F31", part="CSL-JSON")
@pytest.mark.parametrize("wrap", [lambda items: items, lambda items: {"items": items}])
def test_a_csl_json_library_is_read_as_zotero_exports_it(wrap: object) -> None:
    text = json.dumps(wrap(CSL))  # type: ignore[operator]
    assert works(text) == [
        ("On tides", {"doi": "10.1000/tides"}),
        ("Waves", {"arxiv": "2601.00001"}),
        ("Cells", {"arxiv": "2601.00002", "pmid": "123456"}),
    ]
    assert [one.position for one in read(text).refused] == [4]


def item(kind: str, **fields: object) -> dict[str, object]:
    """An item as `/users/N/items` of Zotero's API answers, with empty fields as they are there."""
    empty = {"title": "", "DOI": "", "url": "", "extra": "", "tags": [], "collections": []}
    data = {"key": "ABCD2345", "version": 7, "itemType": kind, **empty, **fields}
    library = {"type": "user", "id": 12345, "name": "ada", "links": {}}
    return {
        "key": "ABCD2345",
        "version": 7,
        "library": library,
        "links": {},
        "meta": {},
        "data": data,
    }


ZOTERO = [
    item("preprint", title="Waves", archiveID="arXiv:2601.00001", repository="arXiv"),
    item("preprint", title="Winds", DOI="10.48550/arXiv.2601.00002", archiveID=""),
    item("journalArticle", title="On tides", DOI="10.1000/tides", publicationTitle="Tides"),
    item("journalArticle", title="Clouds", publicationTitle="arXiv:2601.00003 [physics]"),
    item("report", title="Rain", reportNumber="arXiv:2601.00004v2"),
    item("conferencePaper", title="Snow", extra="Citation Key: snow\narXiv:2601.00005 [cs.LG]"),
    item("journalArticle", title="Cells", extra="PMID: 123456\nPMCID: PMC99"),
    item("webpage", title="Fog", url="http://arxiv.org/abs/2601.00006v1"),
    item("preprint", title="Roots", DOI="10.1101/2026.01.02.000001", repository="bioRxiv"),
    item("book", title="Of stars", ISBN="978-0-00-000000-2"),
]
OTHERS = [
    item("attachment", title="Full Text PDF", url="https://arxiv.org/pdf/2601.99999"),
    item("note", note="<p>arXiv:2601.99999</p>"),
    item("annotation", annotationText="arXiv:2601.99999"),
    item("preprint", title="Thrown away", archiveID="arXiv:2601.99999", deleted=1),
]


@pytest.mark.accept("F31", part="Zotero's JSON", mutant="zotero-s-items-are-no-works")
@pytest.mark.parametrize(
    "wrap",
    [
        lambda items: items,
        lambda items: [one["data"] for one in items],
        lambda items: {"items": [one["data"] for one in items]},
    ],
    ids=["api", "fields", "export"],
)
def test_items_of_zotero_are_read_as_its_api_answers(wrap: object) -> None:
    text = json.dumps(wrap(ZOTERO + OTHERS), indent=4)  # type: ignore[operator]
    assert works(text) == [
        ("Waves", {"arxiv": "2601.00001"}),
        ("Winds", {"arxiv": "2601.00002"}),
        ("On tides", {"doi": "10.1000/tides"}),
        ("Clouds", {"arxiv": "2601.00003"}),
        ("Rain", {"arxiv": "2601.00004"}),
        ("Snow", {"arxiv": "2601.00005"}),
        ("Cells", {"pmid": "123456"}),
        ("Fog", {"arxiv": "2601.00006"}),
        ("Roots", {"biorxiv": "10.1101/2026.01.02.000001"}),
        ("Of stars", {}),
    ]
    assert read(text).called == "Zotero JSON"
    assert read(text).refused == ()


@pytest.mark.accept("F31", part="Zotero's JSON", mutant="zotero-s-files-are-works")
def test_files_notes_and_the_trash_of_zotero_are_no_works() -> None:
    assert works(json.dumps(OTHERS)) == []


def test_an_item_of_zotero_alone_is_read_and_one_without_a_title_is_named() -> None:
    assert works(json.dumps(ZOTERO[0])) == [("Waves", {"arxiv": "2601.00001"})]
    [refused] = read(json.dumps([*ZOTERO[:2], item("preprint")])).refused
    assert refused.position == 3


@pytest.mark.accept("F31", part="arXiv ids")
@pytest.mark.parametrize(
    ("line", "identifiers"),
    [
        ("2601.00001", [{"arxiv": "2601.00001"}]),
        ("arXiv:2601.00001v3", [{"arxiv": "2601.00001"}]),
        ("https://arxiv.org/pdf/2601.00001v1.pdf", [{"arxiv": "2601.00001"}]),
        ("2601.00001, 2601.00002; cs/0112017", [
            {"arxiv": "2601.00001"}, {"arxiv": "2601.00002"}, {"arxiv": "cs/0112017"}
        ]),
        ("- [2601.00001]", [{"arxiv": "2601.00001"}]),
        ("2601.00001 On tides and moons", [{"arxiv": "2601.00001"}]),
        ("[12] A. Lovelace. On tides. arXiv:2601.00001, 2026.", [{"arxiv": "2601.00001"}]),
        ("https://doi.org/10.1000/tides", [{"doi": "10.1000/tides"}]),
        ("A. Lovelace, On tides, J. Tides 3 (2020), doi:10.1000/tides.", [
            {"doi": "10.1000/tides"}
        ]),
        ("10.48550/arXiv.2601.00001", [{"arxiv": "2601.00001"}]),
    ],
)  # fmt: skip
def test_identifiers_are_found_in_a_line(line: str, identifiers: list[dict[str, str]]) -> None:
    assert [ids for _, ids in of_line(line)] == identifiers


@pytest.mark.accept("F31", part="titles")
@pytest.mark.parametrize(
    "line",
    [
        "On tides and moons",
        "• On tides and moons",
        "1. On tides  and moons",
        "(2) On tides and moons",
    ],
)
def test_any_other_line_is_a_title_without_its_bullet(line: str) -> None:
    assert of_line(line) == [("On tides and moons", {})]


def test_a_work_that_is_given_twice_counts_once() -> None:
    assert works("2601.00001\narXiv:2601.00001\nOn tides\nOn Tides\n\n") == [
        ("", {"arxiv": "2601.00001"}),
        ("On tides", {}),
    ]


def test_lines_that_are_no_titles_are_named() -> None:
    library = read(f"On tides\n{'x' * 1001}\n?!\n")
    assert library.is_of_lines
    assert [one.position for one in library.refused] == [2, 3]
    assert "it is too long for a title" in library.refused[0].detail


def test_of_a_very_long_library_the_first_works_are_looked_at() -> None:
    library = read("\n".join(f"Study number {n}" for n in range(MOST_WORKS + 7)))
    assert len(library.works) == MOST_WORKS
    assert library.left == 7


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "it is empty"),
        (b" \r\n ", "it is empty"),
        (b"PK\x03\x04\0\0\0binary", "not a text file"),
        (b"[{}, 2]", "not CSL-JSON"),
        (b'{"title": ', "is not valid JSON"),
        (b"[" * 100_000, "is not valid JSON"),
    ],
)
def test_what_is_no_library_is_refused_with_the_way_out(content: bytes, why: str) -> None:
    with pytest.raises(UnreadableFile, match=why):
        read_library(content)


def test_foreign_bytes_of_a_plain_list_are_read() -> None:
    library = read_library("Über Gezeiten\nÜber Monde".encode("windows-1252"))
    assert library.works == (GivenWork(title="Über Gezeiten"), GivenWork(title="Über Monde"))


@given(st.binary(max_size=400))
def test_whatever_is_given_is_read_or_refused(content: bytes) -> None:
    try:
        library = read_library(content)
    except UnreadableFile:
        return
    for work in library.works:
        assert work.title or work.identifiers
