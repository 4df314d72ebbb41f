"""`paperround suppressions`: addresses that must never be mailed."""

from typing import Annotated

import typer

from paperround.cli.options import AsJson, Now, print_json, runtime, say, tell
from paperround.domain.times import format_instant

app = typer.Typer(
    help="Addresses that must never be mailed; only their keyed hashes are kept.",
    no_args_is_help=True,
)
Email = Annotated[str, typer.Argument(metavar="EMAIL")]


@app.command("list")
def list_all(as_json: AsJson = False) -> None:
    """Show every standing suppression: its hash, its reason, since when."""
    with runtime().database.reading() as work:
        standing = work.subscribers.suppressions()
    if as_json:
        rows = [{"digest": d, "reason": r, "since": format_instant(s)} for d, r, s in standing]
        print_json({"suppressions": rows})
        return
    for digest, reason, since in standing:
        say(f"{digest}  {format_instant(since)}  {reason}")
    say(f"{len(standing):,} suppressed")


@app.command()
def add(
    email: Email,
    reason: Annotated[str, typer.Option("--reason", help="Kept beside the hash.")] = "operator",
    now: Now = None,
    as_json: AsJson = False,
) -> None:
    """Never mail EMAIL again, whatever is imported or signed up."""
    from paperround.jobs.subscribers import suppress

    home = runtime(now)
    address = home.addresses.read(email)
    with home.database.writing() as work:
        added = suppress(work, home.settings.keys, address, reason=reason, now=home.clock.now())
    line = "suppressed" if added else "was suppressed already"
    tell({"suppressed": added}, line, as_json=as_json)


@app.command()
def lift(
    email: Email,
    resume: Annotated[
        bool,
        typer.Option("--resume", help="A mail that came back stopped them: send them digests."),
    ] = False,
    now: Now = None,
    as_json: AsJson = False,
) -> None:
    """Let EMAIL be mailed again. Nobody is subscribed by this: they sign up again themselves.

    With --resume a reader who was stopped because a mail came back gets digests again.
    """
    from paperround.jobs.subscribers import lift as run

    home = runtime(now)
    address = home.addresses.read(email)
    with home.database.writing() as work:
        lifted = run(work, home.settings.keys, address, now=home.clock.now(), resume=resume)
    ends = "lifted: digests go on" if resume else "lifted"
    tell({"lifted": lifted}, ends if lifted else "was not suppressed", as_json=as_json)
