"""Rows of feeds, runs and rejects as domain values, and back."""

import hashlib
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import Row

from paperround.core.times import format_instant, parse_instant
from paperround.db.rows import columns_of, value_of
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
    RunNotes,
)
from paperround.papers.model import Feed, Reject, Show

NEVER_POLLED = {
    "progress": None,
    "health": FeedHealth.NEW.value,
    "reason": "",
    "failures": 0,
    "expects_at": None,
}
"""What is known of a feed before its first poll, and after it was pointed somewhere else."""


def feed_columns(feed: NewFeed) -> dict[str, Any]:
    """What an operator says of a feed."""
    return columns_of(feed) | {"settings": dict(feed.settings)}


def poll_columns(poll: Poll) -> dict[str, Any]:
    """What a poll found; when things last went well stays where the poll says nothing of it."""
    found = {
        "health": poll.health.value,
        "reason": poll.reason,
        "progress": _progress_json(poll.progress),
        "failures": poll.failures,
        "next_at": poll.next_at,
        "expects_at": poll.expects_at,
        "leased_until": poll.leased_until,
    }
    if poll.health is FeedHealth.PAUSED:  # says only that it is switched off
        del found["health"]
    if poll.gone_at is not None:
        found |= {"gone_at": poll.gone_at, "enabled": False}
    dates = {"last_good_at": poll.good_at, "last_news_at": poll.news_at}
    return found | {name: moment for name, moment in dates.items() if moment is not None}


def feed_of(row: Row[Any]) -> Feed:
    """The feed as papers are listed under it."""
    return value_of(Feed, row, show=_show(row))


def live_feed_of(row: Row[Any]) -> LiveFeed:
    """The feed with how it is doing. One that is switched off reads as paused, whatever its last
    poll said; that is still there when it is switched on again."""
    return value_of(
        LiveFeed,
        row,
        show=_show(row),
        health=FeedHealth(row.health) if row.enabled else FeedHealth.PAUSED,
        progress=_progress(row.progress),
    )


def _show(row: Row[Any]) -> Show | None:
    return None if row.show is None else Show(row.show)


def _progress(stored: dict[str, Any] | None) -> PollProgress:
    if stored is None:
        return PollProgress()
    alarm = None
    if told := stored.get("alarm"):
        known = {name: told[name] for name in Alarm.__dataclass_fields__ if name in told}
        read = {"kind": AlarmKind(told["kind"]), "since": parse_instant(told["since"])}
        alarm = Alarm(**known | read)  # a later release may have written more of it
    return PollProgress(
        cursor=stored.get("cursor"),
        begun=_instant(stored.get("begun")),
        read_to=_instant(stored.get("read_to")),
        validators=stored.get("validators", {}),
        batch=stored.get("batch"),
        usual=tuple(FeedShape(**shape) for shape in stored.get("usual", ())),
        alarm=alarm,
    )


def _instant(stored: str | None) -> datetime | None:
    return None if stored is None else parse_instant(stored)


def _spoken(moment: datetime | None) -> str | None:
    return None if moment is None else format_instant(moment)


def _progress_json(progress: PollProgress) -> dict[str, Any]:
    told = None
    if alarm := progress.alarm:
        told = asdict(alarm) | {"kind": alarm.kind.value, "since": format_instant(alarm.since)}
    return columns_of(progress) | {
        "begun": _spoken(progress.begun),
        "read_to": _spoken(progress.read_to),
        "validators": {url: dict(known) for url, known in progress.validators.items()},
        "usual": [asdict(shape) for shape in progress.usual],
        "alarm": told,
    }


def run_json(counts: Mapping[str, int], notes: RunNotes) -> dict[str, Any]:
    """What came of a run: its counts, and beside them the health at its end."""
    told: dict[str, Any] = {**counts, **notes.counts}
    return told if notes.health is None else told | {"health": notes.health.value}


def names_json(notes: RunNotes) -> dict[str, list[str]] | None:
    """The papers a run names, None when there are none."""
    return {kind: list(names) for kind, names in notes.names.items() if names} or None


def run_of(row: Row[Any]) -> FeedRun:
    """A run; one that has not ended has no counts yet."""
    told = dict(row.counts or {})
    health = told.pop("health", None)
    return value_of(
        FeedRun,
        row,
        counts=told,
        names=row.names or {},
        health=None if health is None else FeedHealth(health),
    )


def reject_row(feed: int, run: int, reject: Reject, now: datetime) -> dict[str, Any]:
    """A reject to keep. It is known by its words, not its position: feeds move entries around."""
    place = "" if reject.excerpt else str(reject.position)
    words = "\0".join([reject.reason, reject.detail, reject.excerpt, place])
    digest = hashlib.blake2b(words.encode("utf-8", "replace"), digest_size=16).hexdigest()
    of_run = {"feed_id": feed, "run_id": run, "digest": digest, "created_at": now}
    return columns_of(reject) | of_run
