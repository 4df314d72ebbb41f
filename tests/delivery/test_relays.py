"""Which relay is used when: order, rests and pace, on a clock of its own."""

from itertools import pairwise

import pytest

from paperround.core.smtp_url import Relay, Tls
from paperround.delivery.replies import verdict
from paperround.delivery.smtp.mailer import SmtpMailer
from tests.delivery.envelopes import Marks, envelope, envelopes
from tests.delivery.slow_world import SlowWorld, Worlds

MINUTE = 60.0


def relay(host: str) -> Relay:
    return Relay(host=host, port=25, tls=Tls.NONE)


def mailer(world: SlowWorld, *hosts: str, connections: int = 5, keep: float = 0) -> SmtpMailer:
    return SmtpMailer(
        [relay(host) for host in hosts],
        hostname="papers.example",
        connections=connections,
        keep=keep,
        world=world.world,
    )


def send(ways: SmtpMailer, count: int = 1) -> list[str]:
    return [str(verdict(one).state) for one in ways.send(envelopes(count), before_dot=Marks())]


def hosts(world: SlowWorld) -> list[str]:
    return [host for host, _ in world.dials]


def test_a_distant_relay_gets_one_new_connection_a_second_at_most(worlds: Worlds) -> None:
    world = worlds({b".": 0.5})
    assert send(mailer(world, "far.example"), 300) == ["sent"] * 300
    times = [at for _, at in world.dials]
    assert len(times) == 5
    assert all(later - sooner >= 1 for sooner, later in pairwise(times))


def test_a_relay_on_this_machine_gets_all_its_connections_at_once(worlds: Worlds) -> None:
    world = worlds({b".": 2.0})
    assert send(mailer(world, "127.0.0.1"), 5) == ["sent"] * 5
    assert len(world.dials) == 5
    assert len({at for _, at in world.dials}) == 1


@pytest.mark.accept("F33", part="a relay that fails is left for a while")
def test_a_relay_that_failed_three_times_is_left_alone_and_then_tried_once(worlds: Worlds) -> None:
    world = worlds(is_down=lambda _relay, _now: True)
    ways = mailer(world, "127.0.0.1", connections=1)
    assert send(ways, 50) == ["deferred"] * 50
    assert len(world.dials) == 3
    for rest in (1, 2, 4, 8, 15, 15):
        before = len(world.dials)
        world.now += rest * MINUTE - 1
        assert send(ways, 50) == ["deferred"] * 50
        assert len(world.dials) == before
        world.now += 1
        assert send(ways, 50) == ["deferred"] * 50
        assert len(world.dials) == before + 1


@pytest.mark.accept("F33", part="failover and back")
def test_the_next_relay_takes_over_until_the_first_is_back(worlds: Worlds) -> None:
    world = worlds({b".": 0.1}, is_down=lambda to, now: to.host == "first" and now < 1500)
    ways = mailer(world, "first", "second", connections=2)
    assert send(ways, 30) == ["sent"] * 30
    assert hosts(world)[:2] == ["first", "second"]
    assert world.taken == {"second": 30}
    world.now = 2000
    tried = len(world.dials)
    assert send(ways, 60) == ["sent"] * 60
    assert hosts(world)[tried] == "first"
    assert world.taken["first"] >= 55


def test_a_long_batch_goes_over_to_the_first_relay_when_that_is_back(worlds: Worlds) -> None:
    world = worlds({b".": 1.0}, is_down=lambda to, now: to.host == "first" and now < 1030)
    assert send(mailer(world, "first", "second", connections=2), 400) == ["sent"] * 400
    assert world.taken["first"] > world.taken["second"] > 0
    assert hosts(world).count("first") <= 6


def test_a_session_that_answers_to_no_mail_counts_as_one_that_failed(worlds: Worlds) -> None:
    world = worlds({b"MAIL": 61.0})
    ways = mailer(world, "127.0.0.1", connections=1)
    assert send(ways, 20) == ["deferred"] * 20
    assert len(world.dials) == 3


def test_a_mark_that_is_refused_in_the_one_trying_session_leaves_the_relay_to_be_tried(
    worlds: Worlds,
) -> None:
    world = worlds(is_down=lambda _relay, now: now < 1010)
    ways = mailer(world, "127.0.0.1", connections=1)
    assert send(ways, 5) == ["deferred"] * 5
    world.now += MINUTE
    assert list(ways.send([envelope(1)], before_dot=Marks(refused=frozenset({1})))) == []
    assert send(ways, 5) == ["sent"] * 5


def test_without_a_relay_every_mail_is_put_off(worlds: Worlds) -> None:
    assert send(mailer(worlds()), 3) == ["deferred"] * 3


def test_a_relay_that_wants_no_more_connections_is_not_asked_again_and_again(
    worlds: Worlds,
) -> None:
    """Another batch has the one it gives."""
    world = worlds({b".": 9.0})
    ways = mailer(world, "127.0.0.1", connections=1)
    digests = ways.send(envelopes(2), before_dot=Marks())
    next(digests)
    world.is_down = lambda _relay, now: now < 1030
    assert send(ways) == ["sent"]
    tries = [at for _, at in world.dials[1:]]
    assert all(later - sooner >= 2 for sooner, later in pairwise(tries))
    assert len(list(digests)) == 1
