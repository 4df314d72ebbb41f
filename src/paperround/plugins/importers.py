"""Convert the files of other mailing-list programs to the columns of an import.

Only the address, the state and the time of consent are imported; names and all other data are left
out. The operator may vouch for a consent that the file does not state; without either the entry is
rejected. An opt-out needs no proof.
"""

import io
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, tzinfo

from paperround.core.errors import InvalidInput
from paperround.core.times import format_instant, parse_instant, zone_of
from paperround.papers.model import Reject
from paperround.subscribers.import_files import (
    FileEntry,
    Found,
    Row,
    cell,
    decoded,
    is_json,
    objects,
    sheet,
    text_of,
)
from paperround.subscribers.model import SubscriberState


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentRecord:
    """When and how people agreed, as stated by the operator, who is responsible for it."""

    at: datetime | None = None
    source: str | None = None


Importer = Callable[[bytes, datetime | None, str | None], list[Found]]
"""Returns the people in a file, given its content, and when and how they agreed as stated by the
operator. Raises InvalidInput if the file is of another kind."""


def _importer(
    find: Callable[[str], list[Found]], translate: Callable[[Row, ConsentRecord], Row]
) -> Importer:
    """Return the importer that finds the entries of a program's file and translates them to our
    rows. The date of consent in the file takes precedence over the operator's; the operator's
    source over the name of the program."""

    def translated(found: Found, vouched: ConsentRecord) -> Found:
        if isinstance(found, Reject):
            return found
        try:
            return replace(found, row=translate(found.row, vouched))
        except InvalidInput as problem:
            return found.reject(problem)

    def read(content: bytes, consent_at: datetime | None, source: str | None) -> list[Found]:
        vouched = ConsentRecord(at=consent_at, source=source)
        return [translated(found, vouched) for found in find(decoded(content))]

    return read


def _person(email: str, state: SubscriberState, consent: Row | None = None) -> Row:
    return {"email": email, "status": state.value, **(consent or {})}


def _consent(at: datetime | None, vouched: ConsentRecord, program: str) -> Row:
    """The columns of a consent given at `at`, as the program states, or of a vouched one."""
    at = at or (vouched.at if vouched.source else None)
    if at is None:
        raise InvalidInput(
            "nothing here says when they agreed: if you know, state it with --consent-at and "
            "--consent-source",
            code="no-consent",
        )
    return {"consent_at": format_instant(at), "consent_source": vouched.source or program}


def _says(row: Row, column: str) -> str:
    return text_of(row, column).casefold()


# --- listmonk ----------------------------------------------------------------------------------

_LISTMONK_STATES = {
    "confirmed": SubscriberState.ACTIVE,
    "unconfirmed": SubscriberState.PENDING,
    "unsubscribed": SubscriberState.UNSUBSCRIBED,
}


def _from_listmonk(row: Row, vouched: ConsentRecord) -> Row:
    email, status = text_of(row, "email"), _says(row, "status")
    if status == "blocklisted":
        return _person(email, SubscriberState.SUPPRESSED)
    if status != "enabled":
        code = "disabled" if status == "disabled" else "bad-status"
        raise InvalidInput(
            f"status is {status!r}: only enabled and blocklisted people are imported", code=code
        )
    text = _says(row, "subscription_status")
    if not text and not vouched.source:
        # the export of its admin pages has no such column: the operator must state it
        raise InvalidInput(
            "no subscription_status, so nothing says that they confirmed: export only the "
            "confirmed ones, and state how they agreed with --consent-source",
            code="no-consent",
        )
    if text and text not in _LISTMONK_STATES:
        known = ", ".join(_LISTMONK_STATES)
        raise InvalidInput(
            f"subscription_status is {text!r}: use one of {known}", code="bad-status"
        )
    state = _LISTMONK_STATES[text] if text else SubscriberState.ACTIVE
    if state is SubscriberState.UNSUBSCRIBED:
        return _person(email, state)
    return _person(
        email, state, _consent(cell(row, "created_at", _listmonk_time), vouched, "listmonk")
    )


def _listmonk_time(text: str) -> datetime | None:
    """Parse a time as Go writes it, `2024-03-01 09:30:00.5 +0530 IST`, ignoring the zone's name."""
    parts = text.split(" ")
    return parse_instant(" ".join(parts[:2]) + "".join(parts[2:3])) if text else None


# --- Mailman -----------------------------------------------------------------------------------


def _find_mailman(text: str) -> list[Found]:
    """Find the people in a roster of its REST API, a table with an `email` column, or lines of
    addresses."""
    if is_json(text):
        return objects(text, within="entries")
    if "email" in map(str.strip, text.lstrip().partition("\n")[0].casefold().split(",")):
        return sheet(text, needs=("email",))
    lines = enumerate(io.StringIO(text, newline=None), start=1)
    found: list[Found] = [
        FileEntry(row={"email": _bare(line)}, position=at)
        for at, line in lines
        if line.strip() and not line.startswith("#")
    ]
    if not found:
        raise InvalidInput("there is no address in the file: list the members, one per line")
    return found


def _bare(line: str) -> str:
    """The address in `Ada <ada@example.org>`, or the whole line."""
    _, bracket, rest = line.strip().rpartition("<")
    return rest.removesuffix(">") if bracket else rest


def _from_mailman(row: Row, vouched: ConsentRecord) -> Row:
    email = text_of(row, "email")
    role, delivery = _says(row, "role") or "member", _says(row, "delivery_status") or "enabled"
    if role != "member":
        raise InvalidInput(
            f"role is {role!r}: only members agreed to get email", code="not-a-member"
        )
    if delivery == "by_user":
        return _person(email, SubscriberState.UNSUBSCRIBED)
    if delivery != "enabled":
        raise InvalidInput(
            f"delivery_status is {delivery!r}: Mailman does not email them either",
            code="not-delivered",
        )
    return _person(email, SubscriberState.ACTIVE, _consent(None, vouched, "mailman"))


# --- Google Groups -----------------------------------------------------------------------------

_GOOGLE_TIME = ("join year", "join month", "join day", "join hour", "join minute", "join second")


def _find_google(text: str) -> list[Found]:
    """Find the people in a list of members, with or without a line with the group's name above its
    header."""
    titled = text.lstrip('" ').casefold().startswith("members for group")
    needs = ("email address", "group status", "email status", "email preference")
    return sheet(text, needs=needs, skip=1 if titled else 0)


def _from_google(row: Row, vouched: ConsentRecord) -> Row:
    email, status = text_of(row, "email address"), _says(row, "group status")
    if status not in ("member", "manager", "owner"):
        raise InvalidInput(
            f"Group status is {status!r}: only members agreed to get email", code="not-a-member"
        )
    preference = _says(row, "email preference")
    if preference in ("none", "no email"):
        return _person(email, SubscriberState.UNSUBSCRIBED)
    if not preference:
        raise InvalidInput(
            "Email preference is empty, so nothing says that they want email", code="no-consent"
        )
    if "bounc" in _says(row, "email status"):
        raise InvalidInput("Email status says that email to them bounces", code="not-delivered")
    return _person(
        email, SubscriberState.ACTIVE, _consent(_google_join(row), vouched, "google-groups")
    )


def _google_join(row: Row) -> datetime | None:
    """When a member joined; None if the file has no such columns or the year is empty."""
    year, month, day, *clock = (text_of(row, column) for column in _GOOGLE_TIME)
    if not year:
        return None
    date, time = f"{year}-{month:0>2}-{day:0>2}", ":".join(f"{part:0>2}" for part in clock)
    try:
        moment = parse_instant(f"{date}T{time}")
    except InvalidInput as error:
        raise InvalidInput(f"Join year to Join second: {error}") from None
    zone: tzinfo = UTC  # also for one unknown to tzdata, such as `PDT`: only the day matters
    with suppress(InvalidInput):
        zone = zone_of(text_of(row, "time zone"))
    return moment.replace(tzinfo=zone).astimezone(UTC)


LISTMONK = _importer(
    lambda text: sheet(text, needs=("email", "status", "created_at")),
    _from_listmonk,
)
"""The importer `listmonk`."""

MAILMAN = _importer(_find_mailman, _from_mailman)
"""The importer `mailman`."""

GOOGLE_GROUPS = _importer(_find_google, _from_google)
"""The importer `google-groups`."""
