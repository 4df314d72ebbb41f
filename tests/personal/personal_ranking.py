"""Readers with an opinion, and papers for them."""

from datetime import timedelta

from sqlalchemy import func, select

from paperround.db.schema import tables as db
from paperround.db.transactions import SqlDatabase
from paperround.editions.store.lists import ListStore
from paperround.papers.model import PaperId, Record
from paperround.subscribers.model import SubscriberId
from paperround.subscribers.store.subscribers import SubscriberStore
from tests.sample_database import NOW, record

LATER = NOW + timedelta(days=1)
SUBJECTS = "tides whales comets orchids glaciers beetles lichens magnets".split()


def filler(count: int, first: int) -> list[Record]:
    return [
        record(
            number,
            title=f"Notes on {SUBJECTS[number % 8]}",
            abstract=f"All about {SUBJECTS[number % 8]} and word{number}.",
        )
        for number in range(first, first + count)
    ]


def person(database: SqlDatabase, name: str) -> SubscriberId:
    with database.reading() as work:
        everybody = work[SubscriberStore].export(work[ListStore].get("trending").id)
        return next(one.id for one, _ in everybody if one.address.startswith(name))


def like(database: SqlDatabase, name: str, title: str, verdict: str = "more") -> None:
    who = person(database, name)
    with database.writing() as work:
        named = select(func.min(db.papers.c.id)).where(db.papers.c.title == title)
        paper = PaperId(work.connection.execute(named).scalar_one())
        work[SubscriberStore].give_feedback(who, paper, verdict, now=NOW)
