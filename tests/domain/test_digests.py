"""What one subscriber gets of an edition, and why somebody gets nothing."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from paperround.domain.digests import Choice, SkipReason, choose
from paperround.domain.editions import Edition, EditionId, EditionPaper, EditionState
from paperround.domain.lists import ListId, MailingList
from paperround.domain.papers import PaperId
from paperround.domain.subscribers import (
    Frequency,
    Preferences,
    SubscriberId,
    SubscriberState,
    Subscription,
    SubscriptionId,
)

FRIDAY = date(2026, 1, 30)
SATURDAY = date(2026, 1, 31)
LIST = MailingList(id=ListId(1), name="trending", title="Trending papers", size=3)


def edition(papers: int, empty_reason: str | None = None) -> Edition:
    noon = datetime(2026, 1, 30, 12, tzinfo=UTC)
    return Edition(
        id=EditionId(1),
        list_id=LIST.id,
        list_name=LIST.name,
        day=FRIDAY,
        cut="manual",
        as_of=noon,
        frozen_at=noon,
        cut_at=noon,
        ranker="test",
        state=EditionState.FROZEN,
        papers=tuple(
            EditionPaper(position=n, paper_id=PaperId(100 + n), title=f"Paper {n}", score=10.0 - n)
            for n in range(1, papers + 1)
        ),
        empty_reason=empty_reason,
    )


def chosen(
    wish: Preferences,
    *,
    papers: int = 5,
    of: Edition | None = None,
    seen: tuple[int, ...] = (),
    day: date = FRIDAY,
) -> Choice | SkipReason:
    return choose(
        edition=of or edition(papers),
        mailing_list=LIST,
        subscription=Subscription(
            id=SubscriptionId(1),
            subscriber_id=SubscriberId(1),
            list_id=LIST.id,
            state=SubscriberState.ACTIVE,
            preferences=wish,
        ),
        already_sent={PaperId(100 + n) for n in seen},
        local_day=day,
    )


def test_a_digest_holds_the_first_papers_up_to_the_list_s_size() -> None:
    assert chosen(Preferences()) == Choice(positions=(1, 2, 3))


def test_a_reader_may_want_fewer_or_more() -> None:
    assert chosen(Preferences(size=1)) == Choice(positions=(1,))
    assert chosen(Preferences(size=50)) == Choice(positions=(1, 2, 3, 4, 5))


@pytest.mark.accept("F14", part="never twice")
def test_a_paper_a_person_was_sent_makes_room_for_the_next() -> None:
    assert chosen(Preferences(), seen=(1, 3)) == Choice(positions=(2, 4, 5))


@pytest.mark.accept("F20", part="ledger")
def test_somebody_who_has_seen_everything_is_told_why_there_is_no_mail() -> None:
    assert chosen(Preferences(), seen=(1, 2, 3, 4, 5)) is SkipReason.NO_NEW_PAPERS


@pytest.mark.accept("F20", part="ledger")
@pytest.mark.parametrize(
    ("wish", "day", "reason"),
    [
        (Preferences(paused_until=date(2026, 2, 1)), FRIDAY, SkipReason.PAUSED),
        (Preferences(frequency=Frequency.WEEKDAYS), SATURDAY, SkipReason.NOT_THEIR_DAY),
        (
            Preferences(frequency=Frequency.WEEKLY, weekday="mon"),
            FRIDAY,
            SkipReason.NOT_THEIR_DAY,
        ),
        (Preferences(floor=9.5), FRIDAY, SkipReason.BELOW_FLOOR),
    ],
)
def test_every_silence_has_its_reason(wish: Preferences, day: date, reason: SkipReason) -> None:
    assert chosen(wish, day=day) is reason


def test_a_pause_ends_on_its_date() -> None:
    assert isinstance(chosen(Preferences(paused_until=FRIDAY)), Choice)


def test_a_weekly_reader_gets_their_day() -> None:
    wish = Preferences(frequency=Frequency.WEEKLY, weekday="fri")
    assert isinstance(chosen(wish), Choice)


def test_only_papers_above_the_reader_s_floor_are_sent() -> None:
    assert chosen(Preferences(floor=8.0)) == Choice(positions=(1, 2))


def test_an_empty_edition_passes_its_reason_on() -> None:
    assert chosen(Preferences(), papers=0) is SkipReason.NO_PAPERS_AT_ALL


@pytest.mark.accept("F13", part="topics")
def test_papers_on_a_readers_topic_come_first_and_say_so() -> None:
    choice = chosen(Preferences(topics=("paper 4",)))
    assert isinstance(choice, Choice)
    assert choice.positions == (4, 1, 2)
    assert choice.reasons == {4: "your topic “paper 4”"}


@pytest.mark.accept("F20", part="quiet days")
def test_nothing_unseen_on_a_holiday_names_the_holiday() -> None:
    quiet = replace(edition(1), quiet_reason="holiday")
    assert chosen(Preferences(), of=quiet, seen=(1,)) is SkipReason.HOLIDAY
