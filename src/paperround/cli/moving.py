"""`paperround db move`: from SQLite to PostgreSQL."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from paperround.cli.options import AsJson
from paperround.cli.output import print_result, progress, say
from paperround.clock import SystemClock
from paperround.config import Settings, load_settings
from paperround.domain.text import counted

STANDARD_INPUT = "-"


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
    replace_nul: Annotated[
        bool,
        typer.Option(
            "--replace-nul",
            help="Where a text holds a NUL, which PostgreSQL cannot, write \ufffd in the copy.",
        ),
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Look at both databases and change nothing.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Move an installation from SQLite to PostgreSQL. Stop everything that works with it first.

    Every table is copied in one transaction and counted in both databases; then the old one
    refuses to work. A move that fails changes nothing: run the same command again.
    """
    settings = load_settings()
    file = source or _file_of(settings)
    _move(settings, file, _target(url, settings), replace_nul, dry_run, as_json)


def _file_of(settings: "Settings") -> Path:
    """The SQLite file, also when the settings name the new database already."""
    return settings.database_file if settings.embedded else settings.data_dir / "paperround.db"


def _target(url: str | None, settings: "Settings") -> str:
    if url == STANDARD_INPUT:
        return sys.stdin.readline().strip()
    if url is None and settings.embedded:
        raise typer.BadParameter(
            "name the database to move to: postgresql://USER@HOST/NAME", param_hint="URL"
        )
    return url or settings.database


def _move(
    settings: "Settings", file: Path, url: str, replace_nul: bool, dry_run: bool, as_json: bool
) -> None:
    from paperround.store.moving.move import between

    now = SystemClock().now()
    with between(file, url, now=now) as moving:
        place = moving.target.place
        if moving.is_done:
            print_result(
                {"moved": True, "database": place}, f"moved already, to {place}", as_json=as_json
            )
            return
        rows, left_behind = moving.look(), moving.source.unknown_tables()
        if not as_json:
            say(f"to move: {counted(sum(rows.values()), 'row')}, to {place}")
        if left_behind and not as_json:
            say(f"  not Paperround's, and left behind: {', '.join(left_behind)}")
        if dry_run:
            line = "it can be moved; nothing was changed"
            print_result({"moved": False, "database": place}, line, as_json=as_json)
            return
        with progress("copying", sum(rows.values())) as advance:
            moving.copy(advance, now=now, replace_nul=replace_nul)
    value = _as_json(settings, place, rows, left_behind)
    print_result(value, _lines(settings, file, place, rows), as_json=as_json)


# --- what is told ------------------------------------------------------------------------------


def _as_json(
    settings: "Settings", place: str, rows: dict[str, int], left_behind: list[str]
) -> dict[str, Any]:
    return {
        "moved": True,
        "database": place,
        "rows": sum(rows.values()),
        "tables": [{"name": name, "rows": count} for name, count in rows.items()],
        "left_behind": left_behind,
        "set": {"PAPERROUND_DATABASE_URL": place, **_secrets(settings)},
    }


def _secrets(settings: "Settings") -> dict[str, str]:
    """What hands on the key that the installation made for itself, where none was set."""
    if settings.secret_key is not None or not settings.secret_file.exists():
        return {}
    return {"PAPERROUND_SECRET_KEY_FILE": str(settings.secret_file.resolve())}


def _lines(settings: "Settings", file: Path, place: str, rows: dict[str, int]) -> Iterator[str]:
    said = counted(sum(rows.values()), "row")
    yield f"moved {said} of {counted(len(rows), 'table')}; counts agree"
    yield f"{file} refuses to work from now on; keep it until you are sure. Set on every machine:"
    yield f"  PAPERROUND_DATABASE_URL={place}  with its password"
    for name, value in _secrets(settings).items():
        yield f"  {name}={value}  a copy of it: old links need this key"
    if settings.secret_key is not None:
        yield "  PAPERROUND_SECRET_KEY as it is now"
    key = "PAPERROUND_SECRET_KEY"
    if missing := [name for name in settings.unnamed_sender if name != key]:
        yield f"  {', '.join(missing)}: PostgreSQL needs them"
    for kept in _kept(settings):
        yield f"  and in PAPERROUND_DATA_DIR a copy of {kept}"
    yield "then run `paperround doctor`"


def _kept(settings: "Settings") -> list[Path]:
    """Files of secrets that no setting names."""
    files = [settings.dkim_file, *([settings.secret_file] if settings.secret_key else [])]
    return [file for file in files if file.exists()]
