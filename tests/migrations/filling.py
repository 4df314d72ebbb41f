"""A database with rows in every table, and counts of them."""

from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, Engine, func, insert, inspect, select

from paperround.access.model import AuditedAction, IdempotentRequest, NewKey
from paperround.access.store import AnswerStore, AuditStore, KeyStore, OperatorStore
from paperround.bounces.policy import BounceScore
from paperround.bounces.store import ReturnStore
from paperround.core.rates import Turn
from paperround.db.counts import EVERYWHERE, DayCountStore
from paperround.db.limits import Limiter, RateStore
from paperround.db.schema import tables as db
from paperround.db.slots import SlotStore
from paperround.db.transactions import SqlDatabase
from paperround.delivery.model import Outcome, Phase, Reply
from paperround.delivery.rate_state import MOST_REFUSALS_OF_US
from paperround.delivery.status import DeliveryQuery
from paperround.delivery.store.rates import PaceStore
from paperround.delivery.store.status import StatusStore
from paperround.editions.model import DeliveryId
from paperround.editions.store.lists import ListStore
from paperround.editions.store.mapping import paper_columns
from paperround.feeds.store.feeds import FeedStore
from paperround.papers.enrichment import WATCHED
from paperround.papers.model import PaperId, Reject
from paperround.papers.store.enrichment import EnrichmentStore
from paperround.papers.store.papers import PaperStore
from paperround.papers.store.references import ReferenceStore
from paperround.plugins.channels.model import ChannelKind, Hook
from paperround.plugins.channels.store import ChannelStore, PostLedger
from paperround.ranking.store import ModelStore
from paperround.subscribers.model import SubscriberId
from paperround.subscribers.store.subscribers import SubscriberStore
from tests.builders import (
    NOW,
    edition_paper,
    listing,
    new_delivery,
    observation,
    paper,
    plan,
    returned_event,
    seed_edition,
    seed_list,
    seed_subscribers,
    write,
)
from tests.fakes import Neighbours

MANY = 10_000
TURN = Turn(interval=timedelta(seconds=3), lease=timedelta(minutes=1))
PEOPLE = 20


def fill(engine: Engine, *, papers: int = MANY) -> None:
    """Ten thousand papers, and an edition of some of them mailed to people, at the newest
    revision."""
    database = SqlDatabase(engine)
    ids = _fill_papers(database, papers)
    default = seed_list(database)
    edition = seed_edition(database, default, ids[:3])
    people = seed_subscribers(database, default, tuple(f"p{n}" for n in range(PEOPLE)))
    plan(database, edition, [new_delivery(one, ids[:3]) for one in people])
    _fill_what_stands_by_itself(database)
    with engine.begin() as connection:
        _fill_the_rest(connection, people[0].subscriber_id, ids[0])
        joined = {"paper_id": ids[-1], "into_id": ids[0], "joined_at": NOW}
        connection.execute(insert(db.joined_papers).values(joined))
        behind = paper_columns(edition.id, edition_paper(61, ids[3]))
        connection.execute(insert(db.behind_papers).values(behind))
        connection.execute(insert(db.edition_tails).values(edition_id=edition.id, places=[]))
        told = {"subscriber_id": people[0].subscriber_id, "paper_id": ids[0]}
        connection.execute(insert(db.told_withdrawals).values(told))
    _fill_what_came_back(database, people[0].subscriber_id)
    _fill_a_channel(database)


def _fill_papers(database: SqlDatabase, papers: int) -> tuple[PaperId, ...]:
    with database.writing() as work:
        feed = work[FeedStore].get_or_create("hf", "hf", now=NOW)
        real = work[PaperStore].save([write(paper(n)) for n in range(1, papers + 1)], now=NOW)
        ids = tuple(real[PaperId(-n)] for n in range(1, papers + 1))
        work[PaperStore].list_papers(feed.id, [listing(one) for one in ids], now=NOW)
        work[PaperStore].observe(feed.id, [(ids[0], observation(7))])
        work[EnrichmentStore].asked("github", {ids[0]: NOW}, now=NOW)
        work[ReferenceStore].add([(ids[0], ("doi", "10.1000/cited"))], since=NOW - WATCHED)
        run = work[FeedStore].start_run(feed.id, source="a file", now=NOW)
        work[FeedStore].keep_rejects(
            run, [Reject(reason="no-title", detail="", position=1)], now=NOW
        )
        again = write(paper(1, id=ids[0], title="Another title"), text_changed=True)
        work[PaperStore].save([again], now=NOW)
    return ids


def _fill_what_came_back(database: SqlDatabase, person: SubscriberId) -> None:
    event = returned_event()
    with database.writing() as work:
        work[ReturnStore].begin(event, now=NOW)
        work[ReturnStore].keep(event, b"a mail", why="not-understood", person=person, now=NOW)
        work[ReturnStore].set_score(person, BounceScore(points=1), now=NOW)


def _fill_a_channel(database: SqlDatabase) -> None:
    hook = Hook(kind=ChannelKind.WEBHOOK, url="https://lab.example/hooks/papers")
    with database.writing() as work:
        work[ChannelStore].add("lab", hook, work[ListStore].get("trending"), now=NOW)
        [row] = work[StatusStore].deliveries(DeliveryQuery(), before=None, limit=1)
        work[PostLedger].note_taken(DeliveryId(row.id), 1, ())


def _fill_what_stands_by_itself(database: SqlDatabase) -> None:
    key = NewKey(name="laptop", prefix="abcd1234", digest="x", scopes=frozenset(), expires_at=None)
    refused = Outcome(id=DeliveryId(1), phase=Phase.MAIL, reply=Reply(550, "5.7.26", "no"))
    with database.writing() as work:
        work[ModelStore].add("prior", "1", b"weights", outcomes=600, now=NOW)
        work[SubscriberStore].suppress("digest", "k001", reason="complaint", now=NOW)
        work[SlotStore].take("tick", "1", now=NOW)
        work[Limiter].take("arxiv", TURN, Neighbours(), now=NOW)
        work[RateStore].hit("k", (), now=NOW)
        work[DayCountStore].add("signups/asked", EVERYWHERE, now=NOW)
        work[PaceStore].record_outcomes([refused] * MOST_REFUSALS_OF_US, now=NOW)
        work[KeyStore].add(key, now=NOW)
        work[AnswerStore].claim(IdempotentRequest(key="k", prints=("p",)), after=NOW, now=NOW)
        operator = work[OperatorStore].add("op@lab.example", "op@lab.example", now=NOW)
        assert operator is not None
        work[OperatorStore].add_link(operator.id, key_id="k001", nonce="n", now=NOW)
        work[OperatorStore].add_session(operator.id, "digest", now=NOW)
        work[AuditStore].note(
            AuditedAction(actor="key abcd1234", action="pause", target="trending"), now=NOW
        )


def _fill_the_rest(connection: Connection, subscriber: int, paper_id: int) -> None:
    """What only whole jobs write, as bare rows."""
    interest = {"kind": "topic", "value": "plants", "weight": 1.0, "created_at": NOW}
    connection.execute(insert(db.interests).values(interest | {"subscriber_id": subscriber}))
    connection.execute(insert(db.notices).values(_notice(subscriber)))
    connection.execute(insert(db.signup_requests).values(_request(subscriber)))
    delivery = connection.execute(select(func.min(db.deliveries.c.id))).scalar_one()
    edition = connection.execute(select(func.min(db.editions.c.id))).scalar_one()
    past = {"list_id": 1, "edition_id": edition, "kind": "digest", "local_date": NOW.date()}
    past |= {"key_id": "abcd", "message_domain": "papers.example", "first_id": 1, "last_id": 1}
    past |= {"ids": b"numbers", "people": b"numbers"}
    connection.execute(insert(db.past_deliveries).values(past))
    sent = {"paper_id": paper_id, "part": 0, "people": b"numbers"}
    connection.execute(insert(db.past_papers).values(sent))
    figures = {"states": {"sent": 1}, "domains": {}, "late": {}}
    connection.execute(
        insert(db.edition_figures).values(edition_id=edition, figures=figures, counted_at=NOW)
    )
    connection.execute(
        insert(db.feedback).values(
            subscriber_id=subscriber,
            paper_id=paper_id,
            delivery_id=delivery,
            verdict="more",
            created_at=NOW,
        )
    )


def _notice(subscriber: int) -> dict[str, Any]:
    times = dict.fromkeys(("due_at", "next_at", "dated", "created_at"), NOW)
    words = dict.fromkeys(("reason", "message_id", "key_id", "nonce"), "x")
    return {
        "kind": "confirm",
        "key": "confirm/1",
        "subscriber_id": subscriber,
        "payload": {"list": "trending"},
        "state": "queued",
        "attempts": 0,
        "breakdowns": 0,
        "expires_at": NOW + timedelta(hours=4),
        **times,
        **words,
    }


def _request(subscriber: int) -> dict[str, Any]:
    """Somebody who moves to another address."""
    return {
        "kind": "move",
        "address": "ada@new.example",
        "written": "ada@new.example",
        "folded": "ada@new.example",
        "domain": "new.example",
        "subscriber_id": subscriber,
        "payload": {},
        "created_at": NOW,
        "due_at": NOW,
        "tries": 0,
    }


def counts(engine: Engine) -> dict[str, int]:
    """How many rows each table holds that is there at the database's revision."""
    there = set(inspect(engine).get_table_names())
    with engine.connect() as connection:
        return {
            table.name: connection.execute(select(func.count()).select_from(table)).scalar_one()
            for table in db.metadata.sorted_tables
            if table.name in there
        }


def broken_references(engine: Engine) -> list[Any]:
    """Rows that refer to nothing. (PostgreSQL never lets them be.)"""
    if engine.dialect.name != "sqlite":
        return []
    with engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1
        return list(connection.exec_driver_sql("PRAGMA foreign_key_check"))
