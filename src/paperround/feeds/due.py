"""Poll feeds that are due or requested, and manage their settings.

A feed is leased to one poll at a time, for 15 minutes; each page renews the lease. The report of a
feed contains its errors.
"""

import logging
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, fields
from datetime import datetime
from typing import Any

from paperround.access.model import COMMAND_LINE, AuditedAction, describe_edit
from paperround.access.store import AuditStore
from paperround.core.errors import InvalidInput, invalid
from paperround.core.interfaces import Advance, no_progress
from paperround.db.transactions import Transaction, write
from paperround.feeds.fetcher import FeedContext
from paperround.feeds.model import LiveFeed, NewFeed
from paperround.feeds.poll import LEASE, PollReport, poll_feed, skipped_report
from paperround.feeds.sources.base import Source
from paperround.feeds.store.feeds import FeedStore
from paperround.papers.model import FeedId
from paperround.papers.store.papers import PaperStore

log = logging.getLogger(__name__)


def poll_due(
    context: FeedContext, *, now: datetime, told: Callable[[PollReport], None] = lambda _: None
) -> list[PollReport]:
    """Poll every feed that is due at `now`, one after another, and return the reports; `told` is
    called with each.

    Feeds are taken one by one, so that several processes share the work.
    """
    reports = []
    kinds = list(context.sources)

    def take(work: Transaction) -> LiveFeed | None:
        until = max(now, context.clock.now()) + LEASE
        return work[FeedStore].lease_due(kinds, context.processes, until=until, now=now)

    while (taken := write(context.database, take)) is not None:
        report = poll_feed(context, taken, now=max(now, context.clock.now()))
        told(report)
        reports.append(report)
    return reports


def log_poll(report: PollReport) -> None:
    """Log the health of a feed after a poll."""
    level = logging.INFO if report.error is None else logging.WARNING
    log.log(level, "the feed %s is %s: %s", report.feed, report.health.value, report.reason)


def run_now(
    context: FeedContext, feed_id: FeedId, *, now: datetime, by: str | None = COMMAND_LINE
) -> PollReport:
    """Poll one feed at once, even when it is not due or switched off, unless it is being read.

    The run is audited unless `by` is None: then it is part of a job that nobody started by hand.
    Raises NotFound, and InvalidInput for a feed without a source.
    """
    with context.database.reading() as work:
        feed = work[FeedStore].get(feed_id)
    if feed.kind not in context.sources:
        raise InvalidInput(
            f"the feed {feed.name} is of the kind {feed.kind}, which is not polled",
            code="kind",
        )
    until = max(now, context.clock.now()) + LEASE

    def lease(work: Transaction) -> LiveFeed | None:
        taken = work[FeedStore].lease(feed.id, context.processes, until=until, now=now)
        if taken is not None and by is not None:
            note(work, RUN, feed.name, now=now, by=by)
        return taken

    leased = write(context.database, lease)
    if leased is None:
        return skipped_report(feed, "it is being polled already", feed.next_at or now)
    return poll_feed(context, leased, now=now)


def request_run(
    context: FeedContext, feed_id: FeedId, *, now: datetime, by: str = COMMAND_LINE
) -> LiveFeed:
    """Make a feed due, so that it is polled in the background, and return it.

    Raises NotFound, and InvalidInput for a feed without a source or one that is switched off.
    """

    def request(work: Transaction) -> LiveFeed:
        feed = work[FeedStore].get(feed_id)
        if feed.kind not in context.sources:
            raise InvalidInput(f"a feed of the kind {feed.kind} is not polled", code="kind")
        if not feed.enabled:
            raise InvalidInput(
                "the feed is switched off: enable it, or read it once with ?wait=true",
                code="enabled",
            )
        work[FeedStore].make_due(feed.id, now=now)
        note(work, RUN, feed.name, now=now, by=by)
        return work[FeedStore].get(feed.id)

    return write(context.database, request)


def run_all_now(
    context: FeedContext,
    feeds: Iterable[LiveFeed],
    *,
    now: datetime,
    progress: Advance = no_progress,
) -> dict[str, str]:
    """Poll `feeds`, due or not; return why each feed that was not read completely failed, by
    name."""
    failed: dict[str, str] = {}
    for feed in feeds:
        report = run_now(context, feed.id, now=now, by=None)
        if report.error or report.put_off:
            failed[feed.name] = report.error or report.reason
        progress(1)
    return failed


def feed_settings(feed: LiveFeed) -> NewFeed:
    """Return the settings an operator gave a feed."""
    return NewFeed(**{one.name: getattr(feed, one.name) for one in fields(NewFeed)})


def polled_feeds(work: Transaction) -> list[LiveFeed]:
    """Return every feed that is polled, leaving out files read by hand."""
    return [feed for feed in work[FeedStore].all() if feed.next_at is not None]


LONGEST_VALUE = 2000
"""Characters allowed in an address or the value of a setting."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,59}", re.ASCII)


def check_feed(sources: Mapping[str, Source[Any]], feed: NewFeed) -> None:
    """Raise InvalidInput, its code `name`, `kind`, `url`, or `settings.<name>`, if invalid."""
    if not _NAME.fullmatch(feed.name):
        raise InvalidInput(
            f"{feed.name!r:.80} cannot be a feed's name: use up to 60 letters, digits, "
            "dots, dashes and underscores, such as arxiv-ml",
            code="name",
        )
    if feed.kind not in sources:
        raise InvalidInput(
            f"there is no kind of feed called {feed.kind!r:.60}: use one of {', '.join(sources)}; "
            "`feed` is the kind of RSS, Atom and JSON Feed",
            code="kind",
        )
    settings = {f"settings.{key:.60}": value for key, value in feed.settings.items()}
    for code, text in {"url": feed.url or "", **settings}.items():
        if len(text) > LONGEST_VALUE:
            raise InvalidInput(
                f"{code} may have {LONGEST_VALUE:,} characters, not {len(text):,}", code=code
            )
    sources[feed.kind].check(feed.url, feed.settings)


RUN, ADD, EDIT, REMOVE = "run feed", "add feed", "edit feed", "remove feed"
"""The names of actions on feeds in the audit log."""

HARMLESS = frozenset({"name", "kind", "show", "enabled"})
"""Fields whose values are in the audit log; addresses and settings may hold secrets."""


def note(
    work: Transaction,
    action: str,
    feed: str,
    *,
    now: datetime,
    by: str,
    details: Mapping[str, str | int] | None = None,
) -> None:
    """Record an action on the feed of this name in the audit log."""
    entry = AuditedAction(actor=by, action=action, target=feed, details=details or {})
    work[AuditStore].note(entry, now=now)


def store_new(work: Transaction, feed: NewFeed, *, now: datetime, by: str) -> LiveFeed:
    """Store a new feed that was checked, due at once."""
    created = work[FeedStore].create(feed, now=now)
    note(work, ADD, feed.name, now=now, by=by, details={"kind": feed.kind})
    return created


def store_changed(
    work: Transaction, old: LiveFeed, feed: NewFeed, *, now: datetime, by: str
) -> LiveFeed:
    """Store the changed settings of `old` that were checked."""
    before = feed_settings(old)
    changed = work[FeedStore].update(old.id, feed, now=now)
    if feed.show is not None and feed.show is not before.show:
        work[PaperStore].show_as(old.id, feed.show, now=now)
    if feed != before:
        details = describe_edit(asdict(before), asdict(feed), shown=HARMLESS)
        note(work, EDIT, old.name, now=now, by=by, details=details)
    return changed


def create_feed(
    context: FeedContext, feed: NewFeed, *, now: datetime, by: str = COMMAND_LINE
) -> LiveFeed:
    """Store a new feed, due at once. Raises InvalidInput as `check_feed` does."""
    check_feed(context.sources, feed)
    return write(context.database, lambda work: store_new(work, feed, now=now, by=by))


def change_feed(
    context: FeedContext,
    feed_id: FeedId,
    change: Callable[[NewFeed], NewFeed],
    *,
    now: datetime,
    by: str = COMMAND_LINE,
) -> LiveFeed:
    """Apply `change` to the settings of a feed and return it. Concurrent changes of different
    settings are both kept. Raises NotFound, and InvalidInput as `check_feed` does."""

    def apply(work: Transaction) -> LiveFeed:
        old = work[FeedStore].get_for_update(feed_id)
        changed = change(feed_settings(old))
        check_feed(context.sources, changed)
        return store_changed(work, old, changed, now=now, by=by)

    return write(context.database, apply)


def delete_feed(
    context: FeedContext, feed_id: FeedId, *, now: datetime, by: str = COMMAND_LINE
) -> None:
    """Delete a feed with its runs and rejects; its papers stay. Raises NotFound, and InvalidInput
    (code `lists`) while a list names it: another feed may get its id."""

    def delete(work: Transaction) -> None:
        feed = work[FeedStore].get(feed_id)
        lists = work[FeedStore].lists_of(feed_id)
        if lists:
            raise invalid(
                "lists",
                "%(given)s is one of the feeds of %(names)s: choose others there first",
                given=feed.name,
                names=", ".join(lists),
            )
        note(work, REMOVE, feed.name, now=now, by=by)
        work[FeedStore].delete(feed_id)

    write(context.database, delete)


def live_feeds(context: FeedContext) -> list[LiveFeed]:
    """Return every feed with a source, by id."""
    with context.database.reading() as work:
        return [feed for feed in work[FeedStore].all() if feed.kind in context.sources]
