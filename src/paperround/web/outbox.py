"""Pages of the local outbox: every message as its recipient would see it.

The demo shows them to anybody on the same machine. Otherwise they need an API key with the scope
`outbox:read`, as a bearer token or, in a browser, as the password.
"""

import base64
from contextlib import suppress
from ipaddress import ip_address
from typing import Annotated, Literal
from urllib.parse import quote

from fastapi import APIRouter, Depends, Request, Response
from starlette.exceptions import HTTPException

from paperround.access.keys import authenticate
from paperround.access.model import Scope, allows
from paperround.core.errors import NotFound
from paperround.core.languages import marked
from paperround.core.smtp_url import OutboxFolder, parse_smtp_url
from paperround.delivery.outbox import OutboxMail, list_emails, read_email
from paperround.web.context import App, Client, Now
from paperround.web.templates import HTML, private_page

FRAMED_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'self'; "
    "sandbox allow-popups allow-popups-to-escape-sandbox"
)
"""Messages contain inline styles, as mail programs need them, and may do nothing else."""

_NEW_WINDOW = '<base target="_blank">'
"""Links in a framed message open a new window, because our pages refuse to be framed."""

View = Literal["html", "text", "source", "headers"]


def require_access(request: Request, app: App, now: Now, client: Client) -> None:
    """Check that the client may read the outbox. Raises HTTPException (401 or 403)."""
    if app.demo and client is not None and ip_address(client).is_loopback:
        return
    sent_key = _sent_key(request.headers.get("authorization", ""))
    key = authenticate(app.database, app.settings.keys, sent_key, client=client, now=now)
    if key is None:
        challenge = {"WWW-Authenticate": 'Basic realm="outbox", charset="UTF-8"'}
        raise HTTPException(401, "The outbox needs a key with the scope outbox:read.", challenge)
    if not allows(key.scopes, Scope.OUTBOX_READ):
        raise HTTPException(403, "This key does not have the scope outbox:read.")


def _sent_key(authorization: str) -> str | None:
    """Return the key from a bearer token or a basic password; None without a header."""
    scheme, _, value = authorization.partition(" ")
    if scheme.lower() == "bearer":
        return value.strip()
    if scheme.lower() == "basic":
        with suppress(ValueError):  # not base64, or not UTF-8
            return base64.b64decode(value, validate=True).decode().partition(":")[2]
    return "" if scheme else None


router = APIRouter(include_in_schema=False, dependencies=[Depends(require_access)])


@router.get("/outbox")
def show_outbox(app: App) -> Response:
    """Show the newest messages, or the relays if messages are not kept in an outbox."""
    where = parse_smtp_url(app.settings.relay)
    if isinstance(where, OutboxFolder):
        return private_page(app, "outbox.html", mails=list_emails(where.directory))
    return private_page(app, "outbox_elsewhere.html", relays=[str(relay) for relay in where])


def get_message(app: App, mail_id: str) -> OutboxMail:
    """Return the message with this id. Raises NotFound."""
    where = parse_smtp_url(app.settings.relay)
    mail = read_email(where.directory, mail_id) if isinstance(where, OutboxFolder) else None
    if mail is None:
        raise NotFound(marked("There is no such mail in the outbox."))
    return mail


Mail = Annotated[OutboxMail, Depends(get_message)]


@router.get("/outbox/{mail_id}")
def show_message(app: App, mail: Mail, show: View = "html") -> Response:
    """Show one message: HTML in a frame, text, source, or header fields."""
    return private_page(app, "outbox_mail.html", mail=mail, show=show)


@router.get("/outbox/{mail_id}/html")
def show_html(mail: Mail) -> Response:
    """Return the HTML part for a frame, isolated from the site."""
    head, tag, rest = mail.html.partition("<head>")
    html = f"{head}{tag}{_NEW_WINDOW}{rest}" if tag else _NEW_WINDOW + mail.html
    return Response(html, headers={"content-security-policy": FRAMED_POLICY}, media_type=HTML)


@router.get("/outbox/{mail_id}/eml")
def download(mail: Mail) -> Response:
    """Return the message as an .eml file."""
    name = quote(f"{mail.line.id}.eml", safe="")
    return Response(
        mail.content,
        headers={"content-disposition": f"attachment; filename*=UTF-8''{name}"},
        media_type="message/rfc822",
    )
