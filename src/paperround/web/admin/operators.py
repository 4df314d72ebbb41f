"""The admin page of operators: who may log in; add one, remove one."""

from fastapi import Request, Response

from paperround.access.operators import add_operator, list_operators, remove_operator
from paperround.bootstrap import AppContext
from paperround.core.errors import InvalidInput, NotFound, invalid
from paperround.core.languages import marked
from paperround.subscribers.addresses import parse_address
from paperround.web.admin.forms import FormFields
from paperround.web.admin.session import Operator, Session, admin_page, back_to, operator_router
from paperround.web.context import App, Now
from paperround.web.paging import RowNumber
from paperround.web.people_models import address_in

router = operator_router()

PATH = "/admin/operators"


@router.get("/operators")
def show_operators(app: App, session: Session, request: Request) -> Response:
    """Show every operator, and the form of a new one."""
    return _page(app, request, own=session.operator_id)


def _page(
    app: AppContext,
    request: Request,
    *,
    own: int,
    email: str = "",
    error: InvalidInput | None = None,
) -> Response:
    return admin_page(
        request,
        "operators.html",
        status=422 if error else 200,
        operators=list_operators(app.database),
        own=own,
        email=email,
        error=error,
    )


@router.post("/operators")
def add(
    app: App, now: Now, by: Operator, session: Session, request: Request, form: FormFields
) -> Response:
    """Allow a person to log in; they request a link themselves."""
    email = form.get("email", "")
    try:
        address = address_in(email)
        add_operator(app.database, address.mailed, address.folded, now=now, by=by)
    except InvalidInput as error:
        return _page(app, request, own=session.operator_id, email=email, error=error)
    return back_to(PATH)


@router.post("/operators/{number}/remove")
def remove(
    app: App, now: Now, by: Operator, session: Session, request: Request, number: RowNumber
) -> Response:
    """Remove an operator, and end their sessions at once."""
    own = session.operator_id
    if number == own:
        error = invalid("operator", "you cannot remove yourself: ask another operator")
        return _page(app, request, own=own, error=error)
    found = next((one for one in list_operators(app.database) if one.id == number), None)
    if found is None:
        raise NotFound(marked("Operator not found."))
    remove_operator(app.database, parse_address(found.email).folded, now=now, by=by)
    return back_to(PATH)
