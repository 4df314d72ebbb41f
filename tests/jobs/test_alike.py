"""Readers who ask alike share what is chosen for them, and nobody gets anything else for it."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paperround.domain.digests import Choice, SkipReason
from paperround.domain.editions import Edition, EditionId, EditionPaper, EditionState
from paperround.domain.finder import findable, finder_of
from paperround.domain.interests import Interest, InterestKind
from paperround.domain.lists import ListId, MailingList
from paperround.domain.outlooks import Shelf
from paperround.domain.papers import Paper, PaperId
from paperround.domain.reasons import freeze
from paperround.domain.subscribers import (
    Frequency,
    Preferences,
    SubscriberId,
    SubscriberState,
    Subscription,
    SubscriptionId,
)
from paperround.domain.tastes import Taste
from paperround.domain.wishes import Wishes
from paperround.jobs.opinions import Views
from paperround.jobs.rows import Asked, RowMaker, Shared
from paperround.ranking.opinions import TasteChooser, TasteDay
from tests.jobs.conftest import IDENTITY

DAY, NOON = date(2026, 1, 30), datetime(2026, 1, 30, 12, tzinfo=UTC)
PAPERS = 8
SUBJECTS = ("kiln", "tides", "orchid", "kiln tides")
AUTHORS = ("Ada Lovelace", "Emmy Noether")


def text_of(number: int) -> str:
    return f"About {SUBJECTS[number % len(SUBJECTS)]} and word{number}"


EDITION = Edition(
    id=EditionId(1),
    list_id=ListId(1),
    list_name="trending",
    day=DAY,
    cut="0",
    as_of=NOON,
    frozen_at=NOON,
    cut_at=NOON,
    ranker="none",
    state=EditionState.FROZEN,
    papers=tuple(
        EditionPaper(
            position=number,
            paper_id=PaperId(number),
            title=text_of(number),
            gist=text_of(number),
            authors=(AUTHORS[number % len(AUTHORS)],),
            score=4 - number / 2,
            reason=freeze("risen.yesterday", votes=9) if number % 3 else "",
        )
        for number in range(1, PAPERS + 1)
    ),
)


@cache
def day() -> TasteDay:
    papers = [
        Paper(
            id=one.paper_id,
            identifiers={"arxiv": f"2601.{10000 + one.paper_id}"},
            title=one.title,
            abstract=one.gist,
            counts_from=NOON,
        )
        for one in EDITION.papers
    ]
    return TasteDay(papers, [one.score for one in EDITION.papers], [])


def chooser_for(tastes: Sequence[Taste]) -> TasteChooser:
    return day().chooser(tastes, lambda _: {})


preferences = st.builds(
    Preferences,
    size=st.sampled_from([None, 1, 3]),
    floor=st.sampled_from([None, 0.0, 2.5]),
    frequency=st.sampled_from([Frequency.DAILY, Frequency.WEEKDAYS, Frequency.WEEKLY]),
    weekday=st.just("fri"),
    hour=st.sampled_from([None, 7]),
)
interests = st.sampled_from(
    [
        Interest(InterestKind.AUTHOR, AUTHORS[0]),
        Interest(InterestKind.AUTHOR, AUTHORS[1]),
        Interest(InterestKind.KEYWORD, "orchid"),
        Interest(InterestKind.MUTE, "tides"),
    ]
)
wishes = st.builds(
    Wishes,
    topics=st.sampled_from([(), ("kiln",), ("Kiln",), ("tides",)]),
    interests=st.lists(interests, max_size=2, unique=True).map(tuple),
    seeds=st.sampled_from([(), (PaperId(2),)]),
)
tastes = st.one_of(
    st.none(), st.builds(Taste, topics=st.sampled_from([("kiln",), ("orchid",), ("tides",)]))
)
sent = st.frozensets(st.integers(1, PAPERS).map(PaperId), max_size=PAPERS)
Reader = tuple[Preferences, Wishes, Taste | None, frozenset[PaperId]]
PARTS = ("size", "floor", "frequency", "wishes", "taste", "sent")


@st.composite
def crowds(draw: st.DrawFn) -> list[Reader]:
    """Readers each of whom differs from the first in one thing, or in none."""
    reader = st.tuples(preferences, wishes, tastes, sent)
    first, *others = draw(st.lists(reader, min_size=1, max_size=8))
    return [first, *(changed(first, other, draw(st.sampled_from(PARTS))) for other in others)]


def changed(first: Reader, other: Reader, part: str) -> Reader:
    wish, said, taste, seen = first
    match part:
        case "wishes":
            return wish, other[1], taste, seen
        case "taste":
            return wish, said, other[2], seen
        case "sent":
            return wish, said, taste, other[3]
    return replace(wish, **{part: getattr(other[0], part)}), said, taste, seen


def maker_for(
    crowd: Sequence[tuple[Preferences, Wishes, Taste | None, object]],
    *,
    shared: Shared | None = None,
    withdrawn: frozenset[PaperId] = frozenset({PaperId(PAPERS)}),
) -> RowMaker:
    liked = {SubscriberId(n): taste for n, (_, _, taste, _) in enumerate(crowd, 1) if taste}
    return RowMaker(
        identity=IDENTITY,
        edition=EDITION,
        mailing_list=MailingList(id=ListId(1), name="trending", title="Trending papers", size=4),
        shelf=Shelf(EDITION.papers),
        finder=finder_of(tuple(findable(one, None) for one in EDITION.papers)),
        wishes={SubscriberId(n): wish for n, (_, wish, _, _) in enumerate(crowd, 1) if wish},
        views=Views(tastes=liked, chooser=chooser_for(list(liked.values()))),
        shared=shared or Shared(),
        withdrawn=withdrawn,
    )


def asked(
    number: int, wish: Preferences, topics: tuple[str, ...], seen: frozenset[PaperId]
) -> Asked:
    person = Subscription(
        id=SubscriptionId(number),
        subscriber_id=SubscriberId(number),
        list_id=ListId(1),
        state=SubscriberState.ACTIVE,
        preferences=Preferences(
            size=wish.size,
            floor=wish.floor,
            frequency=wish.frequency,
            weekday=wish.weekday,
            hour=wish.hour,
            topics=topics,
        ),
    )
    return person, seen, DAY


KILN = Taste(topics=("kiln",))
FIRST: Reader = (Preferences(weekday="fri"), Wishes(topics=("kiln",)), KILN, frozenset())


def test_who_asks_alike_is_chosen_for_once() -> None:
    alike = [
        (Preferences(), Wishes(topics=("kiln",)), Taste(topics=("kiln",)), frozenset[PaperId]())
    ]
    crowd = 3 * alike
    people = [asked(n, wish, w.topics, seen) for n, (wish, w, _, seen) in enumerate(crowd, 1)]
    maker = maker_for(crowd)
    first, *others = maker.choices(people)
    assert isinstance(first, Choice)
    assert all(one is first for one in others)
    rows = [maker.row(one[0], first, DAY, due_at=NOON, now=NOON) for one in people]
    assert all(row.papers is rows[0].papers for row in rows)
    assert len({row.message_id for row in rows}) == len(rows)


def page_of(
    crowd: Sequence[Reader], shared: Shared, withdrawn: frozenset[PaperId] = frozenset()
) -> list[Choice | SkipReason]:
    """What readers of one page get, made as a page is: nothing of it is the next one's but
    `shared`."""
    people = [asked(n, wish, w.topics, seen) for n, (wish, w, _, seen) in enumerate(crowd, 1)]
    return maker_for(crowd, shared=shared, withdrawn=withdrawn).choices(people)


@pytest.mark.slow
@given(crowds(), crowds())
@settings(max_examples=50, deadline=None)
def test_whoever_reads_on_a_later_page_gets_what_they_get_alone(
    first: list[Reader], second: list[Reader]
) -> None:
    shared = Shared()
    for page in (first + first, second, first + second):
        assert page_of(page, shared) == [page_of([one], Shared())[0] for one in page]


def again(reader: Reader) -> Reader:
    """A reader who says the same, as it is read for another page."""
    wish, said, taste, seen = reader
    return replace(wish), replace(said), taste and replace(taste), frozenset(seen)


def test_what_several_readers_share_is_chosen_once_for_all_pages() -> None:
    shared = Shared()
    first, *_ = page_of([FIRST, FIRST], shared)
    assert page_of([again(FIRST)], shared)[0] is first
    assert page_of([again(FIRST)], Shared())[0] is not first


def test_what_readers_of_different_pages_share_is_chosen_twice_and_then_kept() -> None:
    shared = Shared()
    first, second, third = (page_of([again(FIRST)], shared)[0] for _ in range(3))
    assert second is not first
    assert third is second


def test_after_a_paper_was_withdrawn_nobody_gets_what_was_chosen_before() -> None:
    shared = Shared()
    first, *_ = page_of([FIRST, FIRST], shared)
    assert isinstance(first, Choice)
    gone = frozenset({PaperId(first.positions[0])})
    (later,) = page_of([again(FIRST)], shared, gone)
    assert isinstance(later, Choice)
    assert first.positions[0] not in later.positions
