"""Mail as files: whole or absent, private, and never without its envelope."""

import json
import os
import stat
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from paperround.delivery.outbox import Disk, OutboxMailer, file_name
from paperround.delivery.replies import verdict
from paperround.editions.model import DeliveryId, DeliveryState
from tests.delivery.envelopes import SENDER, Marks, envelope, envelopes


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.accept("F22", part="outbox")
def test_a_mail_becomes_exactly_its_bytes_with_its_envelope_beside_it(tmp_path: Path) -> None:
    mail = envelope(7, body=b".a dot\r\n\xff\x00\r\n")
    outcomes = list(OutboxMailer(tmp_path / "new" / "outbox").send([mail], before_dot=Marks()))
    assert [verdict(outcome).state for outcome in outcomes] == [DeliveryState.SENT]
    stem = tmp_path / "new" / "outbox" / "7@papers.example.org"
    assert stem.with_name(f"{stem.name}.eml").read_bytes() == mail.content
    assert json.loads(stem.with_name(f"{stem.name}.json").read_text()) == {
        "sender": SENDER,
        "recipient": "reader7@example.org",
        "message_id": "<7@papers.example.org>",
        "delivery": 7,
    }


def test_only_the_owner_may_read_the_mail(tmp_path: Path) -> None:
    folder = tmp_path / "outbox"
    list(OutboxMailer(folder).send(envelopes(1), before_dot=Marks()))
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}


def test_the_same_message_id_again_takes_the_place_of_the_first(tmp_path: Path) -> None:
    mailer = OutboxMailer(tmp_path)
    again = replace(envelope(1, body=b"Second.\r\n"), id=DeliveryId(2))
    found = list(mailer.send([envelope(1), again], before_dot=Marks()))
    assert [verdict(outcome).state for outcome in found] == ["sent", "sent"]
    assert len(names(tmp_path)) == 2
    list(mailer.send([envelope(1, body=b"Third.\r\n")], before_dot=Marks()))
    assert (tmp_path / "1@papers.example.org.eml").read_bytes().endswith(b"Third.\r\n")


@pytest.mark.accept("T7", mutant="the-name-of-a-mail-comes-before-its-mark")
def test_at_the_mark_the_bytes_are_whole_but_have_no_name_yet(tmp_path: Path) -> None:
    seen: list[list[str]] = []

    def mark(ids: Sequence[DeliveryId]) -> list[DeliveryId]:
        seen.append(names(tmp_path))
        return []

    assert list(OutboxMailer(tmp_path).send(envelopes(1), before_dot=mark)) == []
    assert [name.rpartition(".")[2] for name in seen[0]] == ["tmp", "tmp"]
    assert names(tmp_path) == []


def test_each_mail_has_a_mark_of_its_own(tmp_path: Path) -> None:
    marks = Marks()
    list(OutboxMailer(tmp_path).send(envelopes(9), before_dot=marks))
    assert {len(call) for call in marks.calls} == {1}


def dead_process() -> int:
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    return process.pid


def test_what_a_dead_process_left_behind_is_removed_at_the_next_sending(tmp_path: Path) -> None:
    for ending in ("eml", "json"):
        (tmp_path / f".8@papers.example.org.{ending}.8.{dead_process()}.tmp").write_bytes(b"half")
    list(OutboxMailer(tmp_path).send([], before_dot=Marks()))
    assert names(tmp_path) == []


def test_what_a_living_process_is_writing_and_foreign_files_are_left_alone(tmp_path: Path) -> None:
    living = [f".8@papers.example.org.eml.8.{pid}.tmp" for pid in (os.getpid(), os.getppid(), 1)]
    numbers = ["9" * 15, "9" * 30]
    foreign = [".8.tmp", "notes.8.9.tmp", *(f".8@a.eml.8.{number}.tmp" for number in numbers)]
    for name in (*living, *foreign):
        (tmp_path / name).write_bytes(b"half")
    list(OutboxMailer(tmp_path).send([], before_dot=Marks()))
    assert names(tmp_path) == sorted({*living, *foreign})


def test_a_leftover_that_cannot_be_removed_stops_no_mail(tmp_path: Path) -> None:
    leftover = f".8@papers.example.org.eml.8.{dead_process()}.tmp"
    (tmp_path / leftover).mkdir()
    (outcome,) = OutboxMailer(tmp_path).send(envelopes(1), before_dot=Marks())
    assert verdict(outcome).state is DeliveryState.SENT
    assert leftover in names(tmp_path)


def test_a_mail_half_written_under_the_same_name_is_written_whole(tmp_path: Path) -> None:
    (tmp_path / f".1@papers.example.org.eml.1.{os.getpid()}.tmp").write_bytes(b"half a ma" * 999)
    list(OutboxMailer(tmp_path).send(envelopes(1), before_dot=Marks()))
    assert (tmp_path / "1@papers.example.org.eml").read_bytes() == envelope(1).content
    assert len(names(tmp_path)) == 2


@pytest.mark.parametrize("name", ["file", "x" * 300])
def test_a_folder_that_cannot_be_made_puts_the_mail_off(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").write_bytes(b"")
    marks = Marks()
    outcomes = list(OutboxMailer(tmp_path / name).send(envelopes(2), before_dot=marks))
    assert [verdict(outcome).state for outcome in outcomes] == [DeliveryState.DEFERRED] * 2
    assert outcomes[0].error.startswith("disk: ")
    assert marks.calls == []


def test_a_name_that_is_taken_by_a_folder_puts_off_that_mail_alone(tmp_path: Path) -> None:
    (tmp_path / "1@papers.example.org.eml").mkdir()
    outcomes = list(OutboxMailer(tmp_path).send(envelopes(2), before_dot=Marks()))
    assert [verdict(outcome).state for outcome in outcomes] == ["deferred", "sent"]


class LostNames(Disk):
    """A disk that takes files and cannot keep their names."""

    def sync_folder(self, path: Path) -> None:
        raise OSError(5, "Input/output error", str(path))


def test_a_folder_lost_after_its_mail_was_placed_leaves_it_in_doubt(tmp_path: Path) -> None:
    (outcome,) = OutboxMailer(tmp_path, disk=LostNames()).send(envelopes(1), before_dot=Marks())
    assert verdict(outcome).state is DeliveryState.UNKNOWN


class Unbending(Disk):
    """A disk that removes nothing."""

    def remove(self, path: Path) -> None:
        raise OSError(30, "Read-only file system", str(path))


@pytest.mark.accept("R2", part="leftovers of the outbox")
def test_a_draft_that_cannot_be_removed_costs_no_outcome(tmp_path: Path) -> None:
    found = list(OutboxMailer(tmp_path, disk=Unbending()).send(envelopes(2), before_dot=Marks()))
    assert [verdict(outcome).state for outcome in found] == [DeliveryState.SENT] * 2


@pytest.mark.parametrize(
    ("message_id", "name"),
    [
        ("<abc@example.org>", "abc@example.org"),
        ("<../../etc/passwd>", "%2E.%2F..%2Fetc%2Fpasswd"),
        ("<a/b@c>", "a%2Fb@c"),
        ("<.hidden@c>", "%2Ehidden@c"),
        ("<a%2Fb@c>", "a%252Fb@c"),
        ("<a\x00b@c>", "a%00b@c"),
    ],
)
def test_no_message_id_leaves_the_folder_or_shares_a_name(message_id: str, name: str) -> None:
    assert file_name(message_id) == name
