"""Excerpts, and the words in them that were looked for."""

from paperround.papers.search import parse_query
from paperround.papers.search_service import EXCERPT_LENGTH, Marker

FILLER = "Nothing here is of any interest to those who ask. " * 12


def found(text: str, query: str) -> list[str]:
    return [piece for piece, is_found in Marker(parse_query(query)).marked(text) if is_found]


def test_other_forms_of_a_word_are_marked_and_parts_of_words_are_not() -> None:
    assert found("Ranking ranks, not Frankfurt", "ranked") == ["Ranking", "ranks"]
    assert found("Retrievers retrieve", "retriev*") == ["Retrievers", "retrieve"]
    assert found("The cost of it", "the cost of") == ["cost"]


def test_the_pieces_together_are_the_text() -> None:
    text = "Dense <b>retrieval</b> & cost"
    pieces = Marker(parse_query("dense cost")).marked(text)
    assert "".join(piece for piece, _ in pieces) == text
    assert Marker(parse_query("x")).marked("") == ()


def test_an_excerpt_shows_where_most_of_the_words_stand() -> None:
    text = f"Dense things. {FILLER}Here dense retrieval has its cost. {FILLER}"
    pieces = Marker(parse_query("dense retrieval cost")).excerpt(text)
    shown = "".join(piece for piece, _ in pieces)
    assert [piece for piece, is_found in pieces if is_found] == ["dense", "retrieval", "cost"]
    assert len(shown) <= EXCERPT_LENGTH + 4
    assert shown.startswith("… ")
    assert shown.endswith(" …")
    assert shown[2:-2] in text


def test_a_short_text_is_its_own_excerpt_and_one_without_the_words_begins_at_its_start() -> None:
    assert Marker(parse_query("x")).excerpt("A short one.") == (("A short one.", False),)
    shown = Marker(parse_query("absent")).excerpt(FILLER)[0][0]
    assert shown.startswith("Nothing here")
    assert Marker(parse_query("absent")).excerpt("x" * 900)[0][0].endswith(" …")
