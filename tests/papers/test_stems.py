"""Words and their stems, held against the stemmer of SQLite's own index."""

import sqlite3
from contextlib import closing

import pytest

from paperround.papers.stems import stem, words

FORMS = """
caresses ponies ties caress cats feed agreed plastered bled motoring sing conflated troubled sized
hopping tanned falling hissing fizzed failing filing happy sky relational conditional rational
valenci hesitanci digitizer conformabli radicalli differentli vileli analogousli vietnamization
predication operator feudalism decisiveness hopefulness callousness formaliti sensitiviti
sensibiliti triplicate formative formalize electriciti electrical hopeful goodness revival
allowance inference airliner gyroscopic adjustable defensible irritant replacement adjustment
dependent adoption homologou communism activate angulariti homologous effective bowdlerize probate
rate cease controll roll retrieval retrieving retrieves ranked ranking rankings networks
generalizations oscillators analogies biology eyes by yyy ion a is
""".split()


def test_every_form_has_the_stem_that_the_index_gives_it() -> None:
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute("CREATE VIRTUAL TABLE f USING fts5 (x, tokenize='porter unicode61')")
        connection.executemany("INSERT INTO f (rowid, x) VALUES (?, ?)", enumerate(FORMS))
        connection.execute("CREATE VIRTUAL TABLE v USING fts5vocab (f, 'instance')")
        found = connection.execute("SELECT term, doc FROM v").fetchall()
    assert {FORMS[place]: term for term, place in found} == {one: stem(one) for one in FORMS}


@pytest.mark.parametrize("word", ["gpt4", "3d", "überraschung", "語", "ok"])
def test_what_is_no_english_word_stays(word: str) -> None:
    assert stem(word) == word


def test_accents_case_and_marks_make_no_difference() -> None:
    assert words("Erdős–Rényi: ZERO-shot, e\u0301tude_1 ﬁt") == [
        *("erdos", "renyi", "zero", "shot", "etude", "1", "fit"),
    ]
