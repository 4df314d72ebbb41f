"""B1, B2, B4: a shared digest delivered with its ledger, against a C program that only sends.

smtp-source and smtp-sink are from Debian's postfix package; no mail server is started. The peer
sends one of our messages repeatedly; we claim, compose, mark, send and settle each. For B4 both
send to our own sink, which replies after a round trip, as smtp-sink cannot.
"""

import statistics
import tempfile
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from pathlib import Path

from benchmarks.compose import mail_of_an_edition
from benchmarks.ingest import fresh_database
from benchmarks.invented import NOW, as_jsonl, papers, store, subscribe
from benchmarks.peer import PORT, far_sink, lacks_peer, near_sink, seconds_of_peer
from benchmarks.table import Bar, Measured
from paperround.bootstrap import AppContext
from paperround.config import Settings
from paperround.core.clock import FixedClock, StartedClock
from paperround.db.transactions import Database
from paperround.delivery.dkim.keys import new_key, pem_of
from paperround.delivery.dkim.signer import Algorithm
from paperround.digests.publish import publish
from paperround.digests.sending import DeliveryContext, deliver
from paperround.feeds.formats.jsonl import read_jsonl

MAILS = 2000
ROUNDS = 3
ROUND_TRIP = 0.05
BARS_OF_SIGNED = {Algorithm.ED25519: 0.4, Algorithm.RSA: 0.25}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Race:
    """A race: how many messages each side sends over how many connections, and how ours are
    signed."""

    sink: Callable[[], AbstractContextManager[object]]
    connections: int = 10
    mails: int = MAILS
    mails_of_peer: int = MAILS
    key: str | None = None


def delivery_speed() -> list[Measured]:
    """Messages per second of `deliver`, as a multiple of `smtp-source -d` with the same sink."""
    return _measured("B1", "deliver / smtp-source -d", _Race(sink=near_sink), 0.6)


def signed_delivery_speed() -> list[Measured]:
    """The same with our messages signed, and the peer's not."""
    return [
        row
        for algorithm, bar in BARS_OF_SIGNED.items()
        for row in _measured(
            "B2",
            f"deliver, signed with {algorithm} / smtp-source -d",
            _Race(sink=near_sink, key=pem_of(new_key(algorithm, "s1"))),
            bar,
        )
    ]


def distant_delivery_speed() -> list[Measured]:
    """The same over a connection with a round trip of 50 ms."""
    race = _Race(
        sink=partial(far_sink, ROUND_TRIP), connections=100, mails=6000, mails_of_peer=1000
    )
    return _measured("B4", "deliver / smtp-source -d, 50 ms a round trip", race, 3)


def _measured(point: str, measure: str, race: _Race, bar: float) -> list[Measured]:
    if lacks_peer(point):
        return []
    rates = _run(race)
    ours, peer = ([rate[side] for rate in rates] for side in (0, 1))
    ratio = statistics.median(one / other for one, other in rates)
    said = f"{statistics.median(ours):,.0f} against {statistics.median(peer):,.0f} mails a second"
    measure = f"{measure}, {race.connections} connections ({said})"
    return [Measured(id=point, measure=measure, value=ratio, bar=Bar("at least", bar))]


def _run(race: _Race) -> list[tuple[float, float]]:
    """(our messages per second, smtp-source's), in turns; the first round does not count."""
    with fresh_database() as database, race.sink(), tempfile.TemporaryDirectory() as folder:
        store(read_jsonl(as_jsonl(papers(400))), database)
        subscribe(race.mails, database)
        settings = _settings(Path(folder), race)
        post = _post(database, settings)
        message = _message(settings)
        rates = []
        for number in range(ROUNDS + 1):
            today = replace(post, clock=StartedClock(NOW + timedelta(days=number)))
            ours = _ours(today, settings, race.mails)
            mails = race.mails_of_peer
            seconds = seconds_of_peer(message, mails=mails, connections=race.connections)
            rates.append((ours, mails / seconds))
        return rates[1:]


def _ours(post: DeliveryContext, settings: Settings, mails: int) -> float:
    """Our messages per second; planning the day's digests is not timed."""
    now = post.clock.now()
    home = AppContext(settings, FixedClock(now))
    publish(
        database=post.database,
        ranker=home.ranker,
        identity=home.identity,
        list_name="trending",
        day=None,
        cut="manual",
        now=now,
    )
    begin = time.perf_counter()
    report = deliver(post)
    seconds = time.perf_counter() - begin
    if report.totals.sent != mails:
        raise RuntimeError(f"the sink took {report.totals.sent} of {mails} mails")
    return mails / seconds


def _message(settings: Settings) -> Path:
    """One of the messages as smtp-source reads it, with Unix line ends."""
    home = AppContext(
        settings.model_copy(update={"dkim_key": None, "dkim_selector": ""}), FixedClock(NOW)
    )
    file = settings.data_dir / "message"
    content = home.renderer.compose(mail_of_an_edition(home))
    file.write_bytes(content.replace(b"\r\n", b"\n"))
    return file


def _settings(folder: Path, race: _Race) -> Settings:
    return Settings(
        data_dir=folder,
        smtp_url=f"smtp://127.0.0.1:{PORT}",
        smtp_connections=race.connections,
        dkim_key=race.key,
        dkim_selector="s1" if race.key else "",
    )


def _post(database: Database, settings: Settings) -> DeliveryContext:
    home = AppContext(settings, FixedClock(NOW))
    return replace(home.post(), database=database)
