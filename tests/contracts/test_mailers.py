"""What every mailer promises, whatever it sends to."""

import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path

import pytest

from paperround.core.smtp_url import Relay, Tls
from paperround.delivery.model import Envelope, Mailer
from paperround.delivery.outbox import OutboxMailer
from paperround.delivery.replies import verdict
from paperround.delivery.smtp.mailer import SmtpMailer
from paperround.editions.model import DeliveryId, DeliveryState
from tests.delivery.envelopes import Marks, envelope, envelopes
from tests.faults import SmtpSink


class Breakdown(Exception):
    """Something of the caller's failed."""


@dataclass(frozen=True)
class Rig:
    """A mailer and what arrived at its other end, by Message-ID."""

    mailer: Mailer
    arrived: Callable[[], dict[str, bytes]]

    def ids(self) -> set[int]:
        return {int(message_id.strip("<").partition("@")[0]) for message_id in self.arrived()}

    def states(self, mails: Iterator[Envelope], marks: Marks) -> dict[int, str]:
        outcomes = self.mailer.send(mails, before_dot=marks)
        return {outcome.id: verdict(outcome).state for outcome in outcomes}


def files(folder: Path) -> dict[str, bytes]:
    return {f"<{path.stem}>": path.read_bytes() for path in folder.glob("*.eml")}


@pytest.fixture(params=["outbox", "smtp", "smtp-one", "smtp-lock-step", "smtp-lock-step-one"])
def rig(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Rig]:
    before = set(threading.enumerate())
    size = 1 if request.param.endswith("-one") else 4
    if request.param.startswith("outbox"):
        yield Rig(OutboxMailer(tmp_path), lambda: files(tmp_path))
    else:
        offers = () if "lock-step" in request.param else ("PIPELINING",)
        with SmtpSink(offers=offers) as sink:
            relay = Relay(host="127.0.0.1", port=sink.port, tls=Tls.NONE)
            mailer = SmtpMailer([relay], hostname="papers.example", connections=size)
            yield Rig(mailer, lambda: {m.message_id: m.content for m in sink.messages})
    assert set(threading.enumerate()) <= before  # one that another test left may end meanwhile


def test_every_mail_arrives_byte_for_byte_and_is_sent(rig: Rig) -> None:
    bodies = (b"", b".\r\n", b"..\r\n.x\r\n", b"\r\n.\r\n\r\n", b"QUIT\r\n.\r\n" * 40)
    mails = [envelope(number, body=body) for number, body in enumerate(bodies, 1)]
    assert set(rig.states(iter(mails), Marks()).values()) == {DeliveryState.SENT}
    assert rig.arrived() == {mail.message_id: mail.content for mail in mails}


def test_nothing_to_send_asks_for_no_mark(rig: Rig) -> None:
    marks = Marks()
    assert rig.states(iter(()), marks) == {}
    assert marks.calls == []


def test_a_mail_is_marked_once_and_before_it_arrives(rig: Rig) -> None:
    marks = Marks()

    def mark(ids: Sequence[DeliveryId]) -> Collection[DeliveryId]:
        assert not rig.ids() & set(ids)
        return marks(ids)

    outcomes = list(rig.mailer.send(envelopes(20), before_dot=mark))
    assert sorted(marks.ids) == sorted(one.id for one in outcomes) == list(range(1, 21))


def test_a_mail_without_permission_never_arrives_and_has_no_outcome(rig: Rig) -> None:
    states = rig.states(envelopes(20), Marks(refused=frozenset({3, 7, 20})))
    assert set(states) == rig.ids() == set(range(1, 21)) - {3, 7, 20}


def test_an_id_nobody_asked_about_permits_nothing(rig: Rig) -> None:
    assert list(rig.mailer.send(envelopes(2), before_dot=lambda _: [DeliveryId(99)])) == []
    assert rig.ids() == set()


def test_at_most_one_mail_a_connection_is_in_doubt(rig: Rig) -> None:
    told: set[DeliveryId] = set()
    most = 4

    def mark(ids: Sequence[DeliveryId]) -> Collection[DeliveryId]:
        assert len(marks.ids) - len(told) + len(ids) <= most
        return marks(ids)

    marks = Marks()
    for outcome in rig.mailer.send(envelopes(30), before_dot=mark):
        told.add(outcome.id)
    assert len(told) == 30


def test_everything_of_the_callers_runs_on_the_callers_thread(rig: Rig) -> None:
    threads: set[threading.Thread] = set()

    def watched() -> Iterator[Envelope]:
        for mail in envelopes(8):
            threads.add(threading.current_thread())
            yield mail

    def mark(ids: Sequence[DeliveryId]) -> Collection[DeliveryId]:
        threads.add(threading.current_thread())
        return ids

    list(rig.mailer.send(watched(), before_dot=mark))
    assert threads == {threading.current_thread()}


def test_an_iterable_that_raises_stops_the_batch_and_no_unmarked_mail_arrives(rig: Rig) -> None:
    def poisoned() -> Iterator[Envelope]:
        yield from envelopes(6)
        raise Breakdown

    marks = Marks()
    with pytest.raises(Breakdown):
        list(rig.mailer.send(poisoned(), before_dot=marks))
    assert rig.ids() <= set(marks.ids)


def test_outcomes_of_written_dots_are_told_before_the_error_is_raised(rig: Rig) -> None:
    def mark(ids: Sequence[DeliveryId]) -> Collection[DeliveryId]:
        if len(marks.calls) == 2:
            raise Breakdown
        return marks(ids)

    marks, told = Marks(), set[DeliveryId]()

    def listen() -> None:
        for outcome in rig.mailer.send(envelopes(20), before_dot=mark):
            told.add(outcome.id)

    with pytest.raises(Breakdown):
        listen()
    assert told == rig.ids() == set(marks.ids)


def test_closing_early_takes_nothing_more_and_sends_no_unmarked_mail(rig: Rig) -> None:
    marks, taken = Marks(), list[int]()

    def watched() -> Iterator[Envelope]:
        for mail in envelopes(100):
            taken.append(mail.id)
            yield mail

    sending = rig.mailer.send(watched(), before_dot=marks)
    next(sending)
    before = list(taken)
    assert hasattr(sending, "close")
    sending.close()
    assert taken == before
    assert len(taken) < 100
    assert rig.ids() <= set(marks.ids)


@pytest.mark.accept("R10", part="encode")
@pytest.mark.parametrize(
    "broken",
    [
        replace(envelope(2), content=b"Subject: x\n\nbare line feeds\n"),
        replace(envelope(2), content=b"Subject: x\r\n\r\nsmuggled\r.\r\n"),
        replace(envelope(2), content=b"Subject: x\r\n\r\nno end"),
        replace(envelope(2), recipient="ada@example.org>\r\nRCPT TO:<eve@example.org"),
        replace(envelope(2), recipient="ada@example.org> SIZE=1"),
        replace(envelope(2), recipient="jan@żółw.example"),
        replace(envelope(2), recipient=""),
        replace(envelope(2), sender="digest@example.org\r\nDATA"),
        replace(envelope(2), message_id="<>"),
    ],
)
def test_a_mail_that_could_be_read_in_two_ways_fails_alone(rig: Rig, broken: Envelope) -> None:
    mails = chain([envelope(1), broken, envelope(3)])
    states = rig.states(mails, Marks())
    assert states == {1: "sent", 2: "failed", 3: "sent"}
    assert rig.ids() == {1, 3}


def test_a_mailer_can_be_used_again(rig: Rig) -> None:
    for start in (1, 11, 21):
        mails = map(envelope, range(start, start + 10))
        assert len(rig.states(mails, Marks())) == 10
    assert rig.ids() == set(range(1, 31))
