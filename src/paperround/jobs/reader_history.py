"""What a reader was sent, as the ledger has it: for the reader, behind a freshly mailed link."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from paperround.domain.deliveries import DeliveryState
from paperround.domain.digests import papers_at
from paperround.domain.editions import Edition, EditionId, page_path
from paperround.domain.mail_words import became, notice_called
from paperround.domain.status import MailRecord
from paperround.jobs.desk import Desk
from paperround.jobs.links import choosing_reader
from paperround.jobs.self_service import masked
from paperround.jobs.status import MOST_MAILS, without_addresses


@dataclass(frozen=True, slots=True, kw_only=True)
class PastPaper:
    """A paper that a digest held, and its page here."""

    title: str
    page: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PastMail:
    """One mail: what it was, when, what became of it in plain words, and what the server said.

    `local_date` is the date of a digest; a notice has none. `at` is when it was sent, else due.
    """

    called: str
    local_date: date | None
    at: datetime
    was_sent: bool
    became: str
    said: str
    papers: tuple[PastPaper, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReaderHistory:
    """The latest mails of a reader, newest first. `most` is how many are shown."""

    masked: str
    zone: str
    mails: tuple[PastMail, ...]
    most: int = MOST_MAILS


def reader_history(desk: Desk, token: str, *, now: datetime) -> ReaderHistory | None:
    """The mails of whoever holds a freshly mailed link; None for any other."""
    with desk.database.reading() as work:
        reader = choosing_reader(work, desk.keys, token, now=now)
        if reader is None:
            return None
        mails = work.status.mails(reader.person.id, limit=MOST_MAILS)
        wanted = {mail.edition_id for mail in mails if mail.edition_id and mail.positions}
        editions = {one: work.editions.get(one) for one in wanted}
        titles = {one.name: one.title for one in work.lists.all()}
    return ReaderHistory(
        masked=masked(reader.person.address),
        zone=reader.subscription.preferences.timezone or reader.mailing_list.zone,
        mails=tuple(_past(mail, editions, titles) for mail in mails),
    )


def _past(
    mail: MailRecord, editions: Mapping[EditionId, Edition], titles: Mapping[str, str]
) -> PastMail:
    list_name = mail.list_name
    called = notice_called(mail.kind) if list_name is None else titles.get(list_name, list_name)
    edition = editions.get(mail.edition_id) if mail.edition_id else None
    papers = papers_at(edition, mail.positions) if edition else ()
    said = " ".join(str(part) for part in (mail.code, without_addresses(mail.reply)) if part)
    return PastMail(
        called=called,
        local_date=mail.local_date,
        at=mail.sent_at or mail.due_at,
        was_sent=mail.state is DeliveryState.SENT,
        became=became(mail.state, mail.reason),
        said=said,
        papers=tuple(PastPaper(title=one.title, page=page_path(one.name)) for one in papers),
    )
