"""Readers of a list who share what they save, and what they said of its papers."""

from collections.abc import Sequence
from datetime import datetime

from paperround.db.transactions import Database, SqlDatabase
from paperround.delivery.store.ledger import Ledger
from paperround.digests.model import DigestView
from paperround.digests.publish import draft_edition, freeze
from paperround.editions.model import DeliveryId, DigestKind, Edition
from paperround.editions.store.editions import EditionStore
from paperround.editions.store.lists import ListStore
from paperround.ranking.models import Ranker
from paperround.subscribers.model import Preferences, Subscription
from paperround.subscribers.store.subscribers import SubscriberStore
from tests.builders import english
from tests.digests.publishing import DAY, PLAIN, listed, mailed, publish_at
from tests.sample_database import NOW, fill, subscribe

FRIDAY = NOW
THURSDAY = FRIDAY - DAY
SHARING = Preferences(shares_since=THURSDAY - 30 * DAY)
COLLEAGUES = ("ada", "bob", "cleo", "dan", "eve", "fay")
SILENT = ("gil", "hal", "ida", "jon")
"""Readers who share and say nothing: with the others there are enough for anybody to count."""


def first_edition(database: SqlDatabase, *private: str) -> None:
    """Ten colleagues who share, and readers who do not, are sent twelve papers on Thursday."""
    fill(database, [listed(n, 40 - n, days_ago=0, now=THURSDAY) for n in range(1, 13)], THURSDAY)
    subscribe(database, *COLLEAGUES, *SILENT, wish=SHARING)
    subscribe(database, *private)
    publish_at(database, THURSDAY)


def frozen(database: SqlDatabase, now: datetime = FRIDAY, ranker: Ranker = PLAIN) -> Edition:
    """Freeze the edition of `now`, with a paper that nobody was sent yet, for nobody so far."""
    fill(database, [listed(20 + now.day, 1, days_ago=0, now=now)], now)
    return freeze(database, draft_edition(database, ranker, "trending", day=None, now=now))


def next_edition(database: SqlDatabase, now: datetime = FRIDAY, ranker: Ranker = PLAIN) -> Edition:
    """The edition of `now`, which is sent to all readers."""
    edition = frozen(database, now, ranker)
    publish_at(database, now, ranker)
    return edition


def say(
    database: SqlDatabase,
    names: Sequence[str],
    title: str = "Paper 9",
    verdict: str = "save",
    now: datetime = FRIDAY - DAY,
) -> None:
    """Each of them says so of the paper in Thursday's digest."""
    for name in names:
        one = subscription(database, name)
        with database.writing() as work:
            row = work[Ledger].find(
                one.list_id, one.subscriber_id, DigestKind.DIGEST, THURSDAY.date()
            )
            assert row is not None
            papers = work[EditionStore].get(row.edition_id).papers
            paper = next(each.paper_id for each in papers if each.title == title)
            work[SubscriberStore].give_feedback(
                one.subscriber_id, paper, verdict, delivery=DeliveryId(row.row), now=now
            )


def subscription(database: Database, name: str) -> Subscription:
    with database.reading() as work:
        trending = work[ListStore].get("trending")
        people = {one.address: one for one, _ in work[SubscriberStore].export(trending.id)}
        found = work[SubscriberStore].subscription(people[f"{name}@example.org"].id, trending.id)
    assert found is not None
    return found


def choose(database: SqlDatabase, name: str, wish: Preferences, now: datetime) -> None:
    """Save other choices, as the page of one's choices does."""
    one = subscription(database, name)
    with database.writing() as work:
        work[SubscriberStore].choose(one.id, wish, now=now)


def told(view: DigestView, title: str = "Paper 9") -> str:
    """Why the paper is in the digest, in English."""
    return next(english(paper.reason) for paper in view.papers if paper.title == title)


def friday(database: SqlDatabase, name: str) -> DigestView:
    return mailed(database, name, FRIDAY.date())
