"""B18: how long a confirmation takes over a relay that allows 14 messages a second, while 10,000
digests wait for it.

One process sends, as `paperround deliver` does, and has to interrupt digests for each confirmation.
The relay is smtp-sink of Debian's postfix package; the time is from the request to the relay's 250.
"""

import tempfile
import time
from dataclasses import replace
from pathlib import Path
from threading import Event, Thread

from benchmarks.ingest import fresh_database
from benchmarks.invented import NOW, as_jsonl, papers, store, subscribe
from benchmarks.peer import PORT, lacks_peer, near_sink
from benchmarks.table import Bar, Measured
from paperround.bootstrap import AppContext
from paperround.config import Settings
from paperround.core.clock import FixedClock, StartedClock
from paperround.db.transactions import Database
from paperround.delivery.store.ledger import Ledger
from paperround.delivery.store.system_mail import NoticeLedger
from paperround.delivery.system_mail import new_notice
from paperround.delivery.system_mail_model import SystemMailKind
from paperround.digests.publish import publish
from paperround.digests.sending import DeliveryContext, deliver
from paperround.feeds.formats.jsonl import read_jsonl

WAITING = 10_000
RATE = 14
CONFIRMATIONS = 4
BETWEEN = 3.0
"""Seconds of digests before each confirmation is requested."""

LOOK = 0.02


def confirmation_over_a_capped_relay() -> list[Measured]:
    """The slowest of a few confirmations, in seconds, and the rate of digests meanwhile."""
    if lacks_peer("B18"):
        return []
    with fresh_database() as database, near_sink(), tempfile.TemporaryDirectory() as folder:
        store(read_jsonl(as_jsonl(papers(200))), database)
        subscribe(WAITING, database)
        home = AppContext(_settings(Path(folder)), FixedClock(NOW))
        publish(
            database=database,
            ranker=home.ranker,
            identity=home.identity,
            list_name="trending",
            day=None,
            cut="manual",
            now=NOW,
        )
        waits, pace = _measure(home, database)
    said = f"{WAITING:,} digests waiting, {RATE} a second allowed, {pace:.1f} a second measured"
    return [
        Measured(
            id="B18",
            measure=f"until a confirmation has left ({said})",
            value=max(waits),
            bar=Bar("at most", 5),
            unit="s",
        )
    ]


def _measure(home: AppContext, database: Database) -> tuple[list[float], float]:
    stopping, clock = Event(), StartedClock(NOW)
    post = replace(
        home.post(), database=database, clock=clock, stopping=stopping.is_set, wait=stopping.wait
    )
    sender = Thread(target=deliver, args=(post,))
    begin = time.monotonic()
    sender.start()
    try:
        waits = [_asked(home, post, number) for number in range(CONFIRMATIONS)]
    finally:
        stopping.set()
        sender.join()
    with database.reading() as work:
        sent = work[Ledger].totals(now=NOW).sent
    return waits, sent / (time.monotonic() - begin)


def _asked(home: AppContext, post: DeliveryContext, number: int) -> float:
    """Seconds from requesting a message until the relay has accepted it."""
    time.sleep(BETWEEN)
    key, begin = f"bench {number}", time.monotonic()
    notice = new_notice(
        home.identity,
        SystemMailKind.ALERT,
        key,
        None,
        f"reader{number}@new.example",
        {"subject": "Please confirm", "lines": ""},
        now=post.clock.now(),
    )
    with post.database.writing() as work:
        work[NoticeLedger].put(notice, now=post.clock.now())
    while True:
        with post.database.reading() as work:
            found = work[NoticeLedger].find(key)
        if found is not None and found.state == "sent":
            return time.monotonic() - begin
        time.sleep(LOOK)


def _settings(folder: Path) -> Settings:
    return Settings(data_dir=folder, smtp_url=f"smtp://127.0.0.1:{PORT}", smtp_rate=f"{RATE}/s")
