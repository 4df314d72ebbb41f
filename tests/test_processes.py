"""Who certainly no longer lives. A wrong "dead" would send a mail twice."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from paperround.core.interfaces import Processes, Worker
from paperround.core.processes import SystemProcesses

PROCESSES = SystemProcesses()
pytestmark = pytest.mark.skipif(not Path("/proc/self/ns/time").exists(), reason="needs Linux")


@contextmanager
def child() -> Iterator[subprocess.Popen[bytes]]:
    """A process that lives until its input is closed or it is killed."""
    code = "import sys; sys.stdin.read()"
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE) as process:
        yield process
        process.kill()


def fake_proc(folder: Path, stat: str) -> SystemProcesses:
    """This boot and these namespaces, but `stat` as what is known of the process 4194000."""
    (folder / "sys/kernel/random").mkdir(parents=True)
    boot = Path("/proc/sys/kernel/random/boot_id").read_text()
    (folder / "sys/kernel/random/boot_id").write_text(boot)
    (folder / "self").symlink_to("/proc/self")
    (folder / "4194000").mkdir()
    (folder / "4194000/stat").write_text(stat)
    return SystemProcesses(folder)


def stat_line(name: str, state: str, ticks: int) -> str:
    return " ".join([f"4194000 ({name})", state, *["0"] * 18, str(ticks), "0"])


def test_this_process_is_alive() -> None:
    processes: Processes = PROCESSES
    assert processes.current().pid == os.getpid()
    assert processes.current() == processes.current()
    assert not processes.is_dead(processes.current())


@pytest.mark.accept("R3", part="a killed sender is recognised at once")
def test_a_killed_child_is_dead_before_and_after_it_is_reaped() -> None:
    with child() as process:
        worker = PROCESSES.worker(process.pid)
        process.kill()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        assert PROCESSES.is_dead(worker), "a zombie sends no mail"
        process.wait()
        assert PROCESSES.is_dead(worker)


def test_a_number_in_use_by_a_later_process_is_no_sign_of_life() -> None:
    place = PROCESSES.current().started.rpartition("/")[0]
    assert PROCESSES.is_dead(replace(PROCESSES.current(), started=f"{place}/1"))


@pytest.mark.parametrize(
    "started",
    ["", "1234", "11111111-2222-3333-4444-555555555555/pid:[4026531836]/time:[4026531834]/1"],
)
def test_what_ran_elsewhere_or_is_unreadable_is_not_certainly_dead(started: str) -> None:
    assert not PROCESSES.is_dead(replace(PROCESSES.current(), started=started))


def test_another_namespace_of_this_machine_is_elsewhere() -> None:
    place, _, ticks = PROCESSES.current().started.rpartition("/")
    boot = place.split("/")[0]
    other = f"{boot}/pid:[1]/time:[1]/{int(ticks) - 1}"
    assert not PROCESSES.is_dead(replace(PROCESSES.current(), started=other))


def test_another_host_is_not_certainly_dead() -> None:
    assert not PROCESSES.is_dead(replace(PROCESSES.current(), host="elsewhere.example", pid=1))


def test_a_process_that_proc_hides_is_not_certainly_dead(tmp_path: Path) -> None:
    hiding = fake_proc(tmp_path, stat_line("x", "S", 7))
    with child() as process:
        assert not hiding.is_dead(PROCESSES.worker(process.pid))


@pytest.mark.parametrize("pid", [0, -1, 2**70])
def test_a_number_that_no_process_can_have_is_not_certainly_dead(pid: int) -> None:
    assert not PROCESSES.is_dead(replace(PROCESSES.current(), pid=pid))


@pytest.mark.parametrize("name", ["a b", "x) Z 1 (", "Z"])
def test_a_strange_command_name_does_not_confuse(tmp_path: Path, name: str) -> None:
    processes = fake_proc(tmp_path, stat_line(name, "S", 7))
    worker = processes.worker(4194000)
    assert worker.started.endswith("/7")
    assert not processes.is_dead(worker)


def test_a_half_read_stat_tells_nothing(tmp_path: Path) -> None:
    assert fake_proc(tmp_path, "4194000 (x) S 1").worker(4194000).started == ""


def test_without_proc_nothing_is_certainly_dead(tmp_path: Path) -> None:
    blind = SystemProcesses(tmp_path)
    assert blind.current() == Worker(host=PROCESSES.current().host, pid=os.getpid(), started="")
    assert not blind.is_dead(replace(PROCESSES.current(), pid=2**22 - 1))
