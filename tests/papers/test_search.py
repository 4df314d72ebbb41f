"""What a query says, and that anything typed is a query."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperround.papers.search import (
    LONGEST_TEXT,
    MOST_EXPENSIVE,
    MOST_TERMS,
    MOST_WEIGHED,
    Filters,
    QueryPlace,
    Term,
    narrowed,
    parse_query,
    rarity,
    with_prefixes,
    without_filters,
)


def term(*said: str, starts: bool = False, place: QueryPlace | None = None) -> Term:
    return Term(words=said, starts=starts, place=place)


def test_words_are_looked_for_one_by_one_and_filler_is_not() -> None:
    query = parse_query("The cost of dense retrieval")
    assert query.optional == (term("cost"), term("dense"), term("retrieval"))
    assert (query.required, query.excluded) == ((), ())


def test_filler_counts_when_there_is_nothing_else() -> None:
    assert parse_query("to be or not").optional == (term("to"), term("be"), term("or"), term("not"))


def test_words_side_by_side_are_pairs_filler_too_unless_something_stands_between() -> None:
    assert parse_query("state of the art").pairs == (("state", "of"), ("of", "the"), ("the", "art"))
    assert parse_query('zero-shot: "dense texts"').pairs == (
        ("zero", "shot"),
        ("shot", "dense"),
        ("dense", "texts"),
    )
    assert parse_query("a b a b").pairs == (("a", "b"), ("b", "a"))
    assert parse_query("dense -sparse texts").pairs == ()
    assert parse_query("dense AND texts").pairs == ()
    assert parse_query("dense feed:arxiv texts").pairs == ()


def test_a_phrase_keeps_its_filler_and_an_open_one_ends_with_the_text() -> None:
    assert parse_query('"state of the art" x').optional[0] == term("state", "of", "the", "art")
    assert parse_query('x "dense retrieval').optional == (term("x"), term("dense", "retrieval"))


def test_a_star_asks_for_every_word_that_starts_so() -> None:
    assert parse_query("retriev*").optional == (term("retriev", starts=True),)
    assert parse_query("r*").optional == (term("r"),)


@pytest.mark.parametrize("text", ["+dense -sparse cost", "dense AND cost NOT sparse"])
def test_signs_and_words_between_say_what_must_and_must_not_be(text: str) -> None:
    query = parse_query(text)
    assert term("dense") in query.required
    assert query.excluded == (term("sparse"),)
    assert term("cost") in query.wanted


def test_and_requires_what_it_joins_and_nothing_else() -> None:
    query = parse_query("cheap dense AND sparse texts")
    assert query.required == (term("dense"), term("sparse"))
    assert query.optional == (term("cheap"), term("texts"))


def test_a_hyphen_within_a_word_is_no_sign() -> None:
    query = parse_query("zero-shot state - of")
    assert query.optional == (term("zero"), term("shot"), term("state"))
    assert query.excluded == ()


def test_a_name_before_a_colon_says_where() -> None:
    query = parse_query('title:"dense retrieval" author:Knuth abstract:cost else:where')
    assert query.optional == (
        term("dense", "retrieval", place=QueryPlace.TITLE),
        term("knuth", place=QueryPlace.AUTHOR),
        term("cost", place=QueryPlace.ABSTRACT),
        term("else"),
    )


def test_filters_stand_in_the_text_and_those_beside_it_come_first() -> None:
    text = "dense category:cs.LG feed:arxiv after:2026-01-01 before:2026-02-30"
    query = parse_query(text, Filters(feed="hf"))
    assert query.filters == Filters(category="cs.LG", feed="hf", after=date(2026, 1, 1))
    assert query.optional[0] == term("dense")
    assert term("2026") in query.optional, "a day that is none is a word like any other"


def test_what_was_said_twice_is_asked_once_and_counts_twice() -> None:
    query = parse_query("dense dense cost")
    assert query.optional == (term("dense"), term("cost"))
    assert query.times == {term("dense"): 2}


def test_a_wider_query_takes_words_for_beginnings_and_leaves_the_rest() -> None:
    query = parse_query('dense of-art "low cost" +must -not')
    assert with_prefixes(query).optional == (
        term("dense", starts=True),
        term("art"),
        term("low", "cost"),
    )
    assert (with_prefixes(query).required, with_prefixes(query).excluded) == (
        query.required,
        query.excluded,
    )


def test_a_text_without_words_asks_for_nothing() -> None:
    for text in ("", "  ", '"" + - * : ( ) \0', "-dense"):
        assert parse_query(text).wanted == ()


def test_a_query_has_an_end() -> None:
    many = parse_query(" ".join(f"w{number}" for number in range(10_000)))
    assert len(many.optional) == MOST_TERMS
    assert len(parse_query("x" * 10 * LONGEST_TEXT).optional[0].words[0]) <= 60


@pytest.mark.accept("F16", part="hostile queries")
@pytest.mark.parametrize("one", ["w{}*", '"w{} x"', "title:w{}"])
def test_what_costs_an_index_dearly_has_a_nearer_end(one: str) -> None:
    said = " ".join(one.format(number) for number in range(MOST_EXPENSIVE + 5))
    query = parse_query(f"{said} plain")
    assert len(query.optional) == MOST_EXPENSIVE + 1
    assert query.optional[-1] == term("plain")
    words = parse_query(" ".join(f"word{number}" for number in range(MOST_EXPENSIVE + 5)))
    assert sum(one.starts for one in with_prefixes(words).optional) == MOST_EXPENSIVE


@pytest.mark.accept("F16", part="hostile queries")
def test_musts_and_must_nots_count_towards_the_same_ends() -> None:
    numbers = range(MOST_EXPENSIVE)
    dear = parse_query(" ".join(f'"w{n} x" +"v{n} x" -"u{n} x"' for n in numbers))
    assert len(dear.wanted) + len(dear.excluded) == MOST_EXPENSIVE
    assert len(dear.required) == MOST_EXPENSIVE
    many = parse_query(" ".join(f"w{n} +v{n} -u{n}" for n in range(MOST_TERMS)))
    assert len(many.wanted) + len(many.excluded) == MOST_TERMS
    both = parse_query("dense +sparse -sparse")
    assert (both.required, both.excluded) == ((term("sparse"),), (term("sparse"),))


def test_a_query_can_be_asked_without_its_filters() -> None:
    text = 'dense "low cost" category:cs.LG title:x -feed:y after:2026-01-01 after:soon feed:z'
    assert without_filters(text) == 'dense "low cost" title:x -feed:y after:soon'
    assert without_filters("category:cs") == without_filters("") == ""


@pytest.mark.accept("F16", part="hostile queries")
@given(st.text(max_size=200))
def test_anything_typed_is_a_query_of_letters_and_digits(text: str) -> None:
    query = parse_query(text)
    said = [word for one in (*query.wanted, *query.excluded) for word in one.words]
    assert all(word.isalnum() for word in said), said
    assert query.filters.category is None or query.filters.category.isprintable()


def test_a_word_tells_the_more_the_fewer_papers_have_it() -> None:
    assert rarity(1, 1000) > rarity(10, 1000) > rarity(1000, 1000) == 0
    assert rarity(5, 3) == 0, "the number of papers is an estimate"


@pytest.mark.accept("F16", part="counted")
def test_a_paper_needs_all_words_or_more_than_a_third_of_the_rarest() -> None:
    a, b, c, d = (term(letter) for letter in "abcd")
    assert list(narrowed({a: 3.0})) == [], "one word is all there is"
    assert list(narrowed({a: 3.0, b: 1.0, c: 1.0})) == [((a, b, c),), ((a,), (b, c))]
    assert list(narrowed(dict.fromkeys((a, b, c), 1.0)))[1] == ((a, b), (a, c), (b, c))
    assert list(narrowed({a: 1.0, b: 5.0, c: 2.0, d: 2.0}))[1] == ((b,), (c, d))


def test_only_the_rarest_words_of_a_long_text_decide() -> None:
    many = {term(f"w{number}"): float(100 - number) for number in range(20)}
    every, enough = narrowed(many)
    assert every == (tuple(many),)
    assert {one for terms in enough for one in terms} == set(list(many)[:MOST_WEIGHED])
