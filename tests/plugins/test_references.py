"""What services tell of the works that a paper cites, and what is kept of it."""

import json
from datetime import timedelta
from pathlib import Path

import pytest

from paperround.db.transactions import SqlDatabase
from paperround.feeds.enrich import enrich
from paperround.papers.identifiers import title_key
from paperround.papers.model import PaperId, Record
from paperround.papers.references import MOST_REFERENCES, CitedName
from paperround.papers.store.papers import PaperStore
from paperround.papers.store.references import ReferenceStore
from paperround.plugins.enrichers import OpenAlexNews, SemanticScholarNews
from paperround.plugins.openalex import read_answer, read_openalex
from paperround.plugins.semantic_scholar import read_semantic_scholar
from tests.feeds.feed_context import NOW, Room
from tests.plugins.cassettes import recorded
from tests.plugins.catalogue_samples import openalex_list, openalex_work
from tests.plugins.semantic_scholar_samples import paper
from tests.sample_database import fill, record

NUMBER = "https://openalex.org/W{}"


def openalex(*cited: object) -> Record:
    (found,) = read_answer(openalex_list(openalex_work(referenced_works=[*cited]))).batch.records
    return found


def scholar(*cited: object) -> Record:
    body = json.dumps(paper(references=[*cited])).encode()
    (found,) = read_semantic_scholar(body).records
    return found


def title(text: str) -> CitedName:
    return "title", title_key(text, (), None)


@pytest.mark.accept("F62", mutant="references-of-openalex-are-not-read")
def test_openalex_names_works_by_their_numbers() -> None:
    found = openalex(NUMBER.format(7), NUMBER.format(8), NUMBER.format(7))
    assert found.references == (("openalex", "W7"), ("openalex", "W8"))
    assert found.known_as == (("openalex", "W1"),)


@pytest.mark.accept("F62", mutant="references-of-semantic-scholar-are-not-read")
def test_semantic_scholar_names_works_by_their_identifiers_and_titles() -> None:
    ids = {"ArXiv": "2401.00077", "DOI": "10.48550/arXiv.2401.00077", "MAG": "12"}
    found = scholar(
        {"paperId": "a", "externalIds": ids, "title": "A Note on Pots"},
        {"paperId": None, "externalIds": None, "title": "Deep learning"},
        {"paperId": "b", "externalIds": {"DOI": "10.1000/X", "PubMed": "77"}, "title": None},
    )
    assert found.references == (
        ("arxiv", "2401.00077"),
        title("a note on pots"),
        ("doi", "10.1000/x"),
        ("pmid", "77"),
    )


@pytest.mark.parametrize("cited", [None, 7, "pots", {"title": 7}, {"externalIds": []}, [], ["W"]])
def test_a_reference_that_cannot_be_read_costs_no_paper(cited: object) -> None:
    assert openalex(cited, NUMBER.format(8)).references == (("openalex", "W8"),)
    assert scholar(cited, {"externalIds": {"PubMed": "8"}}).references == (("pmid", "8"),)
    work = openalex_list(openalex_work(referenced_works=cited))
    batches = (
        read_answer(work).batch,
        read_semantic_scholar(json.dumps(paper(references=cited)).encode()),
    )
    assert [len(one.records) for one in batches] == [1, 1]


@pytest.mark.accept("F62", mutant="references-have-no-end")
def test_of_a_survey_only_the_first_references_are_kept() -> None:
    many = [{"externalIds": {"ArXiv": f"2401.{n:05}", "PubMed": f"{n}"}} for n in range(1, 999)]
    assert len(scholar({}, *many).references) == 2 * MOST_REFERENCES


def test_references_are_no_change_of_a_paper() -> None:
    assert openalex(NUMBER.format(7)).fingerprint == openalex().fingerprint


def test_recorded_answers_tell_references(real_data: Path) -> None:
    folder = real_data / "raw_responses"
    (work,) = read_openalex((folder / "openalex/workJsonResponse.json").read_bytes()).records
    assert work.references == (("openalex", "W1560783210"), ("openalex", "W1724212071"))
    pages = recorded(folder / "semantic_scholar/test_get_paper_references.yaml")
    cited = [row["citedPaper"] for page in pages for row in json.loads(page.body)["data"]]
    assert len(cited) == 67
    assert title("Contract Structure, Risk Sharing and Investment Choice") in (
        scholar(*cited).references
    )


# --- kept, on both engines ---------------------------------------------------------------------


@pytest.fixture
def room(database: SqlDatabase) -> Room:
    return Room(database)


def papers(room: Room) -> dict[str, PaperId]:
    with room.database.reading() as work:
        names = {("arxiv", f"2601.{number:05}") for number in range(1, 4)}
        return {value: id_ for (_, value), id_ in work[PaperStore].find(names).items()}


def kept(room: Room, *these: PaperId) -> set[tuple[PaperId, CitedName, PaperId | None]]:
    with room.database.reading() as work:
        return set(work[ReferenceStore].of(these))


@pytest.mark.postgres
@pytest.mark.accept("F62", mutant="a-paper-is-not-known-by-its-number")
def test_many_papers_are_asked_for_at_once_and_those_known_here_are_told(room: Room) -> None:
    fill(room.database, [record(1), record(2), record(3)], NOW)
    works = [
        openalex_work(
            number,
            doi=f"https://doi.org/10.48550/arxiv.2601.{number:05}",
            ids={},
            referenced_works=[NUMBER.format(cited) for cited in range(1, number)],
        )
        for number in (3, 2, 1)
    ]
    room.answers["referenced_works"] = openalex_list(*works)
    enrich(room.feed_context, [OpenAlexNews()], now=NOW)
    assert len(room.services.asked) == 1
    one, two, three = (papers(room)[f"2601.{number:05}"] for number in (1, 2, 3))
    first, second = ("openalex", "W1"), ("openalex", "W2")
    assert kept(room, one) == set()
    assert kept(room, one, two, three) == {
        (two, first, one),
        (three, first, one),
        (three, second, two),
    }


def test_references_come_with_the_request_there_is_and_reading_them_again_changes_nothing(
    room: Room,
) -> None:
    fill(room.database, [record(1)], NOW)
    cited = {"externalIds": {"ArXiv": "2401.00077"}, "title": "A Note on Pots"}
    ids = {"ArXiv": "2601.00001"}
    room.answers["references.title"] = json.dumps(
        paper(externalIds=ids, references=[cited])
    ).encode()
    for _ in range(2):
        enrich(room.feed_context, [SemanticScholarNews()], now=room.clock.moment)
        room.clock.moment += timedelta(days=1)
    assert len(room.services.asked) == 2
    (paper_id,) = papers(room).values()
    assert kept(room, paper_id) == {
        (paper_id, ("arxiv", "2401.00077"), None),
        (paper_id, title("A Note on Pots"), None),
    }


def test_a_paper_that_turns_out_to_be_another_takes_its_references_along(room: Room) -> None:
    cites = (("doi", "10.1000/pots"),)
    fill(room.database, [record(1)], NOW)
    fill(room.database, [record(2, identifiers={"doi": "10.1000/two"}, references=cites)], NOW)
    both = {"arxiv": "2601.00001", "doi": "10.1000/two"}
    fill(room.database, [record(3, identifiers=both)], NOW)
    (paper_id,) = papers(room).values()
    assert kept(room, paper_id) == {(paper_id, cites[0], None)}
