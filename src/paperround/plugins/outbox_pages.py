"""Pages of the local outbox: every message as its recipient would see it.

A demo, and a site that only this machine can reach, show them to anybody on the same machine.
Otherwise they need an API key with the scope `outbox:read`, as a bearer token or, in a browser, as
the password.

The id of an email is its file name without suffix. Only files listed in the folder are opened, so
no id can lead out of it.
"""

import base64
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import quote

from fastapi import APIRouter, Depends, Request, Response
from starlette.exceptions import HTTPException

from paperround.access.keys import authenticate
from paperround.access.model import Scope, allows
from paperround.core.errors import NotFound
from paperround.core.languages import marked
from paperround.core.smtp_url import OutboxFolder, parse_smtp_url
from paperround.core.times import require_utc
from paperround.delivery.status import DIGEST, email_kind_name
from paperround.web.context import App, Client, Now
from paperround.web.templates import email_page, private_page

SHOWN = 200
"""The most emails in a listing."""

_ENDING = ".eml"
_PARSER = BytesParser(_class=EmailMessage, policy=policy.default)

View = Literal["html", "text", "source", "headers"]


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxEntry:
    """An email in a listing. `called` is the name of its kind; `dated` is None without a valid
    date."""

    id: str
    to: str
    subject: str
    called: str
    dated: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxMail:
    """A complete email: its entry, its header fields in order, both parts, and its bytes."""

    line: OutboxEntry
    headers: tuple[tuple[str, str], ...]
    text: str
    html: str
    content: bytes

    @property
    def source(self) -> str:
        """The bytes as text."""
        return self.content.decode("utf-8", "replace")


def list_emails(directory: Path) -> list[OutboxEntry]:
    """Return up to 200 emails in `directory`, newest first; none if there is no such folder."""
    aged = sorted(((path.stat().st_mtime_ns, path) for path in _files(directory)), reverse=True)
    return [
        _entry(path, _PARSER.parsebytes(path.read_bytes(), headersonly=True))
        for _, path in aged[:SHOWN]
    ]


def _files(directory: Path) -> Iterator[Path]:
    """Return the files of the emails, without the hidden ones that are still being written."""
    return (path for path in directory.glob(f"*{_ENDING}") if not path.name.startswith("."))


def _entry(path: Path, message: EmailMessage) -> OutboxEntry:
    moment = getattr(message.get("Date"), "datetime", None)
    # A list's email is a digest; system email names its kind: `Feedback-ID: confirm:notice:...`.
    kind = str(message.get("Feedback-ID", "")).partition(":")[0].strip()
    return OutboxEntry(
        id=path.stem,
        to=str(message.get("To", "")),
        subject=str(message.get("Subject", "")),
        called=email_kind_name(DIGEST if "List-Id" in message else kind),
        dated=None if moment is None or moment.tzinfo is None else require_utc(moment),
    )


def _part(message: EmailMessage, subtype: str) -> str:
    body = message.get_body((subtype,))
    return "" if body is None else str(body.get_content())


def require_access(request: Request, app: App, now: Now, client: Client) -> None:
    """Check that the client may read the outbox. Raises HTTPException (401 or 403)."""
    if (app.demo or app.is_outbox_open) and client is not None and ip_address(client).is_loopback:
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
    files = _files(where.directory) if isinstance(where, OutboxFolder) else ()
    path = next((one for one in files if one.stem == mail_id), None)
    if path is None:
        raise NotFound(marked("There is no such email in the outbox."))
    content = path.read_bytes()
    message = _PARSER.parsebytes(content)
    return OutboxMail(
        line=_entry(path, message),
        headers=tuple((name, str(value)) for name, value in message.items()),
        text=_part(message, "plain"),
        html=_part(message, "html"),
        content=content,
    )


Mail = Annotated[OutboxMail, Depends(get_message)]


@router.get("/outbox/{mail_id}")
def show_message(app: App, mail: Mail, show: View = "html") -> Response:
    """Show one message: HTML in a frame, text, source, or header fields."""
    return private_page(app, "outbox_mail.html", mail=mail, show=show)


@router.get("/outbox/{mail_id}/html")
def show_html(mail: Mail) -> Response:
    """Return the HTML part for a frame, isolated from the site."""
    return email_page(mail.html)


@router.get("/outbox/{mail_id}/eml")
def download(mail: Mail) -> Response:
    """Return the message as an .eml file."""
    name = quote(f"{mail.line.id}.eml", safe="")
    return Response(
        mail.content,
        headers={"content-disposition": f"attachment; filename*=UTF-8''{name}"},
        media_type="message/rfc822",
    )
