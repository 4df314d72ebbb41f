"""`paperround operators`: who may log in to the admin pages."""

from typing import Annotated

import typer

from paperround.cli.options import (
    AsJson,
    Now,
    Yes,
    actor,
    address_of,
    agree,
    argument,
    runtime,
    usage,
)
from paperround.cli.output import pick_fields, print_list, print_result

app = typer.Typer(
    help="Operators, who log in to the admin pages by emailed link.", no_args_is_help=True
)

Email = Annotated[str, argument("EMAIL", "The operator's address.")]


@app.command()
def add(email: Email, now: Now = None, as_json: AsJson = False) -> None:
    """Allow a person to log in. They request a link at /admin; no email is sent now."""
    from paperround.access.operators import add_operator

    address = address_of(email)
    context = runtime(now, creates=True)
    with usage(email="EMAIL"):
        added = add_operator(
            context.database, address.mailed, address.folded, now=context.clock.now(), by=actor()
        )
    value = pick_fields(added, "id email created_at")
    line = f"operator {added.id} may log in at {context.settings.public_url.rstrip('/')}/admin"
    print_result(value, line, as_json=as_json)


@app.command("list")
def list_all(now: Now = None, as_json: AsJson = False) -> None:
    """Show every operator with their number in the audit log."""
    from paperround.access.operators import list_operators

    found = [
        pick_fields(one, "id email created_at") for one in list_operators(runtime(now).database)
    ]
    none = "no operators: `paperround operators add EMAIL` adds one"
    print_list("operators", found, "id email created_at", none=none, as_json=as_json)


@app.command()
def remove(email: Email, yes: Yes = False, now: Now = None, as_json: AsJson = False) -> None:
    """Remove an operator, and end their sessions at once."""
    from paperround.access.operators import find_operator, remove_operator

    address = address_of(email)
    context = runtime(now)
    find_operator(context.database, address.folded)
    agree(yes, f"Remove {address.written}, and end their sessions?")
    gone = remove_operator(context.database, address.folded, now=context.clock.now(), by=actor())
    value = {**pick_fields(gone, "id email"), "removed": True}
    print_result(value, f"operator {gone.id} was removed", as_json=as_json)


@app.command()
def link(email: Email, now: Now = None, as_json: AsJson = False) -> None:
    """Print a link that logs an operator in, once, within 15 minutes. For a machine that sends no
    email."""
    from paperround.access.operators import LINK_VALID, create_link

    address = address_of(email)
    context = runtime(now)
    current = context.clock.now()
    token = create_link(
        context.database, context.settings.keys, address.folded, now=current, by=actor()
    )
    url = f"{context.settings.public_url.rstrip('/')}/admin/login/{token}"
    print_result({"url": url, "expires_at": current + LINK_VALID}, url, as_json=as_json)
