"""A tick: look once at everything whose time may have come.

    beat ─► poll feeds ─► is the clock right? ─► freeze cuts ─► plan digests ─► wake the sender
                                                                     keep house ─► alerts ◄┘

It owns no decision: what is due stands in the database, and every step may be cut off anywhere
and done again, by this process or by another one. A step that fails is logged and alerted, and
does not keep the next from its work: a tick itself never raises.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import Protocol, TypeVar

from paperround.bounces.intake import EVERY as LOOK_EVERY
from paperround.bounces.model import IntakeSummary
from paperround.core.errors import PaperroundError
from paperround.core.times import Boot
from paperround.db.slots import SlotStore
from paperround.db.transactions import Database, Transaction, write
from paperround.delivery.holds import watch
from paperround.delivery.model import Identity
from paperround.delivery.system_mail import raise_alert
from paperround.delivery.system_mail_model import Alert
from paperround.digests.cuts import freeze_cuts
from paperround.digests.plan import Hours, PlanReport, plan_due
from paperround.editions.model import Edition
from paperround.editions.store.lists import ListStore
from paperround.feeds.due import live_feeds, log_poll, poll_due
from paperround.feeds.enrich import EnrichReport, enrich
from paperround.feeds.fetcher import FeedContext
from paperround.feeds.poll import PollReport
from paperround.ops.alerts import episode, step_failed, troubles
from paperround.ops.cleanup import CleanupReport, keep_house
from paperround.papers.enrichment import Enricher
from paperround.papers.gist import GistChooser, choose_gist
from paperround.personal.ranking import PersonalRanking
from paperround.ranking.learn import LearnReport, learn_tonight
from paperround.ranking.models import ModelMaker, Ranker


class Pinger(Protocol):
    """Tells a dead-man switch that a run was completed."""

    def ping(self, event: str, *, now: datetime) -> None: ...


log = logging.getLogger(__name__)
T = TypeVar("T")

SCHEDULER = "scheduler"
"""The name under which a ticking process leaves its sign of life."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TickContext:
    """What a tick needs. `alerts_to` is where an operator reads mail, None where nowhere; `boot`
    says how long this machine runs, as far as it can be told; `alive` leaves a sign of life while
    a step goes on for long."""

    database: Database
    ranker: Ranker
    opinions: PersonalRanking
    identity: Identity
    hours: Hours
    newsroom: FeedContext
    enrichers: Sequence[Enricher]
    pinger: Pinger
    alerts_to: str | None
    wake: Callable[[], None]
    boot: Callable[[], Boot | None] = lambda: None
    alive: Callable[[], None] = lambda: None
    gist: GistChooser = choose_gist


@dataclass(frozen=True, slots=True, kw_only=True)
class TickReport:
    """What a tick did. `failed` names the steps that ended in an error, with its words."""

    polls: Sequence[PollReport] = ()
    editions: Sequence[Edition] = ()
    plans: Mapping[str, PlanReport] = field(default_factory=dict)
    house: CleanupReport = field(default_factory=CleanupReport)
    alerts: Sequence[Alert] = ()
    failed: Mapping[str, str] = field(default_factory=dict)


def tick(rounds: TickContext, *, now: datetime) -> TickReport:
    """Do everything that is due at `now`, one after another, and report it."""
    steps = _Steps()
    polls = _poll(rounds, steps, now=now)
    return replace(_publish(rounds, steps, now=now), polls=polls)


def poll_round(rounds: TickContext, *, now: datetime) -> TickReport:
    """Reading feeds alone, which may take long."""
    steps = _Steps()
    polls = _poll(rounds, steps, now=now)
    return TickReport(polls=polls, alerts=_tell(rounds, steps, [], now=now), failed=steps.failed)


def enrich_round(rounds: TickContext, *, now: datetime) -> list[EnrichReport]:
    """Asking other services for more of the papers, which nothing waits for. An installation that
    reads no feed asks nobody: its papers are its own affair."""

    def ask() -> list[EnrichReport]:
        is_reading = any(feed.enabled for feed in live_feeds(rounds.newsroom))
        return enrich(rounds.newsroom, rounds.enrichers, now=now) if is_reading else []

    return _Steps().run("enrich", ask, [])


def learn_round(database: Database, maker: ModelMaker, *, now: datetime) -> LearnReport | None:
    """Learning from what earlier papers came to, which nothing waits for."""
    return _Steps().run("learn", lambda: learn_tonight(database, maker, now=now), None)


def returns_round(
    rounds: TickContext, empty: Callable[[], IntakeSummary | None], *, now: datetime
) -> IntakeSummary | None:
    """Looking for mails that came back, every few minutes, whoever does it. A mailbox that cannot
    be read is told like every step that fails."""
    steps = _Steps()
    place = now.replace(minute=now.minute // LOOK_EVERY * LOOK_EVERY).strftime("%Y-%m-%dT%H:%M")

    def look() -> IntakeSummary | None:
        is_ours = write(
            rounds.database, lambda work: work[SlotStore].take("returns", place, now=now)
        )
        return empty() if is_ours else None

    done: IntakeSummary | None = steps.run("returns", look, None)
    _tell(rounds, steps, [], now=now)
    if done is not None and done.unsubscribed:
        rounds.wake()
    return done


def publish_round(rounds: TickContext, *, now: datetime) -> TickReport:
    """Everything but reading feeds: digests do not wait for that."""
    return _publish(rounds, _Steps(), now=now)


def _publish(rounds: TickContext, steps: "_Steps", *, now: datetime) -> TickReport:
    """Nothing is published, given up or forgotten by a clock that leapt; the operator hears it."""
    if steps.run("clock", lambda: watch(rounds.database, rounds.boot(), now=now), False):
        steps.run("beat", partial(live, rounds.database, now=now), None)
        return TickReport(alerts=look_after(rounds, {}, steps, now=now), failed=steps.failed)
    editions = cut(rounds, steps, now=now)
    plans: dict[str, PlanReport] = steps.run("plan", lambda: plan(rounds, now=now), {})

    def keep() -> CleanupReport:
        done = keep_house(database=rounds.database, identity=rounds.identity, now=now)
        if done.reminded:
            rounds.wake()
        return done

    house = steps.run("house", keep, CleanupReport())
    alerts = look_after(rounds, plans, steps, now=now)
    return TickReport(
        editions=editions, plans=plans, house=house, alerts=alerts, failed=steps.failed
    )


class _Steps:
    """Runs one step after another and remembers which of them failed."""

    def __init__(self) -> None:
        self.failed: dict[str, str] = {}

    def run(self, name: str, do: Callable[[], T], otherwise: T) -> T:
        """What `do` returns; `otherwise` when it raised."""
        try:
            return do()
        except Exception as error:  # the other steps serve other people
            is_known = isinstance(error, PaperroundError)
            log.error("the step %r of a tick failed: %s", name, error, exc_info=not is_known)
            self.failed[name] = f"{type(error).__name__}: {error}"
            return otherwise


def _poll(rounds: TickContext, steps: _Steps, *, now: datetime) -> list[PollReport]:
    """Read every feed that is due."""
    return steps.run("poll", lambda: poll_due(rounds.newsroom, now=now, told=log_poll), [])


def cut(rounds: TickContext, steps: _Steps, *, now: datetime) -> list[Edition]:
    """Freeze every list's newest cut, once its papers are there. A list whose cut fails does not
    keep the others from theirs."""

    def list_names() -> list[str]:
        with rounds.database.reading() as work:
            return [one.name for one in work[ListStore].all()]

    names: list[str] = steps.run("cuts", list_names, [])
    freezing = partial(
        freeze_cuts, database=rounds.database, ranker=rounds.ranker, now=now, gist=rounds.gist
    )
    made: list[Edition] = []
    for name in names:
        made += steps.run("cuts", partial(freezing, only=name), [])
    return made


def plan(rounds: TickContext, *, now: datetime) -> dict[str, PlanReport]:
    """Plan everybody whose hour has come, and leave signs of life."""
    live(rounds.database, now=now)
    plans = plan_due(
        database=rounds.database,
        identity=rounds.identity,
        hours=rounds.hours,
        now=now,
        opinions=rounds.opinions,
        alive=rounds.alive,
    )
    if any(one.planned for one in plans.values()):
        rounds.wake()
    return plans


def live(database: Database, *, now: datetime) -> None:
    """Leave a sign of life of whatever ticks."""
    write(database, lambda work: work[SlotStore].beat(SCHEDULER, now=now))


def look_after(
    rounds: TickContext, plans: Mapping[str, PlanReport], steps: _Steps, *, now: datetime
) -> list[Alert]:
    """Tell the operator what is wrong, once for each trouble; ping the dead-man switch if nothing
    keeps digests from people. Returns the alerts that were raised now."""

    def look() -> list[Alert]:
        with rounds.database.reading() as work:
            return troubles(work, plans, now=now)

    found: list[Alert] = steps.run("troubles", look, [])
    raised = _tell(rounds, steps, found, now=now)
    if not any(one.stops_mail for one in [*found, *_failures(steps, now)]):
        steps.run("ping", lambda: rounds.pinger.ping("tick", now=now), None)
    return raised


def _failures(steps: _Steps, now: datetime) -> list[Alert]:
    return [step_failed(name, words, now=now) for name, words in steps.failed.items()]


def _tell(
    rounds: TickContext, steps: _Steps, found: Sequence[Alert], *, now: datetime
) -> list[Alert]:
    """Raise what was found and the steps that failed; returns what nobody was told before."""
    wrong = [*found, *_failures(steps, now)]
    raised: list[Alert] = steps.run(
        "alerts", lambda: [one for one in wrong if _raise(rounds, one, now)], []
    )
    if raised:
        rounds.wake()
    return raised


def _raise(rounds: TickContext, alert: Alert, now: datetime) -> bool:
    def put(work: Transaction) -> bool:
        told_as = episode(work, alert, now=now)
        if told_as is None:
            return False
        if rounds.alerts_to:
            named = replace(alert, key=told_as)
            raise_alert(work, rounds.identity, named, rounds.alerts_to, now=now)
        return True

    fresh = write(rounds.database, put)
    if fresh:
        log.error("alert: %s. %s", alert.subject, " ".join(alert.lines))
    return fresh
