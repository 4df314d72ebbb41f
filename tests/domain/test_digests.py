"""What one subscriber gets of an edition, and why somebody gets nothing."""

from collections.abc import Sequence
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
from paperround.domain.tastes import Opinion

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
    opinion: Opinion | None = None,
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
        opinion=opinion,
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


@pytest.mark.accept("F14", part="risers")
def test_a_weekly_reader_is_told_the_day_a_paper_rose_since() -> None:
    made = edition(2)
    rose = replace(made.papers[0], reason="rose since yesterday: 9 votes, 4 new")
    made = replace(made, papers=(rose, made.papers[1]))
    weekly = Preferences(frequency=Frequency.WEEKLY, weekday="fri")
    assert chosen(Preferences(), of=made) == Choice(positions=(1, 2))
    assert chosen(weekly, of=made) == Choice(
        positions=(1, 2), reasons={1: "rose since Thursday: 9 votes, 4 new"}
    )
    on_topic = chosen(replace(weekly, topics=("Paper 1",)), of=made)
    assert isinstance(on_topic, Choice)
    assert on_topic.reasons == {1: "your topic “Paper 1” · rose since Thursday: 9 votes, 4 new"}


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


# --- papers for one reader's sake --------------------------------------------------------------


class Likes:
    """An opinion that gives some papers, by number, a worth, and has no other order."""

    def __init__(self, **worth: float) -> None:
        self._worth = {PaperId(100 + int(name.removeprefix("n"))): w for name, w in worth.items()}

    def worth(self, paper: PaperId) -> float:
        return self._worth.get(paper, 0.0)

    def spread(self, papers: Sequence[EditionPaper], size: int) -> list[EditionPaper]:
        best = sorted(papers, key=lambda one: -(one.score + self.worth(one.paper_id)))
        return best[:size]

    def reason(self, paper: PaperId) -> str:
        return "like papers you liked" if self.worth(paper) > 0 else ""


@pytest.mark.accept("F13", part="blend")
def test_what_a_paper_is_worth_to_its_reader_is_added_to_its_score() -> None:
    choice = chosen(Preferences(), opinion=Likes(n5=3.5, n2=-4))
    assert choice == Choice(positions=(1, 5, 3), reasons={5: "like papers you liked"})


@pytest.mark.accept("F13", part="floor")
def test_the_floor_is_one_of_score_and_worth_together() -> None:
    assert chosen(Preferences(floor=8.5), opinion=Likes(n5=4, n1=-4)) == Choice(
        positions=(5,), reasons={5: "like papers you liked"}
    )
    assert chosen(Preferences(floor=8.5), opinion=Likes(n1=-4)) is SkipReason.BELOW_FLOOR


@pytest.mark.accept("F13", part="author")
def test_papers_of_an_author_one_follows_come_first_then_those_on_topic() -> None:
    standing = edition(5)
    two, four = standing.papers[1], standing.papers[3]
    papers = [*standing.papers]
    papers[1] = replace(two, title="Cold fusion")
    papers[3] = replace(four, authors=("Ada Lovelace", "Max Li"), reason="new today")
    wish = Preferences(topics=("fusion", "ada lovelace", "li"))
    assert chosen(wish, of=replace(standing, papers=tuple(papers))) == Choice(
        positions=(4, 2, 1),
        reasons={4: "by Ada Lovelace, whom you follow · new today", 2: "your topic “fusion”"},
    )


def test_a_part_of_a_name_is_nobody_s_name() -> None:
    standing = edition(2)
    papers = (standing.papers[0], replace(standing.papers[1], authors=("Max Li",)))
    choice = chosen(Preferences(topics=("Li",)), of=replace(standing, papers=papers))
    assert choice == Choice(positions=(1, 2))


def test_an_opinion_orders_within_the_topics_and_leaves_them_first() -> None:
    standing = edition(4)
    papers = tuple(
        replace(one, title="Cold fusion") if one.position in (3, 4) else one
        for one in standing.papers
    )
    choice = chosen(
        Preferences(topics=("fusion",), size=3),
        of=replace(standing, papers=papers),
        opinion=Likes(n4=2, n2=5),
    )
    assert isinstance(choice, Choice)
    assert choice.positions == (4, 3, 2)
    assert choice.reasons[4] == "your topic “fusion”"
