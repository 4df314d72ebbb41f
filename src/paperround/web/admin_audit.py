"""The admin API for the audit log, with the function of `paperround audit`."""

from typing import Annotated

from fastapi import Query

from paperround.access.model import AuditQuery, Scope
from paperround.access.store import AuditStore
from paperround.web.auth import keyed_router
from paperround.web.context import App
from paperround.web.models import CursorPage, Instant, PrintableText, Resource
from paperround.web.paging import Paging

router = keyed_router(
    "/api/v1/admin/audit", "admin: audit", reading=Scope.AUDIT_READ, writing=Scope.AUDIT_READ
)

LONGEST = 200


class AuditAnswer(Resource):
    """An operator's action: with a key, logged in, or on the command line."""

    id: int
    at: Instant
    actor: str
    action: str
    target: PrintableText
    details: dict[str, str | int]


@router.get("", summary="List operators' actions")
def list_audit(
    app: App,
    paging: Paging,
    action: Annotated[
        str | None, Query(max_length=LONGEST, description="What was done, such as `edit feed`.")
    ] = None,
    target: Annotated[
        str | None,
        Query(max_length=LONGEST, description="What was changed; a list includes its editions."),
    ] = None,
    by: Annotated[
        str | None,
        Query(max_length=LONGEST, description="Who did it, such as `key abcd1234`."),
    ] = None,
) -> CursorPage[AuditAnswer]:
    """Every change, newest first, with who made it. Filter by action, target and actor."""
    wanted = AuditQuery(action=action, target=target, actor=by)
    with app.database.reading() as work:
        found = work[AuditStore].page(wanted, before=paging.last_id("audit"), limit=paging.rows)
    return paging.page("audit", found, AuditAnswer.of)
