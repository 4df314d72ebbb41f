"""What a taste is made of: searches in the letters of whoever wrote them."""

import pytest

from paperround.subscribers.keywords import read_keywords


@pytest.mark.parametrize(
    ("search", "wanted"),
    [
        ("RLHF", "RLHF"),
        ("graph AND Attention NOT survey", "graph Attention"),
        ("title:“Sensor Fusion” OR Caf\u00e9", "Sensor Fusion Caf\u00e9"),
        ("author:Knuth", ""),
    ],
)
def test_the_words_of_a_search_are_as_they_were_written(search: str, wanted: str) -> None:
    assert read_keywords(search).wanted == wanted
