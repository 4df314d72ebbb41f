"""Freezing an edition and planning everybody's mail."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

import pytest

from paperround.core.reasons import freeze
from paperround.db.transactions import SqlDatabase, Transaction
from paperround.delivery.store.ledger import Ledger
from paperround.digests import publish as publishing
from paperround.digests.publish import PublishReport, publish
from paperround.editions.model import DigestKind, EditionState
from paperround.feeds.model import NewFeed
from paperround.feeds.store.feeds import FeedStore
from paperround.self_service.preview import DigestPreviewer
from paperround.subscribers.model import Preferences
from paperround.subscribers.store.subscribers import SubscriberStore
from tests.delivery.publishing import send
from tests.fakes import SENDER_IDENTITY, NewestFirst, PlainRenderer
from tests.sample_database import IDENTITY, NOW, deliveries_of, fill, record, subscribe


def papers_of(work: Transaction, report: PublishReport, name: str) -> tuple[int, ...]:
    people = work[SubscriberStore].export(report.edition.list_id)
    (person,) = (one for one, _ in people if one.address.startswith(name))
    slip = work[Ledger].find(
        report.edition.list_id, person.id, DigestKind.DIGEST, report.edition.day
    )
    assert slip is not None
    return slip.positions


def test_a_repeat_plans_only_who_is_missing(database: SqlDatabase) -> None:
    fill(database, [record(1)])
    subscribe(database, "ada")
    first = send(database)
    subscribe(database, "grace")
    again = send(database)
    assert (first.added, again.added, again.planned.rows) == (1, 1, 2)
    assert again.edition == replace(first.edition, state=EditionState.PLANNED)


@pytest.mark.postgres
@pytest.mark.accept("R13", part="texts")
def test_a_frozen_edition_keeps_its_texts_when_a_paper_changes(database: SqlDatabase) -> None:
    fill(database, [record(1, version=1)])
    send(database)
    fill(database, [record(1, version=2, title="Another title", fingerprint="v2")])
    assert send(database).edition.papers[0].title == "Paper 1"


@pytest.mark.accept("F14", part="never twice")
def test_tomorrow_brings_what_a_person_has_not_had(database: SqlDatabase) -> None:
    fill(database, [record(n) for n in range(1, 21)])
    subscribe(database, "ada")
    today, tomorrow = send(database), send(database, days=1)
    with database.reading() as work:
        first = {today.edition.papers[n - 1].paper_id for n in papers_of(work, today, "ada")}
        second = {tomorrow.edition.papers[n - 1].paper_id for n in papers_of(work, tomorrow, "ada")}
    assert (len(first), len(second)) == (12, 8)
    assert not first & second


@pytest.mark.accept("F20", part="ledger")
def test_every_skip_is_a_row_with_its_reason(database: SqlDatabase) -> None:
    fill(database, [record(1)])
    subscribe(database, "ada")
    subscribe(database, "grace", wish=Preferences(floor=99.0))
    report = send(database)
    assert report.planned.rows == 2
    assert report.planned.skipped == {"below-floor": 1}


@pytest.mark.accept("F20", part="ledger")
def test_an_empty_day_says_so(database: SqlDatabase) -> None:
    subscribe(database, "ada")
    report = send(database)
    assert report.edition.empty_reason == "no-papers-at-all"
    assert report.planned.skipped == {"no-papers-at-all": 1}


@pytest.mark.accept("F20", part="ledger")
def test_a_day_without_new_papers_is_not_a_day_without_any(database: SqlDatabase) -> None:
    fill(database, [record(1)])
    subscribe(database, "ada")
    assert send(database, days=30).planned.skipped == {"no-new-papers": 1}


def test_an_edition_that_came_before_its_papers_is_made_anew(database: SqlDatabase) -> None:
    subscribe(database, "ada")
    assert send(database).planned.skipped == {"no-papers-at-all": 1}
    fill(database, [record(1)])
    report = send(database)
    assert (len(report.edition.papers), report.planned.rows, report.planned.skipped) == (1, 1, {})


@pytest.mark.postgres
@pytest.mark.accept("R1", part="every transaction")
@pytest.mark.accept("F14", part="never twice")
@pytest.mark.parametrize("survived", range(1, 9))
def test_killed_after_any_transaction_the_plan_completes_once(
    database: SqlDatabase, survived: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publishing, "PAGE", 2)
    fill(database, [record(n) for n in range(1, 4)])
    subscribe(database, "ada", "alan", "barbara", "grace", "kurt")
    with pytest.raises(PowerCut):
        send(CutShort(database, survived))
    report = send(database)
    assert report.planned.rows == 5
    with database.reading() as work:
        assert work[Ledger].totals(now=NOW).queued == 5


class PowerCut(Exception):
    """The process is gone."""


class CutShort(SqlDatabase):
    """A database whose process dies when it opens one transaction too many."""

    def __init__(self, database: SqlDatabase, survives: int) -> None:
        self._inner = database
        self._left = survives

    def _count(self) -> None:
        self._left -= 1
        if self._left < 0:
            raise PowerCut

    @contextmanager
    def reading(self) -> Iterator[Transaction]:
        self._count()
        with self._inner.reading() as work:
            yield work

    @contextmanager
    def writing(self) -> Iterator[Transaction]:
        self._count()
        with self._inner.writing() as work:
            yield work
            self._count()


@pytest.mark.accept("T3", part="by hand")
def test_sending_by_hand_takes_the_date_it_is_where_the_reader_is(database: SqlDatabase) -> None:
    fill(database, [record(n) for n in range(1, 31)])
    subscribe(database, "lana", wish=Preferences(timezone="America/Los_Angeles"))
    evening = (NOW + timedelta(hours=20)).replace(hour=3)  # 19:00 of the day before, there
    reports = [
        publish(
            database=database,
            ranker=NewestFirst(),
            identity=IDENTITY,
            list_name="trending",
            day=None,
            cut="manual",
            now=evening + timedelta(hours=hours),
        )
        for hours in (0, 6)
    ]
    with database.reading() as work:
        (person,) = (one for one, _ in work[SubscriberStore].export(reports[0].edition.list_id))
        rows = deliveries_of(work, person.id, limit=9)
    assert [row.local_date for row in rows] == [evening.date() - timedelta(days=1)]
    assert [report.added for report in reports] == [1, 0]


def test_an_old_edition_sent_again_is_not_the_newest(database: SqlDatabase) -> None:
    fill(database, [record(1, listed_on=NOW.date() - timedelta(days=9))])
    report = publish(
        database=database,
        ranker=NewestFirst(),
        identity=IDENTITY,
        list_name="trending",
        day=NOW.date() - timedelta(days=9),
        cut="manual",
        now=NOW,
    )
    assert report.edition.cut_at == report.edition.as_of < NOW - timedelta(days=7)


@pytest.mark.accept("F08", part="footer by hand")
def test_an_edition_made_by_hand_tells_what_its_feeds_brought(database: SqlDatabase) -> None:
    with database.writing() as work:
        work[FeedStore].create(NewFeed(name="tests", kind="rss"), now=NOW)
    fill(database, [record(n) for n in (1, 2, 3)])
    seen = DigestPreviewer(
        database=database,
        ranker=NewestFirst(),
        identity=IDENTITY,
        sender_identity=SENDER_IDENTITY,
        renderer=PlainRenderer(),
    ).preview("trending", now=NOW)
    three = freeze("source.new", name="tests", new=3)
    assert seen.edition.sources == (three,)
    assert send(database).edition.sources == (three,)
    fill(database, [record(4)], NOW + timedelta(hours=3))
    one = freeze("source.new", name="tests", new=1)
    assert send(database, days=1).edition.sources == (one,)
