"""`paperround keys`: who may use the admin API."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from paperround.cli.options import AsJson, Now, instant_of, print_json, runtime, say, tell
from paperround.domain.errors import InvalidInput
from paperround.domain.keys import Scope
from paperround.domain.times import format_instant
from paperround.domain.wording import counted

if TYPE_CHECKING:  # a command imports the rooms it needs, so that --help stays quick
    from paperround.domain.keys import ApiKey

app = typer.Typer(help="Keys of the admin API; only their hashes are kept.", no_args_is_help=True)

USUAL = (Scope.FEEDS_WRITE,)
"""What a key is for when nobody says: managing feeds."""


@app.command()
def create(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Who or what it is for.")],
    scope: Annotated[
        list[Scope] | None,
        typer.Option("--scope", help="What it may do. Repeatable. Default: feeds:write."),
    ] = None,
    expires: Annotated[
        str | None,
        typer.Option(
            "--expires",
            metavar="DATE",
            help="When it stops to work (a date is its midnight UTC). Default: never.",
        ),
    ] = None,
    now: Now = None,
    as_json: AsJson = False,
) -> None:
    """Make a key and show it, once."""
    from paperround.jobs.keys import create_key

    ends = instant_of(expires, "--expires")
    home = runtime(now, creates=True)
    try:
        made = create_key(
            home.database, name, scope or USUAL, expires_at=ends, now=home.clock.now()
        )
    except InvalidInput as error:
        hint = "--expires" if error.code == "expires_at" else "NAME"
        raise typer.BadParameter(str(error), param_hint=hint) from error
    scopes = sorted(made.key.scopes)
    if as_json:
        print_json({"id": made.key.id, "key": made.text, "scopes": scopes})
        return
    say(made.text)
    typer.echo(f"{', '.join(scopes)}; keep it now, it cannot be shown again", err=True)


@app.command("list")
def list_all(now: Now = None, as_json: AsJson = False) -> None:
    """Show every key by its prefix, with what it may do and whether it still can."""
    from paperround.jobs.keys import list_keys

    home = runtime(now)
    keys = list_keys(home.database)
    if as_json:
        print_json({"keys": [_as_json(key, home.clock.now()) for key in keys]})
        return
    for key in keys:
        used = format_instant(key.last_used_at) if key.last_used_at else "never"
        state = _state(key, home.clock.now())
        say(f"{key.prefix}  {state:7}  {','.join(sorted(key.scopes))}  used {used}  {key.name}")
    say(counted(len(keys), "key"))


@app.command()
def revoke(
    prefix: Annotated[str, typer.Argument(metavar="PREFIX", help="The 8 characters behind `pr_`.")],
    now: Now = None,
    as_json: AsJson = False,
) -> None:
    """End a key at once."""
    from paperround.jobs.keys import revoke_key

    home = runtime(now)
    ended = revoke_key(home.database, prefix, now=home.clock.now())
    line = "revoked" if ended else "was revoked already"
    tell({"prefix": prefix, "revoked": ended}, line, as_json=as_json)


def _state(key: "ApiKey", now: datetime) -> str:
    if key.revoked_at is not None:
        return "revoked"
    return "live" if key.is_live(now) else "expired"


def _as_json(key: "ApiKey", now: datetime) -> dict[str, Any]:
    instants = {
        "created_at": key.created_at,
        "expires_at": key.expires_at,
        "revoked_at": key.revoked_at,
        "last_used_at": key.last_used_at,
    }
    written = {name: None if at is None else format_instant(at) for name, at in instants.items()}
    return {
        "id": key.id,
        "name": key.name,
        "prefix": key.prefix,
        "scopes": sorted(key.scopes),
        "state": _state(key, now),
        **written,
    }
