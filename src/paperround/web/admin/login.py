"""Log in by a mailed link, and log out. Every address gets the same response."""

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request, Response

from paperround.access.operators import log_in, log_out
from paperround.core.errors import InvalidInput, SharedLimitReached
from paperround.core.languages import marked
from paperround.signup.requests import count_trapped, request_operator_link
from paperround.web import form_token
from paperround.web.admin.session import (
    HOME,
    LOG_IN_AGAIN,
    LOGIN,
    SEND_ORIGIN,
    Visit,
    back_to,
    come_back,
    delete_cookie,
    find_current,
    operator_router,
    page_after_login,
    require_own_page,
    set_cookie,
)
from paperround.web.context import App, Client, Now
from paperround.web.language import requested_language
from paperround.web.signup import LinkForm, count_refusals, identify_visitor, parse_email_field
from paperround.web.templates import private_page

router = APIRouter(include_in_schema=False, dependencies=[Depends(require_own_page)])
"""The routes for visitors who are not logged in."""

own = operator_router()

NO_LINK = marked("This link was already used or has expired after 15 minutes. Request a new one.")


@router.get(LOGIN)
def show_login(app: App, now: Now, request: Request, back: str = "") -> Response:
    """Show the form to request a link, unless the visitor is logged in. With `back`, the page to
    come back to, it is shown in any case."""
    if not back and find_current(request) is not None:
        return back_to(HOME)
    page = _login_page(app, now, LinkForm(), problem=LOG_IN_AGAIN if back else "")
    come_back(request, page, back)
    return page


def _login_page(
    app: App,
    now: Now,
    form: LinkForm,
    *,
    status: int = 200,
    error: InvalidInput | None = None,
    problem: str = "",
) -> Response:
    page = private_page(
        app,
        "admin/login.html",
        status=status,
        form=form,
        stamp=form_token.make_stamp(app.signup_context.keys, now=now),
        error=error,
        problem=problem,
    )
    page.headers.update(SEND_ORIGIN)
    return page


@router.post(LOGIN)
def request_link(app: App, now: Now, client: Client, form: Annotated[LinkForm, Form()]) -> Response:
    """Queue an email with a link for an operator."""
    context = app.signup_context
    visitor, is_bot = identify_visitor(app, client, form, now)
    try:
        address = parse_email_field(form.email)
        with count_refusals(app, now):
            if is_bot:
                count_trapped(context, visitor, now=now)
            else:
                language = requested_language()
                request_operator_link(context, address, visitor, language, now=now)
    except SharedLimitReached as error:
        return _login_page(app, now, form, status=503, problem=error.text)
    except InvalidInput as error:
        return _login_page(app, now, form, status=422, error=error)
    page = private_page(app, "admin/link_mailed.html")
    page.headers.update(SEND_ORIGIN)
    return page


@router.get(LOGIN + "/{token}")
def show_button(app: App) -> Response:
    """Show the button that logs in. GET changes nothing, and every link shows the same page."""
    page = private_page(app, "admin/enter.html")
    page.headers.update(SEND_ORIGIN)
    return page


@router.post(LOGIN + "/{token}")
def use_link(app: App, now: Now, request: Request, token: str) -> Response:
    """Log in. A forged, old or used link, and one of a removed operator, all get the same page."""
    secret = log_in(app.database, app.signup_context.keys, token, now=now)
    if secret is None:
        return _login_page(app, now, LinkForm(), status=403, problem=NO_LINK)
    response = back_to(page_after_login(request))
    set_cookie(request, response, secret)
    return response


@own.post("/logout")
def end(visit: Visit, everywhere: Annotated[str, Form()] = "") -> Response:
    """End this session, or all sessions of the operator."""
    log_out(visit.database, visit.session, everywhere=bool(everywhere), now=visit.now)
    response = back_to(LOGIN)
    delete_cookie(visit.request, response)
    return response
