"""What arXiv's feeds and its API have in common."""

import pytest

from paperround.feeds.formats.arxiv import CATEGORY, arxiv_record, author_names
from paperround.papers.text import author_name


@pytest.mark.parametrize(
    ("joined", "names"),
    [
        ("Ada Lovelace, Alan Turing", ["Ada Lovelace", "Alan Turing"]),
        ("Ada Lovelace (Analytical, London), Alan Turing", ["Ada Lovelace", "Alan Turing"]),
        ("A One (Inst (IAS), NJ), B Two (1) ((1) MIT, (2) ETH)", ["A One", "B Two"]),
        ("A One (never closed, B Two", ["A One", "B Two"]),
        ("Bob Smith, Jr., C Three, III", ["Bob Smith Jr.", "C Three III"]),
        ("", []),
        (" , ,", []),
        ("0", ["0"]),
    ],
)
def test_joined_names_are_parted_and_lose_their_affiliations(joined: str, names: list[str]) -> None:
    assert author_names(joined) == names


def test_accents_in_tex_are_kept_for_the_repair_of_names() -> None:
    names = author_names(r"Andr\'e Weil, Ji\v{r}\'i Hor\'a\v{c}ek (Brno)")
    assert list(map(author_name, names)) == ["André Weil", "Jiří Horáček"]


def test_three_hundred_authors_and_endless_parentheses_cost_little() -> None:
    assert len(author_names(", ".join(f"A{n} (X, Y)" for n in range(300)))) == 300
    assert author_names("(" * 300_000 + "A") == []


@pytest.mark.accept("F07", part="arxiv withdrawals")
@pytest.mark.parametrize(
    ("text", "withdrawn"),
    [
        ("This paper has been withdrawn", True),
        ("  This paper has\n  been withdrawn by the author due to an error", True),
        ("Withdrawn: the proof of Lemma 2 is wrong", True),
        ("Withdrawn from ICML; 9 pages", False),
        ("This paper was withdrawn from the workshop by choice", False),
        ("We study papers that have been withdrawn", False),
        ("12 pages", False),
    ],
)
def test_a_withdrawal_is_flagged_where_it_is_said_first(text: str, withdrawn: bool) -> None:
    for key in ("comment", "abstract"):
        record = arxiv_record({"id": "2601.00001v2", "title": "T", key: text})
        assert record.withdrawn is withdrawn


@pytest.mark.accept("F07", part="arxiv identifiers")
@pytest.mark.parametrize(
    ("doi", "identifiers"),
    [
        ("10.1038/S41586", {"doi": "10.1038/s41586", "arxiv": "2601.00001"}),
        ("10.1000/a 10.1000/b", {"doi": "10.1000/a", "arxiv": "2601.00001"}),
        ("10.48550/arXiv.2601.00001", {"arxiv": "2601.00001"}),
        ("not one", {"arxiv": "2601.00001"}),
    ],
)
def test_a_doi_stands_beside_the_arxiv_id(doi: str, identifiers: dict[str, str]) -> None:
    assert arxiv_record({"id": "2601.00001v1", "title": "T", "doi": doi}).identifiers == identifiers


def test_a_journal_reference_stands_in_the_comment() -> None:
    entry = {"id": "2601.00001", "title": "T", "comment": "9 pages", "journal": "Nature 1"}
    assert arxiv_record(entry).comment == "9 pages; Journal reference: Nature 1"


@pytest.mark.parametrize("other", ["", "68T07", "I.2.7", "cs.AI+cs.LG", "cs.AI/../x", "CS", "cs."])
def test_other_classifications_do_not(other: str) -> None:
    assert not CATEGORY.fullmatch(other)
