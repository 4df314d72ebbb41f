"""Sentences that were frozen in English are read back and said in a reader's language."""

import itertools
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperround.domain.editions import Candidate
from paperround.domain.feed_outlook import source_lines
from paperround.domain.feeds import FeedHealth
from paperround.domain.finder import Findable, Finder
from paperround.domain.interests import Interest, InterestKind
from paperround.domain.papers import FeedId, PaperId
from paperround.domain.risers import _said, dated
from paperround.domain.wishes import Wishes, sight_of
from paperround.languages.extraction import OTHERS
from paperround.languages.frozen import JOINT, author_told, reason_said, reason_told, source_said
from paperround.languages.tongue import Tongue, tongue
from paperround.ranking.bursts import Burst
from paperround.ranking.opinions import _in_words, _like_given
from paperround.ranking.query import Match
from paperround.ranking.reasons import reason_for
from tests.domain.feeds import feed
from tests.ranking.builders import NOW, candidate, listed, only, rank, seen

ROOT = Path(__file__).resolve().parents[2]
GERMAN = tongue("de")
BACK = Tongue("en")
"""English that says anew what it reads, as the other languages do."""
BACK.is_english = False


def reasons() -> Iterator[str]:
    """A sentence of every kind, from those who write them."""
    yield from map(_reason, _voted())
    yield from _of_authors_and_topics()
    yield from _of_old_editions()
    yield from _of_risers()
    yield from _of_wishes()
    yield from _of_tastes()
    yield Match(part=1.0, words=("graph", "attention")).reason


def _reason(one: Candidate) -> str:
    return only(rank([one])).reason


def _voted() -> Iterator[Candidate]:
    morning = NOW - timedelta(hours=14)
    yield candidate(1, seen(42, hours_ago=24), seen(1082), **listed(2))
    yield candidate(1, seen(5, hours_ago=5), seen(9), **listed(2))
    yield candidate(1, seen(5, hours_ago=1), seen(9), **listed(2))
    yield candidate(1, seen(5, hours_ago=72), seen(9), **listed(4))
    yield candidate(1, seen(14), counts_from=NOW - timedelta(hours=5, minutes=30))
    yield candidate(1, seen(60, 5), counts_from=morning, listed_on=morning.date())
    yield candidate(1, seen(6, 13), counts_from=morning, listed_on=morning.date())
    yield candidate(1, seen(1))
    yield candidate(1, seen(3), **listed(1))
    yield candidate(1, seen(1200, hours_ago=48), **listed(3))
    yield candidate(1, seen(9, hours_ago=24), seen(7), **listed(3))


def _of_authors_and_topics() -> Iterator[str]:
    paper = candidate(1).paper
    yield reason_for(paper, None, (), NOW, "Ada Lovelace")
    burst = Burst(term="paper", papers=4, cohort=20, earlier=1, background=900, strength=1.0)
    yield reason_for(replace(paper, title="A paper"), None, (burst,), NOW)


def _of_old_editions() -> Iterator[str]:
    """What is not said any more, and still read where an old edition says it."""
    yield from ("new today", "listed yesterday", "first seen 1,200 days ago")
    for whose in ("by Ada Lovelace", "by its first author", "with code", "with “sparse attention”"):
        for earlier in ("an earlier paper", "1,280 earlier papers"):
            yield f"{earlier} here {whose} drew 1.6 times the usual votes"
    yield "shares “optical “flow”” with 3 of 1,019 others"
    for share in ("none in the 1,190 papers before", "0.83 % of the 1,190 before"):
        yield f"burst: “optical flow” in 4 of 1,020 papers ({share})"


def _of_risers() -> Iterator[str]:
    for votes, earlier in ((1, None), (1041, 12)):
        said = _said("yesterday", votes, earlier)
        yield said
        yield _said("Thursday", votes, earlier)
        yield from (dated(said, date(2026, 1, 26) + timedelta(days=day)) for day in range(7))


def _of_wishes() -> Iterator[str]:
    paper = Findable(
        paper_id=PaperId(1),
        title="Graphs with attention",
        abstract="A tree, too.",
        authors=("Ada Lovelace",),
        categories=("cs.LG",),
    )
    said = (
        Interest(InterestKind.AUTHOR, "Ada Lovelace"),
        Interest(InterestKind.CATEGORY, "cs.LG"),
        Interest(InterestKind.KEYWORD, "graphs"),
        Interest(InterestKind.KEYWORD, "(graph OR tree) attention"),
        Interest(InterestKind.KEYWORD, "NOT survey"),
    )
    wishes = [Wishes(interests=(one,)) for one in said]
    for wish in (*wishes, Wishes(topics=("attention",))):
        yield sight_of(wish, Finder([paper])).reason(0)


def _of_tastes() -> Iterator[str]:
    for quoted, is_topic in itertools.product(("", "“graph”", "“graph”, “tree”"), (True, False)):
        yield _in_words(quoted, is_topic=is_topic)
        yield _like_given(quoted, "Graphs · A “Short” Walk")


EVERY = sorted(set(filter(None, reasons())))


@pytest.mark.accept("F26", part="reasons")
def test_every_reason_is_read_and_said_in_every_language() -> None:
    said = [
        (one, lang) for one in EVERY for lang in OTHERS if reason_said(tongue(lang), one) == one
    ]
    assert said == []


def test_what_was_read_of_a_reason_is_all_of_it() -> None:
    def told(text: str) -> str:
        return text.replace(" and “", ", “")

    assert [one for one in EVERY if told(reason_said(BACK, one)) != told(one)] == []


def test_a_reason_of_several_parts_is_said_part_by_part() -> None:
    frozen = "like “A · B”, which you gave · your topic “graphs” · 1,041 votes, 12 since yesterday"
    assert reason_said(GERMAN, frozen) == (
        "ähnlich wie „A · B“, von Ihnen genannt · Ihr Thema „graphs“"
        " · 1.041 Stimmen, 12 davon seit gestern"
    )


def test_numbers_days_and_plurals_are_those_of_the_language() -> None:
    frozen = ("1 vote by 5 Mar", "1,234 votes in its first 3 hours, listed 5 Mar")
    assert [reason_said(GERMAN, one) for one in frozen] == [
        "1 Stimme bis 5. März",
        "1.234 Stimmen in den ersten 3 Stunden, gelistet am 5. März",
    ]
    rose = "rose since Thursday: 1,234 votes, 40 new"
    assert [reason_said(tongue(language), rose) for language in ("fr", "es", "zh-Hans")] == [
        "en hausse depuis jeudi\u00a0: 1\u202f234 votes, dont 40 nouveaux",
        "sube desde el jueves: 1.234 votos, 40 nuevos",
        "星期四以来上升：1,234 票，新增 40",
    ]


def test_what_no_form_reads_is_said_as_it_was_frozen() -> None:
    frozen = "picked by hand · 41 votes, new today"
    assert reason_said(GERMAN, frozen) == "picked by hand · 41 Stimmen, heute neu"
    assert reason_said(GERMAN, "") == ""


@pytest.mark.parametrize("title", ["5 votes by 31 Feb", "7 votes in its first hour, listed 0 May"])
def test_a_title_that_looks_like_a_reason_of_a_day_there_is_not_stops_no_mail(title: str) -> None:
    frozen = f"like “{JOINT.join('ABCDEFGH')}{JOINT}{title}{JOINT}x”, which you gave"
    assert reason_said(GERMAN, frozen) == frozen


@pytest.mark.accept("Q17", part="old editions", mutant="an-old-reason-is-told")
@pytest.mark.parametrize("old", sorted(_of_old_editions()))
def test_a_digest_shows_no_reason_of_a_kind_that_is_not_told_any_more(old: str) -> None:
    assert reason_told(old) == ""
    assert reason_told(f"{old} · your topic “graphs”") == "your topic “graphs”"


def test_a_digest_shows_one_reason_the_first() -> None:
    given = "like “A · B”, which you gave"
    assert reason_told(f"{given} · 1,041 votes, 12 since yesterday") == given
    assert reason_told("rose since Monday: 8 votes, 2 new") == "rose since Monday: 8 votes, 2 new"
    assert reason_told("picked by hand") == reason_told("") == ""


def test_the_author_a_reason_names_is_known() -> None:
    assert author_told("by Ada Lovelace, whom you follow") == "Ada Lovelace"
    assert author_told("from Bo Ek, whose papers are often popular here") == "Bo Ek"
    assert author_told("your topic “by Ada, whom you follow”") == ""


@given(st.text(max_size=120))
def test_any_text_is_said(text: str) -> None:
    assert isinstance(reason_said(GERMAN, text), str)
    assert reason_told(text) in text
    assert isinstance(source_said(GERMAN, text), str)
    assert reason_said(tongue("en"), text) == text


@given(st.text("%()s{}“”· aé", max_size=40).filter(str.strip))
def test_words_of_a_reader_are_never_read_as_places(words: str) -> None:
    said = reason_said(GERMAN, f"your topic “{words}”")
    assert words in said or JOINT in words


@pytest.mark.accept("F26", part="reasons")
@pytest.mark.parametrize("health", list(FeedHealth))
def test_how_a_source_did_is_said_in_every_language(health: FeedHealth) -> None:
    for brought, news, gone in itertools.product((0, 1234), (None, NOW), (None, NOW)):
        one = feed(health, last_news_at=news, gone_at=gone)
        (line,) = source_lines([one], {FeedId(1): brought})
        assert source_said(BACK, line) == line
        for language in OTHERS:
            assert source_said(tongue(language), line) != line
