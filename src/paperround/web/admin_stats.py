"""The admin API for figures of the installation."""

from typing import Annotated, Any

from fastapi import Query

from paperround.access.model import Scope
from paperround.ops import stats as service
from paperround.ops.stats_model import Stats
from paperround.web.auth import keyed_router
from paperround.web.context import App, Now

router = keyed_router(
    "/api/v1/admin/stats", "admin: figures", reading=Scope.STATS_READ, writing=Scope.STATS_READ
)

EXAMPLE: dict[str, Any] = {
    "first": "2026-02-01",
    "last": "2026-03-02",
    "list": "trending",
    "subscribers": {"active": 412, "waiting": 7, "paused": 9, "left": 31},
    "subscribers_by_day": [
        {"active": 412, "waiting": 7, "paused": 9, "left": 31, "date": "2026-03-02"}
    ],
    "signups": {"asked": 60, "confirmed": 48, "reminded": 11},
    "signups_by_day": [{"asked": 3, "confirmed": 2, "reminded": 1, "date": "2026-03-02"}],
    "deliveries": {
        "sent": 12100,
        "queued": 0,
        "deferred": 2,
        "failed": 6,
        "unknown": 1,
        "expired": 0,
        "skipped": 240,
    },
    "deliveries_by_day": [
        {
            "sent": 405,
            "queued": 0,
            "deferred": 2,
            "failed": 0,
            "unknown": 0,
            "expired": 0,
            "skipped": 8,
            "date": "2026-03-02",
        }
    ],
    "domains": [
        {
            "sent": 5900,
            "queued": 0,
            "deferred": 2,
            "failed": 1,
            "unknown": 0,
            "expired": 0,
            "skipped": 90,
            "domain": "uni.example",
        }
    ],
    "lateness": {"median_seconds": 9, "p95_seconds": 40, "max_seconds": 780, "over_30_minutes": 0},
    "returned": {"bounces": 6, "complaints": 1},
    "returned_by_day": [{"bounces": 1, "complaints": 0, "date": "2026-02-27"}],
    "feedback": [
        {
            "list": "trending",
            "date": "2026-03-02",
            "cut": "0",
            "more": 14,
            "less": "<3",
            "saved": 22,
        }
    ],
    "saves_by_feed": [{"feed": "arxiv-ml", "saves": 310}],
    "feeds": [
        {
            "name": "arxiv-ml",
            "health": "fresh",
            "reason": "",
            "last_news_at": "2026-03-02T01:31:00Z",
        }
    ],
    "queue": {
        "waiting": 2,
        "oldest_due_at": "2026-03-02T07:00:00Z",
        "oldest_seconds": 240,
        "unknown": 1,
    },
}


@router.get(
    "",
    summary="Read the figures",
    responses={200: {"content": {"application/json": {"example": EXAMPLE}}}},
)
def read_stats(
    app: App,
    now: Now,
    days: Annotated[
        int, Query(ge=1, le=service.MOST_DAYS, description="How many days, including today.")
    ] = service.DAYS,
    list_name: Annotated[
        str | None, Query(alias="list", max_length=60, description="One list only.")
    ] = None,
) -> Stats:
    """Subscribers, sign-ups, deliveries, lateness, bounces and feedback. Nothing is about one
    person: `<3` stands for fewer than three, `others` for providers with fewer than three."""
    return service.stats(app.database, now=now, days=days, list_name=list_name)
