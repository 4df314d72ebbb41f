"""Specimens: a digest and a confirmation as they would leave now, for looking at. Nobody gets one,
and their links lead nowhere."""

from datetime import datetime

from paperround.domain.deliveries import DeliveryId, Lease, Worker
from paperround.domain.digests import DigestMail, Letterhead
from paperround.domain.ledger import Slip
from paperround.domain.lists import MailingList
from paperround.domain.notices import ClaimedNotice, NoticeKind, NoticeMail
from paperround.domain.subscribers import SubscriberId
from paperround.jobs.compose import digest_mail, sheet_of
from paperround.jobs.notices import new_notice, notice_mail
from paperround.jobs.preview import SOMEBODY
from paperround.jobs.rows import Identity, delivery_names
from paperround.store.unit_of_work import UnitOfWork

NOBODY = SubscriberId(0)


def specimen_digest(
    work: UnitOfWork,
    mailing_list: MailingList,
    letterhead: Letterhead,
    identity: Identity,
    *,
    now: datetime,
) -> DigestMail | None:
    """What somebody new would get of the list's newest edition; None where it has no papers."""
    newest = work.editions.newest(mailing_list.id, by=now)
    if newest is None or not newest.papers:
        return None
    names = delivery_names(identity, mailing_list.name, NOBODY, newest.day)
    slip = Slip(
        row=0,
        edition_id=newest.id,
        address=SOMEBODY,
        positions=tuple(paper.position for paper in newest.papers[: mailing_list.size]),
        local_date=newest.day,
        message_id=names.message_id,
        dated=now,
        key_id=identity.keys.current.id,
        nonce=names.nonce,
    )
    return digest_mail(sheet_of(newest, mailing_list.title, letterhead), slip, identity.keys)


def specimen_confirmation(
    mailing_list: MailingList, letterhead: Letterhead, identity: Identity, *, now: datetime
) -> NoticeMail:
    """What somebody would get who asks for the list's mails now."""
    new = new_notice(identity, NoticeKind.CONFIRM, "specimen", None, SOMEBODY, {}, now=now)
    claimed = ClaimedNotice(
        id=DeliveryId(0),
        kind=new.kind,
        subscriber_id=None,
        address=SOMEBODY,
        payload={},
        message_id=new.message_id,
        dated=now,
        key_id=new.key_id,
        nonce=new.nonce,
        attempts=0,
        breakdowns=0,
        expires_at=new.expires_at,
        lease=Lease(worker=Worker(host="", pid=0, started=""), until=now, token=""),
    )
    return notice_mail(claimed, letterhead, mailing_list.title, identity.keys)
