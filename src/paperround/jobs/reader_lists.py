"""Several lists at once: which there are, which of them a reader gets, and joining another."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from paperround.domain.lists import ListId, MailingList
from paperround.domain.readers import NewSignup
from paperround.domain.subscribers import (
    Consent,
    Preferences,
    SubscriberState,
    Subscription,
)
from paperround.jobs.desk import Desk
from paperround.jobs.links import Reader, choosing_reader, write_by_link
from paperround.jobs.plan import Hours, Welcome, plan_newcomer
from paperround.store.lists import ListStore
from paperround.store.subscribers import SubscriberStore
from paperround.store.unit_of_work import Database, UnitOfWork

CONSENT = "asked for on the page of their choices, by a mailed link"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReaderList:
    """A list, and how its reader stands to it. `known`: they have, or had, choices for it."""

    name: str
    title: str
    active: bool
    known: bool


def lists_of(desk: Desk, token: str, *, now: datetime) -> tuple[ReaderList, ...]:
    """Every list, by title, for whoever holds a freshly mailed link; none for any other."""
    with desk.database.reading() as work:
        reader = choosing_reader(work, desk.keys, token, now=now)
        if reader is None:
            return ()
        theirs = _theirs(work, reader)
        lists = list[ReaderList]()
        for one in work[ListStore].all():
            state = theirs[one.id].state if one.id in theirs else None
            active = state is SubscriberState.ACTIVE
            known = state not in (None, SubscriberState.PENDING)
            lists.append(ReaderList(name=one.name, title=one.title, active=active, known=known))
    return tuple(sorted(lists, key=lambda one: (one.title.casefold(), one.name)))


def _theirs(work: UnitOfWork, reader: Reader) -> Mapping[int, Subscription]:
    return {one.list_id: one for one in work[SubscriberStore].subscriptions_of(reader.person.id)}


def every_list(database: Database) -> tuple[MailingList, ...]:
    """Every list that somebody can sign up for, by title."""
    with database.reading() as work:
        return tuple(
            sorted(work[ListStore].all(), key=lambda one: (one.title.casefold(), one.name))
        )


def join_list(desk: Desk, token: str, list_name: str, *, now: datetime) -> bool:
    """Make whoever holds a freshly mailed link a reader of the list, at the hour and as often as
    they get the one they have; False for any other link. No further mail has to ask them: this link
    came to their inbox.

    Raises NotFound for a list there is not.
    """

    def join(work: UnitOfWork) -> Welcome | None:
        mailing_list = work[ListStore].get(list_name)
        reader = choosing_reader(work, desk.keys, token, now=now)
        if reader is None:
            return None
        return _join(work, desk, reader, mailing_list, CONSENT, now)

    welcome = write_by_link(desk, token, join)
    if welcome is None:
        return False
    desk.wake()
    if welcome is Welcome.DUE:
        desk.plan()
    return True


def join_lists(
    work: UnitOfWork,
    desk: Desk,
    reader: Reader,
    lists: Sequence[ListId],
    *,
    how: str,
    now: datetime,
) -> tuple[str, ...]:
    """Make somebody who just confirmed a reader of further lists; returns the titles of those that
    there still are."""
    known = {one.id: one for one in work[ListStore].all()}
    joined = [known[one] for one in lists if one in known]
    for mailing_list in joined:
        _join(work, desk, reader, mailing_list, how, now)
    return tuple(one.title for one in joined)


def _join(
    work: UnitOfWork,
    desk: Desk,
    reader: Reader,
    mailing_list: MailingList,
    how: str,
    now: datetime,
) -> Welcome | None:
    person = reader.person
    before = _theirs(work, reader).get(mailing_list.id)
    if before is not None and before.state is SubscriberState.ACTIVE:
        return Welcome.LATER
    asked = NewSignup(address=reader.address, preferences=Preferences(), nonce=person.nonce)
    _, subscription = work[SubscriberStore].sign_up(asked, mailing_list.id, now=now)
    is_first = before is None or before.state is SubscriberState.PENDING
    wish = reader.subscription.preferences
    # when it comes is as with the list they have; what it holds is for that list to say
    like_that = replace(wish, size=None, floor=None, paused_until=None, topics=())
    joined = work[SubscriberStore].activate(
        subscription.id,
        preferences=like_that if is_first else None,
        consent=Consent(at=now, source=how),
        now=now,
    )
    fresh = work[SubscriberStore].subscription(person.id, mailing_list.id)
    if not joined or fresh is None:
        return None
    return plan_newcomer(
        work,
        hours=Hours(hour=desk.default_hour),
        mailing_list=mailing_list,
        subscription=fresh,
        now=now,
    )
