"""A database that an older copy replaced sends nothing until somebody says so."""

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from threading import Thread

import pytest

from paperround.cli.digest import hold_lines, pace_as_json
from paperround.core.errors import Conflict
from paperround.db.slots import SlotStore
from paperround.db.transactions import SqlDatabase
from paperround.delivery.ledger_model import LedgerTotals
from paperround.delivery.model import Envelope, Outcome
from paperround.delivery.restore_guard import (
    MARK,
    WAY_OUT,
    RestoredCopy,
    SendMarks,
    name_installation,
)
from paperround.delivery.send_mark import SendMark, SendMarkFile
from paperround.delivery.store.ledger import Ledger
from paperround.digests.cancel import resume
from paperround.digests.sending import DeliveryContext, deliver, deliver_notices
from paperround.doctor import schedule_check
from paperround.editions.schedule import DIGEST_LIFE
from paperround.editions.store.lists import ListStore
from paperround.ops.alerts import current_alerts
from paperround.ops.status import status
from paperround.self_service.preview import send_test
from paperround.subscribers.addresses import parse_address
from tests.delivery.delivering import at, post
from tests.delivery.publishing import send
from tests.fakes import ScriptedMailer, accepting
from tests.sample_database import IDENTITY, NOW, fill, record, subscribe

LATER = timedelta(minutes=10)

PutBack = Callable[[], None]
Deed = Callable[[], object]


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "sending.mark"


@pytest.fixture
def older(sqlite_database: SqlDatabase) -> SqlDatabase:
    """A SQLite database from before there were marks, with papers, of which a digest waits."""
    with sqlite_database.writing() as work:
        work[ListStore].ensure_default(zone="UTC", now=NOW)
    return planned(sqlite_database)


@pytest.fixture
def papers(older: SqlDatabase) -> SqlDatabase:
    """The same of today."""
    with older.writing() as work:
        name_installation(work, now=NOW)
    return older


def planned(database: SqlDatabase) -> SqlDatabase:
    fill(database, [record(n) for n in range(1, 4)])
    subscribe(database, "ada")
    send(database)
    return database


def marked(
    database: SqlDatabase,
    place: Path,
    later: timedelta = timedelta(0),
    *,
    host: str = "here",
    stays: bool = True,
) -> DeliveryContext:
    """What a process delivers with that begins now."""
    marks = SendMarks(file=SendMarkFile(place), host=host, stays=stays)
    return replace(at(post(database), later), marks=marks)


def another(database: SqlDatabase, name: str) -> None:
    subscribe(database, name)
    send(database)


def copied(database: SqlDatabase, folder: Path) -> PutBack:
    """Copy the file as a person would; what is returned puts the copy back."""
    file = Path(str(database._engine.url.database))
    copy = folder / "copy.db"
    with closing(sqlite3.connect(file)) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)

    def put_back() -> None:
        database.close()
        for ending in ("-wal", "-shm"):
            file.with_name(file.name + ending).unlink(missing_ok=True)
        file.write_bytes(copy.read_bytes())

    return put_back


def was_put_back(database: SqlDatabase) -> bool:
    return status(database, None, now=NOW).pace.was_put_back


# --- held --------------------------------------------------------------------------------------


@pytest.mark.accept("D12", part="a copied file", mutant="a-copy-is-believed")
def test_a_copy_that_was_put_back_sends_nothing(
    papers: SqlDatabase, place: Path, tmp_path: Path
) -> None:
    put_back = copied(papers, tmp_path)
    assert deliver(marked(papers, place)).totals.sent == 1
    put_back()
    for send_all in (deliver, deliver_notices):
        report = send_all(marked(papers, place, LATER))
        assert report.totals == LedgerTotals(queued=1)
        assert report.stopped is not None
        assert str(place) in report.stopped
        assert WAY_OUT in report.stopped
    assert was_put_back(papers)


@pytest.mark.accept("D12", part="a copied file", mutant="only-claims-move-the-mark")
def test_a_copy_made_within_the_claim_that_a_killed_process_had_sends_nothing(
    papers: SqlDatabase, place: Path, tmp_path: Path
) -> None:
    for name in ("bob", "cy"):
        another(papers, name)
    put_backs, marks = list[PutBack](), list[bytes]()

    def script(envelope: Envelope) -> Outcome:
        put_backs[:] = put_backs or [copied(papers, tmp_path)]
        marks.append(place.read_bytes())
        return accepting(envelope)

    deliver(replace(marked(papers, place), mailer=ScriptedMailer(script)))
    put_backs[0]()
    place.write_bytes(marks[2])  # as a process leaves it that is killed at the third email
    assert deliver(marked(papers, place, LATER)).stopped is not None


@pytest.mark.accept("D12", part="a copied file", mutant="a-database-without-an-id-is-new")
def test_a_copy_from_before_there_were_marks_sends_nothing(
    older: SqlDatabase, place: Path, tmp_path: Path
) -> None:
    put_back = copied(older, tmp_path)
    assert deliver(marked(older, place)).totals.sent == 1
    put_back()
    assert deliver(marked(older, place, LATER)).totals.sent == 0
    assert marked(older, place).marks.resume(older, now=NOW + LATER) is not None
    resume(older, None, now=NOW + LATER)
    another(older, "grace")
    assert deliver(marked(older, place, LATER)).totals.sent == 1


@pytest.mark.accept("D12", part="the mark is gone", mutant="a-lost-mark-is-made-anew")
@pytest.mark.parametrize("content", [None, b"", b"{}", b'{"at": 7}'])
def test_without_the_mark_that_the_database_had_nothing_leaves(
    papers: SqlDatabase, place: Path, content: bytes | None
) -> None:
    deliver(marked(papers, place))
    another(papers, "grace")
    place.unlink() if content is None else place.write_bytes(content)
    report = deliver(marked(papers, place, LATER))
    assert report.totals == LedgerTotals(sent=1, queued=1)
    assert str(place) in str(report.stopped)
    assert marked(papers, place).marks.resume(papers, now=NOW + LATER) is not None
    resume(papers, None, now=NOW + LATER)
    another(papers, "alan")
    report = deliver(marked(papers, place, LATER))
    assert (report.totals.sent, report.stopped) == (2, None)


def test_a_restore_says_how_much_email_may_have_been_sent() -> None:
    some = RestoredCopy(digests=2, notices=1)
    assert str(some).startswith("2 digests and 1 system email may have been sent: `unknown`")
    none = RestoredCopy(digests=0, notices=0)
    assert str(none) == "no email was waiting that may have been sent"


def test_no_test_mail_is_written_meanwhile(
    papers: SqlDatabase, place: Path, tmp_path: Path
) -> None:
    put_back = copied(papers, tmp_path)
    deliver(marked(papers, place))
    put_back()
    address = parse_address("lovelace@example.org")
    with pytest.raises(Conflict, match="digest resume"):
        send_test(marked(papers, place), IDENTITY, address, "trending", now=NOW)


@pytest.mark.accept("D12", part="waits unharmed", mutant="an-old-copy-is-tidied-up")
def test_what_waits_is_not_given_up_meanwhile(
    papers: SqlDatabase, place: Path, tmp_path: Path
) -> None:
    put_back = copied(papers, tmp_path)
    deliver(marked(papers, place))
    put_back()
    assert deliver(marked(papers, place, DIGEST_LIFE + LATER)).expired == 0
    with papers.reading() as work:
        assert work[Ledger].totals(now=NOW) == LedgerTotals(queued=1)


@pytest.mark.postgres
@pytest.mark.accept("D12", part="many machines", mutant="only-the-machine-that-found-it-is-held")
def test_what_one_machine_finds_holds_all_of_them(database: SqlDatabase, tmp_path: Path) -> None:
    planned(database)
    here, there = tmp_path / "here", tmp_path / "there"
    deliver(marked(database, here, LATER))
    another(database, "grace")
    with database.writing() as work:  # as a disk that went back
        work[SlotStore].beat(f"{MARK}here", now=NOW)
    for host, mark in (("here", here), ("there", there)):
        one = marked(database, mark, LATER, host=host, stays=False)
        report = deliver(one)
        assert report.totals == LedgerTotals(sent=1, queued=1)
        assert WAY_OUT in str(report.stopped)
    one.marks.resume(database, now=NOW + LATER)
    resume(database, None, now=NOW + LATER)
    another(database, "alan")
    assert deliver(marked(database, here, LATER)).totals.sent == 2


# --- let go ------------------------------------------------------------------------------------


@pytest.mark.accept("D12", part="let go", mutant="what-is-let-go-is-sent-again")
def test_once_somebody_says_go_nothing_is_sent_again_and_the_rest_goes_on(
    papers: SqlDatabase, place: Path, tmp_path: Path
) -> None:
    put_back = copied(papers, tmp_path)
    deliver(marked(papers, place))
    put_back()
    held = marked(papers, place).marks.resume(papers, now=NOW + LATER)
    assert held is not None
    assert (held.digests, held.notices) == (1, 0)
    assert not was_put_back(papers)
    resume(papers, None, now=NOW + LATER)
    another(papers, "grace")
    report = deliver(marked(papers, place, LATER))
    assert (report.totals, report.stopped) == (LedgerTotals(sent=1, unknown=1), None)
    assert marked(papers, place).marks.resume(papers, now=NOW + LATER) is None


@pytest.mark.accept("D12", part="let go", mutant="a-copy-is-let-go-for-ever")
def test_what_is_sent_at_the_instant_of_letting_go_counts(
    papers: SqlDatabase, place: Path, tmp_path: Path
) -> None:
    put_back = copied(papers, tmp_path)
    deliver(marked(papers, place))
    put_back()
    marked(papers, place).marks.resume(papers, now=NOW)
    resume(papers, None, now=NOW)
    another(papers, "grace")
    put_back = copied(papers, tmp_path)
    assert deliver(marked(papers, place)).totals.sent == 1
    put_back()
    assert deliver(marked(papers, place)).stopped is not None


def test_a_copy_that_is_put_back_again_is_held_again(
    papers: SqlDatabase, place: Path, tmp_path: Path
) -> None:
    put_back = copied(papers, tmp_path)
    deliver(marked(papers, place))
    for _ in range(2):
        put_back()
        assert deliver(marked(papers, place, LATER)).stopped is not None
        marked(papers, place).marks.resume(papers, now=NOW + LATER)
        assert deliver(marked(papers, place, LATER)).stopped is None


@pytest.mark.accept("D12", part="let go", mutant="a-mark-of-the-future-holds-for-ever")
def test_a_mark_that_a_wrong_clock_made_is_let_go_too(
    papers: SqlDatabase, place: Path, tmp_path: Path
) -> None:
    put_back = copied(papers, tmp_path)
    deliver(marked(papers, place, timedelta(hours=19)))
    put_back()
    marked(papers, place).marks.resume(papers, now=NOW)
    assert deliver(marked(papers, place)).stopped is None


# --- not held ----------------------------------------------------------------------------------


@pytest.mark.postgres
@pytest.mark.accept("D12", part="not held")
def test_run_after_run_goes_on(database: SqlDatabase, tmp_path: Path) -> None:
    """By a clock that does not move, or goes back, and from one process after another."""
    planned(database)
    place = tmp_path / "sending.mark"
    for number, later in enumerate([LATER, LATER, timedelta(0)]):
        another(database, f"reader{number}")
        assert deliver(marked(database, place, later)).stopped is None
    assert deliver(marked(database, place)).totals.sent == 4


@pytest.mark.accept("D12", part="not held")
def test_a_process_that_dies_before_the_mark_is_written_holds_nothing(
    papers: SqlDatabase, place: Path
) -> None:
    class Dying(SendMarkFile):
        def advance(self, *_: object, **__: object) -> None:
            raise KeyboardInterrupt

    one = marked(papers, place)
    with pytest.raises(KeyboardInterrupt):
        deliver(replace(one, marks=replace(one.marks, file=Dying(place))))
    report = deliver(marked(papers, place, LATER))
    assert (report.totals.sent, report.stopped) == (1, None)


@pytest.mark.accept("D12", part="not held", mutant="a-mark-goes-before-its-commit")
def test_a_mark_is_never_ahead_of_what_is_committed(papers: SqlDatabase, place: Path) -> None:
    marks = marked(papers, place).marks
    marks.hold(papers, now=NOW)
    file = SendMarkFile(place)
    before = file.read()
    with pytest.raises(ZeroDivisionError), papers.writing() as work:
        assert marks.advance(work, now=NOW + LATER) == 1 / 0
    assert file.read() == before


@pytest.mark.accept("D12", part="not held", mutant="two-processes-take-the-mark-back")
def test_processes_that_share_a_mark_do_not_hold_each_other(
    papers: SqlDatabase, place: Path
) -> None:
    first, second = (marked(papers, place).marks for _ in range(2))
    moments = []
    for marks in (first, second):
        marks.hold(papers, now=NOW)
        with papers.writing() as work:
            moments.append(marks.advance(work, now=NOW))
    second.keep(moments[1])
    first.keep(moments[0])
    found = SendMarkFile(place).read()
    assert found is not None
    assert found.at == moments[1]
    assert first.hold(papers, now=NOW) is None


class Interrupted(SendMarkFile):
    """Lets another process do something just before its mark is read, or just after."""

    def __init__(
        self, place: Path, *, before: Deed | None = None, after: Deed | None = None
    ) -> None:
        super().__init__(place)
        self._before, self._after = before, after

    def read(self) -> SendMark | None:
        before, self._before = self._before, None
        if before is not None:
            before()
        found = super().read()
        after, self._after = self._after, None
        if after is not None:
            after()
        return found


@pytest.mark.accept("D12", part="not held", mutant="the-database-is-read-before-the-mark")
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_process_that_looks_while_another_one_sends_holds_nothing(
    papers: SqlDatabase, place: Path, when: str
) -> None:
    deliver(marked(papers, place))
    another(papers, "grace")
    file = Interrupted(place, **{when: lambda: deliver(marked(papers, place, LATER))})
    assert replace(marked(papers, place).marks, file=file).hold(papers, now=NOW + LATER) is None
    assert deliver(marked(papers, place, LATER)).totals.sent == 2


@pytest.mark.accept("D12", part="not held", mutant="a-mark-is-looked-for-once")
@pytest.mark.parametrize("content", [None, b"{}"])
def test_a_process_that_looks_while_another_one_makes_the_mark_holds_nothing(
    papers: SqlDatabase, place: Path, content: bytes | None
) -> None:
    if content is not None:
        place.write_bytes(content)
    file = Interrupted(place, after=lambda: deliver(marked(papers, place, LATER)))
    assert replace(marked(papers, place).marks, file=file).hold(papers, now=NOW + LATER) is None


@pytest.mark.accept("D12", part="not held", mutant="a-mark-is-read-while-it-is-written")
def test_a_mark_is_read_whole_while_another_process_moves_it_on(
    papers: SqlDatabase, place: Path
) -> None:
    """Of a line that is half written an instant could be read that nobody meant."""
    deliver(marked(papers, place))
    found = []
    reader = Thread(target=lambda: found.append(SendMarkFile(place).read()))

    class Slow(SendMarkFile):
        def _write(self, handle: int, line: bytes) -> None:
            os.pwrite(handle, b"{" * len(line), 0)
            reader.start()
            reader.join(0.2)
            super()._write(handle, line)

    mark = SendMarkFile(place).read()
    assert mark is not None
    Slow(place).advance(mark.installation, mark.at + LATER)
    reader.join()
    assert found == [replace(mark, at=mark.at + LATER)]


@pytest.mark.accept("D12", part="not held", mutant="machines-that-come-without-a-mark-are-held")
def test_where_machines_come_and_go_a_missing_mark_says_nothing(
    papers: SqlDatabase, place: Path
) -> None:
    deliver(marked(papers, place, stays=False))
    place.unlink()
    another(papers, "grace")
    assert deliver(marked(papers, place, LATER, stays=False)).totals.sent == 2
    assert place.exists()


@pytest.mark.accept("D12", part="not held", mutant="a-mark-of-another-database-is-compared")
def test_a_mark_of_another_database_is_reported_and_not_compared(
    papers: SqlDatabase, place: Path, caplog: pytest.LogCaptureFixture
) -> None:
    place.write_text(f'{{"installation": "x", "host": "here", "at": "{NOW + 9 * LATER}"}}')
    one = marked(papers, place)
    assert deliver(one).totals.sent == 1
    deliver(one)
    assert caplog.text.count("belongs to another database") == 1
    assert "another database" in str(one.marks.trouble(papers))
    assert '"x"' in place.read_text()


def test_a_mark_that_cannot_be_read_is_reported(papers: SqlDatabase, place: Path) -> None:
    place.mkdir()
    one = marked(papers, place)
    assert deliver(one).totals.sent == 1
    assert "cannot be used: Is a directory" in str(one.marks.trouble(papers))


@pytest.mark.accept("D12", part="not written", mutant="a-mark-that-cannot-be-written-stops-mail")
def test_mail_leaves_though_the_mark_cannot_be_written(
    papers: SqlDatabase, place: Path, caplog: pytest.LogCaptureFixture
) -> None:
    class Full(SendMarkFile):
        def _write(self, *_: object) -> None:
            raise OSError(28, "No space left on device")

    one = marked(papers, place)
    for number in range(3):
        another(papers, f"reader{number}")
        marks = one.marks if number == 0 else replace(one.marks, file=Full(place))
        assert deliver(replace(one, marks=marks)).stopped is None
        one = replace(one, marks=marks)
    assert deliver(marked(papers, place, LATER)).totals.sent == 4
    assert "No space left on device" in caplog.text
    assert marked(papers, place / "of a file").marks.hold(papers, now=NOW) is None


def test_without_a_place_for_it_there_is_no_mark(papers: SqlDatabase) -> None:
    assert deliver(post(papers)).totals.sent == 1
    assert SendMarks().trouble(papers) is None
    assert SendMarks().resume(papers, now=NOW) is None


# --- told --------------------------------------------------------------------------------------


@pytest.mark.accept("D12", part="told", mutant="nobody-is-told-of-an-old-copy")
def test_the_operator_is_told(papers: SqlDatabase, place: Path, tmp_path: Path) -> None:
    put_back = copied(papers, tmp_path)
    deliver(marked(papers, place))
    put_back()
    deliver(marked(papers, place))
    with papers.reading() as work:
        (alert,) = current_alerts(work, {}, now=NOW)
        (finding,) = schedule_check.check_holds(work, now=NOW)
    assert alert.subject == "Email is held: an older copy of the database may have been restored"
    assert (finding.says, finding.level) == (alert.subject, "fail")
    assert alert.stops_mail
    pace = status(papers, None, now=NOW).pace
    (line,) = hold_lines(pace)
    assert line.startswith("email is held")
    assert pace_as_json(pace)["put_back"]
    marked(papers, place).marks.resume(papers, now=NOW)
    with papers.reading() as work:
        assert current_alerts(work, {}, now=NOW) == []
        assert schedule_check.check_holds(work, now=NOW) == []
