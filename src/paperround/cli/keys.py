"""`paperround keys`: create, list and revoke keys of the admin API."""

from datetime import datetime
from typing import Annotated

import typer

from paperround.access.model import ApiKey, Scope
from paperround.cli.options import AsJson, Now, instant, runtime, usage
from paperround.cli.output import pick_fields, print_list, print_result

app = typer.Typer(help="Keys of the admin API; only their hashes are kept.", no_args_is_help=True)

DEFAULT_SCOPES = (Scope.FEEDS_WRITE,)
"""The default scopes of a key."""


@app.command()
def create(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Who or what it is for.")],
    scope: Annotated[
        list[Scope] | None,
        typer.Option("--scope", help="What it may do. Repeatable. Default: feeds:write."),
    ] = None,
    expires: Annotated[
        datetime | None,
        typer.Option(
            "--expires",
            metavar="DATE",
            parser=instant,
            help="When it stops to work (a date is its midnight UTC). Default: never.",
        ),
    ] = None,
    now: Now = None,
    as_json: AsJson = False,
) -> None:
    """Make a key and show it, once."""
    from paperround.access.keys import create_key

    context = runtime(now, creates=True)
    with usage(name="NAME", expires_at="--expires"):
        made = create_key(
            context.database,
            name,
            scope or DEFAULT_SCOPES,
            expires_at=expires,
            now=context.clock.now(),
        )
    scopes = sorted(made.key.scopes)
    value = {"id": made.key.id, "key": made.text, "scopes": scopes}
    print_result(value, made.text, as_json=as_json)
    if not as_json:
        typer.echo(f"{', '.join(scopes)}; keep it now, it cannot be shown again", err=True)


@app.command("list")
def list_all(now: Now = None, as_json: AsJson = False) -> None:
    """Show every key by its prefix, with what it may do and whether it still can."""
    from paperround.access.keys import list_keys

    context = runtime(now)
    current = context.clock.now()
    names = "id name prefix created_at expires_at revoked_at last_used_at"
    keys = [
        {**pick_fields(key, names), "scopes": sorted(key.scopes), "state": _state(key, current)}
        for key in list_keys(context.database)
    ]
    columns = "prefix state scopes last_used_at name"
    print_list("keys", keys, columns, none="no keys", as_json=as_json)


@app.command()
def revoke(
    prefix: Annotated[str, typer.Argument(metavar="PREFIX", help="The 8 characters behind `pr_`.")],
    now: Now = None,
    as_json: AsJson = False,
) -> None:
    """End a key at once."""
    from paperround.access.keys import revoke_key

    context = runtime(now)
    ended = revoke_key(context.database, prefix, now=context.clock.now())
    line = "revoked" if ended else "was revoked already"
    print_result({"prefix": prefix, "revoked": ended}, line, as_json=as_json)


def _state(key: ApiKey, now: datetime) -> str:
    if key.revoked_at is not None:
        return "revoked"
    return "live" if key.is_live(now) else "expired"
