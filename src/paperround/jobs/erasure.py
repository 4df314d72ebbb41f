"""A person's own data: handed out, and forgotten."""

from collections.abc import Sequence
from datetime import datetime

from paperround.domain.subscribers import Address, Subscriber
from paperround.domain.tokens import Purpose
from paperround.jobs.desk import Desk
from paperround.jobs.links import choosing_reader, noted
from paperround.jobs.ports import UnitOfWork
from paperround.jobs.subscribers import suppress as never_mail
from paperround.jobs.transactions import write


def export_person(desk: Desk, token: str, *, now: datetime) -> dict[str, object] | None:
    """Everything kept about whoever holds a freshly mailed link; None for any other."""
    with desk.database.reading() as work:
        reader = choosing_reader(work, desk.keys, token, now=now)
        return None if reader is None else work.subscribers.export_person(reader.person.id)


def erase_person(desk: Desk, token: str, *, now: datetime) -> bool:
    """Forget whoever holds a freshly mailed link; False, and nothing done, for any other.

    They may come back by signing up: nothing is kept that would stop them.
    """

    def erase(work: UnitOfWork) -> list[str] | None:
        reader = choosing_reader(work, desk.keys, token, now=now)
        return None if reader is None else _erase(work, reader.person, now)

    return _forgotten(desk, write(desk.database, erase))


def was_erased(desk: Desk, token: str) -> bool:
    """Whether a mailed link is of somebody who was erased since; False for a forged one."""
    with desk.database.reading() as work:
        notice = noted(work, desk.keys, token, Purpose.PREFERENCES)
        if notice is None or notice.subscriber_id is None:
            return False
        person = work.subscribers.get(notice.subscriber_id)
    return person is not None and not person.address


def erase_address(desk: Desk, address: Address, *, now: datetime, suppress: bool) -> bool:
    """Forget the person at `address`; True when there was one.

    With `suppress` a keyed hash of the address is kept, so that it is never mailed again, whatever
    is imported or signed up; also when nobody is known under it.
    """

    def erase(work: UnitOfWork) -> list[str] | None:
        person = work.subscribers.find(address)
        if suppress:
            never_mail(work, desk.keys, address, reason="erased", now=now)
        return None if person is None else _erase(work, person, now)

    return _forgotten(desk, write(desk.database, erase))


def _erase(work: UnitOfWork, person: Subscriber, now: datetime) -> list[str]:
    """Forget the person; returns the Message-IDs of what was mailed to them."""
    message_ids = work.subscribers.message_ids_of(person.id)
    work.subscribers.erase(person.id, now=now)
    return message_ids


def _forgotten(desk: Desk, message_ids: Sequence[str] | None) -> bool:
    """Mails kept as files go once the database has forgotten whose they were."""
    if message_ids is None:
        return False
    desk.forget_mails(message_ids)
    return True
