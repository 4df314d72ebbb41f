"""What one subscriber gets of an edition, and why somebody gets nothing."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from paperround.core.reasons import freeze
from paperround.digests.model import DigestChoice, choice_of, period_of, skip_reason_for
from paperround.editions.model import Edition, SkipReason
from paperround.papers.model import PaperId
from paperround.personal.keyword_index import IndexedPaper, KeywordIndex, findable
from paperround.personal.matches import (
    MOST_LIFT,
    NO_MATCHES,
    Matches,
    ReaderPreferences,
    lift_of,
    match_preferences,
)
from paperround.personal.selection import ScoredPapers, pick_papers, with_empty_paper
from paperround.personal.views import (
    NO_TASTE,
    PaperIndex,
    PersonalView,
    Pick,
    Taste,
    in_order,
)
from paperround.subscribers.interests import Interest, InterestKind
from paperround.subscribers.model import (
    Frequency,
    Preferences,
    SubscriberId,
    SubscriberState,
    Subscription,
    SubscriptionId,
)
from tests.builders import in_english
from tests.digests.builders import FRIDAY, LIST, edition

SATURDAY = date(2026, 1, 31)


def chosen(
    wish: Preferences,
    *,
    papers: int = 5,
    of: Edition | None = None,
    seen: tuple[int, ...] = (),
    day: date = FRIDAY,
    likes: Mapping[int, float] | None = None,
    wishes: ReaderPreferences | None = None,
    finder: KeywordIndex | None = None,
) -> DigestChoice | SkipReason:
    """What somebody gets: by the edition, or by what they like, a worth by the paper's number.
    Reasons are told in English."""
    found = _chosen(
        wish,
        papers=papers,
        of=of,
        seen=seen,
        day=day,
        likes=likes,
        wishes=wishes,
        finder=finder,
    )
    if not isinstance(found, DigestChoice):
        return found
    return replace(found, reasons=in_english(found.reasons))


def _chosen(
    wish: Preferences,
    *,
    papers: int,
    of: Edition | None,
    seen: tuple[int, ...],
    day: date,
    likes: Mapping[int, float] | None,
    wishes: ReaderPreferences | None,
    finder: KeywordIndex | None,
) -> DigestChoice | SkipReason:
    standing = of or edition(papers)
    reader = Subscription(
        id=SubscriptionId(1),
        subscriber_id=SubscriberId(1),
        list_id=LIST.id,
        state=SubscriberState.ACTIVE,
        preferences=wish,
    )
    index = PaperIndex(standing.papers)
    finder = finder or KeywordIndex([findable(paper, None) for paper in index.papers])
    wishes = wishes or ReaderPreferences(topics=wish.topics)
    matches = match_preferences(wishes, finder) if wishes else NO_MATCHES
    view = PersonalView(
        matches=matches,
        size=wish.size or LIST.size,
        floor=wish.floor,
        sent=index.places({PaperId(100 + n) for n in seen}),
        withheld=index.places(wishes.known),
    )
    pick = in_order(view, index) if likes is None else liking(likes, view, index)
    period = period_of(reader)
    nothing = skip_reason_for(standing, reader, day)
    return nothing or choice_of(pick, standing, index, matches, period=period)


def liking(likes: Mapping[int, float], view: PersonalView, index: PaperIndex) -> Pick:
    worth = [likes.get(paper.position, 0.0) for paper in index.papers]
    scores = np.array([paper.score for paper in index.papers])
    nothing = with_empty_paper(np.zeros((len(scores), len(scores))))
    day = ScoredPapers(scores=scores, costs=nothing, shown=len(scores))
    found = pick_papers(day, np.array([worth], dtype=np.float32), [view])
    places = [place for place in found.places[0].tolist() if place >= 0]
    gains = found.worth[0].tolist()[: len(places)]
    return Pick(
        places=places,
        worth=gains,
        following=[place for place in found.following[0].tolist() if place >= 0],
        beside=[0.0] * len(places),
        reasons=["like papers you liked" if gain > 0 else "" for gain in gains],
        unseen=bool(found.unseen[0]),
        heard=bool(found.heard[0]),
    )


def test_a_digest_holds_the_first_papers_up_to_the_list_s_size() -> None:
    assert chosen(Preferences()) == DigestChoice(positions=(1, 2, 3))


@pytest.mark.parametrize("floor", [None, 5.0])
@pytest.mark.parametrize("taste", [NO_TASTE, Taste(topics=("kilns",))])
def test_those_that_follow_are_what_a_longer_digest_has(floor: float | None, taste: Taste) -> None:
    index = PaperIndex(edition(12).papers)

    barred = Matches(muted=0b10000000)
    view = PersonalView(taste=taste, size=1, floor=floor, sent=0b1, matches=barred)
    pick, longer = (
        liking({9: 5.0}, one, index) if taste else in_order(one, index)
        for one in (view, replace(view, size=12))
    )
    assert [*pick.places, *pick.following] == longer.places
    assert len(pick.following) == (9 if floor is None else 3 + bool(taste))


def test_a_reader_may_want_fewer_or_more() -> None:
    assert chosen(Preferences(size=1)) == DigestChoice(positions=(1,))
    assert chosen(Preferences(size=50)) == DigestChoice(positions=(1, 2, 3, 4, 5))


@pytest.mark.accept("F14", part="never twice")
def test_a_paper_a_person_was_sent_makes_room_for_the_next() -> None:
    assert chosen(Preferences(), seen=(1, 3)) == DigestChoice(positions=(2, 4, 5))


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
    assert isinstance(chosen(Preferences(paused_until=FRIDAY)), DigestChoice)


@pytest.mark.accept("F14", part="risers")
def test_a_weekly_reader_is_told_the_day_a_paper_rose_since() -> None:
    made = edition(2)
    rose = replace(made.papers[0], reason=freeze("risen.yesterday_more", votes=9, gained=4))
    made = replace(made, papers=(rose, made.papers[1]))
    weekly = Preferences(frequency=Frequency.WEEKLY, weekday="fri")
    assert chosen(Preferences(), of=made) == DigestChoice(positions=(1, 2))
    assert chosen(weekly, of=made) == DigestChoice(
        positions=(1, 2), reasons={1: "Rose since Thursday: 9 votes, 4 new"}
    )
    on_topic = chosen(replace(weekly, topics=("Paper 1",)), of=made)
    assert isinstance(on_topic, DigestChoice)
    assert on_topic.reasons == {1: "On your topic “Paper 1” · Rose since Thursday: 9 votes, 4 new"}


def test_only_papers_above_the_reader_s_floor_are_sent() -> None:
    assert chosen(Preferences(floor=8.0)) == DigestChoice(positions=(1, 2))


def test_an_empty_edition_passes_its_reason_on() -> None:
    assert chosen(Preferences(), papers=0) is SkipReason.NO_PAPERS_AT_ALL


@pytest.mark.accept("F13", part="topics")
def test_papers_on_a_readers_topic_come_first_and_say_so() -> None:
    choice = chosen(Preferences(topics=("paper 4",)))
    assert isinstance(choice, DigestChoice)
    assert choice.positions == (4, 1, 2)
    assert choice.reasons == {4: "On your topic “paper 4”"}


@pytest.mark.accept("F20", part="quiet days")
def test_nothing_unseen_on_a_holiday_names_the_holiday() -> None:
    quiet = replace(edition(1), quiet_reason="holiday")
    assert chosen(Preferences(), of=quiet, seen=(1,)) is SkipReason.HOLIDAY


# --- papers for one reader's sake --------------------------------------------------------------


@pytest.mark.accept("F13", part="blend")
def test_what_a_paper_is_worth_to_its_reader_is_added_to_its_score() -> None:
    choice = chosen(Preferences(), likes={5: 3.5, 2: -4})
    assert choice == DigestChoice(
        positions=(1, 5, 3),
        reasons={5: "like papers you liked"},
        parts={"personal": [0.0, 3.5, 0.0]},
    )


@pytest.mark.accept("F13", part="floor")
def test_the_floor_is_one_of_score_and_worth_together() -> None:
    assert chosen(Preferences(floor=8.5), likes={5: 4, 1: -4}) == DigestChoice(
        positions=(5,), reasons={5: "like papers you liked"}, parts={"personal": [4.0]}
    )
    assert chosen(Preferences(floor=8.5), likes={1: -4}) is SkipReason.BELOW_FLOOR


@pytest.mark.accept("F13", part="author")
def test_papers_of_an_author_one_follows_come_first_then_those_on_topic() -> None:
    standing = edition(5)
    two, four = standing.papers[1], standing.papers[3]
    papers = [*standing.papers]
    papers[1] = replace(two, title="Cold fusion")
    papers[3] = replace(four, authors=("Ada Lovelace", "Max Li"), reason="new today")
    wish = Preferences(topics=("fusion", "ada lovelace", "li"))
    assert chosen(wish, of=replace(standing, papers=tuple(papers))) == DigestChoice(
        positions=(4, 2, 1),
        reasons={
            4: "By Ada Lovelace, whom you follow · new today",
            2: "On your topic “fusion”",
        },
    )


def test_an_opinion_orders_within_the_topics_and_leaves_them_first() -> None:
    standing = edition(4)
    papers = tuple(
        replace(one, title="Cold fusion") if one.position in (3, 4) else one
        for one in standing.papers
    )
    choice = chosen(
        Preferences(topics=("fusion",), size=3),
        of=replace(standing, papers=papers),
        likes={4: 2, 2: 5},
    )
    assert isinstance(choice, DigestChoice)
    assert choice.positions == (4, 3, 2)
    assert choice.reasons[4] == "On your topic “fusion”"
    assert choice.parts == {"personal": [2.0, 0.0, 5.0]}


# --- interests ---------------------------------------------------------------------------------


def wanting(*said: str) -> ReaderPreferences:
    """The wishes of somebody who wrote these, as `kind:value`."""
    pairs = (one.partition(":") for one in said)
    return ReaderPreferences(
        interests=tuple(Interest(InterestKind(kind), value) for kind, _, value in pairs)
    )


def found_in(*categories: str, author: str = "Ada Lovelace") -> KeywordIndex:
    """Five papers; the nth is on `n` and in the nth of the categories, the last by the author."""
    return KeywordIndex(
        [
            IndexedPaper(
                paper_id=PaperId(100 + n),
                title=f"Paper {n}",
                abstract="On Graphs, a survey." if n % 2 else "On trees.",
                authors=(author,) if n == 5 else ("Bob",),
                categories=categories[n - 1 : n],
            )
            for n in range(1, 6)
        ]
    )


def told(choice: DigestChoice | SkipReason) -> list[tuple[int, str]]:
    assert isinstance(choice, DigestChoice)
    return [(position, choice.reasons.get(position, "")) for position in choice.positions]


@pytest.mark.accept("F13", part="order")
def test_followed_authors_come_first_then_searches_then_the_rest() -> None:
    wishes = wanting("keyword:tree", "author:lovelace, ada")
    assert told(chosen(Preferences(), wishes=wishes, finder=found_in())) == [
        (5, "By Ada Lovelace, whom you follow"),
        (2, "Matches your search “tree”: “trees”"),
        (4, "Matches your search “tree”: “trees”"),
    ]


@pytest.mark.accept("F13", part="reasons")
@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("keyword:graphs", "Matches your search “graphs”"),
        (
            "keyword:graph AND survey",
            "Matches your search “graph AND survey”: “Graphs” and “survey”",
        ),
        (
            "keyword:GRAPHS survey pap*",
            "Matches your search “GRAPHS survey pap*”: “Paper” and “Graphs”",
        ),
        ("keyword:survey graphs on", "Matches your search “survey graphs on”"),
        ("keyword:+survey paper*", "Matches your search “+survey paper*”"),
        ("keyword:tree OR GRAPHS", "Matches your search “tree OR GRAPHS”: “Graphs”"),
        ("keyword:paper NOT tree", "Matches your search “paper NOT tree”: “Paper”"),
        ('keyword:"on graphs"', 'Matches your search “"on graphs"”: “On Graphs”'),
        ("keyword:author:bob", "Matches your search “author:bob”: “Bob”"),
        ("keyword:cat:cs", "Matches your search “cat:cs”"),
        ("topic:graphs", "On your topic “graphs”"),
        ("author:BOB", "By Bob, whom you follow"),
        ("category:cs.LG", "In cs.LG, which you follow"),
        ("category:cs", "In cs, which you follow"),
    ],
)
def test_every_reason_names_what_the_reader_wrote_and_what_was_found(
    said: str, reason: str
) -> None:
    finder = found_in("cs.LG")
    assert dict(told(chosen(Preferences(), wishes=wanting(said), finder=finder)))[1] == reason


@pytest.mark.accept("F13", part="reasons")
def test_the_reason_of_everybody_follows_the_readers_own() -> None:
    of = edition(1)
    of = replace(of, papers=(replace(of.papers[0], reason="41 votes"),))
    wishes = wanting("keyword:paper")
    assert told(chosen(Preferences(), of=of, wishes=wishes)) == [
        (1, "Matches your search “paper” · 41 votes")
    ]


@pytest.mark.accept("F13", part="mutes")
@pytest.mark.parametrize(
    "mute", ["tree", "tree NOT survey", "paper NOT graph", 'title:"paper 2" OR title:"paper 4"']
)
def test_what_is_muted_is_left_out_whatever_speaks_for_it(mute: str) -> None:
    wishes = wanting("keyword:tree", f"mute:{mute}", "author:bob")
    choice = chosen(Preferences(), wishes=wishes, finder=found_in(), likes={2: 9})
    assert isinstance(choice, DigestChoice)
    assert choice.positions == (1, 3, 5)
    assert not any("tree" in reason for reason in choice.reasons.values())


@pytest.mark.accept("F13", part="mutes")
@pytest.mark.parametrize("mute", ["author:bob", "category:cs.LG", "cat:cs"])
def test_authors_and_categories_can_be_muted(mute: str) -> None:
    finder = found_in("cs.LG", "cs.LG", "cs.LG", "cs.LG", "math.CO")
    assert [
        place
        for place, _ in told(chosen(Preferences(), wishes=wanting(f"mute:{mute}"), finder=finder))
    ] == [5]


@pytest.mark.accept("F13", part="mutes")
@pytest.mark.accept("F20", part="ledger")
def test_a_digest_that_mutes_empty_says_so() -> None:
    wishes = wanting("mute:paper")
    assert chosen(Preferences(), wishes=wishes) is SkipReason.MUTED
    assert chosen(Preferences(floor=99), wishes=wishes) is SkipReason.MUTED
    seen = (1, 2, 3, 4, 5)
    assert chosen(Preferences(), wishes=wishes, seen=seen) is SkipReason.NO_NEW_PAPERS


@pytest.mark.accept("F13", part="categories")
def test_a_category_lifts_its_papers_by_what_it_tells_and_leaves_none_out() -> None:
    finder = found_in("cs.LG", "cs.LG", "cs.LG", "cs.LG", "math.CO")
    for name in ("math.CO", "math"):
        lifted = chosen(Preferences(size=5), wishes=wanting(f"category:{name}"), finder=finder)
        assert [place for place, _ in told(lifted)] == [1, 2, 5, 3, 4]
        assert dict(told(lifted)) == {1: "", 2: "", 5: f"In {name}, which you follow", 3: "", 4: ""}


def test_a_category_is_worth_more_the_fewer_papers_are_in_it_within_bounds() -> None:
    worth = [lift_of(inside, 60) for inside in range(61)]
    assert worth == sorted(worth, reverse=True)
    assert worth[0] == MOST_LIFT
    assert worth[60] == 0


def test_a_category_counts_towards_the_floor() -> None:
    finder = found_in("cs.LG", "cs.LG", "cs.LG", "cs.LG", "math.CO")
    wishes = wanting("category:math.CO")
    choice = chosen(Preferences(floor=7.0), wishes=wishes, finder=finder)
    assert [place for place, _ in told(choice)] == [1, 2, 5]
    assert chosen(Preferences(floor=7.5), wishes=wishes, finder=finder) == DigestChoice(
        positions=(1, 2)
    )


@pytest.mark.accept("F13", part="seeds")
def test_a_paper_that_a_reader_gave_is_not_sent_to_them() -> None:
    wishes = replace(wanting("seed:arxiv:2601.00001"), seeds=(PaperId(101),))
    assert chosen(Preferences(), wishes=wishes) == DigestChoice(positions=(2, 3, 4))


def test_a_line_that_can_no_longer_be_read_stops_no_digest() -> None:
    wishes = wanting('keyword:"open', "mute:)", 'keyword:"paper 2"')
    assert [place for place, _ in told(chosen(Preferences(size=1), wishes=wishes))] == [2]
