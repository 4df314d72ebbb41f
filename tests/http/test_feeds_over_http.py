"""Feeds read from a server that misbehaves, with the client that asks real servers.

Nothing is faked but the clock and the names: those under .example lead to the server of the test.
"""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from email.utils import format_datetime
from ipaddress import ip_address

import pytest

from paperround.db.transactions import SqlDatabase
from paperround.delivery.system_mail_model import Alert
from paperround.feeds.due import polled_feeds
from paperround.feeds.model import FeedHealth, NewFeed
from paperround.feeds.poll import PollReport
from paperround.http.client import GuardedClient
from paperround.http.network import Network
from paperround.http.transport import FetchLimits
from paperround.ops.alerts import claim_episode, feed_alerts
from paperround.papers.model import FeedId
from tests.digests.two_hundred import SAMPLES
from tests.feeds.feed_context import HOUR, MINUTE, Room
from tests.http.faults import (
    Behaviour,
    Caller,
    FaultServer,
    bomb,
    hangs,
    page,
    redirects,
    says,
    trickles,
)

DAY = timedelta(days=1)
PAPERS = SAMPLES["rss"].joined([SAMPLES["rss"].good(1), SAMPLES["rss"].good(2)])
FAULTS: list[Behaviour] = [
    says(page(b"busy", status="500 Oh")),
    says(page(PAPERS, length=len(PAPERS) + 1)),
    says(b"SSH-2.0-x\r\n\r\n"),
    trickles(page(length=10_000), b"x"),
    says(page(bomb(100), "Content-Encoding: gzip")),
    redirects("/news"),
    redirects("http://10.0.0.1/"),
    says(page(b"<!DOCTYPE rss [<!ENTITY a 'b'>]><rss><channel/></rss>")),
    says(page(PAPERS[:-20])),
    says(page(b"<html><body>We will be back</body></html>", status="404 Gone fishing")),
    hangs,
    says(b""),
]
BACK_OFF = [5, 10, 20, 40, 80, 160, 320, 360, 360, 1440, 1440, 1440]
"""Minutes after each failure in a row."""


@dataclass
class Site:
    """What the server says at each path, to be changed at any time."""

    said: dict[str, Behaviour] = field(default_factory=dict)

    def at(self, path: str) -> Behaviour:
        return lambda caller: self.said[path](caller)


class Newsstand:
    """A newsroom with the real client, a server, and a feed at each path that is added."""

    def __init__(self, database: SqlDatabase, server: FaultServer, site: Site) -> None:
        self.room = Room(database)
        self.server, self.site = server, site
        hosts = ("news.example", "other.example")
        self.client = GuardedClient(
            user_agent="Paperround-test",
            allow=[f"{host}:{server.port}" for host in hosts],
            clock=self.room.clock,
            limits=FetchLimits(total=1.0),
            network=Network(look_up=lambda _host, _port: [ip_address("127.0.0.1")]),
            trust=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT),
        )
        self.room.feed_context = replace(self.room.feed_context, client=self.client)

    def add(self, name: str, host: str = "news.example", path: str = "/news") -> FeedId:
        url = f"http://{host}:{self.server.port}{path}"
        return self.room.add(NewFeed(name=name, kind="feed", url=url))

    def alerts(self) -> list[Alert]:
        with self.room.database.reading() as work:
            return feed_alerts(polled_feeds(work))

    def told(self) -> list[str]:
        """What the operator is told now; of what was told before, nothing."""
        now = self.room.clock.now()
        with self.room.database.writing() as work:
            found = feed_alerts(polled_feeds(work))
            return [one.subject for one in found if claim_episode(work, one, now=now)]

    def due_in(self, report: PollReport) -> timedelta:
        return report.next_at - self.room.clock.now()


@contextmanager
def standing(database: SqlDatabase) -> Iterator[Newsstand]:
    site = Site({path: says(page(PAPERS)) for path in ("/news", "/other", "/")})
    with FaultServer({path: site.at(path) for path in site.said}) as server:
        stand = Newsstand(database, server, site)
        try:
            yield stand
        finally:
            stand.client.close()


@pytest.fixture
def stand(database: SqlDatabase) -> Iterator[Newsstand]:
    with standing(database) as newsstand:
        yield newsstand


@pytest.mark.slow
@pytest.mark.accept("I11")
def test_a_feed_that_fails_in_every_way_backs_off_alone_is_red_and_recovers(
    stand: Newsstand,
) -> None:
    room, other = stand.room, stand.add("other", "other.example", "/other")
    feed = stand.add("news")
    told, waited = [], []
    for failures, fault in enumerate(FAULTS, start=1):
        stand.site.said["/news"] = fault
        report = room.poll_next(feed)
        assert (report.health, room.feed(feed).failures) == (FeedHealth.FAILED, failures)
        assert report.reason
        waited.append(stand.due_in(report) // MINUTE)
        told += stand.told()
        assert [one.subject for one in stand.alerts()] == told
    assert waited == BACK_OFF
    assert told == ["The feed news is failing"]
    assert (room.feed(other).health, room.feed(other).failures) == (FeedHealth.FRESH, 0)
    assert all(run.state == "done" for run in room.runs(other))
    assert room.papers == 2

    stand.site.said["/news"] = says(page(PAPERS))
    recovered = room.poll_next(feed)
    assert (recovered.error, recovered.health) == (None, FeedHealth.FRESH)
    assert (room.feed(feed).failures, stand.alerts()) == (0, [])
    assert stand.due_in(recovered) <= HOUR


@pytest.mark.accept("I12")
@pytest.mark.parametrize(
    ("sent", "asked"),
    [
        ('ETag: W/"a, b"', b'if-none-match: W/"a, b"'),
        (
            "Last-Modified: Wed, 28 Jan 2026 06:00:00 GMT",
            b"if-modified-since: Wed, 28 Jan 2026 06:00:00 GMT",
        ),
    ],
)
def test_what_did_not_change_is_not_sent_again(stand: Newsstand, sent: str, asked: bytes) -> None:
    def conditional(caller: Caller) -> None:
        is_known = asked.lower() in stand.server.requests[-1].lower()
        answer = page(status="304 Not Modified") if is_known else page(PAPERS, sent)
        caller.sock.sendall(answer)

    stand.site.said["/news"] = conditional
    feed = stand.add("news")
    assert stand.room.poll_next(feed).new == 2
    for _ in range(3):
        report = stand.room.poll_next(feed)
        assert (report.records, report.error, report.health) == (0, None, FeedHealth.FRESH)
    states = [run.state for run in stand.room.runs(feed)]
    assert states == ["unchanged", "unchanged", "unchanged", "done"]


def http_date(moment: datetime) -> str:
    return format_datetime(moment, usegmt=True)


@pytest.mark.accept("I12")
@pytest.mark.parametrize("status", ["429 Too Many Requests", "503 Service Unavailable"])
@pytest.mark.parametrize(
    ("wish", "pause"),
    [("10800", 3 * HOUR), ("date", 2 * HOUR), ("864000", DAY), ("1", 5 * MINUTE)],
)
def test_a_pause_is_kept_by_all_feeds_of_the_host_and_by_no_other(
    stand: Newsstand, status: str, wish: str, pause: timedelta
) -> None:
    said = http_date(stand.room.clock.now() + 2 * HOUR) if wish == "date" else wish
    stand.site.said["/news"] = says(page(b"", f"Retry-After: {said}", status=status))
    feed = stand.add("news")
    report = stand.room.poll_next(feed)
    assert (report.health, stand.due_in(report)) == (FeedHealth.FAILED, pause)
    if pause == 5 * MINUTE:
        return  # a host that wants a second's rest has had it before anybody is due
    neighbour, other = stand.add("neighbour"), stand.add("other", "other.example", "/other")
    before = stand.server.accepted
    stand.room.clock.moment += pause / 2
    reports = {one.id: one for one in stand.room.poll()}
    assert (feed in reports, reports[neighbour].put_off) == (False, True)
    assert (reports[other].new, stand.server.accepted) == (2, before + 1)
    stand.site.said["/news"] = says(page(PAPERS))
    stand.room.clock.moment += pause / 2
    assert stand.room.poll_next(feed).error is None
