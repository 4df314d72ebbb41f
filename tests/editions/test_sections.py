"""Which section a paper stands in, and in which order: by facts that were frozen."""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperround.core.i18n.locale import locale_for
from paperround.core.reasons import freeze, join_reasons
from paperround.editions.labels import localized_age
from paperround.editions.model import TrendingPeriod
from paperround.editions.sections import (
    STRONG_LIKENESS,
    Section,
    age_of,
    headings,
    listing_of,
    order_of,
    section_of,
)
from tests.builders import paper

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
FOLLOWED = freeze("author.followed", name="Ada Ring")
TOPIC = freeze("followed.topic", term="kites")
SEARCH = freeze("followed.search_found", search="kites", words=["kite"])
CATEGORY = freeze("followed.category", name="cs.LG")
LIKED = freeze("near_saved.liked_words", words=["model"])
NEAR_TOPIC = freeze("followed.near", term="kites")
NEAR_TOPICS = freeze("followed.topics_words", words=["model"])
VOTES = freeze("votes.today", votes=3, num=2)
REASONS = st.lists(
    st.sampled_from([VOTES, FOLLOWED, TOPIC, SEARCH, CATEGORY, LIKED, NEAR_TOPICS, "Upvoted"])
).map(lambda lines: join_reasons(*lines))


@dataclass(frozen=True)
class Facts:
    title: str = "Kites over graphs"
    votes: int | None = None
    listed: str = (NOON - HOUR).isoformat()
    reason: str = ""


def section(
    votes: int | None = None,
    listed: datetime | date = NOON - HOUR,
    *,
    reason: str = "",
    worth: float = 0.0,
    period: TrendingPeriod = TrendingPeriod.DAY,
    title: str = "Kites over graphs",
) -> Section:
    facts = Facts(title, votes, listed.isoformat())
    return section_of(facts, reason=reason, worth=worth, as_of=NOON, period=period)


@pytest.mark.accept("F18", part="sections")
def test_votes_and_listing_decide_where_a_paper_stands() -> None:
    assert section(5) is Section.TRENDING
    assert section(5, NOON - 35 * HOUR) is Section.TRENDING
    assert section(5, NOON - 37 * HOUR) is Section.RISING
    assert section() is Section.NEW
    assert section(listed=NOON - 25 * HOUR) is Section.OLDER


@pytest.mark.accept("F18", part="sections", mutant="papers-without-votes-trend")
@given(
    votes=st.sampled_from([None, 0]),
    hours=st.integers(0, 400),
    reason=REASONS,
    worth=st.floats(-2, 6),
    period=st.sampled_from(TrendingPeriod),
)
def test_a_paper_without_votes_never_trends(
    votes: int | None, hours: int, reason: str, worth: float, period: TrendingPeriod
) -> None:
    found = section(votes, NOON - hours * HOUR, reason=reason, worth=worth, period=period)
    assert found not in (Section.TRENDING, Section.RISING)


def test_a_day_without_an_hour_counts_from_its_noon() -> None:
    assert section(listed=NOON.date()) is Section.NEW
    assert section(listed=NOON.date() - DAY) is Section.OLDER
    early = NOON.replace(hour=6)
    facts = Facts(listed=(NOON.date() - DAY).isoformat())
    assert section_of(facts, reason="", worth=0.0, as_of=early) is Section.NEW


def test_in_a_week_everything_of_the_week_is_new() -> None:
    assert section(5, NOON - 6 * DAY, period=TrendingPeriod.WEEK) is Section.TRENDING
    assert section(5, NOON - 8 * DAY, period=TrendingPeriod.WEEK) is Section.RISING


def test_an_edition_of_an_earlier_version_knows_no_listing() -> None:
    old = Facts(votes=5, listed="")
    assert section_of(old, reason="", worth=0.0, as_of=NOON) is Section.TRENDING
    assert age_of("", NOON) is None


@pytest.mark.accept("F18", part="for you")
@pytest.mark.parametrize("reason", [FOLLOWED, TOPIC, SEARCH, join_reasons(TOPIC, VOTES)])
def test_what_a_reader_asked_for_is_for_them(reason: str) -> None:
    assert section(5, reason=reason, worth=-2.0) is Section.FOR_YOU


@pytest.mark.accept("F18", part="for you", mutant="a-weak-likeness-leads-the-mail")
@pytest.mark.parametrize("reason", [LIKED, NEAR_TOPIC, NEAR_TOPICS, join_reasons(CATEGORY, LIKED)])
def test_likeness_must_be_strong_to_come_before_what_everybody_reads(reason: str) -> None:
    assert section(5, reason=reason, worth=STRONG_LIKENESS) is Section.FOR_YOU
    assert section(5, reason=reason, worth=STRONG_LIKENESS - 0.01) is Section.TRENDING
    assert section(None, reason=reason, worth=0.5) is Section.NEW


@pytest.mark.accept("F18", part="for you", mutant="a-mention-leads-the-mail")
def test_a_topic_that_is_only_mentioned_must_fit_the_reader() -> None:
    mentions = "Graphs in the wind"
    assert section(5, reason=TOPIC, worth=-0.1, title=mentions) is Section.TRENDING
    assert section(5, reason=TOPIC, worth=0.0, title=mentions) is Section.FOR_YOU
    assert section(5, reason=TOPIC, worth=-2.0, title="A KITE in the wind") is Section.FOR_YOU


def test_a_category_is_too_wide_to_be_for_somebody() -> None:
    assert section(5, reason=CATEGORY, worth=6.0) is Section.TRENDING


@pytest.mark.accept("F18", part="sections")
def test_sections_have_an_order_and_what_is_printed_decides_within() -> None:
    placed = [
        (Section.NEW, None),
        (Section.TRENDING, 4),
        (Section.FOR_YOU, 1),
        (Section.RISING, 90),
        (Section.TRENDING, 40),
        (Section.FOR_YOU, 30),
        (Section.NEW, None),
        (Section.TRENDING, 40),
    ]
    assert order_of(placed) == [2, 5, 4, 7, 1, 3, 0, 6]


def test_a_heading_stands_where_a_section_begins() -> None:
    stands = [Section.FOR_YOU, Section.TRENDING, Section.TRENDING, Section.NEW]
    assert headings(stands) == {0: Section.FOR_YOU, 1: Section.TRENDING, 3: Section.NEW}
    assert headings([]) == {}


@pytest.mark.parametrize(
    "stands", [[Section.NEW, Section.TRENDING], [Section.TRENDING, None], [None]]
)
def test_another_order_has_no_headings(stands: list[Section | None]) -> None:
    assert headings(stands) == {}


def test_a_listing_is_frozen_as_an_instant_or_as_a_day() -> None:
    day, hour = date(2026, 3, 2), datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
    known = paper(listed_on=day, counts_from=hour)
    assert listing_of(known) == "2026-03-02T09:30:00+00:00"
    assert listing_of(replace(known, listed_on=None)) == "2026-03-02T09:30:00+00:00"
    midnight = hour.replace(hour=0, minute=0)
    assert listing_of(replace(known, counts_from=midnight)) == "2026-03-02"
    assert listing_of(replace(known, listed_on=day - DAY)) == "2026-03-01"


@pytest.mark.parametrize(
    ("listed", "told"),
    [
        (NOON - timedelta(minutes=5), "1 h"),
        (NOON - 16 * HOUR, "16 h"),
        (NOON - 23 * HOUR, "23 h"),
        (NOON - 24 * HOUR, "1 day"),
        (NOON - 30 * HOUR, "1 day"),
        (NOON - 40 * HOUR, "2 days"),
        (NOON - 6 * DAY, "6 days"),
        (NOON.date(), "today"),
        (NOON.date() - DAY, "1 day"),
        (NOON.date() + DAY, "today"),
    ],
)
def test_an_age_is_told_in_hours_and_then_in_days(listed: datetime | date, told: str) -> None:
    assert localized_age(locale_for(), age_of(listed.isoformat(), NOON)) == told
