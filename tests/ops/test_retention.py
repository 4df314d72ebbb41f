"""What is old is deleted, its links work on, and no paper comes again."""

from collections.abc import Collection
from datetime import datetime, timedelta
from threading import Thread

import pytest
from sqlalchemy import func, select, update

from paperround.access.model import AuditedAction
from paperround.access.store import AuditStore
from paperround.bounces.handling import receive
from paperround.bounces.model import ReportKind
from paperround.core.errors import Conflict
from paperround.core.tokens import KeyRing, Purpose
from paperround.db.schema import tables as db
from paperround.db.transactions import SqlDatabase
from paperround.delivery.ledger_model import DeliveryContent
from paperround.delivery.return_path import TagUse, make_tag
from paperround.delivery.store import past
from paperround.delivery.store.history import SentPapers
from paperround.delivery.store.ledger import Ledger
from paperround.delivery.store.past import PastStore
from paperround.editions.model import DeliveryId
from paperround.feeds.store.feeds import FeedStore
from paperround.ops import retention
from paperround.ops.cleanup import clean_up
from paperround.ops.retention import KEEP, compact_digests
from paperround.ops.stats import count_editions
from paperround.papers.model import PaperId
from paperround.papers.store.papers import PaperStore
from paperround.signup.magic_links import digest_owner
from paperround.subscribers.model import SubscriberId, SubscriberState
from paperround.subscribers.store.subscribers import SubscriberStore
from tests.builders import everything_kept, observation, returned_event
from tests.delivery.publishing import send as publish
from tests.ops.ticking import send
from tests.sample_database import IDENTITY, NOW, deliveries_of, fill, record, subscribe

DAYS = timedelta(days=1)
LATER = NOW + 92 * DAYS


@pytest.fixture
def sent(database: SqlDatabase) -> SqlDatabase:
    """Ada and Ben got three papers at NOW; the figures of the edition are counted."""
    fill(database, [record(number) for number in range(1, 4)])
    subscribe(database, "ada", "ben")
    publish(database)
    assert len(send(database, now=NOW)) == 2
    assert count_editions(database, now=NOW + 3 * DAYS) == 1
    return database


def person(database: SqlDatabase, name: str) -> SubscriberId:
    """The number of a person, which is another on each engine."""
    c = db.subscribers.c
    with database.reading() as work:
        found = select(c.id).where(c.address == f"{name}@example.org")
        return SubscriberId(work.connection.execute(found).scalar_one())


def papers(database: SqlDatabase) -> list[PaperId]:
    """The numbers of all papers."""
    with database.reading() as work:
        return [PaperId(one) for one in work.connection.execute(select(db.papers.c.id)).scalars()]


def compact(database: SqlDatabase, *, now: datetime = LATER, keys: KeyRing = IDENTITY.keys) -> int:
    return compact_digests(database, keys, keep=KEEP.deliveries, now=now)


def digest_of(database: SqlDatabase, name: str) -> DeliveryContent:
    """What the ledger knows of a person's only digest."""
    reader = person(database, name)
    with database.reading() as work:
        (row,) = deliveries_of(work, reader, limit=2)
        found = work[Ledger].get(row.id)
    assert found is not None
    return found


def rows(database: SqlDatabase) -> dict[str, int]:
    """How many rows these tables have."""
    tables = (db.deliveries, db.sent_papers, db.behind_papers, db.past_deliveries, db.past_papers)
    with database.reading() as work:
        return {
            one.name: work.connection.execute(select(func.count()).select_from(one)).scalar_one()
            for one in tables
        }


@pytest.mark.accept("P5", part="digests")
def test_the_rows_of_digests_go_after_ninety_days_and_little_stays(sent: SqlDatabase) -> None:
    before = rows(sent)
    assert compact(sent, now=NOW + 89 * DAYS) == 0
    assert rows(sent) == before
    assert compact(sent) == 2
    assert rows(sent) == {
        "deliveries": 0,
        "sent_papers": 0,
        "behind_papers": 0,
        "past_deliveries": 1,
        "past_papers": 3,
    }
    assert compact(sent) == 0


@pytest.mark.accept("P5", part="links", mutant="a-link-of-a-deleted-digest-is-dead")
def test_a_link_of_an_email_whose_row_is_deleted_still_works(sent: SqlDatabase) -> None:
    digest = digest_of(sent, "ben")
    token = IDENTITY.keys.token(Purpose.UNSUBSCRIBE, digest.row, digest.nonce)
    compact(sent)
    with sent.reading() as work:
        owner = digest_owner(work, IDENTITY.keys, token)
        forged = IDENTITY.keys.token(Purpose.UNSUBSCRIBE, digest.row, "another nonce")
        assert digest_owner(work, IDENTITY.keys, forged) is None
        unknown = IDENTITY.keys.token(Purpose.UNSUBSCRIBE, digest.row + 99, digest.nonce)
        assert digest_owner(work, IDENTITY.keys, unknown) is None
    assert owner is not None
    assert (owner.subscriber_id, owner.address) == (person(sent, "ben"), "ben@example.org")


def test_an_unsubscribe_request_to_the_address_of_an_old_email_is_heard(sent: SqlDatabase) -> None:
    digest, day = digest_of(sent, "ada"), NOW.date()
    tag = make_tag(IDENTITY.keys, TagUse.LEAVE, digest.row, nonce=digest.nonce, day=day)
    compact(sent)
    asked = returned_event(kind=ReportKind.UNSUBSCRIBE, tag=tag, happened_at=LATER)
    ada = person(sent, "ada")
    assert receive(sent, IDENTITY.keys, [asked], now=LATER) == {"unsubscribed": 1}
    with sent.reading() as work:
        (theirs,) = work[SubscriberStore].subscriptions_of(ada)
    assert theirs.state is SubscriberState.UNSUBSCRIBED


@pytest.mark.accept("P5", part="never twice")
def test_a_paper_counts_as_sent_when_the_rows_are_deleted(sent: SqlDatabase) -> None:
    fill(sent, [record(4)], now=NOW + 2 * DAYS)
    asked, readers = papers(sent), [person(sent, "ada"), person(sent, "ben")]
    with sent.reading() as work:
        before = work[SentPapers].already_sent(readers)
    compact(sent)
    with sent.reading() as work:
        assert work[SentPapers].already_sent(readers, asked) == before
        assert work[SentPapers].already_sent(readers) == before
        stranger = SubscriberId(max(readers) + 1)
        assert work[SentPapers].already_sent([stranger], asked) == {stranger: frozenset()}


@pytest.mark.parametrize("part", [past.PART, 1])
def test_the_people_of_a_paper_grow_from_edition_to_edition(
    sent: SqlDatabase, monkeypatch: pytest.MonkeyPatch, part: int
) -> None:
    """In parts, where there are many."""
    monkeypatch.setattr(past, "PART", part)
    subscribe(sent, "eve")
    publish(sent, days=1)
    assert send(sent, now=NOW + DAYS) == ["eve@example.org"]
    assert count_editions(sent, now=NOW + 4 * DAYS) == 1
    compact(sent)
    everybody = {person(sent, name) for name in ("ada", "ben", "eve")}
    with sent.reading() as work:
        found = work[PastStore].people_sent(papers(sent))
        pages = [work[PastStore].page(after=PaperId(one - 1), limit=1) for one in papers(sent)]
    assert set(found.values()) == {frozenset(everybody)}
    assert pages == [{paper: people} for paper, people in found.items()]


def test_somebody_is_told_that_a_paper_of_long_ago_was_withdrawn(sent: SqlDatabase) -> None:
    compact(sent)
    fill(sent, [record(2, withdrawn=True)], now=LATER)
    ada = person(sent, "ada")
    with sent.reading() as work:
        told = work[SentPapers].withdrawals_to_tell([ada], since=LATER - DAYS)
    assert [one.title for one in told[ada]] == ["Paper 2"]


@pytest.mark.accept("P5", part="killed")
def test_compaction_that_is_cut_off_goes_on_where_it_was(
    sent: SqlDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "BATCH", 1)
    monkeypatch.setattr(retention, "MOST_BATCHES", 1)
    digests = [digest_of(sent, name) for name in ("ada", "ben")]
    assert compact(sent) == 1
    between = rows(sent)
    assert (between["deliveries"], between["sent_papers"], between["past_papers"]) == (1, 3, 3)
    assert between["behind_papers"] == 0
    assert compact(sent) == 1
    with sent.reading() as work:
        owners = [work[PastStore].find(DeliveryId(one.row)) for one in digests]
        found = work[PastStore].people_sent(papers(sent))
    readers = [person(sent, "ada"), person(sent, "ben")]
    assert [one and one.subscriber_id for one in owners] == readers
    assert set(found.values()) == {frozenset(readers)}


def test_two_processes_that_compact_at_the_same_time_lose_nobody(
    sent: SqlDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "BATCH", 1)
    other = Thread(target=compact, args=[sent])
    look = PastStore.last_parts

    def look_while_the_other_starts(store: PastStore, some: Collection[PaperId]) -> object:
        found = look(store, some)
        if other.ident is None:
            other.start()
            other.join(1)  # it waits for this transaction, or is done before
        return found

    monkeypatch.setattr(PastStore, "last_parts", look_while_the_other_starts)
    compact(sent)
    other.join()
    with sent.reading() as work:
        found = work[PastStore].people_sent(papers(sent))
    assert set(found.values()) == {frozenset({person(sent, "ada"), person(sent, "ben")})}
    assert rows(sent)["past_deliveries"] == 2


def test_an_edition_with_a_digest_that_waits_keeps_its_rows(sent: SqlDatabase) -> None:
    with sent.writing() as work:
        work.connection.execute(update(db.deliveries).values(state="deferred"))
    assert compact(sent) == 0
    with sent.writing() as work:
        work.connection.execute(update(db.deliveries).values(state="expired"))
    assert compact(sent) == 2


def test_an_edition_whose_digests_are_deleted_is_not_sent_again(sent: SqlDatabase) -> None:
    fill(sent, [record(4)], now=NOW)
    compact(sent)
    refused = pytest.raises(
        Conflict, match=f"it is no longer known who got a digest of {NOW.date()}"
    )
    with refused:
        publish(sent, of=NOW.date(), days=92)
    assert rows(sent)["deliveries"] == 0


def test_digests_signed_with_a_lost_key_keep_no_links(sent: SqlDatabase) -> None:
    assert compact(sent, keys=KeyRing((b"another secret, only for tests!!",))) == 2
    assert rows(sent)["past_deliveries"] == 0
    assert rows(sent)["past_papers"] == 3


@pytest.mark.accept("P5", part="counts")
def test_of_a_paper_of_more_than_a_year_ago_the_last_count_of_each_kind_stays(
    database: SqlDatabase,
) -> None:
    fill(database, [record(1)])
    (only,) = papers(database)
    with database.writing() as work:
        feed = work[FeedStore].get_or_create("hf", "hf", now=NOW).id
        votes = [observation(n, at=NOW + n * DAYS) for n in range(10)]
        stars = [observation(7, at=NOW, signal="stars")]
        work[PaperStore].observe(feed, [(only, one) for one in votes + stars])
    clean_up(database=database, identity=IDENTITY, now=NOW + 400 * DAYS)
    assert len(counts(database)) == 11
    clean_up(database=database, identity=IDENTITY, now=NOW + 401 * DAYS)
    assert counts(database) == {("stars", 7), ("upvotes", 9)}


def counts(database: SqlDatabase) -> set[tuple[str, int]]:
    c = db.observations.c
    with database.reading() as work:
        return {
            (signal, value) for signal, value in work.connection.execute(select(c.signal, c.value))
        }


@pytest.mark.accept("P5", part="audit")
def test_the_audit_goes_after_three_years(database: SqlDatabase) -> None:
    with database.writing() as work:
        for days in (0, 2):
            entry = AuditedAction(actor="shell ada", action="test", target="list 1")
            work[AuditStore].note(entry, now=NOW + days * DAYS)
    clean_up(database=database, identity=IDENTITY, now=NOW + 1096 * DAYS)
    with database.reading() as work:
        (left,) = work[AuditStore].page(before=None, limit=9)
    assert left.at == NOW + 2 * DAYS


def test_an_export_tells_the_papers_of_old_digests(sent: SqlDatabase) -> None:
    compact(sent)
    with sent.reading() as work:
        kept = everything_kept(work, person(sent, "ben"))
    assert kept["past_papers"] == [{"paper_id": one} for one in papers(sent)]
