"""What a digest tells of the papers that it does not hold, so that nobody reads listings for fear
of having missed some."""

import re
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import func, select

from paperround.core.i18n.locale import locale_for
from paperround.core.tokens import Purpose
from paperround.db.schema import tables as db
from paperround.db.transactions import SqlDatabase
from paperround.delivery.store.ledger import Ledger
from paperround.digests.edition_cache import EditionCache
from paperround.digests.new_papers import NewPaperCounter
from paperround.digests.publish import draft, freeze, publish
from paperround.digests.render.composer import MailRenderer
from paperround.editions.labels import localized_new
from paperround.editions.model import DigestKind, NewPapers
from paperround.editions.store.editions import EditionStore
from paperround.editions.store.lists import ListStore
from paperround.papers.model import PaperId, Record
from paperround.personal.ranking import PersonalRanking
from paperround.ranking.rank import rank_list
from paperround.self_service.feedback import give_feedback, papers_after, papers_of_digest
from paperround.subscribers.interests import Interest, InterestKind
from paperround.subscribers.model import Frequency, Preferences
from paperround.subscribers.store.subscribers import SubscriberStore
from tests.digests.messages import sender_identity
from tests.digests.planning import MINUTE, cut, plan
from tests.digests.publishing import DAY, PLAIN, listed, mailed, publish_at, titles
from tests.personal.personal_ranking import like, person
from tests.sample_database import IDENTITY, NOW, fill, subscribe
from tests.self_service.readers import signup_context

FRIDAY, SATURDAY, MONDAY = NOW, NOW + DAY, NOW + 3 * DAY
TUESDAY = MONDAY + DAY
HOUR = timedelta(hours=1)


def wants(database: SqlDatabase, name: str, *interests: Interest) -> None:
    who = person(database, name)
    with database.writing() as work:
        work[SubscriberStore].set_interests(who, interests, now=NOW)


def in_category(number: int, category: str, *, now: datetime = NOW) -> Record:
    return replace(listed(number, 10 + number, days_ago=0, now=now), categories=(category,))


def listed_since(database: SqlDatabase, moment: datetime) -> int:
    """How many papers were first listed after `moment`, by the listings alone."""
    with database.reading() as work:
        first = (
            select(func.min(db.listings.c.first_seen_at).label("seen"))
            .group_by(db.listings.c.paper_id)
            .subquery()
        )
        counted = select(func.count()).where(first.c.seen > moment)
        return int(work.connection.execute(counted).scalar_one())


# --- how many were new -------------------------------------------------------------------------


@pytest.mark.accept("F61", part="how many were new", mutant="what-was-known-before-is-new")
def test_a_digest_says_how_many_papers_were_new_and_how_many_of_them_it_holds(
    database: SqlDatabase,
) -> None:
    subscribe(database, "ada", wish=Preferences(size=5))
    fill(database, [listed(n, 20, days_ago=0) for n in range(1, 21)])
    publish_at(database, FRIDAY)
    first = mailed(database, "ada", FRIDAY.date())
    assert first.new_papers == NewPapers(new=20, here=5)
    fill(database, [listed(n, 90, days_ago=0, now=SATURDAY) for n in range(31, 34)], SATURDAY)
    publish_at(database, SATURDAY)
    second = mailed(database, "ada", SATURDAY.date())
    assert second.new_papers == NewPapers(new=listed_since(database, FRIDAY), here=3)
    assert listed_since(database, FRIDAY) == 3
    assert len(second.papers) == 5
    mail = MailRenderer(sender_identity()).render(second)
    assert localized_new(locale_for(), NewPapers(new=1, here=1)) == "1 paper came in, 1 here"
    assert "3 papers came in, 3 of them here" in mail.html
    assert "\n3 papers came in, 3 of them here\n" in mail.text


@pytest.mark.accept("F61", part="how many were new", mutant="all-papers-are-in-ones-fields")
def test_who_follows_categories_is_told_what_was_new_in_those(database: SqlDatabase) -> None:
    subscribe(database, "ada", "bob", wish=Preferences(size=4))
    wants(
        database,
        "ada",
        Interest(InterestKind.CATEGORY, "cs.CV"),
        Interest(InterestKind.CATEGORY, "math"),
    )
    fill(database, [in_category(n, "cs.CV") for n in range(1, 4)])
    fill(database, [in_category(n, "math.PR") for n in range(4, 9)])
    fill(database, [in_category(n, "cs.LG") for n in range(9, 20)])
    publish_at(database, FRIDAY)
    ada = mailed(database, "ada", FRIDAY.date())
    assert ada.new_papers is not None
    assert (ada.new_papers.new, ada.new_papers.in_fields) == (8, True)
    own = {f"Paper {n}" for n in range(1, 9)}
    assert ada.new_papers.here == len(own & set(titles(ada)))
    assert mailed(database, "bob", FRIDAY.date()).new_papers == NewPapers(new=19, here=4)
    text = MailRenderer(sender_identity()).render(ada).text
    assert f"8 papers came in from your fields, {ada.new_papers.here} of them here" in text


@pytest.mark.accept("F61", part="how many were new", mutant="an-empty-topic-is-passed-over")
def test_who_follows_a_topic_of_which_there_is_nothing_is_told_so(database: SqlDatabase) -> None:
    subscribe(database, "ada", "bob", "eve", wish=Preferences(size=4))
    wants(database, "ada", Interest(InterestKind.TOPIC, "robotics"))
    wants(
        database,
        "bob",
        Interest(InterestKind.TOPIC, "robotics"),
        Interest(InterestKind.TOPIC, "speech"),
    )
    wants(database, "eve", Interest(InterestKind.TOPIC, "robotics"))
    fill(database, [listed(n, 20, days_ago=0) for n in range(1, 9)])
    publish_at(database, FRIDAY)
    renderer = MailRenderer(sender_identity())
    text = {
        one: " ".join(renderer.render(mailed(database, one, FRIDAY.date())).text.split())
        for one in ("ada", "bob")
    }
    line = "8 papers came in, 4 of them here · No papers on"
    assert f"{line} “robotics” in this digest" in text["ada"]
    assert f"{line} your topics in this digest" in text["bob"]
    robots = replace(listed(31, 1, days_ago=0, now=SATURDAY), title="Robotics for kitchens")
    fill(database, [robots, listed(32, 90, days_ago=0, now=SATURDAY)], SATURDAY)
    publish_at(database, SATURDAY)
    assert "No papers on" not in renderer.render(mailed(database, "eve", SATURDAY.date())).text


@pytest.mark.accept("F61", part="how many were new", mutant="a-monday-counts-one-day")
def test_a_monday_counts_the_weekend_for_who_reads_on_weekdays(database: SqlDatabase) -> None:
    subscribe(database, "ada", wish=Preferences(frequency=Frequency.WEEKDAYS))
    subscribe(database, "bob")
    subscribe(database, "week", wish=Preferences(frequency=Frequency.WEEKLY, weekday="mon"))
    for number, now in ((1, FRIDAY), (2, SATURDAY), (3, SATURDAY + DAY), (4, MONDAY)):
        fill(database, [listed(number, 30, days_ago=0, now=now)], now)
        publish_at(database, now)
    counts = {
        name: found.new
        for name in ("ada", "bob", "week")
        if (found := mailed(database, name, MONDAY.date()).new_papers)
    }
    assert counts == {"ada": 3, "bob": 1, "week": 4}


@pytest.mark.accept("F61", part="how many were new", mutant="a-late-edition-forgets-papers")
def test_a_paper_that_came_between_two_late_editions_counts_once(database: SqlDatabase) -> None:
    subscribe(database, "ada")
    plan(database, FRIDAY - HOUR)
    counts = []
    for number, late in ((1, 5), (2, 50), (3, 5)):
        day = FRIDAY + number * DAY
        cut(database, day - HOUR, late=late * MINUTE)
        plan(database, day)
        told = mailed(database, "ada", day.date()) if number > 1 else None
        counts.append(told and told.new_papers)
        came = day - HOUR + (late + 1) * MINUTE
        fill(database, [listed(number, 20, days_ago=0, now=came)], came)
    assert counts == [None, NewPapers(new=1, here=1), NewPapers(new=1, here=1)]


@pytest.mark.accept("F61", part="how many were new", mutant="an-archive-is-new")
def test_an_archive_that_is_read_today_is_not_new(database: SqlDatabase) -> None:
    subscribe(database, "ada")
    fill(database, [listed(1, 20, days_ago=0), listed(2, 20, days_ago=5)])
    publish_at(database, FRIDAY)
    assert mailed(database, "ada", FRIDAY.date()).new_papers == NewPapers(new=1, here=1)


@pytest.mark.accept("F61", part="how many were new", mutant="a-number-without-a-feed")
@pytest.mark.parametrize("reason", ["feed-failed", "feed-stale", None])
def test_while_a_feed_is_out_of_reach_no_number_is_told(
    database: SqlDatabase, reason: str | None
) -> None:
    subscribe(database, "ada")
    plan(database, FRIDAY - HOUR)
    noon, morning = FRIDAY + 5 * HOUR, SATURDAY
    fill(database, [listed(n, 20, days_ago=0, now=noon) for n in range(1, 9)], noon)
    ranked = rank_list(
        database=database, ranker=PLAIN, list_name="trending", day=morning.date(), now=morning
    )
    freeze(database, draft(ranked, "1", morning, cut_at=morning - HOUR, quiet_reason=reason))
    plan(database, morning)
    view = mailed(database, "ada", morning.date())
    told = " came in, " in MailRenderer(sender_identity()).render(view).text
    assert (view.new_papers is not None, told) == (reason is None, reason is None)


@pytest.mark.accept("F61", part="how many were new", mutant="a-number-is-not-stored")
def test_the_number_stays_as_it_was_counted(database: SqlDatabase) -> None:
    subscribe(database, "ada")
    fill(database, [listed(n, 20, days_ago=0) for n in range(1, 9)])
    publish_at(database, FRIDAY)
    fill(database, [listed(n, 20, days_ago=0) for n in range(20, 30)])
    assert mailed(database, "ada", FRIDAY.date()).new_papers == NewPapers(new=8, here=8)


def test_papers_are_counted_once_for_an_edition_and_a_set_of_fields(database: SqlDatabase) -> None:
    fill(database, [listed(n, 20, days_ago=0) for n in range(1, 9)])
    publish_at(database, FRIDAY)
    cache = EditionCache()
    with database.reading() as work:
        trending = work[ListStore].get("trending")
        edition = work[EditionStore].newest(trending.id, by=FRIDAY)
        assert edition is not None
        first = cache.counter(work, edition, trending, DAY)
        assert cache.counter(work, edition, trending, DAY) is first
    counter = NewPaperCounter({PaperId(1): ("cs.LG",), PaperId(2): ()})
    papers = (PaperId(1), PaperId(7))
    once = counter.count(("cs",), papers)
    assert once == NewPapers(new=1, here=1, in_fields=True)
    assert counter.count(("cs",), papers) is once
    assert counter.count(("math",), papers) is None


# --- the next thirty ---------------------------------------------------------------------------


def token_of(database: SqlDatabase, name: str, now: datetime) -> str:
    """The token in the links of somebody's digest."""
    with database.reading() as work:
        trending = work[ListStore].get("trending")
        row = work[Ledger].find(trending.id, person(database, name), DigestKind.DIGEST, now.date())
        assert row is not None
    return IDENTITY.keys.token(Purpose.UNSUBSCRIBE, row.row, row.nonce)


def next_of(database: SqlDatabase, name: str, now: datetime) -> list[str]:
    """The titles on somebody's page, which are as many as the email said."""
    context = signup_context(database)
    form = papers_of_digest(context, token_of(database, name, now))
    assert form is not None
    titles = [paper.title for paper in papers_after(context, form)]
    assert mailed(database, name, now.date()).next_titles == len(titles)
    return titles


@pytest.mark.accept("F61", part="the next thirty", mutant="the-next-begin-with-the-mail")
def test_the_next_papers_are_those_of_the_edition_after_the_mail(database: SqlDatabase) -> None:
    subscribe(database, "ada", wish=Preferences(size=5))
    fill(database, [listed(n, 200 - n, days_ago=0) for n in range(1, 51)])
    publish_at(database, FRIDAY)
    with database.reading() as work:
        edition = work[EditionStore].newest(work[ListStore].get("trending").id, by=FRIDAY)
        assert edition is not None
    mail = titles(mailed(database, "ada", FRIDAY.date()))
    rest = [paper.title for paper in edition.papers if paper.title not in mail]
    assert next_of(database, "ada", FRIDAY) == rest[:30]


@pytest.mark.parametrize(
    ("papers", "link"), [(40, "next 30 titles"), (7, "next 2 titles"), (6, "next title"), (5, "")]
)
def test_the_email_says_how_many_titles_follow(
    database: SqlDatabase, papers: int, link: str
) -> None:
    subscribe(database, "ada", wish=Preferences(size=5))
    fill(database, [listed(n, 200 - n, days_ago=0) for n in range(1, papers + 1)])
    publish_at(database, FRIDAY)
    fill(database, [listed(n, 300, days_ago=0) for n in range(50, 60)])
    shown = MailRenderer(sender_identity()).render(mailed(database, "ada", FRIDAY.date()))
    for part in (shown.text, shown.html):
        assert re.findall(r"See the (next [^<:]*)", part) == [link][: bool(link)]
        assert ("/next" in part) is bool(link)


@pytest.mark.accept("F61", part="the next thirty", mutant="the-next-are-everybodys")
def test_the_next_papers_are_the_reader_s_own(database: SqlDatabase) -> None:
    subscribe(database, "ada", wish=Preferences(size=2))
    kiln = [
        replace(listed(n, 0, days_ago=0), title=f"Kiln {n}", abstract=f"A kiln, fired {n} times.")
        for n in range(101, 106)
    ]
    fill(database, [listed(n, 100, days_ago=0) for n in range(1, 71)])
    fill(database, kiln)
    wants(
        database,
        "ada",
        Interest(InterestKind.KEYWORD, "kiln"),
        Interest(InterestKind.MUTE, "105"),
    )
    personal = PersonalRanking()
    publish(
        database=database,
        ranker=PLAIN,
        identity=IDENTITY,
        list_name="trending",
        day=None,
        cut="manual",
        now=FRIDAY,
        personal_ranking=personal,
    )
    mail = titles(mailed(database, "ada", FRIDAY.date()))
    own = next_of(database, "ada", FRIDAY)
    assert {*mail, *own[:2]} == {"Kiln 101", "Kiln 102", "Kiln 103", "Kiln 104"}
    assert len(own) == len({*own}) == 30
    assert "Kiln 105" not in own


@pytest.mark.accept(
    "S20", part="next titles", mutant="the-next-papers-are-those-of-the-last-digest"
)
def test_the_next_papers_stay_those_of_the_digest_whatever_its_reader_chooses_later(
    database: SqlDatabase,
) -> None:
    subscribe(database, "ada", wish=Preferences(size=2))
    fill(database, [listed(n, 200 - n, days_ago=0) for n in range(1, 11)])
    publish_at(database, FRIDAY)
    before = next_of(database, "ada", FRIDAY)
    wants(database, "ada", Interest(InterestKind.MUTE, '"paper 7"'))
    like(database, "ada", "Paper 9", verdict="save")
    publish_at(database, SATURDAY)
    assert next_of(database, "ada", FRIDAY) == before == [f"Paper {n}" for n in range(3, 11)]


def test_a_monthly_and_a_weekly_digest_go_on_too(database: SqlDatabase) -> None:
    first = datetime(2026, 2, 1, 7, tzinfo=FRIDAY.tzinfo)
    for name, frequency in (("week", Frequency.WEEKLY), ("month", Frequency.MONTHLY)):
        wish = Preferences(frequency=frequency, weekday="sun" if name == "week" else None, size=3)
        subscribe(database, name, wish=wish)
    fill(database, [listed(n, 200 - n, days_ago=0) for n in range(1, 11)])
    publish_at(database, FRIDAY)
    publish_at(database, first)
    for name in ("week", "month"):
        mail = titles(mailed(database, name, first.date()))
        assert len(mail) == 3
        assert {*mail, *next_of(database, name, first)} == {f"Paper {n}" for n in range(1, 11)}
        assert not {*mail} & {*next_of(database, name, first)}


# --- rose later --------------------------------------------------------------------------------


def weekend(database: SqlDatabase, *, risers: int = 1, favourite: bool = True) -> None:
    """A Friday with a favourite, papers that rise on Sunday, and a Monday with a new favourite."""
    fill(database, [listed(1, 50, days_ago=0)])
    fill(database, [listed(n, 2, days_ago=0) for n in range(2, 12)])
    publish_at(database, FRIDAY)
    sunday = SATURDAY + DAY
    fill(database, [listed(1, 400, days_ago=2, now=sunday)], sunday)
    risen = [listed(n, 100 - n, days_ago=2, now=sunday) for n in range(2, 2 + risers)]
    fill(database, risen, sunday)
    if favourite:
        fill(database, [listed(99, 300, days_ago=0, now=MONDAY)], MONDAY)


@pytest.fixture
def ada(database: SqlDatabase) -> SqlDatabase:
    """Somebody who gets one paper a day."""
    subscribe(database, "ada", wish=Preferences(size=1))
    return database


def risen(database: SqlDatabase, name: str, now: datetime) -> list[tuple[str, int]]:
    return [(one.title, one.votes) for one in mailed(database, name, now.date()).risen]


@pytest.mark.accept("F61", part="rose later", mutant="what-was-sent-rose-later")
def test_what_rose_after_it_was_left_out_is_told_and_never_what_was_sent(ada: SqlDatabase) -> None:
    weekend(ada)
    assert titles(mailed(ada, "ada", FRIDAY.date())) == ["Paper 1"]
    publish_at(ada, MONDAY)
    assert titles(mailed(ada, "ada", MONDAY.date())) == ["Paper 99"]
    assert risen(ada, "ada", MONDAY) == [("Paper 2", 98)]


@pytest.mark.accept("F61", part="rose later", mutant="what-is-in-the-mail-rose-later")
def test_a_paper_in_the_mail_is_not_told_as_left_out(ada: SqlDatabase) -> None:
    weekend(ada, risers=2, favourite=False)
    publish_at(ada, MONDAY)
    assert titles(mailed(ada, "ada", MONDAY.date())) == ["Paper 2"]
    assert risen(ada, "ada", MONDAY) == [("Paper 3", 97)]


@pytest.mark.accept("F61", part="rose later", mutant="a-paper-that-had-its-votes-rose-later")
def test_a_paper_with_as_many_votes_on_its_first_day_did_not_rise(ada: SqlDatabase) -> None:
    fill(ada, [listed(1, 50, days_ago=0), listed(2, 40, days_ago=0)])
    publish_at(ada, FRIDAY)
    fill(ada, [listed(2, 70, days_ago=2, now=SATURDAY + DAY)], SATURDAY + DAY)
    fill(ada, [listed(99, 300, days_ago=0, now=MONDAY)], MONDAY)
    publish_at(ada, MONDAY)
    assert risen(ada, "ada", MONDAY) == []


@pytest.mark.accept("F61", part="rose later", mutant="what-was-refused-rose-later")
def test_what_a_reader_refused_or_muted_is_not_told(ada: SqlDatabase) -> None:
    subscribe(ada, "bob", "cyd", wish=Preferences(size=1))
    weekend(ada, risers=2)
    like(ada, "ada", "Paper 2", verdict="less")
    wants(ada, "bob", Interest(InterestKind.MUTE, '"paper 3"'))
    wants(ada, "cyd", Interest(InterestKind.CATEGORY, "math"))
    publish_at(ada, MONDAY)
    told = {
        name: [title for title, _ in risen(ada, name, MONDAY)] for name in ("ada", "bob", "cyd")
    }
    assert told == {"ada": ["Paper 3"], "bob": ["Paper 2"], "cyd": []}


@pytest.mark.accept("F61", part="rose later", mutant="every-digest-owns-up")
def test_only_the_first_digest_of_a_week_tells_and_at_most_three(ada: SqlDatabase) -> None:
    weekend(ada, risers=6)
    publish_at(ada, MONDAY)
    fill(ada, [listed(98, 300, days_ago=0, now=TUESDAY)], TUESDAY)
    publish_at(ada, TUESDAY)
    assert [title for title, _ in risen(ada, "ada", MONDAY)] == ["Paper 2", "Paper 3", "Paper 4"]
    assert risen(ada, "ada", TUESDAY) == []


def test_without_a_monday_a_tuesday_is_the_first_digest_of_the_week(ada: SqlDatabase) -> None:
    weekend(ada)
    fill(ada, [listed(98, 300, days_ago=0, now=TUESDAY)], TUESDAY)
    publish_at(ada, TUESDAY)
    assert [title for title, _ in risen(ada, "ada", TUESDAY)] == ["Paper 2"]


def test_a_newcomer_is_told_nothing_of_days_without_a_digest(ada: SqlDatabase) -> None:
    weekend(ada)
    subscribe(ada, "new", wish=Preferences(size=1))
    publish_at(ada, MONDAY)
    assert risen(ada, "new", MONDAY) == []


@pytest.mark.accept("F61", part="rose later", mutant="a-week-owns-up-to-its-own-days")
def test_a_weekly_digest_tells_of_the_week_that_the_one_before_was_of(
    database: SqlDatabase,
) -> None:
    wish = Preferences(frequency=Frequency.WEEKLY, weekday="fri", size=1)
    subscribe(database, "week", wish=wish)
    fill(database, [listed(1, 50, days_ago=1), listed(2, 3, days_ago=1), listed(3, 3, days_ago=1)])
    publish_at(database, FRIDAY)
    later = FRIDAY + 7 * DAY
    fill(database, [listed(2, 120, days_ago=8, now=later)], later)
    fill(
        database,
        [listed(8, 90, days_ago=1, now=later), listed(9, 80, days_ago=1, now=later)],
        later,
    )
    publish_at(database, later)
    assert titles(mailed(database, "week", later.date())) == ["Paper 8"]
    assert risen(database, "week", later) == [("Paper 2", 120)]


@pytest.mark.accept("F61", part="rose later", mutant="a-title-counts-as-sent")
def test_a_title_line_is_not_a_paper_that_was_sent(ada: SqlDatabase) -> None:
    weekend(ada)
    publish_at(ada, MONDAY)
    assert risen(ada, "ada", MONDAY) == [("Paper 2", 98)]
    publish_at(ada, TUESDAY)
    assert titles(mailed(ada, "ada", TUESDAY.date())) == ["Paper 2"]


@pytest.mark.accept("F61", part="rose later", mutant="a-risen-paper-cannot-be-rated")
def test_one_click_by_the_link_of_the_mail_teaches(ada: SqlDatabase) -> None:
    weekend(ada)
    publish_at(ada, MONDAY)
    here, token = signup_context(ada), token_of(ada, "ada", MONDAY)
    sheet = papers_of_digest(here, token)
    assert sheet is not None
    (paper,) = sheet.risen
    assert give_feedback(here, token, paper.paper_id, "more", now=MONDAY)
    with ada.reading() as work:
        ratings = work[SubscriberStore].feedback_of(person(ada, "ada"))
    assert ratings == [(paper.paper_id, "more")]
    mail = MailRenderer(sender_identity()).render(mailed(ada, "ada", MONDAY.date()))
    assert "Left out of your digests, but popular later" in mail.html
    assert "98 votes" in mail.text
    assert f"/feedback/{'x' * 40}/more/r1" in mail.html
    assert f"/feedback/{'x' * 40}/more/r1" in mail.text
