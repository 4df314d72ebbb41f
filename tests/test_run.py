"""`./run` on machines that lack something, and its second run. Small fakes stand for Python."""

import os
import re
import shutil
import signal
import stat
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import httpx2
import pytest

ROOT = Path(__file__).resolve().parents[1]
TOOLS = ("sh", "dirname", "cat", "cksum", "mkdir", "rm", "rmdir", "cp", "ln")

GOOD_PYTHON = """#!/bin/sh
# Answers what ./run asks of a Python, makes "environments" and logs what is installed.
echo "$*" >>"$LOG"
case "$*" in
*"import ensurepip"*) exit "${NO_VENV:-0}" ;;
*"-m venv"*)
    shift 2
    mkdir -p "$1/bin"
    cp "$0" "$1/bin/python"
    : >"$1/pyvenv.cfg" ;;
esac
"""


NEWER_PYTHON = """#!/bin/sh
case "$*" in
*"<= (3, 13)"*) exit 1 ;;
*print*) echo 3.14 ;;
esac
"""


OLDER_PYTHON = NEWER_PYTHON.replace("print*) echo 3.14", "print*) echo 3.10").replace(
    "case", 'case "$*" in *"< (3, 14)"*) exit 1 ;; esac\ncase', 1
)


class Machine:
    """A clone of the project on a machine with a few tools and no network."""

    def __init__(self, folder: Path) -> None:
        self.clone = folder / "clone with a space"
        self.bin = folder / "bin"
        self.log = folder / "log"
        self.clone.mkdir(parents=True)
        self.bin.mkdir()
        for name in ("run", "requirements.txt", "requirements-dev.txt", "pyproject.toml"):
            shutil.copy(ROOT / name, self.clone)
        for tool in TOOLS:
            (self.bin / tool).symlink_to(shutil.which(tool) or tool)

    def add(self, name: str, text: str) -> None:
        path = self.bin / name
        path.write_text(text)
        path.chmod(path.stat().st_mode | stat.S_IXUSR)

    def run(self, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
        """`./run ARGUMENTS`, called from somewhere else, with an empty home."""
        environment = {"PATH": str(self.bin), "HOME": "", "LOG": str(self.log), **settings}
        command = [str(self.clone / "run"), *arguments]
        return subprocess.run(
            command, cwd=self.bin, env=environment, capture_output=True, text=True, check=False
        )

    def installs(self) -> int:
        return self.log.read_text().count("-m pip install")


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_shellcheck_finds_nothing() -> None:
    if shutil.which("shellcheck") is None:
        pytest.skip("no shellcheck here: apt-get install shellcheck")
    subprocess.run(["shellcheck", ROOT / "run", ROOT / ".ci" / "run"], check=True)


def test_without_python_it_says_what_to_type(machine: Machine) -> None:
    result = machine.run("test")
    assert result.returncode == 1
    assert "apt-get install python3 python3-venv" in result.stderr


def test_without_the_venv_module_it_says_what_to_type(machine: Machine) -> None:
    machine.add("python3", GOOD_PYTHON)
    result = machine.run("dev", NO_VENV="1")
    assert result.returncode == 1
    assert "    apt-get install python3-venv\n" in result.stderr


@pytest.mark.accept("F50", part="run")
def test_a_python_that_is_too_old_is_named_with_a_way_out(machine: Machine) -> None:
    machine.add("python3", OLDER_PYTHON)
    result = machine.run("demo")
    assert result.returncode == 1
    assert "python3 is Python 3.10, which is too old" in result.stderr
    assert "install uv" in result.stderr


@pytest.mark.accept("F50", part="run", mutant="a-python-nobody-tested")
@pytest.mark.parametrize("settings", [{}, {"PYTHON": "python3"}])
def test_a_python_that_is_untested_is_refused_with_that_reason(
    machine: Machine, settings: dict[str, str]
) -> None:
    machine.add("python3", NEWER_PYTHON)
    result = machine.run("demo", **settings)
    assert result.returncode == 1
    assert "python3 is Python 3.14, which is untested here" in result.stderr
    assert "3.11, 3.12 or 3.13" in result.stderr


def test_an_installation_shows_its_progress(machine: Machine) -> None:
    machine.add("python3", GOOD_PYTHON.replace("esac", '*"pip install"*) echo fetching ;;\nesac'))
    result = machine.run("demo")
    assert "--quiet" not in machine.log.read_text()
    assert "fetching" in result.stderr


def test_the_venv_package_is_that_of_the_python_that_was_found(machine: Machine) -> None:
    machine.add("python3", "#!/bin/sh\nexit 1\n")
    machine.add("python3.12", GOOD_PYTHON)
    result = machine.run("dev", NO_VENV="1")
    assert "    apt-get install python3.12-venv\n" in result.stderr


def test_an_environment_that_cannot_be_made_can_be_put_elsewhere(machine: Machine) -> None:
    machine.add("python3", GOOD_PYTHON)
    result = machine.run("dev", PAPERROUND_VENV="run/venv")
    assert result.returncode == 1
    assert "PAPERROUND_VENV=~/paperround-venv" in result.stderr


def test_a_python_that_was_asked_for_and_is_missing_is_named(machine: Machine) -> None:
    assert "PYTHON=python9" in machine.run("dev", PYTHON="python9").stderr


def test_the_environment_is_made_once_and_again_when_the_locks_change(machine: Machine) -> None:
    machine.add("python3.12", GOOD_PYTHON)
    assert machine.run("dev").returncode == 0
    assert machine.installs() == 2
    assert machine.run("dev").returncode == 0
    assert machine.installs() == 2
    with (machine.clone / "requirements-dev.txt").open("a") as lock:
        lock.write("\n")
    assert machine.run("dev").returncode == 0
    assert machine.installs() == 4


def test_an_install_that_broke_off_is_done_again(machine: Machine) -> None:
    machine.add("python3", GOOD_PYTHON.replace("esac", '*"pip install"*) exit 1 ;;\nesac'))
    assert "needs the network" in machine.run("dev").stderr
    assert machine.run("dev").returncode == 1
    assert machine.installs() == 2


def test_the_environment_is_made_anew_when_the_clone_has_moved(machine: Machine) -> None:
    machine.add("python3", GOOD_PYTHON)
    machine.run("dev")
    machine.clone = machine.clone.rename(machine.clone.with_name("elsewhere"))
    assert machine.run("dev").returncode == 0
    assert machine.log.read_text().count("-m venv") == 2


@pytest.mark.accept("C1")
def test_packages_are_installed_with_their_hashes_only(machine: Machine) -> None:
    machine.add("python3", GOOD_PYTHON)
    machine.run("dev")
    installs = [line for line in machine.log.read_text().splitlines() if "pip install" in line]
    assert "--require-hashes -r requirements-dev.txt" in installs[0]
    assert "--no-build-isolation --no-deps -e ." in installs[1]


def test_a_folder_that_is_no_environment_is_never_removed(machine: Machine) -> None:
    machine.add("python3", GOOD_PYTHON)
    precious = machine.clone / "precious"
    precious.mkdir()
    result = machine.run("dev", PAPERROUND_VENV="precious")
    assert result.returncode == 1
    assert "is in the way" in result.stderr
    assert precious.exists()


def test_arguments_reach_pytest_as_they_are(machine: Machine) -> None:
    machine.add("python3", GOOD_PYTHON)
    machine.run("test", "-k", "two words")
    command = machine.log.read_text().splitlines()[-1]
    assert command.startswith("-m pytest -q -n auto ")
    assert command.endswith(" -k two words")


@pytest.mark.accept("F50", part="run")
def test_a_demo_starts_once_the_environment_stands(machine: Machine) -> None:
    machine.add("python3", GOOD_PYTHON)
    assert machine.run("demo", "--papers", "two words.jsonl").returncode == 0
    *_, install, start = machine.log.read_text().splitlines()
    assert install.endswith("--require-hashes -r requirements.txt")
    assert start == "-m paperround demo --papers two words.jsonl"


@pytest.mark.accept("F50", part="the real demo")
def test_the_demo_shows_todays_papers_until_it_is_stopped(tmp_path: Path) -> None:
    stamp = Path(sys.prefix, "paperround-stamp")
    if not (stamp.exists() and stamp.read_text().startswith(f"{ROOT} ")):
        pytest.skip("needs the environment that ./run makes: run the tests with ./run test")
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "PAPERROUND_VENV": sys.prefix,
        "PAPERROUND_DATA_DIR": str(tmp_path / "data"),
    }
    command = [str(ROOT / "run"), "demo", "--port", "0"]
    with subprocess.Popen(
        command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, text=True
    ) as demo:
        try:
            assert demo.stdout is not None
            said = "".join(lines_until(demo.stdout, "Stop:"))
            found = re.search(r"http://127\.0\.0\.1:\d+", said)
            assert found, said
            assert httpx2.get(f"{found[0]}/").text.count('<h3 dir="auto"') >= 12
            demo.send_signal(signal.SIGINT)
            assert demo.wait(timeout=60) == 0
        finally:
            demo.kill()


def lines_until(lines: Iterable[str], end: str) -> Iterator[str]:
    """The lines up to the one that holds `end`."""
    for line in lines:
        yield line
        if end in line:
            return


def test_an_environment_for_running_grows_into_one_for_working(machine: Machine) -> None:
    machine.add("python3", GOOD_PYTHON)
    machine.run("demo")
    assert machine.installs() == 1
    machine.run("dev")
    assert machine.installs() == 3
    machine.run("demo")
    assert machine.installs() == 3


def test_an_unknown_word_is_answered_with_the_known_ones(machine: Machine) -> None:
    result = machine.run("tset")
    assert result.returncode == 2
    assert "no './run tset'" in result.stderr
    assert "./run test " in result.stderr


def test_make_knows_the_same_words() -> None:
    usage = subprocess.run([ROOT / "run"], capture_output=True, text=True, check=True).stdout
    words = {line.split()[1] for line in usage.splitlines() if line.startswith("./run")}
    makefile = (ROOT / "Makefile").read_text().splitlines()
    targets = next(line for line in makefile if line.endswith(":"))
    assert set(targets.rstrip(":").split()) == words | {"help"}
