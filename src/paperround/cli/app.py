"""Register the commands. Each imports heavy packages only when it runs."""

import sys
from typing import Annotated

import typer

from paperround import version
from paperround.cli import (
    bounces,
    database,
    demo,
    digest,
    dkim,
    feeds,
    ingest,
    init,
    keys,
    rank,
    serve,
    subscribers,
)
from paperround.core.errors import Misconfigured, PaperroundError
from paperround.core.plugins import plugins

app = typer.Typer(
    name="paperround",
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
            "--version", is_eager=True, callback=_show_version, help="Print the version and end."
        ),
    ] = False,
) -> None:
    """Trending papers in your inbox once a day, from a server of your own."""


app.command("ingest")(ingest.ingest)
app.command("rank")(rank.rank)
app.command("learn")(rank.learn)
app.command("deliver")(serve.deliver)
app.command("demo")(demo.demo)
app.command("init")(init.init)
app.command("doctor")(init.doctor)
app.command("serve")(serve.serve)
app.command("worker")(serve.worker)
app.command("scheduler")(serve.scheduler)
app.command("tick")(serve.tick)
app.add_typer(digest.app, name="digest")
app.add_typer(feeds.app, name="feeds")
app.add_typer(subscribers.app, name="subscribers")
app.add_typer(bounces.app, name="bounces")
app.add_typer(subscribers.suppressions, name="suppressions")
app.add_typer(keys.app, name="keys")
app.add_typer(dkim.app, name="dkim")
app.add_typer(database.app, name="db")


def _add_plugins() -> None:
    """Add the commands of plugins. One that cannot be loaded is reported; the others still work."""
    commands = plugins("commands")
    for name in commands:
        try:
            command = commands[name]
        except Misconfigured as error:
            typer.echo(f"paperround: {error}; `paperround {name}` is missing", err=True)
            continue
        if isinstance(command, typer.Typer):
            app.add_typer(command, name=name)
        else:
            app.command(name)(command)


_add_plugins()


def main() -> None:
    """Run a command. Exit codes: 0 success, 1 failure with a one-line message, 2 wrong usage."""
    try:
        app()
        return
    except PaperroundError as error:
        words = str(error)
    except OSError as error:
        words = f"{error.filename}: {error.strerror}" if error.filename else str(error)
    typer.echo(f"paperround: {words}", err=True)
    sys.exit(1)
