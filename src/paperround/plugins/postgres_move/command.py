"""`paperround db move`: move an installation from SQLite to PostgreSQL."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from paperround.cli.options import AsJson, actor, argument, switch, takes
from paperround.cli.output import print_result, progress, say
from paperround.core.clock import SystemClock
from paperround.core.reasons import counted

if TYPE_CHECKING:  # a command imports what it needs, so that --help stays quick
    from paperround.config import Settings


def move(
    url: Annotated[
        str | None,
        argument(
            "URL",
            "The empty PostgreSQL database: postgresql://USER@HOST/NAME, or - to read it from "
            "standard input. Default: PAPERROUND_DATABASE_URL.",
        ),
    ] = None,
    source: Annotated[
        Path | None,
        takes("--from", "FILE", "The SQLite database to move. Default: this installation's."),
    ] = None,
    dry_run: Annotated[
        bool, switch("--dry-run", "Check both databases and change nothing.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Move an installation from SQLite to PostgreSQL. Stop everything that works with it first.

    Every table is copied in one transaction and counted in both databases; then the old one
    refuses to work. A move that fails changes nothing: run the same command again.
    """
    from paperround.config import load_settings
    from paperround.plugins.postgres_move.move import move_between

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
            moving.audit(now=SystemClock().now(), by=actor())
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
        moving.audit(now=SystemClock().now(), by=actor())
    value = {
        "moved": True,
        "database": place,
        "rows": sum(rows.values()),
        "tables": [{"name": name, "rows": count} for name, count in rows.items()],
        "set": {"PAPERROUND_DATABASE_URL": place, **_secret_settings(settings)},
    }
    print_result(value, _moved_lines(settings, file, place, rows), as_json=as_json)


def _secret_settings(settings: "Settings") -> dict[str, str]:
    """Return the setting that keeps using the generated key, empty if a key is set."""
    if settings.secret_key is not None or not settings.secret_file.exists():
        return {}
    return {"PAPERROUND_SECRET_KEY_FILE": str(settings.secret_file.resolve())}


def _moved_lines(
    settings: "Settings", file: Path, place: str, rows: dict[str, int]
) -> Iterator[str]:
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
