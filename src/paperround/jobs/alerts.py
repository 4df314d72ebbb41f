"""Alerts: what an operator has to know, each trouble named once.

digests missed · digests late · a relay that refuses us or cannot be reached · a clock that leapt ·
no key to sign with · an older database put back · a feed stale or failing ·
too many bounces or complaints · a channel whose hook is gone · an enricher that answers nothing ·
a step of the tick failed · a database without room · sign-ups refused, dropped or not looked at
"""

from collections.abc import Mapping
from datetime import date, datetime, timedelta

from paperround.domain.digests import SkipReason
from paperround.domain.ledger import Backlog
from paperround.domain.lists import MailingList
from paperround.domain.notices import Alert
from paperround.domain.times import format_instant
from paperround.domain.wording import counted
from paperround.jobs.all_feeds import polled_feeds
from paperround.jobs.channels import stopped_channels
from paperround.jobs.enricher_alerts import silent_enrichers
from paperround.jobs.feed_alerts import feed_troubles
from paperround.jobs.holding import leapt
from paperround.jobs.pacing_alerts import refused
from paperround.jobs.plan import LATE, PlanReport
from paperround.jobs.put_back import put_back
from paperround.jobs.return_alerts import rate_troubles
from paperround.jobs.signing import unsigned
from paperround.jobs.signup_alerts import signup_troubles
from paperround.jobs.storage_alerts import storage_troubles
from paperround.jobs.unreached import relay_alerts
from paperround.store.unit_of_work import UnitOfWork

OVER = timedelta(hours=1)
"""How long a trouble that keeps mail from people must be away before it counts as a new one."""

REMEMBERED = timedelta(days=7)
"""How long after a day its missed digests are still told, should nobody have been told, and over
which time returns are counted."""

VITAL = frozenset({"cuts", "plan", "troubles"})
"""The steps of a tick without which no digest is sent, or nobody would know."""


def troubles(work: UnitOfWork, plans: Mapping[str, PlanReport], *, now: datetime) -> list[Alert]:
    """Everything that is wrong at `now`, worst first."""
    found: list[Alert] = [*refused(work, now=now), *relay_alerts(work, now=now)]
    found += [*leapt(work, now=now), *unsigned(work), *put_back(work)]
    for mailing_list in work.lists.all():
        report = plans.get(mailing_list.name, PlanReport())
        missed = work.ledger.missed(mailing_list.id, since=now.date() - REMEMBERED)
        found += _missed(mailing_list, missed)
        if mailing_list.paused_at is None:
            found += _late(mailing_list, report, work.ledger.backlog(mailing_list.id, now=now), now)
    found += stopped_channels(work)
    found += signup_troubles(work, now=now)
    found += storage_troubles(work.status.storage(), now=now)
    found += rate_troubles(work.returns.tally(since=now - REMEMBERED, today=now.date()), now=now)
    return found + feed_troubles(polled_feeds(work)) + silent_enrichers(work, now=now)


def step_failed(name: str, words: str, *, now: datetime) -> Alert:
    """A step of the tick that raised."""
    return Alert(
        key=f"step/{name}/{now:%Y-%m-%d}",
        subject=f"A step of the schedule fails: {name}",
        lines=(words, "The log has the whole story. The step is tried again every minute."),
        stops_mail=name in VITAL,
    )


def episode(work: UnitOfWork, alert: Alert, *, now: datetime) -> str | None:
    """Claim the right to tell of `alert`: what this time of it is called, None when it was told.

    A trouble whose key names its beginning is told once for ever. One that keeps mail from people
    is told again when it comes back, whoever saw it go: each time it is seen leaves a mark. So is
    a cause that several feeds share, once it hits one that was well meanwhile.
    """
    name = alert.key
    begun = [work.slots.take("alert", one, now=now) for one in alert.episodes]
    if alert.stops_mail or alert.episodes:
        mark = f"alert/{alert.key}"
        seen = work.slots.last_beat(mark)
        work.slots.beat(mark, now=now)
        if seen is not None and now - seen <= OVER:
            return None
        if alert.episodes and not any(begun):
            return None
        name = alert.key if seen is None else f"{alert.key}/after {format_instant(seen)}"
    return name if work.slots.take("alert", name, now=now) else None


def _missed(mailing_list: MailingList, missed: Mapping[date, int]) -> list[Alert]:
    """From the ledger: the process that gave them up may have died before it told anybody."""
    return [
        Alert(
            key=f"missed/{mailing_list.name}/{day.isoformat()}",
            subject=f"{counted(count, 'digest')} of {day.isoformat()} "
            f"{'was' if count == 1 else 'were'} missed",
            lines=(
                f"The list {mailing_list.name} owed them, and nothing ran for 20 hours.",
                "They are not sent any more: yesterday's news would only crowd out today's.",
                "Is the scheduler running? `paperround doctor` looks.",
            ),
        )
        for day, count in sorted(missed.items())
    ]


def _late(
    mailing_list: MailingList, report: PlanReport, backlog: Backlog, now: datetime
) -> list[Alert]:
    """Names the date, so that a trouble that lasts is told once a day."""
    name, today = mailing_list.name, f"{now:%Y-%m-%d}"
    oldest = backlog.oldest_held_due
    found = []
    if report.late:
        found.append(
            Alert(
                key=f"no-edition/{name}/{today}",
                subject=f"{counted(report.late, 'reader')} "
                f"{'waits' if report.late == 1 else 'wait'} for an edition of {name}",
                lines=(
                    "They were due half an hour ago or more, and there is no edition for them.",
                    "Are there feeds, and papers in them? `paperround feeds list` looks.",
                ),
                stops_mail=True,
            )
        )
    if nothing := report.skipped.get(SkipReason.NO_PAPERS_AT_ALL):
        found.append(
            Alert(
                key=f"no-papers/{name}/{today}",
                subject=f"{nothing} readers of {name} got no mail: there are no papers",
                lines=("Nothing was ever read: is there a feed, and does it bring papers?",),
                stops_mail=True,
            )
        )
    if oldest is not None and now - oldest >= LATE:
        found.append(
            Alert(
                key=f"late/{name}/{today}",
                subject=f"Digests of {name} are late",
                lines=(
                    f"The oldest was due at {format_instant(oldest)} and has not left.",
                    "`paperround digest status` shows what the relay says.",
                ),
                stops_mail=True,
            )
        )
    return found
