"""`GET /metrics`: metrics of the installation for Prometheus.

They are read from the database for each request, so every process returns the same, and a restart
loses nothing. Labels name feeds and lists, never a person.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from fastapi import Response

from paperround.access.model import Scope
from paperround.bootstrap import AppContext
from paperround.bounces.model import ReturnTally
from paperround.core.jobs import QueueDepth, QueueName
from paperround.db.transactions import Database
from paperround.delivery.store.status import StatusStore
from paperround.feeds.due import polled_feeds
from paperround.feeds.model import FeedHealth, LiveFeed
from paperround.ops.cluster import staff
from paperround.ops.status import ListStatus, status
from paperround.subscribers.requests import RequestTally
from paperround.web.auth import keyed_router
from paperround.web.context import Home, Present

router = keyed_router(
    "/metrics", "operations", reading=Scope.METRICS_READ, writing=Scope.METRICS_READ
)

Value = float | datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Gauge:
    """A metric, its help text, and its values by labels, None if unknown. A datetime is exported
    in seconds since 1970."""

    name: str
    means: str
    labels: tuple[str, ...] = ()
    values: Sequence[tuple[tuple[str, ...], Value]]

    @classmethod
    def alone(cls, name: str, means: str, value: Value) -> "Gauge":
        """Return a gauge without labels."""
        return cls(name=name, means=means, values=[((), value)])


@router.get("", include_in_schema=False)
def metrics(home: Home, now: Present) -> Response:
    """Return all metrics in Prometheus's text format."""
    found = [*gauges(home.database, now=now)]
    if not home.settings.embedded:
        found += gauges_of_staff(home, now=now)
        found += gauges_of_lines(home.shared_queue.lined())
    return told(found)


def told(found: Iterable[Gauge]) -> Response:
    """Return a response with these metrics, without unknown values."""
    from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
    from prometheus_client.core import GaugeMetricFamily

    class Collected:
        def collect(self) -> Iterator[GaugeMetricFamily]:
            for one in found:
                family = GaugeMetricFamily(f"paperround_{one.name}", one.means, labels=one.labels)
                for labels, value in one.values:
                    number = value.timestamp() if isinstance(value, datetime) else value
                    if number is not None:
                        family.add_metric(labels, number)
                yield family

    registry = CollectorRegistry(auto_describe=False)
    registry.register(Collected())
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)


def gauges(database: Database, *, now: datetime) -> Iterator[Gauge]:
    """Yield the metrics of the database at `now`."""
    with database.reading() as work:
        feeds, room = polled_feeds(work), work[StatusStore].storage()
    found = status(database, None, now=now)
    yield Gauge.alone(
        "last_tick_timestamp_seconds",
        "When something last looked at what is due.",
        found.last_tick_at,
    )
    yield Gauge.alone(
        "mail_lacks_keys",
        "1 while no mail leaves because there is no DKIM key to sign it with.",
        found.pace.lacks_keys,
    )
    yield Gauge.alone(
        "database_put_back",
        "1 while no mail leaves because an older copy of the database may be in use.",
        found.pace.was_put_back,
    )
    yield Gauge.alone("database_log_bytes", "How long SQLite's write-ahead log is.", room.log_bytes)
    yield Gauge.alone(
        "database_free_bytes", "How much more can be written into SQLite's file.", room.free_bytes
    )
    yield from _of_feeds(feeds)
    yield from _of_lists(found.lists)
    yield from _of_returns(found.returns)
    yield from _of_requests(found.requests)


def _of_feeds(feeds: Sequence[LiveFeed]) -> Iterator[Gauge]:
    def each(name: str, means: str, value: Callable[[LiveFeed], Value]) -> Gauge:
        values = [((feed.name,), value(feed)) for feed in feeds]
        return Gauge(name=f"feed_{name}", means=means, labels=("feed",), values=values)

    yield Gauge(
        name="feed_health",
        means="1 for how a feed is doing, 0 for everything else it could be.",
        labels=("feed", "health"),
        values=[
            ((feed.name, health), float(feed.health is health))
            for feed in feeds
            for health in FeedHealth
        ],
    )
    yield each("failures", "Polls that failed in a row.", lambda feed: feed.failures)
    yield each(
        "unusual",
        "1 while a feed brings far less, far more or something else than it used to.",
        lambda feed: feed.progress.alarm is not None,
    )
    yield each(
        "last_good_timestamp_seconds",
        "When a feed was last read without an error.",
        lambda feed: feed.last_good_at,
    )
    yield each(
        "last_news_timestamp_seconds",
        "When a feed last brought papers that nobody had seen.",
        lambda feed: feed.last_news_at,
    )


def _of_lists(lists: Sequence[ListStatus]) -> Iterator[Gauge]:
    def each(name: str, means: str, value: Callable[[ListStatus], Value]) -> Gauge:
        values = [((one.mailing_list.name,), value(one)) for one in lists]
        return Gauge(name=f"list_{name}", means=means, labels=("list",), values=values)

    yield each("subscribers", "People who get mail.", lambda one: one.subscribers)
    yield Gauge(
        name="list_digests",
        means="Mails of the editions that still live, by state.",
        labels=("list", "state"),
        values=[
            ((one.mailing_list.name, state), count)
            for one in lists
            for state, count in one.backlog.by_state.items()
        ],
    )
    yield each(
        "oldest_due_timestamp_seconds",
        "When the oldest mail that waits was due.",
        lambda one: one.backlog.oldest_due,
    )
    yield each(
        "last_sent_timestamp_seconds",
        "When a mail was last sent.",
        lambda one: one.last_sent_at,
    )


def _of_returns(tally: ReturnTally) -> Iterator[Gauge]:
    yield Gauge(
        name="returned_mails",
        means="What came back in the last 7 days about mails of ours, by kind and evidence.",
        labels=("kind", "evidence"),
        values=list(tally.events.items()),
    )
    yield Gauge(
        name="returned_effects",
        means="What it did, in the last 7 days.",
        labels=("did",),
        values=[((did,), count) for did, count in tally.effects.items()],
    )
    yield Gauge.alone("tried_digests", "Digests of the last 7 days, sent or refused.", tally.tried)
    yield Gauge.alone("bounced_mails", "Mails that came back in the last 7 days.", tally.bounced)
    yield Gauge.alone(
        "complained_mails", "Mails complained of in the last 7 days.", tally.complained
    )
    yield Gauge.alone("resting_readers", "Readers whose mail rests.", tally.resting)
    yield Gauge.alone("quarantined_mails", "Mails that wait for a person.", tally.quarantined)


def _of_requests(tally: RequestTally) -> Iterator[Gauge]:
    yield Gauge.alone(
        "signups_waiting",
        "Sign-ups, wishes for a link and changes of address that nobody has looked at yet.",
        tally.waiting,
    )
    yield Gauge.alone(
        "signups_oldest_due_timestamp_seconds",
        "Since when the first of those that wait is due.",
        tally.oldest_due,
    )
    yield Gauge(
        name="signups_refused",
        means="Requests of the last 24 hours that a limit refused, with 429 or 503.",
        labels=("limit",),
        values=[((limit,), float(count)) for limit, count in tally.refused.items()],
    )
    yield Gauge(
        name="signups_dropped",
        means="Requests of the last 24 hours that were taken, and came to no mail: the mailbox had "
        "its mails of the day, or looking at them failed.",
        labels=("why",),
        values=[((why,), float(count)) for why, count in tally.dropped.items()],
    )


def gauges_of_staff(home: AppContext, *, now: datetime) -> Iterator[Gauge]:
    """Yield metrics of schedulers and workers."""
    with home.database.reading() as work:
        people = staff(work, now=now)
    yield Gauge.alone("schedulers", "Schedulers that live.", len(people.schedulers))
    yield Gauge(
        name="workers",
        means="Workers that live and serve a queue.",
        labels=("queue",),
        values=[((line,), float(people.serving(line))) for line in QueueName],
    )


def gauges_of_lines(lined: Mapping[QueueName, QueueDepth]) -> Iterator[Gauge]:
    """Yield metrics of the job queues."""
    yield Gauge(
        name="queue_jobs",
        means="Jobs that wait, and that run, in each queue.",
        labels=("queue", "state"),
        values=[
            ((line, state), float(count))
            for line, one in lined.items()
            for state, count in (("waiting", one.waiting), ("running", one.running))
        ],
    )
