"""Mail that was signed once does not leave unsigned because its keys are gone."""

from dataclasses import replace
from datetime import timedelta

import pytest

from paperround.cli.digest import hold_lines, pace_as_json
from paperround.core.errors import Conflict
from paperround.db.transactions import SqlDatabase
from paperround.delivery.holds import ALLOW, Signing, allow_unsigned
from paperround.delivery.ledger_model import LedgerTotals
from paperround.delivery.model import Envelope, Outcome, Phase, Reply
from paperround.delivery.store.system_mail import NoticeLedger
from paperround.delivery.system_mail import new_notice
from paperround.delivery.system_mail_model import SystemMailKind
from paperround.digests.sending import DeliveryContext, deliver, deliver_notices
from paperround.doctor import schedule_check
from paperround.editions.schedule import DIGEST_LIFE
from paperround.ops.alerts import current_alerts
from paperround.ops.status import status
from paperround.self_service.preview import send_test
from paperround.subscribers.addresses import parse_address
from tests.delivery.delivering import at, post
from tests.delivery.publishing import send
from tests.fakes import accepting
from tests.sample_database import IDENTITY, NOW, fill, record, subscribe

WITH_KEYS = Signing(signs=True)
WITHOUT_KEYS = Signing()
BROKEN = Signing(broken="dkim.json does not contain DKIM keys")
LOST = [WITHOUT_KEYS, BROKEN]
LATER = timedelta(minutes=10)


def signing(database: SqlDatabase, keys: Signing, later: timedelta = LATER) -> DeliveryContext:
    return replace(at(post(database), later), signing=keys)


def plan(database: SqlDatabase, name: str) -> None:
    subscribe(database, name)
    send(database)


def write_notice(database: SqlDatabase) -> None:
    notice = new_notice(
        IDENTITY,
        SystemMailKind.TEST,
        "a word",
        None,
        "ada@example.org",
        {"lines": "a word"},
        now=NOW,
    )
    with database.writing() as work:
        work[NoticeLedger].put(notice, now=NOW)


def lacks_keys(database: SqlDatabase) -> bool:
    return status(database, None, now=NOW).pace.lacks_keys


@pytest.fixture
def papers(database: SqlDatabase) -> SqlDatabase:
    fill(database, [record(n) for n in range(1, 4)])
    return database


@pytest.fixture
def signed(papers: SqlDatabase) -> SqlDatabase:
    """A signed digest has left, and another one waits."""
    plan(papers, "ada")
    assert deliver(signing(papers, WITH_KEYS, timedelta(0))).totals.sent == 1
    plan(papers, "grace")
    return papers


@pytest.mark.postgres
@pytest.mark.parametrize("lost", LOST)
@pytest.mark.accept("O7", part="held", mutant="it-is-not-remembered-that-mail-was-signed")
def test_without_its_keys_no_digest_leaves(signed: SqlDatabase, lost: Signing) -> None:
    report = deliver(signing(signed, lost))
    assert report.totals == LedgerTotals(sent=1, queued=1)
    assert report.stopped is not None
    assert "dkim.json" in report.stopped
    assert ALLOW in report.stopped


@pytest.mark.parametrize("lost", LOST)
@pytest.mark.accept("O7", part="both lanes", mutant="notices-leave-unsigned")
def test_without_its_keys_no_other_mail_leaves(signed: SqlDatabase, lost: Signing) -> None:
    write_notice(signed)
    for send_all in (deliver, deliver_notices):
        report = send_all(signing(signed, lost))
        assert report.stopped is not None
        assert report.notices == LedgerTotals(queued=1)


@pytest.mark.accept("O7", part="both lanes", mutant="what-notices-sign-is-not-remembered")
def test_a_signed_notice_counts_as_well(papers: SqlDatabase) -> None:
    write_notice(papers)
    assert deliver_notices(signing(papers, WITH_KEYS)).notices.sent == 1
    plan(papers, "ada")
    assert deliver(signing(papers, WITHOUT_KEYS)).totals == LedgerTotals(queued=1)


def test_no_test_mail_is_written_that_could_not_be_signed(signed: SqlDatabase) -> None:
    address = parse_address("lovelace@example.org")
    with pytest.raises(Conflict, match="resume --unsigned"):
        send_test(signing(signed, WITHOUT_KEYS), IDENTITY, address, "trending", now=NOW)
    with signed.reading() as work:
        assert work[NoticeLedger].totals(now=NOW) == LedgerTotals()


@pytest.mark.accept("O7", part="waits unharmed", mutant="mail-without-keys-is-tidied-up")
def test_mail_that_waits_for_keys_is_not_given_up(signed: SqlDatabase) -> None:
    assert deliver(signing(signed, WITHOUT_KEYS, DIGEST_LIFE + LATER)).expired == 0
    report = deliver(signing(signed, WITH_KEYS))
    assert report.totals == LedgerTotals(sent=2)


@pytest.mark.parametrize("lost", LOST)
@pytest.mark.accept("O7", part="keys are back", mutant="a-hold-outlasts-the-missing-keys")
def test_keys_that_are_back_let_mail_go(signed: SqlDatabase, lost: Signing) -> None:
    deliver(signing(signed, lost))
    assert lacks_keys(signed)
    report = deliver(signing(signed, WITH_KEYS, 2 * LATER))
    assert (report.totals, report.stopped) == (LedgerTotals(sent=2), None)
    assert not lacks_keys(signed)


@pytest.mark.parametrize("lost", LOST)
@pytest.mark.accept("O7", part="allowed", mutant="what-is-allowed-is-not-forgotten")
def test_an_operator_may_let_mail_leave_unsigned(signed: SqlDatabase, lost: Signing) -> None:
    deliver(signing(signed, lost))
    assert allow_unsigned(signed, now=NOW)
    assert not lacks_keys(signed)
    report = deliver(signing(signed, lost))
    assert (report.totals, report.stopped) == (LedgerTotals(sent=2), None)
    assert not allow_unsigned(signed, now=NOW)


@pytest.mark.parametrize("lost", LOST)
@pytest.mark.accept("O7", part="allowed", mutant="what-was-allowed-once-is-allowed-for-ever")
def test_it_is_allowed_until_mail_is_signed_again(signed: SqlDatabase, lost: Signing) -> None:
    allow_unsigned(signed, now=NOW)
    deliver(signing(signed, WITH_KEYS))
    plan(signed, "alan")
    assert deliver(signing(signed, lost, 2 * LATER)).totals == LedgerTotals(sent=2, queued=1)


@pytest.mark.accept("O7", part="never signed", mutant="who-never-signed-is-held")
def test_an_installation_that_never_signed_is_not_held(papers: SqlDatabase) -> None:
    for name in ("ada", "grace"):
        plan(papers, name)
        assert deliver(signing(papers, WITHOUT_KEYS)).stopped is None
    assert deliver(signing(papers, WITHOUT_KEYS)).totals == LedgerTotals(sent=2)
    assert not lacks_keys(papers)
    assert not allow_unsigned(papers, now=NOW)


@pytest.mark.accept("O7", part="never signed", mutant="keys-that-signed-nothing-hold-mail")
def test_keys_that_are_gone_before_a_mail_left_hold_nothing(papers: SqlDatabase) -> None:
    def nobody(envelope: Envelope) -> Outcome:
        return Outcome(id=envelope.id, phase=Phase.MAIL, reply=Reply(451, "4.3.0", "later"))

    plan(papers, "ada")
    deliver(replace(post(papers, nobody), signing=WITH_KEYS))
    assert deliver(signing(papers, WITHOUT_KEYS)).totals == LedgerTotals(sent=1)


@pytest.mark.accept("O7", part="told", mutant="nobody-is-told-that-keys-are-missing")
def test_the_operator_is_told(signed: SqlDatabase, caplog: pytest.LogCaptureFixture) -> None:
    deliver(signing(signed, WITHOUT_KEYS))
    with signed.reading() as work:
        (alert,) = current_alerts(work, {}, now=NOW)
        (finding,) = schedule_check.check_holds(work, now=NOW)
    assert alert.subject == finding.says == "Email is held: there is no DKIM key to sign it"
    assert alert.stops_mail
    pace = status(signed, None, now=NOW).pace
    (line,) = hold_lines(pace)
    assert line.startswith("email is held")
    assert pace_as_json(pace)["lacks_keys"]
    assert ALLOW in finding.way_out
    deliver(signing(signed, WITH_KEYS))
    with signed.reading() as work:
        assert current_alerts(work, {}, now=NOW) == []
        assert schedule_check.check_holds(work, now=NOW) == []
    assert "no longer held" in caplog.text


def test_what_the_relay_refuses_is_signed_for_all_that(papers: SqlDatabase) -> None:
    def refusing(envelope: Envelope) -> Outcome:
        refused = Reply(550, "5.7.1", "no")
        return replace(accepting(envelope), phase=Phase.DOT, reply=refused)

    plan(papers, "ada")
    deliver(replace(post(papers, refusing), signing=WITH_KEYS))
    plan(papers, "grace")
    assert deliver(signing(papers, WITHOUT_KEYS)).stopped is not None
