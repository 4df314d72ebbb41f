"""`paperround audit`: show who changed what."""

from typing import Annotated

from paperround.cli.options import AsJson, runtime, takes
from paperround.cli.output import print_list

MOST_SHOWN = 50


def audit(
    limit: Annotated[
        int, takes("--limit", "N", "How many entries, newest first.", min=1, max=500)
    ] = MOST_SHOWN,
    action: Annotated[str | None, takes("--action", "ACTION", "Such as 'edit feed'.")] = None,
    target: Annotated[
        str | None,
        takes(
            "--target",
            "TARGET",
            "The name of a list (with its editions), a feed or a channel, 'key abcd1234' or "
            "'subscriber 17'.",
        ),
    ] = None,
    by: Annotated[
        str | None, takes("--by", "ACTOR", "'key abcd1234', 'operator 3' or 'shell alice'.")
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
