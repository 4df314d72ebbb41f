"""`paperround db`: migrate, check, back up, restore and move the database."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from paperround.cli.options import AsJson, runtime
from paperround.cli.output import print_result, progress, say
from paperround.config import Settings, load_settings
from paperround.core.clock import SystemClock
from paperround.core.errors import SchemaOutOfDate
from paperround.core.reasons import counted

if TYPE_CHECKING:
    from paperround.delivery.restore_guard import RestoredCopy

PAUSED = "sending is paused; `paperround digest resume` lets it go on with what is due from now"

app = typer.Typer(help="The schema of the database, backups, and moves.", no_args_is_help=True)


@app.command()
def move(
    url: Annotated[
        str | None,
        typer.Argument(
            metavar="URL",
            help="The empty PostgreSQL database: postgresql://USER@HOST/NAME, or - to read that "
            "from standard input. Default: PAPERROUND_DATABASE_URL.",
        ),
    ] = None,
    source: Annotated[
        Path | None,
        typer.Option(
            "--from",
            metavar="FILE",
            help="The SQLite database to move. Default: this installation's.",
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Look at both databases and change nothing.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Move an installation from SQLite to PostgreSQL. Stop everything that works with it first.

    Every table is copied in one transaction and counted in both databases; then the old one
    refuses to work. A move that fails changes nothing: run the same command again.
    """
    from paperround.db.move import move_between

    settings = load_settings()
    # The settings may name the new database already.
    usual = settings.database_file if settings.embedded else settings.data_dir / "paperround.db"
    file = source or usual
    if url == "-":
        target = sys.stdin.readline().strip()
    elif url is None and settings.embedded:
        raise typer.BadParameter(
            "name the database to move to: postgresql://USER@HOST/NAME", param_hint="URL"
        )
    else:
        target = url or settings.database
    with move_between(file, target) as moving:
        place = moving.place
        if moving.is_done:
            line = f"moved already, to {place}"
            print_result({"moved": True, "database": place}, line, as_json=as_json)
            return
        rows = moving.look()
        if not as_json:
            say(f"to move: {counted(sum(rows.values()), 'row')}, to {place}")
        if dry_run:
            line = "it can be moved; nothing was changed"
            print_result({"moved": False, "database": place}, line, as_json=as_json)
            return
        with progress("copying", sum(rows.values())) as advance:
            moving.copy(advance, now=SystemClock().now())
    value = {
        "moved": True,
        "database": place,
        "rows": sum(rows.values()),
        "tables": [{"name": name, "rows": count} for name, count in rows.items()],
        "set": {"PAPERROUND_DATABASE_URL": place, **_secret_settings(settings)},
    }
    print_result(value, _moved_lines(settings, file, place, rows), as_json=as_json)


def _secret_settings(settings: Settings) -> dict[str, str]:
    """Return the setting that keeps using the generated key, empty if a key is set."""
    if settings.secret_key is not None or not settings.secret_file.exists():
        return {}
    return {"PAPERROUND_SECRET_KEY_FILE": str(settings.secret_file.resolve())}


def _moved_lines(settings: Settings, file: Path, place: str, rows: dict[str, int]) -> Iterator[str]:
    rows_moved = counted(sum(rows.values()), "row")
    yield f"moved {rows_moved} of {counted(len(rows), 'table')}; counts agree"
    yield f"{file} refuses to work from now on; keep it until you are sure. Set on every machine:"
    yield f"  PAPERROUND_DATABASE_URL={place}  with its password"
    for name, value in _secret_settings(settings).items():
        yield f"  {name}={value}  a copy of it: old links need this key"
    if settings.secret_key is not None:
        yield "  PAPERROUND_SECRET_KEY as it is now"
    key = "PAPERROUND_SECRET_KEY"
    if missing := [name for name in settings.unnamed_sender if name != key]:
        yield f"  {', '.join(missing)}: PostgreSQL needs them"
    # Key files that no setting names.
    unnamed = [settings.dkim_file, *([settings.secret_file] if settings.secret_key else [])]
    for kept in (one for one in unnamed if one.exists()):
        yield f"  and in PAPERROUND_DATA_DIR a copy of {kept}"
    yield "then run `paperround doctor`"


@app.command()
def upgrade(as_json: AsJson = False) -> None:
    """Bring the database to the schema this version needs."""
    from paperround.db.engine import opened
    from paperround.db.migrate import upgrade_and_check
    from paperround.db.revisions import current, require_reachable

    with opened(load_settings().database) as engine:
        require_reachable(engine)
        before = current(engine)
        of_queue = upgrade_and_check(engine)
        after = current(engine)
    runtime(creates=True).prepare()
    line = f"at {after}" if before == after else f"{before or 'empty'} -> {after}"
    if of_queue:
        line += f"\nmade {counted(len(of_queue), 'change')} of the queue's tables"
    shown = {"before": before, "after": after, "queue_changes": len(of_queue)}
    print_result(shown, line, as_json=as_json)


@app.command()
def check(as_json: AsJson = False) -> None:
    """Fail when the database has another schema than this version declares."""
    from paperround.bootstrap.database import require_made
    from paperround.db.engine import opened
    from paperround.db.migrate import check_drift
    from paperround.db.revisions import (
        head,
        is_current,
        mismatch,
        require_not_moved,
        require_reachable,
    )

    settings = load_settings()
    require_made(settings)
    with opened(settings.database) as engine:
        require_reachable(engine)
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
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The backup to write.")],
    as_json: AsJson = False,
) -> None:
    """Write the database and its secret into one file, while everything goes on."""
    from paperround.bootstrap.database import require_made
    from paperround.db.backup import back_up
    from paperround.db.engine import opened

    settings = load_settings()
    require_made(settings)
    with opened(settings.database) as engine:
        size = back_up(engine, settings.secret_file, file, now=SystemClock().now())
    line = f"wrote {file} ({counted(size, 'byte')}), which holds every address: keep it private"
    print_result({"file": str(file), "bytes": size}, line, as_json=as_json)


@app.command()
def restore(
    file: Annotated[
        Path | None, typer.Argument(metavar="FILE", help="The backup to put back.")
    ] = None,
    moved: Annotated[
        bool,
        typer.Option(
            "--moved",
            help="The old installation was stopped before the backup was made: go on where it "
            "stopped, and hold nothing back.",
        ),
    ] = False,
    in_place: Annotated[
        bool,
        typer.Option(
            "--in-place", help="The database was put back already, with pg_restore for instance."
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Put a backup back. Nothing that may have been sent since is sent again: sending is paused
    until `paperround digest resume`."""
    if (file is None) != in_place:
        raise typer.BadParameter("name a backup FILE, or say --in-place", param_hint="FILE")
    from paperround.db.backup import restoring

    settings = load_settings()
    made_at: str | None = None
    if file is None:
        held = _hold_restored(settings.database, moved)
    else:  # hold it before it takes the place of the database
        with restoring(file, settings.database_file, settings.secret_file) as staged:
            held = _hold_restored(f"sqlite:///{staged.database}", moved)
        made_at = staged.made_at
    runtime()
    unknown = 0 if held is None else held.digests + held.notices
    lines = [f"restored the backup of {made_at}" if made_at else "restored"]
    lines += [str(held)] if unknown else []
    lines.append("sending goes on where it stopped" if held is None else PAUSED)
    value = {"made_at": made_at, "held": held is not None, "unknown": unknown}
    print_result(value, lines, as_json=as_json)


def _hold_restored(url: str, moved: bool) -> "RestoredCopy | None":
    """Upgrade the schema of a restored database and hold its mail, unless `moved`."""
    from paperround.bootstrap.database import send_marks_of
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
        send_marks_of(load_settings(), "").let_go(database, now=now)
        store_database_ids(engine, now=now)
        return held
