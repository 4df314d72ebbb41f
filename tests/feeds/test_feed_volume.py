"""Alarms about a source that brings far less, far more, or something else than it used to."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperround.feeds.model import Alarm, AlarmKind, FeedShape, PollProgress
from paperround.feeds.volume import HISTORY_SIZE, MIN_HISTORY, add_volume, find_alarm
from tests.feeds.builders import NOW

DAY = timedelta(days=1)


def shape(records: int, **changes: int) -> FeedShape:
    """A batch whose every paper has an abstract and authors."""
    return replace(FeedShape(records=records, abstracts=records, authors=records), **changes)


def usual(*sizes: int) -> PollProgress:
    return PollProgress(usual=tuple(shape(size) for size in sizes))


WEEK = usual(104, 244, 132, 120, 98)


def alarm(before: PollProgress, seen: FeedShape | None, *, is_arrival: bool = True) -> Alarm | None:
    return find_alarm(before, seen, is_arrival=is_arrival, now=NOW)


@pytest.mark.accept("F08", part="shrinking source")
@pytest.mark.parametrize(
    ("size", "kind"),
    [
        (0, "shrunk"),
        (23, "shrunk"),
        (24, None),  # a fifth of 120: a slow day
        (244, None),
        (1200, None),
        (1201, "grown"),
    ],
)
def test_a_batch_is_unusual_under_a_fifth_and_over_ten_times(size: int, kind: str | None) -> None:
    found = alarm(WEEK, shape(size))
    assert (found.kind.value if found else None) == kind


@pytest.mark.parametrize("before", [usual(), usual(100, 100, 100, 100), usual(9, 9, 9, 9, 9)])
def test_nothing_is_unusual_with_a_short_memory_or_small_batches(before: PollProgress) -> None:
    assert alarm(before, shape(0)) is None
    assert alarm(before, shape(5000)) is None


@pytest.mark.accept("F08", part="reshaped source")
@pytest.mark.parametrize(
    ("seen", "words"),
    [
        (shape(75, rejects=25), "25 of 100 entries could not be used"),
        (shape(0, rejects=80), "80 of 80 entries could not be used"),
        (shape(100, abstracts=10), "90 of 100 papers have no abstracts"),
        (shape(100, authors=0), "100 of 100 papers have no authors"),
    ],
)
def test_entries_that_cannot_be_used_and_fields_that_are_gone_are_a_new_shape(
    seen: FeedShape, words: str
) -> None:
    found = alarm(WEEK, seen, is_arrival=False)
    assert found
    assert found.kind is AlarmKind.RESHAPED
    assert found.words.startswith(words)


def test_what_was_always_missing_is_no_alarm() -> None:
    bare = PollProgress(usual=tuple(shape(50, abstracts=0, rejects=20) for _ in range(MIN_HISTORY)))
    assert alarm(bare, shape(50, abstracts=0, rejects=20)) is None


@pytest.mark.accept("F08", part="once an episode")
def test_an_episode_keeps_its_beginning_and_ends_with_a_usual_batch() -> None:
    began = alarm(WEEK, shape(5))
    standing = replace(WEEK, alarm=began)
    later = find_alarm(standing, shape(7), is_arrival=True, now=NOW + DAY)
    assert began
    assert later
    assert (later.since, later.words) == (NOW, "only 7 papers where 120 are usual")
    assert alarm(standing, None, is_arrival=False) == began  # an unchanged page says nothing
    assert alarm(standing, shape(110), is_arrival=False) == began  # the same batch grows
    assert alarm(standing, shape(110)) is None


def test_six_batches_of_a_new_size_are_the_new_usual() -> None:
    progress, alarms = usual(*[100] * HISTORY_SIZE), list[bool]()
    for _ in range(8):
        found = alarm(progress, shape(12))
        alarms.append(found is not None)
        progress = replace(progress, alarm=found, usual=add_volume(progress.usual, shape(12)))
    assert alarms == [True] * 5 + [False] * 3  # the median of five and five is between them
    assert len(progress.usual) == HISTORY_SIZE


@pytest.mark.accept("F08", part="an end")
@pytest.mark.parametrize("seen", [shape(9), None], ids=["small", "a part"])
def test_an_alarm_that_no_batch_can_confirm_ends_after_six(seen: FeedShape | None) -> None:
    progress = usual(*[12] * HISTORY_SIZE)
    progress = replace(progress, alarm=alarm(progress, shape(12, abstracts=0)))
    standing = list[bool]()
    for _ in range(7):
        find_alarm(progress, seen, is_arrival=False, now=NOW)  # the same batch again counts nothing
        progress = replace(progress, alarm=alarm(progress, seen))
        standing.append(progress.alarm is not None)
    assert standing == [True] * 5 + [False] * 2


Shapes = st.builds(
    FeedShape,
    records=st.integers(0, 3000),
    rejects=st.integers(0, 3000),
    abstracts=st.integers(0, 3000),
    authors=st.integers(0, 3000),
)


@given(memory=st.lists(Shapes, max_size=HISTORY_SIZE), seen=Shapes, is_arrival=st.booleans())
def test_any_memory_and_any_batch_can_be_compared(
    memory: list[FeedShape], seen: FeedShape, is_arrival: bool
) -> None:
    before = PollProgress(usual=tuple(memory))
    found = alarm(before, seen, is_arrival=is_arrival)
    assert found is None or found.since == NOW
    assert found is None or len(memory) >= MIN_HISTORY
