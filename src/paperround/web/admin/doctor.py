"""The admin page of the doctor, which runs only when its button is pressed: it queries the relay
and the DNS, and reads the whole database."""

from fastapi import Response

from paperround.doctor.examination import examine
from paperround.doctor.findings import Level
from paperround.web.admin.session import Visit, operator_router

router = operator_router()

WORST_FIRST = (Level.FAIL, Level.WARN, Level.SKIPPED, Level.OK)


@router.get("/doctor")
def show_doctor(visit: Visit) -> Response:
    """Show the button."""
    return visit.page("doctor.html", findings=None)


@router.post("/doctor")
def run_doctor(visit: Visit) -> Response:
    """Run every check, and show the findings, the worst first."""
    found = sorted(examine(visit.app, now=visit.now), key=lambda one: WORST_FIRST.index(one.level))
    return visit.page("doctor.html", findings=found)
