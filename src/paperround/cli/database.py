"""`paperround db`: the schema of the database."""

import typer

from paperround.cli.options import runtime, say
from paperround.domain.errors import SchemaOutOfDate

app = typer.Typer(help="The schema of the database.", no_args_is_help=True)


@app.command()
def upgrade() -> None:
    """Bring the database to the schema this version needs."""
    from paperround.config import load_settings
    from paperround.store.engine import opened
    from paperround.store.migrate import current, require_reachable
    from paperround.store.migrate import upgrade as run

    with opened(load_settings().database) as engine:
        require_reachable(engine)
        before = current(engine)
        run(engine)
        after = current(engine)
    say(f"at {after}" if before == after else f"{before or 'empty'} -> {after}")
    runtime().prepare()


@app.command()
def check() -> None:
    """Fail when the database has another schema than this version declares."""
    from paperround.config import load_settings
    from paperround.store.engine import opened
    from paperround.store.migrate import check_drift, require_reachable

    with opened(load_settings().database) as engine:
        require_reachable(engine)
        differences = check_drift(engine)
    for difference in differences:
        say(difference)
    if differences:
        raise SchemaOutOfDate("the database differs from the schema this version declares")
    say("the schema is as declared")
