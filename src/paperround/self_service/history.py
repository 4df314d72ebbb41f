"""A reader's history: the messages sent to the holder of a mailed link."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from paperround.core.languages import marked
from paperround.core.times import zone_of
from paperround.delivery.status import (
    MOST_MAILS,
    WHY_NO_MAIL,
    MailRecord,
    email_kind_name,
    redact_addresses,
)
from paperround.delivery.store.status import StatusStore
from paperround.digests.model import papers_at
from paperround.editions.model import DeliveryState, Edition, EditionId, EditionPaper
from paperround.editions.store.editions import EditionStore
from paperround.editions.store.lists import ListStore
from paperround.self_service.preferences import masked
from paperround.signup.context import SignupContext
from paperround.signup.magic_links import authorized_reader


@dataclass(frozen=True, slots=True, kw_only=True)
class PastMail:
    """One message, described for its reader.

    `at` is when it was sent, else due, in the reader's time zone. `heading` is a text with the
    placeholders `day`, `time` and `what` (the number of papers, else `what`). `became` is the
    outcome if the heading does not tell it; its placeholder is the mail server's `reply`.
    """

    called: str
    is_digest: bool
    at: datetime
    heading: str
    what: str
    became: str
    reply: str
    papers: tuple[EditionPaper, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReaderHistory:
    """The latest messages to a reader, newest first. `most` is how many are shown."""

    masked: str
    zone: str
    mails: tuple[PastMail, ...]
    most: int = MOST_MAILS


_OTHER_DAY = marked("%(day)s at %(time)s: %(what)s")
_HEADINGS: Mapping[DeliveryState, str] = {
    DeliveryState.QUEUED: marked("Due %(day)s at %(time)s: %(what)s"),
    DeliveryState.SENT: marked("Sent %(day)s at %(time)s: %(what)s"),
    DeliveryState.SKIPPED: marked("No email on %(day)s: %(what)s"),
}
_BECAME: Mapping[DeliveryState, str] = {
    DeliveryState.CLAIMED: marked("It is being sent now."),
    DeliveryState.IN_DATA: marked("It is being sent now."),
    DeliveryState.DEFERRED: marked("The mail server has not accepted it yet. We’ll try again."),
    DeliveryState.FAILED: marked("The mail server refused it: %(reply)s"),
    DeliveryState.UNKNOWN: marked(
        "The mail server did not reply. It may have arrived, so we won’t send it twice."
    ),
    DeliveryState.EXPIRED: marked(
        "The mail server did not accept it in time, so we stopped trying."
    ),
}
_NOT_SENDABLE = marked("We could not send it.")


def reader_history(context: SignupContext, token: str, *, now: datetime) -> ReaderHistory:
    """Return the messages to the holder of a recently mailed link. Raises LinkExpired."""
    with context.database.reading() as work:
        reader = authorized_reader(work, context.keys, token, now=now)
        mails = work[StatusStore].mails(reader.person.id, limit=MOST_MAILS)
        wanted = {mail.edition_id for mail in mails if mail.edition_id and mail.positions}
        editions = {one: work[EditionStore].get(one) for one in wanted}
        titles = {one.name: one.title for one in work[ListStore].all()}
    zone = reader.subscription.preferences.timezone or reader.mailing_list.zone
    return ReaderHistory(
        masked=masked(reader.person.address),
        zone=zone,
        mails=tuple(_past_mail(mail, editions, titles, zone) for mail in mails),
    )


def _past_mail(
    mail: MailRecord, editions: Mapping[EditionId, Edition], titles: Mapping[str, str], zone: str
) -> PastMail:
    list_name = mail.list_name
    called = email_kind_name(mail.kind) if list_name is None else titles.get(list_name, list_name)
    edition = editions.get(mail.edition_id) if mail.edition_id else None
    is_skipped = mail.state is DeliveryState.SKIPPED
    reply = redact_addresses(mail.reply) or ""
    was_refused = bool(reply) or mail.state is not DeliveryState.FAILED
    return PastMail(
        called=called,
        is_digest=list_name is not None,
        at=(mail.sent_at or mail.due_at).astimezone(zone_of(zone)),
        heading=_HEADINGS.get(mail.state, _OTHER_DAY),
        what=WHY_NO_MAIL.get(mail.reason, called) if is_skipped else called,
        became=_BECAME.get(mail.state, "") if was_refused else _NOT_SENDABLE,
        reply=reply,
        papers=papers_at(edition, mail.positions) if edition else (),
    )
