"""The database is away for longer than a sender waits for it, and the sender lives on.

What was heard is kept by that process, and written down before it takes up another mail. Nothing
stays marked that no run of it listens for.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest
from sqlalchemy import Engine, select

from paperround.core.errors import Conflict, DatabaseFailed, InvalidInput
from paperround.core.interfaces import Worker
from paperround.db.schema import tables as db
from paperround.db.transactions import TRIES, RetryPolicy, SqlDatabase, Transaction
from paperround.delivery.deliver import ANSWER, SETTLE
from paperround.delivery.ledger_model import LedgerTotals
from paperround.delivery.model import Envelope, Mailer, Outcome, Phase, Reply
from paperround.delivery.queues import PendingWrites, Write
from paperround.delivery.system_mail import raise_alert
from paperround.delivery.system_mail_model import Alert
from paperround.delivery.transitions import FEWEST
from paperround.digests.sending import DeliveryContext, deliver, deliver_notices
from paperround.editions.model import DeliveryId
from tests.delivery.delivering import at, post
from tests.delivery.distant import Distant
from tests.delivery.publishing import send
from tests.fakes import Neighbours, ScriptedMailer, accepting
from tests.sample_database import IDENTITY, NOW, fill, record, subscribe

LATER = Reply(451, "4.7.1", "greylisted")
NOBODY = Reply(550, "5.1.1", "no such user")
READERS = ("ada", "alan", "grace")
ELSEWHERE = Worker(host="there", pid=1, started="boot/1")


@dataclass
class Answering:
    """Marks all there is, and then hears what `script` says; `meanwhile` comes in between. What is
    refused before its dot is heard first."""

    script: Callable[[Envelope], Outcome]
    meanwhile: Callable[[], None]
    offered: list[str] = field(default_factory=list)

    def send(
        self,
        envelopes: Iterable[Envelope | None],
        *,
        before_dot: Callable[[Sequence[DeliveryId]], Collection[DeliveryId]],
        **_: object,
    ) -> Iterator[Outcome]:
        waiting = list(filter(None, envelopes))
        if not waiting:
            return
        self.offered += [one.recipient for one in waiting]
        outcomes = [self.script(one) for one in waiting]
        at_dot = [one.id for one in outcomes if one.phase is Phase.DOT]
        marked = before_dot(at_dot) if at_dot else ()
        self.meanwhile()
        yield from (one for one in outcomes if one.phase is not Phase.DOT or one.id in marked)


@pytest.fixture
def distant(database: SqlDatabase) -> Distant:
    """Three digests are planned."""
    fill(database, [record(n) for n in range(1, 4)])
    subscribe(database, *READERS)
    send(database)
    return Distant(database)


def sender(distant: Distant, mailer: Mailer) -> DeliveryContext:
    """One process, whose next run is another call."""
    return replace(post(distant.database), database=distant, mailer=mailer)


def goes_away(distant: Distant) -> Callable[[], None]:
    def go() -> None:
        distant.away = True

    return go


def telling(**answers: Outcome | Reply) -> Callable[[Envelope], Outcome]:
    """Says this to some, and takes the mail of everybody else."""

    def script(envelope: Envelope) -> Outcome:
        answer = answers.get(envelope.recipient.partition("@")[0])
        if answer is None:
            return accepting(envelope)
        if isinstance(answer, Outcome):
            return replace(answer, id=envelope.id)
        return Outcome(id=envelope.id, phase=Phase.DOT, reply=answer)

    return script


def states(engine: Engine) -> list[tuple[str, str, int]]:
    """State, reason and tries of each digest."""
    c = db.deliveries.c
    with engine.connect() as connection:
        found = connection.execute(select(c.state, c.reason, c.attempts).order_by(c.state, c.id))
        return [(state, reason.partition(":")[0], tries) for state, reason, tries in found]


HEARD = [("deferred", "not-now", 1), ("failed", "message-refused", 1), ("sent", "accepted", 1)]
MINUTE = timedelta(minutes=1)


@pytest.mark.postgres
@pytest.mark.accept("R2", part="a long outage")
def test_what_was_heard_while_the_database_was_away_is_written_by_the_next_run(
    distant: Distant, engine: Engine
) -> None:
    one = sender(distant, Answering(telling(ada=LATER, alan=NOBODY), goes_away(distant)))
    with pytest.raises(DatabaseFailed):
        deliver(one)
    assert [state for state, *_ in states(engine)] == ["in_data"] * 3
    distant.away = False
    deliver(at(one, MINUTE))
    assert states(engine) == HEARD


@pytest.mark.postgres
@pytest.mark.accept("R2", part="a long outage")
def test_it_is_not_too_late_when_the_marks_are_over_meanwhile(
    distant: Distant, engine: Engine
) -> None:
    one = sender(distant, Answering(telling(ada=LATER, alan=NOBODY), goes_away(distant)))
    with pytest.raises(DatabaseFailed):
        deliver(one)
    distant.away = False
    again = ScriptedMailer(accepting)
    deliver(at(replace(one, mailer=again), 2 * ANSWER))
    assert [mail.recipient for mail in again.offered] == ["ada@example.org"]
    assert [(state, tries) for state, _, tries in states(engine)] == [
        ("failed", 1),
        ("sent", 2),
        ("sent", 1),
    ]


@pytest.mark.postgres
@pytest.mark.accept("R2", part="a long outage")
@pytest.mark.accept("R5", part="a long outage")
def test_whoever_ended_the_marks_before_is_told_of_mails_that_were_taken_and_no_others(
    distant: Distant, engine: Engine
) -> None:
    """One that was put off stays in doubt: somebody may have sent another in its place."""
    one = sender(distant, Answering(telling(ada=LATER), goes_away(distant)))
    with pytest.raises(DatabaseFailed):
        deliver(one)
    another = replace(post(distant.database), processes=Neighbours(ELSEWHERE))
    assert deliver(at(another, 2 * ANSWER)).totals == LedgerTotals(unknown=3)
    distant.away = False
    again = ScriptedMailer(accepting)
    deliver(at(replace(one, mailer=again), 2 * ANSWER))
    assert again.offered == []
    assert Counter(state for state, *_ in states(engine)) == {"sent": 2, "unknown": 1}


def test_no_mail_is_taken_up_before_it_is_written(distant: Distant, engine: Engine) -> None:
    one = sender(distant, Answering(accepting, goes_away(distant)))
    with pytest.raises(DatabaseFailed):
        deliver(one)
    subscribe(distant.database, "barbara")
    send(distant.database)
    again = ScriptedMailer(accepting)
    for run in (deliver, deliver_notices):
        with pytest.raises(DatabaseFailed):
            run(replace(one, mailer=again))
    assert len(one.pending_writes) == 2, (
        "what was heard, and what is let go: other runs add nothing"
    )
    distant.away = False
    deliver(replace(one, mailer=again))
    assert [mail.recipient for mail in again.offered] == ["barbara@example.org"]
    assert [state for state, *_ in states(engine)] == ["sent"] * 4
    assert len(one.pending_writes) == 0


def test_what_digests_left_is_written_by_a_run_of_notices(distant: Distant, engine: Engine) -> None:
    one = sender(distant, Answering(accepting, goes_away(distant)))
    with pytest.raises(DatabaseFailed):
        deliver(one)
    distant.away = False
    deliver_notices(one)
    assert [state for state, *_ in states(engine)] == ["sent"] * 3


def test_a_notice_that_was_taken_is_not_in_doubt_either(distant: Distant) -> None:
    told = Alert(key="a test", subject="A notice waits", lines=("It goes first.",))
    with distant.writing() as work:
        raise_alert(work, IDENTITY, told, "keeper@example.org", now=NOW)
    one = sender(distant, Answering(accepting, goes_away(distant)))
    with pytest.raises(DatabaseFailed):
        deliver_notices(one)
    distant.away = False
    assert deliver_notices(one).notices == LedgerTotals(sent=1)


# --- what nobody listens for ----------------------------------------------------------------------


class Breakdown(Exception):
    """The mailer ends, and tells nobody what came of its mails."""


def breaks_down() -> None:
    raise Breakdown


@pytest.mark.postgres
@pytest.mark.accept("R5", part="nobody listens")
def test_a_mark_that_no_run_listens_for_is_given_up_at_once_and_not_sent_again(
    distant: Distant, engine: Engine
) -> None:
    one = sender(distant, Answering(accepting, breaks_down))
    with pytest.raises(Breakdown):
        deliver(one)
    assert states(engine) == [("unknown", "run-ended", 0)] * 3
    again = ScriptedMailer(accepting)
    deliver(at(replace(one, mailer=again), 2 * ANSWER))
    assert again.offered == []


@pytest.mark.postgres
@pytest.mark.accept("R5", part="nobody listens")
def test_where_the_database_is_away_it_is_given_up_by_the_next_run(
    distant: Distant, engine: Engine
) -> None:
    def breaks_down_without_its_database() -> None:
        distant.away = True
        raise Breakdown

    one = sender(distant, Answering(accepting, breaks_down_without_its_database))
    with pytest.raises(DatabaseFailed):
        deliver(one)
    distant.away = False
    again = ScriptedMailer(accepting)
    deliver(replace(one, mailer=again))
    assert states(engine) == [("unknown", "run-ended", 0)] * 3
    assert again.offered == []


@pytest.mark.postgres
@pytest.mark.accept("R2", part="a lost commit")
@pytest.mark.parametrize("number", range(1, 10))
def test_whichever_commit_is_in_doubt_the_next_run_goes_on_at_once(
    distant: Distant, number: int
) -> None:
    """No lease is waited for, whatever was claimed or marked by it."""
    distant.loses_at = number
    mailer = ScriptedMailer(accepting)
    one = sender(distant, mailer)
    with suppress(DatabaseFailed):
        deliver(one)
    assert deliver(one).totals == LedgerTotals(sent=3)
    marks = Counter(mailer.marked)
    assert set(marks.values()) == {1}


# --- in the middle of a run -----------------------------------------------------------------------


@dataclass
class Storm:
    """Takes `calm` mails. The next one waits for its answer while the database goes away and all
    the others are refused before their dots. Its answer is told even when the run breaks off, as
    every mailer does."""

    distant: Distant
    calm: int
    refused: int = 0

    def send(
        self,
        envelopes: Iterable[Envelope | None],
        *,
        before_dot: Callable[[Sequence[DeliveryId]], Collection[DeliveryId]],
        **_: object,
    ) -> Iterator[Outcome]:
        at_dot: list[Envelope] = []
        try:
            for envelope in filter(None, envelopes):
                if at_dot:
                    self.refused += 1
                    yield Outcome(id=envelope.id, phase=Phase.RCPT, reply=LATER)
                elif not before_dot([envelope.id]):
                    continue
                elif self.calm:
                    self.calm -= 1
                    yield accepting(envelope)
                else:
                    at_dot.append(envelope)
                    self.distant.away = True
        except DatabaseFailed:
            yield from map(accepting, at_dot)
            raise


@pytest.mark.postgres
@pytest.mark.accept("R2", part="a long outage")
def test_a_run_without_its_database_takes_up_nothing_and_hears_what_is_at_its_dot(
    database: SqlDatabase, engine: Engine
) -> None:
    """Within one claim, which is larger than what may wait to be written down."""
    fill(database, [record(1)])
    subscribe(database, *(f"reader{number}" for number in range(FEWEST + 2 * SETTLE)))
    send(database)
    distant = Distant(database)
    storm = Storm(distant, calm=FEWEST + 1)
    one = sender(distant, storm)
    with pytest.raises(DatabaseFailed):
        deliver(one)
    assert storm.refused == SETTLE
    distant.away = False
    assert deliver(replace(one, mailer=ScriptedMailer(accepting))).totals == LedgerTotals(
        sent=FEWEST + SETTLE, deferred=SETTLE
    )


# --- the line itself ------------------------------------------------------------------------------


def noting(written: list[str], word: str, error: Exception | None = None) -> Write:
    """Notes that it was written, or fails."""

    def do(_: Transaction) -> None:
        if error is not None:
            raise error
        written.append(word)

    return do


def unhurried() -> RetryPolicy:
    return RetryPolicy(lambda _: True)


def test_what_is_in_line_is_written_in_its_order(distant: Distant) -> None:
    line, written = PendingWrites(), list[str]()
    distant.away = True
    for word in ("heard", "given back"):
        with pytest.raises(DatabaseFailed):
            line.write(distant, noting(written, word), unhurried())
    distant.away = False
    line.write(distant, noting(written, "heard later"), unhurried())
    assert written == ["heard", "given back", "heard later"]
    line.catch_up(distant)
    assert len(written) == 3


def test_a_lost_race_stays_in_line_and_keeps_the_others_waiting(distant: Distant) -> None:
    line, written = PendingWrites(), list[str]()
    races = iter([*[Conflict("lost")] * TRIES, None])

    def races_once(_: Transaction) -> None:
        if (error := next(races)) is not None:
            raise error
        written.append("won")

    with pytest.raises(Conflict):
        line.write(distant, races_once, unhurried())
    line.write(distant, noting(written, "after it"), unhurried())
    assert written == ["won", "after it"]


def test_what_can_never_be_written_keeps_nobody_else_from_it(distant: Distant) -> None:
    line, written = PendingWrites(), list[str]()
    with pytest.raises(InvalidInput):
        line.write(distant, noting(written, "", InvalidInput("a NUL")), unhurried())
    line.write(distant, noting(written, "the next"), unhurried())
    assert written == ["the next"]
