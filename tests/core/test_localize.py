"""Reasons and states of sources are frozen as codes, and told in any language."""

import itertools
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperround.core.i18n.locale import locale_for
from paperround.core.i18n.localize import (
    MESSAGES,
    digest_reason,
    english_reason,
    localize_reason,
    localize_source,
)
from paperround.core.reasons import author_named, freeze, join_reasons, read_reasons
from paperround.editions.model import CHOSEN, Candidate
from paperround.editions.rank_changes import _risen_reason, dated
from paperround.feeds.model import FeedHealth
from paperround.feeds.outlook import feed_summaries
from paperround.papers.model import FeedId, PaperId
from paperround.personal.keyword_index import IndexedPaper, KeywordIndex
from paperround.personal.matches import ReaderPreferences, match_preferences
from paperround.plugins.demo.trial import rank_for
from paperround.ranking.bursts import Burst
from paperround.ranking.trending import reason_for
from paperround.subscribers.interests import Interest, InterestKind
from tests.feeds.builders import feed
from tests.ranking.ranked_papers import NOW, candidate, listed, only, rank, seen
from tools.words import OTHERS

ROOT = Path(__file__).resolve().parents[2]
GERMAN = locale_for("de")


def reasons() -> Iterator[str]:
    """A sentence of every kind, from those who write them."""
    yield from map(_reason, _voted())
    yield from _of_authors_and_topics()
    yield from _of_risers()
    yield from _of_wishes()
    yield from _of_tastes()
    named = candidate(1, title="Graph attention")
    yield rank_for("graph attention", [named], now=NOW).items[0].reason


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
    burst = Burst(term="graph paper", papers=4, cohort=20, earlier=1, background=900, strength=1.0)
    yield reason_for(replace(paper, title="Graph paper"), None, (burst,), NOW)


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
    today = date(2026, 1, 29)
    for before in (today - timedelta(days=1), today - timedelta(days=3)):
        for votes, earlier in ((1, None), (1041, 12)):
            said = _risen_reason(before, today, votes, earlier)
            yield said
            yield from (dated(said, date(2026, 1, 26) + timedelta(days=day)) for day in range(7))


def _of_wishes() -> Iterator[str]:
    paper = IndexedPaper(
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
    wishes = [ReaderPreferences(interests=(one,)) for one in said]
    for wish in (*wishes, ReaderPreferences(topics=("attention",))):
        yield match_preferences(wish, KeywordIndex([paper])).reason(0)


def _of_tastes() -> Iterator[str]:
    title = "Graphs · A “Short” Walk"
    yield freeze("followed.near", term="graph")
    for relation in ("yours", "saved", "given"):
        yield freeze(f"cites.{relation}", title=title)
    yield freeze("own_words.close", words=["kilns", "ash glazes"])
    yield freeze("colleagues.saved", num=3)
    for known_as in ("saved", "liked", "given", "own"):
        yield freeze(f"near_saved.to_{known_as}", title=title, term="graph attention")
    # of earlier releases
    yield freeze("near_saved.liked")
    yield freeze("followed.topics")
    yield freeze("near_saved.given", title=title)
    for words in (["graph"], ["graph", "tree"]):
        yield freeze("near_saved.liked_words", words=words)
        yield freeze("followed.topics_words", words=words)
        yield freeze("near_saved.given_words", words=words, title=title)
    yield CHOSEN


EVERY = sorted(set(filter(None, reasons())))
KINDS = frozenset(
    "votes rising_topic followed author near_saved cites own_words colleagues risen editor".split()
)
"""The kinds of reasons that a digest may show."""


def _of_sources() -> Iterator[str]:
    for health in FeedHealth:
        for brought, news, gone in itertools.product((0, 1234), (None, NOW), (None, NOW)):
            one = feed(health, last_news_at=news, gone_at=gone)
            yield from feed_summaries([one], {FeedId(1): brought})


@pytest.mark.accept("Q17", part="kinds")
def test_every_code_is_of_an_allowed_kind() -> None:
    assert {code.partition(".")[0] for code in MESSAGES} <= KINDS | {"source", "rank"}


def test_every_code_is_written_by_somebody_and_has_a_message() -> None:
    written = {one.code for line in EVERY for one in read_reasons(line)}
    written |= {read_reasons(line)[0].code for line in _of_sources()}
    assert written == {code for code in MESSAGES if not code.startswith("rank.")}


@pytest.mark.accept("F26", part="reasons")
def test_every_reason_is_told_in_every_language() -> None:
    english = {one: english_reason(one) for one in EVERY}
    same = [
        (said, lang)
        for one, said in english.items()
        for lang in OTHERS
        if localize_reason(locale_for(lang), one) == said
    ]
    assert same == []


def test_a_reason_of_several_parts_is_told_part_by_part() -> None:
    frozen = join_reasons(
        freeze("near_saved.given", title="A · B"),
        freeze("followed.topic", term="graphs"),
        "",
        freeze("votes.since_yesterday", votes=1041, gained=12),
    )
    assert localize_reason(GERMAN, frozen) == (
        "Ähnelt „A · B“, von Ihnen hinzugefügt · Zu Ihrem Thema „graphs“"
        " · 1.041 Stimmen, davon 12 seit gestern"
    )


def test_numbers_days_and_plurals_are_those_of_the_language() -> None:
    frozen = (
        freeze("votes.as_of", votes=1, day="2026-03-05"),
        freeze("votes.first_hours", votes=1234, num=3, day="2026-03-05"),
    )
    assert [localize_reason(GERMAN, one) for one in frozen] == [
        "1 Stimme (Stand 5. März)",
        "1.234 Stimmen in den ersten 3 Stunden, gelistet am 5. März",
    ]
    rose = freeze("risen.weekday_more", weekday=3, votes=1234, gained=40)
    assert [
        localize_reason(locale_for(language), rose) for language in ("fr", "es", "zh-Hans")
    ] == [
        "En hausse depuis jeudi\u00a0: 1\u202f234 votes (+40)",
        "Sube desde el jueves: 1.234 votos (+40)",
        "星期四以来热度上升：1,234 票，新增 40 票",
    ]


@pytest.mark.parametrize(
    "old", ["picked by hand", "[1, 2]", '["votes", 2]', "[", *_of_old_editions()]
)
def test_english_of_an_earlier_release_is_shown_as_it_is_on_pages(old: str) -> None:
    for language in OTHERS:
        assert localize_reason(locale_for(language), old) == old
        assert localize_source(locale_for(language), old) == old


@pytest.mark.accept("Q17", part="old editions", mutant="an-old-reason-is-told")
@pytest.mark.parametrize("old", sorted(_of_old_editions()))
def test_a_digest_shows_no_reason_of_a_kind_that_is_not_told_any_more(old: str) -> None:
    topic = freeze("followed.topic", term="graphs")
    assert digest_reason(old) == ""
    assert digest_reason(join_reasons(old, topic)) == topic


def test_a_digest_shows_one_reason_the_first() -> None:
    given = freeze("near_saved.given", title="A")
    assert digest_reason(join_reasons(given, freeze("votes.today", votes=3, num=2))) == given
    assert digest_reason("picked by hand") == digest_reason("") == ""
    assert digest_reason(freeze("of a later release", x=1)) == ""


def test_the_author_a_reason_names_is_known() -> None:
    assert author_named(freeze("author.followed", name="Ada Lovelace")) == "Ada Lovelace"
    popular = freeze("author.popular", name="Bo Ek")
    assert author_named(join_reasons(freeze("followed.topic", term="x"), popular)) == "Bo Ek"
    assert author_named(freeze("followed.topic", term="by Ada, whom you follow")) == ""


@given(st.text(max_size=120))
def test_any_text_is_told(text: str) -> None:
    assert localize_reason(GERMAN, text) == english_reason(text)
    assert digest_reason(text) == ""
    assert isinstance(localize_source(GERMAN, text), str)


@given(st.text('%()s{}“”· aé\n\\"[', max_size=40).filter(str.strip))
def test_words_of_a_reader_are_told_as_they_are(words: str) -> None:
    frozen = freeze("followed.topic", term=words)
    assert localize_reason(GERMAN, frozen) == f"Zu Ihrem Thema „{words}“"


@pytest.mark.accept("F26", part="reasons")
def test_how_a_source_did_is_told_in_every_language() -> None:
    for line in set(_of_sources()):
        said = localize_source(locale_for("en"), line)
        for language in OTHERS:
            assert localize_source(locale_for(language), line) != said
