"""Sample messages: a digest and a confirmation as they would leave now, to be looked at. Nobody
gets one, and their links lead nowhere."""

from datetime import datetime

from paperround.domain.deliveries import DeliveryId, Lease, Worker
from paperround.domain.digests import DigestMail, Letterhead
from paperround.domain.lists import MailingList
from paperround.domain.notices import ClaimedNotice, NoticeKind, NoticeMail
from paperround.jobs.build import Identity
from paperround.jobs.compose import SOMEBODY, newcomers_mail
from paperround.jobs.notices import new_notice, notice_mail
from paperround.store.unit_of_work import UnitOfWork


def sample_digest(
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
    notice = sample_notice(identity, NoticeKind.TEST, now=now)
    return newcomers_mail(newest, mailing_list, notice, letterhead, identity.keys)


def sample_confirmation(
    mailing_list: MailingList, letterhead: Letterhead, identity: Identity, *, now: datetime
) -> NoticeMail:
    """What somebody would get who asks for the list's mails now."""
    notice = sample_notice(identity, NoticeKind.CONFIRM, now=now)
    return notice_mail(notice, letterhead, mailing_list.title, identity.keys)


def sample_notice(identity: Identity, kind: NoticeKind, *, now: datetime) -> ClaimedNotice:
    """A notice to nobody, as if it were about to be sent."""
    new = new_notice(identity, kind, "sample", None, SOMEBODY, {}, now=now)
    return ClaimedNotice(
        id=DeliveryId(0),
        kind=kind,
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
