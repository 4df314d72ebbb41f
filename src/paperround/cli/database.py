"""`paperround db`: migrate, check, back up and restore the database."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from paperround.cli.options import AsJson, actor, argument, runtime, switch
from paperround.cli.output import print_result
from paperround.core.clock import SystemClock
from paperround.core.errors import SchemaOutOfDate
from paperround.core.reasons import counted

if TYPE_CHECKING:
    from paperround.delivery.restore_guard import RestoredCopy

KEEP_ENV = (
    "the backup does not contain PAPERROUND_SECRET_KEY: keep .env, or whatever sets it, as well"
)
NEEDS_ENV = (
    "the backup has no secret: before you start anything, set the PAPERROUND_SECRET_KEY of the "
    "old installation, or links in emails already sent stop working"
)
PAUSED = "sending is paused; `paperround digest resume` sends what is due from then on"

app = typer.Typer(help="The schema of the database, backups, and moves.", no_args_is_help=True)


@app.command()
def upgrade(as_json: AsJson = False) -> None:
    """Bring the database to the schema this version needs."""
    from paperround.access.store import note_maintenance
    from paperround.config import load_settings
    from paperround.db.engine import opened
    from paperround.db.migrate import upgrade_and_check
    from paperround.db.revisions import current, require_reachable

    with opened(load_settings().database) as engine:
        require_reachable(engine)
        before = current(engine)
        of_queue = upgrade_and_check(engine)
        after = current(engine)
    context = runtime(creates=True)
    context.prepare()
    if before is not None and before != after:
        details = {"before": before, "after": str(after)}
        note_maintenance(
            context.database, "upgrade database", details, now=context.clock.now(), by=actor()
        )
    line = f"at {after}" if before == after else f"{before or 'empty'} -> {after}"
    if of_queue:
        line += f"\nmade {counted(len(of_queue), 'change')} of the queue's tables"
    shown = {"before": before, "after": after, "queue_changes": len(of_queue)}
    print_result(shown, line, as_json=as_json)


@app.command()
def check(as_json: AsJson = False) -> None:
    """Check that the schema is the one this version declares. Fails if it is not."""
    from paperround.bootstrap.database import require_made
    from paperround.config import load_settings
    from paperround.db.engine import opened
    from paperround.db.migrate import check_drift
    from paperround.db.revisions import (
        head,
        is_current,
        mismatch,
        require_not_moved,
        translate_errors,
    )

    settings = load_settings()
    require_made(settings)
    with opened(settings.database) as engine, translate_errors(engine):
        found = require_not_moved(engine)
        if found is None:
            raise SchemaOutOfDate(mismatch(found))
        differences, current = check_drift(engine), is_current(engine)
    well = current and not differences
    value = {"revision": found, "well": well, "differences": differences}
    print_result(value, "the schema is as declared" if well else differences, as_json=as_json)
    if not current:
        queue = "the queue is not at this version's schema: run `paperround db upgrade`"
        raise SchemaOutOfDate(mismatch(found) if found != head() else queue)
    if differences:
        raise SchemaOutOfDate("the database differs from the schema this version declares")


@app.command()
def backup(
    file: Annotated[
        Path | None,
        argument(
            "FILE",
            "The backup to write. Default: a new one in PAPERROUND_BACKUP_DIR, where the "
            "oldest is deleted.",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Write the database to one file, while everything keeps running.

    A secret that Paperround generated is included. One that you set is not: keep .env too.
    """
    from paperround.bootstrap.database import require_made
    from paperround.config import load_settings
    from paperround.db.backup import back_up
    from paperround.db.backups import BackupPlan, make_backup, note_backup
    from paperround.db.engine import opened
    from paperround.db.transactions import SqlDatabase

    settings = load_settings()
    require_made(settings)
    now, folder = SystemClock().now(), settings.backup_folder
    if file is None and folder is None:
        raise typer.BadParameter("name a FILE, or set PAPERROUND_BACKUP_DIR", param_hint="FILE")
    with opened(settings.database) as engine:
        database = SqlDatabase(engine)
        if file is None and folder is not None:
            keep, secret = settings.keep_backups, settings.secret_file
            plan = BackupPlan(folder=folder, keep=keep, secret=secret)
            file = make_backup(engine, database, plan, now=now)
        elif file is not None:
            back_up(engine, settings.secret_file, file, now=now)
            note_backup(database, now=now)
    size = file.stat().st_size if file is not None else 0
    lines = [
        f"wrote {file} ({counted(size, 'byte')}); it contains every address, so keep it private"
    ]
    lines += [KEEP_ENV] if settings.secret_key is not None else []
    print_result({"file": str(file), "bytes": size}, lines, as_json=as_json)


@app.command()
def restore(
    file: Annotated[
        Path | None,
        argument("FILE", "The backup to restore. Nightly backups are in the folder `backups`."),
    ] = None,
    moved: Annotated[
        bool,
        switch(
            "--moved",
            "The old installation was stopped before the backup was made: continue where it "
            "stopped, without a pause.",
        ),
    ] = False,
    in_place: Annotated[
        bool, switch("--in-place", "Another program has already restored the database.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Restore a backup into PAPERROUND_DATA_DIR, or into an empty PostgreSQL database.

    The folder must not contain a database. Nothing that may have been sent since is sent again:
    sending is paused until `paperround digest resume`.
    """
    from paperround.config import load_settings

    if (file is None) != in_place:
        raise typer.BadParameter("name a backup FILE, or say --in-place", param_hint="FILE")
    from paperround.db.backup import restore_dump, restoring
    from paperround.db.engine import opened

    settings = load_settings()
    made_at: str | None = None
    if file is not None and not settings.embedded:
        with opened(settings.database) as engine:
            made_at = restore_dump(file, engine, settings.secret_file)
    if file is None or not settings.embedded:
        held = _hold_restored(settings.database, moved, made_at or "")
    else:  # hold it before it becomes the database
        with restoring(file, settings.database_file, settings.secret_file) as (staged, made_at):
            held = _hold_restored(f"sqlite:///{staged}", moved, made_at or "")
    runtime()
    unknown = 0 if held is None else held.digests + held.notices
    lines = [f"restored the backup of {made_at}" if made_at else "the restored database is in use"]
    lines += [str(held)] if unknown else []
    lines.append("sending continues where it stopped" if held is None else PAUSED)
    has_secret = settings.secret_key is not None or settings.secret_file.exists()
    lines += [] if has_secret else [NEEDS_ENV]
    value = {"made_at": made_at, "held": held is not None, "unknown": unknown}
    print_result(value, lines, as_json=as_json)


def _hold_restored(url: str, moved: bool, made_at: str = "") -> "RestoredCopy | None":
    """Upgrade the schema of a restored database and, unless `moved`, hold its email; audit that."""
    from paperround.access.store import note_maintenance
    from paperround.bootstrap.database import send_marks_of
    from paperround.config import load_settings
    from paperround.db.engine import opened
    from paperround.db.migrate import upgrade_and_check
    from paperround.db.revisions import require_reachable, store_database_ids
    from paperround.db.transactions import SqlDatabase
    from paperround.delivery.restore_guard import hold_all_email

    with opened(url) as engine:
        require_reachable(engine)
        upgrade_and_check(engine)
        now = SystemClock().now()
        database = SqlDatabase(engine)
        held = None if moved else hold_all_email(database, now=now)
        send_marks_of(load_settings(), "").invalidate_marks(database, now=now)
        details = {"held": "no" if held is None else "yes", "made": made_at}
        note_maintenance(database, "restore backup", details, now=now, by=actor())
        store_database_ids(engine, now=now)
        return held
