"""A pause, a farewell and a lost key while mails are on their way out."""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest

from paperround.core.clock import FixedClock
from paperround.core.tokens import KeyRing
from paperround.db.transactions import SqlDatabase
from paperround.delivery.deliver import MOST_KEYLESS
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
from paperround.subscribers.store.subscribers import SubscriberStore
from tests.delivery.notices import KEEPER, Batches, plan, post, tell
from tests.digests.stopping import ELSEWHERE, After
from tests.fakes import accepting
from tests.sample_database import IDENTITY, NOW

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
            assert owner.subscription_id is not None
            work[SubscriberStore].leave(owner.subscription_id, now=NOW)

    mailer = Batches(After(5, leave))
    report = deliver(post(database, mailer), until_empty=False)
    assert report.totals == LedgerTotals(sent=READERS - 1, skipped=1)
    assert len(set(mailer.sent)) == len(mailer.sent) == READERS - 1


def tell_under_a_lost_key(database: SqlDatabase, *keys: str) -> None:
    with database.writing() as work:
        for key in keys:
            notice = new_notice(
                ELSEWHERE,
                SystemMailKind.ALERT,
                key,
                None,
                "old@example.org",
                {"subject": "s"},
                now=NOW,
            )
            work[NoticeLedger].put(notice, now=NOW)


def test_a_notice_whose_key_is_lost_keeps_no_digest_back(database: SqlDatabase) -> None:
    plan(database, 2 * READERS)
    tell_under_a_lost_key(database, "lost")
    report = deliver(post(database, Batches()))
    assert report.totals == LedgerTotals(sent=2 * READERS)
    assert report.notices == LedgerTotals(queued=1)
    assert report.stopped is not None
    assert ELSEWHERE.keys.current.id in report.stopped


def test_a_notice_whose_key_is_lost_keeps_no_other_notice_back(database: SqlDatabase) -> None:
    tell_under_a_lost_key(database, "lost")
    tell(database, "good")
    mailer = Batches()
    assert deliver_notices(post(database, mailer)).notices == LedgerTotals(sent=1, queued=1)
    assert mailer.sent == [KEEPER]


def test_where_many_keys_are_lost_the_run_does_not_look_at_them_all(database: SqlDatabase) -> None:
    tell_under_a_lost_key(database, *(str(number) for number in range(MOST_KEYLESS)))
    tell(database, "behind them")
    report = deliver_notices(post(database, Batches()))
    assert report.notices == LedgerTotals(queued=MOST_KEYLESS + 1)


def test_once_the_key_is_back_the_mail_goes(database: SqlDatabase) -> None:
    tell_under_a_lost_key(database, "lost")
    ours = post(database, Batches())
    deliver_notices(ours)
    ring = KeyRing((b"a secret that is only for tests!", b"another secret, long gone by now!"))
    assert ring.current.id == IDENTITY.keys.current.id
    assert deliver_notices(replace(ours, keys=ring)).notices == LedgerTotals(sent=1)


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
