"""When a service is asked again for a paper."""

from datetime import UTC, datetime, timedelta

from paperround.papers.enrichment import next_ask

LISTED = datetime(2026, 1, 5, tzinfo=UTC)
DAY = timedelta(days=1)


def test_a_new_paper_is_asked_for_again_after_a_day() -> None:
    assert next_ask(LISTED, LISTED + timedelta(hours=2)) == LISTED + DAY


def test_whoever_asked_late_does_not_ask_twice_for_what_was_missed() -> None:
    assert next_ask(LISTED, LISTED + 9 * DAY) == LISTED + 16 * DAY


def test_an_old_paper_is_never_asked_for_again() -> None:
    assert next_ask(LISTED, LISTED + 30 * DAY) is None


def test_a_paper_that_counts_from_tomorrow_waits_until_then() -> None:
    assert next_ask(LISTED, LISTED - timedelta(hours=1)) == LISTED
