"""Find what an operator must know, and report each problem once.

digests missed · digests late · a relay that refuses our mail or cannot be reached · a clock that
jumped · no key to sign with · an older copy of the database · a feed stale or failing ·
too many bounces or complaints · what plugins report · an enricher that does not answer ·
a step of the tick failed · a database out of space · sign-ups refused, dropped or not processed ·
an API key in use that expires soon
"""

import hashlib
import re
from collections.abc import Container, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta

from paperround.access.keys import expiring_keys
from paperround.bounces.model import ReturnTally
from paperround.bounces.store import ReturnStore
from paperround.core.plugins import plugins
from paperround.core.reasons import counted
from paperround.core.times import format_instant
from paperround.db.engine import MOST_LOG_BYTES, Storage
from paperround.db.slots import BEAT, SlotStore
from paperround.db.transactions import Transaction
from paperround.delivery.holds import clock_alerts, unsigned
from paperround.delivery.ledger_model import Backlog
from paperround.delivery.rate_limits import relay_alerts
from paperround.delivery.restore_guard import restored_copy_alerts
from paperround.delivery.status import redact_addresses
from paperround.delivery.store.ledger import Ledger
from paperround.delivery.store.status import StatusStore
from paperround.delivery.system_mail_model import Alert
from paperround.digests.plan import LATE, PlanReport
from paperround.editions.lists import MailingList
from paperround.editions.model import SkipReason
from paperround.editions.store.lists import ListStore
from paperround.feeds.due import polled_feeds
from paperround.feeds.health import LOST_AFTER, failure_cause
from paperround.feeds.model import Alarm, FeedHealth, LiveFeed
from paperround.feeds.store.feeds import FeedStore
from paperround.ops.plugin_jobs import plugin_jobs
from paperround.papers.enrichment import feed_name
from paperround.signup.limits import SLOW_LANE, count_requests
from paperround.subscribers.readers import Drop, Limit

EPISODE_GAP = timedelta(hours=1)
"""How long a problem that stops mail must be gone before it counts as a new one."""

REPORTED_FOR = timedelta(days=7)
"""How long missed digests are reported, and the period of the rates of bounces and complaints."""

STEPS_FOR_MAIL = frozenset({"cuts", "plan", "troubles"})
"""The steps of a tick without which no digest is sent or no problem is noticed."""


def current_alerts(
    work: Transaction, plans: Mapping[str, PlanReport], *, now: datetime
) -> list[Alert]:
    """Return everything that is wrong at `now`, worst first."""
    found: list[Alert] = [*relay_alerts(work, now=now)]
    found += [*clock_alerts(work, now=now), *unsigned(work), *restored_copy_alerts(work)]
    lists = work[ListStore].all()
    names = {one.id: one.name for one in lists}
    for mailing_list in lists:
        report = plans.get(mailing_list.name, PlanReport())
        missed = work[Ledger].missed(mailing_list.id, since=now.date() - REPORTED_FOR)
        found += _missed(mailing_list, missed)
        if mailing_list.paused_at is None and mailing_list.archived_at is None:
            found += _late(
                mailing_list, report, work[Ledger].backlog(mailing_list.id, now=now), now
            )
    for one in plugin_jobs():
        found += one.alerts(work)
    found += signup_alerts(work, now=now)
    found += key_alerts(work, now=now)
    found += storage_alerts(work[StatusStore].storage(), now=now)
    returns = work[ReturnStore]
    found += rate_alerts(
        returns.tally(since=now - REPORTED_FOR, today=now.date()),
        {names[id_]: one for id_, one in returns.tallies_by_list(since=now - REPORTED_FOR).items()},
        now=now,
    )
    return [*found, *feed_alerts(polled_feeds(work)), *enricher_alerts(work, now=now)]


def step_failed_alert(name: str, words: str, *, now: datetime) -> Alert:
    """Return the alert about a step of the tick that raised."""
    return Alert(
        key=f"step/{name}/{now:%Y-%m-%d}",
        subject=f"A step of the schedule fails: {name}",
        lines=(words, "The log has the details. The step is retried every minute."),
        stops_mail=name in STEPS_FOR_MAIL,
    )


def claim_episode(work: Transaction, alert: Alert, *, now: datetime) -> str | None:
    """Claim `alert` for reporting; return the key of this episode, None if it was reported.

    A problem whose key contains its start is reported once. One that stops mail is reported again
    when it comes back: a heartbeat stores when it was last found. A cause that several feeds share
    is reported again once it affects a feed that had recovered.
    """
    name, slots, heartbeat = alert.key, work[SlotStore], f"alert/{alert.key}"
    new_episodes = [slots.take("alert", one, now=now) for one in alert.episodes]
    has_end = alert.stops_mail or alert.lasts
    seen = slots.last_beat(heartbeat)
    if has_end or alert.episodes:
        slots.beat(heartbeat, now=now)
    if alert.episodes and not any(new_episodes):
        return None
    if seen is not None and not alert.lasts:
        if now - seen <= EPISODE_GAP:
            return None
        name = f"{alert.key}/after {format_instant(seen)}"
    if not slots.take("alert", name, now=now):
        return None
    if has_end:
        slots.beat(f"{_RAISED}{alert.key} {alert.subject}", now=now)
    return name


_RAISED = "raised/"
"""The start of the name of a heartbeat: an alert whose end is reported was raised."""

OVER_AFTER = timedelta(minutes=10)
"""How long a problem must be gone before you are told that it is over."""


def over_alerts(work: Transaction, found: Sequence[Alert], *, now: datetime) -> list[Alert]:
    """Return an alert that it is over for each such problem that is not `found`. If it comes back
    after that, it counts as a new one."""
    keys = {one.key for one in found}
    current, over = {*map(_cause, keys)}, list[Alert]()
    slots = work[SlotStore]
    for name in slots.beats(_RAISED):
        key, _, subject = name.partition(" ")
        seen = slots.last_beat(f"alert/{key}") or now
        if _cause(key) in current and key not in keys:  # reported again under a later date
            slots.give_back(BEAT, f"{_RAISED}{name}")
        elif _cause(key) not in current and now - seen >= OVER_AFTER:
            slots.give_back(BEAT, f"{_RAISED}{name}")
            slots.beat(f"alert/{key}", now=seen - EPISODE_GAP)
            ended = f"It was last found at {format_instant(seen)}."
            named = f"over/{key}/{format_instant(seen)}"
            over.append(Alert(key=named, subject=f"Over: {subject}", lines=(ended,)))
    return over


def _cause(key: str) -> str:
    """Return the key of a problem without the date on which it is reported again."""
    return re.sub(r"/\d{4}-\d\d-\d\d$", "", key)


def _missed(mailing_list: MailingList, missed: Mapping[date, int]) -> Iterator[Alert]:
    """Report missed digests, from the ledger: the process that expired them may have died since."""
    for day, count in sorted(missed.items()):
        were = "was" if count == 1 else "were"
        yield Alert(
            key=f"missed/{mailing_list.name}/{day.isoformat()}",
            subject=f"{counted(count, 'digest')} of {day.isoformat()} {were} missed",
            lines=(
                f"They belong to the list {mailing_list.name}; nothing ran for 20 hours.",
                "They are too old to be sent now.",
                "Is the scheduler running? `paperround doctor` checks.",
            ),
        )


def _late(
    mailing_list: MailingList, report: PlanReport, backlog: Backlog, now: datetime
) -> Iterator[Alert]:
    """Report late digests. The key contains the date: a lasting problem is reported once a day."""
    name, today = mailing_list.name, f"{now:%Y-%m-%d}"
    oldest = backlog.oldest_held_due
    if report.late:
        yield Alert(
            key=f"no-edition/{name}/{today}",
            subject=f"{counted(report.late, 'reader')} "
            f"{'waits' if report.late == 1 else 'wait'} for an edition of {name}",
            lines=(
                "They were due at least half an hour ago, but there is no edition to send.",
                "Do the feeds have papers? `paperround feeds list` shows them.",
            ),
            stops_mail=True,
        )
    if nothing := report.skipped.get(SkipReason.NO_PAPERS_AT_ALL):
        yield Alert(
            key=f"no-papers/{name}/{today}",
            subject=f"{nothing} readers of {name} got no email: there are no papers",
            lines=("No paper has ever been read. Is there a feed, and does it have papers?",),
            stops_mail=True,
        )
    if oldest is not None and now - oldest >= LATE:
        yield Alert(
            key=f"late/{name}/{today}",
            subject=f"Digests of {name} are late",
            lines=(
                f"The oldest was due at {format_instant(oldest)} and has not been sent.",
                "`paperround digest status` shows what the relay says.",
            ),
            stops_mail=True,
        )


def key_alerts(work: Transaction, *, now: datetime) -> Iterator[Alert]:
    """Report each API key in use that expires soon, once."""
    for key in expiring_keys(work, now=now):
        end, name = f"{key.expires_at:%Y-%m-%d}", redact_addresses(key.name)
        yield Alert(
            key=f"key/{key.prefix}/{end}",
            subject=f"The API key {name} expires on {end}",
            lines=(
                f"The key {key.prefix} ({name}) is in use.",
                "Programs that use it will get 401. Create a new key and give it to them.",
                "Create one with `paperround keys create`; `paperround keys list` shows all keys.",
            ),
        )


_LIMITS = {"complaints": (0.001, 0.003), "bounces": (0.02, 0.05)}
"""Shares above which an alert is sent, and a second one. Gmail requires less than 0.1 % of
complaints and blocks senders above 0.3 % (its sender guidelines, 2024); providers require less than
2 % of addresses that are gone, and block senders above 5 %."""

FEWEST_TRIED = 100
FEWEST_RETURNED = 3
"""Digests of a week, and bounces or complaints among them, needed for a share to mean anything."""

_RATE_ADVICE = {
    "complaints": (
        "Gmail asks for less than 0.1 %, and blocks senders above 0.3 %.",
        "Did you import people who did not ask? `paperround bounces list` shows who complains.",
    ),
    "bounces": (
        "Providers ask for less than 2 % of invalid addresses, and block senders above 5 %.",
        "Did you import an old list? `paperround bounces list` shows what the servers said.",
    ),
}


def rate_alerts(
    total: ReturnTally, by_list: Mapping[str, ReturnTally], *, now: datetime
) -> Iterator[Alert]:
    """Report too many complaints or bounces in seven days, once a week and if it gets worse: of
    each list that has too many, else of all together."""
    for what in _LIMITS:
        lists = [_rate_alert(what, one, name, now) for name, one in by_list.items()]
        found = [one for one in lists if one] if len(by_list) > 1 else []
        yield from found or filter(None, [_rate_alert(what, total, "", now)])


def _rate_alert(what: str, tally: ReturnTally, name: str, now: datetime) -> Alert | None:
    """Report too many complaints or bounces of the list of this name, or of all."""
    count, rate = tally.bounced, tally.bounce_rate
    if what == "complaints":
        count, rate = tally.complained, tally.complaint_rate
    passed = [limit for limit in _LIMITS[what] if rate > limit]
    if not passed or tally.tried < FEWEST_TRIED or count < FEWEST_RETURNED:
        return None
    key = f"{what}/{name}" if name else what
    return Alert(
        key=f"returns/{key}/{max(passed):g}/{now:%G-W%V}",
        subject=f"Too many {what}: {rate:.2%} of the digests of "
        + (f"{name} in seven days" if name else "seven days"),
        lines=(
            f"{count:,} of {tally.tried:,} digests; the limit is {max(passed):.1%}.",
            *_RATE_ADVICE[what],
        ),
    )


def storage_alerts(found: Storage, *, now: datetime) -> Iterator[Alert]:
    """Report a full disk and a log that does not shrink, each once a day."""
    today = f"{now:%Y-%m-%d}"
    if found.is_full:
        yield Alert(
            key=f"storage/full/{today}",
            subject="The database disk is full",
            lines=(
                "No email is sent until it can be recorded.",
                "Sending resumes automatically once there is space.",
                "`paperround doctor` shows how much is free, and where.",
            ),
            stops_mail=True,
        )
    if found.log_is_long:
        yield Alert(
            key=f"storage/log/{today}",
            subject="The database log does not shrink",
            lines=(
                f"It has {found.log_bytes or 0:,} bytes; {MOST_LOG_BYTES:,} is the usual maximum.",
                (
                    "Is something reading the database for a long time (an export, a backup, "
                    "another program)?"
                ),
                "Every write is delayed until that reader has finished.",
            ),
        )


# Feeds that bring no papers, once for each cause.
#
#     feeds ─► failing or stale ─► grouped by cause ─► one alert: the cause and its feeds
#          └─► gone for good, unusual ─► one alert each

MOST_NAMED = 5
"""Feeds that an alert or a finding names; it counts the others."""

_WITHOUT_IT = "Digests are sent with the papers of the other feeds."
_HOW = {FeedHealth.FAILED: "failing", FeedHealth.STALE: "stale"}


def feed_alerts(feeds: Sequence[LiveFeed]) -> list[Alert]:
    """Return the alerts about `feeds`. A new episode is a new alert."""
    is_all = not any(one.enabled and one.health not in _HOW for one in feeds)
    # A feed that just failed counts once another one has failed for long for the same cause.
    found = [
        _shared_cause(affected, is_all=is_all)
        for affected in group_by_cause(feeds, _HOW)
        if any(one.health is FeedHealth.STALE or one.failures >= LOST_AFTER for one in affected)
    ]
    for feed in feeds:
        if feed.gone_at is not None:
            found.append(_gone(feed, feed.gone_at))
        if feed.enabled and feed.progress.alarm is not None:
            found.append(_unusual(feed, feed.progress.alarm))
    return found


def group_by_cause(
    feeds: Sequence[LiveFeed], healths: Container[FeedHealth]
) -> list[list[LiveFeed]]:
    """Return the feeds of these healths, those with the same cause together."""
    causes: dict[str, list[LiveFeed]] = {}
    for feed in feeds:
        if feed.health in healths:
            causes.setdefault(failure_cause(feed), []).append(feed)
    return list(causes.values())


def list_names(feeds: Sequence[LiveFeed]) -> str:
    """Return the names of the first feeds, and how many more there are."""
    named = ", ".join(feed.name for feed in feeds[:MOST_NAMED])
    return f"{named} and {len(feeds) - MOST_NAMED:,} more" if len(feeds) > MOST_NAMED else named


def _shared_cause(affected: Sequence[LiveFeed], *, is_all: bool) -> Alert:
    first, state = affected[0], _HOW[affected[0].health]
    cause = failure_cause(first)
    many = len(affected) > 1
    episodes = []
    for feed in affected:  # each began when the feed was last well
        since = feed.last_news_at if feed.health is FeedHealth.STALE else feed.last_good_at
        episodes.append(f"feed/{feed.id}/{state}/{format_instant(since or feed.created_at)}")
    last_papers = "It has not delivered any papers yet."
    if first.last_news_at is not None:
        last_papers = f"It last brought new papers at {format_instant(first.last_news_at)}."
    reasons = dict.fromkeys(f"{one.reason.rstrip('.')}." for one in affected)
    return Alert(
        key=f"feeds/{state}/{hashlib.sha256(cause.encode()).hexdigest()[:16]}",
        subject=f"{len(affected):,} feeds are {state} for one reason"
        if many
        else f"The feed {first.name} is {state}",
        lines=(
            " ".join([*reasons][:MOST_NAMED]),
            f"They are {list_names(affected)}." if many else last_papers,
            "No other feed brings papers now." if is_all else _WITHOUT_IT,
        ),
        episodes=tuple(episodes),
    )


def _sentence(reason: str) -> str:
    return reason if reason.endswith((".", "?", "!")) else f"{reason}."


def _gone(feed: LiveFeed, since: datetime) -> Alert:
    """Alert about a feed that was switched off because its source reported it gone."""
    return Alert(
        key=f"feed/{feed.id}/gone/{format_instant(since)}",
        subject=f"The feed {feed.name} has ended and was switched off",
        lines=(
            _sentence(feed.reason),
            f"Give it a new address (`paperround feeds edit {feed.name} --url ...`), or remove it.",
            _WITHOUT_IT,
        ),
    )


def _unusual(feed: LiveFeed, alarm: Alarm) -> Alert:
    """Alert about a feed that brings far fewer papers, far more, or different ones than before."""
    return Alert(
        key=f"feed/{feed.id}/{alarm.kind.value}/{format_instant(alarm.since)}",
        subject=f"The feed {feed.name} has {alarm.kind.value}",
        lines=(
            f"It delivered {alarm.words}.",
            "If the source has changed permanently, this counts as normal after six batches.",
            "`paperround feeds list` shows the feed, `paperround feeds runs` the papers.",
        ),
    )


SILENCE = timedelta(days=1)
"""How long a service must be silent before it is reported."""


def enricher_alerts(work: Transaction, *, now: datetime) -> Iterator[Alert]:
    """Report each service that does not answer. A new episode is a new alert."""
    for name in plugins("enrichers"):
        feed = work[FeedStore].find(feed_name(name))
        well = (feed.last_good_at or feed.created_at) if feed else now
        if feed is None or feed.failures < LOST_AFTER or now - well <= SILENCE:
            continue
        since = format_instant(well)
        lines = (
            _sentence(feed.reason),
            f"It has not answered since {since}; it is asked again every 15 minutes.",
            "Digests are sent without its data. PAPERROUND_ENRICH sets which services are asked.",
        )
        subject = f"The service {name} does not answer"
        yield Alert(key=f"enricher/{name}/{since}", subject=subject, lines=lines)


UNREPORTED_LIMITS = frozenset({Limit.IP})
"""Not reported: a single visitor who presses a button too often."""

REASONS = {
    Limit.NET: "came too often from the same network",
    Limit.DOMAIN: "came in a burst for the same email provider",
    Limit.TOTAL: "came in a burst",
    Drop.MAILBOX: "were for a mailbox that had reached its daily limit",
    Drop.FAILED: "failed on every attempt: the log has the errors",
}


def signup_alerts(work: Transaction, *, now: datetime) -> Iterator[Alert]:
    """Report sign-ups that were refused, dropped or wait too long, each once a day."""
    found, today = count_requests(work, timedelta(hours=1), now=now), f"{now:%Y-%m-%d}"
    refused = {one: n for one, n in found.refused.items() if n and one not in UNREPORTED_LIMITS}
    dropped = {one: n for one, n in found.dropped.items() if n}
    lines = [f"Refused: {n:,} that {REASONS[one]}." for one, n in refused.items()]
    lines += [f"Dropped: {n:,} that {REASONS[one]}." for one, n in dropped.items()]
    if lines:
        number = sum((*refused.values(), *dropped.values()))
        yield Alert(
            key=f"signups/refused/{today}",
            subject=f"Limits stopped {counted(number, 'sign-up')} within an hour",
            lines=(
                *lines,
                "Refused visitors were told when to try again.",
                "Is it a bot? `paperround digest status` shows the whole day.",
                "The limits are the settings PAPERROUND_RATE_SIGNUP_*.",
            ),
        )
    if found.oldest_due is not None and now >= found.oldest_due + SLOW_LANE:
        yield Alert(
            key=f"signups/waiting/{today}",
            subject=f"{counted(found.waiting, 'sign-up')} or similar waited for half an hour",
            lines=(
                f"The first has been due since {format_instant(found.oldest_due)}.",
                "These people have not received the email they asked for. The log says why.",
            ),
        )
