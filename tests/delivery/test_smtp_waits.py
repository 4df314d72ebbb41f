"""How long each answer is waited for, on a clock that only moves when somebody waits."""

from collections.abc import Collection, Iterator, Sequence

import pytest

from paperround.core.smtp_url import Relay, Tls
from paperround.delivery.model import Outcome, Phase
from paperround.delivery.replies import verdict
from paperround.delivery.smtp.mailer import SmtpMailer
from paperround.editions.model import DeliveryId
from tests.delivery.envelopes import Marks, envelopes
from tests.delivery.slow_world import SlowWorld, Worlds

MODES = pytest.mark.parametrize("pipelining", [True, False], ids=["pipelined", "lock-step"])


def sending(world: SlowWorld, *, count: int = 1, pipelining: bool = True) -> Iterator[Outcome]:
    mailer = SmtpMailer(
        [Relay(host="127.0.0.1", port=25, tls=Tls.NONE)],
        hostname="papers.example",
        connections=1,
        pipelining=pipelining,
        world=world.world,
    )
    yield from mailer.send(envelopes(count), before_dot=Marks())


@MODES
@pytest.mark.accept("R7")
def test_an_answer_599_seconds_after_the_dot_is_still_heard(
    worlds: Worlds, pipelining: bool
) -> None:
    world = worlds({b".": 599.0})
    begin = world.now
    (outcome,) = sending(world, pipelining=pipelining)
    assert verdict(outcome).state == "sent"
    assert world.now - begin == 599.0


@MODES
@pytest.mark.accept("R7")
@pytest.mark.parametrize(("seconds", "trickling"), [(601.0, False), (100.0, True)])
def test_after_600_seconds_without_a_whole_answer_nobody_knows(
    worlds: Worlds, pipelining: bool, seconds: float, trickling: bool
) -> None:
    world = worlds({b".": seconds}, trickling=trickling)
    begin = world.now
    outcome = next(sending(world, pipelining=pipelining))
    assert world.now - begin == 600.0
    assert verdict(outcome).state == "unknown"
    assert outcome.error.startswith("timeout")


@pytest.mark.accept("R7", part="the mail behind")
def test_a_mail_behind_a_dot_that_is_never_answered_goes_out_over_another_connection(
    worlds: Worlds,
) -> None:
    world = worlds({b".": 601.0})
    found = {outcome.id: verdict(outcome).reason for outcome in sending(world, count=2)}
    assert len(world.dials) == 2
    assert all(reason.startswith("silent-after-dot: timeout") for reason in found.values())


@pytest.mark.accept("R6", part="a banner 6 s late")
def test_a_banner_six_seconds_late_is_waited_for(worlds: Worlds) -> None:
    world = worlds({b"banner": 6.0})
    begin = world.now
    (outcome,) = sending(world)
    assert verdict(outcome).state == "sent"
    assert world.now - begin == 6.0


@MODES
@pytest.mark.parametrize(
    ("verb", "phase"), [(b"MAIL", Phase.MAIL), (b"RCPT", Phase.RCPT), (b"DATA", Phase.DATA)]
)
def test_a_command_is_waited_for_a_minute(
    worlds: Worlds, pipelining: bool, verb: bytes, phase: Phase
) -> None:
    world = worlds({verb: 61.0})
    begin = world.now
    outcome = next(sending(world, pipelining=pipelining))
    assert (world.now - begin, outcome.phase) == (60.0, phase)


AWAY = 0.05
FAR = dict.fromkeys((b"banner", b"EHLO", b"MAIL", b"RCPT", b"DATA", b"."), AWAY)


@pytest.mark.accept("B4", part="round trips")
def test_over_a_long_line_every_mail_takes_one_round_trip(worlds: Worlds) -> None:
    world = worlds(FAR)
    mailer = SmtpMailer(
        [Relay(host="127.0.0.1", port=25, tls=Tls.NONE)],
        hostname="papers.example",
        connections=5,
        world=world.world,
    )
    marked: list[float] = []

    def before_dot(ids: Sequence[DeliveryId]) -> Collection[DeliveryId]:
        marked.extend(world.now for _ in ids)
        return ids

    outcomes = list(mailer.send(envelopes(100), before_dot=before_dot))
    assert len(outcomes) == 100
    each_line = 100 / 5
    assert world.now - marked[0] == pytest.approx(each_line * AWAY, abs=2 * AWAY)


def steady_marks(world: SlowWorld, *, lines: int, mails: int) -> list[list[DeliveryId]]:
    """The marks of a run but for the first ones, by when all lines are open, and the last ones."""
    mailer = SmtpMailer(
        [Relay(host="127.0.0.1", port=25, tls=Tls.NONE)],
        hostname="papers.example",
        connections=lines,
        world=world.world,
    )
    marks = Marks()
    assert len(list(mailer.send(envelopes(mails), before_dot=marks))) == mails
    assert sorted(marks.ids) == list(range(1, mails + 1))
    return marks.calls[len(marks.calls) // 2 : -2]


@pytest.mark.accept("B1", part="few marks")
def test_lines_that_answer_at_once_share_their_marks(worlds: Worlds) -> None:
    calls = steady_marks(worlds({b".": 0.0001}), lines=6, mails=120)
    assert {len(ids) for ids in calls} == {6}


def test_far_lines_whose_answers_come_together_share_their_marks(worlds: Worlds) -> None:
    calls = steady_marks(worlds(FAR), lines=6, mails=120)
    assert max(len(ids) for ids in calls) >= 5
