"""The admin page of the audit log."""

from typing import Annotated

from fastapi import Query, Response

from paperround.access.model import AuditQuery
from paperround.access.store import AuditStore
from paperround.web.admin.session import Visit, operator_router
from paperround.web.paging import Paging

router = operator_router()

Filter = Annotated[str, Query(max_length=120)]


@router.get("/audit")
def show_audit(
    visit: Visit, paging: Paging, by: Filter = "", action: Filter = "", target: Filter = ""
) -> Response:
    """Show who did what, newest first. An empty filter matches all."""
    wanted = AuditQuery(actor=by or None, action=action or None, target=target or None)
    before = paging.last_id("audit")
    with visit.database.reading() as work:
        found = work[AuditStore].page(wanted, before=before, limit=paging.rows)
    return visit.page(
        "audit.html",
        found=found[: paging.limit],
        next_cursor=paging.next_cursor("audit", [one.id for one in found]),
        asked={"by": by, "action": action, "target": target},
    )
