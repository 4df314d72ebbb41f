"""The admin page of the figures: growth, sign-ups, deliveries, bounces, and feedback."""

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import Query, Response

from paperround.bootstrap import AppContext
from paperround.core.errors import InvalidInput, NotFound
from paperround.core.times import midnight_utc
from paperround.editions.store.lists import ListStore
from paperround.feeds.store.feeds import FeedStore
from paperround.ops.stats import DAYS, stats
from paperround.ops.stats_model import HIDDEN, OTHERS, Stats, SubscriberDay, figure_days
from paperround.papers.model import Observation
from paperround.papers.traces import Trace
from paperround.web.admin.forms import ListFilter
from paperround.web.admin.session import Visit, operator_router

router = operator_router()


@router.get("/figures")
def show_figures(
    visit: Visit, days: Annotated[str, Query(max_length=60)] = str(DAYS), list_name: ListFilter = ""
) -> Response:
    """Show the figures of the last days, of all lists or of one."""
    error, found = None, None
    number = int(days) if days.isascii() and days.isdecimal() else 0
    try:
        found = stats(visit.database, now=visit.now, days=number, list_name=list_name or None)
    except InvalidInput as problem:
        error = problem
    except NotFound as problem:
        error = InvalidInput(problem.text, code="list")
    return visit.page(
        "figures.html",
        asked={"days": days, "list": list_name},
        error=error,
        found=found,
        few=HIDDEN,
        others=OTHERS,
        **_names(visit.app),
        **({} if found is None else _shown(found)),
    )


def _names(app: AppContext) -> dict[str, Any]:
    """Return the names of the lists, and the number of each feed for links to it."""
    with app.database.reading() as work:
        return {
            "lists": [one.name for one in work[ListStore].all()],
            "numbers": {one.name: one.id for one in work[FeedStore].all()},
        }


def _shown(found: Stats) -> dict[str, Any]:
    """Return the figures as the page shows them: by day, newest first, a chart of readers, and the
    editions with feedback."""
    days = figure_days(found)
    return {
        "days": days,
        "most_sent": max(one.deliveries.sent for one in days),
        "most_of_a_domain": max((one.sent for one in found.domains), default=0),
        "feedback": [one for one in found.feedback if {one.more, one.less, one.saved} != {HIDDEN}],
        "saves": {one.feed: one.saves for one in found.saves_by_feed},
        "growth": _growth(found.subscribers_by_day),
    }


def _growth(counted: Sequence[SubscriberDay]) -> Trace | None:
    """Return the numbers of active readers as a line; None before the first count."""
    counts = [
        Observation(signal="readers", captured_at=midnight_utc(one.date), value=one.active)
        for one in counted
    ]
    return Trace(counts=tuple(counts)) if counts else None
