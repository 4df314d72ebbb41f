"""The admin page of operators: who may log in; add one, remove one."""

from fastapi import Response

from paperround.access.operators import add_operator, list_operators, remove_operator
from paperround.core.errors import InvalidInput, NotFound, invalid
from paperround.core.languages import marked
from paperround.subscribers.addresses import parse_address
from paperround.web.admin.forms import FormFields
from paperround.web.admin.session import FRESH_LOGIN, Visit, back_to, operator_router
from paperround.web.paging import RowNumber
from paperround.web.people_models import address_in

router = operator_router()

PATH = "/admin/operators"


@router.get("/operators")
def show_operators(visit: Visit) -> Response:
    """Show every operator, and the form of a new one."""
    return _page(visit, own=visit.session.operator_id)


def _page(
    visit: Visit, *, own: int, email: str = "", error: InvalidInput | None = None
) -> Response:
    return visit.page(
        "operators.html",
        operators=list_operators(visit.database),
        own=own,
        email=email,
        error=error,
    )


@router.post("/operators", dependencies=[FRESH_LOGIN])
def add(visit: Visit, form: FormFields) -> Response:
    """Allow a person to log in; they request a link themselves."""
    email = form.get("email", "")
    try:
        address = address_in(email)
        add_operator(visit.database, address.mailed, address.folded, now=visit.now, by=visit.by)
    except InvalidInput as error:
        return _page(visit, own=visit.session.operator_id, email=email, error=error)
    return back_to(PATH)


@router.post("/operators/{number}/remove", dependencies=[FRESH_LOGIN])
def remove(visit: Visit, number: RowNumber) -> Response:
    """Remove an operator, and end their sessions at once."""
    own = visit.session.operator_id
    if number == own:
        error = invalid("operator", "you cannot remove yourself: ask another operator")
        return _page(visit, own=own, error=error)
    found = next((one for one in list_operators(visit.database) if one.id == number), None)
    if found is None:
        raise NotFound(marked("Operator not found."))
    remove_operator(visit.database, parse_address(found.email).folded, now=visit.now, by=visit.by)
    return back_to(PATH)
