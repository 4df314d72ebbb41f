"""What a poll says of its feed, and what cuts and readers are told."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperround.domain.feeds import FeedHealth, LiveFeed, Progress
from paperround.domain.papers import FeedId, Record
from paperround.jobs.feed_health import (
    Findings,
    awaited,
    back_off,
    batch_of,
    judged,
    name_of,
    next_poll,
    quiet_reason,
    size_of,
    source_lines,
)

NOW = datetime(2026, 11, 25, 8, tzinfo=UTC)
CUT = NOW - timedelta(minutes=5)
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
BATCH = batch_of([f"arxiv:2611.{n:05}" for n in range(80)])
EMPTY = batch_of([])


def feed(health: FeedHealth = FeedHealth.FRESH, **changes: object) -> LiveFeed:
    """A feed whose last batch came yesterday at 05:10 and whose next is expected tomorrow."""
    standing = LiveFeed(
        id=FeedId(1),
        name="arxiv-ml",
        kind="arxiv",
        url=None,
        settings={},
        show=None,
        enabled=True,
        health=health,
        reason="34 new",
        progress=Progress(batch=BATCH),
        failures=0,
        next_at=NOW + HOUR,
        expects_at=NOW + 21 * HOUR,
        last_good_at=NOW - HOUR,
        last_news_at=datetime(2026, 11, 24, 5, 10, tzinfo=UTC),
        created_at=datetime(2026, 11, 1, tzinfo=UTC),
    )
    return replace(standing, **changes)  # type: ignore[arg-type]


LATE = feed(expects_at=NOW - 4 * HOUR)
AWAITED = feed(expects_at=NOW - HOUR)


def health(standing: LiveFeed, batch: str | None, unseen: int = 0, holiday: bool = False) -> str:
    found = Findings(unseen=unseen, batch=batch)
    return judged(standing, found, is_holiday=holiday, now=NOW)[0].value


# --- after a poll ------------------------------------------------------------------------------


@pytest.mark.accept("F08")
@pytest.mark.parametrize(
    ("standing", "batch", "unseen", "holiday", "expected"),
    [
        (feed(), "9:other", 9, False, "fresh"),
        (LATE, "9:other", 9, False, "fresh"),
        (feed(), "9:other", 9, True, "fresh"),
        (feed(), BATCH, 0, False, "fresh"),
        (AWAITED, BATCH, 0, False, "fresh"),
        (LATE, BATCH, 0, False, "stale"),
        (LATE, None, 0, False, "stale"),
        (LATE, BATCH, 0, True, "holiday"),
        (feed(), EMPTY, 0, False, "empty"),
        (feed(), EMPTY, 0, True, "holiday"),
        (AWAITED, EMPTY, 0, False, "stale"),
        (replace(AWAITED, progress=Progress(batch="9:few")), EMPTY, 0, False, "empty"),
    ],
)
def test_what_a_poll_found_decides_the_health(
    standing: LiveFeed, batch: str | None, unseen: int, holiday: bool, expected: str
) -> None:
    assert health(standing, batch, unseen, holiday) == expected


@pytest.mark.accept("F08", part="reasons")
def test_every_health_comes_with_its_reason() -> None:
    def reason(standing: LiveFeed, batch: str | None, unseen: int = 0) -> str:
        found = Findings(unseen=unseen, batch=batch)
        return judged(standing, found, is_holiday=False, now=NOW)[1]

    assert reason(feed(), "1:x", 1234) == "1,234 new"
    assert reason(feed(), "1:x") == "no new papers since 24 Nov 05:10 UTC"
    assert reason(feed(last_news_at=None), "1:x") == "no papers yet"
    assert reason(LATE, BATCH) == (
        "the same papers again, no new papers since 24 Nov 05:10 UTC; "
        "a batch was expected at 25 Nov 04:00 UTC"
    )


@pytest.mark.accept("F08", part="shrinking source")
def test_zero_papers_where_there_were_eighty_is_an_alarm_until_papers_come() -> None:
    found = Findings(unseen=0, batch=EMPTY)
    words = judged(AWAITED, found, is_holiday=False, now=NOW)[1]
    assert words.startswith("zero papers where the last batch had 80;")


@pytest.mark.accept("F03", part="batches")
def test_a_batch_is_known_by_its_papers_in_any_order() -> None:
    one = Record(title="A", identifiers={"arxiv": "2611.00001", "doi": "10.1/a"})
    other = Record(title="A revised", identifiers={"doi": "10.1/a", "arxiv": "2611.00001"})
    nameless = name_of(Record(title="B"))
    assert name_of(one) == name_of(other) != nameless
    assert batch_of([name_of(one), nameless]) == batch_of([nameless, name_of(other)])
    assert batch_of([nameless]) != batch_of([name_of(one)])
    assert [size_of(one) for one in (BATCH, EMPTY, None, "strange")] == [80, 0, 0, 0]


# --- when to ask again -------------------------------------------------------------------------


def test_a_feed_is_polled_after_its_interval() -> None:
    assert next_poll(feed(), interval=HOUR, expects_at=None, now=NOW) == NOW + HOUR
    assert next_poll(feed(), interval=HOUR, expects_at=NOW + 9 * HOUR, now=NOW) == NOW + HOUR


def test_a_feed_is_polled_soon_after_its_next_batch() -> None:
    soon = NOW + 10 * MINUTE
    assert next_poll(feed(), interval=HOUR, expects_at=soon, now=NOW) == soon + MINUTE


@given(number=st.integers(1, 10_000))
def test_a_late_batch_is_asked_for_every_20_to_30_minutes(number: int) -> None:
    standing = feed(id=FeedId(number))
    pause = next_poll(standing, interval=HOUR, expects_at=NOW - HOUR, now=NOW) - NOW
    assert 20 * MINUTE <= pause <= 30 * MINUTE


def test_a_batch_that_is_six_hours_late_is_asked_for_as_usual() -> None:
    assert next_poll(feed(), interval=HOUR, expects_at=NOW - 6 * HOUR, now=NOW) == NOW + HOUR


@pytest.mark.accept("I11", part="back-off")
def test_failures_are_tried_again_later_and_later_and_then_daily() -> None:
    minutes = [back_off(failures) / MINUTE for failures in range(1, 13)]
    assert minutes == [5, 10, 20, 40, 80, 160, 320, 360, 360, 1440, 1440, 1440]


@pytest.mark.accept("I12", part="retry-after")
def test_a_pause_is_never_shorter_than_the_source_asked_for() -> None:
    assert back_off(1, 3600.0) == HOUR
    assert back_off(3, 1.0) == 20 * MINUTE
    assert back_off(10**6) == 24 * HOUR


# --- before a cut ------------------------------------------------------------------------------


@pytest.mark.accept("F08", part="cuts wait")
@pytest.mark.parametrize(
    ("standing", "waits"),
    [
        (feed(), False),
        (feed(next_at=NOW), True),
        (feed(FeedHealth.NEW, next_at=NOW + HOUR), True),
        (feed(progress=Progress(cursor="rss:2")), True),
        (feed(expects_at=CUT), True),
        (feed(expects_at=CUT + MINUTE), False),
        (feed(expects_at=None), False),
        (feed(FeedHealth.STALE, expects_at=CUT), False),
        (feed(FeedHealth.HOLIDAY, expects_at=CUT), False),
        (feed(FeedHealth.FAILED, expects_at=CUT, failures=2), True),
        (feed(FeedHealth.FAILED, expects_at=CUT, failures=3, next_at=NOW), False),
        (feed(FeedHealth.PAUSED, next_at=NOW, enabled=False), False),
    ],
)
def test_a_cut_waits_for_feeds_that_may_still_bring_papers(standing: LiveFeed, waits: bool) -> None:
    assert awaited([feed(), standing], CUT, now=NOW) is waits


@pytest.mark.accept("F08", part="quiet days")
@pytest.mark.parametrize(
    ("healths", "expected"),
    [
        ((), None),
        (("fresh", "holiday"), None),
        (("holiday", "holiday"), "holiday"),
        (("fresh", "stale"), "feed-stale"),
        (("failed", "stale", "holiday"), "feed-failed"),
        (("empty",), None),
    ],
)
def test_a_quiet_day_has_one_reason_and_the_worst_one(
    healths: tuple[str, ...], expected: str | None
) -> None:
    feeds = [feed(FeedHealth(one), last_good_at=NOW - 9 * HOUR) for one in healths]
    assert quiet_reason(feeds, now=NOW) == expected
    off = replace(feed(FeedHealth.FAILED, last_good_at=None), enabled=False)
    assert quiet_reason([*feeds, off], now=NOW) == expected


def test_a_hiccup_is_no_reason_for_a_quiet_day() -> None:
    assert quiet_reason([feed(FeedHealth.FAILED, failures=1)], now=NOW) is None
    assert quiet_reason([feed(FeedHealth.FAILED, failures=3)], now=NOW) == "feed-failed"


@pytest.mark.accept("F08", part="footer")
def test_the_footer_says_how_each_source_is_doing() -> None:
    assert source_lines(
        [
            feed(),
            feed(FeedHealth.HOLIDAY, name="hf"),
            feed(FeedHealth.STALE, name="arxiv"),
            feed(FeedHealth.FAILED, name="bio", last_news_at=None),
            feed(FeedHealth.NEW, name="math"),
            feed(FeedHealth.EMPTY, name="physics"),
            feed(FeedHealth.PAUSED, name="off", enabled=False),
        ]
    ) == (
        "arxiv-ml: 34 new",
        "hf: holiday",
        "arxiv: stale, nothing since 24 Nov 05:10 UTC",
        "bio: cannot be read, nothing yet",
        "math: not read yet",
        "physics: no papers",
    )
