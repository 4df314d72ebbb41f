"""A relay that does not let us in, and says it as if it refused each recipient."""

from collections.abc import Callable

import pytest

from paperround.cli.digest import hold_lines
from paperround.db.transactions import SqlDatabase
from paperround.delivery.ledger_model import LedgerTotals
from paperround.delivery.model import Envelope, Outcome, Phase
from paperround.delivery.rate_limits import unreached
from paperround.delivery.rate_state import FIRST_REST, Pacing
from paperround.delivery.replies import ReplyParser
from paperround.digests.sending import DeliveryContext, deliver, deliver_notices
from paperround.ops.alerts import current_alerts
from paperround.ops.status import pace_status
from paperround.subscribers.store.subscribers import SubscriberStore
from tests.builders import MINUTE
from tests.delivery.notices import tell
from tests.delivery.pace import Hands
from tests.delivery.paced import DOMAINS, paced, planned
from tests.fakes import ScriptedMailer, accepting

Script = Callable[[Envelope], Outcome]


def refusing(line: str, only: str = "") -> Script:
    """A relay that refuses recipients whose address has `only` in it; `{}` is the address."""

    def script(envelope: Envelope) -> Outcome:
        if only not in envelope.recipient:
            return accepting(envelope)
        [reply] = ReplyParser().feed(f"{line.format(envelope.recipient)}\r\n".encode())
        return Outcome(id=envelope.id, phase=Phase.RCPT, reply=reply)

    return script


def offered(one: DeliveryContext) -> int:
    assert isinstance(one.mailer, ScriptedMailer)
    return len(one.mailer.offered)


@pytest.mark.postgres
@pytest.mark.accept("R16", part="wordings", mutant="a-relay-that-refuses-everybody-fails-the-day")
@pytest.mark.parametrize("pacing", [Pacing(), DOMAINS])
@pytest.mark.parametrize(
    "line",
    [
        "550 relay not permitted",
        "553 sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)",
        "554 Relay access denied",
        "550 5.7.1 Relaying denied",
        "503 5.5.1 bad sequence",
        "502 what",
        "550 <{}>: we do not know you",
        "550 5.1.1 <{}>: user unknown",
    ],
)
def test_a_relay_that_refuses_all_pauses_within_ten_and_nobody_loses_a_digest(
    database: SqlDatabase, line: str, pacing: Pacing
) -> None:
    planned(database, one=40)
    hands = Hands()
    report = deliver(bad := paced(database, hands, pacing, refusing(line)))
    assert 10 <= offered(bad) <= 20
    assert (report.totals.failed, report.totals.deferred + report.totals.queued) == (0, 40)
    assert "refuses our email" in str(report.stopped) or "paused until" in str(report.stopped)
    with database.reading() as work:
        [alert] = [one for one in current_alerts(work, {}, now=hands.moment) if one.stops_mail]
        assert "The relay refuses our email" in alert.subject
        assert unreached(work, now=hands.moment) is not None
        told = " ".join(hold_lines(pace_status(work, pacing, now=hands.moment)))
        assert {one.state for one in work[SubscriberStore].search("reader", limit=40)} == {"active"}
    assert "the relay refuses our email" in told
    hands.moment += FIRST_REST
    assert deliver(again := paced(database, hands, pacing, refusing(line))).totals.failed == 0
    assert offered(again) == 1
    for _ in range(12):
        hands.moment += 10 * MINUTE
        deliver(paced(database, hands, pacing))
    assert deliver(paced(database, hands, pacing)).totals == LedgerTotals(sent=40)


def test_dead_addresses_among_others_fail_at_once(database: SqlDatabase) -> None:
    planned(database, one=40)
    line = "550 5.1.1 <{}>: user unknown"
    report = deliver(paced(database, Hands(), Pacing(), refusing(line, only="5@")))
    assert (report.totals, report.stopped) == (LedgerTotals(sent=36, failed=4), None)


def test_a_single_refusal_with_nothing_beside_it_is_of_its_recipient(
    database: SqlDatabase,
) -> None:
    planned(database, one=1)
    report = deliver(paced(database, Hands(), Pacing(), refusing("550 no such user")))
    assert report.totals == LedgerTotals(failed=1)


def test_a_few_refusals_with_nothing_beside_them_end_after_a_few_tries(
    database: SqlDatabase,
) -> None:
    planned(database, one=2)
    hands, states = Hands(), []
    for _ in range(5):
        totals = deliver(paced(database, hands, Pacing(), refusing("550 no such user"))).totals
        states.append(totals.failed)
        hands.moment += 80 * MINUTE
    assert states == [0, 0, 0, 2, 2]


def test_sign_ups_of_addresses_that_do_not_exist_stop_nothing(database: SqlDatabase) -> None:
    for name in range(12):
        tell(database, str(name))
    one = paced(database, Hands(), Pacing(), refusing("550 5.1.1 user unknown"))
    assert deliver_notices(one).notices == LedgerTotals(failed=12)
