"""Notices and digests on their way out: who goes first, and that neither is ever sent twice."""

from dataclasses import replace
from datetime import timedelta

import pytest

from paperround.core.clock import FixedClock
from paperround.core.tokens import read_token
from paperround.db.transactions import SqlDatabase
from paperround.delivery.ledger_model import LedgerTotals
from paperround.delivery.model import Envelope, Outcome, Phase, Reply
from paperround.delivery.store.ledger import Ledger
from paperround.delivery.store.system_mail import NoticeLedger
from paperround.delivery.system_mail_model import NOTICE_LIFE, SystemMailKind
from paperround.delivery.transitions import FEWEST
from paperround.digests.model import DigestMail, DigestView
from paperround.digests.sending import deliver, deliver_notices
from paperround.editions.store.editions import EditionStore
from paperround.editions.store.lists import ListStore
from tests.delivery.notices import KEEPER, Batches, plan, post, tell
from tests.fakes import (
    PlainRenderer,
    ScriptedMailer,
    accepting,
    broken_template,
)
from tests.sample_database import NOW


class Keeping(PlainRenderer):
    """Keeps what it was asked to compose."""

    def __init__(self, kept: list[DigestView]) -> None:
        super().__init__()
        self.kept = kept

    def compose(self, mail: DigestMail) -> bytes:
        self.kept.append(mail.view)
        return super().compose(mail)


# --- who goes first ----------------------------------------------------------------------------


def test_notices_go_before_digests_and_never_in_one_batch(database: SqlDatabase) -> None:
    plan(database, 3)
    tell(database)
    mailer = Batches()
    report = deliver(post(database, mailer))
    assert (report.totals, report.notices) == (LedgerTotals(sent=3), LedgerTotals(sent=1))
    assert mailer.sent[0] == KEEPER
    with_keeper = [batch for batch in mailer.batches if batch and batch[0].recipient == KEEPER]
    assert [len(batch) for batch in with_keeper] == [1]


@pytest.mark.accept("B18", part="one claim")
def test_a_notice_that_comes_meanwhile_waits_for_one_claim_of_digests(
    database: SqlDatabase,
) -> None:
    plan(database, 3 * FEWEST)

    def during(_: Envelope) -> None:
        if len(mailer.sent) == 10:
            tell(database)

    mailer = Batches(during)
    report = deliver(post(database, mailer), until_empty=False)
    assert mailer.sent.index(KEEPER) == FEWEST
    assert report.totals == LedgerTotals(sent=3 * FEWEST)
    assert len(set(mailer.sent)) == len(mailer.sent) == 3 * FEWEST + 1


def test_whether_mail_waits_is_known_without_taking_it(database: SqlDatabase) -> None:
    with database.reading() as work:
        assert not work[NoticeLedger].has_due(now=NOW)
        assert not work[Ledger].has_due(now=NOW)
    tell(database)
    plan(database, 1)
    with database.reading() as work:
        assert work[NoticeLedger].has_due(now=NOW)
        assert work[Ledger].has_due(now=NOW)
        assert not work[Ledger].has_due(now=NOW - timedelta(seconds=1))
    deliver(post(database, Batches()))
    with database.reading() as work:
        assert not work[NoticeLedger].has_due(now=NOW)
        assert not work[Ledger].has_due(now=NOW)


def test_notices_without_end_do_not_keep_digests_back(database: SqlDatabase) -> None:
    plan(database, 3 * FEWEST)

    def during(envelope: Envelope) -> None:
        if envelope.recipient != KEEPER:
            tell(database, f"for {envelope.recipient}")

    report = deliver(post(database, Batches(during)))
    everybody = LedgerTotals(sent=3 * FEWEST)
    assert (report.totals, report.notices) == (everybody, everybody)


def test_a_notice_put_off_does_not_interrupt_digests(database: SqlDatabase) -> None:
    plan(database, 2 * FEWEST)
    tell(database)

    def busy(envelope: Envelope) -> Outcome:
        later = Outcome(id=envelope.id, phase=Phase.RCPT, reply=Reply(451, "4.7.1", "later"))
        return later if envelope.recipient == KEEPER else accepting(envelope)

    report = deliver(post(database, ScriptedMailer(busy)))
    assert report.notices == LedgerTotals(deferred=1)
    assert report.totals == LedgerTotals(sent=2 * FEWEST)


@pytest.mark.accept("B18", part="fast lane")
def test_notices_alone_go_out_while_a_run_of_digests_is_under_way(database: SqlDatabase) -> None:
    plan(database, 2)
    fast = Batches()

    def during(_: Envelope) -> None:
        tell(database)
        deliver_notices(post(database, fast))

    slow = Batches(during)
    report = deliver(post(database, slow))
    assert (fast.sent, sorted(slow.sent)) == (
        [KEEPER],
        ["reader0@example.org", "reader1@example.org"],
    )
    assert (report.totals, report.notices) == (LedgerTotals(sent=2), LedgerTotals(sent=1))


# --- what may go wrong -------------------------------------------------------------------------


@pytest.mark.postgres
@pytest.mark.accept("R5", part="confirmation")
def test_a_notice_lost_after_the_dot_goes_again_only_on_request_and_as_it_was(
    database: SqlDatabase,
) -> None:
    id_ = tell(database)
    lost = ScriptedMailer(lambda one: Outcome(id=one.id, phase=Phase.DOT, error="timed out"))
    assert deliver_notices(post(database, lost)).notices == LedgerTotals(unknown=1)
    mailer = Batches()
    deliver_notices(post(database, mailer))
    assert mailer.sent == []
    with database.writing() as work:
        assert work[NoticeLedger].again(id_, due_at=NOW, expires_at=NOW + NOTICE_LIFE)
    deliver_notices(post(database, mailer))
    assert [one.content for one in mailer.batches[-1]] == [lost.offered[0].content]


@pytest.mark.postgres
@pytest.mark.accept("R2", part="notices")
@pytest.mark.parametrize(
    ("reply", "phase", "totals"),
    [
        (Reply(550, "5.1.1", "no such user"), Phase.RCPT, LedgerTotals(failed=1)),
        (Reply(451, "4.7.1", "greylisted"), Phase.RCPT, LedgerTotals(deferred=1)),
        (Reply(554, "5.6.0", "spam"), Phase.DOT, LedgerTotals(failed=1)),
        (Reply(550, "5.7.26", "unauthenticated"), Phase.RCPT, LedgerTotals(deferred=1)),
    ],
)
def test_what_a_server_says_of_a_notice_is_written_down(
    database: SqlDatabase, reply: Reply, phase: Phase, totals: LedgerTotals
) -> None:
    tell(database)
    refusing = ScriptedMailer(lambda one: Outcome(id=one.id, phase=phase, reply=reply))
    assert deliver_notices(post(database, refusing)).notices == totals


@pytest.mark.postgres
@pytest.mark.accept("R10", part="notices")
def test_a_poisoned_notice_stops_no_other_mail(database: SqlDatabase) -> None:
    plan(database, 2)
    tell(database)
    renderer = PlainRenderer({KEEPER: broken_template()})
    report = deliver(replace(post(database, Batches()), renderer=renderer))
    assert (report.totals, report.notices) == (LedgerTotals(sent=2), LedgerTotals(failed=1))
    assert report.troubles == {"rendering: the template needs a title": 1}


def test_notices_whose_life_is_over_do_not_count_as_expired_digests(database: SqlDatabase) -> None:
    tell(database)
    late = replace(post(database, Batches()), clock=FixedClock(NOW + NOTICE_LIFE))
    assert deliver(late).expired == 0
    with database.reading() as work:
        assert work[NoticeLedger].totals(now=NOW) == LedgerTotals(expired=1)


# --- what is in them ---------------------------------------------------------------------------


def test_a_notice_names_the_list_it_is_about(database: SqlDatabase) -> None:
    with database.reading() as work:
        trending = work[ListStore].get("trending")
    tell(database, "1", SystemMailKind.CONFIRM, list=trending.id)
    tell(database, "2", SystemMailKind.ALERT, subject="A feed is stale", list=trending.id)
    mailer = Batches()
    deliver_notices(post(database, mailer))
    (only,) = mailer.batches[0]
    assert trending.title.encode() in only.content
    assert b"A feed is stale" in only.content


def test_a_test_of_an_edition_is_its_digest_with_links_that_lead_nowhere(
    database: SqlDatabase,
) -> None:
    plan(database, 1)
    with database.reading() as work:
        edition = work[EditionStore].find(work[ListStore].get("trending").id, NOW.date(), "manual")
    assert edition is not None
    tell(database, "1", SystemMailKind.TEST, edition=edition.id)
    kept: list[DigestView] = []
    deliver_notices(replace(post(database, Batches()), renderer=Keeping(kept)))
    (view,) = kept
    assert [paper.title for paper in view.papers] == [paper.title for paper in edition.papers]
    links = (view.links.unsubscribe, view.links.feedback)
    parts = [read_token(link.rpartition("/")[2]) for link in links]
    assert [part.row for part in parts if part] == [0, 0]


def test_a_test_of_an_edition_that_is_gone_fails_alone(database: SqlDatabase) -> None:
    tell(database, "1", SystemMailKind.TEST, edition=404)
    report = deliver_notices(post(database, Batches()))
    assert report.notices == LedgerTotals(failed=1)
