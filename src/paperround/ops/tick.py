"""Run a tick: do everything that is due, once.

    beat ─► poll feeds ─► is the clock right? ─► freeze cuts ─► plan digests ─► wake the sender
                                                                       clean up ─► alerts ◄┘

The database knows what is due, and every step may be interrupted anywhere and repeated, by this
process or another. A step that fails is logged and raises an alert, and the next step runs anyway:
a tick itself never raises.
"""

import json
import logging
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar

from paperround.bounces.intake import EVERY as LOOK_EVERY
from paperround.bounces.model import Did
from paperround.core.errors import FetchFailed, PaperroundError
from paperround.core.times import Boot
from paperround.db.slots import SlotStore
from paperround.db.transactions import Database, Transaction, write
from paperround.delivery.holds import check_clock_leap
from paperround.delivery.model import Identity
from paperround.delivery.rate_limits import FAILED, describe_unreached
from paperround.delivery.store.ledger import Ledger
from paperround.delivery.store.rates import PaceStore
from paperround.delivery.system_mail import raise_alert
from paperround.delivery.system_mail_model import Alert
from paperround.digests.plan import Hours, PlanReport, plan_due
from paperround.digests.publish import freeze_cuts
from paperround.editions.model import Edition
from paperround.editions.store.lists import ListStore
from paperround.feeds.due import live_feeds, log_poll, poll_due
from paperround.feeds.enrich import enrich
from paperround.feeds.fetcher import FeedContext
from paperround.feeds.poll import PollReport
from paperround.http.model import FetchRequest, HttpClient
from paperround.ops.alerts import (
    claim_episode,
    current_alerts,
    over_alerts,
    step_failed_alert,
)
from paperround.ops.cleanup import clean_up
from paperround.ops.retention import KEEP, Retention, compact_digests
from paperround.ops.stats import count_editions
from paperround.papers.enrichment import Enricher
from paperround.papers.gist import GistChooser, choose_gist
from paperround.personal.ranking import PersonalRanking
from paperround.ranking.learn import LearnReport, learn_if_due
from paperround.ranking.models import Ranker
from paperround.ranking.prior import PriorMaker

log = logging.getLogger(__name__)
T = TypeVar("T")

SCHEDULER = "scheduler"
"""The name of the heartbeat of a process that ticks."""

MAX_TICK_GAP = timedelta(minutes=3)
"""Longest time between two heartbeats of a schedule that runs: ticks come once a minute, and a long
step records heartbeats too."""

PING_INTERVAL = timedelta(minutes=5)


@dataclass(slots=True)
class DeadManSwitch:
    """A service that alerts you when requests for `url` stop; None for no service.

    Requests it at most every five minutes. A failed request is only logged: the service notices
    that it is missing.
    """

    url: str | None
    client: HttpClient
    _last: datetime | None = field(default=None, init=False)

    def ping(self, now: datetime) -> None:
        """Report a tick without a problem that stops mail."""
        # The clock may be set back.
        is_early = self._last is not None and abs(now - self._last) < PING_INTERVAL
        if self.url is None or is_early:
            return
        self._last = now
        try:
            self.client.get(FetchRequest(url=self.url))
        except FetchFailed as error:
            log.warning("the dead-man switch could not be notified: %s", error)


@dataclass(frozen=True, slots=True)
class AlertHook:
    """An address that gets each alert as JSON, beside the email; None for none. A failed request is
    only logged: the dead-man switch tells of a network that is gone."""

    url: str | None
    client: HttpClient

    def post(self, alert: Alert) -> None:
        """Post an alert; `text` is what chat services show."""
        if self.url is None:
            return
        text = "\n".join([alert.subject, *alert.lines])
        says = {"key": alert.key, "subject": alert.subject, "lines": alert.lines, "text": text}
        sent = FetchRequest(
            url=self.url,
            headers={"content-type": "application/json"},
            content=json.dumps(says).encode(),
        )
        try:
            self.client.get(sent)
        except FetchFailed as error:
            why = str(error).replace(self.url, "PAPERROUND_ALERT_WEBHOOK")  # it may hold a secret
            log.warning("an alert could not be posted: %s", why)


@dataclass(frozen=True, slots=True, kw_only=True)
class TickContext:
    """The dependencies of a tick.

    `alerts_to` is the operator's address, None for no email; `post_alert` tells them without the
    relay. `why_unreached` returns why the relay opens no session, "" if it does, None if there is
    no relay. `ping` tells a dead-man switch that
    digests get out. `boot` returns the boot of this machine with its uptime, None if unknown.
    `alive` records a heartbeat during a long step.
    """

    database: Database
    ranker: Ranker
    personal_ranking: PersonalRanking
    identity: Identity
    hours: Hours
    feed_context: FeedContext
    enrichers: Sequence[Enricher]
    alerts_to: str | None
    wake: Callable[[], None]
    post_alert: Callable[[Alert], None] = lambda _: None
    why_unreached: Callable[[], str | None] = lambda: None
    ping: Callable[[datetime], None] = lambda _: None
    boot: Callable[[], Boot | None] = lambda: None
    alive: Callable[[], None] = lambda: None
    gist: GistChooser = choose_gist
    keep: Retention = KEEP


@dataclass(frozen=True, slots=True, kw_only=True)
class TickReport:
    """What a tick did. `failed` maps the steps that failed to the text of the error."""

    polls: Sequence[PollReport] = ()
    editions: Sequence[Edition] = ()
    plans: Mapping[str, PlanReport] = field(default_factory=dict)
    alerts: Sequence[Alert] = ()
    failed: Mapping[str, str] = field(default_factory=dict)


def _take_turn(work: Transaction, what: str, now: datetime) -> bool:
    """Take what one process does every few minutes; return False if another one did."""
    slot = now.replace(minute=now.minute // LOOK_EVERY * LOOK_EVERY).strftime("%Y-%m-%dT%H:%M")
    return work[SlotStore].take(what, slot, now=now)


class _Steps:
    """Runs steps one after another and records which of them failed."""

    def __init__(self) -> None:
        self.failed: dict[str, str] = {}

    def run(self, name: str, do: Callable[[], T], otherwise: T) -> T:
        """Return what `do` returns, or `otherwise` if it raises."""
        try:
            return do()
        except Exception as error:  # one step must not stop the others
            is_known = isinstance(error, PaperroundError)
            log.error("the step %r of a tick failed: %s", name, error, exc_info=not is_known)
            self.failed[name] = f"{type(error).__name__}: {error}"
            return otherwise

    def alerts(self, now: datetime) -> list[Alert]:
        """Return the alerts about the steps that failed."""
        return [step_failed_alert(name, words, now=now) for name, words in self.failed.items()]


def tick(context: TickContext, *, now: datetime) -> TickReport:
    """Do everything that is due at `now`, and report it."""
    steps = _Steps()
    polls = _poll(context, steps, now=now)
    return replace(publish_round(context, now=now, steps=steps), polls=polls)


def is_ticking(last_tick_at: datetime | None, *, now: datetime) -> bool:
    """Return whether the last tick was recent."""
    return last_tick_at is not None and now - last_tick_at <= MAX_TICK_GAP


def poll_round(context: TickContext, *, now: datetime) -> TickReport:
    """Read the feeds that are due, which may take long."""
    steps = _Steps()
    polls = _poll(context, steps, now=now)
    return TickReport(
        polls=polls, alerts=_raise_alerts(context, steps, [], now=now), failed=steps.failed
    )


def enrich_round(context: TickContext, *, now: datetime) -> None:
    """Enrich papers from other services, unless no feed is enabled: then papers stay private."""

    def enrich_papers() -> None:
        if any(feed.enabled for feed in live_feeds(context.feed_context)):
            enrich(context.feed_context, context.enrichers, now=now)

    _Steps().run("enrich", enrich_papers, None)


def learn_round(database: Database, maker: PriorMaker, *, now: datetime) -> LearnReport | None:
    """Train a model on the votes of earlier papers, if that is due."""
    return _Steps().run("learn", lambda: learn_if_due(database, maker, now=now), None)


def returns_round(
    context: TickContext, read_mailbox: Callable[[], Counter[str] | None], *, now: datetime
) -> Counter[str] | None:
    """Call `read_mailbox` for bounces, every few minutes in one of the processes."""
    steps = _Steps()

    def read_if_claimed() -> Counter[str] | None:
        is_ours = write(context.database, lambda work: _take_turn(work, "returns", now))
        return read_mailbox() if is_ours else None

    summary: Counter[str] | None = steps.run("returns", read_if_claimed, None)
    _raise_alerts(context, steps, [], now=now)
    if summary is not None and summary[Did.UNSUBSCRIBED]:
        context.wake()
    return summary


def publish_round(
    context: TickContext, *, now: datetime, steps: _Steps | None = None
) -> TickReport:
    """Do everything but read feeds. After a clock jump only alert, so that nothing is lost."""
    steps = steps or _Steps()
    if steps.run(
        "clock", lambda: check_clock_leap(context.database, context.boot(), now=now), False
    ):
        steps.run("beat", partial(live, context.database, now=now), None)
        return TickReport(alerts=_alert_and_ping(context, {}, steps, now=now), failed=steps.failed)
    editions = _freeze_cuts(context, steps, now=now)
    plans: dict[str, PlanReport] = steps.run("plan", lambda: plan_digests(context, now=now), {})

    def clean() -> None:
        done = clean_up(
            database=context.database, identity=context.identity, keep=context.keep, now=now
        )
        if done.reminded:
            context.wake()

    def compact() -> int:
        keys, keep = context.identity.keys, context.keep.deliveries
        return compact_digests(context.database, keys, keep=keep, now=now)

    steps.run("relay", partial(_look_at_relay, context, now=now), None)
    steps.run("house", clean, None)
    steps.run("figures", partial(count_editions, context.database, now=now), 0)
    steps.run("retention", compact, 0)
    alerts = _alert_and_ping(context, plans, steps, now=now)
    return TickReport(editions=editions, plans=plans, alerts=alerts, failed=steps.failed)


def _poll(context: TickContext, steps: _Steps, *, now: datetime) -> list[PollReport]:
    """Read every feed that is due."""
    return steps.run("poll", lambda: poll_due(context.feed_context, now=now, told=log_poll), [])


def _freeze_cuts(context: TickContext, steps: _Steps, *, now: datetime) -> list[Edition]:
    """Freeze the newest cut of every list. A list that fails does not stop the others."""

    def list_names() -> list[str]:
        with context.database.reading() as work:
            return [one.name for one in work[ListStore].live()]

    freeze = partial(
        freeze_cuts, database=context.database, ranker=context.ranker, now=now, gist=context.gist
    )
    names: list[str] = steps.run("cuts", list_names, [])
    editions: list[Edition] = []
    for name in names:
        editions += steps.run("cuts", partial(freeze, only=name), [])
    return editions


def plan_digests(context: TickContext, *, now: datetime) -> dict[str, PlanReport]:
    """Plan the digests whose hour has come, and record a heartbeat. Returns a report by list."""
    live(context.database, now=now)
    plans = plan_due(
        database=context.database,
        identity=context.identity,
        hours=context.hours,
        now=now,
        personal_ranking=context.personal_ranking,
        alive=context.alive,
    )
    if any(one.planned for one in plans.values()):
        context.wake()
    return plans


def live(database: Database, *, now: datetime) -> None:
    """Record the heartbeat of a process that ticks."""
    write(database, lambda work: work[SlotStore].beat(SCHEDULER, now=now))


def _look_at_relay(context: TickContext, *, now: datetime) -> None:
    """Every few minutes see whether the relay still answers, so that a dead one is noticed before
    email is due. Email that just left has shown it."""
    with context.database.writing() as work:
        if not _take_turn(work, "relay", now):
            return
        before = work[PaceStore].relay()
        lasts = [work[Ledger].last_sent(one.id) for one in work[ListStore].live()]
    has_sent = any(one and now - one < timedelta(minutes=LOOK_EVERY) for one in lasts)
    if before.is_probing or (has_sent and not before.reason):
        return
    reason = context.why_unreached()
    if reason is None:
        return

    def note(work: Transaction) -> None:
        work[PaceStore].note_session(reason, now=now)
        if reason:
            work[SlotStore].beat(FAILED, now=now)

    write(context.database, note)
    if reason and not before.reason:
        log.warning("%s", describe_unreached(reason))
    elif before.reason and not reason:
        log.info("the relay answers again")


def _alert_and_ping(
    context: TickContext, plans: Mapping[str, PlanReport], steps: _Steps, *, now: datetime
) -> list[Alert]:
    """Raise new alerts and return them; ping the dead-man switch unless a problem stops mail."""

    def find_alerts() -> list[Alert]:
        with context.database.reading() as work:
            return current_alerts(work, plans, now=now)

    found: list[Alert] = steps.run("troubles", find_alerts, [])
    if "troubles" not in steps.failed:
        told_over = partial(over_alerts, found=found, now=now)
        found += steps.run("over", lambda: write(context.database, told_over), [])
    raised = _raise_alerts(context, steps, found, now=now)
    if not any(one.stops_mail for one in [*found, *steps.alerts(now)]):
        steps.run("ping", lambda: context.ping(now), None)
    return raised


def _raise_alerts(
    context: TickContext, steps: _Steps, found: Sequence[Alert], *, now: datetime
) -> list[Alert]:
    """Raise alerts for `found` and for failed steps; return those that are new."""
    current = [*found, *steps.alerts(now)]
    raised: list[Alert] = steps.run(
        "alerts", lambda: [one for one in current if _raise_if_new(context, one, now)], []
    )
    if raised:
        context.wake()
    return raised


def _raise_if_new(context: TickContext, alert: Alert, now: datetime) -> bool:
    def claim_and_queue(work: Transaction) -> bool:
        key = claim_episode(work, alert, now=now)
        if key is None:
            return False
        if context.alerts_to:
            raise_alert(work, context.identity, replace(alert, key=key), context.alerts_to, now=now)
        return True

    is_new = write(context.database, claim_and_queue)
    if is_new:
        log.error("alert: %s. %s", alert.subject, " ".join(alert.lines))
        context.post_alert(alert)
    return is_new
