"""The commands and their shared options. Heavy rooms are imported when a command needs them."""

import sys

import typer

from paperround.cli import database, deliver, digest, ingest, rank, subscribers, suppressions
from paperround.domain.errors import PaperroundError

app = typer.Typer(
    name="paperround",
    help="Trending papers in your inbox once a day, from a server of your own.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("ingest")(ingest.ingest)
app.command("rank")(rank.rank)
app.command("deliver")(deliver.deliver)
app.add_typer(digest.app, name="digest")
app.add_typer(subscribers.app, name="subscribers")
app.add_typer(suppressions.app, name="suppressions")
app.add_typer(database.app, name="db")


def main() -> None:
    """Run a command: exit 0 done, 1 failed with one clear line, 2 wrong usage."""
    try:
        app()
    except (PaperroundError, OSError) as error:
        typer.echo(f"paperround: {error}", err=True)
        sys.exit(1)
