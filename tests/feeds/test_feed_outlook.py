"""What cuts and readers are told of feeds."""

from dataclasses import replace
from datetime import timedelta

import pytest

from paperround.core.i18n.locale import locale_for
from paperround.core.i18n.localize import localize_source
from paperround.feeds.model import FeedHealth, LiveFeed, PollProgress
from paperround.feeds.outlook import awaited, feed_summaries, quiet_reason
from paperround.papers.model import FeedId
from tests.feeds.builders import HOUR, MINUTE, NOW, feed

CUT = NOW - timedelta(minutes=5)

# --- before a cut ------------------------------------------------------------------------------


@pytest.mark.accept("F08", part="cuts wait")
@pytest.mark.parametrize(
    ("standing", "waits"),
    [
        (feed(), False),
        (feed(next_at=NOW), True),
        (feed(FeedHealth.NEW, next_at=NOW + HOUR), True),
        (feed(progress=PollProgress(cursor="rss:2")), True),
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


def lines(feeds: list[LiveFeed], brought: dict[FeedId, int]) -> tuple[str, ...]:
    """The footer's lines, in English."""
    return tuple(localize_source(locale_for(), one) for one in feed_summaries(feeds, brought))


@pytest.mark.accept("F08", part="footer")
def test_the_footer_says_what_each_source_brought_and_what_is_not_well() -> None:
    brought = {FeedId(1): 1234, FeedId(2): 3, FeedId(3): 4, FeedId(4): 5}
    busy = [
        feed(reason="the same papers again, no new papers since 24 Nov 05:10 UTC"),
        feed(FeedHealth.HOLIDAY, name="hf", id=FeedId(2)),
        feed(FeedHealth.STALE, name="cs", id=FeedId(3)),
        feed(FeedHealth.FAILED, name="math", id=FeedId(4), last_news_at=None),
    ]
    assert lines(busy, brought) == (
        "arxiv-ml: 1,234 new",
        "hf: 3 new",
        "cs: 4 new, now stale",
        "math: 5 new, now unreachable",
    )


@pytest.mark.accept("F08", part="footer")
def test_the_footer_says_why_a_source_brought_nothing() -> None:
    quiet = [
        feed(),
        feed(FeedHealth.HOLIDAY, name="hf"),
        feed(FeedHealth.STALE, name="arxiv"),
        feed(FeedHealth.FAILED, name="bio", last_news_at=None),
        feed(FeedHealth.NEW, name="math"),
        feed(FeedHealth.EMPTY, name="physics"),
        feed(FeedHealth.PAUSED, name="off", enabled=False),
        feed(FeedHealth.PAUSED, name="gone", enabled=False, gone_at=NOW),
    ]
    assert lines(quiet, {}) == (
        "arxiv-ml: nothing new",
        "hf: holiday",
        "arxiv: stale, nothing since 24 Nov 05:10 UTC",
        "bio: unreachable, nothing yet",
        "math: not read yet",
        "physics: no papers",
        "gone: gone for good, nothing since 24 Nov 05:10 UTC",
    )


def test_a_feed_that_is_gone_for_good_is_a_reason_for_a_quiet_day() -> None:
    gone = feed(FeedHealth.PAUSED, enabled=False, gone_at=NOW)
    assert quiet_reason([feed(), gone], now=NOW) == "feed-failed"
