"""`paperround suppressions`: addresses that must never be mailed."""

from typing import Annotated

import typer

from paperround.cli.options import AsJson, Now, actor, address_of, runtime, switch, usage
from paperround.cli.output import print_list, print_result
from paperround.cli.people import Email

app = typer.Typer(
    help="Addresses that must never be emailed. Only their keyed hashes are kept.",
    no_args_is_help=True,
)


@app.command("list")
def list_suppressions(as_json: AsJson = False) -> None:
    """Show every suppression in force: its hash, its reason, since when."""
    from paperround.subscribers.store.subscribers import SubscriberStore

    with runtime().database.reading() as work:
        rows = work[SubscriberStore].suppressions()
        found = [{"digest": digest, "reason": why, "since": at} for digest, why, at in rows]
    print_list("suppressions", found, "digest reason since", none="nobody", as_json=as_json)


@app.command()
def find(email: Email, now: Now = None, as_json: AsJson = False) -> None:
    """Show whether EMAIL is suppressed, and why. It may be any spelling of the mailbox."""
    from paperround.self_service.suppressions import find_suppression
    from paperround.web.people_models import reasons_of

    context = runtime(now)
    address = address_of(email)
    person, reasons = find_suppression(
        context.database, context.settings.keys, address, now=context.clock.now(), by=actor()
    )
    value = {"suppressed": bool(reasons), "reasons": reasons_of(reasons), "subscriber": person}
    print_result(value, None if reasons else "is not suppressed", as_json=as_json)


@app.command()
def add(
    email: Email,
    reason: Annotated[str, switch("--reason", "Stored with the hash.")] = "operator",
    now: Now = None,
    as_json: AsJson = False,
) -> None:
    """Never email EMAIL again, whatever is imported or signed up."""
    from paperround.self_service.suppressions import add_suppression

    context = runtime(now)
    context.prepare()  # before the keys, which would create an installation
    address, keys = address_of(email), context.settings.keys
    with usage(reason="--reason"):
        added = add_suppression(
            context.database, keys, address, reason=reason, now=context.clock.now(), by=actor()
        )
    line = "suppressed" if added else "was suppressed already"
    print_result({"suppressed": added}, line, as_json=as_json)


@app.command()
def lift(
    email: Email,
    reason: Annotated[str, switch("--reason", "Why; for the audit log.")] = "operator",
    resume: Annotated[
        bool, switch("--resume", "The bounce was a mistake: resume their digests.")
    ] = False,
    now: Now = None,
    as_json: AsJson = False,
) -> None:
    """Lift the suppression of EMAIL. With --resume, a reader whose digests were stopped by a bounce
    gets them again. Without it, nobody is subscribed: they have to sign up again."""
    from paperround.self_service.suppressions import lift_suppression

    context = runtime(now)
    context.prepare()  # before the keys, which would create an installation
    address, keys = address_of(email), context.settings.keys
    with usage(reason="--reason", resume="--resume"):
        lifted = lift_suppression(
            context.database,
            keys,
            address,
            reason=reason,
            resume=resume,
            now=context.clock.now(),
            by=actor(),
        )
    ends = "lifted: digests resume" if resume else "lifted: no digests until they sign up again"
    print_result({"lifted": lifted}, ends if lifted else "was not suppressed", as_json=as_json)
