"""Real days over again: papers and votes come in as they came, editions freeze, mails go out."""

import gzip
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from paperround.core.times import midnight_utc, parse_instant
from paperround.db.transactions import SqlDatabase, Transaction
from paperround.delivery.store.ledger import Ledger
from paperround.digests.model import papers_at
from paperround.digests.plan import Hours, plan_due
from paperround.digests.publish import freeze_cuts
from paperround.editions.lists import MailingList
from paperround.editions.model import DeliveryState, DigestKind, Edition, EditionPaper
from paperround.editions.store.editions import EditionStore
from paperround.editions.store.lists import ListStore
from paperround.feeds.formats.jsonl import read_jsonl
from paperround.feeds.ingest import ingest
from paperround.personal.ranking import PersonalRanking
from paperround.ranking.trending import TrendingRanker
from paperround.subscribers.model import Subscriber
from paperround.subscribers.store.subscribers import SubscriberStore
from tests.builders import english, lease, move
from tests.sample_database import IDENTITY, deliveries_of

DAY = timedelta(days=1)
EVERY_CUT = range(0, 24, 3)
MAIL_ALONE = (6, 9)
"""The cut that a digest of nine o'clock is made of, and that hour."""

Row = dict[str, Any]
Polls = dict[datetime, list[Row]]
"""What a source listed, with the counts of that time, by when it was read."""


def polls_between(folder: Path, first: date, last: date) -> Polls:
    """Each reading of these days. A paper stands under the day that the reading has it under."""
    papers = {row["id"]: row for row in _rows(folder / "papers.jsonl.gz")}
    polls: Polls = defaultdict(list)
    for count in _rows(folder / "upvote_snapshots.jsonl.gz"):
        if first <= date.fromisoformat(count["listed_on"]) <= last:
            polls[parse_instant(count["captured_at"])].append({**papers[count["id"]], **count})
    return polls


def _rows(path: Path) -> Iterator[Row]:
    with gzip.open(path) as lines:
        yield from map(json.loads, lines)


@dataclass(frozen=True)
class Sent:
    """One mail that went out: an edition's papers, and what it said of each, by arXiv id."""

    day: date
    edition: Edition
    papers: Mapping[str, EditionPaper]
    reasons: Mapping[str, str]


def named(papers: Sequence[EditionPaper]) -> dict[str, EditionPaper]:
    """The papers by arXiv id, in order."""
    return {paper.identifiers["arxiv"]: paper for paper in papers}


@dataclass
class Replay:
    """An installation whose clock runs through days of the past."""

    database: SqlDatabase
    ranker: TrendingRanker = field(default_factory=TrendingRanker)
    personal_ranking: PersonalRanking | None = None
    editions: list[Edition] = field(default_factory=list)

    def run(
        self, first: date, last: date, polls: Polls, *, hours: Sequence[int] = EVERY_CUT
    ) -> None:
        """At these hours of each day: what was read since, a cut that is due, and the mails of
        those whose hour it is. The mails need `MAIL_ALONE`, a quarter of the work."""
        waiting = sorted(polls)
        days = (midnight_utc(first) + number * DAY for number in range((last - first).days + 1))
        for now in (day + timedelta(hours=hour) for day in days for hour in hours):
            while waiting and waiting[0] <= now:
                self._read(polls[waiting[0]], waiting.pop(0))
            self.editions += freeze_cuts(database=self.database, ranker=self.ranker, now=now)
            plan_due(
                database=self.database,
                identity=IDENTITY,
                hours=Hours(hour=9),
                now=now,
                personal_ranking=self.personal_ranking,
            )
            self._deliver(now)

    def _read(self, rows: Sequence[Row], now: datetime) -> None:
        ingest(
            read_jsonl("\n".join(map(json.dumps, rows)).encode()),
            database=self.database,
            feed_name="daily",
            feed_kind="file",
            source="a replay",
            captured_at=now,
            now=now,
        )

    def _deliver(self, now: datetime) -> None:
        """Every mail that waits is taken by its server."""
        token = f"post {now.isoformat()}"
        with self.database.writing() as work:
            held = lease(token, until=now + DAY)
            rows = work[Ledger].claim(held, limit=1000, now=now)
            work[Ledger].mark_in_data([row.id for row in rows], token, until=held.until, now=now)
            moves = [move(row, DeliveryState.SENT, token=token) for row in rows]
            work[Ledger].settle(moves, now=now)

    def mails(self) -> dict[str, list[Sent]]:
        """What each person was sent, oldest first."""
        with self.database.reading() as work:
            trending = work[ListStore].get("trending")
            people = [one for one, _ in work[SubscriberStore].export(trending.id)]
            return {
                one.address.partition("@")[0]: list(_mails(work, trending, one)) for one in people
            }


def _mails(work: Transaction, trending: MailingList, person: Subscriber) -> Iterator[Sent]:
    for row in reversed(deliveries_of(work, person.id, limit=1000)):
        slip = work[Ledger].find(trending.id, person.id, DigestKind.DIGEST, row.local_date)
        if slip is None or not slip.positions:
            continue
        edition = work[EditionStore].get(slip.edition_id)
        papers = named(papers_at(edition, slip.positions))
        reasons = {
            name: english(slip.reasons.get(paper.position, paper.reason))
            for name, paper in papers.items()
        }
        yield Sent(row.local_date, edition, papers, reasons)
