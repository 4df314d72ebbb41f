"""The doctor finds each fault that is planted in an installation which is well, and names it."""

import os
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from email.utils import format_datetime
from itertools import repeat
from pathlib import Path

import pytest
from cryptography.x509 import load_pem_x509_certificate

from paperround.config import Settings
from paperround.core.errors import Misconfigured
from paperround.core.tokens import KeyRing
from paperround.db import engine as engines
from paperround.db.slots import SlotStore
from paperround.delivery.rate_limits import describe_unreached
from paperround.delivery.store.ledger import Ledger
from paperround.doctor import config_check
from paperround.doctor.findings import Level
from paperround.doctor.schedule_check import check_model
from paperround.editions.model import DigestKind
from paperround.editions.store.editions import EditionStore
from paperround.editions.store.lists import ListStore
from paperround.feeds.model import FeedHealth, NewFeed
from paperround.feeds.store.feeds import FeedStore
from paperround.ops.scheduler_lock import scheduler_lock
from paperround.ops.tick import SCHEDULER
from paperround.plugins.doctor_checks import relays, site
from paperround.ranking.models import KeptModel, ModelId
from paperround.ranking.store import ModelStore
from paperround.subscribers.store.subscribers import SubscriberStore
from tests.builders import NOW, new_delivery, seed_list, seed_subscribers, shard
from tests.certificates import certificate, server_context
from tests.doctor.conftest import ALIVE, SECRET, Home, polled
from tests.faults import Break, Say, Security, SmtpSink
from tests.http.faults import FaultServer, page, says
from tests.migrations.downgrading import downgrade

MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
AWAY = "smtps://relay.example.org"
pytestmark = pytest.mark.accept("O6", part="planted faults")


def test_a_healthy_installation_has_no_faults(home: Home) -> None:
    assert home.faults() == {}
    levels = {one.check: one.level for one in home.examine()}
    assert levels["relay"] is levels["site"] is levels["clock"] is Level.OK


# --- settings


@pytest.mark.accept("C5", part="doctor")
def test_a_short_secret(home: Home) -> None:
    assert home.faults(secret_key="short")["secret"].level is Level.FAIL


@pytest.mark.accept("C5", part="doctor")
def test_a_secret_that_can_be_guessed(home: Home) -> None:
    assert "guessed" in home.faults(secret_key="abc" * 20)["secret"].says


def test_a_public_url_without_tls() -> None:
    found = config_check.check_public_url(Settings(public_url="http://papers.example.org"))
    assert found.level is Level.FAIL
    assert "https" in found.way_out


def test_links_to_the_readers_own_machine() -> None:
    found = config_check.check_public_url(
        Settings(smtp_url=AWAY, public_url="http://localhost:8000")
    )
    assert found.level is Level.FAIL


def test_a_sender_who_does_not_say_who_they_are() -> None:
    found = config_check.check_sender(Settings(smtp_url=AWAY))
    assert found.level is Level.FAIL
    assert "PAPERROUND_OPERATOR" in found.says


def test_a_from_address_that_nobody_can_own(home: Home) -> None:
    assert "sender" in home.faults(mail_from="Papers <digest@paperround.example>")


def test_settings_that_others_can_read(home: Home) -> None:
    env = home.folder / ".env"
    env.write_text("PAPERROUND_OPERATOR=Ada\n")
    env.chmod(0o644)
    assert "chmod go= .env" in home.faults()["permissions"].way_out


def test_a_service_that_runs_with_the_settings_of_before(home: Home) -> None:
    env = home.folder / ".env"
    env.write_text("PAPERROUND_OPERATOR=Ada\n")
    env.chmod(0o600)
    with scheduler_lock(home.folder / "data"):
        assert "settings" not in home.faults()
        os.utime(env, (2**32, 2**32))
        found = home.faults()["settings"]
        assert found.says == ".env was changed after the service started, which uses the old one"
        assert found.way_out == "restart `paperround serve`"
    assert "settings" not in home.faults()


@pytest.mark.accept("O6", part="open folder", mutant="an-open-data-folder-is-passed-over")
def test_a_data_folder_that_others_can_read(home: Home) -> None:
    data = home.folder / "data"
    data.chmod(0o755)
    found = home.faults()["permissions"]
    assert found.says == f"others on this machine can read {data}"
    assert found.way_out == f"chmod go= {data}"


# --- the database


def test_a_reference_that_leads_nowhere(home: Home) -> None:
    home.sql("UPDATE edition_papers SET paper_id = 999 WHERE position = 1")
    assert "1 of edition_papers" in home.faults()["references"].says


@pytest.mark.accept("O6", part="damage", mutant="damage-without-a-way-out")
def test_a_damaged_file(home: Home) -> None:
    home.sql("PRAGMA wal_checkpoint(TRUNCATE)")
    home.database.close()
    path = home.folder / "data" / "paperround.db"
    content = bytearray(path.read_bytes())
    content[8192 : 8192 + 40_000] = b"\xff" * 40_000
    path.write_bytes(content)
    found = home.faults()["integrity"]
    assert found.level is Level.FAIL
    assert f"{path} is damaged" in found.says
    assert "`paperround db restore FILE`" in found.way_out


def test_a_file_that_is_no_database(home: Home) -> None:
    (home.folder / "data" / "other.db").write_text("Dear all, " * 1000)
    url = f"sqlite:///{home.folder / 'data' / 'other.db'}"
    found = home.faults(database_url=url)["integrity"]
    assert found.level is Level.FAIL
    assert found.says == f"{url} is damaged: file is not a database"
    assert "`paperround db restore FILE`" in found.way_out


def test_a_command_that_meets_a_damaged_database_names_the_doctor(home: Home) -> None:
    (home.folder / "data" / "other.db").write_text("Dear all, " * 1000)
    url = f"sqlite:///{home.folder / 'data' / 'other.db'}"
    with pytest.raises(Misconfigured, match=r"file is not a database \(`paperround doctor`"):
        home.runtime(database_url=url).prepare()


def test_a_schema_that_is_behind(home: Home) -> None:
    home.database.close()
    with engines.opened(home.runtime().settings.database) as engine:
        downgrade(engine, "0002")
    assert "paperround db upgrade" in home.faults()["schema"].says


@pytest.mark.accept("O6", part="newer schema", mutant="a-newer-schema-is-upgraded")
def test_a_schema_of_a_newer_version(home: Home) -> None:
    home.sql("UPDATE alembic_version SET version_num = '9999'")
    found = home.faults()["schema"]
    assert found.level is Level.FAIL
    assert "it is from a newer Paperround" in found.says
    assert "upgrade" not in found.says
    assert "`paperround db restore FILE`" in found.way_out


def test_a_schema_that_somebody_changed(home: Home) -> None:
    home.sql("ALTER TABLE notices DROP COLUMN reply")
    assert home.faults()["schema"].level is Level.FAIL


def test_a_folder_that_cannot_be_made(home: Home) -> None:
    (home.folder / "file").write_text("")
    found = home.faults(data_dir=home.folder / "file" / "data")
    assert "set PAPERROUND_DATA_DIR to a writable folder" in found["database"].says


@pytest.mark.skipif(os.geteuid() == 0, reason="the system lets root write anywhere")
def test_a_folder_that_cannot_be_written(home: Home) -> None:
    home.database.close()
    data = home.folder / "data"
    data.chmod(0o500)
    (data / "paperround.db").chmod(0o400)
    found = home.faults()
    data.chmod(0o700)
    assert {"database", "writable"} & found.keys()


def test_a_suppression_whose_key_was_dropped(home: Home) -> None:
    with home.database.writing() as work:
        work[SubscriberStore].suppress("a hash", "dead", reason="asked", now=NOW)
    found = home.faults()["keys"]
    assert "is gone: 1 suppression, which can no longer be recognised" in found.says
    assert found.level is Level.FAIL
    assert "dead" in found.says
    assert "never remove" in found.way_out


def test_a_mail_that_waits_and_whose_key_was_dropped(home: Home) -> None:
    plan_one(home)
    assert "k001" in home.faults()["keys"].says


def test_a_key_of_the_ring_that_is_not_the_first_is_no_fault(home: Home) -> None:
    old = KeyRing((SECRET.encode(),)).current.id
    with home.database.writing() as work:
        work[SubscriberStore].suppress("a hash", old, reason="asked", now=NOW)
    assert home.faults(secret_key=f"a newer secret of these same tests,{SECRET}") == {}


# --- the routine


@pytest.mark.accept("F11", part="doctor")
def test_a_model_that_cannot_be_read_or_is_old(home: Home) -> None:
    fresh = KeptModel(
        id=ModelId(4),
        name="prior",
        version="1",
        fitted_at=NOW,
        as_of=NOW,
        outcomes=700,
        size=9,
        digest="x",
    )
    assert check_model(None, is_read=False, now=NOW).level is Level.SKIPPED
    assert check_model(fresh, is_read=True, now=NOW + 3 * DAY).level is Level.OK
    assert check_model(fresh, is_read=True, now=NOW + 3 * DAY + MINUTE).level is Level.WARN
    with home.database.writing() as work:
        work[ModelStore].add("prior", "1", b"torn", outcomes=700, now=NOW)
    found = home.faults()["model"]
    assert "model 1 cannot be read" in found.says
    assert "`paperround learn` trains a new one" in found.way_out


def test_a_schedule_that_stands_still(home: Home) -> None:
    beat(home, NOW - 4 * MINUTE)
    assert home.faults()["schedule"].level is Level.FAIL


def test_a_clock_that_went_back(home: Home) -> None:
    assert "clock" not in home.faults()
    beat(home, NOW + 60 * MINUTE)  # later than that of the doctor, which looked just now
    assert "timedatectl" in home.faults()["clock"].way_out


@pytest.mark.parametrize("health", [FeedHealth.FAILED, FeedHealth.STALE])
def test_a_feed_that_brings_nothing(home: Home, health: FeedHealth) -> None:
    with home.database.writing() as work:
        feed = work[FeedStore].find("arxiv")
        assert feed is not None
        work[FeedStore].record_poll(polled(feed, health, "status 500"))
    assert f"arxiv is {health}: status 500" in home.faults()["feeds"].says


def test_a_list_that_is_paused(home: Home) -> None:
    with home.database.writing() as work:
        work[ListStore].pause(work[ListStore].get("trending").id, now=NOW)
    assert "digest resume" in home.faults()["digests"].way_out


def test_a_digest_that_is_late(home: Home) -> None:
    plan_one(home, late=40 * MINUTE)
    assert home.faults()["digests"].level is Level.FAIL


def test_an_edition_that_is_old(home: Home) -> None:
    home.sql("UPDATE editions SET cut_at = '2026-02-20 00:00:00.000000'")
    assert "more than a day old" in home.faults()["editions"].says


# --- the site and the way out


def test_a_site_that_does_not_answer(home: Home) -> None:
    assert home.faults(public_url="http://127.0.0.1:9")["site"].level is Level.WARN


def test_a_site_of_somebody_else(home: Home) -> None:
    with FaultServer({"/": says(page(b"Welcome to nginx!"))}) as other:
        found = home.faults(public_url=other.url().rstrip("/"))["site"]
    assert "something other" in found.says


@pytest.mark.parametrize(
    ("minutes", "level", "where"),
    [
        (1, None, ""),
        (3, Level.WARN, "3 min 0 s ahead of"),
        (-3, Level.WARN, "3 min 0 s behind"),
        (11, Level.FAIL, "11 min 0 s ahead of"),
    ],
)
def test_a_clock_that_differs_from_that_of_the_site(
    home: Home, minutes: int, level: Level | None, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(site, "is_own", lambda _: False)
    dated = format_datetime(NOW - minutes * MINUTE, usegmt=True)
    answer = says(page(b'{"status": "alive"}', f"Date: {dated}"))
    with FaultServer({"/": answer, "/healthz": answer}) as other:
        found = home.faults(public_url=other.url().rstrip("/")).get("time")
    assert (found and found.level) is level
    assert where in (found.says if found else "")


def test_a_site_on_this_machine_tells_no_time(home: Home) -> None:
    (found,) = (one for one in home.examine() if one.check == "time")
    assert found.level is Level.SKIPPED
    assert str(home.settings["public_url"]) not in found.says


@pytest.mark.accept("O6", part="clock ahead", mutant="only-the-site-tells-the-time")
def test_a_clock_ahead_is_told_by_a_source_where_the_site_has_the_same_clock(home: Home) -> None:
    dated = format_datetime(NOW, usegmt=True)
    answer = says(page(b'{"status": "alive"}', f"Date: {dated}"))
    home.client.headers = {"date": format_datetime(NOW - DAY, usegmt=True), "age": "3600"}
    home.client.pages = {"https://blog.lab.org/rss": b"<rss><channel/></rss>"}
    with home.database.writing() as work:
        feed = work[FeedStore].create(
            NewFeed(name="blog", kind="feed", url="https://blog.lab.org/rss"), now=NOW
        )
        good = replace(polled(feed, FeedHealth.FRESH), last_good_at=NOW + MINUTE)
        work[FeedStore].record_poll(good)
    with FaultServer({"/": answer, "/healthz": answer}) as other:
        found = home.faults(public_url=other.url().rstrip("/"))["time"]
    assert found.level is Level.FAIL
    assert "is 23 h 0 min ahead of that of the source of blog" in found.says
    assert "timedatectl" in found.way_out


@pytest.mark.accept("O6", part="private authority", mutant="a-private-authority-is-unnamed")
def test_a_site_with_a_certificate_of_a_private_authority(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cert, key = certificate(tmp_path)
    with FaultServer({"/healthz": ALIVE, "/": ALIVE}, tls=server_context(cert, key)) as other:
        url = f"https://localhost:{other.port}"
        refused = home.faults(public_url=url)
        monkeypatch.setenv("SSL_CERT_FILE", str(cert))
        trusted = home.examine(public_url=url)
    assert refused.keys() == {"certificate"}
    assert "SSL_CERT_FILE" in refused["certificate"].way_out
    levels = {one.check: one.level for one in trusted}
    assert levels["site"] is Level.OK
    assert levels["certificate"] is not Level.FAIL


def test_a_relay_whose_certificate_is_about_to_end(home: Home, tmp_path: Path) -> None:
    cert, key = certificate(tmp_path)
    ends = load_pem_x509_certificate(cert.read_bytes()).not_valid_after_utc
    security = Security(context=server_context(cert, key), implicit=True)
    settings = Settings(mail_from="Papers <p@mail.example.org>")
    with SmtpSink(security=security) as sink:
        relay = f"smtps://localhost:{sink.port}?ca={cert}"
        levels = {
            days: [
                one.level
                for one in relays.check_relays(
                    settings.model_copy(update={"smtp_url": relay}),
                    now=ends - timedelta(days=days),
                )
                if one.check == "relay certificate"
            ]
            for days in (1, 13, 15)
        }
    assert levels == {1: [Level.WARN], 13: [Level.WARN], 15: [Level.OK]}


def test_a_relay_that_is_down(home: Home, relay: SmtpSink) -> None:
    found = home.faults(smtp_url=f"smtp://127.0.0.1:9,{relay.url}")["relay"]
    assert "127.0.0.1:9" in found.says


def test_a_relay_that_refuses_the_password(home: Home) -> None:
    with SmtpSink(security=Security(login=("ada", "right"))) as sink:
        found = home.faults(smtp_url=f"smtp://ada:wrong@127.0.0.1:{sink.port}")["relay"]
    assert "535" in found.says
    assert "wrong" not in found.says
    assert "password" in found.way_out


def test_a_relay_with_a_certificate_that_nobody_trusts(home: Home, tmp_path: Path) -> None:
    context = server_context(*certificate(tmp_path))
    with SmtpSink(security=Security(context=context, implicit=True)) as sink:
        found = home.faults(smtp_url=f"smtps://localhost:{sink.port}")["relay"]
    assert "self-signed certificate" in found.says
    assert "?ca=FILE" in found.way_out
    assert "SSL_CERT_FILE" in found.way_out


def test_a_relay_without_the_tls_that_is_required(home: Home) -> None:
    with SmtpSink() as sink:
        found = home.faults(smtp_url=f"smtp://127.0.0.1:{sink.port}?starttls=required")["relay"]
    assert "STARTTLS" in found.says


@pytest.mark.accept("F60", part="a relay's wrong port")
@pytest.mark.parametrize(
    ("script", "url", "says"),
    [
        ({}, "smtps://127.0.0.1:{}", "does not begin with TLS"),
        ({}, "smtp://127.0.0.1:{}?starttls=required", "offers no TLS"),
        ({}, "smtp://ada:secret@127.0.0.1:{}", "offers no log-in"),
        ({"banner": repeat(Say("HTTP/1.1 400 Bad"))}, "smtp://127.0.0.1:{}", "needs smtps://"),
    ],
    ids=["plain", "no STARTTLS", "no log-in", "not a mail server"],
)
def test_a_wrong_port_of_a_relay_is_told_with_its_own_way_out(
    home: Home, script: dict[str, Iterable[Say]], url: str, says: str
) -> None:
    with SmtpSink(script) as sink:
        assert says in home.faults(smtp_url=url.format(sink.port))["relay"].way_out


def test_a_port_that_stays_silent_is_told_wherever_a_relay_is_tried() -> None:
    assert "needs smtps://" in describe_unreached("no-session: timeout: no answer in time")


def test_a_relay_that_refuses_the_sender(home: Home) -> None:
    with SmtpSink({"mail": repeat(Say("553 5.7.1 not yours"))}) as sink:
        found = home.faults(smtp_url=sink.url)["relay"]
    assert "PAPERROUND_MAIL_FROM" in found.way_out


def test_a_relay_that_hangs_up(home: Home) -> None:
    with SmtpSink({"ehlo": repeat(Break.DROP)}) as sink:
        assert "hello" in home.faults(smtp_url=sink.url)["relay"].says


def test_an_outbox_that_cannot_be_written(home: Home) -> None:
    (home.folder / "outbox").write_text("a file stands where the folder should be")
    found = home.faults(smtp_url=f"outbox:{home.folder / 'outbox'}")["outbox"]
    assert found.level is Level.FAIL


# ---


def beat(home: Home, moment: datetime) -> None:
    with home.database.writing() as work:
        work[SlotStore].beat(SCHEDULER, now=moment)


def plan_one(home: Home, *, late: timedelta = timedelta()) -> None:
    """A digest that waits to be sent."""
    database = home.database
    trending = seed_list(database)
    [subscription] = seed_subscribers(database, trending, ("alice",))
    with database.writing() as work:
        edition = work[EditionStore].newest(trending.id, by=NOW)
        assert edition is not None
        row = new_delivery(subscription, kind=DigestKind.DIGEST, due_at=NOW - late)
        work[Ledger].plan(edition.id, trending.id, [row], shard(), now=NOW)
