"""List what happened to one person, newest first, each event as a sentence with its instant.

Messages with the servers' replies, links that were used, bounces and complaints, and changes that
the person or an operator made (from the audit log). Only recorded facts are listed.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from paperround.access.model import AuditEntry, AuditQuery
from paperround.access.store import AuditStore
from paperround.bounces.model import Did, ReportKind, ReturnRecord
from paperround.bounces.store import ReturnStore
from paperround.core.errors import InvalidInput
from paperround.core.reasons import counted
from paperround.core.times import format_instant
from paperround.db.transactions import Database
from paperround.delivery.status import DIGEST, MailRecord, redact_addresses
from paperround.delivery.store.status import StatusStore
from paperround.delivery.store.system_mail import NoticeLedger
from paperround.delivery.system_mail_model import Notice, SystemMailKind
from paperround.editions.model import DeliveryState
from paperround.editions.store.lists import ListStore
from paperround.ops.why import reason_text
from paperround.self_service.help_desk import ONCE_CONFIRMED, require_person
from paperround.subscribers.audit import READER, person_target
from paperround.subscribers.model import SubscriberId
from paperround.subscribers.store.subscribers import SubscriberStore

MOST_EVENTS = 10_000
"""How many events back a timeline goes."""

_MAILS: Mapping[str, str] = {
    SystemMailKind.CONFIRM: "The email that asks for confirmation",
    SystemMailKind.REMINDER: "The reminder to confirm",
    SystemMailKind.CHANGE: "The email about a change of address",
    SystemMailKind.PREFERENCES: "The link to their choices that they requested",
    SystemMailKind.UNDO: "The unsubscribe confirmation with an undo link",
}
_STATES: Mapping[DeliveryState, str] = {
    DeliveryState.QUEUED: "is waiting to be sent",
    DeliveryState.CLAIMED: "is being sent",
    DeliveryState.IN_DATA: "is being sent",
    DeliveryState.SENT: "was accepted by the mail server",
    DeliveryState.DEFERRED: "was not accepted yet by the mail server, and is retried",
    DeliveryState.FAILED: "was refused by the mail server",
    DeliveryState.UNKNOWN: "was handed over without an answer; it may have arrived",
    DeliveryState.EXPIRED: "could not be sent in time, so we gave up",
}
_USED: Mapping[str, str] = {
    SystemMailKind.CONFIRM: "They confirmed with the link in an email.",
    SystemMailKind.REMINDER: "They confirmed with the link in the reminder.",
    SystemMailKind.CHANGE: "The link that confirms a change of address was used.",
    SystemMailKind.PREFERENCES: "They opened their choices and saved them.",
    SystemMailKind.UNDO: "They resubscribed with the link in the unsubscribe confirmation.",
}
_RETURNED: Mapping[ReportKind, str] = {
    ReportKind.BOUNCE: "A message bounced",
    ReportKind.COMPLAINT: "They reported a message as spam",
    ReportKind.AUTO_REPLY: "An automatic reply arrived",
    ReportKind.REPORT: "A report about our messages arrived",
    ReportKind.UNSUBSCRIBE: "They unsubscribed by email",
    ReportKind.QUARANTINED: "A message from them is in quarantine",
}
_ACTIONS: Mapping[str, str] = {
    "add person": "were added to a list",
    "edit choices": "had choices changed",
    "unsubscribe": "were unsubscribed",
    "join list": "joined a list",
    "resend confirmation": "had the confirmation resent",
    "resend digest": "had a digest resent",
    "move person": "had their address changed",
    "export person": "had their data exported",
    "add suppression": "were suppressed",
    "lift suppression": "may be emailed again",
    "find suppression": "were looked up among the suppressions",
}
"""An operator's action, as the rest of a sentence that begins with “They”."""
_ASKED = {"move person": "had a change of address requested"}
"""The same for an action that takes effect once they confirm it."""
_UNNAMED = frozenset({"how", "outcome", "then"})
"""Details of an entry that are shown without their names."""
_BY_THEMSELVES: Mapping[str, str] = {
    "edit choices": "changed their choices",
    "unsubscribe": "unsubscribed",
    "join list": "joined a list",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class TimelineEvent:
    """Something that happened to a person. `kind` is `message`, `link`, `returned`, `change` or
    `consent`; `mail` names the message that it is about, such as `delivery/7`."""

    at: datetime
    kind: str
    text: str
    mail: str | None = None


def timeline(
    database: Database, number: SubscriberId, *, after: int = 0, limit: int
) -> list[TimelineEvent]:
    """Return what happened to a person, newest first: `limit` events after the newest `after`.

    Raises NotFound, and InvalidInput for more than MOST_EVENTS.
    """
    if after + limit > MOST_EVENTS:
        raise InvalidInput("the timeline goes no further back", code="cursor")
    most = after + limit
    with database.reading() as work:
        person = require_person(work, number)
        mails = work[StatusStore].mails(number, limit=most)
        used = work[NoticeLedger].used_by(number, limit=most)
        returned = work[ReturnStore].events(number, limit=most)
        changes = work[AuditStore].page(
            AuditQuery(target=person_target(number)), before=None, limit=most
        )
        names = {one.id: one.name for one in work[ListStore].all()}
        signed_up = work[SubscriberStore].signed_up(number)
    events = [
        *(_of_mail(one) for one in mails),
        *(_of_link(one, at) for one in used if (at := one.used_at)),
        *(_of_returned(one) for one in returned),
        *(_of_change(one) for one in changes),
        *(
            _event(at, "consent", f"First added to the list {names[one]}.")
            for one, at in signed_up.items()
        ),
    ]
    if (consent := person.consent) is not None:
        events.append(_event(consent.at, "consent", f"They agreed to get email: {consent.source}."))
    newest = sorted(events, key=lambda one: one.at, reverse=True)
    return newest[after:most]


def _event(at: datetime, kind: str, text: str, mail: str | None = None) -> TimelineEvent:
    return TimelineEvent(at=at, kind=kind, text=text, mail=mail)


def _of_mail(mail: MailRecord) -> TimelineEvent:
    what = _MAILS.get(mail.kind, "An email")
    if mail.list_name is not None:
        papers = f" with {counted(len(mail.positions), 'paper')}" if mail.positions else ""
        what = f"The digest of {mail.list_name} of {mail.local_date}{papers}"
        if mail.kind != DIGEST:
            what += f" ({mail.kind.replace('_', ' ')})"
    if mail.state is DeliveryState.SKIPPED:
        became = f"was not sent, because {reason_text(mail.reason)}"
    elif mail.is_in_outbox:
        became = "was not sent but kept in the outbox, because no relay was set"
    else:
        became = _STATES[mail.state]
    if mail.state is DeliveryState.DEFERRED and mail.next_at is not None:
        became += f" at {format_instant(mail.next_at)}"
    return _event(
        mail.sent_at or mail.due_at, "message", f"{what} {became}{_answer(mail)}.", mail.name
    )


def _answer(mail: MailRecord) -> str:
    """Return what the server said, as `: 550 5.1.1 no such user`."""
    said = " ".join((redact_addresses(mail.reply) or "").split()).rstrip(".")
    if mail.state is DeliveryState.SKIPPED or mail.is_in_outbox or not (said or mail.code):
        return ""
    code = str(mail.code) if mail.code and not said.startswith(str(mail.code)) else ""
    return f": {' '.join(filter(None, (code, said)))}"


def _of_link(notice: Notice, at: datetime) -> TimelineEvent:
    return _event(at, "link", _USED.get(notice.kind, "They used the link in an email."))


def _of_returned(event: ReturnRecord) -> TimelineEvent:
    said = f": {event.said.rstrip('.')}" if event.said else ""
    then = "; no more email is sent to this address" if event.did is Did.STOPPED else ""
    return _event(
        event.happened_at, "returned", f"{_RETURNED[event.kind]}{said}{then}.", event.mail
    )


def _of_change(entry: AuditEntry) -> TimelineEvent:
    details = ", ".join(_details(entry))
    if entry.actor == READER:
        did, by = _BY_THEMSELVES.get(entry.action, entry.action), ""
    else:
        actions = _ASKED if entry.details.get("how") == ONCE_CONFIRMED else _ACTIONS
        did, by = actions.get(entry.action, entry.action), f", by {entry.actor}"
    return _event(entry.at, "change", f"They {did}{f' ({details})' if details else ''}{by}.")


def _details(entry: AuditEntry) -> Iterator[str]:
    for name, value in entry.details.items():
        said = str(value).replace("- ->", "default ->").replace("-> -", "-> default")
        yield said if name in _UNNAMED else f"{name.replace('_', ' ')} {said}"
