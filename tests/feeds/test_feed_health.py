"""The states of a feed, and the pauses between its polls."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperround.feeds.health import (
    Findings,
    apply_cross_check,
    back_off,
    batch_digest,
    batch_size,
    health_after_delay,
    health_after_poll,
    next_poll,
    record_key,
    restarts,
)
from paperround.feeds.model import CrossChecked, FeedHealth, FeedShape, LiveFeed, PollProgress
from paperround.papers.model import FeedId, Record
from tests.feeds.builders import BATCH, EMPTY, HOUR, MINUTE, NOW, feed

LATE = feed(expects_at=NOW - 4 * HOUR)
AWAITED = feed(expects_at=NOW - HOUR)


def health(standing: LiveFeed, batch: str | None, unseen: int = 0, holiday: bool = False) -> str:
    found = Findings(unseen=unseen, batch=batch)
    return health_after_poll(standing, found, is_holiday=holiday, now=NOW)[0].value


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
        (replace(AWAITED, progress=PollProgress(batch="9:few")), EMPTY, 0, False, "empty"),
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
        return health_after_poll(standing, found, is_holiday=False, now=NOW)[1]

    assert reason(feed(), "1:x", 1234) == "1,234 new"
    assert reason(feed(), "1:x") == "no new papers since 24 Nov 05:10 UTC"
    assert reason(feed(last_news_at=None), "1:x") == "no papers yet"
    assert reason(LATE, BATCH) == (
        "the same papers again, no new papers since 24 Nov 05:10 UTC; "
        "a batch was expected at 25 Nov 04:00 UTC"
    )


@pytest.mark.accept("F08", part="in the middle")
def test_nothing_is_said_of_a_batch_before_its_last_page_was_read() -> None:
    part = Findings(unseen=0, batch=None, ended=False)
    late = feed(expects_at=NOW - 4 * HOUR)
    assert health_after_poll(late, part, is_holiday=False, now=NOW) == (FeedHealth.FRESH, "34 new")
    failed = replace(late, health=FeedHealth.FAILED)
    assert health_after_poll(failed, part, is_holiday=False, now=NOW) == (
        FeedHealth.FRESH,
        "more pages remain to be read; no new papers since 24 Nov 05:10 UTC",
    )
    assert health_after_poll(late, replace(part, unseen=3), is_holiday=False, now=NOW)[1] == "3 new"


@pytest.mark.accept("F08", part="put off")
@pytest.mark.parametrize(
    ("changes", "is_holiday", "expected"),
    [
        ({}, False, FeedHealth.STALE),
        ({"last_good_at": None}, False, FeedHealth.STALE),
        ({"last_good_at": NOW}, False, FeedHealth.FRESH),
        ({"expects_at": NOW - 3 * HOUR}, False, FeedHealth.FRESH),
        ({"expects_at": None}, False, FeedHealth.FRESH),
        ({"expects_at": None, "last_good_at": NOW - 25 * HOUR}, False, FeedHealth.STALE),
        ({"health": FeedHealth.FAILED}, False, FeedHealth.FAILED),
        ({}, True, FeedHealth.FRESH),
    ],
)
def test_a_feed_nobody_may_ask_is_stale_once_its_batch_is_late(
    changes: dict[str, object], is_holiday: bool, expected: FeedHealth
) -> None:
    late: dict[str, object] = {"expects_at": NOW - 4 * HOUR, "last_good_at": NOW - 5 * HOUR}
    standing = feed(**(late | changes))  # type: ignore[arg-type]
    found, reason = health_after_delay(standing, "busy", is_holiday=is_holiday, now=NOW)
    assert found is expected
    assert reason.startswith("busy; ") is (expected is FeedHealth.STALE)


@pytest.mark.accept("F08", part="shrinking source")
def test_zero_papers_where_there_were_eighty_is_an_alarm_until_papers_come() -> None:
    found = Findings(unseen=0, batch=EMPTY)
    words = health_after_poll(AWAITED, found, is_holiday=False, now=NOW)[1]
    assert words.startswith("zero papers where the last batch had 80;")


@pytest.mark.accept("F08", part="without a rhythm")
@pytest.mark.parametrize(
    ("batch", "changes", "expected"),
    [
        (EMPTY, {}, "stale"),
        (EMPTY, {"progress": PollProgress(batch="9:few")}, "empty"),
        (BATCH, {}, "fresh"),
        (BATCH, {"last_news_at": NOW - timedelta(days=59)}, "fresh"),
        (BATCH, {"last_news_at": NOW - timedelta(days=61)}, "stale"),
        (BATCH, {"last_news_at": None}, "fresh"),
    ],
)
def test_a_source_from_which_nothing_is_expected_is_stale_when_it_is_empty_or_long_silent(
    batch: str, changes: dict[str, object], expected: str
) -> None:
    standing = feed(**({"expects_at": None} | changes))  # type: ignore[arg-type]
    assert health(standing, batch) == expected


@pytest.mark.accept("F03", part="batches")
def test_a_batch_is_known_by_its_papers_in_any_order() -> None:
    one = Record(title="A", identifiers={"arxiv": "2611.00001", "doi": "10.1/a"})
    other = Record(title="A revised", identifiers={"doi": "10.1/a", "arxiv": "2611.00001"})
    nameless = record_key(Record(title="B"))
    assert record_key(one) == record_key(other) != nameless
    assert batch_digest([record_key(one), nameless]) == batch_digest([nameless, record_key(other)])
    assert batch_digest([nameless]) != batch_digest([record_key(one)])
    assert [batch_size(one) for one in (BATCH, EMPTY, None, "strange")] == [80, 0, 0, 0]


# --- when to ask again -------------------------------------------------------------------------


@given(number=st.integers(1, 10_000))
def test_a_feed_is_polled_within_its_interval(number: int) -> None:
    standing = feed(id=FeedId(number))
    for expects_at in (None, NOW + 9 * HOUR, NOW - 6 * HOUR):  # the last is late for long
        pause = next_poll(standing, interval=HOUR, expects_at=expects_at, now=NOW) - NOW
        assert 50 * MINUTE <= pause <= HOUR


@given(number=st.integers(1, 10_000))
def test_a_feed_is_polled_soon_after_its_next_batch(number: int) -> None:
    soon = NOW + 10 * MINUTE
    standing = feed(id=FeedId(number))
    due = next_poll(standing, interval=HOUR, expects_at=soon, now=NOW)
    assert soon <= due <= soon + 10 * MINUTE


def test_neither_feeds_nor_installations_ask_in_the_same_second() -> None:
    made = (NOW - n * HOUR for n in range(5))
    feeds = [feed(id=FeedId(n), created_at=at) for at in made for n in range(1, 5)]
    dues = {next_poll(one, interval=HOUR, expects_at=NOW + MINUTE, now=NOW) for one in feeds}
    assert len(dues) > len(feeds) * 3 / 4
    again = {next_poll(one, interval=HOUR, expects_at=NOW + MINUTE, now=NOW) for one in feeds}
    assert again == dues


@given(number=st.integers(1, 10_000))
def test_a_late_batch_is_asked_for_every_20_to_30_minutes(number: int) -> None:
    standing = feed(id=FeedId(number))
    pause = next_poll(standing, interval=HOUR, expects_at=NOW - HOUR, now=NOW) - NOW
    assert 20 * MINUTE <= pause <= 30 * MINUTE


@pytest.mark.accept("I11", part="back-off")
def test_failures_are_tried_again_later_and_later_and_then_daily() -> None:
    minutes = [back_off(failures) / MINUTE for failures in range(1, 13)]
    assert minutes == [5, 10, 20, 40, 80, 160, 320, 360, 360, 1440, 1440, 1440]


@pytest.mark.accept("I12", part="retry-after")
def test_a_pause_is_never_shorter_than_the_source_asked_for() -> None:
    assert back_off(1, 3600.0) == HOUR
    assert back_off(3, 1.0) == 20 * MINUTE
    assert back_off(10**6) == 24 * HOUR


@pytest.mark.accept("I11", part="back-off")
def test_from_the_third_failure_on_a_poll_begins_anew() -> None:
    assert [restarts(failures) for failures in range(1, 5)] == [False, False, True, True]
    assert not any(restarts(failures, is_refused=True) for failures in range(20))


# --- another witness ---------------------------------------------------------------------------


def said(day: int) -> CrossChecked:
    readable_at = datetime(2026, 11, day, 5, 30, tzinfo=UTC)
    return CrossChecked(
        witness="arXiv's own listing", readable_at=readable_at, day=date(2026, 11, day), entries=132
    )


@pytest.mark.accept("F08", part="witness")
def test_a_feed_is_behind_when_another_page_has_the_batch() -> None:
    expects_at = datetime(2026, 11, 25, 5, 30, tzinfo=UTC)
    health, reason = apply_cross_check("the same papers again", said(25), expects_at)
    assert health is FeedHealth.STALE
    assert reason.endswith("arXiv's own listing has Wed 25 Nov, 132 entries: its feed is behind")


@pytest.mark.accept("F08", part="witness")
def test_nobody_cries_wolf_when_nothing_was_announced() -> None:
    expects_at = datetime(2026, 11, 25, 5, 30, tzinfo=UTC)
    health, reason = apply_cross_check("the same papers again", said(24), expects_at)
    assert health is FeedHealth.EMPTY
    assert reason == "arXiv's own listing still has Tue 24 Nov: nothing was announced since"


# --- the machine -------------------------------------------------------------------------------

Good = st.builds(
    Findings,
    unseen=st.integers(0, 200),
    batch=st.sampled_from([None, BATCH, EMPTY, "9:other"]),
    shape=st.none() | st.builds(FeedShape, records=st.integers(0, 90), rejects=st.integers(0, 90)),
)
Failure = st.floats(0, 24 * 3600) | st.none()
Polls = st.lists(Good | Failure, min_size=1, max_size=25)


def polled(standing: LiveFeed, poll: Findings | float | None, is_holiday: bool) -> LiveFeed:
    """The feed after a poll, as the poller writes it down."""
    now = standing.next_at
    assert now is not None
    if not isinstance(poll, Findings):
        failures = standing.failures + 1
        return replace(
            standing,
            health=FeedHealth.FAILED,
            failures=failures,
            next_at=now + back_off(failures, poll),
        )
    health, reason = health_after_poll(standing, poll, is_holiday=is_holiday, now=now)
    due = next_poll(standing, interval=HOUR, expects_at=standing.expects_at, now=now)
    return replace(standing, health=health, reason=reason, failures=0, next_at=due)


@pytest.mark.accept("I11", part="machine")
@given(polls=Polls, is_holiday=st.booleans(), late=st.integers(-50, 50))
def test_whatever_happens_the_states_and_pauses_keep_their_rules(
    polls: list[Findings | float | None], is_holiday: bool, late: int
) -> None:
    standing = feed(expects_at=NOW + late * HOUR)
    for poll in polls:
        before, standing = standing, polled(standing, poll, is_holiday)
        assert before.next_at
        assert standing.next_at
        pause = standing.next_at - before.next_at
        assert timedelta() < pause <= 24 * HOUR
        assert standing.reason
        if not isinstance(poll, Findings):
            assert standing.health is FeedHealth.FAILED
            assert standing.failures == before.failures + 1
            assert pause >= max(5 * MINUTE, timedelta(seconds=poll or 0))
            continue
        assert standing.failures == 0
        assert standing.health not in {FeedHealth.FAILED, FeedHealth.PAUSED, FeedHealth.NEW}
        assert (standing.health is FeedHealth.HOLIDAY) is (is_holiday and not poll.unseen)
        assert standing.health is FeedHealth.FRESH or not poll.unseen
