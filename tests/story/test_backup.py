"""A backup is one file; what comes back from it never sends anything twice."""

from collections.abc import Iterator
from contextlib import contextmanager
from csv import DictReader
from email import message_from_bytes
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from paperround.bootstrap import AppContext
from paperround.config import Settings
from paperround.web.app import create_app
from tests.story.command_line import CLOCK, SAMPLE, CommandLine
from tests.web.conftest import sql


@pytest.fixture
def old(tmp_path: Path) -> CommandLine:
    """An installation with papers, two readers, and the mails of a day planned."""
    home = CommandLine(tmp_path / "old")
    home.folder.mkdir()
    home.run("ingest", "--file", str(SAMPLE / "page.txt"))
    home.run("subscribers", "import", str(SAMPLE / "subscribers.csv"))
    home.run("digest", "send")
    return home


@pytest.fixture
def new(tmp_path: Path) -> CommandLine:
    """An empty machine."""
    home = CommandLine(tmp_path / "new")
    home.folder.mkdir()
    return home


@pytest.fixture
def copy(tmp_path: Path) -> str:
    """Where the backup goes."""
    return str(tmp_path / "copy.tar.gz")


@pytest.mark.quick
@pytest.mark.accept("F48", part="backup and restore")
@pytest.mark.accept("D5", part="small")
def test_a_restored_installation_sends_nothing_again(
    old: CommandLine, new: CommandLine, copy: str
) -> None:
    old.run("db", "backup", copy)
    sent = old.json("deliver")["sent"]
    assert new.json("db", "restore", copy)["unknown"] == sent > 0
    new.run("digest", "resume")
    assert new.json("deliver")["sent"] == 0
    assert new.json("digest", "send")["added"] == 0


@pytest.mark.accept("F48", part="moving")
def test_an_installation_that_moved_goes_on_where_it_stopped(
    old: CommandLine, new: CommandLine, copy: str
) -> None:
    old.run("db", "backup", copy)
    assert new.json("db", "restore", "--moved", copy)["unknown"] == 0
    assert new.json("deliver")["sent"] == 2


def test_a_restore_overwrites_nothing(old: CommandLine, copy: str) -> None:
    old.run("db", "backup", copy)
    assert "in the way" in old.run("db", "restore", copy, exit_code=1)
    assert "exists" in old.run("db", "backup", copy, exit_code=1)


def test_a_log_of_an_old_database_is_in_the_way_of_a_restore(
    old: CommandLine, new: CommandLine, copy: str
) -> None:
    old.run("db", "backup", copy)
    log = new.folder / "paperround-data" / "paperround.db-wal"
    log.parent.mkdir()
    log.touch()
    assert f"{log.name} is in the way" in new.run("db", "restore", copy, exit_code=1)


@pytest.mark.accept("S7", part="restore")
def test_a_link_that_was_mailed_before_the_backup_leaves_what_was_restored(
    old: CommandLine, new: CommandLine, copy: str
) -> None:
    assert old.json("deliver")["sent"] == 2
    old.run("db", "backup", copy)
    new.run("db", "restore", copy)
    mails = [message_from_bytes(path.read_bytes()) for path in old.outbox]
    with standing_in(new) as client:
        for mail in mails:
            link = mail["List-Unsubscribe"].partition("<")[2].partition(">")[0]
            assert client.post(link).status_code == 200
    rows = DictReader(new.run("subscribers", "export").splitlines())
    status = {row["email"]: row["status"] for row in rows}
    assert {status[mail["To"]] for mail in mails} == {"unsubscribed"}


def test_a_secret_of_ones_own_is_not_in_a_backup_and_both_ends_say_so(
    old: CommandLine, new: CommandLine, copy: str
) -> None:
    secret = f"PAPERROUND_SECRET_KEY={'s' * 40}\n"
    assert ".env" not in old.run("db", "backup", f"{copy}.first")
    (old.folder / "paperround-data" / "secret_key").unlink()
    (old.folder / ".env").write_text(secret)
    assert "keep .env" in old.run("db", "backup", copy)
    assert "the backup has no secret" in new.run("db", "restore", copy)
    (new.folder / ".env").write_text(secret)
    (new.folder / "paperround-data" / "paperround.db").unlink()
    assert "no secret" not in new.run("db", "restore", copy)


@contextmanager
def standing_in(home: CommandLine) -> Iterator[TestClient]:
    """The site of an installation, without its jobs."""
    settings = Settings(data_dir=home.folder / "paperround-data")
    runtime = AppContext(settings, CLOCK)
    yield TestClient(create_app(runtime), base_url=settings.public_url)
    runtime.queue.stop(drain_seconds=1)
    sql(runtime).dispose()


def test_without_an_installation_there_is_nothing_to_back_up(new: CommandLine, copy: str) -> None:
    assert "no installation" in new.run("db", "backup", copy, exit_code=1)
    assert not Path(copy).exists()
    assert not (new.folder / "paperround-data").exists()
