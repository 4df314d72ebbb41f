"""A relay that cannot be reached: where the operator hears of it, and that it is told once."""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest

from paperround.cli.digest import hold_lines, pace_as_json
from paperround.core.times import format_instant
from paperround.db.transactions import SqlDatabase
from paperround.delivery.model import Envelope, Outcome, Phase, Reply
from paperround.delivery.rate_limits import (
    LATELY,
    describe_unreached,
    retry_unreached,
    unreached,
)
from paperround.delivery.system_mail_model import Alert
from paperround.digests.sending import deliver
from paperround.editions.model import DeliveryId
from paperround.ops.alerts import current_alerts
from paperround.ops.status import pace_status
from paperround.ops.why import why as recorded_reasons
from tests.builders import MINUTE
from tests.delivery.notices import tell
from tests.delivery.pace import Hands
from tests.delivery.paced import DOMAINS, paced, planned
from tests.digests.planning import HOURS
from tests.fakes import accepting
from tests.sample_database import NOW

DEAD = "no-session: refused: Connection refused"
SAID = "refused: Connection refused"


def dead(envelope: Envelope) -> Outcome:
    return Outcome(id=envelope.id, phase=Phase.CONNECT, error="refused: Connection refused")


def locked(envelope: Envelope) -> Outcome:
    return Outcome(id=envelope.id, phase=Phase.AUTH, reply=Reply(535, "5.7.8", "no"))


def busy(envelope: Envelope) -> Outcome:
    return Outcome(id=envelope.id, phase=Phase.RCPT, reply=Reply(450, "4.2.0", "later"))


def why(database: SqlDatabase, hands: Hands) -> str | None:
    with database.reading() as work:
        return unreached(work, now=hands.moment)


def alerts(database: SqlDatabase, hands: Hands) -> list[Alert]:
    with database.reading() as work:
        return current_alerts(work, {}, now=hands.moment)


@pytest.fixture(params=["a notice", "digests"])
def waiting(request: pytest.FixtureRequest, database: SqlDatabase) -> SqlDatabase:
    """An installation with a notice or three digests to send."""
    if request.param == "a notice":
        tell(database)
        return database
    return planned(database, one=3)


@pytest.mark.postgres
@pytest.mark.accept("O8", part="alert and status", mutant="nobody-hears-of-a-dead-relay")
def test_a_relay_that_cannot_be_reached_is_told_once_with_its_reason(
    waiting: SqlDatabase, caplog: pytest.LogCaptureFixture
) -> None:
    hands = Hands()
    deliver(paced(waiting, hands, DOMAINS, dead))
    assert caplog.text.count(f"the relay cannot be reached: {SAID}") == 1
    assert {one.levelname for one in caplog.records} == {"WARNING"}
    hands.moment += 5 * MINUTE
    [alert] = alerts(waiting, hands)
    assert alert.subject == f"The relay cannot be reached: {SAID}"
    assert alert.lines[1] == "Each is retried automatically, digests for 20 hours."
    assert alert.stops_mail
    with waiting.reading() as work:
        pace = pace_status(work, DOMAINS, now=hands.moment)
    assert f"the relay cannot be reached: {SAID}" in " ".join(hold_lines(pace))
    assert pace_as_json(pace)["unreached"] == DEAD


@dataclass
class Silent:
    """Answers the first email after three minutes, and keeps what is said of the relay until then,
    minute by minute. Without `at_dot` it hangs at MAIL."""

    database: SqlDatabase
    hands: Hands
    at_dot: bool
    told: list[str | None] = field(default_factory=list)

    def send(
        self,
        envelopes: Iterable[Envelope | None],
        *,
        before_dot: Callable[[Sequence[DeliveryId]], Collection[DeliveryId]],
        **_: object,
    ) -> Iterator[Outcome]:
        for one in filter(None, envelopes):
            if self.at_dot:
                before_dot([one.id])
            for _minute in range(4):
                self.told.append(why(self.database, self.hands))
                self.hands.moment += MINUTE
            yield accepting(one)


@pytest.mark.postgres
@pytest.mark.accept("O8", part="no answer", mutant="a-silent-relay-is-named-nowhere")
@pytest.mark.parametrize("at_dot", [True, False])
def test_a_relay_that_answers_nothing_is_named_after_two_minutes(
    database: SqlDatabase, *, at_dot: bool
) -> None:
    planned(database, one=1)
    hands = Hands()
    relay = Silent(database, hands, at_dot)
    deliver(replace(paced(database, hands, DOMAINS), mailer=relay))
    said = "unanswered: 1 email unanswered for {} minutes"
    assert relay.told == [None, None, said.format(2), said.format(3)]
    assert why(database, hands) is None
    assert describe_unreached(said.format(3)).startswith(
        "the relay does not answer: 1 email unanswered for 3 minutes"
    )


@pytest.mark.accept("O8", part="over", mutant="a-relay-that-is-back-stays-unreached")
@pytest.mark.parametrize("script", [accepting, busy])
def test_once_the_relay_answers_a_mail_nothing_is_told_any_more(
    database: SqlDatabase, script: Callable[[Envelope], Outcome]
) -> None:
    planned(database, one=3)
    hands = Hands()
    deliver(paced(database, hands, DOMAINS, dead))
    assert why(database, hands) == DEAD
    hands.moment += 10 * MINUTE
    deliver(paced(database, hands, DOMAINS, script))
    assert why(database, hands) is None
    assert [one for one in alerts(database, hands) if "reached" in one.subject] == []


@pytest.mark.postgres
@pytest.mark.accept("F28", part="a repaired relay")
@pytest.mark.accept("F60", part="next try")
def test_once_the_relay_answers_all_that_waited_for_a_session_is_due(
    database: SqlDatabase,
) -> None:
    planned(database, one=3)
    tell(database)
    hands = Hands()
    deliver(paced(database, hands, DOMAINS, dead))
    with database.reading() as work:
        pace = pace_status(work, DOMAINS, now=hands.moment)
        assert f"next tried at {format_instant(pace.next_try or NOW)}" in " ".join(hold_lines(pace))
    hands.moment += MINUTE
    tell(database, "another")
    report = deliver(paced(database, hands, DOMAINS))
    assert (report.notices.sent, report.totals.sent) == (2, 3)


@pytest.mark.postgres
def test_a_sender_that_starts_tries_at_once_what_waited_for_a_session_and_nothing_else(
    database: SqlDatabase,
) -> None:
    planned(database, one=3)
    tell(database)
    hands = Hands()
    deliver(paced(database, hands, DOMAINS, dead))
    hands.moment += 20 * MINUTE
    deliver(paced(database, hands, DOMAINS, busy))
    hands.moment += MINUTE
    retry_unreached(database, now=hands.moment)
    assert deliver(paced(database, hands, DOMAINS)).totals.sent == 0
    hands.moment += 60 * MINUTE
    tell(database, "another")
    deliver(paced(database, hands, DOMAINS, dead))
    retry_unreached(database, now=hands.moment)
    assert deliver(paced(database, hands, DOMAINS)).totals.sent == 3


def test_a_failure_after_which_nobody_tried_says_nothing_two_hours_later(
    database: SqlDatabase,
) -> None:
    planned(database, one=1)
    hands = Hands()
    deliver(paced(database, hands, DOMAINS, dead))
    hands.moment = NOW + LATELY
    assert why(database, hands) == DEAD
    hands.moment += timedelta(seconds=1)
    assert why(database, hands) is None


@pytest.mark.accept(
    "O8", part="one alert for one cause", mutant="a-refused-login-is-told-as-refused-email"
)
def test_a_login_that_is_refused_is_one_alert_however_often(database: SqlDatabase) -> None:
    planned(database, one=1)
    hands = Hands()
    deliver(paced(database, hands, DOMAINS, locked))
    assert [one.subject for one in alerts(database, hands)] == [
        "The relay refuses the user or password of PAPERROUND_SMTP_URL: auth-refused: 535 5.7.8"
    ]
    for _ in range(10):
        hands.moment += 80 * MINUTE
        deliver(paced(database, hands, DOMAINS, locked))
    [alert] = [one for one in alerts(database, hands) if one.key.startswith(("unr", "refused"))]
    assert alert.subject.startswith("The relay refuses the user or password")
    assert why(database, hands) == "auth-refused: 535 5.7.8"  # though the relay rests by now


@pytest.mark.parametrize(
    ("script", "sentence"),
    [
        (dead, f"The relay cannot be reached: {SAID}."),
        (locked, "The relay refuses the user or password of PAPERROUND_SMTP_URL: "),
    ],
)
def test_a_refused_login_is_told_from_a_relay_that_is_gone(
    database: SqlDatabase, script: Callable[[Envelope], Outcome], sentence: str
) -> None:
    planned(database, one=1)
    hands = Hands()
    deliver(paced(database, hands, DOMAINS, script))
    told = recorded_reasons(database, "trending", now=hands.moment, hours=HOURS)
    assert [one.text for one in told if one.text.startswith(sentence)]
    with database.reading() as work:
        pace = pace_status(work, DOMAINS, now=hands.moment)
    assert sentence[4:].rstrip(".") in " ".join(hold_lines(pace))


@pytest.mark.accept("O8", part="one alert for one cause")
def test_a_certificate_nobody_trusts_is_told_as_such_before_and_after_the_relay_rests(
    database: SqlDatabase,
) -> None:
    planned(database, one=20)
    hands, keys = Hands(), set[str]()

    def strange(envelope: Envelope) -> Outcome:
        return Outcome(id=envelope.id, phase=Phase.TLS, error="certificate: self-signed")

    for _ in range(2):
        deliver(paced(database, hands, DOMAINS, strange))
        [alert] = [one for one in alerts(database, hands) if one.stops_mail]
        keys.add(alert.key)
        assert alert.subject == "The relay cannot be reached: certificate: self-signed"
        assert "DMARC" not in " ".join(alert.lines)
        assert "if a private authority signed it" in " ".join(alert.lines)
        hands.moment += MINUTE
    assert len(keys) == 1
    assert why(database, hands) == "no-session: certificate: self-signed"
