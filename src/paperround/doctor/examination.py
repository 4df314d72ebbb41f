"""The examination: every check, in the order in which one thing rests on another."""

import sys
from collections.abc import Collection, Sequence
from contextlib import closing
from datetime import datetime
from functools import partial
from pathlib import Path

from paperround.bootstrap import AppContext
from paperround.config import Settings
from paperround.core.errors import Misconfigured, PaperroundError
from paperround.db.checks import look
from paperround.delivery.store.status import StatusStore
from paperround.doctor import (
    config_check,
    database_check,
    dns_check,
    headers_check,
    schedule_check,
    smtp_check,
    web_check,
)
from paperround.doctor.findings import Finding, Level, fail, ok, skipped, tried
from paperround.feeds.due import polled_feeds
from paperround.feeds.fetcher import ask
from paperround.http.model import FetchRequest, Page
from paperround.ops.cluster import staff
from paperround.ops.status import Status, status
from paperround.ranking.store import ModelStore

_WORSE = (Level.SKIPPED, Level.OK, Level.WARN, Level.FAIL)
MAILBOX_WAY_OUT = (
    "docs/bounces.md tells how it is set; `?ca=FILE` names the certificate of a private authority"
)


def without_settings(faults: Sequence[str]) -> list[Finding]:
    """What can be said of an installation whose settings cannot be read."""
    return [
        config_check.python(sys.version_info[:3]),
        config_check.libraries(),
        *(fail("settings", one, "docs/settings.md has every setting") for one in faults),
        skipped("all else", "it depends on the settings"),
    ]


def examine(runtime: AppContext, *, now: datetime) -> list[Finding]:
    """Every finding. One that others rest on comes before them."""
    standing, of_database = _database(runtime, now)
    needed = web_check.hosts(runtime.settings)
    silent = web_check.unanswered(needed, runtime.resolver)
    unseen = {what for host in silent for what in needed[host]}
    box = partial(smtp_check.mailbox, runtime.settings)
    return [
        *_means(runtime.settings),
        *of_database,
        *web_check.silence(needed, silent),
        *([] if "site" in unseen else _site(runtime, standing, now)),
        *([] if silent else _time(runtime, standing, now)),
        *_way_out(runtime, now, silent),
        *([] if "bounces" in unseen else [tried("bounces", box, MAILBOX_WAY_OUT)]),
        *smtp_check.hooks(runtime),
        *_mails(runtime, standing, now),
        *([] if silent else _dns(runtime, now)),
    ]


def _means(settings: Settings) -> list[Finding]:
    """The machine, and the settings."""
    folder = settings.data_dir
    secrets = Path(".env"), folder, settings.secret_file, settings.dkim_file
    found = [config_check.python(sys.version_info[:3]), config_check.libraries()]
    if settings.embedded:
        found.append(tried("disk", lambda: config_check.disk(folder)))
        found.append(config_check.file_system(folder))
    return [
        *found,
        ok("settings", "each is known, and can be read"),
        config_check.secret(settings),
        tried("permissions", lambda: config_check.private(secrets)),
        config_check.sender(settings),
        config_check.public_url(settings),
    ]


def _database(runtime: AppContext, now: datetime) -> tuple[Status | None, list[Finding]]:
    """How the installation stands, None when the database cannot be worked with."""
    try:
        soundness = look(runtime.settings.database)
        found = database_check.condition(soundness)
        if soundness.usable:
            standing = status(runtime.database, None, now=now)
            return standing, found + _contents(runtime, standing, now)
    except (PaperroundError, OSError) as error:
        found = [fail("database", str(error))]
    rest = "keys, clock, schedule, feeds, editions and digests"
    return None, [*found, skipped(rest, "they stand in the database")]


def _contents(runtime: AppContext, standing: Status, now: datetime) -> list[Finding]:
    database = runtime.database
    with database.reading() as work:
        clock = schedule_check.clock(work, now=now)
        feeds = schedule_check.feeds(polled_feeds(work))
        room = work[StatusStore].storage()
        posted_to = schedule_check.channels(work)
        newest = work[ModelStore].newest(runtime.model_maker.name, by=now)
    return [
        database_check.room(room),
        database_check.writable(database, now=now),
        _keys(runtime, now),
        clock,
        schedule_check.schedule(standing.last_tick_at, now=now),
        *_sharing(runtime, standing, now),
        *feeds,
        *schedule_check.holds(standing.pace),
        *database_check.send_mark(runtime.send_marks.trouble(database)),
        *schedule_check.lists(standing, now=now),
        *posted_to,
        schedule_check.returns(standing.returns),
        schedule_check.model(newest, is_read=runtime.ranker.in_use(now) is not None, now=now),
    ]


def _sharing(runtime: AppContext, standing: Status, now: datetime) -> list[Finding]:
    """Who does the work, where several processes may."""
    if runtime.settings.embedded:
        return []
    try:
        with runtime.database.reading() as work:
            people = staff(work, now=now)
        lined, strangers = runtime.shared_queue.lined(), runtime.shared_queue.strangers()
    except PaperroundError as error:
        return [fail("workers", str(error))]
    ticks = schedule_check.ticks(standing.last_tick_at, now=now)
    found = schedule_check.sharing(people, lined, ticks=ticks, now=now)
    return [*found, *schedule_check.of_another_version(strangers)]


def _keys(runtime: AppContext, now: datetime) -> Finding:
    try:
        keys = runtime.settings.keys
    except Misconfigured:
        return skipped("keys", "there is no ring to look at")
    return database_check.keys_in_use(runtime.database, keys, now=now)


def _site(runtime: AppContext, standing: Status | None, now: datetime) -> list[Finding]:
    url = runtime.settings.public_url
    certificate = web_check.certificate(url, now=now)
    if certificate.level is Level.FAIL:
        return [certificate, skipped("site", "not asked: its certificate is refused")]
    has_ticked = standing is not None and standing.last_tick_at is not None
    with closing(web_check.client_for(url, runtime.clock)) as client:
        answer = tried("site", lambda: web_check.answers(url, client, has_ticked=has_ticked))
    return [answer, certificate]


def _time(runtime: AppContext, standing: Status | None, now: datetime) -> list[Finding]:
    """The clock, by that of the site and that of a feed's source. Where the site is on this machine
    only the source can tell."""
    url = runtime.settings.public_url
    with closing(web_check.client_for(url, runtime.clock)) as client:
        found = [web_check.time_of(lambda: client.get(FetchRequest(url=f"{url}/healthz")), url)]
    if standing is not None:
        with runtime.database.reading() as work:
            read = {feed.last_good_at: feed for feed in polled_feeds(work)}
        if lately := max(filter(None, read), default=None):
            feed = read[lately]

            def answer() -> Page:
                """What the source of the feed says next, asked when it is the feed's turn."""
                source = runtime.sources[feed.kind]
                return ask(runtime.newsroom, source, source.plan(feed.state, now))[0]

            found.append(web_check.time_of(answer, f"the source of {feed.name}"))
    return [max(found, key=lambda one: _WORSE.index(one.level))]


def _way_out(runtime: AppContext, now: datetime, silent: Collection[str]) -> list[Finding]:
    try:
        return smtp_check.outlet(runtime.settings, now=now, unanswered=silent)
    except Misconfigured as error:
        return [fail("relay", str(error))]


def _mails(runtime: AppContext, standing: Status | None, now: datetime) -> list[Finding]:
    """The header lint, over a digest and a confirmation as they would leave now."""
    if standing is None:
        return [skipped("headers", "the database is needed to make a mail")]
    lists = [one.mailing_list for one in standing.lists]
    try:
        runtime.signers.renew()
        return [finding for one in lists for finding in headers_check.linted(runtime, one, now=now)]
    except PaperroundError as error:
        return [fail("headers", f"no mail can be made: {error}")]


def _dns(runtime: AppContext, now: datetime) -> list[Finding]:
    try:
        runtime.signers.renew()
        due = runtime.signers.due(now)
    except Misconfigured as error:
        return [fail("dkim", str(error), "docs/dkim.md tells how keys are made")]
    return dns_check.records(
        runtime.settings, due, runtime.resolver, now=now, client=runtime.client
    )
