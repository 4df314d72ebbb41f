"""A digest that is made for one reader: all it shows is true, whatever way it was planned."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import delete, func, insert, select, update

from paperround.bounces.classify import evidence_of_outcome
from paperround.bounces.handling import record_refusals
from paperround.core.clock import FixedClock
from paperround.db.schema import tables as db
from paperround.db.transactions import SqlDatabase
from paperround.delivery.store.status import StatusStore
from paperround.digests.model import DigestView
from paperround.digests.pages import edition_page
from paperround.digests.plan import Hours, Welcome, plan_due
from paperround.digests.publish import freeze_cuts
from paperround.digests.sending import DeliveryContext, digest_queue
from paperround.editions.lists import ListId
from paperround.editions.model import EditionId
from paperround.editions.store.editions import EditionStore
from paperround.ops.cleanup import KEPT_TAILS, clean_up
from paperround.ops.status import history
from paperround.papers.merge import joined as one_work
from paperround.papers.model import Paper, Record
from paperround.papers.store.papers import PaperStore
from paperround.personal import reader_scores
from paperround.personal.ranking import PersonalRanking
from paperround.personal.reader_preferences import load_preferences
from paperround.self_service.feedback import give_feedback, papers_of_digest
from paperround.self_service.preview import DigestPreviewer
from paperround.subscribers.model import Address, Frequency, Preferences, SubscriptionId
from paperround.subscribers.store.subscribers import SubscriberStore
from tests.builders import english
from tests.digests.personal import Level, mailed, narrow, publish_it, slip_of
from tests.fakes import (
    SENDER_IDENTITY,
    Neighbours,
    PlainRenderer,
    ScriptedMailer,
    accepting,
)
from tests.personal.personal_ranking import LATER, SUBJECTS, filler, like
from tests.sample_database import IDENTITY, NOW, fill, record, subscribe
from tests.self_service.readers import digest_link, digests, joined, signup_context

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
HOURS = Hours(hour=7)
ADA = Address(written="ada@example.org", mailed="ada@example.org")
KILN = "Glazed pottery is fired in a kiln; the glaze is ash."


def on(subject: str, number: int) -> Record:
    """A paper on one subject, in words of its own."""
    abstract = f"We study {subject} anew. Of {subject} little is known but word{number}."
    return record(number, title=f"Notes {number} on {subject}", abstract=abstract)


@pytest.fixture
def potter(database: SqlDatabase) -> SqlDatabase:
    """Ada liked an earlier paper on pottery, bob said nothing. Of today's twelve papers only the
    last is on pottery, and an edition shows five."""
    subscribe(database, "ada", "bob", wish=Preferences(size=4))
    earlier = [record(900, title="Dating pottery", abstract=KILN), *filler(20, 901)]
    fill(database, earlier, NOW - timedelta(days=30))
    like(database, "ada", "Dating pottery")
    fill(database, [record(1, title="A kiln for pottery", abstract=KILN)], NOW)
    fill(database, filler(11, 2), NOW + HOUR)
    narrow(database, 5)
    return database


# --- parts -------------------------------------------------------------------------------------


@pytest.mark.accept("Q9", part="personal")
def test_the_score_in_a_personal_mail_is_the_sum_of_the_parts_beside_it(
    potter: SqlDatabase,
) -> None:
    edition = publish_it(potter)
    view = mailed(potter, edition, "ada")
    assert view.papers[0].title == "A kiln for pottery"
    assert view.papers[0].parts["personal"] > 0
    for paper in view.papers:
        assert paper.score == round(sum(paper.parts.values()), 4)
    scores = [paper.score for paper in view.papers if paper.score is not None]
    assert scores == sorted(scores, reverse=True)


@pytest.mark.accept("Q9", part="personal")
def test_who_said_nothing_has_the_parts_of_the_edition_and_stores_none(
    potter: SqlDatabase,
) -> None:
    edition = publish_it(potter)
    assert slip_of(potter, edition, "bob").parts == {}
    shown = mailed(potter, edition, "bob").papers
    assert [paper.parts for paper in shown] == [paper.parts for paper in edition.papers[:4]]
    with potter.reading() as work:
        rows = select(db.deliveries.c.parts).order_by(db.deliveries.c.id)
        assert [stored is None for stored in work.connection.execute(rows).scalars()] == [
            False,
            True,
        ]


@pytest.mark.postgres
@pytest.mark.accept("R13", part="parts")
def test_a_planned_mail_is_the_one_that_was_previewed(potter: SqlDatabase) -> None:
    personal_ranking = PersonalRanking()

    def look() -> DigestView:
        shown = DigestPreviewer(
            database=potter,
            ranker=Level(),
            identity=IDENTITY,
            sender_identity=SENDER_IDENTITY,
            personal_ranking=personal_ranking,
            renderer=PlainRenderer(),
        ).preview("trending", day=LATER.date(), reader=ADA, now=LATER)
        assert shown.mail is not None
        return shown.mail.view

    before = look()
    publish_it(potter, personal_ranking)
    after = look()
    assert after.papers == before.papers
    assert [paper.parts for paper in after.papers] == [paper.parts for paper in before.papers]
    assert [paper.score for paper in after.papers] == [paper.score for paper in before.papers]


# --- papers behind the edition -----------------------------------------------------------------


@pytest.mark.accept("F13", part="all candidates")
def test_a_reader_gets_the_paper_on_their_subject_that_no_edition_shows(
    potter: SqlDatabase,
) -> None:
    edition = publish_it(potter)
    view = mailed(potter, edition, "ada")
    assert view.papers[0].title == "A kiln for pottery"
    assert view.papers[0].gist == KILN
    assert ", which you liked" in english(view.papers[0].reason)
    assert slip_of(potter, edition, "ada").positions[0] == 12
    assert all(
        paper.title != view.papers[0].title for paper in mailed(potter, edition, "bob").papers
    )


@pytest.mark.accept("F54", part="page", mutant="a-saved-paper-is-sent-as-new")
@pytest.mark.parametrize("verdict", ["save", "less"])
def test_a_paper_that_was_saved_or_not_wanted_before_it_was_sent_is_not_sent(
    potter: SqlDatabase, verdict: str
) -> None:
    like(potter, "ada", "A kiln for pottery", verdict)
    view = mailed(potter, publish_it(potter), "ada")
    assert len(view.papers) == 4
    assert "A kiln for pottery" not in [paper.title for paper in view.papers]


def test_a_paper_is_not_said_to_be_similar_to_itself(potter: SqlDatabase) -> None:
    like(potter, "ada", "A kiln for pottery")
    view = mailed(potter, publish_it(potter), "ada")
    reasons = {paper.title: english(paper.reason) for paper in view.papers}
    assert reasons["A kiln for pottery"] == ""


@pytest.mark.accept("F13", part="all candidates")
def test_an_edition_goes_on_showing_its_first_papers_and_no_others(potter: SqlDatabase) -> None:
    edition = publish_it(potter)
    page = edition_page(potter, "trending", edition.day, "manual")
    assert [paper.position for paper in page.edition.papers] == [1, 2, 3, 4, 5]
    with potter.reading() as work:
        [summary] = work[EditionStore].recent(edition.list_id, limit=9)
        [tally] = work[StatusStore].editions(edition.list_id, now=LATER, limit=9)
    assert (summary.paper_count, tally.paper_count) == (5, 5)


@pytest.mark.accept("F13", part="all candidates")
def test_the_papers_a_mail_leaves_to_the_web_are_counted_right(potter: SqlDatabase) -> None:
    edition = publish_it(potter)
    shown = [position for position in slip_of(potter, edition, "ada").positions if position <= 5]
    assert mailed(potter, edition, "ada").more_papers == 5 - len(shown)
    assert mailed(potter, edition, "bob").more_papers == 1


@pytest.mark.accept("F13", part="all candidates")
def test_what_a_mail_said_of_a_paper_behind_never_changes(potter: SqlDatabase) -> None:
    edition = publish_it(potter)
    before = mailed(potter, edition, "ada")
    changed = record(1, title="Another title", abstract="Another text.", fingerprint="print 1b")
    fill(potter, [changed], LATER + HOUR)
    assert mailed(potter, edition, "ada") == before


def test_a_reader_can_say_what_they_think_of_a_paper_behind(potter: SqlDatabase) -> None:
    publish_it(potter)
    here = signup_context(potter)
    row = next(one for one in digests(potter, now=LATER) if one.address.startswith("ada"))
    sheet = papers_of_digest(here, digest_link(row))
    assert sheet is not None
    assert sheet.papers[0].title == "A kiln for pottery"
    assert give_feedback(here, digest_link(row), sheet.papers[0].paper_id, "more", now=LATER)
    told = history(potter, ADA)
    assert told.titles[0][0] == "A kiln for pottery"


def test_a_lane_reads_an_edition_again_for_a_paper_that_it_did_not_carry_before(
    potter: SqlDatabase,
) -> None:
    personal_ranking = PersonalRanking()
    publish_it(potter, personal_ranking)
    post = DeliveryContext(
        judge=evidence_of_outcome,
        record_refusals=record_refusals,
        database=potter,
        mailer=ScriptedMailer(accepting),
        renderer=PlainRenderer(),
        sender_identity=SENDER_IDENTITY,
        keys=IDENTITY.keys,
        clock=FixedClock(LATER),
        processes=Neighbours(),
        lease=timedelta(minutes=15),
    )
    lane = digest_queue(post)
    for row in digests(potter, now=LATER):
        lane.envelope(row)
    subscribe(potter, "cleo", wish=Preferences(size=4))
    like(potter, "cleo", "Notes on whales")
    publish_it(potter, personal_ranking)
    (theirs,) = (row for row in digests(potter, now=LATER) if row.address.startswith("cleo"))
    assert b"whales" in lane.envelope(theirs).content


def test_a_paper_behind_is_sent_once(potter: SqlDatabase) -> None:
    publish_it(potter)
    again = publish_it(potter, now=LATER + DAY)
    assert 12 not in slip_of(potter, again, "ada").positions


def test_a_paper_behind_that_is_withdrawn_since_is_sent_to_nobody(potter: SqlDatabase) -> None:
    personal_ranking = PersonalRanking()
    edition = publish_it(potter, personal_ranking)
    with potter.writing() as work:
        gone = update(db.papers).where(db.papers.c.title == "A kiln for pottery")
        work.connection.execute(gone.values(withdrawn_at=LATER))
    subscribe(potter, "cleo", wish=Preferences(size=4))
    like(potter, "cleo", "Dating pottery")
    publish_it(potter, personal_ranking)
    assert 12 not in slip_of(potter, edition, "cleo").positions


def test_what_is_behind_is_forgotten_when_nothing_is_planned_from_it_any_more(
    potter: SqlDatabase,
) -> None:
    edition = publish_it(potter)
    before = mailed(potter, edition, "ada")
    for age, left in ((KEPT_TAILS - HOUR, 7), (KEPT_TAILS + HOUR, 0)):
        clean_up(database=potter, identity=IDENTITY, now=LATER + age)
        with potter.reading() as work:
            assert len(work[EditionStore].tail(edition.id)) == left
    assert mailed(potter, edition, "ada") == before


def test_an_edition_that_an_older_version_gave_its_papers_behind_is_planned_from(
    potter: SqlDatabase,
) -> None:
    edition = publish_it(potter)
    with potter.writing() as work:
        columns = db.behind_papers.c.keys()
        moved = insert(db.edition_papers).from_select(columns, select(db.behind_papers))
        work.connection.execute(moved)
        for table in (db.behind_papers, db.edition_tails):
            work.connection.execute(delete(table))
    subscribe(potter, "cleo", wish=Preferences(size=4))
    like(potter, "cleo", "Dating pottery")
    publish_it(potter)
    assert slip_of(potter, edition, "cleo").positions[0] == 12
    assert mailed(potter, edition, "ada").papers[0].title == "A kiln for pottery"


# --- papers that turn out to be one ------------------------------------------------------------


def join(database: SqlDatabase, title: str, into: str) -> None:
    """The paper called `title` turns out to be the one called `into`."""
    with database.writing() as work:
        named = select(db.papers.c.title, func.min(db.papers.c.id)).group_by(db.papers.c.title)
        ids = dict(work.connection.execute(named).all())
        papers = work[PaperStore].load([ids[into], ids[title]])
        work[PaperStore].join(one_work(papers[ids[into]], papers[ids[title]]), now=LATER)


class Reading(reader_scores.TasteDay):
    """Keeps the papers of the edition prepared last, by title."""

    papers: Mapping[str, Paper]

    def __init__(
        self,
        papers: Sequence[Paper],
        scores: Sequence[float],
        background: Sequence[str],
        shown: int,
    ) -> None:
        Reading.papers = {paper.title: paper for paper in papers}
        super().__init__(papers, scores, background, shown)


@pytest.mark.accept("F13", part="all candidates")
def test_a_paper_behind_that_was_joined_is_known_by_all_its_text(
    potter: SqlDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish_it(potter)
    join(potter, "A kiln for pottery", into="Dating pottery")
    subscribe(potter, "cleo", wish=Preferences(topics=("kilns",)))
    monkeypatch.setattr(reader_scores, "TasteDay", Reading)
    publish_it(potter, PersonalRanking())
    assert Reading.papers["Dating pottery"].abstract == KILN


def test_what_stands_behind_one_list_stands_behind_no_other(potter: SqlDatabase) -> None:
    edition = publish_it(potter)
    personal_ranking = PersonalRanking()
    with potter.reading() as work:
        people = work[SubscriberStore].subscriptions_after(
            edition.list_id, SubscriptionId(0), limit=9
        )
        first = personal_ranking.of(work, edition, people, load_preferences(work, people)).behind
        other = replace(edition, id=EditionId(99), list_id=ListId(99))
        second = personal_ranking.of(work, other, people, load_preferences(work, people)).behind
    assert (len(list(first or ())), list(second or ())) == (7, [])


# --- from a cold start -------------------------------------------------------------------------


@pytest.mark.accept("F28", part="topics")
@pytest.mark.accept("F13", part="cold start")
def test_the_first_digest_of_who_names_topics_is_chosen_by_them_within_moments(
    database: SqlDatabase,
) -> None:
    fill(database, filler(20, 901), NOW - timedelta(days=30))
    kiln = record(1, title="A kiln", abstract="Ceramics are fired in a kiln with glaze.")
    fill(database, [kiln], NOW - 2 * HOUR)
    fill(database, filler(9, 2), NOW - HOUR)
    freeze_cuts(database=database, ranker=Level(), now=NOW)
    asked: list[str] = []
    here = signup_context(database, plan=lambda: asked.append("plan"))
    wish = Preferences(topics=("glaze for ceramics",), frequency=Frequency.WEEKLY, weekday="mon")
    confirmed = joined(here, wish=wish, now=NOW, planned=False)
    assert (confirmed.welcome, asked) == (Welcome.DUE, ["plan"])
    assert digests(database, now=NOW) == []
    moments = NOW + timedelta(seconds=3)
    reports = [
        plan_due(
            database=database,
            identity=IDENTITY,
            hours=HOURS,
            now=moments,
            personal_ranking=PersonalRanking(),
        )["trending"].planned
        for _ in range(2)
    ]
    [digest] = digests(database, now=moments)
    assert reports == [1, 0]
    assert digest.local_date == NOW.date()
    assert digest.positions[0] == 10
    assert re.match(
        "Related to “.*(ceramics|glaze).*”, which you follow", english(digest.reasons[10])
    )


def test_a_newcomer_who_names_topics_waits_for_the_first_edition_like_all(
    database: SqlDatabase,
) -> None:
    asked: list[str] = []
    here = signup_context(database, plan=lambda: asked.append("plan"))
    assert joined(here, wish=Preferences(topics=("kilns",)), now=NOW).welcome is (
        Welcome.FIRST_PAPERS
    )
    assert asked == []


@pytest.mark.accept("F13", part="five good, three bad")
def test_five_good_and_three_bad_picks_move_the_next_day(database: SqlDatabase) -> None:
    subjects = SUBJECTS[:4]
    background = [on(subject, 900 + n) for n, subject in enumerate(SUBJECTS * 5)]
    fill(database, background, NOW - timedelta(days=30))
    yesterday = [
        on(subject, 1 + 4 * n + at) for n in range(5) for at, subject in enumerate(subjects)
    ]
    fill(database, yesterday, NOW - HOUR)
    subscribe(database, "ada", "bob", wish=Preferences(size=20))
    publish_it(database, now=NOW)
    here = signup_context(database)
    row = next(one for one in digests(database, now=NOW) if one.address.startswith("ada"))
    sheet = papers_of_digest(here, digest_link(row))
    assert sheet is not None
    for verdict, subject, count in (("more", "whales", 5), ("less", "tides", 3)):
        about = [one for one in sheet.papers if one.title.endswith(subject)][:count]
        for one in about:
            assert give_feedback(here, digest_link(row), one.paper_id, verdict, now=NOW)
    with database.writing() as work:
        work.connection.execute(update(db.subscriptions).values(size=8))
    today = [on(subject, 41 + 4 * n + at) for n in range(6) for at, subject in enumerate(subjects)]
    fill(database, today, NOW + DAY - HOUR)
    second = publish_it(database, now=NOW + DAY)
    ada, bob = (mailed(database, second, name).papers for name in ("ada", "bob"))
    assert all(paper.title.endswith("whales") for paper in ada[:4])
    assert not any(paper.title.endswith("tides") for paper in ada)
    assert [paper.title for paper in bob] == [paper.title for paper in second.papers[:8]]
    assert all(english(paper.reason).endswith(": also about whales") for paper in ada[:4])
