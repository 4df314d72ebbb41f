"""`paperround keys`: create, list and revoke keys of the admin API."""

from typing import Annotated

import typer

from paperround.access.model import Scope
from paperround.cli.options import AsJson, Now, actor, runtime, takes, usage
from paperround.cli.output import print_list, print_result

app = typer.Typer(help="Keys for the admin API; only their hashes are kept.", no_args_is_help=True)

DEFAULT_SCOPES = (Scope.FEEDS_WRITE,)
"""The default scopes of a key."""


@app.command()
def create(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Who or what it is for.")],
    scope: Annotated[
        list[Scope] | None,
        takes(
            "--scope",
            "SCOPE",
            f"What it may do: {', '.join(Scope)}. Repeatable. Those with :read "
            "change nothing. Default: feeds:write.",
        ),
    ] = None,
    expires: Annotated[
        str | None,
        takes(
            "--expires",
            "WHEN",
            "When it stops working: a date (its midnight UTC), days like 90d, or never. "
            "Default: in a year.",
        ),
    ] = None,
    now: Now = None,
    as_json: AsJson = False,
) -> None:
    """Create a key and show it once."""
    from paperround.access.keys import LIFE, create_key, read_expiry
    from paperround.web.admin_keys import NewKeyAnswer

    context = runtime(now, creates=True)
    current = context.clock.now()
    with usage(name="NAME", scopes="--scope"):
        made = create_key(
            context.database,
            name,
            scope or DEFAULT_SCOPES,
            expires_at=read_expiry(LIFE if expires is None else expires, now=current),
            now=current,
            by=actor(),
        )
    print_result(NewKeyAnswer.created(made, current), made.text, as_json=as_json)
    if not as_json:
        end = made.key.expires_at
        until = "never expires" if end is None else f"expires on {end:%Y-%m-%d}"
        scopes = f"{'scope' if len(made.key.scopes) == 1 else 'scopes'}: "
        scopes += ", ".join(sorted(made.key.scopes))
        if not scope:
            scopes += ", because no --scope was given (`paperround keys create -h` shows all)"
        typer.echo(f"{scopes}\n{until}; keep it now, it cannot be shown again", err=True)


@app.command("list")
def list_all(now: Now = None, as_json: AsJson = False) -> None:
    """Show every key: its prefix, its scopes and its state."""
    from paperround.access.keys import list_keys
    from paperround.web.admin_keys import KeyAnswer

    context = runtime(now)
    current = context.clock.now()
    keys = [KeyAnswer.at(key, current) for key in list_keys(context.database)]
    columns = "prefix state expires_at last_used_at scopes name"
    print_list("keys", keys, columns, none="no keys", as_json=as_json)


@app.command()
def revoke(
    prefix: Annotated[str, typer.Argument(metavar="PREFIX", help="The 8 characters after `pr_`.")],
    now: Now = None,
    as_json: AsJson = False,
) -> None:
    """Revoke a key and all keys that it made, at once."""
    from paperround.access.keys import revoke_key

    context = runtime(now)
    ended = revoke_key(context.database, prefix, now=context.clock.now(), by=actor())
    made = [one for one in ended if one != prefix]
    line = "revoked" if prefix in ended else "was revoked already"
    line += f", and {', '.join(made)} that it made" if made else ""
    value = {"prefix": prefix, "revoked": prefix in ended, "made": made}
    print_result(value, line, as_json=as_json)
