"""Lists of a reader: show them, and subscribe to another one."""

from dataclasses import dataclass
from datetime import datetime

from paperround.db.transactions import Database, Transaction
from paperround.digests.plan import Welcome
from paperround.editions.lists import MailingList
from paperround.editions.store.lists import ListStore
from paperround.signup.confirm import subscribe_reader, subscriptions_by_list
from paperround.signup.context import SignupContext
from paperround.signup.magic_links import authorized_reader, write_as_reader
from paperround.subscribers.model import SubscriberState

CONSENT = "asked for on the page of their choices, by a mailed link"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReaderList:
    """A list, and the reader's relation to it. `known`: they have, or had, preferences for it."""

    name: str
    title: str
    active: bool
    known: bool


def lists_of(context: SignupContext, token: str, *, now: datetime) -> tuple[ReaderList, ...]:
    """Return every list, by title, for the holder of a recently mailed link; empty for any
    other."""
    with context.database.reading() as work:
        reader = authorized_reader(work, context.keys, token, now=now)
        if reader is None:
            return ()
        subscriptions = subscriptions_by_list(work, reader)
        lists = list[ReaderList]()
        for one in work[ListStore].all():
            state = subscriptions[one.id].state if one.id in subscriptions else None
            active = state is SubscriberState.ACTIVE
            known = state not in (None, SubscriberState.PENDING)
            lists.append(ReaderList(name=one.name, title=one.title, active=active, known=known))
    return tuple(sorted(lists, key=lambda one: (one.title.casefold(), one.name)))


def every_list(database: Database) -> tuple[MailingList, ...]:
    """Return every list, by title."""
    with database.reading() as work:
        return tuple(
            sorted(work[ListStore].all(), key=lambda one: (one.title.casefold(), one.name))
        )


def join_list(context: SignupContext, token: str, list_name: str, *, now: datetime) -> bool:
    """Subscribe the holder of a recently mailed link to the list, with the schedule of their
    current one; return False for any other link. It needs no confirmation: this link reached their
    inbox.

    Raises NotFound for an unknown list.
    """

    def join(work: Transaction) -> Welcome | None:
        mailing_list = work[ListStore].get(list_name)
        reader = authorized_reader(work, context.keys, token, now=now)
        if reader is None:
            return None
        return subscribe_reader(work, context, reader, mailing_list, CONSENT, now)

    welcome = write_as_reader(context, token, join)
    if welcome is None:
        return False
    context.wake()
    if welcome is Welcome.DUE:
        context.plan()
    return True
