"""Interests: what somebody wrote, cleaned or refused."""

import pytest

from paperround.core.errors import InvalidInput
from paperround.subscribers.interests import (
    MOST_INTERESTS,
    MOST_TERMS,
    Interest,
    InterestKind,
    bounded,
    interest,
    interests_in,
    parse_interest,
    seed_identifier,
)

KEYWORD, SEED = InterestKind.KEYWORD, InterestKind.SEED


def test_lines_become_interests_and_blank_ones_are_passed_over() -> None:
    assert interests_in(KEYWORD, "graph  NOT survey\r\n\n tree ") == [
        Interest(KEYWORD, "graph NOT survey"),
        Interest(KEYWORD, "tree"),
    ]


@pytest.mark.accept("F13", part="choices")
def test_a_line_that_is_wrong_is_named_with_the_place_in_it() -> None:
    with pytest.raises(InvalidInput) as caught:
        interests_in(InterestKind.MUTE, 'graph\n\n"tree')
    assert caught.value.code == "mute"
    assert str(caught.value) == "line 3: the quote at character 1 is not closed"


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("2601.00001v2", "arxiv:2601.00001"),
        ("https://arxiv.org/abs/2601.00001", "arxiv:2601.00001"),
        ("arXiv:2601.00001", "arxiv:2601.00001"),
        ("https://doi.org/10.1000/ABC", "doi:10.1000/abc"),
        ("10.1101/2026.01.01.1", "biorxiv:10.1101/2026.01.01.1"),
        ("pmid:123", "pmid:123"),
        ("Attention: all you need", "Attention: all you need"),
        ("  A   title ", "A title"),
        ("- 2601.00001v2", "-arxiv:2601.00001"),
        ("-A title", "-A title"),
    ],
)
def test_a_paper_is_given_by_an_identifier_or_a_title(written: str, kept: str) -> None:
    assert interest(SEED, written).value == kept
    assert interest(SEED, kept).value == kept


def test_only_identifiers_and_addresses_name_a_paper() -> None:
    assert seed_identifier("Attention: all you need") is None
    assert seed_identifier("https://example.org/a") == ("url", "https://example.org/a")


@pytest.mark.parametrize("kind", InterestKind)
def test_an_interest_is_read_as_it_is_written(kind: InterestKind) -> None:
    one = interest(kind, "graph theory")
    assert parse_interest(str(one)) == one


@pytest.mark.parametrize("written", ["graph", "subject:graph", ":graph", ""])
def test_what_names_no_kind_is_refused_with_the_kinds(written: str) -> None:
    with pytest.raises(InvalidInput, match="keyword:, author:"):
        parse_interest(written)


@pytest.mark.parametrize("kind", InterestKind)
@pytest.mark.parametrize("value", ["x" * 1001, "a\x00b", " - ", ""])
def test_what_is_empty_too_long_or_unprintable_is_refused(kind: InterestKind, value: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        interest(kind, value)
    assert caught.value.code == kind


def test_each_is_kept_once_and_not_too_many() -> None:
    one = Interest(KEYWORD, "graph")
    assert bounded([one, one]) == (one,)
    many = [Interest(KEYWORD, f"graph{number}") for number in range(MOST_INTERESTS + 1)]
    assert len(bounded(many[1:])) == MOST_INTERESTS
    with pytest.raises(InvalidInput, match="use at most 200"):
        bounded(many)


@pytest.mark.accept("S16", part="bounds", mutant="searches-may-have-any-number-of-words")
def test_all_searches_together_have_a_bounded_number_of_words_and_phrases() -> None:
    lines = [" OR ".join(f"word{line}x{n}" for n in range(20)) for line in range(MOST_TERMS // 20)]
    searches = interests_in(KEYWORD, "\n".join(lines))
    assert len(bounded([*searches, interest(SEED, "A title of six words, say")])) == 21
    assert bounded([*searches, *searches]) == tuple(searches), "what is said twice counts once"
    for more in (interest(KEYWORD, "kites"), interest(InterestKind.MUTE, '"paper kites"')):
        with pytest.raises(InvalidInput) as caught:
            bounded([*searches, more])
        assert caught.value.code == "interests"
        assert str(caught.value) == (
            f"more than {MOST_TERMS} words and phrases in all searches: leave some out"
        )


@pytest.mark.accept("S16", part="bounds", mutant="every-line-is-read-before-they-are-counted")
def test_too_many_lines_are_refused_before_any_is_read() -> None:
    with pytest.raises(InvalidInput, match=f"201 lines in all: use at most {MOST_INTERESTS}"):
        interests_in(KEYWORD, '"not closed\n\n' * 201)


@pytest.mark.accept("F59", part="kept as written")
@pytest.mark.parametrize("kind", [InterestKind.FOCUS, InterestKind.AVOID])
def test_what_a_reader_writes_is_kept_as_written_line_by_line(kind: InterestKind) -> None:
    written = "I work on Graphs & “trees” (x > y).\r\n\r\n- not: AND OR, but papers"
    assert interests_in(kind, written) == [
        Interest(kind, "I work on Graphs & “trees” (x > y)."),
        Interest(kind, "- not: AND OR, but papers"),
    ]


@pytest.mark.accept("S16", part="bounds", mutant="a-statement-has-no-end")
@pytest.mark.parametrize("kind", [InterestKind.FOCUS, InterestKind.AVOID])
def test_all_lines_of_a_statement_together_are_a_few_sentences(kind: InterestKind) -> None:
    lines = [interest(kind, f"{n} " + "x" * 98) for n in range(10)]
    assert bounded([*lines, *lines]) == tuple(lines), "what is said twice counts once"
    with pytest.raises(InvalidInput, match="more than 1,000 characters") as caught:
        bounded([*lines, interest(kind, "y")])
    assert caught.value.code == kind
