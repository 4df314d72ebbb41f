"""The admin API for the audit: what operators did, for programs."""

from paperround.domain.keys import Scope
from paperround.web.auth import keyed_router
from paperround.web.delivery_models import AuditAnswer, AuditPage
from paperround.web.home import Home
from paperround.web.paging import Paging

router = keyed_router(
    "/api/v1/admin/audit", "admin: audit", reading=Scope.AUDIT_READ, writing=Scope.AUDIT_READ
)


@router.get("", summary="List what operators did")
def list_audit(home: Home, paging: Paging) -> AuditPage:
    """Pauses, cancelled editions and replacements, newest first, with who did it."""
    with home.database.reading() as work:
        found = work.audit.page(before=paging.place("audit"), limit=paging.probe)
    return AuditPage(
        items=[AuditAnswer.of(one) for one in found[: paging.limit]],
        next_cursor=paging.next_cursor("audit", [one.id for one in found]),
    )
