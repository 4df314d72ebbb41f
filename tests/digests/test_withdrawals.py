"""A paper is withdrawn after it was frozen or sent: it is mailed no more, and the next digest of
those who got it says so, once."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from paperround.db.transactions import SqlDatabase
from paperround.delivery.ledger_model import DeliveryContent
from paperround.delivery.store.history import SentPapers
from paperround.delivery.store.ledger import Ledger
from paperround.digests.build import MOST_WITHDRAWALS
from paperround.digests.compose import digest_mail, edition_content
from paperround.digests.publish import publish
from paperround.digests.render.composer import MailRenderer
from paperround.editions.lists import Window
from paperround.editions.model import DeliveryState, DigestKind
from paperround.editions.store.candidates import CandidateStore
from paperround.editions.store.editions import EditionStore
from paperround.editions.store.lists import ListStore
from paperround.papers.model import Record
from paperround.papers.store.papers import PaperStore
from paperround.subscribers.store.subscribers import SubscriberStore
from tests.builders import lease, move
from tests.digests.messages import sender_identity
from tests.digests.reading import modern_parts
from tests.fakes import NewestFirst
from tests.sample_database import IDENTITY, NOW, fill, record, subscribe

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)


def listed(number: int, day: int = 30, **changes: object) -> Record:
    return record(number, listed_on=date(2026, 1, day), **changes)


def withdrawn(number: int) -> Record:
    """What an archive says of a paper that is gone: no text, and no news of its own."""
    return record(
        number, title="", abstract="", withdrawn=True, announces=False, fingerprint=f"gone{number}"
    )


def digests(database: SqlDatabase, day: int, cut: str = "manual") -> int:
    """Freeze the edition of a day of January and plan it; returns how many mails wait."""
    now = datetime(2026, 1, day, 12, tzinfo=UTC)
    report = publish(
        database=database,
        ranker=NewestFirst(),
        identity=IDENTITY,
        list_name="trending",
        day=date(2026, 1, day),
        cut=cut,
        now=now,
    )
    return report.planned.rows - sum(report.planned.skipped.values())


def send(database: SqlDatabase, state: DeliveryState = DeliveryState.SENT, day: int = 30) -> None:
    """What waits is sent, or ends in another way."""
    now = datetime(2026, 1, day, 12, 1, tzinfo=UTC)
    token = f"t{day}"
    with database.writing() as work:
        rows = work[Ledger].claim(lease(token, until=now + DAY), limit=9, now=now)
        work[Ledger].mark_in_data([one.id for one in rows], token, until=now + DAY, now=now)
        work[Ledger].settle([move(one, state, token=token) for one in rows], now=now)


def slip_of(database: SqlDatabase, day: int, name: str = "ada") -> DeliveryContent:
    with database.reading() as work:
        trending = work[ListStore].get("trending")
        people = {one.address: one.id for one, _ in work[SubscriberStore].export(trending.id)}
        person = people[f"{name}@example.org"]
        found = work[Ledger].find(trending.id, person, DigestKind.DIGEST, date(2026, 1, day))
    assert found is not None
    return found


def told(database: SqlDatabase, day: int, name: str = "ada") -> list[str]:
    return [one.title for one in slip_of(database, day, name).withdrawn]


@pytest.fixture
def sent(database: SqlDatabase) -> SqlDatabase:
    """Ada was sent the papers 1 and 2 on the 30th."""
    fill(database, [listed(1), listed(2)])
    subscribe(database, "ada")
    assert digests(database, 30) == 1
    send(database)
    return database


@pytest.mark.accept("I10")
def test_the_next_digest_says_that_a_paper_it_sent_is_withdrawn_in_both_parts(
    sent: SqlDatabase,
) -> None:
    fill(sent, [withdrawn(1), listed(3, 31)], NOW + DAY)
    assert digests(sent, 31) == 1
    slip = slip_of(sent, 31)
    with sent.reading() as work:
        edition = work[EditionStore].get(slip.edition_id)
    assert [paper.title for paper in edition.papers] == ["Paper 3", "Paper 2"]
    made = digest_mail(edition_content(edition, "Trending", sender_identity()), slip, IDENTITY.keys)
    content = MailRenderer(sender_identity()).compose(made)
    text, markup = modern_parts(content)
    link = "https://papers.example.org/papers/2601.00001"
    assert f"Withdrawn since we sent it: Paper 1\n  See: {link}" in text
    assert "Withdrawn since we sent it: <span" in markup
    assert markup.count(link) == 1
    again = digest_mail(
        edition_content(edition, "Trending", sender_identity()), slip_of(sent, 31), IDENTITY.keys
    )
    assert MailRenderer(sender_identity()).compose(again) == content


@pytest.mark.accept("I10")
def test_a_person_is_told_once(sent: SqlDatabase) -> None:
    fill(sent, [withdrawn(1), listed(3, 31)], NOW + DAY)
    digests(sent, 31)
    send(sent, day=31)
    fill(sent, [listed(4, 31)], NOW + DAY)
    with sent.reading() as work:
        trending = work[ListStore].get("trending")
        people = [one.id for one, _ in work[SubscriberStore].export(trending.id)]
        assert work[SentPapers].withdrawals_to_tell(people, since=NOW - DAY) == {}


@pytest.mark.accept("I10")
def test_a_digest_that_failed_has_told_nobody(sent: SqlDatabase) -> None:
    fill(sent, [withdrawn(1), listed(3, 31)], NOW + DAY)
    digests(sent, 31)
    send(sent, DeliveryState.FAILED, day=31)
    with sent.reading() as work:
        people = [
            slip.id for slip, _ in work[SubscriberStore].export(work[ListStore].get("trending").id)
        ]
        assert len(work[SentPapers].withdrawals_to_tell(people, since=NOW - DAY)) == 1


@pytest.mark.accept("I10")
def test_whoever_was_never_sent_the_paper_is_not_told(database: SqlDatabase) -> None:
    fill(database, [listed(1), listed(2)])
    subscribe(database, "ada")
    digests(database, 30)
    send(database, DeliveryState.EXPIRED)
    fill(database, [withdrawn(1), listed(3, 31)], NOW + DAY)
    digests(database, 31)
    assert told(database, 31) == []


@pytest.mark.accept("I10")
def test_news_of_a_withdrawal_alone_make_no_mail(sent: SqlDatabase) -> None:
    fill(sent, [withdrawn(1)], NOW + DAY)
    assert digests(sent, 31) == 0
    assert told(sent, 31) == []


@pytest.mark.accept("I10")
def test_a_paper_withdrawn_after_the_freeze_is_in_no_digest_planned_afterwards(
    database: SqlDatabase,
) -> None:
    fill(database, [listed(1), listed(2)])
    digests(database, 30)  # nobody reads yet
    fill(database, [withdrawn(1)])
    subscribe(database, "ada")
    assert digests(database, 30) == 1
    slip = slip_of(database, 30)
    with database.reading() as work:
        edition = work[EditionStore].get(slip.edition_id)
        titles = {paper.position: paper.title for paper in edition.papers}
    assert [titles[one] for one in slip.positions] == ["Paper 2"]
    with database.reading() as work:
        window = Window(NOW - 7 * DAY, NOW + DAY)
        ranked = work[CandidateStore].candidates(work[ListStore].get("trending"), window)
    assert [one.paper.title for one in ranked] == ["Paper 2"]


def test_many_withdrawals_are_told_over_several_digests(database: SqlDatabase) -> None:
    fill(database, [listed(n) for n in range(1, 9)])
    subscribe(database, "ada")
    digests(database, 30)
    send(database)
    fill(database, [*(withdrawn(n) for n in range(1, 9)), listed(20, 31)], NOW + DAY)
    digests(database, 31)
    assert len(told(database, 31)) == MOST_WITHDRAWALS


def test_a_withdrawal_by_an_id_the_paper_got_from_another_is_told_of_the_one_that_was_sent(
    database: SqlDatabase,
) -> None:
    journal = {"doi": "10.5555/one"}
    fill(database, [listed(1), listed(2, identifiers=journal)])
    subscribe(database, "ada")
    digests(database, 30)
    send(database)
    both = replace(listed(1, identifiers={"arxiv": "2601.00001", **journal}), fingerprint="both")
    fill(database, [both, replace(withdrawn(1), identifiers=journal), listed(3, 31)], NOW + DAY)
    digests(database, 31)
    assert told(database, 31) == ["Paper 1"]


@pytest.mark.accept("I10", part="taken back")
def test_a_withdrawal_that_was_taken_back_in_time_is_told_to_nobody(sent: SqlDatabase) -> None:
    fill(sent, [withdrawn(1)], NOW + HOUR)
    back = replace(withdrawn(1), withdrawn=False, fingerprint="back1")
    fill(sent, [back, listed(3, 31)], NOW + DAY)
    digests(sent, 31)
    assert told(sent, 31) == []


@pytest.mark.accept("I9")
def test_a_source_takes_a_withdrawal_back_in_the_words_it_used_before(
    database: SqlDatabase,
) -> None:
    good, gone = record(1), record(1, withdrawn=True, fingerprint="gone")
    fill(database, [good])
    for said, stands in ((gone, True), (good, False), (gone, True), (good, False)):
        fill(database, [said])
        with database.reading() as work:
            (paper,) = (
                work[PaperStore]
                .load(work[PaperStore].find(said.identifiers.items()).values())
                .values()
            )
        assert paper.withdrawn is stands
