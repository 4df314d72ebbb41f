"""The admin page of the doctor, which runs only when its button is pressed: it queries the relay
and the DNS, and reads the whole database."""

from fastapi import Request, Response

from paperround.doctor.examination import examine
from paperround.doctor.findings import Level
from paperround.web.admin.session import admin_page, operator_router
from paperround.web.context import App, Now

router = operator_router()

WORST_FIRST = (Level.FAIL, Level.WARN, Level.SKIPPED, Level.OK)


@router.get("/doctor")
def show_doctor(request: Request) -> Response:
    """Show the button."""
    return admin_page(request, "doctor.html", findings=None)


@router.post("/doctor")
def run_doctor(app: App, now: Now, request: Request) -> Response:
    """Run every check, and show the findings, the worst first."""
    found = sorted(examine(app, now=now), key=lambda one: WORST_FIRST.index(one.level))
    return admin_page(request, "doctor.html", findings=found)
