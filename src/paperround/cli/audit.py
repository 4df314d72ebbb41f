"""`paperround audit`: show who changed what."""

from typing import Annotated

import typer

from paperround.cli.options import AsJson, runtime
from paperround.cli.output import print_list

MOST_SHOWN = 50


def audit(
    limit: Annotated[
        int,
        typer.Option(
            "--limit", metavar="N", min=1, max=500, help="How many entries, newest first."
        ),
    ] = MOST_SHOWN,
    action: Annotated[
        str | None, typer.Option("--action", metavar="ACTION", help="Such as 'edit feed'.")
    ] = None,
    target: Annotated[
        str | None,
        typer.Option(
            "--target",
            metavar="TARGET",
            help="The name of a list (with its editions), a feed or a channel, 'key abcd1234' or "
            "'subscriber 17'.",
        ),
    ] = None,
    by: Annotated[
        str | None,
        typer.Option(
            "--by", metavar="ACTOR", help="'key abcd1234', 'operator 3' or 'shell alice'."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show what operators changed, newest first, and who did it. Entries never change."""
    from paperround.access.model import AuditQuery
    from paperround.access.store import AuditStore
    from paperround.web.admin_audit import AuditAnswer

    wanted = AuditQuery(action=action, target=target, actor=by)
    with runtime().database.reading() as work:
        found = work[AuditStore].page(wanted, before=None, limit=limit)
    is_narrowed = wanted != AuditQuery()
    none = "no entry matches" if is_narrowed else "nothing has been changed yet"
    entries = [AuditAnswer.of(one) for one in found]
    print_list("audit", entries, "at actor action target details", none=none, as_json=as_json)
