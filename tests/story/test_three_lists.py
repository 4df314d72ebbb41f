"""Three lists with twenty-five feeds, side by side for a day on one server."""

import email
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.message import EmailMessage
from email.policy import default

import pytest

from paperround.core.clock import FixedClock
from paperround.db.transactions import SqlDatabase
from paperround.digests.render.composer import MailRenderer
from paperround.digests.sending import DeliveryContext, deliver
from paperround.editions.manage_lists import create_list
from paperround.editions.model import Edition
from paperround.editions.store.editions import EditionStore
from paperround.editions.store.lists import ListStore
from paperround.feeds.ingest import ingest
from paperround.ops.tick import tick
from paperround.papers.model import ParsedBatch
from paperround.subscribers.model import Consent, ImportedSubscriber, Preferences, SubscriberState
from paperround.subscribers.store.subscribers import SubscriberStore
from tests.builders import address
from tests.databases import sqlite_database, sqlite_template
from tests.fakes import SENDER_IDENTITY, Neighbours, ScriptedMailer, accepting
from tests.ops.ticking import tick_context
from tests.sample_database import IDENTITY, NOW, record

__all__ = ["sqlite_database", "sqlite_template"]

FEEDS = [f"feed-{number}" for number in range(25)]
OF_LIST = {"robots": FEEDS[:9], "proteins": FEEDS[8:17], "stars": FEEDS[16:]}
"""Neighbouring lists have one feed in common."""
PAPERS = 4
READERS = {
    "ada": ("robots", "proteins", "stars"),
    "bob": ("robots", "proteins"),
    "cleo": ("stars",),
}
START = NOW.replace(hour=23, minute=0)
STEP = timedelta(minutes=30)


def title(feed: str, number: int) -> str:
    return f"Paper {number} of {feed}"


@dataclass
class Server:
    """One server with its lists; `mailer` keeps every message of the day."""

    database: SqlDatabase
    mailer: ScriptedMailer = field(default_factory=lambda: ScriptedMailer(accepting))

    def set_up(self) -> None:
        for place, feed in enumerate(FEEDS):
            records = (record(n, title=title(feed, n)) for _, n in _papers(place))
            ingest(
                ParsedBatch(records=tuple(records)),
                database=self.database,
                feed_name=feed,
                feed_kind="file",
                source="tests",
                captured_at=NOW,
                now=NOW,
            )
        for name, feeds in OF_LIST.items():
            look = {"from_name": f"The {name} list"}
            changes = {"title": name.title(), "feeds": feeds, "look": look, "size": 50}
            create_list(self.database, name, changes, by="shell tests", now=NOW)
        with self.database.writing() as work:
            for name, lists in READERS.items():
                for one in lists:
                    person = ImportedSubscriber(
                        address=address(name),
                        state=SubscriberState.ACTIVE,
                        consent=Consent(at=NOW, source="tests"),
                        preferences=Preferences(),
                        nonce=name,
                    )
                    work[SubscriberStore].put(person, work[ListStore].get(one).id, now=NOW)

    def live(self) -> None:
        """Let a day pass, half an hour at a time."""
        for number in range(49):
            now = START + number * STEP
            tick(tick_context(self.database), now=now)
            deliver(self._sending(now))

    def _sending(self, now: datetime) -> DeliveryContext:
        return DeliveryContext(
            database=self.database,
            mailer=self.mailer,
            renderer=MailRenderer(SENDER_IDENTITY),
            sender_identity=SENDER_IDENTITY,
            keys=IDENTITY.keys,
            clock=FixedClock(now),
            processes=Neighbours(),
            lease=timedelta(minutes=15),
        )

    def digests(self) -> Iterator[tuple[str, EmailMessage]]:
        """The list and the message of every digest that was sent."""
        for envelope in self.mailer.offered:
            message = email.message_from_bytes(envelope.content, policy=default)
            if "List-Id" in message:
                yield message["List-Id"].strip("<").partition(".")[0], message

    def editions(self) -> Mapping[str, list[Edition]]:
        found = defaultdict(list)
        with self.database.reading() as work:
            for one in work[ListStore].all():
                for summary in work[EditionStore].recent(one.id, limit=9):
                    found[one.name].append(work[EditionStore].get(summary.id))
        return found


@pytest.mark.accept("F44", part="side by side", mutant="a-list-takes-every-feed")
def test_three_lists_with_25_feeds_live_side_by_side_for_a_day(
    sqlite_database: SqlDatabase,
) -> None:
    server = Server(sqlite_database)
    server.set_up()
    server.live()
    for name, feeds in OF_LIST.items():
        own = {title(feed, n) for at in map(FEEDS.index, feeds) for feed, n in _papers(at)}
        editions = [one for one in server.editions()[name] if one.papers]
        assert editions
        assert all({paper.title for paper in one.papers} == own for one in editions)
    sent, seen = Counter[tuple[str, str]](), defaultdict[str, list[str]](list)
    for name, message in server.digests():
        reader = message["To"].addresses[0].username
        sent[reader, name] += 1
        assert message["From"].addresses[0].display_name == f"The {name} list"
        text = message.get_body(("plain",))
        assert text is not None
        titles = set(re.findall(r"Paper \d+ of feed-\d+", str(text.get_content())))
        assert {one.rpartition(" ")[2] for one in titles} <= {*OF_LIST[name]}
        seen[reader].extend(titles)
    assert sent == Counter((reader, one) for reader, lists in READERS.items() for one in lists)
    for reader, lists in READERS.items():
        wanted = {feed for one in lists for feed in OF_LIST[one]}
        assert len(seen[reader]) == len({*seen[reader]}) == len(wanted) * PAPERS


def _papers(place: int) -> Iterator[tuple[str, int]]:
    for number in range(place * PAPERS, (place + 1) * PAPERS):
        yield FEEDS[place], number
