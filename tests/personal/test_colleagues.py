"""Readers who share see what colleagues saved, never who, and never of fewer than three."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from paperround.core.i18n.locale import locale_for
from paperround.db.transactions import SqlDatabase
from paperround.delivery.store.erasure import Erasure
from paperround.delivery.store.ledger import Ledger
from paperround.digests.publish import draft_edition, freeze
from paperround.digests.render.composer import MailRenderer
from paperround.editions.model import DigestKind, EditionPaper, NewEdition
from paperround.editions.store.editions import EditionStore
from paperround.papers.merge import joined
from paperround.papers.model import PaperId
from paperround.papers.store.papers import PaperStore
from paperround.personal.colleagues import load_colleagues
from paperround.personal.views import PaperIndex
from paperround.ranking.rank import ListRanking, rank_list
from paperround.ranking.trending import TrendingRanker
from paperround.ranking.weights import parse_weights
from paperround.subscribers.model import Address, Frequency, Preferences, Subscription
from paperround.subscribers.store.subscribers import SubscriberStore
from paperround.web.papers_api import PlacedPaper
from paperround.web.templates import _score_parts
from tests.builders import edition_paper, everything_kept
from tests.digests.messages import sender_identity
from tests.digests.publishing import DAY, PLAIN, publish_at
from tests.personal.sharing import (
    COLLEAGUES,
    FRIDAY,
    SHARING,
    SILENT,
    THURSDAY,
    choose,
    first_edition,
    friday,
    frozen,
    next_edition,
    say,
    subscription,
    told,
)
from tests.sample_database import fill, record, subscribe
from tests.self_service.readers import press, signup_context

SAVED = "Saved by 3 colleagues"
CLUB = "Saved by 4 colleagues this week: “Paper 9”"
SATURDAY = FRIDAY + DAY
HOUR = DAY / 24


def the(edition: NewEdition, title: str = "Paper 9") -> EditionPaper:
    return next(paper for paper in edition.papers if paper.title == title)


def is_told(database: SqlDatabase, name: str) -> bool:
    return "Saved by" in told(friday(database, name))


# --- the reason --------------------------------------------------------------------------------


@pytest.mark.postgres
@pytest.mark.accept("F63", part="colleagues")
def test_a_reader_who_shares_is_told_how_many_colleagues_saved_a_paper(
    database: SqlDatabase,
) -> None:
    first_edition(database)
    subscribe(database, "new", wish=SHARING)
    say(database, ["ada", "bob", "cleo"])
    next_edition(database)
    view = friday(database, "new")
    assert told(view) == SAVED
    assert told(view, "Paper 8").startswith("32 votes")


@pytest.mark.accept("F63", part="consent", mutant="who-does-not-share-is-counted")
def test_who_does_not_share_is_never_counted(database: SqlDatabase) -> None:
    first_edition(database, "zoe")
    subscribe(database, "new", wish=SHARING)
    say(database, ["ada", "bob", "zoe"])
    assert not next_edition(database).shared
    assert not is_told(database, "new")


@pytest.mark.accept("F63", part="consent", mutant="who-does-not-share-is-told")
def test_who_does_not_share_is_told_nothing(database: SqlDatabase) -> None:
    first_edition(database)
    subscribe(database, "new")
    say(database, COLLEAGUES)
    next_edition(database)
    assert not is_told(database, "new")
    assert friday(database, "new").club is None


@pytest.mark.accept("F63", part="consent", mutant="two-are-enough")
@pytest.mark.parametrize("verdict", ["save", "more", "less"])
def test_nothing_is_told_of_two(database: SqlDatabase, verdict: str) -> None:
    first_edition(database)
    subscribe(database, "new", wish=SHARING)
    say(database, ["ada", "bob"], verdict=verdict)
    edition = next_edition(database)
    assert not edition.shared
    assert "colleagues" not in the(edition).parts
    assert not is_told(database, "new")


@pytest.mark.accept("F63", part="consent", mutant="a-save-of-before-counts")
def test_what_was_saved_before_one_shared_does_not_count(database: SqlDatabase) -> None:
    first_edition(database)
    say(database, ["ada", "bob", "cleo"])
    choose(database, "ada", replace(SHARING, shares_since=FRIDAY - DAY / 4), FRIDAY)
    assert not next_edition(database).shared


@pytest.mark.accept("F63", part="consent", mutant="who-left-is-counted")
def test_who_left_the_list_is_not_counted(database: SqlDatabase) -> None:
    first_edition(database)
    say(database, ["ada", "bob", "cleo"])
    with database.writing() as work:
        work[SubscriberStore].leave(subscription(database, "ada").id, now=FRIDAY)
    assert not next_edition(database).shared


@pytest.mark.accept("F63", part="consent")
def test_a_paper_one_wants_less_of_is_not_saved_any_more(database: SqlDatabase) -> None:
    first_edition(database)
    say(database, ["ada", "bob", "cleo"])
    say(database, ["cleo"], verdict="less")
    assert not next_edition(database).shared


@pytest.mark.accept("F63", part="consent", mutant="a-number-includes-its-reader")
def test_nobody_is_told_of_a_paper_they_spoke_of(database: SqlDatabase) -> None:
    """Three who saved it are two others to one of them."""
    first_edition(database)
    say(database, ["ada", "bob", "cleo"])
    edition = next_edition(database)
    index = PaperIndex(edition.papers)
    names = ("ada", "dan")
    ada, dan = (subscription(database, name) for name in names)
    with database.reading() as work:
        colleagues = load_colleagues(work, edition, index, [ada, dan])
    assert colleagues.told(ada.subscriber_id, index) == 0
    assert colleagues.told(dan.subscriber_id, index) == index.places({the(edition).paper_id})


@pytest.mark.postgres
@pytest.mark.accept("F63", part="consent", mutant="who-begins-anew-is-told-at-once")
def test_opting_out_and_in_tells_nothing_of_one_person(database: SqlDatabase) -> None:
    """The number is that of the edition, whoever asks, and the next one has none of fewer than
    three."""
    first_edition(database)
    say(database, ["ada", "bob", "cleo"])
    subscribe(database, "new", "other", wish=SHARING)
    edition = frozen(database)
    assert list(edition.shared.readers.values()) == [3]
    choose(database, "ada", Preferences(), FRIDAY)
    choose(database, "new", replace(SHARING, shares_since=FRIDAY + HOUR), FRIDAY + HOUR)
    publish_at(database, FRIDAY)
    assert not is_told(database, "new")
    assert told(friday(database, "other")) == SAVED
    choose(database, "ada", replace(SHARING, shares_since=FRIDAY + HOUR), FRIDAY + HOUR)
    assert not next_edition(database, SATURDAY).shared


@pytest.mark.postgres
@pytest.mark.accept("F63", part="consent", mutant="an-erased-person-keeps-what-they-said")
def test_who_was_erased_is_not_counted_in_the_next_edition(database: SqlDatabase) -> None:
    first_edition(database)
    say(database, ["ada", "bob", "cleo"])
    assert next_edition(database).shared
    ada = subscription(database, "ada")
    with database.writing() as work:
        work[Erasure].erase(ada.subscriber_id, now=FRIDAY)
        assert not work[Erasure].forget_orphans(now=FRIDAY)
    edition = next_edition(database, SATURDAY)
    assert not edition.shared
    assert "colleagues" not in the(edition).parts


@pytest.mark.postgres
@pytest.mark.accept("F63", part="colleagues")
def test_of_two_processes_one_freezes_its_numbers(database: SqlDatabase) -> None:
    first_edition(database)
    say(database, ["ada", "bob", "cleo"])
    drafted = draft_edition(database, PLAIN, "trending", day=None, now=FRIDAY)
    say(database, ["dan"])
    late = draft_edition(database, PLAIN, "trending", day=None, now=FRIDAY)
    assert late.shared != drafted.shared
    assert freeze(database, drafted).shared == drafted.shared
    assert freeze(database, late).shared == drafted.shared


@pytest.mark.accept("F63", part="consent", mutant="a-preview-counts-anew")
def test_a_draft_that_readers_look_at_counts_nobody(database: SqlDatabase) -> None:
    first_edition(database)
    say(database, COLLEAGUES)
    ada = Address(written="ada@example.org", mailed="ada@example.org")
    seen = press(signup_context(database)).preview("trending", now=FRIDAY, reader=ada)
    assert not seen.edition.shared
    assert not any("colleagues" in paper.parts for paper in seen.edition.papers)


def test_numbers_are_forgotten_with_the_tail_of_their_edition(database: SqlDatabase) -> None:
    first_edition(database)
    subscribe(database, "new", wish=SHARING)
    say(database, COLLEAGUES)
    edition = next_edition(database)
    with database.writing() as work:
        work[EditionStore].forget_tails(before=SATURDAY)
        assert not work[EditionStore].get(edition.id).shared
    assert told(friday(database, "new")) == "Saved by 6 colleagues"


# --- invented readers ---------------------------------------------------------------------------


@pytest.mark.postgres
@pytest.mark.accept("S21", part="few", mutant="few-sharers-are-counted")
def test_invented_readers_around_a_real_one_learn_nothing_of_what_it_saves(
    database: SqlDatabase,
) -> None:
    first_edition(database)
    for name in SILENT:
        choose(database, name, Preferences(), THURSDAY)
    subscribe(database, "new", wish=SHARING)
    say(database, ["bob", "cleo", "dan"])
    before = draft_edition(database, PLAIN, "trending", day=None, now=FRIDAY)
    say(database, ["ada"])
    assert draft_edition(database, PLAIN, "trending", day=None, now=FRIDAY) == before
    next_edition(database)
    assert not is_told(database, "new")


@pytest.mark.accept("S21", part="new readers")
def test_who_shares_since_less_than_three_weeks_does_not_count(database: SqlDatabase) -> None:
    first_edition(database)
    for name in ("bob", "cleo"):
        since = replace(SHARING, shares_since=FRIDAY - 20 * DAY)
        choose(database, name, since, THURSDAY)
    subscribe(database, "new", "kim", wish=SHARING)  # so ten others still count
    say(database, ["ada", "bob", "cleo"])
    assert not next_edition(database).shared


@pytest.mark.accept("S21", part="delay")
def test_a_save_counts_a_day_later(database: SqlDatabase) -> None:
    first_edition(database)
    say(database, ["ada", "bob", "cleo"], now=FRIDAY - DAY + HOUR)
    assert not next_edition(database).shared
    assert next_edition(database, SATURDAY).shared


@pytest.mark.accept("S21", part="pages")
def test_no_public_number_says_what_colleagues_said() -> None:
    paper = edition_paper(1, PaperId(1))
    liked = replace(paper, score=paper.score + 0.5, parts={**paper.parts, "colleagues": 0.5})
    assert (liked.public_score, liked.public_parts) == (paper.score, paper.parts)
    shown = PlacedPaper.of(liked).model_dump()
    assert shown == PlacedPaper.of(paper).model_dump()
    assert "colleagues" not in dict(_score_parts(locale_for(), liked))


# --- the ranking -------------------------------------------------------------------------------


@pytest.mark.accept("F63", part="ranking", mutant="colleagues-are-not-bounded")
@pytest.mark.parametrize(
    ("verdict", "people", "part"),
    [("save", 3, 0.5), ("more", 5, 0.5), ("save", 6, 1.0), ("less", 3, -0.5), ("less", 6, -1.0)],
)
def test_what_colleagues_say_moves_a_paper_by_a_bounded_part(
    database: SqlDatabase, verdict: str, people: int, part: float
) -> None:
    first_edition(database)
    before = draft_edition(database, PLAIN, "trending", day=None, now=FRIDAY)
    say(database, COLLEAGUES[:people], verdict=verdict)
    ranked = draft_edition(database, PLAIN, "trending", day=None, now=FRIDAY)
    paper, was = (
        next(one for one in edition.papers if one.title == "Paper 9")
        for edition in (ranked, before)
    )
    assert paper.parts["colleagues"] == part
    assert paper.score == pytest.approx(was.score + part)
    assert paper.score == pytest.approx(sum(paper.parts.values()))
    assert (paper.position < was.position) == (part > 0)


@pytest.mark.accept("F63", part="ranking")
def test_those_who_want_less_are_taken_off_those_who_like_it(database: SqlDatabase) -> None:
    first_edition(database)
    say(database, ["ada", "bob", "cleo"])
    say(database, ["dan"], verdict="less")
    edition = next_edition(database)
    assert "colleagues" not in the(edition).parts
    assert list(edition.shared.readers.values()) == [3]


@pytest.mark.accept("F63", part="ranking")
def test_an_operator_may_turn_it_off(database: SqlDatabase) -> None:
    first_edition(database)
    say(database, COLLEAGUES)
    off = TrendingRanker(weights=parse_weights("colleagues=0"))
    assert "colleagues" not in the(next_edition(database, ranker=off)).parts
    assert off.name == "trending-3(colleagues=0.0)"


@pytest.mark.accept("F63", part="ranking")
def test_where_nobody_shares_all_is_as_it_was(database: SqlDatabase) -> None:
    """Whatever was saved, scores, parts and order are the same to the last bit."""
    first_edition(database)
    for name in COLLEAGUES:
        choose(database, name, Preferences(), THURSDAY)
    before = ranked(database)
    say(database, COLLEAGUES)
    assert ranked(database) == before == ranked(database, with_shared=False)
    assert before.ranking.ranker == "trending-3"


def ranked(database: SqlDatabase, *, with_shared: bool = True) -> ListRanking:
    return rank_list(
        database=database,
        ranker=PLAIN,
        list_name="trending",
        day=None,
        now=FRIDAY,
        with_shared=with_shared,
    )


# --- the journal club --------------------------------------------------------------------------


@pytest.mark.postgres
@pytest.mark.accept("F63", part="journal club")
def test_the_paper_most_saved_this_week_is_the_journal_club(database: SqlDatabase) -> None:
    first_edition(database)
    subscribe(database, "new", wish=SHARING)
    say(database, ["ada", "bob", "cleo"], "Paper 3")
    say(database, ["ada", "bob", "cleo", "dan"])
    next_edition(database)
    words = MailRenderer(sender_identity()).render(friday(database, "new"))
    assert CLUB in " ".join(words.text.split())
    assert "Saved by 4 colleagues this week: “<span" in words.html
    fay = friday(database, "fay").club
    assert fay is not None
    assert (fay.title, fay.readers) == ("Paper 9", 4)
    ada = friday(database, "ada").club
    assert ada is not None
    assert ada.readers == 3


@pytest.mark.accept("F63", part="journal club", mutant="a-journal-club-of-two-others")
def test_three_are_a_journal_club_to_others_alone(database: SqlDatabase) -> None:
    first_edition(database)
    say(database, ["ada", "bob", "cleo"])
    next_edition(database)
    assert friday(database, "ada").club is None
    assert friday(database, "dan").club is not None


@pytest.mark.accept("F63", part="journal club", mutant="a-journal-club-every-day")
@pytest.mark.parametrize(
    ("wish", "days"),
    [
        (SHARING, ["Fri"]),
        (replace(SHARING, frequency=Frequency.WEEKDAYS), ["Fri"]),
        (replace(SHARING, frequency=Frequency.WEEKLY, weekday="sun"), ["Sun"]),
        (replace(SHARING, frequency=Frequency.MONTHLY), []),
    ],
)
def test_it_is_named_once_a_week(database: SqlDatabase, wish: Preferences, days: list[str]) -> None:
    first_edition(database)
    subscribe(database, "new", wish=wish)
    say(database, COLLEAGUES)
    named = []
    for after in range(4):
        now = FRIDAY + after * DAY
        next_edition(database, now)
        one = subscription(database, "new")
        with database.reading() as work:
            row = work[Ledger].find(one.list_id, one.subscriber_id, DigestKind.DIGEST, now.date())
        if row is not None and row.club is not None:
            named.append(f"{now:%a}")
    assert named == days


@pytest.mark.accept("F63", part="journal club")
def test_a_week_later_it_is_forgotten(database: SqlDatabase) -> None:
    first_edition(database)
    say(database, COLLEAGUES)
    assert next_edition(database, FRIDAY + 6 * DAY).shared.club
    assert next_edition(database, FRIDAY + 7 * DAY).shared.club is None


@pytest.mark.accept("F63", part="journal club")
def test_a_paper_that_was_withdrawn_is_no_journal_club(database: SqlDatabase) -> None:
    first_edition(database)
    say(database, COLLEAGUES)
    assert frozen(database).shared.club is not None
    fill(database, [record(9, withdrawn=True)], FRIDAY)
    publish_at(database, FRIDAY)
    assert friday(database, "fay").club is None
    assert next_edition(database, SATURDAY).shared.club is None


@pytest.mark.accept("F63", part="journal club")
def test_a_paper_that_was_joined_since_is_still_one_they_spoke_of(database: SqlDatabase) -> None:
    first_edition(database)
    say(database, ["ada", "bob", "cleo"], "Paper 9")
    edition = frozen(database)
    with database.writing() as work:
        ids = [the(edition, title).paper_id for title in ("Paper 8", "Paper 9")]
        papers = work[PaperStore].load(ids)
        work[PaperStore].join(joined(papers[ids[0]], papers[ids[1]]), now=FRIDAY)
    publish_at(database, FRIDAY)
    assert friday(database, "ada").club is None
    assert friday(database, "dan").club is not None


@pytest.mark.accept("F63", part="journal club", mutant="an-erased-person-keeps-a-journal-club")
def test_erasing_takes_it_out_of_the_ledger(database: SqlDatabase) -> None:
    first_edition(database)
    say(database, COLLEAGUES)
    next_edition(database)
    fay = subscription(database, "fay")
    assert [row["club"]["readers"] for row in kept(database, fay, "deliveries") if row["club"]] == [
        5
    ]
    with database.writing() as work:
        work[Erasure].erase(fay.subscriber_id, now=FRIDAY)
    assert not any(row["club"] for row in kept(database, fay, "deliveries"))
    assert all(row["shares_since"] is None for row in kept(database, fay, "subscriptions"))


def kept(database: SqlDatabase, one: Subscription, table: str) -> list[Mapping[str, Any]]:
    """The rows of a table that an export of the person holds."""
    with database.reading() as work:
        return everything_kept(work, one.subscriber_id)[table]
