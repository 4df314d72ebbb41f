"""Readers who ask alike share what is chosen for them, and nobody gets anything else for it."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paperround.core.reasons import freeze
from paperround.digests import build
from paperround.digests.build import BuildContext, DigestBuilder
from paperround.digests.model import DigestChoice
from paperround.editions.lists import ListId, MailingList
from paperround.editions.model import Edition, EditionId, EditionPaper, EditionState, SkipReason
from paperround.papers.model import Paper, PaperId
from paperround.personal.keyword_index import findable, keyword_index_of
from paperround.personal.matches import ReaderPreferences
from paperround.personal.ranking import PersonalViews
from paperround.personal.reader_scores import TasteDay
from paperround.personal.views import Chooser, PaperIndex, Taste
from paperround.subscribers.interests import Interest, InterestKind
from paperround.subscribers.model import (
    Frequency,
    Preferences,
    SubscriberId,
    SubscriberState,
    Subscription,
    SubscriptionId,
)
from tests.sample_database import IDENTITY

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


def chooser_for(tastes: Sequence[Taste]) -> Chooser:
    return day().chooser(tastes, lambda _: {}).picks


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
    ReaderPreferences,
    topics=st.sampled_from([(), ("kiln",), ("Kiln",), ("tides",)]),
    interests=st.lists(interests, max_size=2, unique=True).map(tuple),
    seeds=st.sampled_from([(), (PaperId(2),)]),
)
tastes = st.one_of(
    st.none(), st.builds(Taste, topics=st.sampled_from([("kiln",), ("orchid",), ("tides",)]))
)
sent = st.frozensets(st.integers(1, PAPERS).map(PaperId), max_size=PAPERS)
Reader = tuple[Preferences, ReaderPreferences, Taste | None, frozenset[PaperId]]
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


def builder_for(crowd: Sequence[Reader]) -> DigestBuilder:
    everybody = [(SubscriberId(n), reader) for n, reader in enumerate(crowd, 1)]
    liked = {person: taste for person, (_, _, taste, _) in everybody if taste}
    return DigestBuilder(
        context=BuildContext(identity=IDENTITY, now=NOON),
        edition=EDITION,
        mailing_list=MailingList(id=ListId(1), name="trending", title="Trending papers", size=4),
        index=PaperIndex(EDITION.papers),
        finder=keyword_index_of(tuple(findable(one, None) for one in EDITION.papers)),
        wishes={person: wish for person, (_, wish, _, _) in everybody if wish},
        views=PersonalViews(tastes=liked, chooser=chooser_for(list(liked.values()))),
        memory={person: seen for person, (_, _, _, seen) in everybody},
        withdrawn=frozenset({PaperId(PAPERS)}),
    )


def asked(number: int, reader: Reader) -> build.DigestReader:
    wish, said, _, _ = reader
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
            topics=said.topics,
        ),
    )
    return build.DigestReader(subscription=person, day=DAY, due_at=NOON)


def alone(reader: Reader) -> DigestChoice | SkipReason:
    (choice,) = builder_for([reader]).choices([asked(1, reader)])
    return choice


def test_who_asks_alike_is_chosen_for_once() -> None:
    reader = (
        Preferences(),
        ReaderPreferences(topics=("kiln",)),
        Taste(topics=("kiln",)),
        frozenset[PaperId](),
    )
    crowd = 3 * [reader]
    people = [asked(n, one) for n, one in enumerate(crowd, 1)]
    builder = builder_for(crowd)
    first, *others = builder.choices(people)
    assert isinstance(first, DigestChoice)
    assert all(one is first for one in others)
    rows = builder.rows(people)
    assert all(row.papers is rows[0].papers for row in rows)
    assert len({row.message_id for row in rows}) == len(rows)


@pytest.mark.slow
@given(crowds())
@settings(max_examples=50, deadline=None)
def test_everybody_gets_what_they_get_alone(crowd: list[Reader]) -> None:
    people = [asked(n, one) for n, one in enumerate(crowd + crowd, 1)]
    assert builder_for(crowd + crowd).choices(people) == [alone(one) for one in crowd + crowd]
