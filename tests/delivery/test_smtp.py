"""Batches over SMTP: kept connections, what follows a failure, and ends that come early."""

import socket
import threading
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import chain, repeat

import pytest

from paperround.core.smtp_url import Relay, Tls
from paperround.delivery.model import Envelope, Outcome, Phase
from paperround.delivery.replies import verdict
from paperround.delivery.smtp.conversation import Timeouts
from paperround.delivery.smtp.mailer import SmtpMailer
from paperround.delivery.smtp.session import World
from paperround.editions.model import DeliveryId
from tests.delivery.envelopes import Marks, envelope, envelopes
from tests.faults import Action, Break, Late, Say, SmtpSink

PATIENT = Timeouts(connect=30, command=30, dot=30, goodbye=30)


@pytest.fixture(autouse=True)
def no_thread_is_left_behind() -> Iterator[None]:
    before = set(threading.enumerate())
    yield
    assert set(threading.enumerate()) <= before  # one that another test left may end meanwhile


Sinks = Callable[..., SmtpSink]


@pytest.fixture(params=[("PIPELINING",), ()], ids=["pipelined", "lock-step"])
def sinks(request: pytest.FixtureRequest) -> Sinks:
    """Makes sinks that take commands in groups, or one by one."""
    return partial(SmtpSink, offers=request.param)


def mailer(
    *sinks: SmtpSink | int, connections: int = 10, timeouts: Timeouts = PATIENT
) -> SmtpMailer:
    ports = [sink if isinstance(sink, int) else sink.port for sink in sinks]
    relays = [Relay(host="127.0.0.1", port=port, tls=Tls.NONE) for port in ports]
    return SmtpMailer(relays, hostname="papers.example", connections=connections, timeouts=timeouts)


def states(outcomes: Iterator[Outcome]) -> Counter[str]:
    return Counter(str(verdict(outcome).state) for outcome in outcomes)


def closed_port() -> int:
    with SmtpSink() as sink:
        return sink.port


@pytest.mark.accept(
    "R14", part="mails made ahead", mutant="mails-made-ahead-go-to-a-relay-that-refuses-us"
)
def test_mails_made_ahead_stay_back_once_their_sender_stops(sinks: Sinks) -> None:
    found: list[Outcome] = []
    taken_up = 0

    def asked() -> Iterator[Envelope]:
        nonlocal taken_up
        for one in envelopes(9):
            taken_up += 1
            yield one

    refusals = repeat(Late(0.2, Say("550 5.7.26 unauthenticated mail is not accepted")))
    with sinks({"rcpt": refusals}) as sink:
        sending = mailer(sink, connections=2).send(
            asked(), before_dot=Marks(), stopping=lambda: bool(found)
        )
        for outcome in sending:
            found.append(outcome)  # noqa: PERF402  `stopping` reads it meanwhile
    assert taken_up > 2
    assert len(found) == sum(one.startswith("RCPT") for one in sink.commands) <= 2


def test_a_thousand_mails_over_ten_connections_arrive_exactly_once(sinks: Sinks) -> None:
    marks = Marks()
    with sinks() as sink:
        assert states(mailer(sink).send(envelopes(1000), before_dot=marks)) == {"sent": 1000}
    assert Counter(m.message_id for m in sink.messages) == Counter(
        one.message_id for one in envelopes(1000)
    )
    assert sink.connections <= 10
    assert sorted(marks.ids) == list(range(1, 1001))


def test_a_connection_is_kept_without_a_reset_and_ended_with_a_goodbye(sinks: Sinks) -> None:
    with sinks() as sink:
        list(mailer(sink, connections=1).send(envelopes(3), before_dot=Marks()))
    verbs = [command.split(" ")[0] for command in sink.commands]
    assert verbs == ["EHLO", *["MAIL", "RCPT", "DATA"] * 3, "QUIT"]
    assert sink.commands[0] == "EHLO papers.example"


def test_a_refused_recipient_costs_a_reset_and_not_the_connection(sinks: Sinks) -> None:
    with sinks({"rcpt": [Say("550 5.1.1 no")]}) as sink:
        found = states(mailer(sink, connections=1).send(envelopes(2), before_dot=Marks()))
    assert found == {"failed": 1, "sent": 1}
    assert sink.connections == 1
    assert sink.commands.count("RSET") == 1


def test_a_refused_body_costs_a_reset_unless_the_next_mail_was_on_its_way(sinks: Sinks) -> None:
    with sinks({"dot": [Say("451 4.3.0 not now")]}) as sink:
        found = states(mailer(sink, connections=1).send(envelopes(2), before_dot=Marks()))
    assert found == {"deferred": 1, "sent": 1}
    assert sink.connections == 1
    assert sink.commands.count("RSET") == (not sink.offers)


def test_the_size_is_declared_where_the_server_wants_to_know(sinks: Sinks) -> None:
    mail = envelope(1)
    with sinks() as sink:
        list(mailer(sink).send([mail], before_dot=Marks()))
    assert f"MAIL FROM:<{mail.sender}> SIZE={len(mail.content)}" in sink.commands


def test_no_more_connections_are_opened_than_there_are_mails(sinks: Sinks) -> None:
    with sinks() as sink:
        list(mailer(sink).send(envelopes(2), before_dot=Marks()))
    assert 1 <= sink.connections <= 2


@pytest.mark.parametrize("gone", [Say("421 4.4.2 idle"), Break.DROP, Break.RST])
def test_a_kept_connection_that_went_stale_costs_no_mail_its_turn(
    sinks: Sinks, gone: Action
) -> None:
    with sinks({"mail": [Say("250 ok"), gone]}) as sink:
        found = states(mailer(sink, connections=1).send(envelopes(3), before_dot=Marks()))
    assert found == {"sent": 3}
    assert sink.connections == 2


def test_a_refused_reset_is_answered_by_a_new_connection(sinks: Sinks) -> None:
    script: Mapping[str, list[Action]] = {"rcpt": [Say("450 no")], "rset": [Say("502 what")]}
    with sinks(script) as sink:
        found = states(mailer(sink, connections=1).send(envelopes(2), before_dot=Marks()))
    assert found == {"deferred": 1, "sent": 1}
    assert sink.connections == 2


def test_an_answer_ahead_of_its_question_is_never_taken_for_the_dots(sinks: Sinks) -> None:
    with sinks({"data": [Say("354 go on\r\n250 2.0.0 taken already")]}) as sink:
        (outcome,) = mailer(sink).send([envelope(1)], before_dot=Marks())
    assert (outcome.phase, verdict(outcome).state) == (Phase.BODY, "deferred")
    assert sink.messages == []


def test_a_relay_that_is_down_is_not_hammered(sinks: Sinks) -> None:
    with sinks({"banner": repeat(Break.DROP)}) as sink:
        found = list(mailer(sink, connections=4).send(envelopes(500), before_dot=Marks()))
    assert sink.connections <= 6
    assert {(one.phase, verdict(one).state) for one in found} == {(Phase.GREETING, "deferred")}
    assert sorted(one.id for one in found) == list(range(1, 501))


def test_a_port_nobody_listens_on_puts_every_mail_off_at_connect() -> None:
    found = list(mailer(closed_port()).send(envelopes(50), before_dot=Marks()))
    assert {(one.phase, verdict(one).state) for one in found} == {(Phase.CONNECT, "deferred")}
    assert verdict(found[0]).blame.destination
    assert len(found) == 50


def test_a_relay_that_wants_two_connections_gets_two_and_all_but_a_few_mails_at_once(
    sinks: Sinks,
) -> None:
    banners = chain([Say("220 one"), Say("220 two")], repeat(Say("421 4.7.0 too many")))
    with sinks({"banner": banners}) as sink:
        found = states(mailer(sink).send(envelopes(200), before_dot=Marks()))
    assert found["sent"] >= 192
    assert found["sent"] + found["deferred"] == 200


@pytest.mark.accept("F33", part="failover")
def test_the_second_relay_is_used_while_the_first_cannot_be_reached(sinks: Sinks) -> None:
    with sinks({"banner": repeat(Say("421 4.3.2 down"))}) as first, sinks() as second:
        ways = mailer(closed_port(), first, second, connections=1)
        assert states(ways.send(envelopes(3), before_dot=Marks())) == {"sent": 3}
    assert (first.messages, len(second.messages)) == ([], 3)


@pytest.mark.accept("R14", part="sender")
def test_a_storm_of_policy_refusals_blames_no_reader(sinks: Sinks) -> None:
    with sinks({"dot": repeat(Say("550 5.7.26 unauthenticated"))}) as sink:
        outcomes = mailer(sink, connections=1).send(envelopes(30), before_dot=Marks())
        found = [verdict(outcome) for outcome in outcomes]
    assert {(one.state, one.blame.us, one.blame.subscriber) for one in found} == {
        ("deferred", True, False)
    }


def test_a_fault_of_our_own_while_connecting_is_raised_to_the_caller() -> None:
    def broken(_relay: Relay, _seconds: float) -> socket.socket:
        raise ZeroDivisionError

    ways = SmtpMailer(
        [Relay(host="127.0.0.1", port=25, tls=Tls.NONE)],
        hostname="papers.example",
        connections=3,
        world=World(dial=broken),
    )
    with pytest.raises(ZeroDivisionError):
        list(ways.send(envelopes(9), before_dot=Marks()))


def test_a_slow_handshake_holds_up_no_other_connection(sinks: Sinks) -> None:
    marks = Marks()
    with sinks({"banner": [None, Break.HANG]}) as sink:
        sending = mailer(sink, connections=2).send(envelopes(30), before_dot=marks)
        told = [next(sending).id for _ in range(29)]
        assert hasattr(sending, "close")
        sending.close()
    assert len(set(told)) == 29


def test_an_id_that_comes_twice_is_permitted_once(sinks: Sinks) -> None:
    marks = Marks()
    mails = [envelope(1), envelope(1), envelope(2), envelope(3), envelope(1)]
    with sinks({"dot": [Late(0.2)]}) as sink:
        found = list(mailer(sink, connections=5).send(mails, before_dot=marks))
    assert sorted(one.id for one in found) == sorted(marks.ids) == [1, 2, 3]
    assert len(sink.messages) == 3


@pytest.mark.parametrize("permits", [True, False])
def test_a_connection_lost_while_its_mail_is_marked_gets_no_dot(
    sinks: Sinks, permits: bool
) -> None:
    """Marked, it is known not to have left; not marked, it is somebody else's, and nothing is
    told of it."""

    def mark(ids: Sequence[DeliveryId]) -> Collection[DeliveryId]:
        sink.hang_up()
        return ids if permits else ()

    with sinks() as sink:
        found = list(mailer(sink, connections=1).send([envelope(1)], before_dot=mark))
    assert [(one.phase, verdict(one).state) for one in found] == [
        (Phase.BODY, "deferred")
    ] * permits
    assert sink.messages == []


def test_two_batches_share_what_is_known_and_each_goes_on_by_itself(sinks: Sinks) -> None:
    """As notices do beside digests: the second is told at once though the first has all
    connections."""
    with sinks() as sink:
        ways = mailer(sink, connections=1)
        first = ways.send(envelopes(50), before_dot=Marks())
        begun = next(first)
        assert states(ways.send([envelope(51)], before_dot=Marks())) == {"sent": 1}
        assert 1 + states(first)["sent"] == 50
    assert begun.id == 1
    assert sink.connections == 2


# --- in groups ---------------------------------------------------------------------------------


def test_a_relay_that_offers_groups_wrongly_can_be_served_one_by_one() -> None:
    """This one answers only what came alone."""
    with SmtpSink(offers=("PIPELINING",), forgetful=True) as sink:
        relay = Relay(host="127.0.0.1", port=sink.port, tls=Tls.NONE)
        ways = SmtpMailer(
            [relay], hostname="papers.example", pipelining=False, timeouts=Timeouts(command=5)
        )
        assert states(ways.send(envelopes(20), before_dot=Marks())) == {"sent": 20}


# --- connections that outlive a batch ----------------------------------------------------------


def kept(sink: SmtpSink, *, keep: float = 30.0) -> SmtpMailer:
    relay = Relay(host="127.0.0.1", port=sink.port, tls=Tls.NONE)
    return SmtpMailer([relay], hostname="papers.example", connections=3, keep=keep)


def test_the_next_batch_takes_up_the_connection_of_the_last(sinks: Sinks) -> None:
    with sinks() as sink:
        ways = kept(sink)
        for _ in range(4):
            assert states(ways.send([envelope(1)], before_dot=Marks())) == {"sent": 1}
        assert sink.connections == 1
        ways.close()
    assert sink.commands.count("QUIT") == 1


def test_a_kept_connection_that_the_relay_ended_costs_no_mail_its_turn(sinks: Sinks) -> None:
    with sinks({"mail": [None, Say("421 4.4.2 idle")]}) as sink:
        ways = kept(sink)
        for _ in range(2):
            assert states(ways.send([envelope(1)], before_dot=Marks())) == {"sent": 1}
        ways.close()


def test_connections_nobody_takes_up_are_ended_with_a_goodbye() -> None:
    left = threading.Event()

    class Left(SmtpSink):
        def next_action(self, stage: str) -> Action | None:
            if stage == "quit":
                left.set()
            return super().next_action(stage)

    with Left() as sink:
        list(kept(sink, keep=0.05).send([envelope(1)], before_dot=Marks()))
        assert left.wait(30)
        for thread in threading.enumerate():
            if isinstance(thread, threading.Timer):
                thread.join(30)


# --- ends that come early ----------------------------------------------------------------------


def test_the_outcome_of_an_open_dot_is_told_before_an_error_is_raised(sinks: Sinks) -> None:
    marks, told = Marks(), list[Outcome]()
    unsendable = replace(envelope(2), content=b"no line end")

    def breaking_down_once_a_dot_is_open() -> Iterator[Envelope]:
        yield envelope(1)
        while not marks.calls:
            yield unsendable
        raise LookupError

    def listen(ways: SmtpMailer) -> None:
        for outcome in ways.send(breaking_down_once_a_dot_is_open(), before_dot=marks):
            told.append(outcome)

    with sinks({"dot": [Late(0.2)]}) as sink, pytest.raises(LookupError):
        listen(mailer(sink, connections=2))
    assert [verdict(outcome).state for outcome in told if outcome.id == 1] == ["sent"]


def closed_after_first(sending: Iterator[Outcome]) -> Outcome:
    first = next(sending)
    assert hasattr(sending, "close")
    sending.close()
    return first


def test_an_open_dot_is_waited_for_when_a_batch_is_closed(sinks: Sinks) -> None:
    marks = Marks()
    with sinks({"dot": [Say("250 first"), Late(0.3)]}) as sink:
        closed_after_first(mailer(sink, connections=2).send(envelopes(9), before_dot=marks))
        arrived = {message.message_id for message in sink.messages}
    assert arrived == {envelope(one).message_id for one in marks.ids}


def test_a_dot_that_is_never_answered_is_waited_for_only_so_long(sinks: Sinks) -> None:
    timeouts = Timeouts(connect=300, command=300, dot=300, patience=0.2)
    with sinks({"dot": [Say("250 first"), *repeat(Break.HANG, 9)]}) as sink:
        ways = mailer(sink, connections=2, timeouts=timeouts)
        closed_after_first(ways.send(envelopes(9), before_dot=Marks()))
    assert len(sink.messages) == 1


def test_a_relay_that_hangs_before_the_dot_does_not_hold_up_the_end(sinks: Sinks) -> None:
    timeouts = Timeouts(connect=300, command=300, dot=300, patience=300)
    with sinks({"rcpt": [Say("250 ok"), *repeat(Break.HANG, 9)]}) as sink:
        ways = mailer(sink, connections=3, timeouts=timeouts)
        closed_after_first(ways.send(envelopes(9), before_dot=Marks()))
    assert len(sink.messages) == 1


def test_a_banner_that_never_comes_does_not_hold_up_the_end(sinks: Sinks) -> None:
    timeouts = Timeouts(connect=300, command=300, dot=300, patience=300)
    with sinks({"banner": [Say("220 ok"), *repeat(Break.HANG, 9)]}) as sink:
        ways = mailer(sink, connections=3, timeouts=timeouts)
        closed_after_first(ways.send(envelopes(9), before_dot=Marks()))


def test_to_lose_no_outcome_one_ends_the_envelopes_and_reads_on(sinks: Sinks) -> None:
    stopping = threading.Event()

    def until_stopped() -> Iterator[Envelope]:
        for mail in envelopes(500):
            if stopping.is_set():
                return
            yield mail

    told = 0
    marks = Marks()
    with sinks() as sink:
        for _ in mailer(sink).send(until_stopped(), before_dot=marks):
            told += 1
            stopping.set()
    assert told == len(sink.messages) == len(marks.ids) < 500
