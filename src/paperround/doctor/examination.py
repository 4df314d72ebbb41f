"""Run every check of the doctor, in the order in which they depend on each other."""

import sys
from collections.abc import Sequence
from datetime import datetime

from paperround.bootstrap import AppContext
from paperround.config import Settings
from paperround.core.errors import Misconfigured, PaperroundError
from paperround.core.paths import ENV_FILE
from paperround.core.plugins import plugins
from paperround.delivery.store.status import StatusStore
from paperround.doctor import config_check, database_check, schedule_check
from paperround.doctor.findings import Finding, fail, ok, run_check, skipped, warn
from paperround.feeds.due import polled_feeds
from paperround.ops.cluster import cluster_status
from paperround.ops.scheduler_lock import is_newer_than_scheduler
from paperround.ops.status import Status, status
from paperround.ranking.store import ModelStore


def findings_without_settings(faults: Sequence[str]) -> list[Finding]:
    """Return the findings on an installation whose settings cannot be read."""
    return [
        config_check.check_python(sys.version_info[:3]),
        config_check.check_libraries(),
        *(fail("settings", one, "docs/settings.md has every setting") for one in faults),
        skipped("all other checks", "it depends on the settings"),
    ]


def examine(context: AppContext, *, now: datetime) -> list[Finding]:
    """Run all checks and return their findings, those that others depend on first."""
    current_status, of_database = _check_database(context, now)
    return [
        *_check_config(context.settings),
        *of_database,
        *_run_plugins(context, current_status, now),
    ]


def _check_config(settings: Settings) -> list[Finding]:
    """Check the machine and the settings."""
    folder = settings.data_dir
    secrets = ENV_FILE, folder, settings.secret_file, settings.dkim_file
    found = [config_check.check_python(sys.version_info[:3]), config_check.check_libraries()]
    if settings.embedded:
        found.append(run_check("disk", lambda: config_check.check_disk(folder)))
        found.append(config_check.check_file_system(folder))
    return [
        *found,
        _check_age(settings),
        config_check.check_secret(settings),
        run_check("permissions", lambda: config_check.check_permissions(secrets)),
        config_check.check_sender(settings),
        config_check.check_public_url(settings),
    ]


def _check_age(settings: Settings) -> Finding:
    """Check that the service which runs uses these settings."""
    if is_newer_than_scheduler(ENV_FILE, settings.data_dir):
        says = f"{ENV_FILE} was changed after the service started, which uses the old one"
        return warn("settings", says, "restart `paperround serve`")
    return ok("settings", "all are known and readable")


def _check_database(context: AppContext, now: datetime) -> tuple[Status | None, list[Finding]]:
    """Check the database; return the status too, None when the database is not usable."""
    try:
        found, is_usable = database_check.check_integrity(context.settings.database)
        if is_usable:
            current_status = status(context.database, None, now=now)
            return current_status, found + _check_contents(context, current_status, now)
    except (PaperroundError, OSError) as error:
        found = [fail("database", str(error))]
    rest = "keys, clock, schedule, feeds, editions and digests"
    return None, [*found, skipped(rest, "they are in the database")]


def _check_contents(context: AppContext, current_status: Status, now: datetime) -> list[Finding]:
    database = context.database
    with database.reading() as work:
        clock = schedule_check.check_clock(work, now=now)
        feeds = schedule_check.check_feeds(polled_feeds(work))
        room = work[StatusStore].storage()
        holds = schedule_check.check_holds(work, now=now)
        api_keys = database_check.check_api_keys(work, now=now)
        newest = work[ModelStore].newest(context.model_maker.name, by=now)
        backup = database_check.check_backups(work, context.settings.backup_folder, now=now)
    return [
        *database_check.check_space(room, now=now),
        database_check.check_writable(database, now=now),
        backup,
        _check_keys(context, now),
        *api_keys,
        clock,
        schedule_check.check_schedule(current_status.last_tick_at, now=now),
        *_check_processes(context, current_status, now),
        *feeds,
        *holds,
        *database_check.check_send_mark(context.send_marks.trouble(database)),
        *schedule_check.check_lists(current_status, now=now),
        *schedule_check.check_returns(current_status.returns, now=now),
        schedule_check.check_model(newest, is_read=context.ranker.in_use(now) is not None, now=now),
    ]


def _check_processes(context: AppContext, current_status: Status, now: datetime) -> list[Finding]:
    """Check the processes that share a PostgreSQL database."""
    if context.settings.embedded:
        return []
    try:
        with context.database.reading() as work:
            cluster = cluster_status(work, now=now)
        depths = context.shared_queue.queue_depths()
    except PaperroundError as error:
        return [fail("workers", str(error))]
    ticks = current_status.is_ticking
    return schedule_check.check_processes(cluster, depths, ticks=ticks, now=now)


def _check_keys(context: AppContext, now: datetime) -> Finding:
    try:
        keys = context.settings.keys
    except Misconfigured:
        return skipped("keys", "there are no keys to check")
    return database_check.check_keys(context.database, keys, now=now)


def _run_plugins(
    context: AppContext, current_status: Status | None, now: datetime
) -> list[Finding]:
    """Run the checks that plugins add, such as those of the site, the relay and the DNS."""
    found, checks = list[Finding](), plugins("checks")
    for name in checks:
        try:
            found += checks[name](context, current_status, now)
        except PaperroundError as error:
            found.append(fail(name, str(error)))
    return found
