"""Sentences that resemble the others."""

from paperround.evaluate.gist import central
from paperround.papers.gist_features import split_sentences


def chosen(text: str, most: int) -> list[str]:
    return [one.text for one in central(split_sentences(text), most)]


def test_the_sentence_that_shares_words_with_all_others_is_most_central() -> None:
    middle = "Dense matching needs images."
    text = f"Matching dates back. {middle} Some images remain. Nothing else counts here."
    assert chosen(text, 1) == [middle]


def test_sentences_that_share_nothing_keep_their_order() -> None:
    assert chosen("Alpha beta. Gamma delta. Kappa sigma.", 2) == ["Alpha beta.", "Gamma delta."]


def test_no_sentence_and_short_words_do_no_harm() -> None:
    assert chosen("", 2) == []
    assert chosen("It is. It was.", 1) == ["It is."]
