"""A pause, a farewell and a lost key while mails are on their way out."""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest

from paperround.core.clock import FixedClock
from paperround.core.tokens import KeyRing
from paperround.db.transactions import SqlDatabase
from paperround.delivery.ledger_model import LedgerTotals
from paperround.delivery.model import Envelope, Outcome, Phase, Reply
from paperround.delivery.rate_state import MOST_REFUSALS_OF_US
from paperround.delivery.store.system_mail import NoticeLedger
from paperround.delivery.system_mail import new_notice
from paperround.delivery.system_mail_model import SystemMailKind
from paperround.delivery.transitions import FEWEST
from paperround.digests.cancel import pause, resume
from paperround.digests.sending import deliver, deliver_notices
from paperround.editions.model import DeliveryId
from paperround.editions.store.lists import ListStore
from paperround.subscribers.store.subscribers import SubscriberStore
from tests.delivery.notices import KEEPER, Batches, plan, post, tell
from tests.digests.stopping import ELSEWHERE, After
from tests.fakes import accepting
from tests.sample_database import IDENTITY, NOW, subscribe

READERS = FEWEST + 10


@pytest.mark.postgres
@pytest.mark.accept("R11", part="in hand")
def test_a_pause_stops_what_is_already_in_hand_and_a_resume_sends_it_once(
    database: SqlDatabase,
) -> None:
    plan(database, READERS)
    during = After(3, lambda _: pause(database, None, now=NOW))
    mailer = Batches(during)
    assert deliver(post(database, mailer)).totals == LedgerTotals(sent=3, queued=READERS - 3)
    assert len(during.seen) == 4
    resume(database, None, now=NOW)
    soon = replace(post(database, mailer), clock=FixedClock(NOW + timedelta(minutes=1)))
    assert deliver(soon).totals == LedgerTotals(sent=READERS)
    assert len(mailer.sent) == len(set(mailer.sent)) == READERS


@pytest.mark.accept("S13", part="in hand")
def test_who_leaves_while_their_mail_is_in_hand_does_not_get_it(database: SqlDatabase) -> None:
    plan(database, READERS)

    def leave(envelope: Envelope) -> None:
        with database.writing() as work:
            owner = work[SubscriberStore].owner_of_delivery(envelope.id)
            assert owner is not None
            (theirs,) = work[SubscriberStore].subscriptions_of(owner.subscriber_id)
            work[SubscriberStore].leave(theirs.id, now=NOW)

    mailer = Batches(After(5, leave))
    report = deliver(post(database, mailer), until_empty=False)
    assert report.totals == LedgerTotals(sent=READERS - 1, skipped=1)
    assert len(set(mailer.sent)) == len(mailer.sent) == READERS - 1


def write_under_a_lost_key(database: SqlDatabase) -> None:
    """A confirmation whose link only a key can make that this installation lacks."""
    subscribe(database, "old")
    with database.writing() as work:
        people = work[SubscriberStore].export(work[ListStore].get("trending").id)
        (person,) = (one for one, _ in people if one.address.startswith("old"))
        notice = new_notice(ELSEWHERE, SystemMailKind.CONFIRM, "lost", person.id, None, {}, now=NOW)
        work[NoticeLedger].put(notice, now=NOW)


def test_a_notice_whose_key_is_lost_keeps_no_digest_back(database: SqlDatabase) -> None:
    plan(database, 2 * READERS)
    write_under_a_lost_key(database)
    report = deliver(post(database, Batches()))
    assert report.totals == LedgerTotals(sent=2 * READERS)
    assert report.notices == LedgerTotals(deferred=1)
    assert ELSEWHERE.keys.current.id in "".join(report.troubles)


def test_a_notice_whose_key_is_lost_keeps_no_other_notice_back(database: SqlDatabase) -> None:
    write_under_a_lost_key(database)
    tell(database, "good")
    mailer = Batches()
    assert deliver_notices(post(database, mailer)).notices == LedgerTotals(sent=1, deferred=1)
    assert mailer.sent == [KEEPER]


def test_once_the_key_is_back_the_mail_goes(database: SqlDatabase) -> None:
    write_under_a_lost_key(database)
    ours = post(database, Batches())
    deliver_notices(ours)
    ring = KeyRing((b"a secret that is only for tests!", b"another secret, long gone by now!"))
    assert ring.current.id == IDENTITY.keys.current.id
    later = replace(ours, keys=ring, clock=FixedClock(NOW + timedelta(minutes=7)))
    assert deliver_notices(later).notices == LedgerTotals(sent=1)


@dataclass
class AllInHand:
    """Has `hands` mails in hand at once; `refused` of them are, and then the others are at their
    dots."""

    hands: int
    refused: int
    dots: int = 0

    def send(
        self,
        envelopes: Iterable[Envelope | None],
        *,
        before_dot: Callable[[Sequence[DeliveryId]], Collection[DeliveryId]],
        **_: object,
    ) -> Iterator[Outcome]:
        mails = [one for one, _ in zip(filter(None, envelopes), range(self.hands), strict=False)]
        us = Reply(550, "5.7.26", "unauthenticated")
        for mail in mails[: self.refused]:
            yield Outcome(id=mail.id, phase=Phase.RCPT, reply=us)
        permitted = before_dot([mail.id for mail in mails[self.refused :]])
        self.dots += len(permitted)
        yield from (accepting(mail) for mail in mails if mail.id in permitted)


@pytest.mark.postgres
@pytest.mark.accept("R14", part="at the dot")
def test_no_dot_follows_once_the_relay_refuses_us(database: SqlDatabase) -> None:
    plan(database, 40)
    mailer = AllInHand(hands=30, refused=MOST_REFUSALS_OF_US)
    report = deliver(post(database, mailer))
    assert report.stopped is not None
    assert mailer.dots == 0
    assert report.totals == LedgerTotals(
        deferred=MOST_REFUSALS_OF_US, queued=40 - MOST_REFUSALS_OF_US
    )
    fewer = AllInHand(hands=30, refused=0)
    deliver(post(database, fewer))
    assert fewer.dots == 30
