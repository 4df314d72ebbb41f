"""`paperround suppressions`: addresses that must never be mailed."""

from typing import Annotated

import typer

from paperround.cli.options import AsJson, Now, runtime
from paperround.cli.output import print_list, print_result
from paperround.subscribers.store.subscribers import SubscriberStore

app = typer.Typer(
    help="Addresses that must never be mailed; only their keyed hashes are kept.",
    no_args_is_help=True,
)
SHOWN = ("digest", "reason", "since")
Email = Annotated[str, typer.Argument(metavar="EMAIL")]


@app.command("list")
def list_all(as_json: AsJson = False) -> None:
    """Show every standing suppression: its hash, its reason, since when."""
    with runtime().database.reading() as work:
        found = [dict(zip(SHOWN, one, strict=True)) for one in work[SubscriberStore].suppressions()]
    print_list("suppressions", found, " ".join(SHOWN), none="nobody", as_json=as_json)


@app.command()
def add(
    email: Email,
    reason: Annotated[str, typer.Option("--reason", help="Kept beside the hash.")] = "operator",
    now: Now = None,
    as_json: AsJson = False,
) -> None:
    """Never mail EMAIL again, whatever is imported or signed up."""
    from paperround.subscribers.imports import suppress

    context = runtime(now)
    address = context.addresses.read(email)
    with context.database.writing() as work:
        added = suppress(
            work, context.settings.keys, address, reason=reason, now=context.clock.now()
        )
    line = "suppressed" if added else "was suppressed already"
    print_result({"suppressed": added}, line, as_json=as_json)


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
    from paperround.subscribers.imports import lift as run

    context = runtime(now)
    address = context.addresses.read(email)
    with context.database.writing() as work:
        lifted = run(work, context.settings.keys, address, now=context.clock.now(), resume=resume)
    ends = "lifted: digests go on" if resume else "lifted"
    print_result({"lifted": lifted}, ends if lifted else "was not suppressed", as_json=as_json)
