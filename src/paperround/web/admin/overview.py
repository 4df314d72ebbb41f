"""The first admin page: what was sent last, what is late or failing, and what to do."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from fastapi import Response

from paperround.access.model import AuditedAction
from paperround.access.store import AuditStore
from paperround.bootstrap import AppContext
from paperround.db.slots import SlotStore
from paperround.db.transactions import Transaction, write
from paperround.delivery.system_mail_model import Alert
from paperround.digests.cancel import pause, resume
from paperround.feeds.model import FeedHealth, LiveFeed
from paperround.ops.alerts import current_alerts
from paperround.ops.scheduler_lock import is_scheduler_gone
from paperround.ops.stats import summarise
from paperround.ops.stats_model import StatsSummary
from paperround.ops.status import Status, status
from paperround.web.admin.forms import FormFields, unknown_action
from paperround.web.admin.session import Visit, back_to, operator_router

router = operator_router()

_OF_LISTS = frozenset({"missed", "late", "no-edition", "no-papers"})
"""Alerts of these kinds come for each list, and each day, of one outage."""

SEEN = "seen"
"""The slots of alerts that an operator has seen: they are no longer on the overview."""

WELL = frozenset({FeedHealth.FRESH, FeedHealth.EMPTY, FeedHealth.HOLIDAY})
"""The states of feeds that need no attention."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OverviewPage:
    """What the page shows: the status of every list, problems, feeds that are not well, and
    the main figures of the last days.

    `problem` is what `/readyz` finds wrong, if the schedule runs: None if all is well.
    `keeps_mail`: no relay is set, so email stays in the outbox.
    """

    status: Status
    is_ticking: bool
    problem: str | None
    alerts: Sequence[Alert]
    feeds: Sequence[LiveFeed]
    feed_count: int
    figures: StatsSummary
    keeps_mail: bool

    @property
    def triaged(self) -> list[tuple[Alert, list[Alert]]]:
        """One alert for each cause, with the others of it; those that stop email come first."""
        causes: dict[str, list[Alert]] = {}
        for one in sorted(self.alerts, key=lambda one: not one.stops_mail):
            what = one.key.partition("/")[0]
            cause = what if what in _OF_LISTS else one.key
            causes.setdefault(cause, []).append(one)
        return [(first, more) for first, *more in causes.values()]


def overview_of(app: AppContext, now: datetime, problem: str | None) -> OverviewPage:
    """Return the contents of the page, from the database alone: it must open while everything else
    fails."""
    with app.database.reading() as work:
        found = current_alerts(work, {}, now=now)
        alerts = [one for one in found if not _is_seen(work, one)]
    current = status(app.database, None, now=now)
    feeds = {feed.id: feed for one in current.lists for feed in one.feeds}.values()
    unwell = [feed for feed in feeds if feed.health not in WELL]
    is_gone = app.settings.embedded and is_scheduler_gone(app.settings.data_dir)
    is_ticking = current.is_ticking and not is_gone
    return OverviewPage(
        status=current,
        is_ticking=is_ticking,
        problem=problem if is_ticking else None,
        alerts=alerts,
        feeds=unwell,
        feed_count=len(feeds),
        figures=summarise(app.database, now=now),
        keeps_mail=app.settings.keeps_mail,
    )


def _is_seen(work: Transaction, alert: Alert) -> bool:
    return all(work[SlotStore].taken_at(SEEN, one) is not None for one in _episodes(alert))


def _mark_seen(work: Transaction, alerts: Sequence[Alert], now: datetime, by: str) -> None:
    """Hide alerts until they come back, for everybody."""
    for one in alerts:
        for episode in _episodes(one):
            work[SlotStore].take(SEEN, episode, now=now)
        work[AuditStore].note(AuditedAction(actor=by, action="see alert", target=one.key), now=now)


def _episodes(alert: Alert) -> Sequence[str]:
    return alert.episodes or (alert.key,)


def page_of(alert: Alert) -> str:
    """Return the page of what an alert is about, with its way out; "" for none."""
    what, _, name = alert.key.partition("/")
    name, _, day = name.partition("/")
    pages = {
        "missed": f"/admin/lists/{name}/send?date={day}",
        "late": f"/admin/lists/{name}/why",
        "no-edition": f"/admin/lists/{name}/why",
        "no-papers": "/admin/feeds",
        "feeds": "/admin/feeds",
        "feed": f"/admin/feeds/{name}",
        "returns": "/admin/bounces",
        "key": "/admin/keys",
        "unreached": "/admin/doctor",
        "refused": "/admin/doctor",
        "storage": "/admin/doctor",
        "doctor": "/admin/doctor",
    }
    return pages.get(what, "")


@router.get("")
def show_overview(visit: Visit) -> Response:
    """Show the overview."""
    overview = overview_of(visit.app, visit.now, visit.request.app.state.check_readiness().problem)
    paused = [one.mailing_list.paused_at is not None for one in overview.status.lists]
    return visit.page(
        "overview.html",
        overview=overview,
        may_pause=not all(paused),
        may_resume=any(paused),
        page_of=page_of,
    )


@router.post("/sending")
def act(visit: Visit, form: FormFields) -> Response:
    """Pause every list, or resume them, or hide alerts that an operator has seen."""
    match form.get("action"):
        case "pause":
            pause(visit.database, None, now=visit.now, by=visit.by)
        case "resume":
            if resume(visit.database, None, now=visit.now, by=visit.by):
                visit.app.wake()
        case "seen":
            keys = form.get("keys", "").split()
            shown = overview_of(visit.app, visit.now, None).alerts
            seen = [one for one in shown if one.key in keys and not one.stops_mail]
            write(visit.database, lambda work: _mark_seen(work, seen, visit.now, visit.by))
        case _:
            raise unknown_action()
    return back_to("/admin")
