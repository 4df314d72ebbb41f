"""What changed in the answers of a service since its source was written.

The shapes are held against recorded answers where there are some; those of bioRxiv and of arXiv's
OAI-PMH in the formats `arXiv` and `oai_dc` follow the services' descriptions alone, and are held
against the small answers that the tests of those sources use.
"""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperround.sources.live import SOURCES
from paperround.sources.shapes import NEEDED, Shape, read_shape, shape_of, shapes
from paperround.sources.shapes.compare import MOST_NEW, differences, parent_of
from tests.sources.arxiv_samples import item, rss
from tests.sources.biorxiv_samples import NOTHING, collection, row

SMALL = read_shape(
    "small",
    "kind: small\nform: json\n\n$ object needed\n$.papers list needed\n$.papers[] object some\n"
    "$.papers[].id text needed\n$.papers[].votes number always\n$.papers[].more any some\n",
)


def told(shape: Shape, value: object) -> list[str]:
    return [str(one) for one in differences(shape, json.dumps(value).encode())]


def breaks(shape: Shape, value: object) -> bool:
    return any(one.breaks for one in differences(shape, json.dumps(value).encode()))


@pytest.mark.accept("F09", part="shapes")
@pytest.mark.parametrize(
    ("answer", "says", "is_broken"),
    [
        ({"papers": []}, [], False),
        ({"papers": [{"id": "a", "votes": 1, "more": {"x": [1]}}]}, [], False),
        ({"papers": [{"id": "a", "votes": 1, "stars": 1}]}, ["papers.stars is new"], False),
        ({"papers": [{"id": "a"}]}, ["papers.votes is missing"], False),
        ({"papers": [{"votes": 1}]}, ["papers.id is missing"], True),
        ({"papers": [{"id": "a", "votes": "1"}]}, ["papers.votes is text, was number"], False),
        ({"papers": [{"id": 7, "votes": 1}]}, ["papers.id is number, was text"], True),
        ({"items": []}, ["papers is missing", "items is new"], True),
        ([], ["the whole is list, was object"], True),
    ],
)
def test_what_changed_is_named_and_breaks_only_where_papers_need_it(
    answer: object, says: list[str], is_broken: bool
) -> None:
    assert told(SMALL, answer) == says
    assert breaks(SMALL, answer) is is_broken


def test_one_entry_without_a_needed_field_is_no_change_of_shape() -> None:
    papers = [{"id": "a", "votes": 1}, {"id": "b", "votes": 1}, {"votes": 1}]
    assert told(SMALL, {"papers": papers}) == ["papers.id is missing in 1/3"]
    assert not breaks(SMALL, {"papers": papers})


def test_any_number_of_new_fields_makes_a_short_report() -> None:
    answer = {"papers": [], **{f"x{n}": {"deep": n} for n in range(5000)}}
    said = told(SMALL, answer)
    assert len(said) == MOST_NEW + 1
    assert said[-1] == "more fields are new"


@pytest.mark.parametrize("content", [b"", b"<html>", b"\xff", b"[" * 200_000])
def test_an_answer_that_cannot_be_read_is_one_difference_that_breaks(content: bytes) -> None:
    for shape in shapes():
        (one,) = differences(shape, content)
        assert one.breaks


# --- the shapes there are ----------------------------------------------------------------------


@pytest.mark.parametrize("shape", shapes(), ids=lambda one: one.name)
def test_a_shape_belongs_to_a_source_that_takes_its_settings(shape: Shape) -> None:
    SOURCES[shape.kind].check(None, {**shape.when, **shape.ask})
    assert shape_of(shape.kind, shape.when) is shape
    assert shape.form in {"json", "xml"}
    roots = {path for path in shape.fields if parent_of(path) not in shape.fields}
    assert len(roots) == 1
    assert any(one.presence == NEEDED for one in shape.fields.values())


@pytest.mark.parametrize("kind", sorted({one.kind for one in shapes()}))
def test_a_feed_without_settings_has_one_shape(kind: str) -> None:
    assert shape_of(kind, {}) is not None
    assert sum(one.fits({}) for one in shapes() if one.kind == kind) == 1


def test_nothing_is_known_of_the_shape_of_any_feed() -> None:
    assert shape_of("feed", {}) is None


def test_settings_choose_the_shape() -> None:
    def named(kind: str, **settings: str) -> str | None:
        shape = shape_of(kind, settings)
        return None if shape is None else shape.name

    assert named("arxiv", categories="cs.AI") == "arxiv-rss"
    assert named("arxiv", categories="cs.AI", via=" api ") == "arxiv-api"
    assert named("arxiv-oai", format="oai_dc") == "arxiv-oai-oai_dc"
    assert named("arxiv-oai", format="marc") is None


@pytest.mark.parametrize(
    "line", ["$.a text", "$.a text often", "$.a words some", "$.a text|words some"]
)
def test_a_line_that_is_no_field_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match=r"not a field|unpack"):
        read_shape("x", f"kind: x\nform: json\n\n{line}\n")


# --- real answers ------------------------------------------------------------------------------


def of_hf(data: Path) -> Iterator[bytes]:
    for path in sorted((data / "hf_daily_papers").glob("archiveA_*.json")):
        content = path.read_bytes()
        if isinstance(value := json.loads(content), list) and isinstance(value[0], dict):
            yield content


def of_api(data: Path) -> Iterator[bytes]:
    for path in sorted((data / "arxiv_api").glob("*.json")):
        answer: dict[str, Any] = json.loads(path.read_text())
        if answer["status_code"] == 200:
            yield answer["body"].encode()


def of_rss(data: Path) -> Iterator[bytes]:
    yield from (path.read_bytes() for path in (data / "arxiv_rss").glob("*.xml"))


def of_oai(data: Path) -> Iterator[bytes]:
    yield from (path.read_bytes() for path in (data / "arxiv_oai").glob("*.xml"))


RECORDED: dict[str, Callable[[Path], Iterator[bytes]]] = {
    "hf-daily": of_hf,
    "arxiv-api": of_api,
    "arxiv-rss": of_rss,
    "arxiv-oai-arXivRaw": of_oai,
}


@pytest.mark.accept("F09", part="shapes")
@pytest.mark.parametrize("name", sorted(RECORDED))
def test_no_recorded_answer_breaks_its_shape_or_has_a_field_it_does_not_know(
    name: str, real_data: Path
) -> None:
    (shape,) = (one for one in shapes() if one.name == name)
    answers = list(RECORDED[name](real_data / "raw_responses"))
    assert answers
    for content in answers:
        found = differences(shape, content)
        assert not [str(one) for one in found if one.breaks or one.says == "is new"]


def test_the_newest_recorded_answers_differ_in_nothing(real_data: Path) -> None:
    newest = real_data / "raw_responses" / "hf_daily_papers" / "archiveA_2026-01-28.json"
    hf = shape_of("hf-daily", {})
    assert hf
    assert differences(hf, newest.read_bytes()) == ()
    announcements = shape_of("arxiv", {})
    assert announcements
    for content in of_rss(real_data / "raw_responses"):
        assert differences(announcements, content) == ()


def test_the_answers_that_other_tests_use_fit_where_nothing_was_recorded() -> None:
    biorxiv = shape_of("biorxiv", {})
    assert biorxiv
    for content in (collection(row(), row(2, version=2, published=None)), NOTHING):
        assert not [one for one in differences(biorxiv, content) if one.breaks]
    arxiv = shape_of("arxiv", {})
    assert arxiv
    assert any(one.breaks for one in differences(arxiv, rss(item("2601.00001v1"))))


@given(content=st.binary(max_size=200), name=st.sampled_from([one.name for one in shapes()]))
def test_no_answer_raises(content: bytes, name: str) -> None:
    (shape,) = (one for one in shapes() if one.name == name)
    differences(shape, content)


@given(
    value=st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.dictionaries(
                st.sampled_from(["papers", "id", "votes", "more", "paper"]) | st.text(max_size=3),
                inner,
                max_size=4,
            )
        ),
        max_leaves=20,
    )
)
def test_no_json_raises(value: object) -> None:
    for shape in (SMALL, *shapes()):
        if shape.form == "json":
            differences(shape, json.dumps(value).encode())
