"""Convert rows of feeds, runs and rejects to model values, and back."""

import hashlib
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import Row

from paperround.core.times import format_instant, parse_instant
from paperround.db.mapping import columns_of, value_of
from paperround.feeds.model import (
    Alarm,
    AlarmKind,
    FeedHealth,
    FeedRun,
    FeedShape,
    LiveFeed,
    NewFeed,
    Poll,
    PollProgress,
)
from paperround.papers.model import Reject, Show

NEVER_POLLED = {
    "progress": None,
    "health": FeedHealth.NEW.value,
    "reason": "",
    "failures": 0,
    "expects_at": None,
}
"""The polling state of a new feed, and after its address or settings changed."""


def feed_columns(feed: NewFeed) -> dict[str, Any]:
    """Return the columns of the settings an operator gave."""
    return columns_of(feed) | {"settings": dict(feed.settings)}


def poll_columns(poll: Poll) -> dict[str, Any]:
    """Return the columns a poll changes; times the poll does not state are kept."""
    found = {
        "health": poll.health.value,
        "reason": poll.reason,
        "progress": _progress_json(poll.progress),
        "failures": poll.failures,
        "next_at": poll.next_at,
        "expects_at": poll.expects_at,
        "leased_until": poll.leased_until,
    }
    if poll.health is FeedHealth.PAUSED:  # keep the stored health, which `paused` hides
        del found["health"]
    if poll.gone_at is not None:
        found |= {"gone_at": poll.gone_at, "enabled": False}
    dates = {"last_good_at": poll.good_at, "last_news_at": poll.news_at}
    return found | {name: moment for name, moment in dates.items() if moment is not None}


def live_feed_of(row: Row[Any]) -> LiveFeed:
    """Return the feed with its state. A feed that is switched off has the health `paused`; the
    stored one returns when it is switched on."""
    return value_of(
        LiveFeed,
        row,
        show=None if row.show is None else Show(row.show),
        health=FeedHealth(row.health) if row.enabled else FeedHealth.PAUSED,
        progress=_parse_progress(row.progress),
    )


def _parse_progress(stored: dict[str, Any] | None) -> PollProgress:
    if stored is None:
        return PollProgress()
    alarm = None
    if values := stored.get("alarm"):
        known = {name: values[name] for name in Alarm.__dataclass_fields__ if name in values}
        parsed = {"kind": AlarmKind(values["kind"]), "since": parse_instant(values["since"])}
        alarm = Alarm(**known | parsed)  # a later release may have stored more fields
    return PollProgress(
        cursor=stored.get("cursor"),
        begun=_parse_optional(stored.get("begun")),
        read_to=_parse_optional(stored.get("read_to")),
        validators=stored.get("validators", {}),
        batch=stored.get("batch"),
        usual=tuple(FeedShape(**shape) for shape in stored.get("usual", ())),
        alarm=alarm,
    )


def _parse_optional(stored: str | None) -> datetime | None:
    return None if stored is None else parse_instant(stored)


def _format_optional(moment: datetime | None) -> str | None:
    return None if moment is None else format_instant(moment)


def _progress_json(progress: PollProgress) -> dict[str, Any]:
    alarm_json = None
    if alarm := progress.alarm:
        alarm_json = asdict(alarm) | {
            "kind": alarm.kind.value,
            "since": format_instant(alarm.since),
        }
    return columns_of(progress) | {
        "begun": _format_optional(progress.begun),
        "read_to": _format_optional(progress.read_to),
        "validators": {url: dict(known) for url, known in progress.validators.items()},
        "usual": [asdict(shape) for shape in progress.usual],
        "alarm": alarm_json,
    }


def run_of(row: Row[Any]) -> FeedRun:
    """Return a run; an unfinished one has no counts."""
    counts = dict(row.counts or {})
    health = counts.pop("health", None)
    return value_of(
        FeedRun,
        row,
        counts=counts,
        names=row.names or {},
        health=None if health is None else FeedHealth(health),
    )


def reject_row(feed: int, run: int, reject: Reject, now: datetime) -> dict[str, Any]:
    """Return the row of a reject. Its digest has no position, because feeds move entries."""
    position = "" if reject.excerpt else str(reject.position)
    text = "\0".join([reject.reason, reject.detail, reject.excerpt, position])
    digest = hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=16).hexdigest()
    return columns_of(reject) | {
        "feed_id": feed,
        "run_id": run,
        "digest": digest,
        "created_at": now,
    }
