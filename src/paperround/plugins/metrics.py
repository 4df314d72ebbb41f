"""`GET /metrics` for Prometheus, of the site and of each worker and scheduler.

The site's metrics are about the installation, and need a key. They are read from the database for
each request, so every process returns the same, and a restart loses nothing. Attempts and requests
are too many for that: each process reports its own, since it started. A worker and a scheduler
report only their own process. Labels name feeds, lists and routes, never a person.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from fastapi import Request, Response
from starlette.routing import Route

from paperround.access.model import Scope
from paperround.bootstrap import AppContext
from paperround.bounces.handling import BOUNCED, COMPLAINED
from paperround.bounces.model import ReturnTally
from paperround.core.errors import PaperroundError
from paperround.core.jobs import QueueDepth, QueueName
from paperround.core.measures import ATTEMPTS, BOUNDS, REQUESTS
from paperround.db.counts import DayCountStore
from paperround.db.slots import BACKUP, SlotStore
from paperround.db.transactions import Database
from paperround.delivery.store.status import StatusStore
from paperround.feeds.due import polled_feeds
from paperround.feeds.model import FeedHealth, LiveFeed
from paperround.ops.cluster import cluster_status
from paperround.ops.status import ListStatus, status
from paperround.signup.tally import ASKED, CONFIRMED, REMINDED
from paperround.subscribers.readers import RequestTally
from paperround.web.auth import keyed_router
from paperround.web.context import App, Now
from paperround.web.health import Role

router = keyed_router(
    "/metrics", "operations", reading=Scope.METRICS_READ, writing=Scope.METRICS_READ
)

if TYPE_CHECKING:  # imported only when metrics are requested
    from prometheus_client.core import HistogramMetricFamily

SIGNUPS = {"asked": ASKED, "confirmed": CONFIRMED, "reminded": REMINDED}
RETURNS = {"bounce": BOUNCED, "complaint": COMPLAINED}
"""Counters: the value of the label, and the name in the counts by day."""

Number = float | datetime | None
Values = Mapping[Any, Number]
"""Values by the tuple of their labels."""


@dataclass(frozen=True, slots=True)
class Gauge:
    """A metric, its help text, and its value, or its values by labels. An unknown value is None, a
    datetime is exported in seconds since 1970."""

    name: str
    doc: str
    values: Number | Values
    labels: tuple[str, ...] = ()
    is_counter: bool = False
    """Whether the value never falls, except at a restart; its name gets the suffix `_total`."""


@router.get("", include_in_schema=False)
def metrics(app: App, now: Now) -> Response:
    """Return the metrics of the installation in Prometheus's text format."""
    found = [*database_gauges(app.database, now=now)]
    if not app.settings.embedded:
        found += process_gauges(app, now=now)
        found.append(queue_gauge(app.shared_queue.queue_depths()))
    return metrics_response(found)


def process_routes(app: AppContext, role: Role) -> list[Route]:
    """Return `/metrics` for the health pages of a worker or scheduler."""

    def metrics(_: Request) -> Response:
        try:
            return metrics_response(role_gauges(app, role))
        except PaperroundError as error:
            return Response(str(error), status_code=503)

    return [Route("/metrics", metrics)]


def metrics_response(found: Iterable[Gauge]) -> Response:
    """Return a response with these metrics, without unknown values."""
    from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
    from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

    class Collected:
        def collect(self) -> Iterator[Metric]:
            for one in [*found, _attempts()]:
                family_of = CounterMetricFamily if one.is_counter else GaugeMetricFamily
                family = family_of(f"paperround_{one.name}", one.doc, labels=one.labels)
                values = one.values if isinstance(one.values, Mapping) else {(): one.values}
                for labels, value in values.items():
                    number = value.timestamp() if isinstance(value, datetime) else value
                    if number is not None:
                        family.add_metric(labels, number)
                yield family
            yield _requests()

    registry = CollectorRegistry(auto_describe=False)
    registry.register(Collected())
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)


def _attempts() -> Gauge:
    """Return the sending attempts of this process."""
    doc = (
        "Messages this process sent to a relay or channel since it started, by state and by "
        "class of the reply."
    )
    return Gauge("attempts", doc, ATTEMPTS.values(), ("state", "class"), is_counter=True)


def _requests() -> "HistogramMetricFamily":
    """Return the duration of this process's requests, by route and class of the status."""
    from prometheus_client.core import HistogramMetricFamily

    family = HistogramMetricFamily(
        "paperround_http_request_duration_seconds",
        "How long this process took for requests since it started.",
        labels=("route", "status"),
    )
    for labels, found in REQUESTS.values().items():
        below = accumulate(found.counts)
        bounds = [*map(str, BOUNDS), "+Inf"]
        family.add_metric(labels, list(zip(bounds, below, strict=True)), found.seconds)
    return family


def database_gauges(database: Database, *, now: datetime) -> Iterator[Gauge]:
    """Yield the metrics of the database at `now`."""
    with database.reading() as work:
        feeds, room = polled_feeds(work), work[StatusStore].storage()
        backup_at = work[SlotStore].last_beat(BACKUP)
        totals = work[DayCountStore].totals([*SIGNUPS.values(), *RETURNS.values()])
    found = status(database, None, now=now)
    yield Gauge(
        "last_tick_timestamp_seconds",
        "When the schedule last ran.",
        found.last_tick_at,
    )
    yield Gauge(
        "mail_lacks_keys",
        "1 while email is held because there is no DKIM key to sign it.",
        found.pace.lacks_keys,
    )
    yield Gauge(
        "database_put_back",
        "1 while email is held because an older copy of the database may be in use.",
        found.pace.was_put_back,
    )
    yield Gauge("database_log_bytes", "How long SQLite's write-ahead log is.", room.log_bytes)
    yield Gauge("database_free_bytes", "Free disk space for SQLite's file.", room.free_bytes)
    yield Gauge(
        "last_backup_timestamp_seconds", "When `paperround db backup` last wrote one.", backup_at
    )
    yield Gauge(
        "relay_refuses",
        "1 while the relay refuses our email and is tried with one message at a time.",
        found.pace.relay.is_probing,
    )
    yield Gauge(
        "relay_unreached",
        "1 while no session with the relay can be opened.",
        found.pace.unreached is not None and not found.pace.relay.is_probing,
    )
    yield Gauge("notices_unknown", "System emails that may have arrived.", found.notices.unknown)
    yield _counter("signups", "Sign-ups, by the stage they reached.", "step", SIGNUPS, totals)
    yield _counter("returns", "Bounces and other replies to our emails.", "kind", RETURNS, totals)
    yield from _feed_gauges(feeds)
    yield from _list_gauges(found.lists, now)
    yield from _bounce_gauges(found.returns)
    yield from _signup_gauges(found.requests)


def _counter(
    name: str, doc: str, label: str, names: Mapping[str, str], totals: Mapping[str, int]
) -> Gauge:
    """Return a counter of counts by day; `names` maps values of the label to names of counts."""
    values = {(value,): totals[one] for value, one in names.items()}
    return Gauge(name, doc, values, (label,), is_counter=True)


def _feed_gauges(feeds: Sequence[LiveFeed]) -> Iterator[Gauge]:
    def each(name: str, doc: str, value: Callable[[LiveFeed], Number]) -> Gauge:
        return Gauge(f"feed_{name}", doc, {(one.name,): value(one) for one in feeds}, ("feed",))

    health = {(one.name, it): float(one.health is it) for one in feeds for it in FeedHealth}
    yield Gauge(
        "feed_health",
        "1 for the health of a feed, 0 for all other values.",
        health,
        ("feed", "health"),
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
        "When a feed last had new papers.",
        lambda feed: feed.last_news_at,
    )


def _list_gauges(lists: Sequence[ListStatus], now: datetime) -> Iterator[Gauge]:
    named = [(one.mailing_list.name, one) for one in lists]

    def each(name: str, doc: str, value: Callable[[ListStatus], Number]) -> Gauge:
        return Gauge(f"list_{name}", doc, {(list_,): value(one) for list_, one in named}, ("list",))

    yield each("subscribers", "People who get email.", lambda one: one.subscribers)
    yield Gauge(
        "list_digests",
        "Digests of current editions, by state.",
        {(name, it): n for name, one in named for it, n in one.backlog.by_state.items()},
        ("list", "state"),
    )
    yield each(
        "oldest_due_timestamp_seconds",
        "When the oldest waiting email was due.",
        lambda one: one.backlog.oldest_due,
    )
    yield each(
        "edition_late_seconds",
        "How long after its cut the newest edition was made, or has been missing since.",
        lambda one: one.edition_lateness(now).total_seconds(),
    )
    yield each(
        "last_sent_timestamp_seconds",
        "When an email was last sent.",
        lambda one: one.last_sent_at,
    )


def _by_one(name: str, doc: str, label: str, values: Mapping[Any, float]) -> Gauge:
    return Gauge(name, doc, {(key,): value for key, value in values.items()}, (label,))


def _bounce_gauges(tally: ReturnTally) -> Iterator[Gauge]:
    yield Gauge(
        "returned_mails",
        "Bounces and complaints of the last 7 days, by kind and evidence.",
        tally.events,
        ("kind", "evidence"),
    )
    yield _by_one("returned_effects", "Their effects in the last 7 days.", "did", tally.effects)
    yield Gauge("tried_digests", "Digests of the last 7 days, sent or refused.", tally.tried)
    yield Gauge("bounced_mails", "Emails that bounced in the last 7 days.", tally.bounced)
    yield Gauge("complained_mails", "Emails reported as spam in the last 7 days.", tally.complained)
    yield Gauge(
        "resting_readers", "Readers whose digests are paused because of bounces.", tally.resting
    )
    yield Gauge("quarantined_mails", "Messages in quarantine.", tally.quarantined)


def _signup_gauges(tally: RequestTally) -> Iterator[Gauge]:
    yield Gauge(
        "signups_waiting",
        "Sign-ups, requests for a link and changes of address not handled yet.",
        tally.waiting,
    )
    yield Gauge(
        "signups_oldest_due_timestamp_seconds",
        "When the oldest of those was due.",
        tally.oldest_due,
    )
    refused = "Requests of the last 24 hours that a limit refused, with 429 or 503."
    yield _by_one("signups_refused", refused, "limit", tally.refused)
    dropped = (
        "Requests of the last 24 hours that were accepted but sent no email: the mailbox had "
        "reached its daily limit, or they failed."
    )
    yield _by_one("signups_dropped", dropped, "why", tally.dropped)


def process_gauges(app: AppContext, *, now: datetime) -> Iterator[Gauge]:
    """Yield metrics of schedulers and workers."""
    with app.database.reading() as work:
        processes = cluster_status(work, now=now)
    yield Gauge("schedulers", "Running schedulers.", len(processes.schedulers))
    serving = {line: processes.serving(line) for line in QueueName}
    yield _by_one("workers", "Running workers that serve a queue.", "queue", serving)


def role_gauges(app: AppContext, role: Role) -> Iterator[Gauge]:
    """Yield the metrics of this process, a worker or a scheduler."""
    if role.last_look is not None:
        yield Gauge(
            "scheduler_last_look_timestamp_seconds",
            "When this scheduler last checked for due work.",
            role.last_look(),
        )
        return
    queue = app.shared_queue
    ended = "Jobs this process has finished since it started, by task and outcome."
    yield Gauge("worker_jobs", ended, queue.done(), ("task", "outcome"))
    busy = {(task,): count for task, count in queue.busy().items()}
    yield Gauge("worker_running", "Jobs this process is running.", busy, ("task",))
    yield queue_gauge(queue.queue_depths())


def queue_gauge(depths: Mapping[QueueName, QueueDepth]) -> Gauge:
    """Return the metric of the job queues."""
    waiting = {(line, "waiting"): one.waiting for line, one in depths.items()}
    running = {(line, "running"): one.running for line, one in depths.items()}
    doc = "Jobs that wait, and that run, in each queue."
    return Gauge("queue_jobs", doc, {**waiting, **running}, ("queue", "state"))
