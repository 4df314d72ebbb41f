"""Which words of titles may correct a misspelt one."""

from paperround.papers.search import title_words


def test_words_of_titles_are_those_worth_a_guess() -> None:
    titles = ["Dense retrieval of the BERT-4 kind", "Für ihn"]
    assert title_words(titles) == {"dense", "retrieval", "bert", "kind"}
