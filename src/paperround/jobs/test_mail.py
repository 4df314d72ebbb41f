"""A test mail: today's digest to one address, now. It counts for nothing."""

from datetime import datetime, timedelta

from paperround.domain.deliveries import FIRST_RETRY
from paperround.domain.errors import Conflict, InvalidInput
from paperround.domain.lists import ListId
from paperround.domain.notices import NewNotice, Notice, NoticeKind
from paperround.domain.subscribers import Address
from paperround.jobs.build import Identity
from paperround.jobs.deliver import deliver_notices
from paperround.jobs.lanes import Post, why_held
from paperround.jobs.notices import new_notice
from paperround.jobs.subscribers import require_suppression_keys, suppression_digests
from paperround.jobs.transactions import write
from paperround.store.unit_of_work import UnitOfWork

LIFE = FIRST_RETRY - timedelta(minutes=1)
"""A test is tried once: its life ends before a second try would come."""


def send_test(
    post: Post, identity: Identity, address: Address, list_name: str, *, now: datetime
) -> Notice:
    """Write a test mail to `address` and send it at once, with whatever other notices wait.

    It holds the list's newest edition, as somebody new would get it; a few words where there is
    none. Returns the notice as it then stands. Raises NotFound for an unknown list, InvalidInput
    for an address that must never be mailed, and Conflict while mail is held.
    """
    if (held := why_held(post)) is not None:
        raise Conflict(held)
    notice = write(post.database, lambda work: _put(work, identity, address, list_name, now))
    deliver_notices(post)
    with post.database.reading() as work:
        written = work.notices.find(notice.key)
    if written is None:
        raise Conflict("the test mail was taken away before it was sent: try again")
    return written


def _put(
    work: UnitOfWork, identity: Identity, address: Address, list_name: str, now: datetime
) -> NewNotice:
    list_id = work.lists.get(list_name).id
    require_suppression_keys(work, identity.keys)
    if work.subscribers.suppressed(suppression_digests(identity.keys, address)):
        raise InvalidInput(
            f"{address.written} is suppressed and never mailed, not even for a test: "
            "`paperround suppressions lift` ends that when the person asks"
        )
    payload = _payload(work, list_id, now)
    key = f"{NoticeKind.TEST}/{now.isoformat()}"
    notice = new_notice(
        identity, NoticeKind.TEST, key, None, address.mailed, payload, now=now, life=LIFE
    )
    if not work.notices.put(notice, now=now):
        raise Conflict("another test mail was written at this very instant: try again")
    return notice


def _payload(work: UnitOfWork, list_id: ListId, now: datetime) -> dict[str, str | int]:
    newest = work.editions.newest(list_id, by=now)
    payload: dict[str, str | int] = {"list": list_id}
    return payload | {"edition": newest.id} if newest is not None and newest.papers else payload
