"""What a doctor thinks of numbers that are handed to it."""

from datetime import timedelta
from pathlib import Path

import pytest

from paperround.bounces.model import ReturnTally
from paperround.config import Settings
from paperround.core.errors import FetchFailed, Misconfigured
from paperround.doctor.config_check import (
    check_libraries,
    check_python,
    check_space,
    file_system_type,
)
from paperround.doctor.findings import Level
from paperround.doctor.schedule_check import check_returns
from paperround.plugins.doctor_checks.relays import check_mailbox
from paperround.plugins.doctor_checks.site import check_certificate as check
from paperround.plugins.doctor_checks.site import check_expiry
from tests.bounces.imap_server import ImapServer
from tests.builders import NOW
from tests.certificates import certificate, server_context
from tests.http.faults import FaultServer, page, says

MOUNTS = """\
/dev/sda1 / ext4 rw 0 0
nas:/papers /srv/my\\040papers nfs4 rw 0 0
overlay /srv ext4 rw 0 0
"""


@pytest.mark.accept("O6", part="full disk")
@pytest.mark.parametrize(
    ("free", "level"), [(50_000_000, Level.FAIL), (500_000_000, Level.WARN), (10**11, Level.OK)]
)
def test_a_disk_that_is_nearly_full_is_told(free: int, level: Level) -> None:
    assert check_space(free, Path("data")).level is level


@pytest.mark.parametrize(
    ("folder", "kind"), [("/srv/my papers/data", "nfs4"), ("/srv/data", "ext4"), ("/x", "ext4")]
)
def test_the_nearest_mount_says_what_a_folder_stands_on(folder: str, kind: str) -> None:
    assert file_system_type(Path(folder), MOUNTS) == kind


@pytest.mark.accept("C5", part="floors")
def test_a_library_that_is_too_old_is_named() -> None:
    asked = ["alembic>=1.18", "apscheduler<4,>=3.11.2", 'psycopg[binary]>=3.2; extra == "postgres"']
    found = check_libraries(asked, {"alembic": "1.9.4", "apscheduler": "3.11.10"}.__getitem__)
    assert found.level is Level.FAIL
    assert found.says == "alembic 1.9.4 is older than 1.18"


@pytest.mark.accept("C5", part="floors")
def test_this_installation_has_what_it_needs() -> None:
    assert check_libraries().level is Level.OK


@pytest.mark.accept("C5", part="headers")
def test_a_supported_python_is_well_and_an_old_one_is_not() -> None:
    assert check_python((3, 13, 1)).level is Level.OK
    assert check_python((3, 10, 4)).level is Level.FAIL


@pytest.mark.parametrize(("days", "level"), [(13, Level.WARN), (15, Level.OK)])
def test_a_certificate_that_ends_soon_is_told(days: int, level: Level) -> None:
    assert check_expiry("papers.example", NOW + timedelta(days=days), now=NOW).level is level


@pytest.mark.accept("F37", part="certificate")
def test_a_certificate_that_nobody_trusts_is_a_fault(tmp_path: Path) -> None:
    context = server_context(*certificate(tmp_path))
    with FaultServer({"/": says(page())}, tls=context) as server:
        found = check(server.url(), now=NOW)
    assert found.level is Level.FAIL
    assert "self-signed" in found.says


@pytest.mark.accept("F36", part="seen")
@pytest.mark.parametrize(
    ("bounced", "complained", "level", "says"),
    [
        (20, 1, Level.OK, "2.00%"),
        (21, 0, Level.WARN, "Too many bounces: 2.10%"),
        (0, 3, Level.WARN, "Too many complaints: 0.30%"),
    ],
)
def test_too_many_mails_that_come_back_or_are_complained_of_are_told(
    bounced: int, complained: int, level: Level, says: str
) -> None:
    (found,) = check_returns(
        ReturnTally(since=NOW, tried=1000, bounced=bounced, complained=complained), now=NOW
    )
    assert (found.level, says in found.says) == (level, True)


def test_where_nothing_was_sent_nothing_came_back() -> None:
    assert [one.level for one in check_returns(ReturnTally(since=NOW), now=NOW)] == [Level.SKIPPED]


@pytest.mark.accept("F36", part="mailbox")
def test_a_mailbox_is_tried_and_a_wrong_password_told() -> None:
    with ImapServer(b"a mail") as server:
        good = Settings(bounce_address="b@example.org", bounce_imap_url=server.url())
        assert check_mailbox(good).level is Level.OK
        assert server.raws() == [b"a mail"]
        wrong = server.url(login="bounces:secret")
        bad = Settings(bounce_address="b@example.org", bounce_imap_url=wrong)
        with pytest.raises(FetchFailed, match="password"):
            check_mailbox(bad)
        with pytest.raises(FetchFailed, match="password"):
            check_mailbox(
                Settings(bounce_imap_url=wrong)
            )  # it is read without a return address, too
    with pytest.raises(Misconfigured, match="PAPERROUND_BOUNCE_IMAP_URL"):
        check_mailbox(Settings(bounce_imap_url="http://x"))
    assert check_mailbox(Settings()).level is Level.SKIPPED
    assert check_mailbox(Settings(bounce_address="b@example.org")).level is Level.OK
