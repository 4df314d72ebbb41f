"""Register the commands. Each imports heavy packages only when it runs."""

import sys
from typing import Annotated

import typer

from paperround import version
from paperround.cli import (
    audit,
    bounces,
    database,
    digest,
    dkim,
    feeds,
    ingest,
    init,
    keys,
    lists,
    operators,
    people,
    rank,
    serve,
    stats,
    suppressions,
)
from paperround.cli.groups import CommandGroup
from paperround.core.errors import Misconfigured, PaperroundError
from paperround.core.files import file_trouble
from paperround.core.plugins import plugins

app = typer.Typer(
    name="paperround",
    cls=CommandGroup,
    help="Trending papers in your inbox once a day, from a server of your own.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"paperround {version()}")
        raise typer.Exit


@app.callback()
def options(
    _: Annotated[
        bool,
        typer.Option(
            "--version", is_eager=True, callback=_show_version, help="Print the version and exit."
        ),
    ] = False,
) -> None:
    """Trending papers in your inbox once a day, from a server of your own."""


app.command("ingest")(ingest.ingest)
app.command("rank")(rank.rank)
app.command("learn")(rank.learn)
app.command("audit")(audit.audit)
app.command("deliver")(serve.deliver)
app.command("init")(init.init)
app.command("doctor")(init.doctor)
app.command("stats")(stats.stats)
app.command("serve")(serve.serve)
app.command("worker")(serve.worker)
app.command("scheduler")(serve.scheduler)
app.command("tick")(serve.tick)

GROUPS = {
    "digest": digest.app,
    "feeds": feeds.app,
    "lists": lists.app,
    "subscribers": people.app,
    "bounces": bounces.app,
    "suppressions": suppressions.app,
    "keys": keys.app,
    "operators": operators.app,
    "dkim": dkim.app,
    "db": database.app,
}
"""The commands that have sub-commands, by name."""

for group_name, group in GROUPS.items():
    app.add_typer(group, name=group_name, cls=CommandGroup)


def _add_plugins() -> None:
    """Add the commands of plugins; the name `db move` adds `move` to the group `db`.

    One that cannot be added is reported; the others still work.
    """
    commands = plugins("commands")
    for name in commands:
        group_name, _, own_name = name.rpartition(" ")
        try:
            if group_name and group_name not in GROUPS:
                raise Misconfigured(f"there is no group of commands called {group_name}")
            command = commands[name]
        except Misconfigured as error:
            typer.echo(f"paperround: {error}; `paperround {name}` is missing", err=True)
            continue
        parent = GROUPS.get(group_name, app)
        if isinstance(command, typer.Typer):
            parent.add_typer(command, name=own_name, cls=CommandGroup)
        else:
            parent.command(own_name)(command)


_add_plugins()


def main() -> None:
    """Run a command. Exit codes: 0 success, 1 failure with a one-line message, 2 wrong usage."""
    try:
        app()
        return
    except PaperroundError as error:
        words = str(error)
    except OSError as error:
        words = file_trouble(error)
    typer.echo(f"paperround: {words}", err=True)
    sys.exit(1)
