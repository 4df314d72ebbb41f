"""The periodic job that runs the checks every night, and alerts of what they find until it passes.

While something fails, the checks run every hour, to notice its end.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from paperround.core.jobs import Job, QueueName
from paperround.core.times import format_instant
from paperround.db.slots import BEAT, SlotStore
from paperround.db.transactions import Transaction, write
from paperround.delivery.restore_guard import INSTALLATION
from paperround.delivery.system_mail_model import Alert
from paperround.doctor.findings import Finding, Level
from paperround.ops.plugin_jobs import JobReport, PluginJob
from paperround.ranking.learn import NIGHT

if TYPE_CHECKING:  # it loads this module
    from paperround.bootstrap import AppContext

OWN_ALERTS = frozenset(
    {"bounces", "digests", "feeds", "log", "mail", "relay", "returns", "schedule"}
)
"""Checks of what has alerts of its own."""

END_IN_FAILURE = frozenset({"backup", "certificate", "disk", "relay certificate"})
"""Checks whose warning is an alert, too: if you do nothing, a failure follows."""

_FOUND = "doctor/"
"""The start of the name of a heartbeat: what was found, since when."""

_LONGEST = 1000


def is_told(finding: Finding) -> bool:
    """Return whether a finding is an alert."""
    is_bad = finding.level is Level.FAIL or (
        finding.level is Level.WARN and finding.check in END_IN_FAILURE
    )
    return is_bad and finding.check not in OWN_ALERTS


def examine_if_due(app: "AppContext") -> JobReport:
    """Run the checks if that is due, and store what they found; not in a demo."""
    now = app.clock.now()
    with app.database.reading() as work:
        period = None if app.demo else _due_period(work, now)
    if period and write(app.database, lambda work: work[SlotStore].take(*period, now=now)):
        from paperround.doctor.examination import examine  # slow to import

        found = [one for one in examine(app, now=now) if is_told(one)]
        write(app.database, lambda work: _store(work, found, now))
    return JobReport()


def _due_period(work: Transaction, now: datetime) -> tuple[str, str] | None:
    """Return the slot of this night, or of this hour while something fails; None if it is taken, or
    on the first day."""
    slots = work[SlotStore]
    since = min(slots.beats(INSTALLATION).values(), default=now)
    period = "house", "doctor/" + now.strftime("%Y-%m-%dT%H" if slots.beats(_FOUND) else "%Y-%m-%d")
    is_night = now.hour >= NIGHT and now - since >= timedelta(days=1)
    return period if is_night and slots.taken_at(*period) is None else None


def _store(work: Transaction, found: Sequence[Finding], now: datetime) -> None:
    """Store new findings, one for each check, and forget those that have passed."""
    slots, current = work[SlotStore], {one.check: one for one in reversed(found)}
    known = {name.partition("\n")[0]: name for name in slots.beats(_FOUND)}
    for check in known.keys() - current.keys():
        slots.give_back(BEAT, _FOUND + known[check])
    for check in current.keys() - known.keys():
        one = current[check]
        slots.beat(f"{_FOUND}{check}\n{one.says}\n{one.way_out}"[:_LONGEST], now=now)


def doctor_alerts(work: Transaction) -> Iterator[Alert]:
    """Yield an alert for each check that fails."""
    for name, since in work[SlotStore].beats(_FOUND).items():
        check, says, *way_out = name.split("\n")
        yield Alert(
            key=f"doctor/{check.replace(' ', '-')}/{format_instant(since)}",
            subject=f"{check[0].upper()}{check[1:]}: {says}",
            lines=(*filter(None, way_out), "`paperround doctor` checks it again."),
            lasts=True,
        )


EXAMINE = PluginJob(
    job=Job(task="examine", priority=45, line=QueueName.UPKEEP),
    run=examine_if_due,
    has_due=lambda *_: False,
    alerts=doctor_alerts,
)
"""The job `examine`."""
