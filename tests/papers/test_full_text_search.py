"""Searching as a visitor does: pages, excerpts within a source's terms, and spelling help."""

import re
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from paperround.db.transactions import Database
from paperround.feeds.formats.html_page import read_page
from paperround.feeds.ingest import ingest
from paperround.papers.model import Paper, PaperId, Show
from paperround.papers.search_service import FEW_RESULTS, LOOKED_AT, SearchPage
from paperround.papers.search_service import search as search_papers
from paperround.papers.store.papers import PaperStore
from paperround.papers.store.search import MOST_PARTIAL
from paperround.ranking.relevance import by_relevance
from tests.builders import NOW, paper, write


def search(database: Database, text: str, *, limit: int = 20, offset: int = 0) -> SearchPage:
    return search_papers(database, by_relevance, text, limit=limit, offset=offset)


def keep(database: Database, *papers: Paper) -> tuple[PaperId, ...]:
    with database.writing() as work:
        real = work[PaperStore].save([write(one) for one in papers], now=NOW)
    return tuple(real[one.id] for one in papers)


def excerpt(page: SearchPage) -> str:
    return "".join(piece for piece, _ in page.hits[0].excerpt)


@pytest.mark.accept("F16", part="pages")
def test_pages_follow_each_other_without_a_gap_or_a_repeat(database: Database) -> None:
    many = LOOKED_AT + 25
    ids = keep(database, *(paper(number) for number in range(1, many + 1)))
    pages = [search(database, "things", limit=10, offset=offset) for offset in range(0, many, 10)]
    shown = [hit.paper.id for page in pages for hit in page.hits]
    assert sorted(shown) == sorted(ids)
    assert {page.total for page in pages} == {many}
    assert [page.is_last for page in pages] == [False] * (len(pages) - 1) + [True]


def test_the_best_of_the_index_are_put_in_order_whatever_page_is_asked_for(
    database: Database,
) -> None:
    weak = [paper(n, title="A thing", abstract="dense " * 3 + "x " * n) for n in range(1, 30)]
    keep(database, *weak, paper(30, title="Dense", abstract="short"))
    whole = [hit.paper.id for hit in search(database, "dense", limit=30).hits]
    halves = [search(database, "dense", limit=15, offset=offset) for offset in (0, 15)]
    assert [hit.paper.id for page in halves for hit in page.hits] == whole


@pytest.mark.accept("F16", part="pages")
def test_papers_that_come_meanwhile_shift_no_page(database: Database) -> None:
    ids = keep(database, *(paper(number) for number in range(1, 31)))
    first = search(database, "things", limit=10)
    keep(database, *(paper(number, title="Things, things") for number in range(31, 41)))
    then = search_papers(database, by_relevance, "things", limit=20, offset=10, upto=first.upto)
    assert (then.total, then.is_last) == (30, True)
    shown = [hit.paper.id for page in (first, then) for hit in page.hits]
    assert sorted(shown) == sorted(ids)
    assert search(database, "things", limit=10).hits[0].paper.title == "Things, things"


@pytest.mark.accept("F16", part="pages")
def test_equally_good_papers_come_in_one_order(database: Database) -> None:
    ids = keep(database, *(paper(number, title="Things") for number in range(1, 91)))
    orders = [[hit.paper.id for hit in search(database, "things", limit=90).hits] for _ in "ab"]
    assert orders[0] == orders[1]
    assert orders[0][LOOKED_AT:] == sorted(ids)[LOOKED_AT:], "by id, as the index has them"


def test_where_few_papers_fit_those_follow_whose_words_begin_alike(database: Database) -> None:
    ids = keep(
        database,
        paper(1, title="DenseFormer", abstract="Costume."),
        paper(2, title="Dense things", abstract=""),
        paper(3, title="Sparse", abstract="art artful"),
    )
    page = search(database, "dense")
    assert [hit.paper.id for hit in page.hits] == [ids[1], ids[0]]
    assert page.total == 2
    assert ("DenseFormer", True) in page.hits[1].title
    assert [hit.paper.id for hit in search(database, "artf +art").hits] == [ids[2]]
    assert search(database, "spa").hits == (), "too many words begin so"
    assert search(database, "+spars").hits == ()


def written(*abstracts: tuple[str, int]) -> list[Paper]:
    """So many papers of each abstract, after fifty about something else."""
    each = [text for text, times in (("Leaves of plants.", 50), *abstracts) for _ in range(times)]
    return [paper(n, title=f"Paper {n}", abstract=text) for n, text in enumerate(each, start=1)]


def abstracts(page: SearchPage) -> dict[str, int]:
    return dict(Counter(hit.paper.abstract for hit in page.hits))


@pytest.mark.accept("F16", part="counted", mutant="a-search-counts-whatever-has-one-of-its-words")
def test_only_papers_with_all_words_are_found_and_counted_where_there_are_enough(
    database: Database,
) -> None:
    keep(database, *written(("Dense cost.", FEW_RESULTS), ("Dense.", 9), ("The cost.", 90)))
    found = search(database, "dense cost", limit=200)
    assert (found.total, abstracts(found)) == (FEW_RESULTS, {"Dense cost.": FEW_RESULTS})
    assert search(database, "dense cost nowhere").total == FEW_RESULTS, "a word that none has"
    assert search(database, "dense OR cost").total == FEW_RESULTS + 99


@pytest.mark.accept("F16", part="counted", mutant="few-papers-with-all-words-stay-alone")
def test_where_few_papers_have_all_words_those_with_the_rare_ones_follow(
    database: Database,
) -> None:
    keep(database, *written(("Dense cost.", 5), ("Dense.", 60), ("A cost.", 400)))
    found = search(database, "dense cost", limit=500)
    assert (found.total, abstracts(found)) == (65, {"Dense cost.": 5, "Dense.": 60})
    last = search(database, "dense cost", limit=60, offset=60)
    assert (len(last.hits), last.is_last) == (5, True)


@pytest.mark.accept("F16", part="counted", mutant="any-word-finds-without-an-end")
def test_where_those_are_few_too_the_best_with_any_word_are_found(database: Database) -> None:
    keep(database, *written(("Dense cost.", 5), ("Dense.", 9), ("A cost.", 400)))
    found = search(database, "dense cost", limit=500)
    assert found.total == len(found.hits) == MOST_PARTIAL
    assert {hit.paper.abstract for hit in found.hits[:14]} == {"Dense cost.", "Dense."}
    deep = search(database, "dense cost", offset=MOST_PARTIAL)
    assert (deep.hits, deep.is_last) == ((), True)


@pytest.mark.accept("F16", part="seed", mutant="the-best-hits-come-in-any-order")
def test_the_lexical_hits_of_the_seed_are_found_with_those_that_have_both_words_first(
    sqlite_database: Database, real_data: Path
) -> None:
    page = (real_data / "seed" / "trending_papers_page.txt").read_bytes()
    ingest(
        read_page(page),
        database=sqlite_database,
        feed_name="file:page",
        feed_kind="file",
        source="seed",
        captured_at=NOW,
        now=NOW,
    )
    found = search(sqlite_database, "dense cost", limit=120)
    texts = [f"{hit.paper.title} {hit.paper.abstract}".lower() for hit in found.hits]
    assert sum("dense" in text or "cost" in text for text in texts) == 108
    assert found.total == len(texts) == 109
    words = [bool(re.search(r"\bdense", text)) + bool(re.search(r"\bcost", text)) for text in texts]
    assert words.count(0) == 1, "it only holds a form of one of them"
    assert set(words[:5]) == {2}
    assert words.index(0) > max(place for place, found in enumerate(words) if found == 2)
    noise = [place for place, found in enumerate(words) if found == 0]
    assert min(noise) >= 90


@pytest.mark.accept("F16", part="snippets")
def test_an_excerpt_shows_no_more_than_the_source_allows(database: Database) -> None:
    abstract = "Words come first. We propose a dense method that halves the cost. More follows."
    (one,) = keep(database, paper(abstract=abstract))
    assert excerpt(search(database, "things")) == abstract
    for show in (Show.GIST, Show.LINK):
        with database.writing() as work:
            stored = work[PaperStore].load([one])[one]
            work[PaperStore].save([write(replace(stored, show=show))], now=NOW)
        shown = excerpt(search(database, "first"))
        assert len(shown) < len(abstract)
        assert (shown == "") == (show is Show.LINK)


@pytest.mark.accept("F16", part="spelling")
def test_a_word_that_nobody_wrote_is_corrected_where_one_is_near(database: Database) -> None:
    keep(database, paper(title="Retrieval with dense vectors"))
    assert search(database, "Retreival WITH densse").suggestion == "retrieval WITH dense"
    assert search(database, "retreival -vectors").suggestion == "retrieval -vectors"
    assert search(database, "retrieval").suggestion == ""
    assert search(database, "zzzzzz").suggestion == ""
    assert search(database, "").suggestion == ""


@pytest.mark.parametrize("typo", ["retreival", "retrival", "retrieeval", "retrzeval"])
def test_a_swapped_missing_doubled_or_wrong_letter_is_corrected(
    database: Database, typo: str
) -> None:
    keep(database, paper(title="Retrieval of reprieved returns"))
    assert search(database, typo).suggestion == "retrieval"


def test_of_words_as_near_the_most_frequent_is_suggested(database: Database) -> None:
    keep(database, paper(1, title="Model"), paper(2, title="Modem"), paper(3, title="Models"))
    assert search(database, "modeq").suggestion == "model"


def test_only_so_many_words_of_a_query_are_guessed_at(database: Database) -> None:
    keep(database, paper(title="Retrieval with dense vectors"))
    guessed = search(database, " ".join(f"unknown{'x' * n}" for n in range(8)) + " retreival")
    assert guessed.suggestion == ""


def test_a_word_that_is_no_longer_anywhere_is_not_suggested(database: Database) -> None:
    (one,) = keep(database, paper(title="Retrieval"))
    with database.writing() as work:
        work[PaperStore].save([write(paper(id=one, title="Stars"), text_changed=True)], now=NOW)
    assert search(database, "retreival").suggestion == ""
